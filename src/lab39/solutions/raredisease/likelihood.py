"""The likelihood ratio of a set of signs for every disease at once.

LIRICAL's idea (Robinson PN et al., Interpretable clinical genomics with a likelihood ratio paradigm, Am J Hum
Genet 2020;107:403-417): each sign multiplies the odds of a disease by its frequency there over its frequency
among all diseases. A sign that the profile does not hold is matched through its ancestors, at a price.

For an observed sign q and a disease d:  R = max over ancestors a of q of  gamma^steps * f(a, d) / bg(a),
contribution log(lambda + (1 - lambda) R).
For an excluded sign:  w * log((1 - g) / (1 - bg(q))),  g = lambda * bg(q) + (1 - lambda) * f(q, d).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from lab39.solutions.raredisease.constants import Constants
from lab39.solutions.raredisease.index import Index
from lab39.solutions.raredisease.model import Candidates, TermEvidence
from lab39.solutions.raredisease.profiles import Floats, Ints, Sparse
from lab39.solutions.raredisease.statements import Statements
from lab39.solutions.raredisease.terms import Resolved


@dataclass(frozen=True)
class Field:
    """The diseases that compete and their frequencies, one disease's profile replaced if asked.

    Attributes:
        members: positions of the diseases that compete, sorted.
        background: mean frequency of each term over them.
        replaced: the disease whose profile is ``profile`` instead of the compiled one.
        profile: its frequency for each term that it holds.
    """

    index: Index
    members: Ints
    background: Floats
    replaced: int | None = None
    profile: dict[int, float] | None = None

    def frequency(self, term: int, disease: int) -> float:
        """Share of patients with the disease who have the sign (0-1)."""
        if disease == self.replaced and self.profile is not None:
            return self.profile.get(term, 0.0)
        return self.index.frequency(term, disease)


def field_of(
    index: Index, candidates: Candidates, disease: int | None = None, profile: Sparse | None = None
) -> Field:
    """The field of a group of diseases, with another profile for one of them.

    The background changes with the profile, so that nothing of the old one remains.
    """
    members = index.members(candidates)
    background = index.background(candidates)
    if disease is None or profile is None:
        return Field(index, members, background)
    held = dict(zip(profile.term.tolist(), profile.frequency.astype(np.float32).tolist(), strict=True))
    if np.isin(disease, members):
        terms = np.union1d(_held(index, disease), profile.term).astype(np.int64)
        background = background.copy()
        change = np.array([held.get(t, 0.0) - index.frequency(t, disease) for t in terms.tolist()])
        background[terms] = np.maximum(background[terms] + change / len(members), 0.0)
    return Field(index, members, background, disease, held)


def observed_log_lr(field: Field, term: int, constants: Constants) -> Floats:
    """Contribution of an observed sign for every disease of the index, natural logarithm."""
    ratio = np.zeros(len(field.index.arrays["disease_group"]))
    own = 0.0
    for ancestor, steps in field.index.ancestors(term):
        background = float(field.background[ancestor])
        if background <= 0.0:
            continue
        scale = constants.distance_decay**steps / background
        diseases, frequencies = field.index.holders(ancestor)
        ratio[diseases] = np.maximum(ratio[diseases], frequencies.astype(np.float64) * scale)
        if field.replaced is not None:
            own = max(own, field.frequency(ancestor, field.replaced) * scale)
    if field.replaced is not None:
        ratio[field.replaced] = own
    found: Floats = np.log(constants.noise + (1 - constants.noise) * ratio)
    return found


def excluded_log_lr(field: Field, term: int, constants: Constants) -> Floats:
    """Contribution of an excluded sign for every disease of the index at full weight, natural logarithm."""
    background = min(float(field.background[term]), 1 - 1e-9)
    frequency = np.zeros(len(field.index.arrays["disease_group"]))
    diseases, frequencies = field.index.holders(term)
    frequency[diseases] = frequencies
    if field.replaced is not None:
        frequency[field.replaced] = field.frequency(term, field.replaced)
    mixed = constants.noise * background + (1 - constants.noise) * frequency
    found: Floats = np.log((1 - mixed) / (1 - background))
    return found


def scores(field: Field, query: Resolved, constants: Constants) -> Floats:
    """Sum of the contributions for each competing disease, in the order of ``field.members``."""
    total = np.zeros(len(field.index.arrays["disease_group"]))
    for term in query.observed:
        total += observed_log_lr(field, term, constants)
    for term in query.excluded:
        total += constants.excluded_weight * excluded_log_lr(field, term, constants)
    found: Floats = total[field.members]
    return found


def evidence(field: Field, query: Resolved, disease: int, constants: Constants) -> tuple[TermEvidence, ...]:
    """Each sign's contribution to one disease, the largest first; they sum to its score."""
    given = Statements(field.index, disease)
    frequency = cache(lambda term: field.frequency(term, disease))  # signs share most of their ancestors
    found = [_observed(field, term, frequency, constants, given) for term in query.observed]
    found += [_excluded(field, term, frequency, constants, given) for term in query.excluded]
    return tuple(sorted(found, key=lambda e: (-e.log_lr, e.term)))


def _observed(
    field: Field, term: int, frequency: Callable[[int], float], constants: Constants, given: Statements
) -> TermEvidence:
    index = field.index
    best, matched, steps = 0.0, None, None
    for ancestor, distance in index.ancestors(term):
        background = float(field.background[ancestor])
        if background > 0.0:
            ratio = constants.distance_decay**distance * frequency(ancestor) / background
            if ratio > best:
                best, matched, steps = ratio, ancestor, distance
    return TermEvidence(
        term=index.term_ids[term],
        label=index.labels[term],
        kind="observed",
        matched=None if matched is None else index.term_ids[matched],
        matched_label=None if matched is None else index.labels[matched],
        distance=steps,
        frequency=None if matched is None else frequency(matched),
        background=None if matched is None else float(field.background[matched]),
        statement=None if matched is None else given.of(matched),
        log_lr=math.log(constants.noise + (1 - constants.noise) * best),
    )


def _excluded(
    field: Field, term: int, frequency: Callable[[int], float], constants: Constants, given: Statements
) -> TermEvidence:
    index = field.index
    background = min(float(field.background[term]), 1 - 1e-9)
    shown = frequency(term)
    mixed = constants.noise * background + (1 - constants.noise) * shown
    held = shown > 0
    return TermEvidence(
        term=index.term_ids[term],
        label=index.labels[term],
        kind="excluded",
        matched=index.term_ids[term] if held else None,
        matched_label=index.labels[term] if held else None,
        distance=0 if held else None,
        frequency=shown if held else None,
        background=float(field.background[term]),
        statement=given.of(term) if held else None,
        log_lr=constants.excluded_weight * math.log((1 - mixed) / (1 - background)),
    )


def _held(index: Index, disease: int) -> Ints:
    """Terms of a compiled profile: its annotated signs and all their ancestors."""
    rows, _ = index.rows_of(disease)
    return np.unique([a for t in rows.term.tolist() for a, _ in index.ancestors(t)]).astype(np.int64)
