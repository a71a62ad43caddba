"""One pair along time: the counts of each period, ready for ``change`` and ``sequential``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lab39.core.errors import UnknownNameError
from lab39.core.text import Text
from lab39.solutions.signals.arrays import Floats, Ints
from lab39.solutions.signals.counting import distinct_rows
from lab39.solutions.signals.sources import Pairs, Store

if TYPE_CHECKING:
    from lab39.solutions.signals.engines import Engine


@dataclass(frozen=True, slots=True)
class Course:
    """Counts of a pair by period, periods in order; reports without a period are not in it.

    Attributes:
        periods: their names [periods].
        observed: reports with drug and event [periods].
        n_drug: reports with the drug [periods].
        n_event: reports with the event [periods].
        n_total: reports [periods].
        undated: reports without a period.
    """

    periods: tuple[str, ...]
    observed: Ints
    n_drug: Ints
    n_event: Ints
    n_total: Ints
    undated: int

    @property
    def expected(self) -> Floats:
        """n_drug · n_event / n_total of each period [periods]; 0 in a period without the drug or the event."""
        return np.asarray(self.n_drug * self.n_event / self.n_total, dtype=np.float64)


def time_course(source: Store | Pairs, engine: Engine, drug: str, event: str, *, period: str = "quarter") -> Course:
    """Count a pair in each period.

    Args:
        source: reports with a column ``period``.
        engine: see :mod:`lab39.solutions.signals.engines`.
        drug: name, as counted.
        event: name, as counted.
        period: column of the reports; ``year`` is read off ``quarter`` when it is not there.

    Raises:
        InputError: no such column.
        UnknownNameError: no report of the drug, or none of the event.
    """
    import ibis

    from lab39.solutions.signals.strata import UNKNOWN

    tables = distinct_rows(source, engine, (period,))
    reports = tables.reports.rename(period="by_0")
    with_drug = tables.drugs.filter(tables.drugs["drug"] == drug).select("report_id").mutate(has_drug=1)
    with_event = tables.events.filter(tables.events["event"] == event).select("report_id").mutate(has_event=1)
    if tables.couples is None:
        with_both = with_drug.join(with_event, "report_id").select("report_id", has_both="has_drug")
    else:
        couples = tables.couples
        with_both = (
            couples.filter(couples["drug"] == drug, couples["event"] == event)
            .select("report_id")
            .mutate(has_both=1)
        )
    joined = reports
    for each in (with_drug, with_event, with_both):
        joined = joined.left_join(each, "report_id").drop("report_id_right")
    found = engine.arrow(
        joined.group_by("period").aggregate(
            total=ibis._.count(),
            n_drug=ibis._.has_drug.sum().fill_null(0),
            n_event=ibis._.has_event.sum().fill_null(0),
            n=ibis._.has_both.sum().fill_null(0),
        )
    ).to_pylist()
    for column, name, what in (
        ("n_drug", drug, Text("aucune notification de ce médicament", "no report of this drug")),
        ("n_event", event, Text("aucune notification de cet événement", "no report of this event")),
    ):
        if not sum(row[column] for row in found):
            raise UnknownNameError(what, name)
    dated = sorted((row for row in found if row["period"] != UNKNOWN), key=lambda row: str(row["period"]))
    columns = {
        name: np.array([row[name] for row in dated], dtype=np.int64) for name in ("n", "n_drug", "n_event", "total")
    }
    return Course(
        tuple(str(row["period"]) for row in dated),
        columns["n"],
        columns["n_drug"],
        columns["n_event"],
        columns["total"],
        sum(row["total"] for row in found if row["period"] == UNKNOWN),
    )
