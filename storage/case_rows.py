"""The tables of interaction records, of their search, and of what other systems are told."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.dialects.postgresql import TSVECTOR

from storage.erasure_rules import MADE_ANEW, Erase, Erasure
from storage.tables import Retention, serial, table

interaction = table(
    "interaction",
    Column("case_id", String(96), primary_key=True),
    Column("status", String(24), nullable=False),
    Column("category", String(64)),
    Column("transcript", String(16), nullable=False),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("started_at", Double, nullable=False, index=True),
    Column("tags", JSON, nullable=False, server_default="[]"),
    Column("complaint", Boolean, nullable=False, server_default=false()),
    Column("mistaken_guidance", Boolean, nullable=False, server_default=false()),
    Column("confidential", Boolean, nullable=False, server_default=false()),
    Column("satisfaction", Integer),
    Column("department", String(32), nullable=False, server_default=""),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("edited_by", String(80), nullable=False, server_default=""),
    Column("edited_at", Double),
    Column("joined_into", String(96), index=True),
    retention=Retention.CALLS,
    personal=True,
    erasure=Erasure(
        action=Erase.REWRITE,
        label_ja="応対履歴",
        case="case_id",
        put={"question": "", "answer": "", "transcript": "none", "tags": []},
        stays_ja="内容を除き、分類ごとの件数のために残す",
    ),
)

interaction_call = table(
    "interaction_call",
    Column("call_id", String(96), primary_key=True),
    Column("case_id", String(96), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("summary", JSON, nullable=False),
    retention=Retention.CALLS,
    personal=True,
    erasure=Erasure(
        action=Erase.REWRITE,
        label_ja="応対履歴の通話",
        call="call_id",
        case="case_id",
        numbers={"summary.caller": None},
        stays_ja="番号を除き、通話とのつながりとして残す",
    ),
)

interaction_version = table(
    "interaction_version",
    Column("case_id", String(96), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False, index=True),
    Column("by", String(80), nullable=False),
    Column("record", JSON, nullable=False),
    retention=Retention.CALLS,
    personal=True,
    erasure=Erasure(action=Erase.DELETE, label_ja="応対履歴の前の版", case="case_id"),
)

interaction_note = table(
    "interaction_note",
    Column("note_id", String(40), primary_key=True),
    Column("case_id", String(96), nullable=False, index=True),
    Column("at", Double, nullable=False, index=True),
    Column("by", String(80), nullable=False),
    Column("side", String(16), nullable=False),
    Column("text", Text, nullable=False),
    retention=Retention.CALLS,
    personal=True,
    erasure=Erasure(action=Erase.DELETE, label_ja="応対のやりとり", case="case_id"),
)

interaction_faq = table(
    "interaction_faq",
    Column("case_id", String(96), primary_key=True),
    Column("article", String(64), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("shown_at", Double, nullable=False, index=True),
    Column("used_at", Double),
    Column("by", String(80), nullable=False),
    Index("ix_interaction_faq_article", "article", "version"),
    retention=Retention.CALLS,
    personal=True,
    erasure=Erasure(
        action=Erase.REWRITE,
        label_ja="応対で使った FAQ",
        case="case_id",
        stays_ja="どの FAQ が使われたかの件数のために残す。市民の個人情報はない",
    ),
)

case_draft = table(
    "case_draft",
    Column("case_id", String(96), primary_key=True),
    Column("person", String(80), primary_key=True),
    Column("base_version", Integer, nullable=False),
    Column("saved_at", Double, nullable=False, index=True),
    Column("content", JSON, nullable=False),
    retention=Retention.CALLER_NUMBERS,
    personal=True,
    erasure=Erasure(action=Erase.DELETE, label_ja="書きかけの応対", case="case_id"),
)

# A case's place in time is its key here: hits come newest first straight from the index (ADR 24).
search_case = table(
    "search_case",
    Column("place", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("case_id", String(96), nullable=False, unique=True),
    Column("shape", Integer, nullable=False),
    Column("month", Integer, nullable=False),
    Index("ix_search_case_shape", "shape", "month", "place"),
    retention=Retention.CALLS,
    personal=False,
    erasure=MADE_ANEW,
)

search_label = table(
    "search_label",
    Column("place", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("label", Integer, primary_key=True, autoincrement=False),
    Index("ix_search_label_label", "label"),
    retention=Retention.CALLS,
    personal=False,
    erasure=MADE_ANEW,
)

search_term = table(
    "search_term",
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("text", Text, nullable=False),
    UniqueConstraint("text"),
    retention=Retention.WHILE_IN_USE,
    personal=False,
    erasure=MADE_ANEW,
)

search_text = table(
    "search_text",
    Column("place", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("tokens", Text().with_variant(TSVECTOR, "postgresql"), nullable=False),
    retention=Retention.CALLS,
    personal=True,
    erasure=MADE_ANEW,
)

webhook_event = table(
    "webhook_event",
    serial(),
    Column("event_id", String(40), nullable=False, unique=True),
    Column("endpoint", String(40), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("subject", String(96), nullable=False, index=True),
    Column("at", Double, nullable=False, index=True),
    Column("body", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_try_at", Double, nullable=False),
    Column("ended_at", Double, index=True),
    Column("error", Text, nullable=False),
    Index("ix_webhook_event_due", "state", "next_try_at"),
    retention=Retention.CALLER_NUMBERS,
    personal=True,
    erasure=Erasure(action=Erase.DELETE, label_ja="他のシステムへの知らせ", call="subject", case="subject"),
)
