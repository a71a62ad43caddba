"""What a record tells about a person, in the terms that conditions of the thesaurus ask for.

Absent is never inferred. A fact is present or absent when an entry says so, else it is not known.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from lab39.core import terms
from lab39.core.entries import HYPOTHETICAL, Condition
from lab39.core.record import Record
from lab39.core.terms import Concept
from lab39.core.text import Text
from lab39.core.units import Quantity, UnitError
from lab39.solutions.pharmacy import renal
from lab39.solutions.pharmacy.model import Person
from lab39.solutions.pharmacy.terms import FACT

CREATININE = ("14682-9", "2160-0", "38483-4")
"""LOINC: creatinine, molar in serum or plasma, mass in serum or plasma, mass in blood."""
WEIGHT = ("29463-7", "3141-9")
"""LOINC: body weight, body weight measured."""
ICD10_CM = "http://hl7.org/fhir/sid/icd-10-cm"


@dataclass(frozen=True, slots=True)
class Codes:
    """Codes of one meaning; ICD-10 by their beginnings."""

    token: str
    snomed: frozenset[str] = frozenset()
    icd10: tuple[str, ...] = ()

    def of(self, concept: Concept) -> bool:
        """Whether a concept has this meaning."""
        return any(
            (c.system == FACT and c.code == self.token)
            or (c.system == terms.SNOMED and c.code in self.snomed)
            or (c.system in (terms.ICD10, ICD10_CM) and c.code.startswith(self.icd10))
            for c in concept.codings
        )


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact about a person.

    Attributes:
        holds: ``ever``, ``now``, ``recent`` or ``asked``.
        months: how long a ``recent`` one counts.
        also: facts that this one brings.
    """

    codes: Codes
    label: Text
    holds: str
    months: int = 0
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """A laboratory value that tells a fact: present below a bound, absent from it on."""

    fact: str
    loinc: tuple[str, ...]
    unit: str
    present_below: Decimal
    days: int


@dataclass(frozen=True, slots=True)
class Indication:
    """What a medicine may be for; ``atc`` are products that have no other use."""

    codes: Codes
    label: Text
    atc: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """``knowledge/facts.toml``."""

    facts: Mapping[str, Fact]
    results: tuple[Result, ...]
    indications: Mapping[str, Indication]
    substances: Mapping[str, Text]


@cache
def facts() -> Facts:
    """The table, read once; what was not verified is left out of the codes."""
    table = tomllib.loads(
        files("lab39.solutions.pharmacy").joinpath("knowledge/facts.toml").read_text("utf-8"), parse_float=Decimal
    )
    known = {row["token"]: _fact(row) for row in table["fact"]}
    results = tuple(
        Result(row["fact"], tuple(row["loinc"]), row["unit"], Decimal(row["present_below"]), row["days"])
        for row in table["result"]
        if row["verified"]
    )
    indications = {row["token"]: _indication(row, known) for row in table["indication"]}
    return Facts(known, results, indications, {key: Text.of(said) for key, said in table["substances"].items()})


def _fact(row: Mapping[str, Any]) -> Fact:
    codes = Codes(row["token"])
    if row["verified"]:
        codes = Codes(row["token"], frozenset(row.get("snomed", ())), tuple(row.get("icd10", ())))
    return Fact(codes, Text.of(row["label"]), row["holds"], row.get("months", 0), tuple(row.get("also", ())))


def _indication(row: Mapping[str, Any], known: Mapping[str, Fact]) -> Indication:
    own = known[row["fact"]].codes if "fact" in row else None
    codes = Codes(
        row["token"],
        own.snomed if own else frozenset(row.get("snomed", ())),
        own.icd10 if own else tuple(row.get("icd10", ())),
    )
    return Indication(codes, Text.of(row["label"]), tuple(row.get("atc", ())))


# -- a person ---------------------------------------------------------------------------------------------


