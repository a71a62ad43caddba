"""Why: every decision of one vaccine group in words, series by series and dose by dose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from lab39.core.text import NO_TEXT, Text, date
from lab39.solutions.vaccination import remarks, sentences, told, words
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import GroupForecast, PatientSeries, Step


@dataclass(frozen=True, slots=True)
class Decision:
    """One rule applied: what it decides, what it decided, from what."""

    rule: str
    says: Text
    outcome: Text
    inputs: tuple[tuple[Text, Text], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """The decisions about one thing: a dose, the next dose, the choice of the series."""

    title: Text
    conclusion: Text
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """One series: what it is against, and its parts.

    Attributes:
        rule: of an authored schedule, its rule in words with its sources; told once for the antigens it is for.
    """

    name: str
    antigen: Text
    status: Text
    parts: tuple[Part, ...]
    rule: tuple[Text, ...] = ()


def explained(forecast: GroupForecast, schedule: Schedule) -> tuple[Explained, ...]:
    """Every series behind a forecast, then the group itself."""
    found, seen = [], set()
    for each in forecast.series:
        rule = schedule.rules.get(each.series.rule)
        found.append(
            Explained(
                each.series.name,
                words.group(each.series.antigen),
                words.status(each.status),
                tuple(_parts(each, schedule)),
                remarks.told(rule) if rule is not None and rule.id not in seen else (),
            )
        )
        seen.add(each.series.rule)
    group = Part(
        Text("Le groupe de vaccins", "The vaccine group"),
        words.status(forecast.status),
        tuple(_decision(step, schedule) for step in forecast.steps),
    )
    return (*found, Explained("", words.group(forecast.group), words.status(forecast.status), (group,)))


def _parts(series: PatientSeries, schedule: Schedule) -> Iterator[Part]:
    for done in series.evaluations:
        when = sentences.day(done.dose.date)
        name = words.vaccine(schedule, done.dose.code)
        why = words.joined([words.reason(each) for each in done.reasons])
        status = words.status(done.status)
        yield Part(
            Text(f"{name.fr}, {when.fr}", f"{name.en}, {when.en}"),
            words.joined([status, why]) if why else status,
            tuple(_decision(step, schedule) for step in done.steps),
        )
    yield Part(
        Text("La suite", "What comes next"),
        words.reason(series.reason) if series.reason else words.status(series.status),
        tuple(_decision(step, schedule) for step in series.steps),
    )


def _decision(step: Step, schedule: Schedule) -> Decision:
    inputs = tuple(
        (_input(key), value)
        for key, each in step.inputs.items()
        if each is not None and (value := said(each, schedule, key))
    )
    outcome = said(step.outcome, schedule, "vaccine" if step.rule == "FORECASTRECVAC-1" else "")
    return Decision(step.rule, told.rules()[step.rule], outcome or Text("aucune", "none"), inputs)


def said(value: object, schedule: Schedule, key: str = "") -> Text:
    """A value of the trace in words; empty when there is nothing to say."""
    if value is None or value == "" or value == ():
        return NO_TEXT
    if isinstance(value, bool):
        return Text("oui", "yes") if value else Text("non", "no")
    if isinstance(value, dt.date):
        return Text(date(value, "fr"), date(value, "en"))
    if key in ("vaccine", "previous") and isinstance(value, str):
        return words.vaccine(schedule, value)
    if key == "observation" and isinstance(value, str) and value in schedule.observations:
        return words.situation(schedule, value)
    if isinstance(value, tuple):
        return words.joined([each for one in value if (each := said(one, schedule, key))])
    if isinstance(value, str):
        return _name(value)
    return Text.same(str(value))


def _input(key: str) -> Text:
    return words.named("input", key) if words.known("input", key) else words.group(key)


def _name(value: str) -> Text:
    for kind in ("reason", "status", "group", "word"):
        if words.known(kind, value):
            return words.named(kind, value)
    return Text.same(value)
