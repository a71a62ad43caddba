"""Backups: what was there comes back, all of it or nothing."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.store.houses import DOCUMENT, furnished, person

from lab39.core.errors import InputError, LabError
from lab39.settings import Settings
from lab39.store import Store, StoreUnavailableError, audit, backup, blobs, migrate, people, records
from lab39.store.backup import BackupError
from lab39.store.schema import metadata


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(home=tmp_path / "home")
    for path, content in ((made.heads / "000001.json", "{}"), (made.keys / "audit.key", "secret")):
        path.parent.mkdir(parents=True)
        path.write_text(content)
    return made


@pytest.fixture
def zip_of(store: Store, settings: Settings, tmp_path: Path):
    """A backup of a furnished lab, and what was in it."""
    patient, _, kept = furnished(store)
    path = tmp_path / "night.zip"
    backup.backup(store, settings, path)
    return path, patient, kept


def content(store: Store) -> dict[str, list[object]]:
    """Everything but the audit log, which goes on with each backup."""
    with store.reading() as tx:
        order = {t.name: list(t.primary_key.columns) for t in metadata.sorted_tables}
        return {
            t.name: [tuple(row) for row in tx.execute(sa.select(t).order_by(*order[t.name]))]
            for t in metadata.sorted_tables
            if not t.name.startswith("audit_")
        }


def test_everything_comes_back_as_it_was(store: Store, settings: Settings, zip_of, second_store: Store):
    path, patient, kept = zip_of
    before = content(store)
    with second_store.writing() as tx:  # the lab goes on
        records.add_version(tx, kept, "later", expected=1, by=patient.id, at=store.clock())
        blobs.put(tx, second_store, b"later", used_by="x", person=patient.id, at=store.clock())
    damaged = next(p for p in store.blobs.rglob("*") if p.is_file())
    damaged.write_bytes(b"damaged")
    done = backup.restore(store, settings, path, force=True)
    assert done.revisions == migrate.status(store).database
    for seen_by in (store, second_store):  # a connection opened before sees what was restored
        assert content(seen_by) == before
    assert [c.problem.en for c in blobs.verify(store)] == ["", ""]
    assert len([p for p in store.blobs.rglob("*") if p.is_file()]) == 2, "what came later is gone"
    with store.reading() as tx:
        assert records.version(tx, kept).document == DOCUMENT
    person(store, "the lab works on")


def test_a_backup_holds_no_key_unless_asked_and_only_its_owner_reads_it(store: Store, settings, zip_of, tmp_path):
    path, _, _ = zip_of
    assert path.stat().st_mode & 0o777 == 0o600
    assert not any(name.startswith("keys/") for name in zipfile.ZipFile(path).namelist())
    assert "heads/000001.json" in zipfile.ZipFile(path).namelist()
    whole = backup.backup(store, settings, tmp_path / "whole.zip", keys=True)
    assert whole.keys == 1
    assert zipfile.ZipFile(tmp_path / "whole.zip").read("keys/audit.key") == b"secret"


def test_it_restores_into_an_empty_place_with_heads_and_keys(store: Store, settings, tmp_path, request, zip_of):
    before, path = content(store), tmp_path / "whole.zip"
    backup.backup(store, settings, path, keys=True)
    home = tmp_path / "other"
    elsewhere = Settings(home=home)
    url = f"sqlite:///{home}/lab39.db"
    if store.dialect == "postgresql":
        cluster = request.getfixturevalue("cluster")
        cluster.create("elsewhere")
        request.addfinalizer(lambda: cluster.drop("elsewhere"))
        url = cluster.url("elsewhere")
    empty = Store(url, elsewhere.blobs, store.clock)
    backup.restore(empty, elsewhere, path)
    assert content(empty) == before
    assert {c.problem.en for c in blobs.verify(empty)} == {""}
    assert (elsewhere.keys / "audit.key").read_text() == "secret"
    assert (elsewhere.heads / "000001.json").read_text() == "{}"
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), empty.writing() as tx:  # triggers came too
        tx.exec_driver_sql("DELETE FROM consents")
    empty.close()


def test_what_is_there_is_replaced_only_when_asked(store: Store, settings, zip_of):
    path, _, _ = zip_of
    before = content(store)
    with pytest.raises(BackupError, match="--force"):
        backup.restore(store, settings, path)
    assert content(store) == before


def test_newer_heads_and_keys_are_never_replaced(store: Store, settings, zip_of):
    path, _, _ = zip_of
    (settings.heads / "000001.json").write_text("newer")
    (settings.heads / "000002.json").write_text("newest")
    backup.restore(store, settings, path, force=True)
    assert [(settings.heads / f"00000{n}.json").read_text() for n in (1, 2)] == ["newer", "newest"]


def test_the_audit_log_that_comes_back_holds_the_backup_and_goes_on_with_the_restore(
    store: Store, settings, zip_of
):
    path, _, _ = zip_of
    backup.restore(store, settings, path, force=True)
    with store.reading() as tx:
        assert [e.action for e in audit.entries(tx)] == ["restore", "backup", "question", "question"]


def altered(path: Path, **changes: bytes | None) -> None:
    """Rewrite an archive: content by file (``None`` removes), everything else as it was."""
    source = zipfile.ZipFile(path)
    rows = {name: source.read(name) for name in source.namelist()}
    source.close()
    rows |= {name: value for name, value in changes.items() if value is not None}
    with zipfile.ZipFile(path, "w") as target:
        for name, value in rows.items():
            if name not in changes or changes[name] is not None:
                target.writestr(name, value)


@pytest.mark.parametrize("kind", ["database", "blobs", "heads"])
@pytest.mark.parametrize("how", ["altered", "removed", "cut", "added"])
def test_an_altered_archive_is_refused_before_anything_is_touched(store: Store, settings, zip_of, kind, how):
    path, _, _ = zip_of
    name = next(n for n in zipfile.ZipFile(path).namelist() if n.startswith(kind))
    inside = zipfile.ZipFile(path).read(name)
    if how == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif how == "added":
        altered(path, **{f"{kind}/../../escaped": b"x"})
    else:
        altered(path, **{name: None if how == "removed" else inside + b"x"})
    before = content(store)
    with pytest.raises(InputError, match="nothing was touched"):
        backup.restore(store, settings, path, force=True)
    assert content(store) == before


def test_what_is_no_backup_or_of_another_kind_or_too_new_is_refused(store: Store, settings, zip_of, tmp_path):
    path, _, _ = zip_of
    (tmp_path / "x.zip").write_bytes(b"not a zip")
    manifest = json.loads(zipfile.ZipFile(path).read("manifest.json"))
    other = {"sqlite": "postgresql", "postgresql": "sqlite"}[store.dialect]
    entry = manifest["files"][backup.DATABASE[store.dialect]]
    swapped = manifest | {"dialect": other, "files": manifest["files"] | {backup.DATABASE[other]: entry}}
    with pytest.raises(InputError):
        backup.restore(store, settings, tmp_path / "x.zip", force=True)
    with pytest.raises(InputError, match="No such file"):
        backup.restore(store, settings, tmp_path / "nothing.zip", force=True)
    for changed, error in (
        (manifest | {"revisions": ["9999"]}, "newer version"),
        (manifest | {"schema": 9}, "not a"),
    ):
        altered(path, **{"manifest.json": json.dumps(changed).encode()})
        with pytest.raises(LabError, match=error):
            backup.restore(store, settings, path, force=True)
    database = zipfile.ZipFile(path).read(backup.DATABASE[store.dialect])
    altered(path, **{"manifest.json": json.dumps(swapped).encode(), backup.DATABASE[other]: database})
    with pytest.raises(BackupError, match="LAB39_DATABASE_URL"):
        backup.restore(store, settings, path, force=True)


def test_a_backup_of_nothing_or_with_a_file_missing_is_refused_and_leaves_no_file(store: Store, settings, tmp_path):
    empty = Store(f"sqlite:///{tmp_path}/empty/lab39.db", tmp_path / "blobs", store.clock)
    with pytest.raises(BackupError, match="empty"):
        backup.backup(empty, settings, tmp_path / "out" / "x.zip")
    empty.close()
    furnished(store)
    next(p for p in store.blobs.rglob("*") if p.is_file()).unlink()
    with pytest.raises(BackupError, match="db verify"):
        backup.backup(store, settings, tmp_path / "out" / "x.zip")
    assert list((tmp_path / "out").iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailableError):
        backup.backup(store, settings, tmp_path / "file" / "x.zip")


def test_a_restore_that_fails_half_way_changes_nothing(store: Store, settings, zip_of, monkeypatch):
    path, _, _ = zip_of
    person(store, "since then")
    before = content(store)
    if store.dialect == "sqlite":
        monkeypatch.setattr(backup, "_check", fail)
    else:
        monkeypatch.setattr(
            Path, "write_text", lambda self, *_: self.write_bytes(b"DROP TABLE people CASCADE; nonsense;")
        )
    with pytest.raises(BackupError):
        backup.restore(store, settings, path, force=True)
    assert content(store) == before


def fail(_: object) -> None:
    raise BackupError(people.Text.same("on purpose"))


def test_without_the_client_tools_postgresql_says_what_to_install(store: Store, settings, tmp_path, monkeypatch):
    if store.dialect == "sqlite":
        backup.backup(store, settings, tmp_path / "x.zip")
        return
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BackupError, match="apt-get install postgresql-client"):
        backup.backup(store, settings, tmp_path / "x.zip")
