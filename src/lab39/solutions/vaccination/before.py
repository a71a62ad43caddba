"""What is said of the doses before those that are known: a lost record, or never vaccinated.

The words are those of the schedule's observations; the rules for whom it is asked are named in
``knowledge/counter.toml`` (``before``). It is said in the form, at the counter or by the record, and does the same
everywhere.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from lab39.core.record import Record
from lab39.core.text import Lang, Text
from lab39.solutions.vaccination import consultation, questions, remarks
from lab39.solutions.vaccination.authored import Rule
from lab39.solutions.vaccination.consultation import Asked
from lab39.solutions.vaccination.findings import Assessed
from lab39.solutions.vaccination.model import Schedule

_SYSTEM = "lab39"
_CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"


def choices(schedule: Schedule) -> list[tuple[str, Text]]:
    """What may be said, as an address writes it and in words; nothing when the schedule knows no such situation."""
    return [
        (f"{_SYSTEM}|{code}", schedule.observations[code].label)
        for code in questions.body()["before"]["codes"]
        if code in schedule.observations
    ]


def said(asked: Asked) -> tuple[str, ...]:
    """What an address says of it."""
    known = {f"{_SYSTEM}|{code}" for code in questions.body()["before"]["codes"]}
    return tuple(each for each in asked.stated if each in known)


def offered(asked: Asked, found: Assessed, held: Record | None) -> list[tuple[str, Text]]:
    """What may be said at a counter; nothing when the record knows a dose, says it, or has no place for it."""
    if held is None or held.form == "phenopacket":
        return []
    return choices(found.schedule) if said(asked) or to_ask(found) else []


def to_ask(found: Assessed) -> tuple[Rule, ...]:
    """The rules that ask it of a person: no known dose, and nothing said yet."""
    rules = questions.body()["before"]["rules"]
    unread = remarks.unread(found.schedule, found.patient, found.result.on)
    return tuple(rule for rule in unread if rule.id in rules)


def concerns(found: Assessed, antigens: set[str]) -> tuple[Rule, ...]:
    """The same, of those that are about one of the antigens."""
    about = {each.rule.id: set(each.antigens) for each in found.schedule.unread}
    return tuple(rule for rule in to_ask(found) if about[rule.id] & antigens)


def stating(record: Record, asked: Asked, schedule: Schedule, lang: Lang) -> Record:
    """The record with what is said added, in thought; a phenopacket, which has no place for it, stays as it is."""
    for each in conditions(record, asked, schedule, lang):
        record = consultation.as_bundle(record).with_resource(each)
    return record


def conditions(
    record: Record, asked: Asked, schedule: Schedule, lang: Lang, recorded: dt.date | None = None
) -> tuple[Mapping[str, Any], ...]:
    """What is said, as a condition of the record; nothing when it says one already, or when both are said at once.

    Who answers twice, or goes back, leaves one answer: the first that was kept.

    Args:
        recorded: the day it is written, when it is to be kept.
    """
    answers, codes = said(asked), questions.body()["before"]["codes"]
    labels = dict(choices(schedule))
    if record.form == "phenopacket" or len(set(answers)) != 1 or answers[0] not in labels:
        return ()
    told = (each for each in record.conditions() if each.active is not False and each.verification != "refuted")
    if any(each.concept.has(consultation.SYSTEMS[_SYSTEM], *codes) for each in told):
        return ()
    patient = next(iter(record.resources("Patient")), {})
    subject = {"reference": f"Patient/{patient['id']}"} if patient.get("id") else {"display": "?"}
    code = answers[0].partition("|")[2]
    condition = {
        "resourceType": "Condition",
        "id": f"before-{code}",
        "clinicalStatus": {"coding": [{"system": _CLINICAL, "code": "active"}]},
        "code": {
            "coding": [{"system": consultation.SYSTEMS[_SYSTEM], "code": code}],
            "text": labels[answers[0]][lang],
        },
        "subject": subject,
    }
    return (condition | ({"recordedDate": recorded.isoformat()} if recorded else {}),)
