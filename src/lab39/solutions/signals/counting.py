"""Counting distinct reports: margins, pairs, strata, as Ibis expressions that any engine runs.

``count`` gives whole numbers, and the expectation of each pair out of them. A pair comes from a sparse join of the
drugs and the events of a report; the dense table of all drugs and events is never made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals import strata
from lab39.solutions.signals.arrays import Floats, Ints, of_arrow
from lab39.solutions.signals.merging import Merged
from lab39.solutions.signals.sources import CountTable, Pairs, Source, Store, chosen, table

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

    from lab39.solutions.signals.engines import Engine

Codes = NDArray[np.int32]
Basis = Literal["reports", "mentions"]


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of every pair that was reported, drugs and events by code.

    Attributes:
        drugs: names, sorted [drugs]; ``events`` likewise [events].
        events: names of the events.
        n_drug: distinct reports of each drug [drugs].
        n_event: distinct reports of each event [events].
        n_total: distinct reports.
        drug: code of the drug of each pair [pairs], pairs sorted by drug then event.
        event: code of the event of each pair [pairs].
        n: distinct reports of each pair [pairs].
        expected: expected reports of each pair [pairs]: of the margins, or summed over strata (Mantel-Haenszel).
        by: what the strata are made of; empty without strata.
        n_strata: how many strata have reports.
        basis: ``reports``; ``mentions`` when the margins had to be summed out of counts.
        merged: reports that count under the number of another one (``duplicates="merge"``).
    """

    drugs: pa.Array
    events: pa.Array
    n_drug: Ints
    n_event: Ints
    n_total: int
    drug: Codes
    event: Codes
    n: Ints
    expected: Floats
    by: tuple[str, ...] = ()
    n_strata: int = 1
    basis: Basis = "reports"
    merged: int = 0


@dataclass(frozen=True, slots=True)
class Tables:
    """Distinct rows of a source, as tables of an engine.

    Attributes:
        reports: ``report_id`` and the columns that make strata.
        drugs: ``report_id``, ``drug``.
        events: ``report_id``, ``event``.
        couples: ``report_id``, ``drug``, ``event`` when the source couples them, else None.
        merged: reports that count under the number of another one.
    """

    reports: ibis.Table
    drugs: ibis.Table
    events: ibis.Table
    couples: ibis.Table | None
    merged: int = 0


def count(source: Source, engine: Engine, *, by: Sequence[str] = (), without: Sequence[str] = ()) -> Counts:
    """Count distinct reports.

    Args:
        source: a store, report-drug-event rows, or a table of counts.
        engine: see :mod:`lab39.solutions.signals.engines`.
        by: columns of the reports that make strata; ``age`` is cut into bands, ``year`` is the year of ``quarter``
            when there is no such column. An absent value is a stratum of its own.
        without: reports with any of these drugs are left out (leave-masker-out).

    Raises:
        InputError: a missing file, table or column, no pair at all, counts that are not whole numbers, strata or
            ``without`` asked of a table of counts.
    """
    if isinstance(source, CountTable):
        if by or without:
            raise InputError(
                Text(
                    "une table d'effectifs n'a ni strates ni notifications à retirer\u202f: "
                    "donnez les notifications",
                    "a table of counts has neither strata nor reports to leave out: give the reports",
                ),
                str(source.path),
            )
        return _of_counts(source, engine)
    tables = distinct_rows(source, engine, by)
    if without:
        tables = left_out(tables, engine, tuple(without))
    return _counted(tables, engine, tuple(by), source)


