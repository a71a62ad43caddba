"""Which report counts for a case, and why the others do not. See :mod:`~lab39.solutions.signals.readers.settle`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def choose(con: DuckDBPyConnection, mentions: Callable[[list[int]], str]) -> None:
    """From ``all_reports`` make ``chosen``, each report with the reason it is set aside (null when it counts), and
    ``current``, those that count with their ``number``, unique in the store.

    Args:
        mentions: from ranks of parts to a query of their drugs and reactions (``rank``, ``report_id``), which break
            the ties of versions; only the parts that have ties are asked for.
    """
    con.execute(
        """
        CREATE TABLE seen AS SELECT report_id, source, case_id, coalesce(version, 0) AS version, quarter, received,
            coalesce(nullified, false) AS nullified, rank, report_key FROM all_reports;
        CREATE TABLE again AS SELECT source, report_id FROM seen GROUP BY ALL HAVING count(*) > 1;
        CREATE TABLE repeated AS SELECT report_key FROM (
            SELECT report_key, row_number() OVER (PARTITION BY source, report_id
                ORDER BY quarter DESC NULLS LAST, received DESC NULLS LAST, rank DESC) AS place
            FROM seen SEMI JOIN again USING (source, report_id)
        ) WHERE place > 1;
        CREATE TABLE rivals AS SELECT source, case_id FROM seen ANTI JOIN repeated USING (report_key)
            WHERE case_id IS NOT NULL GROUP BY ALL HAVING count(*) > 1;
        CREATE TABLE rival_reports AS
            SELECT seen.* FROM seen SEMI JOIN rivals USING (source, case_id) ANTI JOIN repeated USING (report_key);
        CREATE TABLE tied AS SELECT source, case_id, version, received FROM rival_reports
            GROUP BY ALL HAVING count(*) > 1;
        CREATE TABLE tied_reports AS SELECT rank, report_id FROM rival_reports s SEMI JOIN tied ON
            s.source = tied.source AND s.case_id = tied.case_id AND s.version = tied.version
            AND s.received IS NOT DISTINCT FROM tied.received;
        """
    )
    ranks = [rank for (rank,) in con.sql("SELECT DISTINCT rank FROM tied_reports ORDER BY 1").fetchall()]
    con.execute(
        f"CREATE TABLE richness AS SELECT rank, report_id, count(*) AS told FROM ({mentions(ranks)}) "
        "SEMI JOIN tied_reports USING (rank, report_id) GROUP BY ALL"
    )
    con.execute(
        """
        CREATE TABLE superseded AS SELECT report_key FROM (
            SELECT report_key, row_number() OVER (PARTITION BY source, case_id
                ORDER BY version DESC, received DESC NULLS LAST, coalesce(told, 0) DESC,
                    try_cast(report_id AS BIGINT) DESC NULLS LAST, report_id DESC) AS turn
            FROM rival_reports LEFT JOIN richness USING (rank, report_id)
        ) WHERE turn > 1;
        CREATE TABLE gone AS SELECT DISTINCT source, case_id FROM all_withdrawn;
        CREATE TABLE chosen AS SELECT s.report_key, s.rank, s.report_id, s.source, s.case_id, CASE
                WHEN s.report_key IN (FROM repeated) THEN 'repeated'
                WHEN gone.case_id IS NOT NULL THEN 'withdrawn'
                WHEN s.report_key IN (FROM superseded) THEN 'superseded'
                WHEN nullified THEN 'nullified' END AS reason
            FROM seen s LEFT JOIN gone ON gone.source = s.source AND gone.case_id = s.case_id;
        DROP TABLE seen; DROP TABLE rival_reports; DROP TABLE rivals; DROP TABLE again;
        """
    )
    _number(con)


def _number(con: DuckDBPyConnection) -> None:
    """``current``: a number stands alone when a single source uses it and nothing else could be called so.

    ``source:number`` otherwise; should two of these still be the same words, their keys tell them apart.
    """
    con.execute(
        """
        CREATE TABLE shared_numbers AS
            SELECT report_id FROM chosen WHERE (SELECT count(DISTINCT source) FROM chosen) > 1
            GROUP BY report_id HAVING count(DISTINCT source) > 1;
        CREATE TABLE current AS SELECT rank, report_id, report_key, source, case_id, CASE
                WHEN report_id IN (FROM shared_numbers)
                    OR report_id IN (SELECT source || ':' || report_id FROM chosen
                        WHERE report_id IN (FROM shared_numbers))
                THEN source || ':' || report_id ELSE report_id END AS number
            FROM chosen WHERE reason IS NULL;
        UPDATE current SET number = number || '#' || report_key WHERE number IN (
            SELECT number FROM current WHERE contains(number, ':') GROUP BY number HAVING count(*) > 1);
        """
    )


SET_ASIDE = """
    SELECT a.source, a.report_id, a.case_id, a.reason, coalesce(same.number, other.number) AS counts_instead
    FROM chosen a
        LEFT JOIN current same ON same.source = a.source AND same.report_id = a.report_id
        LEFT JOIN current other ON other.source = a.source AND other.case_id = a.case_id
    WHERE a.reason IS NOT NULL
"""
"""The reports that do not count, each with the number of the one that does."""
