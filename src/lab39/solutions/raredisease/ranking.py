"""The differential: scores turned into probabilities beside "none of these diseases"."""

from __future__ import annotations

import numpy as np

from lab39.solutions.raredisease import likelihood
from lab39.solutions.raredisease.constants import Constants, load_constants
from lab39.solutions.raredisease.index import Index
from lab39.solutions.raredisease.model import Candidates, Query, RankedDisease, Ranking
from lab39.solutions.raredisease.profiles import Floats, Ints
from lab39.solutions.raredisease.terms import Resolved, resolve


def rank(
    index: Index,
    query: Query,
    *,
    top: int = 10,
    candidates: Candidates = "OMIM",
    constants: Constants | None = None,
) -> Ranking:
    """Rank the diseases of the index for one person.

    Args:
        top: how many candidates to return with their evidence.
        candidates: the diseases that compete. OMIM and ORPHA describe many diseases twice, so by default only
            OMIM entries do; the constants were fitted on them.

    Returns:
        A ranking. Without any usable observed sign nothing is ranked: no candidates, background 1.

    Raises:
        ValueError: ``top`` below 1.
    """
    if top < 1:
        raise ValueError("top must be at least 1")
    constants = constants or load_constants()
    resolved = resolve(index, query)
    field = likelihood.field_of(index, candidates)
    found: tuple[RankedDisease, ...] = ()
    p_background = 1.0
    if resolved.observed:
        score = likelihood.scores(field, resolved, constants)
        posterior, p_background = posteriors(score, len(resolved.observed), constants)
        found = tuple(
            ranked(field, resolved, int(at), place, float(score[at]), float(posterior[at]), constants)
            for place, at in enumerate(best(score, top), 1)
        )
    return Ranking(
        candidates=found,
        p_background=p_background,
        n_candidates=len(field.members),
        observed=tuple(index.term_ids[t] for t in resolved.observed),
        excluded=tuple(index.term_ids[t] for t in resolved.excluded),
        ignored=resolved.ignored,
        mapped=resolved.mapped,
        versions={**index.versions, "model": constants.version},
    )


def posteriors(score: Floats, n_observed: int, constants: Constants) -> tuple[Floats, float]:
    """Probability of each candidate and of "none of them"; together they sum to 1.

    Every disease has the same prior; ``background_log_odds`` is the log prior odds of "none" against one
    disease. Signs are not independent: n observed signs are worth ``(1 + n) ** (1 - sign_dependence)`` rather
    than n, so the score is multiplied by ``inverse_temperature * (1 + n) ** -sign_dependence``.
    """
    factor = constants.inverse_temperature * (1 + n_observed) ** -constants.sign_dependence
    exponent = np.append(factor * score, constants.background_log_odds)
    weight = np.exp(exponent - exponent.max())
    weight /= weight.sum()
    return weight[:-1], float(weight[-1])


def best(score: Floats, top: int) -> Ints:
    """Positions of the highest scores; candidates are sorted by id, so ties are broken by id."""
    near: Ints = np.arange(len(score))
    if top < len(score):  # to sort them all would cost ten times more
        near = np.flatnonzero(score >= np.partition(score, -top)[-top])
    return near[np.argsort(-score[near], kind="stable")[:top]]


def ranked(
    field: likelihood.Field,
    query: Resolved,
    at: int,
    place: int,
    score: float,
    posterior: float,
    constants: Constants,
) -> RankedDisease:
    """One candidate with its evidence; ``at`` is its position in ``field.members``."""
    disease = int(field.members[at])
    signs = likelihood.evidence(field, query, disease, constants)
    return RankedDisease(
        id=field.index.disease_ids[disease],
        name=field.index.disease_names[disease],
        rank=place,
        score=score,
        posterior=posterior,
        evidence_for=tuple(e for e in signs if e.log_lr >= constants.negligible),
        evidence_against=tuple(reversed([e for e in signs if e.log_lr <= -constants.negligible])),
        evidence_nil=tuple(e for e in signs if abs(e.log_lr) < constants.negligible),
    )
