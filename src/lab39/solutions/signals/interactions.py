"""Ω: is an event reported more with two drugs together than each drug explains?

Source: Norén, Sundberg, Bate, Edwards. Stat Med 2008;27:3057. The reporting rates with neither drug, with
either one and with both are compared on the scale of odds; without interaction the odds add up, as an excess over
the background, and Ω = log2((n111 + ½) / (E111 + ½)) is above 0 when more is reported.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals.arrays import Estimate, Floats, counts, same_shape
from lab39.solutions.signals.disproportionality import ic


def expected_together(
    with_both: ArrayLike,
    event_first: ArrayLike,
    with_first: ArrayLike,
    event_second: ArrayLike,
    with_second: ArrayLike,
    event_neither: ArrayLike,
    with_neither: ArrayLike,
) -> Floats:
    """E111: reports of the event with both drugs if the drugs did not interact.

    g = 1 - 1 / (max(o0, o1) + max(o0, o2) - o0 + 1), o the odds of the event with neither drug, with the first
    only, with the second only; E111 = g · n11. A drug that protects does not lower the baseline.

    Args:
        with_both: n11, reports with both drugs.
        event_first: n101, reports of the event with the first drug and not the second.
        with_first: n10, reports with the first drug and not the second; likewise for the second and for neither.
        event_second: n011.
        with_second: n01.
        event_neither: n001.
        with_neither: n00, above 0.

    Raises:
        InputError: counts that are not whole or exceed their margin, no report with neither drug.
    """
    both, *parts = same_shape(
        counts("with_both", with_both),
        counts("event_first", event_first),
        counts("with_first", with_first),
        counts("event_second", event_second),
        counts("with_second", with_second),
        counts("event_neither", event_neither),
        counts("with_neither", with_neither),
    )
    events, margins = parts[0::2], parts[1::2]
    for name, event, margin in zip(("event_first", "event_second", "event_neither"), events, margins, strict=True):
        if (event > margin).any():
            raise InputError(Text("un effectif dépasse sa marge", "a count exceeds its margin"), name)
    if (margins[2] < 1).any():
        raise InputError(
            Text(
                "aucune notification sans l'un ni l'autre médicament\u202f: rien à comparer",
                "no report with neither drug: there is nothing to compare",
            ),
            "with_neither",
        )
    o1, o2, o0 = (_odds(event, margin) for event, margin in zip(events, margins, strict=True))
    with np.errstate(invalid="ignore"):
        total = np.maximum(o0, o1) + np.maximum(o0, o2) - o0 + 1
    g = np.where(np.isfinite(total), 1 - 1 / np.where(np.isfinite(total), total, 1.0), 1.0)
    return np.asarray(g * both, dtype=np.float64)


def omega(observed: ArrayLike, expected: ArrayLike, *, level: float = 0.95) -> Estimate:
    """Ω with the credibility interval of a Gamma(n111 + ½, rate E111 + ½); ``low`` at 0.95 is Ω025.

    Args:
        observed: n111, reports of the event with both drugs.
        expected: E111 of :func:`expected_together`; 0 is raised to the smallest positive number.

    Raises:
        InputError: a negative count, a level outside (0, 1).
    """
    e = np.maximum(np.asarray(expected, dtype=np.float64), np.finfo(np.float64).tiny)
    return ic(counts("observed", observed), e, level=level)


def _odds(event: Floats, margin: Floats) -> Floats:
    """Odds of the event; 0 when the margin is empty (nothing known of that drug alone)."""
    rest = margin - event
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = event / rest
    return np.asarray(np.where(margin == 0, 0.0, odds), dtype=np.float64)
