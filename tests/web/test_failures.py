"""A database that is locked, gone, full or damaged, met through a browser and through the API: told clearly, in the
caller's form, and nothing half-written. On SQLite and on PostgreSQL."""

from __future__ import annotations

import errno
import html
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient
from tests.store.conftest import cluster, database_url, sqlite_template  # noqa: F401
from tests.web.people import house_of, new_person, signed_in
from tests.web.systems import JSON, bundle

from lab39.settings import Settings
from lab39.store import Store, audit, blobs, engine, records
from lab39.store.schema import metadata

BIG = bundle({"resourceType": "Observation", "id": "o", "note": [{"text": "x" * 400_000}]})


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:  # noqa: F811
    """Of a lab on each back end in turn."""
    return Settings(home=tmp_path / "home", database=database_url)


@pytest.fixture
def ana(client: TestClient, settings: Settings) -> TestClient:
    """A professional's browser."""
    settings.home.mkdir(exist_ok=True)
    signed_in(client, "professional")
    return client


def upload(client: TestClient, document: dict[str, Any] = BIG) -> Any:
    """A file, as the page sends it."""
    file = ("record.json", json.dumps(document).encode(), "application/json")
    return client.post("/records", files={"file": file}, data={"title": "ordonnance"})


def keep(client: TestClient, document: dict[str, Any] = BIG) -> Any:
    """The same through the API."""
    return client.post("/api/v1/records", json=document, headers=JSON)


def assess(client: TestClient) -> Any:
    """A record that is assessed and not kept: only the audit log is written to."""
    return client.post("/fhir/$assess?on=2026-11-24", json=bundle(), headers=JSON)


WRITES: dict[str, Callable[[TestClient], Any]] = {"page": upload, "api": keep, "fhir": assess}


def told(door: str, answer: Any) -> str:
    """What the caller reads, in the form of their door."""
    if door == "page":
        assert answer.headers["content-type"].startswith("text/html")
        return html.unescape(answer.text).lower()
    if door == "fhir":
        assert answer.headers["content-type"].startswith("application/fhir+json")
        assert answer.json()["resourceType"] == "OperationOutcome"
        return json.dumps(answer.json(), ensure_ascii=False)
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["status"] == answer.status_code
    return str(answer.json()["detail"])


def rows(store: Store) -> dict[str, int]:
    """How many rows each table holds; what counts attempts and sessions aside."""
    aside = {"sessions", "throttles"}
    with store.reading() as tx:
        return {
            table.name: tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
            if table.name not in aside
        }


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """Somebody else writes, and does not end."""
    other = Store(store.url, store.blobs, store.clock)
    with other.writing() as tx:
        if other.dialect == "postgresql":
            names = ", ".join(table.name for table in metadata.sorted_tables)
            tx.execute(sa.text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
        yield
    other.close()


@contextmanager
def gone(store: Store, request: pytest.FixtureRequest) -> Iterator[None]:
    """The file has another name, or the server has stopped."""
    if store.dialect == "postgresql":
        server = request.getfixturevalue("cluster")
        server.stop()
        yield
        server.start()
        return
    path = Path(str(store.engine.url.database))
    away = path.with_name("away.db")
    store.close()
    path.rename(away)
    yield
    away.rename(path)


@contextmanager
def full(store: Store) -> Iterator[None]:
    """No page more can be written; PostgreSQL says so in its words when a record's text arrives."""
    if store.dialect == "sqlite":
        with store.reading() as tx:
            pages = tx.exec_driver_sql("PRAGMA page_count").scalar()

        def limit(connection: Any, _: Any) -> None:
            connection.execute(f"PRAGMA max_page_count={pages}")

        store.close()
        sa.event.listen(store.engine, "connect", limit)
        yield
        sa.event.remove(store.engine, "connect", limit)
        store.close()
        return
    say = 'could not extend file "base/1/2": No space left on device'
    with store.writing() as tx:
        tx.exec_driver_sql(
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{say}' USING ERRCODE = '53100'; END $$"
        )
        for table in ("record_versions", "audit_entries"):
            tx.exec_driver_sql(f"CREATE TRIGGER full_{table} BEFORE INSERT ON {table} EXECUTE FUNCTION no_room()")
    yield
    with store.writing() as tx:
        tx.exec_driver_sql("DROP FUNCTION no_room CASCADE")


@pytest.mark.parametrize("door", WRITES)
def test_a_locked_database_is_told_as_busy_and_nothing_is_kept(ana, monkeypatch, door):
    store = house_of(ana).store
    before = rows(store)
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.1)
    hurried = Store(store.url, store.blobs, store.clock)
    monkeypatch.setattr(store, "engine", hurried.engine)
    with locked(store):
        answer = WRITES[door](ana)
        assert ana.get("/records").status_code == 200, "readers go on"
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "réessayer dans un instant" in told(door, answer)
    assert rows(store) == before
    assert WRITES[door](ana).status_code < 400, "once it is free, the same request passes"
    hurried.close()


