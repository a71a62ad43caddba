"""Dates that keep the precision they came with: ``2020-03`` is not 1 March."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal

from lab39.core import text
from lab39.core.text import Lang

Precision = Literal["year", "month", "day", "time"]

# The FHIR R4 dateTime form (R4 datatypes, "dateTime"): seconds are required with a time, a zone too;
# real feeds omit both, so they are optional here and nothing is inferred from their absence. 60 is a leap second.
_FORM = re.compile(
    r"(?P<y>\d{4})(-(?P<m>\d{2})(-(?P<d>\d{2})"
    r"(T(?P<H>[01]\d|2[0-3]):(?P<M>[0-5]\d)(:(?P<S>[0-5]\d|60)(?P<f>\.\d+)?)?"
    r"(?P<z>Z|[+-](0\d|1[0-3]):[0-5]\d|[+-]14:00)?)?)?)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date known to the year, the month, the day or the minute.

    Attributes:
        written: the text as received.
        earliest: first day it can be.
        latest: last day it can be (same as ``earliest`` when the day is known).
        precision: what was written.
    """

    written: str
    earliest: dt.date
    latest: dt.date
    precision: Precision

    @classmethod
    def parse(cls, written: str) -> PartialDate:
        """Read a FHIR ``date``, ``dateTime`` or ``instant``; the local date as written is kept.

        Raises:
            ValueError: when the text is not such a date (``2020-13-01``, ``01/02/2020``).
        """
        found = _FORM.fullmatch(written)
        if not found:
            raise ValueError(written)
        year, month, day = (int(found[g]) if found[g] else None for g in ("y", "m", "d"))
        if not year:
            raise ValueError(written)
        if month is None:
            return cls(written, dt.date(year, 1, 1), dt.date(year, 12, 31), "year")
        if day is None:
            if not 1 <= month <= 12:
                raise ValueError(written)
            last = calendar.monthrange(year, month)[1]
            return cls(written, dt.date(year, month, 1), dt.date(year, month, last), "month")
        exact = dt.date(year, month, day)
        return cls(written, exact, exact, "time" if "T" in written else "day")

    @classmethod
    def of(cls, day: dt.date) -> PartialDate:
        """A date known to the day."""
        return cls(day.isoformat(), day, day, "day")

    @property
    def seconds(self) -> float:
        """Seconds from midnight of :attr:`earliest` as written, in UTC where a zone is given; for ordering only."""
        found = _FORM.fullmatch(self.written)
        if not found or not found["H"]:
            return 0.0
        clock = int(found["H"]) * 3600 + int(found["M"]) * 60 + float((found["S"] or "0") + (found["f"] or ""))
        zone = found["z"]
        if zone in (None, "Z"):
            return clock
        return clock - (1 if zone[0] == "+" else -1) * (int(zone[1:3]) * 3600 + int(zone[4:6]) * 60)

    @property
    def exact(self) -> dt.date | None:
        """The day, when it is known."""
        return self.earliest if self.earliest == self.latest else None

    def say(self, lang: Lang) -> str:
        """The date in words, no more precise than it is."""
        if self.exact:
            return text.date(self.exact, lang)
        return f"{self.earliest.month:02d}/{self.earliest.year}" if self.precision == "month" else self.written

    def __str__(self) -> str:
        return self.written


@dataclass(frozen=True, slots=True)
class Age:
    """A person's age in completed years, as narrow as the birth date allows."""

    min_years: int
    max_years: int

    @property
    def years(self) -> int | None:
        """The age when it is certain."""
        return self.min_years if self.min_years == self.max_years else None

    def at_least(self, years: int) -> bool | None:
        """Whether the age is at least ``years``; ``None`` when the birth date cannot tell."""
        if self.min_years >= years:
            return True
        return False if self.max_years < years else None


def completed_years(birth: dt.date, on: dt.date) -> int:
    """Completed years from ``birth`` to ``on`` (29 February has its birthday on 1 March in common years)."""
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))


def age_on(birth: PartialDate, on: dt.date) -> Age | None:
    """The age on a day; ``None`` when the birth is after it. Born by that day if the birth date allows it."""
    if birth.earliest > on:
        return None
    return Age(completed_years(min(birth.latest, on), on), completed_years(birth.earliest, on))
