"""A detection from the command line: count, score, keep the run, export the pairs; stages are told as they go."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals import runs
from lab39.solutions.signals.detection import Detection, score
from lab39.solutions.signals.sources import Source, Store, table

if TYPE_CHECKING:
    import pyarrow as pa

    from lab39.solutions.signals.engines import Engine
    from lab39.solutions.signals.gps import Prior
    from lab39.solutions.signals.gpsfit import Likelihood

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Made:
    """A detection.

    Attributes:
        detection: what was found.
        table: with every column that could be worked out.
        synthetic: the reports are made up.
        not_adjusted: events whose adjustment has no answer: their pairs keep the plain expectation.
    """

    detection: Detection
    table: pa.Table
    synthetic: bool = False
    not_adjusted: tuple[str, ...] = ()


def run(
    source: Source,
    *,
    by: Sequence[str],
    without: Sequence[str],
    engine: str,
    memory_gb: float,
    least: int,
    likelihood: Likelihood,
    zeros: bool = True,
    triage: bool = True,
    adjust: bool = False,
    known: Collection[tuple[str, str]] | None = None,
    progress: Progress = lambda _what, _done: None,
) -> Made:
    """See :func:`lab39.solutions.signals.detection.detect`; a table of counts has nothing to triage.

    Args:
        triage: look at the reports too (:func:`lab39.solutions.signals.triage.triaged`).
        adjust: triage on expectations adjusted for co-medication, age, sex and year
            (:mod:`lab39.solutions.signals.adjusted`), a regression for each event.
        known: reactions that are known already.

    Raises:
        InputError: an adjustment of what has no reports, or without the triage that it serves.
    """
    from lab39.solutions.signals.counting import count
    from lab39.solutions.signals.engines import opened
    from lab39.solutions.signals.triage import triaged

    if adjust and (not triage or not isinstance(source, Store) or without):
        raise InputError(
            Text(
                "demande une base de notifications (--store), avec le tri et sans --without",
                "needs a store of reports (--store), with the triage and without --without",
            ),
            "--adjust",
        )
    progress("", 0.02)
    with opened(engine, memory_gb=memory_gb) as chosen:
        counted = count(source, chosen, by=by, without=without)
        progress("", 0.6)
        found = score(counted, likelihood=likelihood, zeros=zeros, least=least)
        progress("", 0.8)
        made, adjusted = found.table, None
        left_out: tuple[str, ...] = ()
        if adjust and found.fit is not None and isinstance(source, Store):
            adjusted, left_out = _adjusted(source, chosen, found.fit.prior, progress)
        if triage and (known is not None or isinstance(source, Store)):
            made = triaged(found, source, chosen, known=known, without=without, adjusted=adjusted)
        progress("", 1.0)
    return Made(found, made, is_synthetic(source), left_out)


def _adjusted(source: Store, engine: Engine, prior: Prior, progress: Progress) -> tuple[pa.Table, tuple[str, ...]]:
    from lab39.solutions.signals.adjusted import design, rgps_of_all

    return rgps_of_all(design(source, engine), prior, lambda done: progress("", 0.8 + 0.15 * done))


def keep(
    made: Made,
    folder: Path,
    name: str,
    day: dt.date,
    source: Source,
    *,
    likelihood: str,
    zeros: bool = True,
    without: tuple[str, ...] = (),
    least: int = 1,
) -> runs.Run:
    """Write the run."""
    counted: dict[str, Any] = (
        {
            "store": source.folder,
            "roles": source.roles,
            "drug_column": source.drug,
            "duplicates": source.duplicates,
            "before": source.before,
            "each_ingredient": source.each_ingredient,
        }
        if isinstance(source, Store)
        else {}
    )
    return runs.write(
        made.detection,
        folder,
        name,
        day,
        table=made.table,
        likelihood=likelihood,
        zeros=zeros,
        without=without,
        synthetic=made.synthetic,
        least=least,
        **counted,
    )


def is_synthetic(source: Source) -> bool:
    """Whether a store has reports that ``lab39 signals simulate`` made up."""
    from lab39.solutions.signals.readers import Store as Reports

    if not isinstance(source, Store) or not (source.folder / "store.json").is_file():
        return False
    return any(part.kind == "synthetic" for part in Reports.open(source.folder).parts())


def last_quarter(source: Source) -> str | None:
    """The last quarter of a store, ``2017Q2``; None when no report tells one.

    Raises:
        InputError: a store without reports.
    """
    from lab39.solutions.signals.counting import has_reports
    from lab39.solutions.signals.engines import opened

    if not isinstance(source, Store):
        return None
    with opened() as engine:
        reports = table(engine, source.path("reports"))
        if "quarter" not in reports.columns:
            return None
        if source.before:
            reports = reports.filter(reports["quarter"].cast("string") < source.before)
        has_reports(source, reports, engine)
        found = engine.arrow(reports.aggregate(last=reports["quarter"].max()))["last"][0].as_py()
    return found if found and runs.last_day(found) else None


def format_of(out: Path) -> Literal["csv", "parquet"]:
    """What a file is written as.

    Raises:
        InputError: neither ``.csv`` nor ``.parquet``.
    """
    if out.suffix == ".csv":
        return "csv"
    if out.suffix == ".parquet":
        return "parquet"
    raise InputError(
        Text("attendu un nom en .csv ou .parquet", "a name that ends in .csv or .parquet is expected"), "--out"
    )


def export(pairs: pa.Table, path: Path, form: Literal["csv", "parquet"]) -> None:
    """Write every pair; absent values are empty in CSV."""
    import pyarrow as pa
    import pyarrow.csv as csv
    import pyarrow.parquet as pq

    if form == "parquet":
        pq.write_table(pairs, path, compression="zstd")
        return
    plain = pa.schema(
        [
            pa.field(each.name, pa.string() if pa.types.is_dictionary(each.type) else each.type)
            for each in pairs.schema
        ]
    )
    csv.write_csv(pairs.cast(plain), path)
