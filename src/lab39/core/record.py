"""One person's health record: FHIR R4 JSON kept as received, read through typed accessors."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Literal, TypeVar, cast

from lab39.core import entries as e
from lab39.core import readers, subjects, terms
from lab39.core.dates import Age, PartialDate, age_on
from lab39.core.errors import InputError, Issue
from lab39.core.text import Text

E = TypeVar("E", bound=e.Entry)
Sex = Literal["male", "female", "other"]
MEDICINES = ("MedicationRequest", "MedicationStatement", "MedicationAdministration")


class Record:
    """One person.

    The document a record came from is kept as received (``origin``, decimals as ``Decimal``); nothing is
    dropped. Accessors give typed entries. What could not be understood is in :attr:`issues`.

    Args:
        resources: R4 resources, each with its place in the document and its ``fullUrl`` (or ``""``).
        origin: the document as received.
        form: what the document is, ``bundle``, ``resource`` or ``phenopacket``.
        source: where it came from, for messages (a file name, a line).
        issues: doubts that arose before, while converting to R4.

    Raises:
        InputError: no patient, or more than one.
    """

    def __init__(
        self,
        resources: Iterable[tuple[Mapping[str, Any], str, str]],
        *,
        origin: Mapping[str, Any],
        form: str = "bundle",
        source: str = "",
        issues: Iterable[Issue] = (),
    ) -> None:
        self.origin = origin
        self.form = form
        self.source = source
        self._rows = tuple(resources)
        self._by_ref: dict[str, Mapping[str, Any]] = {}
        for raw, _place, url in self._rows:
            if url:
                self._by_ref[url] = raw
            if raw.get("id"):
                self._by_ref[f"{raw.get('resourceType')}/{raw['id']}"] = raw
        self._reading = readers.Reading(self._by_ref.get, list(issues))
        patients = [(raw, place) for raw, place, _ in self._rows if raw.get("resourceType") == "Patient"]
        if len(patients) > 1:
            raise _several([place for _, place in patients], source)
        self._patient, self._patient_place = patients[0] if patients else ({}, "Patient")
        self._refuse_strangers()
        if not patients:
            self._reading.note(
                "required",
                "Patient",
                "aucune ressource Patient\u202f: âge et sexe inconnus",
                "no Patient resource: age and sex unknown",
                "warning",
            )

    def _refuse_strangers(self) -> None:
        people = subjects.named(self._rows, self._by_ref)
        mine = self._patient.get("id")
        others = [f"{place} → {who}" for who, place in people.items() if who != mine]
        if others and (mine or len(people) > 1):
            raise _several([f"{self._patient_place} → {mine}", *others] if mine else others, self.source)

    @classmethod
    def from_fhir(cls, document: Mapping[str, Any], source: str = "") -> Record:
        """A record from parsed FHIR R4 JSON: a Bundle, or a single resource.

        Raises:
            InputError: not a FHIR resource, no entry that can be read, or several patients.
        """
        kind = document.get("resourceType")
        if not isinstance(kind, str):
            raise InputError(
                Text(
                    "«\u202fresourceType\u202f» absent\u202f: ce n'est pas du FHIR",
                    "no “resourceType”: this is not FHIR",
                ),
                source,
            )
        if kind != "Bundle":
            return cls([(document, kind, "")], origin=document, form="resource", source=source)
        entries = document.get("entry", [])
        if not isinstance(entries, list):
            raise InputError(
                Text("une liste est attendue", "a list is expected"), f"{source} › Bundle.entry".lstrip(" ›")
            )
        rows, issues = [], []
        for i, entry in enumerate(entries):
            place = f"Bundle.entry[{i}]"
            resource = entry.get("resource") if isinstance(entry, Mapping) else None
            if isinstance(resource, Mapping) and isinstance(resource.get("resourceType"), str):
                url = entry.get("fullUrl")
                rows.append((resource, f"{place}.resource", url if isinstance(url, str) else ""))
            else:
                issues.append(
                    Issue(
                        "structure",
                        place,
                        Text(
                            "entrée sans ressource FHIR\u202f: non lue",
                            "an entry without a FHIR resource: not read",
                        ),
                    )
                )
        return cls(rows, origin=document, source=source, issues=issues)

    # -- the person ---------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The patient's id, else the source, else ``""``."""
        return str(self._patient.get("id") or self.source)

    @cached_property
    def name(self) -> str:
        """The name as a person reads it; ``""`` when there is none. For local display only."""
        for name, place in self._reading.many(self._patient, "name", self._patient_place):
            text = self._reading.take(name, "text", str, place)
            if text:
                return text
            given = [g for g in self._reading.take(name, "given", list, place) or () if isinstance(g, str)]
            return " ".join([*given[:1], self._reading.take(name, "family", str, place) or ""]).strip()
        return ""

    @cached_property
    def birth_date(self) -> PartialDate | None:
        """With the precision it came with; ``None`` when absent or unreadable."""
        found = self._reading.date(self._patient, "birthDate", self._patient_place)
        if self._patient and "birthDate" not in self._patient:
            self._reading.note(
                "required",
                f"{self._patient_place}.birthDate",
                "date de naissance absente\u202f: âge inconnu",
                "no birth date: age unknown",
                "warning",
            )
        return found

    @cached_property
    def sex(self) -> Sex | None:
        """Administrative gender; ``None`` when absent or ``unknown``."""
        value = self._reading.take(self._patient, "gender", str, self._patient_place)
        if value in ("male", "female", "other"):
            return cast(Sex, value)
        if value not in (None, "unknown"):
            self._reading.note(
                "code-invalid",
                f"{self._patient_place}.gender",
                f"sexe «\u202f{value}\u202f» inconnu (male, female, other, unknown)",
                f"unknown gender “{value}” (male, female, other, unknown)",
            )
        return None

    def age(self, on: dt.date) -> Age | None:
        """The age on a day, in completed years; ``None`` when the birth date is unknown or later."""
        return age_on(self.birth_date, on) if self.birth_date else None

    # -- what is in it ------------------------------------------------------------------------------

    def resources(self, *kinds: str) -> tuple[Mapping[str, Any], ...]:
        """Raw resources of these types (all of them when none is named), in the order received."""
        return tuple(raw for raw, _, _ in self._rows if not kinds or raw.get("resourceType") in kinds)

    def resolve(self, reference: str) -> Mapping[str, Any] | None:
        """The resource a reference points to, inside this record."""
        return self._by_ref.get(reference)

    def conditions(self) -> tuple[e.Condition, ...]:
        """Every condition, past ones included; see :attr:`~lab39.core.entries.Condition.active`."""
        return self._conditions

    def medications(self) -> tuple[e.Medication, ...]:
        """Medicines ordered, taken or given, stopped ones included."""
        return self._medications

    def immunizations(self) -> tuple[e.Immunization, ...]:
        """Vaccine doses, oldest first, undated before; ``not-done`` ones included."""
        return self._immunizations

    def observations(self, code: str | None = None, system: str = terms.LOINC) -> tuple[e.Observation, ...]:
        """Observations, oldest first, undated before; with ``code``, those that carry it."""
        return tuple(o for o in self._observations if code is None or o.concept.has(system, code))

    def latest(self, *codes: str, on: dt.date, system: str = terms.LOINC) -> e.Observation | None:
        """The newest dated observation, not after ``on``, that has a value under one of these codes.

        One dated to the month or the year counts from its first day, so that it hides none that is better dated.
        """
        found = [
            o
            for o in self._observations
            if o.value is not None and o.date and o.date.earliest <= on and o.concept.has(system, *codes)
        ]
        return max(reversed(found), key=_best_dated, default=None)

    def phenotypes(self) -> tuple[e.Phenotype, ...]:
        """HPO-coded signs, present and expressly excluded."""
        return self._phenotypes

    def allergies(self) -> tuple[e.Allergy, ...]:
        """Allergies and intolerances, refuted ones included."""
        return self._allergies

    def procedures(self) -> tuple[e.Procedure, ...]:
        """Acts, oldest first."""
        return self._procedures

    @property
    def issues(self) -> tuple[Issue, ...]:
        """All that could not be understood; reads every accessor first, so the list is complete."""
        for name in ("name", "birth_date", "sex", *_CACHED):
            getattr(self, name)
        return tuple(self._reading.issues)

    def with_resource(self, resource: Mapping[str, Any]) -> Record:
        """A new record with one more R4 resource, appended to the document as an entry.

        Raises:
            InputError: the record is not a Bundle; convert it first.
        """
        if self.form != "bundle":
            raise InputError(Text("seul un Bundle se complète", "only a Bundle can be added to"), self.source)
        grown = dict(self.origin) | {"entry": [*self.origin.get("entry", []), {"resource": resource}]}
        return Record.from_fhir(grown, self.source)

    def _read(self, reader: Callable[..., E], *kinds: str) -> list[E]:
        found = []
        for i, (raw, place, url) in enumerate(self._rows):
            if raw.get("resourceType") not in kinds:
                continue
            ref = url or (f"{raw['resourceType']}/{raw['id']}" if raw.get("id") else f"#{i}")
            status = raw.get("status")
            entry = reader(self._reading, raw, place, ref)
            if raw.get("modifierExtension"):
                self._reading.note(
                    "extension",
                    f"{place}.modifierExtension",
                    "modifie le sens de la ressource et n'est pas compris\u202f: non utilisé",
                    "changes what the resource means and is not understood: not used",
                )
                continue
            if status == "entered-in-error" or getattr(entry, "verification", None) == "entered-in-error":
                self._reading.note(
                    "suppressed",
                    place,
                    "saisi par erreur\u202f: non utilisé",
                    "entered in error: not used",
                    "warning",
                )
                continue
            found.append(entry)
        return found

    @cached_property
    def _conditions(self) -> tuple[e.Condition, ...]:
        return tuple(self._read(readers.condition, "Condition"))

    @cached_property
    def _medications(self) -> tuple[e.Medication, ...]:
        return tuple(self._read(readers.medication, *MEDICINES))

    @cached_property
    def _immunizations(self) -> tuple[e.Immunization, ...]:
        return readers.newest_last(self._read(readers.immunization, "Immunization"))

    @cached_property
    def _observations(self) -> tuple[e.Observation, ...]:
        return readers.newest_last(self._read(readers.observation, "Observation"))

    @cached_property
    def _phenotypes(self) -> tuple[e.Phenotype, ...]:
        seen: list[e.Observation | e.Condition] = [*self._observations, *self._conditions]
        return tuple(p for entry in seen for p in readers.phenotypes(self._reading, entry, entry.ref))

    @cached_property
    def _allergies(self) -> tuple[e.Allergy, ...]:
        return tuple(self._read(readers.allergy, "AllergyIntolerance"))

    @cached_property
    def _procedures(self) -> tuple[e.Procedure, ...]:
        return readers.newest_last(self._read(readers.procedure, "Procedure"))


def _best_dated(seen: e.Observation) -> tuple[dt.date, bool]:
    return (seen.date.earliest, seen.date.exact is not None) if seen.date else (dt.date.min, False)


def _several(places: list[str], source: str) -> InputError:
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


_CACHED = (
    "_conditions",
    "_medications",
    "_immunizations",
    "_observations",
    "_phenotypes",
    "_allergies",
    "_procedures",
)
