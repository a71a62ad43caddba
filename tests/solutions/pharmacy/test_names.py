"""What a text names: found, asked, or refused; never guessed."""

from __future__ import annotations

import datetime as dt
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.solutions.pharmacy import tiny_bdpm

from lab39.core.gs1 import check_digit
from lab39.solutions.pharmacy.model import Match, Resolution, Route
from lab39.solutions.pharmacy.names import resolve, resolve_all
from lab39.solutions.pharmacy.normal import plain

CATALOGUE = tiny_bdpm.catalogue()
AMOXICILLIN_AND_CLAVULANIC_ACID = {"amoxicilline", "acide clavulanique"}


def keys(answer: Resolution) -> list[set[str]]:
    """The sets of moieties of each candidate."""
    return [{m.key for m in c.moieties} for c in answer.candidates]


def said(answer: Resolution) -> str:
    return " ".join(note.fr for note in answer.notes)


@pytest.mark.parametrize(
    ("text", "moieties"),
    [
        ("DOLIPRANE 1000 mg, comprimé", {"paracetamol"}),
        ("doliprane", {"paracetamol"}),
        ("Doliprane 1000mg cp", {"paracetamol"}),
        ("DOLIPRANE® 💊 1 g, 1 cp x 3/j si douleur", {"paracetamol"}),
        ("Kardégic 75", {"acide acetylsalicylique"}),
        ("metformine 1000 mg matin et soir", {"metformine"}),
        ("METFORMINE (CHLORHYDRATE DE)", {"metformine"}),
        ("chlorhydrate de metformine 500 mg", {"metformine"}),
        ("amoxicilline/acide clavulanique Sandoz 1 g/125 mg", AMOXICILLIN_AND_CLAVULANIC_ACID),
        ("amoxicilline + acide clavulanique", AMOXICILLIN_AND_CLAVULANIC_ACID),
        ("acide clavulanique et amoxicilline", AMOXICILLIN_AND_CLAVULANIC_ACID),
        ("Augmentin (amoxicilline, acide clavulanique) 1 g", AMOXICILLIN_AND_CLAVULANIC_ACID),
        ("codoliprane", {"paracetamol", "codeine"}),
        ("entresto 49/51", {"valsartan", "sacubitril"}),
        ("valproate de sodium 500 mg", {"acide valproique"}),
        ("chlorure de potassium", {"potassium"}),
        ("candésartan cilexétil 8 mg", {"candesartan"}),
        ("candésartan 8 mg", {"candesartan"}),
        ("périndopril tert-butylamine", {"perindopril"}),
        ("Simvastatin 20 MG Oral Tablet", {"simvastatine"}),
        ("Amoxicillin 250 MG / Clavulanate 125 MG Oral Tablet", AMOXICILLIN_AND_CLAVULANIC_ACID),
        ("Acetaminophen 325 MG Oral Tablet", {"paracetamol"}),
        ("insuline glargine 14 U le soir", {"insuline glargine"}),
        ("bristamox 1 g", {"amoxicilline"}),
    ],
)
def test_one_meaning_is_found(text: str, moieties: set[str]) -> None:
    answer = resolve(text, CATALOGUE)
    assert (answer.match, keys(answer)) == (Match.FOUND, [moieties])


@pytest.mark.parametrize(
    "text",
    ["X de sodium", "zzz de potassium", "de sodium", "médicament inexistant", "💊", "1000 mg", "", "matin et soir"],
)
def test_what_is_not_known_is_told(text: str) -> None:
    answer = resolve(text, CATALOGUE)
    assert (answer.match, answer.candidates) == (Match.UNKNOWN, ())
    assert answer.notes


def test_a_misspelling_near_two_drugs_is_asked() -> None:
    answer = resolve("prednisolne 20 mg", CATALOGUE)
    assert answer.match is Match.AMBIGUOUS
    assert keys(answer) == [{"prednisolone"}, {"prednisone"}]


def test_a_misspelling_near_one_drug_is_read_and_told() -> None:
    answer = resolve("paracétammal 1 g", CATALOGUE)
    assert (answer.match, keys(answer)) == (Match.AMBIGUOUS, [{"paracetamol"}])
    answer = resolve("metforminee", CATALOGUE)
    assert (answer.match, keys(answer)) == (Match.FOUND, [{"metformine"}])
    answer = resolve("simvastatiine", CATALOGUE)
    assert (answer.match, keys(answer)) == (Match.FOUND, [{"simvastatine"}])
    answer = resolve("candésaratan", CATALOGUE)
    assert (answer.match, keys(answer)) == (Match.FOUND, [{"candesartan"}])
    assert "lu «\u202fcandesartan\u202f»" in said(answer)


def test_another_first_letter_is_never_taken() -> None:
    assert resolve("ketformine", CATALOGUE).match is Match.UNKNOWN


