"""Fitting the prior of GPS by maximum likelihood: two likelihoods by name, weak prior, several starts.

``components`` truncates each component on its own, as the R package openEBGM does; ``mixture`` truncates the
mixture, which is the likelihood of counts that are seen only from ``least`` on; with unreported pairs nothing is
truncated and both names mean the same. The zero-truncated likelihood is weakly identified, with several optima:
the fit starts from many places, a weak prior keeps each parameter off 0 and infinity, and an answer counts only
when two starts agree on the best optimum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from scipy import special

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals.arrays import CannotFitError, Floats, by_count
from lab39.solutions.signals.gps import Prior
from lab39.solutions.signals.squash import Points

Likelihood = Literal["components", "mixture"]

STARTS = (  # (alpha1, beta1, alpha2, beta2, p)
    (0.2, 0.1, 2.0, 4.0, 1 / 3),  # DuMouchel 1999
    (3.0, 0.5, 2.0, 2.0, 0.1),
    (1.0, 0.2, 1.0, 1.0, 0.3),
    (0.5, 0.1, 5.0, 5.0, 0.2),
    (2.0, 1.0, 0.5, 1.0, 0.5),
    (10.0, 5.0, 1.0, 1.0, 0.05),
    (0.1, 0.02, 0.8, 0.5, 0.1),
    (5.0, 0.5, 10.0, 10.0, 0.02),
)
PRIOR_SD = 10.0  # of each log parameter and of logit p: one e-fold costs 0.005 of log-likelihood
FARTHEST = 14.0  # no logarithm beyond; the weak prior holds long before
AGREE_NLL = 1e-5  # two optima are the same: difference of the objective…
AGREE_THETA = 2e-2  # …and of each transformed parameter


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted prior.

    Attributes:
        prior: θ, the component of larger mean first.
        nll: negative log-likelihood at θ, without the weak prior.
        likelihood: which likelihood.
        least: smallest count used; 0 when unreported pairs were given.
        agreeing: starts that reached this optimum (at least 2).
        starts: starts tried.
        points: points that the fit saw after squashing.
    """

    prior: Prior
    nll: float
    likelihood: Likelihood
    least: int
    agreeing: int
    starts: int
    points: int


class _Optimum(NamedTuple):
    objective: float
    x: Floats


def negative_log_likelihood(
    prior: Prior, data: Points, *, likelihood: Likelihood = "components", least: int = 1
) -> float:
    """-log L of weighted points.

    Args:
        prior: θ.
        data: points with counts of at least ``least``.
        likelihood: ``components`` or ``mixture``.
        least: counts are seen only from this one on; 0 means that nothing is truncated.

    Raises:
        InputError: an unknown name, or points below ``least``.
    """
    _check(data, likelihood, least)
    value, _ = _objective(_transformed(prior), data, likelihood, least)
    return value


def fit(data: Points, *, likelihood: Likelihood = "components", least: int | None = None) -> Fit:
    """Fit the prior.

    Args:
        data: weighted points (see ``squash``); with points of count 0 nothing is truncated.
        likelihood: ``components`` (openEBGM's) or ``mixture``.
        least: smallest count used; by default the smallest of the data, at most 1.

    Returns:
        The best optimum that two starts reach.

    Raises:
        CannotFitError: fewer than 20 pairs, all reported counts equal, or no two starts agree.
        InputError: an unknown name, or points below ``least``.
    """
    if least is None:
        least = 0 if (data.n == 0).any() else 1
    _check(data, likelihood, least)
    _fittable(data)
    found: list[_Optimum] = []
    for start in STARTS:
        optimum = _descend(_transformed(Prior(*start)), data, likelihood, least)
        if optimum is not None:
            found.append(optimum)
        best = _agreeing(found)
        if len(best) >= 2 and len(found) >= len(STARTS) // 2:
            break
    best = _agreeing(found)
    if len(best) < 2:
        raise CannotFitError(
            Text(
                "GPS ne peut pas s'ajuster\u202f: deux départs n'atteignent pas le même optimum. Utilisez IC, PRR "
                "ou ROR, ou donnez davantage de notifications",
                "GPS cannot fit: no two starts reach the same optimum. Use IC, PRR or ROR, or give more reports",
            )
        )
    prior = _prior(min(best, key=lambda each: each.objective).x).ordered()
    nll, _ = _objective(_transformed(prior), data, likelihood, least)
    return Fit(prior, nll, likelihood, least, len(best), len(found), data.n.size)


def _check(data: Points, likelihood: str, least: int) -> None:
    if likelihood not in ("components", "mixture"):
        raise InputError(
            Text(
                f"vraisemblance inconnue\u202f: {likelihood} (attendu\u202f: components, mixture)",
                f"unknown likelihood: {likelihood} (expected: components, mixture)",
            ),
            "likelihood",
        )
    if data.n.size and data.n.min() < least:
        raise InputError(
            Text(
                f"des effectifs sont inférieurs au plus petit annoncé, {least}",
                f"some counts are below the smallest one stated, {least}",
            ),
            "least",
        )


