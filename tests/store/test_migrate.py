"""The shape of the database follows the code, on both back ends."""

from __future__ import annotations

from lab39.store import Store
from lab39.store.migrate import behind, migrate, status
from lab39.store.schema import metadata


def test_the_migrated_database_is_what_the_tables_say(store: Store):
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    with store.reading() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_twice_changes_nothing(store: Store):
    before = status(store)
    assert not behind(store)
    assert migrate(store) == before
