"""What a store goes through: two writers at once, a power cut, a damaged or full disk, a newer reader."""

from __future__ import annotations

import errno
import fcntl
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb
import pytest

from lab39.core.errors import InputError
from lab39.solutions.signals.readers import disk
from lab39.solutions.signals.readers import store as stores
from lab39.solutions.signals.readers.store import Store

from .conftest import Shelf

ingesting = import_module("lab39.solutions.signals.readers.ingest")  # the package gives its function this name
reading = ingesting.ingest


def cases(folder: Path, name: str = "first", *numbers: str) -> Path:
    file = folder / f"{name}.csv"
    file.write_text("case,drug,event\n" + "".join(f"{n},A,X\n" for n in numbers or ("1", "2")), "utf-8")
    return file


def reports(shelf: Shelf) -> list[Any]:
    return [number for (number,) in shelf.ask("SELECT report_id FROM reports ORDER BY 1")]


def test_a_store_has_one_writer_and_the_other_is_told_to_wait(shelf: Shelf, tmp_path: Path) -> None:
    shelf.add(cases(tmp_path))
    with Store.open(shelf.folder).writing(), pytest.raises(InputError, match="another command is writing") as told:
        reading([cases(tmp_path, "second", "3")], shelf.folder)
    assert told.value.place == str(shelf.folder)
    assert "une autre commande écrit" in told.value.text.fr
    shelf.add(cases(tmp_path, "second", "3"))
    assert reports(shelf) == ["1", "2", "3"]


def test_a_writer_that_is_refused_leaves_the_new_store_of_the_first_alone(shelf: Shelf, tmp_path: Path) -> None:
    with Store.create(shelf.folder).writing(), pytest.raises(InputError, match="another command"):
        reading([cases(tmp_path)], shelf.folder)
    assert (shelf.folder / "store.json").is_file()


def test_the_tables_are_not_replaced_while_they_are_read(shelf: Shelf, tmp_path: Path) -> None:
    shelf.add(cases(tmp_path))
    lock = shelf.folder / ".tables.lock"
    with Store.open(shelf.folder).reading(), lock.open("ab") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with disk.still(lock, writing=True), lock.open("rb") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)


@pytest.mark.parametrize("left", [b"", b"PAR1 and then nothing"], ids=["empty", "cut"])
def test_a_part_that_the_disk_damaged_is_read_again_or_said_to_be_lost(
    left: bytes, shelf: Shelf, tmp_path: Path
) -> None:
    first, second = cases(tmp_path), cases(tmp_path, "second", "3")
    shelf.add(first)
    [part] = Store.open(shelf.folder).parts()
    part.files("drugs")[0].write_bytes(left)
    told = shelf.add(second, failing=True)
    [error] = told.failed
    assert "“first.csv” is damaged on the disk and is no longer counted" in error.text.en
    assert reports(shelf) == ["3"]
    shelf.add(first)
    assert reports(shelf) == ["1", "2", "3"]


def test_a_damaged_part_whose_source_is_there_is_read_again_without_a_word(shelf: Shelf, tmp_path: Path) -> None:
    shelf.add(cases(tmp_path))
    [part] = Store.open(shelf.folder).parts()
    (part.folder / "part.json").write_text('{"kind": "ca')
    with pytest.raises(InputError, match="this part of the store is damaged"):
        Store.open(shelf.folder).parts()
    told = shelf.add(cases(tmp_path))
    assert [each.name for each in told.read] == ["first.csv"]
    assert reports(shelf) == ["1", "2"]


@pytest.mark.parametrize(
    "table",
    [
        "settled.json",
        "reports.parquet/*",
        "events.parquet/*",
        "rejected.parquet",
        "names.parquet",
        "dropped.parquet",
    ],
)
def test_tables_that_the_disk_damaged_are_made_again(table: str, shelf: Shelf, tmp_path: Path) -> None:
    shelf.add(cases(tmp_path))
    [file] = shelf.folder.glob(f"tables/{table}")
    file.write_bytes(file.read_bytes()[:-3])
    shelf.add(cases(tmp_path))
    assert shelf.ask("SELECT report_id, drug, event FROM reports JOIN drugs USING (report_id) JOIN events USING "
                     "(report_id) ORDER BY 1") == [("1", "A", "X"), ("2", "A", "X")]  # fmt: skip
    assert shelf.one("SELECT count(*) FROM rejected") == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "store.json: this file cannot"), ('{"form": 0}', "a store of form 0; this version reads")],
)
def test_a_store_of_another_form_or_without_its_form_says_to_use_another_folder(
    text: str, says: str, shelf: Shelf, tmp_path: Path
) -> None:
    shelf.add(cases(tmp_path))
    (shelf.folder / "store.json").write_text(text)
    for use in (Store.open, Store.create):
        with pytest.raises(InputError, match=says) as told:
            use(shelf.folder)
        assert "into another folder" in told.value.text.en
    assert list(Store(shelf.folder).parts_folder.iterdir())  # nothing is taken away


def test_what_a_newer_reader_gives_takes_the_place_of_what_the_older_gave(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.add(cases(tmp_path), cases(tmp_path, "second", "3"))
    before = [(part.name, part.rank) for part in Store.open(shelf.folder).parts()]
    monkeypatch.setattr(ingesting, "VERSION", "newer")
    told = shelf.add(cases(tmp_path))
    assert [each.name for each in told.read] == ["first.csv"]
    assert [(part.name, part.rank) for part in Store.open(shelf.folder).parts()] == before
    assert (reports(shelf), shelf.one("SELECT count(*) FROM set_aside")) == (["1", "2", "3"], 0)


def test_the_making_of_a_store_that_was_cut_short_is_taken_up_again(shelf: Shelf, tmp_path: Path) -> None:
    (shelf.folder / "parts").mkdir(parents=True)
    (shelf.folder / ".store.json.new").write_text("{")
    shelf.add(cases(tmp_path))
    assert reports(shelf) == ["1", "2"]


def test_a_full_disk_says_to_make_room_and_keeps_what_was_read_whole(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = stores.disk.keep

    def full(folder: Path) -> None:
        if "second" in (folder / "part.json").read_text("utf-8"):
            raise OSError(errno.ENOSPC, "No space left on device")
        write(folder)

    with monkeypatch.context() as patch:
        patch.setattr(stores.disk, "keep", full)
        with pytest.raises(InputError, match="the disk is full: make room") as told:
            reading([cases(tmp_path), cases(tmp_path, "second", "3")], shelf.folder)
    assert "le disque est plein" in told.value.text.fr
    assert [part.name for part in Store.open(shelf.folder).parts()] == ["first.csv"]
    assert shelf.add(cases(tmp_path), cases(tmp_path, "second", "3")).already == ("first.csv",)
    assert reports(shelf) == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (duckdb.IOException("Could not write: No space left on device"), "the disk is full"),
        (duckdb.IOException("Could not read from file"), r"cannot be written or read \(Could not read from file\)"),
        (duckdb.OutOfMemoryException("out of memory"), "give more with --memory"),
        (OSError(errno.EROFS, "Read-only file system"), r"cannot be written or read \(Read-only file system\)"),
    ],
)
def test_what_the_disk_refuses_says_what_to_do(error: Exception, says: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=says) as told, disk.told(tmp_path):
        raise error
    assert told.value.place == str(tmp_path)
