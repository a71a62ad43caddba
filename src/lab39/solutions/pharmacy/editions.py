"""What changed from one edition of the thesaurus to another.

Rules and classes, and the pairs of substances whose level is no longer the same: one new member changes many pairs.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from lab39.solutions.pharmacy.graph import Graph, iterate
from lab39.solutions.pharmacy.model import Level, Moiety, Rule, Thesaurus
from lab39.solutions.pharmacy.printings import LOST, fold, levels_of, words_of

Key = TypeVar("Key", str, tuple[str, str])
Value = TypeVar("Value")
SAME_CLASS = 2 / 3
"""A class that goes and one that comes are one class renamed when they share so much of their members."""


class Change(StrEnum):
    """How a rule or a pair differs from before."""

    NEW = "new"
    GONE = "gone"
    RAISED = "raised"
    """Its gravest level is graver."""
    LOWERED = "lowered"
    LEVELS = "levels"
    """Other levels below the same gravest one."""
    TEXT = "text"
    """The same levels; mechanism or conduct say something else."""


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One rule of one edition or of both; ``before`` is ``None`` for a new one, ``after`` for one that is gone."""

    change: Change
    before: Rule | None
    after: Rule | None

    @property
    def rule(self) -> Rule:
        """As it is now, or as it was last."""
        found = self.after or self.before
        assert found is not None
        return found


@dataclass(frozen=True, slots=True)
class Membership:
    """A substance that joined or left a class."""

    substance: str
    of: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Two editions compared.

    Attributes:
        rules: all that differ, in the order of their nodes.
        joined, left: memberships; those of a class that came or went are there too. A class that is in both
            editions and whose members one of the sources does not tell is left out: nobody knows who joined it.
        renamed: former name of a class -> the name it has now.
        substances_new, substances_gone, classes_new, classes_gone: by their names, renamed classes left out.
    """

    before: dt.date
    after: dt.date
    rules: tuple[RuleChange, ...]
    joined: tuple[Membership, ...]
    left: tuple[Membership, ...]
    renamed: Mapping[str, str]
    substances_new: tuple[str, ...]
    substances_gone: tuple[str, ...]
    classes_new: tuple[str, ...]
    classes_gone: tuple[str, ...]

    def counted(self) -> dict[str, int]:
        """How many rules changed in each way, zeros included."""
        counts = Counter(each.change for each in self.rules)
        return {change.value: counts[change] for change in Change}


@dataclass(frozen=True, slots=True)
class PairChange:
    """Two substances whose levels, over all the rules between their nodes, are no longer the same.

    Attributes:
        a, b: moiety keys, in the order of the alphabet.
        before, after: levels, the gravest first; none where no rule holds.
        listed: whether both substances were in the edition before: the others change because one came.
    """

    change: Change
    a: str
    b: str
    before: tuple[Level, ...]
    after: tuple[Level, ...]
    listed: bool


def compare(before: Thesaurus, after: Thesaurus) -> Difference:
    """What changed between two editions, each name compared without its case, accents and spaces."""
    renamed = _renamed(before.classes, after.classes)
    now = {fold(old): new for old, new in renamed.items()}
    old, new = _by_pair(before.rules, now), _by_pair(after.rules, {})
    changes = [
        RuleChange(change, old.get(pair), new.get(pair))
        for pair in old.keys() | new.keys()
        if (change := _change_of(old.get(pair), new.get(pair))) is not None
    ]
    changes.sort(key=lambda each: (fold(each.rule.a), fold(each.rule.b)))
    nodes_old, nodes_new = _nodes(before, now), _nodes(after, {})
    classes_old, classes_new = _folded(before.classes, now), _folded(after.classes)
    untold = {name for name in classes_old.keys() ^ classes_new.keys() if name in nodes_old and name in nodes_new}
    links_old, links_new = _memberships(before, now, untold), _memberships(after, {}, untold)
    substances_old, substances_new = _substances(before, links_old), _substances(after, links_new)
    return Difference(
        before=before.edition,
        after=after.edition,
        rules=tuple(changes),
        joined=_only(links_new, links_old),
        left=_only(links_old, links_new),
        renamed=renamed,
        substances_new=_only(substances_new, {**substances_old, **nodes_old}),
        substances_gone=_only(substances_old, {**substances_new, **nodes_new}),
        classes_new=_only(classes_new, {**classes_old, **nodes_old}),
        classes_gone=_only(classes_old, {**classes_new, **nodes_new}),
    )


def pair_changes(before: Graph, after: Graph) -> tuple[PairChange, ...]:
    """The pairs of substances whose levels changed, in the order of the alphabet (some seconds).

    Levels are those that may hold for a pair by the rules alone: doses, routes and what a person has are not asked.
    """
    keys = sorted(before.members.keys() | after.members.keys())
    nodes_old, nodes_new = nodes_by_key(before, keys), nodes_by_key(after, keys)
    old, new = levels_by_pair(before, nodes_old), levels_by_pair(after, nodes_new)
    found = []
    for a, b in sorted(old.keys() | new.keys()):
        levels_old, levels_new = old.get((a, b), ()), new.get((a, b), ())
        change = _change_between(levels_old, levels_new)
        if change is not None:
            listed = a in nodes_old and b in nodes_old
            found.append(PairChange(change, a, b, levels_old, levels_new, listed))
    return tuple(found)


def nodes_by_key(graph: Graph, keys: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Substance -> its nodes, without those that the edition does not know."""
    found = {}
    for key in keys:
        moiety = Moiety(key, key)
        if graph.listed(moiety):
            numbers = (graph.node(name) for name in graph.nodes_of(moiety))
            found[key] = tuple(number for number in numbers if number is not None)
    return found


