"""The operator's desk: one's state, the call, the caller's earlier cases, the case form, one's own figures."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from acd.commands import Act
from core.errors import ToritsugiError
from core.ids import CallId, OperatorId
from desk.guard import NotFound, Refused
from desk.looks import flash
from desk.own_screen import categories_of, drawn
from desk.pages.entry import redirect
from desk.pages.stream import stream
from desk.routes import Table
from desk.visit import MOST_NUMBER, Desk, Form, Visit, checked, posted
from interactions.access import NotAllowed, Person
from interactions.case import Case, CaseStatus, case_id_of
from interactions.case_edit import LONGEST_TEXT, CaseConflict, Change
from ledger.calls import Call
from services.access import Permission
from services.case_ports import CaseDraft

log = logging.getLogger(__name__)

table = Table()
OWN, WRITE = Permission.SEAT_OWN, Permission.CASE_WRITE
CALL = "{call:c-[A-Za-z0-9.-]{3,90}}"
WRITE_EVERY_S = 1.0
FIRST_VERSION = 1

DONE = {
    "pause": "離席にしました。話し中なら、通話と後処理のあとで離席になります。",
    "sign_out": "受付を終えました。話し中なら、通話のあとで終わります。",
    "ready": "受付可にしました。",
    "help": "応援を呼びました。",
    "call": "操作しました。通話の様子は画面のとおりです。",
    "case": "応対履歴に記録しました。",
    "case_later": "通話が台帳に載りしだい、応対履歴に記録します。",
}


class CaseFields(BaseModel):
    """What an operator writes of a call."""

    model_config = ConfigDict(frozen=True)

    category: Annotated[str, Field(title="用件の分類", max_length=64)] = ""
    question: Annotated[str, Field(title="問い合わせの内容", max_length=LONGEST_TEXT)] = ""
    answer: Annotated[str, Field(title="案内した内容", max_length=LONGEST_TEXT)] = ""
    status: Annotated[CaseStatus, Field(title="結果")] = CaseStatus.DONE
    complaint: Annotated[bool, Field(title="苦情")] = False
    mistaken_guidance: Annotated[bool, Field(title="誤案内")] = False
    department: Annotated[str, Field(title="担当課", max_length=8)] = ""


class Draft(Form):
    """A draft as the page sends it while somebody types."""

    fields: CaseFields
    base: Annotated[int, Field(ge=0, le=MOST_NUMBER)] = 0
    """Version of the case that the page showed; 0 while there was none."""
    revision: Annotated[int, Field(ge=1, le=2**53)]
    """The page's clock in milliseconds."""
    final: bool = False
    """Put it into the case."""


class Base(Form):
    base: Annotated[int, Field(ge=0, le=MOST_NUMBER)] = 0


class DraftStored(BaseModel):
    """What became of a draft."""

    stored: bool
    """Whether it replaced what was there; an older one does not."""
    revision: int
    """Of what is stored now; 0 when the case has it."""
    written: bool
    """Whether the case has it."""


def mine(visit: Visit) -> OperatorId:
    """The number of one's own telephone. Raises Refused without one."""
    if visit.me.operator is None:
        raise Refused(
            "電話の番号が決まっていません", where=visit.me.display, cure="管理者に番号を登録してもらう"
        )
    return visit.me.operator


def took_part(call: Call, operator: OperatorId) -> bool:
    """Whether this operator talked in the call, or called the citizen back."""
    tries = call.callback.tries if call.callback else ()
    return operator in call.operators or any(each.operator == operator for each in tries)


# ---- the screen -----------------------------------------------------------------------------------


@table.get("/desk", OWN, "受付")
async def seat_page(visit: Visit) -> web.StreamResponse:
    desk, operator = visit.desk, mine(visit)
    regions = await desk.hub.regions("seat", drawn(desk, visit.me, operator, once=True))
    asked = visit.request.query.get("call", "")
    seat = desk.hub.seat(operator)
    shown = CallId(asked) if asked else seat.call.call if seat and seat.call else None
    form = await _form(visit, shown) if shown else ""
    return desk.looks.page(
        "seat/seat.html", visit, regions=regions, now=desk.hub.now, at=desk.clock.epoch(), form=form,
        closure=desk.control.closure(), notice=desk.control.notice(),
        breaks=desk.profile.acd.pause_reasons, fixed=bool(asked),
        done=flash(DONE, visit.request.query.get("done", "")),
    )  # fmt: skip


@table.get("/desk/live", OWN, "受付の更新", data=True, idle=True)
async def seat_live(visit: Visit) -> web.StreamResponse:
    operator = mine(visit)
    return await stream(visit, f"seat:{operator}:{visit.me.name}", drawn(visit.desk, visit.me, operator))


