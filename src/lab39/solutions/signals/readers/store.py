"""The working form: Parquet files in a folder, one part for each source that was read.

::

    DIR/store.json                  form of the store
    DIR/parts/<digest>/             what one source gave: reports, drugs, events, indications, rejected, withdrawn
    DIR/parts/<digest>/part.json    which source, when it was read (its rank), what was counted
    DIR/tables/                     what counts, made by settle: the same tables, latest versions only
    DIR/links.parquet               likely duplicates, when they were looked for; reports are never removed

The digest is that of the content and of the reader, so that a source is read once, whatever its name; what a newer
reader gives of the same content takes the place of what an older one gave. A part is written beside and renamed
when it is whole: one that was cut short is never seen, and is read again.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lab39.solutions.signals.readers import disk
from lab39.solutions.signals.readers.errors import refuse
from lab39.solutions.signals.readers.part_writer import PartWriter

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FORM = 1
MEMORY = "1GB"
CHILDREN = ("drugs", "events", "indications")
"""Tables whose rows belong to a report: those of reports dropped since are left out when they are read."""


@dataclass(frozen=True, slots=True)
class Part:
    """One source that was read: what it was, what it gave, where it is."""

    digest: str
    kind: str
    name: str
    rank: int
    counts: Mapping[str, int]
    notes: Mapping[str, int]
    folder: Path
    content: str = ""
    """Digest of the content alone, whatever reads it."""

    def files(self, table: str) -> list[Path]:
        """The Parquet files of one of its tables; none when the source says nothing of the kind."""
        return sorted(self.folder.glob(f"{table}.*parquet"))


class Store:
    """A folder of case reports.

    Raises:
        InputError: the folder holds something else, or a store of another form.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.parts_folder = folder / "parts"
        self.tables_folder = folder / "tables"
        self._rank = 0

    @classmethod
    def create(cls, folder: Path) -> Store:
        """The store of a folder, made when there is none."""
        if folder.exists() and not folder.is_dir():
            raise refuse(folder, "c'est un fichier : donnez un dossier", "this is a file: give a folder")
        if folder.is_dir() and not (folder / "store.json").exists() and any(map(_foreign, folder.iterdir())):
            raise refuse(
                folder,
                "ce dossier contient autre chose : donnez un dossier vide, ou qui n'existe pas encore",
                "this folder holds something else: give an empty one, or one that does not exist yet",
            )
        store = cls(folder)
        store.parts_folder.mkdir(parents=True, exist_ok=True)
        if (folder / "store.json").exists():
            store._check()
        else:
            disk.write_json(folder / "store.json", {"form": FORM})
        return store

    @contextmanager
    def writing(self) -> Iterator[list[Part | str]]:
        """Write alone; parts that were cut short are cleared away first, and so are those that the disk damaged.

        Returns:
            Those that were damaged, or their digest when nothing more is known of them.

        Raises:
            InputError: another process writes.
        """
        with disk.alone(self.folder / ".lock"):
            for cut in self.parts_folder.glob(".*"):
                shutil.rmtree(cut)
            damaged: list[Part | str] = []
            for each in sorted(self.parts_folder.iterdir()):
                known = disk.read_json(each / "part.json") is not None
                if not known or not all(disk.whole(file) for file in each.glob("*.parquet")):
                    damaged.append(self.part(each.name) if known else each.name)
                    shutil.rmtree(each)
            yield damaged

    def reading(self) -> AbstractContextManager[None]:
        """While its tables are read: an ingestion that ends meanwhile waits before it replaces them."""
        return disk.still(self.folder / ".tables.lock")

    @classmethod
    def open(cls, folder: Path) -> Store:
        """A store that exists."""
        if not (folder / "store.json").is_file():
            raise refuse(
                folder,
                "aucune base ici : créez-la avec « lab39 signals ingest SOURCE --store DOSSIER »",
                "no store here: make one with “lab39 signals ingest SOURCE --store FOLDER”",
            )
        store = cls(folder)
        store._check()
        return store

    def remove(self, *, keep_folder: bool = False) -> None:
        """Take away an empty store that was just made, and its folder unless it was there before."""
        for each in (self.parts_folder, self.tables_folder, self.folder / ".spill"):
            shutil.rmtree(each, ignore_errors=True)
        for name in ("store.json", ".lock", ".tables.lock"):
            (self.folder / name).unlink(missing_ok=True)
        if not keep_folder:
            self.folder.rmdir()

    def _check(self) -> None:
        told = disk.read_json(self.folder / "store.json")
        if told is None:
            raise refuse(
                self.folder / "store.json",
                "fichier illisible : relisez les sources dans un autre dossier",
                "this file cannot be read: ingest the sources into another folder",
            )
        if (form := told.get("form")) != FORM:
            raise refuse(
                self.folder,
                f"base de forme {form}, la version installée lit la forme {FORM} : relisez les sources dans un "
                "autre dossier",
                f"a store of form {form}; this version reads form {FORM}: ingest the sources into another folder",
            )

    def parts(self) -> list[Part]:
        """The parts that are whole, in the order they were read."""
        whole = [self.part(each.name) for each in self.parts_folder.iterdir() if not each.name.startswith(".")]
        return sorted(whole, key=lambda part: part.rank)

    def part(self, digest: str) -> Part:
        """A part that is whole."""
        folder = self.parts_folder / digest
        told = disk.read_json(folder / "part.json")
        if told is None:
            raise refuse(
                folder,
                "cette partie de la base est abîmée : relancez « lab39 signals ingest » avec ses sources",
                "this part of the store is damaged: run “lab39 signals ingest” again with its sources",
            )
        return Part(folder=folder, digest=digest, **told)

    def has(self, digest: str) -> bool:
        """Whether a source was read whole."""
        return (self.parts_folder / digest / "part.json").is_file()

    @contextmanager
    def adding(self, digest: str, kind: str, name: str, content: str = "") -> Iterator[PartWriter]:
        """Write a part; it is kept when the block ends without an error, and not at all otherwise.

        Args:
            content: digest of the content; a part that has the same takes leave when this one is kept.
        """
        beside = self.parts_folder / f".{digest}"
        if beside.exists():
            shutil.rmtree(beside)
        beside.mkdir()
        writer = PartWriter(beside, name)
        try:
            yield writer
            counts = writer.close()
            before = [part for part in self.parts() if content and part.content == content]
            told = {
                "kind": kind, "name": name, "rank": before[0].rank if before else self._next(), "counts": counts,
                "notes": dict(writer.notes), "content": content,
            }  # fmt: skip
            disk.write_json(beside / "part.json", told)
            disk.keep(beside)
            beside.rename(self.parts_folder / digest)
            for part in before:
                shutil.rmtree(part.folder)
        except BaseException:
            writer.abandon()
            shutil.rmtree(beside, ignore_errors=True)
            raise

    def _next(self) -> int:
        self._rank = (self._rank or max((part.rank for part in self.parts()), default=0)) + 1
        return self._rank

    def path(self, table: str) -> Path:
        """A table of what counts: a folder of Parquet files (reports, drugs, events, indications) or a file
        (rejected, set_aside, names).

        Drugs, events and indications may still have rows of reports that no longer count: join them to reports,
        or leave out those of ``dropped``.
        """
        return self.tables_folder / f"{table}.parquet"

    def connect(self) -> DuckDBPyConnection:
        """A DuckDB connection with a view for each table of what counts, and ``links`` when there are any.

        Raises:
            InputError: nothing was ingested yet.
        """
        if not self.path("reports").exists():
            raise refuse(
                self.folder,
                "aucun cas dans cette base : ajoutez une source avec « lab39 signals ingest »",
                "no case in this store: add a source with “lab39 signals ingest”",
            )
        con = connection(self.folder)
        for place in sorted(self.tables_folder.glob("*.parquet")):
            files = place / "*.parquet" if place.is_dir() else place
            left = ""
            if place.stem in CHILDREN:
                dropped = f"SELECT report_key FROM read_parquet('{quoted(self.path('dropped'))}')"
                left = f" WHERE report_key NOT IN ({dropped})"
            con.sql(f"CREATE VIEW {place.stem} AS SELECT * FROM read_parquet('{quoted(files)}'){left}")
        if (links := self.folder / "links.parquet").is_file():
            con.sql(f"CREATE VIEW links AS SELECT * FROM read_parquet('{quoted(links)}')")
        return con


