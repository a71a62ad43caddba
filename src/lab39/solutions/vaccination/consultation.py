"""Whose vaccines are looked at: a fictional person, a record of the lab, or what was typed, all in the address.

What is typed becomes a FHIR record, so that the page and every other door read it the same way.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import urlencode

from lab39.core import terms
from lab39.core.dates import PartialDate
from lab39.core.errors import InputError
from lab39.core.faces import Fields
from lab39.core.record import Record
from lab39.core.terms import Coding, Concept
from lab39.core.text import Text
from lab39.solutions.vaccination import gestation
from lab39.solutions.vaccination.model import Schedule

Kind = Literal["", "example", "record", "typed"]
MAX_DOSES = 80
MAX_STATED = 60
MAX_LENGTH = 120
SYSTEMS: Mapping[str, str] = {
    "cvx": terms.CVX,
    "nuva": terms.NUVA,
    "sct": terms.SNOMED,
    "icd10": terms.ICD10,
    "icd10cm": "http://hl7.org/fhir/sid/icd-10-cm",
    "lab39": "http://lab39.org/fhir/CodeSystem/vaccination-situation",
}
"""Code systems as an address writes them."""
SHORT = {uri: short for short, uri in SYSTEMS.items()}
UNHELD: Mapping[str, Text] = MappingProxyType(
    {
        "medicines": Text(
            "les médicaments (une immunosuppression par un traitement n'est pas vue)",
            "the medicines (an immunosuppression by a treatment is not seen)",
        ),
        "allergies": Text("les allergies", "the allergies"),
        "results": Text("les résultats de laboratoire", "the laboratory results"),
        "diseases": Text(
            "des maladies sans code connu du formulaire", "diseases without a code that the form knows"
        ),
        "subpotent": Text("des doses dites insuffisantes", "doses said to be subpotent"),
    }
)
"""What a file may hold that the form does not take over, as the address names it."""
_FRENCH = re.compile(r"(?:(?:(\d{1,2})[/.])?(\d{1,2})[/.])?(\d{4})", re.ASCII)
_WEEKS = re.compile(r"(\d{1,2})(?:\s*\+\s*([0-6]))?\s*(?:sa|weeks|w)?", re.ASCII | re.IGNORECASE)
_PREGNANCY = "sct|77386006"
_SUBJECT = {"reference": "Patient/typed"}


@dataclass(frozen=True, slots=True)
class Typed:
    """One dose as it was typed.

    Attributes:
        code: ``system|code`` as the address writes it; empty when only words are known.
        date: FHIR, to the day, the month or the year; empty when it is not known.
    """

    code: str
    words: str
    date: str

    @property
    def written(self) -> str:
        """In the address."""
        return "~".join((self.code, self.date, self.words))


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked.

    Attributes:
        name: of the fictional person, or id of the record.
        stated: diseases of a file, as ``system|code@date``.
        last_period: first day of the last period of a pregnancy in course, to the day; empty when none was said.
        unheld: what the file held and the form does not (:data:`UNHELD`).
        schedule: its name; empty for the first at hand.
        on: the day; ``None`` for today.
    """

    kind: Kind = ""
    name: str = ""
    born: str = ""
    sex: str = ""
    doses: tuple[Typed, ...] = ()
    stated: tuple[str, ...] = ()
    last_period: str = ""
    unheld: tuple[str, ...] = ()
    schedule: str = ""
    on: dt.date | None = None

    def address(self, **more: str) -> str:
        """The query that asks the same, for a link."""
        return "?" + urlencode([(name, value) for name, value in [*pairs(self), *more.items()] if value])


def pairs(asked: Asked) -> list[tuple[str, str]]:
    """What is asked as the fields of an address or of a form, empty ones left out."""
    found: list[tuple[str, str]] = []
    if asked.kind in ("example", "record"):
        found.append((asked.kind, asked.name))
    found += [("born", asked.born), ("sex", asked.sex)]
    found += [("dose", each.written) for each in asked.doses]
    found += [("has", each) for each in asked.stated]
    found += [("lmp", asked.last_period)]
    found += [("unheld", each) for each in asked.unheld]
    found += [("schedule", asked.schedule), ("on", asked.on.isoformat() if asked.on else "")]
    return [(name, value) for name, value in found if value]


