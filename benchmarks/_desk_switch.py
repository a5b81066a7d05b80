"""The switch of a trial: what it tells, and what makes it tell much at once."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping

from benchmarks._desk_delays import Due
from core.facts.dialplan import PauseReason
from telephony.ami import actions
from telephony.ami.events import AgentCalled, AgentConnect, AmiEvent, QueueMemberPause, UserEvent
from telephony.ami.session import AmiSession

BURST = "trial-burst"
CALLERS, ROUNDS, WORDS, ROUND_S = 8, 25, 9, 0.03
"""A burst: eight channels of the switch run a piece of dialplan that sends nine events, waits, and again."""
READY, RINGING, TALKING, WRAP_UP = "受付可", "呼び出し中", "応対中", "後処理"


class Sender:
    """A manager session that only sends: what comes back is read and thrown away, so that the trial itself has little
    to do in a burst."""

    def __init__(self, writer: asyncio.StreamWriter, reading: asyncio.Task[None]) -> None:
        self._writer, self._reading = writer, reading

    @classmethod
    async def open(cls, port: int, secret: str) -> Sender:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.readline()
        login = {"Action": "Login", "Username": "toritsugi", "Secret": secret, "Events": "off"}
        writer.write(_frame(login))
        answer = await reader.readuntil(b"\r\n\r\n")
        if b"Response: Success" not in answer:
            raise RuntimeError(f"no second manager session: {answer!r}")

        async def read() -> None:
            while await reader.read(65536):
                pass

        return cls(writer, asyncio.create_task(read()))

    def send(self, action: Mapping[str, str]) -> None:
        self._writer.write(_frame(action))

    def close(self) -> None:
        self._reading.cancel()
        self._writer.close()


def _frame(action: Mapping[str, str]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in action.items()).encode() + b"\r\n"


class Listener:
    """The trial's own ear at the switch: what every operator's state should be on screens, and since when."""

    def __init__(self, ami: AmiSession, breaks: Mapping[str, str]) -> None:
        self._ami, self._breaks = ami, breaks
        self._state: dict[str, str] = {}
        self.due: list[Due] = []
        self.seconds: defaultdict[int, int] = defaultdict(int)
        """Events by tenth of a second."""

    async def run(self) -> None:
        while True:
            event = await self._ami.events.get()
            self.seconds[int(event.at * 10)] += 1
            if isinstance(event, UserEvent):
                continue
            operator, label = self._said(event)
            if operator and label and self._state.get(operator) != label:
                self._state[operator] = label
                self.due.append(Due(operator, label, event.at))

    def _said(self, event: AmiEvent) -> tuple[str, str]:
        match event:
            case AgentCalled():
                return event.member.removeprefix("op"), RINGING
            case AgentConnect():
                return event.member.removeprefix("op"), TALKING
            case QueueMemberPause():
                operator = event.member.removeprefix("op")
                if not event.paused:
                    return operator, READY
                words = {PauseReason.TALKING.value: TALKING, PauseReason.WRAP_UP.value: WRAP_UP}
                return operator, words.get(event.paused_reason) or self._breaks.get(event.paused_reason, "")
        return "", ""

    def busiest(self) -> int:
        """The most events in any one second."""
        return max(
            (sum(self.seconds[tenth + n] for n in range(10)) for tenth in list(self.seconds)), default=0
        )


async def teach_burst(ami: AmiSession) -> None:
    """The piece of dialplan that a burst runs: an action of the manager for each event would end at about 1,700 events
    a second."""
    steps = ["Set(rounds=0)", *(["UserEvent(Load,Number:${EXTEN})"] * WORDS), "Set(rounds=$[${rounds}+1])",
             f"Wait({ROUND_S})", f"GotoIf($[${{rounds}}<{ROUNDS}]?2)", "Hangup()"]  # fmt: skip
    for place, step in enumerate(steps, start=1):
        said = await actions.command(ami, f"dialplan add extension _X,{place},{step} into {BURST}")
        if not any("added" in line for line in said):
            raise RuntimeError(f"the switch does not take {step}: {said}")
