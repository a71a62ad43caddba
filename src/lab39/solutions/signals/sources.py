"""What can be counted: a store of reports, a list of report-drug-event rows, a table of counts.

Each becomes the same three tables (reports, drugs of a report, events of a report), except that rows which already
couple a drug and an event keep their couples.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals.readers import tabular
from lab39.solutions.signals.readers.streams import BLOCK, NO_LETTER, Item, text_lines

if TYPE_CHECKING:
    import ibis

    from lab39.solutions.signals.engines import Engine

_SHOWN = 6
INGREDIENT = "ingredient"
"""The column of a store's drugs that holds substances, several joined by ``readers.names.JOIN``."""
ALIASES: Mapping[str, tuple[str, ...]] = {
    "report_id": ("case",),
    "drug": ("drug", "ingredient"),
    "event": ("event",),
    "n": ("count",),
    "n_drug": ("n_drug",),
    "n_event": ("n_event",),
    "n_total": ("n_total",),
}
"""Roles of columns, with the lists of ``readers/knowledge/columns.toml`` that have their names, in order."""


@dataclass(frozen=True, slots=True)
class Store:
    """A folder with ``reports``, ``drugs`` and ``events`` in Parquet, as ``lab39 signals ingest`` makes it.

    Attributes:
        folder: holds the three tables, as files or folders, or holds ``tables/`` that does.
        drug: column of ``drugs`` that names the drug (``drug`` as reported, ``ingredient``…).
        event: column of ``events`` that names the event.
        roles: only drugs of these roles, ``""`` for those whose role is not told; all when empty.
        before: only reports of quarters before this one (``2017Q2``), as the base stood then; all when empty.
        until: only reports of quarters up to this one, and of none; all when empty.
        duplicates: ``merge`` counts reports that are linked as duplicates once, see
            :mod:`~lab39.solutions.signals.merging`; ``keep`` counts each report.
        threshold: probability from which a link counts, of those that were kept when duplicates were looked for.
        each_ingredient: when ingredients are counted, a product of several counts under each of them; under their
            names together otherwise, as in a run made before.
    """

    folder: Path
    drug: str = "drug"
    event: str = "event"
    roles: tuple[str, ...] = ()
    before: str = ""
    until: str = ""
    duplicates: Literal["keep", "merge"] = "keep"
    threshold: float = 0.0
    each_ingredient: bool = True

    @property
    def dropped(self) -> Path | None:
        """The list of reports that no longer count, whose drugs and events may still be there; None without one."""
        found = self.path("reports").parent / "dropped.parquet"
        return found if found.is_file() else None

    def path(self, table: str) -> Path:
        """Where a table is.

        Raises:
            InputError: it is not there.
        """
        for base in (self.folder / "tables", self.folder):
            for found in (base / f"{table}.parquet", base / table):
                if found.exists():
                    return found
        raise InputError(
            Text(
                f"la table «\u202f{table}\u202f» manque\u202f: attendu {table}.parquet",
                f'the table "{table}" is missing: {table}.parquet is expected',
            ),
            str(self.folder),
        )


@dataclass(frozen=True, slots=True)
class Pairs:
    """Rows of report, drug and event, in CSV or Parquet; a row says that the report couples the two.

    Attributes:
        path: the file; CSV may be compressed with gzip, its delimiter is found in the header.
        columns: names of the columns, by role (``report_id``, ``drug``, ``event``); recognised when absent.
    """

    path: Path
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CountTable:
    """Rows of drug, event and number of reports, in CSV or Parquet.

    Without margins in the file, they are the sums of the counts; these then count mentions, not reports, and the
    result says so.

    Attributes:
        path: the file.
        columns: names of the columns, by role (``drug``, ``event``, ``n`` and, all three or none, ``n_drug``,
            ``n_event``, ``n_total``); recognised when absent.
    """

    path: Path
    columns: Mapping[str, str] = field(default_factory=dict)


Source = Store | Pairs | CountTable


def lines(path: Path) -> Iterator[str]:
    """The lines of a CSV, plain or gzip, ends kept: UTF-8, UTF-16 with its mark, else Windows-1252 line by line.

    Raises:
        InputError: the file is absent or cannot be read, or a line has a letter of no known encoding.
    """
    if not path.is_file():
        raise InputError(Text("fichier absent", "no such file"), str(path))
    odd: list[str] = []
    for number, line in enumerate(text_lines(Item(path), note=odd.append), 1):
        if odd and NO_LETTER.search(line):
            raise InputError(
                Text(
                    "des lettres d'aucun encodage connu\u202f: enregistrer le fichier en UTF-8",
                    "letters in no known encoding: save the file as UTF-8",
                ),
                f"{path}:{number}",
            )
        yield line


def is_utf8(path: Path) -> bool:
    """Whether every byte of a file, unpacked, reads as UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with Item(path).open() as stream:
        try:
            while block := stream.read(BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def delimiter(path: Path) -> str:
    """The delimiter of a file's header: comma, semicolon, tab, bar or dollar.

    Raises:
        InputError: the file is absent, empty or unreadable, or its header has a single column.
    """
    header = next(lines(path), "")
    best = tabular.delimiter_of(header) if header.strip() else ""
    if not best or best not in header:
        raise InputError(
            Text(
                "en-tête absent ou séparateur inconnu\u202f: attendu des noms de colonnes séparés par virgule, "
                "point-virgule, tabulation, | ou $",
                "no header or unknown delimiter: a line of column names separated by , ; tab, | or $ is expected",
            ),
            f"{path}:1",
        )
    return best


def table(engine: Engine, path: Path) -> ibis.Table:
    """A CSV or Parquet file as a table of the engine.

    Raises:
        InputError: absent, empty or unreadable.
    """
    if path.is_dir() or path.suffix == ".parquet":
        if not path.exists():
            raise InputError(Text("fichier absent", "no such file"), str(path))
        return engine.parquet(path)
    mark = delimiter(path)
    if is_utf8(path):
        return engine.csv(path, mark)
    return engine.csv(path, mark, lines(path))


def chosen(
    found: Sequence[str], given: Mapping[str, str], wanted: Sequence[str], where: Path, optional: Sequence[str] = ()
) -> dict[str, str]:
    """The file's column for each role.

    Raises:
        InputError: a column that was named is not there, or none is recognised; the columns found are listed.
    """
    known = tabular.names()["names"]
    made: dict[str, str] = {}
    for role in (*wanted, *optional):
        if role in given:
            names: tuple[str, ...] = (given[role],)
        else:
            names = tuple(word for group in ALIASES[role] for word in (role, *known[group]))
        name = tabular.named(found, names)
        if name is not None:
            made[role] = name
        elif role in wanted or role in given:
            listed, names = ", ".join(found), names[:_SHOWN]
            raise InputError(
                Text(
                    f"colonne «\u202f{role}\u202f» introuvable\u202f: attendu {', '.join(names)}\u202f; "
                    f"le fichier a {listed}",
                    f'no column for "{role}": expected {", ".join(names)}; the file has {listed}',
                ),
                str(where),
            )
    return made


def trimmed(column: Any) -> Any:
    """A name without the blanks around it; an absent one is empty, and not counted."""
    return column.cast("string").strip().fill_null("")
