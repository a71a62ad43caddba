"""The domain's types: a schedule, compiled once, immutable (a person and what is said of them: ``outcome``).

The terms are those of the CDSi Logic Specification 4.6 (appendix A). Dates are whole; ages and intervals are
:class:`~lab39.solutions.vaccination.dates.Duration`. ``None`` means that the supporting data states nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from lab39.core.text import NO_TEXT, Text
from lab39.solutions.vaccination.dates import Duration

if TYPE_CHECKING:
    from lab39.solutions.vaccination.authored import Audience, Duty, Rule, Season, Unread


SeriesType = Literal["Standard", "Risk", "Evaluation Only"]


@dataclass(frozen=True, slots=True)
class AgeRule:
    """Ages of one target dose, in force between two dates (both included)."""

    abs_min: Duration | None
    minimum: Duration | None
    earliest: Duration | None
    latest: Duration | None
    maximum: Duration | None
    effective: dt.date | None
    cessation: dt.date | None


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval, preferable or allowable, and what it is counted from: exactly one of the four ``from_``."""

    from_previous: bool
    from_target: int | None
    from_recent: frozenset[str]
    from_observation: str | None
    abs_min: Duration | None
    minimum: Duration | None
    earliest: Duration | None
    latest: Duration | None
    priority: bool
    effective: dt.date | None
    cessation: dt.date | None
    maximum: Duration | None = None
    """Beyond it the dose is no longer given (a term of pregnancy, a delay after exposure)."""
    earlier_count: bool = False
    """From an observation: doses given before it keep their value (an infection delays the next dose only)."""


@dataclass(frozen=True, slots=True)
class Vaccine:
    """A preferable or allowable vaccine of a target dose, by its vaccine type."""

    code: str
    name: str
    begin: Duration | None
    end: Duration | None
    mvx: str
    volume: float | None
    recommended: bool
    remembered: tuple[Duration | None, Duration | None] = (None, None)
    """Licence ages that no source opened states, as :mod:`licence` uses them."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a conditional skip (tables 6-6 to 6-9)."""

    kind: Literal["age", "completed", "interval", "count"]
    start: dt.date | None
    end: dt.date | None
    begin_age: Duration | None
    end_age: Duration | None
    interval: Duration | None
    count: int
    valid_only: bool
    logic: Literal["greater than", "equal to", "less than"]
    vaccines: frozenset[str]
    groups: frozenset[str]


@dataclass(frozen=True, slots=True)
class SkipSet:
    """Conditions of which all (``every``) or one must be met."""

    id: str
    description: str
    every: bool
    conditions: tuple[Condition, ...]
    effective: dt.date | None
    cessation: dt.date | None


@dataclass(frozen=True, slots=True)
class Skip:
    """A conditional skip: sets of which all (``every``) or one must be met, while evaluating or forecasting."""

    evaluation: bool
    forecast: bool
    every: bool
    sets: tuple[SkipSet, ...]


@dataclass(frozen=True, slots=True)
class SeriesDose:
    """What satisfies one target dose of a series. ``preferable`` and ``allowable`` are keyed by vaccine code."""

    number: int
    ages: tuple[AgeRule, ...]
    intervals: tuple[Interval, ...]
    allowable_intervals: tuple[Interval, ...]
    preferable: Mapping[str, tuple[Vaccine, ...]]
    allowable: Mapping[str, tuple[Vaccine, ...]]
    inadvertent: frozenset[str]
    skips: tuple[Skip, ...]
    recurring: bool
    season_start: dt.date | None
    season_end: dt.date | None
    seasons: tuple[Season, ...] = ()
    """Campaigns one after the other, one dose in each; instead of the one season above."""


@dataclass(frozen=True, slots=True)
class Indication:
    """An observation that makes a risk series relevant."""

    code: str
    text: str
    begin: Duration | None
    end: Duration | None


