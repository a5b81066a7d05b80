"""Masked forms of personal data, for logs and for every `repr`.

What a transcript must lose is decided in `speech.redact`; this is only about showing less.
"""

from __future__ import annotations

import re

_LONG_DIGITS = re.compile(r"(?<![\d.])(\+?\d[\d-]{5,}\d)(?![\d.])")


def mask_number(number: str | None) -> str:
    """`09012345678` → `090****5678`; short or missing numbers vanish whole."""
    if not number:
        return "-"
    if len(number) < 8:
        return "*" * len(number)
    return f"{number[:3]}{'*' * (len(number) - 7)}{number[-4:]}"


def mask_text(text: str) -> str:
    """`text` with every run of seven or more digits masked (Uniqueids, which hold a dot, stay)."""
    return _LONG_DIGITS.sub(lambda found: mask_number(found.group(1)), text)
