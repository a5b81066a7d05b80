"""An alert as a supervisor reads it: what, who, since when, what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from acd.alerts import Alert, AlertChange, AlertKind, ChangeKind

CityTimeOf = Callable[[float], datetime]

_TITLES = {
    AlertKind.ANSWER_RATE: "応答率が目標を下回っています",
    AlertKind.WAIT_LIMIT: "待ち時間が上限を超えました",
    AlertKind.WAIT_RISK: "待ち時間が上限を超えそうです",
    AlertKind.WAITING: "お待ちの人数が多くなっています",
    AlertKind.LONG_CALL: "通話が長くなっています",
    AlertKind.LONG_HOLD: "保留が長くなっています",
    AlertKind.MISSED_OFFERS: "呼び出しに出ない人がいます",
    AlertKind.NOBODY: "電話を受けられる人がいません",
    AlertKind.ENGINE: "システムの一部が止まりました",
    AlertKind.ENGINE_SILENT: "中枢が動いていません",
    AlertKind.TRUNK: "電話回線に問題があります",
    AlertKind.GUARD: "待ち時間のために手を打ちました",
    AlertKind.HELP: "オペレーターが応援を求めています",
    AlertKind.REPEAT: "同じ番号から何度も電話があります",
    AlertKind.TICKET: "市への依頼で、急ぐものがあります",
    AlertKind.REPORT_DUE: "市に出す報告の期限です",
    AlertKind.CALLBACK: "折り返しの電話がつながりませんでした",
    AlertKind.SIGN_IN: "画面のサインインで、間違いが続いています",
}

_TO_DO = {
    AlertKind.ANSWER_RATE: "受ける人を増やせるか、休憩をずらせるかを確かめてください。",
    AlertKind.WAIT_LIMIT: "離席中の人を戻す、責任者が電話に入るなどして、受ける人をすぐに増やしてください。",
    AlertKind.WAIT_RISK: "離席中の人に戻れるかを聞き、応援の用意をしてください。",
    AlertKind.WAITING: "離席中の人を戻し、空いている席をすべて使ってください。",
    AlertKind.LONG_CALL: "手助けがいるかを本人に確かめてください。",
    AlertKind.LONG_HOLD: "調べ物に手間取っていないかを確かめ、長引くなら折り返しにしてください。",
    AlertKind.MISSED_OFFERS: "席にいるか、電話機に異常がないかを確かめ、戻ったら *13 を押してもらってください。",
    AlertKind.NOBODY: "担当の人に、サインイン（*11）または離席の終了（*13）を頼んでください。",
    AlertKind.ENGINE: "くり返すときは、システムの担当者に知らせてください（toritsugi status と記録を見る）。",
    AlertKind.ENGINE_SILENT: "すぐにシステムの担当者に知らせてください（toritsugi status と記録を見る）。",
    AlertKind.TRUNK: "市の番号に電話をかけて確かめ、つながらなければ電話会社に連絡してください。",
    AlertKind.GUARD: "足りるかを見ていてください。足りなければ、受ける人をさらに増やしてください。",
    AlertKind.HELP: "*31 とその人の番号で聴き、*32 で助言、*33 で会話に加わり、*34 で代わることができます。",
    AlertKind.REPEAT: "困っている方か、嫌がらせかを記録で確かめ、要れば監督者が代わってください（*34）。",
    AlertKind.TICKET: "内容を見て（toritsugi tickets list）、担当を決めるか、担当者に確かめてください。",
    AlertKind.REPORT_DUE: "報告を作って確かめ、市に出したら toritsugi report-file deliver で記録してください。",
    AlertKind.CALLBACK: "記録を見て、手でかけ直すかを決めてください。",
    AlertKind.SIGN_IN: "覚え違いかを本人に確かめ、違えばシステムの担当者に知らせてください（操作の記録を見る）。",
}

_OVER = {
    AlertKind.ANSWER_RATE: "応答率が目標に戻りました。",
    AlertKind.WAIT_LIMIT: "上限を超えてお待ちの方はいなくなりました。",
    AlertKind.WAIT_RISK: "上限を超えそうな方はいなくなりました。",
    AlertKind.WAITING: "お待ちの人数は目安の中に戻りました。",
    AlertKind.LONG_CALL: "その通話は終わりました。",
    AlertKind.LONG_HOLD: "保留は終わりました。",
    AlertKind.MISSED_OFFERS: "呼び出しに出るようになりました。",
    AlertKind.NOBODY: "電話を受けられる人が戻りました。",
    AlertKind.ENGINE: "その後は落ち着いています。",
    AlertKind.ENGINE_SILENT: "中枢が動き始めました。",
    AlertKind.TRUNK: "電話回線は元に戻りました。",
    AlertKind.GUARD: "落ち着きました。",
    AlertKind.HELP: "この知らせを終えます。",
    AlertKind.REPEAT: "この知らせを終えます。",
    AlertKind.TICKET: "その依頼は片付きました。",
    AlertKind.REPORT_DUE: "その報告は提出済みになったか、催促を終えました。",
    AlertKind.CALLBACK: "この知らせを終えます。",
    AlertKind.SIGN_IN: "この知らせを終えます。",
}

_GONE = {
    AlertKind.ANSWER_RATE: "その期間が終わりました。",
    AlertKind.MISSED_OFFERS: "その人はサインアウトしました。",
    AlertKind.NOBODY: "電話を受けられる人が戻ったか、受付時間が終わりました。",
}
"""Where an alert can end without being mended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertWords:
    """A notice for people."""

    title: str
    lines: tuple[str, ...]


def title_of(alert: Alert) -> str:
    """What is wrong, in half a line."""
    return f"{_TITLES[alert.kind]}：{alert.label}" if alert.label else _TITLES[alert.kind]


def words_for(change: AlertChange, time_of: CityTimeOf) -> AlertWords:
    """The notice of a change.

    Args:
        time_of: the city's wall clock at a moment.
    """
    alert = change.alert
    since = _when(alert.since, alert.raised_at, time_of)
    if change.what is ChangeKind.CLEARED:
        gone = change.reading is None and alert.kind in _GONE
        lasted = max(0, int((alert.cleared_at or alert.raised_at) - alert.since))
        return AlertWords(
            title=f"【解消】{title_of(alert)}",
            lines=(
                f"状況：{_GONE[alert.kind] if gone else _OVER[alert.kind]}",
                f"期間：{since}から{_length(lasted)}",
            ),
        )
    lines = [f"状況：{alert.text}", f"いつから：{since}", f"すること：{_TO_DO[alert.kind]}"]
    if alert.acknowledged is None:
        lines.append(
            f"対応する人が決まったら：toritsugi alerts ack {alert.id} --by 名前（くり返しの知らせが止まります）"
        )
    if change.last_today:
        lines.append(
            "この種の知らせが多いため、本日はこれで最後にします。続きは toritsugi alerts list で見られます。"
        )
    head = "警報" if change.what is ChangeKind.RAISED or alert.notified == 1 else "継続中"
    return AlertWords(title=f"【{head}】{title_of(alert)}", lines=tuple(lines))


def _when(moment: float, raised_at: float, time_of: CityTimeOf) -> str:
    local, raised = time_of(moment), time_of(raised_at)
    day = "" if local.date() == raised.date() else f"{local.month}月{local.day}日 "
    return f"{day}{local:%H:%M:%S}"


def _length(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds}秒"
    return f"{seconds // 60}分" if seconds < 3600 else f"{seconds // 3600}時間{seconds % 3600 // 60}分"
