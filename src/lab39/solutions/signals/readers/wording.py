"""One spelling a term and one ingredient a drug's name, over all the parts of a store.

What a part says (each distinct term, each distinct name) is kept beside it once it was looked at, so that the part
itself is not read again when another one comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab39.solutions.signals.readers import disk
from lab39.solutions.signals.readers.names import AMBIGUOUS, Names
from lab39.solutions.signals.readers.store import Part, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TERMS, NAMES = "told_terms", "told_names"
_TOLD: Mapping[str, tuple[str, str]] = {
    TERMS: (
        "events",
        "SELECT event, code, code_system, count(*) AS n FROM {0} WHERE event IS NOT NULL GROUP BY ALL",
    ),
    NAMES: ("drugs", "SELECT drug, ingredient AS said, count(*) AS n FROM {0} GROUP BY ALL"),
}
_EMPTY = {
    TERMS: "SELECT ''::VARCHAR AS event, ''::VARCHAR AS code, ''::VARCHAR AS code_system, 0::BIGINT AS n",
    NAMES: "SELECT ''::VARCHAR AS drug, ''::VARCHAR AS said, 0::BIGINT AS n",
}
SHORT = 6
"""Letters of a word in capitals that may be an acronym."""
_BATCH = 50_000


def gather(con: DuckDBPyConnection, parts: Iterable[Part]) -> None:
    """Make the views ``told_terms`` and ``told_names``: what each part says, with its rank."""
    for told, (table, query) in _TOLD.items():
        each: list[tuple[Path, int, int]] = []
        for part in parts:
            files = part.files(table)
            if not files:
                continue
            kept = part.folder / f"{told}.parquet"
            if not disk.whole(kept):
                beside = kept.with_suffix(".new")
                con.execute(f"COPY ({query.format(reading(files))}) TO '{quoted(beside)}' (FORMAT parquet)")
                beside.rename(kept)
            each.append((kept, part.rank, 0))
        empty = f"SELECT *, 0::BIGINT AS rank, 0::BIGINT AS place FROM ({_EMPTY[told]}) WHERE false"
        con.execute(f"CREATE VIEW {told} AS SELECT * EXCLUDE (place) FROM ({ranked(each) if each else empty})")


def reading(files: Iterable[Path], options: str = "") -> str:
    """The SQL that reads some Parquet files."""
    listed = ", ".join(f"'{quoted(file)}'" for file in files)
    return f"read_parquet([{listed}]{options})"


def ranked(files: Iterable[tuple[Path, int, int]]) -> str:
    """The SQL that reads Parquet files of several parts, each row with the ``rank`` of its part and its ``place``.

    One scan of them all: a scan for each costs more than what it reads when the parts are many and small.

    Args:
        files: at least one; each with its rank and the place of its first row, those of the others follow.
    """
    files = list(files)
    listed = ", ".join(f"('{quoted(file)}', {rank}::BIGINT, {first}::BIGINT)" for file, rank, first in files)
    rows = reading((file for file, _, _ in files), ", filename=true, file_row_number=true, union_by_name=true")
    return (
        "SELECT r.* EXCLUDE (filename, file_row_number), p.rank, p.first + r.file_row_number AS place "
        f"FROM {rows} r JOIN (VALUES {listed}) p(path, rank, first) ON p.path = r.filename"
    )


def spell(con: DuckDBPyConnection, terms: Mapping[str, str]) -> None:
    """Make ``spelling``: from each term as it is told (``event``, ``code``, ``code_system``) to the one ``spelt``.

    Terms differ by their capitals from one extract to another, and are one term: the commonest mixed-case spelling
    is used. Where there is none, a word of at most :data:`SHORT` letters stays in capitals, since it may be an
    acronym (DRESS), and a longer term has its first capital only. A MedDRA code that the licensee's own MedDRA
    knows gives its preferred term, and the spelling of that MedDRA is used before any other.
    """
    import pyarrow as pa

    pairs = {"code": pa.array(list(terms), pa.string()), "term": pa.array(list(terms.values()), pa.string())}
    con.register("terms", pa.table(pairs))
    con.execute(
        """
        CREATE TABLE called AS
            SELECT t.event, t.code, t.code_system, coalesce(m.term, t.event) AS called, sum(n) AS n
            FROM told_terms t LEFT JOIN terms m ON m.code = t.code AND t.code_system = 'MedDRA' GROUP BY ALL;
        CREATE TABLE spelt AS
            SELECT folded, coalesce(any_value(written),
                arg_max(spelt, {'mixed': mixed, 'n': n, 'spelt': spelt})) AS spelt FROM (
                SELECT lower(called) AS folded, sum(n) AS n, (called <> upper(called))::BIGINT AS mixed,
                    CASE WHEN called = upper(called) AND NOT regexp_full_match(called, '__SHORT__')
                        THEN upper(called[1]) || lower(called[2:]) ELSE called END AS spelt
                FROM called GROUP BY called
            ) LEFT JOIN (SELECT lower(term) AS folded, min(term) AS written FROM terms GROUP BY 1) USING (folded)
            GROUP BY folded;
        CREATE TABLE spelling AS
            SELECT event, code, code_system, spelt FROM called JOIN spelt ON folded = lower(called);
        DROP TABLE called; DROP TABLE spelt;
        """.replace("__SHORT__", rf"\p{{Lu}}{{1,{SHORT}}}")
    )


def look_up(con: DuckDBPyConnection, names: Names, before: Path, same: bool, into: Path) -> Mapping[str, int]:
    """Make ``naming``: from ``drug`` and what the source ``said`` to ``ingredient`` and ``ingredient_by``.

    Args:
        before: the names found at the last time; looked up again unless ``same`` (the same dictionary).
        into: where the names found are kept.

    Returns:
        How many distinct names were found in each way.
    """
    import pyarrow as pa

    con.execute(
        "CREATE TABLE naming (drug VARCHAR, said VARCHAR, ingredient VARCHAR, ingredient_by VARCHAR);"
        "CREATE TABLE wanted AS SELECT DISTINCT drug, said FROM told_names"
    )
    if same and disk.whole(before):
        con.execute(
            f"INSERT INTO naming SELECT b.* FROM {reading([before])} b JOIN wanted w ON "
            "w.drug IS NOT DISTINCT FROM b.drug AND w.said IS NOT DISTINCT FROM b.said"
        )
    left = con.sql(
        "SELECT drug, said FROM wanted w WHERE NOT EXISTS (FROM naming n WHERE "
        "w.drug IS NOT DISTINCT FROM n.drug AND w.said IS NOT DISTINCT FROM n.said)"
    ).to_arrow_table()
    for batch in left.to_batches(max_chunksize=_BATCH):
        rows = zip(batch["drug"].to_pylist(), batch["said"].to_pylist(), strict=True)
        found = [names.find(drug, said) for drug, said in rows]
        what, way = (pa.array([each[at] for each in found], pa.string()) for at in (0, 1))
        columns = {"drug": batch["drug"], "said": batch["said"], "ingredient": what, "ingredient_by": way}
        con.register("found", pa.table(columns))
        con.execute("INSERT INTO naming FROM found")
        con.unregister("found")
    con.execute(
        f"COPY (FROM naming ORDER BY drug, said) TO '{quoted(into)}' (FORMAT parquet, COMPRESSION zstd);"
        "DROP TABLE wanted"
    )
    return dict(con.sql("SELECT ingredient_by, count(*) FROM naming GROUP BY 1 ORDER BY 1").fetchall())


COMMONEST = 10
"""Names that no dictionary knows, told one by one."""


def tell(con: DuckDBPyConnection, names: Names) -> Mapping[str, Any]:
    """How far the dictionaries went, by distinct names as reported (what the source says when it gives no name).

    Returns:
        ``distinct`` names, ``mapped`` to substances by a dictionary, left as they are for being ``ambiguous``, and
        the commonest ``unmapped`` ones (those that neither a dictionary nor the source explains) with how often
        they were mentioned.
    """
    listed = ", ".join("?" * len(names.dictionaries)) or "NULL"
    con.execute(
        f"""CREATE TEMP TABLE reported AS SELECT coalesce(k.drug, k.said) AS name, sum(t.n)::BIGINT AS n,
            bool_or(k.ingredient_by IN ({listed})) AS mapped, bool_or(k.ingredient_by = ?) AS ambiguous,
            bool_and(k.ingredient_by IN ('name', ?)) AS alone
        FROM naming k JOIN told_names t ON k.drug IS NOT DISTINCT FROM t.drug AND k.said IS NOT DISTINCT FROM t.said
        WHERE coalesce(k.drug, k.said) IS NOT NULL GROUP BY 1""",
        [*(each.name for each in names.dictionaries), AMBIGUOUS, AMBIGUOUS],
    )
    [(distinct, mapped, ambiguous)] = con.execute(
        """SELECT count(*), count(*) FILTER (mapped), count(*) FILTER (ambiguous AND NOT coalesce(mapped, false))
        FROM reported"""
    ).fetchall()
    left = con.execute(
        f"SELECT name, n FROM reported WHERE alone ORDER BY n DESC, name LIMIT {COMMONEST}"
    ).fetchall()
    return {
        "distinct": distinct,
        "mapped": mapped,
        "ambiguous": ambiguous,
        "unmapped": [{"name": name, "mentions": n} for name, n in left],
    }
