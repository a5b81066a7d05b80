"""Seeded weeks of a centre, told as facts and folded by the ledger: for the reports that need operators' time."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from core.clock import TOKYO
from core.ids import CallId, OperatorId, QueueName, Uniqueid, call_id_of
from core.phone import Caller, CallerKind
from ledger import facts as f
from ledger.calls import Call
from ledger.fold import fold_calls
from ledger.presence import Presence, presences


def moment(day: date, hour: float) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=TOKYO).timestamp() + 3600.0 * hour


@dataclass
class Centre:
    """Collects the facts of a centre's days. Times are epoch seconds."""

    seed: int
    facts: list[f.Fact] = field(default_factory=list)
    number: int = 0

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    def _add(self, kind: type[f.Fact], at: float, call: CallId | None, file: str, **values: object) -> None:
        source = f.Source(node="n1", file=file, offset=100 * len(self.facts))
        self.facts.append(
            kind(at=at if file == "cel:1" else float(int(at)), source=source, call=call, **values)
        )

    def _log(self, kind: type[f.Fact], at: float, call: CallId | None = None, **values: object) -> None:
        self._add(kind, at, call, "queue_log:2", **values)

    def _cel(self, kind: type[f.Fact], at: float, call: CallId | None = None, **values: object) -> None:
        self._add(kind, at, call, "cel:1", **values)

    def shift(
        self,
        operator: str,
        day: date,
        begin: float,
        end: float,
        *queues: str,
        breaks: Mapping[float, float] | None = None,
    ) -> None:
        """An operator's day in hours; `breaks` from their beginning to their end."""
        op = OperatorId(operator)
        for queue in queues:
            self._log(f.OperatorSignedIn, moment(day, begin), operator=op, queue=QueueName(queue))
        for start, stop in (breaks or {}).items():
            self._log(f.OperatorPaused, moment(day, start), operator=op, reason="break1", queue=None)
            self._log(f.OperatorUnpaused, moment(day, stop), operator=op, reason="ready", queue=None)
        for queue in queues:
            self._log(f.OperatorSignedOut, moment(day, end), operator=op, queue=QueueName(queue))

    def call(
        self,
        at: float,
        queue: str,
        *,
        operator: str | None = None,
        wait: float = 10.0,
        talk: float = 180.0,
        wrap: float = 20.0,
        missed: tuple[str, ...] = (),
        overflow: str = "",
        ends: bool = True,
    ) -> CallId:
        """One call; without an operator it gives up after `wait`, or ends in the overflow announcement."""
        self.number += 1
        uniqueid = Uniqueid(f"n1-{int(at)}.{self.number}")
        call, channel = call_id_of(uniqueid), f"PJSIP/trunk-{self.number:08x}"
        name, line = QueueName(queue), queue.partition("-")[0].partition("_")[0]
        self._cel(
            f.Arrived, at, call, channel=channel, sip_call_id=f"s{self.number}", dialled="0598000000",
            caller=Caller(CallerKind.NUMBER, "09012345678"), diverted_from=None,
        )  # fmt: skip
        self._cel(f.JoinedQueue, at + 10, call, queue=name, line=line, language=queue.rpartition("-")[2])
        queued = at + 10
        for place, each in enumerate(missed):
            op = OperatorId(each)
            self._log(f.OfferMissed, queued + 8 * (place + 1), call, queue=name, operator=op, ring_s=5.0)
        if operator is None:
            end = queued + wait
            if overflow:
                self._cel(f.Overflowed, end, call, reason=overflow)
            elif ends:
                self._log(f.LeftQueue, end, call, queue=name, how=f.QueueExit.ABANDONED)
        else:
            op, leg = OperatorId(operator), Uniqueid(f"{uniqueid}-2")
            start, end = queued + wait, queued + wait + talk
            self._log(f.OperatorPaused, start, operator=op, reason="talking", queue=None)
            self._cel(f.Connected, start, call, queue=None, operator=op, exact=True, member_channel=leg)
            self._cel(f.LegJoined, start, call, channel=f"PJSIP/op{operator}-2", uniqueid=leg, bridge="b")
            self._cel(f.LegLeft, end, call, channel=f"PJSIP/op{operator}-2", uniqueid=leg, bridge="b")
            self._log(f.OperatorUnpaused, end, operator=op, reason="talking", queue=None)
            self._log(f.OperatorPaused, end, operator=op, reason="wrapup", queue=None)
            self._log(f.OperatorUnpaused, end + wrap, operator=op, reason="wrapup", queue=None)
        if ends:
            self._cel(
                f.HungUp, end + 0.5, call, channel=channel, uniqueid=uniqueid, cause=16, by_channel=channel
            )
        return call

    def restarted(self, at: float) -> None:
        self._log(f.SwitchStarted, at)

    def folded(self) -> list[Call]:
        return fold_calls(self.facts)

    def there(self, until: float) -> list[Presence]:
        return presences(self.facts, until)


