"""The `cases` commands: interaction records at a terminal."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from core.clock import TOKYO
from core.errors import ToritsugiError
from core.ids import CallId, OperatorId
from interactions.access import Action, Person, Role, allowed
from interactions.case import CaseStatus
from interactions.case_edit import Change
from interactions.record import case_record
from interactions.search import CaseQuery, Facet, FacetCounts
from interactions.search_words import SynonymGroups
from runtime.instance import Instance
from runtime.records import ALWAYS, Records, deadline
from services.case_desk import CaseDesk
from services.case_events import CaseEvents
from services.case_exchange import CaseExchange
from speech.dictionary import synonyms


def person_of(role: str, name: str, operator: str, department: str) -> Person:
    """Who asks at this terminal.

    Raises:
        ToritsugiError: no such role, or one that lacks its operator or department.
    """
    roles = {each.value: each for each in Role}
    if role not in roles:
        raise ToritsugiError(f"ない役割です: {role}", where="--role", cure=f"次のどれか: {', '.join(roles)}")
    if roles[role] is Role.CITY_STAFF and not department:
        raise ToritsugiError("どの課かがありません", where="--department", cure="転送先一覧の内線を書く")
    return Person(
        name=name or os.environ.get("SUDO_USER") or getpass.getuser(),
        role=roles[role],
        operator=OperatorId(operator) if operator else None,
        department=department,
    )


@asynccontextmanager
async def _opened(city: str | None) -> AsyncIterator[Instance]:
    """The instance, with everything that is on disk taken in."""
    instance = Instance.open(city=city)
    await instance.database.migrate()
    try:
        await Records(instance.settings, instance.profile, instance.database, instance.clock).take_in()
        yield instance
    finally:
        await instance.database.close()


def case_desk(instance: Instance) -> CaseDesk:
    """The use cases of this instance."""
    profile = instance.profile
    return CaseDesk(
        instance.database.uow,
        instance.clock,
        due_of=lambda moment: deadline(profile.hours, instance.clock, moment),
        categories=[each.id for each in profile.interactions.categories],
        departments=[entry.extension for entry in profile.acd.directory],
        events=CaseEvents(profile.interactions.webhooks, profile.city.id),
        synonyms=SynonymGroups.of([*profile.interactions.synonyms, *synonyms(profile.speech.dictionary)]),
    )


def case_exchange(instance: Instance) -> CaseExchange:
    """Export and import of this instance."""
    profile = instance.profile
    return CaseExchange(
        instance.database.uow,
        instance.database.reading,
        instance.clock,
        categories=[each.id for each in profile.interactions.categories],
        events=CaseEvents(profile.interactions.webhooks, profile.city.id),
    )


def moments(since: date | None, until: date | None) -> tuple[float, float]:
    """A period of days as moments, the last day left out."""

    def midnight(day: date) -> float:
        return datetime(day.year, day.month, day.day, tzinfo=TOKYO).timestamp()

    return midnight(since) if since else ALWAYS[0], midnight(until) if until else ALWAYS[1]


async def list_cases(city: str | None, person: Person, day: date) -> list[dict[str, Any]]:
    """The cases of a day that the person may view, oldest first, without their threads."""
    since, until = moments(day, day + timedelta(days=1))
    found: list[dict[str, Any]] = []
    async with _opened(city) as instance:
        query = CaseQuery(since=since, until=until, limit=500)
        while True:
            page = await case_desk(instance).search(person, query, counts=False)
            found += [case_record(case, numbers=False) for case in page.cases]
            if page.after is None:
                return found[::-1]
            query = CaseQuery(since=since, until=until, limit=500, after=page.after)


async def show_case(
    city: str | None, person: Person, case_id: str, *, numbers: bool, history: bool
) -> dict[str, Any]:
    """One case with its thread; with its numbers and saved versions when they are asked for."""
    async with _opened(city) as instance:
        desk = case_desk(instance)
        view = await desk.view(person, case_id)
        if numbers:
            await desk.numbers(person, case_id)
        record = case_record(view.case, view.notes, view.faqs, numbers=numbers)
        record["joined"] = list(view.joined)
        async with instance.database.reading() as unit:
            insights = await unit.insights.of_calls([call.call_id for call in view.case.calls])
        record["understood"] = {
            call: {"method": insight.method, **insight.record} for call, insight in insights.items()
        }
        record["may"] = sorted(action.value for action in view.may)
        if view.draft is not None:
            record["draft"] = {"saved_at": view.draft.saved_at, "base_version": view.draft.base_version}
        if history:
            record["versions"] = [
                {"version": each.version, "at": each.at, "by": each.by, "record": dict(each.record)}
                for each in await desk.history(person, case_id)
            ]
            if not allowed(person, Action.SEE_NUMBER, view.case) or not numbers:
                _hide_words(record["versions"])
        return record


def _hide_words(versions: list[dict[str, Any]]) -> None:
    from core.masking import mask_text

    for each in versions:
        for name in ("question", "answer"):
            each["record"][name] = mask_text(each["record"][name])


def change_of(
    *,
    status: str,
    category: str | None,
    tags: Sequence[str] | None,
    question: str | None,
    answer: str | None,
    complaint: bool | None,
    mistaken_guidance: bool | None,
    confidential: bool | None,
    satisfaction: int | None,
    department: str | None,
) -> Change:
    """A change from what was typed.

    Raises:
        ToritsugiError: no such status.
    """
    known = {each.value: each for each in CaseStatus}
    if status and status not in known:
        raise ToritsugiError(
            f"ない状況です: {status}", where="--status", cure=f"次のどれか: {', '.join(known)}"
        )
    return Change(
        status=known.get(status),
        category=category,
        tags=tuple(tags) if tags is not None else None,
        question=question,
        answer=answer,
        complaint=complaint,
        mistaken_guidance=mistaken_guidance,
        confidential=confidential,
        satisfaction=satisfaction,
        department=department,
    )


async def edit_case(
    city: str | None, person: Person, case_id: str, change: Change, version: int, say: Callable[[str], None]
) -> None:
    """Save a change that was made on `version`."""
    async with _opened(city) as instance:
        after = await case_desk(instance).edit(person, case_id, change, expected=version)
    say(f"{case_id} は版 {after.version} です（{after.status.label_ja}）。")


async def note_case(city: str | None, person: Person, case_id: str, text: str) -> str:
    """A remark in the thread; its id."""
    async with _opened(city) as instance:
        return (await case_desk(instance).note(person, case_id, text)).note_id


async def join_cases(
    city: str | None, person: Person, target: str, source: str, say: Callable[[str], None]
) -> None:
    """Give one case's calls to another."""
    async with _opened(city) as instance:
        case = await case_desk(instance).join(person, target, source)
    say(f"{source} を {target} にまとめました（通話 {len(case.calls)} 件）。")


