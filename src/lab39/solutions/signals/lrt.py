"""Likelihood ratio test of one drug (or one event) against all its counterparts, with Monte-Carlo p-values.

Source: Huang, Zalkikar, Tiwari. J Am Stat Assoc 2011;106:1230. The test controls the family-wise error over the
events of a drug: the statistic is the largest log-likelihood ratio among them, and its null distribution is that of
a multinomial draw of the drug's counts in the proportions of all counts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals.arrays import Floats, counts, numbers, same_shape

DRAWS = 9_999
SEED = 39


def log_likelihood_ratio(observed: ArrayLike, n_drug: ArrayLike, n_event: ArrayLike, n_total: ArrayLike) -> Floats:
    """Huang's log-likelihood ratio of each pair, 0 where the count does not exceed its expectation.

    log LR = n log(n/E) + (n_drug - n) log((n_drug - n)/(n_drug - E)), E = n_drug · n_event / n_total.

    Args:
        observed: counts of the pairs, any shape.
        n_drug: total of the drug, not below the count.
        n_event: total of the event, not below the count.
        n_total: grand total (sum of the counts in Huang's tables).

    Raises:
        InputError: a count exceeds a margin, or a margin is 0.
    """
    n, drug, event, total = same_shape(
        counts("observed", observed),
        counts("n_drug", n_drug),
        counts("n_event", n_event),
        counts("n_total", n_total),
    )
    for name, margin in (("n_drug", drug), ("n_event", event), ("n_total", total)):
        numbers(name, margin, above=0.0)
    if ((n > drug) | (n > event) | (event > total) | (drug > total)).any():
        raise InputError(Text("un couple dépasse ses marges", "a pair exceeds its margins"), "observed")
    return _ratio(n, drug, drug * event / total)


def maximum_test(
    observed: ArrayLike, n_event: ArrayLike, *, draws: int = DRAWS, seed: int = SEED
) -> tuple[Floats, Floats]:
    """One drug against all events: log-likelihood ratios and their Monte-Carlo p-values.

    A p-value is the share of null draws whose largest ratio is at least the pair's own, the data counted among the
    draws: p = (1 + how many) / (1 + draws). The smallest is that of Huang's test; the others are her step for the
    events after the first, and conservative.

    Args:
        observed: counts of the drug with each event [events].
        n_event: total of each event over all drugs [events], not below ``observed``.
        draws: of the null distribution.
        seed: the same seed gives the same p-values.

    Returns:
        Ratios [events] and p-values [events].

    Raises:
        InputError: shapes that differ, a count above its total, no report, fewer than 1 draw.
    """
    n, event = counts("observed", observed), counts("n_event", n_event)
    if n.ndim != 1 or n.shape != event.shape or n.size == 0:
        raise InputError(
            Text("attendu deux listes de même longueur", "two lists of the same length are expected"), "observed"
        )
    if draws < 1:
        raise InputError(Text("attendu au moins un tirage", "at least one draw is expected"), "draws")
    drug, total = np.full(n.shape, n.sum()), np.full(n.shape, event.sum())
    if n.sum() < 1:
        raise InputError(Text("aucune notification de ce médicament", "no report of this drug"), "observed")
    ratio = log_likelihood_ratio(n, drug, event, total)
    share = event / event.sum()
    random = np.random.default_rng(seed)
    largest = np.empty(draws)
    step = max(1, 4_000_000 // n.size)
    for begin in range(0, draws, step):
        many = min(step, draws - begin)
        drawn = random.multinomial(int(n.sum()), share, size=many).astype(np.float64)
        largest[begin : begin + many] = _ratio(drawn, drug, drug * share).max(axis=1)
    largest.sort()
    reached = draws - np.searchsorted(largest, ratio * (1 - 1e-12), side="left")
    return ratio, np.asarray((1.0 + reached) / (1.0 + draws), dtype=np.float64)


def _ratio(n: Floats, drug: Floats, expected: Floats) -> Floats:
    from scipy.special import xlogy

    rest, rest_expected = drug - n, drug - expected
    more = n > expected
    with np.errstate(divide="ignore", invalid="ignore"):
        value = xlogy(n, n / expected) + xlogy(rest, rest / rest_expected)
    return np.asarray(np.where(more, np.maximum(value, 0.0), 0.0), dtype=np.float64)
