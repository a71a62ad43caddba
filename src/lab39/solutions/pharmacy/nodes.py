"""What the nodes of the thesaurus mean beyond the names printed under them: ``knowledge/nodes.toml`` and
``knowledge/local_routes.toml``."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from lab39.core.text import Text
from lab39.solutions.pharmacy.model import Line, Person, Route
from lab39.solutions.pharmacy.normal import fold, moiety_key

LOCAL = frozenset(route for route in Route if route.local)
Routes = frozenset[Route]


@dataclass(frozen=True, slots=True)
class Thing:
    """What is no medicine and interacts with some: a food, a drink, a device.

    Attributes:
        nodes: folded names of its own nodes.
        also: folded names of the substances that it brings.
        words: how people name it, folded.
    """

    token: str
    kind: str
    label: Text
    nodes: tuple[str, ...]
    also: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing a condition asks; exactly one attribute is set.

    Attributes:
        routes: taken by one of these.
        indication, not_indication: a token that the line is for, or is not; a line that says what it is for says
            all of it. With ``excludes`` only these say that it is not.
        fact: a token of the person.
        age_at_least, age_under: years.
        together: a moiety that the treatment has as well.
        atc, not_atc: beginnings of the product's ATC code.
    """

    routes: Routes = frozenset()
    indication: str = ""
    not_indication: str = ""
    excludes: tuple[str, ...] = ()
    fact: str = ""
    age_at_least: int | None = None
    age_under: int | None = None
    together: str = ""
    atc: tuple[str, ...] = ()
    not_atc: tuple[str, ...] = ()

    def met(self, line: Line, person: Person, moieties: frozenset[str]) -> bool | None:
        """Whether it is met; ``None`` when the data at hand does not tell. Routes are looked at elsewhere."""
        if self.indication or self.not_indication:
            return self._indicated(line)
        if self.fact:
            return person.facts.get(self.fact)
        if self.age_at_least is not None:
            return None if person.age_years is None else person.age_years >= self.age_at_least
        if self.age_under is not None:
            return None if person.age_years is None else person.age_years < self.age_under
        if self.together:
            return True if self.together in moieties else None
        code = line.atc or (line.product.atc if line.product else "")
        if not code:
            return None
        return not code.startswith(self.not_atc) if self.not_atc else code.startswith(self.atc)

    def _indicated(self, line: Line) -> bool | None:
        if line.indications is None:
            return None
        if self.not_indication:
            return self.not_indication not in line.indications
        if self.indication in line.indications or not self.excludes:
            return self.indication in line.indications
        return False if line.indications.intersection(self.excludes) else None

    def need(self, moiety: str) -> str:
        """The token of what would settle it."""
        if self.routes:
            return f"route:{moiety}"
        if self.indication or self.not_indication:
            return f"indication:{self.indication or self.not_indication}"
        if self.fact:
            return f"fact:{self.fact}"
        if self.together:
            return f"with:{self.together}"
        return f"product:{moiety}" if self.atc or self.not_atc else "age"


@dataclass(frozen=True, slots=True)
class Condition:
    """When a node holds for a line.

    Attributes:
        only: the members it is about; empty for all of them.
        of: ``any`` of the clauses is met, ``all`` are, or the ``first`` that tells decides.
    """

    node: str
    only: frozenset[str]
    clauses: tuple[Clause, ...]
    of: str = "any"

    @property
    def routes(self) -> Routes:
        """The routes asked, when it asks for nothing else."""
        if not all(clause.routes for clause in self.clauses):
            return frozenset()
        return frozenset().union(*(clause.routes for clause in self.clauses))

    def met(self, line: Line, person: Person, moieties: frozenset[str]) -> tuple[bool | None, tuple[Clause, ...]]:
        """Whether it is met, in three values, and the clauses that would tell."""
        told = [(clause, clause.met(line, person, moieties)) for clause in self.clauses]
        values = [value for _, value in told]
        open_ = tuple(clause for clause, value in told if value is None)
        if self.of == "first":
            return next((value for value in values if value is not None), None), open_
        decides = self.of == "any"
        if decides in values:
            return decides, ()
        return (None, open_) if open_ else (not decides, ())


