"""Masking: a drug reported very often with an event hides the event's excess with other drugs.

Source: Maignen, Hauben, Hung, Holle, Dogne. Pharmacoepidemiol Drug Saf 2014;23:195 (the masking ratio). The ratio
says by how much the observed-to-expected ratio of a pair grows when the masking drug's reports leave the base.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals.arrays import Floats, counts, same_shape


@dataclass(frozen=True, slots=True)
class Margins:
    """Counts of a pair after the masking drug's reports left, arrays of one shape.

    Attributes:
        observed: reports with drug and event.
        n_drug: reports with the drug.
        n_event: reports with the event.
        n_total: all reports.
    """

    observed: Floats
    n_drug: Floats
    n_event: Floats
    n_total: Floats


def masking_ratio(
    n_event: ArrayLike, n_total: ArrayLike, event_masker: ArrayLike, with_masker: ArrayLike
) -> Floats:
    """Masking ratio of a drug on an event, for pairs whose drug is not co-reported with the masker.

    MR = (n_event / (n_event - event_masker)) · ((n_total - with_masker) / n_total); above 1 the event is masked. It
    is then the same for every such drug.

    Args:
        n_event: reports with the event.
        n_total: all reports.
        event_masker: reports with the event and the masking drug.
        with_masker: reports with the masking drug.

    Returns:
        The ratio; infinite never: where every report of the event has the masker nothing is left to unmask, and an
        error says so.

    Raises:
        InputError: counts that contradict each other, or an event reported with the masker only.
    """
    event, total, both, masker = same_shape(
        counts("n_event", n_event),
        counts("n_total", n_total),
        counts("event_masker", event_masker),
        counts("with_masker", with_masker),
    )
    if ((both > event) | (both > masker) | (masker > total) | (event > total)).any():
        raise InputError(Text("un effectif dépasse sa marge", "a count exceeds its margin"), "event_masker")
    if (both == event).any():
        raise InputError(
            Text(
                "toutes les notifications de cet événement portent ce médicament\u202f: rien à démasquer",
                "every report of this event has this drug: nothing is left to unmask",
            ),
            f"event_masker[{int(np.flatnonzero(both == event)[0])}]",
        )
    return np.asarray(event / (event - both) * (total - masker) / total, dtype=np.float64)


def leave_masker_out(
    observed: ArrayLike,
    n_drug: ArrayLike,
    n_event: ArrayLike,
    n_total: ArrayLike,
    *,
    observed_masker: ArrayLike,
    drug_masker: ArrayLike,
    event_masker: ArrayLike,
    with_masker: ArrayLike,
) -> Margins:
    """The counts of a pair without the masking drug's reports, ready for any statistic.

    Args:
        observed: reports with drug and event; ``observed_masker``: those that also have the masker.
        n_drug: reports with the drug; ``drug_masker``: those that also have the masker.
        n_event: reports with the event; ``event_masker``: those that also have the masker.
        n_total: all reports; ``with_masker``: those with the masker.

    Raises:
        InputError: a part exceeds its whole.
    """
    names = ("observed", "n_drug", "n_event", "n_total")
    wholes = [counts(name, value) for name, value in zip(names, (observed, n_drug, n_event, n_total), strict=True)]
    part_names = ("observed_masker", "drug_masker", "event_masker", "with_masker")
    parts = [
        counts(name, value)
        for name, value in zip(part_names, (observed_masker, drug_masker, event_masker, with_masker), strict=True)
    ]
    shaped = same_shape(*wholes, *parts)
    left = []
    for name, whole, part in zip(part_names, shaped[:4], shaped[4:], strict=True):
        if (part > whole).any():
            raise InputError(Text("une partie dépasse son tout", "a part exceeds its whole"), name)
        left.append(whole - part)
    return Margins(*left)
