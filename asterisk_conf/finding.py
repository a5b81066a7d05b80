"""One fault that the lint found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault: the rule it breaks, where, and what to do."""

    rule: str
    place: str
    """`file:line`."""
    message: str
    cure: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message} [{self.rule}] → {self.cure}"
