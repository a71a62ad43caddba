"""What counting gives: whole numbers by code, and the expectation of each pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from lab39.solutions.signals.arrays import Floats, Ints

if TYPE_CHECKING:
    import pyarrow as pa

    from lab39.solutions.signals.strata import Margins

Codes = NDArray[np.int32]
Basis = Literal["reports", "mentions"]


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of every pair that was reported, drugs and events by code.

    Attributes:
        drugs: names, sorted [drugs]; ``events`` likewise [events].
        events: names of the events.
        n_drug: distinct reports of each drug [drugs].
        n_event: distinct reports of each event [events].
        n_total: distinct reports.
        drug: code of the drug of each pair [pairs], pairs sorted by drug then event.
        event: code of the event of each pair [pairs].
        n: distinct reports of each pair [pairs].
        expected: expected reports of each pair [pairs]: of the margins, or summed over strata (Mantel-Haenszel).
        by: what the strata are made of; empty without strata.
        n_strata: how many strata have reports.
        basis: ``reports``; ``mentions`` when the margins had to be summed out of counts.
        merged: reports that count under the number of another one (``duplicates="merge"``).
        unnamed: rows of a file of pairs or of counts that make no pair, as they lack the report, the drug or the
            event; a report without a drug is a report all the same.
        margins: reports of each drug and event within each stratum; None without strata.
        coupled: a pair is a drug and an event that a row couples; a report may have both and not couple them.
    """

    drugs: pa.Array
    events: pa.Array
    n_drug: Ints
    n_event: Ints
    n_total: int
    drug: Codes
    event: Codes
    n: Ints
    expected: Floats
    by: tuple[str, ...] = ()
    n_strata: int = 1
    basis: Basis = "reports"
    merged: int = 0
    unnamed: int = 0
    margins: Margins | None = None
    coupled: bool = False
