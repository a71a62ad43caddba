"""What if this dose were given: its verdict for every vaccine group it concerns, and what it changes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

from lab39.core.errors import InputError
from lab39.core.text import Text, date
from lab39.solutions.vaccination.engine import run
from lab39.solutions.vaccination.forbidden import forbidden
from lab39.solutions.vaccination.licence import unnamed
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import Dose, DoseStatus, Evaluation, GroupForecast, Patient, Result
from lab39.solutions.vaccination.verdicts import verdict


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of a dose for one vaccine group."""

    group: str
    status: DoseStatus
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A vaccine group whose status or dates would not be the same; ``None`` when nothing was said of it."""

    group: str
    before: GroupForecast | None
    after: GroupForecast | None


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Everything a dose would do.

    Attributes:
        verdicts: one for each vaccine group that the vaccine concerns; empty for a code the schedule does not know.
        changes: groups that would not be the same afterwards, those of other vaccines included (a live vaccine
            delays the next one).
        harmed: doses given before that would count less; none in a sound schedule.
        forbidden: why the dose must not be given, whatever it would count for.
        to_ask: what may forbid it, and is to be answered first.
        unnamed: the schedule names this vaccine for other ages only (a hexavalent for an adult).
    """

    dose: Dose
    verdicts: tuple[Verdict, ...]
    changes: tuple[Change, ...]
    harmed: tuple[Dose, ...]
    forbidden: tuple[Text, ...] = ()
    unnamed: bool = False
    to_ask: tuple[Text, ...] = ()

    @property
    def counts(self) -> bool | None:
        """Whether it is valid for at least one group; ``None`` when the schedule knows no series for it."""
        if not self.verdicts:
            return None
        return any(each.status is DoseStatus.VALID for each in self.verdicts)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "date": self.dose.date,
            "code": self.dose.code,
            "counts": self.counts,
            "verdicts": [
                {"group": each.group, "status": str(each.status), "reasons": list(each.reasons)}
                for each in self.verdicts
            ],
            "changes": [
                {"group": each.group, "before": _told(each.before), "after": _told(each.after)}
                for each in self.changes
            ],
            "harmed": [{"date": each.date, "code": each.code} for each in self.harmed],
            "forbidden": [each.as_dict() for each in self.forbidden],
            "to_ask": [each.as_dict() for each in self.to_ask],
            "named_for_other_ages_only": self.unnamed,
        }


def what_if(schedule: Schedule, patient: Patient, dose: Dose) -> WhatIf:
    """Give a dose on its day, in thought.

    Raises:
        InputError: a dose before birth.
    """
    if dose.date < patient.birth_date:
        raise InputError(
            Text(
                f"dose du {date(dose.date, 'fr')} avant la naissance",
                f"dose of {date(dose.date, 'en')} before birth",
            ),
            "date",
        )
    before = run(schedule, patient, dose.date)
    after = run(schedule, replace(patient, doses=(*patient.doses, dose)), dose.date)
    held = {each.antigen for each in schedule.vaccines.get(dose.code, ())}
    harmed = _harmed(patient, before, after)
    verdicts = tuple(
        Verdict(name, found.status, found.reasons)
        for name, group in schedule.groups.items()
        if not held.isdisjoint(group.antigens)
        and (found := (harmed and _by_the_series_begun(before, after, dose, name)) or verdict(after, dose, name))
    )
    return WhatIf(
        dose,
        verdicts,
        tuple(_changes(before, after)),
        harmed,
        _forbidden(schedule, patient, dose, asks=False),
        unnamed(schedule, dose.code, patient.birth_date, dose.date),
        _forbidden(schedule, patient, dose, asks=True),
    )


def _by_the_series_begun(before: Result, after: Result, dose: Dose, group: str) -> Evaluation | None:
    """The verdict of the series that was followed before, when the dose turns the engine to another one.

    A second brand of rotavirus vaccine is judged by the series of the first brand, whose doses it would waste.
    """
    best = (each.series for found in before.best.values() for each in found)
    begun = {each.name for each in best if each.vaccine_group == group}
    said = [
        done
        for found in after.series.values()
        for each in found
        if each.series.name in begun
        for done in each.evaluations
        if done.dose == dose
    ]
    return min(said, key=lambda each: each.status is not DoseStatus.VALID, default=None)


def _forbidden(schedule: Schedule, patient: Patient, dose: Dose, *, asks: bool) -> tuple[Text, ...]:
    """Contraindications (or the questions) of a vaccine and of its antigens, each told once."""
    held = {each.antigen for each in schedule.vaccines.get(dose.code, ())}
    titles = {rule.title.fr: rule.title for rule in schedule.rules.values()}
    found = (
        each.contraindication
        for each in forbidden(schedule, patient, dose.date)
        if each.contraindication.asks is asks
        and each.antigen in held
        and (not each.contraindication.vaccines or dose.code in each.contraindication.vaccines)
    )
    return tuple(dict.fromkeys(titles.get(each.text, Text.same(each.text)) for each in found))


def _changes(before: Result, after: Result) -> list[Change]:
    old, new = _first(before), _first(after)
    return [
        Change(name, old.get(name), new.get(name))
        for name in dict.fromkeys((*old, *new))
        if _state(old.get(name)) != _state(new.get(name))
    ]


def _first(result: Result) -> dict[str, GroupForecast]:
    found: dict[str, GroupForecast] = {}
    for each in result.groups:
        found.setdefault(each.group, each)
    return found


def _state(forecast: GroupForecast | None) -> tuple[object, ...]:
    if forecast is None:
        return ()
    return forecast.status, forecast.number, forecast.earliest, forecast.recommended, forecast.past_due


def _harmed(patient: Patient, before: Result, after: Result) -> tuple[Dose, ...]:
    harmed = []
    for dose in patient.doses:
        old, new = verdict(before, dose), verdict(after, dose)
        if old and old.status is DoseStatus.VALID and (new is None or new.status is not DoseStatus.VALID):
            harmed.append(dose)
    return tuple(harmed)


def _told(forecast: GroupForecast | None) -> dict[str, dt.date | str | int | None] | None:
    if forecast is None:
        return None
    return {
        "status": str(forecast.status),
        "dose_number": forecast.number,
        "earliest": forecast.earliest,
        "recommended": forecast.recommended,
        "past_due": forecast.past_due,
    }
