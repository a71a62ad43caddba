"""FAERS and AERS ASCII quarters into the case model.

Children (drugs, reactions…) are joined to their report by primaryid (ISR before 2012Q4). Indications stay apart
from reactions. A row of one table whose report is in no DEMO row is kept with the reason.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lab39.solutions.signals.readers import faers_lines, model
from lab39.solutions.signals.readers.errors import refuse
from lab39.solutions.signals.readers.faers_files import SOURCE, Quarter, facts
from lab39.solutions.signals.readers.names import country_codes
from lab39.solutions.signals.readers.part_writer import RAW, PartWriter
from lab39.solutions.signals.readers.store import connection, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MAX_AGE_YEARS = 125
MAX_WEIGHT_KG = 650


def read(
    quarter: Quarter,
    part: PartWriter,
    *,
    strict: bool = False,
    alive: Callable[[int], None] = lambda _bytes: None,
) -> None:
    """Read a quarter into a part of the store.

    Raises:
        InputError: an empty quarter, a file that cannot be read as its table, too many broken lines.
    """
    staging = part.folder / ".stage"
    staging.mkdir()
    try:
        con = connection(staging)
        try:
            for table, item in sorted(quarter.tables.items()):
                file = staging / f"{table}.parquet"
                rows = faers_lines.stage(quarter.quarter, table, item, file, part, strict=strict, alive=alive)
                if not rows and table in facts()["tables"]["required"]:
                    raise refuse(
                        item.name,
                        f"trimestre {quarter.quarter} vide : {table} n'a aucune ligne sous son en-tête",
                        f"quarter {quarter.quarter} is empty: {table} has no line under its header",
                    )
            _stage_views(con, quarter, staging)
            _fill(con, quarter, part)
        finally:
            con.close()
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _stage_views(con: DuckDBPyConnection, quarter: Quarter, staging: Path) -> None:
    """One view a table, with every column we know: absent ones are null, blanks are null, texts are trimmed."""
    con.sql(
        r"""
        CREATE MACRO said(x) AS nullif(trim(x, E' \t\r\n'), '');
        CREATE MACRO iso(x) AS CASE
            WHEN regexp_full_match(x, '\d{8}') AND try_strptime(x, '%Y%m%d') IS NOT NULL
                THEN x[1:4] || '-' || x[5:6] || '-' || x[7:8]
            WHEN regexp_full_match(x, '\d{4}(0[1-9]|1[0-2])') THEN x[1:4] || '-' || x[5:6]
            WHEN regexp_full_match(x, '(1[89]|20)\d{2}') THEN x END;
        """
    )
    for table, wanted in facts()["columns"].items():
        item = quarter.tables.get(table)
        if item is None:
            names = ", ".join(f"NULL::VARCHAR AS {name}" for name in wanted)
            con.sql(f"CREATE VIEW {table} AS SELECT {names}, NULL::BIGINT AS line WHERE false")
            continue
        source = f"read_parquet('{quoted(staging / f'{table}.parquet')}')"
        have = set(con.sql(f"SELECT * FROM {source} LIMIT 0").columns)
        names = ", ".join(
            f"said({name}) AS {name}" if name in have else f"NULL::VARCHAR AS {name}" for name in wanted
        )
        con.sql(f"CREATE VIEW {table} AS SELECT {names}, line FROM {source}")
    for name in ("years_for_age", "kg_for_weight", "reporters", "roles", "outcomes"):
        _codes(con, name, facts()[name])
    _codes(con, "countries", country_codes())


def _codes(con: DuckDBPyConnection, name: str, meanings: Mapping[str, object]) -> None:
    import pyarrow as pa

    con.register(name, pa.table({"code": list(meanings), "value": [str(each) for each in meanings.values()]}))


def _fill(con: DuckDBPyConnection, quarter: Quarter, part: PartWriter) -> None:
    """Write the tables of the part."""
    _one_row_a_report(con, quarter, part)
    _reports(con, quarter, part)
    _children(con, part)
    _bare(con, part)
    _rejected_values(con, quarter, part)
    for table in ("DRUG", "REAC", "INDI", "OUTC", "THER"):
        _orphans(con, quarter, part, table)


def _one_row_a_report(con: DuckDBPyConnection, quarter: Quarter, part: PartWriter) -> None:
    """DEMO with one row a primaryid. A row said twice is one; where two rows disagree, the field is left blank."""
    fields = [name for name in facts()["columns"]["DEMO"] if name != "primaryid"]
    con.sql("CREATE TABLE twice AS SELECT primaryid FROM DEMO GROUP BY 1 HAVING count(*) > 1")
    one = ", ".join(f"CASE WHEN min({f}) IS NOT DISTINCT FROM max({f}) THEN min({f}) END AS {f}" for f in fields)
    apart = ", ".join(f"CASE WHEN min({f}) IS DISTINCT FROM max({f}) THEN '{f}' END" for f in fields)
    con.sql(
        f"""
        CREATE TABLE demo1 AS
            SELECT primaryid, {", ".join(fields)}, line FROM DEMO
            WHERE primaryid IS NOT NULL AND primaryid NOT IN (FROM twice)
            UNION ALL BY NAME
            SELECT primaryid, {one}, min(line) AS line FROM DEMO
            WHERE primaryid IN (FROM twice) GROUP BY primaryid
        """
    )
    file = quarter.tables["DEMO"].name
    rows = con.sql(
        f"""
        SELECT d.line, concat_ws('$', d.primaryid, {", ".join(f"coalesce(d.{f}, '')" for f in fields)}), bad.what
        FROM DEMO d JOIN (
            SELECT primaryid, concat_ws(', ', {apart}) AS what FROM DEMO
            WHERE primaryid IN (FROM twice) GROUP BY 1
        ) bad USING (primaryid) WHERE bad.what <> '' ORDER BY d.line
        """
    ).fetchall()
    for line, raw, what in rows:
        part.reject(SOURCE, file, line, f"rows of one primaryid disagree on {what}: left blank", raw, scope="value")
    repeated = con.sql(
        "SELECT count(*) - count(DISTINCT primaryid) FROM DEMO WHERE primaryid IS NOT NULL"
    ).fetchall()
    part.note("DEMO rows of a primaryid already told", repeated[0][0])
    nameless = con.sql("SELECT line, concat_ws('$', caseid, mfr_num) FROM DEMO WHERE primaryid IS NULL").fetchall()
    for line, raw in nameless:
        part.reject(SOURCE, file, line, "no primaryid", raw)


def _reports(con: DuckDBPyConnection, quarter: Quarter, part: PartWriter) -> None:
    criteria = ", ".join(f"bool_or(o.value = '{name}') AS {name}" for name in model.CRITERIA)
    con.sql(
        f"CREATE TABLE grave AS SELECT primaryid, {criteria}, "
        "string_agg(DISTINCT outc_cod, ';' ORDER BY outc_cod) AS codes "
        "FROM OUTC JOIN outcomes o ON o.code = upper(outc_cod) GROUP BY 1"
    )
    told = ", ".join(f"CASE WHEN g.{name} THEN true END AS {name}" for name in model.CRITERIA)
    con.sql(
        f"""
        CREATE TABLE reports AS SELECT
            d.primaryid AS report_id, caseid AS case_id, try_cast(caseversion AS BIGINT) AS version,
            '{SOURCE}' AS source, '{quarter.quarter}' AS quarter,
            iso(fda_dt) AS received, coalesce(iso(init_fda_dt), CASE WHEN caseversion IS NULL THEN iso(fda_dt) END)
                AS first_received,
            iso(event_dt) AS event_date, rept_cod AS report_type,
            CASE upper(sex) WHEN 'M' THEN 'M' WHEN 'F' THEN 'F' END AS sex,
            CASE WHEN try_cast(age AS DOUBLE) * ya.value::DOUBLE BETWEEN 0 AND {MAX_AGE_YEARS}
                THEN try_cast(age AS DOUBLE) * ya.value::DOUBLE END AS age_years,
            age_grp AS age_group,
            CASE WHEN try_cast(wt AS DOUBLE) > 0 AND try_cast(wt AS DOUBLE) * kg.value::DOUBLE <= {MAX_WEIGHT_KG}
                THEN try_cast(wt AS DOUBLE) * kg.value::DOUBLE END AS weight_kg,
            coalesce(c1.value, {_told("occr_country")}, c2.value, {_told("reporter_country")}) AS country,
            r.value AS reporter,
            CASE WHEN g.primaryid IS NOT NULL THEN true END AS serious, {told},
            g.codes AS outcome, mfr_sndr AS sender, mfr_num AS sender_case,
            NULL AS narrative, NULL AS history, NULL AS comedication, NULL AS nullified,
            '{quoted_name(quarter.tables["DEMO"].name)}' AS file, line
        FROM demo1 d
            LEFT JOIN years_for_age ya ON ya.code = upper(age_cod)
            LEFT JOIN kg_for_weight kg ON kg.code = upper(wt_cod)
            LEFT JOIN reporters r ON r.code = upper(occp_cod)
            LEFT JOIN countries c1 ON c1.code = upper(occr_country)
            LEFT JOIN countries c2 ON c2.code = upper(reporter_country)
            LEFT JOIN grave g ON g.primaryid = d.primaryid
        """
    )
    copy_into(con, "SELECT * FROM reports", "reports", part)


def _told(column: str) -> str:
    """A country's name, unless it says that there is none."""
    unknown = ", ".join(f"'{each}'" for each in facts()["unknown"]["countries"])
    return f"CASE WHEN lower({column}) NOT IN ({unknown}) THEN {column} END"


