"""What the commands answer, as JSON and in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab39.core.text import Text
from lab39.solutions.pharmacy.catalogue import Catalogue
from lab39.solutions.pharmacy.engine import Engine
from lab39.solutions.pharmacy.interactions import Checked
from lab39.solutions.pharmacy.model import Candidate, Interaction, Level, Line, Match, Moiety, Partner, Resolution

SHOWN = 8
"""Candidates told of a name that means several things."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The interactions of a typed treatment, with all that is needed to read them.

    Attributes:
        notes: name as written -> what must be known of it.
        warning: of the age of the edition, or of its absence.
    """

    engine: Engine
    catalogue: Catalogue
    lines: tuple[Line, ...]
    checked: Checked
    notes: Mapping[str, tuple[Text, ...]]
    warning: Text | None = None

    def as_dict(self) -> dict[str, Any]:
        """The JSON of the command: ``interactions`` hold one element a rule, ``pairs`` one a pair of partners."""
        at = {id(each): number for number, each in enumerate(self.checked.interactions)}
        return {
            "edition": self.engine.edition,
            "partial": self.engine.partial,
            "medicines": self.catalogue.edition or None,
            "warnings": [self.warning.as_dict()] if self.warning else [],
            "lines": [self._line(line) for line in self.lines],
            "interactions": [self._interaction(each) for each in self.checked.interactions],
            "pairs": [
                {
                    "a": pair.gravest.a.name,
                    "b": pair.gravest.b.name,
                    "level": pair.gravest.level.value,
                    "resolved": pair.gravest.resolved,
                    "rules": [at[id(each)] for each in pair.interactions],
                }
                for pair in self.checked.pairs
            ],
            "repeated": [{"name": moiety.label, "lines": [a, b]} for a, b, moiety in self.checked.repeated],
            "unlisted": [{"name": moiety.label, "line": number} for number, moiety in self.checked.unlisted],
            "local": list(self.checked.local),
        }

    def _line(self, line: Line) -> dict[str, Any]:
        graph = self.engine.graph
        dose = line.posology
        return {
            "text": line.text,
            "substances": [
                {"key": m.key, "name": m.label, "listed": graph.listed(m), "nodes": list(graph.nodes_of(m))}
                for m in line.moieties
            ],
            "product": line.product.label if line.product else None,
            "route": line.route.value if line.route else None,
            "dose_mg": {"intake": dose.per_intake_mg, "day": dose.per_day_mg, "week": dose.per_week_mg},
            "notes": [note.as_dict() for note in self.notes.get(line.text, ())],
        }

    def _interaction(self, each: Interaction) -> dict[str, Any]:
        page = self.engine.levels.page(each.rule)
        return {
            "a": each.a.name,
            "b": each.b.name,
            "level": each.level.value,
            "resolved": each.resolved,
            "possible": [level.value for level in each.possible],
            "conditional": each.conditional,
            "edition": self.engine.edition,
            "page": page,
            "mechanism": each.rule.mechanism,
            "conduct": each.conduct,
            "because": each.because.as_dict() if each.because else None,
            "nodes": [each.a.node, each.b.node],
            "lines": [each.a.line, each.b.line],
            "used": dict(each.used),
            "needs": [{"token": need.token, "line": need.line} for need in each.needs],
        }


def names_as_dict(read: Sequence[Resolution], catalogue: Catalogue) -> dict[str, Any]:
    """The JSON of ``pharmacy names``."""
    return {
        "n": len(read),
        "found": sum(each.match is Match.FOUND for each in read),
        "medicines": catalogue.edition or None,
        "partial": catalogue.partial,
        "names": [
            {
                "text": each.text,
                "match": each.match.value,
                "candidates": [_candidate(candidate) for candidate in each.candidates],
                "notes": [note.as_dict() for note in each.notes],
            }
            for each in read
        ],
    }


def _candidate(candidate: Candidate) -> dict[str, Any]:
    return {
        "substances": [{"key": m.key, "name": m.label} for m in candidate.moieties],
        "label": candidate.label,
        "how": candidate.how,
        "score": candidate.score,
        "cis": candidate.product.cis if candidate.product else None,
        "atc": candidate.atc or None,
        "routes": [route.value for route in candidate.routes],
    }


def refusal(resolution: Resolution) -> Text:
    """Why a name gives no line, and what it may mean."""
    if resolution.match is Match.AMBIGUOUS:
        options = "; ".join(dict.fromkeys(meaning(each) for each in resolution.candidates[:SHOWN]))
        return Text(
            f"«\u202f{resolution.text}\u202f» peut vouloir dire\u202f: {options}. Préciser",
            f"“{resolution.text}” may mean: {options}. Choose one",
        )
    if resolution.match is Match.FOUND:
        said = [note for note in resolution.notes if note]
        return Text(
            f"«\u202f{resolution.text}\u202f»\u202f: {'; '.join(s.fr for s in said) or 'sans substance connue'}",
            f"“{resolution.text}”: {'; '.join(s.en for s in said) or 'no known substance'}",
        )
    notes = [note for note in resolution.notes if note]
    if notes:
        return Text(". ".join(note.fr for note in notes), ". ".join(note.en for note in notes))
    return Text(f"nom inconnu\u202f: «\u202f{resolution.text}\u202f»", f"unknown name: “{resolution.text}”")


def meaning(candidate: Candidate) -> str:
    """A possible meaning in a few words: its label, and its substances when they say more."""
    parts = " + ".join(moiety.label for moiety in candidate.moieties)
    label = candidate.label.strip()
    return label if not parts or parts.casefold() == label.casefold() else f"{label} ({parts})"


def partner(each: Partner, lines: Sequence[Line]) -> str:
    """A partner as a person reads it, with what was written when that differs."""
    if each.line is None:
        return each.name
    written = lines[each.line].text
    return each.name if _same(written, each.name) else f"{each.name} ({written})"


def _same(written: str, name: str) -> bool:
    from lab39.solutions.pharmacy.normal import fold

    return fold(name) in fold(written)


def named(moieties: Sequence[Moiety]) -> str:
    """Substances in one line."""
    return " + ".join(moiety.label for moiety in moieties)


@dataclass(frozen=True, slots=True)
class ReadRule:
    """One rule whose level depends on more than the pair, and what each level takes."""

    a: str
    b: str
    page: int | None
    levels: tuple[tuple[Level, Text], ...]
    outside: Text

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "a": self.a,
            "b": self.b,
            "page": self.page,
            "levels": [{"level": level.value, "when": said.as_dict()} for level, said in self.levels],
            "not_about": self.outside.as_dict() if self.outside else None,
        }


def readings(engine: Engine, moieties: Sequence[Moiety] | None = None) -> list[ReadRule]:
    """The rules of the edition that were read, those of the substances if some are given."""
    nodes = None if moieties is None else {node for m in moieties for node in engine.graph.nodes_of(m)}
    found = []
    for rule in engine.graph.rules:
        reading = engine.levels.reading(rule)
        if reading is None or (nodes is not None and nodes.isdisjoint((rule.a, rule.b))):
            continue
        levels = tuple((branch.level, branch.label) for branch in reading.branches)
        found.append(ReadRule(rule.a, rule.b, engine.levels.page(rule), levels, reading.exempt))
    return found
