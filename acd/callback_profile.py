"""`[acd.callback]` of a profile: whether, when and how often citizens are called back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field, model_validator

from acd.callback import CallbackRules
from core.clock import TOKYO
from core.hours import Interval, OpeningHours, at_minute
from core.hours_profile import Span, interval_of
from core.profile_file import Section

Key = Annotated[str, Field(pattern=r"^[0-9*#]$")]
LineName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*$")]


class CallbackSection(Section):
    """A caller may put the receiver down and keep the place; the centre calls when it is their turn."""

    enabled: bool = False
    """It also takes a trunk with a contact: without a way out nothing is offered."""
    key: Key = "1"
    """What a waiting caller presses."""
    lines: tuple[LineName, ...] = ()
    """Lines that take call-backs; empty for all."""
    tries: Annotated[int, Field(ge=1, le=5)] = 2
    """How often the citizen's telephone is rung."""
    retry_after_s: Annotated[int, Field(ge=1, le=86_400)] = 600
    """From a try in vain to the next."""
    ring_s: Annotated[int, Field(ge=10, le=60)] = 25
    """How long the citizen's telephone rings."""
    offer_s: Annotated[int, Field(ge=5, le=60)] = 15
    """How long an operator's telephone rings for it."""
    times: tuple[Span, ...] = ()
    """Only within these hours of the day; empty for all opening hours. Never outside opening hours."""
    stop_before_close_min: Annotated[int, Field(ge=0, le=240)] = 15
    """No call-back is begun so near the closing time."""
    keep_days: Annotated[int, Field(ge=0, le=7)] = 1
    """Opening days after the day of the booking until it expires; 0 ends it with the day."""

    @model_validator(mode="after")
    def _spans(self) -> CallbackSection:
        if len(set(self.lines)) != len(self.lines):
            raise ValueError("同じ回線が二度あります|一度だけ書く")
        return self

    def serves(self, line: str) -> bool:
        """Whether callers of this line may book."""
        return self.enabled and (not self.lines or line in self.lines)

    def rules(self) -> CallbackRules:
        return CallbackRules(
            tries=self.tries, retry_after_s=float(self.retry_after_s), offer_s=float(self.offer_s)
        )

    def hours(self, opening: OpeningHours) -> CallbackHours:
        return CallbackHours(
            opening=opening,
            times=tuple(interval_of(span) for span in self.times),
            stop_before_close=timedelta(minutes=self.stop_before_close_min),
            keep_days=self.keep_days,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackHours:
    """When citizens may be called, by the city's clock."""

    opening: OpeningHours
    times: tuple[Interval, ...] = ()
    stop_before_close: timedelta = timedelta()
    keep_days: int = 0

    def may_call(self, moment: datetime) -> bool:
        """Whether a call-back may be begun at `moment` (aware)."""
        return any(first <= moment < last for first, last in self._spans(moment.astimezone(TOKYO)))

    def next_from(self, moment: datetime) -> datetime | None:
        """The first moment at or after `moment` at which a call-back may be begun; None when none is near."""
        day = moment.astimezone(TOKYO)
        for _ in range(LOOK_AHEAD_DAYS):
            for first, last in self._spans(day):
                if moment < last:
                    return max(moment.astimezone(TOKYO), first)
            day += timedelta(days=1)
        return None

    def expiry(self, booked: datetime) -> datetime:
        """The end of the last day on which it may still be called: today, then `keep_days` opening days."""
        day, left = booked.astimezone(TOKYO), self.keep_days
        for _ in range(LOOK_AHEAD_DAYS):
            if left == 0:
                break
            day += timedelta(days=1)
            if self._spans(day):
                left -= 1
        return at_minute(day.date(), 24 * 60)

    def _spans(self, moment: datetime) -> list[tuple[datetime, datetime]]:
        """The spans of the day of `moment` in which call-backs may be begun."""
        day = moment.date()
        found = []
        for opening in self.opening.plan(day).intervals:
            last = at_minute(day, opening.closes) - self.stop_before_close
            for part in self.times or (opening,):
                first = at_minute(day, max(part.opens, opening.opens))
                until = min(at_minute(day, part.closes), last)
                if first < until:
                    found.append((first, until))
        return sorted(found)


LOOK_AHEAD_DAYS = 40
"""Longer than any closure but a long emergency, which nobody can plan around."""
