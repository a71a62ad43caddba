"""A pack as a dictionary of drug names: whoever asks knows its name, and not the solution it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab39.core import drugnames
from lab39.core.datapacks import Pack, Packs, PackSpec
from lab39.core.errors import PackMissingError, UnknownNameError

SPECS = PackSpec.read_all("""
[[pack]]
name = "brands"
licence = "CC0-1.0"
inspect = "tests.core.packs_for_tests:inspect"
names = "tests.core.test_drugnames:make"
origin = { kind = "file" }
title = { fr = "Marques", en = "Brands" }

[[pack]]
name = "facts"
licence = "CC0-1.0"
inspect = "tests.core.packs_for_tests:inspect"
origin = { kind = "file" }
title = { fr = "Faits", en = "Facts" }
""")


def make(_packs: Packs, pack: Pack) -> drugnames.Find:
    told = pack.files["facts"].read_text("utf-8").split()[3:]
    return lambda name: ((name.lower(),),) if name.lower() in told else ()


@pytest.fixture
def packs(tmp_path: Path) -> Packs:
    return Packs(tmp_path / "packs", tmp_path / "cache", SPECS)


def edition(folder: Path, version: str, day: str, *names: str) -> Path:
    file = folder / f"{version}.txt"
    file.write_text(f"FACTS {version} {day} {' '.join(names)}\n")
    return file


def test_an_installed_pack_gives_its_names_its_version_and_what_names_its_content(packs: Packs, tmp_path: Path):
    pack = packs.import_files("brands", [edition(tmp_path, "1", "2025-01-01", "aspirin")])
    found = drugnames.open_pack(packs, "brands")
    assert (found.name, found.version, found.key) == ("brands", "1", pack.key)
    assert found.find("ASPIRIN") == (("aspirin",),)
    assert found.find("unheard") == ()


def test_the_newest_version_is_used_unless_another_is_asked_for(packs: Packs, tmp_path: Path):
    for version, day in (("1", "2025-01-01"), ("2", "2026-01-01")):
        packs.import_files("brands", [edition(tmp_path, version, day, f"drug{version}")])
    assert drugnames.open_pack(packs, "brands").version == "2"
    assert drugnames.open_pack(packs, "brands", "1").find("drug1") == (("drug1",),)


@pytest.mark.parametrize("name", ["facts", "unheard"])
def test_a_pack_that_has_no_names_of_drugs_is_refused_and_those_that_have_are_told(packs: Packs, name: str):
    with pytest.raises(UnknownNameError, match=f"no dictionary of drugs “{name}”. Packs that are one: brands"):
        drugnames.open_pack(packs, name)


def test_a_pack_that_is_not_installed_says_the_command(packs: Packs):
    with pytest.raises(PackMissingError, match="lab39 data import brands"):
        drugnames.open_pack(packs, "brands")
