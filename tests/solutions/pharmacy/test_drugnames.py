"""The BDPM as a dictionary for other solutions: what is certain, every substance, nothing by likeness."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.solutions.pharmacy import tiny_bdpm

from lab39.core import drugnames as dictionaries
from lab39.core.datapacks import Packs
from lab39.solutions.pharmacy.catalogue import Catalogue
from lab39.solutions.pharmacy.drugnames import meanings
from lab39.solutions.pharmacy.solution import Pharmacy


@pytest.mark.parametrize(
    ("name", "is_"),
    [
        ("DOLIPRANE", "paracetamol"),
        ("doliprane 1000 mg, comprimé", "paracetamol"),
        ("Augmentin", "acide clavulanique + amoxicilline"),
        ("AUGMENTIN 1 g/125 mg, poudre pour suspension buvable", "acide clavulanique + amoxicilline"),
        ("ENTRESTO", "sacubitril + valsartan"),
        ("CHLORHYDRATE DE METFORMINE", "metformine"),
        ("METFORMIN HYDROCHLORIDE ER", "metformine"),
        ("metformin HCL", "metformine"),
        ("SODIUM (VALPROATE DE)", "acide valproique"),
        ("PREDNISONE.", "prednisone"),
        ("AMOXICILLIN AND CLAVULANATE POTASSIUM", "acide clavulanique + amoxicilline"),
        ("DOLIPRANE (PARACETAMOL)", "paracetamol"),
        ("(PREDNISONE) tablet", "prednisone"),
        ("CODOLIPRANE (CODEINE)", "codeine + paracetamol"),
    ],
)
def test_a_brand_a_label_and_a_substance_in_either_language_are_their_substances(name: str, is_: str):
    assert [" + ".join(each) for each in meanings(name, tiny_bdpm.catalogue())] == [is_]


@pytest.mark.parametrize(
    "name",
    [
        "DOLIPRAN",  # a slip: alike is not the same
        "PREDNISOL",
        "DOLIPRANE RHUME",  # a word that may make another medicine of it
        "ADVIL NIGHT",
        "UNHEARD (PARACETAMOL)",
        "DOLIPRANE (unheard)",
        "PARACETAMOL CONTINUING",
        "ARNICA MONTANA BOIRON",  # homeopathic
        "TABLET",
        "500 mg",
        "",
    ],
)
def test_what_a_word_leaves_in_doubt_is_not_known(name: str):
    assert meanings(name, tiny_bdpm.catalogue()) == ()


def test_brackets_that_say_something_else_make_two_meanings():
    found = meanings("DOLIPRANE (PREDNISONE)", tiny_bdpm.catalogue())
    assert found == (("paracetamol",), ("prednisone",))


def test_any_solution_opens_it_by_the_name_of_the_pack(tmp_path: Path):
    packs = Packs(tmp_path / "packs", tmp_path / "cache", Pharmacy().packs())
    (tmp_path / "files").mkdir()
    pack = packs.import_files("bdpm", tiny_bdpm.write(tmp_path / "files"))
    found = dictionaries.open_pack(packs, "bdpm")
    assert (found.version, found.key) == ("2026-05-04", pack.key)
    assert found.find("KARDEGIC 75 mg") == (("acide acetylsalicylique",),)


@pytest.fixture(scope="module")
def catalogue(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    from lab39.solutions.pharmacy import bdpm, catalogue_build

    contents = bdpm.inspect(sorted((shared / "pharmacy" / "bdpm").iterdir()))
    path = tmp_path_factory.mktemp("bdpm") / "catalogue.sqlite"
    catalogue_build.build(contents.files, path, contents.version)
    return Catalogue.open(path)


@pytest.mark.parametrize(
    ("name", "is_"),
    [
        ("TENOFOVIR", ["tenofovir alafenamide", "tenofovir disoproxil"]),
        ("Dulcolax liquid (magnesium hydroxide)", ["bisacodyl", "magnesium"]),
        ("VITAMIN D", ["cholecalciferol", "ergocalciferol"]),
        ("Depo-testosterone", []),  # “depo” begins French brands of other substances
        ("STRATTERA", []),
        ("STALEVO", ["carbidopa + entacapone + levodopa"]),
    ],
)
def test_on_the_real_base_what_is_ambiguous_is_told_and_what_is_foreign_is_left(
    catalogue: Catalogue, name: str, is_: list[str]
):
    assert [" + ".join(each) for each in meanings(name, catalogue)] == is_


def test_every_label_of_the_real_base_is_its_own_composition(catalogue: Catalogue):
    rows = catalogue._db.execute("SELECT label, moieties FROM product WHERE NOT homeopathic AND moieties <> ''")
    by_label: dict[str, set[tuple[str, ...]]] = {}
    for label, joint in rows:
        by_label.setdefault(label, set()).add(tuple(sorted(joint.split("|"))))
    wrong = [
        label
        for label, sets in by_label.items()
        if len(sets) == 1 and len(found := meanings(label, catalogue)) == 1 and set(found) != sets
    ]
    assert len(by_label) > 10_000
    assert wrong == []
