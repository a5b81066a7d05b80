"""The guard on a scripted switch: what goes over the wire, what is told to the dialplan, what is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from ami_fake import Action, FakeAmi, message, success

from acd.demand import Demand, Stage
from acd.events import CallerJoined, ExplainOffer, MemberJoined, TellWaiting
from acd.floor import Floor
from acd.guard import Guard
from acd.guard_profile import GuardAct, GuardStepSection
from acd.guard_steps import GuardRules, GuardStep, OfferCallback
from acd.outlook import Outlook
from acd.rules import FloorRules
from core.clock import ManualClock
from core.ids import LineId, OperatorId, QueueName
from runtime.floor_loop import FloorLoop
from runtime.guarding import GuardLoop, audit_entry
from telephony.ami.session import AmiSession

pytestmark = pytest.mark.wire

CARD, LATER, CALLER = QueueName("card-ja"), QueueName("card_2-ja"), "PJSIP/trunk-00000001"
DEMAND = Demand(
    line=LineId("card"),
    language="ja",
    priority=0,
    wait_limit_s=600.0,
    stages=(
        Stage(queue=CARD, after_s=0.0, least={"card": 3}),
        Stage(queue=LATER, after_s=300.0, least={"card": 1}),
    ),
)


@dataclass
class Scene:
    ami: FakeAmi
    floor: Floor
    guarding: GuardLoop
    clock: ManualClock
    kept: list[GuardStep] = field(default_factory=list)
    offered: list[OfferCallback] = field(default_factory=list)
    by_hand: set[str] = field(default_factory=set)
    broken: bool = False


def _empty(action: Action) -> str:
    """A snapshot of queues in which nobody is."""
    return success(action, "Queue status will follow", EventList="start") + message(
        Event="QueueStatusComplete", ActionID=action["ActionID"], EventList="Complete", ListItems="0"
    )


async def _nothing(_command: TellWaiting) -> None: ...


async def _no_offers(_offers: Sequence[ExplainOffer]) -> None: ...


@asynccontextmanager
async def scene(*steps: GuardStepSection, callbacks: bool = False) -> AsyncIterator[Scene]:
    async with FakeAmi() as ami:
        for action in (
            "Setvar",
            "QueueWithdrawCaller",
            "Originate",
            "QueuePenalty",
            "QueueRemove",
            "QueueAdd",
        ):
            ami.on(action, success)
        ami.on("QueueStatus", _empty)
        clock = ManualClock(1000.0)
        session = AmiSession("127.0.0.1", ami.port, "toritsugi", "right", clock=clock)
        groups = {OperatorId("301"): "booth"}
        floor = Floor(FloorRules(demands=(DEMAND,), groups=groups))
        known = floor.rules

        async def no_news(version: str) -> tuple[str, FloorRules | None]:
            return version, None

        async def keep(batch: Sequence[GuardStep]) -> None:
            if made.broken:
                raise OSError("no disk")
            made.kept += batch

        async def by_hand() -> set[str]:
            if made.broken:
                raise OSError("no disk")
            return made.by_hand

        async def offer(command: OfferCallback) -> None:
            made.offered.append(command)

        loop = FloorLoop(floor, session, clock, tell=_nothing, keep_offers=_no_offers, read_rules=no_news)
        guarding = GuardLoop(
            Guard(
                GuardRules(demands=(DEMAND,), limits_s={CARD: 60.0}, steps=steps, groups=groups, calm_s=30.0),
                Outlook(demands=known.demands),
            ),
            loop,
            session,
            clock,
            groups={"booth": "全ブース"},
            keep=keep,
            read_by_hand=by_hand,
            offer_callback=offer if callbacks else None,
        )
        made = Scene(ami, floor, guarding, clock)
        tasks = [asyncio.create_task(work) for work in (session.run(), loop.run(), guarding.run())]
        try:
            await until(lambda: loop.settled)
            yield made
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await session.close()


async def until(check: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while True:
            if check():
                return
            await asyncio.sleep(0.02)


def sent(made: Scene, name: str) -> list[Action]:
    return [action for action in made.ami.received if action["Action"] == name]


def marks(made: Scene) -> list[tuple[str, str]]:
    return [
        (action["Variable"], action["Value"])
        for action in sent(made, "Setvar")
        if action["Variable"].startswith("T_CALLED_")
    ]


def waits(made: Scene, since: float) -> None:
    made.floor.handle(CallerJoined(at=since, caller=CALLER, queue=CARD, position=1))


def signs_in(made: Scene, operator: str, queue: QueueName, paused: str | None) -> None:
    made.floor.handle(
        MemberJoined(at=990.0, operator=OperatorId(operator), queue=queue, penalty=10, paused=paused)
    )


async def test_relaxing_withdraws_with_the_word_that_the_dialplan_knows() -> None:
    async with scene(GuardStepSection(act=GuardAct.RELAX, waited_s=10)) as made:
        signs_in(made, "102", LATER, None)
        waits(made, 985.0)
        await until(lambda: sent(made, "QueueWithdrawCaller"))
        (action,) = sent(made, "QueueWithdrawCaller")
        assert (action["Queue"], action["Caller"], action["WithdrawInfo"]) == (CARD, CALLER, "relax")
        await until(lambda: made.kept)
        entry = audit_entry(made.kept[0])
        assert (entry.actor, entry.action, entry.subject) == ("engine", "guard.relax", CALLER)
        assert entry.detail["waited_s"] == 15.0


async def test_overflow_withdraws_without_a_word() -> None:
    async with scene(GuardStepSection(act=GuardAct.OVERFLOW, waited_s=10)) as made:
        waits(made, 985.0)
        await until(lambda: sent(made, "QueueWithdrawCaller"))
        assert "WithdrawInfo" not in sent(made, "QueueWithdrawCaller")[0]


async def test_calling_in_opens_who_stands_by_and_tells_the_dialplan_before_and_after() -> None:
    async with scene(GuardStepSection(act=GuardAct.CALL_IN, group="booth", waiting=0)) as made:
        await until(lambda: marks(made) == [("T_CALLED_booth", "no")])
        signs_in(made, "301", CARD, "reserve")
        waits(made, 999.0)
        await until(lambda: sent(made, "Originate"))
        opened = sent(made, "Originate")[0]
        assert opened["Channel"] == "Local/s@seat/n"
        assert opened["Variable"].split("\n") == [
            "T_SEAT=op301", "T_QUEUES=card-ja", "T_TALK=", "T_WHY=called_in",
        ]  # fmt: skip
        assert marks(made) == [("T_CALLED_booth", "no"), ("T_CALLED_booth", "yes")]
        assert made.floor.called_in == frozenset({"booth"})


async def test_a_group_called_in_by_hand_although_the_disk_breaks_stays() -> None:
    async with scene() as made:
        signs_in(made, "301", CARD, "reserve")
        made.by_hand = {"booth"}
        await until(lambda: made.floor.called_in == frozenset({"booth"}))
        await until(lambda: [step.why for step in made.kept] == ["by_hand"])
        made.broken = True
        made.clock.advance(100.0)
        await asyncio.sleep(1.2)
        assert made.floor.called_in == frozenset({"booth"})


async def test_steps_are_kept_once_the_disk_is_back() -> None:
    async with scene(GuardStepSection(act=GuardAct.ALERT, waited_s=10)) as made:
        made.broken = True
        waits(made, 985.0)
        await asyncio.sleep(1.2)
        assert made.kept == []
        made.broken = False
        await until(lambda: made.kept)
        assert [step.act for step in made.kept] == ["alert"]


async def test_a_callback_is_offered_where_the_centre_has_them_and_passed_by_where_not() -> None:
    ladder = (
        GuardStepSection(act=GuardAct.OFFER_CALLBACK, waited_s=10),
        GuardStepSection(act=GuardAct.ALERT, waited_s=10),
    )
    async with scene(*ladder, callbacks=True) as made:
        waits(made, 985.0)
        await until(lambda: made.offered)
        assert [(command.caller, command.queue) for command in made.offered] == [(CALLER, CARD)]
    async with scene(*ladder) as made:
        waits(made, 985.0)
        await until(lambda: made.kept)
        assert [step.act for step in made.kept] == ["alert"]


async def test_a_switch_that_starts_anew_is_told_again() -> None:
    async with scene() as made:
        await until(lambda: marks(made) == [("T_CALLED_booth", "no")])
        await made.ami.drop()
        await until(lambda: len(marks(made)) == 2)
