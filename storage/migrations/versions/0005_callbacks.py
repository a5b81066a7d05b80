"""Call-backs, and the way out of a trunk

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "callback",
        sa.Column("call", sa.String(length=96), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("caller", sa.String(length=32), nullable=True),
        sa.Column("demand", sa.String(length=80), nullable=False),
        sa.Column("entered_at", sa.Double(), nullable=False),
        sa.Column("booked_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("since", sa.Double(), nullable=False),
        sa.Column("next_at", sa.Double(), nullable=False),
        sa.Column("offers", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("over", sa.Integer(), nullable=False),
        sa.Column("operator", sa.String(length=16), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("by", sa.String(length=96), nullable=True),
        sa.Column("talk_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("call", name=op.f("pk_callback")),
    )
    with op.batch_alter_table("callback", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_callback_booked_at"), ["booked_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_callback_state"), ["state"], unique=False)
    op.add_column("trunk", sa.Column("contact", sa.String(length=255), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("trunk", "contact")
    op.drop_table("callback")
