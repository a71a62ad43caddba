"""Reading FHIR R4 resources into entries, one function a resource type."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from lab39.core import entries as e
from lab39.core.reading import Reading, Resource


def condition(r: Reading, raw: Resource, place: str, ref: str) -> e.Condition:
    """A ``Condition``."""
    return e.Condition(
        ref=ref,
        raw=raw,
        concept=r.concept(raw, "code", place),
        clinical=r.flag(raw, "clinicalStatus", place),
        verification=r.flag(raw, "verificationStatus", place),
        onset=r.when(raw, "onset", place),
        abatement=r.when(raw, "abatement", place),
        recorded=r.date(raw, "recordedDate", place),
    )


_PER_DAY = {
    "s": Decimal(86400),
    "min": Decimal(1440),
    "h": Decimal(24),
    "d": Decimal(1),
    "wk": Decimal(1) / 7,
    "mo": Decimal(1) / 30,
}


def _per_day(r: Reading, raw: Resource, place: str) -> Decimal | None:
    timing = r.take(raw, "timing", dict, place) or {}
    repeat = r.take(timing, "repeat", dict, f"{place}.timing") or {}
    spot = f"{place}.timing.repeat"
    period, unit = r.decimal(repeat, "period", spot), r.take(repeat, "periodUnit", str, spot)
    frequency = r.decimal(repeat, "frequency", spot)
    if period and unit in _PER_DAY:
        return (frequency or Decimal(1)) / period * _PER_DAY[unit]
    return None


def _dosage(r: Reading, raw: Resource, place: str) -> e.Dosage:
    dose = next(
        (r.quantity(d, "doseQuantity", spot) for d, spot in r.many(raw, "doseAndRate", place)),
        None,
    )
    return e.Dosage(
        text=r.take(raw, "text", str, place) or "",
        dose=dose,
        per_day=_per_day(r, raw, place),
        as_needed=r.take(raw, "asNeededBoolean", bool, place)
        if "asNeededBoolean" in raw
        else ("asNeededCodeableConcept" in raw or None),
        route=r.concept(raw, "route", place) if "route" in raw else None,
    )


def _given(r: Reading, raw: Resource, place: str) -> tuple[e.Dosage, ...]:
    """The one dosage of a ``MedicationAdministration``."""
    row, spot = r.take(raw, "dosage", dict, place), f"{place}.dosage"
    if not row:
        return ()
    route = r.concept(row, "route", spot) if "route" in row else None
    text = r.take(row, "text", str, spot) or ""
    return (e.Dosage(text=text, dose=r.quantity(row, "dose", spot), per_day=None, as_needed=None, route=route),)


def medication(r: Reading, raw: Resource, place: str, ref: str) -> e.Medication:
    """A ``MedicationRequest``, ``MedicationStatement`` or ``MedicationAdministration``."""
    kind = raw["resourceType"]
    concept = r.concept(raw, "medicationCodeableConcept", place)
    pointer = r.take(raw, "medicationReference", dict, place)
    if pointer:
        target = r.take(pointer, "reference", str, f"{place}.medicationReference") or ""
        inside = next((c for c, _ in r.many(raw, "contained", place) if f"#{c.get('id')}" == target), None)
        found = inside or r.resolve(target)
        if found:
            concept = r.concept(found, "code", f"{place}.medicationReference›{target}")
        else:
            r.note(
                "not-found",
                f"{place}.medicationReference",
                f"médicament «\u202f{target}\u202f» absent du dossier",
                f"medicine “{target}” is not in the record",
            )
    if kind == "MedicationRequest":
        start, end, lines = r.date(raw, "authoredOn", place), None, "dosageInstruction"
    else:
        start, end, lines = r.when(raw, "effective", place), None, "dosage"
        period = r.take(raw, "effectivePeriod", dict, place)
        end = r.date(period, "end", f"{place}.effectivePeriod") if period else None
    prescribed = True if kind == "MedicationRequest" and raw.get("intent") not in e.PROPOSED else None
    if kind == "MedicationStatement":
        prescribed = True if raw.get("basedOn") else None
    return e.Medication(
        ref=ref,
        raw=raw,
        concept=concept,
        status=r.take(raw, "status", str, place),
        start=start,
        end=end,
        dosages=_given(r, raw, place)
        if kind == "MedicationAdministration"
        else tuple(_dosage(r, row, spot) for row, spot in r.many(raw, lines, place)),
        prescribed=prescribed,
    )


def immunization(r: Reading, raw: Resource, place: str, ref: str) -> e.Immunization:
    """An ``Immunization``."""
    protocol = next(iter(r.many(raw, "protocolApplied", place)), None)
    number = None
    if protocol:
        row, spot = protocol
        given = r.take(row, "doseNumberPositiveInt", int, spot)
        number = str(given) if given is not None else r.take(row, "doseNumberString", str, spot)
    return e.Immunization(
        ref=ref,
        raw=raw,
        concept=r.concept(raw, "vaccineCode", place),
        status=r.take(raw, "status", str, place),
        date=r.when(raw, "occurrence", place),
        lot=r.take(raw, "lotNumber", str, place),
        expires=r.date(raw, "expirationDate", place),
        dose_number=number,
    )


def observation(r: Reading, raw: Resource, place: str, ref: str) -> e.Observation:
    """An ``Observation``."""
    return e.Observation(
        ref=ref,
        raw=raw,
        concept=r.concept(raw, "code", place),
        status=r.take(raw, "status", str, place),
        value=r.value(raw, place),
        date=r.when(raw, "effective", place),
        absent_reason=r.flag(raw, "dataAbsentReason", place),
        components=tuple(
            (r.concept(part, "code", spot), r.value(part, spot)) for part, spot in r.many(raw, "component", place)
        ),
    )


def impression(r: Reading, raw: Resource, place: str, ref: str) -> e.Impression:
    """A ``ClinicalImpression``."""
    return e.Impression(
        ref=ref,
        raw=raw,
        status=r.take(raw, "status", str, place),
        date=r.when(raw, "effective", place) or r.date(raw, "date", place),
        findings=tuple(r.concept(row, "itemCodeableConcept", spot) for row, spot in r.many(raw, "finding", place)),
    )


def allergy(r: Reading, raw: Resource, place: str, ref: str) -> e.Allergy:
    """An ``AllergyIntolerance``."""
    criticality: Any = r.take(raw, "criticality", str, place)
    return e.Allergy(
        ref=ref,
        raw=raw,
        concept=r.concept(raw, "code", place),
        clinical=r.flag(raw, "clinicalStatus", place),
        verification=r.flag(raw, "verificationStatus", place),
        criticality=criticality if criticality in ("low", "high", "unable-to-assess") else None,
        reactions=tuple(
            r.codeable(item, f"{spot}.manifestation[{i}]")
            for reaction, spot in r.many(raw, "reaction", place)
            for i, (item, _) in enumerate(r.many(reaction, "manifestation", spot))
        ),
    )


def procedure(r: Reading, raw: Resource, place: str, ref: str) -> e.Procedure:
    """A ``Procedure``."""
    return e.Procedure(
        ref=ref,
        raw=raw,
        concept=r.concept(raw, "code", place),
        status=r.take(raw, "status", str, place),
        date=r.when(raw, "performed", place),
    )


def newest_last(entries: list[Any]) -> tuple[Any, ...]:
    """Sorted by date and time, undated first, so that the last is the newest known."""
    return tuple(sorted(entries, key=lambda x: x.date.latest.toordinal() * 86400 + x.date.seconds if x.date else 0))
