"""Alembic's entry: runs revisions on the connection that `migrations.apply` hands over."""

from __future__ import annotations

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table_schema="hourhand", transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
