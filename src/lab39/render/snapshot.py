"""The record in short: who, the measurements that matter, treatment, conditions, allergies, what is absent."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, cast

from lab39.core.dates import PartialDate
from lab39.core.entries import Medication
from lab39.core.finding import Missing, Report
from lab39.core.record import Record
from lab39.core.text import NO_TEXT, Text
from lab39.core.units import Quantity, UnitError

SEX = {
    "female": Text("femme", "female"),
    "male": Text("homme", "male"),
    "other": Text("sexe : autre", "sex: other"),
}
CHILD = {"female": Text("fille", "girl"), "male": Text("garçon", "boy")}
CHILD_UNTIL_YEARS = 15
GIVEN = "given"
LOINC_CODE = re.compile(r"\d{1,7}-\d")
DECIMALS, SIGNIFICANT = 2, 4
"""A value with more decimals than the first is shown with as many digits as the second says."""
SEX_UNKNOWN = Text("sexe inconnu", "sex unknown")


@dataclass(frozen=True, slots=True)
class Line:
    """One fact with its date (``NO_TEXT`` when undated)."""

    label: Text
    value: Text
    date: Text = NO_TEXT


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What stands beside a report. ``absent`` names what is unknown and would be asked for first."""

    title: str
    who: Text
    fictional: bool
    measures: tuple[Line, ...]
    medicines: tuple[Line, ...]
    conditions: tuple[Text, ...]
    allergies: tuple[Text, ...]
    absent: tuple[Text, ...]


def snapshot(record: Record, report: Report) -> Snapshot:
    """The record on the day of the report."""
    on = report.on
    measures, absent = _measures(record, on)
    if record.birth_date is None:
        absent.insert(0, Text("date de naissance", "birth date"))
    allergies = tuple(Text.same(a.concept.label) for a in record.allergies() if a.active is not False)
    if not allergies:
        absent.append(Text("allergies : non renseignées", "allergies: not recorded"))
    medicines = tuple(_medicine(m) for m in _once(m for m in record.medications() if m.current is not False))
    conditions = (c for c in record.conditions() if c.active is not False and c.concept.label)
    return Snapshot(
        title=record.name or record.id or "–",
        who=who(record, on),
        fictional=record.test_data,
        measures=tuple(measures),
        medicines=medicines,
        conditions=tuple(Text.same(label) for label in dict.fromkeys(c.concept.label for c in conditions)),
        allergies=allergies,
        absent=tuple(dict.fromkeys([*absent, *(m.name for m in _missing(report))])),
    )


def who(record: Record, on: dt.date) -> Text:
    """Age and sex in words: ``82 ans, femme``."""
    years = record.age(on)
    words = SEX | CHILD if years is not None and years.max_years < CHILD_UNTIL_YEARS else SEX
    sex = words.get(record.sex or "", SEX_UNKNOWN)
    age = _age(record, on)
    return Text(f"{age.fr}, {sex.fr}", f"{age.en}, {sex.en}")


def _age(record: Record, on: dt.date) -> Text:
    age, birth = record.age(on), record.birth_date
    if age is None or birth is None:
        return Text("âge inconnu", "age unknown")
    if age.max_years < 2 and birth.exact:
        months = (on.year - birth.exact.year) * 12 + on.month - birth.exact.month - (on.day < birth.exact.day)
        return Text(f"{months} mois", f"{months} month{'s' * (months != 1)}")
    if age.years is not None:
        return Text(f"{age.years} an{'s' * (age.years > 1)}", f"{age.years} year{'s' * (age.years != 1)}")
    return Text(f"{age.min_years} ou {age.max_years} ans", f"{age.min_years} or {age.max_years} years")


@cache
def _table() -> tuple[dict[str, Any], ...]:
    toml = files("lab39.render").joinpath("knowledge/snapshot.toml").read_text("utf-8")
    return tuple(tomllib.loads(toml)["measure"])


def _measures(record: Record, on: dt.date) -> tuple[list[Line], list[Text]]:
    lines, absent = [], []
    for row in _table():
        label = Text.of(row["label"])
        found = record.latest_quantity(*cast(list[str], row["codes"]), on=on)
        quantity = found.quantity if found else None
        if found is None or quantity is None:
            if row.get("ask"):
                absent.append(Text(label.fr.lower(), label.en.lower()))
            continue
        lines.append(Line(label, _shown(quantity, row["unit"], row.get("analyte")), _day(found.date)))
    return lines, absent


def _shown(quantity: Quantity, unit: str, analyte: str | None) -> Text:
    """In the unit usual in France, with the unit received beside it when that is another."""
    received = _readable(quantity)
    if quantity.unit == unit:
        return received
    try:
        usual = _readable(Quantity(round(quantity.to(unit, analyte=analyte), 1), unit, quantity.comparator))
    except UnitError:
        return received
    return Text(f"{usual.fr} ({received.fr})", f"{usual.en} ({received.en})")


def _readable(quantity: Quantity) -> Text:
    """As people write it: a value that was computed (``60.65656714128773``) is shown with four digits."""
    value = quantity.value
    for _ in range(2):  # 9.99999 becomes 10.000, then 10.00
        places = max(0, SIGNIFICANT - 1 - value.adjusted())
        value = round(value, places) if _decimals(value) > max(DECIMALS, places) else value
    shown = Quantity(value, quantity.unit, quantity.comparator)
    return Text(shown.say("fr"), shown.say("en"))


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _medicine(medicine: Medication) -> Line:
    how = _how(medicine)
    name = medicine.concept.label or "?"
    if medicine.prescribed is None and medicine.raw.get("resourceType") == "MedicationStatement":
        note = Text("pris sans ordonnance connue", "taken, no known prescription")
        return Line(Text.same(name), Text(f"{how} ({note.fr})", f"{how} ({note.en})"), _day(medicine.start))
    return Line(Text.same(name), Text.same(how), _day(medicine.start))


def _once(medicines: Iterable[Medication]) -> list[Medication]:
    """The newest entry of each medicine at each dose: a refill is not a second treatment, another dose may be. What
    was given is only shown for a medicine that nothing says is ordered or taken."""
    newest: dict[tuple[str, str], Medication] = {}
    told: set[str] = set()
    for each in sorted(medicines, key=lambda m: m.start.latest if m.start else dt.date.min):
        name = each.concept.label or each.ref
        if each.raw.get("resourceType") == "MedicationAdministration":
            newest[name, GIVEN] = each
        else:
            told.add(name)
            newest[name, _how(each)] = each
    return [each for (name, how), each in newest.items() if how != GIVEN or name not in told]


def _how(medicine: Medication) -> str:
    return "; ".join(d.text for d in medicine.dosages if d.text)


def _day(date: PartialDate | None) -> Text:
    return Text(date.say("fr"), date.say("en")) if date else NO_TEXT


def _missing(report: Report) -> list[Missing]:
    """What is absent from the record; what a finding would like to ask next stands in its own card."""
    return [
        m
        for f in report.findings
        for m in f.missing
        if m.code != "data-pack" and (f.not_evaluated or LOINC_CODE.fullmatch(m.code))
    ]
