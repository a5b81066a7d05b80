"""From calls to a better knowledge base: suggestions for a call, gaps, what an entry changed, and who is to be called
back because they were told something wrong.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.errors import ToritsugiError
from core.ids import CallId
from faq_kb.gaps import Gap, Unanswered, gaps
from faq_kb.index import Index
from faq_kb.search import Searcher
from faq_kb.suggestion import ANSWERED, suggest
from faq_kb.usage import Effect, effect
from interactions.case import Case
from interactions.ticket import Ticket, TicketKind, TicketState, TicketStep
from services.faq_ports import UseEntry, UseKind
from services.faq_search import FaqSearch
from services.ports import Transcript, UnitOfWork

CITIZEN = "citizen"
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Talked:
    """A call with what was said in it, in order of time."""

    call: CallId
    at: float
    citizen: tuple[str, ...]
    operator: tuple[str, ...]
    case_id: str = ""


async def talked_calls(unit: UnitOfWork, since: float, until: float) -> AsyncIterator[Talked]:
    """The calls of cases opened in `[since, until)` that have a transcript."""
    async for page in unit.cases.stream(since, until):
        for case in page:
            for summary in case.calls:
                texts = await unit.transcripts.of_call(summary.call_id)
                talked = said_in(summary.call_id, summary.started_at, texts)
                if talked.citizen:
                    yield replace(talked, case_id=case.case_id)


def said_in(call: CallId, at: float, transcripts: Iterable[Transcript]) -> Talked:
    """What the transcripts of a call hold, by side."""
    sides: dict[bool, list[Mapping[str, Any]]] = {True: [], False: []}
    for transcript in transcripts:
        sides[transcript.side == CITIZEN] += transcript.segments
    texts = {
        side: tuple(str(part["text"]) for part in sorted(parts, key=lambda part: float(part["start_s"])))
        for side, parts in sides.items()
    }
    return Talked(call=call, at=at, citizen=texts[True], operator=texts[False])


async def found_gaps(
    unit: UnitOfWork,
    search: FaqSearch,
    since: float,
    until: float,
    *,
    least: int = 2,
    tell: Callable[[int], None] = lambda _: None,
) -> tuple[list[Gap], int, int]:
    """What calls of a period asked in vain; with how many calls were looked at and how many found nothing.

    A call in which an entry was told is answered, whatever the suggestions say.
    """
    told = {use.case_id for use in await unit.faq.uses(since, until) if use.kind is UseKind.USED}
    looked = 0
    unanswered = []
    async for talked in talked_calls(unit, since, until):
        looked += 1
        if looked % 200 == 0:
            tell(looked)
        if talked.case_id in told:
            continue
        entries = await search.suggest(unit, talked.citizen, now=talked.at)
        if not entries or entries[0].confidence < ANSWERED:
            unanswered.append(
                Unanswered(call=talked.call, at=talked.at, asked=talked.citizen, told=talked.operator)
            )
    found = await search.alone(
        unit,
        lambda searcher, index: gaps(
            unanswered,
            searcher.analyser,
            searcher.vectors,
            least,
            weigh=index.weigh,
            weigh_sound=index.weigh_sound,
        ),
    )
    return found, looked, len(unanswered)


async def effect_of(
    unit: UnitOfWork, searcher: Searcher, index: Index, article_id: str, at: float, days: int, now: float
) -> Effect:
    """Whether calls that an entry answers became rarer after the moment `at` at which it came into force.

    The periods before and after are equally long, at most `days`; both are judged by the index of today.
    """
    length = min(days * _DAY_S, max(now - at, 0.0))
    counts = []
    hearing = searcher.hearing()
    for since in (at - length, at):
        about = every = 0
        async for talked in talked_calls(unit, since, since + length):
            every += 1
            # As of today, or an entry that begins on that day would answer none of the calls before.
            found = suggest(hearing, index, talked.citizen)
            about += any(each.article_id == article_id and each.confidence >= ANSWERED for each in found)
        counts += [about, every]
    return effect(*counts)


# ---- wrong guidance -------------------------------------------------------------------------------


def recall_id(article_id: str, version: int, case_id: str) -> str:
    """The id of the task for one case: the same case is called back once for one version."""
    return f"r-{article_id}-{version}-{case_id.removeprefix('i-')}"[:96]


def recall_tickets(
    uses: Sequence[UseEntry],
    cases: Mapping[str, Case],
    *,
    article_id: str,
    question: str,
    old: int,
    note: str,
    now: float,
    due_at: float,
    by: str,
    department: str = "",
) -> list[Ticket]:
    """A call-back task for everyone who was told the version `old`; who only had it on the screen gets a proposal.

    Args:
        uses: who was shown or told which version.
        cases: those cases as far as they are there; without one nobody can be called back by number.
        note: what was wrong.
    """
    told: dict[str, UseKind] = {}
    for use in uses:
        if use.version == old and told.get(use.case_id) is not UseKind.USED:
            told[use.case_id] = use.kind
    tickets = []
    for case_id, kind in told.items():
        case = cases.get(case_id)
        call = case.calls[-1] if case and case.calls else None
        certain = kind is UseKind.USED
        state = TicketState.OPEN if certain else TicketState.PROPOSED
        words = "案内しました" if certain else "画面に出ていました（案内したかを確かめる）"
        tickets.append(
            Ticket(
                ticket_id=recall_id(article_id, old, case_id),
                kind=TicketKind.CALL_BACK,
                opened_at=now,
                due_at=due_at,
                content=f"誤案内の訂正（応対 {case_id}）: 「{question}」の版{old}を{words}。訂正の内容: {note}",
                department=department,
                number=(call.caller or "") if call else "",
                call=call.call_id if call else None,
                state=state,
                steps=(TicketStep(at=now, by=by, state=state, note="FAQ の訂正"),),
            )
        )
    return tickets


async def recall(
    unit: UnitOfWork,
    article_id: str,
    old: int,
    *,
    question: str,
    note: str,
    now: float,
    due_at: float,
    by: str,
    department: str = "",
) -> list[Ticket]:
    """Open the tasks for one wrong version; those that are there already stay as they are. Returns the new ones."""
    uses = await unit.faq.uses(0.0, now + 1.0, article_id, old)
    cases = await unit.cases.many(sorted({use.case_id for use in uses}))
    tickets = recall_tickets(
        uses, {case.case_id: case for case in cases}, article_id=article_id, question=question, old=old, note=note,
        now=now, due_at=due_at, by=by, department=department,
    )  # fmt: skip
    return [ticket for ticket in tickets if await unit.tickets.add(ticket)]


async def recall_correction(
    unit: UnitOfWork,
    article_id: str,
    old: int,
    *,
    note: str,
    now: float,
    due_at: float,
    by: str,
    departments: Collection[str],
) -> list[Ticket]:
    """Open the tasks for a version that was wrong, for the department that answers for it if a request may go there.

    Raises:
        ToritsugiError: there is no such version.
    """
    version = await unit.faq.version(article_id, old)
    if version is None:
        raise ToritsugiError(f"ない版です: {old}", where=article_id, cure="toritsugi faq history で確かめる")
    department = version.content.department if version.content.department in departments else ""
    return await recall(
        unit, article_id, old, question=version.content.question, note=note or "（訂正の内容を確かめる）",
        now=now, due_at=due_at, by=by, department=department,
    )  # fmt: skip
