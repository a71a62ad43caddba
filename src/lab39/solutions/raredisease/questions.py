"""What to ask next: the signs whose answer would change the differential most.

The value of a question is its expected information gain: the entropy of the differential now, less its mean
entropy after each answer, weighted by how probable the answer is. Every competing disease that is not among the
first candidates, and "none of these", answer as the background does.
"""

from __future__ import annotations

import numpy as np

from lab39.solutions.raredisease import likelihood
from lab39.solutions.raredisease.constants import Constants, load_constants
from lab39.solutions.raredisease.explanation import Known
from lab39.solutions.raredisease.index import Index
from lab39.solutions.raredisease.model import Candidates, Query, Question, Ranking
from lab39.solutions.raredisease.profiles import Floats
from lab39.solutions.raredisease.statements import Statements
from lab39.solutions.raredisease.terms import resolve


def next_signs(
    index: Index,
    query: Query,
    ranking: Ranking,
    *,
    top: int = 3,
    candidates: Candidates = "OMIM",
    constants: Constants | None = None,
) -> tuple[Question, ...]:
    """The signs to ask about next, the most useful first; none is a kind of another.

    Args:
        ranking: the differential of ``query`` among the same ``candidates``.

    Returns:
        Each sign with the candidate that shows it most.
    """
    constants = constants or load_constants()
    field = likelihood.field_of(index, candidates)
    diseases = [index.disease_at[d.id] for d in ranking.candidates]
    known = Known(index, resolve(index, query))
    asked = sorted({term for disease in diseases for term in _signs(index, disease) if not known.answers(term)})
    if not asked:
        return ()
    shares = np.array([[field.frequency(term, disease) for disease in diseases] for term in asked])
    background = field.background[asked]
    gain = information_gain(
        np.array([d.posterior for d in ranking.candidates]), shares, background, constants.noise
    )
    found: list[int] = []
    for at in np.argsort(-gain, kind="stable").tolist():
        if (
            len(found) < top
            and gain[at] > 0
            and not any(_related(index, asked[at], asked[other]) for other in found)
        ):
            found.append(at)
    shows = shares.argmax(axis=1).tolist()
    return tuple(
        Question(
            term=index.term_ids[asked[at]],
            label=index.labels[asked[at]],
            gain=float(gain[at]),
            disease=ranking.candidates[shows[at]].id,
            disease_name=ranking.candidates[shows[at]].name,
            frequency=float(shares[at].max()),
            statement=Statements(index, diseases[shows[at]]).of(asked[at]),
            background=float(background[at]),
        )
        for at in found
    )


def information_gain(posterior: Floats, shares: Floats, background: Floats, noise: float) -> Floats:
    """Expected information gain of asking each sign, in nats.

    Args:
        posterior: of each candidate [K]; what is left to 1 answers as the background.
        shares: share of patients with each sign, [signs, K].
        background: mean share of each sign over all candidates, [signs].
        noise: lambda, the share of signs that have nothing to do with the disease.
    """
    prior = np.append(posterior, max(0.0, 1.0 - float(posterior.sum())))
    yes = np.column_stack([noise * background[:, None] + (1 - noise) * shares, background])
    after = np.zeros(len(background))
    for likely in (yes, 1 - yes):
        joint = likely * prior
        answer = joint.sum(axis=1)
        after += answer * _entropy(joint / np.where(answer > 0, answer, 1.0)[:, None])
    gain: Floats = _entropy(prior[None, :]) - after
    return gain


def _entropy(chances: Floats) -> Floats:
    found: Floats = -(chances * np.log(np.where(chances > 0, chances, 1.0))).sum(axis=1)
    return found


def _signs(index: Index, disease: int) -> list[int]:
    rows, _ = index.rows_of(disease)
    found: list[int] = rows.term[~rows.negated].tolist()
    return found


def _related(index: Index, one: int, other: int) -> bool:
    return any(a == other for a, _ in index.ancestors(one)) or any(a == one for a, _ in index.ancestors(other))
