"""One edition of the thesaurus as a graph: its nodes, which substances they hold for, which nodes meet in a rule.

Sets of nodes are integers, one bit a node, so that most pairs of medicines are settled by one ``&``. A pair is
looked up from both sides alike: what is found does not depend on the order.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.pharmacy.model import Line, Moiety, Route, Rule, Thesaurus
from lab39.solutions.pharmacy.nodes import LOCAL, Condition, Knowledge, Thing, knowledge
from lab39.solutions.pharmacy.normal import fold, moiety_key

FORMAT = 1
SYSTEMIC = frozenset(Route) - LOCAL


class Taking(NamedTuple):
    """How a line may be taken.

    Attributes:
        told: whether the line or its product says so; otherwise these are the forms on the market.
    """

    routes: frozenset[Route]
    told: bool = False


UNTOLD = Taking(frozenset())


@dataclass(frozen=True, slots=True)
class Gate:
    """What stands between a substance and one of its nodes when the data at hand does not tell.

    Attributes:
        needs: tokens that would settle it.
        condition: to be asked of the line and the person; ``None`` when only the route is open.
        by_form: whether all that stands between is that the market has a form for local use as well. The level then
            counts as settled, on the condition of a systemic route.
    """

    needs: tuple[str, ...] = ()
    condition: Condition | None = None
    by_form: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """What one substance taken by given routes can meet.

    Attributes:
        nodes: bits of the nodes that hold for it, or may.
        reach: bits of the nodes that these have a rule with.
        gates: nodes that hold under a condition.
        asks: those of them whose condition the line or the person may answer.
        shut: whether a local route left out some node.
        printed: the names of ``nodes``.
    """

    nodes: int
    reach: int
    gates: Mapping[int, Gate] = field(default_factory=dict)
    asks: tuple[tuple[int, Gate], ...] = ()
    shut: bool = False
    printed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Graph:
    """A compiled edition.

    Attributes:
        names: of the nodes as printed; a node is its position here.
        members: moiety key -> its nodes. A key without nodes is known to the thesaurus and has no interaction.
        rules: of the edition; ``meets[a][b]`` are the numbers of those between two nodes, both ways alike.
        own: numbers of the rules between a class and itself (« AUTRES … »).
        same: numbers of the rules that the thesaurus means for two forms of one substance.
        anything: nodes that hold for any medicine by a route (bits).
    """

    edition: dt.date
    names: tuple[str, ...]
    members: Mapping[str, tuple[int, ...]]
    rules: tuple[Rule, ...]
    meets: tuple[Mapping[int, tuple[int, ...]], ...]
    neighbours: tuple[int, ...]
    own: frozenset[int]
    same: frozenset[int]
    anything: int
    known: Knowledge = field(repr=False)
    _at: Mapping[str, int] = field(repr=False, default_factory=dict)
    _bare: dict[str, Side] = field(repr=False, default_factory=dict)
    _sides: dict[tuple[str, Taking], Side] = field(repr=False, default_factory=dict)

    @property
    def month(self) -> str:
        """The edition as ``YYYY-MM``."""
        return f"{self.edition:%Y-%m}"

    def listed(self, moiety: Moiety) -> bool:
        """Whether the edition knows the substance; one that it does not know has no interaction listed."""
        return self._nodes(moiety.key) is not None

    def nodes_of(self, moiety: Moiety) -> tuple[str, ...]:
        """The nodes of a substance as printed: itself, then its classes."""
        return tuple(self.names[node] for node in self._nodes(moiety.key) or ())

    def moieties_of(self, node: str) -> tuple[str, ...]:
        """The keys of the substances that a node holds for."""
        at = self._at.get(fold(node))
        return tuple(key for key, nodes in self.members.items() if at in nodes) if at is not None else ()

    def node(self, name: str) -> int | None:
        """The number of a node by its name, however written."""
        return self._at.get(fold(name))

    def side(self, line: Line, moiety: Moiety) -> Side:
        """What a substance of a line can meet by the routes the line may have."""
        if line.route is None and line.product is None and not line.routes:
            found = self._bare.get(moiety.key)
            if found is None:
                found = self._bare[moiety.key] = self._side(moiety.key, UNTOLD)
            return found
        wanted = (moiety.key, taking(line))
        found = self._sides.get(wanted)
        if found is None:
            found = self._sides[wanted] = self._side(*wanted)
        return found

    def thing_side(self, thing: Thing) -> Side:
        """What a food, a drink or a device can meet."""
        bits = _bits(self._at[name] for name in (*thing.nodes, *thing.also) if name in self._at)
        return Side(bits, self._reach(bits), printed=self._printed(bits))

    def _nodes(self, key: str) -> tuple[int, ...] | None:
        """The nodes of a moiety; ``None`` for one that the edition does not know."""
        if key in self.members:
            return self.members[key]
        found: set[int] = set()
        known = False
        for link in self.known.links:
            if link.holds(key):
                for to in link.to:
                    nodes = self.members.get(to) or ((self._at[to],) if to in self._at else ())
                    known = known or bool(nodes)
                    found.update(nodes)
        return tuple(sorted(found)) if known else None

    def _side(self, key: str, by: Taking) -> Side:
        bits, shut = 0, False
        gates: dict[int, Gate] = {}
        local = self.known.local_substances.get(key, frozenset())
        nodes = self._nodes(key) or ()
        for name, allowed in self.known.local_classes.items():
            if self._at.get(name) in nodes:
                local |= allowed
        for node in (*nodes, *iterate(self.anything)):
            name = fold(self.names[node])
            here = local | self.known.local_nodes.get(name, frozenset())
            condition = self.known.conditions.get(name)
            if condition is not None and condition.only and key not in condition.only:
                condition = None
            asked = self.known.everything.get(name) or (condition.routes if condition else frozenset())
            allowed = asked or SYSTEMIC | here
            holds = _holds(by, allowed, asked=bool(asked), anything=name in self.known.everything)
            if holds is False:
                shut = shut or not asked
                continue
            bits |= 1 << node
            needs = (f"route:{key}",) if holds is None else ()
            deferred = condition if condition is not None and not condition.routes else None
            if needs or deferred:
                gates[node] = Gate(needs, deferred, by_form=bool(needs) and not asked and not by.told)
        asks = tuple((node, gate) for node, gate in gates.items() if gate.condition is not None)
        return Side(bits, self._reach(bits), gates, asks, shut, self._printed(bits))

    def _printed(self, bits: int) -> frozenset[str]:
        return frozenset(self.names[node] for node in iterate(bits))

    def _reach(self, bits: int) -> int:
        reach = 0
        for node in iterate(bits):
            reach |= self.neighbours[node]
        return reach


def taking(line: Line) -> Taking:
    """The routes a line may be taken by."""
    if line.route is not None:
        return Taking(frozenset((line.route,)), told=True)
    if line.product is not None and line.product.routes:
        return Taking(frozenset(line.product.routes), told=True)
    return Taking(frozenset(line.routes))


def _holds(by: Taking, allowed: frozenset[Route], *, asked: bool, anything: bool) -> bool | None:
    """Whether a node that holds by the routes ``allowed`` holds for a line; ``None`` when that is open.

    A line that tells no route is read through the forms on the market: all of them allowed settles it. None of them
    allowed does not, since the thesaurus lists the substance; it does for a node that holds for anything.
    """
    if not by.routes:
        return None if asked else True
    if by.routes <= allowed:
        return True
    if by.told or anything:
        return None if by.routes & allowed else False
    return None


def iterate(bits: int) -> Iterator[int]:
    """The numbers of the bits that are set, lowest first."""
    while bits:
        low = bits & -bits
        yield low.bit_length() - 1
        bits ^= low


def build(thesaurus: Thesaurus, known: Knowledge | None = None) -> Graph:
    """Compile an edition."""
    known = known or knowledge()
    names = nodes_in(thesaurus)
    return _graph(thesaurus, names, members_in(thesaurus, names, known), known)


def write(thesaurus: Thesaurus, target: Path, known: Knowledge | None = None) -> None:
    """Write the part of the graph that takes long to make: which substances each node holds for."""
    known = known or knowledge()
    names = nodes_in(thesaurus)
    body = {
        "format": FORMAT,
        "knowledge": digest(known),
        "names": names,
        "members": members_in(thesaurus, names, known),
    }
    target.write_text(json.dumps(body, ensure_ascii=False, separators=(",", ":")), "utf-8")


def load(thesaurus: Thesaurus, path: Path) -> Graph:
    """The graph of an edition from what :func:`write` wrote for it.

    Raises:
        InputError: damaged, or of another format; delete it and it is made again.
    """
    known = knowledge()
    try:
        body = json.loads(path.read_bytes())
        if (body["format"], body["knowledge"]) != (FORMAT, digest(known)):
            raise ValueError("made for another version")
        members = {key: tuple(nodes) for key, nodes in body["members"].items()}
        return _graph(thesaurus, tuple(body["names"]), members, known)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            Text(
                f"graphe compilé illisible ({error})\u202f: supprimer ce fichier, il sera refait",
                f"unreadable compiled graph ({error}): delete this file, it will be made again",
            ),
            str(path),
        ) from error


def digest(known: Knowledge | None = None) -> str:
    """Names what the members of nodes were made with: what is known of nodes, and how names are normalised."""
    parts = [(known or knowledge()).digest]
    for name in ("normal.py", "knowledge/salts.toml", "knowledge/aliases.toml"):
        parts.append(files(__package__).joinpath(*name.split("/")).read_text("utf-8"))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]


def nodes_in(thesaurus: Thesaurus) -> tuple[str, ...]:
    """The nodes of an edition, in the order of the alphabet: both sides of its rules, and its classes."""
    names = {fold(name): name for name in thesaurus.classes}
    names.update((fold(name), name) for rule in thesaurus.rules for name in (rule.a, rule.b))
    return tuple(names[key] for key in sorted(names))


def members_in(thesaurus: Thesaurus, names: Iterable[str], known: Knowledge) -> dict[str, tuple[int, ...]]:
    """Moiety key -> the nodes that hold for it, in order."""
    at = {fold(name): node for node, name in enumerate(names)}
    found: dict[str, set[int]] = {}
    printed = {fold(name) for name in thesaurus.classes}
    things = {name for thing in known.things for name in thing.nodes}

    def put(substance: str, nodes: Iterable[str]) -> None:
        key = moiety_key(substance)
        if key not in known.placeholders:
            found.setdefault(key, set()).update(at[name] for name in map(fold, nodes) if name in at)

    for substance, classes in thesaurus.substances.items():
        if fold(substance) not in things:
            put(substance, classes if fold(substance) in printed else (substance, *classes))
    for name, members in thesaurus.classes.items():
        for substance in members:
            put(substance, (name,))
    listed = {fold(name) for name in thesaurus.substances}
    authored = {row.node for row in known.members} | set(known.others) | set(known.everything)
    for name in at.keys() - printed - listed - authored - things:
        put(name, (name,))
    _add_authored(found, at, known)
    return {key: tuple(sorted(nodes)) for key, nodes in sorted(found.items())}


def _add_authored(found: dict[str, set[int]], at: Mapping[str, int], known: Knowledge) -> None:
    for row in known.members:
        if row.node not in at:
            continue
        sources = {at[name] for name in row.classes if name in at}
        for nodes in found.values():
            if nodes & sources:
                nodes.add(at[row.node])
        for key in row.keys:
            found.setdefault(key, set()).add(at[row.node])
    for other, name in known.others.items():
        both = {at[each] for each in (other, name) if each in at}
        for nodes in found.values():
            if nodes & both:
                nodes |= both


def _graph(
    thesaurus: Thesaurus,
    names: tuple[str, ...],
    members: Mapping[str, tuple[int, ...]],
    known: Knowledge,
) -> Graph:
    folded = {name: fold(name) for name in names}
    at = {folded[name]: node for node, name in enumerate(names)}
    meets: list[dict[int, tuple[int, ...]]] = [{} for _ in names]
    neighbours = [0] * len(names)
    own, same = set(), set()
    for number, rule in enumerate(thesaurus.rules):
        one, two = fold(rule.a), fold(rule.b)
        a, b = at[one], at[two]
        for here, there in {(a, b), (b, a)}:
            meets[here][there] = (*meets[here].get(there, ()), number)
            neighbours[here] |= 1 << there
        if known.others.get(one, one) == known.others.get(two, two):
            own.add(number)
        if frozenset((one, two)) in known.same:
            same.add(number)
    return Graph(
        edition=thesaurus.edition,
        names=names,
        members=members,
        rules=thesaurus.rules,
        meets=tuple(meets),
        neighbours=tuple(neighbours),
        own=frozenset(own),
        same=frozenset(same),
        anything=_bits(at[name] for name in known.everything if name in at),
        known=known,
        _at=at,
    )


def _bits(nodes: Iterable[int]) -> int:
    bits = 0
    for node in nodes:
        bits |= 1 << node
    return bits


def held_by(graph: Graph) -> dict[str, str]:
    """Each node by name -> what it holds for: ``substances``, ``thing``, ``route``, or empty for nothing."""
    held = {node for nodes in graph.members.values() for node in nodes}
    things = {name for thing in graph.known.things for name in thing.nodes}
    found = {}
    for node, name in enumerate(graph.names):
        kinds = (
            ("route", graph.anything >> node & 1),
            ("substances", node in held),
            ("thing", fold(name) in things),
        )
        found[name] = next((kind for kind, holds in kinds if holds), "")
    return found
