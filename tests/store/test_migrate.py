"""The shape of the database follows the code, on both back ends."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lab39.store import Store
from lab39.store.migrate import SchemaError, behind, check, migrate, status
from lab39.store.schema import metadata

REVISION = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "s0001", None, ("guest",), "0001"
def upgrade():
    op.create_table("guest_notes", sa.Column("id", sa.Integer, primary_key=True))
    {then}
"""


@pytest.fixture
def empty(store: Store, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A database with nothing in it, on each back end in turn."""
    url = f"sqlite:///{tmp_path}/empty/lab39.db"
    if store.dialect == "postgresql":
        cluster = request.getfixturevalue("cluster")
        cluster.drop("empty")
        cluster.create("empty")
        url = cluster.url("empty")
    opened = Store(url, tmp_path / "blobs", store.clock)
    yield opened
    opened.close()


@pytest.fixture
def guest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Install a solution with a migration branch of its own."""

    def install(then: str = "pass") -> None:
        package = tmp_path / "guest_migrations"
        (package / "versions").mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "versions" / "s0001.py").write_text(REVISION.format(then=then))
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, "guest_migrations", raising=False)

        class Point:
            def load(self) -> Any:
                return type("Guest", (), {"tables": "", "migrations": "guest_migrations"})

        monkeypatch.setattr("lab39.core.lab.entry_points", lambda: {"guest": Point()})

    return install


def tables(store: Store) -> set[str]:
    with store.reading() as tx:
        return set(sa.inspect(tx).get_table_names())


def test_the_migrated_database_is_what_the_tables_say(store: Store):
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    with store.reading() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_what_deletes_with_a_record_is_the_same_in_the_database_and_in_the_tables(store: Store):
    with store.reading() as tx:
        inspector = sa.inspect(tx)
        for table in metadata.sorted_tables:
            real = {
                (tuple(key["constrained_columns"]), key["options"].get("ondelete"))
                for key in inspector.get_foreign_keys(table.name)
            }
            said = {(tuple(key.column_keys), key.ondelete) for key in table.foreign_key_constraints}
            assert real == said, table.name


def test_an_empty_database_is_behind_and_told_so_then_migrated_once(empty: Store):
    assert behind(empty)
    with pytest.raises(SchemaError, match="lab39 db migrate"):
        check(empty)
    done = migrate(empty)
    assert not done.behind
    assert migrate(empty) == done == status(empty)
    check(empty)


def test_a_database_of_a_newer_version_is_left_alone(store: Store):
    with store.writing() as tx:
        tx.exec_driver_sql("INSERT INTO alembic_version VALUES ('9999')")
    for act in (migrate, check):
        with pytest.raises(SchemaError, match="9999"):
            act(store)


def test_a_solution_brings_its_own_branch(empty: Store, guest):
    guest()
    done = migrate(empty)
    assert "s0001" in done.database
    assert tables(empty) >= {"guest_notes", "people"}


def test_a_solution_that_leaves_is_told_before_anything_is_changed(empty: Store, guest, monkeypatch):
    guest()
    migrate(empty)
    monkeypatch.setattr("lab39.core.lab.entry_points", dict)
    with pytest.raises(SchemaError, match="s0001"):
        migrate(empty)


def test_a_migration_that_fails_leaves_the_database_as_it_was(empty: Store, guest):
    guest(then="raise ZeroDivisionError")
    with pytest.raises(ZeroDivisionError):
        migrate(empty)
    assert tables(empty) == set()


def test_two_processes_that_migrate_at_once_migrate_once(empty: Store, tmp_path: Path):
    stores = [Store(empty.url, empty.blobs, empty.clock) for _ in range(2)]
    failed: list[BaseException] = []

    def run(one: Store) -> None:
        try:
            migrate(one)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(one,)) for one in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in stores:
        one.close()
    assert failed == []
    assert not behind(empty)
