"""Data squashing: a long list of counts and expectations replaced by weighted points, and unreported pairs kept.

Squashing as DuMouchel and Pregibon (KDD 2001:67) and as the R package openEBGM documents it: among the pairs of one
count, sorted by expectation, the largest are kept as they are and the others are averaged in bins of one size. The
pairs that nobody reported are far too many to list (drugs times events); the fit needs only how many there are at
each expectation, so they are kept as a histogram of log E.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals.arrays import Bools, Floats, counts, numbers, same_shape

KEEP = (
    100,
    75,
    50,
    25,
)  # largest expectations left as they are, for the first, second… count (openEBGM autoSquash)
CUTS = (500, 1_000, 10_000, 100_000, 500_000, 1_000_000, 5_000_000)  # pairs of one count…
POINTS = (50, 75, 150, 500, 750, 1_000, 2_000, 5_000)  # …and how many points they become (openEBGM autoSquash)
LOG_E_STEP = 0.02  # width of a bin of the histogram of unreported pairs: 28 natural logarithms make 1,400 bins


@dataclass(frozen=True, slots=True)
class Points:
    """Weighted points that stand for a table of pairs.

    Attributes:
        n: counts [points].
        e: expected counts [points].
        weight: how many pairs each stands for [points].
    """

    n: Floats
    e: Floats
    weight: Floats

    def joined(self, other: Points) -> Points:
        """Both sets of points."""
        return Points(
            np.concatenate((self.n, other.n)),
            np.concatenate((self.e, other.e)),
            np.concatenate((self.weight, other.weight)),
        )


def points(observed: ArrayLike, expected: ArrayLike) -> Points:
    """Every pair as a point of weight 1.

    Raises:
        InputError: a count is not whole, an expectation is not above 0.
    """
    n, e = same_shape(counts("observed", observed), numbers("expected", expected, above=0.0))
    return Points(n.ravel().copy(), e.ravel().copy(), np.ones(n.size))


def squash(
    data: Points, count: int = 1, *, bin_size: int = 50, keep: int = 100, min_bins: int = 50, min_points: int = 500
) -> Points:
    """Squash the points of one count; the others stay. Points already squashed at that count are not touched.

    Args:
        count: the count whose pairs are averaged.
        bin_size: pairs in a bin; the last bin, of the largest expectations, holds what remains.
        keep: pairs of the largest expectations left as they are.
        min_bins: nothing is done when there would be fewer bins.
        min_points: nothing is done when the count has fewer pairs.

    Raises:
        InputError: ``bin_size`` below 2 or ``keep`` below 0.
    """
    if bin_size < 2 or keep < 0:
        raise InputError(
            Text("attendu bin_size ≥ 2 et keep ≥ 0", "bin_size ≥ 2 and keep ≥ 0 are expected"), "squash"
        )
    mine = data.n == count
    e = np.sort(data.e[mine])
    done = bool((data.weight[mine] != 1).any())
    if done or e.size < min_points or (e.size - keep) // bin_size < min_bins:
        return data
    return _replaced(data, mine, count, e, bin_size, keep)


def auto_squash(data: Points, keep: Sequence[int] = KEEP) -> Points:
    """Squash every count, with openEBGM's published defaults of how many points each becomes.

    A count of fewer than 500 squashable pairs becomes 50 points, of fewer than 1,000 becomes 75, and so on.
    """
    for at, count in enumerate(np.unique(data.n)):
        mine = data.n == count
        kept = keep[min(at, len(keep) - 1)]
        free = int(mine.sum()) - kept
        wanted = POINTS[int(np.searchsorted(CUTS, free, side="right"))]
        size = -(-free // wanted)
        if free > 0 and size >= 2 and not (data.weight[mine] != 1).any():
            data = _replaced(data, mine, float(count), np.sort(data.e[mine]), size, kept)
    return data


def unreported(
    n_drug: ArrayLike, n_event: ArrayLike, n_total: int, observed_expected: ArrayLike, *, step: float = LOG_E_STEP
) -> Points:
    """The pairs that nobody reported, as points of count 0 along log E, without the dense table.

    Every drug meets every event: the expectations n_drug · n_event / n_total of all pairs are counted in bins of
    log E out of the distinct values of both margins, then the reported pairs are taken out of their bins. A point
    stands at the mean expectation of its bin.

    Args:
        n_drug: reports of each drug [drugs].
        n_event: reports of each event [events].
        n_total: distinct reports.
        observed_expected: n_drug · n_event / n_total of each reported pair [pairs]. Where expectations are summed
            over strata, see :meth:`lab39.solutions.signals.strata.Margins.unreported`.
        step: width of a bin of log E.

    Raises:
        InputError: a margin or a total that is not above 0.
    """
    drugs, many_drugs = np.unique(numbers("n_drug", n_drug, above=0.0), return_counts=True)
    events, many_events = np.unique(numbers("n_event", n_event, above=0.0), return_counts=True)
    reported = numbers("observed_expected", observed_expected, above=0.0).ravel()
    total = float(numbers("n_total", n_total, above=0.0))
    low = np.log(drugs[0] * events[0] / total) - step
    bins = int((np.log(drugs[-1] * events[-1] / total) - low) / step) + 2
    number, mass = np.zeros(bins), np.zeros(bins)
    for margin, many in zip(drugs, many_drugs, strict=True):
        e = margin * events / total
        at = ((np.log(e) - low) / step).astype(np.int64)
        number += np.bincount(at, many * many_events, bins)
        mass += np.bincount(at, many * many_events * e, bins)
    at = np.clip(((np.log(reported) - low) / step).astype(np.int64), 0, bins - 1)
    number -= np.bincount(at, minlength=bins)
    mass -= np.bincount(at, reported, bins)
    left = number > 0.5
    edges = np.exp(low + step * np.arange(bins + 1))
    mean = np.clip(mass[left] / number[left], edges[:-1][left], edges[1:][left])
    return Points(np.zeros(int(left.sum())), mean, number[left])


def _replaced(data: Points, mine: Bools, count: float, e: Floats, size: int, keep: int) -> Points:
    """The points with those of one count averaged; ``e`` is sorted."""
    body = e[: e.size - keep]
    starts = np.arange(0, body.size, size)
    weight = np.diff(np.append(starts, body.size)).astype(np.float64)
    mean = np.add.reduceat(body, starts) / weight
    tail = e[e.size - keep :]
    made = Points(
        np.full(mean.size + tail.size, count),
        np.concatenate((mean, tail)),
        np.concatenate((weight, np.ones(tail.size))),
    )
    return Points(data.n[~mine], data.e[~mine], data.weight[~mine]).joined(made)
