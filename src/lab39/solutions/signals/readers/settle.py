"""What counts, out of everything that was read: one report a case, one spelling a term, one ingredient a drug.

``tables/reports.parquet`` has the report that counts for each case under an integer ``report_key`` and a
``report_id`` (its number; ``source:number`` when two sources use it); drugs, events and indications bear both.
Every other report is in ``tables/set_aside.parquet`` with the reason and the report that counts in its place:

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
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lab39.solutions.signals.readers import model
from lab39.solutions.signals.readers.names import Names, count_ways
from lab39.solutions.signals.readers.store import MEMORY, Store, connection, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def settle(
    store: Store,
    names: Names | None = None,
    *,
    terms: Mapping[str, str] | None = None,
    memory: str = MEMORY,
    progress: Callable[[str, float], None] = lambda _what, _done: None,
) -> Mapping[str, Mapping[str, int]]:
    """Make the tables of what counts; done again only when a part or the dictionary changed.

    Args:
        names: how drugs are looked up.
        terms: preferred terms by MedDRA code (see :mod:`~lab39.solutions.signals.readers.meddra`).

    Returns:
        ``rows`` of each table, reports ``set_aside`` by reason, distinct drug names found by each ``way``.
    """
    names = names or Names()
    state = _state(store, names, terms or {})
    told = store.tables_folder / "settled.json"
    if told.is_file() and (kept := json.loads(told.read_text("utf-8"))).get("state") == state:
        found: Mapping[str, Mapping[str, int]] = kept["counts"]
        return found
    beside = store.folder / "tables.new"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    con = connection(store.folder, memory)
    try:
        _views(con, store)
        progress("versions", 0.0)
        _choose(con)
        progress("reports", 0.2)
        _write_reports(con, beside)
        progress("events", 0.35)
        _write_events(con, beside, terms or {})
        progress("drugs", 0.55)
        ways = _write_drugs(con, beside, names)
        progress("rejected", 0.9)
        _write(
            con,
            "SELECT * EXCLUDE (rank) FROM all_rejected ORDER BY source, file, line, scope, reason",
            beside,
            "rejected",
        )
        rows = {
            table: con.sql(f"SELECT count(*) FROM read_parquet('{quoted(beside / table)}.parquet')").fetchall()[0][
                0
            ]
            for table in ("reports", "drugs", "events", "indications", "rejected", "set_aside")
        }
        aside = dict(
            con.sql("SELECT reason, count(*) FROM chosen WHERE reason IS NOT NULL GROUP BY 1 ORDER BY 1").fetchall()
        )
    finally:
        con.close()
    counts = {"rows": rows, "set_aside": aside, "ways": ways}
    (beside / "settled.json").write_text(json.dumps({"state": state, "counts": counts}), "utf-8")
    _replace(beside, store.tables_folder)
    progress("done", 1.0)
    return counts


def _state(store: Store, names: Names, terms: Mapping[str, str]) -> str:
    whole = hashlib.sha256()
    for part in store.parts():
        whole.update(f"{part.rank} {part.digest}\n".encode())
    for name, what in sorted(names.dictionary.items()):
        whole.update(f"{name}\t{what}\n".encode())
    whole.update(repr([name for name, _ in names.packs]).encode())
    whole.update(repr(sorted(terms.items())).encode())
    return whole.hexdigest()


def _replace(beside: Path, place: Path) -> None:
    old = place.with_name("tables.old")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    beside.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def _views(con: DuckDBPyConnection, store: Store) -> None:
    """``all_<table>``: the rows of every part, with the rank of the part."""
    con.execute("CREATE TABLE part_files (filename VARCHAR, rank BIGINT)")
    for table in model.TABLES:
        listed: list[str] = []
        for part in store.parts():
            for file in sorted(part.folder.glob(f"{table}.*parquet")):
                listed.append(f"'{quoted(file)}'")
                con.execute("INSERT INTO part_files VALUES (?, ?)", [str(file), part.rank])
        if listed:
            names = ", ".join(model.columns(table))
            con.sql(
                f"CREATE VIEW all_{table} AS SELECT {names}, rank FROM "
                f"read_parquet([{', '.join(listed)}], filename=true) JOIN part_files USING (filename)"
            )
        else:
            names = ", ".join(f"NULL::{kind} AS {name}" for name, kind in model.columns(table).items())
            con.sql(f"CREATE VIEW all_{table} AS SELECT {names}, NULL::BIGINT AS rank WHERE false")


def _choose(con: DuckDBPyConnection) -> None:
    """``chosen``: each report with the reason it is set aside (null when it counts), and its key."""
    con.sql(
        """
        CREATE TABLE seen AS SELECT report_id, source, case_id, coalesce(version, 0) AS version, quarter, received,
            coalesce(nullified, false) AS nullified, rank,
            row_number() OVER (PARTITION BY source, report_id
                ORDER BY quarter DESC NULLS LAST, received DESC NULLS LAST, rank DESC) AS place
        FROM all_reports;
        CREATE TABLE tied AS SELECT source, case_id, version, received FROM seen
            WHERE place = 1 AND case_id IS NOT NULL GROUP BY ALL HAVING count(*) > 1;
        CREATE TABLE tied_reports AS SELECT rank, report_id FROM seen SEMI JOIN tied ON
            seen.source = tied.source AND seen.case_id = tied.case_id AND seen.version = tied.version
            AND seen.received IS NOT DISTINCT FROM tied.received WHERE place = 1;
        CREATE TABLE richness AS SELECT rank, report_id, count(*) AS told FROM (
            SELECT rank, report_id FROM all_drugs SEMI JOIN tied_reports USING (rank, report_id)
            UNION ALL SELECT rank, report_id FROM all_events SEMI JOIN tied_reports USING (rank, report_id)
        ) GROUP BY ALL;
        CREATE TABLE ordered AS SELECT s.*, row_number() OVER (
                PARTITION BY source,
                    CASE WHEN case_id IS NULL THEN 'report ' || report_id ELSE 'case ' || case_id END
                ORDER BY version DESC, received DESC NULLS LAST, coalesce(told, 0) DESC,
                    try_cast(report_id AS BIGINT) DESC NULLS LAST, report_id DESC
            ) AS turn
        FROM seen s LEFT JOIN richness USING (rank, report_id) WHERE place = 1;
        CREATE TABLE gone AS SELECT DISTINCT source, case_id FROM all_withdrawn;
        CREATE TABLE verdict AS
            SELECT o.report_id, o.source, o.case_id, rank, CASE
                WHEN gone.case_id IS NOT NULL THEN 'withdrawn'
                WHEN turn > 1 THEN 'superseded'
                WHEN nullified THEN 'nullified' END AS reason
            FROM ordered o LEFT JOIN gone ON gone.source = o.source AND gone.case_id = o.case_id
            UNION ALL SELECT report_id, source, case_id, rank, 'repeated' FROM seen WHERE place > 1;
        CREATE TABLE chosen AS SELECT v.*,
            CASE WHEN reason IS NULL THEN
                row_number() OVER (PARTITION BY reason IS NULL ORDER BY source, report_id) END AS report_key
        FROM verdict v;
        CREATE TABLE shared_numbers AS SELECT report_id FROM chosen WHERE reason IS NULL
            GROUP BY report_id HAVING count(*) > 1;
        CREATE TABLE current AS SELECT rank, report_id, report_key, source,
            CASE WHEN report_id IN (FROM shared_numbers) THEN source || ':' || report_id ELSE report_id END
                AS number
        FROM chosen WHERE reason IS NULL;
        """
    )


def _write(con: DuckDBPyConnection, query: str, folder: Path, table: str) -> None:
    con.sql(f"COPY ({query}) TO '{quoted(folder / table)}.parquet' (FORMAT parquet, COMPRESSION zstd)")


def _write_reports(con: DuckDBPyConnection, folder: Path) -> None:
    names = ", ".join(f"r.{name}" for name in model.columns("reports") if name != "report_id")
    _write(
        con,
        f"""SELECT report_key, number AS report_id, {names}
        FROM all_reports r JOIN current c USING (rank, report_id) ORDER BY report_key""",
        folder,
        "reports",
    )
    _write(
        con,
        """SELECT a.source, a.report_id, a.case_id, a.reason, k.number AS counts_instead
        FROM chosen a LEFT JOIN (
            SELECT c.*, chosen.case_id FROM current c JOIN chosen USING (rank, report_id)
        ) k ON a.source = k.source
            AND (a.report_id = k.report_id OR (a.case_id = k.case_id AND a.reason = 'superseded'))
        WHERE a.reason IS NOT NULL ORDER BY ALL""",
        folder,
        "set_aside",
    )
    _write(
        con,
        """SELECT report_key, number AS report_id, drug_seq, indication, code, code_system
        FROM all_indications JOIN current c USING (rank, report_id) ORDER BY ALL""",
        folder,
        "indications",
    )


def _write_events(con: DuckDBPyConnection, folder: Path, terms: Mapping[str, str]) -> None:
    """Terms differ by their capitals from one extract to another: the commonest mixed-case spelling is used.

    A MedDRA code that the licensee's own MedDRA knows gives its preferred term.
    """
    import pyarrow as pa

    pairs = {"code": pa.array(list(terms), pa.string()), "term": pa.array(list(terms.values()), pa.string())}
    con.register("terms", pa.table(pairs))
    con.sql(
        """CREATE VIEW named_events AS SELECT e.* EXCLUDE (event), e.event AS event_given,
            coalesce(t.term, e.event) AS event
        FROM all_events e JOIN current USING (rank, report_id)
            LEFT JOIN terms t ON t.code = e.code AND e.code_system = 'MedDRA'
        WHERE e.event IS NOT NULL"""
    )
    con.sql(
        """
        CREATE TABLE spelling AS
        SELECT folded, arg_max(spelt, {'mixed': mixed, 'n': n, 'spelt': spelt}) AS spelt FROM (
            SELECT lower(event) AS folded, count(*) AS n, (event <> upper(event))::BIGINT AS mixed,
                CASE WHEN event = upper(event) THEN upper(event[1]) || lower(event[2:]) ELSE event END AS spelt
            FROM named_events GROUP BY event
        ) GROUP BY folded
        """
    )
    names = ", ".join(f"e.{name}" for name in model.columns("events") if name not in ("report_id", "event"))
    _write(
        con,
        f"""SELECT report_key, number AS report_id, s.spelt AS event, e.event_given, {names}
        FROM named_events e JOIN current c USING (rank, report_id) JOIN spelling s ON s.folded = lower(e.event)
        ORDER BY report_key, seq""",
        folder,
        "events",
    )


def _write_drugs(con: DuckDBPyConnection, folder: Path, names: Names) -> Mapping[str, int]:
    import pyarrow as pa

    con.sql(
        """CREATE TABLE told_names AS SELECT DISTINCT drug, ingredient AS said
        FROM all_drugs JOIN current USING (rank, report_id) ORDER BY ALL"""
    )
    rows = con.sql("SELECT drug, said FROM told_names ORDER BY ALL").fetchall()
    found = [names.find(drug, said) for drug, said in rows]
    known = pa.table(
        {
            "drug": pa.array([drug for drug, _ in rows], pa.string()),
            "said": pa.array([said for _, said in rows], pa.string()),
            "ingredient": pa.array([what for what, _ in found], pa.string()),
            "ingredient_by": pa.array([way for _, way in found], pa.string()),
        }
    )
    con.register("known_names", known)
    columns = ", ".join(
        f"d.{name}" for name in model.columns("drugs") if name not in ("report_id", "drug", "ingredient")
    )
    _write(
        con,
        f"""SELECT report_key, number AS report_id, d.drug, k.ingredient, k.ingredient_by,
            d.ingredient AS ingredient_given, {columns}
        FROM all_drugs d JOIN current c USING (rank, report_id) JOIN known_names k
            ON d.drug IS NOT DISTINCT FROM k.drug AND d.ingredient IS NOT DISTINCT FROM k.said
        ORDER BY report_key, seq""",
        folder,
        "drugs",
    )
    return count_ways(found)
