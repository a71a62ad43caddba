"""One rule in one case: the gravest level whose condition is true, or those that remain and what would tell."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from lab39.core.text import NO_TEXT, Text
from lab39.solutions.pharmacy.model import Level, Need, Person, Rule
from lab39.solutions.pharmacy.predicates import Case, Condition, Every, Fixed, Reader, Side, Trace, Truth

NOT_COVERED = "uncovered"
"""Need: the text tells no level for this case."""
ANSWERED = 500
"""Answers kept for a rule and two sets of nodes, at most."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The level between two partners and how it was found.

    Attributes:
        level: the one that holds; the gravest still possible when not resolved; ``None`` when the rule is not about
            this case.
        resolved: whether what is known settles it.
        possible: the levels that remain, the gravest first.
        applies: whether the rule is about this case; ``None`` when that is not known.
        used: what settled it, tokens with the values used, sorted.
        needs: what would settle it, sorted.
        because: the condition of ``level`` in words; empty when the text has none.
    """

    level: Level | None
    resolved: bool
    possible: tuple[Level, ...]
    applies: Truth = True
    used: tuple[tuple[str, str], ...] = ()
    needs: tuple[Need, ...] = ()
    because: Text = NO_TEXT


@dataclass(frozen=True, slots=True)
class Part:
    """One level of a rule and its condition, compiled."""

    level: Level
    condition: Condition
    because: Text


@dataclass(frozen=True, slots=True)
class Scope:
    """When a rule is about a case at all, and what lies outside, in words."""

    condition: Condition
    exempt: Text

    def turned(self) -> Scope:
        """The same with the two sides exchanged."""
        return Scope(self.condition.turned(), self.exempt)


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a rule can be about two sides: all its scopes."""

    scopes: tuple[Scope, ...]
    inside: Condition


@dataclass(frozen=True, slots=True)
class Settled:
    """A rule for two given sets of nodes.

    What was answered is kept by all that the answer depends on.
    """

    parts: tuple[Part, ...]
    ways: tuple[Way, ...]
    levels: tuple[Level, ...]
    reads: tuple[Reader, ...]
    answered: dict[tuple[Hashable, ...], Outcome] = field(default_factory=dict)

    def answer(self, case: Case) -> Outcome:
        """The outcome in a case."""
        a, b = case.a, case.b
        known = (a.name, a.index, b.name, b.index, *[read(case) for read in self.reads])
        found = self.answered.get(known)
        if found is None:
            if len(self.answered) >= ANSWERED:
                self.answered.clear()
            found = self.answered[known] = _decide(self, case)
        return found


def settle(rule: Rule, parts: tuple[Part, ...], scopes: tuple[Scope, ...], a: Side, b: Side) -> Outcome | Settled:
    """A rule for two given sides, ``a`` of its first node: what their nodes decide is decided.

    Where each side is of both nodes the rule can be read both ways, and both count.
    """
    straight = (a.node == rule.a or rule.a in a.nodes) and (b.node == rule.b or rule.b in b.nodes)
    crossed = rule.a in b.nodes and rule.b in a.nodes
    found: dict[Part, None] = {}
    ways: list[Way] = []
    for turn in [False] * (straight or not crossed) + [True] * crossed:
        own = [scope.turned() if turn else scope for scope in scopes]
        short = tuple(Scope(scope.condition.settled(a.nodes, b.nodes), scope.exempt) for scope in own)
        inside = Every(tuple(scope.condition for scope in short)).settled(a.nodes, b.nodes)
        ways.append(Way(short, inside))
        for part in parts:
            condition = part.condition.turned() if turn else part.condition
            whole = Every((inside, condition)).settled(a.nodes, b.nodes)
            if whole != Fixed(False):
                found[Part(part.level, whole, part.because)] = None
    gravest = sorted(found, key=lambda part: (part.level.rank, part.because.fr, part.because.en))
    levels = tuple(sorted({part.level for part in parts}, key=lambda level: level.rank))
    conditions = [*(part.condition for part in gravest), *(s.condition for way in ways for s in way.scopes)]
    reads = {name: reader for condition in conditions for name, reader in condition.reads().items()}
    settled = Settled(tuple(gravest), tuple(ways), levels, tuple(reads.values()))
    never = all(way.inside == Fixed(False) for way in ways)
    if never or (gravest and gravest[0].condition == Fixed(True)):
        return _decide(settled, Case(a, b, _NOBODY))
    return settled


def _decide(rule: Settled, case: Case) -> Outcome:
    looked: list[Condition] = []
    unknown: list[Part] = []
    best: Part | None = None
    for part in rule.parts:
        holds = part.condition.holds(case)
        looked.append(part.condition)
        if holds:
            best = part
            break
        if holds is None:
            unknown.append(part)
    applies = _applies(rule, case) if best is None else True
    if applies is False:
        outside = [scope for way in rule.ways for scope in way.scopes if scope.condition.holds(case) is False]
        used, _ = _traced((scope.condition for scope in outside), case)
        return Outcome(None, True, (), False, used, because=outside[0].exempt)
    used, needs = _traced(looked, case)
    possible = tuple(dict.fromkeys(part.level for part in (*unknown, *([best] if best else ()))))
    if best is not None and len(possible) == 1:
        return Outcome(best.level, True, possible, True, used, because=best.because)
    if not possible:
        return Outcome(rule.levels[0], False, rule.levels, applies, used, (Need(NOT_COVERED),))
    label = next((part.because for part in rule.parts if part.level is possible[0]), NO_TEXT)
    return Outcome(possible[0], False, possible, applies, used, needs, label)


def _applies(rule: Settled, case: Case) -> Truth:
    """Whether the rule is about the case, one way or the other."""
    held = [way.inside.holds(case) for way in rule.ways]
    return True if True in held else None if None in held else False


def _traced(conditions: Iterable[Condition], case: Case) -> tuple[tuple[tuple[str, str], ...], tuple[Need, ...]]:
    into = Trace({}, {})
    for condition in conditions:
        condition.trace(case, into)
    needs = sorted(into.needs, key=lambda need: (need.token, -1 if need.line is None else need.line))
    return tuple(sorted(into.used.items())), tuple(needs)


_NOBODY = Person()
