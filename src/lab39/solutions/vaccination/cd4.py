"""What CD4 cells say about live vaccines for a person with HIV: allowed, forbidden, or to be asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

from lab39.core.errors import Issue
from lab39.core.record import Record
from lab39.core.text import Text
from lab39.core.units import Quantity
from lab39.solutions.vaccination.dates import Duration, after

HIV, LOW, UNKNOWN_CD4 = "hiv", "hiv-low-cd4", "hiv-cd4-unknown"
COUNT, PERCENT = "24467-3", "8123-2"
"""LOINC: CD3+CD4+ cells per volume of blood; per 100 lymphocytes."""
THRESHOLD = Decimal(200)
"""Cells per mm³ under which a live vaccine is contraindicated, from 5 years (RECO26, VIH-sida; HASVIH)."""
PERCENTS = ((Duration(12, 0), 25), (Duration(36, 0), 20), (Duration(60, 0), 15))
"""Before each age, the percentage under which it is (HASVIH): those of the rules ``live-hiv-*``."""
FROM_AGE = PERCENTS[-1][0]
UNITS = {"/uL": 1, "{cells}/uL": 1, "10*6/L": 1, "/mm3": 1, "10*3/uL": 1000, "10*9/L": 1000}

Stated = tuple[str, dt.date | None]


def counted(
    pairs: Iterable[Stated], record: Record, born: dt.date | None, on: dt.date, issues: list[Issue]
) -> set[Stated]:
    """The observations, with what the last CD4 result adds to HIV: nothing, a low one, or a question that is told.

    Before 5 years the percentage counts, from 5 years the count.
    """
    known = set(pairs)
    codes = {code for code, _day in known}
    if HIV not in codes or LOW in codes:
        return known
    low = _low(record, born, on)
    if low is None:
        issues.append(UNKNOWN)
        return known | {(UNKNOWN_CD4, None)}
    return known | ({(LOW, None)} if low else set())


def _low(record: Record, born: dt.date | None, on: dt.date) -> bool | None:
    if born is None:
        return None
    limit = next((share for age, share in PERCENTS if (end := after(born, age)) is not None and on < end), None)
    latest = record.latest(COUNT if limit is None else PERCENT, on=on)
    value: Quantity | None = latest.quantity if latest is not None else None
    if value is None or value.comparator:
        return None
    if limit is not None:
        return value.value < limit if value.unit == "%" and 0 <= value.value <= 100 else None
    return value.value * UNITS[value.unit] < THRESHOLD if value.unit in UNITS else None


UNKNOWN = Issue(
    "incomplete",
    "Observation",
    Text(
        "VIH sans CD4 utilisables (nombre dès 5 ans, pourcentage avant)\u202f: un vaccin vivant attend ce résultat",
        "HIV without a usable CD4 result (count from 5 years, percentage before): a live vaccine waits for it",
    ),
    "warning",
)