# ---- one's own state ------------------------------------------------------------------------------


class Away(Form):
    reason: Annotated[str, Field(title="理由", pattern=r"^break[1-9]$")]


@table.post("/desk/pause", OWN, "離席する")
async def pause(visit: Visit) -> web.StreamResponse:
    sent = await visit.form(Away)
    await visit.desk.control.do(Act.PAUSE, visit.me, operator=mine(visit), to=sent.reason)
    return redirect("/desk?done=pause")


@table.post("/desk/ready", OWN, "受付可にする")
async def ready(visit: Visit) -> web.StreamResponse:
    await visit.desk.control.do(Act.READY, visit.me, operator=mine(visit))
    return redirect("/desk?done=ready")


@table.post("/desk/help", OWN, "応援を呼ぶ")
async def ask_help(visit: Visit) -> web.StreamResponse:
    await visit.desk.control.do(Act.HELP, visit.me, operator=mine(visit))
    return redirect("/desk?done=help")


@table.post("/desk/leave", OWN, "受付を終える")
async def leave(visit: Visit) -> web.StreamResponse:
    await visit.desk.control.do(Act.SIGN_OUT, visit.me, operator=mine(visit))
    return redirect("/desk?done=sign_out")


# ---- the case -------------------------------------------------------------------------------------


async def own_call(visit: Visit, call: CallId) -> Call:
    """A call of one's own.

    Raises:
        NotFound: there is none, or it is another's.
    """
    found = visit.desk.hub.call(call)
    if found is None:
        async with visit.desk.reading() as unit:
            found = (await unit.calls.get([call])).get(call)
    operator = mine(visit)
    seat = visit.desk.hub.seat(operator)
    # The engine names the call that somebody has just taken a moment before the ledger has the talk.
    in_hand = seat is not None and seat.call is not None and seat.call.call == call
    if found is None or not (in_hand or took_part(found, operator)):
        raise NotFound("あなたが受けた通話ではありません", where="通話", cure="受付の画面に戻る")
    return found


async def _form(visit: Visit, call: CallId) -> str:
    found = await own_call(visit, call)
    async with visit.desk.reading() as unit:
        case = await unit.cases.of_call(call)
        drafts = await unit.cases.drafts(_case_id(case, call))
    draft = next((each for each in drafts if each.person == visit.me.name), None)
    category = visit.desk.profile.interactions.category_of(found.line or "")
    fields = CaseFields(category=category.id if category else "")
    if case is not None:
        fields = CaseFields(
            category=case.category or fields.category,
            question=case.question,
            answer=case.answer,
            status=CaseStatus.DONE if case.unwritten else case.status,
            complaint=case.complaint,
            mistaken_guidance=case.mistaken_guidance,
            department=case.department,
        )
    if draft is not None:
        fields = _fields(draft)
    return visit.desk.looks.part(
        "seat/form.html",
        call=found,
        line=visit.desk.hub.words.line(found.line),
        fields=fields,
        revision=int(draft.content.get("revision", 0)) if draft else 0,
        base=draft.base_version if draft else case.version if case else 0,
        written=case is not None and not case.unwritten and draft is None,
        waits=draft is not None and draft.content.get("final") is True,
        csrf=visit.session.csrf if visit.session else "",
        categories=categories_of(visit.desk),
        statuses=list(CaseStatus),
        directory=visit.desk.profile.acd.directory,
        may_ticket=visit.may(Permission.TICKET_OPEN),
    )


def _case_id(case: Case | None, call: CallId) -> str:
    return case.case_id if case is not None else case_id_of(call)


def _fields(draft: CaseDraft) -> CaseFields:
    """What a draft holds; whatever it lacks is as at the beginning."""
    return checked(
        CaseFields, {name: draft.content[name] for name in CaseFields.model_fields if name in draft.content}
    )


@table.get(f"/desk/calls/{CALL}/form", WRITE, "応対履歴の用紙", idle=True)
async def form(visit: Visit) -> web.StreamResponse:
    text = await _form(visit, CallId(visit.request.match_info["call"]))
    return web.Response(text=text, content_type="text/html", charset="utf-8")


@table.put(f"/desk/calls/{CALL}/draft", WRITE, "応対履歴の下書き", data=True, body=Draft, answer=DraftStored)
async def put_draft(visit: Visit) -> web.StreamResponse:
    call = CallId(visit.request.match_info["call"])
    return web.json_response((await kept(visit, call, await visit.body(Draft))).model_dump())


