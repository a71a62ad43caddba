"""The medicines of a record, each as a line of the treatment or as a name that was not understood."""

from __future__ import annotations

import dataclasses
import datetime as dt
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from lab39.core import terms as systems
from lab39.core.entries import Dosage, Medication
from lab39.core.record import Record
from lab39.core.terms import Concept
from lab39.core.units import UnitError
from lab39.solutions.pharmacy.coded import Coded, resolve_coded
from lab39.solutions.pharmacy.facts import indications_of
from lab39.solutions.pharmacy.model import Line, Match, Posology, Resolution, Route
from lab39.solutions.pharmacy.posology import read_posology
from lab39.solutions.pharmacy.treatment import line_of, understand

if TYPE_CHECKING:
    from lab39.solutions.pharmacy.catalogue import Catalogue
    from lab39.solutions.pharmacy.graph import Graph

_ORDERED = ("draft", "intended")


@dataclass(frozen=True, slots=True)
class Read:
    """One medicine of a record.

    Attributes:
        words: as the record writes it.
        line: of the treatment; ``None`` when the name has not one meaning.
    """

    ref: str
    words: str
    resolution: Resolution
    line: Line | None


@dataclass(frozen=True, slots=True)
class Names:
    """What understands names: the catalogue, the thesaurus, RxNorm concepts to substances."""

    catalogue: Catalogue
    graph: Graph
    rxnorm: Mapping[str, tuple[str, ...]]


def read(record: Record, on: dt.date, known: Names) -> tuple[Read, ...]:
    """The medicines that are taken on a day, or may be: what is not said to have stopped counts."""
    return tuple(_read(each, record, known) for each in record.medications() if taken(each, on))


def taken(medication: Medication, on: dt.date) -> bool:
    """Whether a medicine counts: taken, or not said to be stopped. Plans, drafts and past ones do not."""
    if medication.current is False or medication.status in _ORDERED:
        return False
    if medication.current is None and medication.raw.get("intent") in ("proposal", "plan", "option"):
        return False
    return not (medication.end and medication.end.latest < on)


def _read(medication: Medication, record: Record, known: Names) -> Read:
    concept = medication.concept
    words = concept.text or concept.label
    said = _understood(concept, words, known)
    line = line_of(said, medication.ref)
    if line is not None:
        line = dataclasses.replace(
            line,
            text=words,
            route=_route(medication.dosages) or line.route,
            posology=_posology(medication.dosages, line, words),
            indications=indications_of(_reasons(medication, record), line.atc),
            start=medication.start.exact if medication.start else None,
        )
    return Read(medication.ref, words, said, line)


def _reasons(medication: Medication, record: Record) -> Iterable[Concept]:
    """What the medicine is said to be for: codes on it, and the conditions it refers to."""
    conditions = {each.ref: each.concept for each in record.conditions()}
    for row in medication.raw.get("reasonReference") or ():
        found = conditions.get(row.get("reference", "")) if isinstance(row, Mapping) else None
        if found is not None:
            yield found
    for row in medication.raw.get("reasonCode") or ():
        rows = row.get("coding") if isinstance(row, Mapping) else None
        codings = [c for c in rows or () if isinstance(c, Mapping) and c.get("system") and c.get("code")]
        yield Concept(tuple(systems.Coding(systems.canonical(str(c["system"])), str(c["code"])) for c in codings))


def _understood(concept: Concept, words: str, known: Names) -> Resolution:
    """By its codes and its words; a name that only the thesaurus knows is looked for there."""
    codings = [Coded(c.system, c.code, c.display) for c in concept.codings]
    said = resolve_coded(codings, words, known.catalogue, known.rxnorm)
    if words and (said.match is Match.UNKNOWN or (said.match is Match.AMBIGUOUS and not codings)):
        again = understand(words, known.catalogue, known.graph).resolution
        return again if again.found is not None else said
    return said


# -- dose and route -------------------------------------------------------------------------------------


def _posology(dosages: Iterable[Dosage], line: Line, words: str) -> Posology:
    """What the dosages say together; a part that cannot be read leaves the whole unknown."""
    rows = list(dosages)
    found = [_of_dosage(each, line) for each in rows]
    if not rows:
        return read_posology(words, line.product).posology
    if len(found) == 1:
        return found[0]
    intakes = [each.per_intake_mg for each in found]
    days = [each.per_day_mg for each in found]
    known = [mg for mg in intakes if mg is not None]
    per_day = [mg for mg in days if mg is not None]
    return Posology(
        per_intake_mg=max(known) if len(known) == len(rows) else None,
        per_day_mg=sum(per_day, Decimal(0)) if len(per_day) == len(rows) else None,
    )


def _of_dosage(dosage: Dosage, line: Line) -> Posology:
    intake = _intake_mg(dosage, line)
    if intake is None:
        return read_posology(dosage.text, line.product).posology
    if dosage.per_day is None:
        return Posology(per_intake_mg=intake)
    if dosage.per_day < 1:
        return Posology(per_intake_mg=intake, per_week_mg=_rounded(intake * dosage.per_day * 7))
    return Posology(per_intake_mg=intake, per_day_mg=_rounded(intake * dosage.per_day))


def _intake_mg(dosage: Dosage, line: Line) -> Decimal | None:
    """A mass in milligrams, or units of a product whose one ingredient is known."""
    dose = dosage.dose
    if dose is None or dose.comparator:
        return None
    try:
        return dose.to("mg")
    except UnitError:
        ingredients = line.product.ingredients if line.product else ()
        counted = dose.unit in ("1", "") or dose.unit.strip("{}").lower() in _COUNTED
        if counted and len(ingredients) == 1 and ingredients[0].amount_mg is not None:
            return dose.value * ingredients[0].amount_mg
        return None


_COUNTED = ("tbl", "tablet", "tablets", "comprimé", "comprimés", "cp", "cap", "capsule", "capsules", "gélule")


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.001")).normalize()


def _route(dosages: Iterable[Dosage]) -> Route | None:
    """The route, when every dosage that tells one tells the same."""
    found = {route for each in dosages if each.route and (route := _of_route(each.route))}
    return found.pop() if len(found) == 1 else None


def _of_route(concept: Concept) -> Route | None:
    code = concept.code(systems.SNOMED)
    return Route(_routes()[code]) if code and code in _routes() else None


@cache
def _routes() -> Mapping[str, str]:
    text = files("lab39.solutions.pharmacy").joinpath("knowledge/record_routes.toml").read_text("utf-8")
    rows: Mapping[str, str] = tomllib.loads(text)["snomed"]
    return rows
