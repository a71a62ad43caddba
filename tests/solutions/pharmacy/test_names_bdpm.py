"""Names against the real French medicine database and a published mapping; the starter table against both."""

from __future__ import annotations

import csv
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

import pharmacy_names
from lab39.solutions.pharmacy import bdpm, catalogue_build
from lab39.solutions.pharmacy.catalogue import Catalogue
from lab39.solutions.pharmacy.model import Match, Route
from lab39.solutions.pharmacy.names import resolve
from lab39.solutions.pharmacy.normal import fold, moiety_key

ATC_FROM_ELSEWHERE = {"N02BA01", "C01AA05", "A03FA01", "R03DA04", "N05CF01", "R06AA09", "G04BD04", "D10BA01"}
"""Codes of the starter table that CIS_MITM does not hold; its header says where they were read."""


@pytest.fixture(scope="module")
def gold(shared: Path) -> list[dict[str, str]]:
    with (shared / "pharmacy" / "substance-gold.csv").open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def catalogue(shared: Path, gold: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    contents = bdpm.inspect(sorted((shared / "pharmacy" / "bdpm").iterdir()))
    path = tmp_path_factory.mktemp("bdpm") / "catalogue.sqlite"
    catalogue_build.build(contents.files, path, contents.version)
    return Catalogue.open(path, sorted({row["dci"] for row in gold}))


def test_golden_substances_of_the_thesaurus_are_recalled_and_none_is_wrong(
    catalogue: Catalogue, gold: list[dict[str, str]]
) -> None:
    found = pharmacy_names.substances(catalogue, gold)["without_gold_errors"]
    assert found["recall"] >= 0.99
    assert found["wrong"] == 0


def test_hard_names(catalogue: Catalogue) -> None:
    assert pharmacy_names.hard(catalogue)["failures"] == []


@pytest.mark.parametrize(
    ("text", "sets"),
    [
        ("vitamine D 100 000 UI", [{"cholecalciferol"}, {"ergocalciferol"}]),
        ("héparine", [{"heparine sodique"}, {"heparine calcique"}]),
        ("ténofovir", [{"tenofovir disoproxil"}, {"tenofovir alafenamide"}]),
    ],
)
def test_names_that_mean_several_substances_are_asked(
    catalogue: Catalogue, text: str, sets: list[set[str]]
) -> None:
    answer = resolve(text, catalogue)
    assert answer.match is Match.AMBIGUOUS
    assert [{m.key for m in c.moieties} for c in answer.candidates] == sets


def test_a_brand_that_only_a_generic_group_names_is_known(catalogue: Catalogue) -> None:
    for brand, key in (
        ("Adancor 10 mg", "nicorandil"),
        ("Tagamet", "cimetidine"),
        ("Avlocardyl 40", "propranolol"),
    ):
        answer = resolve(brand, catalogue)
        assert answer.found is not None, brand
        assert [m.key for m in answer.found.moieties] == [key]
        assert "groupe générique" in answer.notes[0].fr


@pytest.mark.parametrize(
    ("text", "routes"),
    [
        ("érythromycine 500 mg x 3/j", {Route.ORAL, Route.INTRAVENOUS}),
        ("dexaméthasone 1 mg le matin", {Route.ORAL}),
        ("ciprofloxacine 3 mg", {Route.ORAL, Route.INTRAVENOUS}),
        ("diclofénac 1 mg/kg", {Route.ORAL}),
        ("méthotrexate 15 mg/semaine", {Route.ORAL}),
        ("estradiol", {Route.ORAL, Route.TRANSDERMAL}),
        ("trinitrine", {Route.SUBLINGUAL, Route.TRANSDERMAL}),
    ],
)
def test_the_name_of_a_substance_leaves_out_no_way_to_take_it(
    catalogue: Catalogue, text: str, routes: set[Route]
) -> None:
    found = resolve(text, catalogue).found
    assert found is not None
    assert routes <= set(found.routes)
    assert found.product is None


@pytest.mark.parametrize(
    ("text", "routes"),
    [
        ("verapamil 120 mg x 2/j", {Route.ORAL}),
        ("diclofénac gel", {Route.CUTANEOUS}),
        ("hydrocortisone 1 %", {Route.CUTANEOUS}),
        ("timolol collyre 0,25 %", {Route.OCULAR}),
    ],
)
def test_a_dose_no_product_makes_and_a_form_leave_ways_out(
    catalogue: Catalogue, text: str, routes: set[Route]
) -> None:
    found = resolve(text, catalogue).found
    assert found is not None
    assert set(found.routes) == routes


def test_no_small_word_of_a_name_has_an_accent_by_mistake(catalogue: Catalogue) -> None:
    moiety = catalogue.moiety("oxybate de sodium")
    assert moiety is not None
    assert moiety.label == "oxybate de sodium"


def test_no_moiety_is_the_name_of_a_salt_alone(catalogue: Catalogue) -> None:
    for name in ("chlorhydrate", "acetate", "maleate", "besilate", "tartrate", "chlorhydrate de", "sulfate de"):
        assert catalogue.moiety(name) is None


def test_the_starter_table_agrees_with_the_database(catalogue: Catalogue) -> None:
    text = files("lab39.solutions.pharmacy").joinpath("knowledge/starter.toml").read_text("utf-8")
    wrong = []
    for row in tomllib.loads(text)["medicine"]:
        key = fold(row["name"])
        moiety = catalogue.moiety(key)
        rows = catalogue.by_moieties([key])
        routes = {route for each in rows for route in each.routes}
        if moiety_key(key) != key or moiety is None:
            wrong.append((key, "name"))
            continue
        wrong += [(key, code) for code in row["atc"] if code not in {*moiety.atc, *ATC_FROM_ELSEWHERE}]
        wrong += [(key, route) for route in row["routes"] if rows and route not in routes]
        for brand in row["brands"]:
            if (key,) not in {each.moieties for each in catalogue.by_head(fold(brand))}:
                wrong.append((key, brand))
    assert wrong == []