def _children(con: DuckDBPyConnection, part: PartWriter) -> None:
    unknown = ", ".join(f"'{each}'" for each in facts()["unknown"]["indications"])
    con.sql(
        f"""
        CREATE TABLE why AS SELECT primaryid, drug_seq,
            string_agg(DISTINCT indi_pt, '; ' ORDER BY indi_pt)
                FILTER (lower(indi_pt) NOT IN ({unknown})) AS indication
        FROM INDI GROUP BY ALL;
        CREATE TABLE taken AS SELECT primaryid, drug_seq, min(iso(start_dt)) AS start_date,
            max(iso(end_dt)) AS end_date FROM THER GROUP BY ALL;
        CREATE TABLE drugs AS SELECT primaryid AS report_id,
            row_number() OVER (PARTITION BY primaryid ORDER BY try_cast(drug_seq AS BIGINT), line) AS seq,
            drugname AS drug, prod_ai AS ingredient, nda_num AS code,
            CASE WHEN nda_num IS NOT NULL THEN 'NDA' END AS code_system,
            r.value AS role, dose_vbm AS dose, route, dose_form AS form, start_date, end_date,
            indication, NULL AS action, dechal AS dechallenge, rechal AS rechallenge, lot_num AS lot, NULL AS maker,
            drug_seq
        FROM DRUG SEMI JOIN demo1 USING (primaryid)
            LEFT JOIN roles r ON r.code = upper(role_cod)
            LEFT JOIN why USING (primaryid, drug_seq) LEFT JOIN taken USING (primaryid, drug_seq)
        """
    )
    copy_into(con, "SELECT * EXCLUDE (drug_seq) FROM drugs", "drugs", part)
    copy_into(
        con,
        """SELECT primaryid AS report_id, row_number() OVER (PARTITION BY primaryid ORDER BY line) AS seq,
            pt AS event, NULL AS code, NULL AS code_system, NULL AS onset, NULL AS end_date, NULL AS outcome,
            NULL AS criteria, drug_rec_act AS recurrence
        FROM REAC SEMI JOIN demo1 USING (primaryid) WHERE pt IS NOT NULL""",
        "events",
        part,
    )
    copy_into(
        con,
        """SELECT primaryid AS report_id, indi_pt AS indication, min(d.seq) AS drug_seq,
            NULL AS code, NULL AS code_system
        FROM INDI i SEMI JOIN demo1 USING (primaryid)
            LEFT JOIN drugs d ON d.report_id = i.primaryid AND d.drug_seq = i.drug_seq
        WHERE indi_pt IS NOT NULL GROUP BY primaryid, indi_pt, i.drug_seq""",
        "indications",
        part,
    )


