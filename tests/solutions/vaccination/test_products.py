"""French vaccines: the table is coherent, and a name is recognised or asked about."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter

import pytest

from lab39.core import gs1
from lab39.solutions.vaccination import products as p


def test_codes_are_whole_and_name_one_product():
    for field in ("cip13", "cis"):
        codes = Counter(code for each in p.products() for code in getattr(each, field))
        assert [code for code, n in codes.items() if n > 1] == []
    assert [n for n in Counter(each.nuva for each in p.products()).values() if n > 1] == []
    for each in p.products():
        assert all(len(c) == 13 and gs1.check_digit(c[:-1]) == int(c[-1]) for c in each.cip13), each.name
        assert all(len(c) == 8 and c.isdigit() for c in each.cis), each.name


def test_every_product_has_known_valences_a_dated_source_and_a_confidence():
    for each in p.products():
        assert each.valences
        assert set(each.valences) <= p.valences().keys(), each.name
        assert each.source.date <= dt.date.fromisoformat(p.edition())
        assert each.confidence in ("O", "S", "M")
        assert not (each.marketed and each.stopped), each.name
        assert each.since is None or each.stopped is None or each.since < each.stopped
        if each.age_from and each.age_to:
            assert each.age_from.months * 30 + each.age_from.days < each.age_to.months * 30 + each.age_to.days


def test_marketed_vaccines_have_a_code_a_route_and_an_unspecified_one_has_none():
    for each in p.products():
        if each.kind == "unspecified":
            assert not each.marketed
            assert not each.cip13
        elif each.marketed:
            assert each.cip13, each.name
            assert each.route, each.name


@pytest.mark.shared
def test_golden_nuva_agrees_with_every_code_of_the_table(shared):
    folder = shared / "vaccination" / "nuva"
    if not folder.is_dir():
        pytest.skip("no NUVA tables among the shared data")

    def table(name: str) -> dict[str, str]:
        with (folder / name).open(encoding="utf-8-sig", newline="") as file:
            return {row[0].split("-")[-1]: row[1] for row in csv.reader(file)}

    core, cips, ciss = table("nuva_core.csv"), table("CIP2nuva.csv"), table("CIS2nuva.csv")
    for each in p.products():
        assert each.nuva in core, each.name
        assert {cips.get(code, each.nuva) for code in each.cip13} <= {each.nuva}, each.name
        assert {ciss.get(code, each.nuva) for code in each.cis} <= {each.nuva}, each.name


@pytest.mark.shared
def test_golden_the_public_medicines_database_agrees_on_the_market_and_the_rate(shared):
    folder = shared / "pharmacy" / "bdpm"
    if not folder.is_dir():
        pytest.skip("no public medicines database among the shared data")
    stated: dict[str, tuple[str, str]] = {}
    for line in (folder / "CIS_CIP_bdpm.txt").read_text("utf-8").splitlines():
        row = line.split("\t")
        stated[row[6]] = (row[4], row[8].replace(" ", "").rstrip("%"))
    for each in p.products():
        if each.source.key != "BDPM":
            continue
        told = [stated[code] for code in each.cip13 if code in stated]
        assert told, each.name
        on_sale = [rate for declared, rate in told if declared == "Déclaration de commercialisation"]
        if each.marketed:
            assert on_sale, each.name
            assert str(each.rate or "") in on_sale, each.name
        elif each.stopped:
            assert not on_sale, each.name


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Infanrix Hexa", "Infanrix Hexa"),
        ("INFANRIX hexa, poudre et suspension pour suspension injectable en seringue préremplie", "Infanrix Hexa"),
        ("hexion", "Hexyon"),
        ("repvax", "Repevax"),
        ("Boostrix tetra", "Boostrixtetra"),
        ("Engerix B 20 microgrammes/1 mL, suspension injectable", "Engerix B 20"),
        ("Méningitec", "Meningitec"),
        ("ROR", "ROR sans précision"),
        ("vaccin contre la grippe", "Grippe sans précision"),
        ("DTCaP", "DTCaP sans précision"),
        ("dTcaP", "dTcaP sans précision"),
        ("VAC0014", "Infanrix Hexa"),
        ("34009 354 958 3 9", "Infanrix Hexa"),
        ("03400935495839", "Infanrix Hexa"),
        ("62966063", "Infanrix Hexa"),
    ],
)
def test_a_name_a_label_or_a_code_is_recognised(written, name):
    found = p.find(written)
    assert found.product is not None
    assert found.product.name == name


@pytest.mark.parametrize(
    ("written", "among"),
    [
        ("Prevenar", {"Prevenar", "Prevenar 13", "Prevenar 20"}),
        ("Gardasil", {"Gardasil", "Gardasil 9"}),
        ("dtcap", {"DTCaP sans précision", "dTcaP sans précision"}),
        ("Engerix B", {"Engerix B 10", "Engerix B 20"}),
        ("Infanrix", {"Infanrix Hexa", "InfanrixQuinta", "InfanrixTetra"}),
    ],
)
def test_between_two_products_nothing_is_chosen(written, among):
    found = p.find(written)
    assert found.product is None
    assert found.how == "several"
    assert {each.name for each in found.candidates} == among


@pytest.mark.parametrize(
    "written", ["Prevenar 14", "Pneumovax 13", "Gardasil 8", "aspirine", "", "?", "3400999999999"]
)
def test_a_number_is_never_forgiven_and_what_is_unknown_stays_so(written):
    assert p.find(written).product is None
    assert p.find(written).how == "unknown"


def test_candidates_that_hold_the_same_valences_say_them():
    assert p.find("Engerix B").valences == ("HepB",)
    assert p.find("Prevenar").valences == ()


def test_every_name_and_alias_finds_its_product_or_is_asked():
    for each in p.products():
        for written in (each.name, *each.aliases):
            assert each in p.find(written).candidates, written
