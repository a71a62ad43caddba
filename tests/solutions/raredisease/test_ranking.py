"""From signs to a differential: likelihood ratios by hand, what a query may hold, what always holds."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.solutions.raredisease.tiny import (
    ALPHA,
    ALPHA_ORPHA,
    BETA,
    CONSTANTS,
    EYE,
    FEVER,
    GAMMA,
    GONE,
    INHERITANCE,
    LENS,
    LIMB,
    LONG,
    OLD_LONG,
    OLD_SEIZURE,
    SEIZURE,
    SIGNS,
    VERY_LONG,
    row,
)

from lab39.solutions import raredisease as rd

FITTED = rd.load_constants()
MARFAN_SIGNS = ("HP:0001166", "HP:0001083", "HP:0002616", "HP:0001519")


def rank(index, observed, excluded=(), **options):
    options.setdefault("constants", CONSTANTS)
    options.setdefault("top", 5)
    return rd.rank(index, rd.Query(tuple(observed), tuple(excluded)), **options)


def score(ranking, disease):
    return next(d.score for d in ranking.candidates if d.id == disease)


# -- by hand ----------------------------------------------------------------------------------------------------


def test_golden_an_observed_sign_weighs_its_frequency_over_the_background(small):
    # f = 9.5/11 in Beta, 0 in the two others: bg = 9.5/33, R = 3, log(0.1 + 0.9 * 3)
    assert score(rank(small, [VERY_LONG]), BETA) == pytest.approx(math.log(2.8))


def test_golden_an_inexact_match_goes_through_the_best_ancestor_at_a_price(small):
    # Alpha has no "very long fingers" but "long fingers", one step up: f = 8.5/11, bg = (8.5/11 + 9.5/11) / 3,
    # R = 0.8 * 8.5 * 3 / 18. Two steps up the ratio is the same and costs more; three steps up it is lower.
    assert score(rank(small, [VERY_LONG]), ALPHA) == pytest.approx(math.log(0.1 + 0.9 * 0.8 * 8.5 * 3 / 18))


def test_golden_a_far_match_goes_through_the_root(small):
    # Gamma shares only the root, three steps up: f = 3/11 (eye), bg = (8.5 + 9.5 + 3) / 33.
    assert score(rank(small, [VERY_LONG]), GAMMA) == pytest.approx(math.log(0.1 + 0.9 * 0.8**3 * 3 * 3 / 21))


def test_golden_an_excluded_sign_weighs_a_quarter(small):
    # Seizure: f = 0.5 in Beta only, bg = 1/6; g = 0.1/6 + 0.9 * f
    found = rank(small, [VERY_LONG], [SEIZURE])
    beta = math.log(2.8) + 0.25 * math.log((1 - (0.1 / 6 + 0.45)) / (5 / 6))
    assert score(found, BETA) == pytest.approx(beta)
    alpha = math.log(0.1 + 0.9 * 0.8 * 8.5 * 3 / 18) + 0.25 * math.log((1 - 0.1 / 6) / (5 / 6))
    assert score(found, ALPHA) == pytest.approx(alpha)


def test_golden_posteriors_are_the_softmax_of_the_scores_beside_the_background(small):
    found = rank(small, [VERY_LONG])
    weights = {d.id: math.exp(d.score) for d in found.candidates}
    total = sum(weights.values()) + 1.0  # background_log_odds is 0 here
    assert found.p_background == pytest.approx(1 / total)
    assert found.candidates[0].posterior == pytest.approx(weights[BETA] / total)


def test_golden_the_temperature_and_the_prior_of_the_background_enter_the_posterior(small):
    constants = replace(CONSTANTS, inverse_temperature=0.5, background_log_odds=2.0)
    found = rank(small, [VERY_LONG], constants=constants)
    weights = [math.exp(0.5 * d.score) for d in found.candidates]
    assert found.p_background == pytest.approx(math.exp(2) / (sum(weights) + math.exp(2)))


def test_golden_marfan_signs_rank_marfan_first(real):
    found = rd.rank(real, rd.Query(MARFAN_SIGNS, ("HP:0001250",)))
    assert found.candidates[0].id == "OMIM:154700"
    assert [d.rank for d in found.candidates] == list(range(1, 11))


@pytest.mark.parametrize(
    ("signs", "disease"),
    [
        # café-au-lait spots, axillary freckling, Lisch nodules, neurofibromas: neurofibromatosis type 1
        (("HP:0000957", "HP:0000997", "HP:0009737", "HP:0001067"), "OMIM:162200"),
        # cortical tubers, facial angiofibromas, renal angiomyolipoma, cardiac rhabdomyoma: tuberous sclerosis
        (("HP:0009717", "HP:0009720", "HP:0006772", "HP:0009729"), "OMIM:191100"),
    ],
)
def test_golden_hallmark_signs_bring_their_disease_into_the_first_three(real, signs, disease):
    found = rd.rank(real, rd.Query(signs), top=3)
    assert disease in [d.id for d in found.candidates]


def test_the_same_disease_is_found_among_the_entries_of_orphanet(real):
    assert rd.rank(real, rd.Query(MARFAN_SIGNS), candidates="ORPHA", top=5).candidates[0].id.startswith("ORPHA:")
    assert "ORPHA:558" in [d.id for d in rd.rank(real, rd.Query(MARFAN_SIGNS), candidates="ORPHA").candidates]


# -- what a query may hold --------------------------------------------------------------------------------------


def test_without_a_sign_nothing_is_ranked(small):
    for found in (rank(small, []), rank(small, [], [SEIZURE]), rank(small, ["HP:9999999"])):
        assert found.candidates == ()
        assert found.p_background == 1.0
        assert not found.stands_out


@pytest.mark.parametrize(
    ("term", "code"),
    [
        ("HP:9999999", "unknown"),
        ("seizure", "malformed"),
        ("HP:٠٠٠٠٠١٠", "malformed"),
        (GONE, "obsolete"),
        (INHERITANCE, "outside-phenotype"),
    ],
)
def test_a_term_that_cannot_be_used_is_told_with_why(small, term, code):
    found = rank(small, [LONG, term])
    assert [(i.term, i.code) for i in found.ignored] == [(term, code)]
    assert found.observed == (LONG,)
    assert found.candidates == rank(small, [LONG]).candidates


def test_an_obsolete_term_without_heir_names_what_to_consider(small):
    (ignored,) = rank(small, [LONG, GONE]).ignored
    assert SEIZURE in ignored.text.en


@pytest.mark.parametrize(
    ("given_term", "used", "code"), [(OLD_LONG, LONG, "alternative-id"), (OLD_SEIZURE, SEIZURE, "replaced")]
)
def test_an_old_id_is_used_under_its_current_one(small, given_term, used, code):
    found = rank(small, [given_term])
    assert [(m.given, m.used, m.code) for m in found.mapped] == [(given_term, used, code)]
    assert found.candidates == rank(small, [used]).candidates


def test_a_sign_stated_present_and_absent_is_left_out(small):
    found = rank(small, [LONG, SEIZURE], [SEIZURE])
    assert [(i.term, i.code) for i in found.ignored] == [(SEIZURE, "contradiction")]
    assert (found.observed, found.excluded) == ((LONG,), ())


def test_an_excluded_sign_is_left_out_when_a_kind_of_it_was_seen(small):
    found = rank(small, [VERY_LONG], [LIMB])
    assert [(i.term, i.code) for i in found.ignored] == [(LIMB, "contradiction")]
    assert (found.observed, found.excluded) == ((VERY_LONG,), ())


def test_a_kind_may_be_excluded_while_the_sign_is_seen(small):
    assert rank(small, [LONG], [VERY_LONG]).excluded == (VERY_LONG,)


def test_the_groups_of_candidates_do_not_mix(small):
    assert {d.id for d in rank(small, [LONG]).candidates} == {ALPHA, BETA, GAMMA}
    assert {d.id for d in rank(small, [LONG], candidates="ORPHA").candidates} == {ALPHA_ORPHA}
    assert rank(small, [LONG], candidates="all").n_candidates == 4


def test_top_must_be_at_least_one(small):
    with pytest.raises(ValueError, match="top"):
        rank(small, [LONG], top=0)


def test_equal_scores_are_ordered_by_id(compiled):
    diseases = [f"OMIM:{200000 + i}" for i in range(60)]
    better = row(diseases[30], "X", "", VERY_LONG, "PMID:1", "1/1")
    index = compiled(*(row(d, "X", "", LONG, "PMID:1", "1/2") for d in reversed(diseases)), better)
    found = rank(index, [VERY_LONG], top=60).candidates
    assert len({d.score for d in found}) == 2
    assert [d.id for d in found] == [diseases[30], *diseases[:30], *diseases[31:]]


# -- what always holds ------------------------------------------------------------------------------------------

terms = st.lists(st.sampled_from(SIGNS), max_size=8)


@given(observed=terms, excluded=terms, data=st.data())
@settings(deadline=None)
def test_order_and_repeats_do_not_matter(small, observed, excluded, data):
    again = data.draw(st.permutations(observed * 2))
    other = data.draw(st.permutations(excluded * 2))
    assert rank(small, again, other) == rank(small, observed, excluded)


@given(observed=terms, excluded=terms, candidates=st.sampled_from(["OMIM", "ORPHA", "all"]))
@settings(deadline=None)
def test_posteriors_and_the_background_sum_to_one(small, observed, excluded, candidates):
    found = rank(small, observed, excluded, candidates=candidates)
    if found.candidates:
        assert math.fsum([*(d.posterior for d in found.candidates), found.p_background]) == pytest.approx(1)


@given(observed=terms, excluded=terms)
@settings(deadline=None)
def test_the_contributions_of_the_signs_sum_to_the_score(small, observed, excluded):
    found = rank(small, observed, excluded)
    for disease in found.candidates:
        signs = [*disease.evidence_for, *disease.evidence_nil, *disease.evidence_against]
        assert math.fsum(e.log_lr for e in signs) == pytest.approx(disease.score, abs=1e-9)
        assert {e.term for e in signs} == {*found.observed, *found.excluded}


@given(observed=terms, excluded=terms)
@settings(deadline=None)
def test_a_better_rank_never_has_a_lower_score_or_posterior(small, observed, excluded):
    found = rank(small, observed, excluded).candidates
    for better, worse in pairwise(found):
        assert (better.score, better.posterior) >= (worse.score, worse.posterior)


@given(observed=st.lists(st.sampled_from(MARFAN_SIGNS), min_size=1, unique=True))
@settings(deadline=None, max_examples=10)
def test_what_one_sign_contributes_does_not_depend_on_the_others(real, observed):
    whole = rd.explain(real, rd.Query(tuple(observed)), "OMIM:154700").disease
    alone = [rd.explain(real, rd.Query((sign,)), "OMIM:154700").disease.score for sign in observed]
    assert whole.score == pytest.approx(sum(alone))


def test_the_evidence_says_what_was_compared(small):
    (sign,) = next(d for d in rank(small, [VERY_LONG]).candidates if d.id == ALPHA).evidence_for
    assert (sign.term, sign.matched, sign.distance) == (VERY_LONG, LONG, 1)
    assert sign.statement == rd.Statement(LONG, affected=8, patients=10)  # 3 of 4 and 5 of 6, not their estimate
    assert sign.frequency == pytest.approx(8.5 / 11)
    assert sign.background == pytest.approx(18 / 33)


def test_a_frequency_that_nobody_stated_is_marked_so(small):
    found = rank(small, [SEIZURE, EYE])
    beta = next(d for d in found.candidates if d.id == BETA)
    gamma = next(d for d in found.candidates if d.id == GAMMA)
    assert [e.statement for e in (*beta.evidence_for, *beta.evidence_against) if e.term == SEIZURE] == [None]
    stated = [e.statement for e in (*gamma.evidence_for, *gamma.evidence_against) if e.term == EYE]
    assert stated == [rd.Statement(EYE, share=0.25)]


def test_a_sign_that_changes_the_odds_by_less_than_two_percent_speaks_neither_for_nor_against(small):
    alpha, beta, _ = sorted(rank(small, [LONG], [FEVER, LENS], constants=FITTED).candidates, key=lambda d: d.id)
    assert [(e.term, e.kind) for e in beta.evidence_nil] == [(LENS, "excluded"), (FEVER, "excluded")]
    assert [e.term for e in alpha.evidence_against] == [LENS]  # annotated there: its absence says something
    assert all(abs(e.log_lr) < FITTED.negligible for e in beta.evidence_nil)


def test_a_ranking_names_the_versions_it_rests_on(small):
    versions = rank(small, [LONG]).versions
    assert versions == {"hpo": "2025-01-16", "hpoa": "2025-01-16", "index": "2", "model": CONSTANTS.version}
