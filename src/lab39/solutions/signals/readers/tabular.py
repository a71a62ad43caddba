"""CSV of any delimiter and encoding: what its columns are, and its rows with their line numbers."""

from __future__ import annotations

import csv
import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from lab39.solutions.signals.readers.errors import refuse
from lab39.solutions.signals.readers.part_writer import PartWriter
from lab39.solutions.signals.readers.quotes import records
from lab39.solutions.signals.readers.streams import NO_LETTER, Item, Note, text_lines

Kind = Literal["cases", "pairs", "counts"]
DELIMITERS = (",", ";", "\t", "|", "$")
UNCLOSED = "a quotation mark that is not closed"
_BATCH = 50_000
_SHOWN = 12


@cache
def names() -> Mapping[str, Any]:
    """Names of columns and of values, from ``knowledge/columns.toml``."""
    place = files("lab39.solutions.signals.readers") / "knowledge" / "columns.toml"
    return tomllib.loads(place.read_text("utf-8"))


def plain(name: str) -> str:
    """A name without case, accents, spaces or punctuation."""
    folded = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[^a-z0-9]", "", folded)


def meaning(group: str, raw: str | None) -> str | None:
    """What a value of ``roles``, ``yes`` or ``sex`` stands for."""
    said = plain(raw or "")
    return next((key for key, words in names()[group].items() if said in words), None) if said else None


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a CSV.

    Attributes:
        columns: as written.
        found: from our name for a column (``drug``) to its place.
    """

    item: Item
    delimiter: str
    columns: tuple[str, ...]
    found: Mapping[str, int]

    @property
    def kind(self) -> Kind | None:
        """``cases`` have a case, a drug and an event; ``counts`` no case but a count; ``pairs`` neither."""
        if not {"drug", "event"} <= set(self.found):
            return None
        if "case" in self.found:
            return "cases"
        return "counts" if "count" in self.found else "pairs"


def header(item: Item, given: Mapping[str, str] | None = None) -> Header:
    """Which delimiter and which columns; ``given`` names columns by hand (``{"drug": "Var2"}``).

    Raises:
        InputError: an empty file, or a column given that is not there.
    """
    first = next((line for line in text_lines(item) if line.strip()), "")
    if not first:
        raise refuse(item.name, "fichier vide", "the file is empty")
    tried = [_header(item, first, mark, given or {}) for mark in DELIMITERS]
    best = max(tried, key=lambda each: (len(each.found), len(each.columns)))
    for ours, column in (given or {}).items():
        if ours not in best.found:
            raise refuse(
                item.name,
                f"aucune colonne « {column} » ; celles du fichier : {', '.join(best.columns[:_SHOWN])}",
                f"no column “{column}”; those of the file: {', '.join(best.columns[:_SHOWN])}",
                1,
            )
    return best


def delimiter_of(first: str) -> str:
    """The delimiter of a header: the one that gives the most columns that we know, then the most columns."""
    tried = [_header(Item(Path()), first, mark, {}) for mark in DELIMITERS]
    return max(tried, key=lambda each: (len(each.found), len(each.columns))).delimiter


def named(columns: Sequence[str], words: Iterable[str]) -> str | None:
    """The column that bears the first of these names that is there, whatever its case, accents or punctuation."""
    written = {plain(column): column for column in reversed(columns)}
    return next((written[plain(word)] for word in words if plain(word) in written), None)


def _header(item: Item, first: str, delimiter: str, given: Mapping[str, str]) -> Header:
    columns = tuple(each.strip() for each in next(csv.reader([first.strip("\r\n")], delimiter=delimiter)))
    written = {plain(column): place for place, column in reversed(list(enumerate(columns)))}
    found = {ours: written[plain(column)] for ours, column in given.items() if plain(column) in written}
    for ours, words in names()["names"].items():
        place = next((written[word] for word in words if word in written), None)
        if ours not in (*found, *given) and place is not None and place not in found.values():
            found[ours] = place
    return Header(item, delimiter, columns, found)


def need(told: Header, *wanted: str) -> None:
    """Refuse a file without these columns, and say which were found.

    Raises:
        InputError: naming what is missing and what to do.
    """
    lacking = [name for name in wanted if name not in told.found]
    if not lacking:
        return
    if len(told.columns) == 1:
        raise refuse(
            told.item.name,
            "une seule colonne en première ligne : séparez les colonnes par une virgule, un point-virgule, une "
            "tabulation ou une barre, et nommez-les",
            "a single column in the first line: separate columns by a comma, a semicolon, a tab or a "
            "bar, and name them",
            1,
        )
    raise refuse(
        told.item.name,
        f"colonnes absentes : {', '.join(lacking)} ; la première ligne dit : {', '.join(told.columns[:_SHOWN])}. "
        "Nommez les colonnes en première ligne",
        f"missing columns: {', '.join(lacking)}; the first line says: {', '.join(told.columns[:_SHOWN])}. "
        "Name the columns in the first line",
        1,
    )


def rows(
    told: Header,
    note: Note = lambda _what: None,
    broken: Callable[[int, str], None] = lambda _line, _text: None,
) -> Iterator[tuple[int, list[str]]]:
    """The rows under the header with the line where each ends; blank ones are left out.

    Args:
        note: told of lines that are not UTF-8, see :func:`~lab39.solutions.signals.readers.streams.decoded`.
        broken: told of each line whose quotation marks do not close, and which is not among the rows.

    Raises:
        InputError: such a line is the header.
    """
    started = False
    for line, row, text in records(text_lines(told.item, note=note), told.delimiter):
        if row is None and started:
            broken(line, text)
        elif row is None:
            raise refuse(
                told.item.name,
                "un guillemet n'est pas refermé dans l'en-tête : corrigez cette ligne",
                "a quotation mark is not closed in the header: correct this line",
                line,
            )
        elif any(each.strip() for each in row):
            if started:
                yield line, row
            started = True


def stage(told: Header, columns: Mapping[str, int], into: Path, part: PartWriter, source: str) -> int:
    """Write some columns of a CSV, as text, with ``line``. Rows that have not the header's fields are kept apart,
    and so are those with a quotation mark that is not closed, or with a byte that is a letter in neither UTF-8 nor
    Windows-1252.

    Returns:
        The number of rows written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([*((name, pa.string()) for name in columns), ("line", pa.int64())])
    width = len(told.columns)
    waiting: dict[str, list[Any]] = {name: [] for name in schema.names}
    written = 0

    def broken(line: int, text: str) -> None:
        part.reject(source, told.item.name, line, UNCLOSED, text.rstrip("\r\n"))

    with pq.ParquetWriter(into, schema, compression="zstd") as writer:
        for line, row in rows(told, part.note, broken):
            if len(row) != width and not (len(row) > width and not any(row[width:])):
                why = f"{len(row)} fields instead of {width}"
                part.reject(source, told.item.name, line, why, told.delimiter.join(row))
                continue
            if part.notes and NO_LETTER.search(told.delimiter.join(row)):
                part.reject(source, told.item.name, line, "letters in no known encoding", told.delimiter.join(row))
                continue
            for name, place in columns.items():
                waiting[name].append(row[place].strip() or None)
            waiting["line"].append(line)
            if len(waiting["line"]) >= _BATCH:
                writer.write_table(pa.table(waiting, schema=schema))
                written += len(waiting["line"])
                waiting = {name: [] for name in schema.names}
        writer.write_table(pa.table(waiting, schema=schema))
        written += len(waiting["line"])
    return written
