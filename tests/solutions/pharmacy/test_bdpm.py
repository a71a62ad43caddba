"""Reading the French public medicine database: encodings, broken lines, what is joined."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.solutions.pharmacy import tiny_bdpm

from lab39.core.errors import InputError
from lab39.solutions.pharmacy import bdpm, catalogue_build
from lab39.solutions.pharmacy.catalogue import Catalogue
from lab39.solutions.pharmacy.model import Route

ROWS = tiny_bdpm.rows()


def test_the_encoding_of_each_file_is_found_and_told(tmp_path: Path) -> None:
    contents = bdpm.inspect(tiny_bdpm.write(tmp_path))
    reading = bdpm.Reading()
    labels = [row.label for row in bdpm.specialities(contents.files["cis"], reading)]
    boxes = [row.label for row in bdpm.presentations(contents.files["cip"], reading)]
    assert labels[0] == "DOLIPRANE 1000 mg, comprimé"
    assert boxes[0] == "boîte de 30"
    assert reading.encodings == {"cis": "cp1252", "cip": "utf-8"}
    assert not reading.broken


def test_files_are_recognised_by_content_whatever_their_name(tmp_path: Path) -> None:
    renamed = [path.rename(tmp_path / f"{i}.txt") for i, path in enumerate(tiny_bdpm.write(tmp_path))]
    (tmp_path / "readme.txt").write_text("something else\n")
    contents = bdpm.inspect([*renamed, tmp_path / "readme.txt"])
    assert set(contents.files) == {"cis", "cip", "compo", "gener", "cpd", "mitm"}


def test_the_edition_is_the_latest_day_and_a_slip_of_the_pen_is_none(tmp_path: Path) -> None:
    cells = tiny_bdpm.rows()
    cells["cip"][0][5] = "29/11/2924"
    contents = bdpm.inspect(tiny_bdpm.write(tmp_path, cells))
    assert contents.version == "2026-05-04"


@pytest.mark.parametrize("role", ["cis", "cip", "compo"])
def test_a_file_that_is_needed_and_absent_is_named(tmp_path: Path, role: str) -> None:
    paths = [path for path in tiny_bdpm.write(tmp_path) if path.name != bdpm.NAMES[role]]
    with pytest.raises(InputError, match=bdpm.NAMES[role]):
        bdpm.inspect(paths)


def test_a_broken_line_is_counted_with_its_file_and_number(tmp_path: Path) -> None:
    cells = tiny_bdpm.rows()
    cells["compo"].insert(3, ["60000001", "comprimé", "00001", "PARACÉTAMOL"])
    cells["cis"][2][0] = "6000"
    contents = bdpm.inspect(tiny_bdpm.write(tmp_path, cells))
    catalogue_build.build(contents.files, tmp_path / "c.sqlite", "")
    broken = [(each.file, each.line, each.why.fr) for each in Catalogue.open(tmp_path / "c.sqlite").broken()]
    assert broken == [
        ("CIS_COMPO_bdpm.txt", 4, "4 colonnes au lieu de 8"),
        ("CIS_bdpm.txt", 3, "code CIS «\u202f6000\u202f»"),
    ]


def test_a_byte_that_no_encoding_has_breaks_its_line(tmp_path: Path) -> None:
    paths = tiny_bdpm.write(tmp_path)
    broken = next(path for path in paths if path.name == "CIS_COMPO_bdpm.txt")
    broken.write_bytes(broken.read_bytes().replace("PARACÉTAMOL".encode("cp1252"), b"PARAC\x81TAMOL", 1))
    reading = bdpm.Reading()
    list(bdpm.components(broken, reading))
    assert [(each.line, each.why.fr) for each in reading.broken] == [(1, "caractères illisibles")]


def test_a_file_with_many_broken_lines_is_refused_with_the_place(tmp_path: Path) -> None:
    cells = tiny_bdpm.rows()
    cells["cis"][1] = ["60000002", "DOLIPRANE"]
    contents = bdpm.inspect(tiny_bdpm.write(tmp_path, cells))
    with pytest.raises(InputError, match=r"CIS_bdpm\.txt:2"):
        contents.check()


def test_a_file_that_ends_too_early_is_refused(tmp_path: Path) -> None:
    paths = tiny_bdpm.write(tmp_path)
    cut = next(path for path in paths if path.name == "CIS_bdpm.txt")
    cut.write_bytes(cut.read_bytes()[:-2])
    with pytest.raises(InputError, match="truncated file"):
        bdpm.inspect(paths).check()


def test_a_file_given_twice_is_refused(tmp_path: Path) -> None:
    paths = tiny_bdpm.write(tmp_path)
    copy = tmp_path / "copy.txt"
    copy.write_bytes(paths[0].read_bytes())
    with pytest.raises(InputError, match="two files"):
        bdpm.inspect([*paths, copy])


def test_substance_and_fraction_of_one_link_are_one_ingredient() -> None:
    product = tiny_bdpm.catalogue().product("60000004")
    assert product is not None
    (only,) = product.ingredients
    assert (only.moiety.key, only.substance, only.amount_mg) == (
        "acide acetylsalicylique",
        "DL-LYSINE (ACÉTYLSALICYLATE DE)",
        75,
    )
    assert product.routes == (Route.ORAL,)


def test_a_complex_of_two_drugs_is_two_moieties() -> None:
    product = tiny_bdpm.catalogue().product("60000021")
    assert product is not None
    assert [(i.moiety.key, i.amount_mg) for i in product.ingredients] == [("valsartan", 51), ("sacubitril", 49)]


def test_labels_of_moieties_keep_their_accents_and_atc_codes() -> None:
    moiety = tiny_bdpm.catalogue().moiety("acide acetylsalicylique")
    assert moiety is not None
    assert (moiety.label, moiety.atc) == ("acide acétylsalicylique", ("B01AC06",))


def test_conditions_and_generic_groups_are_kept() -> None:
    catalogue = tiny_bdpm.catalogue()
    assert catalogue.conditions("60000001") == ["liste I"]
    assert catalogue.generics("60000008")[0][0] == "7"


@pytest.mark.parametrize(
    ("written", "milligrams"),
    [
        ("1 000,00 mg", "1000"),
        ("0,5 g", "500"),
        ("75 microgrammes", "0.075"),
        ("100 UI", None),
        ("", None),
        ("9 CH", None),
    ],
)
def test_doses_in_milligrams(written: str, milligrams: str | None) -> None:
    assert catalogue_build.milligrams(written) == milligrams


def test_the_pack_of_the_shared_data_is_read_whole(shared: Path) -> None:
    contents = bdpm.inspect(sorted((shared / "pharmacy" / "bdpm").iterdir()))
    reading = bdpm.Reading()
    counts = {role: sum(1 for _ in bdpm.READERS[role](path, reading)) for role, path in contents.files.items()}
    assert contents.version == "2026-05-15"
    assert counts["cis"] > 15_000
    assert not reading.broken
