"""What counts, out of everything that was read: one report a case, one spelling a term, one ingredient a drug.

``tables/reports.parquet`` has the report that counts for each case under an integer ``report_key`` and a
``report_id`` (its number; ``source:number`` when two sources use it); drugs, events and indications bear both.
These four are folders with a file for each part that was read (see
:mod:`~lab39.solutions.signals.readers.partwise`): a part whose rows would be the same is not written
again. ``tables/names.parquet`` has what each name of a drug was
found to be. Every report that does not count is in ``tables/set_aside.parquet`` with the reason and the report that
counts in its place:

* ``repeated``: the same report was in a later extract;
* ``superseded``: a later version of the case counts. The highest version wins, then the latest reception, then the
  report with more drugs and reactions, then the highest number (as FDA says in ASC_NTS of the extracts);
* ``withdrawn``: the case is in a list of deleted cases, whenever the list was published;
* ``nullified``: the sender took it back (E2B).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab39.solutions.signals.readers import disk, model, partwise, verdicts, wording
from lab39.solutions.signals.readers.names import Names
from lab39.solutions.signals.readers.partwise import BY_PART
from lab39.solutions.signals.readers.store import CHILDREN, MEMORY, Part, Store, connection, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_FORM = 6
"""Of the tables: a change here makes every part be settled again."""

Progress = Callable[[str, float], None]


def settle(
    store: Store,
    names: Names | None = None,
    *,
    terms: Mapping[str, str] | None = None,
    memory: str = MEMORY,
    progress: Progress = lambda _what, _done: None,
) -> Mapping[str, Mapping[str, int]]:
    """Make the tables of what counts; done again only when a part or the dictionary changed.

    Args:
        names: how drugs are looked up.
        terms: preferred terms by MedDRA code (see :mod:`~lab39.solutions.signals.readers.meddra`).
        memory: of the process; what does not fit spills into the store's folder.

    Returns:
        ``rows`` of each table, reports ``set_aside`` by reason, distinct drug names found by each ``way``.
    """
    names = names or Names()
    parts = store.parts()
    state = {"form": _FORM, "parts": _of_parts(parts), "names": _of_names(names), "terms": _digest(terms or {})}
    told = store.tables_folder / "settled.json"
    kept: Mapping[str, Any] = disk.read_json(told) or {}
    if kept.get("state") == state and _sound(store, parts):
        found: Mapping[str, Mapping[str, int]] = kept["counts"]
        return found
    beside = store.folder / "tables.new"
    shutil.rmtree(beside, ignore_errors=True)
    for table in BY_PART:
        (beside / f"{table}.parquet").mkdir(parents=True)
    con = connection(store.folder, memory)
    try:
        progress("versions", 0.0)
        _views(con, parts)
        verdicts.choose(con, lambda ranks: _mentions(part for part in parts if part.rank in ranks))
        progress("names", 0.2)
        before = kept.get("state")
        before = before if isinstance(before, dict) and before.get("form") == _FORM else {}
        same = before.get("names") == state["names"]
        done_before = kept.get("done", {}) if before else {}
        wording.gather(con, parts)
        wording.spell(con, terms or {})
        ways = wording.look_up(con, names, store.path("names"), same, beside / "names.parquet")
        named = wording.tell(con, names)
        done = partwise.write_parts(con, store, parts, done_before, beside, progress)
        progress("set aside", 0.9)
        _write(con, verdicts.SET_ASIDE, beside / "set_aside.parquet")
        _write(
            con,
            "SELECT * EXCLUDE (rank) FROM all_rejected ORDER BY source, file, line, scope, reason",
            beside / "rejected.parquet",
        )
        rows = _rows(con, beside)
        aside = dict(
            con.sql("SELECT reason, count(*) FROM chosen WHERE reason IS NOT NULL GROUP BY 1 ORDER BY 1").fetchall()
        )
    finally:
        con.close()
    counts = {"rows": rows, "set_aside": aside, "ways": ways}
    told_names = {"dictionaries": names.identity, **named}
    disk.write_json(beside / "settled.json", {"state": state, "counts": counts, "done": done, "names": told_names})
    disk.keep(beside)
    with disk.still(store.folder / ".tables.lock", writing=True):
        _replace(beside, store.tables_folder)
    progress("done", 1.0)
    return counts


def names_of(store: Store) -> Mapping[str, Any] | None:
    """How the names of a store were read at the last time: ``dictionaries`` (``name``, ``version``, ``key``), and
    what :func:`~lab39.solutions.signals.readers.wording.tell` says; None when nothing tells it."""
    kept: Mapping[str, Any] = disk.read_json(store.tables_folder / "settled.json") or {}
    found: Mapping[str, Any] | None = kept.get("names")
    return found


def _sound(store: Store, parts: Iterable[Part]) -> bool:
    """Whether every table that was written is still there, whole."""
    mine = [part.digest for part in parts if part.files("reports")] or ["none"]
    each = [store.path(table) / f"{digest}.parquet" for table in BY_PART for digest in mine]
    return all(map(disk.whole, [*each, *map(store.path, ("rejected", "set_aside", "names", "dropped"))]))


def _of_parts(parts: Iterable[Part]) -> str:
    return _digest({str(part.rank): part.digest for part in parts})


def _of_names(names: Names) -> str:
    return _digest({"names": names.identity})


def _digest(what: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(sorted(what.items())).encode()).hexdigest()


def _replace(beside: Path, place: Path) -> None:
    old = place.with_name("tables.old")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    beside.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def _views(con: DuckDBPyConnection, parts: Iterable[Part]) -> None:
    """``all_reports`` with the key of each report, ``all_withdrawn``, ``all_rejected``; each with the part's rank.

    A report's key is its place among all that were read, so that it stays what it is when more are read.
    """
    first = 1
    for table in ("reports", "withdrawn", "rejected"):
        names = ", ".join(model.columns(table))
        empty = ", ".join(f"NULL::{kind} AS {name}" for name, kind in model.columns(table).items())
        each: list[tuple[Path, int, int]] = []
        for part in parts:
            for file in part.files(table):
                each.append((file, part.rank, first))
                if table == "reports":
                    first += _rows_of(file)
        none = f"SELECT {empty}, 0::BIGINT AS rank, 0::BIGINT AS place WHERE false"
        rows = wording.ranked(each) if each else none
        key = ", place AS report_key" if table == "reports" else ""
        con.execute(f"CREATE VIEW all_{table} AS SELECT {names}, rank{key} FROM ({rows})")


def _mentions(parts: Iterable[Part]) -> str:
    """A query of the drugs and reactions of some parts: ``rank``, ``report_id``."""
    each = ["SELECT NULL::BIGINT AS rank, NULL::VARCHAR AS report_id WHERE false"]
    for part in parts:
        for table in ("drugs", "events"):
            if files := part.files(table):
                each.append(f"SELECT {part.rank}::BIGINT AS rank, report_id FROM {wording.reading(files)}")
    return " UNION ALL ".join(each)


def _write(con: DuckDBPyConnection, query: str, file: Path) -> None:
    con.execute(f"COPY ({query}) TO '{quoted(file)}' (FORMAT parquet, COMPRESSION zstd)")


def _rows(con: DuckDBPyConnection, tables: Path) -> dict[str, int]:
    """Rows of each table, those of dropped reports left out."""
    made = {}
    for table in (*BY_PART, "rejected", "set_aside"):
        place = tables / f"{table}.parquet"
        files = sorted(place.glob("*.parquet")) if place.is_dir() else [place]
        made[table] = sum(map(_rows_of, files))
        if table in CHILDREN:
            left = con.sql(f"SELECT count(*) FROM {wording.reading(files)} SEMI JOIN dropped USING (report_key)")
            made[table] -= left.fetchall()[0][0]
    return made


def _rows_of(file: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(file).num_rows)
