"""MaxSPRT for Poisson counts: looking at a signal as often as one likes without more false alarms.

Source: Kulldorff, Davis, Kolczak, Lewis, Lieu, Platt. Sequential Analysis 2011;30:58. The critical value is
computed, not looked up: under the null the events are a Poisson process in the scale of expected counts, and the
probability that it ever crosses the boundary is followed event by event.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals.arrays import Floats, counts, numbers, same_shape


@dataclass(frozen=True, slots=True)
class Surveillance:
    """A sequence of looks.

    Attributes:
        log_likelihood_ratio: at each look [looks].
        critical_value: the boundary.
        signal_at: index of the first look that reaches it, or None.
    """

    log_likelihood_ratio: Floats
    critical_value: float
    signal_at: int | None


def log_likelihood_ratio(observed: ArrayLike, expected: ArrayLike) -> Floats:
    """n log(n/μ) - (n - μ), 0 unless n exceeds μ.

    Raises:
        InputError: a count that is not whole, an expectation that is not above 0.
    """
    from scipy.special import xlogy

    n, mu = same_shape(counts("observed", observed), numbers("expected", expected, above=0.0))
    return np.asarray(np.where(n > mu, xlogy(n, n / mu) - (n - mu), 0.0), dtype=np.float64)


def critical_value(upper_limit: float, *, alpha: float = 0.05, minimum_events: int = 1) -> float:
    """Critical value of the log-likelihood ratio under continuous looks.

    Args:
        upper_limit: expected number of events at which surveillance ends without a signal, in (0, 1000].
        alpha: probability of a false alarm over the whole surveillance, in (0, 0.5).
        minimum_events: no signal before this many events.

    Returns:
        The value whose probability of ever being reached under the null is ``alpha``. With few expected events and
        ``minimum_events`` above 1 no boundary may reach ``alpha``; then the test cannot be made so and an
        error says it.

    Raises:
        InputError: a number outside its range, or no such boundary.
    """
    if not 0 < upper_limit <= 1000 or not 0 < alpha < 0.5 or minimum_events < 1:
        raise InputError(
            Text(
                "attendu 0 < upper_limit ≤ 1000, 0 < alpha < 0,5 et minimum_events ≥ 1",
                "0 < upper_limit ≤ 1000, 0 < alpha < 0.5 and minimum_events ≥ 1 are expected",
            ),
            "critical_value",
        )
    return _critical_value(float(upper_limit), float(alpha), int(minimum_events))


def false_alarm_probability(critical: float, upper_limit: float, *, minimum_events: int = 1) -> float:
    """Probability under the null that the log-likelihood ratio ever reaches ``critical``.

    Event n makes a signal when it comes no later than τ(n), the expected count at which n events are just enough.
    The number of events at τ(1) < τ(2) < … is followed without the paths that have crossed.

    Raises:
        InputError: a number that is not above 0.
    """
    numbers("critical", critical, above=0.0)
    numbers("upper_limit", upper_limit, above=0.0)
    return 1.0 - _never(critical, upper_limit, minimum_events)


def surveil(
    observed: ArrayLike, expected: ArrayLike, upper_limit: float, *, alpha: float = 0.05, minimum_events: int = 1
) -> Surveillance:
    """Cumulative counts against cumulative expectations, look after look.

    Args:
        observed: cumulative counts [looks], never falling.
        expected: cumulative expected counts [looks], never falling; looks beyond ``upper_limit`` do not count.
        upper_limit: see :func:`critical_value`.
        alpha: probability of a false alarm over the whole surveillance.
        minimum_events: no signal before this many events.

    Raises:
        InputError: no list, counts that fall, or the errors of :func:`critical_value`.
    """
    n, mu = same_shape(counts("observed", observed), numbers("expected", expected, above=0.0))
    if n.ndim != 1:
        raise InputError(Text("attendu une liste de cumuls", "a list of cumulative counts is expected"), "observed")
    for name, values in (("observed", n), ("expected", mu)):
        if (np.diff(values) < 0).any():
            raise InputError(Text("attendu des cumuls", "cumulative counts are expected"), name)
    critical = critical_value(upper_limit, alpha=alpha, minimum_events=minimum_events)
    ratio = log_likelihood_ratio(n, mu)
    over = np.flatnonzero((ratio >= critical) & (n >= minimum_events) & (mu <= upper_limit))
    return Surveillance(ratio, critical, int(over[0]) if over.size else None)


@lru_cache(maxsize=256)
def _critical_value(upper_limit: float, alpha: float, minimum_events: int) -> float:
    from scipy.optimize import brentq

    low, high = 1e-6, 60.0
    if 1.0 - _never(low, upper_limit, minimum_events) < alpha:
        raise InputError(
            Text(
                "aucune borne n'atteint ce risque\u202f: augmentez upper_limit ou baissez minimum_events",
                "no boundary reaches this risk: raise upper_limit or lower minimum_events",
            ),
            "critical_value",
        )
    return float(
        brentq(lambda cv: 1.0 - _never(cv, upper_limit, minimum_events) - alpha, low, high, xtol=1e-10, rtol=1e-12)
    )


def _never(critical: float, upper_limit: float, minimum_events: int) -> float:
    """Probability that the process never crosses before ``upper_limit``."""
    from scipy.special import gammaln

    at = np.array([1.0])  # at[k]: probability of k events now and no crossing so far
    now, n = 0.0, minimum_events
    while True:
        until = min(_latest(n, critical), upper_limit)
        mean = until - now
        if mean > 0:
            k = np.arange(min(n, int(mean + 12 * mean**0.5) + 40))  # more arrivals than these: below 1e-20
            arrivals = np.exp(k * np.log(mean) - mean - gammaln(k + 1))
            at = np.convolve(at, arrivals)[:n]  # n events by now would have crossed
        else:
            at = at[:n]
        now = until
        if now >= upper_limit:
            return float(at.sum())
        n += 1


def _latest(n: int, critical: float) -> float:
    """τ(n): the largest expected count at which n events reach the critical value."""
    from scipy.special import lambertw

    # n log(n/μ) - n + μ = c  with μ = n·r:  r - 1 - log r = c/n  with r < 1:  r = -W0(-exp(-1 - c/n))
    return float(n * -lambertw(-np.exp(-1.0 - critical / n)).real)
