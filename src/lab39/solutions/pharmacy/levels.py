"""The level that holds between two partners: what the thesaurus prints, and the authored reading of its text.

:func:`bind` compiles the readings for one edition; :meth:`Levels.resolve` then answers in microseconds. A rule with
one level and no condition costs one look in a dictionary, see :meth:`Levels.plain`.

The gravest level whose condition is true holds. While a graver one is unknown, nothing is settled: the answer is
the gravest that may still hold, with what would tell. Nothing is guessed; what is not said is not known.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lab39.core.text import NO_TEXT, Text
from lab39.solutions.pharmacy.expressions import compile_condition
from lab39.solutions.pharmacy.model import Level, Need, Person, Rule, Thesaurus
from lab39.solutions.pharmacy.predicates import (
    Case,
    Condition,
    Every,
    Fixed,
    Not,
    Reader,
    Side,
    Trace,
    Truth,
    either,
)
from lab39.solutions.pharmacy.readings import NodeReading, Reading, Readings, fingerprint, folded, readings

NOT_READ = "reading"
"""Need: the text of this edition was not read."""
NOT_COVERED = "uncovered"
"""Need: the text tells no level for this case."""
CACHED = 50_000
"""Pairs of substances kept with their rule, at most."""
ANSWERED = 500
"""Answers kept for each of them, at most."""


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
class _Part:
    """One level of a rule and its condition, compiled."""

    level: Level
    condition: Condition
    because: Text


@dataclass(frozen=True, slots=True)
class _Scope:
    """When a rule is about a case at all, and what lies outside, in words."""

    condition: Condition
    exempt: Text


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A rule: its conditions see its own ``a`` and ``b``."""

    reading: Reading | None
    parts: tuple[_Part, ...]
    scopes: tuple[_Scope, ...]


@dataclass(frozen=True, slots=True)
class _Settled:
    """A rule for two given sets of nodes; ``ways`` are the scopes of each way it can be read.

    What was answered is kept by all that the answer depends on.
    """

    parts: tuple[_Part, ...]
    ways: tuple[tuple[_Scope, ...], ...]
    levels: tuple[Level, ...]
    reads: tuple[Reader, ...]
    answered: dict[tuple[Hashable, ...], Outcome] = field(default_factory=dict)


_PLAIN = {level: Outcome(level, True, (level,)) for level in Level}


@dataclass(frozen=True, slots=True)
class Levels:
    """The readings of one edition.

    Attributes:
        unread: rules with several levels whose text in this edition no reading is of.
        missing: names of the readings that this edition does not print, each with the pair they are of.
    """

    edition: str
    unread: tuple[Rule, ...]
    missing: tuple[tuple[str, tuple[str, str]], ...]
    _compiled: Mapping[tuple[str, str], _Compiled | Outcome]
    _cache: dict[tuple[str, str, frozenset[str], frozenset[str]], Outcome | _Settled] = field(default_factory=dict)

    def plain(self, rule: Rule) -> Outcome | None:
        """The answer of a rule that needs no data: one level, no condition; ``None`` for any other."""
        return None if (rule.a, rule.b) in self._compiled else _PLAIN[rule.levels[0].level]

    def reading(self, rule: Rule) -> Reading | None:
        """The reading used for a rule, with its pages."""
        found = self._compiled.get((rule.a, rule.b))
        return found.reading if isinstance(found, _Compiled) else None

    def page(self, rule: Rule) -> int | None:
        """Where the rule stands in the official PDF: as its source tells, else as its reading does."""
        found = self.reading(rule)
        pages = found.pages.get(self.edition, ()) if found and rule.page is None else ()
        return min(pages) if pages else rule.page

    def resolve(
        self, rule: Rule, a: Side, b: Side, person: Person, treatment: frozenset[str] | None = None
    ) -> Outcome:
        """The level of a rule between two partners, whichever is given first.

        Args:
            a, b: the partners, ``node`` being the rule's node that each is of.
            treatment: nodes of all that is taken, as printed; ``None`` when only the pair is known.
        """
        found = self._compiled.get((rule.a, rule.b))
        if found is None:
            return _PLAIN[rule.levels[0].level]
        if isinstance(found, Outcome):
            return found
        if a.node == rule.b and b.node == rule.a:
            a, b = b, a
        key = (rule.a, rule.b, a.nodes, b.nodes)
        settled = self._cache.get(key)
        if settled is None:
            if len(self._cache) >= CACHED:
                self._cache.clear()
            settled = self._cache[key] = _settle(rule, found, a, b)
        if isinstance(settled, Outcome):
            return settled
        case = Case(a, b, person, treatment)
        known = (a.name, a.index, b.name, b.index, *[read(case) for read in settled.reads])
        answer = settled.answered.get(known)
        if answer is None:
            if len(settled.answered) >= ANSWERED:
                settled.answered.clear()
            answer = settled.answered[known] = _decide(settled, case)
        return answer


