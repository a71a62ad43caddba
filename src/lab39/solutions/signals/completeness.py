"""How much a report tells of a pair: the vigiGrade completeness score.

The score starts at 1 and is multiplied by (1 - penalty) for each dimension that is not told; it says nothing of
whether the drug is the cause. Penalties and sources: ``knowledge/triage.toml``.
Source: Bergvall, Norén, Lindquist. Drug Saf 2014;37:65.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals.arrays import Floats, numbers
from lab39.solutions.signals.thresholds import triage_facts

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "onset": ("drugs.start_date", "events.onset", "reports.event_date"),
    "indication": ("drugs.indication",),
    "outcome": ("events.outcome", "reports.outcome"),
    "sex": ("reports.sex",),
    "age": ("reports.age_years", "reports.age_group"),
    "dose": ("drugs.dose",),
    "country": ("reports.country",),
    "reporter": ("reports.reporter",),
    "type": ("reports.report_type",),
    "comments": ("reports.narrative",),
}
"""Where the store has each dimension; one column is enough, except that ``onset`` needs the start and one date."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The penalties.

    Attributes:
        penalty: of each dimension that is not told.
        onset_year: when the dates leave the order open and one is known to the year.
        onset_month: likewise, to the month.
        age_group: when a group of age is told instead of an age.
        not_carried: dimensions that a source (``reports.source``) has no field for.
    """

    penalty: Mapping[str, float]
    onset_year: float
    onset_month: float
    age_group: float
    not_carried: Mapping[str, frozenset[str]]


@cache
def facts() -> Facts:
    """The penalties of the knowledge file."""
    told = triage_facts()["completeness"]
    imprecise = told["imprecise"]
    return Facts(
        told["penalty"],
        imprecise["onset_year"],
        imprecise["onset_month"],
        imprecise["age_group"],
        {source: frozenset(each) for source, each in told["not_carried"].items() if isinstance(each, list)},
    )


def completeness(told: Mapping[str, ArrayLike], *, not_carried: Collection[str] = ()) -> Floats:
    """The vigiGrade completeness of reports, from what each tells.

    Args:
        told: for each dimension, 1 where the report tells it and 0 where it does not, arrays of one shape. A
            dimension that is not among the keys is told by none.
        not_carried: dimensions left out of the product.

    Returns:
        Scores in (0, 1], of the shape of the arrays.

    Raises:
        InputError: an unknown dimension, or values other than 0 and 1.
    """
    known = facts().penalty
    for name in (*told, *not_carried):
        if name not in known:
            listed = ", ".join(known)
            raise InputError(
                Text(f"dimension inconnue\u202f; attendu {listed}", f"unknown dimension; expected {listed}"), name
            )
    made: Floats = np.ones(np.broadcast_shapes(*(np.shape(each) for each in told.values())))
    for name, penalty in known.items():
        if name in not_carried:
            continue
        there = numbers(name, told.get(name, 0.0))
        if not np.isin(there, (0.0, 1.0)).all():
            raise InputError(Text("attendu 0 ou 1", "0 or 1 is expected"), name)
        made = made * (1 - penalty * (1 - there))
    return made


def onset_penalty(start: str | None, onset: str | None) -> float:
    """The penalty of the dimension ``onset`` for ISO dates that may stop at the year or the month.

    Both dates to the day, or dates whose order is certain, cost nothing; dates in one and the same month or year at
    the coarser precision leave the order open.
    """
    if not start or not onset:
        return facts().penalty["onset"]
    coarser = min(len(start), len(onset), 10)
    if coarser >= 10 or start[:coarser] != onset[:coarser]:
        return 0.0
    return facts().onset_month if coarser >= 7 else facts().onset_year
