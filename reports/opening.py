"""What a figure opens to: which count it is, and of which part of the period."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

SEARCHES = "search:"
"""Begins the name of a figure that counts searches of the knowledge base; no call stands behind these."""
NAMED = "named:"
"""Begins the name of a figure whose calls are told one by one, by their ids."""
NO_LINE_CHOSEN = "-"
"""In an address: calls that ended before a line was chosen."""


def named(calls: Iterable[str]) -> str:
    """The name of a figure of these calls."""
    return f"{NAMED}{','.join(calls)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Enough to list the calls behind a figure; `reports.behind` knows the counts."""

    metric: str
    """A name of `reports.behind`, with its arguments: `answered`, `offered:without_short_v1:10`."""
    first: date
    last: date
    """Both included."""
    hour: int | None = None
    """0 to 23; None for every hour."""
    line: str | None = None
    """Of the profile; empty for calls that chose none, None for every one."""

    def holds(self, day: date, hour: int, line: str) -> bool:
        """Whether a call of this city's day and hour and of this line ("" for none) lies in it."""
        return self.first <= day <= self.last and self.hour in (None, hour) and self.line in (None, line)

    @property
    def address(self) -> str:
        """Where the desk lists them, from its root."""
        parts: dict[str, str] = {"metric": self.metric, "first": self.first.isoformat()}
        if self.last != self.first:
            parts["last"] = self.last.isoformat()
        if self.hour is not None:
            parts["hour"] = str(self.hour)
        if self.line is not None:
            parts["line"] = self.line or NO_LINE_CHOSEN
        page = "searches" if self.metric.startswith(SEARCHES) else "calls"
        return f"/reports/{page}?{urlencode(parts, safe=':,')}"
