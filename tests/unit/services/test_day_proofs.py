"""How far the days of a stretch are reconciled, from proofs that were kept."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import TOKYO, ManualClock
from ledger.reconcile import DayProof, Difference, DifferenceKind, Reconciliation
from services.proofs import Proven, city_moment, keep_proof, kept_proofs, proven

pytestmark = pytest.mark.unit

TODAY = date(2026, 11, 27)
CLOCK = ManualClock(datetime(2026, 11, 27, 10, 30, tzinfo=TOKYO).timestamp())
FIRST = date(2026, 11, 1)


class Unit:
    """Calls by day, and settings."""

    def __init__(self, calls: dict[date, int]) -> None:
        self.held, self.kept = calls, dict[str, str]()

    @property
    def calls(self) -> Unit:
        return self

    @property
    def settings(self) -> Unit:
        return self

    async def span(self) -> tuple[float | None, float | None]:
        days = [day for day, number in self.held.items() if number]
        return (
            (city_moment(CLOCK, min(days)) + 60, city_moment(CLOCK, max(days)) + 60) if days else (None, None)
        )

    async def number(self, since: float, until: float) -> int:
        return sum(
            number for day, number in self.held.items() if since <= city_moment(CLOCK, day) + 60 < until
        )

    async def get(self, key: str) -> str | None:
        return self.kept.get(key)

    async def put(self, key: str, value: str) -> None:
        self.kept[key] = value


def result(calls: int, differences: int = 0) -> Reconciliation:
    found = [Difference(kind=DifferenceKind.CALL_WITHOUT_INVITE, what=f"c-{n}") for n in range(differences)]
    return Reconciliation(invites=calls, refused=0, given_up=0, calls=calls, differences=found)


async def proved(
    unit: Unit, day: date, calls: int, differences: int = 0, *, over: bool = True, node: str = "n1"
) -> None:
    await keep_proof(unit, node, day, result(calls, differences), made_at=1.0, over=over)  # type: ignore[arg-type]


async def state(unit: Unit, first: date = FIRST, last: date = TODAY) -> Proven:
    return await proven(unit, CLOCK, first, last)  # type: ignore[arg-type]


def days(first: int, last: int) -> dict[date, int]:
    return {date(2026, 11, day): 5 for day in range(first, last + 1)}


async def test_a_running_month_is_preliminary_and_says_until_when_it_is_reconciled() -> None:
    unit = Unit(days(20, 27))
    for day in range(20, 27):
        await proved(unit, date(2026, 11, day), 5)
    found = await state(unit)
    assert found.text_ja == "速報（11/26 まで照合済み、今日は照合前）"
    assert not found.settled
    past = await state(unit, last=date(2026, 11, 26))
    assert (past.settled, past.text_ja) == (True, "照合済み")


async def test_today_alone_is_preliminary_also_when_it_was_proved() -> None:
    unit = Unit(days(20, 27))
    await proved(unit, TODAY, 5, over=False)
    assert (await state(unit, TODAY)).text_ja == "速報（照合前）"


async def test_days_without_a_proof_with_another_ledger_or_with_differences_are_named() -> None:
    unit = Unit(days(18, 27))
    for day in (18, 19, 22, 24):
        await proved(unit, date(2026, 11, day), 5)
    await proved(unit, date(2026, 11, 20), 5, 2)
    await proved(unit, date(2026, 11, 23), 4)
    await proved(unit, date(2026, 11, 26), 5, over=False)
    found = await state(unit)
    assert found.text_ja == (
        "速報（照合で違い 11/20（2 件）、照合のあとに変わった日 11/23、"
        "照合前の日 11/21、11/25〜11/26、今日は照合前）"
    )


async def test_a_ledger_without_calls_or_before_its_first_one_has_nothing_to_prove() -> None:
    assert (await state(Unit({}))).text_ja == "速報（照合前）"
    for first in (date(2026, 10, 1), date(2027, 10, 1)):
        for unit in (Unit({}), Unit(days(20, 27))):
            found = await state(unit, first, first + timedelta(days=3))
            assert (found.settled, found.text_ja) == (False, "通話台帳にない期間")
    unit = Unit(days(26, 27))
    await proved(unit, date(2026, 11, 26), 5)
    assert (await state(unit)).unproven == ()


async def test_the_last_proof_counts_and_months_are_read_together() -> None:
    unit = Unit({})
    for day, calls in ((date(2026, 10, 31), 1), (FIRST, 2), (FIRST, 3), (date(2026, 12, 1), 4)):
        await proved(unit, day, calls)
    found = await kept_proofs(unit, date(2026, 10, 31), date(2026, 11, 30))  # type: ignore[arg-type]
    assert {day: proof.calls for day, proof in found.items()} == {date(2026, 10, 31): 1, FIRST: 3}


async def test_of_two_nodes_both_must_have_proved_their_calls() -> None:
    unit, day = Unit({FIRST: 5}), FIRST
    await proved(unit, day, 3, node="n1")
    assert (await state(unit, day, day)).changed == (day,)
    await proved(unit, day, 2, 1, node="n2")
    assert (await state(unit, day, day)).differing == ((day, 1),)
    await proved(unit, day, 2, node="n2")
    assert (await state(unit, day, day)).settled


@given(over=st.booleans(), calls=st.integers(0, 3), differences=st.integers(0, 2), now=st.integers(0, 3))
def test_a_proof_holds_only_of_a_day_that_is_over_without_differences_and_unchanged(
    over: bool, calls: int, differences: int, now: int
) -> None:
    proof = DayProof(made_at=1.0, over=over, calls=calls, differences=differences)
    assert proof.holds(now) == (over and differences == 0 and calls == now)


@given(st.lists(st.integers(0, 25), unique=True).map(sorted))
def test_every_day_that_is_left_is_told_of_or_counted(left: list[int]) -> None:
    unproven = tuple(FIRST + timedelta(days=each) for each in left)
    found = Proven(past=26, last_past=date(2026, 11, 26), unproven=unproven)
    assert found.settled == (found.text_ja == "照合済み") == (not left)
    if left:
        assert f"11/{left[0] + 1}" in found.text_ja
