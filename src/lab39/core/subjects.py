"""Whose resources these are: a record is about one person, whatever the number of ``Patient`` resources in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from lab39.core.errors import InputError
from lab39.core.text import Text

Resource = Mapping[str, Any]
CLINICAL = (
    "AllergyIntolerance",
    "ClinicalImpression",
    "Condition",
    "Immunization",
    "MedicationAdministration",
    "MedicationRequest",
    "MedicationStatement",
    "Observation",
    "Procedure",
)
_PATIENT = re.compile(r"(?:^|/)Patient/(?P<id>[A-Za-z0-9\-.]{1,64})(?:/_history/|$)")
_OTHER = re.compile(r"(?:^|/)(?:RelatedPerson|Practitioner|PractitionerRole|Device|Location|Organization)/")


def named(resources: Iterable[tuple[Resource, str, str]], known: Mapping[str, Resource]) -> dict[str, str]:
    """The patients that clinical resources are about: id (or ``urn:``) of each, and the first place that names it.

    A ``Patient`` contained in a resource is somebody by its id; two of the same id are two people when they differ.

    Args:
        known: what a reference resolves to inside the record; a subject that is a group is nobody.
    """
    found: dict[str, str] = {}
    contained: dict[str, Resource] = {}
    for raw, place, _ in resources:
        if raw.get("resourceType") not in CLINICAL:
            continue
        key, reference = _subject(raw)
        inside = within(raw, reference)
        who = person(reference, raw, known)
        if who and inside is not None and contained.setdefault(who, inside) != inside:
            who = f"{who} ({place})"
        if who:
            found.setdefault(who, f"{place}.{key}")
    return found


def person(reference: str, holder: Resource, known: Mapping[str, Resource]) -> str:
    """The patient a reference in ``holder`` names: an id or ``urn:``; ``""`` for whatever is no patient."""
    target = within(holder, reference) or known.get(reference)
    if target is not None:
        return str(target.get("id") or reference) if target.get("resourceType") == "Patient" else ""
    named_so = _PATIENT.search(reference)
    return named_so["id"] if named_so else reference if reference.startswith("urn:") else ""


def within(holder: Resource, reference: str) -> Resource | None:
    """The resource contained in ``holder`` that ``#id`` names."""
    contained = holder.get("contained") if reference.startswith("#") else None
    rows = contained if isinstance(contained, list) else ()
    return next((c for c in rows if isinstance(c, Mapping) and f"#{c.get('id')}" == reference), None)


def elsewhere(raw: Resource, mine: str, known: Mapping[str, Resource]) -> str:
    """The member that says the resource tells of somebody or something else than the patient; ``""`` if none.

    It is ``focus`` ("what the observation is about, when it is not about the subject of record", R4 observation),
    or a subject that is a relative, a device, a place.
    """
    focus = raw.get("focus") if raw.get("resourceType") == "Observation" else None
    for pointer in focus if isinstance(focus, list) else [focus] if focus else []:
        reference = _reference(pointer)
        if not mine or person(reference, raw, known) != mine:
            return "focus"
    key, reference = _subject(raw)
    target = within(raw, reference) or known.get(reference)
    kind = "" if target is None else f"{target.get('resourceType')}/"
    return key if _OTHER.search(kind or reference) else ""


def _subject(raw: Resource) -> tuple[str, str]:
    key = "subject" if "subject" in raw else "patient"
    return key, _reference(raw.get(key))


def _reference(pointer: Any) -> str:
    found = pointer.get("reference") if isinstance(pointer, Mapping) else None
    return found if isinstance(found, str) else ""


def several(places: list[str], source: str) -> InputError:
    """The refusal of a record about more than one person."""
    shown = ", ".join(places[:3]) + ("…" if len(places) > 3 else "")
    return InputError(
        Text(
            f"{len(places)} patients ({shown})\u202f: un dossier concerne une personne. "
            "Donner un dossier par personne (NDJSON ou dossier de fichiers).",
            f"{len(places)} patients ({shown}): a record is about one person. "
            "Give one record a person (NDJSON or a folder of files).",
        ),
        source,
    )
