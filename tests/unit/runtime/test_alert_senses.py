"""What alerts hear and look up, from events, files and the ledger."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from core.clock import TOKYO, ManualClock, ScaledClock
from core.ids import CallId, OperatorId, QueueName, Uniqueid
from core.phone import Caller, CallerKind
from ledger.calls import Call, Disposition
from reports.metrics import AnswerRateRule
from runtime.alert_senses import AnswersSoFar, Restarts, SwitchSenses, refused_calls
from services.ports import UnitOfWork
from telephony.ami import events as e

pytestmark = pytest.mark.unit

T0 = datetime(2026, 11, 24, 10, 0, tzinfo=TOKYO).timestamp()
OP = OperatorId("101")


def held(kind: type[e.Hold] | type[e.Unhold], channel: str, at: float) -> e.AmiEvent:
    return kind(
        at=at,
        channel=channel,
        uniqueid=Uniqueid("n1-1.2"),
        linkedid=Uniqueid("n1-1.1"),
        account_code="c-n1-1.1",
    )


def offer(kind: type[Any], at: float, member: str = "op101", **more: Any) -> e.AmiEvent:
    event: e.AmiEvent = kind(
        at=at, queue=QueueName("card-ja"), channel="PJSIP/trunk-1", uniqueid=Uniqueid("n1-1.1"),
        linkedid=Uniqueid("n1-1.1"), account_code="", member=member, interface=f"PJSIP/{member}", **more,
    )  # fmt: skip
    return event


def hangup(channel: str) -> e.AmiEvent:
    return e.Hangup(
        at=T0,
        channel=channel,
        uniqueid=Uniqueid("n1-1.2"),
        linkedid=Uniqueid("n1-1.1"),
        account_code="",
        cause=16,
    )


def test_a_hold_lasts_until_it_is_taken_back_or_the_call_ends() -> None:
    senses = SwitchSenses(())
    senses.hear(held(e.Hold, "PJSIP/op101-0000000a", T0))
    senses.hear(held(e.Hold, "PJSIP/op101-0000000a", T0 + 9))  # said again by a telephone that repeats itself
    senses.hear(held(e.Hold, "PJSIP/trunk-0000000b", T0))
    assert senses.holds == {OP: T0}
    senses.hear(held(e.Unhold, "PJSIP/op101-0000000a", T0 + 20))
    assert senses.holds == {}
    senses.hear(held(e.Hold, "PJSIP/op101-0000000a", T0 + 30))
    senses.hear(hangup("PJSIP/op101-0000000a"))
    assert senses.holds == {}


@pytest.mark.parametrize(
    "event", [e.Gap(at=T0, dropped=3), e.Disconnected(at=T0, reason="x"), e.FullyBooted(at=T0, uptime_s=1)]
)
def test_a_hold_whose_end_may_be_missed_is_forgotten(event: e.AmiEvent) -> None:
    senses = SwitchSenses(())
    senses.hear(held(e.Hold, "PJSIP/op101-0000000a", T0))
    senses.hear(event)
    assert senses.holds == {}


def test_misses_count_until_a_call_is_taken_or_the_operator_leaves() -> None:
    senses = SwitchSenses(())
    for number in range(3):
        senses.hear(offer(e.AgentRingNoAnswer, T0 + number, ring_ms=5000))
    senses.hear(offer(e.AgentRingNoAnswer, T0, member="Local/elsewhere", ring_ms=5000))
    assert senses.missed == {OP: (T0, T0 + 1, T0 + 2)}
    senses.hear(offer(e.AgentConnect, T0 + 5, hold_s=1, ring_s=1, member_uniqueid=Uniqueid("n1-1.2")))
    assert senses.missed == {}


def test_only_trunks_are_peers() -> None:
    senses = SwitchSenses(["carrier"])

    def contact(endpoint: str, status: str, at: float) -> None:
        senses.hear(e.ContactStatus(at=at, endpoint=endpoint, aor=endpoint, uri="sip:x", status=status))

    contact("op101", "Unreachable", T0)
    contact("carrier", "Unreachable", T0 + 1)
    contact("carrier", "Unreachable", T0 + 61)
    assert senses.unreachable == {"carrier": T0 + 1}
    contact("carrier", "Reachable", T0 + 70)
    assert senses.unreachable == {}


def call_of(number: int, at: float, disposition: Disposition | None = Disposition.ANSWERED) -> Call:
    return Call(
        call_id=CallId(f"c-n1-{number}.1"), sip_call_id=f"s{number}", caller=Caller(CallerKind.NUMBER, "09012345678"),
        dialled="0120000901", arrived_at=at, ended_at=None if disposition is None else at + 60, line="card",
        language="ja",
        disposition=disposition, queue=QueueName("card-ja"), wait_s=30.0,
    )  # fmt: skip


class Ledger:
    def __init__(self, calls: list[Call]) -> None:
        self.calls_, self.asked = calls, list[float]()
        self.broken = False

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[UnitOfWork]:
        if self.broken:
            raise ConnectionResetError
        yield self  # type: ignore[misc]

    @property
    def calls(self) -> Ledger:
        return self

    async def between(self, since: float, until: float) -> list[Call]:
        self.asked.append(until - since)
        return [call for call in self.calls_ if since <= call.arrived_at < until]

    async def number(self, since: float, until: float) -> int:
        return sum(since <= call.arrived_at < until for call in self.calls_)

    async def get(self, calls: Collection[CallId]) -> dict[CallId, Call]:
        return {call.call_id: call for call in self.calls_ if call.call_id in calls}


DAY = 86_400.0


async def test_the_answer_rate_of_day_and_month_with_past_days_counted_once() -> None:
    lost = Disposition.ABANDONED_QUEUE
    ledger = Ledger(
        [
            call_of(1, T0 - 40 * DAY),
            call_of(2, T0 - 20 * DAY),
            call_of(3, T0 - 20 * DAY, lost),
            call_of(4, T0 - 60),
            call_of(5, T0 - 50, lost),
            call_of(6, T0 - 40, Disposition.AFTER_HOURS),
            call_of(7, T0 - 1, None),
        ]
    )
    clock = ManualClock(T0)
    answers = AnswersSoFar(ledger.reading, clock, AnswerRateRule())
    found = await answers.now()
    assert found is not None
    day, month = found
    assert (day.first_day.isoformat(), day.answered, day.offered) == ("2026-11-24", 1, 2)
    assert (month.first_day.isoformat(), month.month, month.answered, month.offered) == (
        "2026-11-01",
        True,
        2,
        4,
    )
    ledger.calls_.append(call_of(8, T0))
    assert await answers.now() == found
    clock.advance(15)
    later = await answers.now()
    assert later is not None
    assert [(each.answered, each.offered) for each in later] == [(2, 3), (3, 5)]
    # A month in pieces of a day, then today alone.
    assert len(ledger.asked) == 25
    assert max(ledger.asked) <= DAY + 2
    # The next day: today has become the past.
    clock.advance(DAY)
    (day, month) = await answers.now() or ()
    assert (day.offered, month.answered, month.offered) == (0, 3, 5)
    clock.advance(15)
    ledger.broken = True
    assert await answers.now() is None


async def test_past_days_are_counted_again_when_a_call_of_them_ends_or_comes_late() -> None:
    last_night = call_of(1, T0 - DAY, None)
    ledger, clock = Ledger([last_night, call_of(2, T0 - DAY)]), ManualClock(T0)
    answers = AnswersSoFar(ledger.reading, clock, AnswerRateRule())

    async def month() -> tuple[int, int]:
        clock.advance(15)
        found = await answers.now()
        assert found is not None
        assert found[1].at == clock.epoch()
        return found[1].answered, found[1].offered

    assert [await month(), await month()] == [(1, 1), (1, 1)]
    ledger.calls_[0] = replace(last_night, ended_at=T0 - DAY + 60, disposition=Disposition.ABANDONED_QUEUE)
    assert await month() == (1, 2)
    ledger.calls_.append(call_of(3, T0 - 2 * DAY))
    asked = len(ledger.asked)
    assert await month() == (2, 3)
    assert len(ledger.asked) == asked + 2, "the day that changed, and today"
    assert await month() == (2, 3)
    assert len(ledger.asked) == asked + 3, "nothing is new: today alone is read"


async def test_the_day_is_the_citys_also_when_its_clock_runs_fast() -> None:
    clock = ScaledClock(T0, datetime(2026, 12, 1, 9, 0, tzinfo=TOKYO), speed=60.0)
    inside = replace(call_of(1, T0), arrived_at=T0 + 1)
    ledger = Ledger([inside, call_of(2, T0 - 3600)])
    fixed = replace(clock)
    answers = AnswersSoFar(ledger.reading, _At(fixed, T0 + 10), AnswerRateRule())
    found = await answers.now()
    assert found is not None
    assert [(each.first_day.day, each.offered) for each in found] == [(1, 1), (1, 1)]


class _At:
    def __init__(self, clock: ScaledClock, now: float) -> None:
        self._clock, self._now = clock, now

    def epoch(self) -> float:
        return self._now

    def city_now(self) -> datetime:
        return self._clock.city_time_of(self._now)

    def city_time_of(self, epoch: float) -> datetime:
        return self._clock.city_time_of(epoch)


def test_restarts_are_told_by_the_parents_file(tmp_path: Path) -> None:
    path = tmp_path / "warden.json"

    def write(engine: int, transcriber: int, asterisk: int = 7, pid: int | None = None) -> None:
        state = {
            "pid": pid or os.getpid(), "asterisk": asterisk, "ready": True,
            "engine": {"pid": 5, "restarts": engine}, "transcriber": {"pid": 6, "restarts": transcriber},
        }  # fmt: skip
        path.write_text(json.dumps(state))

    restarts = Restarts(path, T0)
    assert restarts.look(T0) == ()
    write(1, 4)
    assert [(r.process, r.at, r.count) for r in restarts.look(T0 + 1)] == [("engine", T0, 1)]
    write(1, 5, asterisk=8)
    found = {r.process: (r.at, r.count) for r in restarts.look(T0 + 30)}
    assert found == {"engine": (T0, 1), "transcriber": (T0 + 30, 5), "asterisk": (T0 + 30, 1)}
    # What a parent that is gone has left behind says nothing.
    write(0, 9, pid=2**22 - 1)
    assert {r.process: r.count for r in restarts.look(T0 + 40)}["transcriber"] == 5
    fresh = Restarts(path, T0)
    write(0, 0)
    assert fresh.look(T0) == ()


def wire(
    call: str, at: float, status: int | None = None, to: str = "0120000901", initial: bool = True
) -> str:
    return json.dumps(
        {"at": at, "call_id": call, "method": "INVITE", "status": status, "to_user": to, "from_user": "x",
         "src": "1.2.3.4:5060", "dst": "5.6.7.8:5060", "initial": status is None and initial, "cseq": 1}
    )  # fmt: skip


def test_refused_calls_are_those_to_our_own_numbers(tmp_path: Path) -> None:
    path = tmp_path / "messages.jsonl"
    lines = [
        '{"at": 1, "cut',
        wire("refused", T0),
        wire("refused", T0, 401),
        wire("answered", T0 + 1),
        wire("answered", T0 + 2, 200),
        wire("gave-up", T0 + 3),
        wire("gave-up", T0 + 4, 487),
        wire("scanner", T0 + 5, to="00442012345678"),
        wire("scanner", T0 + 5, 401),
        wire("abroad", T0 + 6, to="+81120000901"),
        wire("abroad", T0 + 6, 503),
        wire("early", T0 - 900),
        wire("early", T0 - 900, 404),
        wire("ringing", T0 + 7),
        wire("ringing", T0 + 7, 180),
        '{"at": 2',
    ]
    path.write_text("\n".join(lines))
    assert refused_calls(path, ["0120000901"], T0 - 600) == [T0, T0 + 6]
    assert refused_calls(tmp_path / "none", ["0120000901"], T0) is None
