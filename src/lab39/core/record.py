"""One person's health record: FHIR R4 JSON kept as received, read through typed accessors."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Literal, TypeVar, cast

from lab39.core import documents, readers, signs, subjects, terms
from lab39.core import entries as e
from lab39.core.dates import Age, PartialDate, age_on
from lab39.core.errors import InputError, Issue
from lab39.core.reading import Reading
from lab39.core.text import Text

E = TypeVar("E", bound=e.Entry)
Sex = Literal["male", "female", "other"]
TEST_DATA = "HTEST"
"""The code of test data in HL7 v3-ActReason."""
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
        self._reading = Reading(self._by_ref.get, list(issues))
        patients = [(raw, place) for raw, place, _ in self._rows if raw.get("resourceType") == "Patient"]
        if len(patients) > 1:
            raise subjects.several([place for _, place in patients], source)
        self._patient, self._patient_place = patients[0] if patients else ({}, "Patient")
        given = self._patient.get("id")
        self._patient_id = str(given) if isinstance(given, str | int) and given != "" else ""
        self._aside: set[int] = set()
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
        mine = self._patient_id
        others = [f"{place} → {who}" for who, place in people.items() if who != mine]
        if others and (mine or len(people) > 1):
            raise subjects.several([f"{self._patient_place} → {mine}", *others] if mine else others, self.source)

    @classmethod
    def from_fhir(cls, document: Mapping[str, Any], source: str = "") -> Record:
        """A record from parsed FHIR R4 JSON: a Bundle, or a single resource.

        Raises:
            InputError: not a FHIR resource of R4, one page of several, or several patients.
        """
        rows, issues = documents.rows_of(document, source)
        form = "bundle" if document["resourceType"] == "Bundle" else "resource"
        return cls(rows, origin=document, form=form, source=source, issues=issues)

    # -- the person ---------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The patient's id, else the source, else ``""``."""
        return self._patient_id or self.source

    @property
    def test_data(self) -> bool:
        """Whether the document or its patient is tagged as test data (``HTEST``, HL7 v3-ActReason)."""
        marked = (self.origin, self._patient)
        return any(TEST_DATA in documents.tags(holder, "security", "tag") for holder in marked)

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

    @cached_property
    def deceased(self) -> bool | None:
        """Whether a death is stated; ``None`` when neither is. A date that cannot be read states one."""
        flag = self._reading.take(self._patient, "deceasedBoolean", bool, self._patient_place)
        return True if self._patient.get("deceasedDateTime") is not None else flag

    @cached_property
    def death_date(self) -> PartialDate | None:
        """With the precision it came with; ``None`` when absent or unreadable, or no death is stated."""
        return self._reading.date(self._patient, "deceasedDateTime", self._patient_place)

    def deceased_on(self, on: dt.date) -> bool:
        """Whether the record states that the person had died by a day; without a date, by any day."""
        return self.deceased is True and (self.death_date is None or self.death_date.earliest <= on)

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
        found = [o for o in self._dated(codes, on, system) if o.value is not None]
        return max(reversed(found), key=_best_dated, default=None)

    def latest_quantity(self, *codes: str, on: dt.date, system: str = terms.LOINC) -> e.Observation | None:
        """Like :meth:`latest`, among the observations whose value is a quantity: a result in words hides none."""
        found = [o for o in self._dated(codes, on, system) if o.quantity is not None]
        return max(reversed(found), key=_best_dated, default=None)

    def _dated(self, codes: tuple[str, ...], on: dt.date, system: str) -> list[e.Observation]:
        return [o for o in self._observations if o.date and o.date.earliest <= on and o.concept.has(system, *codes)]

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
        for name in ("name", "birth_date", "sex", "deceased", "death_date", *_CACHED):
            getattr(self, name)
        return tuple(self._reading.issues)

    def issues_on(self, on: dt.date) -> tuple[Issue, ...]:
        """:attr:`issues`, and what cannot be understood on that day."""
        birth = self.birth_date
        if birth is None or birth.earliest <= on:
            return self.issues
        said = Text(
            f"date de naissance ({birth.say('fr')}) postérieure au jour de l'évaluation : âge inconnu",
            f"the birth date ({birth.say('en')}) is after the day of assessment: age unknown",
        )
        return (*self.issues, Issue("value", f"{self._patient_place}.birthDate", said))

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
            about = subjects.elsewhere(raw, self._patient_id, self._by_ref)
            self._aside.add(id(raw))
            if about:
                self._reading.note(
                    "not-supported",
                    f"{place}.{about}",
                    "ne porte pas sur ce patient (un proche, un bébé, un appareil) : non utilisé",
                    "is not about this patient (a relative, a baby, a device): not used",
                    "warning",
                )
                continue
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
            self._aside.discard(id(raw))
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
        seen: list[e.Observation | e.Condition | e.Impression] = [*self._observations, *self._conditions]
        seen += self._read(readers.impression, "ClinicalImpression")
        return tuple(p for entry in seen for p in signs.phenotypes(self._reading, entry))

    @cached_property
    def _allergies(self) -> tuple[e.Allergy, ...]:
        return tuple(self._read(readers.allergy, "AllergyIntolerance"))

    @cached_property
    def _procedures(self) -> tuple[e.Procedure, ...]:
        return readers.newest_last(self._read(readers.procedure, "Procedure"))

    @cached_property
    def _doubts(self) -> None:
        """What no accessor gives: noted once, after all have read."""
        note = self._reading.note
        signs.unread(self._reading, self._rows, self._aside)
        if self._patient.get("modifierExtension"):
            note(
                "extension",
                f"{self._patient_place}.modifierExtension",
                "modifie le sens de la ressource et n'est pas compris : le patient est lu sans en tenir compte",
                "changes what the resource means and is not understood: the patient is read without it",
            )
        if self._patient.get("active") is False:
            note(
                "business-rule",
                f"{self._patient_place}.active",
                "dossier de patient déclaré inactif (doublon ? erreur ?) : lu quand même",
                "a patient record said to be inactive (a duplicate? a mistake?): read all the same",
                "warning",
            )
        self._reading.take(self._patient, "id", str, self._patient_place)


def _best_dated(seen: e.Observation) -> tuple[dt.date, bool]:
    return (seen.date.earliest, seen.date.exact is not None) if seen.date else (dt.date.min, False)


_CACHED = (
    "_conditions",
    "_medications",
    "_immunizations",
    "_observations",
    "_phenotypes",
    "_allergies",
    "_procedures",
    "_doubts",
)
