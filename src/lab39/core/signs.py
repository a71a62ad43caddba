"""The signs a record states in HPO terms, present or excluded, and the HPO codes that stand where none is read."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any

from lab39.core import entries as e
from lab39.core import terms
from lab39.core.reading import Reading, Resource

# SNOMED CT qualifier values with which an HPO-coded Observation says present or absent.
PRESENT = ("52101004", "373573001", "373066001")
ABSENT = ("2667000", "272519000", "373067005")
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
UNDONE = ("registered", "cancelled")
"""Observation.status values under which there is no result (R4 value set observation-status)."""
OF_RELATIVES = ("8670-2",)
"""LOINC "History of family member diseases", as in the R4 example list-example-familyhistory-f201."""
ONSET_EXTENSION = "http://lab39.org/fhir/StructureDefinition/phenotype-onset"


def phenotypes(r: Reading, seen: e.Observation | e.Condition | e.Impression) -> Iterator[e.Phenotype]:
    """The signs that one entry states.

    An observation coded in HPO, or such a component of one, is present unless it says absent (SNOMED CT 2667000
    and the like, boolean false, or a negative interpretation); one without any value is stated present by being
    recorded, as Phenopackets do. A value that says neither (a free text, a number), or an observation that was
    not made, is not used. A value coded in HPO is present, whatever was asked. A condition is present unless its
    verification status is ``refuted``; one that is only a hypothesis is not used. A finding of a clinical
    impression is present.
    """
    if isinstance(seen, e.Condition):
        yield from _of_condition(r, seen)
    elif isinstance(seen, e.Impression):
        for concept in seen.findings:
            yield from _signs(r, seen, _hpo(concept), False)
    else:
        yield from _of_observation(r, seen)


def _of_condition(r: Reading, seen: e.Condition) -> Iterator[e.Phenotype]:
    excluded = None if seen.verification in e.HYPOTHETICAL else seen.verification == "refuted"
    yield from _signs(r, seen, _hpo(seen.concept), excluded, seen.onset.written if seen.onset else None)


def _of_observation(r: Reading, seen: e.Observation) -> Iterator[e.Phenotype]:
    onset = None
    for extension, _ in r.many(seen.raw, "extension", seen.ref):
        if extension.get("url") == ONSET_EXTENSION:
            onset = str(extension.get("valueString") or "") or None
    rows = seen.raw.get("component")
    parts = [part for part in rows if isinstance(part, Mapping)] if isinstance(rows, list) else []
    panel = seen.value is None and any(_hpo(concept) for concept, _ in seen.components)
    stated = [(seen.concept, seen.value, seen.raw, panel)]
    stated += [(c, value, part, False) for (c, value), part in zip(seen.components, parts, strict=True)]
    for concept, value, raw, states_nothing in stated:
        asked = _hpo(concept)
        answered = _hpo(value) if isinstance(value, terms.Concept) else []
        if not asked and not answered:
            continue
        made = seen.status not in UNDONE and not raw.get("dataAbsentReason")
        negative = any(
            r.codeable(item, spot).has(INTERPRETATION, "NEG")
            for item, spot in r.many(raw, "interpretation", seen.ref)
        )
        excluded = _excluded(value, raw, negative) if made and not states_nothing else None
        yield from _signs(r, seen, asked, excluded, onset)
        usable = made and not negative and not concept.has(terms.LOINC, *OF_RELATIVES)
        yield from _signs(r, seen, [c for c in answered if c not in asked], False if usable else None, onset)


def _excluded(value: e.Value, raw: Resource, negative: bool) -> bool | None:
    """What an observation or component says of the sign it is coded with; ``None`` when it says neither."""
    if isinstance(value, terms.Concept):
        if value.has(terms.SNOMED, *ABSENT):
            return True
        return False if value.has(terms.SNOMED, *PRESENT) else None
    if isinstance(value, bool):
        return not value
    return None if any(key.startswith("value") for key in raw) else negative


def _hpo(concept: terms.Concept) -> list[terms.Coding]:
    return [c for c in concept.codings if c.system == terms.HPO]


def _signs(
    r: Reading,
    seen: e.Observation | e.Condition | e.Impression,
    codes: list[terms.Coding],
    excluded: bool | None,
    onset: str | None = None,
) -> Iterator[e.Phenotype]:
    if codes and excluded is None:
        r.note(
            "value",
            seen.ref,
            f"{codes[0].code}\u202f: ni présent ni absent, signe non utilisé",
            f"{codes[0].code}: neither present nor absent, sign not used",
            "warning",
        )
        return
    date = seen.onset if isinstance(seen, e.Condition) else seen.date
    for coding in codes:
        yield e.Phenotype(ref=seen.ref, raw=seen.raw, term=coding, excluded=bool(excluded), date=date, onset=onset)


# -- HPO codes where no sign is read ------------------------------------------------------------------

_READ = re.compile(
    r"Observation\.(code|valueCodeableConcept|component\[\d+\]\.(code|valueCodeableConcept))\."
    r"|Condition\.code\."
    r"|ClinicalImpression\.finding\[\d+\]\.itemCodeableConcept\."
)
_CODE = re.compile(r"HP:\d{7}", re.ASCII)


def unread(r: Reading, rows: Iterable[tuple[Resource, str, str]], aside: Container[int]) -> None:
    """Note, for each resource, the HPO codes that stand elsewhere than where :func:`phenotypes` reads.

    Args:
        aside: ``id()`` of the resources already noted as not used.
    """
    for raw, place, _ in rows:
        if id(raw) in aside or not any(_is_hpo(held) for held in _objects(raw)):
            continue
        kind = str(raw.get("resourceType"))
        found = [(spot, code) for spot, code in _placed(raw, kind) if not _READ.match(spot)]
        if found:
            codes = ", ".join(dict.fromkeys(code for _, code in found[:5])) + ("…" if len(found) > 5 else "")
            r.note(
                "not-supported",
                place + found[0][0].removeprefix(kind),
                f"{codes}\u202f: aucun signe n'est lu à cette place, non utilisé",
                f"{codes}: no sign is read from this place, not used",
                "warning",
            )


def _is_hpo(held: Resource) -> bool:
    code, system = held.get("code"), held.get("system")
    if not isinstance(code, str):
        return False
    return bool(_CODE.fullmatch(code)) or (isinstance(system, str) and terms.canonical(system) == terms.HPO)


def _objects(value: Any) -> Iterator[Resource]:
    left = [value]
    while left:
        held = left.pop()
        if isinstance(held, str):
            continue
        if isinstance(held, _OBJECT):
            yield held
            left += held.values()
        elif isinstance(held, list):
            left += held


_OBJECT = (dict, Mapping)
"""A dict is told at once, another mapping ten times slower."""


def _placed(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        if _is_hpo(value):
            yield place, str(value["code"])
        for key, held in value.items():
            yield from _placed(held, f"{place}.{key}")
    elif isinstance(value, list):
        for i, held in enumerate(value):
            yield from _placed(held, f"{place}[{i}]")
