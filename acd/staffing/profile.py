"""`[acd.staffing]` of a profile: the volumes that the specification names, and what is assumed of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from core.profile_file import Section

Positive = Annotated[int, Field(ge=1, le=7200)]
LineName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*$")]


class OutboundSection(Section):
    """Calls that the centre makes when too few come in (松阪 2章2(5))."""

    below: Annotated[float, Field(gt=0, le=1)]
    """Only when the month is expected to stay under this share of its volume."""
    daily_cap: Annotated[int, Field(ge=1, le=1000)]
    """At most so many calls a day."""


class StaffingSection(Section):
    """What is known or assumed before there is a history."""

    month_calls: dict[LineName, Annotated[int, Field(ge=0, le=1_000_000)]]
    """Calls of a usual month by line."""
    busiest_month: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Calls of the busiest month, all lines together; None where none is named."""
    handling_s: Positive
    """Talk and after-call work of one call."""
    patience_s: Positive
    """Mean time after which a waiting caller gives up."""
    announcements_s: Annotated[int, Field(ge=0, le=600)]
    """Greeting and menu, which hold a line and no operator."""
    peak_hour: Annotated[int, Field(ge=0, le=23)]
    peak_share: Annotated[float, Field(gt=0, le=1)]
    """Share of a weekday's calls that arrive in that hour; the rest spreads evenly."""
    weekend_share: Annotated[float, Field(ge=0, le=1)]
    """Calls of an open Saturday, Sunday or holiday as a share of a weekday's."""
    shrinkage: Annotated[float, Field(ge=0, lt=1)]
    """Share of paid time in which somebody is not at the telephone."""
    outbound: OutboundSection | None = None

    @model_validator(mode="after")
    def _some(self) -> StaffingSection:
        if not sum(self.month_calls.values()):
            raise ValueError("month_calls の合計が0です|仕様書の見込みか、過去の件数を書く")
        return self

    @property
    def usual_month(self) -> int:
        return sum(self.month_calls.values())
