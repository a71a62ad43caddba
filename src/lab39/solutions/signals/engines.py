"""Where counting runs: DuckDB in this process by default, Spark for a base that one machine cannot hold.

Both execute the same Ibis expressions (``counting``). DuckDB keeps to a memory limit and spills to a folder of its
own, removed when the engine closes. Spark needs the extra ``lab39[spark]`` and a Java 17 or newer.
"""

from __future__ import annotations

import csv
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from lab39.core.errors import InputError, LabError
from lab39.core.text import Text
from lab39.solutions.signals.readers.streams import Item, text_lines

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

Name = Literal["duckdb", "spark"]
MEMORY_GB = 1.0
THREADS = 2


class Engine(Protocol):
    """What counting asks of a backend."""

    name: Name

    def parquet(self, path: Path) -> ibis.Table:
        """A Parquet file, or a folder of them."""

    def csv(self, path: Path, delimiter: str, lines: Iterator[str] | None = None) -> ibis.Table:
        """A delimited file with a header, every column as text; ``lines`` are its own when it is not in UTF-8."""

    def rows(self, table: pa.Table) -> ibis.Table:
        """A small Arrow table as a table of the engine."""

    def keep(self, expression: ibis.Table) -> ibis.Table:
        """The expression worked out once, to be used several times."""

    def arrow(self, expression: ibis.Table) -> pa.Table:
        """The rows of an expression."""


@contextmanager
def opened(
    name: Name | str = "duckdb",
    *,
    memory_gb: float = MEMORY_GB,
    threads: int = THREADS,
    spill: Path | None = None,
    session: Any = None,
) -> Iterator[Engine]:
    """An engine, closed at the end of the block.

    Args:
        name: ``duckdb`` or ``spark``.
        memory_gb: limit of the engine's own memory; what does not fit spills to disk.
        threads: cores used.
        spill: folder for what does not fit in memory; by default a temporary one.
        session: a ``SparkSession`` of yours, on a cluster; it is used as it is and left open. Without one, Spark
            runs on this machine.

    Raises:
        InputError: an unknown name, or a limit that is not above 0.
        LabError: Spark is not installed, or there is no Java.
    """
    if name not in ("duckdb", "spark"):
        raise InputError(
            Text(
                f"moteur inconnu\u202f: {name} (attendu\u202f: duckdb, spark)",
                f"unknown engine: {name} (expected: duckdb, spark)",
            )
        )
    if memory_gb <= 0 or threads < 1:
        raise InputError(
            Text("attendu memory_gb > 0 et threads ≥ 1", "memory_gb > 0 and threads ≥ 1 are expected"), "engine"
        )
    with tempfile.TemporaryDirectory(prefix="lab39-signals-", dir=spill) as folder:
        made: _DuckDB | _Spark
        if name == "duckdb":
            made = _DuckDB(memory_gb, threads, Path(folder))
        else:
            made = _Spark(memory_gb, threads, Path(folder), session)
        try:
            yield made
        finally:
            made.close()


class _DuckDB:
    name: Name = "duckdb"

    def __init__(self, memory_gb: float, threads: int, folder: Path) -> None:
        import ibis

        self._con: Any = ibis.duckdb.connect(
            ":memory:",  # what is kept leaves memory for the spill folder when it must
            memory_limit=f"{memory_gb * 1000:.0f}MB",
            threads=threads,
            temp_directory=str(folder / "spill"),
            preserve_insertion_order=False,
            autoinstall_known_extensions=False,
            autoload_known_extensions=False,
        )
        self._con.con.execute("SET enable_progress_bar = false")  # it would be drawn where results go
        self._kept = 0
        self._copies = _Copies(folder)

    def parquet(self, path: Path) -> ibis.Table:
        pattern = str(path / "**" / "*.parquet") if path.is_dir() else str(path)
        with _reading(path):
            return self._con.read_parquet(pattern)

    def csv(self, path: Path, delimiter: str, lines: Iterator[str] | None = None) -> ibis.Table:
        with _reading(path):
            return self._con.read_csv(
                str(self._copies.of(path, lines)),
                auto_detect=False,  # it would skip lines until the rest looks well
                columns=dict.fromkeys(_columns(path, delimiter), "VARCHAR"),
                header=True,
                delim=delimiter,
                quote='"',
                escape='"',
                strict_mode=True,
            )

    def rows(self, table: pa.Table) -> ibis.Table:
        self._kept += 1
        name = f"kept_{self._kept}"
        self._con.con.register(f"{name}_rows", table)
        self._con.con.execute(f"CREATE TABLE {name} AS FROM {name}_rows")
        self._con.con.unregister(f"{name}_rows")
        return self._con.table(name)

    def keep(self, expression: ibis.Table) -> ibis.Table:
        self._kept += 1
        with _reading(None, self._copies):
            return self._con.create_table(f"kept_{self._kept}", expression)

    def arrow(self, expression: ibis.Table) -> pa.Table:
        import ibis

        with _reading(None, self._copies):
            return self._con.con.sql(str(ibis.to_sql(expression, dialect="duckdb"))).to_arrow_table()

    def close(self) -> None:
        self._con.disconnect()