async def split_case(city: str | None, person: Person, case_id: str, calls: Sequence[str]) -> str:
    """Give calls of a case a case of their own; its id."""
    async with _opened(city) as instance:
        _stay, new = await case_desk(instance).split(person, case_id, [CallId(call) for call in calls])
    return new.case_id


async def search_cases(city: str | None, person: Person, query: CaseQuery) -> dict[str, Any]:
    """A page of hits with the counts of all."""
    async with _opened(city) as instance:
        found = await case_desk(instance).search(person, query)
    return {
        "cases": [case_record(case, numbers=False) for case in found.cases],
        "after": found.after,
        "counts": counts_record(found.counts) if found.counts else None,
    }


def counts_record(counts: FacetCounts) -> dict[str, Any]:
    """Counts as JSON values, by the names of facets."""
    names = {facet: facet.name.lower() for facet in Facet}
    return {
        "total": counts.total,
        **{names[facet]: dict(values) for facet, values in counts.values.items()},
        "month": dict(counts.months),
        "tags_operators_departments_of_newest": counts.newest,
    }


async def export_cases(
    city: str | None,
    person: Person,
    format_: str,
    since: date | None,
    until: date | None,
    write: Callable[[str], object],
    *,
    numbers: bool,
) -> None:
    """Write cases as text, piece by piece."""
    async with _opened(city) as instance:
        first, last = moments(since, until)
        async for piece in case_exchange(instance).export(person, format_, first, last, numbers=numbers):
            await asyncio.to_thread(write, piece)


async def import_cases(city: str | None, person: Person, path: Path, say: Callable[[str], None]) -> None:
    """Take a CSV file in, all of it or nothing."""
    try:
        data = await asyncio.to_thread(path.read_bytes)
    except OSError as problem:
        raise ToritsugiError(
            f"ファイルが読めません: {problem.strerror}", where=str(path), cure="パスを確かめる"
        ) from problem
    async with _opened(city) as instance:
        done = await case_exchange(instance).take_in(person, data, path.name)
    say(f"新しい応対 {done.created} 件、変えた応対 {done.changed} 件、同じ {done.same} 件。")