def person(record: Record, on: dt.date) -> Person:
    """What the record tells of its person on a day.

    Values are the newest not after ``on``. Clearances need age, sex and creatinine, Cockcroft-Gault weight too.
    """
    age = record.age(on)
    years = age.years if age else None
    weight_kg = _latest(record, on, WEIGHT, "kg")
    creatinine = _latest(record, on, CREATININE, "umol/L", "creatinine")
    clearance = egfr = None
    if years is not None and record.sex is not None and creatinine is not None:
        umol_l = float(creatinine)
        egfr = renal.ckd_epi_2021_ml_min_173(age_years=years, sex=record.sex, creatinine_umol_l=umol_l)
        if weight_kg is not None:
            clearance = renal.cockcroft_gault_ml_min(
                age_years=years, sex=record.sex, weight_kg=float(weight_kg), creatinine_umol_l=umol_l
            )
    return Person(
        age_years=years,
        sex=record.sex,
        weight_kg=weight_kg,
        creatinine_clearance_ml_min=clearance,
        egfr_ml_min_173=egfr,
        facts=_told(record, on),
    )


def _latest(
    record: Record, on: dt.date, codes: Iterable[str], unit: str, analyte: str | None = None
) -> Decimal | None:
    """The newest value in a unit; ``None`` when there is none, or it cannot be read in that unit."""
    seen = record.latest_quantity(*codes, on=on)
    return _in_unit(seen.quantity, unit, analyte) if seen and seen.quantity else None


def _in_unit(quantity: Quantity, unit: str, analyte: str | None = None) -> Decimal | None:
    if quantity.comparator:
        return None
    try:
        return quantity.to(unit, analyte=analyte)
    except UnitError:
        return None


def _told(record: Record, on: dt.date) -> Mapping[str, bool]:
    table = facts()
    told: dict[str, bool] = {}
    conditions = [entry for entry in record.conditions() if not _later(entry, on)]
    for token, fact in table.facts.items():
        value = _of_conditions(fact, [entry for entry in conditions if fact.codes.of(entry.concept)], on)
        if value is not None:
            told[token] = value
    for result in table.results:
        value = _of_result(result, record, on)
        if value is not None:
            told.setdefault(result.fact, value)
    for token, fact in table.facts.items():
        if told.get(token):
            told |= dict.fromkeys(fact.also, True)
    return told


def _later(entry: Condition, on: dt.date) -> bool:
    """Whether an entry tells of what came after the day."""
    began = entry.onset or entry.recorded
    return began is not None and began.earliest > on


def _of_conditions(fact: Fact, entries: Iterable[Condition], on: dt.date) -> bool | None:
    """Present, absent, or not told. Entries that contradict each other tell nothing."""
    said = [entry for entry in entries if entry.verification not in HYPOTHETICAL]
    refuted = any(entry.verification == "refuted" for entry in said)
    counted = [_counts(fact, entry, on) for entry in said if entry.verification != "refuted"]
    if True in counted:
        return None if refuted else True
    return False if refuted or False in counted else None


def _counts(fact: Fact, entry: Condition, on: dt.date) -> bool | None:
    """Whether an entry that is not refuted makes the fact present, absent, or neither."""
    if fact.holds == "ever":
        return True
    if fact.holds == "recent":
        began = entry.onset or entry.recorded
        return True if began and _months_before(on, fact.months) <= began.earliest else None
    return entry.active is not False


def _months_before(day: dt.date, months: int) -> dt.date:
    years, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return dt.date(years, month + 1, min(day.day, 28))


def _of_result(result: Result, record: Record, on: dt.date) -> bool | None:
    seen = record.latest_quantity(*result.loinc, on=on)
    if seen is None or seen.quantity is None or seen.date is None:
        return None
    if (on - seen.date.earliest).days > result.days:
        return None
    value = _in_unit(seen.quantity, result.unit)
    return None if value is None else value < result.present_below


# -- what a medicine is for -------------------------------------------------------------------------------


def indications_of(reasons: Iterable[Concept], atc: str = "") -> frozenset[str] | None:
    """What a line is said to be for; ``None`` when nothing says it in codes known here.

    Args:
        reasons: coded reasons of the line.
        atc: code of its product, which says it where a product has one use only.
    """
    table = facts().indications
    found = {token for token, each in table.items() if any(each.codes.of(reason) for reason in reasons)}
    found |= {token for token, each in table.items() if atc and atc in each.atc}
    return frozenset(found) or None
