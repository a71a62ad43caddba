"""One form for every writing of a name, and the part of a substance that interactions are about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab39.solutions.pharmacy.normal import aliases, fold, moiety_key, plain, salts, skeleton, words


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("DOLIPRANE® 1000 mg 💊", "doliprane 1000 mg"),
        ("Œstradiol", "oestradiol"),
        ("ACIDE  ACÉTYLSALICYLIQUE", "acide acetylsalicylique"),
        ("chlorhydrate d’amiodarone", "chlorhydrate d'amiodarone"),
        ("interféron β-1a", "interferon beta 1a"),
        ("0,5 µg", "0.5 ug"),
        ("OXYCONTIN L.P. 10 mg", "oxycontin lp 10 mg"),
    ],
)
def test_writings_of_one_name_fold_alike(written: str, folded: str) -> None:
    assert fold(written) == folded


@pytest.mark.parametrize(
    ("substance", "moiety"),
    [
        # salts and hydrates, in both orders of the BDPM
        ("CHLORHYDRATE DE METFORMINE", "metformine"),
        ("MÉTOCLOPRAMIDE (CHLORHYDRATE DE) MONOHYDRATÉ", "metoclopramide"),
        ("BÉSILATE D'AMLODIPINE", "amlodipine"),
        ("DICHLORHYDRATE DE PRAMIPEXOLE MONOHYDRATÉ", "pramipexole"),
        ("D,L-HYDROGÉNOMALATE D'ALMOTRIPTAN", "almotriptan"),
        ("PÉRINDOPRIL TERT-BUTYLAMINE", "perindopril"),
        ("TERT-BUTYLAMINE DE PÉRINDOPRIL", "perindopril"),
        ("PÉRINDOPRIL ARGININE", "perindopril"),
        ("DICLOFÉNAC DE DIÉTHYLAMINE", "diclofenac"),
        ("ÉPOLAMINE DE DICLOFÉNAC", "diclofenac"),
        ("DEXAMÉTHASONE (PHOSPHATE SODIQUE DE)", "dexamethasone"),
        ("ROXATIDINE (ACETATE DE) (CHLORHYDRATE DE)", "roxatidine"),
        # the anion is the drug
        ("SODIUM (VALPROATE DE)", "acide valproique"),
        ("VALPROATE DE SODIUM", "acide valproique"),
        ("ALENDRONATE MONOSODIQUE TRIHYDRATÉ", "acide alendronique"),
        ("CLAVULANATE DE POTASSIUM DILUÉ", "acide clavulanique"),
        ("DL-LYSINE (ACÉTYLSALICYLATE DE)", "acide acetylsalicylique"),
        ("ZOLÉDRONIQUE (ACIDE) MONOHYDRATÉ", "acide zoledronique"),
        # the metal is the drug
        ("CHLORURE DE POTASSIUM", "potassium"),
        ("SULFATE FERREUX DESSÉCHÉ", "fer"),
        ("ZINC (GLUCONATE DE) TRIHYDRATÉ", "zinc"),
        ("CARBONATE DE LITHIUM", "lithium"),
        ("RANÉLATE DE STRONTIUM NONAHYDRATÉ", "strontium"),
        # neither: the whole is the name
        ("OXYBATE DE SODIUM", "oxybate de sodium"),
        ("SODIUM (OXYBATE DE)", "oxybate de sodium"),
        ("CHLORURE DE SODIUM", "chlorure de sodium"),
        ("SULFATE DE SODIUM ANHYDRE", "sulfate de sodium"),
        ("POLYSTYRÈNE SULFONATE DE CALCIUM", "polystyrene sulfonate de calcium"),
        # esters and prodrugs
        ("CANDÉSARTAN CILEXÉTIL", "candesartan"),
        ("MÉSILATE DE DABIGATRAN ÉTEXILATE", "dabigatran"),
        ("FUMARATE DE TÉNOFOVIR DISOPROXIL", "tenofovir disoproxil"),
        ("FUMARATE DE TÉNOFOVIR ALAFÉNAMIDE", "tenofovir alafenamide"),
        ("MYCOPHÉNOLATE MOFÉTIL", "mycophenolate mofetil"),
        ("MYCOPHÉNOLATE SODIQUE", "acide mycophenolique"),
        ("CHLORHYDRATE DE VALACICLOVIR", "valaciclovir"),
        # insulins, plants, vaccines
        ("INSULINE HUMAINE RECOMBINANTE ISOPHANE BIPHASIQUE", "insuline humaine"),
        ("INSULINE ASPARTE RECOMBINANTE", "insuline asparte"),
        ("BOURDAINE (ECORCE DE) (EXTRAIT FLUIDE D')", "bourdaine"),
        ("VIRUS DE LA FIÈVRE JAUNE, SOUCHE 17D-204 (VIVANT, ATTÉNUÉ)", "virus de la fievre jaune"),
        # English
        ("Fluticasone propionate", "fluticasone"),
        ("Fexofenadine hydrochloride", "fexofenadine"),
        ("Potassium chloride", "potassium"),
        ("Folic acid", "acide folique"),
        ("Acetaminophen", "paracetamol"),
    ],
)
def test_the_moiety_of_a_substance(substance: str, moiety: str) -> None:
    assert moiety_key(substance) == moiety


@pytest.mark.parametrize("drug", ["ABCDINE", "VALPROÏNE", "FOSFOMYCINE", "LODOXAMIDE"])
@pytest.mark.parametrize("ion", ["SODIUM", "POTASSIUM", "CALCIUM", "TROMÉTAMOL", "LYSINE", "ARGININE", "MÉGLUMINE"])
def test_a_counter_ion_is_never_the_moiety_beside_a_drug(drug: str, ion: str) -> None:
    for written in (f"{drug} DE {ion}", f"{drug} {ion}", f"{ion} ({drug} DE)"):
        assert moiety_key(written).split()[0] == fold(drug)


def test_every_alias_ends_at_a_name_that_stays() -> None:
    moving = {other: kept for other, kept in aliases().items() if moiety_key(kept) != kept}
    assert moving == {}


def test_names_kept_whole_stay() -> None:
    assert {name for name in salts().whole if moiety_key(name) not in (name, aliases().get(name))} == set()


@pytest.mark.parametrize(
    ("one", "other"),
    [("amoxicillin", "amoxicilline"), ("thioguanine", "tioguanine"), ("insulin glargine", "insuline glargine"),
     ("cyclosporine", "ciclosporine"), ("amoxiciline", "amoxicilline")],
)  # fmt: skip
def test_spellings_of_one_name_have_one_skeleton(one: str, other: str) -> None:
    assert skeleton(one) == skeleton(other)


@given(st.text())
def test_any_text_folds_once_and_for_all(text: str) -> None:
    once = fold(text)
    assert fold(once) == once
    assert plain(once).isascii()
    assert words(once) == words(text)


@given(st.text(alphabet=st.sampled_from("abcdeéèçœ '()[],.-0123456789"), max_size=60))
def test_the_moiety_of_a_moiety_is_itself(text: str) -> None:
    key = moiety_key(text)
    assert moiety_key(key) == key


@given(
    st.sampled_from(
        ["Chlorhydrate de metformine", "Sodium (valproate de)", "Périndopril arginine", "Sulfate ferreux"]
    )
)
def test_case_and_accents_change_nothing(name: str) -> None:
    assert {moiety_key(name), moiety_key(name.upper()), moiety_key(plain(name))} == {moiety_key(name)}
