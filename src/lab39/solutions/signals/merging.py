"""Reports that probably tell one case, counted once: their drugs and events together, under one of their numbers.

The links come from :func:`lab39.solutions.signals.readers.duplicates.find`. Nothing is changed in the store:
counting with ``duplicates="keep"`` gives what it gave before.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab39.core.errors import InputError
from lab39.core.text import Text

if TYPE_CHECKING:
    import ibis

    from lab39.solutions.signals.engines import Engine
    from lab39.solutions.signals.sources import Store


def grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """From each report to the first number of its group; links are followed end to end."""
    leader: dict[str, str] = {}

    def top(node: str) -> str:
        while leader.setdefault(node, node) != node:
            leader[node] = leader[leader[node]]
            node = leader[node]
        return node

    for one, other in pairs:
        first, second = sorted((top(one), top(other)))
        leader[second] = first
    return {node: top(node) for node in sorted(leader)}


def links_file(source: Store) -> Path:
    """Where the links of a store are.

    Raises:
        InputError: duplicates were not looked for.
    """
    for folder in (source.folder, source.folder.parent):
        if (found := folder / "links.parquet").is_file() and (
            folder == source.folder or (folder / "tables").is_dir()
        ):
            return found
    raise InputError(
        Text(
            "les doublons de cette base n'ont pas été cherchés\u202f: cherchez-les d'abord avec "
            "«\u202flab39 signals duplicates --store DOSSIER\u202f», ou comptez sans fusion",
            "duplicates of this store were not looked for: look for them first with "
            "“lab39 signals duplicates --store FOLDER”, or count without merging them",
        ),
        str(source.folder),
    )


class Merged:
    """Which reports of a store count under the number of another one.

    Attributes:
        count: reports that no longer count by themselves.
    """

    def __init__(self, source: Store, reports: ibis.Table, engine: Engine) -> None:
        """Read the links at or above the threshold whose two reports are both among ``reports``."""
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        links = pq.read_table(links_file(source), columns=["first", "second", "probability"])
        links = links.filter(pc.greater_equal(links["probability"], source.threshold))
        named = engine.rows(links.select(["first", "second"]))
        for end in ("first", "second"):
            named = named.semi_join(reports.select(**{end: reports["report_id"].cast("string")}), end)
        rows = engine.arrow(named).to_pylist()
        leaders = grouped((row["first"], row["second"]) for row in rows)
        moved = {one: other for one, other in leaders.items() if one != other}
        self.count = len(moved)
        self._moved: Any = engine.rows(
            pa.table(
                {
                    "report_id": pa.array(list(moved), pa.string()),
                    "counts_as": pa.array(moved.values(), pa.string()),
                }
            )
        )

    def reports(self, rows: ibis.Table) -> ibis.Table:
        """The reports without those that count under another's number."""
        named = rows.mutate(report_id=rows["report_id"].cast("string"))
        return named.anti_join(self._moved, "report_id")

    def rows(self, rows: ibis.Table) -> ibis.Table:
        """Drugs or events under the number that counts."""
        import ibis

        named = rows.mutate(report_id=rows["report_id"].cast("string"))
        joined = named.left_join(self._moved, "report_id")
        return joined.mutate(report_id=ibis.coalesce(joined["counts_as"], joined["report_id"])).select(rows.columns)
