"""Where callers were lost, who was handed on, and the calls themselves."""

from __future__ import annotations

from ledger.calls import Disposition
from reports import metrics as m
from reports.cells import limit
from reports.drawn import Cell, drawn, part_of
from reports.paper import Column, Kind, Table
from reports.period import CALL_COLUMNS
from reports.sections.material import Material

_D = Disposition


def funnel(material: Material) -> Table:
    """From the trunk to the desk: how many were there, how many went no further, and why."""
    period, part = material.period, part_of(material.period)
    menus = list(period.steps)
    # Each stage: its name, who reached it, who went no further, and why.
    stages = [
        ("着信", "ended", "after_hours", "受付時間外"),
        ("冒頭の案内", f"past:{_D.AFTER_HOURS}", "lost_in:", "案内の途中で切断"),
        *(
            (
                material.period.city.menu_names.get(node, f"メニュー {node}"),
                f"past_menus:{','.join(menus[:place])}",
                f"lost_in:{node}",
                "メニューの途中で切断",
            )
            for place, node in enumerate(menus)
        ),
        ("用件の選択", f"past:{_D.ABANDONED_MENU}", _D.SELF_SERVED.value, "自動案内で完了"),
        ("自動案内の後", f"past:{_D.SELF_SERVED}", _D.REFERRED.value, "他の番号を案内"),
        ("待ち列", f"past:{_D.REFERRED}", _D.ABANDONED_QUEUE.value, "待ち中の切断"),
        ("待ち列（続けた人）", f"past:{_D.ABANDONED_QUEUE}", _D.OVERFLOW.value, "混雑の案内"),
        ("折り返しの選択", f"past:{_D.OVERFLOW}", _D.CALLBACK.value, "折り返し予約"),
        ("接続", f"past:{_D.CALLBACK}", _D.SYSTEM_FAILURE.value, "システム障害"),
        ("オペレーター", f"past:{_D.SYSTEM_FAILURE}", "", ""),
    ]
    whole = part.count("ended")
    rows: list[tuple[Cell, ...]] = [
        (name, part.shown(reached), part.shown(lost) if lost else 0, why, m.share(part.count(reached), whole))
        for name, reached, lost, why in stages
    ]
    columns = (
        Column(id="stage", title="段階"),
        Column(id="calls", title="届いた電話", kind=Kind.CALLS),
        Column(id="lost", title="ここまでの電話", kind=Kind.CALLS, total=True),
        Column(id="why", title="理由"),
        Column(id="share", title="着信に占める割合", kind=Kind.SHARE),
    )
    return drawn(
        id="funnel",
        title="回線からオペレーターまで",
        columns=columns,
        rows=rows,
        total="応答の前に終わった電話",
        foot={"lost": part.opening("unanswered")},
        note="話し中で回線に届かなかった電話は、通信事業者の数値がなければ分からない。",
    )


def long_waits(material: Material) -> Table:
    """The calls behind the five-minute rule (千葉 7(5)オ(イ))."""
    least = limit(material.period.city.long_wait_s)
    return Table(
        id="long_waits", title=f"待ちが{least}以上の電話", columns=CALL_COLUMNS,
        rows=material.period.long_waits, listing=True,
    )  # fmt: skip


def calls(material: Material) -> Table:
    """Every call: what all figures can be traced to."""
    return Table(
        id="calls", title="全通話", columns=CALL_COLUMNS, rows=material.period.calls, listing=True,
        note="発信者の番号は下4桁のほかを伏せる。",
    )  # fmt: skip


def handover(material: Material) -> Table:
    """二次対応 (宇部 10(1), 10(3)): calls handed on, and what came of it."""
    part = part_of(material.period)
    columns = (Column(id="name", title="区分"), Column(id="calls", title="件数", kind=Kind.CALLS))
    names = (
        ("応答", "answered"),
        ("転送先が応答した電話", "transferred"),
        ("　うちすぐに転送", "transferred_blind"),
        ("　うち確認してから転送", "transferred_attended"),
        ("職員へつなごうとした電話", "handed_over"),
        ("　うち職員と話した電話", "reached"),
        ("　うち職員が出なかった電話", "not_reached"),
    )
    return drawn(
        id="handover",
        title="職員への引き継ぎ（二次対応）",
        columns=columns,
        rows=[(title, part.shown(name)) for title, name in names],
    )
