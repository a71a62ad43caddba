"""The level that holds between two partners: what the thesaurus prints, and the authored reading of its text.

:func:`bind` prepares the readings for one edition; :meth:`Levels.resolve` then answers in microseconds. A rule with
one level and no condition costs one look in a dictionary, see :meth:`Levels.plain`. A rule that has a reading is
compiled when it is first asked for.

The gravest level whose condition is true holds. While a graver one is unknown, nothing is settled: the answer is
the gravest that may still hold, with what would tell. Nothing is guessed; what is not said is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from lab39.core.text import NO_TEXT
from lab39.solutions.pharmacy.deciding import NOT_COVERED, Outcome, Part, Scope, Settled, settle
from lab39.solutions.pharmacy.expressions import compile_condition
from lab39.solutions.pharmacy.model import Level, Need, Person, Rule, Thesaurus
from lab39.solutions.pharmacy.predicates import Case, Condition, Fixed, Not, Side, either
from lab39.solutions.pharmacy.readings import NodeReading, Reading, Readings, fingerprint, folded, readings

NOT_READ = "reading"
"""Need: the text of this edition was not read."""
CACHED = 50_000
"""Pairs of substances kept with their rule, at most."""
_PLAIN = {level: Outcome(level, True, (level,)) for level in Level}


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A rule: its conditions see its own ``a`` and ``b``."""

    reading: Reading | None
    parts: tuple[Part, ...]
    scopes: tuple[Scope, ...]


