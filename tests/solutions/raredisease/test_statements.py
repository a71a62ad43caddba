"""What is shown of a frequency is what the annotations state, not the model's estimate of it."""

from __future__ import annotations

import pytest
from tests.solutions.raredisease.tiny import ALPHA, BETA, EYE, GAMMA, LENS, LIMB, LONG, SEIZURE, VERY_LONG, row

from lab39.solutions.raredisease.model import Statement
from lab39.solutions.raredisease.statements import Statements, say


def of(index, disease, term):
    return Statements(index, index.disease_at[disease]).of(index.term_at(term))


@pytest.mark.parametrize(
    ("disease", "term", "statement"),
    [
        (ALPHA, LONG, Statement(LONG, affected=8, patients=10)),  # 3 of 4 and 5 of 6
        (ALPHA, LENS, Statement(LENS, affected=1, patients=2)),
        (ALPHA, LIMB, Statement(LONG, affected=8, patients=10)),  # through the kind that is annotated
        (BETA, VERY_LONG, Statement(VERY_LONG, frequency_class="HP:0040281")),
        (BETA, SEIZURE, None),  # annotated without frequency
        (GAMMA, EYE, Statement(EYE, share=0.25)),
        (GAMMA, LONG, None),  # not annotated
    ],
)
def test_the_statement_is_that_of_the_annotations(small, disease, term, statement):
    assert of(small, disease, term) == statement


def test_patients_counted_are_told_rather_than_a_class_of_another_row(compiled):
    index = compiled(row(ALPHA, "A", "", LONG, "PMID:1", "HP:0040281"), row(ALPHA, "A", "", LONG, "PMID:2", "1/1"))
    assert of(index, ALPHA, LONG) == Statement(LONG, affected=1, patients=1)


def test_the_statement_is_about_the_kind_that_makes_the_frequency(compiled):
    index = compiled(row(ALPHA, "A", "", LONG, "PMID:1", "1/9"), row(ALPHA, "A", "", VERY_LONG, "PMID:2", "7/9"))
    assert of(index, ALPHA, LONG) == Statement(VERY_LONG, affected=7, patients=9)


@pytest.mark.parametrize(
    ("statement", "fr", "en"),
    [
        (Statement(LONG, affected=1, patients=1), "1 malade sur 1", "1 of 1 patient"),
        (Statement(LONG, affected=3, patients=4), "3 malades sur 4", "3 of 4 patients"),
        (Statement(LONG, affected=4, patients=5), "4 malades sur 5 (80\u202f%)", "4 of 5 patients (80%)"),
        (Statement(LONG, frequency_class="HP:0040281"), "très fréquent (80-99\u202f%)", "very frequent (80-99%)"),
        (
            Statement(LONG, share=0.25),
            "25\u202f% des malades (effectif non précisé)",
            "25% of patients (number not stated)",
        ),
        (Statement(VERY_LONG, affected=7, patients=7), "au moins 7 malades sur 7 (100\u202f%)", None),
    ],
)
def test_few_patients_are_counted_and_a_percentage_needs_five(statement, fr, en):
    said = say(statement, LONG)
    assert said.fr == fr
    assert en is None or said.en == en


def test_every_class_has_its_words():
    from lab39.solutions.raredisease.constants import load_constants

    for term in load_constants().class_frequency:
        assert say(Statement(LONG, frequency_class=term), LONG)
