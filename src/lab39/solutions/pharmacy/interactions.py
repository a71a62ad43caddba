"""Every interaction of a treatment: between its lines, inside one line, and with food or drink on demand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

from lab39.core.text import NO_TEXT, Text
from lab39.solutions.pharmacy import predicates
from lab39.solutions.pharmacy.engine import Engine
from lab39.solutions.pharmacy.graph import Gate, Graph, Side
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


def check(engine: Engine, lines: Sequence[Line], person: Person = NOBODY, things: Iterable[Thing] = ()) -> Checked:
    """Every interaction of a treatment, and what has none for a reason that must be told.

    Args:
        lines: their names already understood.
        things: food and drink to look at as well.
    """
    taken = _taken(engine.graph, lines, person)
    repeated = [
        (a.number, b.number, moiety)
        for i, a in enumerate(taken)
        for b in taken[i + 1 :]
        if a.key == b.key and a.number is not None and b.number is not None and a.number != b.number
        for moiety in lines[a.number].moieties
        if moiety.key == a.key
    ]
    unlisted = [
        (number, moiety)
        for number, line in enumerate(lines)
        for moiety in line.moieties
        if not engine.graph.listed(moiety)
    ]
    local = dict.fromkeys(t.number for t in taken if t.side.shut and t.number is not None)
    found = _interactions(engine, taken, person, things)
    return Checked(found, tuple(repeated), tuple(unlisted), tuple(local))


def interactions(
    engine: Engine, lines: Sequence[Line], person: Person = NOBODY, things: Iterable[Thing] = ()
) -> tuple[Interaction, ...]:
    """Every interaction of a treatment, the gravest first; see :func:`check` for what else must be told."""
    return _interactions(engine, _taken(engine.graph, lines, person), person, things)


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
        met, open_ = gate.condition.met(taken.line, person, moieties)
        if met is None:
            needs = tuple(clause.need(taken.key) for clause in open_)
            gates[node] = Gate((*gate.needs, *dict.fromkeys(needs)))
        elif met and gate.needs:
            gates[node] = Gate(gate.needs, by_form=gate.by_form)
        else:
            del gates[node]
            nodes &= ~(0 if met else 1 << node)
    return taken._replace(side=Side(nodes, side.reach, gates, (), side.shut, side.printed))


class _Case:
    """What every pair of one treatment shares."""

    __slots__ = ("_treatment", "engine", "person", "taken")

    def __init__(self, engine: Engine, person: Person, taken: list[_Taken]) -> None:
        self.engine, self.person, self.taken = engine, person, taken
        self._treatment: frozenset[str] | None = None

    @property
    def treatment(self) -> frozenset[str]:
        """The nodes of all that is taken."""
        if self._treatment is None:
            self._treatment = frozenset().union(*(taken.side.printed for taken in self.taken))
        return self._treatment


def _interactions(
    engine: Engine, taken: list[_Taken], person: Person, things: Iterable[Thing]
) -> tuple[Interaction, ...]:
    case = _Case(engine, person, taken)
    found: list[Interaction] = []
    sides = [(each, each.side.nodes, each.side.reach) for each in taken]
    for at, (one, _, reach) in enumerate(sides, 1):
        for other, nodes, _ in sides[at:]:
            if reach & nodes:
                _between(case, one, other, found)
    for thing in things:
        side = engine.graph.thing_side(thing)
        other = _Taken(None, thing.label.fr, thing.token, side, None)
        for one, nodes, _ in sides:
            if side.reach & nodes:
                _between(case, one, other, found)
    if len(found) > 1:
        found.sort(key=_order)
    return tuple(found)


def _between(case: _Case, one: _Taken, other: _Taken, into: list[Interaction]) -> None:
    """The rules between two partners. They are looked at in the order of their keys, so that what is found is the
    same whichever line comes first."""
    same, inside = one.key == other.key, one.number == other.number
    if same and inside:
        return
    if other.key < one.key and other.line is not None:
        one, other = other, one
    graph = case.engine.graph
    seen: set[int] = set()
    neighbours, nodes = graph.neighbours, other.side.nodes
    left = one.side.nodes & other.side.reach
    while left:
        low = left & -left
        left ^= low
        a = low.bit_length() - 1
        meets, there = graph.meets[a], neighbours[a] & nodes
        while there:
            low = there & -there
            there ^= low
            b = low.bit_length() - 1
            for number in meets[b]:
                if number in seen or (same and number not in graph.same):
                    continue
                if inside and (number in graph.own or (graph.anything >> a | graph.anything >> b) & 1):
                    continue
                seen.add(number)
                made = _interaction(case, number, one, a, other, b)
                if made is not None:
                    into.append(made)


def _interaction(case: _Case, number: int, one: _Taken, a: int, other: _Taken, b: int) -> Interaction | None:
    engine = case.engine
    rule, names = engine.graph.rules[number], engine.graph.names
    first, second = _partner(one.number, one.name, names[a]), _partner(other.number, other.name, names[b])
    needs, gated, settled = _FREE
    if a in one.side.gates or b in other.side.gates:
        needs, gated = (*_needs(one, a), *_needs(other, b)), True
        settled = _settled(one, a) and _settled(other, b)
    plain = engine.plain[number]
    if plain is not None:
        level, possible, conduct = plain
        return _made(first, second, rule, level, settled, possible, conduct, (), needs, gated, NO_TEXT)
    told = engine.levels.resolve(
        rule,
        predicates.Side(one.key, names[a], one.side.printed, one.line, one.number),
        predicates.Side(other.key, names[b], other.side.printed, other.line, other.number),
        case.person,
        case.treatment,
    )
    if told.level is None:
        return None
    conduct = next((text.conduct for text in rule.levels if text.level is told.level), "")
    needs = tuple(dict.fromkeys((*needs, *told.needs)))
    return _made(
        first,
        second,
        rule,
        told.level,
        told.resolved and settled,
        told.possible,
        conduct,
        told.used,
        needs,
        gated or told.applies is None,
        told.because,
    )


_FREE: tuple[tuple[Need, ...], bool, bool] = ((), False, True)
"""Needs, conditional, resolved: of a rule that nothing stands before."""


def _needs(taken: _Taken, node: int) -> tuple[Need, ...]:
    gate = taken.side.gates.get(node)
    return tuple(Need(token, taken.number) for token in gate.needs) if gate else ()


def _settled(taken: _Taken, node: int) -> bool:
    gate = taken.side.gates.get(node)
    return gate is None or gate.by_form


_RANK = {level: 4 * level.rank for level in Level}


def _order(each: Interaction) -> tuple[int, str, str]:
    """The gravest, then the resolved, then by name; the rules of one pair keep the order of their nodes."""
    first, second = each.a.name, each.b.name
    if first > second:
        first, second = second, first
    return _RANK[each.level] + 2 * (not each.resolved) + each.conditional, first, second


# A frozen dataclass writes each of its slots through object.__setattr__, which takes most of the time of a check.
# The two that every rule makes are written through their slots instead.
_new = object.__new__
_line_, _name_, _node_ = (getattr(Partner, field.name).__set__ for field in fields(Partner))
(
    _a_,
    _b_,
    _rule_,
    _level_,
    _resolved_,
    _possible_,
    _conduct_,
    _used_,
    _needs_,
    _conditional_,
    _because_,
) = (getattr(Interaction, field.name).__set__ for field in fields(Interaction))


def _partner(line: int | None, name: str, node: str) -> Partner:
    made = _new(Partner)
    _line_(made, line)
    _name_(made, name)
    _node_(made, node)
    return made


def _made(
    a: Partner,
    b: Partner,
    rule: Rule,
    level: Level,
    resolved: bool,
    possible: tuple[Level, ...],
    conduct: str,
    used: tuple[tuple[str, str], ...],
    needs: tuple[Need, ...],
    conditional: bool,
    because: Text,
) -> Interaction:
    made = _new(Interaction)
    _a_(made, a)
    _b_(made, b)
    _rule_(made, rule)
    _level_(made, level)
    _resolved_(made, resolved)
    _possible_(made, possible)
    _conduct_(made, conduct)
    _used_(made, used)
    _needs_(made, needs)
    _conditional_(made, conditional)
    _because_(made, because)
    return made
