"""Every interaction of a treatment: between its lines, inside one line, and with food or drink on demand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lab39.solutions.pharmacy.graph import Gate, Graph, Side, iterate
from lab39.solutions.pharmacy.model import Interaction, Level, Line, Moiety, Need, Partner, Person, Rule
from lab39.solutions.pharmacy.nodes import Thing

NOBODY = Person()


@dataclass(frozen=True, slots=True)
class Pair:
    """Two partners with every rule between them, the gravest first."""

    interactions: tuple[Interaction, ...]

    @property
    def gravest(self) -> Interaction:
        """The rule under which the pair is told."""
        return self.interactions[0]


@dataclass(frozen=True, slots=True)
class Checked:
    """A treatment and what its edition of the thesaurus says of it.

    Attributes:
        interactions: the gravest first, then those that are resolved, then by name.
        repeated: one substance on two lines: numbers of the lines and the substance. A duplication, no interaction.
        unlisted: substances that the edition does not know, with their line: no interaction is listed for them.
        local: lines whose local route left interactions of the systemic routes out.
    """

    interactions: tuple[Interaction, ...]
    repeated: tuple[tuple[int, int, Moiety], ...]
    unlisted: tuple[tuple[int, Moiety], ...]
    local: tuple[int, ...]

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The same interactions, each pair of partners once."""
        return by_pair(self.interactions)


class _Taken(NamedTuple):
    """One substance of a line, or one thing, as the pairs see it."""

    number: int | None
    name: str
    key: str
    side: Side
    line: Line | None


def check(graph: Graph, lines: Sequence[Line], person: Person = NOBODY, things: Iterable[Thing] = ()) -> Checked:
    """Every interaction of a treatment, and what has none for a reason that must be told.

    Args:
        lines: their names already understood.
        things: food and drink to look at as well.
    """
    taken = _taken(graph, lines, person)
    repeated = tuple(
        (a.number, b.number, moiety)
        for i, a in enumerate(taken)
        for b in taken[i + 1 :]
        if a.key == b.key and a.number is not None and b.number is not None and a.number != b.number
        for moiety in lines[a.number].moieties
        if moiety.key == a.key
    )
    unlisted = tuple(
        (number, moiety)
        for number, line in enumerate(lines)
        for moiety in line.moieties
        if not graph.listed(moiety)
    )
    local = tuple(dict.fromkeys(t.number for t in taken if t.side.shut and t.number is not None))
    return Checked(_interactions(graph, taken, person, things), repeated, unlisted, local)


def interactions(
    graph: Graph, lines: Sequence[Line], person: Person = NOBODY, things: Iterable[Thing] = ()
) -> tuple[Interaction, ...]:
    """Every interaction of a treatment, the gravest first; see :func:`check` for what else must be told."""
    return _interactions(graph, _taken(graph, lines, person), person, things)


def by_pair(found: Iterable[Interaction]) -> tuple[Pair, ...]:
    """Interactions gathered by their two partners, in the order of the gravest of each."""
    pairs: dict[frozenset[tuple[int | None, str]], list[Interaction]] = {}
    for each in found:
        key = frozenset(((each.a.line, each.a.name), (each.b.line, each.b.name)))
        pairs.setdefault(key, []).append(each)
    return tuple(Pair(tuple(rules)) for rules in pairs.values())


def _taken(graph: Graph, lines: Sequence[Line], person: Person) -> list[_Taken]:
    taken = [
        _Taken(number, moiety.label, moiety.key, graph.side(line, moiety), line)
        for number, line in enumerate(lines)
        for moiety in line.moieties
    ]
    if any(t.side.asks for t in taken):
        moieties = frozenset(t.key for t in taken)
        return [_gated(t, person, moieties) if t.side.asks else t for t in taken]
    return taken


def _gated(taken: _Taken, person: Person, moieties: frozenset[str]) -> _Taken:
    """Without the nodes whose condition is not met, and with the gates that stay closed to the data at hand."""
    side = taken.side
    nodes, gates = side.nodes, dict(side.gates)
    assert taken.line is not None
    for node, gate in side.asks:
        assert gate.condition is not None
        met = gate.condition.met(taken.line, person, moieties)
        if met is None:
            needs = tuple(c.need(taken.key) for c in gate.condition.clauses)
            gates[node] = Gate((*gate.needs, *dict.fromkeys(needs)))
        elif met and gate.needs:
            gates[node] = Gate(gate.needs)
        else:
            del gates[node]
            nodes &= ~(0 if met else 1 << node)
    return taken._replace(side=Side(nodes, side.reach, gates, (), side.shut))


def _interactions(
    graph: Graph, taken: list[_Taken], person: Person, things: Iterable[Thing]
) -> tuple[Interaction, ...]:
    found: list[Interaction] = []
    for at, one in enumerate(taken):
        reach = one.side.reach
        for other in taken[at + 1 :]:
            if reach & other.side.nodes:
                found += _between(graph, one, other, person)
    for thing in things:
        side = graph.thing_side(thing)
        other = _Taken(None, thing.label.fr, "", side, None)
        for one in taken:
            if side.reach & one.side.nodes:
                found += _between(graph, one, other, person)
    if len(found) > 1:
        found.sort(key=_order)
    return tuple(found)


def _between(graph: Graph, one: _Taken, other: _Taken, person: Person) -> list[Interaction]:
    same, inside = one.key == other.key, one.number == other.number
    if same and inside:
        return []
    found: dict[int, Interaction] = {}
    neighbours, meets, nodes = graph.neighbours, graph.meets, other.side.nodes
    for a in iterate(one.side.nodes & other.side.reach):
        for b in iterate(neighbours[a] & nodes):
            for number in meets[a][b]:
                if number in found or (same and number not in graph.same):
                    continue
                if inside and (number in graph.own or (graph.anything >> a | graph.anything >> b) & 1):
                    continue
                found[number] = _interaction(graph, number, one, a, other, b, person)
    return list(found.values())


def _interaction(
    graph: Graph, number: int, one: _Taken, a: int, other: _Taken, b: int, person: Person
) -> Interaction:
    rule, names = graph.rules[number], graph.names
    first, second = Partner(one.number, one.name, names[a]), Partner(other.number, other.name, names[b])
    needs: tuple[Need, ...] = ()
    if one.side.gates or other.side.gates:
        needs = (*_needs(one, a), *_needs(other, b))
    level = rule.levels[0]
    if len(rule.levels) == 1:
        return Interaction(
            first, second, rule, level.level, True, (level.level,), level.conduct, (), needs, bool(needs)
        )
    possible = tuple(each.level for each in rule.levels)
    return Interaction(first, second, rule, level.level, False, possible, level.conduct, (), needs, bool(needs))


def _needs(taken: _Taken, node: int) -> tuple[Need, ...]:
    gate = taken.side.gates.get(node)
    return tuple(Need(token, taken.number) for token in gate.needs) if gate else ()


_RANK = {level: level.rank for level in Level}


def _order(each: Interaction) -> tuple[int, bool, bool, str, str, str, str]:
    first, second = each.a.name, each.b.name
    if first > second:
        first, second = second, first
    return _RANK[each.level], not each.resolved, each.conditional, first, second, each.rule.a, each.rule.b


__all__ = ["Checked", "Pair", "Rule", "by_pair", "check", "interactions"]
