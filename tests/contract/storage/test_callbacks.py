"""Call-backs on every database: what is stored comes back, and the keeper follows what the ledger learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from ledger_stories import T0, Teller

from acd.callback import (
    Callback,
    CallbackCommand,
    CallbackRules,
    CallbackState,
    GiveBack,
    OperatorRung,
    advance,
)
from acd.callback_profile import CallbackHours
from core.clock import ManualClock
from core.hours import Interval, OpeningHours, Period
from core.ids import CallId, OperatorId, QueueName, Uniqueid
from core.phone import Caller, CallerKind
from ledger import facts as f
from ledger.calls import Call
from ledger.facts import QueueExit
from ledger.fold import fold_call
from services.callbacks import CallbackKeeper, TalkNews
from storage.database import Database

pytestmark = pytest.mark.contract

NUMBER, OTHER = "09012345678", "0598531234"
QUEUE = QueueName("booking-ja")
OP = OperatorId("101")
RULES = CallbackRules(tries=2, retry_after_s=60.0)
HOURS = CallbackHours(
    opening=OpeningHours(
        periods=(Period(date(2020, 1, 1), ((Interval(0, 1440),),) * 7),),
        closed_on_holidays=False,
        holiday_name=lambda _day: None,
    )
)
DAY_S = 86_400.0


class Keeping:
    """A keeper with its ears, on one database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.keeper = CallbackKeeper(RULES, HOURS, ManualClock(T0 + 1000))
        self.commands: list[CallbackCommand] = []
        self.news: list[TalkNews] = []
        self.keeper.act = self.act
        self.keeper.tell = self.news.append

    def act(self, commands: Sequence[CallbackCommand]) -> None:
        self.commands += commands

    async def told(self, *tellers: Teller) -> None:
        async with self.database.uow() as unit:
            await self.keeper.after_fold(unit, [folded(teller) for teller in tellers])

    async def of(self, teller: Teller) -> Callback:
        async with self.database.reading() as unit:
            found = await unit.callbacks.get(teller.call)
        assert found is not None
        return found

    async def rung(self, teller: Teller, at: float) -> None:
        async with self.database.uow() as unit:
            before = await unit.callbacks.get(teller.call)
            assert before is not None
            await unit.callbacks.put(advance(before, OperatorRung(at=T0 + at, operator=OP), RULES)[0])


def folded(teller: Teller) -> Call:
    call = fold_call(teller.facts)
    assert call is not None
    return call


def booking(n: int = 1, start: float = 0.0, number: str = NUMBER, caller: str | None = NUMBER) -> Teller:
    """A call that joins at 5 and books at 30."""
    teller = Teller(f"n1-1764000000.{n}", start=start)
    kind = CallerKind.NUMBER if caller else CallerKind.WITHHELD
    teller.arrived(caller=Caller(kind, caller)).joined(5).left(20, QueueExit.KEY)
    teller.cel(
        f.CallbackBooked, 30, to=number, queue=QUEUE, language="ja", entered_at=float(int(T0 + start + 5))
    )
    return teller.hung_up(33)


def later_call(n: int, start: float, queue: str = QUEUE, number: str = NUMBER) -> Teller:
    teller = Teller(f"n1-1764000000.{n}", start=start).arrived(caller=Caller(CallerKind.NUMBER, number))
    return teller.joined(5, queue=queue, line=queue.partition("-")[0])


def tried(teller: Teller, attempt: int, at: float, result: str, talk: bool = False) -> Teller:
    leg = Uniqueid(f"n1-17640009{attempt}.1")
    teller.cel(f.CallbackTried, at, attempt=attempt, operator=OP, member_channel=leg)
    if talk:
        teller.cel(f.CallbackTalked, at + 5, attempt=attempt, operator=OP)
    return teller.cel(f.CallbackEnded, at + 25, attempt=attempt, operator=OP, result=result)


async def test_a_booking_comes_back_as_it_was(database: Database) -> None:
    keeping, teller = Keeping(database), booking()
    await keeping.told(teller)
    found = await keeping.of(teller)
    assert (found.number, found.caller, found.demand, found.entered_at) == (NUMBER, NUMBER, QUEUE, T0 + 5)
    assert (found.state, found.tries) == (CallbackState.BOOKED, 0)
    assert T0 < found.expires_at <= T0 + DAY_S
    whole = replace(
        found, state=CallbackState.DONE, operator=OP, by=CallId("c-9"), talk_s=12.5, reason="answered", over=1
    )
    async with database.uow() as unit:
        await unit.callbacks.put(whole)
    async with database.reading() as unit:
        assert await unit.callbacks.get(teller.call) == whole
        assert await unit.callbacks.open() == []
        assert await unit.callbacks.between(T0, T0 + 31) == [whole]
        assert await unit.callbacks.between(T0 + 31, T0 + 99) == []
        assert await unit.callbacks.with_number([NUMBER], T0) == [whole]
        assert await unit.callbacks.with_number([OTHER], T0) == []
    async with database.uow() as unit:
        await unit.callbacks.forget([teller.call])
        assert await unit.callbacks.get(teller.call) is None


