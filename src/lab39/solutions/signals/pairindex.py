"""The pairs of a run that stand out, compiled once into a small SQLite file so that an assessment reads a few rows.

Kept: pairs of at least :data:`~lab39.solutions.signals.thresholds.FEWEST_REPORTS` reports whose EB05 is at least 2,
or whose IC025 is above 0.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lab39.core.datapacks import Pack, Packs
from lab39.core.errors import InputError, PackMissingError, UnknownNameError
from lab39.solutions.signals import runs
from lab39.solutions.signals.knowing import folded
from lab39.solutions.signals.runs import PACK
from lab39.solutions.signals.thresholds import FEWEST_REPORTS

KIND = "standing-out-v1.sqlite"
EB05, IC025 = 2.0, 0.0
"""Almenoff 2006 (EB05 of at least 2) and Bate 1998 (IC025 above 0), the bounds in common use."""
_COLUMNS = ("drug", "event", "n", "expected", "ic", "ic025", "ic975", "eb05")


@dataclass(frozen=True, slots=True)
class Standing:
    """A pair that stands out in a base.

    Attributes:
        n: distinct reports with both.
        ic, ic025, ic975: information component and its 95 % interval, in powers of two.
    """

    drug: str
    event: str
    n: int
    expected: float
    ic: float
    ic025: float
    ic975: float


def newest(packs: Packs) -> Pack | None:
    """The newest run of real reports that the lab was given; ``None`` when there is none, or it cannot be read.

    A run over made-up reports says nothing of a person: it is passed over.
    """
    try:
        pack = packs.get(PACK)
        if not runs.of_pack(pack).synthetic:
            return pack
        return next((each for each in reversed(packs.installed(PACK)) if not runs.of_pack(each).synthetic), None)
    except (PackMissingError, UnknownNameError, InputError):
        return None


def path(packs: Packs, pack: Pack) -> Path:
    """The index of a run, compiled now if it is not there yet."""
    return packs.compiled(pack, KIND, lambda target: _build(pack.files["scores"], target))


def look(index: Path, drugs: Iterable[str], events: Iterable[str]) -> tuple[Standing, ...]:
    """The pairs of these drugs and events that stand out, the most reported beyond expectation first.

    Args:
        drugs, events: names, compared without case or accents.
    """
    names, terms = sorted({folded(d) for d in drugs}), sorted({folded(e) for e in events})
    if not names or not terms:
        return ()
    query = (
        "SELECT drug_name, event_name, n, expected, ic, ic025, ic975 FROM pair"
        " WHERE drug IN (SELECT value FROM json_each(?)) AND event IN (SELECT value FROM json_each(?))"
        " ORDER BY ic025 DESC, n DESC, drug, event"
    )
    connection = sqlite3.connect(f"file:{index}?mode=ro", uri=True)
    try:
        return tuple(Standing(*row) for row in connection.execute(query, (json.dumps(names), json.dumps(terms))))
    finally:
        connection.close()


def _build(scores: Path, target: Path) -> None:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(scores, columns=list(_COLUMNS))
    stands = pc.or_kleene(
        pc.fill_null(pc.greater_equal(table["eb05"], EB05), False),
        pc.fill_null(pc.greater(table["ic025"], IC025), False),
    )
    table = table.filter(pc.and_(stands, pc.greater_equal(table["n"], FEWEST_REPORTS)))
    columns = [table[name].to_pylist() for name in _COLUMNS[:-1]]
    connection = sqlite3.connect(target)
    try:
        with connection:
            connection.execute(
                "CREATE TABLE pair (drug TEXT, event TEXT, drug_name TEXT, event_name TEXT, n INTEGER,"
                " expected REAL, ic REAL, ic025 REAL, ic975 REAL)"
            )
            connection.executemany(
                "INSERT INTO pair VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                ((folded(d), folded(e), d, e, int(n), *rest) for d, e, n, *rest in zip(*columns, strict=True)),
            )
            connection.execute("CREATE INDEX by_drug ON pair (drug, event)")
    finally:
        connection.close()