def distinct_rows(source: Store | Pairs, engine: Engine, by: Sequence[str]) -> Tables:
    """The distinct rows of a source; ``by`` become the columns ``by_0``, ``by_1``… of the reports."""
    import ibis

    if isinstance(source, Store):
        rows = store_tables(source, engine)
        return Tables(
            engine.keep(_reports(rows.reports, by, source.path("reports"))),
            engine.keep(_named(rows.drugs, "report_id", source.drug, "drug")),
            engine.keep(_named(rows.events, "report_id", source.event, "event")),
            None,
            rows.merged,
        )
    table_rows = table(engine, source.path)
    names = chosen(table_rows.columns, source.columns, ("report_id", "drug", "event"), source.path)
    named = table_rows.rename({role: name for role, name in names.items() if role != name})
    told = named.filter(named["report_id"].notnull())
    whole = told.mutate(report_id=told["report_id"].cast("string"))
    couples = (
        whole.select("report_id", drug=trimmed(whole["drug"]), event=trimmed(whole["event"]))
        .filter(ibis._.drug != "", ibis._.event != "")
        .distinct()
    )
    kept = engine.keep(couples)
    return Tables(
        engine.keep(_reports(whole, by, source.path)),
        kept.select("report_id", "drug").distinct(),
        kept.select("report_id", "event").distinct(),
        kept,
    )


class StoreTables(NamedTuple):
    """The tables of a store with all their columns; ``merged`` reports count under the number of another one."""

    reports: ibis.Table
    drugs: ibis.Table
    events: ibis.Table
    merged: int = 0


def store_tables(source: Store, engine: Engine) -> StoreTables:
    """Reports, drugs and events of a store, of the roles and the time asked for, duplicates merged when asked.

    Raises:
        InputError: a missing table or column.
    """
    reports = table(engine, source.path("reports"))
    drugs, events = (_of_current(table(engine, source.path(name)), source, engine) for name in ("drugs", "events"))
    wanted = ("report_id", "quarter") if source.before else ("report_id",)
    _has(reports, wanted, source.path("reports"))
    for name, each, column in (("drugs", drugs, source.drug), ("events", events, source.event)):
        _has(each, ("report_id", column), source.path(name))
    if source.roles:
        _has(drugs, ("role",), source.path("drugs"))
        drugs = drugs.filter(drugs["role"].fill_null("").isin(source.roles))
    if source.before:
        reports = reports.filter(reports["quarter"].cast("string") < source.before)
        drugs, events = (each.semi_join(reports, "report_id") for each in (drugs, events))
    if source.duplicates == "merge":
        made = Merged(source, reports, engine)
        return StoreTables(made.reports(reports), made.rows(drugs), made.rows(events), made.count)
    return StoreTables(reports, drugs, events)


def _of_current(rows: ibis.Table, source: Store, engine: Engine) -> ibis.Table:
    """Drugs or events without those of reports that were dropped since they were written."""
    import pyarrow.parquet as pq

    dropped = source.dropped
    if dropped is None or not pq.read_metadata(dropped).num_rows:
        return rows
    return rows.anti_join(engine.parquet(dropped), "report_key")


def _has(each: ibis.Table, columns: Sequence[str], where: Any) -> None:
    for column in columns:
        if column not in each.columns:
            listed = ", ".join(each.columns)
            raise InputError(
                Text(
                    f"colonne «\u202f{column}\u202f» introuvable\u202f; la table a {listed}",
                    f'no column "{column}"; the table has {listed}',
                ),
                str(where),
            )


def trimmed(column: Any) -> Any:
    """A name without the blanks around it; an absent one is empty, and not counted."""
    return column.cast("string").strip().fill_null("")


def _named(rows: ibis.Table, report: str, column: str, role: str) -> ibis.Table:
    """Distinct (report, name), names trimmed, empty names out."""
    import ibis

    named = rows.filter(rows[report].notnull()).select(
        report_id=rows[report].cast("string"), **{role: trimmed(rows[column])}
    )
    return named.filter(ibis._[role] != "").distinct()


def _reports(rows: ibis.Table, by: Sequence[str], where: Any) -> ibis.Table:
    """One row a report: its identifier and the columns that make strata."""
    columns = strata.columns(rows, by, where)
    return rows.filter(rows["report_id"].notnull()).select(rows["report_id"].cast("string"), **columns).distinct()


