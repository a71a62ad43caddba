"""Strata of reports: sex, age band, year or any column, and expectations summed over them (Mantel-Haenszel)."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals.arrays import Floats, of_arrow

if TYPE_CHECKING:
    import ibis

    from lab39.solutions.signals.engines import Engine

UNKNOWN = "?"
_CHUNK = 200_000


@cache
def age_bounds() -> tuple[float, ...]:
    """Ages, in years, at which a band begins; of ``knowledge/age_bands.toml``."""
    path = Path(__file__).parent / "knowledge" / "age_bands.toml"
    return tuple(float(band["begins_at_years"]) for band in tomllib.loads(path.read_text("utf-8"))["band"])


def columns(reports: ibis.Table, by: Sequence[str], where: Any) -> dict[str, Any]:
    """The expressions that make the strata of a table of reports, one for each name of ``by``.

    Raises:
        InputError: a column that is not there; the columns found are listed.
    """
    made: dict[str, Any] = {}
    for at, name in enumerate(by):
        made[f"by_{at}"] = _column(reports, name, where)
    return made


def _column(reports: ibis.Table, name: str, where: Any) -> Any:
    import ibis

    have = {each.casefold(): each for each in reports.columns}
    if name == "age":
        found = have.get("age_years") or have.get("age")
        if found:
            years = reports[found].cast("string").try_cast("float64")
            band = ibis.literal(0)
            for bound in age_bounds()[1:]:
                band = band + (years >= bound).cast("int64")
            return ibis.ifelse(years.isnull(), UNKNOWN, band.cast("string"))
    if name == "year" and "year" not in have and "quarter" in have:
        return reports[have["quarter"]].cast("string").substr(0, 4).fill_null(UNKNOWN)
    if name.casefold() not in have:
        listed = ", ".join(reports.columns)
        raise InputError(
            Text(
                f"strate «\u202f{name}\u202f» introuvable\u202f; les notifications ont {listed}",
                f'no column for the stratum "{name}"; the reports have {listed}',
            ),
            str(where),
        )
    return reports[have[name.casefold()]].cast("string").fill_null(UNKNOWN)


@dataclass(frozen=True, slots=True)
class Margins:
    """Reports of each drug and of each event within each stratum, sparse.

    Attributes:
        drug: [drugs, strata], scipy CSR.
        event: [events, strata], scipy CSR, already divided by the reports of the stratum.
        n_strata: strata with at least one report.
        n_reports: reports over all strata.
    """

    drug: Any
    event: Any
    n_strata: int
    n_reports: int

    @classmethod
    def of(
        cls,
        reports: ibis.Table,
        drugs: ibis.Table,
        events: ibis.Table,
        by: Sequence[str],
        engine: Engine,
        shape: tuple[int, int],
    ) -> Margins:
        """Count the margins of each stratum."""
        import ibis
        from scipy.sparse import csr_array

        names = [f"by_{at}" for at in range(len(by))]
        sizes = reports.group_by(names).aggregate(reports=ibis._.count())
        order = ibis.window(order_by=[sizes[name] for name in names])
        numbered = engine.keep(sizes.mutate(stratum=ibis.row_number().over(order).cast("int32")))
        of_report = engine.keep(reports.join(numbered, names).select("report_id", "stratum"))
        size = engine.arrow(numbered.select("stratum", "reports"))
        n_s = np.zeros(size.num_rows)
        n_s[of_arrow(size, "stratum")] = of_arrow(size, "reports")
        made = []
        for rows, role, many in ((drugs, "drug_code", shape[0]), (events, "event_code", shape[1])):
            counted = engine.arrow(
                rows.join(of_report, "report_id").group_by(role, "stratum").aggregate(n=ibis._.count())
            )
            made.append(
                csr_array(
                    (
                        of_arrow(counted, "n").astype(np.float64),
                        (of_arrow(counted, role), of_arrow(counted, "stratum")),
                    ),
                    shape=(many, n_s.size),
                )
            )
        event = made[1].multiply(1.0 / n_s[None, :]).tocsr()
        return cls(made[0], event, int(n_s.size), int(n_s.sum()))

    def expected(self, drug: Any, event: Any) -> Floats:
        """Σ over strata of n_drug · n_event / n_stratum, for pairs of codes [pairs]."""
        made = np.empty(len(drug))
        for begin in range(0, len(drug), _CHUNK):
            part = slice(begin, begin + _CHUNK)
            made[part] = np.asarray(self.drug[drug[part]].multiply(self.event[event[part]]).sum(axis=1)).ravel()
        return made
