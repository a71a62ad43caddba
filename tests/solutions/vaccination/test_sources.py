"""Schedules and code maps as packs: imported, open side by side, made again when damaged, renewed while running."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest
from tests.solutions.vaccination import nuva_tables, releases
from tests.solutions.vaccination.conftest import antigen

from lab39.core.datapacks import Packs, PackSpec
from lab39.core.errors import InputError, PackMissingError, UnknownNameError
from lab39.solutions.vaccination import sources, supporting
from lab39.solutions.vaccination.dates import parse
from lab39.solutions.vaccination.model import Schedule

SPECS = PackSpec.read_all(files("lab39.solutions.vaccination").joinpath("packs.toml").read_text("utf-8"))


@pytest.fixture
def packs(tmp_path: Path) -> Packs:
    return Packs(tmp_path / "packs", tmp_path / "cache", SPECS)


def minimum(schedule: Schedule) -> object:
    return schedule.antigens["A"].series[0].doses[0].ages[0].minimum


def test_without_a_schedule_the_command_that_brings_it_is_told(packs: Packs) -> None:
    with pytest.raises(PackMissingError, match="lab39 data import cdsi"):
        sources.open_schedule(packs, "cdsi")
    with pytest.raises(UnknownNameError, match="cdsi, who-cdsi"):
        sources.open_schedule(packs, "mars")


def test_a_folder_is_imported_and_files_that_are_not_of_it_are_left_aside(packs: Packs, tmp_path: Path) -> None:
    pack = packs.import_files("cdsi", [releases.write(tmp_path / "cdsi-4.64")])
    assert pack.version == "4.64"
    assert sorted(pack.files) == ["A.json", "ScheduleSupportingData.json"]
    assert sources.open_schedule(packs, "cdsi").version == "4.64"


def test_a_zip_is_imported_under_the_version_in_its_name(packs: Packs, tmp_path: Path) -> None:
    zipped = releases.zipped(releases.write(tmp_path / "given"), tmp_path / "Version 4.65 - 508.zip")
    assert packs.import_files("cdsi", [zipped]).version == "4.65"
    assert "A" in sources.open_schedule(packs, "cdsi").antigens


def test_a_release_without_a_version_is_named_by_its_content(packs: Packs, tmp_path: Path) -> None:
    one = packs.import_files("who-cdsi", [releases.write(tmp_path / "given")])
    two = packs.import_files("who-cdsi", [releases.write(tmp_path / "other", "7 weeks")])
    assert one.version.startswith("content-")
    assert one.version != two.version


def test_the_crosswalk_is_part_of_the_pack_when_it_is_given(packs: Packs, tmp_path: Path) -> None:
    release = releases.write(tmp_path / "cdsi-4.64")
    crosswalk = tmp_path / "observation_crosswalk.json"
    crosswalk.write_text(json.dumps({"_comment": "x", "001": {"ICD10CM": [{"code": "X1", "text": "x"}]}}))
    pack = packs.import_files("cdsi", [release, crosswalk])
    assert "observation_crosswalk.json" in pack.files
    assert sources.open_schedule(packs, "cdsi").observations["001"].coded == (("ICD10CM", "X1"),)


def test_two_editions_are_open_side_by_side(packs: Packs, tmp_path: Path) -> None:
    packs.import_files("cdsi", [releases.write(tmp_path / "cdsi-4.64", "6 weeks")])
    packs.import_files("cdsi", [releases.write(tmp_path / "cdsi-4.65", "7 weeks")])
    assert sources.editions(packs, "cdsi") == ("4.64", "4.65")
    old, new = sources.open_schedule(packs, "cdsi", "4.64"), sources.open_schedule(packs, "cdsi@4.65")
    assert (minimum(old), minimum(new)) == (parse("6 weeks"), parse("7 weeks"))
    assert (old.version, new.version) == ("4.64", "4.65")
    assert sources.open_schedule(packs, "cdsi") is new
    with pytest.raises(UnknownNameError, match=r"“4\.1”.*4\.64, 4\.65"):
        sources.open_schedule(packs, "cdsi", "4.1")


def test_a_schedule_is_named_by_a_path_a_name_or_an_edition(packs: Packs, tmp_path: Path) -> None:
    release = releases.write(tmp_path / "cdsi-4.64")
    packs.import_files("cdsi", [release])
    for named in (str(release), "cdsi", "cdsi@4.64", "4.64"):
        assert "A" in sources.open_any(packs, named, packs.cache).antigens
    with pytest.raises(UnknownNameError):
        sources.open_any(packs, "4.65", packs.cache)


def test_an_edition_imported_by_another_process_is_used_by_the_next_call(packs: Packs, tmp_path: Path) -> None:
    packs.import_files("cdsi", [releases.write(tmp_path / "cdsi-4.64", "6 weeks")])
    assert minimum(sources.open_schedule(packs, "cdsi")) == parse("6 weeks")
    elsewhere = Packs(packs.home, packs.cache, SPECS)
    elsewhere.import_files("cdsi", [releases.write(tmp_path / "cdsi-4.65", "7 weeks")])
    assert minimum(sources.open_schedule(packs, "cdsi")) == parse("7 weeks")
    elsewhere.import_files("cdsi", [releases.write(tmp_path / "again" / "cdsi-4.65", "8 weeks")])
    assert minimum(sources.open_schedule(packs, "cdsi")) == parse("8 weeks")
    elsewhere.remove("cdsi", "4.65")
    assert minimum(sources.open_schedule(packs, "cdsi")) == parse("6 weeks")


def test_it_is_read_once_and_a_damaged_compiled_file_is_made_again(
    packs: Packs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = packs.import_files("cdsi", [releases.write(tmp_path / "cdsi-4.64")])
    reads: list[object] = []
    real = supporting.read_files
    monkeypatch.setattr(supporting, "read_files", lambda given: reads.append(given) or real(given))
    first = sources.open_schedule(packs, "cdsi")
    assert reads == []  # compiled when it was adopted
    compiled = packs.cache / "cdsi" / pack.key / sources.KIND
    compiled.write_text("{")
    sources._opened.clear()
    assert sources.open_schedule(packs, "cdsi") == first
    assert len(reads) == 1


def test_a_folder_that_was_not_imported_is_compiled_once_and_again_when_damaged(tmp_path: Path) -> None:
    release = releases.write(tmp_path / "given")
    first = sources.open_folder(release, tmp_path / "cache")
    (compiled,) = (tmp_path / "cache").rglob(sources.KIND)
    compiled.write_text("{")
    sources._opened.clear()
    assert sources.open_folder(release, tmp_path / "cache") == first
    assert json.loads(compiled.read_text())


def test_data_outside_the_schema_is_refused_with_antigen_and_series_and_leaves_nothing(
    packs: Packs, tmp_path: Path
) -> None:
    body = antigen()
    body["series"]["seriesDose"][0]["age"]["minAge"] = "soon"
    with pytest.raises(InputError, match=r"A › A 2-dose series: .*soon"):
        packs.import_files("cdsi", [releases.write(tmp_path / "cdsi-4.64", body=body)])
    assert not packs.home.exists()


def test_a_schedule_file_outside_the_schema_is_refused(packs: Packs, tmp_path: Path) -> None:
    release = releases.write(tmp_path / "given")
    bad = {"cvxToAntigenMap": {"cvxMap": [{"association": {"antigen": "A"}}]}}
    (release / "ScheduleSupportingData.json").write_text(json.dumps(bad))
    with pytest.raises(InputError, match="scheduleSupportingData"):
        packs.import_files("cdsi", [release])


def test_two_releases_at_once_or_none_are_refused(packs: Packs, tmp_path: Path) -> None:
    one, two = releases.write(tmp_path / "one"), releases.write(tmp_path / "two", "7 weeks")
    with pytest.raises(InputError, match="Found: 2 and 2"):
        packs.import_files("cdsi", [one, two])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="Found: 0 and 0"):
        packs.import_files("cdsi", [tmp_path / "empty"])


# -- the maps ------------------------------------------------------------------------------------------------


def test_the_maps_are_recognised_by_their_columns_with_their_licence(packs: Packs, tmp_path: Path) -> None:
    nuva_tables.write(tmp_path / "given")
    (tmp_path / "given" / "other.csv").write_text("a,b\n1,2\n")
    pack = packs.import_files("nuva", [tmp_path / "given"])
    assert sorted(pack.files) == ["atc", "cip", "cis", "core", "from-cvx", "licence", "names", "to-cvx"]
    assert "CC BY 4.0" in pack.spec.licence
    maps = sources.open_maps(packs)
    assert maps.from_cvx == {"901": "VAC0009"}
    assert sources.open_maps(packs) is maps


def test_without_the_pack_the_french_products_that_the_lab_knows_are_read(packs: Packs) -> None:
    from lab39.solutions.vaccination import products

    maps = sources.open_maps(packs)
    assert (maps.version, maps.to_cvx) == ("", {})
    known = next(row for row in products.products() if row.cip13)
    assert maps.products["cip"][known.cip13[0]] == known.nuva


def test_the_french_schedule_needs_no_pack(packs: Packs) -> None:
    french = sources.open_schedule(packs, "france")
    assert french.version == sources.editions(packs, "france")[-1]
    assert sources.open_any(packs, f"france@{french.version}", packs.cache) is french


@pytest.mark.parametrize("lacking", ["core", "to-cvx", "from-cvx"])
def test_a_table_that_is_needed_is_asked_for(packs: Packs, tmp_path: Path, lacking: str) -> None:
    nuva_tables.write(tmp_path / "given")[lacking].unlink()
    with pytest.raises(InputError, match=f"Missing: {lacking}"):
        packs.import_files("nuva", [tmp_path / "given"])
    assert not packs.home.exists()


# -- real data -----------------------------------------------------------------------------------------------


def test_the_schedule_of_the_who_opens(packs: Packs, shared: Path) -> None:
    folder = shared / "vaccination" / "who-cdsi"
    if not folder.is_dir():
        pytest.skip("no WHO schedule among the shared data")
    packs.import_files("who-cdsi", [folder])
    who = sources.open_schedule(packs, "who-cdsi")
    assert {"Measles", "Tuberculosis", "Yellow Fever"} <= set(who.antigens)
    assert who.vaccines


def test_the_release_of_the_cdc_opens_with_its_crosswalk(packs: Packs, shared: Path) -> None:
    folders = sorted((shared / "vaccination").glob("cdsi-[0-9]*"))
    crosswalk = shared / "vaccination" / "observation_crosswalk.json"
    if not folders or not crosswalk.is_file():
        pytest.skip("no CDSi supporting data or crosswalk among the shared data")
    pack = packs.import_files("cdsi", [folders[-1], crosswalk])
    assert pack.version == folders[-1].name.removeprefix("cdsi-")
    asplenia = sources.open_schedule(packs, "cdsi").observations["160"]
    assert {"SNOMED", "ICD10CM"} <= {system for system, _ in asplenia.coded}
