"""When somebody must be told that something is wrong, and when they must be left in peace.

A fold: readings in, changes out. An alert is raised when its reading has been bad for long enough, cleared when it
has been good for long enough, and known by what it is about (kind and subject), so that one trouble is one alert
however often its reading trembles. Times are epoch seconds and come from outside.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum, unique
from typing import NamedTuple


@unique
class AlertKind(StrEnum):
    """What may be wrong."""

    ANSWER_RATE = "answer_rate"
    """応答率 of the day or the month is under the target."""
    WAIT_LIMIT = "wait_limit"
    """A caller has waited past the limit."""
    WAIT_RISK = "wait_risk"
    """A caller will wait past the limit, by the estimate."""
    WAITING = "waiting"
    """Too many callers wait."""
    LONG_CALL = "long_call"
    LONG_HOLD = "long_hold"
    MISSED_OFFERS = "missed_offers"
    """An operator does not take the calls offered."""
    NOBODY = "nobody"
    """Nobody takes calls although the centre is open."""
    ENGINE = "engine"
    """The engine was started again, or has lost the switch."""
    ENGINE_SILENT = "engine_silent"
    """The engine gives no sign of life; told by the parent process."""
    TRUNK = "trunk"
    """The carrier's peer cannot be reached, or calls to the city's numbers are turned away."""
    GUARD = "guard"
    """The guard has climbed a step of its ladder, and it is in force."""
    HELP = "help"
    """An operator asks for help."""
    REPEAT = "repeat"
    """One number calls again and again."""
    TICKET = "ticket"
    """A request to the city is urgent, or its deadline is near."""
    REPORT_DUE = "report_due"
    """A paper for the city is due soon, or late, and not delivered."""
    CALLBACK = "callback"
    """A promised callback did not come about."""
    SIGN_IN = "sign_in"
    """Somebody guesses at the desk's sign-in."""


class AlertKey(NamedTuple):
    """What an alert is about; at most one alert of a key is open."""

    kind: AlertKind
    subject: str
    """Operator's number, queue, day, …; empty when the whole centre is meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """When an alert of one kind is raised, said again and cleared."""

    raise_at: float
    """A reading of this much or more is bad."""
    clear_at: float
    """A reading of this much or less is good; what lies between changes nothing."""
    raise_after_s: float
    """Bad without a break for so long before it is raised."""
    clear_after_s: float
    """Good without a break for so long before it is cleared."""
    again_after_s: float
    """Two notices that a key is in trouble lie at least so far apart, over several alerts too."""
    remind: bool
    """Whether an alert that stays open, and that nobody has acknowledged, is told again."""
    most_per_day: int
    """Notices of this kind in one day, clearings left out."""
    tell_end: bool = True
    """Whether its clearing is told."""

    def __post_init__(self) -> None:
        if not self.clear_at < self.raise_at:
            raise ValueError("clear_at must be below raise_at")
        if min(self.raise_after_s, self.clear_after_s, self.again_after_s) < 0 or self.most_per_day < 1:
            raise ValueError("times must not be negative, and one notice a day is the least")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How things stand with one key at one moment: the higher `value`, the worse."""

    kind: AlertKind
    subject: str = ""
    value: float
    label: str = ""
    """The subject for people, e.g. 青木さん（101）."""
    text: str
    """The state in one sentence for people."""
    since: float | None = None
    """When the trouble began, where that is known better than by having looked."""

    @property
    def key(self) -> AlertKey:
        return AlertKey(self.kind, self.subject)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """Somebody has seen an alert and takes care of it."""

    at: float
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One trouble, from its first notice to its end."""

    id: str
    kind: AlertKind
    subject: str
    label: str
    text: str
    """The state when it was last told."""
    since: float
    """When the trouble began."""
    raised_at: float
    notified: int = 0
    """Notices sent that it is there."""
    notified_at: float | None = None
    """When the last of them was sent."""
    cleared_at: float | None = None
    acknowledged: Acknowledgement | None = None

    @property
    def key(self) -> AlertKey:
        return AlertKey(self.kind, self.subject)

    @property
    def open(self) -> bool:
        return self.cleared_at is None


@unique
class ChangeKind(StrEnum):
    RAISED = "raised"
    REMINDED = "reminded"
    """Still there; also the first notice of an alert that was raised too soon after the one before."""
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertChange:
    """What happened to an alert, to be stored and perhaps told."""

    what: ChangeKind
    alert: Alert
    reading: Reading | None
    """None when the subject is gone (the operator signed out, the day is over)."""
    notify: bool
    """Whether people are told; False within `again_after_s` and beyond `most_per_day`."""
    last_today: bool = False
    """Whether this is the day's last notice of its kind."""


@dataclass(slots=True)
class _Track:
    alert: Alert | None = None
    bad_since: float | None = None
    good_since: float | None = None


def alert_id(key: AlertKey, raised_at: float) -> str:
    """Eight letters that a person can type, the same in every process."""
    digest = hashlib.sha256(f"{key.kind}|{key.subject}|{raised_at:.3f}".encode()).digest()
    return base64.b32encode(digest[:5]).decode("ascii").lower()


