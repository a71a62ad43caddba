"""From annotation rows to the profile of a disease: how often each sign, or a kind of it, is seen.

In the manner of LIRICAL (Robinson et al. 2020): counts are pooled over
the rows of a sign, ``f = (sum m + alpha p0) / (sum n + alpha)``, then carried to every ancestor by maximum.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.integer[Any]]
Floats: TypeAlias = NDArray[np.floating[Any]]


class Rows(NamedTuple):
    """Annotation rows as columns of one length.

    Attributes:
        disease, term: positions in the index.
        affected, patients: m and n, with classes and shares already worth ``class_weight`` patients; a row
            without frequency has 0 and 0.
        counted: whether m and n are patients counted by the source.
        negated: the source says the disease does not show the sign; such a row makes no frequency.
    """

    disease: Ints
    term: Ints
    affected: Floats
    patients: Floats
    counted: NDArray[np.bool_]
    negated: NDArray[np.bool_]


class Up(NamedTuple):
    """Ancestors of each term, itself included: ``term[start[t]:start[t + 1]]`` at ``steps`` is-a steps."""

    start: Ints
    term: Ints
    steps: Ints


class Sparse(NamedTuple):
    """``frequency`` of ``term`` in ``disease``, sorted by term, then disease; each pair once."""

    term: Ints
    disease: Ints
    frequency: Floats


def pooled(rows: Rows, pseudo_count: float, prior_frequency: float) -> Sparse:
    """The frequency of each sign as annotated, without its ancestors.

    A sign whose counts say "nobody of n" is not a sign of the disease and is left out.
    """
    used = ~rows.negated
    width = int(rows.disease.max(initial=0)) + 1
    keys, group = np.unique(
        rows.term[used].astype(np.int64) * width + rows.disease[used].astype(np.int64), return_inverse=True
    )
    affected = np.bincount(group, rows.affected[used], len(keys))
    patients = np.bincount(group, rows.patients[used], len(keys))
    frequency = (affected + pseudo_count * prior_frequency) / (patients + pseudo_count)
    shown = (affected > 0) | (patients == 0)
    return Sparse(keys[shown] // width, keys[shown] % width, frequency[shown])


def propagated(signs: Sparse, up: Up) -> Sparse:
    """The same with every ancestor: a disease shows a sign at least as often as any kind of it."""
    term = signs.term.astype(np.int64)
    lengths = up.start[term + 1] - up.start[term]
    taken = spans(up.start[term], lengths)
    width = int(signs.disease.max(initial=0)) + 1
    keys = up.term[taken].astype(np.int64) * width + np.repeat(signs.disease.astype(np.int64), lengths)
    frequency = np.repeat(signs.frequency, lengths)
    order = np.argsort(keys, kind="stable")
    keys, frequency = keys[order], frequency[order]
    first = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))) if len(keys) else np.zeros(0, np.int64)
    highest = np.maximum.reduceat(frequency, first) if len(keys) else frequency
    return Sparse(keys[first] // width, keys[first] % width, highest)


def spans(start: Ints, length: Ints) -> Ints:
    """The positions ``start[i] … start[i] + length[i] - 1`` of every i, one after the other."""
    total = int(length.sum())
    before = np.cumsum(length) - length
    found: Ints = np.arange(total, dtype=np.int64) + np.repeat(start.astype(np.int64) - before, length)
    return found
