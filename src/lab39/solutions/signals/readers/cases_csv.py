"""CSV of cases into the store; of pairs and of counts into a table for the counting engine.

In a CSV of cases a row says that a case has this drug and this event; every drug of a case is then held against
every event of it, as in a report. A file whose rows are pairs chosen by somebody is read with :func:`pairs`
instead, which keeps them as they are.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab39.solutions.signals.readers import model, tabular, values
from lab39.solutions.signals.readers.errors import refuse
from lab39.solutions.signals.readers.faers import copy_into, quoted_name
from lab39.solutions.signals.readers.names import country_codes
from lab39.solutions.signals.readers.part_writer import PartWriter
from lab39.solutions.signals.readers.store import connection, quoted
from lab39.solutions.signals.readers.streams import Item
from lab39.solutions.signals.readers.tabular import Header

if TYPE_CHECKING:
    import pyarrow as pa

_REPORT = (
    "version",
    "received",
    "event_date",
    "sex",
    "age",
    "weight",
    "country",
    "reporter",
    "serious",
    "narrative",
)
_DRUG = ("ingredient", "role", "dose", "route", "start_date", "end_date", "indication")
_ALL = ("case", "drug", "event", *_REPORT, *_DRUG, "outcome")


def read(told: Header, part: PartWriter, source: str) -> None:
    """Read a CSV of cases into a part.

    Raises:
        InputError: no row under the header, columns missing, most rows broken.
    """
    tabular.need(told, "case", "drug", "event")
    staging = part.folder / ".stage"
    staging.mkdir()
    try:
        kept = {name: place for name, place in told.found.items() if name in _ALL}
        written = tabular.stage(told, kept, staging / "rows.parquet", part, source)
        if not written:
            raise refuse(
                told.item.name,
                "aucune ligne de cas sous l'en-tête",
                "no row of a case under the header",
            )
        con = connection(staging)
        try:
            _fill(con, told, part, source, staging)
        finally:
            con.close()
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _fill(con: Any, told: Header, part: PartWriter, source: str, staging: Path) -> None:
    have = [name for name in _ALL if name in told.found]
    select = ", ".join(f'"{name}"' if name in have else f'NULL::VARCHAR AS "{name}"' for name in _ALL)
    con.sql(f"CREATE VIEW told AS SELECT {select}, line FROM read_parquet('{quoted(staging / 'rows.parquet')}')")
    con.sql('CREATE VIEW rows AS SELECT * FROM told WHERE "case" IS NOT NULL')
    for line, drug, event in con.sql('SELECT line, drug, event FROM told WHERE "case" IS NULL').fetchall():
        part.reject(source, told.item.name, line, "no case number", f"{drug or ''} {event or ''}")
    for name in ("drug", "event"):
        sql = f'SELECT line, "case" FROM rows WHERE {name} IS NULL ORDER BY line'
        for line, case in con.sql(sql).fetchall():
            part.reject(source, told.item.name, line, f"no {name}", case, scope="value")
    _meanings(con, told, part, source)
    _conflicts(con, told, part, source)
    one = ", ".join(f"CASE WHEN min({f}) IS NOT DISTINCT FROM max({f}) THEN min({f}) END AS {f}" for f in _REPORT)
    con.sql(f'CREATE TABLE one AS SELECT "case", {one}, min(line) AS line FROM rows GROUP BY "case"')
    absent = dict.fromkeys(model.columns("reports"), "NULL")
    told_as = absent | {
        "report_id": 'o."case"',
        "case_id": 'o."case"',
        "version": "try_cast(o.version AS BIGINT)",
        "source": f"'{quoted_name(source)}'",
        "quarter": "d1.quarter",
        "received": "d1.value",
        "event_date": "d2.value",
        "sex": "sx.value",
        "age_years": f"CASE WHEN {_number('age')} BETWEEN 0 AND {values.MAX_AGE_YEARS} THEN {_number('age')} END",
        "weight_kg": f"CASE WHEN {_number('weight')} > 0 AND {_number('weight')} <= {values.MAX_WEIGHT_KG} "
        f"THEN {_number('weight')} END",
        "country": "coalesce(c.value, o.country)",
        "reporter": "o.reporter",
        "serious": "y.value::BOOLEAN",
        "narrative": "o.narrative",
        "file": f"'{quoted_name(told.item.name)}'",
        "line": "o.line",
    }
    names = ", ".join(f"{what} AS {name}" for name, what in told_as.items())
    con.sql(
        f"""CREATE TABLE reports AS SELECT {names} FROM one o
        LEFT JOIN dates d1 ON d1.raw = o.received LEFT JOIN dates d2 ON d2.raw = o.event_date
        LEFT JOIN sexes sx ON sx.raw = o.sex LEFT JOIN yes y ON y.raw = o.serious
        LEFT JOIN countries c ON c.code = upper(o.country)"""
    )
    copy_into(con, "SELECT * FROM reports ORDER BY line", "reports", part)
    _values_not_used(con, told, part, source)
    _children(con, part)


def _number(column: str) -> str:
    return f"try_cast(replace(o.{column}, ',', '.') AS DOUBLE)"


def _meanings(con: Any, told: Header, part: PartWriter, source: str) -> None:
    """Tables from each distinct date, sex, role and yes or no to what it stands for."""
    import pyarrow as pa

    def distinct(*columns: str) -> list[str]:
        each = " UNION ".join(f"SELECT {column} AS raw FROM rows" for column in columns)
        return [raw for (raw,) in con.sql(f"SELECT DISTINCT raw FROM ({each}) WHERE raw IS NOT NULL").fetchall()]

    def table(name: str, raws: list[str], **found: list[str | None]) -> None:
        con.register(
            name, pa.table({key: pa.array(column, pa.string()) for key, column in {"raw": raws, **found}.items()})
        )

    raws = distinct("received", "event_date", "start_date", "end_date")
    dates = [values.any_date(raw) for raw in raws]
    table("dates", raws, value=dates, quarter=[values.quarter_of(date) for date in dates])
    for name, group, column in (("sexes", "sex", "sex"), ("roles", "roles", "role"), ("yes", "yes", "serious")):
        raws = distinct(column)
        table(name, raws, value=[tabular.meaning(group, raw) for raw in raws])
    unknown = con.sql("SELECT min(line), role FROM rows JOIN roles ON raw = role WHERE value IS NULL GROUP BY 2")
    for line, raw in unknown.fetchall():
        part.reject(source, told.item.name, line, "not understood: role", raw, scope="value")
    codes = country_codes()
    con.register("countries", pa.table({"code": list(codes), "value": list(codes.values())}))
    for column in ("received", "event_date", "start_date", "end_date"):
        rows = con.sql(
            f"SELECT min(line), {column} FROM rows JOIN dates ON raw = {column} WHERE value IS NULL GROUP BY 2"
        ).fetchall()
        for line, raw in rows:
            why = f"not a date, or one that can be read two ways: {column}"
            part.reject(source, told.item.name, line, why, raw, scope="value")


def _conflicts(con: Any, told: Header, part: PartWriter, source: str) -> None:
    """Rows of one case that disagree on the person: the field is left blank and the case is named."""
    apart = ", ".join(f"CASE WHEN min({f}) IS DISTINCT FROM max({f}) THEN '{f}' END" for f in _REPORT)
    rows = con.sql(
        f"""SELECT line, "case", what FROM (
            SELECT min(line) AS line, "case", concat_ws(', ', {apart}) AS what FROM rows GROUP BY "case"
        ) WHERE what <> '' ORDER BY line"""
    ).fetchall()
    for line, case, what in rows:
        part.reject(
            source, told.item.name, line, f"rows of one case disagree on {what}: left blank", case, scope="value"
        )


def _values_not_used(con: Any, told: Header, part: PartWriter, source: str) -> None:
    for column, ours in (("age", "age_years"), ("weight", "weight_kg"), ("sex", "sex"), ("serious", "serious")):
        rows = con.sql(
            f"""SELECT o.line, o.{column} FROM one o JOIN reports r ON r.report_id = o."case"
            WHERE o.{column} IS NOT NULL AND r.{ours} IS NULL ORDER BY o.line"""
        ).fetchall()
        for line, raw in rows:
            part.reject(source, told.item.name, line, f"not understood: {column}", raw, scope="value")


def _children(con: Any, part: PartWriter) -> None:
    fields = ", ".join(_DRUG)
    con.sql(
        f"""CREATE TABLE drugs AS SELECT "case" AS report_id,
            row_number() OVER (PARTITION BY "case" ORDER BY min(line)) AS seq, drug, {fields}
        FROM rows WHERE drug IS NOT NULL GROUP BY "case", drug, {fields}"""
    )
    copy_into(
        con,
        """SELECT report_id, seq, drug, ingredient, NULL AS code, NULL AS code_system,
            r.value AS role, dose, route, NULL AS form, d1.value AS start_date,
            d2.value AS end_date, indication, NULL AS action, NULL AS dechallenge, NULL AS rechallenge, NULL AS
            lot, NULL AS maker
        FROM drugs LEFT JOIN roles r ON r.raw = role
            LEFT JOIN dates d1 ON d1.raw = start_date LEFT JOIN dates d2 ON d2.raw = end_date""",
        "drugs",
        part,
    )
    copy_into(
        con,
        """SELECT "case" AS report_id, row_number() OVER (PARTITION BY "case" ORDER BY min(line)) AS seq, event,
            NULL AS code, NULL AS code_system, NULL AS onset, NULL AS end_date, outcome, NULL AS criteria,
            NULL AS recurrence
        FROM rows WHERE event IS NOT NULL GROUP BY "case", event, outcome""",
        "events",
        part,
    )
    copy_into(
        con,
        """SELECT report_id, indication, min(seq) AS drug_seq, NULL AS code, NULL AS code_system
        FROM drugs WHERE indication IS NOT NULL GROUP BY report_id, indication""",
        "indications",
        part,
    )


def pairs(path: Path, columns: Mapping[str, str] | None = None) -> tuple[pa.Table, tuple[model.Rejected, ...]]:
    """A CSV of pairs, each row a drug and an event (of a case when one is named), kept as they are.

    Returns:
        ``report`` (text; the line number when no case is named), ``drug``, ``event``, ``stratum``; rows not used.

    Raises:
        InputError: no such columns, no row.
    """
    import pyarrow as pa

    told = tabular.header(Item(path), columns)
    tabular.need(told, "drug", "event")
    kept: dict[str, list[str | None]] = {"report": [], "drug": [], "event": [], "stratum": []}
    bad: list[model.Rejected] = []
    for line, row in tabular.rows(told, broken=_unclosed(told, bad)):
        said = _said(told, line, row, bad)
        if said is None:
            continue
        kept["report"].append(said.get("case") or (None if "case" in told.found else str(line)))
        for name in ("drug", "event", "stratum"):
            kept[name].append(said.get(name))
        if kept["report"][-1] is None:
            for column in kept.values():
                column.pop()
            bad.append(_rejected(told, line, "no case number", row))
    if not kept["drug"]:
        raise refuse(path, "aucun couple sous l'en-tête", "no pair under the header")
    return pa.table({name: pa.array(column, pa.string()) for name, column in kept.items()}), tuple(bad)


def counts(path: Path, columns: Mapping[str, str] | None = None) -> tuple[pa.Table, tuple[model.Rejected, ...]]:
    """A CSV of counts: drug, event, ``n`` (reports with both), and what else is told of the margins.

    Returns:
        ``drug``, ``event``, ``n``, ``n_drug``, ``n_event``, ``n_total`` (whole numbers), ``expected``, ``stratum``.

    Raises:
        InputError: no such columns, no row.
    """
    import pyarrow as pa

    told = tabular.header(Item(path), columns)
    tabular.need(told, "drug", "event", "count")
    words: dict[str, list[str | None]] = {"drug": [], "event": [], "stratum": []}
    numbers: dict[str, list[float | None]] = {"n": [], "n_drug": [], "n_event": [], "n_total": [], "expected": []}
    bad: list[model.Rejected] = []
    for line, row in tabular.rows(told, broken=_unclosed(told, bad)):
        said = _said(told, line, row, bad)
        if said is None:
            continue
        n = values.number(said.get("count"))
        if n is None or n < 0 or n != int(n):
            bad.append(_rejected(told, line, "the count is no whole number", row))
            continue
        for name in words:
            words[name].append(said.get(name))
        numbers["n"].append(n)
        for name in ("n_drug", "n_event", "n_total", "expected"):
            numbers[name].append(values.number(said.get(name)))
    if not words["drug"]:
        raise refuse(path, "aucun effectif sous l'en-tête", "no count under the header")
    whole = {name: pa.array(column, pa.string()) for name, column in words.items()}
    for name, column in numbers.items():
        kind = pa.float64() if name == "expected" else pa.int64()
        whole[name] = pa.array([each if name == "expected" or each is None else int(each) for each in column], kind)
    return pa.table(whole), tuple(bad)


def _said(told: Header, line: int, row: list[str], bad: list[model.Rejected]) -> dict[str, str | None] | None:
    if len(row) < len(told.columns):
        bad.append(_rejected(told, line, f"{len(row)} fields instead of {len(told.columns)}", row))
        return None
    said = {name: row[place].strip() or None for name, place in told.found.items()}
    if not said["drug"] or not said["event"]:
        bad.append(_rejected(told, line, "no drug or no event", row))
        return None
    return said


def _unclosed(told: Header, bad: list[model.Rejected]) -> Callable[[int, str], None]:
    return lambda line, text: bad.append(_rejected(told, line, tabular.UNCLOSED, [text.rstrip("\r\n")]))


def _rejected(told: Header, line: int, why: str, row: list[str]) -> model.Rejected:
    raw = told.delimiter.join(row)
    return model.Rejected(source="csv", file=told.item.name, line=line, scope="row", reason=why, raw=raw)
