"""Interaction management: what a case holds, its search, what other systems are told; the audit as a chain

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import hashlib
import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

START = "0" * 64
_STATUS = {"draft": "in_progress", "open": "in_progress", "closed": "done"}


def upgrade() -> None:
    _cases()
    _search()
    _webhooks()
    _chain()


def _cases() -> None:
    with op.batch_alter_table("interaction", schema=None) as batch_op:
        batch_op.alter_column("status", existing_type=sa.String(16), type_=sa.String(24), existing_nullable=False)
        batch_op.add_column(sa.Column("tags", sa.JSON(), nullable=False, server_default="[]"))
        for name in ("complaint", "mistaken_guidance", "confidential"):
            batch_op.add_column(sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("satisfaction", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("department", sa.String(32), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
        batch_op.add_column(sa.Column("edited_by", sa.String(80), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("edited_at", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("joined_into", sa.String(96), nullable=True))
        batch_op.create_index(batch_op.f("ix_interaction_joined_into"), ["joined_into"], unique=False)
    for old, new in _STATUS.items():
        op.execute(f"UPDATE interaction SET status = '{new}' WHERE status = '{old}'")
    op.create_table(
        "interaction_version",
        sa.Column("case_id", sa.String(96), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "version", name=op.f("pk_interaction_version")),
    )
    op.create_index(op.f("ix_interaction_version_at"), "interaction_version", ["at"], unique=False)
    op.create_table(
        "interaction_note",
        sa.Column("note_id", sa.String(40), nullable=False),
        sa.Column("case_id", sa.String(96), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("side", sa.String(16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("note_id", name=op.f("pk_interaction_note")),
    )
    op.create_index(op.f("ix_interaction_note_at"), "interaction_note", ["at"], unique=False)
    op.create_index(op.f("ix_interaction_note_case_id"), "interaction_note", ["case_id"], unique=False)
    op.create_table(
        "interaction_faq",
        sa.Column("case_id", sa.String(96), nullable=False),
        sa.Column("article", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("shown_at", sa.Double(), nullable=False),
        sa.Column("used_at", sa.Double(), nullable=True),
        sa.Column("by", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "article", "version", name=op.f("pk_interaction_faq")),
    )
    op.create_index(op.f("ix_interaction_faq_shown_at"), "interaction_faq", ["shown_at"], unique=False)
    op.create_index("ix_interaction_faq_article", "interaction_faq", ["article", "version"], unique=False)
    op.create_table(
        "case_draft",
        sa.Column("case_id", sa.String(96), nullable=False),
        sa.Column("person", sa.String(80), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("saved_at", sa.Double(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "person", name=op.f("pk_case_draft")),
    )
    op.create_index(op.f("ix_case_draft_saved_at"), "case_draft", ["saved_at"], unique=False)


def _search() -> None:
    place = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "search_case",
        sa.Column("place", place, autoincrement=False, nullable=False),
        sa.Column("case_id", sa.String(96), nullable=False),
        sa.Column("shape", sa.Integer(), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_search_case")),
        sa.UniqueConstraint("case_id", name=op.f("uq_search_case_case_id")),
    )
    op.create_index("ix_search_case_shape", "search_case", ["shape", "month", "place"], unique=False)
    op.create_table(
        "search_label",
        sa.Column("place", place, autoincrement=False, nullable=False),
        sa.Column("label", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("place", "label", name=op.f("pk_search_label")),
    )
    op.create_index("ix_search_label_label", "search_label", ["label"], unique=False)
    op.create_table(
        "search_term",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_term")),
        sa.UniqueConstraint("text", name=op.f("uq_search_term_text")),
    )
    op.create_table(
        "search_text",
        sa.Column("place", place, autoincrement=False, nullable=False),
        sa.Column("tokens", sa.Text().with_variant(postgresql.TSVECTOR(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_search_text")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE INDEX ix_search_text_tokens ON search_text USING gin (tokens)")
        return
    # Tokens come parted already; whatever is not ASCII is never parted again. Triggers keep the index in step with
    # its table, whoever deletes a row.
    op.execute(
        "CREATE VIRTUAL TABLE search_fts USING fts5(tokens, content='search_text', content_rowid='place', "
        "columnsize=0, tokenize=\"ascii tokenchars '\\:_'\")"
    )
    op.execute(
        "CREATE TRIGGER search_text_added AFTER INSERT ON search_text BEGIN "
        "INSERT INTO search_fts (rowid, tokens) VALUES (new.place, new.tokens); END"
    )
    op.execute(
        "CREATE TRIGGER search_text_gone AFTER DELETE ON search_text BEGIN "
        "INSERT INTO search_fts (search_fts, rowid, tokens) VALUES ('delete', old.place, old.tokens); END"
    )


def _webhooks() -> None:
    op.create_table(
        "webhook_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.Column("endpoint", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(96), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_event")),
        sa.UniqueConstraint("event_id", name=op.f("uq_webhook_event_event_id")),
    )
    for name, columns in (
        ("ix_webhook_event_at", ["at"]),
        ("ix_webhook_event_subject", ["subject"]),
        ("ix_webhook_event_ended_at", ["ended_at"]),
        ("ix_webhook_event_due", ["state", "next_try_at"]),
    ):
        op.create_index(name, "webhook_event", columns, unique=False)


def _chain() -> None:
    """The entries there are, in the order in which they were written, become the chain's first."""
    op.create_table(
        "audit_chain",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("pruned_seq", sa.BigInteger(), nullable=False),
        sa.Column("pruned_hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_chain")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.add_column(sa.Column("seq", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("prev", sa.String(64), nullable=True))
        batch_op.add_column(sa.Column("hash", sa.String(64), nullable=True))
    bind = op.get_bind()
    audit = sa.table(
        "audit", sa.column("id"), sa.column("at"), sa.column("actor"), sa.column("action"), sa.column("subject"),
        sa.column("detail", sa.JSON()), sa.column("seq"), sa.column("prev"), sa.column("hash"),
    )
    last, seq, prev = -1, 0, START
    while True:
        page = bind.execute(sa.select(audit).where(audit.c.id > last).order_by(audit.c.id).limit(500)).all()
        if not page:
            break
        for row in page:
            seq += 1
            # The form of `services.audit.canonical` at this revision.
            said = {
                "seq": seq, "prev": prev, "at": float(row.at), "actor": row.actor, "action": row.action,
                "subject": row.subject, "detail": row.detail,
            }
            text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            digest = hashlib.sha256(text.encode()).hexdigest()
            bind.execute(
                sa.update(audit).where(audit.c.id == row.id).values(seq=seq, prev=prev, hash=digest)
            )
            prev = digest
        last = page[-1].id
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.alter_column("seq", existing_type=sa.BigInteger(), nullable=False)
        batch_op.alter_column("prev", existing_type=sa.String(64), nullable=False)
        batch_op.alter_column("hash", existing_type=sa.String(64), nullable=False)
        batch_op.create_unique_constraint(batch_op.f("uq_audit_seq"), ["seq"])
    chain = sa.table(
        "audit_chain", sa.column("id"), sa.column("seq"), sa.column("hash"), sa.column("pruned_seq"),
        sa.column("pruned_hash"),
    )
    bind.execute(
        sa.insert(chain).values(id=1, seq=seq, hash=prev, pruned_seq=0, pruned_hash=START)
    )


def downgrade() -> None:
    op.drop_table("audit_chain")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_audit_seq"), type_="unique")
        for name in ("hash", "prev", "seq"):
            batch_op.drop_column(name)
    op.drop_table("webhook_event")
    if op.get_bind().dialect.name != "postgresql":
        op.execute("DROP TABLE search_fts")
    for name in (
        "search_text", "search_term", "search_label", "search_case", "case_draft", "interaction_faq",
        "interaction_note", "interaction_version",
    ):
        op.drop_table(name)
    op.execute("UPDATE interaction SET status = 'closed' WHERE status = 'done'")
    op.execute("UPDATE interaction SET status = 'open' WHERE status <> 'closed'")
    with op.batch_alter_table("interaction", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_interaction_joined_into"))
        for name in (
            "joined_into", "edited_at", "edited_by", "version", "department", "satisfaction", "confidential",
            "mistaken_guidance", "complaint", "tags",
        ):
            batch_op.drop_column(name)
