"""What the FHIR door can do, in FHIR's own words: a CapabilityStatement and the definition of its operation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from lab39 import __version__
from lab39.fhir.outputs import DISCLAIMER

FHIR_VERSION = "4.0.1"
OPERATION = "OperationDefinition/lab39-assess"
PUBLISHED = "2026-07-01"
"""Of these two resources."""


def statement(base: str, at: dt.datetime, more: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
    """The CapabilityStatement of the server at a base address (``https://lab.example.org/fhir``).

    Args:
        more: operations that solutions bring: name and canonical address of the definition.
    """
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": at.isoformat(timespec="seconds"),
        "kind": "instance",
        "software": {"name": "Lab39", "version": __version__},
        "implementation": {"description": f"Lab39. {DISCLAIMER.en}", "url": base},
        "fhirVersion": FHIR_VERSION,
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "documentation": "A record is assessed by POST [base]/$assess and is not kept.",
                "operation": [
                    {"name": name, "definition": where}
                    for name, where in (("assess", f"{base}/{OPERATION}"), *more)
                ],
            }
        ],
    }


def definition(base: str) -> dict[str, Any]:
    """The OperationDefinition of ``$assess``."""
    return {
        "resourceType": "OperationDefinition",
        "id": "lab39-assess",
        "url": f"{base}/{OPERATION}",
        "name": "Assess",
        "title": "Assess one person's record with every solution",
        "status": "active",
        "kind": "operation",
        "date": PUBLISHED,
        "affectsState": False,
        "code": "assess",
        "description": "Gives the findings of the installed solutions about one record, each with its reasons.",
        "system": True,
        "type": False,
        "instance": False,
        "parameter": [
            _in("record", "Bundle", 1, "1", "The record: one person. Any single resource is read too."),
            _in("on", "date", 0, "1", "Day of the assessment; today when absent."),
            _in("only", "code", 0, "*", "Ids of the solutions to ask; all when absent."),
            _in("lang", "code", 0, "1", "fr or en."),
            {
                "name": "return",
                "use": "out",
                "min": 1,
                "max": "1",
                "documentation": "A collection Bundle: for each finding a DetectedIssue or a solution's own "
                "resource, a Provenance with the versions, an OperationOutcome for what was not understood.",
                "type": "Bundle",
            },
        ],
    }


def _in(name: str, kind: str, least: int, most: str, about: str) -> dict[str, Any]:
    return {"name": name, "use": "in", "min": least, "max": most, "documentation": about, "type": kind}
