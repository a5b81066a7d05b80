"""What a request to delete does with each table's rows. Every table in `storage.rows` that holds personal data says it.

A place is a column, or a way into its JSON: `record.caller.number`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, unique
from typing import Any


@unique
class Erase(StrEnum):
    """What happens to a row that belongs to the person."""

    DELETE = "delete"
    REWRITE = "rewrite"
    """It stays without what is personal, since figures rest on it."""
    MADE_ANEW = "made_anew"
    """It repeats what other tables hold, such as an index, and is made anew for what was erased there."""
    KEEP = "keep"
    """It is never touched: it holds nothing of citizens, or must not change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """One table's answer. In every row, also of other people, the number is taken out of texts unless it says KEEP."""

    action: Erase
    label_ja: str
    """What people call what the rows hold, for the certificate."""
    call: str = ""
    """Place of the call's id; empty when rows belong to none."""
    case: str = ""
    """Place of the case's id."""
    numbers: Mapping[str, Any] = field(default_factory=dict)
    """Places that hold exactly a person's number, and what stands there afterwards (None or an empty text)."""
    leads: bool = True
    """Whether a row with the number leads to its call and case: the call was that person's."""
    put: Mapping[str, Any] = field(default_factory=dict)
    """Places that are overwritten in the person's rows: what people wrote, states."""
    stays_ja: str = ""
    """What stays and why, for the certificate."""


NOT_OF_CITIZENS = Erasure(action=Erase.KEEP, label_ja="")
"""For tables that hold no personal data of citizens."""
OF_STAFF = Erasure(action=Erase.KEEP, label_ja="", stays_ja="職員だけのデータ")
"""For tables that hold personal data of staff alone: accounts."""
MADE_ANEW = Erasure(action=Erase.MADE_ANEW, label_ja="")
"""For indices. Whoever adds one sees to it in `storage.erasure.SqlErasures.erase`."""
