"""Pharmacovigilance: which drug-event pairs of a base of case reports deserve a human assessor.

The library is usable without the rest of the lab::

    from pathlib import Path
    from lab39.solutions import signals

    found = signals.detect(signals.Pairs(Path("pairs.csv")))   # report, drug, event on each row
    found.table.slice(0, 10).to_pylist()                        # best first, every score

    signals.ic(observed=10, expected=5)                         # statistics on plain arrays
    signals.gps.scores(signals.gps.Prior(0.2, 0.1, 2, 4, 1 / 3), observed=[3, 12], expected=[1.0, 2.5])

Counts are of distinct reports. A score says that a pair is reported more than expected, never that the drug causes
the event. The names below are imported on first use: importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lab39.solutions.signals import (
        adjusted,
        change,
        completeness,
        discovery,
        disproportionality,
        evaluation,
        gps,
        gpsfit,
        interactions,
        lrt,
        masking,
        onset,
        sequential,
        simulate,
        squash,
        training,
        triage,
    )
    from lab39.solutions.signals.arrays import CannotFitError, Estimate
    from lab39.solutions.signals.counting import count
    from lab39.solutions.signals.counts import Counts
    from lab39.solutions.signals.detection import Detection, detect, fit_prior, score
    from lab39.solutions.signals.disproportionality import bcpnn, chi2_yates, expected, ic, prr, ror
    from lab39.solutions.signals.engines import opened
    from lab39.solutions.signals.sources import CountTable, Pairs, Store
    from lab39.solutions.signals.timecourse import Course, time_course

_HOME = {
    "CannotFitError": "arrays",
    "CountTable": "sources",
    "Counts": "counts",
    "Detection": "detection",
    "Estimate": "arrays",
    "Pairs": "sources",
    "Course": "timecourse",
    "Store": "sources",
    "bcpnn": "disproportionality",
    "chi2_yates": "disproportionality",
    "count": "counting",
    "detect": "detection",
    "expected": "disproportionality",
    "fit_prior": "detection",
    "ic": "disproportionality",
    "opened": "engines",
    "prr": "disproportionality",
    "ror": "disproportionality",
    "score": "detection",
    "time_course": "timecourse",
}
_MODULES = (
    "adjusted",
    "change",
    "completeness",
    "discovery",
    "disproportionality",
    "evaluation",
    "gps",
    "gpsfit",
    "interactions",
    "lrt",
    "masking",
    "onset",
    "sequential",
    "simulate",
    "squash",
    "training",
    "triage",
)

__all__ = [
    "CannotFitError", "CountTable", "Counts", "Course", "Detection", "Estimate", "Pairs", "Store",
    "adjusted", "bcpnn", "change", "chi2_yates", "completeness", "count", "detect", "discovery",
    "disproportionality", "evaluation", "expected", "fit_prior", "gps", "gpsfit", "ic", "interactions", "lrt",
    "masking", "onset", "opened", "prr", "ror", "score", "sequential", "simulate", "squash", "time_course",
    "training", "triage",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(name)