class _Spark:
    name: Name = "spark"

    def __init__(self, memory_gb: float, threads: int, folder: Path, session: Any) -> None:
        try:
            import ibis
            from pyspark.sql import SparkSession
        except ImportError as error:
            raise LabError(
                Text(
                    "Spark n'est pas installé\u202f: «\u202fpip install lab39[spark]\u202f»",
                    'Spark is not installed: "pip install lab39[spark]"',
                )
            ) from error
        self._kept: list[Any] = []
        self._views: list[str] = []
        self._mine = session is None
        self._copies = _Copies(folder)
        self._session: Any = session or self._local(SparkSession, memory_gb, threads, folder)
        self._con: Any = ibis.pyspark.connect(self._session)

    @staticmethod
    def _local(spark: Any, memory_gb: float, threads: int, folder: Path) -> Any:
        """A session on this machine."""
        if shutil.which("java") is None:
            raise LabError(
                Text(
                    "Spark a besoin de Java 17 ou plus récent, absent de cette machine",
                    "Spark needs Java 17 or newer, which this machine does not have",
                )
            )
        made = (
            spark.builder.master(f"local[{threads}]")
            .appName("lab39-signals")
            .config("spark.driver.memory", f"{max(1, round(memory_gb))}g")
            .config("spark.sql.shuffle.partitions", str(2 * threads))
            .config("spark.local.dir", str(folder / "spill"))
            .config("spark.sql.warehouse.dir", str(folder / "warehouse"))
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.driver.host", "127.0.0.1")
            .getOrCreate()
        )
        made.sparkContext.setLogLevel("ERROR")
        return made

    def parquet(self, path: Path) -> ibis.Table:
        with _reading(path):
            return self._con.read_parquet(str(path))

    def csv(self, path: Path, delimiter: str, lines: Iterator[str] | None = None) -> ibis.Table:
        with _reading(path):
            file = str(self._copies.of(path, lines))
            return self._con.read_csv(file, header=True, inferSchema=False, sep=delimiter, escape='"')

    def rows(self, table: pa.Table) -> ibis.Table:
        name = f"lab39_rows_{id(self)}_{len(self._views)}"
        self._views.append(name)
        self._session.createDataFrame(table).createOrReplaceTempView(name)
        return self._con.table(name)

    def keep(self, expression: ibis.Table) -> ibis.Table:
        kept = expression.cache()
        self._kept.append(kept)  # released when the engine closes, not when the last name goes
        return kept

    def arrow(self, expression: ibis.Table) -> pa.Table:
        return self._session.sql(str(self._con.compile(expression))).toArrow()

    def close(self) -> None:
        for kept in self._kept:
            kept.release()
        for name in self._views:
            self._session.catalog.dropTempView(name)
        if self._mine:
            self._session.stop()


def _columns(path: Path, delimiter: str) -> list[str]:
    """The names of a header, those that are empty or there twice told apart by their place."""
    first = next((line for line in text_lines(Item(path)) if line.strip()), "")
    names = next(csv.reader([first.rstrip("\r\n")], delimiter=delimiter))
    seen: dict[str, int] = {}
    for place, name in enumerate(names):
        seen[name if name and name not in seen else f"{name}_{place}"] = place
    return list(seen)


class _Copies:
    """Files in another encoding, copied in UTF-8 into the folder of an engine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._of: dict[str, Path] = {}

    def of(self, path: Path, lines: Iterator[str] | None) -> Path:
        """The file itself, or its copy made of these lines."""
        if lines is None:
            return path
        copy = self._folder / f"copy-{len(self._of)}.csv"
        with copy.open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
        self._of[str(copy)] = path
        return copy

    def original(self, path: str) -> str:
        """The file that a copy is of."""
        return str(self._of.get(path, path))


@contextmanager
def _reading(path: Path | None, copies: _Copies | None = None) -> Iterator[None]:
    """DuckDB's words on a file become an error that says where."""
    import duckdb

    try:
        yield
    except (duckdb.Error, ValueError) as error:
        line = re.search(r"CSV Error on Line: (\d+)", str(error))
        file = re.search(r"^\s*file = (.+)$", str(error), re.MULTILINE)
        if line and file:
            raise InputError(
                Text(
                    "cette ligne n'a pas les champs de l'en-tête, ou un guillemet n'y est pas refermé\u202f: "
                    "la corriger",
                    "this line has not the fields of the header, or a quotation mark is not closed: correct it",
                ),
                f"{copies.original(file[1]) if copies else file[1]}:{line[1]}",
            ) from error
        first = str(error).strip().splitlines()[0]
        where = str(path) if path else ""
        raise InputError(
            Text(f"lecture impossible\u202f: {first}", f"cannot be read: {first}"),
            where,
        ) from error
