"""Tables of who may sign in at the desk."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Double, Integer, String, Text

from storage.erasure_rules import OF_STAFF
from storage.tables import Retention, table

desk_user = table(
    "desk_user",
    Column("name", String(40), primary_key=True),
    Column("display", String(80), nullable=False),
    Column("role", String(16), nullable=False),
    Column("operator", String(16)),
    Column("department", String(80), nullable=False),
    Column("active", Boolean, nullable=False),
    Column("password_hash", String(255), nullable=False),
    Column("totp_secret", String(255), nullable=False),
    Column("totp_step", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("locked_until", Double, nullable=False),
    Column("setup_hash", String(64), nullable=False, index=True),
    Column("setup_until", Double, nullable=False),
    Column("created_at", Double, nullable=False),
    retention=Retention.WHILE_IN_USE,
    personal=True,
    erasure=OF_STAFF,
)

desk_key = table(
    "desk_key",
    Column("credential", String(400), primary_key=True),
    Column("user", String(40), nullable=False, index=True),
    Column("public_key", Text, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("label", String(80), nullable=False),
    Column("created_at", Double, nullable=False),
    retention=Retention.WHILE_IN_USE,
    personal=True,
    erasure=OF_STAFF,
)

desk_session = table(
    "desk_session",
    Column("key", String(64), primary_key=True),
    Column("user", String(40), nullable=False, index=True),
    Column("stage", String(8), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("seen_at", Double, nullable=False),
    Column("address", String(64), nullable=False),
    Column("agent", String(200), nullable=False),
    Column("challenge", String(255), nullable=False),
    retention=Retention.WHILE_IN_USE,
    personal=True,
    erasure=OF_STAFF,
)

desk_token = table(
    "desk_token",
    Column("id", String(16), primary_key=True),
    Column("key", String(64), nullable=False, unique=True),
    Column("user", String(40), nullable=False, index=True),
    Column("label", String(80), nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("used_at", Double),
    retention=Retention.WHILE_IN_USE,
    personal=True,
    erasure=OF_STAFF,
)
