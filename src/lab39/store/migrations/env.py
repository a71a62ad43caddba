"""What Alembic runs: on the connection, and inside the transaction, that :mod:`lab39.store.migrate` opened."""

from alembic import context

from lab39.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
