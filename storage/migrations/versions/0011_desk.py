"""Who may sign in at the desk, and who is signed in

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "desk_user",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("display", sa.String(80), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("operator", sa.String(16)),
        sa.Column("department", sa.String(80), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=False),
        sa.Column("totp_secret", sa.String(255), nullable=False),
        sa.Column("totp_step", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.Double(), nullable=False),
        sa.Column("setup_hash", sa.String(64), nullable=False),
        sa.Column("setup_until", sa.Double(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_desk_user"),
    )
    op.create_index("ix_desk_user_setup_hash", "desk_user", ["setup_hash"])
    op.create_table(
        "desk_key",
        sa.Column("credential", sa.String(400), nullable=False),
        sa.Column("user", sa.String(40), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.String(80), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("credential", name="pk_desk_key"),
    )
    op.create_index("ix_desk_key_user", "desk_key", ["user"])
    op.create_table(
        "desk_session",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("user", sa.String(40), nullable=False),
        sa.Column("stage", sa.String(8), nullable=False),
        sa.Column("csrf", sa.String(64), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("agent", sa.String(200), nullable=False),
        sa.Column("challenge", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_desk_session"),
    )
    op.create_index("ix_desk_session_user", "desk_session", ["user"])
    op.create_table(
        "desk_token",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("user", sa.String(40), nullable=False),
        sa.Column("label", sa.String(80), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("used_at", sa.Double()),
        sa.PrimaryKeyConstraint("id", name="pk_desk_token"),
        sa.UniqueConstraint("key", name="uq_desk_token_key"),
    )
    op.create_index("ix_desk_token_user", "desk_token", ["user"])


def downgrade() -> None:
    for table in ("desk_token", "desk_session", "desk_key", "desk_user"):
        op.drop_table(table)
