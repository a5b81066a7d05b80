"""Muted recordings, what was understood of calls, and their quality

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "recording_mute",
        sa.Column("base", sa.String(length=128), nullable=False),
        sa.Column("side", sa.String(length=16), nullable=False),
        sa.Column("call_id", sa.String(length=96), nullable=False),
        sa.Column("spans", sa.JSON(), nullable=False),
        sa.Column("due_at", sa.Double(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("muted_at", sa.Double(), nullable=True),
        sa.Column("scanned_at", sa.Double(), nullable=True),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("base", "side", name=op.f("pk_recording_mute")),
    )
    with op.batch_alter_table("recording_mute", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recording_mute_call_id"), ["call_id"], unique=False)
        batch_op.create_index("ix_recording_mute_due", ["state", "due_at"], unique=False)
    op.create_table(
        "call_insight",
        sa.Column("call_id", sa.String(length=96), nullable=False),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.Column("method", sa.String(length=64), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_call_insight")),
    )
    op.create_table(
        "quality_check",
        sa.Column("call_id", sa.String(length=96), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("operator", sa.String(length=32), nullable=False),
        sa.Column("line", sa.String(length=64), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.Column("overruled", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_quality_check")),
    )
    with op.batch_alter_table("quality_check", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quality_check_at"), ["at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("quality_check", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quality_check_at"))
    op.drop_table("quality_check")
    op.drop_table("call_insight")
    with op.batch_alter_table("recording_mute", schema=None) as batch_op:
        batch_op.drop_index("ix_recording_mute_due")
        batch_op.drop_index(batch_op.f("ix_recording_mute_call_id"))
    op.drop_table("recording_mute")
