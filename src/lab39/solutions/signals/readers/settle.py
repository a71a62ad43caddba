"""What counts, out of everything that was read: one report a case, one spelling a term, one ingredient a drug.

``tables/reports.parquet`` has the report that counts for each case under an integer ``report_key`` and a
``report_id`` (its number; ``source:number`` when two sources use it); drugs, events and indications bear both.
These four are folders with a file for each part that was read: a part whose rows would be the same is not written
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
import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab39.solutions.signals.readers import model, verdicts, wording
from lab39.solutions.signals.readers.names import Names
from lab39.solutions.signals.readers.store import MEMORY, Part, Store, connection, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BY_PART = ("reports", "drugs", "events", "indications")
"""Tables that are a folder with a file for each part."""
_FORM = 2
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
    kept: Mapping[str, Any] = json.loads(told.read_text("utf-8")) if told.is_file() else {}
    if kept.get("state") == state:
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
        before = kept.get("state", {})
        same = (before.get("form"), before.get("names")) == (_FORM, state["names"])
        wording.gather(con, parts)
        wording.spell(con, terms or {})
        ways = wording.look_up(con, names, store.path("names"), same, beside / "names.parquet")
        done = _write_parts(con, store, parts, kept.get("done", {}), beside, progress)
        progress("set aside", 0.9)
        _write(con, verdicts.SET_ASIDE, beside / "set_aside.parquet")
        _write(
            con,
            "SELECT * EXCLUDE (rank) FROM all_rejected ORDER BY source, file, line, scope, reason",
            beside / "rejected.parquet",
        )
        aside = dict(
            con.sql("SELECT reason, count(*) FROM chosen WHERE reason IS NOT NULL GROUP BY 1 ORDER BY 1").fetchall()
        )
    finally:
        con.close()
    counts = {"rows": _rows(beside), "set_aside": aside, "ways": ways}
    (beside / "settled.json").write_text(json.dumps({"state": state, "counts": counts, "done": done}), "utf-8")
    _replace(beside, store.tables_folder)
    progress("done", 1.0)
    return counts


def _of_parts(parts: Iterable[Part]) -> str:
    return _digest({str(part.rank): part.digest for part in parts})


def _of_names(names: Names) -> str:
    return _digest({**names.dictionary, "\0packs": [name for name, _ in names.packs]})


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
    before = 0
    for table in ("reports", "withdrawn", "rejected"):
        names = ", ".join(model.columns(table))
        empty = ", ".join(f"NULL::{kind} AS {name}" for name, kind in model.columns(table).items())
        each = [f"SELECT {empty}, NULL::BIGINT AS rank, NULL::BIGINT AS report_key WHERE false"]
        for part in parts:
            for file in part.files(table):
                rows = wording.reading([file], ", file_row_number=true")
                key = f"{before + 1} + file_row_number" if table == "reports" else "NULL::BIGINT"
                each.append(f"SELECT {names}, {part.rank}::BIGINT AS rank, {key} AS report_key FROM {rows}")
                if table == "reports":
                    before += _rows_of(file)
        if table != "reports":
            each = [f"SELECT * EXCLUDE (report_key) FROM ({query})" for query in each]
        con.execute(f"CREATE VIEW all_{table} AS {' UNION ALL '.join(each)}")


def _mentions(parts: Iterable[Part]) -> str:
    """A query of the drugs and reactions of some parts: ``rank``, ``report_id``."""
    each = ["SELECT NULL::BIGINT AS rank, NULL::VARCHAR AS report_id WHERE false"]
    for part in parts:
        for table in ("drugs", "events"):
            if files := part.files(table):
                each.append(f"SELECT {part.rank}::BIGINT AS rank, report_id FROM {wording.reading(files)}")
    return " UNION ALL ".join(each)


def _write_parts(
    con: DuckDBPyConnection,
    store: Store,
    parts: Iterable[Part],
    before: Mapping[str, str],
    beside: Path,
    progress: Progress,
) -> Mapping[str, str]:
    """Write what counts of each part, or take what was written before when it would be the same."""
    parts = [part for part in parts if part.files("reports")]
    states = _part_states(con)
    done: dict[str, str] = {}
    for at, part in enumerate(parts):
        progress(part.name, 0.3 + 0.6 * at / len(parts))
        done[part.digest] = states.get(part.rank, "")
        there = [store.path(table) / f"{part.digest}.parquet" for table in BY_PART]
        if before.get(part.digest) == done[part.digest] and all(file.is_file() for file in there):
            for file in there:
                _take(file, beside / file.parent.name / file.name)
        else:
            _write_part(con, part, beside)
    if not parts:
        for table in BY_PART:
            _write_table(con, table, "false", [], beside / f"{table}.parquet" / "none.parquet")
    return done


def _part_states(con: DuckDBPyConnection) -> dict[int, str]:
    """What decides of the rows of each part: which of its reports count, how its terms and names are read."""
    found = con.sql(
        """
        SELECT rank, concat_ws(' ', any_value(c.state), any_value(t.state), any_value(n.state)) FROM
            (SELECT rank, concat(count(*), ' ', bit_xor(hash(report_key, number))) AS state
                FROM current GROUP BY rank) c
            LEFT JOIN (SELECT rank, bit_xor(hash(t.event, t.code, t.code_system, s.spelt)) AS state
                FROM told_terms t JOIN spelling s ON s.event = t.event AND s.code IS NOT DISTINCT FROM t.code
                    AND s.code_system IS NOT DISTINCT FROM t.code_system GROUP BY rank) t USING (rank)
            LEFT JOIN (SELECT rank, bit_xor(hash(t.drug, t.said, k.ingredient, k.ingredient_by)) AS state
                FROM told_names t JOIN naming k ON k.drug IS NOT DISTINCT FROM t.drug
                    AND k.said IS NOT DISTINCT FROM t.said GROUP BY rank) n USING (rank)
        GROUP BY rank
        """
    )
    return dict(found.fetchall())


def _take(file: Path, into: Path) -> None:
    """The file under another name: the same bytes where the disk can, a copy elsewhere."""
    try:
        os.link(file, into)
    except OSError:
        shutil.copyfile(file, into)


def _write_part(con: DuckDBPyConnection, part: Part, beside: Path) -> None:
    con.execute(
        "CREATE OR REPLACE TEMP TABLE here AS "
        f"SELECT report_id AS own, report_key, number AS report_id FROM current WHERE rank = {part.rank}"
    )
    for table in BY_PART:
        _write_table(con, table, "true", part.files(table), beside / f"{table}.parquet" / f"{part.digest}.parquet")


_JOINS: Mapping[str, str] = {
    "drugs": "JOIN naming k ON k.drug IS NOT DISTINCT FROM t.drug AND k.said IS NOT DISTINCT FROM t.ingredient",
    "events": "JOIN spelling s ON s.event = t.event AND s.code IS NOT DISTINCT FROM t.code "
    "AND s.code_system IS NOT DISTINCT FROM t.code_system",
}
_FIRST: Mapping[str, str] = {
    "drugs": "t.drug, k.ingredient, k.ingredient_by, t.ingredient AS ingredient_given, ",
    "events": "s.spelt AS event, t.event AS event_given, ",
}


def _write_table(con: DuckDBPyConnection, table: str, where: str, files: list[Path], into: Path) -> None:
    """A table of one part under the keys and numbers of ``here``."""
    kinds = model.columns(table)
    rows = wording.reading(files) if files else f"(SELECT {_nulls(kinds)} WHERE false)"
    if not con.sql("SELECT 1 FROM duckdb_tables() WHERE table_name = 'here'").fetchall():
        con.execute("CREATE TEMP TABLE here (own VARCHAR, report_key BIGINT, report_id VARCHAR)")
    special = ("report_id", "drug", "ingredient") if table == "drugs" else ("report_id",)
    special = (*special, "event") if table == "events" else special
    others = ", ".join(f"t.{name}" for name in kinds if name not in special)
    _write(
        con,
        f"SELECT h.report_key, h.report_id, {_FIRST.get(table, '')}{others} FROM {rows} t "
        f"JOIN here h ON h.own = t.report_id {_JOINS.get(table, '')} WHERE {where}",
        into,
    )


def _nulls(kinds: Mapping[str, str]) -> str:
    return ", ".join(f"NULL::{kind} AS {name}" for name, kind in kinds.items())


def _write(con: DuckDBPyConnection, query: str, file: Path) -> None:
    con.execute(f"COPY ({query}) TO '{quoted(file)}' (FORMAT parquet, COMPRESSION zstd)")


def _rows(tables: Path) -> dict[str, int]:
    """Rows of each table."""
    made = {}
    for table in (*BY_PART, "rejected", "set_aside"):
        place = tables / f"{table}.parquet"
        made[table] = sum(map(_rows_of, place.glob("*.parquet") if place.is_dir() else [place]))
    return made


def _rows_of(file: Path) -> int:
    import pyarrow.parquet as pq

    return int(pq.read_metadata(file).num_rows)
