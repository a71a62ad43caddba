"""Synthetic vaccination histories, and the properties that the engine's answers must have.

Histories are drawn over a schedule: plausible ones follow the ages of its series with some days of delay, wild ones
hold any vaccine at any age. Nothing here looks at a published case.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from lab39.solutions.vaccination import Dose, Observed, Patient, Result, Schedule, run, told
from lab39.solutions.vaccination.dates import add
from lab39.solutions.vaccination.model import Series
from lab39.solutions.vaccination.outcome import DoseStatus, GroupForecast, PatientSeries, Sex
from lab39.solutions.vaccination.verdicts import verdict

SEXES: tuple[Sex, ...] = ("Female", "Male", "Unknown")
ORDER = "order of entry irrelevant"
DATES = "earliest <= recommended <= past due"
VALID = "a dose on its recommended date is valid"
OVERDUE = "an overdue dose given on the day is valid"
LATER = "a later valid dose never invalidates an earlier one"
NO_VACCINE = "TABLE 6-26: no preferable vaccine of the target dose is of that age on that day"
OTHER_SERIES = "TABLE 8-3: another series is the best with this dose"
MORE_VALID = "TABLE 8-3: another series is the best once more doses are valid"
PROPERTIES = (ORDER, DATES, VALID, OVERDUE, LATER)
METHOD: Mapping[str, frozenset[str]] = {
    ORDER: frozenset(),
    DATES: frozenset(),
    VALID: frozenset({NO_VACCINE, OTHER_SERIES}),
    OVERDUE: frozenset({NO_VACCINE, OTHER_SERIES}),
    LATER: frozenset({MORE_VALID}),
}
"""Causes that are the published method's own, or its data's, by property; any other is a fault of ours."""


class Violation(NamedTuple):
    """A property that does not hold: why, by the rule that makes it so, and the patient."""

    property: str
    cause: str
    group: str
    patient: Patient
    detail: str


class Drawer:
    """Draws synthetic patients over one schedule."""

    def __init__(self, schedule: Schedule, seed: int) -> None:
        self._random = random.Random(seed)
        self._codes = sorted(schedule.vaccines)
        every = [one for each in schedule.antigens.values() for one in each.series]
        self._series = [one for one in every if one.type == "Standard"]
        coded = {each.code for one in every for each in one.indications}
        coded |= {c.code for each in schedule.antigens.values() for c in each.contraindications}
        self._observations = sorted(coded)

    def patient(self, on: dt.date) -> Patient:
        """One patient: half are children, a quarter have observations."""
        chance = self._random
        days = chance.randrange(0, 18 * 365) if chance.random() < 0.5 else chance.randrange(18 * 365, 95 * 365)
        born = on - dt.timedelta(days=days)
        doses: dict[tuple[dt.date, str], None] = {}
        for _ in range(chance.randrange(0, 5)):
            for given in self._follow(chance.choice(self._series), born, on):
                doses[given] = None
        for _ in range(chance.choice((0, 0, 0, 1, 2, 6))):
            doses[(born + dt.timedelta(days=chance.randrange(0, days + 1)), chance.choice(self._codes))] = None
        observed: tuple[Observed, ...] = ()
        if self._observations and chance.random() < 0.25:
            codes = chance.sample(self._observations, min(len(self._observations), chance.randrange(1, 3)))
            observed = tuple(
                Observed(code, born + dt.timedelta(days=chance.randrange(0, days + 1))) for code in codes
            )
        given_doses = tuple(Dose(day, code, id=f"{n}") for n, (day, code) in enumerate(doses))
        return Patient(born, chance.choice(SEXES), given_doses, observed)

    def _follow(self, series: Series, born: dt.date, on: dt.date) -> Iterator[tuple[dt.date, str]]:
        chance, last = self._random, born
        for target in series.doses[: chance.randrange(1, len(series.doses) + 1)]:
            age = target.ages[0] if target.ages else None
            due = add(born, age.earliest or age.minimum) if age and (age.earliest or age.minimum) else last
            for interval in target.intervals:
                if interval.minimum and interval.from_previous:
                    due = max(due, add(last, interval.minimum))
            late = chance.choice((-40, -4, -3, 0, 0, 0, 1, 15, 60, 400))
            day = max(born, due + dt.timedelta(days=late))
            if day > on or not target.preferable:
                return
            yield day, chance.choice(sorted(target.preferable))
            last = day

    def shuffled(self, patient: Patient) -> Patient:
        """The same patient, doses and observations entered in another order."""
        doses, observations = list(patient.doses), list(patient.observations)
        self._random.shuffle(doses)
        self._random.shuffle(observations)
        return replace(patient, doses=tuple(doses), observations=tuple(observations))

    def pick(self, codes: list[tuple[str, str]]) -> tuple[str, str]:
        """One of several vaccines."""
        return self._random.choice(codes)


def check(
    schedule: Schedule, patient: Patient, on: dt.date, drawer: Drawer
) -> tuple[dict[str, int], list[Violation]]:
    """Every property on one patient.

    Returns:
        How many times each property was put to the test, and where it does not hold.
    """
    tried = dict.fromkeys(PROPERTIES, 0)
    found: list[Violation] = []
    result = run(schedule, patient, on)

    tried[ORDER] += 1
    other = run(schedule, drawer.shuffled(patient), on)
    if said(result) != said(other) or any(verdict(result, each) != verdict(other, each) for each in patient.doses):
        found.append(Violation(ORDER, "?", "", patient, ""))

    groups = {name: group.name for group in schedule.groups.values() for name in group.antigens}
    for forecast in result.groups:
        if forecast.recommended is None:
            continue
        tried[DATES] += 1
        dates = [each for each in (forecast.earliest, forecast.recommended, forecast.past_due) if each]
        if dates != sorted(dates):
            found.append(Violation(DATES, _why_not_in_order(forecast), forecast.group, patient, _dates(forecast)))
        name = VALID if forecast.recommended >= on else OVERDUE
        day = max(on, forecast.recommended)
        vaccines = preferable(forecast, patient.birth_date, day)
        tried[name] += 1
        if not vaccines:
            found.append(Violation(name, NO_VACCINE, forecast.group, patient, f"{day}, {_dates(forecast)}"))
            continue
        code, mvx = drawer.pick(vaccines)
        given = Dose(day, code, mvx, id="given")
        later = replace(patient, doses=(*patient.doses, given))
        touched = {groups[a.antigen] for a in schedule.vaccines.get(code, ()) if a.antigen in groups}
        after = run(schedule, later, day, touched | {forecast.group})
        done = verdict(after, given, forecast.group)
        if done is None or done.status is not DoseStatus.VALID:
            cause = _why_not_valid(forecast, after, given)
            found.append(Violation(name, cause, forecast.group, patient, f"{code} on {day}, {_dates(forecast)}"))
            continue
        for dose in patient.doses:
            if dose.date >= day or not _valid(result, dose):  # a dose of the same day is not an earlier one
                continue
            tried[LATER] += 1
            elsewhere = any(
                _satisfied(each, dose)
                for antigen, best in result.best.items()
                if groups.get(antigen) not in touched | {forecast.group}
                for each in best
            )
            if not elsewhere and not _valid(after, dose):
                cause = _why_invalidated(result, after, dose)
                found.append(Violation(LATER, cause, forecast.group, patient, f"{code} on {day}"))
    return tried, found


def preferable(forecast: GroupForecast, birth: dt.date, day: dt.date) -> list[tuple[str, str]]:
    """Preferable vaccines of the target dose to give first, of an age that fits: codes and makers."""
    series = min(
        (each for each in forecast.series if each.forecast and each.forecast.recommended),
        key=lambda each: each.forecast.recommended if each.forecast and each.forecast.recommended else day,
    )
    number = series.forecast.target if series.forecast else 0
    target = next(each for each in series.series.doses if each.number == number)
    return [
        (vaccine.code, vaccine.mvx)
        for vaccines in target.preferable.values()
        for vaccine in vaccines
        if (vaccine.begin is None or add(birth, vaccine.begin) <= day)
        and (vaccine.end is None or day < add(birth, vaccine.end))
    ]


def said(result: Result) -> list[Mapping[str, object]]:
    """What a result says of every vaccine group."""
    return [told.group_dict(each) for each in result.groups]


def _valid(result: Result, dose: Dose) -> bool:
    return any(_satisfied(each, dose) for best in result.best.values() for each in best)


def _satisfied(series: PatientSeries, dose: Dose) -> bool:
    return any(done.dose == dose and done.status is DoseStatus.VALID for done in series.evaluations)


def _why_not_in_order(forecast: GroupForecast) -> str:
    for series in forecast.series:
        each = series.forecast
        if each and each.past_due and each.recommended and each.recommended > each.past_due:
            return "FORECASTDT-6: the latest recommended date is not after the recommended one"
    return "FORECASTVG-3: antigens of one group, past due by one and recommended by another"


def _why_not_valid(forecast: GroupForecast, after: Result, given: Dose) -> str:
    best = {each.series.name for found in after.best.values() for each in found}
    if not any(each.series.name in best for each in forecast.series):
        return OTHER_SERIES
    for series in forecast.series:
        every = (each for found in after.series.values() for each in found)
        now = next((each for each in every if each.series.name == series.series.name), None)
        if now is None:
            return "TABLE 5-5: the series is not relevant on that day"
        done = next((each for each in now.evaluations if each.dose == given), None)
        if done is None:
            return "SECTION 4.2: the vaccine does not hold the antigen at this age"
        if series.forecast and done.target != series.forecast.target:
            return "TABLE 6-11: on that day another target dose is evaluated"
        if done.reasons:
            return f"{_rule(done.reasons[0])}: {done.reasons[0]}"
    return "?"


def _rule(reason: str) -> str:
    return {
        "Age: Too Young": "TABLE 6-15",
        "Age: Too Old": "TABLE 6-15",
        "Interval: Too Soon": "TABLE 6-18",
        "Inadvertent Vaccine": "TABLE 6-13",
        "Live Virus Conflict": "CONFLICT-3",
        "Vaccine: Not Preferable or Allowable": "TABLE 6-29",
    }.get(reason, "SECTION 4.4")


def _why_invalidated(before: Result, after: Result, dose: Dose) -> str:
    for name, found in before.series.items():
        for each in found:
            now = next((s for s in after.series.get(name, ()) if s.series is each.series), None)
            if now is not None and _satisfied(each, dose) and not _satisfied(now, dose):
                return "in the same series"
    return MORE_VALID


def _dates(forecast: GroupForecast) -> str:
    return f"earliest {forecast.earliest}, recommended {forecast.recommended}, past due {forecast.past_due}"
