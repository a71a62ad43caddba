"""Entries as FHIR R4B AuditEvent, for systems that gather them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab39.core.text import Lang
from lab39.store.audit.actions import Coding, action
from lab39.store.audit.commitments import canonical
from lab39.store.audit.log import Entry, moment

IDS = "urn:lab39:id"
SOURCES = "http://terminology.hl7.org/CodeSystem/security-source-type"
ROLES = "http://terminology.hl7.org/CodeSystem/extra-security-role-type"


def audit_event(entry: Entry, *, lang: Lang = "fr", log: str = "") -> Mapping[str, Any]:
    """An entry as an AuditEvent.

    Args:
        log: identifier of the log; with the number it names the entry everywhere.
    """
    kind = action(entry.action)
    agent: dict[str, Any] = {"requestor": bool(entry.actor)}
    agent["who"] = {"identifier": {"system": IDS, "value": entry.actor}} if entry.actor else {"display": "lab39"}
    if not entry.actor:
        agent["type"] = {"coding": [{"system": ROLES, "code": "dataprocessor", "display": "data processor"}]}
    found: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": f"{log or 'audit'}-{entry.number}",
        "type": _coding(kind.type),
        "action": kind.crud,
        "recorded": moment(entry.at),
        "outcome": "4" if kind.refused else "0",
        "agent": [agent],
        "source": {
            "observer": {"display": "lab39"},
            "type": [{"system": SOURCES, "code": "4", "display": "Application Server"}],
        },
        "entity": [_entity(entry, kind.title[lang])],
    }
    if kind.subtype is not None:
        found["subtype"] = [_coding(kind.subtype)]
    return found


def _entity(entry: Entry, title: str) -> dict[str, Any]:
    """What it was done to, and what is to be known of it: everything the entry says is in the mirror."""
    details = [
        {"type": "number", "valueString": str(entry.number)},
        {"type": "action", "valueString": entry.action},
    ]
    details += [{"type": "about." + key, "valueString": _words(value)} for key, value in entry.about.items()]
    found: dict[str, Any] = {"name": title, "detail": details}
    if entry.subject:
        found["what"] = {"identifier": {"system": IDS, "value": entry.subject}}
    return found


def _words(value: Any) -> str:
    return value if isinstance(value, str) and value.strip() else canonical(value).decode()


def _coding(coding: Coding) -> dict[str, str]:
    return {"system": coding.system, "code": coding.code, "display": coding.display}
