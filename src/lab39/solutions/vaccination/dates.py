"""Date arithmetic of the CDSi Logic Specification 4.6, section 3.4.

Years and months first, then weeks and days; a day that does not exist becomes the first of the next month
(CALCDT-5), where most libraries would step back to the last day of the month.

>>> import datetime as dt
>>> add(dt.date(2000, 1, 31), parse("6 months - 4 days"))
datetime.date(2000, 7, 27)
>>> add(dt.date(2000, 3, 31), parse("6 months"))
datetime.date(2000, 10, 1)
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import NamedTuple

ONE_DAY = dt.timedelta(days=1)
_TERM = re.compile(r"\s*([+-]?)\s*(\d+)\s*(year|month|week|day|hour)s?\s*", re.IGNORECASE)


class Duration(NamedTuple):
    """A length of time; weeks are held as days. Parts may be negative (``6 weeks - 4 days``)."""

    months: int
    days: int


@lru_cache(maxsize=4096)
def parse(words: str) -> Duration:
    """A duration as supporting data writes it: ``6 weeks - 4 days``, ``16 years - 4 months``, ``0 days``.

    Raises:
        ValueError: words that are not terms of years, months, weeks and days.
    """
    months = days = position = 0
    while position < len(words):
        term = _TERM.match(words, position)
        if term is None or (position and not term[1]):
            break
        amount = int(term[2]) * (-1 if term[1] == "-" else 1)
        unit = term[3].lower()
        if unit == "year":
            months += 12 * amount
        elif unit == "month":
            months += amount
        elif unit == "hour" and amount % 24 == 0:
            days += amount // 24
        elif unit == "hour":
            break
        else:
            days += amount * (7 if unit == "week" else 1)
        position = term.end()
    if not position or position < len(words):
        raise ValueError(f"not a duration: {words!r}")
    return Duration(months, days)


@lru_cache(maxsize=65536)
def add(day: dt.date, duration: Duration) -> dt.date:
    """CALCDT-1 to CALCDT-6."""
    months, days = duration
    if months:
        year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
        try:
            day = dt.date(year, month + 1, day.day)
        except ValueError:  # CALCDT-5; never in December, which has 31 days
            day = dt.date(year, month + 2, 1)
    return day + dt.timedelta(days=days) if days else day


def after(day: dt.date | None, duration: Duration | None) -> dt.date | None:
    """``day`` plus ``duration``, or ``None`` when either is absent: what is absent stays absent."""
    if day is None or duration is None:
        return None
    return add(day, duration)
