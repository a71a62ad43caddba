"""Reading FHIR R4 resources into entries: lenient, and every doubt is an :class:`Issue` with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from lab39.core import entries as e
from lab39.core import terms
from lab39.core.dates import PartialDate
from lab39.core.errors import Issue
from lab39.core.text import Text
from lab39.core.units import Quantity

T = TypeVar("T")
Resource = Mapping[str, Any]

MAX_EXPONENT = 40
"""Powers of ten beyond which a number measures nothing (Avogadro's is 23); arithmetic on them would never end."""
# SNOMED CT qualifier values with which an HPO-coded Observation says present or absent.
PRESENT = ("52101004", "373573001", "373066001")
ABSENT = ("2667000", "272519000", "373067005")
INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
UNDONE = ("registered", "cancelled")
"""Observation.status values under which there is no result (R4 value set observation-status)."""


@dataclass(slots=True)
class Reading:
    """Collects issues while a record is read; ``resolve`` follows a reference inside it."""

    resolve: Callable[[str], Resource | None] = lambda _ref: None
    issues: list[Issue] = field(default_factory=list)
    _systems: set[str] = field(default_factory=set)

    def note(self, code: str, place: str, fr: str, en: str, severity: str = "error") -> None:
        """Keep one issue."""
        self.issues.append(Issue(code, place, Text(fr, en), severity))

    def take(self, where: Resource, key: str, kind: type[T], place: str) -> T | None:
        """A member of the expected JSON type, or ``None`` with an issue when it is of another."""
        value = where.get(key)
        if value is None:
            return None
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.note(
                "structure",
                f"{place}.{key}",
                f"type inattendu ({type(value).__name__}), valeur ignorée",
                f"unexpected type ({type(value).__name__}), value not used",
            )
            return None
        return value

    def many(self, where: Resource, key: str, place: str) -> Iterator[tuple[Resource, str]]:
        """The objects of a list member, each with its place."""
        for i, item in enumerate(self.take(where, key, list, place) or ()):
            spot = f"{place}.{key}[{i}]"
            if isinstance(item, Mapping):
                yield item, spot
            else:
                self.note("structure", spot, "un objet est attendu", "an object is expected")

    def date(self, where: Resource, key: str, place: str) -> PartialDate | None:
        """A date member."""
        written = self.take(where, key, str, place)
        if written is None:
            return None
        try:
            return PartialDate.parse(written)
        except ValueError:
            self.note(
                "value",
                f"{place}.{key}",
                f"«\u202f{written[:40]}\u202f» n'est pas une date FHIR (AAAA, AAAA-MM ou AAAA-MM-JJ)",
                f"“{written[:40]}” is not a FHIR date (YYYY, YYYY-MM or YYYY-MM-DD)",
            )
            return None

    def concept(self, where: Resource, key: str, place: str) -> terms.Concept:
        """A CodeableConcept member; empty when absent."""
        value = self.take(where, key, dict, place)
        return self.codeable(value, f"{place}.{key}") if value else terms.Concept()

    def codeable(self, value: Resource, place: str) -> terms.Concept:
        """A CodeableConcept."""
        codings = []
        for coding, spot in self.many(value, "coding", place):
            system = self.take(coding, "system", str, spot) or ""
            code = self.take(coding, "code", str, spot)
            if code is None:
                continue
            if not terms.is_known(system) and system not in self._systems:
                self._systems.add(system)
                self.note(
                    "code-invalid",
                    f"{spot}.system",
                    f"système de codes inconnu «\u202f{system}\u202f»\u202f: conservé, non interprété"
                    if system
                    else "code sans système\u202f: conservé, non interprété",
                    f"unknown code system “{system}”: kept, not interpreted"
                    if system
                    else "a code without a system: kept, not interpreted",
                    "warning",
                )
            display = self.take(coding, "display", str, spot) or ""
            codings.append(terms.Coding(terms.canonical(system), code, display))
        return terms.Concept(tuple(codings), self.take(value, "text", str, place) or "")

    def flag(self, where: Resource, key: str, place: str) -> str | None:
        """The code of a one-coding status concept (``clinicalStatus``, ``verificationStatus``)."""
        concept = self.concept(where, key, place)
        return concept.codings[0].code if concept.codings else None

    def decimal(self, where: Resource, key: str, place: str) -> Decimal | None:
        """A number member, every digit kept."""
        value = where.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal | float):
            self.note("value", f"{place}.{key}", "un nombre est attendu", "a number is expected")
            return None
        read = Decimal(str(value))
        if not read.is_finite() or abs(read.adjusted()) > MAX_EXPONENT:
            self.note("value", f"{place}.{key}", "nombre hors de toute mesure", "a number beyond any measure")
            return None
        return read

    def quantity(self, where: Resource, key: str, place: str) -> Quantity | None:
        """A Quantity member; ``None`` when it has no value. A missing unit stays an empty unit."""
        raw = self.take(where, key, dict, place)
        value = self.decimal(raw, "value", f"{place}.{key}") if raw else None
        if raw is None or value is None:
            return None
        spot = f"{place}.{key}"
        ucum = terms.canonical(self.take(raw, "system", str, spot) or "") == terms.UCUM
        code, unit = self.take(raw, "code", str, spot), self.take(raw, "unit", str, spot)
        shown = (code if ucum and code else unit or code) or ""
        if not shown:
            self.note("value", spot, "quantité sans unité", "a quantity without a unit", "warning")
        return Quantity(value, shown, self.take(raw, "comparator", str, spot) or "")

    def value(self, where: Resource, place: str) -> e.Value:
        """The ``value[x]`` of an Observation or a component."""
        if "valueQuantity" in where:
            return self.quantity(where, "valueQuantity", place)
        if "valueCodeableConcept" in where:
            return self.concept(where, "valueCodeableConcept", place)
        if "valueDateTime" in where:
            return self.date(where, "valueDateTime", place)
        if "valueString" in where:
            return self.take(where, "valueString", str, place)
        if "valueBoolean" in where:
            return self.take(where, "valueBoolean", bool, place)
        if "valueInteger" in where:
            return self.take(where, "valueInteger", int, place)
        self.unread(where, "value", place)
        return None

    def when(self, where: Resource, stem: str, place: str) -> PartialDate | None:
        """A ``stem[x]`` given as dateTime, instant or Period (its start)."""
        for key in (f"{stem}DateTime", f"{stem}Instant", f"{stem}Date"):
            if key in where:
                return self.date(where, key, place)
        period = self.take(where, f"{stem}Period", dict, place)
        if period is None:
            self.unread(where, stem, place)
        return self.date(period, "start", f"{place}.{stem}Period") if period else None

    def unread(self, where: Resource, stem: str, place: str) -> None:
        """Name a choice element that is there in a type no accessor reads (``valueRange``, ``onsetAge``…)."""
        for key in where:
            if key.startswith(stem) and key[len(stem) : len(stem) + 1].isupper():
                self.note(
                    "not-supported",
                    f"{place}.{key}",
                    "gardé dans le dossier, non lu sous cette forme",
                    "kept in the record, not read in this form",
                    "warning",
                )


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


