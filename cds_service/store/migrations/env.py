"""Run by Alembic: the steps happen in the transaction that cds_service.store.schema has open."""

from __future__ import annotations

from alembic import context

from cds_service.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
