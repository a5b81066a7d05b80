"""`[reports]` of a profile: which papers the city gets, and when they are due."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from core.profile_file import Section, Text
from reports.answer_rates import ANSWER_RATE_RULES

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


class ReportSection(Section):
    """One paper: what it is and when the city wants it."""

    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    name_ja: Text
    due: DueRule
    number: Annotated[int, Field(ge=1, le=31)] | None = None
    """The day, business day or number of days that `due` counts with."""
    note: Text | None = None
    """Wording of the specification where the rule needs it."""

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


class ReportsSection(Section):
    """`[reports]`."""

    answer_rate_definition: Annotated[str, AfterValidator(_known_rule)]
    """Which denominator of 応答率 the contract means: `reports.answer_rates` holds them."""
    papers: Annotated[tuple[ReportSection, ...], Field(min_length=1)]
