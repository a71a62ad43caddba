"""Conditions of a level, in three values: true, false, or unknown with what would tell.

A condition is written in the knowledge files as an expression over the two sides of a pair, ``a`` and ``b``::

    a.per_day_mg >= 3000 or a.per_intake_mg >= 1000
    b.among("RIFAMPICINE") and not fact("heart-failure")

Logic is Kleene's strong one (Kleene SC, Introduction to metamathematics, 1952, § 64): ``and`` is false as soon as
one part is false, ``or`` true as soon as one is true, whatever is not known.

What an expression may hold:

======================================  ====================================================================
``a.among("NODE", …)``                  the side is one of these substances or of these classes
``a.per_intake_mg`` ``a.per_day_mg``    dose, compared with numbers (``>=`` ``>`` ``<=`` ``<``, chains allowed)
``a.per_week_mg``
``a.route("oral", …)``                  route of the line
``a.indicated("heart-failure", …)``     what the line is said to be for
``a.untold("product-information")``     never known here; something to look up about the side
``fact("peptic-ulcer-history")``        a fact about the person
``taken("CICLOSPORINE", …)``            some line of the treatment is of that node
``age`` ``clearance`` ``egfr``          years, Cockcroft-Gault mL/min, CKD-EPI mL/min/1.73 m², compared likewise
``always``                              true
``name(a)`` or ``name()``               a condition named in the knowledge files
======================================  ====================================================================
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from lab39.solutions.pharmacy.model import Line, Need, Person, Posology, Route

Truth = bool | None
Letter = Literal["a", "b"]
Measure = Literal["per_intake_mg", "per_day_mg", "per_week_mg"]
MEASURES: tuple[Measure, ...] = ("per_intake_mg", "per_day_mg", "per_week_mg")
INFINITE = math.inf
_OTHER: Mapping[Letter, Letter] = {"a": "b", "b": "a"}


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a pair as conditions see it.

    Attributes:
        name: key of the moiety, or the food or drink.
        node: of the thesaurus, as printed, through which the rule applies.
        nodes: every node of it in this edition, as printed: its own name and its classes.
        line: of the treatment; ``None`` for food and drink.
        index: number of that line.
    """

    name: str
    node: str
    nodes: frozenset[str]
    line: Line | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """All a condition may look at.

    Attributes:
        treatment: nodes of every line, as printed; ``None`` when only the pair is known.
    """

    a: Side
    b: Side
    person: Person
    treatment: frozenset[str] | None = None

    def side(self, letter: Letter) -> Side:
        """The side of that letter."""
        return self.a if letter == "a" else self.b


@dataclass(slots=True)
class Trace:
    """What a condition looked at: what was known and mattered, and what was not."""

    used: dict[str, str]
    needs: dict[Need, None]


class Condition:
    """A condition in three values."""

    __slots__ = ()

    def holds(self, case: Case) -> Truth:
        """Its truth in a case."""
        raise NotImplementedError

    def trace(self, case: Case, into: Trace) -> None:
        """Note what decided it, or what would."""

    def parts(self) -> Iterator[Condition]:
        """The conditions directly inside."""
        return iter(())

    def settled(self, a: frozenset[str], b: frozenset[str]) -> Condition:  # noqa: ARG002
        """The same condition once the nodes of both sides are known, shortened where they decide."""
        return self

    def turned(self) -> Condition:
        """The same condition with ``a`` and ``b`` exchanged."""
        return self


@dataclass(frozen=True, slots=True)
class Fixed(Condition):
    """Always true, or never."""

    value: bool

    def holds(self, case: Case) -> Truth:  # noqa: ARG002
        return self.value


@dataclass(frozen=True, slots=True)
class Among(Condition):
    """The side is one of these nodes."""

    letter: Letter
    nodes: frozenset[str]

    def turned(self) -> Condition:
        return replace(self, letter=_OTHER[self.letter])

    def holds(self, case: Case) -> Truth:
        return not self.nodes.isdisjoint(case.side(self.letter).nodes)

    def settled(self, a: frozenset[str], b: frozenset[str]) -> Condition:
        return Fixed(not self.nodes.isdisjoint(a if self.letter == "a" else b))


@dataclass(frozen=True, slots=True)
class Taken(Condition):
    """Some line of the treatment is of one of these nodes."""

    nodes: frozenset[str]

    def holds(self, case: Case) -> Truth:
        if case.treatment is None:
            return None
        return not self.nodes.isdisjoint(case.treatment)

    def trace(self, case: Case, into: Trace) -> None:
        token = "taken:" + "|".join(sorted(self.nodes))
        _note(into, token, None if case.treatment is None else said(bool(self.holds(case))), None)


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
        return replace(self, letter=_OTHER[self.letter])

    def holds(self, case: Case) -> Truth:
        least, most = dose_range_mg(posology_of(case.side(self.letter)), self.measure)
        above = _beyond(least, most, self.low, self.low_in)
        below = _beyond(-most, -least, -self.high, self.high_in)
        if above is False or below is False:
            return False
        return True if above and below else None

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
        return replace(self, letter=_OTHER[self.letter])

    def holds(self, case: Case) -> Truth:
        line = case.side(self.letter).line
        return None if line is None or line.route is None else line.route in self.routes

    def trace(self, case: Case, into: Trace) -> None:
        side = case.side(self.letter)
        route = side.line.route if side.line else None
        _note(into, f"route:{side.name}", route.value if route else None, side.index)


