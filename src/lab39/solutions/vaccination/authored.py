"""What an authored schedule states beyond the CDSi schema: who a series is for, how binding it is, and its source.

These are the extensions of the data model; the engine reads three of them, in :mod:`beyond`:

* :class:`Audience` (section 5.1): a series may be for those born, aged or first vaccinated in a window, with or
  without some observation or past dose. CDSi has sex and indications only, and weighs whole series instead.
* :class:`Season` (sections 7.5 and 7.6): campaigns that follow one another, with their dates as data.
* ``Interval.maximum`` and ``VaccineGroup.split`` of :mod:`model`, described there.

:class:`Duty`, :class:`Rule` and :class:`Source` decide nothing: how binding a series is, and on whose word.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from lab39.core.text import Text
from lab39.solutions.vaccination.dates import Duration, after

if TYPE_CHECKING:
    from lab39.solutions.vaccination.model import Condition, Series
    from lab39.solutions.vaccination.outcome import Patient

Level = Literal["obligatory", "recommended", "optional"]
Confidence = Literal["O", "S26", "S", "M", "D"]


class Season(NamedTuple):
    """One campaign, both days included; ``assumed`` when its dates were not published when they were written.

    ``counts_from`` is the day it begins where it begins first (overseas): a dose given there before ``start`` is
    its dose too. ``None`` is ``start``.
    """

    name: str
    start: dt.date
    end: dt.date
    assumed: bool
    counts_from: dt.date | None = None

    def has(self, day: dt.date) -> bool:
        """Whether a dose of this day is the dose of this campaign."""
        return (self.counts_from or self.start) <= day <= self.end


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a series is for. Bounds are included at the start and excluded at the end; ``None`` is no bound.

    Attributes:
        aged_from, aged_before: age on the assessment date.
        started_from, started_before: age at the first dose of the antigen, on the assessment date without any.
        history: what past doses of the antigen must be, every condition.
        every: observations that are all needed, beside an indication.
        some: observations of which one is needed, beside an indication.
        without: observations of which one is enough to leave the series aside.
        dated: observations that must be known with their date, which intervals count from.
    """

    born_from: dt.date | None = None
    born_before: dt.date | None = None
    aged_from: Duration | None = None
    aged_before: Duration | None = None
    started_from: Duration | None = None
    started_before: Duration | None = None
    history: tuple[Condition, ...] = ()
    every: frozenset[str] = frozenset()
    some: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    dated: frozenset[str] = frozenset()


class Duty(NamedTuple):
    """How binding a series is for those born in a window, under an age, with one of some observations if any."""

    level: Level
    born_from: dt.date | None
    born_before: dt.date | None
    aged_before: Duration | None
    observed: frozenset[str]
    source: str


@dataclass(frozen=True, slots=True)
class Source:
    """A text that rules rest on: what it is, where it was read, its date."""

    key: str
    title: str
    url: str
    date: str


@dataclass(frozen=True, slots=True)
class Cited:
    """Where a rule is stated: a source, and the place in it."""

    source: Source
    place: str


@dataclass(frozen=True, slots=True)
class Rule:
    """An authored rule. One that is not ``verified`` is shown and compiled into no series: it gives no advice.

    Attributes:
        confidence: ``O`` read in an official page, ``S26`` in a text that follows the calendar of April 2026, ``S``
            in another text, ``D`` deduced from rules read, ``M`` from memory only.
        tests: blood tests to be done before anything is given.
        control: a test after the dose: what, and the weeks after which it is done, as ``(test, from, to)``.
        choice: what decides between its products, when the record does not (a weight).
        kind: ``rule``, ``contraindication``, ``precaution`` (told when asked for), ``told`` (told to whom it fits),
            ``immunity`` or ``conflict``; precautions and what is told compute nothing.
    """

    id: str
    title: Text
    group: str
    confidence: Confidence
    verified: bool
    cited: tuple[Cited, ...]
    note: Text | None
    editions: tuple[str, ...]
    tests: tuple[str, ...] = ()
    control: tuple[str, Duration, Duration] | None = None
    kind: str = "rule"
    choice: Text | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """A rule that computes nothing and is told, and to whom: it is not verified, or only something to know.

    Attributes:
        observed: observations of which one is needed; empty for everyone.
    """

    rule: Rule
    antigens: tuple[str, ...]
    observed: frozenset[str]
    audience: Audience | None


def level(series: Series, patient: Patient, on: dt.date) -> Level | None:
    """How binding a series is for a person on a day; ``None`` when its schedule does not say."""
    birth, observed = patient.birth_date, {each.code for each in patient.observations}
    for duty in series.duties:
        end = after(birth, duty.aged_before)
        if (
            (duty.born_from is None or birth >= duty.born_from)
            and (duty.born_before is None or birth < duty.born_before)
            and (end is None or on < end)
            and (not duty.observed or not duty.observed.isdisjoint(observed))
        ):
            return duty.level
    return None
