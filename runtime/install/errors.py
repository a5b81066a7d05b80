"""What can go wrong while something is being fetched, in words a city clerk can act on."""

from __future__ import annotations

from core.errors import ToritsugiError


class InstallError(ToritsugiError):
    """Something is missing and could not be brought.

    Args:
        message: what went wrong, in Japanese.
        english: the same for readers of English.
        where: the path, package or address concerned.
        cure: what to do, Japanese first, then English after a slash.
    """

    code = "toritsugi.install"

    def __init__(self, message: str, *, english: str, where: str = "", cure: str = "") -> None:
        super().__init__(message, where=where, cure=cure)
        self.english = english

    def __str__(self) -> str:
        parts = [self.message, self.english]
        if self.where:
            parts.append(f"場所 / where: {self.where}")
        if self.cure:
            parts.append(f"→ {self.cure}")
        return "\n  ".join(parts)
