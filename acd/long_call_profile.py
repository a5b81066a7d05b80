"""`[acd.long_call]` of a profile: calls that go on too long, and who is spared (カスハラ対策)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from core.profile_file import Section

WORDS = 2
"""Sentences before the last one: the prompts `long_call_1` and `long_call_2`; `long_call_end` is a supervisor's."""
LeadingDigits = Annotated[str, Field(pattern=r"^0[0-9-]{1,12}$")]


class LongCallSection(Section):
    """Nothing is said by itself unless `after_min` says when."""

    after_min: Annotated[tuple[Annotated[int, Field(ge=1, le=480)], ...], Field(max_length=WORDS)] = ()
    """Minutes of one operator's talk after which each sentence is said by itself; empty: only when a person says so."""
    relay: tuple[LeadingDigits, ...] = ()
    """Numbers, or the digits they begin with, that a relay service (電話リレーサービス) calls from: such calls take
    longer and come from one number, and no alert and no sentence of itself is about them."""

    @model_validator(mode="after")
    def _grows(self) -> LongCallSection:
        if list(self.after_min) != sorted(set(self.after_min)):
            raise ValueError("long_call の after_min は増えていきます|小さい順に並べ直す")
        return self

    def is_relay(self, number: str | None) -> bool:
        """Whether this number (national digits) is a relay service's."""
        return number is not None and number.startswith(tuple(known.replace("-", "") for known in self.relay))

    def due(self, talked_s: float) -> int:
        """How many of the sentences are due by themselves after so long a talk."""
        return sum(talked_s >= 60.0 * minutes for minutes in self.after_min)
