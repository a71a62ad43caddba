"""Which risk a card tells: never one that its rule does not."""

from __future__ import annotations

import pytest

from lab39.solutions.pharmacy.cards import cards, concerns
from lab39.solutions.pharmacy.model import Interaction, Level, LevelText, Partner, Person, Rule
from lab39.solutions.pharmacy.problems import problem_of, problems

# Mechanisms are in words of our own that keep the terms the thesaurus uses.
CASES = [
    ("Majoration de l'effet de l'antivitamine K et du risque hémorragique.", "bleeding"),
    ("Diminution de l’effet de l’antivitamine K par un inducteur.", "anticoagulation-lost"),
    ("Variation de l'effet de l'antivitamine K, souvent une baisse.", "anticoagulation-lost"),
    ("Diminution des concentrations plasmatiques de l’apixaban.", "anticoagulation-lost"),
    ("Augmentation des concentrations plasmatiques de dabigatran.", "bleeding"),
    ("Augmentation de la lithémie.", "lithium"),
    ("Majoration de la neurotoxicité de l'ifosfamide.", "alone"),
    ("Acidose métabolique, surtout en cas d'insuffisance rénale sévère.", "acidosis"),
    ("Toxicité de la colchicine, notamment en cas d’insuffisance rénale.", "colchicine"),
    ("Risque d'hypertension intracrânienne.", "intracranial-pressure"),
    ("Crises hypertensives.", "hypertensive-crisis"),
    ("Réduction de l'effet antihypertenseur.", "pressure-control"),
    ("Majoration de l'effet antihypertenseur.", "low-pressure"),
    ("Effet inotrope négatif, décompensation cardiaque.", "heart-failure"),
    ("Peut masquer certains symptômes de l'hypoglycémie.", "masked-hypoglycaemia"),
    ("Troubles du rythme ventriculaire par augmentation de l'excitabilité cardiaque.", "arrhythmia"),
    ("Troubles du rythme ventriculaire, notamment torsades de pointes.", "torsades"),
    ("Concentrations de l'immunodépresseur augmentées.", "alone"),
    ("Immunodépression majorée.", "infection"),
    ("Perte d'efficacité. Avec l'un d'eux, effets hématologiques graves.", "alone"),
    ("Réduction de l’effet vasodilatateur du dipyridamole par la théophylline.", "opposed"),
    ("Diminution de l'absorption digestive du fer.", "absorption"),
    ("Diminution de l'absorption, par augmentation du pH intra-gastrique.", "less-absorbed"),
    ("Concentrations abaissées par diminution de son absorption.", "less-absorbed"),
]


@pytest.mark.parametrize(("mechanism", "expected"), CASES)
def test_the_risk_is_the_one_of_the_mechanism(mechanism: str, expected: str) -> None:
    assert problem_of(mechanism).id == expected


def test_spacing_intakes_is_advised_only_where_it_helps() -> None:
    watch = {p.id: p.watch.fr for p in problems()}
    assert watch["absorption"] == "espacer les prises"
    assert "espacer" not in watch["less-absorbed"]


def _interaction(mechanism: str, level: Level = Level.APEC, b: str = "b") -> Interaction:
    rule = Rule("A", b.upper(), (LevelText(level),), mechanism)
    return Interaction(Partner(0, "a", "A"), Partner(1, b, b.upper()), rule, level, True, (level,))


def test_what_is_only_to_be_known_of_a_contraindicated_pair_makes_no_card_of_its_own() -> None:
    never = _interaction("Rhabdomyolyse.", Level.CI)
    known, other = _interaction("Effets majorés."), _interaction("Effets majorés.", b="c")
    assert [card.interactions for card in cards([never, known, other], Person())] == [(never, known), (other,)]


@pytest.mark.parametrize(
    ("mechanism", "expected"),
    [
        ("notamment chez le sujet âgé", ("age",)),
        ("notamment chez les personnes âgées", ("age",)),
        ("chez le patient à risque (âgé, déshydraté)", ("age",)),
        ("surtout lors d'une insuffisance rénale", ("kidney",)),
        ("notamment chez l'insuffisant rénal", ("kidney",)),
        ("chez les patients insuffisants rénaux", ("kidney",)),
        ("avec une fonction rénale altérée", ("kidney",)),
        ("risque d'insuffisance rénale aiguë", ()),
        ("signes d'insuffisance surrénalienne", ()),
        ("insuffisance cardiaque, clairance rénale", ()),
    ],
)
def test_a_rule_warns_for_people_like_this_one(mechanism: str, expected: tuple[str, ...]) -> None:
    person = Person(age_years=82, creatinine_clearance_ml_min=28.0)
    assert concerns(_interaction(mechanism), person) == expected
    assert concerns(_interaction(mechanism), Person()) == ()