class Levels:
    """The readings of one edition; made by :func:`bind`.

    Attributes:
        edition: as ``YYYY-MM``.
    """

    def __init__(self, thesaurus: Thesaurus, known: Readings) -> None:
        self.edition = f"{thesaurus.edition:%Y-%m}"
        self._thesaurus = thesaurus
        self._known = known
        fold: dict[str, str] = {}
        for rule in thesaurus.rules:
            for name in (rule.a, rule.b):
                if name not in fold:
                    fold[name] = folded(name)
        self._fold = fold
        pairs: dict[frozenset[str], list[Reading]] = {}
        for reading in known.rules:
            pairs.setdefault(reading.key, []).append(reading)
        self._of_node: dict[str, list[NodeReading]] = {}
        for node in known.nodes:
            self._of_node.setdefault(folded(node.node), []).append(node)
        self._open: dict[tuple[str, str], tuple[Reading, ...]] = {}
        for rule in thesaurus.rules:
            a, b = fold[rule.a], fold[rule.b]
            found = pairs.get(frozenset((a, b)), ())
            if found or len(rule.levels) > 1 or a in self._of_node or b in self._of_node:
                self._open[rule.a, rule.b] = tuple(found)
        self._compiled: dict[tuple[str, str], _Compiled | Outcome] = {}
        self._settled: dict[tuple[str, str, frozenset[str], frozenset[str]], Outcome | Settled] = {}

    def plain(self, rule: Rule) -> Outcome | None:
        """The answer of a rule that needs no data: one level, no condition; ``None`` for any other."""
        return None if (rule.a, rule.b) in self._open else _PLAIN[rule.levels[0].level]

    def resolve(
        self, rule: Rule, a: Side, b: Side, person: Person, treatment: frozenset[str] | None = None
    ) -> Outcome:
        """The level of a rule between two partners, whichever is given first.

        Args:
            a, b: the partners, ``node`` being the rule's node that each is of.
            treatment: nodes of all that is taken, as printed; ``None`` when only the pair is known.
        """
        if a.node == rule.b and b.node == rule.a:
            a, b = b, a
        settled = self._settled.get((rule.a, rule.b, a.nodes, b.nodes))
        if settled is None:
            if (rule.a, rule.b) not in self._open:
                return _PLAIN[rule.levels[0].level]
            settled = self._settle(rule, a, b)
        return settled if isinstance(settled, Outcome) else settled.answer(Case(a, b, person, treatment))

    def reading(self, rule: Rule) -> Reading | None:
        """The reading used for a rule, with its pages; ``None`` when it needs none, or its text was not read."""
        found = self._of(rule)
        return found.reading if isinstance(found, _Compiled) else None

    def page(self, rule: Rule) -> int | None:
        """Where the rule stands in the official PDF: as its source tells, else as its reading does."""
        found = self.reading(rule) if rule.page is None else None
        pages = found.pages.get(self.edition, ()) if found else ()
        return min(pages) if pages else rule.page

    @cached_property
    def unread(self) -> tuple[Rule, ...]:
        """Rules with several levels whose text in this edition no reading is of."""
        several = (rule for rule in self._thesaurus.rules if len(rule.levels) > 1)
        return tuple(rule for rule in several if self.reading(rule) is None)

    @cached_property
    def missing(self) -> tuple[tuple[str, tuple[str, str]], ...]:
        """Names of the readings that this edition does not print, each with the pair it is of."""
        for rule in self._thesaurus.rules:
            self._of(rule)
        return tuple(self._missing)

    # -- compiling ------------------------------------------------------------------------------------------

    def _settle(self, rule: Rule, a: Side, b: Side) -> Outcome | Settled:
        found = self._of(rule)
        assert found is not None
        if len(self._settled) >= CACHED:
            self._settled.clear()
        settled = found if isinstance(found, Outcome) else settle(rule, found.parts, found.scopes, a, b)
        self._settled[rule.a, rule.b, a.nodes, b.nodes] = settled
        return settled

    def _of(self, rule: Rule) -> _Compiled | Outcome | None:
        pair = rule.a, rule.b
        if pair not in self._open:
            return None
        found = self._compiled.get(pair)
        if found is None:
            found = self._compiled[pair] = self._compile(rule, self._open[pair])
        return found

    def _compile(self, rule: Rule, candidates: tuple[Reading, ...]) -> _Compiled | Outcome:
        a, b = self._fold[rule.a], self._fold[rule.b]
        reading = self._read(rule, candidates)
        if reading is None and len(rule.levels) > 1:
            levels = tuple(sorted({text.level for text in rule.levels}, key=lambda level: level.rank))
            return Outcome(levels[0], False, levels, needs=(Need(NOT_READ),))
        scopes = [*self._scopes(a), *(scope.turned() for scope in self._scopes(b))]
        if reading is None and not scopes:
            return _PLAIN[rule.levels[0].level]
        if reading is None:
            return _Compiled(None, (Part(rule.levels[0].level, Fixed(True), NO_TEXT),), tuple(scopes))
        parts, own = self._parts(reading)
        if folded(reading.pair[0]) != a:
            parts = tuple(Part(part.level, part.condition.turned(), part.because) for part in parts)
            own = tuple(scope.turned() for scope in own)
        return _Compiled(reading, parts, (*own, *scopes))

    def _read(self, rule: Rule, candidates: tuple[Reading, ...]) -> Reading | None:
        """The reading made from the text printed now."""
        if not candidates:
            return None
        now, levels = fingerprint(rule), frozenset(text.level for text in rule.levels)
        fit = [
            reading
            for reading in candidates
            if levels in reading.printed and any(now in prints for prints in reading.texts.values())
        ]
        return max(fit, key=lambda reading: now in reading.texts.get(self.edition, ()), default=None)

    def _parts(self, reading: Reading) -> tuple[tuple[Part, ...], tuple[Scope, ...]]:
        told = {branch: self._condition(branch.when, reading.pair) for branch in reading.branches if branch.when}
        rest = Not(either(*told.values())) if told else Fixed(True)
        parts = tuple(Part(branch.level, told.get(branch, rest), branch.label) for branch in reading.branches)
        own = reading.applies and Scope(self._condition(reading.applies, reading.pair), reading.exempt)
        return parts, (own,) if own else ()

    def _scopes(self, node: str) -> Iterator[Scope]:
        """What the readings of a node ask of the side ``a``, when that is of the node."""
        for found in self._of_node.get(node, ()):
            pair = (found.node, found.node)
            condition = self._condition(found.applies, pair)
            if found.members:
                quoted = ", ".join(f'"{name}"' for name in found.members)
                condition = either(Not(self._condition(f"a.among({quoted})", pair)), condition)
            yield Scope(condition, found.exempt)

    def _condition(self, text: str, pair: tuple[str, str]) -> Condition:
        def names_of(name: str) -> frozenset[str]:
            found = self._printed.get(folded(name), frozenset())
            if not found:
                self._missing[name, pair] = None
            return found

        return compile_condition(text, self._known.named, names_of)

    @cached_property
    def _missing(self) -> dict[tuple[str, tuple[str, str]], None]:
        return {}

    @cached_property
    def _printed(self) -> Mapping[str, frozenset[str]]:
        """Folded name -> the names that the edition prints for it."""
        printed: dict[str, set[str]] = {}
        for name in (*self._thesaurus.substances, *self._thesaurus.classes, *self._fold):
            printed.setdefault(self._fold.get(name) or folded(name), set()).add(name)
        return {key: frozenset(names) for key, names in printed.items()}


def bind(thesaurus: Thesaurus, known: Readings | None = None) -> Levels:
    """The readings of an edition.

    A reading counts when the text printed now has the fingerprint of a text it was made from.

    Args:
        known: the readings; those of the knowledge files when left out, which takes a tenth of a second to parse.
    """
    return Levels(thesaurus, known or readings())


__all__ = ["NOT_COVERED", "NOT_READ", "Levels", "Outcome", "bind"]
