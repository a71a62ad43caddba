"""Names of a record: its codes and its words, which must agree."""

from __future__ import annotations

from tests.solutions.pharmacy import tiny_bdpm

from lab39.solutions.pharmacy.coded import ATC, RXNORM, Coded, resolve_coded
from lab39.solutions.pharmacy.model import Match, Resolution
from lab39.solutions.pharmacy.starter_catalogue import starter_catalogue
from lab39.solutions.pharmacy.terms import CHOICE, CIP13, CIS

CATALOGUE = tiny_bdpm.catalogue()


def keys(answer: Resolution) -> list[set[str]]:
    return [{m.key for m in c.moieties} for c in answer.candidates]


def test_words_come_with_the_code_of_the_record() -> None:
    answer = resolve_coded([Coded(ATC, "A10BA02", "metformin")], "Metformine 1 g", CATALOGUE)
    assert answer.found is not None
    assert (keys(answer), answer.found.atc) == ([{"metformine"}], "A10BA02")


def test_a_code_alone_is_enough() -> None:
    assert keys(resolve_coded([Coded(ATC, "A10BA02")], "", CATALOGUE)) == [{"metformine"}]
    assert keys(resolve_coded([Coded(CIS, "60000003")], "", CATALOGUE)) == [{"paracetamol", "codeine"}]
    assert keys(resolve_coded([Coded(CIP13, tiny_bdpm.cip13("60000003"))], "autre chose", CATALOGUE)) == [
        {"paracetamol", "codeine"}
    ]


def test_an_english_display_is_understood() -> None:
    coding = Coded(RXNORM, "314231", "Simvastatin 20 MG Oral Tablet")
    assert keys(resolve_coded([coding], "", CATALOGUE)) == [{"simvastatine"}]


def test_a_concept_of_rxnorm_is_understood_through_the_map_of_its_substances() -> None:
    rxnorm = {"9143": ("ranitidine",)}
    assert keys(resolve_coded([Coded(RXNORM, "9143")], "", CATALOGUE, rxnorm)) == [{"ranitidine"}]


def test_words_and_code_that_disagree_are_asked() -> None:
    answer = resolve_coded([Coded(ATC, "A10BA02")], "Doliprane 1 g", CATALOGUE)
    assert answer.match is Match.AMBIGUOUS
    assert keys(answer) == [{"paracetamol"}, {"metformine"}]
    assert "A10BA02" in answer.notes[-1].fr


def test_the_code_settles_words_that_are_not_clear() -> None:
    answer = resolve_coded([Coded(ATC, "H02AB07")], "prednisolne 20 mg", CATALOGUE)
    assert (answer.match, keys(answer)) == (Match.FOUND, [{"prednisone"}])


def test_a_meaning_chosen_by_somebody_stands() -> None:
    answer = resolve_coded([Coded(CHOICE, "prednisone")], "prednisolne", CATALOGUE)
    assert (answer.match, keys(answer), answer.text) == (Match.FOUND, [{"prednisone"}], "prednisolne")


def test_nothing_known_is_unknown() -> None:
    assert resolve_coded([Coded("http://example.org", "zz", "")], "", CATALOGUE).match is Match.UNKNOWN
    assert resolve_coded([], "", CATALOGUE).match is Match.UNKNOWN


def test_the_running_story_is_understood_without_any_pack() -> None:
    for code, text in (
        ("B01AF02", "Apixaban 5 mg"), ("C07AB07", "Bisoprolol 5 mg"), ("C09AA05", "Ramipril 5 mg"),
        ("C03AA03", "Hydrochlorothiazide 12,5 mg"), ("A10BA02", "Metformine 1 g"),
        ("A10AE04", "Insuline glargine 100 U/mL"), ("N06AB06", "Sertraline 50 mg"),
        ("N02AX02", "Tramadol 50 mg"),
        ("G04BD04", "Oxybutynine 5 mg"), ("N05CF02", "Zolpidem 10 mg"), ("A02BC01", "Oméprazole 20 mg"),
        ("M05BA04", "Acide alendronique 70 mg"), ("M04AA01", "Allopurinol 200 mg"),
        ("M01AE01", "Ibuprofène 400 mg"),
    ):  # fmt: skip
        answer = resolve_coded([Coded(ATC, code)], text, starter_catalogue())
        assert answer.found is not None, text
        assert answer.found.atc == code
        assert any("petite table" in note.fr for note in answer.notes)