async def kept(visit: Visit, call: CallId, sent: Draft) -> DraftStored:
    """Store what somebody has typed, and put it into the case when they say so.

    Raises:
        ToritsugiError: it is to go into the case and something is missing.
    """
    await own_call(visit, call)
    if sent.final:
        require_whole(visit.desk, sent.fields)
    desk, me = visit.desk, visit.me.name
    async with desk.uow() as unit:
        case = await unit.cases.of_call(call)
        case_id = _case_id(case, call)
        before = next((each for each in await unit.cases.drafts(case_id) if each.person == me), None)
        last = int(before.content.get("revision", 0)) if before else 0
        stored = sent.revision > last
        draft = CaseDraft(
            case_id=case_id,
            person=me,
            base_version=sent.base,
            saved_at=desk.clock.epoch(),
            content=sent.fields.model_dump(mode="json") | {"revision": sent.revision, "final": sent.final},
        )
        if stored:
            await unit.cases.put_draft(draft)
    desk.hub.stamps[me] += 1
    if stored and sent.final and case is not None:
        await _write(desk, visit.person, draft)
        return DraftStored(stored=True, revision=0, written=True)
    return DraftStored(stored=stored, revision=max(last, sent.revision), written=False)


def require_whole(desk: Desk, fields: CaseFields) -> None:
    """What a case needs before it is put away. Raises ToritsugiError."""
    known = {entry.extension for entry in desk.profile.acd.directory}
    if fields.department and fields.department not in known:
        raise ToritsugiError("転送先一覧にない内線です", where="担当課", cure="一覧から選ぶ")
    missing = [
        name
        for name, value in (
            ("用件の分類", fields.category if fields.category in categories_of(desk) else ""),
            ("問い合わせの内容", fields.question.strip()),
            ("案内した内容", fields.answer.strip() or fields.status is not CaseStatus.DONE),
        )
        if not value
    ]
    if missing:
        raise ToritsugiError(
            "書かれていません", where="、".join(missing), cure="書いてから、もう一度記録する"
        )


@table.post(f"/desk/calls/{CALL}/case", WRITE, "応対履歴に記録する")
async def write_now(visit: Visit) -> web.StreamResponse:
    """The same for a browser without scripts."""
    call = CallId(visit.request.match_info["call"])
    sent = await posted(visit.request)
    fields = checked(CaseFields, {name: sent[name] for name in CaseFields.model_fields if name in sent})
    now = int(visit.desk.clock.epoch() * 1000)
    base = checked(Base, {"base": sent.get("base", 0)}).base
    done = await kept(visit, call, Draft(fields=fields, base=base, revision=now, final=True))
    return redirect(f"/desk?done={'case' if done.written else 'case_later'}")


async def _write(desk: Desk, person: Person, draft: CaseDraft) -> None:
    """Put a draft into its case, which drops the draft.

    Raises:
        CaseConflict: somebody else has saved the case meanwhile; the draft stays, to be looked at again.
        NotAllowed: the case is not theirs to write (any more); the draft stays as well.
    """
    fields = _fields(draft)
    change = Change(
        status=fields.status,
        category=fields.category,
        question=fields.question.strip(),
        answer=fields.answer.strip(),
        complaint=fields.complaint,
        mistaken_guidance=fields.mistaken_guidance,
        department=fields.department,
    )
    try:
        # A draft from before the case stands on the case as it was opened.
        await desk.cases.edit(person, draft.case_id, change, expected=draft.base_version or FIRST_VERSION)
    except (CaseConflict, NotAllowed):
        # Trying again would end the same way.
        async with desk.uow() as unit:
            await unit.cases.put_draft(replace(draft, content={**draft.content, "final": False}))
        raise
    finally:
        desk.hub.stamps[draft.person] += 1


async def write_cases(desk: Desk) -> None:
    """For ever: put finished drafts into the cases of calls that have ended meanwhile."""
    while True:
        try:
            await write_finished(desk)
        except Exception:
            log.exception("finished drafts could not be put into their cases; tried again")
        await asyncio.sleep(WRITE_EVERY_S)


async def write_finished(desk: Desk) -> None:
    """Put each finished draft into its case, if there is one by now."""
    ready_ones = []
    async with desk.reading() as unit:
        for draft in await unit.cases.every_draft():
            if draft.content.get("final") and await unit.cases.get(draft.case_id) is not None:
                ready_ones.append((draft, await unit.users.get(draft.person)))
    for draft, user in ready_ones:
        if user is None:
            continue
        person = Person(name=user.name, role=user.role, operator=user.operator, department=user.department)
        try:
            await _write(desk, person, draft)
        except ToritsugiError as problem:
            log.warning("a finished draft of %s stays a draft: %s", draft.case_id, problem.code)
        except Exception:
            # One that cannot be written must not keep the others from it.
            log.exception("a finished draft of %s could not be put into its case", draft.case_id)
