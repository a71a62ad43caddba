"""The tables that have a file for each part: written for a new part, taken as they are when nothing changed.

A new quarter brings later versions of cases of nearly every quarter before it. What it takes from an older part is
a few reports: the part's ``reports`` are written again, so that they are always those that count; its drugs, events
and indications are kept, and the reports that no longer count are listed in ``dropped.parquet`` until they are
more than :data:`MANY` of the part. Whoever
reads these three without joining them to the reports leaves that list out, as ``Store.connect`` and the counts do.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lab39.solutions.signals.readers import disk, model, wording
from lab39.solutions.signals.readers.store import CHILDREN, Part, Store, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BY_PART = ("reports", *CHILDREN)
"""Tables that are a folder with a file for each part."""
MANY = 0.05
"""Share of dropped reports above which a part is written again."""

_STATES = {
    "reports": "SELECT rank, concat(count(*), ' ', bit_xor(hash(report_key, number))) FROM current GROUP BY rank",
    "terms": """SELECT rank, bit_xor(hash(t.event, t.code, t.code_system, s.spelt))::VARCHAR
        FROM told_terms t JOIN spelling s ON s.event = t.event AND s.code IS NOT DISTINCT FROM t.code
            AND s.code_system IS NOT DISTINCT FROM t.code_system GROUP BY rank""",
    "names": """SELECT rank, bit_xor(hash(t.drug, t.said, k.ingredient, k.ingredient_by))::VARCHAR
        FROM told_names t JOIN naming k ON k.drug IS NOT DISTINCT FROM t.drug
            AND k.said IS NOT DISTINCT FROM t.said GROUP BY rank""",
}
"""What decides of the rows of each part: which of its reports count, how its terms and its names are read."""
_JOINS: Mapping[str, str] = {
    "drugs": "JOIN naming k ON k.drug IS NOT DISTINCT FROM t.drug AND k.said IS NOT DISTINCT FROM t.ingredient",
    "events": "JOIN spelling s ON s.event = t.event AND s.code IS NOT DISTINCT FROM t.code "
    "AND s.code_system IS NOT DISTINCT FROM t.code_system",
}
_FIRST: Mapping[str, str] = {
    "drugs": "t.drug, k.ingredient, k.ingredient_by, t.ingredient AS ingredient_given, ",
    "events": "s.spelt AS event, t.event AS event_given, ",
}
_SPECIAL: Mapping[str, tuple[str, ...]] = {
    "drugs": ("report_id", "drug", "ingredient"),
    "events": ("report_id", "event"),
}

State = Mapping[str, str | None]


def write_parts(
    con: DuckDBPyConnection,
    store: Store,
    parts: Iterable[Part],
    before: Mapping[str, State],
    beside: Path,
    progress: Callable[[str, float], None],
) -> Mapping[str, State]:
    """Write what counts of each part, or take what was written before when it would be the same.

    Args:
        con: with ``chosen``, ``current``, ``spelling``, ``naming`` and what each part says.
        before: what decided of the files that are there, by digest of the part.
        beside: the folder of the new tables.

    Returns:
        What decides of the files now, for the next time.
    """
    parts = [part for part in parts if part.files("reports")]
    found = {what: dict(con.sql(query).fetchall()) for what, query in _STATES.items()}
    _begin(con, store.path("dropped"))
    before = before if disk.whole(store.path("dropped")) else {}
    done: dict[str, State] = {}
    for at, part in enumerate(parts):
        progress(part.name, 0.3 + 0.6 * at / len(parts))
        now = {what: states.get(part.rank) for what, states in found.items()}
        done[part.digest] = now
        there = {table: store.path(table) / f"{part.digest}.parquet" for table in BY_PART}
        then = before.get(part.digest, {}) if all(map(disk.whole, there.values())) else {}
        con.execute(
            "CREATE OR REPLACE TEMP TABLE here AS "
            f"SELECT report_id AS own, report_key, number AS report_id FROM current WHERE rank = {part.rank}"
        )
        kept: tuple[str, ...] = ()
        if then == now:
            _carry(con, part.rank)
            kept = BY_PART
        elif {**then, "reports": now["reports"]} == now and _few(con, part.rank, there["reports"]):
            kept = CHILDREN
        for table in BY_PART:
            into = beside / f"{table}.parquet" / f"{part.digest}.parquet"
            if table in kept:
                _take(there[table], into)
            else:
                _write_table(con, table, part.files(table), into)
    if not parts:
        for table in BY_PART:
            _write_table(con, table, [], beside / f"{table}.parquet" / "none.parquet")
    con.execute(f"COPY dropped TO '{quoted(beside / 'dropped.parquet')}' (FORMAT parquet, COMPRESSION zstd)")
    return done


def _begin(con: DuckDBPyConnection, dropped: Path) -> None:
    con.execute(
        """
        CREATE TEMP TABLE here (own VARCHAR, report_key BIGINT, report_id VARCHAR);
        CREATE TABLE dropped (report_key BIGINT, report_id VARCHAR);
        CREATE TABLE dropped_before (report_key BIGINT, report_id VARCHAR);
        CREATE TABLE spans AS
            SELECT rank, min(report_key) AS low, max(report_key) AS high FROM chosen GROUP BY rank;
        """
    )
    if disk.whole(dropped):
        con.execute(f"INSERT INTO dropped_before SELECT report_key, report_id FROM {wording.reading([dropped])}")


def _of_part(rank: int) -> str:
    return (
        "SELECT report_key, report_id FROM dropped_before "
        f"JOIN spans ON spans.rank = {rank} AND report_key BETWEEN low AND high"
    )


def _carry(con: DuckDBPyConnection, rank: int) -> None:
    """What a part dropped before stays dropped."""
    con.execute(f"INSERT INTO dropped {_of_part(rank)}")


def _few(con: DuckDBPyConnection, rank: int, reports: Path) -> bool:
    """Whether the reports ``here`` are those that were written but for a few, which are then dropped."""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE written AS SELECT report_key, report_id FROM {wording.reading([reports])} "
        f"UNION ALL {_of_part(rank)}"
    )
    [(whole, new, gone)] = con.sql(
        """SELECT (SELECT count(*) FROM written),
            (SELECT count(*) FROM here ANTI JOIN written USING (report_key, report_id)),
            (SELECT count(*) FROM written ANTI JOIN here USING (report_key))"""
    ).fetchall()
    if new or gone > MANY * whole:
        return False
    con.execute("INSERT INTO dropped SELECT written.* FROM written ANTI JOIN here USING (report_key)")
    return True


def _take(file: Path, into: Path) -> None:
    """The file under another name: the same bytes where the disk can, a copy elsewhere."""
    try:
        os.link(file, into)
    except OSError:
        shutil.copyfile(file, into)


def _write_table(con: DuckDBPyConnection, table: str, files: list[Path], into: Path) -> None:
    """A table of one part under the keys and numbers of ``here``."""
    kinds = model.columns(table)
    empty = ", ".join(f"NULL::{kind} AS {name}" for name, kind in kinds.items())
    rows = wording.reading(files) if files else f"(SELECT {empty} WHERE false)"
    others = ", ".join(f"t.{name}" for name in kinds if name not in _SPECIAL.get(table, ("report_id",)))
    con.execute(
        f"COPY (SELECT h.report_key, h.report_id, {_FIRST.get(table, '')}{others} FROM {rows} t "
        f"JOIN here h ON h.own = t.report_id {_JOINS.get(table, '')}) "
        f"TO '{quoted(into)}' (FORMAT parquet, COMPRESSION zstd)"
    )
