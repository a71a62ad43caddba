"""What moved between two periods, and where a series of quarters changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals.arrays import Estimate, Floats, counts, numbers, same_shape

SHRINKAGE = 0.5
DRAWS = 9_999
SEED = 39


def ic_change(
    observed_before: ArrayLike,
    expected_before: ArrayLike,
    observed_after: ArrayLike,
    expected_after: ArrayLike,
    *,
    level: float = 0.95,
) -> Estimate:
    """IC of the later period minus IC of the earlier one, with its exact credibility interval.

    Both ratios have the posterior of the information component, Gamma(O + ½, rate E + ½), and are independent, so
    their quotient follows an F distribution with 2·O₂ + 1 and 2·O₁ + 1 degrees of freedom, up to a factor.

    Args:
        observed_before: reports of the earlier period, any shape; the periods do not overlap.
        expected_before: expected reports of the earlier period, above 0; likewise for the later period.
        observed_after: reports of the later period.
        expected_after: expected reports of the later period.
        level: of the interval; the change is told apart from chance when 0 lies outside.

    Raises:
        InputError: a negative count, an expectation not above 0, a level outside (0, 1).
    """
    from scipy.special import fdtri

    if not 0 < level < 1:
        raise InputError(Text("attendu un nombre entre 0 et 1", "a number between 0 and 1 is expected"), "level")
    o1, e1, o2, e2 = same_shape(
        numbers("observed_before", observed_before, least=0.0),
        numbers("expected_before", expected_before, above=0.0),
        numbers("observed_after", observed_after, least=0.0),
        numbers("expected_after", expected_after, above=0.0),
    )
    a1, a2, b1, b2 = o1 + SHRINKAGE, o2 + SHRINKAGE, e1 + SHRINKAGE, e2 + SHRINKAGE
    value = np.log2(a2 / b2) - np.log2(a1 / b1)
    tail = (1 - level) / 2
    # the upper quantile is one over the lower one of the quotient turned over: 1 - tail would lose its digits
    low = np.log2(fdtri(2 * a2, 2 * a1, tail))
    high = -np.log2(fdtri(2 * a1, 2 * a2, tail))
    return Estimate(value, value + low, value + high)


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """The best split of a series.

    Attributes:
        at: index of the first period after the change.
        ratio_before: observed over expected before it.
        ratio_after: observed over expected from it on.
        log_likelihood_ratio: of the split against no change.
        p_value: Monte-Carlo, over all possible splits.
    """

    at: int
    ratio_before: float
    ratio_after: float
    log_likelihood_ratio: float
    p_value: float


def change_point(
    observed: ArrayLike, expected: ArrayLike, *, draws: int = DRAWS, seed: int = SEED
) -> ChangePoint | None:
    """Where the ratio of observed to expected changes most, with a p-value that counts every possible place.

    Poisson counts with one ratio before the split and another after; given their sum, counts without a change are
    multinomial in the proportions of the expectations, which gives the null distribution of the largest ratio.
    Source: Worsley, Biometrika 1986;73:91 (exponential family); the p-value is simulated.

    Args:
        observed: counts of consecutive periods [periods].
        expected: expected counts of the same periods [periods], above 0.
        draws: of the null distribution.
        seed: the same seed gives the same p-value.

    Returns:
        The best split, or None when there is a single period or no report.

    Raises:
        InputError: shapes that differ, a negative count, an expectation not above 0.
    """
    o, e = counts("observed", observed), numbers("expected", expected, above=0.0)
    if o.ndim != 1 or o.shape != e.shape:
        raise InputError(
            Text("attendu deux listes de même longueur", "two lists of the same length are expected"), "observed"
        )
    if o.size < 2 or o.sum() == 0:
        return None
    ratio = _splits(o[None, :], e)[0]
    at = int(np.argmax(ratio))
    random = np.random.default_rng(seed)
    drawn = random.multinomial(int(o.sum()), e / e.sum(), size=draws).astype(np.float64)
    largest = _splits(drawn, e).max(axis=1)
    reached = int((largest >= ratio[at] * (1 - 1e-12)).sum())
    return ChangePoint(
        at + 1,
        float(o[: at + 1].sum() / e[: at + 1].sum()),
        float(o[at + 1 :].sum() / e[at + 1 :].sum()),
        float(ratio[at]),
        (1 + reached) / (1 + draws),
    )


def _splits(o: Floats, e: Floats) -> Floats:
    """Log-likelihood ratio of each split [series, periods - 1]."""
    from scipy.special import xlogy

    before, mean_before = np.cumsum(o, axis=1)[:, :-1], np.cumsum(e)[:-1]
    total, mean_total = o.sum(axis=1, keepdims=True), e.sum()
    after, mean_after = total - before, mean_total - mean_before
    gained = (
        xlogy(before, before / mean_before) + xlogy(after, after / mean_after) - xlogy(total, total / mean_total)
    )
    return np.asarray(np.maximum(gained, 0.0), dtype=np.float64)  # never below 0 but by rounding
