"""Interaction records on every database: what is kept with a case, and how it is found."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text

from core.ids import CallId, OperatorId
from interactions.access import Person, Role
from interactions.case import CallSummary, Case, CaseStatus, HandedOn, case_id_of, open_case
from interactions.case_edit import Change, FaqUse, Note, edited, joined
from interactions.search import CaseQuery, Facet, Hits, entry_of, month_of, month_text, sought_of
from interactions.search_words import PLAIN, SynonymGroups, holds
from services.case_ports import CaseDraft, CaseVersion, EventState, OutboxEvent
from services.ports import Transcript
from storage import rows
from storage.database import Database

pytestmark = pytest.mark.contract

T0 = 1764000000.0
WORDS = ("カード", "再発行", "暗証番号", "サーバー", "受取り", "予約", "変更", "引っ越し", "手数料", "期限")
SYNONYMS = SynonymGroups.of([["再発行", "再交付"], ["期限", "締切"]])


def summary(number: int, **values: object) -> CallSummary:
    given = {
        "call_id": CallId(f"c-n1-{number}"), "caller": "09012345678", "line": "card", "language": "ja",
        "menu_path": ("main:4",), "operators": (OperatorId("101"),), "started_at": T0 + number * 86_400.0,
        "ended_at": T0 + number * 86_400.0 + 60,
    }  # fmt: skip
    return CallSummary(**{**given, **values})  # type: ignore[arg-type]


def made(number: int, rng: random.Random) -> Case:
    """A case of chance."""
    case = open_case(
        summary(
            number,
            line=rng.choice(["card", "booking", "portal", None]),
            language=rng.choice(["ja", "ja", "en"]),
            operators=(OperatorId(rng.choice(["101", "102", "103"])),),
            started_at=T0 + rng.randrange(200) * 86_400.0,  # several at the same moment
            transfers=(HandedOn(at=1.0, to="702", label="課", result="ANSWER"),)
            if rng.random() < 0.2
            else (),
        )
    )
    return replace(
        case,
        status=rng.choice(list(CaseStatus)),
        tags=tuple(sorted(rng.sample(["急ぎ", "再 発行", "A/B", "it's"], rng.randrange(3)))),
        question="の".join(rng.sample(WORDS, rng.randrange(4))),
        answer="と".join(rng.sample(WORDS, rng.randrange(3))),
        complaint=rng.random() < 0.1,
        confidential=rng.random() < 0.1,
    )


@pytest.fixture
def cases() -> list[Case]:
    rng = random.Random(7)
    return [made(number, rng) for number in range(120)]


async def fill(database: Database, cases: list[Case]) -> None:
    async with database.uow() as unit:
        await unit.cases.add_many(cases[:100])
        for case in cases[100:]:
            assert await unit.cases.add(case)


async def ask(database: Database, query: CaseQuery, person: Person | None = None) -> Hits:
    sought = sought_of(query, person, PLAIN, SYNONYMS)
    async with database.reading() as unit:
        return await unit.cases.index.search(query, sought, counts=True)


QUERIES = (
    CaseQuery(),
    CaseQuery(words="カード"),
    CaseQuery(words="再交付 -予約"),
    CaseQuery(words="ｻｰﾊﾞ 手"),
    CaseQuery(words='"締切"'),
    CaseQuery(words="ばんごう"),
    CaseQuery(values={Facet.STATUS: ["done", "escalated"], Facet.LINE: ["card"]}),
    CaseQuery(values={Facet.TAG: ["A/B", "it's"]}, since=T0 + 40 * 86_400.0),
    CaseQuery(words="変更", values={Facet.OPERATOR: ["102"], Facet.FLAG: ["complaint", "unwritten"]}),
    CaseQuery(values={Facet.LANGUAGE: ["en"]}, since=T0 + 20 * 86_400.0, until=T0 + 90 * 86_400.0),
    CaseQuery(values={Facet.CATEGORY: ["none such"]}),
)
PEOPLE = (
    None,
    Person(name="a", role=Role.OPERATOR, operator=OperatorId("102")),
    Person(name="b", role=Role.CITY_STAFF, department="702"),
)


async def test_every_page_holds_what_the_tree_says_and_the_counts_are_its_counts(
    database: Database, cases: list[Case]
) -> None:
    await fill(database, cases)
    entries = {case.case_id: entry_of(case, (), PLAIN) for case in cases}
    by_id = {case.case_id: case for case in cases}
    for query in QUERIES:
        for person in PEOPLE:
            sought = sought_of(query, person, PLAIN, SYNONYMS)
            wanted = {
                case.case_id
                for case in cases
                if (sought is None or holds(sought, entries[case.case_id].tokens))
                and (query.since is None or case.started_at >= query.since)
                and (query.until is None or case.started_at < query.until)
            }
            got: list[str] = []
            page = replace(query, limit=7)
            while True:
                hits = await ask(database, page, person)
                got += hits.case_ids
                assert hits.counts is not None
                assert hits.counts.total == len(wanted), query
                if hits.after is None:
                    break
                assert len(hits.case_ids) == 7
                page = replace(page, after=hits.after)
            assert set(got) == wanted, (query, person)
            assert len(got) == len(wanted)
            times = [by_id[each].started_at for each in got]
            assert times == sorted(times, reverse=True)
            assert hits.counts.values[Facet.STATUS] == Counter(by_id[each].status.value for each in wanted)
            assert hits.counts.values[Facet.TAG] == Counter(
                tag for each in wanted for tag in by_id[each].tags
            )
            assert hits.counts.values[Facet.OPERATOR] == Counter(
                operator for each in wanted for operator in by_id[each].operators
            )
            assert hits.counts.months == Counter(
                month_text(month_of(by_id[each].started_at)) for each in wanted
            )


async def test_what_changes_is_found_anew_and_what_is_joined_is_not_found(database: Database) -> None:
    first, second = open_case(summary(1)), open_case(summary(2))
    async with database.uow() as unit:
        await unit.cases.add(first)
        await unit.cases.add(second)
        await unit.cases.put(edited(first, Change(question="住所の変更"), expected=1, at=1.0, by="a"))
        await unit.cases.add_note(
            second.case_id, Note(note_id="n1", at=5.0, by="佐藤", side="city", text="戸籍")
        )
        said = Transcript(
            call_id=second.first.call_id,
            side="citizen",
            text="印鑑は要りますか",
            segments=[],
            engine="v",
            made_at=1.0,
        )
        await unit.transcripts.put(said)
        await unit.cases.reindex([second.case_id])
    assert (await ask(database, CaseQuery(words="住所"))).case_ids == (first.case_id,)
    assert (await ask(database, CaseQuery(words="戸籍 印鑑"))).case_ids == (second.case_id,)
    async with database.uow() as unit:
        held = await unit.cases.get(first.case_id, lock=True)
        assert held is not None
        for case in joined(held, second, at=9.0, by="a"):
            await unit.cases.put(case)
        await unit.cases.move(second.case_id, first.case_id)
        await unit.cases.reindex([first.case_id, second.case_id])
    assert (await ask(database, CaseQuery())).case_ids == (first.case_id,)
    assert (await ask(database, CaseQuery(words="戸籍 印鑑 住所"))).case_ids == (first.case_id,)
    async with database.reading() as unit:
        assert [case.case_id for case in await unit.cases.joined_into(first.case_id)] == [second.case_id]
        assert [case.case_id for case in await unit.cases.between(0.0, 4e9)] == [first.case_id]
        left = await unit.cases.get(second.case_id)
        assert left is not None
        assert (left.calls, left.started_at) == ((), second.started_at)
        assert await unit.cases.of_call(CallId("c-n1-2")) == await unit.cases.get(first.case_id)


async def test_two_at_the_same_place_stand_beside_each_other(database: Database) -> None:
    entry = entry_of(open_case(summary(1)), (), PLAIN)
    async with database.uow() as unit:
        await unit.cases.index.add([entry])
        await unit.cases.index.add([replace(entry, case_id="i-other"), replace(entry, case_id="i-third")])
        hits = await unit.cases.index.search(CaseQuery(), None, counts=False)
    assert sorted(hits.case_ids) == sorted([entry.case_id, "i-other", "i-third"])
    assert hits.counts is None
    async with database.reading() as unit:
        places = list(await unit.connection.scalars(select(rows.search_case.c.place)))
    assert sorted(place - entry.place for place in places) == [0, 1, 2]


async def test_cases_stream_by_time_each_once(database: Database, cases: list[Case]) -> None:
    await fill(database, cases)
    async with database.reading() as unit:
        found = [case async for page in unit.cases.stream(T0 + 86_400, T0 + 150 * 86_400.0) for case in page]
    assert [case.started_at for case in found] == sorted(case.started_at for case in found)
    assert len({case.case_id for case in found}) == len(found)
    assert sorted(found, key=lambda c: c.case_id) == sorted(
        (case for case in cases if T0 + 86_400 <= case.started_at < T0 + 150 * 86_400.0),
        key=lambda c: c.case_id,
    )


async def test_what_hangs_on_a_case_is_kept_and_goes_with_it(database: Database) -> None:
    case = open_case(summary(1))
    call, case_id = case.first.call_id, case.case_id
    version = CaseVersion(
        case_id=case_id, version=1, at=5.0, by="佐藤", record={"question": "x", "calls": [call]}
    )
    note = Note(note_id="n1", at=6.0, by="鈴木", side="operator", text="折り返した")
    draft = CaseDraft(
        case_id=case_id, person="佐藤", base_version=1, saved_at=7.0, content={"answer": "書きか"}
    )
    shown = FaqUse(case_id=case_id, article="faq-1", version=3, shown_at=8.0, by="佐藤")
    event = OutboxEvent(
        event_id="e1", endpoint="bi", kind="case.opened", subject=case_id, at=9.0, body={"a": [1]}
    )
    async with database.uow() as unit:
        await unit.cases.add_faq(shown)  # the call is still going on
        await unit.cases.put_draft(replace(draft, content={}))
        await unit.cases.put_draft(draft)
        await unit.cases.add(case)
        await unit.cases.add_version(version)
        await unit.cases.add_note(case_id, note)
        await unit.cases.add_faq(replace(shown, used_at=20.0))
        await unit.cases.add_faq(replace(shown, shown_at=30.0, used_at=31.0))
        await unit.outbox.add([event])
    async with database.reading() as unit:
        assert await unit.cases.versions(case_id) == [version]
        assert await unit.cases.notes([case_id, "i-9"]) == {case_id: [note]}
        assert await unit.cases.drafts(case_id) == [draft]
        assert await unit.cases.faqs([case_id]) == {case_id: [replace(shown, used_at=20.0)]}
        assert await unit.outbox.due(9.0, 5) == [event]
    async with database.uow() as unit:
        await unit.outbox.put(
            replace(event, state=EventState.DEAD, tries=3, ended_at=11.0, error="answered 500")
        )
        assert await unit.outbox.due(99.0, 5) == []
        assert await unit.outbox.counts() == {("bi", EventState.DEAD): 1}
        assert [each.error for each in await unit.outbox.listed([EventState.DEAD], 5)] == ["answered 500"]
        await unit.cases.drop_draft(case_id, "佐藤")
        assert await unit.cases.drafts(case_id) == []
        await unit.cases.put_draft(draft)
        # No call of it is kept: as an imported one it goes by its own time.
        assert await unit.retention.cases_without_call(T0, None) == []
        assert await unit.retention.cases_without_call(T0 + 2 * 86_400, None) == [case_id]
        await unit.retention.drop_cases([case_id])
    async with database.reading() as unit:
        for table in rows.metadata.tables.values():
            if table.info["retention"] is not rows.Retention.WHILE_IN_USE:
                assert not await unit.connection.scalar(select(func.count()).select_from(table)), table.name
    if database.engine.dialect.name == "sqlite":
        async with database.engine.connect() as connection:
            assert not (await connection.execute(text("SELECT rowid FROM search_fts('\"al:l\"')"))).all()


async def test_of_two_who_save_at_once_one_is_refused(database: Database) -> None:
    case = open_case(summary(1))
    async with database.uow() as unit:
        await unit.cases.add(case)

    async def save(by: str) -> str:
        async with database.uow() as unit:
            held = await unit.cases.get(case.case_id, lock=True)
            assert held is not None
            try:
                await unit.cases.put(edited(held, Change(answer=by), expected=1, at=1.0, by=by))
            except Exception as problem:
                return type(problem).__name__
            return by

    results = await asyncio.gather(save("佐藤"), save("鈴木"))
    async with database.reading() as unit:
        stored = await unit.cases.get(case.case_id)
    assert stored is not None
    assert (stored.version, sorted(results)) == (2, sorted(["CaseConflict", stored.answer]))


async def test_another_normaliser_has_the_index_made_anew(database: Database, cases: list[Case]) -> None:
    class Shouting:
        name = "shouting-1"

        def __call__(self, text: str) -> str:
            return text.replace("カード", "手紙")

    await fill(database, cases[:9])
    other = Database(database.url, Shouting())
    await other.migrate()
    query = CaseQuery(words="手紙")
    async with other.reading() as unit:
        hits = await unit.cases.index.search(query, sought_of(query, None, Shouting()), counts=False)
    await other.close()
    wanted = {case.case_id for case in cases[:9] if "カード" in case.question + case.answer}
    assert wanted
    assert set(hits.case_ids) == wanted


def test_an_id_fits_its_column() -> None:
    longest = f"c-{'n' * 16}-1764000000.1234567890"
    assert len(case_id_of(CallId(longest))) <= 96


async def test_words_that_are_gone_leave_the_index_itself(database: Database) -> None:
    """SQLite's index marks what is deleted; merging its parts is what takes it out."""
    case = replace(open_case(summary(1)), question="鵺鸞")
    async with database.uow() as unit:
        await unit.cases.add(case)
    if database.engine.dialect.name == "sqlite":
        assert await _index_holds(database, "鵺鸞")
    async with database.uow() as unit:
        await unit.retention.drop_cases([case.case_id])
    await database.forget_words()
    if database.engine.dialect.name == "sqlite":
        assert not await _index_holds(database, "鵺鸞")


async def _index_holds(database: Database, word: str) -> bool:
    async with database.engine.connect() as connection:
        blocks = await connection.scalars(text("SELECT block FROM search_fts_data"))
        return any(word.encode() in bytes(block) for block in blocks)


async def test_a_very_long_case_is_kept_and_found(database: Database) -> None:
    letters = "".join(chr(0x4E00 + number % 9000) for number in range(70_000))
    case = replace(open_case(summary(1)), question=letters[:20_000], answer="最後の語")
    async with database.uow() as unit:
        await unit.cases.add(case)
        for number in range(3):
            text_ = letters[number * 10_000 :][:20_000]
            await unit.cases.add_note(
                case.case_id,
                Note(note_id=f"n{number}", at=float(number), by="a", side="operator", text=text_),
            )
    assert (await ask(database, CaseQuery(words="最後の語"))).case_ids == (case.case_id,)
    assert (await ask(database, CaseQuery(words=letters[500:520]))).case_ids == (case.case_id,)
