"""Time to onset: a Weibull distribution whose shape tells how the hazard moves after the drug is started.

A shape below 1 means that the reaction comes early (the hazard falls), 1 that it comes at any time, above 1 that it
comes late. Onset is recorded in whole days: a reaction "on day t" happened between t and t + 1, so day 0 counts and
needs no invented half-day.
Source of the use in case reports: Sauzet et al. Front Pharmacol 2013;4:84; the likelihood of intervals is the usual
one (Lawless, Statistical models and methods for lifetime data, 2003, section 3.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals.arrays import CannotFitError, Floats, numbers

LEAST = 10
WIDEST = 50.0
"""Half-width of an interval, on the scale of natural logarithms, beyond which a parameter is not known."""


@dataclass(frozen=True, slots=True)
class Onset:
    """A fitted Weibull distribution.

    Attributes:
        shape: with the ends of its interval.
        shape_low: lower end.
        shape_high: upper end.
        scale_days: the 63.2nd percentile, with the ends of its interval.
        scale_low_days: lower end.
        scale_high_days: upper end.
        median_days: of the fitted distribution.
        n: reports with a known onset.
        hazard: ``early`` when the interval of the shape is below 1, ``late`` when above, else ``any-time``.
    """

    shape: float
    shape_low: float
    shape_high: float
    scale_days: float
    scale_low_days: float
    scale_high_days: float
    median_days: float
    n: int
    hazard: Literal["early", "any-time", "late"]


def weibull(onset_days: ArrayLike, *, resolution_days: float = 1.0, level: float = 0.95) -> Onset:
    """Fit by maximum likelihood, interval of each parameter from the information matrix on the log scale.

    Reports are not truncated on the right here: with a drug marketed for a short time, late reactions have not yet
    been seen, and the shape is biased upward (see Leroy et al. Drug Saf 2014;37:553).

    Args:
        onset_days: days between the start of the drug and the reaction [reports], at least 0.
        resolution_days: a recorded value stands for [t, t + resolution); 0 takes values as exact (then above 0).
        level: of the intervals.

    Raises:
        CannotFitError: fewer than 10 reports, all in one interval or in two that touch (any steep enough curve fits
            these: no shape is the likeliest), or delays that leave the shape unknown.
        InputError: a negative number of days, or 0 with ``resolution_days`` 0, a level outside (0, 1).
    """
    from scipy.optimize import minimize
    from scipy.special import ndtri

    if not 0 < level < 1 or resolution_days < 0:
        raise InputError(
            Text(
                "attendu 0 < level < 1 et resolution_days ≥ 0", "0 < level < 1 and resolution_days ≥ 0 are expected"
            ),
            "weibull",
        )
    days = (
        numbers("onset_days", onset_days, least=0.0)
        if resolution_days
        else numbers("onset_days", onset_days, above=0.0)
    ).ravel()
    if days.size < LEAST or np.unique(days).size < 2:
        raise CannotFitError(
            Text(
                f"délai de survenue\u202f: il faut au moins {LEAST} notifications, de délais différents "
                f"(ici {days.size})",
                f"time to onset: at least {LEAST} reports of different delays are needed (here {days.size})",
            ),
            "onset_days",
        )
    kinds, many = np.unique(days, return_counts=True)
    if kinds.size == 2 and kinds[1] - kinds[0] <= resolution_days:
        raise CannotFitError(
            Text(
                "délai de survenue\u202f: tous les délais tiennent en deux jours qui se suivent, ce qui ne dit pas "
                "la forme",
                "time to onset: every delay is on one of two consecutive days, which does not tell the shape",
            ),
            "onset_days",
        )

    def objective(x: Floats) -> float:
        return _minus_log_likelihood(x, kinds, many.astype(np.float64), resolution_days)

    middle = np.log(np.average(kinds + resolution_days / 2, weights=many))
    tried = [
        minimize(objective, [np.log(shape), middle], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-10})
        for shape in (0.7, 1.5)
    ]
    best = min(tried, key=lambda done: float(done.fun))
    x = np.asarray(best.x, dtype=np.float64)
    information = _curvature(objective, x)
    z = float(-ndtri((1 - level) / 2))
    known = np.isfinite(best.fun) and np.linalg.eigvalsh(information).min() > 0
    error = np.sqrt(np.diag(np.linalg.inv(information))) if known else np.full(2, np.inf)
    if not known or z * error.max() > WIDEST:
        raise CannotFitError(
            Text("délai de survenue\u202f: l'ajustement n'aboutit pas", "time to onset: the fit does not converge"),
            "onset_days",
        )
    (shape, scale), (low, scale_low), (high, scale_high) = np.exp(x), np.exp(x - z * error), np.exp(x + z * error)
    return Onset(
        float(shape),
        float(low),
        float(high),
        float(scale),
        float(scale_low),
        float(scale_high),
        float(scale * np.log(2) ** (1 / shape)),
        int(days.size),
        "early" if high < 1 else "late" if low > 1 else "any-time",
    )


def _minus_log_likelihood(x: Floats, days: Floats, many: Floats, resolution: float) -> float:
    with np.errstate(over="ignore", divide="ignore"):
        shape, log_scale = np.exp(x[0]), x[1]
        if resolution == 0:
            z = np.log(days) - log_scale
            log = x[0] - np.log(days) + shape * z - np.exp(shape * z)
        else:
            begin = np.exp(shape * (np.log(days) - log_scale))  # cumulative hazard at both ends
            end = np.exp(shape * (np.log(days + resolution) - log_scale))
            log = -begin + np.log(np.maximum(-np.expm1(-(end - begin)), 1e-300))
        value = -float(log @ many)
    return value if np.isfinite(value) else 1e300


def _curvature(objective, x: Floats, step: float = 1e-4) -> Floats:  # type: ignore[no-untyped-def]
    """Second differences of the objective: the observed information."""
    made = np.empty((2, 2))
    moves = np.eye(2) * step
    for i in range(2):
        for j in range(2):
            made[i, j] = (
                objective(x + moves[i] + moves[j])
                - objective(x + moves[i] - moves[j])
                - objective(x - moves[i] + moves[j])
                + objective(x - moves[i] - moves[j])
            ) / (4 * step * step)
    return (made + made.T) / 2
