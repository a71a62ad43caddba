"""What a result says, as plain values for JSON and in words: dues, verdicts, and the trace of one vaccine group."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

from lab39.core.errors import UnknownNameError
from lab39.core.finding import jsonable
from lab39.core.text import Text
from lab39.solutions.vaccination import asking, remarks, words
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import GroupForecast, Patient, Result, Step
from lab39.solutions.vaccination.verdicts import verdict


def group_dict(forecast: GroupForecast) -> dict[str, Any]:
    """One vaccine group, without its trace."""
    return {
        "group": forecast.group,
        "type": forecast.type,
        "status": str(forecast.status),
        "dose_number": forecast.number,
        "earliest": forecast.earliest,
        "recommended": forecast.recommended,
        "past_due": forecast.past_due,
        "latest": forecast.latest,
        "antigens": list(forecast.antigens),
        "vaccines": [{"code": each.code, "name": each.name} for each in forecast.vaccines],
        "reasons": list(forecast.reasons),
        "level": forecast.level,
        "rules": list(dict.fromkeys(each.series.rule for each in forecast.series if each.series.rule)),
        "series": [each.series.name for each in forecast.series],
    }


def unverified(
    schedule: Schedule, patient: Patient, on: dt.date, *, verified: bool = False
) -> list[dict[str, Any]]:
    """The rules that concern a person and compute nothing: those nobody could verify, or those only to know."""
    return [
        {"rule": each.id, "group": each.group, "says": remarks.in_words(each).as_dict()}
        for each in remarks.unread(schedule, patient, on)
        if each.verified is verified
    ]


def due_dict(result: Result, patient: Patient, schedule: Schedule) -> dict[str, Any]:
    """Every vaccine group and every dose with its verdict; ``due`` names the groups due on the day."""
    doses = []
    for dose in patient.doses:
        found = verdict(result, dose)
        doses.append(
            {
                "ref": dose.id,
                "date": dose.date,
                "code": dose.code,
                "vaccine": schedule.vaccine_names.get(dose.code, ""),
                "status": str(found.status) if found else None,
                "reasons": list(found.reasons) if found else [],
                "reported": dose.reported,
            }
        )
    return {
        "schedule": schedule.name,
        "edition": schedule.version,
        "on": result.on,
        "due": list(dict.fromkeys(each.group for each in result.groups if is_due(each, result.on))),
        "to_ask": [jsonable(each) for each in asking.questions(schedule, patient, result)],
        "groups": [{**group_dict(each), **_tests(each, schedule)} for each in result.groups],
        "doses": doses,
        "unverified": unverified(schedule, patient, result.on),
        "to_know": unverified(schedule, patient, result.on, verified=True),
    }


def _tests(forecast: GroupForecast, schedule: Schedule) -> dict[str, Any]:
    said = remarks.tests(remarks.rules_of(schedule, [forecast]))
    return {"tests": said.as_dict()} if said.fr else {}


def is_due(forecast: GroupForecast, on: dt.date) -> bool:
    """Whether the recommended date is reached; what may only be offered is never due."""
    return forecast.level != "optional" and forecast.recommended is not None and forecast.recommended <= on


def why(result: Result, group: str) -> tuple[GroupForecast, ...]:
    """The forecasts of one vaccine group, by its name or a part of its words (``grippe``), whatever the case.

    Raises:
        UnknownNameError: no such group, or nothing to say of it for this person.
    """
    asked = group.strip().casefold()
    found = tuple(each for each in result.groups if each.group.casefold() == asked)
    if not found and asked:
        named = {
            each.group
            for each in result.groups
            if any(asked in said.casefold() for said in words.group(each.group).as_dict().values())
        }
        found = tuple(each for each in result.groups if len(named) == 1 and each.group in named)
    if not found:
        known = ", ".join(dict.fromkeys(each.group for each in result.groups))
        raise UnknownNameError(
            Text(
                f"rien à dire de «\u202f{group[:40]}\u202f» pour cette personne. Groupes\u202f: {known}",
                f"nothing to say of “{group[:40]}” for this person. Groups: {known}",
            ),
            "--group",
        )
    return found


def trace(forecast: GroupForecast) -> Iterator[tuple[str, Step]]:
    """Every decision behind a forecast, as ``(series, step)``: its series' doses first, then the forecast."""
    for each in forecast.series:
        for done in each.evaluations:
            for step in done.steps:
                yield each.series.name, step
        for step in each.steps:
            yield each.series.name, step
    for step in forecast.steps:
        yield forecast.group, step


@lru_cache(maxsize=1)
def rules() -> Mapping[str, Text]:
    """What each rule of the specification decides, in the words of this project, by the id it prints."""
    body = tomllib.loads((resources.files(__package__) / "knowledge" / "rules.toml").read_text("utf-8"))
    return {row["id"]: Text.of(row["says"]) for row in body["rule"]}


def step_dict(series: str, step: Step) -> dict[str, Any]:
    """One decision as plain values."""
    return {
        "series": series,
        "rule": step.rule,
        "says": rules()[step.rule].as_dict(),
        "outcome": plain(step.outcome),
        "inputs": {key: plain(value) for key, value in step.inputs.items() if value is not None},
    }


def plain(value: object) -> Any:
    """Dates in ISO form, tuples as lists, statuses as words."""
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    return value if isinstance(value, bool | int | float) or value is None else str(value)