def bind(thesaurus: Thesaurus, known: Readings | None = None) -> Levels:
    """The readings of an edition, compiled.

    A reading counts when the text printed now has the fingerprint of a text it was made from.
    """
    binder = _Binder(thesaurus, known or readings())
    for rule in thesaurus.rules:
        binder.add(rule)
    return Levels(binder.edition, tuple(binder.unread), tuple(binder.missing), binder.compiled)


class _Binder:
    def __init__(self, thesaurus: Thesaurus, known: Readings) -> None:
        self.edition = f"{thesaurus.edition:%Y-%m}"
        self.known = known
        self.unread: list[Rule] = []
        self.missing: dict[tuple[str, tuple[str, str]], None] = {}
        self.compiled: dict[tuple[str, str], _Compiled | Outcome] = {}
        self._printed: dict[str, set[str]] = {}
        nodes = (name for rule in thesaurus.rules for name in (rule.a, rule.b))
        for name in (*thesaurus.substances, *thesaurus.classes, *nodes):
            self._printed.setdefault(folded(name), set()).add(name)
        self._by_pair: dict[frozenset[str], list[Reading]] = {}
        for reading in known.rules:
            self._by_pair.setdefault(reading.key, []).append(reading)
        self._by_node: dict[str, list[NodeReading]] = {}
        for node in known.nodes:
            self._by_node.setdefault(folded(node.node), []).append(node)

    def add(self, rule: Rule) -> None:
        """Compile one rule, unless it needs no data."""
        a, b = folded(rule.a), folded(rule.b)
        reading = self._reading(rule, frozenset((a, b)))
        if reading is None and len(rule.levels) > 1:
            self.unread.append(rule)
            levels = tuple(sorted({text.level for text in rule.levels}, key=lambda level: level.rank))
            self.compiled[rule.a, rule.b] = Outcome(levels[0], False, levels, needs=(Need(NOT_READ),))
            return
        scopes = [*self._scopes(a), *(_Scope(s.condition.turned(), s.exempt) for s in self._scopes(b))]
        if reading is not None:
            parts, own = self._parts(reading)
            if folded(reading.pair[0]) != a:
                parts = tuple(_Part(p.level, p.condition.turned(), p.because) for p in parts)
                own = tuple(_Scope(s.condition.turned(), s.exempt) for s in own)
            self.compiled[rule.a, rule.b] = _Compiled(reading, parts, (*own, *scopes))
        elif scopes:
            plain = _Part(rule.levels[0].level, Fixed(True), NO_TEXT)
            self.compiled[rule.a, rule.b] = _Compiled(None, (plain,), tuple(scopes))

    def _reading(self, rule: Rule, pair: frozenset[str]) -> Reading | None:
        found = self._by_pair.get(pair, ())
        if not found:
            return None
        now, levels = fingerprint(rule), frozenset(text.level for text in rule.levels)
        fit = [
            reading
            for reading in found
            if levels in reading.printed and any(now in prints for prints in reading.texts.values())
        ]
        return max(fit, key=lambda reading: now in reading.texts.get(self.edition, ()), default=None)

    def _parts(self, reading: Reading) -> tuple[tuple[_Part, ...], tuple[_Scope, ...]]:
        told = {branch: self._condition(branch.when, reading.pair) for branch in reading.branches if branch.when}
        rest = Not(either(*told.values())) if told else Fixed(True)
        parts = tuple(_Part(branch.level, told.get(branch, rest), branch.label) for branch in reading.branches)
        own = reading.applies and _Scope(self._condition(reading.applies, reading.pair), reading.exempt)
        return parts, (own,) if own else ()

    def _scopes(self, node: str) -> Iterator[_Scope]:
        """What the readings of a node ask of the side ``a``, when that is of the node."""
        for found in self._by_node.get(node, ()):
            pair = (found.node, found.node)
            condition = self._condition(found.applies, pair)
            if found.members:
                quoted = ", ".join(f'"{name}"' for name in found.members)
                condition = either(Not(self._condition(f"a.among({quoted})", pair)), condition)
            yield _Scope(condition, found.exempt)

    def _condition(self, text: str, pair: tuple[str, str]) -> Condition:
        def names_of(name: str) -> frozenset[str]:
            found = self._printed.get(folded(name), set())
            if not found:
                self.missing[name, pair] = None
            return frozenset(found)

        return compile_condition(text, self.known.named, names_of)


