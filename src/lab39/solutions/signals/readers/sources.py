"""What a file is: told by its name for FAERS and VAERS, whose tables come apart, by its content for the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lab39.solutions.signals.readers import faers, faers_files, streams
from lab39.solutions.signals.readers.errors import refuse
from lab39.solutions.signals.readers.store import PartWriter
from lab39.solutions.signals.readers.streams import Item

Read = Callable[[PartWriter, bool, Callable[[int], None]], None]


@dataclass(frozen=True, slots=True)
class Unit:
    """What is read as a whole or not at all.

    Attributes:
        about: what else decides of what is read (the name of a source); part of its digest.
        size: bytes, for the progress.
        read: called with the part, whether to be strict, and a callable to be told the bytes read.
    """

    kind: str
    name: str
    items: tuple[Item, ...]
    size: int
    read: Read
    about: str = ""


def units(paths: list[Path], name: str = "") -> tuple[list[Unit], list[str]]:
    """The sources among files, and the names of files that are none.

    Raises:
        InputError: nothing to read, or a file given by name that no reader knows.
    """
    found: list[Unit] = []
    ignored: list[str] = []
    for path in paths:
        got, left = _of(path, streams.items(path), name)
        if not got:
            raise refuse(
                path,
                "aucune source reconnue : FAERS ou AERS (ASCII), VAERS, E2B (R2 ou R3), FHIR AdverseEvent, "
                "ou un CSV dont la première ligne nomme cas, médicament et effet",
                "no source recognised: FAERS or AERS (ASCII), VAERS, E2B (R2 or R3), FHIR AdverseEvent, "
                "or a CSV whose first line names case, drug and event",
            )
        found += got
        ignored += left
    return found, ignored


def _of(path: Path, found: list[Item], name: str) -> tuple[list[Unit], list[str]]:
    made: list[Unit] = []
    taken: set[Item] = set()
    for quarter in faers_files.quarters(found):
        files = tuple(quarter.tables.values())
        taken.update(files)
        made.append(
            Unit(
                "faers",
                f"FAERS {quarter.quarter} ({_folder(quarter.place)})",
                files,
                _size(files),
                partial(_faers, quarter),
            )
        )
    for item in faers_files.deleted_lists(found):
        taken.add(item)
        made.append(Unit("faers-deleted", item.name, (item,), _size((item,)), partial(_deleted, item)))
    return made, [item.name for item in found if item not in taken]


def _folder(place: Path) -> str:
    return place.parent.name if place.name.lower() == "ascii" else place.name


def _size(items: tuple[Item, ...]) -> int:
    return sum(item.path.stat().st_size // (1 if not item.member else 7) for item in items)


def _faers(quarter: faers_files.Quarter, part: PartWriter, strict: bool, alive: Callable[[int], None]) -> None:
    total = 0

    def count(size: int) -> None:
        nonlocal total
        total += size
        alive(total)

    faers.read(quarter, part, strict=strict, alive=count)


def _deleted(item: Item, part: PartWriter, _strict: bool, _alive: Callable[[int], None]) -> None:
    faers_files.read_deleted(item, part)
