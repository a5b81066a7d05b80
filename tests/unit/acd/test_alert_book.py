"""Alerts: raised once, told rarely, cleared when it is over, silent once somebody cares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.alerts import (
    Acknowledgement,
    Alert,
    AlertBook,
    AlertChange,
    AlertKind,
    AlertRule,
    ChangeKind,
    Reading,
    alert_id,
)

pytestmark = pytest.mark.unit

K = AlertKind
C = ChangeKind
T0 = 1_764_000_000.0
RULE = AlertRule(
    raise_at=5, clear_at=3, raise_after_s=4, clear_after_s=10, again_after_s=60, remind=True, most_per_day=100
)


def day_of(at: float) -> date:
    return datetime.fromtimestamp(at, UTC).date()


def book(rule: AlertRule = RULE, known: tuple[Alert, ...] = ()) -> AlertBook:
    return AlertBook({K.WAITING: rule, K.LONG_CALL: rule}, known, day_of=day_of)


def waiting(value: float, subject: str = "") -> Reading:
    return Reading(kind=K.WAITING, subject=subject, value=value, text=f"{value:g}人")


def run(
    alerts: AlertBook, values: Sequence[float | None], start: float = T0, step: float = 1.0
) -> list[AlertChange]:
    """One observation a step; None is an absent subject."""
    changes: list[AlertChange] = []
    for number, value in enumerate(values):
        changes += alerts.observe(start + number * step, [] if value is None else [waiting(value)])
    return changes


def told(changes: list[AlertChange]) -> list[tuple[ChangeKind, bool]]:
    return [(change.what, change.notify) for change in changes]


def test_raised_after_a_while_and_cleared_after_a_while() -> None:
    alerts = book()
    assert run(alerts, [6, 6, 6, 6]) == []
    (raised,) = run(alerts, [6], start=T0 + 4)
    assert (raised.what, raised.notify, raised.alert.text) == (C.RAISED, True, "6人")
    assert (raised.alert.since, raised.alert.raised_at) == (T0, T0 + 4)
    assert alerts.open == (raised.alert,)
    assert run(alerts, [2] * 10, start=T0 + 5) == []
    (cleared,) = run(alerts, [2], start=T0 + 15)
    assert (cleared.what, cleared.notify, cleared.alert.cleared_at) == (C.CLEARED, True, T0 + 15)
    assert cleared.alert.id == raised.alert.id
    assert alerts.open == ()


def test_a_short_dip_below_raises_nothing_and_a_short_rise_clears_nothing() -> None:
    alerts = book()
    assert run(alerts, [6, 6, 6, 4, 6, 6, 6, 4] * 10) == []
    run(alerts, [6] * 5, start=T0 + 100)
    assert told(run(alerts, [2] * 9 + [4] + [2] * 9, start=T0 + 105)) == []


def test_between_the_two_limits_nothing_changes() -> None:
    alerts = book()
    assert run(alerts, [4] * 30) == []
    run(alerts, [6] * 5, start=T0 + 30)
    assert told(run(alerts, [4] * 20, start=T0 + 40)) == []
    assert len(alerts.open) == 1


def test_a_subject_that_is_gone_is_good() -> None:
    alerts = book()
    run(alerts, [6] * 5)
    (cleared,) = run(alerts, [None] * 11, start=T0 + 5)
    assert (cleared.what, cleared.reading) == (C.CLEARED, None)


def test_reminded_while_it_lasts_until_somebody_cares() -> None:
    alerts = book()
    (raised,) = run(alerts, [6] * 5)
    assert [change.what for change in run(alerts, [7] * 130, start=T0 + 5)] == [C.REMINDED, C.REMINDED]
    assert alerts.open[0].text == "7人"
    known = alerts.acknowledge(raised.alert.id, Acknowledgement(at=T0 + 200, by="青木"))
    assert known is not None
    assert known.acknowledged is not None
    assert run(alerts, [8] * 600, start=T0 + 200) == []
    (cleared,) = run(alerts, [0] * 11, start=T0 + 900)
    assert (cleared.what, cleared.notify) == (C.CLEARED, True)
    # A new trouble is a new alert, whoever cared for the old one.
    (again,) = run(alerts, [6] * 5, start=T0 + 1000)
    assert (again.what, again.notify, again.alert.acknowledged) == (C.RAISED, True, None)
    assert again.alert.id != raised.alert.id


def test_nobody_can_acknowledge_what_is_not_open() -> None:
    alerts = book()
    (raised,) = run(alerts, [6] * 5)
    assert alerts.acknowledge("nonsense", Acknowledgement(at=T0, by="x")) is None
    run(alerts, [0] * 11, start=T0 + 5)
    assert alerts.acknowledge(raised.alert.id, Acknowledgement(at=T0, by="x")) is None


def test_raised_again_too_soon_is_kept_and_told_later_if_it_lasts() -> None:
    alerts = book()
    run(alerts, [6] * 5 + [0] * 11)
    (second,) = run(alerts, [6] * 5, start=T0 + 20)
    assert (second.what, second.notify) == (C.RAISED, False)
    # 60 s after the first notice (T0 + 4), not after the second alert.
    assert [c.alert.notified_at for c in run(alerts, [6] * 60, start=T0 + 25)] == [T0 + 64]


def test_nobody_is_told_the_end_of_what_they_were_not_told() -> None:
    alerts = book()
    run(alerts, [6] * 5 + [0] * 11)
    changes = run(alerts, [6] * 5 + [0] * 11, start=T0 + 20)
    assert told(changes) == [(C.RAISED, False), (C.CLEARED, False)]


def test_without_reminders_a_lasting_alert_is_told_once() -> None:
    alerts = book(replace(RULE, remind=False))
    assert told(run(alerts, [6] * 1000)) == [(C.RAISED, True)]


def test_a_kind_whose_end_is_no_news_ends_in_silence() -> None:
    changes = run(book(replace(RULE, tell_end=False)), [6] * 5 + [0] * 11)
    assert told(changes) == [(C.RAISED, True), (C.CLEARED, False)]


def test_no_more_than_so_many_a_day() -> None:
    alerts = book(replace(RULE, most_per_day=3))
    changes = run(alerts, [6] * 600)
    assert [(c.notify, c.last_today) for c in changes] == [(True, False), (True, False), (True, True)]
    assert told(run(alerts, [6], start=T0 + 86_400)) == [(C.REMINDED, True)]
    other = AlertBook({K.WAITING: replace(RULE, most_per_day=1)}, day_of=day_of)
    many = [waiting(6, f"{number}") for number in range(5)]
    changes = [c for t in range(6) for c in other.observe(T0 + t, many)]
    assert [c.notify for c in changes] == [True, False, False, False, False]


def test_kinds_about_which_nobody_knows_stay_as_they_are() -> None:
    alerts = book()
    run(alerts, [6] * 5)
    for second in range(100):
        assert alerts.observe(T0 + 5 + second, [], unknown={K.WAITING}) == []
    assert len(alerts.open) == 1
    fresh = book()
    fresh.observe(T0, [waiting(6)])
    for second in range(100):
        fresh.observe(T0 + 1 + second, [], unknown={K.WAITING})
    # The time in which nobody looked does not count as bad.
    assert fresh.observe(T0 + 101, [waiting(6)]) == []


def test_a_kind_that_was_switched_off_ends_its_alert() -> None:
    alerts = book()
    (raised,) = run(alerts, [6] * 5)
    off = AlertBook({}, (raised.alert,), day_of=day_of)
    assert [change.what for change in off.observe(T0 + 9, [waiting(9)])] == [C.CLEARED]
    assert off.observe(T0 + 10, [waiting(9)]) == []


def test_a_restart_tells_nothing_twice() -> None:
    first = book()
    (raised,) = run(first, [6] * 5)
    second = book(known=first.open)
    assert told(run(second, [6] * 59, start=T0 + 5)) == []
    assert told(run(second, [6], start=T0 + 64)) == [(C.REMINDED, True)]
    capped = book(replace(RULE, most_per_day=1), known=(raised.alert,))
    assert told(run(capped, [6] * 600, start=T0 + 5)) == []


def test_a_clock_that_is_set_back_does_no_harm() -> None:
    alerts = book()
    assert run(alerts, [6] * 4, start=T0 + 100) == []
    assert alerts.observe(T0, [waiting(6)]) == []
    assert len(alerts.observe(T0 + 104, [waiting(6)])) == 1


@pytest.mark.parametrize(
    "wrong", [{"clear_at": 5}, {"raise_after_s": -1}, {"again_after_s": -1}, {"most_per_day": 0}]
)
def test_rules_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        replace(RULE, **wrong)  # type: ignore[arg-type]


def test_ids_can_be_typed_and_differ() -> None:
    keys = [waiting(1, f"{number}").key for number in range(500)]
    ids = {alert_id(key, T0) for key in keys} | {alert_id(keys[0], T0 + 0.001)}
    assert len(ids) == 501
    assert all(len(each) == 8 and each.isalnum() and each == each.lower() for each in ids)


# ---- whatever happens -----------------------------------------------------------------------------

_values = st.one_of(st.none(), st.sampled_from([0.0, 3.0, 3.5, 4.9, 5.0, 9.0]))
_steps = st.lists(st.tuples(st.sampled_from([0.5, 1.0, 3.0, 30.0]), _values, st.booleans()), max_size=300)
_rules = st.builds(
    replace,
    st.just(RULE),
    raise_after_s=st.sampled_from([0.0, 2.0, 10.0]),
    clear_after_s=st.sampled_from([0.0, 5.0, 20.0]),
    again_after_s=st.sampled_from([0.0, 15.0, 100.0]),
    remind=st.booleans(),
    most_per_day=st.sampled_from([1, 3, 50]),
)


@settings(max_examples=300, deadline=None)
@given(_rules, _steps, st.booleans())
def test_whatever_happens_nobody_is_spammed(
    rule: AlertRule, steps: list[tuple[float, float | None, bool]], reborn: bool
) -> None:
    alerts, now = book(rule), T0
    changes: list[tuple[float, AlertChange]] = []
    acknowledged: set[str] = set()
    kept: dict[str, Alert] = {}
    for pause, value, care in steps:
        now += pause
        new = alerts.observe(now, [] if value is None else [waiting(value)])
        assert not [c for c in new if c.what is C.REMINDED and c.alert.id in acknowledged]
        changes += [(now, change) for change in new]
        kept |= {change.alert.id: change.alert for change in new}
        if care:
            for alert in alerts.open:
                after = alerts.acknowledge(alert.id, Acknowledgement(at=now, by="x"))
                assert after is not None
                kept[alert.id] = after
                acknowledged.add(alert.id)
        if reborn and care:
            alerts = book(rule, tuple(kept.values()))
        assert len(alerts.open) <= 1
    notices = [(at, c) for at, c in changes if c.notify and c.what is not C.CLEARED]
    for (first, _), (second, _) in pairwise(notices):
        assert second - first >= rule.again_after_s
    per_day: dict[date, int] = {}
    for at, _ in notices:
        per_day[day_of(at)] = per_day.get(day_of(at), 0) + 1
    assert max(per_day.values(), default=0) <= rule.most_per_day
    for identity in {change.alert.id for _, change in changes}:
        story = [change.what for _, change in changes if change.alert.id == identity]
        assert story[0] is C.RAISED
        assert story.count(C.RAISED) == 1
        assert C.CLEARED not in story[:-1]
        if not rule.remind:
            sent = [c for _, c in changes if c.alert.id == identity and c.notify and c.what is not C.CLEARED]
            assert len(sent) <= 1


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from([3.5, 4.0, 4.99, 5.0, 5.01, 6.0]), max_size=400))
def test_trembling_around_the_limit_raises_at_most_once(values: list[float]) -> None:
    changes = run(book(replace(RULE, raise_after_s=0)), list(values))
    assert [change.what for change in changes].count(C.RAISED) == (1 if max(values, default=0) >= 5 else 0)
    assert C.CLEARED not in [change.what for change in changes]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.booleans(), max_size=400))
def test_going_up_and_down_faster_than_it_clears_raises_at_most_once(ups: list[bool]) -> None:
    values: list[float | None] = []
    for up in ups:
        values += [9.0 if up else 0.0, 6.0]
    changes = run(book(replace(RULE, raise_after_s=0, clear_after_s=3)), values)
    assert [change.what for change in changes].count(C.RAISED) == (1 if values else 0)


@settings(max_examples=100, deadline=None)
@given(_steps)
def test_an_acknowledged_alert_is_never_told_again(steps: list[tuple[float, float | None, bool]]) -> None:
    alerts, now = book(replace(RULE, again_after_s=5)), T0
    (raised,) = run(alerts, [6] * 5)
    alerts.acknowledge(raised.alert.id, Acknowledgement(at=T0 + 5, by="x"))
    now += 5
    for pause, value, _ in steps:
        now += pause
        for change in alerts.observe(now, [] if value is None else [waiting(value)]):
            assert (change.alert.id != raised.alert.id) or change.what is C.CLEARED