def test_a_word_that_makes_another_medicine_of_a_brand_is_asked() -> None:
    answer = resolve("Advil rhumecaps fort", CATALOGUE)
    assert answer.match is Match.FOUND
    assert keys(answer) == [{"ibuprofene", "pseudoephedrine"}]
    answer = resolve("Doliprane rhumecaps", CATALOGUE)
    assert (answer.match, keys(answer)) == (Match.AMBIGUOUS, [{"paracetamol"}])


def test_words_set_aside_are_named_and_lower_the_confidence() -> None:
    answer = resolve("doliprane pour mal de dos", CATALOGUE)
    assert answer.found is not None
    assert answer.found.score == 0.8
    assert "mal de dos" in said(answer)


def test_two_medicines_on_one_line_are_kept_both_or_asked() -> None:
    together = resolve("doliprane et kardegic", CATALOGUE)
    assert (together.match, keys(together)) == (Match.FOUND, [{"paracetamol", "acide acetylsalicylique"}])
    assert "un par ligne" in said(together)
    unclear = resolve("doliprane kardegic", CATALOGUE)
    assert unclear.match is Match.AMBIGUOUS
    assert {"paracetamol"} in keys(unclear)


def test_a_homeopathic_label_is_told_apart() -> None:
    for text in ("ARNICA MONTANA BOIRON 9CH", "arnica 9 CH", "Arnica montana Boiron"):
        answer = resolve(text, CATALOGUE)
        assert (answer.match, keys(answer)) == (Match.FOUND, [set()])
        assert "homéopathique" in said(answer)


def test_a_product_that_is_not_sold_any_more_says_so() -> None:
    answer = resolve("Clamoxyl 1 g injectable", CATALOGUE)
    assert keys(answer) == [{"amoxicilline"}]
    assert "n'est plus commercialisé" in said(answer)


def test_a_substance_of_the_thesaurus_without_product_says_so() -> None:
    answer = resolve("ranitidine 150 mg", CATALOGUE)
    assert keys(answer) == [{"ranitidine"}]
    assert "aucun médicament de la base" in said(answer)
    assert keys(resolve("nitroprussiate de sodium", CATALOGUE)) == [{"nitroprussiate de sodium"}]


def test_the_dose_and_the_form_choose_the_product_its_code_and_its_routes() -> None:
    assert resolve("Doliprane 1 g", CATALOGUE).found.product.cis == "60000001"
    both = resolve("Doliprane", CATALOGUE).found
    assert (both.product, both.atc, both.routes) == (None, "N02BE01", (Route.ORAL,))
    inhaled = resolve("Ventoline 100 microgrammes inhalation", CATALOGUE).found
    assert (inhaled.atc, inhaled.routes) == ("R03AC02", (Route.INHALED,))
    injected = resolve("Ventoline injectable", CATALOGUE).found
    assert (injected.atc, injected.routes) == ("R03CC02", (Route.SUBCUTANEOUS,))
    tablet = resolve("Ventoline comprimé", CATALOGUE).found
    assert (tablet.product, tablet.routes) == (None, (Route.ORAL,)), "no Ventoline is a tablet: other salbutamol is"
    either = resolve("Ventoline", CATALOGUE).found
    assert (either.atc, set(either.routes)) == ("", {Route.INHALED, Route.SUBCUTANEOUS})


# -- codes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["60000001", "CIS 60000001", tiny_bdpm.cip13("60000001"), "0000001", "CIP: 0000001"]
)
def test_a_code_gives_its_product(text: str) -> None:
    answer = resolve(text, CATALOGUE)
    assert answer.found is not None
    assert answer.found.product.cis == "60000001"
    assert answer.found.score == 1.0


def test_a_miscopied_code_is_told() -> None:
    code = tiny_bdpm.cip13("60000001")
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    answer = resolve(wrong, CATALOGUE)
    assert answer.match is Match.UNKNOWN
    assert "mal recopié" in said(answer)


def test_an_absent_code_is_told() -> None:
    assert "absent" in said(resolve("69999999", CATALOGUE))
    assert "absent" in said(resolve("Z01ZZ99".replace("Z0", "V0").replace("ZZ", "AA"), CATALOGUE))


def test_an_atc_code_gives_its_moiety() -> None:
    assert keys(resolve("A10BA02", CATALOGUE)) == [{"metformine"}]
    assert keys(resolve("J01CR02", CATALOGUE)) == [AMOXICILLIN_AND_CLAVULANIC_ACID]


@pytest.mark.parametrize(
    "written",
    [
        "01{gtin}1727113010LOT42\x1d21SER1",
        "]d201{gtin}1727113010LOT42\x1d21SER1",
        "(01){gtin}(17)271130(10)LOT42(21)SER1",
    ],
)
def test_a_datamatrix_gives_the_product_the_lot_and_the_expiry(written: str) -> None:
    answer = resolve(written.format(gtin="0" + tiny_bdpm.cip13("60000005")), CATALOGUE)
    assert keys(answer) == [{"metformine"}]
    assert answer.box is not None
    assert (answer.box.lot, answer.box.expiry, answer.box.serial) == ("LOT42", dt.date(2027, 11, 30), "SER1")


