"""Disproportionality of one drug-event pair: PRR, ROR, χ², information component, BCPNN.

Every function takes numbers of distinct reports and broadcasts: ``observed`` with drug and event, ``n_drug`` and
``n_event`` the margins, ``n_total`` the base. No answer is NaN or infinite. A zero cell makes a ratio or its
interval undefined; then, and only then, ½ is added to each of the four
(Haldane, Ann Hum Genet 1956;20:309; Anscombe, Biometrika 1956;43:461). A pair that nobody reported has ratio 0 and
lower end 0.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals.arrays import (
    LN2,
    Bools,
    Cells,
    Estimate,
    Floats,
    by_count,
    cells,
    counts,
    numbers,
    same_shape,
)

Bcpnn = Literal["bate-1998", "gould-2003"]

IC_SHRINKAGE = 0.5  # Norén, Hopstadius, Bate: Stat Methods Med Res 2013;22:57, eq. 2


def expected(n_drug: ArrayLike, n_event: ArrayLike, n_total: ArrayLike) -> Floats:
    """Expected number of reports if drug and event were independent: n_drug · n_event / n_total.

    Raises:
        InputError: a margin or the total is 0 or not a whole number.
    """
    drug, event, total = same_shape(
        counts("n_drug", n_drug), counts("n_event", n_event), counts("n_total", n_total)
    )
    for name, values in (("n_drug", drug), ("n_event", event), ("n_total", total)):
        numbers(name, values, above=0.0)
    return drug * event / total


def table_total(observed: ArrayLike, n_drug: ArrayLike, n_event: ArrayLike, n_total: ArrayLike) -> Floats:
    """The total of a 2 x 2 table of pairs that rows couple, so that no cell falls below 0.

    A report that has the drug and the event but does not couple them is in both margins and not in the pair. Where
    such reports are many (a base of one product), n_drug + n_event - observed exceeds the reports of the base: the
    cell of reports with neither is then 0. The total is unchanged everywhere else.
    """
    n, drug, event, total = same_shape(
        counts("observed", observed),
        counts("n_drug", n_drug),
        counts("n_event", n_event),
        counts("n_total", n_total),
    )
    return np.maximum(total, drug + event - n)


def prr(
    observed: ArrayLike, n_drug: ArrayLike, n_event: ArrayLike, n_total: ArrayLike, *, level: float = 0.95
) -> Estimate:
    """Proportional reporting ratio (a/(a+b)) / (c/(c+d)), with its log-normal interval.

    Source: Evans, Waller, Davis. Pharmacoepidemiol Drug Saf 2001;10:483. The standard error of the logarithm is
    √(1/a - 1/(a+b) + 1/c - 1/(c+d)).

    Raises:
        InputError: counts that contradict each other, or a level outside (0, 1).
    """
    return _prr(cells(observed, n_drug, n_event, n_total), _normal(level))


def ror(
    observed: ArrayLike, n_drug: ArrayLike, n_event: ArrayLike, n_total: ArrayLike, *, level: float = 0.95
) -> Estimate:
    """Reporting odds ratio a·d / (b·c) with Woolf's interval.

    Sources: van Puijenbroek et al. Pharmacoepidemiol Drug Saf 2002;11:3; Woolf, Ann Hum Genet 1955;19:251.
    The standard error of the logarithm is √(1/a + 1/b + 1/c + 1/d).

    Raises:
        InputError: counts that contradict each other, or a level outside (0, 1).
    """
    return _ror(cells(observed, n_drug, n_event, n_total), _normal(level))


def chi2_yates(observed: ArrayLike, n_drug: ArrayLike, n_event: ArrayLike, n_total: ArrayLike) -> Floats:
    """χ² of the 2 x 2 table with Yates's correction, one degree of freedom; 0 where a margin leaves no contrast.

    Source: Yates, Suppl J R Stat Soc 1934;1:217. The correction never takes the difference below 0.

    Raises:
        InputError: counts that contradict each other.
    """
    return _chi2(cells(observed, n_drug, n_event, n_total))


def ic(
    observed: ArrayLike, expected: ArrayLike, *, level: float = 0.95, shrinkage: float = IC_SHRINKAGE
) -> Estimate:
    """Information component log2((O + ½) / (E + ½)), with the quantiles of a Gamma(O + ½, rate E + ½).

    ``low`` at level 0.95 is IC025. ``expected`` may come from any model: margins, strata, regression.
    Source: Norén, Hopstadius, Bate. Stat Methods Med Res 2013;22:57, sections 2.1 and 2.3.

    Raises:
        InputError: a negative count, an expectation or a shrinkage that is not above 0, a level outside (0, 1).
    """
    numbers("shrinkage", shrinkage, above=0.0)
    o, e = same_shape(numbers("observed", observed, least=0.0), numbers("expected", expected, above=0.0))
    tail = _tail(level)
    # The quantiles depend on the expectation only through its rate: one quantile for each distinct count.
    value, low, high = by_count(
        o,
        lambda kinds: np.log2(kinds + shrinkage),
        lambda kinds: np.log2(special.gammaincinv(kinds + shrinkage, tail)),
        lambda kinds: np.log2(special.gammainccinv(kinds + shrinkage, tail)),
    )
    below = np.log2(e + shrinkage)
    return Estimate(value - below, low - below, high - below)


def bcpnn(
    observed: ArrayLike,
    n_drug: ArrayLike,
    n_event: ArrayLike,
    n_total: ArrayLike,
    *,
    method: Bcpnn = "bate-1998",
    level: float = 0.95,
) -> Estimate:
    """Information component of the Bayesian confidence propagation neural network, beta priors, normal interval.

    Priors: p(drug) and p(event) Beta(1, 1); p(drug, event) Beta(1, γ - 1) with
    γ = (N + 2)² / ((n_drug + 1)(n_event + 1)), so that the prior mean of the IC is 0.

    Args:
        method: ``bate-1998`` is the first-order expectation and variance of Bate et al. (Eur J Clin Pharmacol
            1998;54:315; the formulas as restated by Xiao at nanx.me/rankv). ``gould-2003`` is the exact mean and
            variance of the three independent logarithms (Gould, Pharmacoepidemiol Drug Saf 2003;12:559).
        level: of the interval, mean ± z standard deviations. Bate et al. used z = 2 for 95 %; here z is 1.96.

    Raises:
        InputError: counts that contradict each other, an unknown method, a level outside (0, 1).
    """
    return _bcpnn(cells(observed, n_drug, n_event, n_total), method, _normal(level))


def _prr(t: Cells, z: float) -> Estimate:
    a, with_drug, c, without = _halved(t.a, t.a + t.b, t.c, t.c + t.d, zero=(t.a == 0) | (t.c == 0))
    error = np.sqrt(np.maximum(1 / a - 1 / with_drug + 1 / c - 1 / without, 0.0))
    return _log_normal((a / with_drug) / (c / without), error, z, never=t.a == 0)


def _halved(a: Floats, with_drug: Floats, c: Floats, without: Floats, zero: Bools) -> tuple[Floats, ...]:
    """The four numbers of a PRR, with ½ in each cell where one of those it needs is 0."""
    half = np.where(zero, 0.5, 0.0)
    return a + half, with_drug + 2 * half, c + half, without + 2 * half


def _ror(t: Cells, z: float) -> Estimate:
    half = np.where((t.a == 0) | (t.b == 0) | (t.c == 0) | (t.d == 0), 0.5, 0.0)
    a, b, c, d = t.a + half, t.b + half, t.c + half, t.d + half
    return _log_normal(a * d / (b * c), np.sqrt(1 / a + 1 / b + 1 / c + 1 / d), z, never=t.a == 0)


def _log_normal(ratio: Floats, error: Floats, z: float, never: Bools) -> Estimate:
    """exp(log ratio ± z·error); a pair that was never reported has ratio and lower end 0."""
    wide = np.exp(z * error)
    return Estimate(np.where(never, 0.0, ratio), np.where(never, 0.0, ratio / wide), ratio * wide)


def _chi2(t: Cells) -> Floats:
    total = t.a + t.b + t.c + t.d
    margins = (t.a + t.b) * (t.c + t.d) * ((t.a + t.c) * (t.b + t.d))
    apart = np.maximum(np.abs(t.a * t.d - t.b * t.c) - total / 2, 0.0)
    return np.divide(total * apart * apart, margins, out=np.zeros_like(margins), where=margins > 0)


def _bcpnn(t: Cells, method: Bcpnn, z: float) -> Estimate:
    n, drug, event = t.a + t.b + t.c + t.d, t.a + t.b, t.a + t.c
    gamma = (n + 2) ** 2 / ((drug + 1) * (event + 1))
    if method == "bate-1998":
        mean = np.log2((t.a + 1) * (n + 2) ** 2 / ((n + gamma) * (drug + 1) * (event + 1)))
        variance = (
            (n - t.a + gamma - 1) / ((t.a + 1) * (1 + n + gamma))
            + (n - drug + 1) / ((drug + 1) * (n + 3))
            + (n - event + 1) / ((event + 1) * (n + 3))
        ) / LN2**2
    elif method == "gould-2003":
        psi = special.digamma

        def trigamma(x: Floats) -> Floats:
            return np.asarray(special.polygamma(1, x), dtype=np.float64)

        mean = (psi(t.a + 1) - psi(n + gamma) - (psi(drug + 1) - psi(n + 2)) - (psi(event + 1) - psi(n + 2))) / LN2
        variance = (
            trigamma(t.a + 1) - trigamma(n + gamma) + trigamma(drug + 1) + trigamma(event + 1) - 2 * trigamma(n + 2)
        ) / LN2**2
    else:
        raise InputError(Text(f"méthode inconnue\u202f: {method}", f"unknown method: {method}"), "method")
    half = z * np.sqrt(variance)
    return Estimate(mean, mean - half, mean + half)


def _tail(level: float) -> float:
    if not 0 < level < 1:
        raise InputError(Text("attendu un nombre entre 0 et 1", "a number between 0 and 1 is expected"), "level")
    return (1 - level) / 2


def _normal(level: float) -> float:
    return float(-special.ndtri(_tail(level)))
