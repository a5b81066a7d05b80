"""松阪 2章2(5): the centre calls out itself, only in a quiet month, and never more than an average day's calls."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundDecision:
    """Whether the centre may call out today, with the figures that it rests on."""

    day: date
    calls_so_far: int
    """Offered calls of the month up to yesterday."""
    expected_rest: float
    """Calls that the rest of the month is expected to bring."""
    expected_total: float
    planned: int
    """The contract's volume of a month."""
    below: float
    middle_reached: bool
    """Whether half of the month's open days are behind: earlier nobody may decide."""
    cap: int
    """Calls that may still be made today; 0 where the switch is off."""

    @property
    def share(self) -> float:
        """Of the contract's volume that the month is expected to bring."""
        return self.expected_total / self.planned

    @property
    def allowed(self) -> bool:
        return self.middle_reached and self.share < self.below


def outbound_decision(
    *,
    day: date,
    calls_so_far: int,
    expected_rest: float,
    open_days: int,
    open_days_behind: int,
    planned: int,
    below: float,
    daily_cap: int,
    made_today: int = 0,
) -> OutboundDecision:
    """The switch of one day.

    The cap is the smaller of the contract's figure and the month's own average: the specification calls 35 "a day's
    average", so it falls with the forecast and never rises over the figure named.

    Args:
        open_days: of the month.
        open_days_behind: of those, before `day`.
        made_today: calls already made.

    Raises:
        ValueError: no planned volume.
    """
    if planned <= 0:
        raise ValueError("the contract's volume must be positive")
    total = calls_so_far + expected_rest
    found = OutboundDecision(
        day=day,
        calls_so_far=calls_so_far,
        expected_rest=expected_rest,
        expected_total=total,
        planned=planned,
        below=below,
        middle_reached=2 * open_days_behind >= open_days > 0,
        cap=0,
    )
    if not found.allowed:
        return found
    average = math.floor(total / open_days)
    cap = max(0, min(daily_cap, average) - made_today)
    return replace(found, cap=cap)
