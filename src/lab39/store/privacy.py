"""Everything the lab keeps about one person: given to them in one file, or erased, in one command.

Each module that keeps something registers its :class:`Part` here, a solution's too; a test holds that every table
of the lab belongs to one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lab39.core.text import NO_TEXT, Text
from lab39.store import modules
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
        tables: the tables it answers for.
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
