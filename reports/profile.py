"""`[reports]` of a profile: which papers the city gets, and when they are due."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from core.profile_file import Section, Text
from reports.answer_rates import ANSWER_RATE_RULES
from reports.city_papers import SECTIONS

DueRule = Literal[
    "next_business_day",
    "last_business_day_of_next_week",
    "business_day_of_next_month",
    "day_of_next_month",
    "on_date",
    "days_after",
    "at_contract_end",
    "by_agreement",
]


def _known_section(name: str) -> str:
    if name not in SECTIONS:
        raise ValueError(f"知らない部分です: {name}|次のどれかを書く: {', '.join(SECTIONS)}")
    return name


class ReportSection(Section):
    """One paper: what it is and when the city wants it."""

    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    name_ja: Text
    due: DueRule
    number: Annotated[int, Field(ge=1, le=31)] | None = None
    """The day, business day or number of days that `due` counts with."""
    on: Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")] | None = None
    """With `on_date`: month and day, `12-10`."""
    note: Text | None = None
    """Wording of the specification where the rule needs it."""
    span: Literal["day", "week", "month", "so_far", "contract", "event"] | None = None
    """The period that it speaks of, where it is not the usual one of its kind."""
    sections: tuple[Annotated[str, AfterValidator(_known_section)], ...] = ()
    """Its parts in order, by the names of `reports.city_papers`; empty for the usual ones."""

    def due_ja(self) -> str:
        """The rule in words."""
        words = {
            "next_business_day": "翌営業日まで",
            "last_business_day_of_next_week": "翌週の最終営業日まで",
            "business_day_of_next_month": f"翌月の{self.number}営業日以内",
            "day_of_next_month": f"翌月{self.number}日まで",
            "on_date": "定めた時期",
            "days_after": f"{self.number}日以内",
            "at_contract_end": "業務完了後すみやかに",
            "by_agreement": "市との協議による",
        }[self.due]
        return f"{words}（{self.note}）" if self.note else words


def _known_rule(name: str) -> str:
    if name not in ANSWER_RATE_RULES:
        raise ValueError(f"知らない定義です: {name}|次のどれかを書く: {', '.join(ANSWER_RATE_RULES)}")
    return name


KnownRule = Annotated[str, AfterValidator(_known_rule)]


class DatedRule(Section):
    """A denominator of 応答率, and the first day on which the contract means it."""

    from_: Annotated[date, Field(alias="from")]
    rule: KnownRule


def _in_order(rules: tuple[DatedRule, ...]) -> tuple[DatedRule, ...]:
    days = [each.from_ for each in rules]
    if any(later <= earlier for earlier, later in pairwise(days)):
        raise ValueError("from の日付が順に並んでいません|古い日から順に、同じ日のないように書く")
    return rules


class ReportsSection(Section):
    """`[reports]`."""

    answer_rate_definition: (
        KnownRule | Annotated[tuple[DatedRule, ...], Field(min_length=1), AfterValidator(_in_order)]
    )
    """Which denominator of 応答率 the contract means: `reports.answer_rates` holds them. A list when it changed: each
    with the day from which it counts; the first one also counts before."""
    papers: Annotated[tuple[ReportSection, ...], Field(min_length=1)]
    availability: Annotated[float, Field(gt=0, lt=1)] | None = None
    """稼働率 that the contract asks of each service, 0 to 1."""
    places: Annotated[tuple[Text, ...], Field(min_length=1)] = ("コールセンター",)
    """Where the contract receives citizens; the telephone first."""

    def rule_on(self, day: date) -> str:
        """The name of the denominator that counts on this day."""
        return self.rules[max(0, sum(begin <= day for begin, _ in self.rules) - 1)][1]

    @property
    def rules(self) -> tuple[tuple[date, str], ...]:
        """Every denominator with its first day, oldest first; a single one counts from ever."""
        if isinstance(self.answer_rate_definition, str):
            return ((date.min, self.answer_rate_definition),)
        return tuple((each.from_, each.rule) for each in self.answer_rate_definition)
