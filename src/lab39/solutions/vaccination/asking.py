"""What has to be asked before a vaccine that may be forbidden: the field to fill in, and the vaccines that wait."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from lab39.core import terms
from lab39.core.finding import Missing
from lab39.core.record import Record
from lab39.core.terms import Coding
from lab39.core.text import Text
from lab39.solutions.vaccination import words
from lab39.solutions.vaccination.licence import within
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import Patient, Result, SeriesStatus

HOLDS_DAYS = 92
"""How long a "no" holds: lowered immunity lasts three months after steroids (RECO26), so it is asked again then."""


def waiting(result: Result) -> tuple[str, ...]:
    """Vaccine groups of which nothing is said but that a question is to be answered first."""
    groups: dict[str, set[SeriesStatus]] = {}
    for each in result.groups:
        if each.level != "optional":
            groups.setdefault(each.group, set()).add(each.status)
    return tuple(
        name
        for name, found in groups.items()
        if SeriesStatus.TO_ASK in found and SeriesStatus.NOT_COMPLETE not in found
    )


def questions(schedule: Schedule, patient: Patient, result: Result) -> tuple[Missing, ...]:
    """Each thing to fill in, with the vaccines that wait for it; nothing when none does."""
    return (*_immunity(schedule, patient, result), *_destination(schedule, patient))


def _immunity(schedule: Schedule, patient: Patient, result: Result) -> tuple[Missing, ...]:
    groups = words.joined([words.group(each) for each in waiting(result)])
    if not groups:
        return ()
    told = Text(
        f"à demander d'abord, pas de vaccin vivant d'ici là ({groups.fr})",
        f"to be asked first, no live vaccine until then ({groups.en})",
    )
    known = {each.code for each in patient.observations}
    return tuple(
        Missing(
            each.code if each.unit else code,
            each.title,
            told,
            each.unit,
            None if each.unit else Coding(each.system, each.code, each.title.en),
        )
        for code, term in schedule.observations.items()
        if code in known
        for each in term.asks
        if within((each.begin, each.end), patient.birth_date, (result.on,))
    )


def _destination(schedule: Schedule, patient: Patient) -> tuple[Missing, ...]:
    """A journey whose destination is not known, with the vaccines that it would decide."""
    known = {each.code for each in patient.observations}
    found = []
    for code, term in schedule.observations.items():
        if code not in known or not term.opens or known & term.opens:
            continue
        decided = words.joined([words.group(each) for each in _decided(schedule, term.opens)])
        told = Text(
            f"selon la destination, la durée et les conditions du séjour, restent à regarder\u202f: {decided.fr}",
            f"the place, the length and the conditions of the stay decide these, not looked at yet: {decided.en}",
        )
        name = Text("destination et durée du voyage", "destination and length of the journey")
        found.append(Missing(code, name, told))
    return tuple(found)


def _decided(schedule: Schedule, opens: frozenset[str]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            series.vaccine_group
            for antigen in schedule.antigens.values()
            for series in antigen.series
            if any(each.code in opens for each in series.indications)
        )
    )


def answered(record: Record, schedule: Schedule, on: dt.date) -> frozenset[str]:
    """Questions that the record answers with "no": the condition that is asked, lately refuted."""
    since = on - dt.timedelta(days=HOLDS_DAYS)
    refuted = {
        (coding.system, coding.code)
        for each in record.conditions()
        if each.verification == "refuted" and each.recorded and since <= each.recorded.earliest <= on
        for coding in each.concept.codings
    }
    asked: Mapping[str, set[tuple[str, str]]] = {
        code: {(each.system, each.code) for each in term.asks if each.system == terms.SNOMED}
        for code, term in schedule.observations.items()
        if term.asks
    }
    return frozenset(code for code, found in asked.items() if found & refuted)