async def test_the_disk_alone_leads_it_to_its_end(database: Database) -> None:
    keeping, teller = Keeping(database), booking()
    await keeping.told(teller)
    await keeping.rung(teller, 90)
    await keeping.told(tried(teller, 1, 100, "BUSY"))
    assert (await keeping.of(teller)).state is CallbackState.BOOKED
    assert keeping.commands == [GiveBack(call=teller.call, operator=OP, why="callback_unanswered")]
    await keeping.rung(teller, 200)
    await keeping.told(tried(teller, 2, 210, "ANSWER", talk=True))
    done = await keeping.of(teller)
    assert (done.state, done.tries, done.talk_s) == (CallbackState.DONE, 2, pytest.approx(20.0))
    (talk,) = keeping.news
    assert (talk.operator, talk.demand, talk.ended_at) == (OP, QUEUE, pytest.approx(T0 + 235))


async def test_told_again_from_the_beginning_nothing_changes(database: Database) -> None:
    keeping, teller = Keeping(database), tried(booking(), 1, 100, "ANSWER", talk=True)
    await keeping.told(teller)
    done, news, commands = await keeping.of(teller), list(keeping.news), list(keeping.commands)
    for _ in range(2):
        await keeping.told(teller)
    assert (await keeping.of(teller), keeping.news, keeping.commands) == (done, news, commands)


async def test_calling_again_cancels_it(database: Database) -> None:
    keeping, teller = Keeping(database), booking()
    again = later_call(2, 600)
    await keeping.told(teller, again)
    gone = await keeping.of(teller)
    assert (gone.state, gone.reason, gone.by) == (CallbackState.CANCELLED, "called_again", again.call)


@pytest.mark.parametrize(
    "other",
    [
        later_call(2, 600, queue="card-ja"),
        later_call(2, 600, number="09099999999"),
        later_call(2, -600),
        Teller("n1-1764000600.2", start=600).arrived(),
    ],
    ids=["another line", "another number", "an earlier call", "no queue reached"],
)
async def test_what_does_not_cancel_it(database: Database, other: Teller) -> None:
    keeping, teller = Keeping(database), booking()
    await keeping.told(teller, other)
    assert (await keeping.of(teller)).state is CallbackState.BOOKED


async def test_who_withheld_the_number_cancels_by_the_number_given(database: Database) -> None:
    keeping, teller = Keeping(database), booking(number=OTHER, caller=None)
    await keeping.told(teller, later_call(2, 600, number=OTHER))
    assert (await keeping.of(teller)).state is CallbackState.CANCELLED


async def test_one_for_a_number_and_demand(database: Database) -> None:
    """From another telephone, for the same number: the earlier keeps its place, the citizen is called once."""
    keeping = Keeping(database)
    first, second = booking(1), booking(2, 300, caller="09055555555")
    await keeping.told(first, second)
    assert (await keeping.of(first)).state is CallbackState.BOOKED
    twin = await keeping.of(second)
    assert (twin.state, twin.reason) == (CallbackState.CANCELLED, "duplicate")


async def test_who_calls_again_and_books_again_keeps_the_first_place(database: Database) -> None:
    keeping = Keeping(database)
    first, second = booking(1), booking(2, 300)
    await keeping.told(first)
    await keeping.told(later_call(2, 300))
    await keeping.told(second)
    assert (await keeping.of(first)).state is CallbackState.CANCELLED
    again = await keeping.of(second)
    assert (again.state, again.entered_at) == (CallbackState.BOOKED, T0 + 5)


@pytest.mark.parametrize("number", ["119", "0120123456", "0990123456", "+14155552671", ""])
async def test_a_number_that_may_not_be_called_is_no_booking(database: Database, number: str) -> None:
    keeping, teller = Keeping(database), booking(number=number)
    await keeping.told(teller)
    async with database.reading() as unit:
        assert await unit.callbacks.get(teller.call) is None
