"""FAERS and AERS quarters: which files make one, what their columns are called, what is known to be broken."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from lab39.core.errors import LabError
from lab39.solutions.signals.readers.errors import refuse
from lab39.solutions.signals.readers.part_writer import PartWriter
from lab39.solutions.signals.readers.streams import Item, text_lines

SOURCE = "faers"
_TABLE = re.compile(r"(DEMO|DRUG|REAC|OUTC|RPSR|THER|INDI)(\d\d)Q([1-4])\D*\.txt", re.IGNORECASE)
_DELETED = re.compile(r"delet.*\.txt$", re.IGNORECASE | re.DOTALL)


@cache
def facts() -> Mapping[str, Any]:
    """The columns, the codes and the repairs, from ``knowledge/faers.toml``."""
    place = files("lab39.solutions.signals.readers") / "knowledge" / "faers.toml"
    return tomllib.loads(place.read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class Quarter:
    """The files of one extract, by table (``DEMO`` …)."""

    quarter: str
    place: Path
    tables: Mapping[str, Item]


def is_table(item: Item) -> bool:
    """Whether a file is a table of a quarter."""
    return bool(_TABLE.fullmatch(item.base))


def quarters(found: Iterable[Item]) -> tuple[list[Quarter], list[LabError]]:
    """Group files into quarters, oldest first; a folder and its zip are two.

    Returns:
        The quarters, and an error for each that has not one of its main tables, or has two files for one.
    """
    grouped: dict[tuple[Path, str], dict[str, Item]] = {}
    twice: dict[tuple[Path, str], LabError] = {}
    for item in found:
        match = _TABLE.fullmatch(item.base)
        if not match:
            continue
        year = int(match[2])
        quarter = f"{1900 + year if year > 90 else 2000 + year}Q{match[3]}"
        place = item.path if item.member else item.path.parent
        tables = grouped.setdefault((place, quarter), {})
        table = match[1].upper()
        if table in tables:
            twice[(place, quarter)] = refuse(
                place,
                f"deux fichiers {table} pour {quarter} ({tables[table].base}, {item.base}) : gardez le bon",
                f"two {table} files for {quarter} ({tables[table].base}, {item.base}): keep the right one",
            )
        tables[table] = item
    whole: list[Quarter] = []
    failed = list(twice.values())
    for (place, quarter), tables in grouped.items():
        lacking = [table for table in facts()["tables"]["required"] if table not in tables]
        if lacking:
            told = ", ".join(f"{table}{quarter[2:]}.txt" for table in lacking)
            failed.append(
                refuse(
                    place,
                    f"trimestre {quarter} incomplet, il manque {told} : redonnez l'archive entière",
                    f"quarter {quarter} is incomplete, {told} is missing: give the whole archive",
                )
            )
        elif (place, quarter) not in twice:
            whole.append(Quarter(quarter, place, tables))
    return sorted(whole, key=lambda each: (each.quarter, str(each.place))), failed


def deleted_lists(found: Iterable[Item]) -> list[Item]:
    """Lists of deleted cases, under any of the names they were given since 2019.

    ``deleted/ADR19Q1DeletedCases.txt``, ``DELETED/ADR20Q1DeletedCases.txt``, ``Deleted/20Q4DeletedCases.txt``,
    ``Deleted/DELETE21Q4.txt``, ``deleted/AllDeletedCases.txt``: a text whose folder or name says so.
    """
    return [item for item in found if _DELETED.search(item.inside) and not _TABLE.fullmatch(item.base)]


def read_deleted(item: Item, part: PartWriter) -> None:
    """A list of case numbers: no header, blank lines, repeated numbers; lists overlap, none is assumed whole.

    Raises:
        InputError: no case number in it.
    """
    seen: set[str] = set()
    for number, line in enumerate(text_lines(item), 1):
        case = line.strip().strip("$").strip()
        if not case:
            continue
        if not case.isascii() or not case.isdigit():
            if number == 1 and "case" in case.lower():
                part.note("header of a list of deleted cases")
                continue
            part.reject(SOURCE, item.name, number, "not a case number", line.rstrip("\r\n"))
            continue
        if case in seen:
            part.note("deleted case listed twice")
            continue
        seen.add(case)
        part.withdraw(SOURCE, case, item.name, number)
    if not seen:
        raise refuse(
            item.name,
            "aucun numéro de cas dans cette liste de cas supprimés : un numéro par ligne est attendu",
            "no case number in this list of deleted cases: one number a line is expected",
        )


def header(item: Item, table: str, first: str) -> list[str]:
    """Our names for the columns of a file, in its order; a trailing delimiter names no column.

    Raises:
        InputError: another delimiter, no header, a column that the table cannot do without.
    """
    names = [name.strip().strip('"').lower() for name in first.lstrip("\ufeff").rstrip("\r\n").split("$")]
    if len(names) > 1 and not names[-1]:
        names.pop()
    known = facts()["names"]
    ours = [known.get(name, name) for name in names]
    lacking = [name for name in facts()["needed"][table] if name not in ours]
    if len(names) < 2:
        raise refuse(
            item.name,
            f"le délimiteur « $ » est absent de la première ligne : "
            f"ce n'est pas un fichier {table} de FAERS tel que publié",
            f"the delimiter “$” is not in the first line: this is not a {table} file of FAERS as published",
            1,
        )
    if lacking:
        raise refuse(
            item.name,
            f"la première ligne ne nomme pas {', '.join(lacking)} : il y manque l'en-tête, ou ce n'est pas {table}",
            f"the first line does not name {', '.join(lacking)}: its header is missing, or this is not {table}",
            1,
        )
    if len(set(ours)) != len(ours):
        raise refuse(item.name, "deux colonnes ont le même nom", "two columns have the same name", 1)
    return ours


def repaired(quarter: str, table: str, names: list[str], fields: list[str]) -> Iterator[list[str]] | None:
    """The records of a line that is known to be broken; ``None`` when it is not one of them."""
    for known in facts()["repair"]:
        if (known["quarter"], known["table"], known["id"]) != (quarter, table, fields[0].strip()):
            continue
        width = len(names)
        if known["kind"] == "two-records" and len(fields) > width and fields[width].strip() == known["second"]:
            first, second = fields[:width], fields[width:]
            if (fitted := fit(second, width)) is not None:
                return iter([first, fitted])
        if known["kind"] == "dollar-inside":
            at = names.index(known["column"])
            if fields[at].startswith(known["starts"]):
                whole = [*fields[:at], f"{fields[at]}${fields[at + 1]}", *fields[at + 2 :]]
                if (fitted := fit(whole, width)) is not None:
                    return iter([fitted])
    return None


def fit(fields: list[str], width: int) -> list[str] | None:
    """The fields of a line when there are as many as columns, with or without one trailing empty field."""
    if len(fields) == width:
        return fields
    if len(fields) == width + 1 and not fields[-1].strip():
        return fields[:-1]
    return None
