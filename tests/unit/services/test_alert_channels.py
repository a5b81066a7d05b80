"""Channels: a failing one tries again, gives up, forgets the oldest, and holds up nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from acd.alerts import AlertKind, AlertRule, Reading
from core.clock import ManualClock
from services.alerting import AlertKeeper, Channel, Notice, NotTold, trial_notice
from services.ports import UnitOfWork

pytestmark = pytest.mark.unit

T0 = 1_764_000_000.0
CLOCK = ManualClock(T0)


def notice(number: int) -> Notice:
    return Notice(
        alert=f"{number:08d}",
        kind="nobody",
        subject="",
        what="raised",
        at=T0,
        since=T0,
        title="t",
        lines=("l",),
    )


class Recorder:
    """A notifier that does what it is told, then delivers."""

    name = "recorder"

    def __init__(self, *answers: Exception | float) -> None:
        self.answers = list(answers)
        self.batches: list[list[str]] = []
        self.attempts = 0

    async def send(self, notices: Sequence[Notice]) -> None:
        self.attempts += 1
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            await asyncio.sleep(answer)
        self.batches.append([each.alert for each in notices])


@asynccontextmanager
async def running(channel: Channel) -> AsyncIterator[Channel]:
    task = asyncio.create_task(channel.run())
    try:
        yield channel
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not within ten seconds")


def channel_of(recorder: Recorder, **more: float) -> Channel:
    return Channel(recorder, CLOCK, first_pause_s=0.01, within_s=0.2, **more)  # type: ignore[arg-type]


async def test_what_comes_together_is_told_together() -> None:
    recorder = Recorder()
    async with running(channel_of(recorder)) as channel:
        channel.put([notice(1), notice(2)])
        await until(lambda: channel.state.sent == 2)
    assert recorder.batches == [["00000001", "00000002"]]
    assert channel.state.well


async def test_tried_again_until_it_works() -> None:
    recorder = Recorder(NotTold("busy"), NotTold("busy"))
    async with running(channel_of(recorder)) as channel:
        channel.put([notice(1)])
        await until(lambda: channel.state.sent == 1)
    assert recorder.attempts == 3
    assert channel.state.failed == 0
    assert channel.state.last_error == "busy"


async def test_given_up_after_some_tries_and_the_next_one_goes_on() -> None:
    recorder = Recorder(*[NotTold("busy")] * 3)
    async with running(channel_of(recorder, tries=3)) as channel:
        channel.put([notice(1)])
        await until(lambda: channel.state.failed == 1)
        assert not channel.state.well
        channel.put([notice(2)])
        await until(lambda: channel.state.sent == 1)
    assert recorder.batches == [["00000002"]]


@pytest.mark.parametrize("fault", [NotTold("refused", final=True), ZeroDivisionError()])
async def test_what_cannot_help_is_not_tried_again(fault: Exception) -> None:
    recorder = Recorder(fault)
    async with running(channel_of(recorder)) as channel:
        channel.put([notice(1)])
        await until(lambda: channel.state.failed == 1)
    assert recorder.attempts == 1
    assert not channel.state.well


async def test_a_hanging_channel_is_cut_off_and_holds_up_nobody() -> None:
    hanging, healthy = Recorder(60.0), Recorder()
    async with running(channel_of(hanging)) as slow, running(channel_of(healthy)) as quick:
        for channel in (slow, quick):
            channel.put([notice(1)])
        await until(lambda: quick.state.sent == 1)
        assert slow.state.sent == 0
        await until(lambda: slow.state.sent == 1)
    assert "no answer within" in slow.state.last_error


async def test_the_queue_is_bounded_and_the_oldest_give_way() -> None:
    recorder = Recorder(0.05)
    channel = channel_of(recorder, most_waiting=3)
    channel.put([notice(number) for number in range(5)])
    assert (channel.state.dropped, channel.state.waiting) == (2, 3)
    async with running(channel):
        await until(lambda: channel.state.sent == 3)
    assert recorder.batches == [["00000002", "00000003", "00000004"]]


async def test_a_database_that_is_away_costs_no_notice() -> None:
    rule = AlertRule(
        raise_at=1,
        clear_at=0,
        raise_after_s=0,
        clear_after_s=0,
        again_after_s=60,
        remind=True,
        most_per_day=9,
    )
    writes: list[int] = []

    class Alerts:
        async def known(self, _since: float) -> list[object]:
            return []

        async def acknowledged(self, _ids: object) -> dict[str, object]:
            return {}

        async def put(self, alerts: list[object]) -> None:
            writes.append(len(alerts))
            if len(writes) == 1:
                raise ConnectionResetError

    class Unit:
        alerts = Alerts()

    @asynccontextmanager
    async def unit() -> AsyncIterator[UnitOfWork]:
        yield Unit()  # type: ignore[misc]

    recorder = Recorder()
    async with running(channel_of(recorder)) as channel:
        keeper = AlertKeeper(
            rules={AlertKind.NOBODY: rule},
            kinds=frozenset({AlertKind.NOBODY}),
            reading=unit,
            uow=unit,
            clock=CLOCK,
            channels=(channel,),
        )
        bad = Reading(kind=AlertKind.NOBODY, value=1, text="x")
        assert len(await keeper.look([bad])) == 1
        await until(lambda: channel.state.sent == 1)
        assert await keeper.look([bad]) == []
        assert await keeper.look([bad]) == []
    assert writes == [1, 1]


async def test_a_trial_says_that_it_is_one() -> None:
    tried = trial_notice(T0, CLOCK.city_time_of, "上尾市コールセンター")
    assert tried.what == "test"
    assert "試験" in tried.title
