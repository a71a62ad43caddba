"""Whose resources these are: a record is about one person, whatever the number of ``Patient`` resources in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

CLINICAL = (
    "AllergyIntolerance",
    "Condition",
    "Immunization",
    "MedicationAdministration",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "Procedure",
)
_PATIENT = re.compile(r"(?:^|/)Patient/(?P<id>[A-Za-z0-9\-.]{1,64})(?:/_history/|$)")


def named(
    resources: Iterable[tuple[Mapping[str, Any], str, str]], known: Mapping[str, Mapping[str, Any]]
) -> dict[str, str]:
    """The patients that clinical resources are about: id (or ``urn:``) of each, and the first place that names it.

    Args:
        known: what a reference resolves to inside the record; a subject that is a group or a device is nobody.
    """
    found: dict[str, str] = {}
    for raw, place, _ in resources:
        kind = raw.get("resourceType")
        if kind not in CLINICAL:
            continue
        key = "subject" if "subject" in raw else "patient"
        pointer = raw.get(key)
        reference = pointer.get("reference") if isinstance(pointer, Mapping) else None
        if not isinstance(reference, str):
            continue
        target = known.get(reference)
        person = _PATIENT.search(reference)
        if target is not None:
            who = str(target.get("id") or reference) if target.get("resourceType") == "Patient" else ""
        elif person:
            who = person["id"]
        else:
            who = reference if reference.startswith("urn:") else ""
        if who:
            found.setdefault(who, f"{place}.{key}")
    return found
