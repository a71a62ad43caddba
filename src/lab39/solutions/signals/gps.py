"""GPS: the Gamma-Poisson shrinker of DuMouchel. Scores of pairs, given the prior.

A pair's count is Poisson(λ·E); λ comes from a mixture of two gammas, the same for all pairs. Given the prior, the
posterior of λ is again such a mixture, and every score reads it: EBGM = exp E[log λ], its quantiles EB05 and EB95,
the probability that λ is at most 1.
Sources: DuMouchel, Am Stat 1999;53:177; DuMouchel and Pregibon, KDD 2001:67.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals.arrays import Estimate, Floats, Ints, by_count, numbers, same_shape

BISECTIONS = 200  # at most; a bracket halves each time a Newton step leaves it
TOLERANCE = 1e-13  # relative, of a quantile
NEWTON = 1e-7  # relative, of the last Newton step
_LEAST = float(np.finfo(np.float64).tiny)
_STRIDE = 64
_CHUNK = 250_000


@dataclass(frozen=True, slots=True)
class Prior:
    """θ: a mixture of two gammas for λ, the ratio of the count to its expectation.

    Attributes:
        alpha1: shape of the first component (by convention the one of larger mean).
        beta1: rate of the first component.
        alpha2: shape of the second component.
        beta2: rate of the second component.
        p: share of the first component, in [0, 1].
    """

    alpha1: float
    beta1: float
    alpha2: float
    beta2: float
    p: float

    def __post_init__(self) -> None:
        shapes = (self.alpha1, self.beta1, self.alpha2, self.beta2)
        if not (all(np.isfinite(x) and x > 0 for x in shapes) and 0 <= self.p <= 1):
            raise InputError(
                Text(
                    "attendu alpha1, beta1, alpha2, beta2 > 0 et 0 ≤ p ≤ 1",
                    "alpha1, beta1, alpha2, beta2 > 0 and 0 ≤ p ≤ 1 are expected",
                ),
                "prior",
            )

    @property
    def mean(self) -> float:
        """E[λ]."""
        return self.p * self.alpha1 / self.beta1 + (1 - self.p) * self.alpha2 / self.beta2

    def ordered(self) -> Prior:
        """The same mixture, the component of larger mean first."""
        if self.alpha1 / self.beta1 >= self.alpha2 / self.beta2:
            return self
        return Prior(self.alpha2, self.beta2, self.alpha1, self.beta1, 1 - self.p)


def first_share(prior: Prior, observed: ArrayLike, expected: ArrayLike) -> Floats:
    """Q: posterior probability that λ comes from the first component.

    Args:
        prior: θ.
        observed: counts, any shape.
        expected: expected counts, above 0.

    Raises:
        InputError: a negative count or an expectation that is not above 0.
    """
    n, e = _pairs(observed, expected)
    return _share(prior, n, e)


def ebgm(prior: Prior, observed: ArrayLike, expected: ArrayLike) -> Floats:
    """EBGM = exp E[log λ | n]: the empirical Bayes geometric mean, shrunk toward the prior.

    Raises:
        InputError: a negative count or an expectation that is not above 0.
    """
    n, e = _pairs(observed, expected)
    return _ebgm(prior, n, e, _share(prior, n, e))


def quantile(prior: Prior, observed: ArrayLike, expected: ArrayLike, probability: float) -> Floats:
    """A quantile of the posterior of λ: 0.05 is EB05, 0.95 is EB95.

    Bisection of the mixture's distribution function (``scipy.special.gammainc``) on all pairs at once, in log λ;
    a Newton step is taken when it falls inside the bracket.

    Raises:
        InputError: a negative count, an expectation not above 0, a probability outside (0, 1).
    """
    if not 0 < probability < 1:
        raise InputError(
            Text("attendu un nombre entre 0 et 1", "a number between 0 and 1 is expected"), "probability"
        )
    n, e = _pairs(observed, expected)
    return _quantile(prior, n, e, _share(prior, n, e), probability)


def null_probability(prior: Prior, observed: ArrayLike, expected: ArrayLike, *, ratio: float = 1.0) -> Floats:
    """P(λ ≤ ratio | n): the posterior probability that the pair is not reported more than expected.

    Raises:
        InputError: a negative count, an expectation or a ratio that is not above 0.
    """
    n, e = _pairs(observed, expected)
    numbers("ratio", ratio, above=0.0)
    return _below(prior, n, e, _share(prior, n, e), ratio)


@dataclass(frozen=True, slots=True)
class Scores:
    """What GPS says of each pair, arrays of one shape.

    Attributes:
        ebgm: with EB05 as ``low`` and EB95 as ``high``.
        first: Q, posterior probability of the first component.
        null: P(λ ≤ 1 | n).
    """

    ebgm: Estimate
    first: Floats
    null: Floats


def scores(prior: Prior, observed: ArrayLike, expected: ArrayLike) -> Scores:
    """Every score at once; pairs with the same count and expectation are worked out once.

    Raises:
        InputError: a negative count or an expectation that is not above 0.
    """
    n, e = _pairs(observed, expected)
    shape = n.shape
    kinds, which = _distinct(n.ravel(), e.ravel())
    n, e = n.ravel()[kinds], e.ravel()[kinds]
    made = [np.empty(n.size) for _ in range(5)]
    for begin in range(0, n.size, _CHUNK):
        part = slice(begin, begin + _CHUNK)
        q = _share(prior, n[part], e[part])
        for column, values in zip(
            made,
            (
                _ebgm(prior, n[part], e[part], q),
                _quantile_sorted(prior, n[part], e[part], q, 0.05),
                _quantile_sorted(prior, n[part], e[part], q, 0.95),
                q,
                _below(prior, n[part], e[part], q, 1.0),
            ),
            strict=True,
        ):
            column[part] = values
    value, low, high, first, null = (column[which].reshape(shape) for column in made)
    return Scores(Estimate(value, low, high), first, null)


def _pairs(observed: ArrayLike, expected: ArrayLike) -> tuple[Floats, Floats]:
    n, e = same_shape(numbers("observed", observed, least=0.0), numbers("expected", expected, above=0.0))
    return n, e


def _distinct(n: Floats, e: Floats) -> tuple[Ints, Ints]:
    """Where each distinct (n, e) first stands, and which one each pair is."""
    order = np.lexsort((e, n))
    new = np.empty(n.size, dtype=bool)
    new[:1] = True
    new[1:] = (np.diff(n[order]) != 0) | (np.diff(e[order]) != 0)
    which = np.empty(n.size, dtype=np.int64)
    which[order] = np.cumsum(new) - 1
    return order[new], which


def log_negative_binomial(n: Floats, e: Floats, alpha: float, beta: float) -> Floats:
    """log P(n) when λ is Gamma(alpha, rate beta) and n is Poisson(λ·e)."""
    (ratio,) = by_count(n, lambda k: special.gammaln(k + alpha) - special.gammaln(alpha) - special.gammaln(k + 1))
    rate = np.log1p(e / beta)
    return np.asarray(ratio - alpha * rate + n * (np.log(e / beta) - rate), dtype=np.float64)


def _share(prior: Prior, n: Floats, e: Floats) -> Floats:
    if prior.p in (0.0, 1.0):
        return np.full(n.shape, prior.p)
    first = log_negative_binomial(n, e, prior.alpha1, prior.beta1)
    second = log_negative_binomial(n, e, prior.alpha2, prior.beta2)
    odds = np.log(prior.p) - np.log1p(-prior.p) + first - second
    return np.asarray(special.expit(odds), dtype=np.float64)


def _ebgm(prior: Prior, n: Floats, e: Floats, q: Floats) -> Floats:
    first, second = by_count(
        n, lambda k: special.digamma(prior.alpha1 + k), lambda k: special.digamma(prior.alpha2 + k)
    )
    first, second = first - np.log(prior.beta1 + e), second - np.log(prior.beta2 + e)
    return np.asarray(np.exp(q * first + (1 - q) * second), dtype=np.float64)


def _below(prior: Prior, n: Floats, e: Floats, q: Floats, x: Floats | float) -> Floats:
    first = special.gammainc(prior.alpha1 + n, x * (prior.beta1 + e))
    second = special.gammainc(prior.alpha2 + n, x * (prior.beta2 + e))
    return np.asarray(q * first + (1 - q) * second, dtype=np.float64)


def _quantile(prior: Prior, n: Floats, e: Floats, q: Floats, probability: float) -> Floats:
    shape = n.shape
    kinds, which = _distinct(n.ravel(), e.ravel())
    made = _quantile_sorted(prior, n.ravel()[kinds], e.ravel()[kinds], q.ravel()[kinds], probability)
    return np.asarray(made[which].reshape(shape), dtype=np.float64)


def _quantile_sorted(prior: Prior, n: Floats, e: Floats, q: Floats, probability: float) -> Floats:
    """Quantiles of pairs sorted by count, then expectation.

    Neighbours of one count have neighbouring quantiles: some are solved from scratch, and the others start from the
    straight line between these, one Newton step away from their root.
    """
    low, high = _bracket(prior, n, e, probability)
    start = (
        q * high + (1 - q) * low
        if prior.alpha1 / prior.beta1 > prior.alpha2 / prior.beta2
        else (q * low + (1 - q) * high)
    )
    if n.size > 4 * _STRIDE:
        last = np.append(np.flatnonzero(np.diff(n)), n.size - 1)
        first = np.append(0, last[:-1] + 1)
        knots = np.unique(np.concatenate((np.arange(0, n.size, _STRIDE), first, last)))
        solved = _solve(prior, n[knots], e[knots], q[knots], probability, low[knots], high[knots], start[knots])
        # log E grows within a count; a step between counts keeps the abscissa increasing over all of them
        rank = np.repeat(np.arange(first.size), last - first + 1)
        at = np.log(e) + rank * (np.log(e).max() - np.log(e).min() + 1.0)
        start = np.clip(np.interp(at, at[knots], solved), low, high)
    return np.asarray(np.exp(_solve(prior, n, e, q, probability, low, high, start)), dtype=np.float64)


def _bracket(prior: Prior, n: Floats, e: Floats, probability: float) -> tuple[Floats, Floats]:
    """The logarithm of the mixture's quantile lies between those of its components.

    A quantile too small for a number (a shape of a few thousandths, no report) is the smallest one.
    """
    first, second = by_count(
        n,
        lambda k: np.log(np.maximum(special.gammaincinv(prior.alpha1 + k, probability), _LEAST)),
        lambda k: np.log(np.maximum(special.gammaincinv(prior.alpha2 + k, probability), _LEAST)),
    )
    first, second = first - np.log(prior.beta1 + e), second - np.log(prior.beta2 + e)
    return np.minimum(first, second), np.maximum(first, second)


def _solve(
    prior: Prior, n: Floats, e: Floats, q: Floats, probability: float, low: Floats, high: Floats, start: Floats
) -> Floats:
    """Bisection of all pairs at once, safeguarded Newton steps where they stay in the bracket; logarithms of λ."""
    x, low, high = start.copy(), low.copy(), high.copy()
    components = []
    for alpha, beta, weight in ((prior.alpha1, prior.beta1, q), (prior.alpha2, prior.beta2, 1 - q)):
        (top,) = by_count(n, lambda k, alpha=alpha: special.gammaln(alpha + k))  # type: ignore[misc]
        components.append((weight, alpha + n, beta + e, np.log(beta + e), top))
    left = np.flatnonzero(high - low > TOLERANCE)
    for _ in range(BISECTIONS):
        if not left.size:
            break
        at = x[left]
        lam = np.exp(at)
        value = np.full(left.size, -probability)
        slope = np.zeros(left.size)
        for weight, shape, rate, log_rate, top in components:
            share, a, scaled = weight[left], shape[left], rate[left] * lam
            seen = share > 1e-18
            value += share * np.where(seen, special.gammainc(a, np.where(seen, scaled, 1.0)), 0.0)
            slope += share * np.exp(a * (log_rate[left] + at) - scaled - top[left])
        over = value > 0
        high[left] = np.where(over, at, high[left])
        low[left] = np.where(over, low[left], at)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            newton = at - value / slope
        inside = (newton > low[left]) & (newton < high[left])
        new = np.where(inside, newton, (low[left] + high[left]) / 2)
        x[left] = new
        # a Newton step squares the error: below its own small size nothing is left to gain
        done = (inside & (np.abs(new - at) < NEWTON)) | (high[left] - low[left] < TOLERANCE)
        left = left[~done]
    return x
