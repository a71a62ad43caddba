"""The conditions that look at something: who the side is, its dose, route and use, the person, the treatment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

from lab39.solutions.pharmacy.model import Need, Posology, Route
from lab39.solutions.pharmacy.predicates import OTHER, Case, Condition, Fixed, Letter, Reader, Side, Trace, Truth

Measure = Literal["per_intake_mg", "per_day_mg", "per_week_mg"]
MEASURES: tuple[Measure, ...] = ("per_intake_mg", "per_day_mg", "per_week_mg")
INFINITE = float("inf")


@dataclass(frozen=True, slots=True)
class Among(Condition):
    """The side is one of these nodes."""

    letter: Letter
    nodes: frozenset[str]

    def turned(self) -> Condition:
        return replace(self, letter=OTHER[self.letter])

    def holds(self, case: Case) -> Truth:
        return not self.nodes.isdisjoint(case.side(self.letter).nodes)

    def settled(self, a: frozenset[str], b: frozenset[str]) -> Condition:
        return Fixed(not self.nodes.isdisjoint(a if self.letter == "a" else b))


@dataclass(frozen=True, slots=True)
class Taken(Condition):
    """Some line of the treatment is of one of these nodes."""

    nodes: frozenset[str]

    def holds(self, case: Case) -> Truth:
        if case.treatment is None or not self.nodes:
            return None  # an edition that does not print the name cannot tell either
        return not self.nodes.isdisjoint(case.treatment)

    def reads(self) -> Mapping[str, Reader]:
        return {"taken:" + "|".join(sorted(self.nodes)): self.holds}

    def trace(self, case: Case, into: Trace) -> None:
        token = "taken:" + "|".join(sorted(self.nodes))
        _note(into, token, None if (held := self.holds(case)) is None else said(held), None)


@dataclass(frozen=True, slots=True)
class Dosed(Condition):
    """A dose of the side lies between two bounds (mg), each included or not."""

    letter: Letter
    measure: Measure
    low: float = -INFINITE
    high: float = INFINITE
    low_in: bool = True
    high_in: bool = True

    def turned(self) -> Condition:
        return replace(self, letter=OTHER[self.letter])

    def holds(self, case: Case) -> Truth:
        memo, key = case.memo, id(self)
        if key not in memo:
            memo[key] = self._between(*dose_range_mg(posology_of(case.side(self.letter)), self.measure))
        return memo[key]

    def _between(self, least: float, most: float) -> Truth:
        above = _beyond(least, most, self.low, self.low_in)
        below = _beyond(-most, -least, -self.high, self.high_in)
        if above is False or below is False:
            return False
        return True if above and below else None

    def reads(self) -> Mapping[str, Reader]:
        letter = self.letter
        return {f"{letter}.posology": lambda case: _doses(case.side(letter))}

    def trace(self, case: Case, into: Trace) -> None:
        side = case.side(self.letter)
        posology = posology_of(side)
        per = _PER[self.measure]
        value = getattr(posology, self.measure)
        if self.holds(case) is None:
            _note(into, f"dose-per-{per}:{side.name}", None, side.index)
        elif value is not None:
            _note(into, f"dose-per-{per}:{side.name}", f"{value} mg", side.index)
        else:
            for other, word in _PER.items():
                if (known := getattr(posology, other)) is not None:
                    _note(into, f"dose-per-{word}:{side.name}", f"{known} mg", side.index)


@dataclass(frozen=True, slots=True)
class Routed(Condition):
    """The line is given by one of these routes."""

    letter: Letter
    routes: frozenset[Route]

    def turned(self) -> Condition:
        return replace(self, letter=OTHER[self.letter])

    def holds(self, case: Case) -> Truth:
        line = case.side(self.letter).line
        return None if line is None or line.route is None else line.route in self.routes

    def reads(self) -> Mapping[str, Reader]:
        letter = self.letter
        return {f"{letter}.route": lambda case: line.route if (line := case.side(letter).line) else None}

    def trace(self, case: Case, into: Trace) -> None:
        side = case.side(self.letter)
        route = side.line.route if side.line else None
        _note(into, f"route:{side.name}", route.value if route else None, side.index)


@dataclass(frozen=True, slots=True)
class Formed(Condition):
    """The product of the line has these words in the form that the medicine base gives it."""

    letter: Letter
    words: str

    def turned(self) -> Condition:
        return replace(self, letter=OTHER[self.letter])

    def holds(self, case: Case) -> Truth:
        form = _form(case.side(self.letter))
        return self.words in form.casefold() if form else None

    def reads(self) -> Mapping[str, Reader]:
        letter = self.letter
        return {f"{letter}.form": lambda case: _form(case.side(letter))}

    def trace(self, case: Case, into: Trace) -> None:
        side = case.side(self.letter)
        form = _form(side)
        _note(into, f"form:{side.name}", form or None, side.index)


@dataclass(frozen=True, slots=True)
class Female(Condition):
    """The person is a woman."""

    def holds(self, case: Case) -> Truth:
        return None if case.person.sex not in ("female", "male") else case.person.sex == "female"

    def reads(self) -> Mapping[str, Reader]:
        return {"sex": lambda case: case.person.sex}

    def trace(self, case: Case, into: Trace) -> None:
        _note(into, "sex", case.person.sex, None)


@dataclass(frozen=True, slots=True)
class Indicated(Condition):
    """The line is said to be for one of these; a line that says what it is for says all it is for."""

    letter: Letter
    tokens: frozenset[str]

    def turned(self) -> Condition:
        return replace(self, letter=OTHER[self.letter])

    def holds(self, case: Case) -> Truth:
        line = case.side(self.letter).line
        if line is None or line.indications is None:
            return None
        return not self.tokens.isdisjoint(line.indications)

    def reads(self) -> Mapping[str, Reader]:
        letter = self.letter
        return {
            f"{letter}.indications": lambda case: line.indications if (line := case.side(letter).line) else None
        }

    def trace(self, case: Case, into: Trace) -> None:
        side = case.side(self.letter)
        told = side.line.indications if side.line else None
        shown = None if told is None else ", ".join(sorted(told))
        _note(into, f"indication:{side.name}", shown, side.index)


@dataclass(frozen=True, slots=True)
class Untold(Condition):
    """What the thesaurus leaves to another document: never known here."""

    letter: Letter
    what: str

    def turned(self) -> Condition:
        return replace(self, letter=OTHER[self.letter])

    def holds(self, case: Case) -> Truth:  # noqa: ARG002
        return None

    def trace(self, case: Case, into: Trace) -> None:
        side = case.side(self.letter)
        _note(into, f"{self.what}:{side.name}", None, side.index)


@dataclass(frozen=True, slots=True)
class Fact(Condition):
    """A fact about the person."""

    token: str

    def holds(self, case: Case) -> Truth:
        return case.person.facts.get(self.token)

    def reads(self) -> Mapping[str, Reader]:
        token = self.token
        return {f"fact:{token}": lambda case: case.person.facts.get(token)}

    def trace(self, case: Case, into: Trace) -> None:
        value = case.person.facts.get(self.token)
        _note(into, f"fact:{self.token}", None if value is None else said(value), None)


@dataclass(frozen=True, slots=True)
class Measured(Condition):
    """Age (years), clearance (mL/min) or eGFR of the person lies between two bounds."""

    what: Literal["age", "clearance", "egfr"]
    low: float = -INFINITE
    high: float = INFINITE
    low_in: bool = True
    high_in: bool = True

    def _value(self, case: Case) -> float | None:
        person = case.person
        if self.what == "age":
            return person.age_years
        return person.creatinine_clearance_ml_min if self.what == "clearance" else person.egfr_ml_min_173

    def holds(self, case: Case) -> Truth:
        value = self._value(case)
        if value is None:
            return None
        above = value >= self.low if self.low_in else value > self.low
        return above and (value <= self.high if self.high_in else value < self.high)

    def reads(self) -> Mapping[str, Reader]:
        return {self.what: self._value}

    def trace(self, case: Case, into: Trace) -> None:
        value = self._value(case)
        _note(into, self.what, None if value is None else f"{value:.0f}", None)


# -- doses ----------------------------------------------------------------------------------------------

_PER: Mapping[str, str] = {"per_intake_mg": "intake", "per_day_mg": "day", "per_week_mg": "week"}
_NOT_SAID = Posology()


def posology_of(side: Side) -> Posology:
    """The posology of a side; of a line with several ingredients, not known: its doses are those of the product."""
    line = side.line
    return line.posology if line is not None and len(line.moieties) == 1 else _NOT_SAID


def _doses(side: Side) -> tuple[Decimal | None, ...]:
    said = posology_of(side)
    return said.per_intake_mg, said.per_day_mg, said.per_week_mg


def _form(side: Side) -> str:
    """Form of the product of a side; empty when it is not known."""
    return side.line.product.form if side.line and side.line.product else ""


def dose_range_mg(posology: Posology, measure: Measure) -> tuple[float, float]:
    """Least and greatest dose (mg) that fit what is known; ``(0, inf)`` when nothing is.

    A day holds at least one intake and a week at least one day, so that one of them bounds the others.
    """
    intake, day, week = posology.per_intake_mg, posology.per_day_mg, posology.per_week_mg
    if measure == "per_intake_mg":
        if intake is not None:
            return float(intake), float(intake)
        return 0.0, min((float(x) for x in (day, week) if x is not None), default=INFINITE)
    if measure == "per_day_mg":
        if day is not None:
            return float(day), float(day)
        least = max(float(intake or 0), float(week or 0) / 7)
        return least, INFINITE if week is None else float(week)
    if week is not None:
        return float(week), float(week)
    return max(float(intake or 0), float(day or 0)), INFINITE if day is None else 7 * float(day)


def _beyond(least: float, most: float, bound: float, included: bool) -> Truth:
    """Whether a value between ``least`` and ``most`` is above a bound."""
    if bound == -INFINITE:
        return True
    if least > bound or (included and least == bound):
        return True
    return False if most < bound or (not included and most == bound) else None


def said(value: bool) -> str:
    """``present`` or ``absent``."""
    return "present" if value else "absent"


def _note(into: Trace, token: str, value: str | None, line: int | None) -> None:
    if value is None:
        into.needs[Need(token, line)] = None
    else:
        into.used[token] = value
