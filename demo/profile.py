"""`[demo]` of a profile: the simulated day. Volumes come from the specification, behaviour is assumed."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field, model_validator

from core.profile_file import Section, Text

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class IntentSection(Section):
    """Why citizens call: how many a month, and which keys such a caller presses."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    name_ja: Text
    per_month: Annotated[int, Field(ge=1)]
    keys: Annotated[str, Field(pattern=r"^[0-9*#]+$")]
    mean_talk_s: Positive


class DemoOperator(Section):
    """One simulated operator and the level (1 to 5) in each line that they serve."""

    id: Annotated[str, Field(pattern=r"^\d{3}$")]
    name_ja: Text
    lines: Annotated[dict[str, Annotated[int, Field(ge=1, le=5)]], Field(min_length=1)]
    languages: Annotated[tuple[str, ...], Field(min_length=1)]


class DemoSection(Section):
    """`[demo]`."""

    date: date
    """The day that is played; open, inside the contract."""
    mean_patience_s: Positive
    """How long a waiting caller holds on, on average."""
    english: Share
    """Share of callers who choose English."""
    mispress: Share
    """Share who press a wrong key first."""
    silent: Share
    """Share who press nothing and wait for a person."""
    withheld: Share
    """Share who withhold their number."""
    hour_weights: dict[Annotated[str, Field(pattern=r"^\d{1,2}$")], Positive]
    """Hour of the day to its share of arrivals, any scale."""
    intents: Annotated[tuple[IntentSection, ...], Field(min_length=1)]
    operators: Annotated[tuple[DemoOperator, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> DemoSection:
        ids = [operator.id for operator in self.operators]
        if len(set(ids)) != len(ids):
            raise ValueError("オペレーターの id が重なっています|一つずつ違う id にする")
        if self.english + self.mispress + self.silent > 1:
            raise ValueError("割合の和が1を超えています|english、mispress、silent を小さくする")
        return self
