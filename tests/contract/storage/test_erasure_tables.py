"""One person's data out of every table, on every database; other people's rows stay."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ledger_stories import CALL, T0, Teller, answered_call
from sqlalchemy import JSON, Boolean, String, Table, select

from acd.alerts import Alert, AlertKind
from acd.callback import Callback, CallbackState
from core.clock import ManualClock
from core.ids import CallId
from core.phone import Caller, CallerKind
from core.traces import ERASED
from interactions.search import CaseQuery, sought_of
from interactions.search_words import PLAIN
from interactions.ticket import Ticket, TicketKind
from ledger.fold import fold_call
from services.cases import CaseKeeper, attach_transcript
from services.erasure import Erased, ErasureRecord, ExportEntry, Subject, SubjectKind
from services.ports import JobState, RecordingFile, Transcript
from storage.database import Database, SqlUnitOfWork
from storage.erasure_rules import Erase, Erasure
from storage.rows import metadata

pytestmark = pytest.mark.contract

NUMBER, OTHER, CITY = "09012345678", "08055556666", "0598000000"
SECOND, THEIRS = CallId("c-n1-1764000300.5"), CallId("c-n1-1764432000.9")
EVERYWHERE = Subject(
    kind=SubjectKind.NUMBER,
    calls=frozenset({CALL, SECOND}),
    cases=frozenset({f"i-{CALL[2:]}", f"i-{SECOND[2:]}"}),
    numbers=frozenset({NUMBER}),
)


async def fill(database: Database) -> None:
    """Two answered calls of one person, one of another who speaks of the first one's number."""
    theirs = Teller(THEIRS[2:], "PJSIP/trunk-00000009", start=432000.0)
    theirs.arrived(caller=Caller(CallerKind.NUMBER, OTHER), diverted_from=CITY).joined(10).connected(20)
    tellers = [
        answered_call(),
        answered_call(uniqueid=SECOND[2:], start=300.0),
        theirs.parted(60).hung_up(61),
    ]
    keeper = CaseKeeper(ManualClock(T0))
    async with database.uow() as unit:
        for teller in tellers:
            await unit.facts.add(teller.facts)
            call = fold_call([fact for fact in teller.facts if fact.call is not None])
            assert call is not None
            await unit.calls.put([call])
            await keeper.after_fold(unit, [call])
            for side in ("citizen", "line"):
                await unit.recordings.put(
                    RecordingFile(
                        base=call.call_id, side=side, call_id=call.call_id, path="/r", state="closed", started_at=T0
                    )
                )  # fmt: skip
            case = await unit.cases.of_call(call.call_id)
            assert case is not None
            await unit.cases.put(replace(case, question="０９０ー１２３４ー５６７８ の件", answer="交付日"))
    for call_id in (CALL, SECOND, THEIRS):
        segment = {"start_s": 0.0, "end_s": 2.0, "text": "090-1234-5678 です", "confidence": 0.9}
        text = Transcript(
            call_id=call_id,
            side="citizen",
            text="+81 90-1234-5678 です",
            segments=[segment],
            engine="v",
            made_at=T0,
        )
        await attach_transcript(database.uow, call_id, [text], JobState.DONE, now=T0)
    booked = Callback(
        call=THEIRS, number=NUMBER, caller=OTHER, demand="booking-ja", entered_at=T0, booked_at=T0,
        expires_at=T0 + 9, state=CallbackState.DONE, since=T0, next_at=T0,
    )  # fmt: skip
    async with database.uow() as unit:
        await unit.callbacks.put(booked)
        for name, number, call in (("t-1", NUMBER, None), ("t-2", "", CALL), ("t-3", OTHER, THEIRS)):
            await unit.tickets.add(
                Ticket(
                    ticket_id=name, kind=TicketKind.COMPLAINT, opened_at=T0, due_at=T0, content="090 1234 5678 へ",
                    person="山田", number=number, call=call,
                )
            )  # fmt: skip


async def erased(unit: SqlUnitOfWork, subject: Subject) -> list[Erased]:
    places = await unit.erasures.find(subject, [CITY])
    return await unit.erasures.erase(subject, places, [CITY])


async def everything(database: Database) -> str:
    found = []
    async with database.engine.connect() as connection:
        for table in metadata.tables.values():
            for row in (await connection.execute(select(table))).mappings():
                found.append(f"{table.name} {json.dumps(dict(row), ensure_ascii=False, default=str)}")
    return "\n".join(found)


async def counts(database: Database) -> dict[str, int]:
    async with database.engine.connect() as connection:
        return {
            name: len((await connection.execute(select(table))).all())
            for name, table in metadata.tables.items()
        }


