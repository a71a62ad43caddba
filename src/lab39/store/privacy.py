"""Everything the lab keeps about one person: given to them in one file, or erased, in one command.

Each module that keeps something registers its :class:`Part` here, a solution's too; a test holds that every table
of the lab belongs to one.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lab39 import __version__
from lab39.core.text import NO_TEXT, Text
from lab39.store import atomic, modules
from lab39.store.archive import Writer
from lab39.store.engine import Store

Rows = Iterable[Mapping[str, Any]]
Files = Iterable[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What erasure did to one kind of data.

    Attributes:
        what: the kind of data.
        erased: rows deleted or emptied.
        kept: rows that stay.
        why: the reason they stay, or what becomes of them.
    """

    what: Text
    erased: int
    kept: int = 0
    why: Text = NO_TEXT


def no_files(store: Store, tx: sa.Connection, person: str) -> Files:
    """For a part whose rows say everything."""
    del store, tx, person
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one module keeps about people.

    Attributes:
        name: of the file in an export (``records``); unique.
        title: what it is, in words.
        tables: the tables it answers for, those that hold nothing about anybody too.
        export: ``(tx, person)`` gives JSON rows.
        erase: ``(tx, person, at)`` deletes or empties them and tells; a second call finds nothing left to do.
        files: ``(store, tx, person)`` gives ``(path, content)`` of what is exported as files.
        order: erasure goes from the smallest to the largest; people come last (100).
    """

    name: str
    title: Text
    tables: tuple[sa.Table, ...]
    export: Callable[[sa.Connection, str], Rows]
    erase: Callable[[sa.Connection, str, dt.datetime], Iterable[Outcome]]
    files: Callable[[Store, sa.Connection, str], Files] = no_files
    order: int = 50


_parts: dict[str, Part] = {}


def register(part: Part) -> None:
    """Add what a module keeps; called once, where the module declares its tables."""
    _parts[part.name] = part


def parts() -> tuple[Part, ...]:
    """Every registered part, in the order of erasure."""
    modules.load()
    return tuple(sorted(_parts.values(), key=lambda part: (part.order, part.name)))


def rows(tx: sa.Connection, table: sa.Table, *where: sa.ColumnElement[bool]) -> Iterator[dict[str, Any]]:
    """Rows of a table as JSON values, in the order of its key."""
    for row in tx.execute(sa.select(table).where(*where).order_by(*table.primary_key.columns)).mappings():
        yield {name: jsonable(value) for name, value in row.items()}


def jsonable(value: Any) -> Any:
    """A column's value as JSON has it; bytes in hexadecimal."""
    if isinstance(value, dt.date):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else value


@dataclass(frozen=True, slots=True)
class Exported:
    """What was given: how many rows and files, and what could not be included."""

    person: str
    rows: Mapping[str, int]
    files: int
    missing: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Erasure:
    """What erasing a person did.

    Attributes:
        at: when; the first time, when it was done before.
        missing: id of each solution that does not load, and why: what it keeps was not erased.
    """

    person: str
    at: dt.datetime
    outcomes: tuple[Outcome, ...]
    missing: Mapping[str, str]


def export_person(store: Store, person: str, target: Path, *, by: str = "") -> Exported:
    """Write everything the lab keeps about a person to one zip that they can read.

    Args:
        by: id of who asked; empty for whoever runs the lab.

    Raises:
        UnknownPersonError, StoreUnavailableError
    """
    from lab39.store import audit, people

    broken = modules.load().broken
    counts: dict[str, int] = {}
    at = store.clock()
    with atomic.writing(target) as stream, store.reading() as tx, Writer(stream, at) as archive:
        known = people.get(tx, person)
        for part in parts():
            lines = [json.dumps(row, ensure_ascii=False, sort_keys=True) for row in part.export(tx, person)]
            counts[part.name] = len(lines)
            archive.add(f"data/{part.name}.ndjson", "".join(line + "\n" for line in lines).encode())
            for name, content in part.files(store, tx, person):
                archive.add(name, content)
        files = len(archive.files) - len(counts)
        archive.add("README.md", _readme(known.id, at).encode())
        archive.finish({"person": known.id, "rows": counts, "missing": broken, "lab39": __version__})
        with store.writing() as trace:  # an export that is not traced does not appear
            about = {"rows": sum(counts.values()), "files": files}
            audit.append(trace, at=at, actor=by, action="export", subject=known.id, about=about)
    return Exported(person, counts, files, broken)


def erase_person(
    store: Store, person: str, *, by: str = "", unless: Callable[[sa.Connection], None] | None = None
) -> Erasure:
    """Erase what the lab keeps about a person, in one transaction; tell what stays and why.

    Done twice, it finds nothing left. Copies in existing backups live until these are deleted.

    Args:
        unless: raises, in the same transaction, when the person must stay.

    Raises:
        UnknownPersonError
        StoreUnavailableError: nothing was erased; or, when the text says so, files are still to be removed.
    """
    from lab39.store import audit, blobs, people

    broken = modules.load().broken
    with store.writing() as tx:
        before = people.get(tx, person).erased_at
        if unless is not None:
            unless(tx)
        at = store.clock()
        outcomes = tuple(outcome for part in parts() for outcome in part.erase(tx, person, at))
        if before is None:
            about = {"erased": sum(o.erased for o in outcomes), "kept": sum(o.kept for o in outcomes)}
            audit.append(tx, at=at, actor=by, action="erase", subject=person, about=about)
    try:
        blobs.collect(store)
    finally:
        store.forget_deleted()
    return Erasure(person, before or at, outcomes, broken)


def _readme(person: str, at: dt.datetime) -> str:
    lines = [
        "# Vos données / Your data",
        "",
        f"Tout ce que ce laboratoire conserve sur la personne `{person}`, le {at:%d/%m/%Y à %H:%M} UTC.",
        f"Everything this lab keeps about the person `{person}`, on {at:%Y-%m-%d at %H:%M} UTC.",
        "",
    ]
    for part in parts():
        lines.append(f"- `data/{part.name}.ndjson`\u202f: {part.title.fr} / {part.title.en}")
    lines += [
        "- `records/`\u202f: dossiers, à l'octet près, et évaluations / records, to the byte, and assessments",
        "- `files/`\u202f: les fichiers / files",
        "- `manifest.json`\u202f: la liste, avec les empreintes SHA-256 / the list, with SHA-256 checksums",
        "",
        "Un fichier `.ndjson` contient un objet JSON par ligne. / One JSON object a line.",
        "",
    ]
    return "\n".join(lines)
