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
from lab39.solutions.signals.squash import LOG_E_STEP, Points

if TYPE_CHECKING:
    import ibis

    from lab39.solutions.signals.engines import Engine

UNKNOWN = "?"
MOST_CELLS = 100_000_000
"""Pairs of a drug and an event whose expectation is worked out to know those that nobody reported."""
_CHUNK = 200_000
_BLOCK = 2_000_000


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
            none = years.isnull() | years.isnan() | (years < 0)  # no age: neither an infant's nor that of the old
            return ibis.ifelse(none, UNKNOWN, band.cast("string"))
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

    def unreported(
        self, drug: Any, event: Any, *, step: float = LOG_E_STEP, most_cells: int = MOST_CELLS
    ) -> Points:
        """The pairs that nobody reported, as points of count 0 along log E summed over the strata.

        Blocks of the table of all drugs and events are made and let go of, never the whole. A pair whose drug and
        event no stratum holds together is expected 0 times and says nothing of the ratio: it is left out. Of a base
        with more than ``most_cells`` pairs, half of them go to the most reported drugs, and the other drugs are
        sampled evenly along their number of reports, each standing for those left out.

        Args:
            drug: code of the drug of each reported pair [pairs], sorted.
            event: code of its event [pairs].
            step: width of a bin of log E; a point stands at the mean expectation of its bin.
            most_cells: pairs to work out, at most.
        """
        n_events = self.event.shape[0]
        chosen, weight = self._chosen(max(most_cells // (2 * n_events), 1))
        begin = np.searchsorted(drug, np.arange(self.drug.shape[0] + 1))
        low = -np.log(self.n_reports) - step
        number = np.zeros(int(-2 * low / step) + 2)
        mass = np.zeros(number.size)
        by_stratum = self.event.T.tocsr()
        rows = max(_BLOCK // n_events, 1)
        for first in range(0, chosen.size, rows):
            part = chosen[first : first + rows]
            e = (self.drug[part] @ by_stratum).toarray()
            for at, code in enumerate(part):
                e[at, event[begin[code] : begin[code + 1]]] = 0.0
            of_row, column = np.nonzero(e)
            found, many = e[of_row, column], weight[first + of_row]
            at = ((np.log(found) - low) / step).astype(np.int64)
            number += np.bincount(at, many, number.size)
            mass += np.bincount(at, many * found, number.size)
        left = number > 0
        return Points(np.zeros(int(left.sum())), mass[left] / number[left], number[left])

    def _chosen(self, half: int) -> tuple[Any, Floats]:
        """The drugs to look at, all of them when they are at most twice ``half``, and how many each stands for."""
        n_drug = np.asarray(self.drug.sum(axis=1)).ravel()
        order = np.argsort(-n_drug, kind="stable")
        if order.size <= 2 * half:
            return order, np.ones(order.size)
        others = order[half:]
        sampled = others[np.linspace(0, others.size - 1, half).astype(np.int64)]
        weight = np.concatenate((np.ones(half), np.full(half, others.size / half)))
        return np.concatenate((order[:half], sampled)), weight
