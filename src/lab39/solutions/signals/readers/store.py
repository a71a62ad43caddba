"""The working form: Parquet files in a folder, one part for each source that was read.

::

    DIR/store.json                  form of the store
    DIR/parts/<digest>/             what one source gave: reports, drugs, events, indications, rejected, withdrawn
    DIR/parts/<digest>/part.json    which source, when it was read (its rank), what was counted
    DIR/tables/                     what counts, made by settle: the same tables, latest versions only
    DIR/links.parquet               likely duplicates, when they were looked for; reports are never removed

The digest is that of the content and of the reader, so that a source is read once, whatever its name. A part is
written beside and renamed when it is whole: one that was cut short is never seen, and is read again.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab39.solutions.signals.readers import model
from lab39.solutions.signals.readers.errors import refuse

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FORM = 1
MEMORY = "1GB"
CHILDREN = ("drugs", "events", "indications")
"""Tables whose rows belong to a report: those of reports dropped since are left out when they are read."""
RAW = 300
"""Characters kept of a row that was not used."""
_BATCH = 50_000


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
        """The store of a folder, made when there is none; parts that were cut short are cleared away."""
        if folder.exists() and not folder.is_dir():
            raise refuse(folder, "c'est un fichier : donnez un dossier", "this is a file: give a folder")
        if folder.is_dir() and any(folder.iterdir()) and not (folder / "store.json").exists():
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
            (folder / "store.json").write_text(json.dumps({"form": FORM}), "utf-8")
        for cut in store.parts_folder.glob(".*"):
            shutil.rmtree(cut)
        return store

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
        (self.folder / "store.json").unlink(missing_ok=True)
        if not keep_folder:
            self.folder.rmdir()

    def _check(self) -> None:
        form = json.loads((self.folder / "store.json").read_text("utf-8")).get("form")
        if form != FORM:
            raise refuse(
                self.folder,
                f"base de forme {form}, la version installée lit la forme {FORM} : reprenez la lecture des sources",
                f"a store of form {form}; this version reads form {FORM}: ingest the sources again",
            )

    def parts(self) -> list[Part]:
        """The parts that are whole, in the order they were read."""
        whole = [self.part(each.name) for each in self.parts_folder.iterdir() if not each.name.startswith(".")]
        return sorted(whole, key=lambda part: part.rank)

    def part(self, digest: str) -> Part:
        """A part that is whole."""
        folder = self.parts_folder / digest
        return Part(folder=folder, digest=digest, **json.loads((folder / "part.json").read_text("utf-8")))

    def has(self, digest: str) -> bool:
        """Whether a source was read whole."""
        return (self.parts_folder / digest / "part.json").is_file()

    @contextmanager
    def adding(self, digest: str, kind: str, name: str) -> Iterator[PartWriter]:
        """Write a part; it is kept when the block ends without an error, and not at all otherwise."""
        beside = self.parts_folder / f".{digest}"
        if beside.exists():
            shutil.rmtree(beside)
        beside.mkdir()
        writer = PartWriter(beside, name)
        try:
            yield writer
            counts = writer.close()
            self._rank = (self._rank or max((part.rank for part in self.parts()), default=0)) + 1
            rank = self._rank
            told = {"kind": kind, "name": name, "rank": rank, "counts": counts, "notes": dict(writer.notes)}
            (beside / "part.json").write_text(json.dumps(told, ensure_ascii=False), "utf-8")
            beside.rename(self.parts_folder / digest)
        except BaseException:
            writer.abandon()
            shutil.rmtree(beside, ignore_errors=True)
            raise

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


class PartWriter:
    """Rows of one source, written in batches so that memory stays bounded."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self.notes: dict[str, int] = {}
        self._rows: dict[str, dict[str, list[Any]]] = {}
        self._files: dict[str, Any] = {}
        self._written: dict[str, int] = {}
        self._given: dict[str, int] = {}

    def note(self, what: str, count: int = 1) -> None:
        """Count something that is told at the end (``lines repaired``)."""
        if count:
            self.notes[what] = self.notes.get(what, 0) + count

    def add(self, case: model.Case) -> None:
        """Write one case."""
        report = _flat(case.report)
        key = case.report.report_id
        given = self._given[key] = self._given.get(key, 0) + 1
        if given > 1:  # another version of the report: which one counts is settled by its case
            self.note("report numbers given again")
            key = report["report_id"] = f"{key}#{given}"
        self._put("reports", report)
        for seq, drug in enumerate(case.drugs, 1):
            self._put("drugs", {"report_id": key, "seq": seq, **_flat(drug)})
        for seq, event in enumerate(case.events, 1):
            self._put("events", {"report_id": key, "seq": seq, **_flat(event)})
        for each in case.indications:
            self._put("indications", {"report_id": key, **_flat(each)})
        for told in case.notes:
            reason, _, raw = told.partition(": ")
            self.reject(
                case.report.source, case.report.file or self.name, case.report.line, reason, raw, scope="value"
            )

    def reject(
        self, source: str, file: str, line: int | None, reason: str, raw: str, *, scope: str = "row"
    ) -> None:
        """Keep a row that is not used, with the reason."""
        self._put(
            "rejected",
            {"source": source, "file": file, "line": line, "scope": scope, "reason": reason, "raw": raw[:RAW]},
        )

    def withdraw(self, source: str, case_id: str, file: str, line: int | None) -> None:
        """Note a case that is withdrawn by the owner of the database."""
        self._put("withdrawn", {"source": source, "case_id": case_id, "file": file, "line": line})

    def count(self, table: str) -> int:
        """Rows given so far."""
        waiting = next(iter(self._rows.get(table, {"": []}).values()))
        return self._written.get(table, 0) + len(waiting)

    def _put(self, table: str, row: Mapping[str, Any]) -> None:
        if table not in self._rows:
            self._rows[table] = {name: [] for name in model.columns(table)}
        waiting = self._rows[table]
        for name, values in waiting.items():
            values.append(row.get(name))
        if len(values) >= _BATCH:
            self._flush(table)

    def _flush(self, table: str) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = arrow_schema(table)
        batch = pa.table({name: self._rows[table][name] for name in schema.names}, schema=schema)
        if table not in self._files:
            self._files[table] = pq.ParquetWriter(self.folder / f"{table}.rows.parquet", schema, compression="zstd")
        self._files[table].write_table(batch)
        self._written[table] = self._written.get(table, 0) + batch.num_rows
        del self._rows[table]

    def close(self) -> dict[str, int]:
        """Write what waits; the number of rows of each table, those written by SQL included."""
        import pyarrow.parquet as pq

        for table in list(self._rows):
            self._flush(table)
        self.abandon()
        return {
            table: sum(pq.ParquetFile(file).metadata.num_rows for file in self.folder.glob(f"{table}.*parquet"))
            for table in model.TABLES
        }

    def abandon(self) -> None:
        """Let go of the files."""
        for file in self._files.values():
            file.close()
        self._files.clear()


def _flat(row: Any) -> dict[str, Any]:
    """The fields of a dataclass that holds none; ``asdict`` copies each value and takes three times as long."""
    return {each.name: getattr(row, each.name) for each in fields(row)}


def arrow_schema(table: str) -> Any:
    """The Arrow schema of a table of the store."""
    import pyarrow as pa

    kinds = {"VARCHAR": pa.string(), "BIGINT": pa.int64(), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_()}
    return pa.schema([(name, kinds[kind]) for name, kind in model.columns(table).items()])