def left_out(tables: Tables, engine: Engine, names: tuple[str, ...]) -> Tables:
    """The tables without the reports that have any of these drugs."""
    drugs = tables.drugs
    theirs = engine.keep(drugs.filter(drugs["drug"].isin(names)).distinct())
    there = engine.arrow(theirs.select("drug").distinct())["drug"].to_pylist()
    if absent := ", ".join(name for name in names if name not in there):
        raise InputError(Text(f"aucune notification de {absent}", f"no report of {absent}"), "without")
    out = theirs.select("report_id").distinct()
    reports, drugs, events = (
        engine.keep(each.anti_join(out, "report_id")) for each in (tables.reports, tables.drugs, tables.events)
    )
    couples = tables.couples
    if couples is not None:
        couples = engine.keep(couples.anti_join(out, "report_id"))
    return Tables(reports, drugs, events, couples, tables.merged)


def margin(rows: ibis.Table, role: str) -> ibis.Table:
    """Reports of each name, names numbered in their order."""
    import ibis

    counted = rows.group_by(role).aggregate(reports=ibis._.count())
    return counted.mutate(code=ibis.row_number().over(ibis.window(order_by=counted[role])).cast("int32"))


def _counted(tables: Tables, engine: Engine, by: tuple[str, ...], source: Store | Pairs) -> Counts:
    import ibis

    drug_margin = engine.keep(margin(tables.drugs, "drug"))
    event_margin = engine.keep(margin(tables.events, "event"))
    drugs = tables.drugs.join(drug_margin, "drug").select("report_id", drug_code="code")
    events = tables.events.join(event_margin, "event").select("report_id", event_code="code")
    if tables.couples is None:
        if by:
            drugs, events = engine.keep(drugs), engine.keep(events)
        joined = drugs.join(events, "report_id")
    else:
        joined = (
            tables.couples.join(drug_margin, "drug")
            .select("report_id", "event", drug_code="code")
            .join(event_margin, "event")
            .select("report_id", "drug_code", event_code="code")
        )
    pairs = engine.arrow(joined.group_by("drug_code", "event_code").aggregate(n=ibis._.count()))
    if not pairs.num_rows:
        where = source.folder if isinstance(source, Store) else source.path
        raise InputError(
            Text(
                "aucune paire médicament-événement\u202f: rien à compter",
                "no drug-event pair: there is nothing to count",
            ),
            str(where),
        )
    names_drug, n_drug = by_code(engine.arrow(drug_margin), "drug")
    names_event, n_event = by_code(engine.arrow(event_margin), "event")
    total = int(engine.arrow(tables.reports.aggregate(n=tables.reports["report_id"].nunique()))["n"][0].as_py())
    drug, event, n = _in_order(pairs, len(names_event))
    expected = n_drug[drug] * n_event[event] / total
    n_strata = 1
    if by:
        made = strata.Margins.of(tables.reports, drugs, events, by, engine, (len(n_drug), len(n_event)))
        if made.n_reports != total:
            where = source.folder if isinstance(source, Store) else source.path
            raise InputError(
                Text(
                    f"des notifications ont plusieurs valeurs de {', '.join(by)}\u202f: une seule est attendue",
                    f"some reports have several values of {', '.join(by)}: one is expected",
                ),
                str(where),
            )
        expected = made.expected(drug, event)
        n_strata = made.n_strata
    return Counts(
        names_drug,
        names_event,
        n_drug,
        n_event,
        total,
        drug,
        event,
        n,
        expected,
        by,
        n_strata,
        merged=tables.merged,
    )


def by_code(counted: pa.Table, role: str) -> tuple[pa.Array, Ints]:
    """Names and reports in the order of the codes."""
    import pyarrow as pa

    order = np.argsort(of_arrow(counted, "code"), kind="stable")
    names = counted[role].combine_chunks()
    return names.take(pa.array(order.tolist())), of_arrow(counted, "reports")[order].astype(np.int64)


