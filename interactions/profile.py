"""`[interactions]` of a profile: how cases are sorted, and how long records are kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from core.profile_file import Section, Text

Days = Annotated[int, Field(ge=1, le=3660)]


class CategorySection(Section):
    """What a case is about; `line` is the service line whose calls start in it."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    name_ja: Text
    line: str | None = None


class RetentionSection(Section):
    """Days after the call's end until deletion."""

    recordings: Days
    transcripts: Days
    calls: Days
    caller_numbers: Days


class InteractionsSection(Section):
    """`[interactions]`."""

    categories: Annotated[tuple[CategorySection, ...], Field(min_length=1)]
    retention_days: RetentionSection

    def category_of(self, line: str) -> CategorySection | None:
        """The category in which a call of `line` starts."""
        return next((item for item in self.categories if item.line == line), None)
