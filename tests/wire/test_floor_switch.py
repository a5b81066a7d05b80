"""The floor's loop on a scripted Manager Interface: what it sends, in which order, and what it takes for done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from ami_fake import Action, Answer, FakeAmi, message, success

from acd.demand import Demand, Stage
from acd.events import (
    AddToQueue,
    ExplainOffer,
    HoldBack,
    MakeReady,
    OfferMade,
    RemoveFromQueue,
    SetOrder,
    TellWaiting,
)
from acd.floor import Floor
from acd.rules import FloorRules
from core.clock import SystemClock
from core.ids import LineId, OperatorId, QueueName
from runtime.floor_loop import FloorLoop
from telephony.ami.errors import AmiError
from telephony.ami.floor import SwitchCommand, carry_out
from telephony.ami.session import AmiSession, AmiTiming

pytestmark = pytest.mark.wire

QUICK = AmiTiming(connect=2, action=2, ping_every=5, booted=2, retry_first=0.02, retry_last=0.05)
ONE, TWO = OperatorId("101"), OperatorId("102")
CARD, CARD_2 = QueueName("card-ja"), QueueName("card_2-ja")
DEMAND = Demand(
    line=LineId("card"),
    language="ja",
    priority=0,
    wait_limit_s=300.0,
    stages=(
        Stage(queue=CARD, after_s=0.0, least={"card": 3}),
        Stage(queue=CARD_2, after_s=60.0, least={"card": 1}),
    ),
)
RULES = FloorRules(demands=(DEMAND,), skills={ONE: {"card": 3}, TWO: {"card": 1}})


def member_row(action: Action, operator: OperatorId, queue: QueueName, **changes: str) -> str:
    fields = {
        "Queue": queue, "Name": f"op{operator}", "Location": f"PJSIP/op{operator}", "Penalty": "10",
        "CallsTaken": "0", "LastCall": "0", "LastPause": "0", "LoginTime": "0", "InCall": "0", "Status": "1",
        "Paused": "0", "PausedReason": "", "StateInterface": f"PJSIP/op{operator}", "Membership": "dynamic",
        "Wrapuptime": "0",
    }  # fmt: skip
    return message(Event="QueueMember", ActionID=action["ActionID"], **{**fields, **changes})


def entry_row(action: Action, channel: str, queue: QueueName, wait_s: int) -> str:
    return message(
        Event="QueueEntry", ActionID=action["ActionID"], Queue=queue, Position="1", Channel=channel,
        Uniqueid="n1-1.1", CallerIDNum="", CallerIDName="", ConnectedLineNum="", ConnectedLineName="",
        Wait=str(wait_s), Priority="0",
    )  # fmt: skip


def snapshot(
    *rows: tuple[OperatorId, QueueName], entries: Sequence[tuple[str, QueueName, int]] = ()
) -> Answer:
    def answer(action: Action) -> str:
        return "".join(
            [
                message(Response="Success", ActionID=action["ActionID"], EventList="start"),
                *(member_row(action, operator, queue) for operator, queue in rows),
                *(entry_row(action, channel, queue, wait) for channel, queue, wait in entries),
                message(Event="QueueStatusComplete", ActionID=action["ActionID"], EventList="Complete"),
            ]
        )

    return answer


@dataclass
class Loop:
    """A running loop with what it handed on."""

    ami: FakeAmi
    floor: Floor
    told: list[TellWaiting] = field(default_factory=list)
    kept: list[ExplainOffer] = field(default_factory=list)
    broken: int = 0
    """Times that storing still fails."""
    rules: dict[str, FloorRules] = field(default_factory=dict)
    running: FloorLoop | None = None

    async def tell(self, command: TellWaiting) -> None:
        self.told.append(command)

    async def keep(self, offers: Sequence[ExplainOffer]) -> None:
        if self.broken:
            self.broken -= 1
            raise OSError("the database is away")
        self.kept.extend(offers)

    async def read(self, known: str) -> tuple[str, FloorRules | None]:
        newest = max(self.rules, default=known)
        return newest, self.rules[newest] if newest != known and self.rules else None

    def sent(self, name: str) -> list[Action]:
        return [action for action in self.ami.received if action.get("Action") == name]


@asynccontextmanager
async def loop_on(ami: FakeAmi, rules: FloorRules = RULES) -> AsyncIterator[Loop]:
    for name in (
        "QueuePenalty",
        "QueuePause",
        "QueueAdd",
        "QueueRemove",
        "Originate",
        "Setvar",
        "PJSIPQualify",
    ):
        ami.on(name, success)
    session = AmiSession("127.0.0.1", ami.port, "u", "right", timing=QUICK)
    loop = Loop(ami, Floor(rules))
    loop.running = FloorLoop(
        loop.floor, session, SystemClock(), tell=loop.tell, keep_offers=loop.keep, read_rules=loop.read
    )
    connecting = asyncio.create_task(session.run())
    running = asyncio.create_task(loop.running.run())
    try:
        yield loop
    finally:
        for task in (running, connecting):
            task.cancel()
        await asyncio.gather(running, connecting, return_exceptions=True)
        await session.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the floor offers no event for these
            await asyncio.sleep(0.01)


# ---- one command, one action ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "headers"),
    [
        (
            HoldBack(operator=ONE, reason="missed"),
            {"Action": "QueuePause", "Interface": "PJSIP/op101", "Paused": "true", "Reason": "missed"},
        ),
        (
            SetOrder(operator=ONE, penalty=30, version=4),
            {"Action": "QueuePenalty", "Interface": "PJSIP/op101", "Penalty": "30"},
        ),
        (
            AddToQueue(operator=ONE, queue=CARD, penalty=30),
            {
                "Action": "QueueAdd", "Queue": "card-ja", "Interface": "PJSIP/op101", "MemberName": "op101",
                "Penalty": "30", "Paused": "true", "Reason": "added",
            },
        ),
        (
            RemoveFromQueue(operator=ONE, queue=CARD),
            {"Action": "QueueRemove", "Queue": "card-ja", "Interface": "PJSIP/op101"},
        ),
        (
            MakeReady(operator=ONE, queues=(CARD, CARD_2), talk="n1-1.7", why="wrapup_over"),
            {"Action": "Originate", "Channel": "Local/s@seat/n", "Context": "seat", "Exten": "s"},
        ),
    ],
)  # fmt: skip
async def test_each_command_is_one_action(command: SwitchCommand, headers: dict[str, str]) -> None:
    async with FakeAmi() as ami:
        ami.on(headers["Action"], success)
        session = AmiSession("127.0.0.1", ami.port, "u", "right", timing=QUICK)
        await session.connect(timeout=5)
        assert await carry_out(session, command)
        (sent,) = (action for action in ami.received if action["Action"] == headers["Action"])
        assert headers.items() <= sent.items()
        assert "Queue" in headers or "Queue" not in sent, "for one queue only"
        ami.on(
            headers["Action"],
            lambda action: message(Response="Error", ActionID=action["ActionID"], Message="no such member"),
        )
        assert not await carry_out(session, command)
        await session.close()


async def test_the_locked_context_is_given_its_four_words() -> None:
    async with FakeAmi() as ami:
        ami.on("Originate", success)
        session = AmiSession("127.0.0.1", ami.port, "u", "right", timing=QUICK)
        await session.connect(timeout=5)
        await carry_out(
            session, MakeReady(operator=ONE, queues=(CARD, CARD_2), talk="n1-1.7", why="no_offer")
        )
        await carry_out(session, MakeReady(operator=TWO, queues=(), talk="", why="wrapup_over"))
        first, second = (action["Variable"].split("\n") for action in ami.received if "Variable" in action)
        assert first == ["T_SEAT=op101", "T_QUEUES=card-ja&card_2-ja", "T_TALK=n1-1.7", "T_WHY=no_offer"]
        assert second == ["T_SEAT=op102", "T_QUEUES=", "T_TALK=", "T_WHY=wrapup_over"]
        await session.close()


async def test_a_command_on_a_lost_session_is_told_to_the_caller() -> None:
    session = AmiSession("127.0.0.1", 1, "u", "right", timing=QUICK)
    with pytest.raises(AmiError):
        await carry_out(session, SetOrder(operator=ONE, penalty=10, version=1))


# ---- the loop -------------------------------------------------------------------------------------------


async def test_a_login_brings_the_floor_and_the_order() -> None:
    async with FakeAmi() as ami:
        ami.on("QueueStatus", snapshot((ONE, CARD), (ONE, CARD_2), (TWO, CARD_2)))
        async with loop_on(ami) as loop:
            await until(lambda: loop.floor.order.held == loop.floor.order.version > 0)
            assert {op: set(member.queues) for op, member in loop.floor.members.items()} == {
                ONE: {CARD, CARD_2},
                TWO: {CARD_2},
            }
            last = {action["Interface"]: action["Penalty"] for action in loop.sent("QueuePenalty")}
            held = {f"PJSIP/op{op}": str(member.penalty) for op, member in loop.floor.members.items()}
            assert held == {"PJSIP/op101": "10", **last}
            assert loop.sent("Setvar")[0]["Variable"] == "TORITSUGI_BEAT"
            assert {action["Endpoint"] for action in loop.sent("PJSIPQualify")} == {"op101", "op102"}


async def test_an_order_is_held_only_when_the_switch_has_said_so_for_every_operator() -> None:
    async with FakeAmi() as ami:
        ami.on("QueueStatus", snapshot((ONE, CARD), (ONE, CARD_2), (TWO, CARD_2)))
        async with loop_on(ami) as loop:
            await until(lambda: loop.floor.order.held == loop.floor.order.version > 0)
            ami.silent("QueuePenalty")
            assert loop.running is not None
            before, version = len(loop.sent("QueuePenalty")), loop.floor.order.version + 1
            loop.running.do([SetOrder(operator=op, penalty=50, version=version) for op in (ONE, TWO)])
            await until(lambda: len(loop.sent("QueuePenalty")) == before + 2)
            one, two = loop.sent("QueuePenalty")[-2:]
            assert (one["Interface"], two["Interface"]) == ("PJSIP/op101", "PJSIP/op102")
            await ami.send(success(two))
            await asyncio.sleep(0.05)
            assert loop.floor.order.held < version
            await ami.send(success(one))
            await until(lambda: loop.floor.order.held == version)


async def test_a_slow_switch_delays_no_event() -> None:
    async with FakeAmi() as ami:
        ami.on("QueueStatus", snapshot((ONE, CARD), (ONE, CARD_2)))
        async with loop_on(ami) as loop:
            await until(lambda: ONE in loop.floor.members)
            for name in ("QueuePause", "Originate", "QueuePenalty"):
                ami.silent(name)
            assert loop.running is not None
            loop.running.do([HoldBack(operator=ONE, reason="missed")])
            await until(lambda: loop.sent("QueuePause"))
            await ami.send(
                message(
                    Event="QueueCallerJoin", Queue=CARD, Channel="PJSIP/trunk-1", Uniqueid="n1-1.1",
                    Linkedid="n1-1.1", AccountCode="c-n1-1.1", Position="1", Count="1",
                )
            )  # fmt: skip
            await until(lambda: "PJSIP/trunk-1" in loop.floor.waiting)


async def test_who_is_in_a_queue_they_may_not_serve_is_added_first_and_then_removed() -> None:
    async with FakeAmi() as ami:
        ami.on("QueueStatus", snapshot((TWO, CARD)))
        async with loop_on(ami) as loop:
            await until(lambda: loop.sent("QueueRemove"))
            changes = [action for action in ami.received if action["Action"] in ("QueueAdd", "QueueRemove")]
            assert [(action["Action"], action["Queue"]) for action in changes[:2]] == [
                ("QueueAdd", "card_2-ja"),
                ("QueueRemove", "card-ja"),
            ]
            assert changes[0]["Paused"] == "true"


async def test_new_skills_reach_the_switch_while_it_runs() -> None:
    async with FakeAmi() as ami:
        ami.on("QueueStatus", snapshot((ONE, CARD), (ONE, CARD_2), (TWO, CARD_2)))
        async with loop_on(ami) as loop:
            await until(lambda: TWO in loop.floor.members)
            loop.rules["2"] = FloorRules(demands=(DEMAND,), skills={ONE: {"card": 1}, TWO: {"card": 4}})
            await until(lambda: loop.sent("QueueAdd") and loop.sent("QueueRemove"))
            (added,), (removed,) = loop.sent("QueueAdd")[:1], loop.sent("QueueRemove")[:1]
            assert (added["Queue"], added["Interface"]) == ("card-ja", "PJSIP/op102")
            assert (removed["Queue"], removed["Interface"]) == ("card-ja", "PJSIP/op101")


async def test_rules_that_cannot_be_read_leave_what_holds(caplog: pytest.LogCaptureFixture) -> None:
    async with FakeAmi() as ami:
        ami.on("QueueStatus", snapshot((ONE, CARD), (ONE, CARD_2)))
        async with loop_on(ami) as loop:
            assert loop.running is not None

            async def broken(known: str) -> tuple[str, FloorRules | None]:
                raise OSError("the database is away")

            loop.running._read_rules = broken
            await until(lambda: "could not be read" in caplog.text)
            assert loop.floor.rules is RULES
            loop.running._read_rules = loop.read
            loop.rules["2"] = FloorRules(demands=(DEMAND,), skills={ONE: {"card": 1}})
            await until(lambda: loop.floor.rules is loop.rules["2"])


async def test_the_first_entry_is_asked_of_the_channel() -> None:
    async with FakeAmi() as ami:
        ami.on(
            "QueueStatus", snapshot((ONE, CARD), entries=[("PJSIP/t-1", CARD_2, 5), ("PJSIP/t-2", CARD, 7)])
        )
        known = {"PJSIP/t-1": "1000.5", "PJSIP/t-2": ""}
        ami.on("Getvar", lambda action: success(action, Variable="T_ENTERED", Value=known[action["Channel"]]))
        async with loop_on(ami) as loop:
            await until(lambda: len(loop.floor.waiting) == 2)
            assert {action["Variable"] for action in loop.sent("Getvar")} == {"T_ENTERED"}
            assert loop.floor.waiting["PJSIP/t-1"].joined_at == 1000.5
            waited = SystemClock().epoch() - loop.floor.waiting["PJSIP/t-2"].joined_at
            assert 7 <= waited < 12


async def test_reasons_are_kept_in_order_and_again_after_a_failure() -> None:
    async with FakeAmi() as ami:
        ami.on("QueueStatus", snapshot((ONE, CARD), (ONE, CARD_2), (TWO, CARD_2)))
        async with loop_on(ami) as loop:
            await until(lambda: TWO in loop.floor.members)
            loop.broken = 2
            assert loop.running is not None
            for at, operator in ((1.0, ONE), (2.0, TWO)):
                made = OfferMade(at=at, operator=operator, queue=CARD_2, caller=f"c{operator}")
                loop.running.do(loop.floor.handle(made))
            await until(lambda: len(loop.kept) == 2)
            assert [offer.at for offer in loop.kept] == [1.0, 2.0]


async def test_a_late_word_about_an_order_from_before_a_snapshot_is_nothing() -> None:
    async with FakeAmi() as ami:
        ami.on("QueueStatus", snapshot((ONE, CARD), (ONE, CARD_2)))
        async with loop_on(ami) as loop:
            await until(lambda: ONE in loop.floor.members)
            ami.silent("QueuePenalty")
            assert loop.running is not None
            loop.running.do([SetOrder(operator=ONE, penalty=50, version=77)])
            await until(lambda: loop.sent("QueuePenalty"))
            late = loop.sent("QueuePenalty")[-1]
            await ami.send(message(Event="FullyBooted", Uptime="9"))
            await until(lambda: len(loop.sent("QueueStatus")) == 2)
            await ami.send(success(late))
            await asyncio.sleep(0.1)
            assert loop.floor.order.held < 77
