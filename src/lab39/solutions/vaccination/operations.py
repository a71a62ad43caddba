"""What vaccination answers to programs: ``$immds-forecast`` of the ImmDS guide, and what is due as plain JSON.

ImmDS, *Immunization Decision Support Forecast*, HL7 US Realm, 1.0.0 and 2.0.0: in, ``assessmentDate``, ``patient``
and ``immunization``; out, ``evaluation`` and ``recommendation``. Beyond the guide: ``condition``, ``observation``,
``allergyIntolerance``, ``procedure`` and ``schedule`` in; ``issues`` out, an OperationOutcome of what was not used.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lab39.core.errors import InputError, Issue
from lab39.core.faces import Call, Operation
from lab39.core.record import Record
from lab39.core.text import Text
from lab39.fhir.outputs import NAMESPACE, operation_outcome
from lab39.solutions.vaccination import illness, sources, told
from lab39.solutions.vaccination.engine import run
from lab39.solutions.vaccination.fhir_out import Resource, Writer
from lab39.solutions.vaccination.reading import read_patient, uncounted_dict

DEFINITION = "http://hl7.org/fhir/us/immds/OperationDefinition/ImmDSForecastOperation"
RESOURCES: Mapping[str, str] = {
    "patient": "Patient",
    "immunization": "Immunization",
    "condition": "Condition",
    "observation": "Observation",
    "allergyintolerance": "AllergyIntolerance",
    "procedure": "Procedure",
}
"""Parameters that hold a resource, by name in lower case, and its type."""


@dataclass(slots=True)
class Asked:
    """What ``$immds-forecast`` was sent.

    Attributes:
        places: of each resource, among the parameters.
        events: immunizations that came without an id, by the reference they were given.
        issues: parameters that are not known.
    """

    on: dt.date
    resources: list[Resource]
    schedule: str = ""
    places: list[str] = field(default_factory=list)
    events: dict[str, Resource] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)


def forecast(call: Call) -> Resource:
    """``$immds-forecast``: each dose evaluated, every vaccine group forecast, and what could not be used."""
    asked = read_parameters(call.body)
    entries = [{"resource": each} for each in asked.resources]
    record = Record.from_fhir({"resourceType": "Bundle", "type": "collection", "entry": entries})
    schedule = sources.open_schedule(call.ctx.packs, asked.schedule or sources.FRANCE)
    known = read_patient(record, schedule, asked.on, sources.open_maps(call.ctx.packs))
    if known.patient is None:
        raise InputError(known.issues[0].text, f"Parameters.parameter[patient] › {known.issues[0].place}")
    result = run(schedule, known.patient, asked.on)
    wait = illness.wait(known.noted)
    writer = Writer(result, known.patient, schedule, _subject(record), call.lang, asked.events, wait)
    found = [{"name": "evaluation", "resource": each} for each in writer.evaluations()]
    found.append({"name": "recommendation", "resource": writer.recommendation()})
    doubts = zip(illness.in_doubt(known.noted), illness.to_ask(known.noted), strict=True)
    unsure = (Issue("incomplete", each.ref, illness.asked(missing), "warning") for each, missing in doubts)
    read = (*record.issues_on(asked.on), *known.issues, *unsure)
    issues = [*asked.issues, *(_placed(each, asked) for each in read)]
    if issues:
        found.append({"name": "issues", "resource": dict(operation_outcome(issues, call.lang))})
    return {"resourceType": "Parameters", "parameter": found}


def due(call: Call) -> dict[str, Any]:
    """What is due, every vaccine group, every dose with its verdict, and what could not be used."""
    on = call.query.day("on") or call.on
    schedule = sources.open_schedule(call.ctx.packs, call.query.text("schedule") or sources.FRANCE)
    known = read_patient(call.body, schedule, on, sources.open_maps(call.ctx.packs))
    if known.patient is None:
        raise InputError(known.issues[0].text, known.issues[0].place)
    issues = [each.as_dict() for each in known.issues]
    found = told.due_dict(run(schedule, known.patient, on), known.patient, schedule)
    return found | illness.as_dict(known.noted) | uncounted_dict(known, schedule) | {"issues": issues}


def read_parameters(body: Mapping[str, Any]) -> Asked:
    """The parameters of ``$immds-forecast``.

    Raises:
        InputError: not Parameters; a parameter that must be there is not, comes twice, or is of another type.
    """
    if body.get("resourceType") != "Parameters":
        raise InputError(
            Text("une ressource Parameters est attendue", "a Parameters resource is expected"), "resourceType"
        )
    on: dt.date | None = None
    asked = Asked(dt.date.min, [])
    for row, place in _rows(body):
        name = str(row.get("name"))
        if name == "assessmentDate":
            _once(on is None, place)
            on = _day(row, place)
        elif name == "schedule":
            _once(not asked.schedule, place)
            asked.schedule = _word(row, place)
        elif name.lower() in RESOURCES:
            asked.resources.append(_resource(row, name, place, asked))
            asked.places.append(f"{place}.resource")
        else:
            asked.issues.append(
                Issue(
                    "not-supported",
                    place,
                    Text(f"paramètre «\u202f{name[:40]}\u202f» inconnu, non utilisé",
                         f"unknown parameter “{name[:40]}”, not used"),
                    "warning",
                )
            )  # fmt: skip
    patients = sum(each["resourceType"] == "Patient" for each in asked.resources)
    if on is None:
        raise InputError(
            Text(
                "jour de l'évaluation absent (valueDate, AAAA-MM-JJ)", "no assessment date (valueDate, YYYY-MM-DD)"
            ),
            "Parameters.parameter[assessmentDate]",
        )
    if patients != 1:
        raise InputError(
            Text(f"un patient est attendu, {patients} reçu(s)", f"one patient is expected, {patients} given"),
            "Parameters.parameter[patient]",
        )
    asked.on = on
    return asked


def _placed(issue: Issue, asked: Asked) -> Issue:
    """The same, with its place among the parameters rather than in the record made of them."""
    found = re.match(r"Bundle\.entry\[(\d+)\]\.resource", issue.place)
    if found is None:
        return issue
    return replace(issue, place=asked.places[int(found[1])] + issue.place[found.end() :])


def _rows(body: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    rows = body.get("parameter")
    for i, row in enumerate(rows if isinstance(rows, list) else ()):
        place = f"Parameters.parameter[{i}]"
        if not isinstance(row, Mapping):
            raise InputError(Text("un objet est attendu", "an object is expected"), place)
        yield row, place


def _once(first: bool, place: str) -> None:
    if not first:
        raise InputError(Text("donné deux fois", "given twice"), place)


def _day(row: Mapping[str, Any], place: str) -> dt.date:
    value = row.get("valueDate", row.get("valueDateTime"))
    try:
        return dt.date.fromisoformat(str(value)[:10])
    except ValueError:
        raise InputError(
            Text("une date complète est attendue (AAAA-MM-JJ)", "a whole date is expected (YYYY-MM-DD)"),
            f"{place}.valueDate",
        ) from None


def _word(row: Mapping[str, Any], place: str) -> str:
    value = row.get("valueString", row.get("valueCode"))
    if not isinstance(value, str) or not value.strip():
        raise InputError(
            Text("le nom d'un calendrier est attendu", "the name of a schedule is expected"), f"{place}.valueString"
        )
    return value.strip()


def _resource(row: Mapping[str, Any], name: str, place: str, asked: Asked) -> Resource:
    found, wanted = row.get("resource"), RESOURCES[name.lower()]
    if not isinstance(found, Mapping) or found.get("resourceType") != wanted:
        raise InputError(
            Text(f"une ressource {wanted} est attendue", f"a resource {wanted} is expected"), f"{place}.resource"
        )
    resource = dict(found)
    if wanted == "Immunization" and not isinstance(resource.get("id"), str):
        resource["id"] = f"immunization-{len(asked.events) + 1}"
        asked.events[f"Immunization/{resource['id']}"] = resource
    return resource


def _subject(record: Record) -> str:
    return f"Patient/{record.id}" if record.id else f"urn:uuid:{uuid.uuid5(NAMESPACE, 'Patient')}"


_PATIENT = {"resourceType": "Patient", "id": "example", "birthDate": "2025-01-31", "gender": "female"}
_GIVEN = {
    "resourceType": "Immunization",
    "id": "dose-1",
    "status": "completed",
    "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "146"}]},
    "patient": {"reference": "Patient/example"},
    "occurrenceDateTime": "2025-03-31",
}
EXAMPLE = {
    "resourceType": "Parameters",
    "parameter": [
        {"name": "assessmentDate", "valueDate": "2026-11-24"},
        {"name": "patient", "resource": _PATIENT},
        {"name": "immunization", "resource": _GIVEN},
    ],
}

operations = (
    Operation(
        path="$immds-forecast",
        summary="Evaluate a person's immunizations and forecast what is due (ImmDS)",
        handler=forecast,
        permission="assess.once",
        example=EXAMPLE,
        definition=DEFINITION,
    ),
    Operation(
        path="due",
        summary="What is due, every vaccine group and every dose with its verdict",
        handler=due,
        permission="assess.once",
        body=Record,
        query={
            "on": "day of the assessment (YYYY-MM-DD), today when absent",
            "schedule": "france, cdsi, who-cdsi, or one edition of it (cdsi@4.64)",
        },
        example={
            "resourceType": "Bundle",
            "type": "collection",
            "entry": [{"resource": _PATIENT}, {"resource": _GIVEN}],
        },
    ),
)