def _foreign(entry: Path) -> bool:
    """Whether an entry of a folder is not what is left of a store whose making was cut short."""
    return entry.name != ".store.json.new" and not (entry.name == "parts" and not any(entry.iterdir()))


def connection(folder: Path, memory: str = MEMORY) -> DuckDBPyConnection:
    """A DuckDB in memory that spills into the store's folder and reaches no network.

    Args:
        memory: what the whole process may use, such as ``1GB``; the limit of DuckDB itself is set below it.

    Raises:
        InputError: not an amount of memory.
    """
    import duckdb

    con = duckdb.connect(
        config={
            "memory_limit": _of_database(memory),
            "temp_directory": str(folder / ".spill"),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "preserve_insertion_order": False,
        }
    )
    con.execute("SET enable_progress_bar = false")  # it would be drawn on standard output, where results go
    return con


def _of_database(memory: str) -> str:
    """What is left for DuckDB: Python, Arrow and buffers that its limit does not see take 170 MB (measured)."""
    told = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(KB|MB|GB|TB|KiB|MiB|GiB|TiB)\s*", memory, re.IGNORECASE)
    if not told or not float(told[1]):
        raise refuse(
            "memory",
            f"mémoire « {memory} » : attendu un nombre et une unité, par exemple 1GB ou 500MB",
            f"memory “{memory}”: a number and a unit are expected, such as 1GB or 500MB",
        )
    power = "KMGT".index(told[2][0].upper()) + 1
    whole = float(told[1]) * (1024 if "i" in told[2].lower() else 1000) ** power
    return f"{max(whole - 200e6, whole / 2) / 1e6:.0f}MB"


def quoted(path: Path) -> str:
    """A path inside a quoted SQL string."""
    return str(path).replace("'", "''")
