"""Commands on a scripted switch: an answer and an audit line for each, whatever the switch does; and long calls."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from acd.command_rules import CentreFacts
from acd.commands import Act, Asker, Command, Outcome, Role
from acd.long_call_profile import LongCallSection
from acd.view import FloorView, Load, Seat
from core.clock import ManualClock
from core.errors import ToritsugiError
from core.ids import OperatorId
from runtime.commanding import CommandDesk
from runtime.long_calls import LongCalls
from services.ports import AuditEntry
from telephony.ami.errors import AmiDisconnected
from telephony.ami.events import OriginateResponse
from telephony.ami.session import AmiResponse

pytestmark = pytest.mark.unit
AOKI = Asker(name="青木", role=Role.OPERATOR, operator=OperatorId("101"))
SATO = Asker(name="佐藤", role=Role.SUPERVISOR, operator=OperatorId("301"))
FACTS = CentreFacts(
    departments=frozenset({"701"}),
    lines=frozenset(),
    pauses={"break1": "休憩"},
    operators=frozenset({OperatorId("101"), OperatorId("301")}),
    supervisors=frozenset({OperatorId("301")}),
)
LEG, CITIZEN, CALL = "PJSIP/op101-1", "PJSIP/trunk-1", "c-n1-1.0"


class Switch:
    """Operator 101 talks with a citizen; what keys do is up to the test."""

    def __init__(self) -> None:
        self.globals = {
            "T_STATE_op101": "talking", "T_CALL_op101": CALL, "T_LEG_op101": LEG, "T_CITIZEN_op101": CITIZEN,
        }  # fmt: skip
        self.variables: dict[str, str] = {}
        self.spying = False
        self.keys = ""
        self.did: list[tuple[str, dict[str, str]]] = []
        self.deaf = False
        self.gone = False
        self.asked = asyncio.Event()

    async def action(
        self, name: str, /, *, timeout: float | None = None, **headers: str | Sequence[str]
    ) -> AmiResponse:
        if self.gone:
            raise AmiDisconnected("Asterisk への管理接続 (AMI) がありません")
        plain = {key: str(value) for key, value in headers.items()}
        match name:
            case "Getvar" if "Channel" in plain:
                return reply(value=self.variables.get(plain["Variable"], ""))
            case "Getvar":
                return reply(value=self.globals.get(plain["Variable"], ""))
            case "Setvar":
                self.variables[plain["Variable"]] = plain["Value"]
                return reply()
            case "CoreShowChannels":
                return AmiResponse(success=True, message="", fields={}, events=self._rows())
        self.did.append((name, plain))
        self.asked.set()
        if name == "PlayDTMF":
            self.keys += plain["Digit"]
            if self.keys.endswith("*9") and not self.deaf:
                self.variables["T_WARNED"] = str(int(self.variables.get("T_WARNED", "0")) + 1)
        if name == "BlindTransfer" and not self.deaf:
            self.globals["T_STATE_op101"] = "wrapup"
        if name == "Originate" and plain["Context"] == "supervise":
            self.spying = True
        return reply(actionid="a-1")

    def _rows(self) -> list[dict[str, str]]:
        legs = [(LEG, "AppQueue", CALL), (CITIZEN, "Queue", CALL)]
        if self.spying:
            legs.append(("PJSIP/op301-2", "ChanSpy", ""))
        return [
            {
                "event": "CoreShowChannel", "channel": channel, "uniqueid": "n1-1.0", "linkedid": "n1-1.0",
                "accountcode": account, "context": "", "exten": "", "channelstatedesc": "Up",
                "application": application, "bridgeid": "b" if application != "ChanSpy" else "", "duration": "0",
            }
            for channel, application, account in legs
        ]  # fmt: skip


def reply(**fields: str) -> AmiResponse:
    return AmiResponse(success=True, message="", fields=fields)


@dataclass
class Scene:
    switch: Switch = field(default_factory=Switch)
    audit: list[AuditEntry] = field(default_factory=list)
    centre: list[Command] = field(default_factory=list)
    clock: ManualClock = field(default_factory=lambda: ManualClock(1000.0))

    def desk(self) -> CommandDesk:
        async def facts() -> CentreFacts:
            return FACTS

        async def keep(entry: AuditEntry) -> None:
            self.audit.append(entry)

        async def centre(command: Command) -> None:
            if command.to == "unknown":
                raise ToritsugiError("ない文言です: unknown")
            self.centre.append(command)

        return CommandDesk(
            ami=self.switch, clock=self.clock, facts=facts, audit=keep, centre=centre, skills=centre,
            within_s=0.3, ring_s=0.0,
        )  # fmt: skip


def ask(act: Act, asker: Asker = AOKI, to: str = "") -> Command:
    return Command(act=act, asker=asker, operator=OperatorId("101"), to=to)


async def test_done_and_noted() -> None:
    scene = Scene()
    answer = await scene.desk().do(ask(Act.TRANSFER, to="701"))
    assert (answer.outcome, answer.call) == (Outcome.DONE, CALL)
    assert scene.switch.did == [
        ("BlindTransfer", {"Channel": LEG, "Context": "operator-transfer", "Exten": "701"})
    ]
    (entry,) = scene.audit
    assert (entry.actor, entry.action, entry.subject) == ("青木", "call.transfer", "101")
    assert entry.detail == {
        "role": "operator",
        "outcome": "done",
        "telephone": "101",
        "to": "701",
        "call": CALL,
    }


async def test_refused_touches_nothing_and_is_noted() -> None:
    scene = Scene()
    for command in (ask(Act.TRANSFER, to="0312345678"), ask(Act.TAKE_OVER), ask(Act.JOIN)):
        assert (await scene.desk().do(command)).outcome is Outcome.REFUSED
    assert scene.switch.did == []
    assert [entry.detail["outcome"] for entry in scene.audit] == ["refused"] * 3
    assert all(entry.detail["text"] for entry in scene.audit)


async def test_no_effect_in_time_is_told_as_such() -> None:
    scene = Scene()
    scene.switch.deaf = True
    answer = await scene.desk().do(ask(Act.WARN))
    assert answer.outcome is Outcome.TIMED_OUT
    assert scene.switch.keys == "*9"
    assert scene.switch.variables["T_WARNED_BY"] == "", (
        "the operator's own key would be told as somebody else's"
    )


async def test_a_switch_that_cannot_be_asked_is_told() -> None:
    scene = Scene()
    scene.switch.gone = True
    answer = await scene.desk().do(ask(Act.TRANSFER, to="701"))
    assert answer.outcome is Outcome.SWITCH_REFUSED
    assert "AMI" in answer.text
    assert scene.audit[0].detail["outcome"] == "switch_refused"


async def test_a_question_leaves_no_extension_behind_for_the_next_key() -> None:
    scene = Scene()
    scene.switch.deaf = True
    await scene.desk().do(ask(Act.CONSULT, to="701"))
    assert scene.switch.keys == "*8"
    assert scene.switch.variables["TRANSFER_EXTEN"] == ""


async def test_two_commands_for_one_operator_come_one_after_the_other() -> None:
    scene = Scene()
    desk = scene.desk()
    first, second = await asyncio.gather(
        desk.do(ask(Act.TRANSFER, to="701")), desk.do(ask(Act.TRANSFER, to="701"))
    )
    assert (first.outcome, second.outcome) == (Outcome.DONE, Outcome.REFUSED)
    assert len(scene.switch.did) == 1


async def test_a_supervisors_telephone_rings_and_listens() -> None:
    scene = Scene()
    desk = scene.desk()
    listening = asyncio.create_task(desk.do(ask(Act.LISTEN, SATO)))
    await scene.switch.asked.wait()
    await asyncio.sleep(0)  # the desk waits for the telephone by now
    desk.hear(
        OriginateResponse(
            at=0.0, action_id="a-1", success=True, channel="PJSIP/op301-2", uniqueid="x", reason=4
        )
    )
    assert (await listening).outcome is Outcome.DONE
    (rung,) = scene.switch.did
    assert (rung[1]["Channel"], rung[1]["Context"], rung[1]["Exten"]) == ("PJSIP/op301", "supervise", "1101")
    assert (await desk.do(ask(Act.BARGE, SATO))).outcome is Outcome.REFUSED, "they listen already"


async def test_a_supervisors_telephone_that_nobody_takes() -> None:
    scene = Scene()
    desk = scene.desk()
    listening = asyncio.create_task(desk.do(ask(Act.LISTEN, SATO)))
    await scene.switch.asked.wait()
    await asyncio.sleep(0)  # the desk waits for the telephone by now
    desk.hear(OriginateResponse(at=0.0, action_id="a-1", success=False, channel="", uniqueid="", reason=0))
    answer = await listening
    assert (answer.outcome, "監督者の電話" in answer.text) == (Outcome.TIMED_OUT, True)


async def test_the_centre_is_switched_without_the_switch() -> None:
    scene = Scene()
    scene.switch.gone = True
    city = Asker(name="市民課", role=Role.CITY)
    assert (await scene.desk().do(Command(act=Act.CLOSE, asker=city, reason="停電"))).outcome is Outcome.DONE
    assert (
        await scene.desk().do(Command(act=Act.CLOSE, asker=city, to="unknown"))
    ).outcome is Outcome.REFUSED
    assert [command.reason for command in scene.centre] == ["停電"]
    assert [(entry.action, entry.subject) for entry in scene.audit] == [("centre.close", "centre")] * 2


# ---- long calls ------------------------------------------------------------------------------------


def long_calls(scene: Scene, talked_s: float, **rules: object) -> LongCalls:
    seat = Seat(
        operator=OperatorId("101"), state="talking", since=scene.clock.epoch() - talked_s, queues={},
        load=Load(calls=1, handled_s=0.0, available_s=0.0), last_ended_at=0.0,
    )  # fmt: skip
    view = FloorView(at=scene.clock.epoch(), seats=(seat,), callers=(), handling_s={})
    return LongCalls(
        rules=LongCallSection.model_validate(rules), ami=scene.switch, desk=scene.desk(), view=lambda: view,
        connected=lambda: True,
    )  # fmt: skip


async def test_each_sentence_is_said_once_when_its_time_has_come() -> None:
    scene = Scene()
    rules = {"after_min": [10, 20]}
    await long_calls(scene, 599.0, **rules).look()
    assert scene.switch.keys == ""
    await long_calls(scene, 601.0, **rules).look()
    # Another engine, some seconds later: the switch knows what has been said.
    await long_calls(scene, 660.0, **rules).look()
    assert scene.switch.keys == "*9"
    assert scene.switch.variables["T_WARNED_BY"] == "自動"
    await long_calls(scene, 1201.0, **rules).look()
    assert scene.switch.keys == "*9*9"
    assert not [name for name, _headers in scene.switch.did if name != "PlayDTMF"], (
        "nothing ends a call by itself"
    )


async def test_without_a_rule_nothing_is_said_by_itself() -> None:
    scene = Scene()
    await long_calls(scene, 9000.0).look()
    assert scene.switch.did == []


@pytest.mark.parametrize("known_by", ["number", "mark"])
async def test_a_relay_call_is_spared(known_by: str) -> None:
    scene = Scene()
    scene.switch.variables["T_CALLER"] = "05012345678"
    if known_by == "mark":
        scene.switch.globals["T_RELAY_op101"] = CALL
    watching = long_calls(
        scene, 9000.0, after_min=[10], relay=["050-1234"] if known_by == "number" else ["050-9999"]
    )
    await watching.look()
    assert scene.switch.did == []
    assert watching.relay == {OperatorId("101")}


async def test_the_mark_is_the_calls_and_not_the_seats() -> None:
    scene = Scene()
    scene.switch.globals["T_RELAY_op101"] = "c-n1-0.9"
    watching = long_calls(scene, 9000.0, after_min=[10])
    await watching.look()
    assert (scene.switch.keys, watching.relay) == ("*9", frozenset())