def _settle(rule: Rule, found: _Compiled, a: Side, b: Side) -> Outcome | _Settled:
    """A rule for two given sides, ``a`` of its first node: what their nodes decide is decided.

    Where each side is of both nodes the rule can be read both ways, and both count.
    """
    straight = (a.node == rule.a or rule.a in a.nodes) and (b.node == rule.b or rule.b in b.nodes)
    crossed = rule.a in b.nodes and rule.b in a.nodes
    parts: dict[_Part, None] = {}
    ways: list[tuple[_Scope, ...]] = []
    for turn in [False] * (straight or not crossed) + [True] * crossed:
        scopes = tuple(
            _Scope((s.condition.turned() if turn else s.condition).settled(a.nodes, b.nodes), s.exempt)
            for s in found.scopes
        )
        ways.append(scopes)
        inside = tuple(scope.condition for scope in scopes)
        for part in found.parts:
            own = part.condition.turned() if turn else part.condition
            whole = Every((*inside, own)).settled(a.nodes, b.nodes)
            if whole != Fixed(False):
                parts[_Part(part.level, whole, part.because)] = None
    graver = sorted(parts, key=lambda part: (part.level.rank, part.because.fr, part.because.en))
    levels = tuple(sorted({part.level for part in found.parts}, key=lambda level: level.rank))
    conditions = [*(part.condition for part in graver), *(scope.condition for way in ways for scope in way)]
    reads = {name: reader for condition in conditions for name, reader in condition.reads().items()}
    settled = _Settled(tuple(graver), tuple(ways), levels, tuple(reads.values()))
    never = all(any(scope.condition == Fixed(False) for scope in way) for way in ways)
    if never or (graver and graver[0].condition == Fixed(True)):
        return _decide(settled, _NO_CASE)
    return settled


def _decide(rule: _Settled, case: Case) -> Outcome:
    """The outcome of a rule in a case."""
    looked: list[Condition] = []
    unknown: list[_Part] = []
    best: _Part | None = None
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
        outside = [scope for way in rule.ways for scope in way if scope.condition.holds(case) is False]
        used, _ = _traced((scope.condition for scope in outside), case)
        return Outcome(None, True, (), False, used, because=outside[0].exempt)
    used, needs = _traced(looked, case)
    possible = [part.level for part in unknown] + ([best.level] if best else [])
    possible = list(dict.fromkeys(possible))
    if best is not None and len(possible) == 1:
        return Outcome(best.level, True, (best.level,), True, used, because=best.because)
    if not possible:
        return Outcome(rule.levels[0], False, rule.levels, applies, used, (Need(NOT_COVERED),))
    label = next((part.because for part in rule.parts if part.level is possible[0]), NO_TEXT)
    return Outcome(possible[0], False, tuple(possible), applies, used, needs, label)


def _applies(rule: _Settled, case: Case) -> Truth:
    """Whether the rule is about the case, one way or the other."""
    seen: Truth = False
    for way in rule.ways:
        holds = Every(tuple(scope.condition for scope in way)).holds(case)
        if holds:
            return True
        seen = None if holds is None else seen
    return seen


def _traced(conditions: Iterable[Condition], case: Case) -> tuple[tuple[tuple[str, str], ...], tuple[Need, ...]]:
    into = Trace({}, {})
    for condition in conditions:
        condition.trace(case, into)
    needs = sorted(into.needs, key=lambda need: (need.token, -1 if need.line is None else need.line))
    return tuple(sorted(into.used.items())), tuple(needs)


_NO_CASE = Case(Side("", "", frozenset()), Side("", "", frozenset()), Person())
