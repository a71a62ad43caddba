"""One disease explained for one person: what speaks for it, what against, what would be expected."""

from __future__ import annotations

import math

import numpy as np

from lab39.core.errors import InputError, UnknownNameError
from lab39.core.text import Text
from lab39.solutions.raredisease import likelihood, ranking
from lab39.solutions.raredisease.constants import Constants, load_constants
from lab39.solutions.raredisease.index import GROUPS, Index
from lab39.solutions.raredisease.model import Candidates, ExpectedSign, Explanation, Query
from lab39.solutions.raredisease.statements import Statements
from lab39.solutions.raredisease.terms import Resolved, resolve


def explain(
    index: Index,
    query: Query,
    disease_id: str,
    *,
    candidates: Candidates | None = None,
    expected: int = 10,
    constants: Constants | None = None,
) -> Explanation:
    """Explain one disease for one person.

    Args:
        disease_id: ``OMIM:154700``, ``ORPHA:558``…
        candidates: the diseases it competes with; by default those of its own source.
        expected: at most so many frequent signs to ask about.

    Raises:
        UnknownNameError: the disease is not in the index.
        InputError: no usable observed sign, or the disease is not among the candidates.
    """
    constants = constants or load_constants()
    disease = disease_position(index, disease_id)
    candidates = candidates or GROUPS[int(index.arrays["disease_group"][disease])]
    field = likelihood.field_of(index, candidates)
    at = int(np.searchsorted(field.members, disease))
    if at >= len(field.members) or field.members[at] != disease:
        raise InputError(
            Text(f"n'est pas parmi les maladies {candidates}", f"is not among the {candidates} diseases"),
            disease_id,
        )
    resolved = resolve(index, query)
    if not resolved.observed:
        raise InputError(no_sign(resolved), disease_id)
    score = likelihood.scores(field, resolved, constants)
    posterior, _ = ranking.posteriors(score, len(resolved.observed), constants)
    place = int(np.flatnonzero(ranking.best(score, len(score)) == at)[0]) + 1
    found = ranking.ranked(field, resolved, at, place, float(score[at]), float(posterior[at]), constants)
    signs = (*found.evidence_for, *found.evidence_nil, *found.evidence_against)
    denied = _denied(index, disease)
    return Explanation(
        disease=found,
        absent_though_frequent=tuple(
            e for e in signs if e.kind == "excluded" and (e.frequency or 0.0) >= constants.frequent
        ),
        expected=expected_signs(field, resolved, disease, constants)[:expected],
        not_in_disease=tuple(
            e
            for e in signs
            if e.kind == "observed" and any(a in denied for a, _ in index.ancestors(_position(index, e.term)))
        ),
        ignored=resolved.ignored,
        mapped=resolved.mapped,
        versions={**index.versions, "model": constants.version},
    )


def disease_position(index: Index, disease_id: str) -> int:
    """Position of a disease.

    Raises:
        UnknownNameError: it is not in the index.
    """
    if disease_id not in index.disease_at:
        version = index.meta["hpoa"]
        raise UnknownNameError(
            Text(
                f"maladie absente des annotations {version}. Donner OMIM:154700 ou ORPHA:558, ou importer une "
                "édition plus récente (lab39 data import hpo …)",
                f"no such disease in the annotations of {version}. Give OMIM:154700 or ORPHA:558, or import a "
                "newer edition (lab39 data import hpo …)",
            ),
            disease_id[:60],
        )
    return index.disease_at[disease_id]


def no_sign(resolved: Resolved) -> Text:
    """What to say when nothing in a query can be used, with the reasons."""
    why = Text("\u202f; ".join(i.text.fr for i in resolved.ignored), "; ".join(i.text.en for i in resolved.ignored))
    return Text(
        "aucun signe présent utilisable" + (f" ({why.fr})" if why else ""),
        "no usable sign that is present" + (f" ({why.en})" if why else ""),
    )


def expected_signs(
    field: likelihood.Field, query: Resolved, disease: int, constants: Constants
) -> tuple[ExpectedSign, ...]:
    """Frequent annotated signs that the query says nothing about, the most telling first.

    A sign annotated without a frequency is not called frequent.

    How telling: the divergence ``f log(f/bg) + (1-f) log((1-f)/(1-bg))`` between the disease and all candidates,
    in other words the evidence its answer is expected to bring if the person has the disease.
    """
    index = field.index
    rows, _ = index.rows_of(disease)
    given = Statements(index, disease)
    annotated = sorted(set(rows.term[~rows.negated & (rows.patients > 0)].tolist()))
    known = Known(index, query)
    found = [
        (
            divergence(frequency, float(field.background[term])),
            ExpectedSign(
                term=index.term_ids[term],
                label=index.labels[term],
                frequency=frequency,
                statement=statement,
                background=float(field.background[term]),
            ),
        )
        for term in annotated
        if (frequency := field.frequency(term, disease)) >= constants.frequent
        and (statement := given.of(term)) is not None
        and not known.answers(term)
    ]
    return tuple(sign for _, sign in sorted(found, key=lambda pair: (-pair[0], pair[1].term)))


class Known:
    """What a query already answers: seeing a sign answers for its ancestors, excluding one for its kinds."""

    def __init__(self, index: Index, query: Resolved) -> None:
        self._index = index
        self._present = {a for t in query.observed for a, _ in index.ancestors(t)}
        self._absent = set(query.excluded)

    def answers(self, term: int) -> bool:
        """Whether the query already says if this sign is present."""
        if term in self._present or not self._absent:
            return term in self._present
        return any(a in self._absent for a, _ in self._index.ancestors(term))


def divergence(frequency: float, background: float) -> float:
    """Kullback-Leibler divergence of two yes-no chances, natural logarithm."""
    f, b = (min(max(p, 1e-6), 1 - 1e-6) for p in (frequency, background))
    return f * math.log(f / b) + (1 - f) * math.log((1 - f) / (1 - b))


def _denied(index: Index, disease: int) -> set[int]:
    rows, _ = index.rows_of(disease)
    stated = set(rows.term[~rows.negated].tolist())
    return set(rows.term[rows.negated].tolist()) - stated


def _position(index: Index, term: str) -> int:
    found = index.term_at(term)
    assert found is not None
    return found
