"""Finding a telephone number in whatever holds it: with hyphens, full-width digits, `+81`, JSON escapes, raw bytes."""

from __future__ import annotations

import re
from functools import lru_cache

from core.phone import normalise_number

ERASED = "［電話番号］"
"""What stands in free text where a number was."""
FEWEST_DIGITS = 7
"""Shorter numbers (extensions) name no citizen, and their digits stand in dates and prices too."""

_SIGNS = "()（）.．・‐‑–—−ー－-\u3000"
_WIDE_SIGNS = [(sign.encode(), f"\\u{ord(sign):04x}".encode()) for sign in _SIGNS if ord(sign) > 127]
_WIDE_DIGITS = [
    (digit.encode(), wide.encode(), f"\\u{ord(wide):04x}".encode())
    for digit, wide in zip("0123456789", "０１２３４５６７８９", strict=True)
]
_ESCAPED_SIGNS = "|".join(f"{ord(sign):04x}" for sign in _SIGNS if ord(sign) > 127)
_BETWEEN = rf"(?:[\s{re.escape(_SIGNS)}]|\\u(?:{_ESCAPED_SIGNS})){{0,4}}"


def digits_of(number: str | None) -> str:
    """The digits by which `number` is looked for; empty when it is too short to be a citizen's."""
    digits = (number or "").lstrip("+")
    return digits if digits.isascii() and digits.isdigit() and len(digits) >= FEWEST_DIGITS else ""


@lru_cache(maxsize=64)
def number_pattern(number: str) -> re.Pattern[str]:
    """Finds `number` in text, and nothing inside a longer run of digits.

    Args:
        number: national digits or `+…` (`core.phone.normalise_number`), long enough (`digits_of`).
    """
    return re.compile(rf"(?<!\d){_spelled(number)}(?!\d)")


@lru_cache(maxsize=64)
def raw_pattern(number: str) -> re.Pattern[bytes]:
    """Finds `number` in the bytes of any file (UTF-8), also where other digits touch it, as in a database's pages."""
    encoded = re.sub(
        r"\[([^\[\]]*)\]",
        lambda found: _alternatives(found[1]),
        _spelled(number).replace(rf"[\s{re.escape(_SIGNS)}]", "[" + " \t\r\n" + _SIGNS + "]"),
    )
    return re.compile(encoded.encode("utf-8"))


def count_raw(number: str, data: bytes, since: int = 0) -> int:
    """How often `number` stands in raw bytes, counting what ends behind `since`.

    Most blocks of a large file do not hold the digits in any form, which is seen fast, and are not searched closely.
    """
    if not may_hold(number, data):
        return 0
    return sum(found.end() > since for found in raw_pattern(number).finditer(data))


def may_hold(number: str, data: bytes) -> bool:
    """Whether the digits follow each other in `data`, whatever lies between: a fast look before a close one."""
    return digits_of(number).removeprefix("0").encode() in _squeezed(data)


def _squeezed(data: bytes) -> bytes:
    """`data` with plain digits and nothing between them."""
    if b"\xef\xbc" in data or b"\\u" in data:
        for digit, wide, escaped in _WIDE_DIGITS:
            data = data.replace(wide, digit).replace(escaped, digit)
    for sign, escaped in _WIDE_SIGNS:
        data = data.replace(sign, b"").replace(escaped, b"")
    return data.translate(None, b" \t\r\n\x0b\x0c()-")


def _alternatives(signs: str) -> str:
    return "(?:" + "|".join(re.escape(sign) for sign in signs) + ")"


def _digit(digit: str) -> str:
    wide = chr(ord("０") + int(digit))
    return rf"(?:[{digit}{wide}]|\\u{ord(wide):04x})"


def _spelled(number: str) -> str:
    digits = digits_of(number)
    if not digits:
        raise ValueError("too short to be looked for")
    head = r"(?:[+＋]|\\uff0b)?"
    if digits.startswith("0"):
        abroad = rf"{head}{_BETWEEN}{_digit('8')}{_BETWEEN}{_digit('1')}{_BETWEEN}"
        zero = rf"(?:(?:[(（]|\\uff08){_digit('0')}(?:[)）]|\\uff09))?"
        head, digits = rf"(?:{_digit('0')}|{abroad}{zero})", digits[1:]
    return head + _BETWEEN + _BETWEEN.join(_digit(digit) for digit in digits)


_ANY = re.compile(rf"(?<!\d)[+＋]?\d(?:[{re.escape(_SIGNS)} ]{{0,2}}\d){{{FEWEST_DIGITS - 1},14}}(?!\d)")


def numbers_in(text: str) -> set[str]:
    """What looks like a telephone number in `text`, normalised; more rather than fewer."""
    found = (normalise_number(each[0].replace("(0)", "")) for each in _ANY.finditer(text))
    return {number for number in found if digits_of(number) and number is not None}


def without_number(text: str, number: str | None) -> str:
    """`text` without `number`, however it is written: with hyphens, full-width digits, or `+81`."""
    if not digits_of(number) or number is None:
        return text
    return number_pattern(number).sub(ERASED, text)
