"""What every table is made with: its retention, personal data, and what a request to delete does (`Table.info`)."""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table

from storage.erasure_rules import NOT_OF_CITIZENS, Erasure


@unique
class Retention(StrEnum):
    """How long rows live; the days behind the first four stand in `[interactions.retention_days]`."""

    CALLS = "calls"
    RECORDINGS = "recordings"
    TRANSCRIPTS = "transcripts"
    CALLER_NUMBERS = "caller_numbers"
    WHILE_IN_USE = "while_in_use"
    """Configuration and bookkeeping: deleted by hand or overwritten."""


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def table(
    name: str, *parts: Any, retention: Retention, personal: bool, erasure: Erasure | None = None
) -> Table:
    """A table with its answers.

    Args:
        name: of the table.
        parts: columns, indices, constraints.
        retention: how long rows live.
        personal: whether they hold personal data.
        erasure: what a request to delete does; must be there when they do.
    """
    if erasure is None and not personal:
        erasure = NOT_OF_CITIZENS
    return Table(
        name, metadata, *parts, info={"retention": retention, "personal": personal, "erasure": erasure}
    )


def serial() -> Column[int]:
    # SQLite counts up by itself only for INTEGER, PostgreSQL should have 64 bits.
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)
