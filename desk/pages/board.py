"""The supervisor's board: who waits, who works, today's figures, alerts; and what may be done about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from acd.alerts import Acknowledgement
from acd.commands import WATCHES, Act
from core.errors import ToritsugiError
from core.ids import OperatorId
from desk.floor_now import FloorNow, SeatNow
from desk.guard import NotFound
from desk.hub import Rows
from desk.looks import flash
from desk.pages.entry import redirect
from desk.pages.hours import moment_of
from desk.pages.stream import stream
from desk.routes import Table
from desk.visit import Desk, Form, Visit, posted
from reports.behind import lost_by, offered_by
from services.access import Permission
from services.alerting import acknowledge
from services.ports import OperatorAccount

table = Table()
WATCH, ACT, CENTRE, SKILLS, TAKE = (
    Permission.FLOOR_WATCH,
    Permission.FLOOR_ACT,
    Permission.CENTRE_ACT,
    Permission.SKILLS_CHANGE,
    Permission.ALERT_TAKE,
)

DONE = {
    "pause": "離席にしました。話し中の電話は続きます。",
    "sign_out": "受付を終えました。話し中の電話は続きます。",
    "skills": "技能を改めました。次の呼び出しから効きます。",
    "call_in": "呼び込みを改めました。",
    "close": "受付を休止しました。次の電話から効きます。",
    "reopen": "通常の受付に戻しました。",
    "notice": "お知らせを始めました。次の電話から効きます。",
    "notice_over": "お知らせをやめました。",
    "ready": "受付可にしました。",
    "listen": "聴いています。あなたの電話機でどうぞ。",
    "whisper": "オペレーターだけに声が届きます。",
    "barge": "三者で話せます。",
    "take_over": "通話を引き取りました。",
    "alert": "対応中としました。くり返しの知らせは止まります。",
    "alert_before": "すでに対応している人がいます。",
}
ROWS = "<!-- rows -->"
"""Where a template leaves room for rows that are kept as drawn."""
OPERATOR = "/board/operators/{operator:[0-9]{2,6}}"
ALERT = "/board/alerts/{alert:[a-z0-9]{4,16}}"


def drawn(desk: Desk, *, wall: bool) -> Callable[[FloorNow], Any]:
    """The board's regions; on the wall nobody's number is shown."""
    rows: dict[OperatorId, tuple[SeatNow, str]] = {}
    """As last drawn: of two hundred operators one or two are other than a moment ago."""
    offered, lost = offered_by(desk.hub.rule), lost_by(desk.hub.rule)

    def row(seat: SeatNow) -> str:
        kept = rows.get(seat.operator)
        if kept is None or kept[0] != seat:
            kept = rows[seat.operator] = seat, desk.looks.part("board/seat_row.html", wall=wall, each=seat)
        return kept[1]

    def seats(now: FloorNow) -> str | Rows:
        shown = {str(seat.operator): row(seat) for seat in now.seats if not wall or seat.kind != "out"}
        whole = desk.looks.part("board/seats.html", wall=wall, known=bool(now.seats))
        before, rows_here, after = whole.partition(ROWS)
        return Rows(before, shown, after) if rows_here else whole

    async def draw(now: FloorNow) -> Mapping[str, tuple[Any, Callable[[], str | Rows]]]:
        part = desk.looks.part
        words = desk.hub.words

        def region(name: str, **values: Any) -> tuple[Any, Callable[[], str | Rows]]:
            return values, lambda: part(f"board/{name}.html", wall=wall, **values)

        states = [
            (kind, sum(seat.kind == kind for seat in now.seats))
            for kind in ("ready", "talking", "wrapup", "paused")
        ]
        today, seen = now.today.day, now.today.at
        return {
            "figures": region(
                "figures", offered=offered, lost=lost, today=today, at=seen, month=now.month.text_ja,
                rates=now.today.rates, incoming=now.today.incoming, open=now.today.open,
                longest=now.today.longest_s, waiting=len(now.waiting),
                oldest=now.waiting[0].since if now.waiting else None,
                menu=len(now.menu), callbacks=now.callbacks, states=states, labels=words,
            ),
            "waiting": region("waiting", waiting=now.waiting, menu=now.menu),
            "seats": (now.seats, lambda: seats(now)),
            "lines": region("lines", lines=now.today.lines, offered=offered, today=today, at=seen),
            "hours": region("hours", hours=now.today.hours, today=today, at=seen),
            "alerts": region("alerts", alerts=now.alerts, called_in=now.called_in),
        }  # fmt: skip

    return draw


@table.get("/board", WATCH, "状況")
async def board(visit: Visit) -> web.StreamResponse:
    return await _board(visit, wall=False)


@table.get("/board/wall", WATCH, "状況 (大きな画面)")
async def wall(visit: Visit) -> web.StreamResponse:
    return await _board(visit, wall=True)


async def _board(visit: Visit, *, wall: bool) -> web.StreamResponse:
    desk = visit.desk
    regions = await desk.hub.regions("board", drawn(desk, wall=wall))
    return desk.looks.page(
        "board/wall.html" if wall else "board/board.html", visit, regions=regions, now=desk.hub.now,
        at=desk.clock.epoch(), closure=desk.control.closure(), notice=desk.control.notice(),
        done=flash(DONE, visit.request.query.get("done", "")),
    )  # fmt: skip


@table.get("/board/live", WATCH, "状況の更新", data=True, idle=True)
async def board_live(visit: Visit) -> web.StreamResponse:
    wall = visit.request.query.get("wall") == "1"
    return await stream(visit, "wall" if wall else "board", drawn(visit.desk, wall=wall))


# ---- one operator ---------------------------------------------------------------------------------


class Pause(Form):
    reason: Annotated[str, Field(title="理由", pattern=r"^break[1-9]$")]


async def _account(visit: Visit) -> OperatorAccount:
    operator = OperatorId(visit.request.match_info["operator"])
    async with visit.desk.reading() as unit:
        account = await unit.operators.get(operator)
    if account is None:
        raise NotFound("いない番号です", where="オペレーター", cure="状況の一覧から選ぶ")
    return account


@table.get(OPERATOR, WATCH, "オペレーター")
async def operator(visit: Visit) -> web.StreamResponse:
    desk, account = visit.desk, await _account(visit)
    skills = desk.profile.acd.skill_names()
    names = {str(line.id): line.name_ja for line in desk.profile.acd.lines}
    names |= {str(skill.id): skill.name_ja for skill in desk.profile.acd.skills}
    return desk.looks.page(
        "board/operator.html", visit, account=account, seat=desk.hub.seat(account.id),
        skills=[
            (skill, names.get(skill, desk.looks.language(skill)), account.skills.get(skill, 0))
            for skill in sorted(skills)
        ],
        breaks=desk.profile.acd.pause_reasons, done=flash(DONE, visit.request.query.get("done", "")),
    )  # fmt: skip


@table.post(f"{OPERATOR}/pause", ACT, "離席にする")
async def pause(visit: Visit) -> web.StreamResponse:
    sent, account = await visit.form(Pause), await _account(visit)
    await visit.desk.control.do(Act.PAUSE, visit.me, operator=account.id, to=sent.reason)
    return redirect(f"/board/operators/{account.id}?done=pause")


@table.post(f"{OPERATOR}/sign-out", ACT, "受付を終える")
async def sign_out(visit: Visit) -> web.StreamResponse:
    account = await _account(visit)
    await visit.desk.control.do(Act.SIGN_OUT, visit.me, operator=account.id)
    return redirect(f"/board/operators/{account.id}?done=sign_out")


@table.post(f"{OPERATOR}/ready", ACT, "受付可にする")
async def ready(visit: Visit) -> web.StreamResponse:
    account = await _account(visit)
    await visit.desk.control.do(Act.READY, visit.me, operator=account.id)
    return redirect(f"/board/operators/{account.id}?done=ready")


@table.post(f"{OPERATOR}/{{watch:listen|whisper|barge|take_over}}", ACT, "通話を監督する")
async def watch(visit: Visit) -> web.StreamResponse:
    account, act = await _account(visit), Act(visit.request.match_info["watch"])
    if act not in WATCHES:
        raise NotFound("ない操作です", where="監督", cure="画面から選ぶ")
    await visit.desk.control.do(act, visit.me, operator=account.id)
    return redirect(f"/board/operators/{account.id}?done={act.value}")


@table.post(f"{OPERATOR}/skills", SKILLS, "技能を改める")
async def skills(visit: Visit) -> web.StreamResponse:
    account = await _account(visit)
    wanted: dict[str, int] = {}
    for name, value in (await posted(visit.request)).items():
        skill = name.removeprefix("skill.")
        if skill != name and isinstance(value, str) and value in ("1", "2", "3", "4", "5"):
            wanted[skill] = int(value)
    if not wanted:
        raise ToritsugiError("技能が一つもありません", where="技能", cure="一つ以上にレベルを付ける")
    await visit.desk.control.do(Act.SKILLS, visit.me, operator=account.id, skills=wanted)
    return redirect(f"/board/operators/{account.id}?done=skills")


# ---- the centre -----------------------------------------------------------------------------------


class CallIn(Form):
    group: Annotated[str, Field(title="組", max_length=32)]
    called: Annotated[str, Field(pattern="^(yes|no)$")]


class Close(Form):
    message: Annotated[str, Field(title="流す文言", max_length=64)]
    reason: Annotated[str, Field(title="理由", min_length=1, max_length=80)]
    until: Annotated[str, Field(title="再開の日時", max_length=16)] = ""


@table.get("/board/centre", (ACT, CENTRE), "受付の操作")
async def centre(visit: Visit) -> web.StreamResponse:
    desk = visit.desk
    return desk.looks.page(
        "board/centre.html", visit, closure=desk.control.closure(), groups=desk.profile.acd.guard.groups,
        by_hand=await desk.control.called_in(),
        messages=_texts(desk, desk.profile.emergency_messages),
        notices=_texts(desk, desk.profile.notices), notice=desk.control.notice(),
        done=flash(DONE, visit.request.query.get("done", "")),
    )  # fmt: skip


def _texts(desk: Desk, names: tuple[str, ...]) -> dict[str, str]:
    """Messages by name, with their words."""
    return {name: desk.profile.prompts.texts["ja"][name] for name in names}


@table.post("/board/call-in", ACT, "応援の組を呼び込む")
async def call_in(visit: Visit) -> web.StreamResponse:
    sent = await visit.form(CallIn)
    await visit.desk.control.call_in(sent.group, sent.called == "yes", visit.me)
    return redirect("/board/centre?done=call_in")


@table.post("/board/close", CENTRE, "受付を休止する")
async def close(visit: Visit) -> web.StreamResponse:
    sent = await visit.form(Close)
    await visit.desk.control.do(
        Act.CLOSE, visit.me, to=sent.message, reason=sent.reason, until=_moment(sent.until)
    )
    return redirect("/board/centre?done=close")


def _moment(text: str) -> str:
    """What a date field sends, as a moment of Japan; empty for none. Raises ToritsugiError."""
    return moment_of(text).isoformat(timespec="minutes") if text else ""


@table.post("/board/reopen", CENTRE, "受付を再開する")
async def reopen(visit: Visit) -> web.StreamResponse:
    await visit.desk.control.do(Act.REOPEN, visit.me)
    return redirect("/board/centre?done=reopen")


@table.post("/board/notice", CENTRE, "すべての方にお知らせを流す")
async def notice(visit: Visit) -> web.StreamResponse:
    sent = await visit.form(Close)
    await visit.desk.control.do(
        Act.NOTICE, visit.me, to=sent.message, reason=sent.reason, until=_moment(sent.until)
    )
    return redirect("/board/centre?done=notice")


@table.post("/board/notice-over", CENTRE, "お知らせをやめる")
async def notice_over(visit: Visit) -> web.StreamResponse:
    await visit.desk.control.do(Act.NOTICE_OVER, visit.me)
    return redirect("/board/centre?done=notice_over")


# ---- alerts ---------------------------------------------------------------------------------------


class Take(Form):
    note: Annotated[str, Field(title="書き添えること", max_length=500)] = ""


@table.get(ALERT, WATCH, "警報")
async def alert(visit: Visit) -> web.StreamResponse:
    identity = visit.request.match_info["alert"]
    found = next((each for each in visit.desk.hub.now.alerts if each.id == identity), None)
    if found is None:
        raise NotFound("続いている警報の中にありません", where="警報", cure="状況の画面に戻る")
    return visit.desk.looks.page("board/alert.html", visit, alert=found)


@table.post(ALERT, TAKE, "警報に対応する")
async def take_alert(visit: Visit) -> web.StreamResponse:
    sent = await visit.form(Take)
    done = await taken(visit, visit.request.match_info["alert"], sent.note)
    return redirect(f"/board?done={'alert' if done else 'alert_before'}")


async def taken(visit: Visit, identity: str, note: str) -> bool:
    """Acknowledge an open alert; False when somebody has before.

    Raises:
        NotFound: it is not open.
    """
    given = Acknowledgement(at=visit.desk.clock.epoch(), by=visit.me.display, note=note)
    found = await acknowledge(visit.desk.uow, identity, given)
    mine = [each for each in found if each.id == identity]
    if not mine:
        raise NotFound("続いている警報の中にありません", where="警報", cure="状況の画面に戻る")
    async with visit.desk.reading() as unit:
        stored = (await unit.alerts.acknowledged([identity])).get(identity)
    await visit.note("alert.take", identity)
    return stored == given
