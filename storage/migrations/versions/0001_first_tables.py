"""First tables

Revision ID: 0001
Revises: nothing
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "call",
        sa.Column("call_id", sa.String(length=96), nullable=False),
        sa.Column("sip_call_id", sa.String(length=255), nullable=False),
        sa.Column("arrived_at", sa.Double(), nullable=False),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.Column("disposition", sa.String(length=24), nullable=True),
        sa.Column("line", sa.String(length=32), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("wrap_up_pending", sa.Boolean(), nullable=False),
        sa.Column("wrapped_up_at", sa.Double(), nullable=True),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_call")),
    )
    with op.batch_alter_table("call", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_call_arrived_at"), ["arrived_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_call_is_open"), ["is_open"], unique=False)
        batch_op.create_index(batch_op.f("ix_call_sip_call_id"), ["sip_call_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_call_wrap_up_pending"), ["wrap_up_pending"], unique=False)
        batch_op.create_index(batch_op.f("ix_call_wrapped_up_at"), ["wrapped_up_at"], unique=False)

    op.create_table(
        "fact",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("node", sa.String(length=32), nullable=False),
        sa.Column("file", sa.String(length=64), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("call_id", sa.String(length=96), nullable=True),
        sa.Column("operator", sa.String(length=16), nullable=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fact")),
        sa.UniqueConstraint("node", "file", "position", "kind", name=op.f("uq_fact_node")),
    )
    with op.batch_alter_table("fact", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fact_call_id"), ["call_id"], unique=False)
        batch_op.create_index("ix_fact_kind", ["kind", "at"], unique=False)
        batch_op.create_index("ix_fact_operator", ["operator", "at"], unique=False)

    op.create_table(
        "interaction",
        sa.Column("case_id", sa.String(length=96), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("category", sa.String(length=64), nullable=True),
        sa.Column("transcript", sa.String(length=16), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_interaction")),
    )
    with op.batch_alter_table("interaction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_interaction_started_at"), ["started_at"], unique=False)

    op.create_table(
        "interaction_call",
        sa.Column("call_id", sa.String(length=96), nullable=False),
        sa.Column("case_id", sa.String(length=96), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_interaction_call")),
    )
    with op.batch_alter_table("interaction_call", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_interaction_call_case_id"), ["case_id"], unique=False)

    op.create_table(
        "operator",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("sip_secret", sa.String(length=128), nullable=False),
        sa.Column("skills", sa.JSON(), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator")),
    )
    op.create_table(
        "recording",
        sa.Column("base", sa.String(length=128), nullable=False),
        sa.Column("side", sa.String(length=16), nullable=False),
        sa.Column("call_id", sa.String(length=96), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("duration_s", sa.Double(), nullable=True),
        sa.Column("started_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("base", "side", name=op.f("pk_recording")),
    )
    with op.batch_alter_table("recording", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recording_call_id"), ["call_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_recording_started_at"), ["started_at"], unique=False)

    op.create_table(
        "setting",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_setting")),
    )
    op.create_table(
        "tail_position",
        sa.Column("node", sa.String(length=32), nullable=False),
        sa.Column("log", sa.String(length=16), nullable=False),
        sa.Column("position", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("node", "log", name=op.f("pk_tail_position")),
    )
    op.create_table(
        "transcript",
        sa.Column("call_id", sa.String(length=96), nullable=False),
        sa.Column("side", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("segments", sa.JSON(), nullable=False),
        sa.Column("engine", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", "side", name=op.f("pk_transcript")),
    )
    op.create_table(
        "transcript_job",
        sa.Column("call_id", sa.String(length=96), nullable=False),
        sa.Column("base", sa.String(length=128), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("ranges", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.Double(), nullable=False),
        sa.Column("claimed_by", sa.String(length=64), nullable=False),
        sa.Column("claimed_at", sa.Double(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_transcript_job")),
    )
    with op.batch_alter_table("transcript_job", schema=None) as batch_op:
        batch_op.create_index("ix_transcript_job_due", ["state", "next_try_at"], unique=False)

    op.create_table(
        "trunk",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("match", sa.String(length=128), nullable=False),
        sa.Column("username", sa.String(length=128), nullable=False),
        sa.Column("secret", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_trunk")),
    )


def downgrade() -> None:
    op.drop_table("trunk")
    op.drop_table("transcript_job")
    op.drop_table("transcript")
    op.drop_table("tail_position")
    op.drop_table("setting")
    op.drop_table("recording")
    op.drop_table("operator")
    op.drop_table("interaction_call")
    op.drop_table("interaction")
    op.drop_table("fact")
    op.drop_table("call")
