"""The knowledge base

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def _serial() -> sa.Column[int]:
    return sa.Column(
        "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
    )


def upgrade() -> None:
    op.create_table(
        "faq_article",
        sa.Column("article_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("latest", sa.Integer(), nullable=False),
        sa.Column("published", sa.Integer(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_faq_article")),
    )
    op.create_table(
        "faq_version",
        sa.Column("article_id", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("article_id", "version", name=op.f("pk_faq_version")),
    )
    op.create_table(
        "faq_request",
        sa.Column("request_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_faq_request")),
    )
    op.create_table(
        "faq_synonym",
        sa.Column("set_id", sa.String(length=32), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("set_id", name=op.f("pk_faq_synonym")),
    )
    op.create_table(
        "faq_search",
        _serial(),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("call_id", sa.String(length=96), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("strict", sa.Boolean(), nullable=False),
        sa.Column("clicked", sa.JSON(), nullable=False),
        sa.Column("used", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_faq_search")),
    )
    for table, column in _INDEXES:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)


_INDEXES = (
    ("faq_article", "state"),
    ("faq_article", "change"),
    ("faq_request", "state"),
    ("faq_search", "at"),
    ("faq_search", "call_id"),
)


def downgrade() -> None:
    for table in ("faq_search", "faq_synonym", "faq_request", "faq_version", "faq_article"):
        op.drop_table(table)
