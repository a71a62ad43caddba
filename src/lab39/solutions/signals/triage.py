"""Weak-signal triage: which pairs an assessor should open first, and why, in words.

A pair is ranked by how many of the published criteria it meets, then by IC025. The criteria are the aspects that
vigiRank selected (disproportionate reporting, informative reports, recent reports, free text, countries), the range
of counts in which the Uppsala Monitoring Centre looks for signals, and novelty; each has its figure and its source
in ``knowledge/triage.toml``. vigiRank's coefficients are not used: weights come only from references that you train
on (:mod:`~lab39.solutions.signals.training`). What nothing tells is neither met nor failed.

Sources: Caster et al., Drug Saf 2014, doi:10.1007/s40264-014-0204-5 and Pharmacoepidemiol Drug Saf 2017;26:1006.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals.arrays import Bools, Floats, to_arrow
from lab39.solutions.signals.components import NAMES, Components, components, quarter_name
from lab39.solutions.signals.disproportionality import ic
from lab39.solutions.signals.sources import Source, Store
from lab39.solutions.signals.thresholds import triage_facts

if TYPE_CHECKING:
    import pyarrow as pa

    from lab39.solutions.signals.detection import Detection
    from lab39.solutions.signals.engines import Engine

CRITERIA = ("disproportionate", "few", "countries", "informative", "narrative", "recent", "novel")
"""The criteria, in the order in which they are explained."""

COLUMNS = (
    "completeness", "informative", "recent", "previous", "recent_quarters", "previous_quarters", "first_quarter",
    "countries", "serious", "serious_told", "narratives", "expected_adjusted", "ic025_adjusted", "known",
    "criteria_met", "criteria_told", "triage_rank",
)  # fmt: skip
"""Columns that :func:`triaged` appends. Whole numbers, except ``completeness`` (0 to 1), ``first_quarter`` (text),
``expected_adjusted`` and ``ic025_adjusted`` (of the regression), ``known`` (true, false); null where nothing tells.
``triage_rank`` is 1 for the pair to open first."""

Pair = tuple[str, str]


def triaged(
    detection: Detection,
    source: Source,
    engine: Engine,
    *,
    known: Collection[Pair] | None = None,
    without: Sequence[str] = (),
    adjusted: pa.Table | None = None,
) -> pa.Table:
    """The table of a detection with :data:`COLUMNS`, rows in the order they had.

    Args:
        detection: of :func:`~lab39.solutions.signals.detection.detect`.
        source: what was counted. Rows of pairs and tables of counts have no reports to look at: what comes of the
            reports is null there.
        engine: see :mod:`lab39.solutions.signals.engines`.
        known: (drug, event) that are known reactions; capitals and blanks do not matter. Without it novelty is not
            told.
        without: what detection left out.
        adjusted: of :func:`~lab39.solutions.signals.adjusted.rgps`, for all events or some. For a pair that is
            there, disproportion is told by the IC on the adjusted expectation.

    Raises:
        InputError: the source is not what the detection counted.
    """
    import pyarrow as pa

    table, counts = detection.table, detection.counts
    drug, event = (_indices(table, name) for name in ("drug", "event"))
    values = dict.fromkeys(NAMES, np.full(table.num_rows, np.nan))
    if isinstance(source, Store):
        found = components(source, engine, without=without)
        at = _places(found, counts.drugs, counts.events, drug, event, table, source)
        values = {name: found.values[name][at] for name in NAMES}
        del found
    is_known = None if known is None else known_pairs(counts.drugs, counts.events, drug, event, known)
    ic025, n = (_floats(table, name) for name in ("ic025", "n"))
    expected = np.full(table.num_rows, np.nan)
    if adjusted is not None:
        expected = _expected(adjusted, counts.drugs, counts.events, drug, event)
    low = np.full(table.num_rows, np.nan)
    low[~np.isnan(expected)] = ic(n[~np.isnan(expected)], expected[~np.isnan(expected)]).low
    ic025 = np.where(np.isnan(low), ic025, low)
    met, told = criteria(ic025, n, values, is_known)
    n_met, n_told = (np.stack(list(each.values())).sum(axis=0, dtype=np.int64) for each in (met, told))
    rank = np.empty(table.num_rows, dtype=np.int64)
    rank[np.lexsort((event, drug, -ic025, -n_met))] = np.arange(1, table.num_rows + 1)
    for name in NAMES:
        table = table.append_column(name, _column(name, values.pop(name)))
    for name, column in (("expected_adjusted", expected), ("ic025_adjusted", low)):
        table = table.append_column(name, to_arrow(column, ~np.isnan(column)))
    flags = pa.nulls(table.num_rows, pa.bool_()) if is_known is None else to_arrow(is_known)
    table = table.append_column("known", flags)
    for name, column in (("criteria_met", n_met), ("criteria_told", n_told), ("triage_rank", rank)):
        table = table.append_column(name, to_arrow(column))
    return table


def criteria(
    ic025: Floats, n: Floats, values: Mapping[str, Floats], known: Bools | None = None
) -> tuple[dict[str, Bools], dict[str, Bools]]:
    """Which criteria each pair meets, and which can be told.

    Args:
        ic025: lower end of the IC, on the adjusted expectation where there is one [pairs].
        n: reports [pairs].
        values: components by name [pairs], NaN where nothing tells (see
            :class:`~lab39.solutions.signals.components.Components`).
        known: whether the pair is a known reaction [pairs]; None when there is no list.

    Returns:
        By criterion [pairs]: met, told. What is not told is not met.
    """
    rule = triage_facts()["criteria"]
    every = np.ones(n.shape, dtype=bool)
    told = {"disproportionate": ~np.isnan(ic025), "few": every}
    met = {
        "disproportionate": ic025 > rule["disproportionate"]["ic025_above"],
        "few": (n >= rule["few"]["reports_least"]) & (n <= rule["few"]["reports_most"]),
    }
    for name, component, least in (
        ("countries", "countries", rule["countries"]["countries_least"]),
        ("informative", "informative", rule["informative"]["reports_least"]),
        ("narrative", "narratives", rule["narrative"]["reports_least"]),
        ("recent", "recent", rule["recent"]["reports_least"]),
    ):
        value = values[component]
        told[name], met[name] = ~np.isnan(value), np.nan_to_num(value, nan=-1.0) >= least
    told["novel"] = every if known is not None else ~every
    met["novel"] = ~known if known is not None else ~every
    return met, told


def known_pairs(drugs: Any, events: Any, drug: Any, event: Any, known: Collection[Pair]) -> Bools:
    """Whether each pair of codes is among known pairs of names; capitals and blanks do not matter.

    Args:
        drugs: names by code, Arrow; ``events`` likewise.
        events: names of the events.
        drug: codes [pairs]; ``event`` likewise.
        event: codes of the events.
        known: (drug, event).
    """
    by_name: list[dict[str, list[int]]] = []
    for names in (drugs, events):
        codes: dict[str, list[int]] = {}
        for code, name in enumerate(names.to_pylist()):
            codes.setdefault(_folded(name), []).append(code)
        by_name.append(codes)
    size = len(events)
    keys = [
        d * size + e
        for known_drug, known_event in known
        for d in by_name[0].get(_folded(known_drug), ())
        for e in by_name[1].get(_folded(known_event), ())
    ]
    return np.isin(drug.astype(np.int64) * size + event, np.array(keys, dtype=np.int64))


def explain(row: Mapping[str, Any]) -> tuple[Text, ...]:
    """Why a pair has its rank: one sentence for each criterion, met, failed or not told.

    Args:
        row: a row of the table of :func:`triaged`, as a mapping.
    """
    from lab39.solutions.signals.triage_words import sentences

    return sentences(row)


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def _indices(table: pa.Table, name: str) -> Any:
    """The codes of a dictionary column."""
    return np.from_dlpack(table[name].combine_chunks().indices)


def _floats(table: pa.Table, name: str) -> Floats:
    found: Floats = np.from_dlpack(table[name].combine_chunks()).astype(np.float64)
    return found


def _places(
    found: Components, drugs: Any, events: Any, drug: Any, event: Any, table: pa.Table, source: Store
) -> Any:
    """Where each row of the table is among the components; the counts must agree."""
    key_of = _codes(found.drugs, drugs)[drug] * len(found.events) + _codes(found.events, events)[event]
    keys = found.drug.astype(np.int64) * len(found.events) + found.event
    at = np.minimum(np.searchsorted(keys, key_of), keys.size - 1)
    if (keys[at] != key_of).any() or (found.n[at] != np.from_dlpack(table["n"].combine_chunks())).any():
        raise InputError(
            Text(
                "cette base n'est pas celle qui a été comptée\u202f: relancez la détection",
                "this store is not the one that was counted: run the detection again",
            ),
            str(source.folder),
        )
    return at


def _expected(adjusted: pa.Table, drugs: Any, events: Any, drug: Any, event: Any) -> Floats:
    """The adjusted expectation of each row of the table, NaN where there is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    code = [
        np.from_dlpack(pc.fill_null(pc.index_in(pc.cast(adjusted[role].combine_chunks(), pa.string()), names), -1))
        for role, names in (("drug", drugs), ("event", events))
    ]
    key = code[0].astype(np.int64) * len(events) + code[1]
    order = np.argsort(key, kind="stable")
    value = np.from_dlpack(adjusted["expected_adjusted"].combine_chunks())[order]
    wanted = drug.astype(np.int64) * len(events) + event
    if not key.size:
        return np.full(wanted.size, np.nan)
    at = np.minimum(np.searchsorted(key[order], wanted), key.size - 1)
    return np.where(key[order][at] == wanted, value[at], np.nan)


def _codes(names: Any, asked: Any) -> Any:
    """The code of each asked name among the names; -1 when it is not there."""
    code = {name: at for at, name in enumerate(names.to_pylist())}
    return np.array([code.get(name, -1) for name in asked.to_pylist()], dtype=np.int64)


def _column(name: str, values: Floats) -> pa.Array:
    """A component as Arrow has it, null for NaN."""
    import pyarrow as pa
    import pyarrow.compute as pc

    there = ~np.isnan(values)
    if name == "completeness":
        return to_arrow(values, there)
    whole = to_arrow(np.nan_to_num(values).astype(np.int64), there)
    if name != "first_quarter":
        return whole
    kinds = pc.unique(whole)
    texts = [None if each is None else quarter_name(each) for each in kinds.to_pylist()]
    return pc.take(pa.array(texts, pa.string()), pc.index_in(whole, kinds))
