"""Alembic's entry: run on the connection that `storage.database` hands over."""

from __future__ import annotations

from alembic import context

from storage.rows import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