def _in_order(pairs: pa.Table, n_events: int) -> tuple[Codes, Codes, Ints]:
    """Pairs sorted by drug then event, whatever the order in which the engine gave them."""
    key = of_arrow(pairs, "drug_code").astype(np.int64) * n_events + of_arrow(pairs, "event_code")
    order = np.argsort(key, kind="stable")
    drug, event = np.divmod(key[order], n_events)
    return drug.astype(np.int32), event.astype(np.int32), of_arrow(pairs, "n")[order].astype(np.int64)


def _of_counts(source: CountTable, engine: Engine) -> Counts:
    """Counts out of a table of them; margins given, or summed."""
    rows = table(engine, source.path)
    margins = ("n_drug", "n_event", "n_total")
    names = chosen(rows.columns, source.columns, ("drug", "event", "n"), source.path, margins)
    have = [each for each in margins if each in names]
    if have and len(have) < len(margins):
        lacking = ", ".join(each for each in margins if each not in names)
        raise InputError(
            Text(f"marges incomplètes\u202f: il manque {lacking}", f"incomplete margins: {lacking} missing"),
            str(source.path),
        )
    columns = {"drug": trimmed(rows[names["drug"]]), "event": trimmed(rows[names["event"]])}
    for each in ("n", *have):
        columns[each] = rows[names[each]].cast("string").try_cast("float64")
    read = engine.arrow(rows.select(**columns))
    values = {each: read[each].to_numpy(zero_copy_only=False).astype(np.float64) for each in ("n", *have)}
    for each, column in values.items():
        wrong = ~(np.isfinite(column) & (column >= 0) & (column == np.floor(column)))
        if wrong.any():
            raise InputError(
                Text(
                    f"{int(wrong.sum())} valeurs de «\u202f{names[each]}\u202f» ne sont pas des nombres entiers",
                    f'{int(wrong.sum())} values of "{names[each]}" are not whole numbers',
                ),
                str(source.path),
            )
    drugs, drug = _coded(read["drug"])
    events, event = _coded(read["event"])
    n = values["n"].astype(np.int64)
    key = drug.astype(np.int64) * len(events) + event
    if np.unique(key).size != key.size:
        raise InputError(
            Text("des paires figurent deux fois", "some pairs are there twice"),
            str(source.path),
        )
    if n.sum() == 0:
        raise InputError(Text("tous les effectifs sont nuls", "every count is 0"), str(source.path))
    if have:
        n_drug, n_event = (
            _margin_of(values[m], code, len(names_), m, source)
            for m, code, names_ in (("n_drug", drug, drugs), ("n_event", event, events))
        )
        total = int(values["n_total"].max())
        if (values["n_total"] != total).any():
            raise InputError(
                Text("n_total varie d'une ligne à l'autre", "n_total differs between rows"), str(source.path)
            )
    else:
        n_drug = np.bincount(drug, n, len(drugs)).astype(np.int64)
        n_event = np.bincount(event, n, len(events)).astype(np.int64)
        total = int(n.sum())
    order = np.argsort(key, kind="stable")
    order = order[n[order] > 0]
    drug, event, n = drug[order], event[order], n[order]
    return Counts(
        drugs,
        events,
        n_drug,
        n_event,
        total,
        drug,
        event,
        n,
        n_drug[drug] * n_event[event] / total,
        basis="reports" if have else "mentions",
    )


def _coded(names: Any) -> tuple[pa.Array, Codes]:
    """Sorted distinct names, and the code of each row."""
    import pyarrow as pa

    kinds, codes = np.unique(names.to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
    return pa.array(kinds.tolist(), pa.string()), codes.astype(np.int32)


def _margin_of(values: Floats, code: Codes, size: int, name: str, source: CountTable) -> Ints:
    """A margin told on each row, checked to be one number for each name."""
    made = np.zeros(size)
    made[code] = values
    if (made[code] != values).any():
        raise InputError(
            Text(f"{name} varie pour un même nom", f"{name} differs for one and the same name"), str(source.path)
        )
    return made.astype(np.int64)