@pytest.mark.parametrize("door", WRITES)
def test_a_database_that_is_gone_is_told_and_one_that_comes_back_is_used(ana, request, door):
    store = house_of(ana).store
    before = rows(store)
    with gone(store, request):
        answer = WRITES[door](ana)
        page = ana.get("/records")
    assert answer.status_code == 503
    assert "base de données inaccessible" in told(door, answer)
    assert page.status_code == 503
    assert "base de données inaccessible" in told("page", page)
    assert rows(store) == before
    assert WRITES[door](ana).status_code < 400


@pytest.mark.parametrize("door", ["page", "api"])
def test_a_full_disk_during_an_upload_is_told_and_nothing_is_half_written(ana, door):
    store = house_of(ana).store
    before = rows(store)
    with full(store):
        answer = WRITES[door](ana)
    assert answer.status_code == 507
    assert "le disque est plein" in told(door, answer)
    assert "rien n'a été enregistré" in told(door, answer)
    assert rows(store) == before
    with store.reading() as tx:
        assert audit.state(tx).size == before["audit_entries"]
    assert WRITES[door](ana).status_code < 400


def test_a_disk_that_is_full_under_the_upload_itself_is_told(ana, monkeypatch):
    before = rows(house_of(ana).store)

    class Full(tempfile.SpooledTemporaryFile):  # type: ignore[type-arg]
        def write(self, data: Any) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("starlette.formparsers.SpooledTemporaryFile", Full)
    answer = upload(ana)
    assert answer.status_code == 507
    assert "le disque est plein" in told("page", answer)
    assert rows(house_of(ana).store) == before


def test_a_full_disk_under_a_file_beside_the_database_leaves_nothing(ana, monkeypatch):
    store = house_of(ana).store

    def no_room(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        person = new_person(ana).id
        patch.setattr("lab39.store.atomic.os.fsync", no_room)
        with pytest.raises(engine.DiskFullError), store.writing() as tx:
            blobs.put(tx, store, b"a photo", used_by="letter:1", person=person, at=store.clock())
    assert [path for path in store.blobs.rglob("*") if path.is_file()] == []
    assert rows(store)["blobs"] == 0


def test_more_requests_than_connections_are_told_as_busy(ana, monkeypatch):
    store = house_of(ana).store
    narrow = sa.create_engine(store.engine.url, pool_size=1, max_overflow=0, pool_timeout=0.1)
    monkeypatch.setattr(store, "engine", narrow)
    with narrow.connect():
        answer = keep(ana)
    assert answer.status_code == 503
    assert "occupée" in answer.json()["detail"]
    narrow.dispose()


def test_a_damaged_file_is_told(ana):
    store = house_of(ana).store
    if store.dialect != "sqlite":
        return
    store.close()
    path = Path(str(store.engine.url.database))
    path.with_name(f"{path.name}-wal").unlink(missing_ok=True)
    path.write_bytes(b"not a database at all" * 1000)
    answer = assess(ana)
    assert answer.status_code == 503
    assert "inaccessible" in told("fhir", answer)


def test_two_that_change_one_record_at_once_one_is_told(ana):
    made = keep(ana, bundle()).json()
    address = f"/api/v1/records/{made['id']}/document"
    first, second = (ana.put(address, json=BIG | {"id": n}, headers=JSON | {"if-match": '"1"'}) for n in "ab")
    assert (first.status_code, second.status_code) == (200, 409)
    with house_of(ana).store.reading() as tx:
        assert json.loads(records.version(tx, made["id"]).document)["id"] == "a"