@dataclass(frozen=True, slots=True)
class Indicated(Condition):
    """The line is said to be for one of these; a line that says what it is for says all it is for."""

    letter: Letter
    tokens: frozenset[str]

    def turned(self) -> Condition:
        return replace(self, letter=_OTHER[self.letter])

    def holds(self, case: Case) -> Truth:
        line = case.side(self.letter).line
        if line is None or line.indications is None:
            return None
        return not self.tokens.isdisjoint(line.indications)

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
        return replace(self, letter=_OTHER[self.letter])

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

    def trace(self, case: Case, into: Trace) -> None:
        value = self._value(case)
        _note(into, self.what, None if value is None else f"{value:.0f}", None)


@dataclass(frozen=True, slots=True)
class Not(Condition):
    """True when its part is false."""

    part: Condition

    def holds(self, case: Case) -> Truth:
        value = self.part.holds(case)
        return None if value is None else not value

    def trace(self, case: Case, into: Trace) -> None:
        self.part.trace(case, into)

    def parts(self) -> Iterator[Condition]:
        yield self.part

    def settled(self, a: frozenset[str], b: frozenset[str]) -> Condition:
        part = self.part.settled(a, b)
        return Fixed(not part.value) if isinstance(part, Fixed) else Not(part)

    def turned(self) -> Condition:
        return Not(self.part.turned())


@dataclass(frozen=True, slots=True)
class Every(Condition):
    """True when all its parts are; ``ends`` is the value of a part that decides alone (True makes it an *or*)."""

    members: tuple[Condition, ...]
    ends: bool = False

    def holds(self, case: Case) -> Truth:
        ends, result = self.ends, not self.ends
        known = True
        for part in self.members:
            value = part.holds(case)
            if value is ends:
                return ends
            known = known and value is not None
        return result if known else None

    def trace(self, case: Case, into: Trace) -> None:
        value = self.holds(case)
        for part in self.members:
            if value is not self.ends or part.holds(case) is self.ends:
                part.trace(case, into)

    def parts(self) -> Iterator[Condition]:
        return iter(self.members)

    def settled(self, a: frozenset[str], b: frozenset[str]) -> Condition:
        left: list[Condition] = []
        for part in self.members:
            short = part.settled(a, b)
            if not isinstance(short, Fixed):
                left.append(short)
            elif short.value is self.ends:
                return short
        if not left:
            return Fixed(not self.ends)
        return left[0] if len(left) == 1 else Every(tuple(left), self.ends)

    def turned(self) -> Condition:
        return Every(tuple(part.turned() for part in self.members), self.ends)


def either(*parts: Condition) -> Condition:
    """True when one part is."""
    return Every(parts, ends=True)


@dataclass(frozen=True, slots=True)
class Twofold(Condition):
    """A condition told by two: true when ``true`` holds, false when ``false`` does, else unknown."""

    true: Condition
    false: Condition

    def holds(self, case: Case) -> Truth:
        if self.true.holds(case):
            return True
        return False if self.false.holds(case) else None

    def trace(self, case: Case, into: Trace) -> None:
        value = self.holds(case)
        for part in (self.true, self.false):
            if value is None or part.holds(case):
                part.trace(case, into)

    def parts(self) -> Iterator[Condition]:
        yield self.true
        yield self.false

    def settled(self, a: frozenset[str], b: frozenset[str]) -> Condition:
        true, false = self.true.settled(a, b), self.false.settled(a, b)
        if isinstance(true, Fixed) and true.value:
            return true
        if isinstance(false, Fixed) and false.value and isinstance(true, Fixed):
            return Fixed(False)
        return Twofold(true, false)

    def turned(self) -> Condition:
        return Twofold(self.true.turned(), self.false.turned())


# -- doses ----------------------------------------------------------------------------------------------

_PER: Mapping[str, str] = {"per_intake_mg": "intake", "per_day_mg": "day", "per_week_mg": "week"}
_NOT_SAID = Posology()


def posology_of(side: Side) -> Posology:
    """The posology of a side; of a line with several ingredients, not known: its doses are those of the product."""
    line = side.line
    return line.posology if line is not None and len(line.moieties) == 1 else _NOT_SAID


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


# -- words ----------------------------------------------------------------------------------------------


def said(value: bool) -> str:
    """``present`` or ``absent``."""
    return "present" if value else "absent"


def _note(into: Trace, token: str, value: str | None, line: int | None) -> None:
    if value is None:
        into.needs[Need(token, line)] = None
    else:
        into.used[token] = value


def walk(condition: Condition) -> Iterator[Condition]:
    """A condition and all inside it."""
    yield condition
    for part in condition.parts():
        yield from walk(part)