def test_every_table_says_what_a_request_to_delete_does() -> None:
    for name, table in metadata.tables.items():
        rule = table.info["erasure"]
        assert isinstance(rule, Erasure), f"{name}: add erasure=Erasure(…) in storage/rows.py"
        if table.info["personal"] and rule.action is Erase.KEEP:
            assert rule.stays_ja, f"{name}: it stays, and the certificate must say why"
        for place in (rule.call, rule.case, *rule.numbers, *rule.put):
            assert not place or place.partition(".")[0] in table.columns, f"{name}: no column for {place}"
        if rule.action is Erase.DELETE:
            assert rule.call or rule.case or rule.numbers, f"{name}: nothing leads to its rows"


async def test_a_number_is_traced_to_its_calls(database: Database) -> None:
    await fill(database)
    async with database.reading() as unit:
        # The call-back to the number was booked from another telephone: that call is theirs, too.
        assert await unit.erasures.calls_with([NUMBER]) == {CALL, SECOND, THEIRS}
        assert await unit.erasures.numbers_of([THEIRS]) == {OTHER, NUMBER, CITY}
        assert await unit.erasures.cases_of([CALL]) == {f"i-{CALL[2:]}"}
        assert await unit.erasures.calls_of([f"i-{CALL[2:]}"]) == {CALL}
        assert {NUMBER, OTHER} <= await unit.erasures.written_numbers()


async def test_a_number_is_nowhere_and_others_keep_their_rows(database: Database) -> None:
    await fill(database)
    before = await counts(database)
    async with database.reading() as unit:
        assert {each.table for each in await unit.erasures.traces(EVERYWHERE)} == {
            "call", "callback", "fact", "interaction", "interaction_call", "recording", "ticket", "transcript",
            "transcript_job",
        }  # fmt: skip
    async with database.uow() as unit:
        done = {each.what: each for each in await erased(unit, EVERYWHERE)}
    left = await everything(database)
    assert NUMBER not in left
    assert "1234" not in left
    async with database.reading() as unit:
        assert await unit.erasures.traces(EVERYWHERE) == []
    after = await counts(database)
    assert after == {
        **before, "recording": 2, "transcript": 1, "callback": 0, "ticket": 1,
    }  # fmt: skip
    assert (done["recording"].deleted, done["transcript"].deleted, done["ticket"].deleted) == (4, 2, 2)
    assert (done["call"].rewritten, done["interaction"].mentions, done["transcript"].mentions) == (2, 1, 1)
    async with database.reading() as unit:
        calls = await unit.calls.get([CALL, SECOND, THEIRS])
        theirs = await unit.cases.of_call(THEIRS)
        mine = await unit.cases.of_call(CALL)
        ticket = (await unit.tickets.between(0, T0 + 1))[0]
        job = await unit.jobs.get(CALL)
    assert calls[CALL].caller == Caller(CallerKind.NUMBER)
    assert calls[CALL].disposition is not None
    assert calls[THEIRS].caller == Caller(CallerKind.NUMBER, OTHER)
    assert calls[THEIRS].diverted_from == CITY
    assert theirs is not None
    assert mine is not None
    assert theirs.question == f"{ERASED} の件"
    assert theirs.answer == "交付日"
    assert (mine.question, mine.answer, mine.first.caller, mine.category) == ("", "", None, "booking")
    assert (ticket.ticket_id, ticket.content, ticket.person) == ("t-3", f"{ERASED} へ", "山田")
    assert job is not None
    assert job.state is JobState.EMPTY


async def test_one_call_goes_and_the_persons_other_call_stays(database: Database) -> None:
    await fill(database)
    one = Subject(
        kind=SubjectKind.CALL, calls=frozenset({CALL}), cases=frozenset({f"i-{CALL[2:]}"}), numbers=frozenset({NUMBER})
    )  # fmt: skip
    async with database.uow() as unit:
        await erased(unit, one)
    async with database.reading() as unit:
        assert await unit.erasures.traces(one) == []
        calls = await unit.calls.get([CALL, SECOND])
        assert calls[CALL].caller == Caller(CallerKind.NUMBER)
        assert calls[SECOND].caller == Caller(CallerKind.NUMBER, NUMBER)
        assert await unit.recordings.of_call(CALL) == []
        assert len(await unit.recordings.of_call(SECOND)) == 2
        assert await unit.transcripts.of_call(SECOND)


async def test_a_call_that_is_folded_again_does_not_get_its_number_back(database: Database) -> None:
    await fill(database)
    async with database.uow() as unit:
        await erased(unit, EVERYWHERE)
    async with database.uow() as unit:
        call = fold_call(await unit.facts.of_calls([CALL]))
        assert call is not None
        await unit.calls.put([call])
        await CaseKeeper(ManualClock(T0)).after_fold(unit, [call])
    await attach_transcript(
        database.uow, CALL,
        [Transcript(call_id=CALL, side="line", text="遅れて来た", segments=[], engine="v", made_at=T0)],
        JobState.DONE, now=T0,
    )  # fmt: skip
    async with database.reading() as unit:
        assert await unit.erasures.traces(EVERYWHERE) == []


