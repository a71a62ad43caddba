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
from collections.abc import Callable, Iterable, Iterator, Mapping
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
TOGETHER = 200_000
"""Reports that are compared at once: those of a hundred small parts, or of one quarter of FAERS of today."""

ONLY_LOST, SOME_BACK = "only lost", "some back"

_STATES = {
    "reports": """SELECT rank, concat(count(*), ' ', bit_xor(hash(hash(report_key, number))))
        FROM current GROUP BY rank""",
    "terms": """SELECT rank, bit_xor(hash(hash(t.event, t.code, t.code_system, s.spelt)))::VARCHAR
        FROM told_terms t JOIN spelling s ON s.event = t.event AND s.code IS NOT DISTINCT FROM t.code
            AND s.code_system IS NOT DISTINCT FROM t.code_system GROUP BY rank""",
    "names": """SELECT rank, bit_xor(hash(hash(t.drug, t.said, k.ingredient, k.ingredient_by)))::VARCHAR
        FROM told_names t JOIN naming k ON k.drug IS NOT DISTINCT FROM t.drug
            AND k.said IS NOT DISTINCT FROM t.said GROUP BY rank""",
}
"""What decides of the rows of each part: which of its reports count, how its terms and its names are read.

Hashed twice: the last of several values only flips bits of DuckDB's hash, so that the same change in two rows (a
term that a part writes in two ways, spelt otherwise from now on) would not be seen in their ``xor``."""
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
    same: set[int] = set()
    touched: dict[int, Path] = {}
    for part in parts:
        now = done[part.digest] = {what: states.get(part.rank) for what, states in found.items()}
        there = [_file(store.tables_folder, table, part) for table in BY_PART]
        then = before.get(part.digest, {}) if all(map(disk.whole, there)) else {}
        if then == now:
            same.add(part.rank)
        elif {**then, "reports": now["reports"]} == now:
            touched[part.rank] = there[0]
    few = {rank: how for group in _groups(touched) for rank, how in _few(con, group).items()}
    _carry(con, same, few)
    for at, part in enumerate(parts):
        progress(part.name, 0.3 + 0.6 * at / len(parts))
        kept = BY_PART if part.rank in same else CHILDREN if part.rank in few else ()
        if few.get(part.rank) != ONLY_LOST and part.rank not in same:
            con.execute(
                "CREATE OR REPLACE TEMP TABLE here AS "
                f"SELECT report_id AS own, report_key, number AS report_id FROM current WHERE rank = {part.rank}"
            )
        for table in BY_PART:
            before_it, into = (_file(folder, table, part) for folder in (store.tables_folder, beside))
            if table in kept:
                _take(before_it, into)
            elif few.get(part.rank) == ONLY_LOST:
                _write_without(con, before_it, part.rank, into)
            else:
                _write_table(con, table, part.files(table), into)
    if not parts:
        for table in BY_PART:
            _write_table(con, table, [], beside / f"{table}.parquet" / "none.parquet")
    con.execute(f"COPY dropped TO '{quoted(beside / 'dropped.parquet')}' (FORMAT parquet, COMPRESSION zstd)")
    return done


def _file(folder: Path, table: str, part: Part) -> Path:
    return folder / f"{table}.parquet" / f"{part.digest}.parquet"


def _begin(con: DuckDBPyConnection, dropped: Path) -> None:
    """``dropped_before``, with the rank of the part that each report is of now."""
    con.execute(
        """
        CREATE TEMP TABLE here (own VARCHAR, report_key BIGINT, report_id VARCHAR);
        CREATE TABLE dropped (report_key BIGINT, report_id VARCHAR);
        CREATE TABLE dropped_before (rank BIGINT, report_key BIGINT, report_id VARCHAR);
        CREATE TABLE lost (rank BIGINT, report_key BIGINT, report_id VARCHAR);
        """
    )
    if disk.whole(dropped):
        con.execute(
            f"""
            INSERT INTO dropped_before SELECT p.rank, d.report_key, d.report_id
            FROM {wording.reading([dropped])} d JOIN
                (SELECT rank, min(report_key) AS low, max(report_key) AS high FROM chosen GROUP BY rank) p
                ON d.report_key BETWEEN p.low AND p.high
            """
        )


def _groups(touched: Mapping[int, Path]) -> Iterator[Mapping[int, Path]]:
    """Parts that have at most :data:`TOGETHER` reports between them, or one part: memory stays bounded."""
    import pyarrow.parquet as pq

    group: dict[int, Path] = {}
    rows = 0
    for rank, file in touched.items():
        more = pq.read_metadata(file).num_rows
        if group and rows + more > TOGETHER:
            yield group
            group, rows = {}, 0
        group[rank] = file
        rows += more
    if group:
        yield group


def _few(con: DuckDBPyConnection, touched: Mapping[int, Path]) -> Mapping[int, str]:
    """The parts, by rank, whose reports that count are those that were written but for a few, which are ``lost``.

    Many parts at once: a statement for each costs more than what it reads when they are small.

    Args:
        touched: the file of the reports that were written, by rank.

    Returns:
        :data:`ONLY_LOST`, or :data:`SOME_BACK` when a report that was dropped counts again.
    """
    ranks = ", ".join(map(str, touched))
    files = wording.ranked((file, rank, 0) for rank, file in touched.items())
    con.execute(
        f"""
        CREATE TABLE written AS
            SELECT rank, report_key, report_id, false AS dropped FROM ({files})
            UNION ALL SELECT rank, report_key, report_id, true FROM dropped_before WHERE rank IN ({ranks});
        INSERT INTO lost SELECT w.rank, w.report_key, w.report_id FROM written w
            ANTI JOIN (FROM current WHERE rank IN ({ranks})) c USING (rank, report_key);
        """
    )
    found = con.sql(
        f"""
        SELECT w.rank, w.back > 0 FROM
            (SELECT w.rank, count(*) AS whole, count(*) FILTER (w.dropped AND c.rank IS NOT NULL) AS back
                FROM written w LEFT JOIN (FROM current WHERE rank IN ({ranks})) c
                    ON c.rank = w.rank AND c.report_key = w.report_key
                GROUP BY w.rank) w
            LEFT JOIN (SELECT rank, count(*) AS gone FROM lost GROUP BY rank) l ON l.rank = w.rank
            ANTI JOIN (SELECT rank FROM current c WHERE rank IN ({ranks}) AND NOT EXISTS (FROM written w WHERE
                w.rank = c.rank AND w.report_key = c.report_key AND w.report_id = c.number)) n ON n.rank = w.rank
        WHERE coalesce(l.gone, 0) <= {MANY} * w.whole
        """
    ).fetchall()
    con.execute("DROP TABLE written")
    return {rank: SOME_BACK if back else ONLY_LOST for rank, back in found}


def _carry(con: DuckDBPyConnection, same: Iterable[int], few: Iterable[int]) -> None:
    """What a part dropped before stays dropped; what it lost is dropped now."""
    for ranks, table in ((same, "dropped_before"), (few, "lost")):
        listed = ", ".join(map(str, ranks)) or "NULL"
        con.execute(f"INSERT INTO dropped SELECT report_key, report_id FROM {table} WHERE rank IN ({listed})")


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


def _write_without(con: DuckDBPyConnection, file: Path, rank: int, into: Path) -> None:
    """The reports that were written, but for those that the part lost."""
    con.execute(
        f"COPY (SELECT w.* FROM {wording.reading([file])} w ANTI JOIN lost l ON l.rank = {rank} "
        f"AND l.report_key = w.report_key) TO '{quoted(into)}' (FORMAT parquet, COMPRESSION zstd)"
    )
