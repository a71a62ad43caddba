"""A store on each back end, empty and migrated, with a clock that tests move."""

from __future__ import annotations

import datetime as dt
import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.store import places
from tests.store.postgres import Cluster, why_absent

from lab39.store import Store
from lab39.store.migrate import migrate

BACK_ENDS = ("sqlite", "postgresql")
_numbers = itertools.count(1)


class MovableClock:
    """A clock that stands still until it is told to move."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def forward(self, **by: float) -> dt.datetime:
        """Move on: ``forward(minutes=5)``."""
        self.now += dt.timedelta(**by)
        return self.now


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A PostgreSQL of this run, started when the first test asks for it; holds a migrated template."""
    missing = why_absent()
    if missing:
        pytest.skip(missing)
    with Cluster() as running:
        running.create("template_lab39")
        store = Store(running.url("template_lab39"), Path("/nonexistent"))
        migrate(store)
        store.close()
        yield running


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "lab39.db"
    store = Store(f"sqlite:///{path}", path.parent / "blobs")
    migrate(store)
    with store.engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    store.close()
    return path


@pytest.fixture(params=BACK_ENDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a migrated, empty database of this test, on each back end in turn."""
    if request.param == "sqlite":
        path = tmp_path / "home" / "lab39.db"
        path.parent.mkdir()
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    running: Cluster = request.getfixturevalue("cluster")
    name = f"t{next(_numbers)}"
    running.create(name, template="template_lab39")
    yield running.url(name)
    running.drop(name)


@pytest.fixture
def store(database_url: str, clock: MovableClock, tmp_path: Path) -> Iterator[Store]:
    """A store on each back end in turn."""
    opened = Store(database_url, tmp_path / "home" / "blobs", clock)
    yield opened
    opened.close()


@pytest.fixture
def second_store(store: Store, clock: MovableClock) -> Iterator[Store]:
    """The same database seen from another process of the lab: connections of its own."""
    opened = Store(store.url, store.blobs, clock)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    """A server that speaks S3, started when the first test asks for it."""
    with places.s3_server() as address:
        yield address


@pytest.fixture(params=places.KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> places.Place:
    """Each kind of place for files in turn, empty."""
    address = ""
    if request.param == "s3":
        for name, value in places.CREDENTIALS.items():
            monkeypatch.setenv(name, value)
        address = request.getfixturevalue("s3_address")
    return places.place(request.param, tmp_path, address)
