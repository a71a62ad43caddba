"""What a file is: told by its name for FAERS and VAERS, whose tables come apart, by its content for the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lab39.core.errors import LabError
from lab39.core.text import Text
from lab39.solutions.signals.readers import (
    cases_csv,
    e2b_r2,
    e2b_r3,
    faers,
    faers_files,
    fhir_event,
    streams,
    tabular,
    vaers,
    xmlsafe,
)
from lab39.solutions.signals.readers.errors import refuse
from lab39.solutions.signals.readers.model import Case
from lab39.solutions.signals.readers.part_writer import PartWriter
from lab39.solutions.signals.readers.streams import Item

_WHAT = {
    "pairs": Text("ce fichier a des couples", "this file has pairs"),
    "counts": Text("ce fichier a des effectifs", "this file has counts"),
}
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


def units(
    paths: list[Path], name: str = "", columns: Mapping[str, str] | None = None
) -> tuple[list[Unit], list[str], list[LabError]]:
    """The sources among files, the names of files that are none, and why some could not be looked at.

    Raises:
        InputError: a single file to read, and it does not exist, is damaged, or no reader knows it.
    """
    found: list[Unit] = []
    ignored: list[str] = []
    failed: list[LabError] = []
    tables = [path for path in paths if path.is_file() and _is_table(Item(path))]  # of a quarter or a release
    got, _ = _of([Item(path) for path in tables], name, columns or {}, failed)
    found += got
    for path in paths:
        if path in tables:
            continue
        try:
            got, left = _known(path, name, columns or {}, failed)
        except LabError as error:
            failed.append(error)
            continue
        found += got
        ignored += left
    if len(failed) == 1 and not found:
        raise failed[0]
    return found, ignored, failed


def _is_table(item: Item) -> bool:
    """Whether a file is one of several that are read together."""
    return faers_files.is_table(item) or vaers.is_table(item)


def _known(
    path: Path, name: str, columns: Mapping[str, str], failed: list[LabError]
) -> tuple[list[Unit], list[str]]:
    wrong: list[LabError] = []
    got, left = _of(streams.items(path, wrong), name, columns, wrong)
    failed += wrong
    if not got and not wrong:
        raise refuse(
            path,
            "aucune source reconnue : FAERS ou AERS (ASCII), VAERS, E2B (R2 ou R3), FHIR AdverseEvent, "
            "ou un CSV dont la première ligne nomme cas, médicament et effet",
            "no source recognised: FAERS or AERS (ASCII), VAERS, E2B (R2 or R3), FHIR AdverseEvent, "
            "or a CSV whose first line names case, drug and event",
        )
    return got, left


def _of(
    found: list[Item], name: str, columns: Mapping[str, str], failed: list[LabError]
) -> tuple[list[Unit], list[str]]:
    """The sources among files; one that cannot be looked at keeps the others from nothing."""
    made: list[Unit] = []
    taken = {item for item in found if _is_table(item)}
    quarters, incomplete = faers_files.quarters(found)
    failed += incomplete
    for quarter in quarters:
        files = tuple(quarter.tables.values())
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
    years, incomplete = vaers.years(found)
    failed += incomplete
    for year in years:
        files = tuple(year.tables.values())
        made.append(Unit("vaers", f"VAERS {year.name}".strip(), files, _size(files), partial(_vaers, year)))
    ignored = []
    for item in found:
        if item in taken:
            continue
        try:
            unit = _single(item, name, columns, alone=len(found) == 1)
        except LabError as error:
            failed.append(error)
            continue
        if unit:
            made.append(unit)
        else:
            ignored.append(item.name)
    return made, ignored


def _single(item: Item, name: str, columns: Mapping[str, str], *, alone: bool) -> Unit | None:
    """A file that is a source by itself, told by how it begins; ``None`` when it is none."""
    if item.base.startswith(".") or item.base.lower().endswith(streams.DOCUMENTS):
        return None
    start = streams.head(item, 4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    size = _size((item,))
    if start.startswith((b"<", b"\xff\xfe<", b"\xfe\xff\0<")):
        readers = {e2b_r3.ROOT: ("e2b-r3", e2b_r3.read), e2b_r2.ROOT: ("e2b-r2", e2b_r2.read)}
        kind, cases = readers.get(xmlsafe.root_name(item), ("", None))
        return Unit(kind, item.name, (item,), size, partial(_cases, cases, item)) if cases else None
    if start.startswith((b"{", b"[")):
        if b"AdverseEvent" in start or b"Bundle" in start or alone:
            return Unit("fhir", item.name, (item,), size, partial(_cases, fhir_event.read, item))
        return None
    if b"\0" in start and start[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        return None
    told = tabular.header(item, columns)
    if told.kind == "cases":
        source = name or f"csv {Path(item.base).stem}"
        return Unit(
            "cases", item.name, (item,), size, partial(_csv, told, source), f"{source} {sorted(told.found.items())}"
        )
    if told.kind or alone:
        if told.kind:
            raise refuse(
                item.name,
                f"{_WHAT[told.kind].fr}, sans numéro de cas : à donner à « lab39 signals detect --{told.kind} »",
                f"{_WHAT[told.kind].en} and no case number: give it to “lab39 signals detect --{told.kind}”",
                1,
            )
        tabular.need(told, "case", "drug", "event")
    return None


def _vaers(year: vaers.Year, part: PartWriter, _strict: bool, _alive: Callable[[int], None]) -> None:
    vaers.read(year, part)


def _csv(told: tabular.Header, source: str, part: PartWriter, _strict: bool, _alive: Callable[[int], None]) -> None:
    cases_csv.read(told, part, source)


def _cases(
    reader: Callable[[Item], Iterator[Case]],
    item: Item,
    part: PartWriter,
    _strict: bool,
    _alive: Callable[[int], None],
) -> None:
    """One case at a time; a file without any is an error."""
    for case in reader(item):
        part.add(case)
    if not part.count("reports"):
        raise refuse(item.name, "aucun rapport de cas dans ce fichier", "no case report in this file")


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
