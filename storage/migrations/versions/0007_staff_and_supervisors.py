"""Telephones of city offices that register here, and who supervises

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "staff_phone",
        sa.Column("endpoint", sa.String(32), nullable=False),
        sa.Column("sip_secret", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("endpoint", name=op.f("pk_staff_phone")),
    )
    with op.batch_alter_table("operator", schema=None) as batch_op:
        batch_op.add_column(sa.Column("supervisor", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    with op.batch_alter_table("operator", schema=None) as batch_op:
        batch_op.drop_column("supervisor")
    op.drop_table("staff_phone")