def read(sent: Fields) -> Asked:
    """What the address says.

    Raises:
        InputError: what is wrong and what is expected; its place is the field.
    """
    name = {kind: sent.text(kind) for kind in ("example", "record")}
    doses = tuple(_kept(each) for each in sent.all("dose") if each.strip())
    if len(doses) > MAX_DOSES:
        raise InputError(
            Text(f"{MAX_DOSES} vaccins au plus à la fois", f"at most {MAX_DOSES} vaccines at a time"), "vaccine"
        )
    stated = tuple(each for each in sent.all("has") if each.strip())
    if len(stated) > MAX_STATED or not all(is_stated(each) for each in stated):
        raise InputError(
            Text(
                f"maladie illisible dans l'adresse, ou plus de {MAX_STATED}\u202f: apporter à nouveau le fichier",
                f"a disease of the address is unreadable, or more than {MAX_STATED}: bring the file again",
            ),
            "file",
        )
    born = _date(sent.text("born"), "born")
    kind: Kind = "example" if name["example"] else "record" if name["record"] else "typed" if born or doses else ""
    return Asked(
        kind=kind,
        name=name["example"] or name["record"],
        born=born,
        sex=sent.choice("sex", ("", "female", "male"), ""),
        doses=doses,
        stated=stated,
        last_period=_whole(sent.text("lmp"), "lmp"),
        unheld=tuple(each for each in UNHELD if each in sent.all("unheld")),
        schedule=sent.text("schedule")[:60],
        on=sent.day("on"),
    )


def with_dose(asked: Asked, vaccine: str, given: str, schedule: Schedule) -> Asked:
    """The same with one more dose, as it was typed.

    Raises:
        InputError: no vaccine, or a date that cannot be one.
    """
    words = " ".join(vaccine.replace("~", " ").split())[:MAX_LENGTH]
    if not words:
        raise InputError(Text("saisir le vaccin", "type the vaccine"), "vaccine")
    date = _date(given, "given")
    if not date:
        raise InputError(
            Text(
                "saisir la date\u202f: jj/mm/aaaa, ou mm/aaaa, ou l'année si c'est tout ce qu'on sait",
                "type the date: yyyy-mm-dd, or yyyy-mm, or the year if that is all that is known",
            ),
            "given",
        )
    return replace(asked, kind="typed", doses=(*asked.doses, Typed(_understood(words, schedule), words, date)))


def with_term(asked: Asked, weeks: str, on: dt.date) -> Asked:
    """The same with a pregnancy whose term on a day is stated in weeks of amenorrhoea (``28``, ``28+3``).

    Raises:
        InputError: no such term.
    """
    found = _WEEKS.fullmatch(weeks.strip())
    days = int(found[1]) * 7 + int(found[2] or 0) if found else 0
    if not 0 < days <= gestation.LONGEST.days:
        raise InputError(
            Text(
                "terme illisible. L'écrire en semaines d'aménorrhée, de 1 à 44 (28, ou 28+3)",
                "unreadable term. Write it in weeks from the last period, 1 to 44 (28, or 28+3)",
            ),
            "weeks",
        )
    return replace(asked, last_period=(on - dt.timedelta(days=days)).isoformat())


def without_dose(asked: Asked, number: str) -> Asked:
    """The same without one dose."""
    left = tuple(each for i, each in enumerate(asked.doses) if str(i) != number)
    return replace(asked, doses=left)


def bundle(asked: Asked) -> Mapping[str, Any]:
    """What was typed as an R4 Bundle; nothing stands in it that was not said."""
    patient: dict[str, Any] = {"resourceType": "Patient", "id": "typed"}
    if asked.born:
        patient["birthDate"] = asked.born
    if asked.sex:
        patient["gender"] = asked.sex
    resources = [patient, *(_immunization(i, each) for i, each in enumerate(asked.doses))]
    stated = [*asked.stated, *([_PREGNANCY] if asked.last_period and _PREGNANCY not in asked.stated else [])]
    resources += [_condition(i, each) for i, each in enumerate(stated)]
    if asked.last_period:
        resources.append(_last_period(asked.last_period))
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}


def as_bundle(record: Record) -> Record:
    """The same as a Bundle, to which a resource may be added."""
    if record.form == "bundle":
        return record
    whole = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": record.origin}]}
    return Record.from_fhir(whole, record.source)


