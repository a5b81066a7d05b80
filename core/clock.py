"""The clock port. Nobody else asks for the time.

`epoch()` is real time and stamps every record. `city_now()` is the city's wall clock, which decides opening
hours; in a demonstration it runs faster than real time, so a day fits into minutes.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from core.errors import ToritsugiError

TOKYO = ZoneInfo("Asia/Tokyo")
CLOCK_VARIABLE = "TORITSUGI_CLOCK"


class Clock(Protocol):
    """Where the time comes from."""

    def epoch(self) -> float:
        """Real time in epoch seconds."""
        ...

    def city_now(self) -> datetime:
        """The city's wall clock, aware, in Asia/Tokyo."""
        ...

    def city_time_of(self, epoch: float) -> datetime:
        """The city's wall clock at the real moment `epoch`."""
        ...

    def epoch_of(self, city_time: datetime) -> float:
        """The real moment at which the city's wall clock shows the aware `city_time`; infinite when it never will."""
        ...


class SystemClock:
    """Real time everywhere."""

    def epoch(self) -> float:
        return time.time()

    def city_now(self) -> datetime:
        return datetime.now(TOKYO)

    def city_time_of(self, epoch: float) -> datetime:
        return datetime.fromtimestamp(epoch, TOKYO)

    def epoch_of(self, city_time: datetime) -> float:
        return city_time.timestamp()


@dataclass(frozen=True, slots=True)
class ScaledClock:
    """City time that left `city_start` at real `real_start` and runs `speed` times as fast."""

    real_start: float
    city_start: datetime
    speed: float = 1.0

    def epoch(self) -> float:
        return time.time()

    def city_now(self) -> datetime:
        return self.city_time_of(time.time())

    def city_time_of(self, epoch: float) -> datetime:
        elapsed = timedelta(seconds=(epoch - self.real_start) * self.speed)
        # Arithmetic in UTC: a wall-clock sum would be wrong across a change of offset.
        return (self.city_start.astimezone(UTC) + elapsed).astimezone(TOKYO)

    def epoch_of(self, city_time: datetime) -> float:
        ahead_s = (city_time - self.city_start).total_seconds()
        if self.speed == 0:
            return math.inf if ahead_s > 0 else -math.inf
        return self.real_start + ahead_s / self.speed

    def as_variable(self) -> str:
        """The text for `TORITSUGI_CLOCK` that makes other processes agree with this clock."""
        return f"{self.city_start.isoformat()}|{self.real_start:.3f}|{self.speed:g}"


@dataclass(slots=True)
class ManualClock:
    """For tests: time moves when told to."""

    now: float

    def epoch(self) -> float:
        return self.now

    def city_now(self) -> datetime:
        return self.city_time_of(self.now)

    def city_time_of(self, epoch: float) -> datetime:
        return datetime.fromtimestamp(epoch, TOKYO)

    def epoch_of(self, city_time: datetime) -> float:
        return city_time.timestamp()

    def advance(self, seconds: float) -> None:
        self.now += seconds


def clock_from_text(text: str) -> Clock:
    """A clock from `TORITSUGI_CLOCK`: empty, or `CITY_START|REAL_START|SPEED`.

    When the text names an existing file, the file's content is used, so that a test can move the city's time
    under a running engine.

    Raises:
        ToritsugiError: the text is none of these.
    """
    text = text.strip()
    if not text:
        return SystemClock()
    if text.startswith("/"):
        return FileClock(text)
    try:
        start, real, speed = text.split("|")
        city_start = datetime.fromisoformat(start)
        clock = ScaledClock(float(real), city_start, float(speed))
    except ValueError as exc:
        raise ToritsugiError(
            f"市の時計の指定が読めません: {text!r}",
            where=CLOCK_VARIABLE,
            cure="例: 2026-11-24T08:50:00+09:00|1764000000.0|60",
        ) from exc
    if city_start.tzinfo is None or clock.speed < 0:
        raise ToritsugiError(
            "時差のない時刻、または負の速さです", where=CLOCK_VARIABLE, cure="+09:00 を付ける"
        )
    return clock


@dataclass(frozen=True, slots=True)
class FileClock:
    """A clock whose setting is read from a file at every question (tests move it)."""

    path: str

    def _clock(self) -> Clock:
        try:
            with open(self.path, encoding="utf-8") as file:
                text = file.read()
            return SystemClock() if text.startswith("/") else clock_from_text(text)
        except (OSError, UnicodeDecodeError, ToritsugiError):
            # Only demonstrations and tests have such a file; real time is right wherever it is missing or damaged.
            return SystemClock()

    def epoch(self) -> float:
        return time.time()

    def city_now(self) -> datetime:
        return self._clock().city_now()

    def city_time_of(self, epoch: float) -> datetime:
        return self._clock().city_time_of(epoch)

    def epoch_of(self, city_time: datetime) -> float:
        return self._clock().epoch_of(city_time)


def clock_from_environment() -> Clock:
    """The clock that `TORITSUGI_CLOCK` asks for; real time when it is unset."""
    return clock_from_text(os.environ.get(CLOCK_VARIABLE, ""))
