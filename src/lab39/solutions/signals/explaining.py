"""A pair, looked up in its store and in the runs kept beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab39.core.errors import InputError, UnknownNameError
from lab39.core.text import Text
from lab39.solutions.signals import gps, pair_reports, pair_words, runs
from lab39.solutions.signals.detecting import is_synthetic, last_quarter
from lab39.solutions.signals.pair import Pair, look
from lab39.solutions.signals.sources import Pairs, Source, Store

if TYPE_CHECKING:
    from lab39.solutions.signals.runs import Run

NO_RUN = Text(
    "EBGM demande une analyse de toute la base\u202f: lab39 signals detect",
    "EBGM needs a run over the whole base: lab39 signals detect",
)
_CHANGED = Text(
    "La base a changé depuis l'analyse\u202f: la refaire pour que ses chiffres soient ceux d'ici.",
    "The store has changed since the run: make it again for its figures to be those told here.",
)


@dataclass(frozen=True, slots=True)
class Explained:
    """Everything about a pair, as figures and as sentences.

    Attributes:
        pair: what was counted.
        told: what its reports tell, when there is a store.
        run: its run and ``row`` in it, when there is one.
        row: of the table of the run; None when the pair is not in it.
        before: the run before and the pair's row in it.
        synthetic: the reports are made up.
        sections: the sentences.
    """

    pair: Pair
    told: pair_reports.Told | None
    run: str | None
    row: Mapping[str, Any] | None
    before: str | None
    before_row: Mapping[str, Any] | None
    synthetic: bool
    sections: tuple[pair_words.Section, ...]

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "drug": self.pair.drug,
            "event": self.pair.event,
            "synthetic": self.synthetic,
            "pair": self.pair,
            "reports": self.told,
            "run": self.run,
            "row": self.row,
            "before": self.before,
            "before_row": self.before_row,
            "sections": self.sections,
        }


def explain(
    source: Source,
    drug: str,
    event: str,
    *,
    run: str = "",
    by: Sequence[str] = (),
    memory_gb: float = 1.0,
    cases: int = pair_reports.LISTED,
) -> Explained:
    """Look a pair up.

    Args:
        source: a store, or rows of pairs.
        drug: name; ``event`` likewise.
        event: term.
        run: name of the run beside the store; the last when empty.
        by: strata; those of the run when it has some and none are given.
        memory_gb: of the engine.
        cases: how many cases are listed.

    Raises:
        UnknownNameError: no such run, drug or event; what looks like it is told.
        InputError: a table of counts, that has no reports.
    """
    from lab39.solutions.signals.components import QUARTERS
    from lab39.solutions.signals.engines import opened
    from lab39.solutions.signals.triage import COLUMNS
    from lab39.solutions.signals.triage import explain as why

    if not isinstance(source, Store | Pairs):
        raise InputError(Text("donner des notifications", "give reports"), "explain")
    chosen, before = around(source, run)
    if isinstance(source, Store) and chosen is not None:
        source = Store(
            source.folder,
            drug=chosen.drug_column,
            roles=chosen.roles,
            before=chosen.before,
            until=_until(source, chosen),
            duplicates="merge" if chosen.duplicates == "merge" else "keep",
            each_ingredient=chosen.each_ingredient,
        )
    strata = tuple(by) or (chosen.by if chosen else ())
    without = chosen.without if chosen else ()
    prior, absent = _prior(source, chosen, strata, memory_gb)
    with opened(memory_gb=memory_gb) as engine:
        pair = look(source, engine, drug, event, by=strata, prior=prior, without=without)
        told = None
        if isinstance(source, Store):
            told = pair_reports.told(source, engine, pair.drug, pair.event, without=without, listed=cases)
    row, then = (None if each is None else row_of(each, pair.drug, pair.event) for each in (chosen, before))
    triage = why(row) if row is not None and set(COLUMNS) - set(QUARTERS) <= set(row) else ()
    if row is not None and row["n"] != pair.observed:
        triage = (*triage, _CHANGED)
    moved: tuple[Text, ...] = ()
    if chosen is not None and before is not None:
        score = "eb05" if chosen.prior and before.prior else "ic025"
        moved = pair_words.moved_words(then, row, before.name, score)
    return Explained(
        pair,
        told,
        chosen.name if chosen else None,
        row,
        before.name if before else None,
        then,
        is_synthetic(source),
        pair_words.sections(pair, told, gps_absent=absent, triage=triage, moved=moved),
    )


def _until(source: Store, run: Run) -> str:
    """The last quarter that a run counted, when the store has grown since."""
    if run.before or run.until is None:
        return ""
    last = f"{run.until.year}Q{(run.until.month + 2) // 3}"
    found = last_quarter(source)
    return last if found is not None and found > last else ""


def around(source: Source, named: str) -> tuple[Run | None, Run | None]:
    """The run of a store that is asked for (the last by default), and the one before it.

    Raises:
        UnknownNameError: no run of that name; those that are there are told.
    """
    if not isinstance(source, Store):
        if named:
            raise InputError(Text("une analyse est celle d'un --store", "a run is that of a --store"), "--run")
        return None, None
    if named and (Path(named) / runs.ABOUT).is_file():
        return runs.read(Path(named)), None
    found = runs.runs(source.folder / "runs")
    names = [each.name for each in found]
    if named and named not in names:
        there = ", ".join(names) or "–"
        raise UnknownNameError(
            Text(f"aucune analyse de ce nom (présentes\u202f: {there})", f"no run of that name (at hand: {there})"),
            named,
        )
    if not found:
        return None, None
    at = names.index(named) if named else len(found) - 1
    return found[at], found[at - 1] if at else None


def row_of(run: Run, drug: str, event: str) -> Mapping[str, Any] | None:
    """The row of a pair in the table of a run."""
    import pyarrow.parquet as pq

    rows = pq.read_table(run.scores, filters=[("drug", "=", drug), ("event", "=", event)]).to_pylist()
    return rows[0] if rows else None


def _prior(
    source: Store | Pairs, run: Run | None, by: Sequence[str], memory_gb: float
) -> tuple[gps.Prior | None, Text | None]:
    """θ of GPS and why there is none: that of the run, or fitted now to rows of pairs."""
    if run is not None:
        return (gps.Prior(*run.prior), None) if run.prior else (None, run.why_no_gps)
    if isinstance(source, Store):
        return None, NO_RUN
    from lab39.solutions.signals.arrays import CannotFitError
    from lab39.solutions.signals.counting import count
    from lab39.solutions.signals.detection import fit_prior
    from lab39.solutions.signals.engines import opened

    with opened(memory_gb=memory_gb) as engine:
        counted = count(source, engine, by=by)
    try:
        return fit_prior(counted).prior, None
    except CannotFitError as error:
        return None, error.text