def _bare(con: DuckDBPyConnection, part: PartWriter) -> None:
    """Reports that say no drug, or no reaction: counted in the whole, and in no pair."""
    for what, table in (("reports without a drug", "DRUG"), ("reports without a reaction", "REAC")):
        [(n,)] = con.sql(f"SELECT count(*) FROM demo1 ANTI JOIN {table} USING (primaryid)").fetchall()
        part.note(what, n)


def _rejected_values(con: DuckDBPyConnection, quarter: Quarter, part: PartWriter) -> None:
    """Values that cannot be what they claim: left blank in the report, kept here with their line."""
    demo = quarter.tables["DEMO"].name
    checks = {
        "not a version": ("caseversion", "caseversion IS NOT NULL AND try_cast(caseversion AS BIGINT) IS NULL"),
        "not an age, or in no known unit": (
            "age || ' ' || coalesce(age_cod, '')",
            "age IS NOT NULL AND r.age_years IS NULL",
        ),
        "not a weight, or in no known unit": (
            "wt || ' ' || coalesce(wt_cod, '')",
            "wt IS NOT NULL AND r.weight_kg IS NULL",
        ),
        "not a date: event": ("event_dt", "event_dt IS NOT NULL AND r.event_date IS NULL"),
        "not a date: received": ("fda_dt", "fda_dt IS NOT NULL AND r.received IS NULL"),
    }
    for reason, (raw, where) in checks.items():
        rows = con.sql(
            f"SELECT d.line, {raw} FROM demo1 d JOIN reports r ON r.report_id = d.primaryid WHERE {where}"
        ).fetchall()
        for line, value in rows:
            part.reject(SOURCE, demo, line, reason, value, scope="value")
    for table, column in (("THER", "start_dt"), ("THER", "end_dt")):
        if table in quarter.tables:
            dates = con.sql(
                f"SELECT line, {column} FROM {table} WHERE {column} IS NOT NULL AND iso({column}) IS NULL"
            )
            for line, value in dates.fetchall():
                part.reject(SOURCE, quarter.tables[table].name, line, f"not a date: {column}", value, scope="value")
    lists = (
        ("OUTC", "outc_cod", "outcomes", "unknown outcome code"),
        ("DRUG", "role_cod", "roles", "unknown role"),
    )
    for table, column, known, reason in lists:
        if table in quarter.tables:
            codes = con.sql(
                f"SELECT line, {column} FROM {table} WHERE upper({column}) NOT IN (SELECT code FROM {known})"
            )
            for line, value in codes.fetchall():
                part.reject(SOURCE, quarter.tables[table].name, line, reason, value, scope="value")


