"""A database that is locked, gone, read-only or full; two writers; nothing half-written, every word clear."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.store.houses import DOCUMENT, person, record

from lab39.store import Store, StoreUnavailableError, engine, people, records
from lab39.store.records import StaleVersionError


def database(store: Store) -> Path:
    return Path(store.engine.url.database)


def test_a_new_sqlite_database_is_read_by_its_owner_only_and_so_is_what_stands_beside_it(tmp_path: Path, clock):
    path = tmp_path / "home" / "lab39.db"
    made = Store(f"sqlite:///{path}", tmp_path / "blobs", clock)
    with made.writing() as tx:
        tx.execute(sa.text("CREATE TABLE notes (words TEXT)"))
        found = sorted(path.parent.iterdir())
        assert [each.name for each in found] == ["lab39.db", "lab39.db-shm", "lab39.db-wal"]
        assert {each.stat().st_mode & 0o077 for each in [path.parent, *found]} == {0}
    made.close()


def test_a_writer_that_waits_too_long_is_told_the_database_is_busy(store: Store, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    hurried = Store(store.url, store.blobs, store.clock)
    kept = record(store, person(store).id)
    change = records.records.update().where(records.records.c.id == kept)
    with store.writing() as tx:
        tx.execute(change.values(title="first"))
        with pytest.raises(StoreUnavailableError, match="busy"), hurried.writing() as late:
            late.execute(change.values(title="second"))
    with hurried.reading() as tx:
        assert records.get(tx, kept).title == "first"
    hurried.close()


def test_two_writers_of_one_version_one_wins_and_the_other_is_told(store: Store, second_store: Store):
    ana = person(store).id
    kept = record(store, ana)
    together, outcomes = threading.Barrier(2), []

    def write(through: Store, text: str) -> None:
        together.wait()
        try:
            with through.writing() as tx:
                records.add_version(tx, kept, text, expected=1, by=ana, at=store.clock())
            outcomes.append(text)
        except StaleVersionError:
            outcomes.append("stale")

    threads = [threading.Thread(target=write, args=pair) for pair in ((store, "a"), (second_store, "b"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes)[1:] == ["stale"]
    with store.reading() as tx:
        assert records.version(tx, kept).document == sorted(outcomes)[0]
        assert len(records.history(tx, kept)) == 2


def test_many_writers_at_once_lose_nothing(store: Store):
    failed: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for turn in range(10):
                made = person(store, f"{number}-{turn}")
                with store.writing() as tx:  # reads, then writes what it read
                    people.change(tx, made.id, name=people.get(tx, made.id).display_name + "!")
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with store.reading() as tx:
        names = [found.display_name for found in people.everyone(tx, limit=1000)]
    assert len(names) == 80
    assert all(name.endswith("!") for name in names)


def test_a_reader_sees_one_moment_while_another_writes(store: Store, second_store: Store):
    kept = record(store, person(store).id, title="before")
    with store.reading() as tx:
        assert records.get(tx, kept).title == "before"
        with second_store.writing() as other:
            records.rename(other, kept, "after")
        assert records.get(tx, kept).title == "before"
    with store.reading() as tx:
        assert records.get(tx, kept).title == "after"


class TestSqlite:
    @pytest.fixture
    def database_url(self, sqlite_template: Path, tmp_path: Path) -> str:
        path = tmp_path / "home" / "lab39.db"
        path.parent.mkdir()
        shutil.copyfile(sqlite_template, path)
        return f"sqlite:///{path}"

    def test_a_removed_folder_is_told_at_once_and_no_empty_database_takes_its_place(self, store: Store):
        person(store)
        shutil.rmtree(database(store).parent)
        for _ in range(2):
            with pytest.raises(StoreUnavailableError, match="gone"):
                person(store)
            with pytest.raises(StoreUnavailableError, match="gone"), store.reading() as tx:
                people.everyone(tx)
        assert not database(store).exists()

    def test_a_database_removed_alone_is_not_replaced_by_an_empty_one(self, store: Store):
        person(store)
        for path in database(store).parent.glob("lab39.db*"):
            path.unlink()
        with pytest.raises(StoreUnavailableError, match="gone"):
            person(store)
        assert not database(store).exists()

    def test_a_database_that_comes_back_is_used_again(self, store: Store, tmp_path: Path, sqlite_template: Path):
        person(store)
        for path in database(store).parent.glob("lab39.db*"):
            path.unlink()
        with pytest.raises(StoreUnavailableError):
            person(store)
        shutil.copyfile(sqlite_template, database(store))
        person(store)
        with store.reading() as tx:
            assert len(people.everyone(tx)) == 1

    def test_a_full_disk_is_told_and_nothing_of_the_transaction_is_kept(self, store: Store):
        ana = person(store).id
        kept = record(store, ana)

        def limited(connection: object, _: object) -> None:
            connection.execute(f"PRAGMA max_page_count={pages}")  # type: ignore[attr-defined]

        with store.reading() as tx:
            pages = tx.exec_driver_sql("PRAGMA page_count").scalar()
        store.close()
        sa.event.listen(store.engine, "connect", limited)
        with pytest.raises(StoreUnavailableError, match="disk is full"), store.writing() as tx:  # noqa: PT012
            records.rename(tx, kept, "half")
            records.add_version(tx, kept, "x" * 1_000_000, expected=1, by=ana, at=store.clock())
        with store.reading() as tx:
            found = records.get(tx, kept)
            assert (found.version, found.title) == (1, "")
            assert records.version(tx, kept).document == DOCUMENT
        sa.event.remove(store.engine, "connect", limited)
        store.close()
        person(store, "after")

    def test_a_read_only_database_is_told(self, store: Store, monkeypatch):
        person(store)
        store.close()
        read_only = Store(f"sqlite:///file:{database(store)}?mode=ro&uri=true", store.blobs, store.clock)
        with pytest.raises(StoreUnavailableError, match="the database is read-only"):
            person(read_only)
        read_only.close()


class TestPostgresql:
    @pytest.fixture
    def database_url(self, cluster) -> str:
        cluster.create("goes_and_comes", template="template_lab39")
        yield cluster.url("goes_and_comes")
        cluster.drop("goes_and_comes")

    def test_a_server_that_stops_is_told_and_one_that_comes_back_is_used_again(self, store: Store, cluster):
        person(store)
        cluster.stop()
        try:
            for _ in range(2):
                with pytest.raises(StoreUnavailableError, match="cannot be reached"):
                    person(store)
        finally:
            cluster.start()
        person(store)
        with store.reading() as tx:
            assert len(people.everyone(tx)) == 2

    def test_a_server_that_was_restarted_meanwhile_is_used_as_if_nothing_had_happened(self, store: Store, cluster):
        person(store)
        cluster.stop()
        cluster.start()
        person(store)

    def test_a_server_that_stops_in_the_middle_keeps_nothing_of_the_transaction(self, store: Store, cluster):
        with pytest.raises(StoreUnavailableError), store.writing() as tx:  # noqa: PT012
            people.add(tx, name="half", at=store.clock())
            cluster.stop()
            people.add(tx, name="other half", at=store.clock())
        cluster.start()
        with store.reading() as tx:
            assert people.everyone(tx) == ()

    def test_a_read_only_database_is_told(self, store: Store):
        with store.engine.connect() as connection:
            connection.exec_driver_sql("ALTER DATABASE goes_and_comes SET default_transaction_read_only = on")
            connection.commit()
        store.close()
        with pytest.raises(StoreUnavailableError, match="the database is read-only"):
            person(store)
        store.close()

    def test_the_password_of_the_url_is_in_no_error(self, tmp_path: Path, clock):
        away = Store(f"postgresql+psycopg://lab:hunter2@/x?host={tmp_path}", tmp_path, clock)
        with pytest.raises(StoreUnavailableError) as told:
            person(away)
        assert "hunter2" not in told.value.text.fr + told.value.text.en
