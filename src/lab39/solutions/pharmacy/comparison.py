"""The answer of ``pharmacy diff``: two editions compared, and a population read through both."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab39.core.datapacks import Packs
from lab39.core.errors import LabError
from lab39.core.record import Record
from lab39.fhir.inputs import Failed, iter_records
from lab39.fhir.jsontext import dumps
from lab39.settings import Settings
from lab39.solutions.pharmacy import engine, population, sources
from lab39.solutions.pharmacy.editions import Difference, compare
from lab39.solutions.pharmacy.engine import Engine
from lab39.solutions.pharmacy.model import Interaction, Rule
from lab39.solutions.pharmacy.opened import open_all
from lab39.solutions.pharmacy.population import Concerned, Told, Totals


@dataclass(frozen=True, slots=True)
class Compared:
    """Two editions and what sets them apart."""

    before: Engine
    after: Engine
    difference: Difference


@dataclass(slots=True)
class Records:
    """The records of a file or folder, one at a time; what cannot be read is kept in ``failed``."""

    path: Path
    settings: Settings
    failed: list[LabError] = field(default_factory=list)

    def __iter__(self) -> Iterator[Record]:
        for item in iter_records([self.path], self.settings):
            if isinstance(item, Failed):
                self.failed.append(item.error)
            else:
                yield item


def open_both(packs: Packs, before: str, after: str) -> Compared:
    """Both editions.

    Raises:
        UnknownNameError, PackMissingError: an edition that is not at hand, with those that are.
    """
    difference = compare(sources.thesaurus(packs, before), sources.thesaurus(packs, after))
    return Compared(engine.open_engine(packs, before), engine.open_engine(packs, after), difference)


def people(compared: Compared, records: Records, on: dt.date, packs: Packs) -> Iterator[Concerned]:
    """Each record through both editions; names are understood with the later one."""
    names = open_all(packs, compared.after.edition).names
    return population.people(records, on, names, compared.before, compared.after)


def as_dict(found: Difference) -> dict[str, Any]:
    """What changed in the rules and the classes."""
    return {
        "before": f"{found.before:%Y-%m}",
        "after": f"{found.after:%Y-%m}",
        "counts": found.counted(),
        "rules": [
            {
                "change": each.change.value,
                "a": each.rule.a,
                "b": each.rule.b,
                "before": _levels(each.before),
                "after": _levels(each.after),
                "page": each.rule.page,
                "mechanism": each.rule.mechanism,
            }
            for each in found.rules
        ],
        "joined": [{"substance": each.substance, "class": each.of} for each in found.joined],
        "left": [{"substance": each.substance, "class": each.of} for each in found.left],
        "renamed": dict(found.renamed),
        "substances_new": list(found.substances_new),
        "substances_gone": list(found.substances_gone),
        "classes_new": list(found.classes_new),
        "classes_gone": list(found.classes_gone),
    }


def json_parts(compared: Compared, found: Iterator[Concerned], records: Records, on: dt.date) -> Iterator[str]:
    """One JSON document in pieces, those concerned as they are found: memory stays flat on a population."""
    head = dumps(as_dict(compared.difference))
    yield f'{head.rstrip()[:-1]},\n"population": {{"on": "{on.isoformat()}", "people": ['
    totals, separator = Totals(), "\n"
    for each in found:
        totals.add(each)
        if each.told or each.unread:
            yield f"{separator}{dumps(_concerned(each)).strip()}"
            separator = ",\n"
    failed = [error.say("en") for error in records.failed]
    rest = {
        "records": totals.records,
        "concerned": totals.concerned,
        "changes": dict(totals.changes),
        "names_not_understood": totals.unread,
        "failed": failed,
    }
    yield f"\n], {dumps(rest).strip()[1:]}}}\n"


def _concerned(each: Concerned) -> dict[str, Any]:
    return {
        "record": each.record,
        "source": each.source,
        "lines": each.lines,
        "changes": [_told(told) for told in each.told],
        "names_not_understood": list(each.unread),
    }


def _told(told: Told) -> dict[str, Any]:
    a, b = told.names
    return {
        "change": told.change.value,
        "a": a,
        "b": b,
        "before": _interaction(told.before),
        "after": _interaction(told.after),
    }


def _interaction(each: Interaction | None) -> dict[str, Any] | None:
    if each is None:
        return None
    return {
        "level": each.level.value,
        "resolved": each.resolved,
        "possible": [level.value for level in each.possible],
        "conditional": each.conditional,
        "nodes": [each.rule.a, each.rule.b],
        "page": each.rule.page,
    }


def _levels(rule: Rule | None) -> list[str]:
    return [text.level.value for text in rule.levels] if rule else []
