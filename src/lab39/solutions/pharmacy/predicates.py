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
``a.form("suspension buvable")``        words of the form of the product
``a.indicated("heart-failure", …)``     what the line is said to be for
``a.untold("product-information")``     never known here; something to look up about the side
``fact("peptic-ulcer-history")``        a fact about the person
``taken("CICLOSPORINE", …)``            some line of the treatment is of that node
``age`` ``clearance`` ``egfr``          years, Cockcroft-Gault mL/min, CKD-EPI mL/min/1.73 m², compared likewise
``female`` ``always``                   the person is a woman; true
``name(a)`` or ``name()``               a condition named in the knowledge files
======================================  ====================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from lab39.solutions.pharmacy.model import Line, Need, Person

Truth = bool | None
Letter = Literal["a", "b"]
OTHER: Mapping[Letter, Letter] = {"a": "b", "b": "a"}


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


class Case:
    """All a condition may look at.

    Attributes:
        treatment: nodes of every line, as printed; ``None`` when only the pair is known.
        memo: what conditions found out in this case, by their ``id``.
    """

    __slots__ = ("a", "b", "memo", "person", "treatment")

    def __init__(self, a: Side, b: Side, person: Person, treatment: frozenset[str] | None = None) -> None:
        self.a, self.b, self.person, self.treatment = a, b, person, treatment
        self.memo: dict[int, Truth] = {}

    def side(self, letter: Letter) -> Side:
        """The side of that letter."""
        return self.a if letter == "a" else self.b


Reader = Callable[[Case], Hashable]


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

    def reads(self) -> Mapping[str, Reader]:
        """All that its truth and its trace depend on, each by a name."""
        return {name: reader for part in self.parts() for name, reader in part.reads().items()}

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
        memo = case.memo
        key = id(self)
        if key in memo:
            return memo[key]
        ends = self.ends
        result: Truth = not ends
        for part in self.members:
            value = part.holds(case)
            if value is ends:
                result = ends
                break
            if value is None:
                result = None
        memo[key] = result
        return result

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
        memo = case.memo
        key = id(self)
        if key in memo:
            return memo[key]
        result = True if self.true.holds(case) else False if self.false.holds(case) else None
        memo[key] = result
        return result

    def trace(self, case: Case, into: Trace) -> None:
        (self.false if self.holds(case) is False else self.true).trace(case, into)

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


def walk(condition: Condition) -> Iterator[Condition]:
    """A condition and all inside it."""
    yield condition
    for part in condition.parts():
        yield from walk(part)
