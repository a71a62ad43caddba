"""Files kept beside the database."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.store.houses import person

from lab39.core.errors import UnknownNameError
from lab39.store import Store, StoreUnavailableError, atomic, blobs
from lab39.store.blobs import BlobError

SECRET = b"the content of a photo"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "blob.key"
    path.write_text("0f" * 32 + "\n")
    path.chmod(0o600)
    return path


def put(store: Store, content: bytes = SECRET, used_by: str = "letter:1", who: str | None = None) -> str:
    who = who or person(store).id
    with store.writing() as tx:
        return blobs.put(tx, store, content, used_by=used_by, person=who, at=store.clock(), name="é.jpg").sha256


def read(store: Store, digest: str) -> bytes:
    with store.reading() as tx:
        return blobs.read(tx, store, digest)


def on_disk(store: Store) -> list[Path]:
    return [path for path in store.blobs.rglob("*") if path.is_file()]


def test_a_file_comes_back_and_the_same_content_is_kept_once(store: Store):
    digest = put(store)
    assert put(store, used_by="letter:2") == digest
    assert read(store, digest) == SECRET
    (path,) = on_disk(store)
    assert path.stat().st_mode & 0o777 == 0o600
    with store.reading() as tx:
        assert [use.name for use in blobs.of(tx, "letter:2")] == ["é.jpg"]
    with store.reading() as tx, pytest.raises(UnknownNameError):
        blobs.read(tx, store, "0" * 64)


def test_it_is_removed_when_nobody_uses_it_any_more_and_not_before(store: Store):
    digest, other = put(store), put(store, b"another", used_by="letter:3")
    put(store, used_by="letter:2")
    with store.writing() as tx:
        assert blobs.release(tx, "letter:1") == 1
    assert blobs.collect(store).files == 0
    with store.writing() as tx:
        blobs.release(tx, "letter:2")
    assert blobs.collect(store) == blobs.Collected(1, len(SECRET))
    assert read(store, other) == b"another"
    with store.reading() as tx, pytest.raises(UnknownNameError):
        blobs.read(tx, store, digest)
    assert put(store) == digest, "and it can come back"
    assert read(store, digest) == SECRET


def test_a_transaction_that_fails_leaves_no_row_and_the_collector_takes_the_file(store: Store):
    who = person(store).id
    with pytest.raises(ZeroDivisionError), store.writing() as tx:  # noqa: PT012
        blobs.put(tx, store, SECRET, used_by="x", person=who, at=store.clock())
        1 / 0  # noqa: B018
    assert len(on_disk(store)) == 1
    (store.blobs / "ab").mkdir(parents=True, exist_ok=True)
    (store.blobs / "ab" / ".incoming-killed").write_bytes(b"half")
    assert blobs.collect(store).files == 2
    assert on_disk(store) == []


def test_an_altered_or_absent_file_is_never_given_out(store: Store):
    digest, other = put(store), put(store, b"another")
    assert [c.problem.en for c in blobs.verify(store)] == ["", ""]
    path = blobs.path_of(store.blobs, digest)
    path.write_bytes(b"altered")
    blobs.path_of(store.blobs, other).unlink()
    assert {c.sha256: "altered" in c.problem.en for c in blobs.verify(store)} == {digest: True, other: False}
    for broken in (digest, other):
        with pytest.raises(BlobError):
            read(store, broken)
    assert put(store, b"another") == other, "putting an absent file again repairs it"
    assert read(store, other) == b"another"


def test_with_a_key_the_disk_tells_nothing_not_even_by_names(store: Store, key: Path):
    store.blob_key_file = key
    digest = put(store)
    (path,) = on_disk(store)
    assert SECRET not in path.read_bytes()
    assert digest not in str(path).replace("/", "")
    assert read(store, digest) == SECRET
    assert all(not checked.problem for checked in blobs.verify(store))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(BlobError, match="altered"):
        read(store, digest)


def test_files_of_before_the_key_stay_readable_and_another_key_opens_nothing(store: Store, key: Path):
    plain = put(store, b"before")
    store.blob_key_file = key
    assert read(store, plain) == b"before"
    assert put(store, b"before") == plain
    assert read(store, plain) == b"before"
    digest = put(store)
    key.write_text("ee" * 32)
    with pytest.raises(BlobError, match="another key"):
        read(store, digest)
    store.blob_key_file = None
    with pytest.raises(BlobError, match="LAB39_BLOB_KEY_FILE"):
        read(store, digest)


@pytest.mark.parametrize("content", ["", "short", "zz" * 32, "0f" * 31])
def test_a_key_that_is_not_one_is_refused_before_anything_is_written(store: Store, key: Path, content: str):
    key.write_text(content)
    store.blob_key_file = key
    with pytest.raises(BlobError, match="openssl rand -hex 32"):
        put(store)
    assert on_disk(store) == []


def test_a_key_that_others_can_read_or_that_is_absent_is_refused(store: Store, key: Path):
    store.blob_key_file = key
    key.chmod(0o640)
    with pytest.raises(BlobError, match="chmod 600"):
        put(store)
    key.unlink()
    with pytest.raises(BlobError, match="No such file"):
        put(store)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_full_or_read_only_disk_is_told_and_nothing_is_half_written(store: Store, monkeypatch, code: int):
    who = person(store).id

    def refuse(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(atomic.os, "fsync", refuse)
    with pytest.raises(StoreUnavailableError, match="nothing was saved"):
        put(store, who=who)
    assert on_disk(store) == []
    with store.reading() as tx:
        assert tx.execute(sa.select(blobs.blobs)).all() == []