@dataclass(frozen=True, slots=True)
class Members:
    """Members of a node that an edition does not print under it: those of other nodes, and substances by key."""

    node: str
    classes: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """Keys that an edition does not know, by how they begin or words of them, and what they stand for.

    Attributes:
        to: keys of substances, or folded names of classes.
    """

    to: tuple[str, ...]
    begins: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    def holds(self, key: str) -> bool:
        """Whether a key is one of these."""
        return (bool(self.begins) and key.startswith(self.begins)) or any(
            f" {w} " in f" {key} " for w in self.words
        )


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Both files, names folded.

    Attributes:
        everything: node that holds for any medicine -> by which routes.
        others: « AUTRES … » -> the class it stands for.
        same: pairs of nodes that the thesaurus means for two forms of one substance.
        local_substances, local_classes, local_nodes: the local routes by which a substance, any member of a class,
            or a member of a node is concerned all the same.
        placeholders: printed as members and naming nothing.
        digest: of both files.
    """

    things: tuple[Thing, ...]
    everything: Mapping[str, Routes]
    others: Mapping[str, str]
    members: tuple[Members, ...]
    links: tuple[Link, ...]
    conditions: Mapping[str, Condition]
    same: frozenset[frozenset[str]]
    local_substances: Mapping[str, Routes]
    local_classes: Mapping[str, Routes]
    local_nodes: Mapping[str, Routes]
    placeholders: frozenset[str]
    digest: str

    def thing(self, words: str) -> Thing | None:
        """What a person names so, or by its token."""
        wanted = fold(words)
        return next((t for t in self.things if wanted == fold(t.token) or wanted in t.words), None)


@cache
def knowledge() -> Knowledge:
    """Read both files, once."""
    texts = [_text("nodes.toml"), _text("local_routes.toml")]
    return read(*texts)


def read(nodes: str, local_routes: str) -> Knowledge:
    """What two TOML texts say."""
    raw, local = tomllib.loads(nodes), tomllib.loads(local_routes)
    rows = local["allowed"]
    conditions = [*map(_condition, raw["condition"]), *map(_together, raw["together"])]
    conditions += [_by_route(row) for row in raw["members"] if "routes" in row]
    return Knowledge(
        things=tuple(map(_thing, raw["thing"])),
        everything={fold(row["node"]): _routes(row["routes"]) for row in raw["any"]},
        others={fold(row["node"]): fold(row["of"]) for row in raw["others"]},
        members=(*map(_members, raw["members"]), *map(_members, raw["together"]), *map(_members, raw["either"])),
        links=tuple(
            Link(_targets(row["to"]), tuple(row.get("begins", ())), tuple(row.get("words", ())))
            for row in raw["link"]
        ),
        conditions={each.node: each for each in conditions},
        same=frozenset(frozenset(map(fold, row["nodes"])) for row in raw["same"]),
        local_substances=_allowed(rows, "substances"),
        local_classes=_allowed(rows, "classes"),
        local_nodes=_allowed(rows, "nodes"),
        placeholders=frozenset(map(moiety_key, raw["placeholders"])),
        digest=hashlib.sha256((nodes + local_routes).encode()).hexdigest()[:8],
    )


def _text(name: str) -> str:
    return files(__package__).joinpath("knowledge", name).read_text("utf-8")


def _thing(row: Mapping[str, Any]) -> Thing:
    nodes, also, words = (tuple(map(fold, row.get(key, ()))) for key in ("nodes", "also", "words"))
    return Thing(row["token"], row["kind"], Text.of(row["label"]), nodes, also, words)


def _members(row: Mapping[str, Any]) -> Members:
    return Members(
        fold(row["node"]),
        tuple(map(fold, row.get("classes", ()))),
        tuple(map(moiety_key, row.get("substances", ()))),
    )


def _targets(to: str | list[str]) -> tuple[str, ...]:
    return tuple(
        fold(each) if each.isupper() else moiety_key(each) for each in ([to] if isinstance(to, str) else to)
    )


def _condition(row: Mapping[str, Any]) -> Condition:
    (of,) = {"any", "all", "first"} & row.keys()
    return Condition(
        fold(row["node"]), frozenset(map(moiety_key, row.get("only", ()))), tuple(map(_clause, row[of])), of
    )


def _clause(row: Mapping[str, Any]) -> Clause:
    return Clause(
        routes=_routes(row.get("routes", ())),
        indication=row.get("indication", ""),
        not_indication=row.get("not_indication", ""),
        excludes=tuple(row.get("excludes", ())),
        fact=row.get("fact", ""),
        age_at_least=row.get("age_at_least"),
        age_under=row.get("age_under"),
        together=moiety_key(row["together"]) if "together" in row else "",
        atc=tuple(row.get("atc", ())),
        not_atc=tuple(row.get("not_atc", ())),
    )


def _by_route(row: Mapping[str, Any]) -> Condition:
    return Condition(fold(row["node"]), frozenset(), (Clause(routes=_routes(row["routes"])),))


def _together(row: Mapping[str, Any]) -> Condition:
    clauses = tuple(Clause(together=moiety_key(each)) for each in row["substances"])
    return Condition(fold(row["node"]), frozenset(), clauses, "all")


def _allowed(rows: Iterable[Mapping[str, Any]], kind: str) -> dict[str, Routes]:
    found: dict[str, Routes] = {}
    for row in rows:
        routes = LOCAL if row["routes"] == "any" else _routes(row["routes"])
        for name in map(moiety_key if kind == "substances" else fold, row.get(kind, ())):
            found[name] = found.get(name, frozenset()) | routes
    return found


def _routes(values: Iterable[str]) -> Routes:
    return frozenset(map(Route, values))
