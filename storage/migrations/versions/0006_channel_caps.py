"""How much an operator may have in hand by channel, and what they have in hand elsewhere

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("operator", schema=None) as batch_op:
        batch_op.add_column(sa.Column("caps", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("in_hand", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    with op.batch_alter_table("operator", schema=None) as batch_op:
        batch_op.drop_column("in_hand")
        batch_op.drop_column("caps")
