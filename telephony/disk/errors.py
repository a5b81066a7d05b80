"""Lines of Asterisk's logs that cannot be used."""

from __future__ import annotations


class DamagedLine(ValueError):
    """The line is cut, garbled or of a kind we do not know. It is counted and logged, never guessed at."""
