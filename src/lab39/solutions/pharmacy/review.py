"""A record's treatment: its lines, who the person is, what interacts; and that as findings."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lab39.core.finding import Finding
from lab39.core.record import Record
from lab39.solutions.pharmacy import findings as say
from lab39.solutions.pharmacy import medicines, needs
from lab39.solutions.pharmacy.cards import cards
from lab39.solutions.pharmacy.facts import person as person_of
from lab39.solutions.pharmacy.interactions import Checked, check
from lab39.solutions.pharmacy.medicines import Read
from lab39.solutions.pharmacy.model import Line, Person
from lab39.solutions.pharmacy.opened import Opened


@dataclass(frozen=True, slots=True)
class Review:
    """A treatment and what was found in it.

    Attributes:
        read: every medicine of the record, understood or not.
        lines: those that were understood; interactions name them by number.
    """

    record: Record
    on: dt.date
    opened: Opened
    read: tuple[Read, ...]
    lines: tuple[Line, ...]
    person: Person
    checked: Checked


def review(record: Record, on: dt.date, opened: Opened) -> Review:
    """Everything about the treatment of a record on a day."""
    read = medicines.read(record, on, opened.names)
    lines = tuple(each.line for each in read if each.line is not None)
    person = person_of(record, on)
    return Review(record, on, opened, read, lines, person, check(opened.engine, lines, person))


def findings(found: Review, about: frozenset[str] = frozenset()) -> Iterator[Finding]:
    """What there is to say, one finding a problem.

    Args:
        about: references of the medicines in question; what does not concern them is left out.
    """
    engine = found.opened.engine
    labels = {m.key: m.label for line in found.lines for m in line.moieties}
    known = say.Known(
        lines=found.lines,
        person=found.person,
        edition=engine.graph.edition,
        on=found.on,
        word=lambda need: needs.in_words(need, labels),
        page=engine.levels.page,
        record=found.record,
    )
    numbers = {n for n, line in enumerate(found.lines) if not about or line.ref in about}
    concerned = [each for each in found.checked.interactions if not numbers.isdisjoint({each.a.line, each.b.line})]
    yield from (say.interaction_finding(card, known) for card in cards(concerned, found.person))
    yield from _duplicates(found, known, numbers)
    unread = [(r.ref, r.words, r.resolution) for r in found.read if not about or r.ref in about]
    if (doubt := say.unread_names(unread)) is not None:
        yield doubt
    if engine.partial:
        yield say.partial_table(len(engine.graph.rules))
    elif not about and not concerned and len(found.lines) > 1:
        yield say.nothing_listed(known)


def _duplicates(found: Review, known: say.Known, numbers: Iterable[int]) -> Iterator[Finding]:
    lines: dict[str, set[int]] = defaultdict(set)
    labels: dict[str, str] = {}
    for a, b, moiety in found.checked.repeated:
        lines[moiety.key] |= {a, b}
        labels[moiety.key] = moiety.label
    wanted = set(numbers)
    for key, group in sorted(lines.items()):
        if wanted & group and not _all_local(found, group):
            yield say.same_twice(labels[key], sorted(group), known)


def _all_local(found: Review, group: Iterable[int]) -> bool:
    """Whether no two of them are taken by a route that reaches the whole body (an inhaler and a cream)."""
    routes = [found.lines[n].route for n in group]
    return not any(
        not (a is not None and a.local) and not (b is not None and b.local)
        for a, b in itertools.combinations(routes, 2)
    )
