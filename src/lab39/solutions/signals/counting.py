"""Counting distinct reports: margins, pairs, strata, as Ibis expressions that any engine runs.

``count`` gives whole numbers, and the expectation of each pair out of them. A pair comes from a sparse join of the
drugs and the events of a report; the dense table of all drugs and events is never made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals import count_table, strata
from lab39.solutions.signals.arrays import Ints, of_arrow
from lab39.solutions.signals.counts import Codes, Counts
from lab39.solutions.signals.merging import Merged
from lab39.solutions.signals.readers.names import JOIN
from lab39.solutions.signals.sources import (
    INGREDIENT,
    CountTable,
    Pairs,
    Source,
    Store,
    chosen,
    table,
    trimmed,
)

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

    from lab39.solutions.signals.engines import Engine

_CUT = "\x1f"


@dataclass(frozen=True, slots=True)
class Tables:
    """Distinct rows of a source, as tables of an engine.

    Attributes:
        reports: ``report_id`` and the columns that make strata.
        drugs: ``report_id``, ``drug``.
        events: ``report_id``, ``event``.
        couples: ``report_id``, ``drug``, ``event`` when the source couples them, else None.
        merged: reports that count under the number of another one.
        unnamed: rows of a file of pairs without their report, drug or event.
    """

    reports: ibis.Table
    drugs: ibis.Table
    events: ibis.Table
    couples: ibis.Table | None
    merged: int = 0
    unnamed: int = 0


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
        return count_table.counts(source, engine)
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
    rows = named.mutate(**{role: trimmed(named[role]) for role in ("report_id", "drug", "event")})
    whole = rows.filter(rows["report_id"] != "")
    blank = (rows["report_id"] == "") | (rows["drug"] == "") | (rows["event"] == "")
    unnamed = engine.arrow(rows.aggregate(n=blank.cast("int64").sum()))["n"][0].as_py()
    couples = whole.select("report_id", "drug", "event").filter(ibis._.drug != "", ibis._.event != "").distinct()
    kept = engine.keep(couples)
    return Tables(
        engine.keep(_reports(whole, by, source.path)),
        kept.select("report_id", "drug").distinct(),
        kept.select("report_id", "event").distinct(),
        kept,
        unnamed=unnamed or 0,
    )


class StoreTables(NamedTuple):
    """The tables of a store with all their columns; ``merged`` reports count under the number of another one."""

    reports: ibis.Table
    drugs: ibis.Table
    events: ibis.Table
    merged: int = 0


def store_tables(source: Store, engine: Engine) -> StoreTables:
    """Reports, drugs and events of a store, of the roles and the time asked for, duplicates merged when asked.

    A product of several ingredients has a row for each when ingredients are counted.

    Raises:
        InputError: a missing table or column.
    """
    reports = table(engine, source.path("reports"))
    drugs, events = (_of_current(table(engine, source.path(name)), source, engine) for name in ("drugs", "events"))
    wanted = ("report_id", "quarter") if source.before or source.until else ("report_id",)
    _has(reports, wanted, source.path("reports"))
    for name, each, column in (("drugs", drugs, source.drug), ("events", events, source.event)):
        _has(each, ("report_id", column), source.path(name))
    if source.roles:
        _has(drugs, ("role",), source.path("drugs"))
        drugs = drugs.filter(drugs["role"].fill_null("").isin(source.roles))
    if source.drug == INGREDIENT and source.each_ingredient:
        drugs = _each_ingredient(drugs)
    if source.before:
        reports = reports.filter(reports["quarter"].cast("string") < source.before)
    if source.until:
        quarter = reports["quarter"].cast("string")
        reports = reports.filter(quarter.isnull() | (quarter <= source.until))
    if source.before or source.until:
        drugs, events = (each.semi_join(reports, "report_id") for each in (drugs, events))
    if source.duplicates == "merge":
        made = Merged(source, reports, engine)
        return StoreTables(made.reports(reports), made.rows(drugs), made.rows(events), made.count)
    return StoreTables(reports, drugs, events)


def _each_ingredient(drugs: ibis.Table) -> ibis.Table:
    """A row for each ingredient of a product that has several: each of them is counted."""
    several = drugs[INGREDIENT].contains(JOIN).fill_null(False)
    cut = drugs[INGREDIENT].replace(JOIN, _CUT).split(_CUT)  # Spark splits at a regular expression
    split = drugs.filter(several).mutate(**{INGREDIENT: cut.unnest()})
    return drugs.filter(~several).union(split)


def has_reports(source: Store, reports: ibis.Table, engine: Engine) -> None:
    """Nothing when there are reports.

    Raises:
        InputError: there are none, or none before the quarter that is asked for.
    """
    if engine.arrow(reports.limit(1)).num_rows:
        return
    if source.before:
        said = Text(f"aucune notification avant {source.before}", f"no report before {source.before}")
    else:
        said = Text(
            "aucune notification dans cette base\u202f: ajouter une source avec «\u202flab39 signals ingest\u202f»",
            "no report in this store: add a source with “lab39 signals ingest”",
        )
    raise InputError(said, str(source.folder))


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
    return Tables(reports, drugs, events, couples, tables.merged, tables.unnamed)


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
        if isinstance(source, Store):
            has_reports(source, tables.reports, engine)
        raise InputError(
            Text(
                "aucun couple médicament-événement\u202f: rien à compter",
                "no drug-event pair: there is nothing to count",
            ),
            str(where),
        )
    names_drug, n_drug = by_code(engine.arrow(drug_margin), "drug")
    names_event, n_event = by_code(engine.arrow(event_margin), "event")
    total = int(engine.arrow(tables.reports.aggregate(n=tables.reports["report_id"].nunique()))["n"][0].as_py())
    drug, event, n = _in_order(pairs, len(names_event))
    expected = n_drug[drug] * n_event[event] / total
    n_strata, made = 1, None
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
        unnamed=tables.unnamed,
        margins=made,
        coupled=tables.couples is not None,
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