def _immunization(number: int, each: Typed) -> dict[str, Any]:
    concept: dict[str, Any] = {"text": each.words or each.code}
    coding = _coding(each.code)
    if coding is not None:
        concept["coding"] = [{"system": coding.system, "code": coding.code}]
    resource: dict[str, Any] = {
        "resourceType": "Immunization",
        "id": f"dose-{number}",
        "status": "completed",
        "vaccineCode": concept,
        "patient": _SUBJECT,
        "primarySource": False,
    }
    if each.date:
        resource["occurrenceDateTime"] = each.date
    else:
        resource["occurrenceString"] = "?"
    return resource


def _condition(number: int, stated: str) -> dict[str, Any]:
    code, _, since = stated.partition("@")
    coding = _coding(code)
    assert coding is not None
    resource: dict[str, Any] = {
        "resourceType": "Condition",
        "id": f"stated-{number}",
        "clinicalStatus": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]
        },
        "code": {"coding": [{"system": coding.system, "code": coding.code}]},
        "subject": _SUBJECT,
    }
    if since:
        resource["onsetDateTime"] = since
    return resource


def _last_period(day: str) -> dict[str, Any]:
    """LOINC 8665-2, last menstrual period start date."""
    return {
        "resourceType": "Observation",
        "id": "last-period",
        "status": "final",
        "code": {"coding": [{"system": terms.LOINC, "code": "8665-2"}]},
        "subject": _SUBJECT,
        "valueDateTime": day,
    }


def _coding(written: str) -> Coding | None:
    short, _, code = written.partition("|")
    return Coding(SYSTEMS[short], code) if short in SYSTEMS and code else None


def is_stated(written: str) -> bool:
    code, _, since = written.partition("@")
    return _coding(code) is not None and len(written) <= MAX_LENGTH and (not since or _is_date(since))


def _kept(written: str) -> Typed:
    code, _, rest = written.partition("~")
    date, _, words = rest.partition("~")
    if len(written) > 3 * MAX_LENGTH or (date and not _is_date(date)) or not (code or words):
        raise InputError(
            Text(
                "un vaccin de l'adresse est illisible. Le retirer et le saisir de nouveau",
                "a vaccine of the address cannot be read. Remove it and type it again",
            ),
            "vaccine",
        )
    return Typed(code if _coding(code) else "", words[:MAX_LENGTH], date)


def _understood(words: str, schedule: Schedule) -> str:
    """The code of a vaccine, by its code in the schedule, a French product, or a name of the schedule."""
    from lab39.solutions.vaccination import products

    short = SHORT.get(schedule.system, "")
    bracketed = re.search(r"\(([A-Za-z0-9]+)\)$", words)
    for said in (bracketed[1] if bracketed else "", words):
        for code in dict.fromkeys((said, said.upper(), said.zfill(2))):
            if short and said and code in schedule.vaccines:
                return f"{short}|{code}"
    named = {name.casefold(): code for code, name in schedule.vaccine_names.items()}
    if short and words.casefold() in named:
        return f"{short}|{named[words.casefold()]}"
    found = products.find(words)
    return f"nuva|{found.product.nuva}" if found.product is not None else ""


def concept(each: Typed) -> Concept:
    """A typed dose as records name a vaccine."""
    coding = _coding(each.code)
    return Concept((coding,) if coding else (), each.words)


def _is_date(written: str) -> bool:
    try:
        return PartialDate.parse(written).precision != "time"
    except ValueError:
        return False


def _whole(written: str, place: str) -> str:
    """A date to the day, or empty."""
    said = _date(written, place)
    if said and len(said) != 10:
        raise InputError(
            Text("jour, mois et année sont nécessaires", "day, month and year are needed"),
            place,
        )
    return said


def _date(written: str, place: str) -> str:
    """A date as FHIR writes it, out of ``12/03/2018``, ``03/2018``, ``2018`` or FHIR's own form, or empty."""
    said = written.strip()
    if not said:
        return ""
    found = _FRENCH.fullmatch(said)
    if (found and "/" in said) or (found and "." in said):
        assert found is not None
        day, month, year = found[1], found[2], found[3]
        said = "-".join(
            part for part in (year, month.zfill(2) if month else "", day.zfill(2) if day else "") if part
        )
    if not _is_date(said):
        raise InputError(
            Text(
                f"date «\u202f{written[:20]}\u202f» illisible. Écrire jj/mm/aaaa, mm/aaaa ou aaaa",
                f"unreadable date “{written[:20]}”. Write yyyy-mm-dd, yyyy-mm or yyyy",
            ),
            place,
        )
    return said
