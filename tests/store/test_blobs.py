"""Files kept beside the database: the same promises in a folder, in memory through fsspec, and over S3."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.store.houses import furnished, person
from tests.store.places import Place

from lab39.core.errors import LabError, UnknownNameError
from lab39.settings import Settings
from lab39.store import Store, StoreUnavailableError, atomic, backup, blobs, blobstores, people, privacy
from lab39.store.blobs import BlobError

SECRET = b"the content of a photo"


OTHER_KEY = "ee" * 32

PLACES = [("sqlite", "folder"), ("postgresql", "folder"), ("postgresql", "memory"), ("sqlite", "s3")]


def _where(*kinds: str) -> pytest.MarkDecorator:
    pairs = [pair for pair in PLACES if pair[1] in kinds]
    return pytest.mark.parametrize(("database_url", "place"), pairs, indirect=True)


everywhere, remote, folder = _where("folder", "memory", "s3"), _where("memory", "s3"), _where("folder")


@pytest.fixture
def store(database_url: str, clock, place: Place) -> Iterator[Store]:
    """On each database, with files in each kind of place."""
    opened = Store(database_url, place.where, clock, blobs_endpoint=place.endpoint)
    yield opened
    opened.close()


@pytest.fixture
def another_process(store: Store, place: Place) -> Iterator[Store]:
    """The same lab, with connections of its own."""
    opened = Store(store.url, place.where, store.clock, blobs_endpoint=place.endpoint)
    yield opened
    opened.close()


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


def path_of(digest: str) -> str:
    return f"{digest[:2]}/{digest[2:]}"


@everywhere
def test_a_file_comes_back_and_the_same_content_is_kept_once(store: Store, place: Place):
    digest = put(store)
    assert put(store, used_by="letter:2") == digest
    assert read(store, digest) == SECRET
    assert place.found() == {path_of(digest): SECRET}
    if isinstance(place.where, Path):
        assert (place.where / path_of(digest)).stat().st_mode & 0o777 == 0o600
    with store.reading() as tx:
        assert [use.name for use in blobs.of(tx, "letter:2")] == ["é.jpg"]
    with store.reading() as tx, pytest.raises(UnknownNameError):
        blobs.read(tx, store, "0" * 64)


@everywhere
def test_it_is_removed_when_nobody_uses_it_any_more_and_not_before(store: Store, place: Place):
    digest, other = put(store), put(store, b"another", used_by="letter:3")
    put(store, used_by="letter:2")
    with store.writing() as tx:
        assert blobs.release(tx, "letter:1") == 1
    assert blobs.collect(store).files == 0
    with store.writing() as tx:
        blobs.release(tx, "letter:2")
    assert blobs.collect(store) == blobs.Collected(1, len(SECRET))
    assert place.found() == {path_of(other): b"another"}
    with store.reading() as tx, pytest.raises(UnknownNameError):
        blobs.read(tx, store, digest)
    assert put(store) == digest, "and it can come back"
    assert read(store, digest) == SECRET


@everywhere
def test_what_another_process_removed_is_never_believed_to_be_there(store: Store, another_process: Store):
    digest = put(store)
    assert read(another_process, digest) == SECRET
    store.files.check()
    assert list(store.files.sizes()) == [(digest, len(SECRET))], "it has just seen it"
    with another_process.writing() as tx:
        blobs.release(tx, "letter:1")
    assert blobs.collect(another_process).files == 1
    assert put(store) == digest
    assert read(another_process, digest) == SECRET


@everywhere
def test_a_transaction_that_fails_leaves_no_row_and_the_collector_takes_the_file(store: Store, place: Place):
    who = person(store).id
    with pytest.raises(ZeroDivisionError), store.writing() as tx:  # noqa: PT012
        blobs.put(tx, store, SECRET, used_by="x", person=who, at=store.clock())
        1 / 0  # noqa: B018
    assert len(place.found()) == 1
    place.replace("ab/.incoming-killed", b"half")
    assert blobs.collect(store).files == 2
    assert place.found() == {}


@everywhere
def test_what_is_not_the_labs_is_left_alone_in_a_place_that_is_shared(store: Store, place: Place):
    theirs = {"fr/page.html": b"1", "notes.txt": b"2", f"ab/{'0' * 62}.gz": b"3", f"ab/cd/{'0' * 62}": b"4"}
    for name, content in theirs.items():
        place.replace(name, content)
    assert blobs.collect(store).files == 0
    assert place.found() == theirs


@everywhere
def test_an_altered_or_absent_file_is_never_given_out(store: Store, place: Place):
    digest, other = put(store), put(store, b"another")
    assert [c.problem.en for c in blobs.verify(store)] == ["", ""]
    place.replace(path_of(digest), b"altered")
    place.replace(path_of(other), None)
    assert {c.sha256: c.problem.en.split(":")[0] for c in blobs.verify(store)} == {
        digest: "altered file",
        other: "file absent",
    }
    for broken in (digest, other):
        with pytest.raises(BlobError):
            read(store, broken)
    assert put(store, b"another") == other, "putting an absent file again repairs it"
    assert read(store, other) == b"another"


@everywhere
def test_with_a_key_the_place_tells_nothing_not_even_by_names(store: Store, place: Place, key: Path):
    store.blob_key_file = key
    digest = put(store)
    ((name, kept),) = place.found().items()
    assert SECRET not in kept
    assert digest not in name.replace("/", "")
    assert read(store, digest) == SECRET
    assert all(not checked.problem for checked in blobs.verify(store))
    place.replace(name, kept[:-1] + bytes([kept[-1] ^ 1]))
    with pytest.raises(BlobError, match="altered"):
        read(store, digest)


@everywhere
def test_files_of_before_the_key_stay_readable_and_another_key_opens_nothing(store: Store, key: Path):
    plain = put(store, b"before")
    store.blob_key_file = key
    assert read(store, plain) == b"before"
    assert put(store, b"before") == plain
    assert read(store, plain) == b"before"
    digest = put(store)
    key.write_text(OTHER_KEY)
    with pytest.raises(BlobError, match="another key"):
        read(store, digest)
    store.blob_key_file = None
    with pytest.raises(BlobError, match="LAB39_BLOB_KEY_FILE"):
        read(store, digest)


@everywhere
def test_a_new_key_reads_what_the_former_wrote_until_every_file_is_encrypted_again(
    store: Store, place: Place, key: Path
):
    plain = put(store, b"before")
    store.blob_key_file = key
    sealed = put(store)
    former = place.found()
    key.write_text(f"{OTHER_KEY}\n{key.read_text()}")
    assert read(store, sealed) == SECRET
    newest = put(store, b"with the new one")
    assert blobs.seal_again(store) == 2, "the one that was not encrypted, and the one of the former key"
    assert not set(place.found()) & set(former)
    assert len(place.found()) == 3
    key.write_text(OTHER_KEY)
    assert [read(store, each) for each in (plain, sealed, newest)] == [b"before", SECRET, b"with the new one"]
    assert blobs.seal_again(store) == 0


@everywhere
def test_a_file_that_no_key_opens_stops_the_change_of_key_and_stays_as_it_is(store: Store, place: Place, key: Path):
    with pytest.raises(BlobError, match="LAB39_BLOB_KEY_FILE"):
        blobs.seal_again(store)
    store.blob_key_file = key
    put(store)
    before = place.found()
    key.write_text(OTHER_KEY)
    with pytest.raises(BlobError, match="another key"):
        blobs.seal_again(store)
    assert place.found() == before


@everywhere
@pytest.mark.parametrize("content", ["", "short", "zz" * 32, "0f" * 31, OTHER_KEY + "\nshort"])
def test_a_key_that_is_not_one_is_refused_before_anything_is_written(store, place: Place, key: Path, content: str):
    key.write_text(content)
    store.blob_key_file = key
    with pytest.raises(BlobError, match="openssl rand -hex 32"):
        put(store)
    assert place.found() == {}


@everywhere
def test_a_key_that_others_can_read_or_that_is_absent_is_refused(store: Store, key: Path):
    store.blob_key_file = key
    key.chmod(0o640)
    with pytest.raises(BlobError, match="chmod 600"):
        put(store)
    key.unlink()
    with pytest.raises(BlobError, match="No such file"):
        put(store)


@folder
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_full_or_read_only_disk_is_told_and_nothing_is_half_written(store, place: Place, monkeypatch, code: int):
    who = person(store).id

    def refuse(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(atomic.os, "fsync", refuse)
    with pytest.raises(StoreUnavailableError, match="nothing was saved"):
        put(store, who=who)
    assert place.found() == {}
    with store.reading() as tx:
        assert tx.execute(sa.select(blobs.blobs)).all() == []


@everywhere
def test_a_backup_holds_the_files_wherever_they_are_and_a_restore_puts_them_back(
    store: Store, place: Place, tmp_path: Path
):
    furnished(store)
    before = place.found()
    settings, path = Settings(home=tmp_path / "home"), tmp_path / "night.zip"
    assert backup.backup(store, settings, path).blobs == len(before) == 2
    altered, absent = before
    place.replace(altered, b"damaged")
    place.replace(absent, None)
    with pytest.raises(backup.BackupError, match="db verify"):
        backup.backup(store, settings, tmp_path / "not-whole.zip")
    put(store, b"later")
    assert backup.restore(store, settings, path, force=True).blobs == 2
    assert place.found() == before
    assert [c.problem.en for c in blobs.verify(store)] == ["", ""]


@everywhere
def test_a_place_that_answers_says_so_and_is_made_by_nobody_before_the_first_write(store: Store, place: Place):
    store.files.check()
    assert place.found() == {}
    put(store)
    store.files.check()


@remote
def test_a_bucket_that_is_gone_is_told_as_such_and_not_as_files_that_are_absent(store: Store, place: Place):
    digest, who = put(store), person(store).id
    place.vanish()
    for attempt in (
        store.files.check,
        lambda: read(store, digest),
        lambda: list(blobs.verify(store)),
        lambda: blobs.collect(store),
    ):
        with pytest.raises(StoreUnavailableError, match="LAB39_BLOBS: this bucket does not exist"):
            attempt()
    if place.endpoint:  # fsspec's memory makes a folder when one writes in it
        with pytest.raises(StoreUnavailableError, match="nothing was saved"):
            put(store, b"another", used_by="letter:9", who=who)
        with store.reading() as tx:
            assert blobs.of(tx, "letter:9") == ()


class _SilentError(Exception):
    """What a library may raise: not an OSError."""


@remote
def test_a_bucket_that_does_not_answer_keeps_no_row_and_erasure_says_what_is_left(store: Store, place, monkeypatch):
    patient, _, _ = furnished(store)
    kept = place.found()
    fs = store.files._fs

    def silent(*_: object, **__: object) -> None:
        raise _SilentError("no route to host\nsecond line")

    with monkeypatch.context() as cut:
        for method in ("exists", "cat_file", "pipe_file", "find", "ls", "rm_file"):
            cut.setattr(fs, method, silent)
        with pytest.raises(StoreUnavailableError, match=r"cannot be reached \(_SilentError, no route to host\)"):
            put(store, b"another", used_by="letter:9", who=patient.id)
        with store.reading() as tx:
            assert blobs.of(tx, "letter:9") == ()
        with pytest.raises(StoreUnavailableError, match="lab39 db sweep"):
            privacy.erase_person(store, patient.id)
    with store.reading() as tx:
        assert people.get(tx, patient.id).erased_at is not None
    assert place.found() == kept, "the bytes are still there, as was said"
    assert blobs.collect(store).files == len(kept)
    assert place.found() == {}


def test_credentials_that_are_refused_or_absent_are_told(s3_address: str, monkeypatch, tmp_path: Path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(StoreUnavailableError, match="credentials"):
        blobstores.of("s3://bucket/lab", endpoint=s3_address).check()


def test_a_server_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "lab")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with pytest.raises(StoreUnavailableError, match="EndpointConnectionError"):
        blobstores.of("s3://bucket/lab", endpoint="http://127.0.0.1:9").check()


def test_without_the_extra_the_command_that_installs_it_is_told(monkeypatch):
    monkeypatch.setattr(blobstores.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(LabError, match=r'pip install "lab39\[s3\]"'):
        Store("sqlite://", "s3://bucket/lab")


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreUnavailableError, match="LAB39_BLOBS: the folder of files"):
        blobstores.Folder(tmp_path / "file" / "blobs").check()


def test_the_setting_names_a_folder_or_a_bucket(tmp_path: Path):
    def where(value: str, **more: str) -> Path | str:
        return Settings.from_env({"LAB39_HOME": str(tmp_path), "LAB39_BLOBS": value, **more}).blobs

    assert where("") == tmp_path / "blobs"
    assert where("/srv/files/") == Path("/srv/files")
    assert where("s3://my-bucket/lab39/") == "s3://my-bucket/lab39"
    assert where("s3://my-bucket") == "s3://my-bucket"
    endpoint = {"LAB39_BLOBS_ENDPOINT": "https://s3.example.org:9000/"}
    assert Settings.from_env(endpoint).blobs_endpoint == "https://s3.example.org:9000"


@pytest.mark.parametrize(
    "env",
    [
        {"LAB39_BLOBS": "s3://user:s3cret@my-bucket/x"},
        {"LAB39_BLOBS": "s3://"},
        {"LAB39_BLOBS": "s3://my-bucket/a//b"},
        {"LAB39_BLOBS": "memory://s3cret/x"},
        {"LAB39_BLOBS_ENDPOINT": "http://s3.example.org"},
        {"LAB39_BLOBS_ENDPOINT": "https://a.example.org,https://b.example.org"},
    ],
)
def test_a_setting_that_names_neither_is_refused_without_showing_a_password(env: dict[str, str]):
    with pytest.raises(ValueError, match=next(iter(env))) as told:
        Settings.from_env(env)
    assert "s3cret" not in str(told.value)