def _fittable(data: Points) -> None:
    reported = data.n > 0
    if data.weight[reported].sum() < 20:
        raise CannotFitError(
            Text(
                "GPS ne peut pas s'ajuster\u202f: moins de 20 couples notifiés. Utilisez IC, PRR ou ROR",
                "GPS cannot fit: fewer than 20 reported pairs. Use IC, PRR or ROR",
            )
        )
    if np.unique(data.n[reported]).size < 2:
        each = int(data.n[reported][0])
        raise CannotFitError(
            Text(
                f"GPS ne peut pas s'ajuster\u202f: tous les couples ont le même effectif, {each}. "
                "Utilisez IC, PRR ou ROR",
                f"GPS cannot fit: every pair has the same count, {each}. Use IC, PRR or ROR",
            )
        )


def _descend(x: Floats, data: Points, likelihood: Likelihood, least: int) -> _Optimum | None:
    from scipy.optimize import minimize

    def penalised(at: Floats) -> tuple[float, Floats]:
        value, slope = _objective(at, data, likelihood, least)
        return value + float((at * at).sum()) / (2 * PRIOR_SD**2), slope + at / PRIOR_SD**2

    done = minimize(
        penalised,
        x,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-FARTHEST, FARTHEST)] * 5,
        options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-6, "maxcor": 20},
    )
    if not np.isfinite(done.fun):
        return None
    return _Optimum(float(done.fun), _transformed(_prior(np.asarray(done.x)).ordered()))


def _agreeing(found: list[_Optimum]) -> list[_Optimum]:
    """The optima that are the best one."""
    if not found:
        return []
    best = min(found, key=lambda each: each.objective)
    return [
        each
        for each in found
        if each.objective - best.objective <= AGREE_NLL * (1 + abs(best.objective) * 1e-3)
        and np.abs(each.x - best.x).max() <= AGREE_THETA
    ]


def _transformed(prior: Prior) -> Floats:
    """Logarithms of the shapes and rates, logit of the share."""
    p = min(max(prior.p, 1e-12), 1 - 1e-12)
    shapes = np.log([prior.alpha1, prior.beta1, prior.alpha2, prior.beta2])
    return np.append(shapes, np.log(p) - np.log1p(-p))


def _prior(x: Floats) -> Prior:
    a1, b1, a2, b2 = (float(each) for each in np.exp(x[:4]))
    return Prior(a1, b1, a2, b2, float(special.expit(x[4])))


class _Component(NamedTuple):
    """log P(n) of one component and log of what truncation leaves, with slopes in log shape and log rate."""

    log: Floats
    slope: Floats
    cut: Floats
    cut_slope: Floats


def _component(alpha: float, beta: float, data: Points, least: int) -> _Component:
    rate = np.log1p(data.e / beta)
    odds = np.log(data.e / beta) - rate
    share = data.e / (beta + data.e)

    def at(n: Floats, ratio: Floats, psi: Floats) -> tuple[Floats, Floats]:
        log = ratio - alpha * rate + n * odds
        return log, np.stack((alpha * (psi - rate), alpha * share - n * (1 - share)))

    ratios, psis = by_count(
        data.n,
        lambda k: special.gammaln(k + alpha) - special.gammaln(alpha) - special.gammaln(k + 1),
        lambda k: special.digamma(k + alpha) - special.digamma(alpha),
    )
    log, slope = at(data.n, ratios, psis)
    if least == 0:
        none = np.zeros_like(log)
        return _Component(log, slope, none, np.zeros_like(slope))
    below = np.zeros_like(log)
    below_slope = np.zeros_like(slope)
    for k in range(least):
        ratio = special.gammaln(k + alpha) - special.gammaln(alpha) - special.gammaln(k + 1)
        psi = special.digamma(k + alpha) - special.digamma(alpha)
        each, each_slope = at(np.full_like(log, k), np.full_like(log, ratio), np.full_like(log, psi))
        below += np.exp(each)
        below_slope += np.exp(each) * each_slope
    left = -np.expm1(-alpha * rate) if least == 1 else 1 - below  # 1 - P(0) without cancellation
    return _Component(log, slope, np.log(np.maximum(left, 1e-300)), -below_slope / np.maximum(left, 1e-300))


def _objective(x: Floats, data: Points, likelihood: Likelihood, least: int) -> tuple[float, Floats]:
    """-log L and its slope in the transformed parameters."""
    prior = _prior(x)
    p = prior.p
    log_p, log_rest = -np.logaddexp(0.0, -x[4]), -np.logaddexp(0.0, x[4])
    first = _component(prior.alpha1, prior.beta1, data, least)
    second = _component(prior.alpha2, prior.beta2, data, least)
    apart = likelihood == "components"
    one = log_p + first.log - (first.cut if apart else 0.0)
    two = log_rest + second.log - (second.cut if apart else 0.0)
    log = np.logaddexp(one, two)
    q = np.exp(one - log)
    slope = np.empty(5)
    kept = (
        (first.slope - first.cut_slope, second.slope - second.cut_slope) if apart else (first.slope, second.slope)
    )
    parts = [q * kept[0], (1 - q) * kept[1]]
    share = q - p
    if not apart and least:
        left = p * np.exp(first.cut) + (1 - p) * np.exp(second.cut)
        log = log - np.log(left)
        w = p * np.exp(first.cut) / left
        parts = [parts[0] - w * first.cut_slope, parts[1] - (1 - w) * second.cut_slope]
        share = q - w
    # sums rather than products of matrices: those wake every thread of the linear algebra for a few kilobytes
    slope[:2] = (parts[0] * data.weight).sum(axis=1)
    slope[2:4] = (parts[1] * data.weight).sum(axis=1)
    slope[4] = (share * data.weight).sum()
    return -float((log * data.weight).sum()), -slope
