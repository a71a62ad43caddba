"""What is missing and can be filled in where it is asked: one small field for each."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from lab39.core.finding import Missing, Report
from lab39.core.record import Record
from lab39.core.text import NO_TEXT, Text
from lab39.core.units import Quantity
from lab39.web.desk.answers import Kind

_LOINC = re.compile(r"\d{1,7}-\d")
_HPO = re.compile(r"HP:\d{7}")
BIRTH_DATE = Text("date de naissance", "birth date")
SEX = Text("sexe", "sex")
BIRTH_DATE_WHY = Text("sans elle, l'âge est inconnu", "without it the age is unknown")
SEX_WHY = Text("sans lui, ce qui en dépend n'est pas évalué", "without it, what depends on it is not evaluated")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit a measure may be given in, with the LOINC code of that kind of quantity."""

    unit: str
    code: str
    label: Text


@dataclass(frozen=True, slots=True)
class Field:
    """One small field.

    Attributes:
        name, why: what is asked, and what cannot be told without it.
        units: of a measure, the one asked for first.
    """

    kind: Kind
    code: str
    name: Text
    why: Text
    units: tuple[Unit, ...] = ()

    @property
    def key(self) -> str:
        """Stable, safe in an attribute; the same question asked twice has one key."""
        same = _group(self.code)
        named = same["codes"][0] if same else self.code
        return hashlib.sha256(f"{self.kind}|{named}".encode()).hexdigest()[:10]


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("lab39.web").joinpath("knowledge/fields.toml").read_text("utf-8"))


def _group(code: str) -> dict[str, Any] | None:
    rows: list[dict[str, Any]] = _table()["measure"]
    return next((row for row in rows if code in row["codes"]), None)


def field(missing: Missing) -> Field | None:
    """The field for something missing; ``None`` when it cannot be filled in by one value."""
    person = _table()["person"]
    if missing.code in person["birth_date"]:
        return Field("birth-date", missing.code, missing.name, missing.consequence)
    if missing.code in person["sex"]:
        return Field("sex", missing.code, missing.name, missing.consequence)
    if _HPO.fullmatch(missing.code):
        return Field("sign", missing.code, missing.name, missing.consequence)
    if missing.condition is not None:
        asked = f"{missing.condition.system}|{missing.condition.code}"
        return Field("condition", asked, missing.name, missing.consequence)
    if missing.medicine:
        return Field("dosage", missing.medicine, missing.name, missing.consequence)
    if _LOINC.fullmatch(missing.code) and missing.unit:
        units = _units(missing.code, missing.unit)
        return Field("measure", missing.code, missing.name, missing.consequence, units)
    return None


def fields(missing: Iterable[Missing]) -> tuple[tuple[Field, ...], tuple[Missing, ...]]:
    """What can be filled in, and what can only be told."""
    asked: dict[str, Field] = {}
    told = []
    for each in missing:
        found = field(each)
        if found is None:
            told.append(each)
        else:
            asked.setdefault(found.key, found)
    return tuple(asked.values()), tuple(told)


def beside(record: Record, report: Report, *, usual: bool = True) -> tuple[Field, ...]:
    """What is asked beside the record: the person, the measures most decisions need, and what kept a solution from
    telling anything.

    Args:
        usual: False leaves out the measures that no finding asks for.
    """
    asked: dict[str, Field] = {}
    if record.birth_date is None:
        one = Field("birth-date", "birth-date", BIRTH_DATE, BIRTH_DATE_WHY)
        asked[one.key] = one
    if record.sex is None:
        one = Field("sex", "sex", SEX, SEX_WHY)
        asked[one.key] = one
    for row in _table()["measure"]:
        if usual and row.get("ask") and record.latest(*row["codes"], on=report.on) is None:
            first = row["units"][0]
            name = Text.of(row["name"])
            one = Field("measure", first["code"], name, NO_TEXT, _units(first["code"], first["unit"]))
            asked.setdefault(one.key, one)
    wanted = (m for f in report.findings for m in f.missing if f.not_evaluated or not _HPO.fullmatch(m.code))
    for one in fields(wanted)[0]:
        known = asked.get(one.key)
        asked[one.key] = one if known is None or not known.why else known
    return tuple(asked.values())


def told(record: Record, report: Report) -> tuple[Text, ...]:
    """What is absent and cannot be filled in by one value."""
    names = [
        m.name for f in report.findings if f.not_evaluated for m in fields(f.missing)[1] if m.code != "data-pack"
    ]
    if not any(a.verification != "refuted" for a in record.allergies()):
        names.append(Text("allergies\u202f: non renseignées", "allergies: not recorded"))
    return tuple(dict.fromkeys(names))


def _units(code: str, unit: str) -> tuple[Unit, ...]:
    group = _group(code)
    offered = {unit: code}
    if group is not None:
        offered |= {row["unit"]: row["code"] for row in group["units"] if row["unit"] not in offered}
    return tuple(Unit(each, loinc, _label(each)) for each, loinc in offered.items())


def _label(unit: str) -> Text:

    said = Quantity(Decimal(1), unit)
    return Text(said.say("fr")[1:].strip("\u202f\u00a0 "), said.say("en")[1:].strip("\u202f\u00a0 "))