MONDAY = date(2026, 11, 23)


def even_week(seed: int = 7) -> Centre:
    """Four operators over three days: three share bookings evenly, one does cards, one came for half a day."""
    made = Centre(seed)
    for day in (MONDAY + timedelta(days=n) for n in range(1, 4)):
        for operator in ("101", "102", "103"):
            made.shift(operator, day, 9, 17, "booking-ja", "card-ja", "card_2-ja", breaks={12: 13})
        if day.weekday() == 1:
            made.shift("104", day, 9, 9.5, "booking-ja")
        at = {operator: moment(day, 9) for operator in ("101", "102", "103")}
        for number in range(45):
            operator = min(at, key=lambda op: (at[op], op))
            queue = "card_2-ja" if number % 5 == 0 else "booking-ja"
            talk = made.dice.uniform(90, 300)
            missed = ("102",) if number == 20 else ()
            made.call(at[operator], queue, operator=operator, talk=talk, missed=missed)
            at[operator] += 10 + 10 + talk + 20 + made.dice.uniform(0, 120)
    return made


def short_month(seed: int = 11) -> Centre:
    """Four quiet Tuesdays, then one in which nearly everything goes wrong, each in its own hour."""
    made = Centre(seed)
    days = [date(2026, 10, 27), date(2026, 11, 3), date(2026, 11, 10), date(2026, 11, 17), date(2026, 11, 24)]
    for day in days:
        bad = day == days[-1]
        made.shift("101", day, 9, 17, "booking-ja", breaks={13.0: 13.5} if bad else None)
        made.shift("102", day, 9, 11 if bad else 17, "booking-ja")
        made.shift("103", day, 9, 11 if bad else 17, "booking-ja")
        for hour in range(9, 17):
            wrap = 120.0 if bad and hour == 12 else 20.0
            for number in range(4):
                operator = "101" if bad and hour >= 11 else f"10{number % 3 + 1}"
                if not (bad and hour in (13, 15)):
                    made.call(moment(day, hour + number / 5), "booking-ja", operator=operator, wrap=wrap)
    bad_day = days[-1]
    for number in range(9):  # 9 o'clock: many calls at once
        made.call(moment(bad_day, 9.05 + number / 40), "booking-ja", wait=100.0 + number)
    made.call(moment(bad_day, 11.5), "booking-ja", wait=200.0)  # two of three have left
    made.call(moment(bad_day, 12.5), "booking-ja", wait=90.0)  # wrap-up six times as long
    made.call(
        moment(bad_day, 13.1), "booking-ja", wait=1.0, overflow="nobody"
    )  # a break with nobody else there
    for number in range(3):  # the last one there does not answer
        made.call(moment(bad_day, 14.1 + number / 10), "booking-ja", wait=40.0, missed=("101", "101"))
    made.call(moment(bad_day, 15.2), "booking-ja", wait=0.5, overflow="full")
    made.call(moment(bad_day, 15.3), "booking-ja", wait=100.0, ends=False)  # died with the switch
    made.restarted(moment(bad_day, 15.4))
    return made
