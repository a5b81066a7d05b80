"""Lines of Asterisk's logs that cannot be used."""

from __future__ import annotations


class DamagedLine(ValueError):
    """The line is cut, garbled or of a kind we do not know. It is counted and logged, never guessed at."""


LAST = 4102444800.0
"""The year 2100, epoch seconds."""


def moment(at: float) -> float:
    """`at` when it is a moment between 1970 and 2100: a later reader has to make a date of it.

    Raises:
        DamagedLine: it is none (NaN and infinity are none either).
    """
    if not 0 <= at < LAST:
        raise DamagedLine("a moment out of range")
    return at
