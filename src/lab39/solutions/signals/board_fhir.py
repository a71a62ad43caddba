"""One signal as a FHIR R4 Bundle.

A signal is a ``Task``: work on a question that goes through states, its figures as inputs, its conclusion and the
recommendations as outputs. Each entry of the history is a ``Provenance`` of that task (who, when, what, why, and
the digest that the audit log holds, as a name of RFC 6920); each case an ``AdverseEvent`` with its causality. No
patient is named: the subject of a case is its number.
"""

from __future__ import annotations

import base64
import datetime as dt
from decimal import Decimal
from typing import Any

from lab39.core.text import Lang, Text
from lab39.solutions.signals import board, board_figures
from lab39.solutions.signals.board_figures import Figures
from lab39.solutions.signals.board_view import Line, Opened

_HL7 = "http://terminology.hl7.org/CodeSystem/"
_STATUS = {"refuted": "rejected", "closed": "completed"}
_PRIORITY = {"routine": "routine", "high": "urgent", "urgent": "asap"}
"""Levels of the lab in the R4 value set request-priority."""
_MADE_UP = {"system": f"{_HL7}v3-ActReason", "code": "HTEST", "display": "test health data"}
"""A tag of R4 (security labels) on what is not of people: the reports of a run were made up."""
_UNNAMED = Text("personne non nommée", "person not named")


def bundle(found: Opened, lang: Lang) -> dict[str, Any]:
    """The Bundle: the task, then the history, then the cases."""
    rows = [_task(found, lang), *(_provenance(found, each, lang) for each in found.lines), *_events(found, lang)]
    entries = [{"fullUrl": f"{_url(found)}/{row['resourceType']}/{row['id']}", "resource": row} for row in rows]
    stamp = found.lines[-1].entry.at.astimezone(dt.UTC).isoformat()
    return {
        "resourceType": "Bundle",
        "id": f"signal-{found.signal.id}",
        "language": lang,
        "type": "collection",
        "timestamp": stamp,
        "entry": entries,
    }


def _task(found: Opened, lang: Lang) -> dict[str, Any]:
    signal = found.signal
    made: dict[str, Any] = {
        "resourceType": "Task",
        "id": signal.id,
        "identifier": [{"system": "urn:lab39:signals:board", "value": signal.id}],
        "status": _STATUS.get(signal.state, "in-progress"),
        "businessStatus": {"text": found.state.title[lang]},
        "intent": "plan",
        "code": {"text": {"fr": "évaluation d'un signal", "en": "assessment of a signal"}[lang]},
        "description": f"{signal.drug}, {signal.event}",
        "focus": {"display": f"{signal.drug}, {signal.event}"},
        "authoredOn": _instant(signal.opened_at),
        "lastModified": _instant(signal.changed_at),
    }
    if any(each.synthetic for each in _runs(found)):
        made["meta"] = {"tag": [_MADE_UP]}
    if signal.priority:
        made["priority"] = _PRIORITY[signal.priority]
    notes = [each for each in found.lines if each.entry.kind == board.COMMENT]
    if notes:
        made["note"] = [
            {"authorString": each.who[lang], "time": _instant(each.entry.at), "text": each.entry.reason}
            for each in notes
        ]
    inputs = _inputs(found, lang)
    if inputs:
        made["input"] = inputs
    outputs = [
        {"type": {"text": title}, "valueCodeableConcept": {"text": said[lang]}}
        for each in found.lines
        for kind, title in (("recommend", "recommendation"), ("assess", "conclusion"))
        if each.entry.kind == kind
        for said in each.said
    ]
    return made | ({"output": outputs} if outputs else {})


def _runs(found: Opened) -> list[Figures]:
    """Figures of the run it was opened with, then of the newest, as far as there are."""
    return [each for each in (found.at_opening, found.now.after if found.now else None) if each is not None]


def _inputs(found: Opened, lang: Lang) -> list[dict[str, Any]]:
    """The pair, and the figures it was opened with, the run named in each."""
    made: list[dict[str, Any]] = [
        {"type": {"text": "drug"}, "valueString": found.signal.drug},
        {"type": {"text": "event"}, "valueString": found.signal.event},
    ]
    for figures in _runs(found):
        made += [
            {
                "type": {"text": f"{board_figures.NAMES[name][0][lang]}, {figures.title[lang]}"},
                "valueDecimal": Decimal(str(value)),
            }
            for name, value in figures.values.items()
            if value is not None
        ]
    return made


def _provenance(found: Opened, line: Line, lang: Lang) -> dict[str, Any]:
    entry = line.entry
    raw = bytes.fromhex(entry.digest(found.signal.id))
    named = "ni:///sha-256;" + base64.urlsafe_b64encode(raw).decode().rstrip("=")
    made: dict[str, Any] = {
        "resourceType": "Provenance",
        "id": f"{found.signal.id}-{entry.number}",
        "target": [{"reference": f"Task/{found.signal.id}"}],
        "occurredDateTime": _instant(entry.at),
        "recorded": _instant(entry.at),
        "activity": {"text": line.title[lang]},
        "agent": [{"who": {"display": line.who[lang]}}],
        "entity": [
            {"role": "source", "what": {"identifier": {"system": "urn:ietf:rfc:3986", "value": named}}},
        ],
    }
    if entry.reason:
        made["reason"] = [{"text": entry.reason}]
    return made


def _events(found: Opened, lang: Lang) -> list[dict[str, Any]]:
    """One AdverseEvent a case, every assessment of it in order."""
    by_case: dict[str, list[Line]] = {}
    for each in found.cases:
        if each.case is not None:
            by_case.setdefault(each.case.case, []).append(each)
    return [
        {
            "resourceType": "AdverseEvent",
            "id": f"{found.signal.id}-case-{i}",
            "identifier": {"value": case},
            "actuality": "actual",
            "event": {"text": found.signal.event},
            "subject": {"identifier": {"value": case}, "display": _UNNAMED[lang]},
            "suspectEntity": [
                {
                    "instance": {"display": found.signal.drug},
                    "causality": [row for line in lines for row in _causality(line, lang)],
                }
            ],
        }
        for i, (case, lines) in enumerate(by_case.items(), start=1)
    ]


def _causality(line: Line, lang: Lang) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    author = {"display": line.who[lang]}
    case = line.case
    if case is not None and case.naranjo is not None:
        scale = {"system": f"{_HL7}adverse-event-causality-method", "code": "ProbabilityScale"}
        made.append(
            {
                "assessment": {"text": case.naranjo.title[lang]},
                "productRelatedness": f"Naranjo {case.naranjo.score}",
                "author": author,
                "method": {"coding": [scale], "text": "Naranjo 1981"},
            }
        )
    if case is not None and case.who_umc is not None:
        coded = {"system": f"{_HL7}adverse-event-causality-assess", "code": case.who_umc.fhir}
        made.append(
            {
                "assessment": {"coding": [coded], "text": case.who_umc.title[lang]},
                "author": author,
                "method": {"text": {"fr": "OMS-UMC", "en": "WHO-UMC"}[lang]},
            }
        )
    return made


def _url(found: Opened) -> str:
    return f"urn:lab39:signals:{found.signal.id}"


def _instant(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="seconds")
