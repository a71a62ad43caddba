"""What another edition of the thesaurus changes for one person, or for all of a pharmacy's."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from lab39.core.record import Record
from lab39.solutions.pharmacy import medicines
from lab39.solutions.pharmacy.editions import Change
from lab39.solutions.pharmacy.engine import Engine
from lab39.solutions.pharmacy.facts import person as person_of
from lab39.solutions.pharmacy.interactions import Pair, by_pair, interactions
from lab39.solutions.pharmacy.levels import NOT_READ
from lab39.solutions.pharmacy.medicines import Names
from lab39.solutions.pharmacy.model import Interaction, Line, Person, Rule
from lab39.solutions.pharmacy.printings import levels_of


@dataclass(frozen=True, slots=True)
class Told:
    """Two medicines of a treatment that another edition tells otherwise.

    Attributes:
        before, after: the gravest rule of the pair; ``None`` where the edition has none.
    """

    change: Change
    before: Interaction | None
    after: Interaction | None

    @property
    def names(self) -> tuple[str, str]:
        """Both medicines."""
        found = self.after or self.before
        assert found is not None
        return found.a.name, found.b.name


@dataclass(frozen=True, slots=True)
class Concerned:
    """One record of a population.

    Attributes:
        unread: medicines whose name was not understood: their interactions were not looked for.
    """

    record: str
    source: str
    told: tuple[Told, ...]
    lines: int
    unread: tuple[str, ...]


@dataclass(slots=True)
class Totals:
    """Counts over a population, as it is read."""

    records: int = 0
    concerned: int = 0
    unread: int = 0
    changes: Counter[str] = field(default_factory=Counter)

    def add(self, found: Concerned) -> None:
        """One record more."""
        self.records += 1
        self.concerned += bool(found.told)
        self.unread += len(found.unread)
        self.changes.update(each.change.value for each in found.told)


def changes_for(lines: Sequence[Line], person: Person, before: Engine, after: Engine) -> tuple[Told, ...]:
    """The pairs of a treatment whose level is not the same: the gravest now first, those that are gone last."""
    old = {_key(pair): pair for pair in by_pair(interactions(before, lines, person))}
    new = {_key(pair): pair for pair in by_pair(interactions(after, lines, person))}
    found = [
        Told(change, old[key].gravest if key in old else None, new[key].gravest if key in new else None)
        for key in dict.fromkeys((*new, *old))
        if (change := _change(old.get(key), new.get(key))) is not None
    ]
    return tuple(found)


def people(
    records: Iterable[Record], on: dt.date, names: Names, before: Engine, after: Engine
) -> Iterator[Concerned]:
    """Each record as it comes: nothing is kept, so that a population of any size can be read."""
    for record in records:
        read = medicines.read(record, on, names)
        lines = [each.line for each in read if each.line is not None]
        told = changes_for(lines, person_of(record, on), before, after)
        unread = tuple(each.words for each in read if each.line is None)
        yield Concerned(record.id, record.source, told, len(lines), unread)


def _key(pair: Pair) -> frozenset[tuple[int | None, str]]:
    first = pair.gravest
    return frozenset(((first.a.line, first.a.name), (first.b.line, first.b.name)))


def _change(before: Pair | None, after: Pair | None) -> Change | None:
    if before is None or after is None:
        return Change.NEW if before is None else Change.GONE
    old, new = before.gravest, after.gravest
    if _unread(old) or _unread(new):
        return _printed_change(old.rule, new.rule)
    if old.level is not new.level:
        return Change.RAISED if new.level.rank < old.level.rank else Change.LOWERED
    return Change.LEVELS if (old.possible, old.conditional) != (new.possible, new.conditional) else None


def _unread(each: Interaction) -> bool:
    """Whether its level is open only because nobody read the text of that edition."""
    return any(need.token == NOT_READ for need in each.needs)


def _printed_change(before: Rule, after: Rule) -> Change | None:
    """By the levels as printed: a text that was read in one edition only is no change of the thesaurus.

    Which of several levels it held is not known.
    """
    return None if levels_of(before) == levels_of(after) else Change.LEVELS
