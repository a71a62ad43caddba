"""Why a disease, what to ask next, and how a sign is found by words."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.solutions.raredisease import tiny
from tests.solutions.raredisease.tiny import (
    ALPHA,
    ALPHA_ORPHA,
    BETA,
    CONSTANTS,
    EYE,
    FEVER,
    LENS,
    LIMB,
    LONG,
    SEIZURE,
    VERY_LONG,
)

from lab39.core.errors import InputError, UnknownNameError
from lab39.core.text import Text
from lab39.solutions import raredisease as rd
from lab39.solutions.raredisease.explanation import divergence
from lab39.solutions.raredisease.questions import information_gain


def explain(index, observed, disease, excluded=(), **options):
    return rd.explain(index, rd.Query(tuple(observed), tuple(excluded)), disease, constants=CONSTANTS, **options)


def test_an_explanation_is_that_of_the_ranking(small):
    query = rd.Query((VERY_LONG,), (SEIZURE,))
    for disease in rd.rank(small, query, constants=CONSTANTS).candidates:
        assert rd.explain(small, query, disease.id, constants=CONSTANTS).disease == disease


def test_a_frequent_sign_that_is_excluded_is_named(small):
    found = explain(small, [LENS], ALPHA, [LONG])
    assert [e.term for e in found.absent_though_frequent] == [LONG]
    assert explain(small, [LONG], ALPHA, [LENS]).absent_though_frequent[0].frequency == pytest.approx(0.5)


def test_a_sign_that_the_annotations_deny_is_named(small):
    assert [e.term for e in explain(small, [LONG, SEIZURE], ALPHA).not_in_disease] == [SEIZURE]
    assert explain(small, [LONG, SEIZURE], BETA).not_in_disease == ()


def test_a_sign_that_one_paper_denies_and_another_shows_is_not_called_denied(compiled):
    index = compiled(
        tiny.row(ALPHA, "A", "NOT", SEIZURE, "PMID:1", ""), tiny.row(ALPHA, "A", "", SEIZURE, "PMID:2", "1/9")
    )
    assert explain(index, [SEIZURE], ALPHA).not_in_disease == ()


def test_frequent_signs_not_stated_are_expected_the_most_telling_first(small):
    # divergence of 1.5/3 from 0.5/3 is 0.29; that of 8.5/11 from 18/33 is 0.11
    found = explain(small, [FEVER], ALPHA).expected
    assert [(e.term, e.statement.affected, e.statement.patients) for e in found] == [(LENS, 1, 2), (LONG, 8, 10)]
    assert [round(divergence(e.frequency, e.background), 2) for e in found] == [0.29, 0.11]


def test_a_sign_that_is_known_is_not_expected_again(small):
    assert [e.term for e in explain(small, [VERY_LONG], ALPHA).expected] == [LENS]  # to see a kind is to see it
    assert [e.term for e in explain(small, [LONG], ALPHA, [EYE]).expected] == []  # no eye sign, hence no lens sign


def test_a_sign_without_a_stated_frequency_is_not_called_frequent(small):
    assert [e.term for e in explain(small, [LENS], BETA).expected] == [VERY_LONG]


def test_a_disease_competes_with_those_of_its_source_unless_told_otherwise(small):
    assert explain(small, [LONG], ALPHA_ORPHA).disease.rank == 1
    assert explain(small, [LONG], ALPHA_ORPHA, candidates="all").disease.rank > 1
    with pytest.raises(InputError, match="is not among the OMIM diseases"):
        explain(small, [LONG], ALPHA_ORPHA, candidates="OMIM")


def test_an_unknown_disease_says_what_to_give(small):
    with pytest.raises(UnknownNameError, match="OMIM:154700 or ORPHA:558"):
        explain(small, [LONG], "OMIM:1")


def test_without_a_usable_sign_there_is_nothing_to_explain(small):
    with pytest.raises(InputError, match="HP:9999999 does not exist"):
        explain(small, ["HP:9999999"], ALPHA)


# -- what to ask next -------------------------------------------------------------------------------------------


def test_golden_a_sign_that_decides_between_two_equals_is_worth_their_entropy():
    gain = information_gain(np.array([0.5, 0.5]), np.array([[1.0, 0.0]]), np.array([0.5]), noise=0.0)
    assert gain == pytest.approx([math.log(2)])


def test_golden_a_sign_as_frequent_everywhere_is_worth_nothing():
    gain = information_gain(np.array([0.3, 0.3]), np.array([[0.4, 0.4]]), np.array([0.4]), noise=0.1)
    assert gain == pytest.approx([0.0], abs=1e-12)


def test_golden_a_noisy_answer_is_worth_less():
    # H(1/2) - H(0.9): the binary symmetric channel with 10 % of errors
    shares, background = np.array([[1.0, 0.0]]), np.array([0.5])
    gain = information_gain(np.array([0.5, 0.5]), shares, background, noise=0.2)
    expected = math.log(2) + 0.9 * math.log(0.9) + 0.1 * math.log(0.1)
    assert gain == pytest.approx([expected])


def test_questions_are_new_and_none_is_a_kind_of_another(small):
    query = rd.Query((LONG,), ())
    asked = rd.next_signs(small, query, rd.rank(small, query, constants=CONSTANTS), top=9, constants=CONSTANTS)
    terms = [q.term for q in asked]
    assert LONG not in terms
    assert LIMB not in terms
    assert not {EYE, LENS} <= set(terms)
    assert [q.gain for q in asked] == sorted((q.gain for q in asked), reverse=True)


def test_a_question_names_who_shows_the_sign_and_whether_that_is_stated(small):
    query = rd.Query((LONG,))
    asked = rd.next_signs(small, query, rd.rank(small, query, constants=CONSTANTS), top=9, constants=CONSTANTS)
    seizure = next(q for q in asked if q.term == SEIZURE)
    assert (seizure.disease, seizure.frequency, seizure.statement) == (BETA, pytest.approx(0.5), None)


def test_without_candidates_there_is_no_question(small):
    query = rd.Query(())
    assert rd.next_signs(small, query, rd.rank(small, query)) == ()


def test_the_next_signs_for_marfan_are_telling(real):
    query = rd.Query(("HP:0001166", "HP:0001083", "HP:0002616", "HP:0001519"))
    asked = rd.next_signs(real, query, rd.rank(real, query))
    assert len(asked) == 3
    assert all(q.gain > 0 and q.frequency > q.background for q in asked)


# -- search -----------------------------------------------------------------------------------------------------


@pytest.fixture
def labels(tmp_path):
    (tmp_path / "fr.tsv").write_text(tiny.BABELON, "utf-8")
    (tmp_path / "syn.tsv").write_text(tiny.SYNONYMS, "utf-8")
    return rd.load_labels(tmp_path / "fr.tsv", tmp_path / "syn.tsv")


def test_labels_come_from_the_translation_and_fall_back_to_english(labels):
    assert labels.label(LENS, "Ectopia lentis") == Text("Ectopie du cristallin", "Ectopia lentis")
    assert labels.label(FEVER, "Fever") == Text("Fever", "Fever")
    assert labels.synonyms == {SEIZURE: ("Crise d'épilepsie",)}


@pytest.mark.parametrize(
    ("words", "term"),
    [
        ("Seizure", SEIZURE),
        ("siezure", SEIZURE),
        ("epileptic fits", SEIZURE),
        ("crise d'epilepsie", SEIZURE),
        ("CRISE D’ÉPILEPSIE", SEIZURE),
        ("ectopie cristalin", LENS),
        ("dislocated lens", LENS),
        ("doigts longs", LONG),
        ("fingers very long", VERY_LONG),
        ("hp:0000040", FEVER),
    ],
)
def test_a_sign_is_found_by_its_words_in_both_languages_typing_errors_included(small, labels, words, term):
    assert rd.search(small, words, labels)[0].term == term


def test_a_sign_appears_once_and_unlike_words_find_nothing(small, labels):
    found = [m.term for m in rd.search(small, "long fingers", labels)]
    assert len(found) == len(set(found))
    assert rd.search(small, "xqzt", labels) == ()
    assert rd.search(small, "  …", labels) == ()


def test_a_translation_cut_short_is_refused_with_its_line(tmp_path):
    path = tmp_path / "fr.tsv"
    path.write_text(tiny.BABELON + "\nHP:0000030\ten\tfr", "utf-8")
    with pytest.raises(InputError, match=r"fr\.tsv:6"):
        rd.load_labels(path)


def test_the_real_search_finds_a_misspelt_sign(real):
    assert rd.search(real, "arachnodactily")[0].term == "HP:0001166"


def test_every_public_name_resolves_and_no_submodule_hides_a_function():
    import importlib

    importlib.import_module("lab39.solutions.raredisease.evaluate")
    for name in rd.__all__:
        assert getattr(rd, name) is not None
    assert callable(rd.evaluate)
    assert callable(rd.explain)
    assert callable(rd.rank)
    assert set(rd.__all__) <= set(dir(rd))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        rd.nothing  # noqa: B018