async def test_a_number_inside_a_sip_call_id_keeps_its_length(database: Database) -> None:
    teller = Teller("n1-1764000400.7", start=400.0).arrived(sip_call_id=f"{NUMBER}-1@gw").hung_up(5)
    call = fold_call(teller.facts)
    assert call is not None
    async with database.uow() as unit:
        await unit.facts.add(teller.facts)
        await unit.calls.put([call])
    one = replace(EVERYWHERE, calls=frozenset({call.call_id}), cases=frozenset())
    async with database.uow() as unit:
        await erased(unit, one)
    async with database.reading() as unit:
        assert (await unit.calls.get([call.call_id]))[call.call_id].sip_call_id == "XXXXXXXXXXX-1@gw"
        refolded = fold_call(await unit.facts.of_calls([call.call_id]))
        assert refolded is not None
        assert refolded.sip_call_id == "XXXXXXXXXXX-1@gw"


async def test_an_alert_that_names_the_number_loses_it(database: Database) -> None:
    alert = Alert(
        id="a1", kind=AlertKind.LONG_CALL, subject="x", label="",
        text=f"{NUMBER} から10回", since=T0, raised_at=T0,
    )  # fmt: skip
    async with database.uow() as unit:
        await unit.alerts.put([alert])
        await erased(unit, replace(EVERYWHERE, calls=frozenset(), cases=frozenset()))
    assert NUMBER not in await everything(database)


async def test_what_was_erased_and_written_out_is_kept(database: Database) -> None:
    record = ErasureRecord(id="e-1", at=T0, actor="山田", replay={"calls": [CALL]}, certificate={"id": "e-1"})
    one = ExportEntry(at=T0, actor="山田", kind="evidence", path="/e.zip", sha256="0" * 64, calls=(CALL,))
    everybody = replace(one, kind="backup", calls=None)
    async with database.uow() as unit:
        await unit.erasures.add(record)
        await unit.erasures.add_export(one)
        await unit.erasures.add_export(everybody)
    async with database.reading() as unit:
        assert await unit.erasures.records() == [record]
        assert await unit.erasures.exports() == [one, everybody]


# ---- tables that are not named above, also ones to come --------------------------------------------

BY_HAND = ("interaction", "interaction_call")
"""Their rows are read as cases when the index is made anew, so `fill` makes whole ones."""


def made_up(table: Table, rule: Erasure, link: str, serial: int) -> dict[str, Any]:
    """A row that leads to `link` and holds the number in every column that can hold it."""
    row: dict[str, Any] = {}
    for column in table.columns:
        if isinstance(column.type, JSON):
            row[column.name] = {"said": f"０９０-1234-5678 {serial}"}
        elif isinstance(column.type, String):
            text = f"{NUMBER} {serial}"
            fits = column.type.length is None or column.type.length >= len(text)
            row[column.name] = text if fits and not column.primary_key else f"k{serial}"
        elif isinstance(column.type, Boolean):
            row[column.name] = False
        else:
            row[column.name] = serial
    for place in (rule.call, rule.case):
        name, _, inside = place.partition(".")
        if inside:
            row[name][inside] = link
        elif name:
            row[name] = link
    return row


async def test_no_table_keeps_the_number_however_it_got_there(database: Database) -> None:
    rules = {
        table: table.info["erasure"]
        for name, table in metadata.tables.items()
        if table.info["erasure"].action in (Erase.DELETE, Erase.REWRITE) and name not in BY_HAND
    }
    assert len(rules) > 10
    async with database.engine.begin() as connection:
        for table, rule in rules.items():
            for serial, link in ((1, "c-gone"), (2, "c-other")):
                await connection.execute(table.insert().values(made_up(table, rule, link, serial)))
    gone = replace(EVERYWHERE, calls=frozenset({CallId("c-gone")}), cases=frozenset({"c-gone"}))
    async with database.uow() as unit:
        await erased(unit, gone)
    async with database.reading() as unit:
        assert await unit.erasures.traces(gone) == []
    left = await everything(database)
    assert NUMBER not in left
    assert "1234" not in left
    after = await counts(database)
    for table, rule in rules.items():
        assert after[table.name] == (1 if rule.action is Erase.DELETE else 2), table.name


async def test_erased_words_are_not_found_any_more(database: Database) -> None:
    await fill(database)

    async def hits(words: str) -> int:
        query = CaseQuery(words=words)
        async with database.reading() as unit:
            found = await unit.cases.index.search(query, sought_of(query, None, PLAIN), counts=False)
        return len(found.case_ids)

    assert await hits("交付日") == 3
    async with database.uow() as unit:
        await erased(unit, EVERYWHERE)
    assert await hits("交付日") == 1
    assert await hits("09012345678") == 0