def levels_by_pair(graph: Graph, nodes: Mapping[str, tuple[int, ...]]) -> dict[tuple[str, str], tuple[Level, ...]]:
    """Each pair of substances that meet in some rule -> the levels of those rules, the gravest first.

    Args:
        nodes: those of each substance, the substances in the order of the alphabet.
    """
    keys = list(nodes)
    bits = {key: sum(1 << node for node in nodes[key]) for key in keys}
    levels = [frozenset(levels_of(rule)) for rule in graph.rules]
    found = {}
    for i, a in enumerate(keys):
        meets: dict[int, set[int]] = {}
        for node in nodes[a]:
            for other, numbers in graph.meets[node].items():
                meets.setdefault(other, set()).update(numbers)
        reach = sum(1 << node for node in meets)
        for b in keys[i + 1 :]:
            if common := reach & bits[b]:
                told = {level for node in iterate(common) for number in meets[node] for level in levels[number]}
                found[a, b] = tuple(level for level in Level if level in told)
    return found


def _change_of(before: Rule | None, after: Rule | None) -> Change | None:
    levels = _change_between(levels_of(before) if before else (), levels_of(after) if after else ())
    if levels is not None or before is None or after is None:
        return levels
    if any(
        LOST in text for rule in (before, after) for text in (rule.mechanism, *(t.conduct for t in rule.levels))
    ):
        return None
    return Change.TEXT if words_of(before) != words_of(after) else None


def _change_between(before: tuple[Level, ...], after: tuple[Level, ...]) -> Change | None:
    if before == after:
        return None
    if not before or not after:
        return Change.GONE if before else Change.NEW
    if before[0] != after[0]:
        return Change.RAISED if after[0].rank < before[0].rank else Change.LOWERED
    return Change.LEVELS


def _by_pair(rules: Iterable[Rule], now: Mapping[str, str]) -> dict[frozenset[str], Rule]:
    return {frozenset(fold(now.get(fold(name), name)) for name in (rule.a, rule.b)): rule for rule in rules}


def _renamed(before: Mapping[str, Iterable[str]], after: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Classes that go -> the class that comes and shares most of their members, when it shares enough."""
    old, new = _members(before), _members(after)
    gone = {name: members for name, members in old.items() if fold(name) not in set(map(fold, new))}
    come = {name: members for name, members in new.items() if fold(name) not in set(map(fold, old))}
    pairs = sorted(
        (
            (len(a & b) / len(a | b), former, present)
            for former, a in gone.items()
            for present, b in come.items()
            if a
        ),
        reverse=True,
    )
    found: dict[str, str] = {}
    for share, former, present in pairs:
        if share >= SAME_CLASS and former not in found and present not in found.values():
            found[former] = present
    return found


def _members(classes: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    return {name: frozenset(map(fold, members)) for name, members in classes.items()}


def _nodes(thesaurus: Thesaurus, now: Mapping[str, str]) -> dict[str, str]:
    """Everything that rules are about."""
    return _folded((name for rule in thesaurus.rules for name in (rule.a, rule.b)), now)


def _substances(thesaurus: Thesaurus, links: Mapping[tuple[str, str], Membership]) -> dict[str, str]:
    """Substances that the edition tells something of: a rule, or a class whose members can be compared."""
    told = {substance for substance, _ in links} | set(_nodes(thesaurus, {}))
    return {name: written for name, written in _folded(thesaurus.substances).items() if name in told}


def _memberships(
    thesaurus: Thesaurus, now: Mapping[str, str], untold: Set[str]
) -> dict[tuple[str, str], Membership]:
    found = {}
    for written, members in thesaurus.classes.items():
        name = now.get(fold(written), written)
        if fold(name) not in untold:
            found.update({(fold(each), fold(name)): Membership(each, name) for each in members})
    return found


def _folded(names: Iterable[str], now: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    return {fold(found): found for name in names if (found := now.get(fold(name), name))}


def _only(here: Mapping[Key, Value], there: Mapping[Key, object]) -> tuple[Value, ...]:
    return tuple(value for key, value in sorted(here.items()) if key not in there)
