"""What Alembic runs: the connection it is given, one transaction for all steps."""

from __future__ import annotations

from alembic import context

from vouchers.store.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata)
context.run_migrations()
