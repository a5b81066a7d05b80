"""The same promises on every database."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from ledger_stories import T0, Teller, answered_call
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from acd.events import ExplainOffer, Ranked
from acd.view import Load
from core.errors import ToritsugiError
from core.ids import CallId, OperatorId, QueueName
from interactions.case import CallSummary, TranscriptState, open_case, with_transcript
from interactions.ticket import Ticket, TicketKind, TicketState, moved
from ledger import facts as f
from ledger.calls import Call
from ledger.fold import fold_call
from services.ports import (
    AuditEntry,
    JobState,
    OperatorAccount,
    RecordingFile,
    TailPosition,
    Transcript,
    TranscriptJob,
    TrunkPeer,
)
from storage.database import Database, migrate
from storage.rows import Retention, metadata

pytestmark = pytest.mark.contract

JOB = TranscriptJob(call_id=CallId("c-1"), base="c-1", language="ja", ranges=((1.5, 9.0), (12.0, None)))


def a_call() -> Call:
    call = fold_call(answered_call().facts)
    assert call is not None
    return call


def test_every_table_declares_retention_and_personal_data() -> None:
    assert metadata.tables
    for table in metadata.tables.values():
        assert isinstance(table.info["retention"], Retention), table.name
        assert isinstance(table.info["personal"], bool), table.name


async def test_migrations_make_the_tables_that_the_code_knows(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        def ours(name: str | None, kind: str, _parents: object) -> bool:
            # The index of words is made by hand: each database has its own way (ADR 24).
            return not (name or "").startswith("search_fts") and name != "ix_search_text_tokens"

        context = MigrationContext.configure(connection, opts={"include_name": ours})
        return list(compare_metadata(context, metadata))

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_statement_that_fails_does_not_tell_its_values(database: Database) -> None:
    """Its error ends in logs, and the values are what citizens said."""
    with pytest.raises(DBAPIError) as caught:
        async with database.engine.begin() as connection:
            await connection.execute(text("INSERT INTO no_such_table (a) VALUES (:a)"), {"a": "山田 花子"})
    assert "山田" not in str(caught.value)


async def test_migrating_twice_and_at_once_is_harmless(empty_url: str) -> None:
    await asyncio.gather(migrate(empty_url), migrate(empty_url))
    await migrate(empty_url)
    database = Database(empty_url)
    async with database.reading() as unit:
        assert await unit.tails.positions() == []
    await database.close()


async def test_facts_come_back_as_they_were_and_only_once(database: Database) -> None:
    facts = answered_call().facts
    for _ in range(2):
        async with database.uow() as unit:
            await unit.facts.add(facts)
    own = [fact for fact in facts if fact.call]
    async with database.reading() as unit:
        found = await unit.facts.of_calls([a_call().call_id])
        assert len(found) == len(own)
        assert set(found) == set(own)
        pauses = await unit.facts.of_operators([OperatorId("101")], T0, T0 + 1000)
        assert set(pauses) == {fact for fact in facts if not fact.call}
        assert await unit.facts.of_operators([OperatorId("102")], T0, T0 + 1000) == []


async def test_restarts_and_refusals_are_found_by_time(database: Database) -> None:
    teller = Teller().restarted(50)
    teller.cel(f.CallRefused, 60, call=None, to="110", why="not_allowed", sip_call_id="x@y")
    async with database.uow() as unit:
        await unit.facts.add(teller.facts)
    async with database.reading() as unit:
        assert await unit.facts.restarts(T0 + 50) == teller.facts[:1]
        assert await unit.facts.restarts(T0 + 51) == []
        assert await unit.facts.refused(T0 + 60, T0 + 61) == teller.facts[1:]
        assert await unit.facts.refused(T0, T0 + 60) == []


async def test_who_was_there_is_found_for_all_operators_at_once(database: Database) -> None:
    teller = answered_call()
    teller.log(f.OperatorSignedIn, 1, call=None, operator=OperatorId("101"), queue=QueueName("card-ja"))
    teller.log(f.OperatorSignedOut, 200, call=None, operator=OperatorId("102"), queue=QueueName("card-ja"))
    async with database.uow() as unit:
        await unit.facts.add(teller.facts)
    async with database.reading() as unit:
        found = await unit.facts.presence(T0, T0 + 200)
        assert set(found) == {fact for fact in teller.facts if fact.call is None and fact.at < T0 + 200}
        assert len(await unit.facts.presence(T0, T0 + 201)) == len(found) + 1


async def test_a_call_is_replaced_and_found_in_half_open_intervals(database: Database) -> None:
    call = a_call()
    still_open = fold_call(Teller("n1-1764000500.7", start=500).arrived().facts)
    assert still_open is not None
    async with database.uow() as unit:
        await unit.calls.put([replace(call, ended_at=None, disposition=None), still_open])
        await unit.calls.put([call])
    async with database.reading() as unit:
        assert await unit.calls.get([call.call_id]) == {call.call_id: call}
        assert await unit.calls.between(T0, T0 + 500) == [call]
        assert await unit.calls.between(T0, T0 + 500.5) == [call, still_open]
        assert [await unit.calls.number(T0, T0 + more) for more in (0, 500, 500.5)] == [0, 1, 2]
        assert await unit.calls.open_calls() == [still_open]


async def test_the_last_calls_that_waited_are_found_by_arrival(database: Database) -> None:
    first, second = a_call(), fold_call(answered_call(uniqueid="n1-1764000900.9", start=900).facts)
    in_the_menu = fold_call(Teller("n1-1764000500.7", start=500).arrived().hung_up(9).facts)
    still_open = fold_call(Teller("n1-1764001500.7", start=1500).arrived().joined(3).facts)
    assert second is not None
    assert in_the_menu is not None
    assert still_open is not None
    async with database.uow() as unit:
        await unit.calls.put([second, still_open, in_the_menu, first])
    async with database.reading() as unit:
        assert await unit.calls.latest_queued(9) == [first, second]
        assert await unit.calls.latest_queued(1) == [second]


async def test_calls_whose_wrap_up_is_unknown(database: Database) -> None:
    call = a_call()
    pending = replace(call, segments=(replace(call.segments[0], wrap_up_s=None),))
    async with database.uow() as unit:
        await unit.calls.put([pending])
        assert await unit.calls.wrap_up_pending(T0, T0 + 1000, T0) == [pending]
        assert await unit.calls.wrap_up_pending(T0, T0 + 1000, T0 - 1) == []
        assert await unit.calls.wrap_up_pending(T0 + 1000, T0 + 1000, T0) == []
        await unit.calls.put([call])
        assert await unit.calls.wrap_up_pending(T0, T0 + 96, T0) == []
        assert await unit.calls.wrap_up_pending(T0, T0 + 95, T0) == [call]


async def test_an_exception_undoes_the_whole_unit(database: Database) -> None:
    position = TailPosition(node="n1", log="cel", position="1:2:10")

    async def half_done() -> None:
        async with database.uow() as unit:
            await unit.tails.save([position])
            await unit.calls.put([a_call()])
            raise RuntimeError("pulled the plug")

    with pytest.raises(RuntimeError, match="plug"):
        await half_done()
    async with database.reading() as unit:
        assert await unit.tails.positions() == []
        assert await unit.calls.open_calls() == []


async def test_tail_positions_move(database: Database) -> None:
    async with database.uow() as unit:
        await unit.tails.save([TailPosition(node="n1", log="cel", position="1:2:10")])
        await unit.tails.save(
            [
                TailPosition(node="n1", log="cel", position="1:2:99"),
                TailPosition(node="n2", log="cel", position="3:4:5"),
            ]
        )
    async with database.reading() as unit:
        assert {(p.node, p.position) for p in await unit.tails.positions()} == {
            ("n1", "1:2:99"),
            ("n2", "3:4:5"),
        }


async def test_writers_at_once_wait_for_each_other(database: Database) -> None:
    async def write(number: int) -> None:
        async with database.uow() as unit:
            found = await unit.settings.get("count")
            await unit.settings.put(f"writer{number}", found or "none")
            await asyncio.sleep(0)

    await asyncio.gather(*(write(number) for number in range(8)))
    async with database.reading() as unit:
        assert [await unit.settings.get(f"writer{number}") for number in range(8)] == ["none"] * 8


async def test_a_job_is_claimed_once_and_taken_over_from_a_dead_worker(database: Database) -> None:
    async with database.uow() as unit:
        assert await unit.jobs.add(JOB)
        assert not await unit.jobs.add(replace(JOB, language="en"))
    async with database.uow() as unit:
        claimed = await unit.jobs.claim("w1", now=100.0, stale_after_s=60)
    assert claimed == replace(JOB, state=JobState.RUNNING, attempts=1, claimed_by="w1", claimed_at=100.0)
    async with database.uow() as unit:
        assert await unit.jobs.claim("w2", now=159.0, stale_after_s=60) is None
        taken_over = await unit.jobs.claim("w2", now=160.0, stale_after_s=60)
        assert taken_over is not None
        assert (taken_over.claimed_by, taken_over.attempts) == ("w2", 2)
        await unit.jobs.finish(JOB.call_id, JobState.WAITING, now=161.0, error="busy", next_try_at=200.0)
        assert await unit.jobs.claim("w3", now=199.0, stale_after_s=60) is None
        assert await unit.jobs.claim("w3", now=200.0, stale_after_s=60) is not None
        await unit.jobs.finish(JOB.call_id, JobState.NO_MODEL, now=201.0)
        assert await unit.jobs.claim("w3", now=999.0, stale_after_s=60) is None
        assert await unit.jobs.wake_no_model(["en"]) == 0
        assert await unit.jobs.wake_no_model(["ja"]) == 1
        assert await unit.jobs.claim("w3", now=999.0, stale_after_s=60) is not None
        await unit.jobs.finish(JOB.call_id, JobState.DONE, now=1000.0)
        assert await unit.jobs.counts() == {JobState.DONE: 1}
        assert await unit.jobs.states([JOB.call_id, CallId("c-2")]) == {JOB.call_id: JobState.DONE}


async def test_two_workers_at_once_get_two_jobs(database: Database) -> None:
    async with database.uow() as unit:
        for number in range(4):
            await unit.jobs.add(replace(JOB, call_id=CallId(f"c-{number}")))

    async def claim(worker: str) -> TranscriptJob | None:
        async with database.uow() as unit:
            return await unit.jobs.claim(worker, now=1.0, stale_after_s=60)

    claimed = await asyncio.gather(*(claim(f"w{number}") for number in range(4)))
    assert {job.call_id for job in claimed if job} == {CallId(f"c-{number}") for number in range(4)}


async def test_recordings_and_transcripts(database: Database) -> None:
    file = RecordingFile(
        base="c-1", side="line", call_id=CallId("c-1"), path="/r/c-1-line.wav", started_at=5.0
    )
    closed = replace(file, state="closed", bytes=3_000_000_000, duration_s=12.5)
    text = Transcript(
        call_id=CallId("c-1"),
        side="line",
        text="はい、松阪市です",
        segments=[{"start_s": 0.5, "end_s": 2.0, "text": "はい", "confidence": 0.9}],
        engine="vosk",
        made_at=9.0,
    )
    async with database.uow() as unit:
        await unit.recordings.put(file)
        await unit.recordings.put(closed)
        await unit.transcripts.put(replace(text, text="old"))
        await unit.transcripts.put(text)
    async with database.reading() as unit:
        assert await unit.recordings.of_call(CallId("c-1")) == [closed]
        assert await unit.recordings.between(5.0, 5.1) == [closed]
        assert await unit.recordings.between(5.1, 9.0) == []
        assert await unit.transcripts.of_call(CallId("c-1")) == [text]


async def test_a_case_is_added_once_and_keeps_what_people_wrote(database: Database) -> None:
    summary = CallSummary(
        call_id=CallId("c-1"),
        caller="09012345678",
        line="booking",
        language="ja",
        menu_path=("main:1",),
        operators=(OperatorId("101"), OperatorId("102")),
        started_at=10.0,
        ended_at=70.0,
        recordings=("c-1",),
    )
    case = open_case(summary)
    async with database.uow() as unit:
        assert await unit.cases.add(case)
        written = replace(with_transcript(case, TranscriptState.READY), question="受け取りの予約")
        await unit.cases.put(written)
        assert not await unit.cases.add(case)
        second = replace(summary, call_id=CallId("c-2"))
        spanning = replace(written, calls=(summary, second))
        await unit.cases.put(spanning)
    async with database.reading() as unit:
        assert await unit.cases.of_call(CallId("c-2")) == spanning
        assert await unit.cases.of_call(CallId("c-3")) is None
        assert await unit.cases.between(10.0, 11.0) == [spanning]


async def test_operators_trunks_and_settings(database: Database) -> None:
    operator = OperatorAccount(
        id=OperatorId("101"),
        name="青木",
        sip_secret="s3cret",
        skills={"booking": 5},
        languages=("ja", "en"),
        group="booth",
        caps={"video": 2, "together": 2},
        in_hand={"video": 1},
    )
    trunk = TrunkPeer(name="carrier", match="192.0.2.0/24", username="u", secret="p4ss")
    assert "s3cret" not in repr(operator)
    assert "p4ss" not in repr(trunk)
    async with database.uow() as unit:
        await unit.operators.put(replace(operator, name="前"))
        await unit.operators.put(operator)
        await unit.trunks.put(trunk)
        await unit.settings.put("key", "one")
        await unit.settings.put("key", "two")
    async with database.reading() as unit:
        assert await unit.operators.list() == [operator]
        assert await unit.operators.get(OperatorId("101")) == operator
        assert await unit.operators.get(OperatorId("102")) is None
        assert await unit.trunks.list() == [trunk]
        assert await unit.settings.get("key") == "two"
        assert await unit.settings.get("other") is None


LOAD = Load(calls=3, handled_s=512.25, available_s=7200.0)
OFFER = ExplainOffer(
    at=100.5,
    operator=OperatorId("101"),
    queue=QueueName("card_2-ja"),
    caller="PJSIP/trunk-00000001",
    call=CallId("c-1"),
    waited_s=61.5,
    version=7,
    wanted=8,
    ranking=(
        Ranked(operator=OperatorId("101"), penalty=10, score=0.9, load=LOAD, idle_s=30.0, free=True),
        Ranked(operator=OperatorId("102"), penalty=30, score=1.1, load=LOAD, idle_s=0.0, free=False),
    ),
    deviation="caller",
)


async def test_reasons_of_offers_come_back_as_they_were(database: Database) -> None:
    second = replace(OFFER, at=100.5, operator=OperatorId("102"), deviation="")
    nobodys = replace(OFFER, at=200.0, call=None, ranking=())
    async with database.uow() as unit:
        await unit.offers.add([OFFER, second])
        await unit.offers.add([nobodys])
        await unit.offers.add([])
    async with database.reading() as unit:
        assert await unit.offers.of_call(CallId("c-1")) == [OFFER, second]
        assert await unit.offers.of_call(CallId("c-2")) == []
        assert await unit.offers.between(100.5, 200.0) == [OFFER, second]
        assert await unit.offers.between(100.6, 200.1) == [nobodys]


async def test_changes_are_kept_with_who_and_what(database: Database) -> None:
    change = AuditEntry(
        at=50.0,
        actor="青木",
        action="operator.skills",
        subject="101",
        detail={"before": {"card": 2}, "after": {"card": 3, "booking": 1}},
    )
    later = AuditEntry(at=60.0, actor="engine", action="operator.add", subject="102")
    async with database.uow() as unit:
        await unit.audit.add(later)
        await unit.audit.add(change)
    async with database.reading() as unit:
        assert await unit.audit.between(50.0, 60.1) == [change, later]
        assert await unit.audit.between(50.1, 60.0) == []


async def test_reasons_and_changes_go_when_their_time_is_over(database: Database) -> None:
    change = AuditEntry(at=100.5, actor="a", action="b", subject="c")
    async with database.uow() as unit:
        await unit.offers.add([OFFER, replace(OFFER, at=200.0)])
        await unit.audit.add(change)
        await unit.audit.add(replace(change, at=200.0))
    async with database.uow() as unit:
        assert await unit.retention.floor_records(100.5) == 0
        assert await unit.retention.drop_floor_records(100.5, 10) == 0
        assert await unit.retention.floor_records(200.0) == 2
        assert await unit.retention.drop_floor_records(200.0, 1) == 1
        assert await unit.retention.drop_floor_records(200.0, 10) == 1
    async with database.reading() as unit:
        assert [offer.at for offer in await unit.offers.between(0, 1000)] == [200.0]
        assert [entry.at for entry in await unit.audit.between(0, 1000)] == [200.0]


async def test_what_is_written_while_reading_is_undone(database: Database) -> None:
    async with database.reading() as unit:
        await unit.settings.put("key", "x")
    async with database.reading() as unit:
        assert await unit.settings.get("key") is None


@pytest.mark.parametrize("url", ["nonsense", "oracle-of-delphi://x", ""])
def test_an_unreadable_url_is_named(url: str) -> None:
    with pytest.raises(ToritsugiError, match="TORITSUGI_DATABASE_URL"):
        Database(url)


async def test_an_unreachable_server_is_said_plainly_and_without_its_password() -> None:
    with pytest.raises(ToritsugiError, match="データベースが使えません") as caught:
        await migrate("postgresql+asyncpg://user:hunter2@127.0.0.1:1/none")
    assert "hunter2" not in str(caught.value)


async def test_a_dead_workers_jobs_are_released_to_its_own_node_only(database: Database) -> None:
    for number, worker in enumerate(("n1-7-0", "n10-8-0"), start=1):
        async with database.uow() as unit:
            await unit.jobs.add(TranscriptJob(call_id=CallId(f"c-n1-{number}.1"), base="b", language="ja"))
            assert await unit.jobs.claim(worker, now=10.0, stale_after_s=1800.0) is not None
    async with database.uow() as unit:
        assert await unit.jobs.release("n1") == 1
        assert await unit.jobs.counts() == {JobState.WAITING: 1, JobState.RUNNING: 1}


async def test_requests_to_the_city(database: Database) -> None:
    opened = Ticket(
        ticket_id="t-1", kind=TicketKind.COMPLAINT, opened_at=10.0, due_at=90.0, content="苦情",
        person="山田", number="09012345678", call=CallId("c-1"), department="702",
    )  # fmt: skip
    done = moved(opened, TicketState.DONE, at=50.0, by="佐藤", note="謝罪した")
    async with database.uow() as unit:
        assert await unit.tickets.add(opened)
        assert not await unit.tickets.add(replace(opened, content="別の内容"))
    async with database.reading() as unit:
        assert await unit.tickets.open() == [opened]
        assert await unit.tickets.get("t-2") is None
    async with database.uow() as unit:
        await unit.tickets.put(done)
    async with database.reading() as unit:
        assert (await unit.tickets.open(), await unit.tickets.get("t-1")) == ([], done)
        assert await unit.tickets.between(0.0, 11.0) == [done]
        assert await unit.tickets.between(11.0, 99.0) == []
        assert await unit.retention.tickets_of(50.0) == 0
    async with database.uow() as unit:
        assert await unit.retention.drop_tickets(50.0) == 0
        assert await unit.retention.drop_tickets(50.1) == 1
