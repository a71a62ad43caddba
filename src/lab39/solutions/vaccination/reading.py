"""From a record to the patient that the engine knows: doses in the codes of a schedule, observations by CDSi code.

What cannot be used is named, with its place, and the rest is still evaluated.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from lab39.core.dates import PartialDate
from lab39.core.errors import Issue
from lab39.core.record import Record
from lab39.core.text import NO_TEXT, Text
from lab39.solutions.vaccination.codes import NO_MAPS, Maps
from lab39.solutions.vaccination.given import Uncounted, read_doses
from lab39.solutions.vaccination.illness import Noted, noted
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import Patient, Sex
from lab39.solutions.vaccination.stated import observed

_SEXES: Mapping[str, Sex] = {"female": "Female", "male": "Male"}
_BIRTH_PLACE = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
_BIRTH_TIME = "http://hl7.org/fhir/StructureDefinition/patient-birthTime"
_BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
_BIRTH_SEXES: Mapping[str, Sex] = {"F": "Female", "M": "Male"}
COUNTRIES: Mapping[str, str] = dict.fromkeys(
    ("us", "usa", "840", "u.s.", "united states", "united states of america", "états-unis"), "U.S."
)
"""How records write the countries that schedules name, and how schedules name them."""


class Known(NamedTuple):
    """A patient, or ``None`` without a whole birth date, or when they have died.

    Attributes:
        issues: what was not used or is in doubt, and why.
        uncounted: the doses of the record that were not counted: what is due of their vaccines may be wrong.
        noted: what the record tells of an acute illness.
    """

    patient: Patient | None
    issues: tuple[Issue, ...]
    uncounted: tuple[Uncounted, ...] = ()
    deceased: bool = False
    noted: tuple[Noted, ...] = ()


class Counted(Protocol):
    """What was read of a record, as far as doses left aside are concerned."""

    @property
    def uncounted(self) -> tuple[Uncounted, ...]:
        """The doses that could not be counted."""


def read_patient(record: Record, schedule: Schedule, on: dt.date, maps: Maps = NO_MAPS) -> Known:
    """Everything the engine may use of a record.

    Args:
        maps: of the pack ``nuva``; without them, only the codes of the schedule's own system are read.
    """
    if record.deceased_on(on):
        return Known(None, (_died(record),), deceased=True)
    issues: list[Issue] = []
    born = _born(record, on, issues)
    if born is None:
        return Known(None, tuple(issues))
    sex = _sex(record, issues)
    given = read_doses(record, schedule, maps, born, on, issues)
    patient = Patient(
        birth_date=born,
        sex=sex,
        doses=given.doses,
        observations=observed(record, schedule, maps, on, issues),
        country=_country(record),
    )
    return Known(patient, tuple(issues), given.uncounted, noted=noted(record, schedule, on))


def doubtful(known: Counted, schedule: Schedule) -> dict[str, tuple[Uncounted, ...]]:
    """Doses not counted, by the vaccine group whose dues they may make wrong; under ``""``, those of any group."""
    found: dict[str, tuple[Uncounted, ...]] = {}
    for each in known.uncounted:
        held = {*each.antigens}
        groups = [name for name, group in schedule.groups.items() if held & {*group.antigens}] or [""]
        for name in groups:
            found[name] = (*found.get(name, ()), each)
    return found


def uncounted_dict(known: Counted, schedule: Schedule) -> dict[str, Any]:
    """Plain values: ``not_counted``, each dose and why; ``doubtful``, by vaccine group, references of doses."""
    return {
        "not_counted": [
            {
                "ref": each.ref,
                "vaccine": each.vaccine,
                "code": each.code,
                "why": each.why,
                "text": each.text.as_dict(),
            }
            for each in known.uncounted
        ],
        "doubtful": {group: [each.ref for each in rows] for group, rows in doubtful(known, schedule).items()},
    }


def _died(record: Record) -> Issue:
    when = record.death_date
    day = Text(f" ({when.say('fr')})", f" ({when.say('en')})") if when else NO_TEXT
    return Issue(
        "business-rule",
        "Patient.deceasedDateTime" if when else "Patient.deceasedBoolean",
        Text(
            f"personne décédée d'après le dossier{day.fr}\u202f: aucun vaccin "
            "n'est proposé. Si c'est une erreur, corriger le dossier",
            f"the record says that this person has died{day.en}: no vaccine is "
            "proposed. If it is a mistake, correct the record",
        ),
        "information",
    )


def _born(record: Record, on: dt.date, issues: list[Issue]) -> dt.date | None:
    written = record.birth_date
    born = written.exact if written else None
    if born is None or born > on:
        issues.append(
            Issue(
                "required",
                "Patient.birthDate",
                Text(
                    "date de naissance complète nécessaire (jour, mois, année), pas après le jour demandé",
                    "a whole birth date is needed (day, month, year), not after the day asked",
                ),
            )
        )
        return None
    for row in _extensions(record, _BIRTH_TIME):
        other = _parsed(row.get("valueDateTime"))
        if other is not None and other != born:
            issues.append(
                Issue(
                    "conflict",
                    "Patient.birthDate",
                    Text(
                        f"deux dates de naissance\u202f: {born.isoformat()} et {other.isoformat()}. La première "
                        "est utilisée. Toutes les dates en dépendent\u202f: à vérifier",
                        f"two birth dates: {born.isoformat()} and {other.isoformat()}. The first is used. "
                        "Every date depends on it: to be checked",
                    ),
                )
            )
    return born


def _sex(record: Record, issues: list[Issue]) -> Sex:
    sex = _SEXES.get(record.sex or "", "Unknown")
    others = {_BIRTH_SEXES.get(str(row.get("valueCode"))) for row in _extensions(record, _BIRTH_SEX)} - {None, sex}
    if sex != "Unknown" and others:
        issues.append(
            Issue(
                "conflict",
                "Patient.gender",
                Text(
                    "deux sexes dans le dossier (gender et birthsex)\u202f: les séries propres à un sexe sont "
                    "laissées de côté",
                    "two sexes in the record (gender and birthsex): series of one sex are left aside",
                ),
                "warning",
            )
        )
        return "Unknown"
    if sex == "Unknown":
        issues.append(
            Issue(
                "required",
                "Patient.gender",
                Text(
                    "sexe inconnu\u202f: les séries propres à un sexe sont laissées de côté",
                    "unknown sex: series of one sex are left aside",
                ),
                "warning",
            )
        )
    return sex


def _country(record: Record) -> str:
    for row in _extensions(record, _BIRTH_PLACE):
        address = row.get("valueAddress")
        country = address.get("country") if isinstance(address, Mapping) else None
        if isinstance(country, str) and country.strip():
            return COUNTRIES.get(country.strip().casefold(), country.strip())
    return ""


def _extensions(record: Record, url: str) -> Iterator[Mapping[str, Any]]:
    for patient in record.resources("Patient"):
        inner = patient.get("_birthDate")
        for holder in (patient, inner if isinstance(inner, Mapping) else {}):
            rows = holder.get("extension")
            for row in rows if isinstance(rows, list) else ():
                if isinstance(row, Mapping) and row.get("url") == url:
                    yield row


def _parsed(value: object) -> dt.date | None:
    try:
        return PartialDate.parse(value).exact if isinstance(value, str) else None
    except ValueError:
        return None