class AlertBook:
    """All alerts that are open, and what was told lately."""

    def __init__(
        self,
        rules: Mapping[AlertKind, AlertRule],
        known: Iterable[Alert] = (),
        *,
        day_of: Callable[[float], date],
    ) -> None:
        """Begin with what an earlier process knew.

        Args:
            rules: kinds without a rule raise nothing.
            known: open alerts, and closed ones of the last day.
            day_of: the city's calendar day at a moment.
        """
        self._rules, self._day_of = rules, day_of
        self._tracks: dict[AlertKey, _Track] = {}
        self._sent_at: dict[AlertKey, float] = {}
        self._sent: dict[tuple[AlertKind, date], int] = {}
        self._now = float("-inf")
        for alert in sorted(known, key=lambda each: each.raised_at):
            if alert.open:
                self._tracks[alert.key] = _Track(alert=alert)
            if alert.notified_at is not None:
                self._sent_at[alert.key] = max(alert.notified_at, self._sent_at.get(alert.key, 0.0))
                day = (alert.kind, day_of(alert.notified_at))
                self._sent[day] = self._sent.get(day, 0) + alert.notified

    @property
    def open(self) -> tuple[Alert, ...]:
        """By the moment they were raised."""
        alerts = [track.alert for track in self._tracks.values() if track.alert is not None]
        return tuple(sorted(alerts, key=lambda alert: (alert.raised_at, alert.id)))

    def acknowledge(self, identity: str, by: Acknowledgement) -> Alert | None:
        """Note that somebody takes care; None when no alert with this id is open."""
        for track in self._tracks.values():
            if track.alert is not None and track.alert.id == identity:
                track.alert = replace(track.alert, acknowledged=by)
                return track.alert
        return None

    def observe(
        self, now: float, readings: Iterable[Reading], unknown: Collection[AlertKind] = ()
    ) -> list[AlertChange]:
        """Take the readings of a moment in.

        Args:
            now: a clock that was set back stands still until it has caught up.
            readings: of every subject that is there; a subject without one is gone, and gone is good.
            unknown: kinds about which nothing can be said now; their alerts stay as they are.
        """
        self._now = now = max(now, self._now)
        by_key = {reading.key: reading for reading in readings}
        changes: list[AlertChange] = []
        for key in sorted({*by_key, *self._tracks}):
            track = self._tracks.setdefault(key, _Track())
            if key.kind in unknown:
                # "Without a break" cannot be said of a time in which nobody looked.
                track.bad_since = track.good_since = None
            elif (change := self._step(key, track, by_key.get(key))) is not None:
                changes.append(change)
            if track.alert is None and track.bad_since is None:
                del self._tracks[key]
        return changes

    def _step(self, key: AlertKey, track: _Track, reading: Reading | None) -> AlertChange | None:
        rule = self._rules.get(key.kind)
        if rule is None:
            return None if track.alert is None else self._cleared(track, track.alert, None)
        if track.alert is None:
            return self._maybe_raised(track, rule, reading)
        if reading is None or reading.value <= rule.clear_at:
            track.good_since = self._now if track.good_since is None else track.good_since
            over = self._now - track.good_since >= rule.clear_after_s
            return self._cleared(track, track.alert, reading, tell=rule.tell_end) if over else None
        track.good_since = None
        return self._maybe_reminded(track, track.alert, rule, reading)

    def _maybe_raised(self, track: _Track, rule: AlertRule, reading: Reading | None) -> AlertChange | None:
        if reading is None or reading.value < rule.raise_at:
            track.bad_since = None
            return None
        track.bad_since = self._now if track.bad_since is None else track.bad_since
        if self._now - track.bad_since < rule.raise_after_s:
            return None
        alert = Alert(
            id=alert_id(reading.key, self._now),
            kind=reading.kind,
            subject=reading.subject,
            label=reading.label,
            text=reading.text,
            since=track.bad_since if reading.since is None else min(reading.since, self._now),
            raised_at=self._now,
        )
        track.bad_since = track.good_since = None
        return self._told(
            ChangeKind.RAISED, track, alert, rule, reading, tell=self._may_tell(alert.key, rule)
        )

    def _maybe_reminded(
        self, track: _Track, alert: Alert, rule: AlertRule, reading: Reading
    ) -> AlertChange | None:
        wanted = not alert.notified or rule.remind
        if alert.acknowledged is not None or not wanted or not self._may_tell(alert.key, rule):
            return None
        alert = replace(alert, text=reading.text)
        return self._told(ChangeKind.REMINDED, track, alert, rule, reading, tell=True)

    def _may_tell(self, key: AlertKey, rule: AlertRule) -> bool:
        last = self._sent_at.get(key)
        soon = last is not None and self._now - last < rule.again_after_s
        return not soon and self._sent.get((key.kind, self._day_of(self._now)), 0) < rule.most_per_day

    def _told(
        self,
        what: ChangeKind,
        track: _Track,
        alert: Alert,
        rule: AlertRule,
        reading: Reading,
        *,
        tell: bool,
    ) -> AlertChange:
        last = False
        if tell:
            alert = replace(alert, notified=alert.notified + 1, notified_at=self._now)
            self._sent_at[alert.key] = self._now
            day = (alert.kind, self._day_of(self._now))
            # Yesterday's counts are of no use any more.
            self._sent = {each: count for each, count in self._sent.items() if each[1] == day[1]}
            self._sent[day] = self._sent.get(day, 0) + 1
            last = self._sent[day] == rule.most_per_day
        track.alert = alert
        return AlertChange(what=what, alert=alert, reading=reading, notify=tell, last_today=last)

    def _cleared(
        self, track: _Track, alert: Alert, reading: Reading | None, *, tell: bool = True
    ) -> AlertChange:
        alert = replace(alert, cleared_at=self._now)
        track.alert = track.good_since = None
        # Nobody is told of the end of what nobody was told of.
        return AlertChange(
            what=ChangeKind.CLEARED, alert=alert, reading=reading, notify=tell and alert.notified > 0
        )
