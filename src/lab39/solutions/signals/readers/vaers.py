"""VAERS: the three CSV files of a year (DATA, SYMPTOMS, VAX), in ISO-8859-1. Fields: VAERS Data Use Guide."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab39.core.errors import LabError
from lab39.solutions.signals.readers import model, tabular, values
from lab39.solutions.signals.readers.errors import refuse
from lab39.solutions.signals.readers.faers import copy_into, quoted_name
from lab39.solutions.signals.readers.part_writer import PartWriter
from lab39.solutions.signals.readers.store import connection, quoted
from lab39.solutions.signals.readers.streams import Item

SOURCE = "vaers"
_FILE = re.compile(r"(.*)VAERS(DATA|SYMPTOMS|VAX)\.csv", re.IGNORECASE)
_SYMPTOMS = tuple(f"symptom{i}" for i in range(1, 6))
_WANTED: Mapping[str, tuple[str, ...]] = {
    "DATA": (
        "vaers_id", "recvdate", "state", "age_yrs", "cage_yr", "cage_mo", "sex", "symptom_text", "died",
        "l_threat", "hospital", "x_stay", "disable", "birth_defect", "recovd", "vax_date", "onset_date",
        "other_meds", "history", "splttype",
    ),
    "SYMPTOMS": ("vaers_id", *_SYMPTOMS),
    "VAX": ("vaers_id", "vax_type", "vax_manu", "vax_lot", "vax_dose_series", "vax_dose", "vax_route", "vax_name"),
}  # fmt: skip
_NEEDED = {"DATA": ("vaers_id", "recvdate"), "SYMPTOMS": ("vaers_id", "symptom1"), "VAX": ("vaers_id", "vax_name")}


@dataclass(frozen=True, slots=True)
class Year:
    """The three files of one release (``2021``, ``NonDomestic``)."""

    name: str
    place: Path
    tables: Mapping[str, Item]


def is_table(item: Item) -> bool:
    """Whether a file is one of the three of a release."""
    return bool(_FILE.fullmatch(item.base))


def years(found: Iterable[Item]) -> tuple[list[Year], list[LabError]]:
    """Group files into releases.

    Returns:
        The releases, and an error for each that has not its three files.
    """
    grouped: dict[tuple[Path, str], dict[str, Item]] = {}
    for item in found:
        if match := _FILE.fullmatch(item.base):
            place = item.path if item.member else item.path.parent
            grouped.setdefault((place, match[1]), {})[match[2].upper()] = item
    whole: list[Year] = []
    failed: list[LabError] = []
    for (place, name), tables in sorted(grouped.items()):
        lacking = [f"{name}VAERS{table}.csv" for table in _WANTED if table not in tables]
        if not lacking:
            whole.append(Year(name, place, tables))
            continue
        failed.append(
            refuse(
                place,
                f"il manque {', '.join(lacking)} : VAERS vient en trois fichiers, donnez-les ensemble",
                f"{', '.join(lacking)} is missing: VAERS comes in three files, give them together",
            )
        )
    return whole, failed


def read(year: Year, part: PartWriter) -> None:
    """Read a release into a part.

    Raises:
        InputError: a file without its columns, an empty release.
    """
    staging = part.folder / ".stage"
    staging.mkdir()
    try:
        con = connection(staging)
        try:
            for table, item in year.tables.items():
                _stage(con, table, item, part, staging)
            _fill(con, year, part)
        finally:
            con.close()
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _stage(con: Any, table: str, item: Item, part: PartWriter, staging: Path) -> None:
    told = tabular.header(item)
    places = {column.strip().lower(): place for place, column in enumerate(told.columns)}
    lacking = [name.upper() for name in _NEEDED[table] if name not in places]
    if lacking:
        raise refuse(
            item.name,
            f"colonnes absentes : {', '.join(lacking)} ; ce n'est pas VAERS{table} tel que publié",
            f"missing columns: {', '.join(lacking)}; this is not VAERS{table} as published",
            1,
        )
    kept = {name: places[name] for name in _WANTED[table] if name in places}
    file = staging / f"{table}.parquet"
    written = tabular.stage(told, kept, file, part, SOURCE)
    if table == "DATA" and not written:
        raise refuse(item.name, "aucun rapport sous l'en-tête", "no report under the header")
    names = ", ".join(name if name in kept else f"NULL::VARCHAR AS {name}" for name in _WANTED[table])
    con.sql(f"CREATE VIEW {table} AS SELECT {names}, line FROM read_parquet('{quoted(file)}')")


def _fill(con: Any, year: Year, part: PartWriter) -> None:
    data = year.tables["DATA"].name
    con.sql(
        r"""
        CREATE MACRO day(x) AS CASE WHEN regexp_full_match(x, '\d{1,2}/\d{1,2}/\d{4}')
            THEN strftime(try_strptime(x, '%m/%d/%Y'), '%Y-%m-%d') END;
        CREATE MACRO yes(x) AS CASE WHEN upper(x) = 'Y' THEN true END;
        CREATE TABLE first AS SELECT * FROM DATA WHERE vaers_id IS NOT NULL
            QUALIFY row_number() OVER (PARTITION BY vaers_id ORDER BY line DESC) = 1;
        """
    )
    criteria = {
        "death": "yes(died)",
        "life_threatening": "yes(l_threat)",
        "hospitalisation": "coalesce(yes(hospital), yes(x_stay))",
        "disability": "yes(disable)",
        "congenital_anomaly": "yes(birth_defect)",
    }
    months = "coalesce(try_cast(cage_mo AS DOUBLE), 0)"
    age = f"coalesce(try_cast(age_yrs AS DOUBLE), try_cast(cage_yr AS DOUBLE) + {months})"
    told = dict.fromkeys(model.columns("reports"), "NULL") | {
        "report_id": "vaers_id",
        "case_id": "vaers_id",
        "source": f"'{SOURCE}'",
        "quarter": "CASE WHEN day(recvdate) IS NOT NULL THEN day(recvdate)[1:4] || 'Q' || "
        "((day(recvdate)[6:7]::INT + 2) // 3)::VARCHAR END",
        "received": "day(recvdate)",
        "first_received": "day(recvdate)",
        "event_date": "day(onset_date)",
        "report_type": "'spontaneous'",
        "sex": "CASE WHEN upper(sex) IN ('F', 'M') THEN upper(sex) END",
        "age_years": f"CASE WHEN {age} BETWEEN 0 AND {values.MAX_AGE_YEARS} THEN {age} END",
        # FR stands for "foreign": the country then begins the manufacturer's number
        "country": "CASE WHEN state = 'FR' THEN CASE WHEN regexp_matches(splttype, '^[A-Z]{2}') "
        "THEN splttype[1:2] END WHEN state IS NOT NULL THEN 'US' END",
        **criteria,
        "serious": f"CASE WHEN coalesce({', '.join(criteria.values())}) THEN true END",
        "outcome": "CASE upper(recovd) WHEN 'Y' THEN 'recovered' WHEN 'N' THEN 'not-recovered' "
        "WHEN 'U' THEN 'unknown' END",
        "sender_case": "splttype",
        "narrative": "symptom_text",
        "history": "history",
        "comedication": "other_meds",
        "file": f"'{quoted_name(data)}'",
        "line": "line",
    }
    names = ", ".join(f"{what} AS {name}" for name, what in told.items())
    copy_into(con, f"SELECT {names} FROM first", "reports", part)
    given = dict.fromkeys(model.columns("drugs"), "NULL") | {
        "report_id": "v.vaers_id",
        "seq": "row_number() OVER (PARTITION BY v.vaers_id ORDER BY v.line)",
        "drug": "vax_name",
        "ingredient": "vax_type",
        "role": "'S'",
        "dose": "CASE WHEN coalesce(vax_dose_series, vax_dose) IS NOT NULL "
        "THEN 'dose ' || coalesce(vax_dose_series, vax_dose) END",
        "route": "vax_route",
        "start_date": "day(f.vax_date)",
        "lot": "vax_lot",
        "maker": "vax_manu",
    }
    names = ", ".join(f"{what} AS {name}" for name, what in given.items())
    copy_into(con, f"SELECT {names} FROM VAX v JOIN first f USING (vaers_id)", "drugs", part)
    each = " UNION ALL ".join(
        f"SELECT vaers_id, line, {i} AS place, {name} AS event FROM SYMPTOMS WHERE {name} IS NOT NULL"
        for i, name in enumerate(_SYMPTOMS)
    )
    had = dict.fromkeys(model.columns("events"), "NULL") | {
        "report_id": "s.vaers_id",
        "seq": "row_number() OVER (PARTITION BY s.vaers_id ORDER BY s.line, place)",
        "event": "event",
        "onset": "day(f.onset_date)",
    }
    names = ", ".join(f"{what} AS {name}" for name, what in had.items())
    copy_into(con, f"SELECT {names} FROM ({each}) s JOIN first f USING (vaers_id)", "events", part)
    _apart(con, year, part)


def _apart(con: Any, year: Year, part: PartWriter) -> None:
    """Rows without a report, reports given twice, dates that are none."""
    for table, raw in (("SYMPTOMS", "symptom1"), ("VAX", "vax_name")):
        sql = (
            f"SELECT line, concat_ws(',', vaers_id, {raw}) FROM {table} ANTI JOIN first USING (vaers_id) ORDER BY 1"
        )
        for line, told in con.sql(sql).fetchall():
            part.reject(SOURCE, year.tables[table].name, line, "its report is in no DATA row", told)
    data = year.tables["DATA"].name
    sql = "SELECT line, vaers_id FROM DATA WHERE line NOT IN (SELECT line FROM first) ORDER BY 1"
    for line, told in con.sql(sql).fetchall():
        why = "the report is given again further down" if told else "no VAERS_ID"
        part.reject(SOURCE, data, line, why, told or "")
    sql = (
        "SELECT line, age_yrs FROM first WHERE age_yrs IS NOT NULL AND "
        f"coalesce(try_cast(age_yrs AS DOUBLE), -1) NOT BETWEEN 0 AND {values.MAX_AGE_YEARS} ORDER BY 1"
    )
    for line, told in con.sql(sql).fetchall():
        part.reject(SOURCE, data, line, "not an age, or in no known unit", told, scope="value")
    for what, table in (("reports without a drug", "VAX"), ("reports without a reaction", "SYMPTOMS")):
        [(n,)] = con.sql(f"SELECT count(*) FROM first ANTI JOIN {table} USING (vaers_id)").fetchall()
        part.note(what, n)
    for column in ("recvdate", "vax_date", "onset_date"):
        sql = f"SELECT line, {column} FROM first WHERE {column} IS NOT NULL AND day({column}) IS NULL ORDER BY 1"
        for line, told in con.sql(sql).fetchall():
            part.reject(SOURCE, data, line, f"not a date: {column}", told, scope="value")
