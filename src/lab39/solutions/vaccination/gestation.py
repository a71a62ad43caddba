"""The first day of the last menstrual period of a pregnancy in course, which its term is counted from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from lab39.core import entries as e
from lab39.core import terms
from lab39.core.dates import PartialDate
from lab39.core.errors import Issue
from lab39.core.record import Record
from lab39.core.text import Text

LONGEST = dt.timedelta(weeks=44)
"""No pregnancy lasts longer from the last period."""
LAST_PERIOD = frozenset({"8665-2"})
"""LOINC: last menstrual period start date."""
GESTATIONAL_AGE = frozenset({"11884-4", "11885-1", "11887-7", "18185-9", "49051-6"})
"""LOINC: gestational age, estimated, from the last period, by the examiner, as stated, in weeks."""
UNITS = {"wk": 7, "d": 1}
"""Days of the units (UCUM) that a gestational age is measured in."""


def last_period(record: Record, on: dt.date) -> dt.date | None:
    """The first day of the last period of a pregnancy that may be in course on a day.

    It is read where it is stated, else counted back from a gestational age and the day it was measured; the latest
    statement is believed. An expected date of delivery is not used: 40 weeks in some countries, 41 in France.
    """
    known = sorted(_stated(record.observations()), key=lambda each: (each[0], each[1]))
    days = [day for direct, _said, day in known if day <= on < day + LONGEST and direct]
    counted = [day for direct, _said, day in known if day <= on < day + LONGEST and not direct]
    return days[-1] if days else counted[-1] if counted else None


def _stated(rows: Iterable[e.Observation]) -> Iterator[tuple[bool, dt.date, dt.date]]:
    """Whether the day is stated itself, when it was said, and the day."""
    for row in rows:
        codes = {each.code for each in row.concept.codings if each.system == terms.LOINC}
        said = row.date.exact if row.date else None
        if codes & LAST_PERIOD and isinstance(row.value, PartialDate) and row.value.exact is not None:
            yield True, said or dt.date.min, row.value.exact
        elif (
            codes & GESTATIONAL_AGE
            and said is not None
            and row.quantity is not None
            and not row.quantity.comparator
        ):
            days = UNITS.get(row.quantity.unit)
            if days is not None and 0 < row.quantity.value * days <= LONGEST.days:
                yield False, said, said - dt.timedelta(days=int(row.quantity.value * days))


def dated(
    pairs: Iterable[tuple[str, dt.date | None]], code: str, record: Record, on: dt.date, issues: list[Issue]
) -> set[tuple[str, dt.date | None]]:
    """The observations, that of pregnancy dated by its last period; undated, and told, without a known term."""
    known = set(pairs)
    if all(each != code for each, _day in known):
        return known
    day = last_period(record, on)
    if day is None:
        issues.append(UNKNOWN)
    return {pair for pair in known if pair[0] != code} | {(code, day)}


UNKNOWN = Issue(
    "incomplete",
    "Observation",
    Text(
        "grossesse sans terme connu\u202f: noter la date des dernières règles. Ce qui dépend du terme (coqueluche, "
        "VRS) n'est pas proposé",
        "pregnancy without a known term: record the first day of the last period. What depends on the term "
        "(pertussis, RSV) is not offered",
    ),
    "warning",
)