@dataclass(frozen=True, slots=True)
class Series:
    """One path to immunity against one antigen."""

    name: str
    antigen: str
    vaccine_group: str
    type: SeriesType
    sexes: frozenset[str]
    group: str
    group_name: str
    equivalent: frozenset[str]
    default: bool
    product: bool
    priority: str
    preference: int
    min_start: Duration | None
    max_start: Duration | None
    indications: tuple[Indication, ...]
    guidance: tuple[str, ...]
    doses: tuple[SeriesDose, ...]
    after_others: bool
    """Whether a skip looks at the completion of other series, which are then evaluated before this one."""
    audience: Audience | None = None
    duties: tuple[Duty, ...] = ()
    rule: str = ""
    """Id of the authored rule in :attr:`Schedule.rules` that it was compiled from."""


@dataclass(frozen=True, slots=True)
class Contraindication:
    """An observation that forbids an antigen, or the vaccines of ``vaccines`` (code to ages) when it names some."""

    code: str
    text: str
    begin: Duration | None
    end: Duration | None
    vaccines: Mapping[str, tuple[tuple[Duration | None, Duration | None], ...]]
    asks: bool = False
    """Its observation is a question: it is to be answered, and no contraindication yet."""


@dataclass(frozen=True, slots=True)
class BirthImmunity:
    """Immunity of who was born before a date, unless an exclusion is observed."""

    before: dt.date
    country: str
    exclusions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Antigen:
    """Everything supporting data states about one antigen."""

    name: str
    immune_codes: frozenset[str]
    immune_births: tuple[BirthImmunity, ...]
    contraindications: tuple[Contraindication, ...]
    series: tuple[Series, ...]

    def without_dependent_series(self) -> Antigen:
        """The same without the series that look at the completion of others."""
        return replace(self, series=tuple(each for each in self.series if not each.after_others))


@dataclass(frozen=True, slots=True)
class VaccineGroup:
    """Antigens given together; ``full`` is the flag "administer full vaccine group".

    ``split``: antigens that are not due together get a forecast each, so that one complete or late antigen hides
    none of the others.
    """

    name: str
    antigens: tuple[str, ...]
    full: bool
    split: bool = False


@dataclass(frozen=True, slots=True)
class Association:
    """An antigen in a vaccine type, given at these ages."""

    antigen: str
    begin: Duration | None
    end: Duration | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """How long a conflicting (previous) vaccine type impacts another one."""

    begin: Duration
    min_end: Duration
    end: Duration


class Treatment(NamedTuple):
    """A medicine that states an observation, by an ATC code or the beginning of one (``L04*``).

    ``after`` is how long it still does once stopped; ``dose_decides``: alone it states nothing, its dose is asked.
    """

    atc: str
    after: Duration | None = None
    dose_decides: bool = False


class Answering(NamedTuple):
    """What answers an observation that is a question, between two ages: a condition, or a measure with its unit."""

    system: str
    code: str
    unit: str
    title: Text
    begin: Duration | None
    end: Duration | None


@dataclass(frozen=True, slots=True)
class ObservationTerm:
    """A CDSi observation: its title, and the codes of other systems that state it, as ``(system, code)``."""

    code: str
    title: str
    coded: tuple[tuple[str, str], ...]
    medicines: tuple[Treatment, ...] = ()
    asks: tuple[Answering, ...] = ()
    opens: frozenset[str] = frozenset()
    """Observations of which one would make it precise (a destination, for a journey)."""
    label: Text = NO_TEXT
    """The title in each language, of a schedule that states both."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A compiled schedule.

    Attributes:
        name: ``cdsi``, ``who-cdsi``, or the folder it was read from.
        version: the edition as its publisher writes it, or the digest of its content.
        system: the code system that its vaccines are written in.
        vaccines: a vaccine's code to the antigens it holds.
        vaccine_names: a vaccine's code to a short description.
        conflicts: impacted (current) vaccine to conflicting (previous) vaccine.
    """

    name: str
    version: str
    system: str
    antigens: Mapping[str, Antigen]
    groups: Mapping[str, VaccineGroup]
    vaccines: Mapping[str, tuple[Association, ...]]
    vaccine_names: Mapping[str, str]
    conflicts: Mapping[str, Mapping[str, Conflict]]
    observations: Mapping[str, ObservationTerm]
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """Authored rules by id, those that decide nothing too; empty for a schedule that states none."""
    unread: tuple[Unread, ...] = ()
    """Of these rules, those that compute nothing and are told to whom they fit: not verified, or only to know."""
