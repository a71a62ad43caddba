"""What a CD4 count says about live vaccines for a person with HIV: allowed, forbidden, or to be asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

from lab39.core.errors import Issue
from lab39.core.record import Record
from lab39.core.text import Text
from lab39.solutions.vaccination.dates import Duration, after

HIV, LOW, UNCLEAR = "hiv", "hiv-low-cd4", "immunosuppression-unclear"
COUNT = "24467-3"
"""LOINC: CD3+CD4+ cells per volume of blood."""
THRESHOLD = Decimal(200)
"""Cells per mm³ under which a live vaccine is contraindicated, from 5 years (RECO26, VIH-sida)."""
FROM_AGE = Duration(60, 0)
UNITS = {"/uL": 1, "{cells}/uL": 1, "10*6/L": 1, "/mm3": 1, "10*3/uL": 1000, "10*9/L": 1000}

Stated = tuple[str, dt.date | None]


def counted(
    pairs: Iterable[Stated], record: Record, born: dt.date | None, on: dt.date, issues: list[Issue]
) -> set[Stated]:
    """The observations, with what the last CD4 count adds to HIV: nothing, a low count, or a doubt that is told.

    Before 5 years the thresholds are percentages, which are not read: it is asked.
    """
    known = set(pairs)
    codes = {code for code, _day in known}
    if HIV not in codes or LOW in codes:
        return known
    latest = record.latest(COUNT, on=on)
    value = latest.quantity if latest is not None else None
    grown = born is not None and (since := after(born, FROM_AGE)) is not None and since <= on
    if value is None or value.comparator or value.unit not in UNITS or not grown:
        issues.append(UNKNOWN)
        return known | {(UNCLEAR, None)}
    return known | ({(LOW, None)} if value.value * UNITS[value.unit] < THRESHOLD else set())


UNKNOWN = Issue(
    "incomplete",
    "Observation",
    Text(
        "VIH sans nombre de CD4 utilisable\u202f: un vaccin vivant attend de le connaître",
        "HIV without a usable CD4 count: a live vaccine waits until it is known",
    ),
    "warning",
)
