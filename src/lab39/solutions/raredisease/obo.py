"""``hp.obo``: the terms of the Human Phenotype Ontology (OBO 1.2/1.4 flat file)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab39.core.errors import InputError
from lab39.core.text import Text

PHENOTYPE = "HP:0000118"
"""Phenotypic abnormality: the only branch that describes signs; the others hold onset, inheritance, frequency."""

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_TERM = re.compile(r"HP:\d{7}")


@dataclass(frozen=True, slots=True)
class Term:
    """One stanza. ``replaced_by`` and ``consider`` are only told of obsolete terms."""

    id: str
    name: str
    parents: tuple[str, ...] = ()
    synonyms: tuple[str, ...] = ()
    alt_ids: tuple[str, ...] = ()
    obsolete: bool = False
    replaced_by: tuple[str, ...] = ()
    consider: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ontology:
    """The terms in the order of their ids, current and obsolete, and the release they come from."""

    version: str
    terms: Mapping[str, Term]
    _up: dict[str, Mapping[str, int]] = field(default_factory=dict, repr=False, compare=False)

    def ancestors(self, term: str) -> Mapping[str, int]:
        """Each ancestor with the fewest is-a steps up to it; the term itself at 0."""
        if term not in self._up:
            found = {term: 0}
            for parent in self.terms[term].parents:
                for ancestor, steps in self.ancestors(parent).items():
                    found[ancestor] = min(found.get(ancestor, steps + 1), steps + 1)
            self._up[term] = found
        return self._up[term]

    def phenotypes(self) -> list[str]:
        """Current terms of the branch of signs, its root included, sorted."""
        return [t.id for t in self.terms.values() if not t.obsolete and PHENOTYPE in self.ancestors(t.id)]


def read_ontology(path: Path) -> Ontology:
    """Read ``hp.obo``.

    Raises:
        InputError: not an OBO file of the HPO, or an is-a that leads nowhere or in a circle.
    """
    try:
        with path.open(encoding="utf-8") as lines:
            version, terms = _read(lines)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            Text(f"lecture impossible\u202f: {error}", f"cannot be read: {error}"), str(path)
        ) from error
    if PHENOTYPE not in terms:
        raise InputError(
            Text(
                f"{PHENOTYPE} absent\u202f: ce n'est pas hp.obo. Le prendre sur obofoundry.org/ontology/hp",
                f"no {PHENOTYPE}: this is not hp.obo. Get it from obofoundry.org/ontology/hp",
            ),
            str(path),
        )
    _check(terms, str(path))
    return Ontology(version, {key: terms[key] for key in sorted(terms)})


def release(path: Path) -> str:
    """The release a header names (``2025-01-16``); ``""`` when it names none."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("data-version:"):
                return _release(line)
            if line.startswith("[Term]"):
                break
    return ""


def _release(line: str) -> str:
    found = re.search(r"\d{4}-\d{2}-\d{2}", line)
    return found[0] if found else line.partition(":")[2].strip()


def _read(lines: Iterable[str]) -> tuple[str, dict[str, Term]]:
    version = ""
    terms: dict[str, Term] = {}
    for kind, tags in _stanzas(lines):
        if kind == "":
            version = _release(next((v for t, v in tags if t == "data-version"), ""))
        elif kind == "[Term]":
            term = _term(tags)
            if _TERM.fullmatch(term.id):
                terms[term.id] = term
    return version, terms


def _stanzas(lines: Iterable[str]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    kind = ""
    tags: list[tuple[str, str]] = []
    for line in lines:
        if line.startswith("["):
            yield kind, tags
            kind, tags = line.strip(), []
        else:
            tag, _, value = line.rstrip("\n").partition(": ")
            tags.append((tag, value))
    yield kind, tags


def _term(tags: list[tuple[str, str]]) -> Term:
    found: dict[str, list[str]] = {}
    for tag, value in tags:
        found.setdefault(tag, []).append(value)

    def ids(tag: str) -> tuple[str, ...]:
        return tuple(value.split(" ", 1)[0] for value in found.get(tag, ()))

    quoted = (_QUOTED.match(value) for value in found.get("synonym", ()))
    return Term(
        id=found.get("id", [""])[0],
        name=found.get("name", [""])[0],
        parents=ids("is_a"),
        synonyms=tuple(dict.fromkeys(q[1].replace('\\"', '"') for q in quoted if q)),
        alt_ids=ids("alt_id"),
        obsolete=found.get("is_obsolete", [""])[0] == "true",
        replaced_by=ids("replaced_by"),
        consider=ids("consider"),
    )


def _check(terms: Mapping[str, Term], place: str) -> None:
    done: set[str] = set()
    for start in terms:
        path: list[str] = []
        stack = [(start, False)]
        while stack:
            term, leaving = stack.pop()
            if leaving:
                path.pop()
                done.add(term)
                continue
            if term in path:
                raise InputError(Text(f"{term}\u202f: is_a en boucle", f"{term}: is_a in a circle"), place)
            if term in done:
                continue
            if term not in terms:
                raise InputError(
                    Text(f"{term}\u202f: is_a vers un terme absent", f"{term}: is_a, but no such term"), place
                )
            path.append(term)
            stack.append((term, True))
            stack += [(parent, False) for parent in terms[term].parents]
