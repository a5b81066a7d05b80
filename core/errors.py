"""The root of every error that Toritsugi raises on purpose."""

from __future__ import annotations


class ToritsugiError(Exception):
    """Something a person can mend.

    Args:
        message: what went wrong, in Japanese when an operator, clerk or citizen may meet it.
        where: file and key, address, or record; empty when there is no place to point at.
        cure: what to do about it.
    """

    code = "toritsugi.error"

    def __init__(self, message: str, *, where: str = "", cure: str = "") -> None:
        super().__init__(message)
        self.message, self.where, self.cure = message, where, cure

    def __str__(self) -> str:
        parts = [f"{self.where}: {self.message}" if self.where else self.message]
        if self.cure:
            parts.append(f"→ {self.cure}")
        return " ".join(parts)