def test_day_00_of_an_expiry_is_the_last_of_the_month() -> None:
    answer = resolve(f"01{'0' + tiny_bdpm.cip13('60000005')}17280200", CATALOGUE)
    assert answer.box is not None
    assert answer.box.expiry == dt.date(2028, 2, 29)


def test_a_datamatrix_with_a_wrong_digit_or_an_impossible_expiry_is_never_guessed() -> None:
    code = "0" + tiny_bdpm.cip13("60000005")
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    assert "mal recopié" in said(resolve(f"01{wrong}17271130", CATALOGUE))
    answer = resolve(f"01{code}17271399", CATALOGUE)
    assert keys(answer) == [{"metformine"}]
    assert answer.box is not None
    assert answer.box.expiry is None


def test_the_check_digit_weighs_figures_by_3_and_1_from_the_right() -> None:
    assert check_digit("629104150021") == 3
    assert check_digit("100000000000") == 9
    assert check_digit("010000000000") == 7


# -- a treatment ----------------------------------------------------------------------------------------


def test_the_same_line_twice_is_told() -> None:
    first, _, again = resolve_all(["Doliprane 1 g", "kardegic 75", "DOLIPRANE 1 G"], CATALOGUE)
    assert not first.notes
    assert "ligne 1" in said(again)


def test_sixty_lines_are_read_in_a_moment() -> None:
    lines = [f"{label} {i} fois par jour" for i, (_, label, *_) in enumerate(tiny_bdpm.PRODUCTS * 3)][:60]
    started = time.perf_counter()
    answers = resolve_all(lines, CATALOGUE)
    assert len(answers) == 60
    assert time.perf_counter() - started < 10


# -- invariants -----------------------------------------------------------------------------------------

NAMES = st.sampled_from(
    [label for _, label, *_ in tiny_bdpm.PRODUCTS] + ["metformine", "amoxicilline", "prednisone"]
)


@given(NAMES)
def test_what_is_found_is_found_again_under_its_own_label(name: str) -> None:
    found = resolve(name, CATALOGUE).found
    again = resolve(found.label, CATALOGUE).found
    assert {m.key for m in again.moieties} == {m.key for m in found.moieties}


@given(NAMES, st.sampled_from([str.upper, str.lower, str.title, plain, lambda t: f"  {t}  "]))
def test_case_accents_and_spaces_change_nothing(name, change) -> None:
    assert keys(resolve(change(name), CATALOGUE)) == keys(resolve(name, CATALOGUE))


@given(st.permutations(["amoxicilline", "acide clavulanique"]), st.sampled_from([" + ", " / ", " et ", ", ", "/"]))
def test_the_order_of_a_combination_changes_nothing(parts, between) -> None:
    assert keys(resolve(between.join(parts), CATALOGUE)) == [AMOXICILLIN_AND_CLAVULANIC_ACID]


@given(st.permutations(["Doliprane", "1000 mg", "comprimé"]))
def test_the_place_of_dose_and_form_changes_nothing(parts) -> None:
    assert keys(resolve(" ".join(parts), CATALOGUE)) == [{"paracetamol"}]


@given(st.text(max_size=200))
def test_any_text_has_an_answer(text: str) -> None:
    answer = resolve(text, CATALOGUE)
    assert answer.text == text
    assert (answer.match is Match.FOUND) == (answer.found is not None)
    assert len(answer.candidates) == 1 if answer.match is Match.FOUND else True
    assert not (answer.match is Match.UNKNOWN and answer.candidates)


@given(
    st.lists(st.sampled_from(["de", "sodium", "X", "acide", "(", ")", "/", "1 g", "doliprane", "chlorure", "d'"]))
)
def test_any_mixture_of_pieces_of_names_has_an_answer(pieces: list[str]) -> None:
    answer = resolve(" ".join(pieces), CATALOGUE)
    named = {m.key for c in answer.candidates for m in c.moieties}
    assert "doliprane" in pieces or "paracetamol" not in named


@given(NAMES, st.integers(0, 60), st.sampled_from("aeinrt"))
def test_a_slip_is_never_read_as_another_medicine(name: str, at: int, letter: str) -> None:
    right = keys(resolve(name, CATALOGUE))
    slipped = name[: at % (len(name) + 1)] + letter + name[at % (len(name) + 1) :]
    answer = resolve(slipped, CATALOGUE)
    if answer.match is Match.FOUND and right and right[0]:
        assert keys(answer)[0] <= right[0] or keys(answer) == right
