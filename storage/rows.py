"""Every table, with its retention, whether it holds personal data, and what a request to delete does (`Table.info`)."""

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

from storage.account_rows import desk_key, desk_session, desk_token, desk_user
from storage.case_rows import (
    case_draft,
    interaction,
    interaction_call,
    interaction_faq,
    interaction_note,
    interaction_version,
    search_case,
    search_label,
    search_term,
    search_text,
    webhook_event,
)
from storage.erasure_rules import OF_STAFF, Erase, Erasure
from storage.tables import Retention, metadata
from storage.tables import serial as _serial
from storage.tables import table as _table

__all__ = [
    "Retention",
    "case_draft",
    "desk_key",
    "desk_session",
    "desk_token",
    "desk_user",
    "interaction",
    "interaction_call",
    "interaction_faq",
    "interaction_note",
    "interaction_version",
    "metadata",
    "search_case",
    "search_label",
    "search_term",
    "search_text",
    "webhook_event",
]

fact = _table(
    "fact",
    _serial(),
    Column("node", String(32), nullable=False),
    Column("file", String(64), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("call_id", String(96), index=True),
    Column("operator", String(16)),
    Column("at", Double, nullable=False),
    Column("payload", JSON, nullable=False),
    UniqueConstraint("node", "file", "position", "kind"),
    Index("ix_fact_operator", "operator", "at"),
    Index("ix_fact_kind", "kind", "at"),
    retention=Retention.CALLS,
    personal=True,
    erasure=Erasure(
        action=Erase.REWRITE,
        label_ja="交換機の記録",
        call="call_id",
        numbers={"payload.caller.number": None, "payload.diverted_from": None, "payload.to": ""},
        stays_ja="番号を除き、呼の数と時刻の根拠として残す",
    ),
)

tail_position = _table(
    "tail_position",
    Column("node", String(32), primary_key=True),
    Column("log", String(16), primary_key=True),
    Column("position", String(128), nullable=False),
    retention=Retention.WHILE_IN_USE,
    personal=False,
)

call = _table(
    "call",
    Column("call_id", String(96), primary_key=True),
    Column("sip_call_id", String(255), nullable=False, index=True),
    Column("arrived_at", Double, nullable=False, index=True),
    Column("ended_at", Double),
    Column("disposition", String(24)),
    Column("line", String(32)),
    Column("language", String(8)),
    Column("is_open", Boolean, nullable=False, index=True),
    Column("wrap_up_pending", Boolean, nullable=False, index=True),
    Column("wrapped_up_at", Double, index=True),
    Column("record", JSON, nullable=False),
    retention=Retention.CALLS,
    personal=True,
    erasure=Erasure(
        action=Erase.REWRITE,
        label_ja="通話の記録",
        call="call_id",
        numbers={"record.caller.number": None, "record.diverted_from": None, "record.callback.to": ""},
        stays_ja="番号を除き、報告済みの件数と一致させるために残す",
    ),
)

operator = _table(
    "operator",
    Column("id", String(16), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("sip_secret", String(128), nullable=False),
    Column("skills", JSON, nullable=False),
    Column("languages", JSON, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("group", String(32), nullable=False, server_default=""),
    Column("supervisor", Boolean, nullable=False, server_default=false()),
    Column("caps", JSON, nullable=False, server_default="{}"),
    Column("in_hand", JSON, nullable=False, server_default="{}"),
    Column("browser", Boolean, nullable=False, server_default=false()),
    retention=Retention.WHILE_IN_USE,
    personal=True,
    erasure=OF_STAFF,
)

staff_phone = _table(
    "staff_phone",
    Column("endpoint", String(32), primary_key=True),
    Column("sip_secret", String(128), nullable=False),
    retention=Retention.WHILE_IN_USE,
    personal=False,
)

trunk = _table(
    "trunk",
    Column("name", String(64), primary_key=True),
    Column("match", String(128), nullable=False),
    Column("username", String(128), nullable=False),
    Column("secret", String(128), nullable=False),
    Column("contact", String(255), nullable=False, server_default=""),
    retention=Retention.WHILE_IN_USE,
    personal=False,
)

recording = _table(
    "recording",
    Column("base", String(128), primary_key=True),
    Column("side", String(16), primary_key=True),
    Column("call_id", String(96), nullable=False, index=True),
    Column("path", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("bytes", BigInteger),
    Column("duration_s", Double),
    Column("started_at", Double, index=True),
    retention=Retention.RECORDINGS,
    personal=True,
    erasure=Erasure(action=Erase.DELETE, label_ja="録音の台帳", call="call_id"),
)

transcript_job = _table(
    "transcript_job",
    Column("call_id", String(96), primary_key=True),
    Column("base", String(128), nullable=False),
    Column("language", String(8), nullable=False),
    Column("ranges", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_try_at", Double, nullable=False),
    Column("claimed_by", String(64), nullable=False),
    Column("claimed_at", Double),
    Column("error", Text, nullable=False),
    Index("ix_transcript_job_due", "state", "next_try_at"),
    retention=Retention.TRANSCRIPTS,
    personal=False,
    erasure=Erasure(
        action=Erase.REWRITE,
        label_ja="文字起こしの仕事",
        call="call_id",
        put={"state": "empty", "error": ""},
        stays_ja="文字起こしをやり直さない印として残す。個人情報はない",
    ),
)

transcript = _table(
    "transcript",
    Column("call_id", String(96), primary_key=True),
    Column("side", String(16), primary_key=True),
    Column("text", Text, nullable=False),
    Column("segments", JSON, nullable=False),
    Column("engine", String(64), nullable=False),
    Column("made_at", Double, nullable=False),
    retention=Retention.TRANSCRIPTS,
    personal=True,
    erasure=Erasure(action=Erase.DELETE, label_ja="文字起こし", call="call_id"),
)

recording_mute = _table(
    "recording_mute",
    Column("base", String(128), primary_key=True),
    Column("side", String(16), primary_key=True),
    Column("call_id", String(96), nullable=False, index=True),
    Column("spans", JSON, nullable=False),
    Column("due_at", Double, nullable=False),
    Column("state", String(16), nullable=False),
    Column("muted_at", Double),
    Column("scanned_at", Double),
    Column("rounds", Integer, nullable=False),
    Index("ix_recording_mute_due", "state", "due_at"),
    retention=Retention.RECORDINGS,
    personal=False,
    erasure=Erasure(action=Erase.DELETE, label_ja="録音の無音の区間", call="call_id"),
)

call_insight = _table(
    "call_insight",
    Column("call_id", String(96), primary_key=True),
    Column("made_at", Double, nullable=False),
    Column("method", String(64), nullable=False),
    Column("record", JSON, nullable=False),
    retention=Retention.TRANSCRIPTS,
    personal=True,
    erasure=Erasure(action=Erase.DELETE, label_ja="通話の要約・タグ", call="call_id"),
)

quality_check = _table(
    "quality_check",
    Column("call_id", String(96), primary_key=True),
    Column("at", Double, nullable=False, index=True),
    Column("operator", String(32), nullable=False),
    Column("line", String(64), nullable=False),
    Column("score", Double),
    Column("record", JSON, nullable=False),
    Column("overruled", JSON, nullable=False),
    retention=Retention.TRANSCRIPTS,
    personal=True,
    erasure=Erasure(action=Erase.DELETE, label_ja="応対品質の記録", call="call_id"),
)

offer = _table(
    "offer",
    _serial(),
    Column("call_id", String(96), index=True),
    Column("at", Double, nullable=False, index=True),
    Column("operator", String(16), nullable=False),
    Column("queue", String(64), nullable=False),
    Column("deviation", String(16), nullable=False),
    Column("record", JSON, nullable=False),
    retention=Retention.CALLS,
    personal=True,
    erasure=Erasure(
        action=Erase.REWRITE,
        label_ja="呼び出しの理由",
        call="call_id",
        stays_ja="オペレーターへの配分の記録。市民の個人情報はない",
    ),
)

audit = _table(
    "audit",
    _serial(),
    Column("at", Double, nullable=False, index=True),
    Column("actor", String(80), nullable=False),
    Column("action", String(40), nullable=False),
    Column("subject", String(96), nullable=False),
    Column("detail", JSON, nullable=False),
    Column("seq", BigInteger, nullable=False, unique=True),
    Column("prev", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    retention=Retention.CALLS,
    personal=True,
    erasure=Erasure(
        action=Erase.KEEP,
        label_ja="操作の記録",
        stays_ja="改ざんを見つけるために書き換えない。通話番号などの仮の番号だけを含む",
    ),
)

audit_chain = _table(
    "audit_chain",
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("pruned_seq", BigInteger, nullable=False),
    Column("pruned_hash", String(64), nullable=False),
    retention=Retention.WHILE_IN_USE,
    personal=False,
)

callback = _table(
    "callback",
    Column("call", String(96), primary_key=True),
    Column("number", String(32), nullable=False),
    Column("caller", String(32)),
    Column("demand", String(80), nullable=False),
    Column("entered_at", Double, nullable=False),
    Column("booked_at", Double, nullable=False, index=True),
    Column("expires_at", Double, nullable=False),
    Column("state", String(24), nullable=False, index=True),
    Column("since", Double, nullable=False),
    Column("next_at", Double, nullable=False),
    Column("offers", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("over", Integer, nullable=False),
    Column("operator", String(16)),
    Column("reason", String(40), nullable=False),
    Column("by", String(96)),
    Column("talk_s", Double, nullable=False),
    retention=Retention.CALLER_NUMBERS,
    personal=True,
    erasure=Erasure(
        action=Erase.DELETE,
        label_ja="折り返しの予約",
        call="call",
        numbers={"number": "", "caller": None},
    ),
)

ticket = _table(
    "ticket",
    Column("ticket_id", String(96), primary_key=True),
    Column("state", String(16), nullable=False, index=True),
    Column("opened_at", Double, nullable=False, index=True),
    Column("ended_at", Double, index=True),
    Column("record", JSON, nullable=False),
    retention=Retention.CALLER_NUMBERS,
    personal=True,
    erasure=Erasure(
        action=Erase.DELETE,
        label_ja="市への依頼",
        call="record.call",
        numbers={"record.number": ""},
        leads=False,
    ),
)

setting = _table(
    "setting",
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
    retention=Retention.WHILE_IN_USE,
    personal=False,
)

alert = _table(
    "alert",
    Column("id", String(16), primary_key=True),
    Column("kind", String(24), nullable=False),
    Column("subject", String(96), nullable=False),
    Column("label", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("since", Double, nullable=False),
    Column("raised_at", Double, nullable=False, index=True),
    Column("notified", Integer, nullable=False),
    Column("notified_at", Double),
    Column("cleared_at", Double, index=True),
    Column("acknowledged_at", Double),
    Column("acknowledged_by", String(80)),
    Column("note", Text),
    retention=Retention.CALLS,
    personal=True,
    erasure=Erasure(
        action=Erase.REWRITE,
        label_ja="警報",
        stays_ja="職員と設備の記録として残す",
    ),
)

erasure = _table(
    "erasure",
    Column("id", String(32), primary_key=True),
    Column("at", Double, nullable=False, index=True),
    Column("actor", String(80), nullable=False),
    Column("replay", JSON, nullable=False),
    Column("certificate", JSON, nullable=False),
    retention=Retention.WHILE_IN_USE,
    personal=True,
    erasure=Erasure(
        action=Erase.KEEP,
        label_ja="消去の記録",
        stays_ja="消去の証明と、バックアップから戻したときの消し直しのために残す。元に戻せない照合値だけを含む",
    ),
)

export_log = _table(
    "export_log",
    _serial(),
    Column("at", Double, nullable=False, index=True),
    Column("actor", String(80), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("path", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("calls", JSON),
    Column("keep_until", Double),
    retention=Retention.CALLS,
    personal=True,
    erasure=Erasure(
        action=Erase.REWRITE,
        label_ja="持ち出しの記録",
        stays_ja="どこに写しがあるかを示すために残す",
    ),
)

faq_article = _table(
    "faq_article",
    Column("article_id", String(64), primary_key=True),
    Column("state", String(16), nullable=False, index=True),
    Column("latest", Integer, nullable=False),
    Column("published", Integer, nullable=False),
    Column("change", BigInteger, nullable=False, index=True),
    Column("record", JSON, nullable=False),
    retention=Retention.WHILE_IN_USE,
    personal=True,
    erasure=OF_STAFF,
)

faq_version = _table(
    "faq_version",
    Column("article_id", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("made_at", Double, nullable=False),
    Column("record", JSON, nullable=False),
    retention=Retention.WHILE_IN_USE,
    personal=True,
    erasure=OF_STAFF,
)

faq_request = _table(
    "faq_request",
    Column("request_id", String(32), primary_key=True),
    Column("state", String(16), nullable=False, index=True),
    Column("due_at", Double, nullable=False),
    Column("record", JSON, nullable=False),
    retention=Retention.WHILE_IN_USE,
    personal=True,
    erasure=OF_STAFF,
)

faq_synonym = _table(
    "faq_synonym",
    Column("set_id", String(32), primary_key=True),
    Column("words", JSON, nullable=False),
    retention=Retention.WHILE_IN_USE,
    personal=False,
)

faq_search = _table(
    "faq_search",
    _serial(),
    Column("at", Double, nullable=False, index=True),
    Column("actor", String(80), nullable=False),
    Column("call_id", String(96), index=True),
    Column("words", Text, nullable=False),
    Column("found", JSON, nullable=False),
    Column("strict", Boolean, nullable=False),
    Column("clicked", JSON, nullable=False),
    Column("used", JSON, nullable=False),
    retention=Retention.CALLS,
    personal=True,
    erasure=Erasure(action=Erase.DELETE, label_ja="FAQ の検索の記録", call="call_id"),
)
