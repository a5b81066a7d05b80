"""Telephone numbers as they arrive from a trunk: normalised, comparable, masked when shown.

Why a number is withheld is told by the network in different ways: RFC 3323 `Privacy: id` with an anonymous
From, and Japanese carriers' reason words in the display name (Anonymous, Coin line/payphone, Unavailable).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum, unique

import phonenumbers

from core.masking import mask_number


@unique
class CallerKind(StrEnum):
    """Whether the caller's number is known, and if not, why."""

    NUMBER = "number"
    WITHHELD = "withheld"
    """非通知: the caller chose not to show it."""
    PAYPHONE = "payphone"
    """公衆電話."""
    UNAVAILABLE = "unavailable"
    """表示圏外: the network could not bring it (calls from abroad, some gateways)."""

    @property
    def label_ja(self) -> str:
        return {
            CallerKind.NUMBER: "番号通知",
            CallerKind.WITHHELD: "非通知",
            CallerKind.PAYPHONE: "公衆電話",
            CallerKind.UNAVAILABLE: "表示圏外",
        }[self]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as far as the network says. `number` is national digits (`0…`) or `+…` from abroad."""

    kind: CallerKind
    number: str | None = None

    def __repr__(self) -> str:
        return f"Caller({self.kind.value}, {mask_number(self.number)})"


def normalise_number(text: str) -> str | None:
    """National digits for a Japanese number in any notation, `+…` for a foreign one, None if it is no number."""
    folded = unicodedata.normalize("NFKC", text).strip()
    digits = "".join(ch for ch in folded if ch.isdigit() or ch == "+")
    if not digits.strip("+"):
        return None
    if len(digits) <= 4 and not digits.startswith("+"):
        return digits  # extensions and 1XY services; phonenumbers calls them invalid
    try:
        parsed = phonenumbers.parse(digits, "JP")
    except phonenumbers.NumberParseException:
        return None
    if parsed.country_code == 81:
        national = phonenumbers.national_significant_number(parsed)
        return "0" + national
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


_CALLABLE = re.compile(r"0[5-9]0[1-9][0-9]{7}|0[1-9][1-9][0-9]{7}")
"""Mobile and IP telephones, and geographic numbers; the dialplan's `callback-out` holds the same patterns."""
_SERVICES = ("0120", "0130", "0140", "0150", "0160", "0170", "0180", "0190", "0570", "0990")
"""Ten digits that look geographic: free dial, paid navigation, paid information and other services."""
_KINDS = frozenset(
    {
        phonenumbers.PhoneNumberType.FIXED_LINE,
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
        phonenumbers.PhoneNumberType.VOIP,
    }
)


def callable_number(text: str | None) -> str | None:
    """National digits of a number that we may call back, None for every other.

    A person's Japanese telephone only: geographic, mobile or IP (050). Nothing abroad, no emergency or short
    number, no free dial, 0570 or 0990: whoever books a call-back must not choose where our money goes.
    """
    number = normalise_number(text) if text else None
    if number is None or not _CALLABLE.fullmatch(number) or number.startswith(_SERVICES):
        return None
    parsed = phonenumbers.parse(number, "JP")
    return number if phonenumbers.number_type(parsed) in _KINDS else None


def number_groups(number: str) -> tuple[str, ...]:
    """The groups in which a Japanese number is written and said: `09012345678` → 090, 1234, 5678."""
    parsed = phonenumbers.parse(number, "JP")
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    return tuple(part for part in re.split(r"[^0-9]+", written) if part)


_PAYPHONE_WORDS = ("coin", "payphone", "公衆")
_UNAVAILABLE_WORDS = ("unavailable", "out of area", "interworking", "表示圏外", "unknown")


def classify_caller(user: str, display: str = "", privacy: str = "") -> Caller:
    """The caller from the From/P-Asserted-Identity user part, display name and Privacy header.

    A withheld number stays withheld even when a trusted peer asserts it: the citizen asked for that.
    """
    words = f"{user} {display}".lower()
    if any(word in words for word in _PAYPHONE_WORDS):
        return Caller(CallerKind.PAYPHONE)
    if any(word in words for word in _UNAVAILABLE_WORDS):
        return Caller(CallerKind.UNAVAILABLE)
    flags = {part.strip() for part in privacy.lower().replace(";", ",").split(",")}
    if "anonymous" in words or "非通知" in words or flags & {"id", "user", "full"}:
        return Caller(CallerKind.WITHHELD)
    number = normalise_number(user)
    return Caller(CallerKind.NUMBER, number) if number else Caller(CallerKind.UNAVAILABLE)
