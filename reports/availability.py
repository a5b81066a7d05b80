"""稼働率 (印西 13①(シ)): of the minutes measured from outside, how many each service answered in, and what was lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from reports.metrics import share

MINUTE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One minute: what each service did."""

    at: float
    """When it was measured, epoch seconds."""
    services: Mapping[str, str]
    """Service to why it failed; empty when it answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """Minutes in a row in which a service did not answer, for one reason."""

    service: str
    since: float
    minutes: int
    why: str


@dataclass(slots=True, kw_only=True)
class Served:
    """One service over a period."""

    measured: int = 0
    lost: int = 0

    @property
    def answered(self) -> int:
        return self.measured - self.lost


@dataclass(slots=True, kw_only=True)
class Availability:
    """All services over a period of so many minutes."""

    minutes: int
    services: dict[str, Served] = field(default_factory=dict)
    outages: list[Outage] = field(default_factory=list)

    def unmeasured(self, service: str) -> int:
        """Minutes of which nothing is known: nobody measured."""
        return max(0, self.minutes - self.services[service].measured)


def availability_of(measured: Iterable[Measured], since: float, until: float) -> Availability:
    """The minutes of `[since, until)`, by time; a second look in the same minute is passed over.

    A minute is lost when its look failed. Minutes without a look are told apart: they are neither lost nor answered.
    """
    found = Availability(minutes=round((until - since) / MINUTE_S))
    last, running = -1, dict[str, Outage]()
    for each in measured:
        minute = int((each.at - since) // MINUTE_S)
        if minute <= last or not since <= each.at < until:
            continue
        if minute > last + 1:
            _close(found, running)
        last = minute
        for service, why in each.services.items():
            served = found.services.setdefault(service, Served())
            served.measured += 1
            served.lost += bool(why)
            known = running.get(service)
            if known is not None and known.why != why:
                found.outages.append(running.pop(service))
                known = None
            if why:
                begun = known.since if known else since + MINUTE_S * minute
                running[service] = Outage(
                    service=service, since=begun, minutes=known.minutes + 1 if known else 1, why=why
                )
    _close(found, running)
    found.outages.sort(key=lambda each: (each.since, each.service))
    return found


def _close(found: Availability, running: dict[str, Outage]) -> None:
    found.outages += running.values()
    running.clear()


def availability(served: Served) -> float | None:
    """availability v1 (稼働率): minutes in which the service answered ÷ minutes measured. Source: 000 13①(シ)."""
    return share(served.answered, served.measured)
