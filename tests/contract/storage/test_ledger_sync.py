"""From log lines to calls, with crashes in between: the same on every database."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pytest
from ledger_stories import T0, Teller, answered_call

from core.clock import ManualClock
from interactions.case import TranscriptState
from ledger import facts as f
from ledger.calls import Call, Disposition
from ledger.fold import fold_calls
from services.cases import CaseKeeper, attach_transcript
from services.ledger_sync import AfterFold, LedgerSync, SyncResult
from services.ports import JobState, LogReader, Transcript, UnitOfWork
from storage.database import Database

pytestmark = pytest.mark.contract


@dataclass(frozen=True)
class _Position:
    count: int

    def as_text(self) -> str:
        return str(self.count)


@dataclass(frozen=True)
class _Batch:
    facts: Sequence[f.Fact]
    position: _Position | None
    lines: int


class _MemoryReader:
    """A log whose lines are facts in a list."""

    def __init__(self, kind: str, lines: list[f.Fact], start: int) -> None:
        self.kind, self._lines, self._next = kind, lines, start

    def read(self, limit: int = 1000) -> _Batch:
        taken = self._lines[self._next : self._next + limit]
        self._next += len(taken)
        return _Batch(taken, _Position(self._next), len(taken))

    def close(self) -> None:
        self._next = -1


class Logs:
    """Both logs of a node, which grow as `tell` adds facts."""

    def __init__(self) -> None:
        self.lines: dict[str, list[f.Fact]] = {"cel": [], "queue_log": []}
        self.opened = 0

    def tell(self, *tellers: Teller) -> None:
        for teller in tellers:
            for fact in teller.facts:
                self.lines[fact.source.file.split(":")[0]].append(fact)

    def open(self, saved: Mapping[str, str]) -> Sequence[LogReader]:
        self.opened += 1
        return [_MemoryReader(kind, lines, int(saved.get(kind, 0))) for kind, lines in self.lines.items()]


def sync_of(logs: Logs, database: Database, also: Sequence[AfterFold] | None = None) -> LedgerSync:
    clock = ManualClock(T0 + 500)
    if also is None:
        also = [CaseKeeper(clock).after_fold]
    return LedgerSync(logs.open, database.uow, clock, node="n1", also=also)


async def stored(database: Database) -> list[Call]:
    async with database.reading() as unit:
        return await unit.calls.between(0, 2 * T0)


def many_calls(count: int) -> list[Teller]:
    tellers = []
    for number in range(count):
        uniqueid = f"n1-{1764000000 + 40 * number}.{number}"
        channel = f"PJSIP/trunk-{number:08x}"
        teller = Teller(uniqueid, channel, start=40.0 * number).arrived().joined(5)
        if number % 3 == 0:
            teller.left(25, f.QueueExit.ABANDONED, cel=False).hung_up(25)
        else:
            teller.connected(12, operator=f"10{number % 3}").parted(30, operator=f"10{number % 3}").hung_up(
                30
            )
            teller.wrapped_up(30, 35, operator=f"10{number % 3}")
        tellers.append(teller)
    return tellers


async def test_a_call_is_followed_from_open_to_closed(database: Database) -> None:
    logs = Logs()
    sync = sync_of(logs, database)
    whole = answered_call()
    early = [fact for fact in whole.facts if fact.at < T0 + 30]
    late = [fact for fact in whole.facts if fact.at >= T0 + 30]
    partial = Teller()
    partial.facts = early
    logs.tell(partial)
    first = await sync.catch_up()
    assert [call.open for call in first.changed] == [True]
    assert first.closed == ()
    partial.facts = late
    logs.tell(partial)
    second = await sync.catch_up()
    assert [call.disposition for call in second.closed] == [Disposition.ANSWERED]
    assert second.closed[0].wrap_up_s == pytest.approx(12.25)
    assert await sync.catch_up() == SyncResult(at=T0 + 500, facts=0, changed=(), closed=())
    assert await stored(database) == fold_calls(whole.facts)


async def test_a_call_is_never_closed_before_what_the_queue_said_of_it_is_known(database: Database) -> None:
    told: list[Disposition | None] = []

    async def listen(_unit: UnitOfWork, calls: Sequence[Call]) -> None:
        told.extend(call.disposition for call in calls)

    logs = Logs()
    whole = answered_call()
    # The operator was gone before the subroutine could write its own mark: only queue_log knows of the answer.
    whole.facts = [fact for fact in whole.facts if not (isinstance(fact, f.Connected) and fact.exact)]
    logs.tell(whole)
    await sync_of(logs, database, also=[listen]).catch_up()
    assert told[-1] is Disposition.ANSWERED
    assert set(told) <= {None, Disposition.ANSWERED}


async def test_wrap_up_that_ends_long_after_the_call_reaches_it(database: Database) -> None:
    logs = Logs()
    sync = sync_of(logs, database)
    logs.tell(Teller().arrived().joined(5).connected(9).parted(20).hung_up(20))
    (closed,) = (await sync.catch_up()).closed
    assert closed.wrap_up_s is None
    logs.tell(Teller(start=0.5).wrapped_up(20, 90))
    result = await sync.catch_up()
    assert result.closed == ()
    assert [call.wrap_up_s for call in result.changed] == [pytest.approx(70, abs=1)]


async def test_days_of_downtime_are_caught_up_in_batches_and_nothing_counts_twice(database: Database) -> None:
    logs = Logs()
    tellers = many_calls(60)
    logs.tell(*tellers)
    everything = [fact for teller in tellers for fact in teller.facts]
    result = await sync_of(logs, database).catch_up(limit=37)
    assert result.facts == len(everything)
    assert len(result.closed) == 60
    assert await stored(database) == fold_calls(everything)
    again = await sync_of(logs, database).catch_up()
    assert (again.facts, again.changed) == (0, ())


async def test_killed_at_any_moment_the_ledger_has_every_call_once(database: Database) -> None:
    logs = Logs()
    tellers = many_calls(12)
    logs.tell(*tellers)
    dice = random.Random(7)
    fuse = 0

    async def sometimes_dies(_unit: UnitOfWork, _calls: Sequence[Call]) -> None:
        nonlocal fuse
        fuse -= 1
        if fuse < 0:
            raise ConnectionResetError("killed")

    keeper = CaseKeeper(ManualClock(T0 + 500))
    deaths = 0
    for _ in range(200):
        fuse = dice.randrange(4)
        sync = sync_of(logs, database, also=[keeper.after_fold, sometimes_dies])
        try:
            await sync.catch_up(limit=9)
            break
        except Exception:
            deaths += 1
    assert deaths > 3
    await sync_of(logs, database).catch_up()
    everything = [fact for teller in tellers for fact in teller.facts]
    assert await stored(database) == fold_calls(everything)
    async with database.reading() as unit:
        answered = [call for call in await stored(database) if call.disposition is Disposition.ANSWERED]
        cases = await unit.cases.between(0, 2 * T0)
        assert sorted(case.first.call_id for case in cases) == sorted(call.call_id for call in answered)
        assert sum((await unit.jobs.counts()).values()) == len(answered)


async def test_after_a_failed_batch_the_same_sync_reads_it_again(database: Database) -> None:
    logs = Logs()
    logs.tell(answered_call())
    fail = [True]

    async def fails_once(_unit: UnitOfWork, _calls: Sequence[Call]) -> None:
        if fail and fail.pop():
            raise RuntimeError("disk full")

    sync = sync_of(logs, database, also=[fails_once])
    with pytest.raises(RuntimeError, match="disk full"):
        await sync.catch_up()
    assert await stored(database) == []
    assert len((await sync.catch_up()).closed) == 1
    assert logs.opened == 2


async def test_a_restart_of_the_switch_closes_the_calls_that_died_with_it(database: Database) -> None:
    logs = Logs()
    sync = sync_of(logs, database)
    logs.tell(Teller().arrived().joined(5))
    await sync.catch_up()
    logs.tell(Teller(start=1).restarted(60))
    (closed,) = (await sync.catch_up()).closed
    assert closed.disposition is Disposition.SYSTEM_FAILURE


async def test_an_answered_call_gets_one_case_and_one_job_and_later_its_text(database: Database) -> None:
    logs = Logs()
    logs.tell(answered_call())
    (call,) = (await sync_of(logs, database).catch_up()).closed
    async with database.uow() as unit:
        case = await unit.cases.of_call(call.call_id)
        job = await unit.jobs.claim("w", now=T0 + 500, stale_after_s=60)
    assert case is not None
    assert job is not None
    assert (case.first.operators, case.category, case.transcript) == (
        ("101",),
        "booking",
        TranscriptState.WAITING,
    )
    assert (job.base, job.language) == (call.call_id, "ja")
    assert job.ranges[0] == pytest.approx((22.14, 83.14))
    text = Transcript(
        call_id=call.call_id, side="citizen", text="予約したい", segments=[], engine="vosk", made_at=T0 + 600
    )
    await attach_transcript(database.uow, call.call_id, [text], JobState.DONE, now=T0 + 600)
    async with database.reading() as unit:
        case = await unit.cases.of_call(call.call_id)
        assert case is not None
        assert case.transcript is TranscriptState.READY
        assert await unit.transcripts.of_call(call.call_id) == [text]
        assert await unit.jobs.states([call.call_id]) == {call.call_id: JobState.DONE}


async def test_later_facts_reach_the_case_and_spare_what_people_wrote(database: Database) -> None:
    logs = Logs()
    sync = sync_of(logs, database)
    logs.tell(Teller().arrived().joined(5).connected(9).parted(20, how="BLINDTRANSFER").hung_up(60))
    (call,) = (await sync.catch_up()).closed
    async with database.uow() as unit:
        case = await unit.cases.of_call(call.call_id)
        assert case is not None
        await unit.cases.put(replace(case, question="住所変更"))
    logs.tell(Teller(start=0.7).cel(f.Transferred, 59, to="701", label="戸籍住民課", result="ANSWER"))
    await sync.catch_up()
    async with database.reading() as unit:
        case = await unit.cases.of_call(call.call_id)
    assert case is not None
    assert (case.question, case.first.transferred_to) == ("住所変更", ("戸籍住民課",))
