"""The commands about the database and about people."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from lab39.settings import Settings
from lab39.store import Store, people, privacy


def solution_parts() -> list[str]:
    """What installed solutions registered to be exported and erased, by the package it is defined in."""
    return [name for name, part in privacy._parts.items() if part.export.__module__.startswith("lab39.solutions.")]


@pytest.fixture
def settings(run, monkeypatch) -> Settings:
    """A lab with a migrated database; no solution installed."""
    monkeypatch.setattr("lab39.core.lab.entry_points", dict)
    for name in solution_parts():  # a solution that another test loaded
        monkeypatch.delitem(privacy._parts, name)
    monkeypatch.delenv("LAB39_DATABASE_URL", raising=False)
    assert run("db", "migrate").code == 0
    return Settings.from_env()


@pytest.fixture
def ana(settings: Settings) -> str:
    store = Store.of(settings)
    with store.writing() as tx:
        made = people.add(tx, name="Ana Roux", email="ana@example.org", at=store.clock())
    store.close()
    return made.id


def test_db_status_says_what_to_do_before_and_nothing_after(run, monkeypatch):
    monkeypatch.setattr("lab39.core.lab.entry_points", dict)
    before = run("db", "status")
    assert before.code == 1
    assert "lab39 db migrate" in before.err
    assert run("db", "status", "--json").json["behind"] is True
    assert run("db", "migrate").code == 0
    after = run("db", "status", "--json")
    assert (after.code, after.json["behind"], after.json["dialect"]) == (0, False, "sqlite")
    assert run("db", "migrate", "--json").json["unknown"] == []


def test_a_command_on_a_database_that_is_not_migrated_says_the_command_to_type(run):
    ran = run("export-person", "ana@example.org", "--out", "x.zip")
    assert ran.code == 2
    assert "lab39 db migrate" in ran.err


def test_a_database_written_by_a_newer_version_is_left_alone(run, settings):
    store = Store.of(settings)
    with store.writing() as tx:
        tx.exec_driver_sql("INSERT INTO alembic_version VALUES ('9999')")
    store.close()
    for command in ("status", "migrate"):
        ran = run("db", command)
        assert ran.code == 2
        assert "9999" in ran.err


def test_export_person_writes_what_is_kept(run, ana: str, tmp_path: Path):
    out = tmp_path / "ana.zip"
    ran = run("export-person", "ANA@example.org", "--out", out, "--json")
    assert ran.code == 0
    assert ran.json["person"] == ana
    assert b"Ana Roux" in zipfile.ZipFile(out).read("data/person.ndjson")
    assert run("export-person", "nobody", "--out", out).code == 2


def test_erase_person_asks_first_then_says_what_was_erased_and_what_stays(run, ana: str, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert run("erase-person", ana).code == 1, "nobody answered: nothing is done"
    assert run("erase-person", ana, "--json").code == 2
    ran = run("erase-person", ana, "--yes")
    assert ran.code == 0
    assert "compte, rôles, identités" in ran.out
    assert "sauvegardes" in ran.err
    assert run("erase-person", ana, "--yes", "--json").json["outcomes"]
    assert run("erase-person", "ana@example.org", "--yes").code == 2


def test_a_solution_that_does_not_load_makes_both_commands_end_with_1(run, ana: str, tmp_path: Path, monkeypatch):
    class Point:
        def load(self) -> None:
            raise ImportError("on purpose")

    monkeypatch.setattr("lab39.core.lab.entry_points", lambda: {"broken": Point()})
    for words in (("export-person", ana, "--out", tmp_path / "x.zip"), ("erase-person", ana, "--yes")):
        ran = run(*words)
        assert ran.code == 1
        assert "on purpose" in ran.err


def test_backup_then_restore(run, ana: str, settings: Settings, tmp_path: Path):
    path = tmp_path / "night.zip"
    assert run("backup", path, "--json").json["revisions"]
    assert run("erase-person", ana, "--yes").code == 0
    refused = run("restore", path)
    assert refused.code == 2
    assert "--force" in refused.err
    done = run("restore", path, "--force", "--json")
    assert done.code == 0
    assert json.loads(done.out)["path"] == str(path)
    store = Store.of(settings)
    with store.reading() as tx:
        assert people.get(tx, ana).display_name == "Ana Roux"
    store.close()


def test_db_verify_counts_files_and_ends_with_1_when_one_is_damaged(run, ana: str, settings: Settings):
    from lab39.store import blobs, blobstores

    store = Store.of(settings)
    with store.writing() as tx:
        for content in (b"one", b"two"):
            used = blobs.put(tx, store, content, used_by="x", person=ana, at=store.clock())
    store.close()
    assert run("db", "verify", "--json").json == {"total": 2, "passed": 2, "failures": []}
    blobstores.path_of(settings.blobs, used.sha256).write_bytes(b"damaged")
    ran = run("db", "verify", "--json")
    assert ran.code == 1
    assert [failure["sha256"] for failure in ran.json["failures"]] == [used.sha256]


def test_db_sweep_and_rotate_key_say_what_they_did(run, ana: str, settings: Settings, tmp_path: Path, monkeypatch):
    from lab39.store import blobs

    store = Store.of(settings)
    with store.writing() as tx:
        for content in (b"one", b"four"):
            blobs.put(tx, store, content, used_by=content.decode(), person=ana, at=store.clock())
        blobs.release(tx, "four")
    store.close()
    assert run("db", "sweep", "--json").json == {"files": 1, "bytes": 4}
    refused = run("db", "rotate-key")
    assert refused.code == 2
    assert "LAB39_BLOB_KEY_FILE" in refused.err
    key = tmp_path / "blob.key"
    key.touch(mode=0o600)
    key.write_text("0f" * 32)
    monkeypatch.setenv("LAB39_BLOB_KEY_FILE", str(key))
    assert run("db", "rotate-key", "--json").json == {"files": 1}
    assert run("db", "verify", "--json").json["passed"] == 1
