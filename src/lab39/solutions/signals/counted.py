"""The reports of a store that a run counted, for its pages: its quarters, roles, duplicates, drugs left out.

What is found here of a pair is what :mod:`~lab39.solutions.signals.counting` counted of it, as long as the store
has not changed: the same reports, the same names.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals.merging import grouped
from lab39.solutions.signals.readers.names import JOIN
from lab39.solutions.signals.runs import Run
from lab39.solutions.signals.strata import age_bounds

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BLANKS = "' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13)"
"""Around a name, as :func:`lab39.solutions.signals.sources.trimmed` takes them off."""

_LISTED = f"string_split(ingredient, '{JOIN}')"
_EACH = f"unnest({_LISTED})"
"""A row for each ingredient of a product, as they are counted by a run that says so."""


def there(run: Run) -> bool:
    """Whether the store that the run was made from is still there."""
    return run.store is not None and (run.store / "tables" / "reports.parquet").exists()


@contextmanager
def opened(run: Run, drug: str, event: str) -> Iterator[DuckDBPyConnection]:
    """A connection with the reports that a run counted, and those of a pair.

    Tables: ``counted`` (the reports, with the ``band`` of age), ``with_drug``, ``with_event``, ``cases`` (both);
    ``named`` and ``told``, the drugs and events of each report; ``the_drug`` and ``the_event``, the rows that make
    a report one of the drug or of the event.

    Raises:
        LabError: the store cannot be read, or is of another form than the run says.
    """
    import duckdb

    from lab39.solutions.signals.readers.store import Store

    assert run.store is not None
    con = Store.open(Path(run.store)).connect()
    try:
        _prepare(con, run, drug, event)
        yield con
    except duckdb.Error as error:
        said = str(error).splitlines()[0]
        raise InputError(
            Text(
                f"base illisible pour cette analyse\u202f: {said}", f"the store cannot be read for this run: {said}"
            ),
            str(run.store),
        ) from error
    finally:
        con.close()


def _prepare(con: DuckDBPyConnection, run: Run, drug: str, event: str) -> None:
    con.execute(f"CREATE TEMP VIEW of_time AS SELECT * FROM reports{_of_time(run)}")
    con.execute("CREATE TEMP TABLE moved (report_key BIGINT, counts_as BIGINT)")
    if run.duplicates == "merge":
        _merge(con)
    named = _column(con, run, drug)
    each = f", {_EACH} AS ingredient" if named == "ingredient" and run.each_ingredient else ""
    for name, table, more in (("drug_rows", "drugs", each), ("event_rows", "events", "")):
        con.execute(
            f"""CREATE TEMP VIEW {name} AS
            SELECT d.* REPLACE (coalesce(m.counts_as, d.report_key) AS report_key{more})
            FROM {table} d LEFT JOIN moved m USING (report_key)"""
        )
    column = _trim(named)
    roles = f" AND coalesce(role, '') IN ({', '.join('?' * len(run.roles))})" if run.roles else ""
    con.execute("CREATE TEMP TABLE left_out (report_key BIGINT)")
    if run.without:
        con.execute(
            f"INSERT INTO left_out SELECT report_key FROM drug_rows WHERE list_contains(?, {column}){roles}",
            [list(run.without), *run.roles],
        )
    con.execute(
        f"""CREATE TEMP VIEW counted AS SELECT r.*, {_band()} AS band FROM of_time r
        ANTI JOIN moved USING (report_key) ANTI JOIN left_out USING (report_key)"""
    )
    con.execute(
        f"CREATE TEMP TABLE the_drug AS SELECT * FROM drug_rows WHERE {column} = ?{roles}", [drug, *run.roles]
    )
    con.execute(f"CREATE TEMP TABLE the_event AS SELECT * FROM event_rows WHERE {_trim('event')} = ?", [event])
    for name in ("drug", "event"):
        con.execute(f"CREATE TEMP TABLE with_{name} AS SELECT DISTINCT report_key FROM the_{name}")
    con.execute(
        """CREATE TEMP TABLE cases AS SELECT c.* FROM counted c
        SEMI JOIN with_drug USING (report_key) SEMI JOIN with_event USING (report_key)"""
    )
    con.execute(f"CREATE TEMP VIEW named AS SELECT report_key, {column} AS name, role, dose, seq FROM drug_rows")
    con.execute(f"CREATE TEMP VIEW told AS SELECT report_key, {_trim('event')} AS event FROM event_rows")


def _of_time(run: Run) -> str:
    """Reports before a quarter when the run says so, else up to its last one: a store goes on growing."""
    if run.before:
        before = run.before.replace("'", "''")
        return f" WHERE quarter < '{before}'"
    if run.until is None:
        return ""
    return f" WHERE quarter IS NULL OR quarter <= '{run.until.year}Q{(run.until.month + 2) // 3}'"


def _merge(con: DuckDBPyConnection) -> None:
    """Which reports count under the number of another one, as :class:`~lab39.solutions.signals.merging.Merged`."""
    rows = con.execute(
        """SELECT first, second FROM links
        WHERE first IN (SELECT report_id FROM of_time) AND second IN (SELECT report_id FROM of_time)"""
    ).fetchall()
    leaders = [(one, other) for one, other in grouped(rows).items() if one != other]
    if leaders:
        ones, others = (list(each) for each in zip(*leaders, strict=True))
        con.execute(
            """INSERT INTO moved SELECT r.report_key, l.report_key
            FROM (SELECT unnest(?) AS one, unnest(?) AS other) m
            JOIN of_time r ON r.report_id = m.one JOIN of_time l ON l.report_id = m.other""",
            [ones, others],
        )


def _trim(column: str) -> str:
    quoted = column.replace('"', '""')
    return f"""trim("{quoted}", {_BLANKS})"""


def _band() -> str:
    """The band of age of a report, by its number; NULL when the age is not told."""
    bands = " + ".join(f"(age_years >= {bound})::INT" for bound in age_bounds()[1:])
    return f"CASE WHEN age_years IS NOT NULL THEN ({bands})::VARCHAR END"


def _column(con: DuckDBPyConnection, run: Run, drug: str) -> str:
    """The column of the drugs that the run counted: the one where its name is found."""
    there = {str(row[0]) for row in con.execute("DESCRIBE drugs").fetchall()}
    for column in dict.fromkeys((run.drug_column, "drug", "ingredient")):
        if column not in there:
            continue
        each = f" OR list_contains({_LISTED}, ?)" if column == "ingredient" and run.each_ingredient else ""
        asked = [drug, drug] if each else [drug]
        if con.execute(f"SELECT 1 FROM drugs WHERE {_trim(column)} = ?{each} LIMIT 1", asked).fetchall():
            return column
    return "drug"