def _interpretations(r: Reading, raw: Resource, place: str) -> Iterator[terms.Concept]:
    return (r.codeable(item, spot) for item, spot in r.many(raw, "interpretation", place))


def phenotypes(r: Reading, seen: e.Observation | e.Condition, place: str) -> Iterator[e.Phenotype]:
    """The HPO-coded signs that an observation or a condition states.

    An observation is present unless it says absent (SNOMED CT 2667000 and the like, boolean false, or a
    negative interpretation); one without any value is stated present by being recorded, as Phenopackets do.
    A value that says neither (a free text, a number), or an observation that was not made, is not used.
    A condition is present unless its verification status is ``refuted``.
    """
    codes = [c for c in seen.concept.codings if c.system == terms.HPO]
    if not codes:
        return
    excluded: bool | None = False
    onset = None
    if isinstance(seen, e.Condition):
        excluded = seen.verification == "refuted"
        date, onset = seen.onset, seen.onset.written if seen.onset else None
    else:
        date = seen.date
        stated = seen.value is not None or any(k.startswith("value") for k in seen.raw)
        if seen.absent_reason or seen.status in UNDONE:
            excluded = None
        elif isinstance(seen.value, terms.Concept):
            excluded = (
                True
                if seen.value.has(terms.SNOMED, *ABSENT)
                else (False if seen.value.has(terms.SNOMED, *PRESENT) else None)
            )
        elif isinstance(seen.value, bool):
            excluded = not seen.value
        elif stated:
            excluded = None
        elif any(c.has(INTERPRETATION, "NEG") for c in _interpretations(r, seen.raw, place)):
            excluded = True
        for extension, _ in r.many(seen.raw, "extension", place):
            if extension.get("url") == ONSET_EXTENSION:
                onset = str(extension.get("valueString") or "") or None
    if excluded is None:
        r.note(
            "value",
            place,
            f"{codes[0].code}\u202f: ni présent ni absent, signe non utilisé",
            f"{codes[0].code}: neither present nor absent, sign not used",
            "warning",
        )
        return
    for coding in codes:
        yield e.Phenotype(ref=seen.ref, raw=seen.raw, term=coding, excluded=excluded, date=date, onset=onset)


ONSET_EXTENSION = "http://lab39.org/fhir/StructureDefinition/phenotype-onset"


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
