"""Builders of facts for tests: one citizen's call told in few words."""

from __future__ import annotations

from typing import Any

from core.ids import CallId, OperatorId, QueueName, Uniqueid, call_id_of
from core.phone import Caller, CallerKind
from ledger import facts as f

T0 = 1_764_000_000.0
CITIZEN = "PJSIP/trunk-00000001"
UNIQUEID = Uniqueid("n1-1764000000.1")
CALL = call_id_of(UNIQUEID)
QUEUE = QueueName("booking-ja")


class Teller:
    """Collects facts; times are seconds after `T0`."""

    def __init__(self, uniqueid: str = UNIQUEID, channel: str = CITIZEN, start: float = 0.0) -> None:
        self.uniqueid = Uniqueid(uniqueid)
        self.call: CallId = call_id_of(self.uniqueid)
        self.channel = channel
        self.start = start
        self.facts: list[f.Fact] = []
        self._offsets = {"cel:1": int(start * 1000) * 100, "queue_log:2": int(start * 1000) * 100}

    def _add(self, kind: type[f.Fact], at: float, file: str, **values: Any) -> Teller:
        values.setdefault("call", self.call)
        moment = T0 + self.start + at
        if file == "queue_log:2":
            moment = float(int(moment))
        self._offsets[file] += 100
        source = f.Source(node="n1", file=file, offset=self._offsets[file])
        self.facts.append(kind(at=moment, source=source, **values))
        return self

    def cel(self, kind: type[f.Fact], at: float, **values: Any) -> Teller:
        return self._add(kind, at, "cel:1", **values)

    def log(self, kind: type[f.Fact], at: float, **values: Any) -> Teller:
        return self._add(kind, at, "queue_log:2", **values)

    def arrived(self, at: float = 0.0, **values: Any) -> Teller:
        values = {
            "channel": self.channel,
            "sip_call_id": f"sip-{self.uniqueid}@city",
            "dialled": "0598000000",
            "caller": Caller(CallerKind.NUMBER, "09012345678"),
            "diverted_from": None,
            **values,
        }
        self.cel(f.Arrived, at, **values)
        self.cel(f.Answered, at + 0.1)
        return self.cel(f.RecordingStarted, at + 0.11, base=str(self.call))

    def joined(self, at: float, queue: str = QUEUE, line: str = "booking", language: str = "ja") -> Teller:
        self.cel(f.JoinedQueue, at, queue=QueueName(queue), line=line, language=language)
        return self.log(f.EnteredQueue, at + 0.01, queue=QueueName(queue))

    def left(self, at: float, how: f.QueueExit, queue: str = QUEUE, cel: bool = True) -> Teller:
        self.log(f.LeftQueue, at, queue=QueueName(queue), how=how)
        return self.cel(f.LeftQueue, at + 0.02, queue=QueueName(queue), how=how) if cel else self

    def connected(self, at: float, operator: str = "101", ring: float = 2.0, leg: str = "2") -> Teller:
        channel = Uniqueid(f"{self.uniqueid}-{leg}")
        op = OperatorId(operator)
        self.log(f.OperatorPaused, at, call=None, operator=op, reason="talking", queue=None)
        self.cel(f.Connected, at, queue=None, operator=op, exact=True, member_channel=channel)
        self.log(
            f.Connected,
            at + 0.01,
            queue=QUEUE,
            operator=op,
            exact=False,
            ring_s=ring,
            member_channel=channel,
        )
        self.cel(f.LegJoined, at + 0.05, channel=f"PJSIP/op{operator}-{leg}", uniqueid=channel, bridge="b")
        return self.cel(f.LegJoined, at + 0.06, channel=self.channel, uniqueid=self.uniqueid, bridge="b")

    def parted(
        self, at: float, operator: str = "101", how: str = "COMPLETEAGENT", leg: str = "2", talk: float = 0
    ) -> Teller:
        channel = Uniqueid(f"{self.uniqueid}-{leg}")
        self.cel(f.LegLeft, at, channel=f"PJSIP/op{operator}-{leg}", uniqueid=channel, bridge="b")
        return self.log(f.Served, at, queue=QUEUE, operator=OperatorId(operator), how=how, talk_s=talk)

    def hung_up(self, at: float, by: str | None = None, cause: int = 16) -> Teller:
        return self.cel(
            f.HungUp,
            at,
            channel=self.channel,
            uniqueid=self.uniqueid,
            cause=cause,
            by_channel=self.channel if by is None else by,
        )

    def wrapped_up(self, began: float, ended: float, operator: str = "101") -> Teller:
        op = OperatorId(operator)
        self.log(f.OperatorUnpaused, began, call=None, operator=op, reason="talking", queue=None)
        self.log(f.OperatorPaused, began, call=None, operator=op, reason="wrapup", queue=None)
        return self.log(f.OperatorUnpaused, ended, call=None, operator=op, reason="wrapup", queue=QUEUE)

    def restarted(self, at: float) -> Teller:
        return self.log(f.SwitchStarted, at, call=None)


def answered_call(**values: Any) -> Teller:
    """Arrives at 0, queues at 10.25, talks from 22.75 to 82.75, wrap-up until 95; the operator hangs up."""
    teller = Teller(**values).arrived().joined(10.25).connected(22.75).parted(82.75)
    return teller.hung_up(82.8, by="PJSIP/op101-2").wrapped_up(82.9, 95)
