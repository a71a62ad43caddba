"""One person's doses, and what the method says of them: verdicts, forecasts, decisions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple

from lab39.solutions.vaccination.model import Series, SeriesDose, SeriesType, Vaccine

if TYPE_CHECKING:
    from lab39.solutions.vaccination.authored import Level

Sex = Literal["Female", "Male", "Unknown"]


class DoseStatus(StrEnum):
    """Evaluation status of a dose (table 3-1)."""

    VALID = "Valid"
    NOT_VALID = "Not Valid"
    EXTRANEOUS = "Extraneous"
    SUB_STANDARD = "Sub-standard"


class SeriesStatus(StrEnum):
    """Status of a patient series, and of a vaccine group (table 3-3)."""

    NOT_COMPLETE = "Not Complete"
    COMPLETE = "Complete"
    IMMUNE = "Immune"
    CONTRAINDICATED = "Contraindicated"
    TO_ASK = "To Be Asked"
    """Not of the specification: nothing is given before a question is answered."""
    AGED_OUT = "Aged Out"
    NOT_RECOMMENDED = "Not Recommended"


class TargetStatus(StrEnum):
    """Status of a target dose (table 3-2)."""

    NOT_SATISFIED = "Not Satisfied"
    SATISFIED = "Satisfied"
    SKIPPED = "Skipped"


@dataclass(frozen=True, slots=True)
class Dose:
    """A vaccine dose administered. ``sub_standard`` is the dose condition flag; ``expires`` the lot's last day;
    ``reported``, said by the person or a document, not by who gave it (it counts the same)."""

    date: dt.date
    code: str
    mvx: str = ""
    id: str = ""
    volume: float | None = None
    expires: dt.date | None = None
    sub_standard: bool = False
    reported: bool = False


@dataclass(frozen=True, slots=True)
class Observed:
    """An active observation under its CDSi code."""

    code: str
    date: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Patient:
    """What the engine may know of a person. An empty ``country`` is an unknown one."""

    birth_date: dt.date
    sex: Sex = "Unknown"
    doses: tuple[Dose, ...] = ()
    observations: tuple[Observed, ...] = ()
    country: str = ""


class Step(NamedTuple):
    """One decision: the rule or table of the specification, what it decided, and from what."""

    rule: str
    outcome: object
    inputs: Mapping[str, object]


class Evaluation(NamedTuple):
    """Verdict on one dose against one target dose (``target`` is ``None`` after the last one)."""

    dose: Dose
    target: int | None
    status: DoseStatus
    reasons: tuple[str, ...]
    inadvertent: bool
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    """Dates of the next dose; those that the rules leave blank are ``None``."""

    number: int
    target: int
    earliest: dt.date | None
    recommended: dt.date | None
    past_due: dt.date | None
    latest: dt.date | None
    unadjusted_recommended: dt.date | None
    unadjusted_past_due: dt.date | None
    vaccines: tuple[Vaccine, ...]
    priority: bool


@dataclass(slots=True)
class Target:
    """A target dose while its series is evaluated."""

    dose: SeriesDose
    status: TargetStatus = TargetStatus.NOT_SATISFIED
    satisfied_on: dt.date | None = None


@dataclass(slots=True)
class PatientSeries:
    """A relevant patient series: evaluated (chapter 6), then forecast (chapter 7)."""

    series: Series
    targets: list[Target]
    evaluations: list[Evaluation] = field(default_factory=list)
    status: SeriesStatus = SeriesStatus.NOT_COMPLETE
    reason: str = ""
    forecast: Forecast | None = None
    finish: dt.date | None = None
    steps: list[Step] = field(default_factory=list)
    outgrown: bool = False
    """The audience of the series is younger: past doses are judged by it, nothing is forecast from it."""
    valid_doses: int = 0
    """Target doses satisfied (SELECTB-21)."""


@dataclass(frozen=True, slots=True)
class GroupForecast:
    """What chapter 9 says of one vaccine group, from best series of one type."""

    group: str
    type: SeriesType
    status: SeriesStatus
    number: int | None
    earliest: dt.date | None
    recommended: dt.date | None
    past_due: dt.date | None
    latest: dt.date | None
    reasons: tuple[str, ...]
    antigens: tuple[str, ...]
    vaccines: tuple[Vaccine, ...]
    series: tuple[PatientSeries, ...]
    steps: tuple[Step, ...]
    level: Level | None = None
    """How binding its series is for this person; ``None`` when the schedule does not say."""


@dataclass(frozen=True, slots=True)
class Result:
    """Everything the engine says of one patient: the vaccine groups, and per antigen its series and the best.

    ``steps`` are the decisions that belong to no series: doses broken into antigens, series that are not relevant.
    """

    on: dt.date
    schedule: str
    groups: tuple[GroupForecast, ...]
    series: Mapping[str, tuple[PatientSeries, ...]]
    best: Mapping[str, tuple[PatientSeries, ...]]
    steps: tuple[Step, ...] = ()