def _orphans(con: DuckDBPyConnection, quarter: Quarter, part: PartWriter, table: str) -> None:
    if table not in quarter.tables:
        return
    wanted = facts()["columns"][table]
    raw = ", ".join(f"coalesce({name}, '')" for name in wanted)
    pt = " OR pt IS NULL" if table == "REAC" else ""
    rows = con.sql(
        f"SELECT line, concat_ws('$', {raw}), primaryid IN (SELECT primaryid FROM demo1) FROM {table} "
        f"WHERE primaryid IS NULL OR primaryid NOT IN (SELECT primaryid FROM demo1){pt}"
    ).fetchall()
    for line, value, known in rows:
        reason = "no reaction term" if known else "its report is in no DEMO row"
        part.reject(SOURCE, quarter.tables[table].name, line, reason, value[:RAW])


def copy_into(con: DuckDBPyConnection, query: str, table: str, part: PartWriter) -> None:
    """Write the rows of a query as a table of the part, with the columns of the store."""
    names = ", ".join(f"{name}::{kind} AS {name}" for name, kind in model.columns(table).items())
    target = quoted(part.folder / f"{table}.sql.parquet")
    con.sql(f"COPY (SELECT {names} FROM ({query})) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")


def quoted_name(name: str) -> str:
    """A file's name inside a quoted SQL string."""
    return name.replace("'", "''")
