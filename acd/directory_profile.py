"""`[[acd.directory]]` and `[[acd.referrals]]` of a profile: whom a citizen may be handed to, and told of."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from core.hours import OpeningHours, SpecialDay
from core.hours_profile import Span, Weekday, WeekSection, periods_of
from core.phone import normalise_number
from core.profile_file import Section, TelephoneNumber, Text

Extension = Annotated[str, Field(pattern=r"^[1-9]\d{2,3}$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class OfficeWeekSection(Section):
    """One row of a department's week."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)]
    times: Annotated[tuple[Span, ...], Field(min_length=1)]


class DirectoryEntry(Section):
    """Somebody at the city to whom a call may be handed."""

    extension: Extension
    """What the operator dials."""
    name_ja: Text
    department: Text
    people: tuple[Text, ...] = ()
    """Who answers there; for operators to read."""
    number: TelephoneNumber | None = None
    """Outside number, dialled through the trunk."""
    endpoint: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*$")] | None = None
    """Registered telephone of a city office, instead of a number."""
    hours: tuple[OfficeWeekSection, ...] = ()
    """When it takes calls; without any, always."""
    holidays: Literal["open", "closed"] = "closed"
    """On public holidays, whatever the centre does then: a city office is closed."""
    deputy: Extension | None = None
    """Who is tried when nobody takes the call here, or when it is out of hours."""
    receives: tuple[Name, ...] = ()
    """Lines and categories whose calls may be handed over; without any, all."""
    note: str = ""
    """Which matters, in words."""
    direct: TelephoneNumber | None = None
    """A number of the city that leads here without an operator."""
    direct_line: Name | None = None
    """Whose operators take the call of `direct` when nobody here does."""

    @model_validator(mode="after")
    def _consistent(self) -> DirectoryEntry:
        if (self.number is None) == (self.endpoint is None):
            raise ValueError("つなぎ先が一つではありません|number か endpoint のどちらか一つを書く")
        if self.direct and not (self.hours and self.direct_line):
            raise ValueError("direct には受付時間と回線が要ります|hours と direct_line を書く")
        if self.direct_line and not self.direct:
            raise ValueError("direct_line は direct と使います|direct に番号を書く")
        periods_of(self._weeks())
        return self

    def _weeks(self) -> list[WeekSection]:
        return [WeekSection(valid_from=date.min, days=row.days, times=row.times) for row in self.hours]

    def opening_hours(self, centre: OpeningHours) -> OpeningHours | None:
        """When it takes calls; None for always. Year end and closed days are the `centre`'s."""
        if not self.hours:
            return None
        closed = {
            day: SpecialDay((), special.name)
            for day, special in centre.special_days.items()
            if not special.intervals
        }
        return replace(
            centre,
            periods=periods_of(self._weeks()),
            closed_on_holidays=self.holidays == "closed",
            special_days=closed,
        )


def _spoken_number(text: str) -> str:
    number = normalise_number(text)
    if number is None or not number.startswith("0") or not 10 <= len(number) <= 11:
        raise ValueError(
            f"電話番号として読めません: {text!r}|0 から始まる10桁か11桁を、0120-95-0178 のように書く"
        )
    return text


class ReferralSection(Section):
    """An office outside the contract that a citizen is told of, or handed to where the city has agreed."""

    id: Name
    """Its text is the prompt `refer_<id>`: the city's own, or made of the name, the number and the hours."""
    extension: Extension | None = None
    """What an operator dials so that the citizen hears it; None for menus only."""
    name_ja: Text
    name_en: Text
    number: Annotated[str, AfterValidator(_spoken_number)]
    """With the hyphens at which the voice pauses."""
    about: Text
    """What is referred there, for operators to read."""
    hours_ja: str = ""
    """As it is said; empty when the number is answered at all hours, or nobody knows."""
    hours_en: str = ""
    hand_over: bool = False
    """Whether an operator's dialling connects the citizen instead of telling the number."""

    @model_validator(mode="after")
    def _reachable(self) -> ReferralSection:
        if self.hand_over and self.extension is None:
            raise ValueError("hand_over には内線番号が要ります|extension を書く")
        return self

    @property
    def prompt(self) -> str:
        return f"refer_{self.id}"

    @property
    def digits(self) -> str:
        return "".join(char for char in self.number if char.isdigit())
