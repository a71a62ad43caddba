"""One pair looked at from every side that its reports have: counts, scores, masking, interactions, time, cases.

Everything is counted on the reports, with the names, roles and strata of a run; nothing here needs the run itself,
except the prior of GPS.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lab39.core.errors import InputError, UnknownNameError
from lab39.core.text import Text
from lab39.solutions.signals import change, gps, interactions, lrt, masking, naming, sequential
from lab39.solutions.signals import disproportionality as dp
from lab39.solutions.signals.arrays import Estimate
from lab39.solutions.signals.counting import Tables, distinct_rows, left_out
from lab39.solutions.signals.sources import Pairs, Store
from lab39.solutions.signals.timecourse import time_course

if TYPE_CHECKING:
    import ibis

    from lab39.solutions.signals.engines import Engine

MASKERS, MASKING_LEAST = 3, 1.1
TOGETHER, TOGETHER_LEAST = 5, 2
ALONE_LEAST = 10
"""Reports of each of two drugs without the other from which it is told what each explains. The ingredients of one
product are hardly ever reported apart: whatever the product does would pass for an interaction of the two."""


@dataclass(frozen=True, slots=True)
class Score:
    """A statistic with its interval; ``low`` and ``high`` are None when it has none."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Masker:
    """A drug whose reports may hide the event's excess, and the pair without them.

    Attributes:
        drug: name.
        event_reports: reports of the event that have it.
        ratio: masking ratio on the event; above 1 it hides.
        observed: reports of the pair once its reports are left out; ``expected`` likewise.
        expected: of the margins then.
        ic: of the pair then.
    """

    drug: str
    event_reports: int
    ratio: float
    observed: int
    expected: float
    ic: Score


@dataclass(frozen=True, slots=True)
class Together:
    """A drug given with this one, and whether the event is told more with both than each explains.

    Attributes:
        drug: name.
        with_both: reports with both drugs.
        observed: those that have the event; ``expected`` without an interaction.
        expected: E111.
        omega: Ω, with Ω025 as its lower end.
        alone: reports of the one that is more rarely reported without the other.
    """

    drug: str
    with_both: int
    observed: int
    expected: float
    omega: Score
    alone: int

    @property
    def apart(self) -> bool:
        """Whether each is reported often enough without the other for Ω to say something."""
        return self.alone >= ALONE_LEAST


@dataclass(frozen=True, slots=True)
class Along:
    """The pair quarter by quarter.

    Attributes:
        periods: quarters [periods].
        observed: reports of the pair [periods].
        expected: of the margins of each quarter [periods].
        undated: reports without a quarter.
        changed: quarter at which the ratio of observed to expected changes most, with its p-value; None when there
            is no way to tell.
        change: the split.
        alarm: first quarter at which the cumulative count crosses MaxSPRT's boundary (risk 5 %), or None.
        why_no_alarm: what MaxSPRT said when it cannot be worked out.
    """

    periods: tuple[str, ...]
    observed: tuple[int, ...]
    expected: tuple[float, ...]
    undated: int
    changed: str | None
    change: change.ChangePoint | None
    alarm: str | None
    why_no_alarm: Text | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Everything counted about one pair.

    Attributes:
        drug: name as counted; ``event`` likewise.
        event: term.
        observed: distinct reports with both.
        n_drug: with the drug; ``n_event``, ``n_total`` likewise.
        n_event: with the event.
        n_total: of the base.
        crude: expected count of the margins; ``expected`` is summed over the strata of ``by``.
        expected: what IC and EBGM are held against.
        by: the strata.
        scores: each score.
        crude_ic: IC against the crude expectation.
        maskers: drugs that hide the event most, the strongest first.
        together: drugs given with this one, the strongest Ω first, those that are not reported apart last.
        along: quarter by quarter; None without quarters.
    """

    drug: str
    event: str
    observed: int
    n_drug: int
    n_event: int
    n_total: int
    crude: float
    expected: float
    by: tuple[str, ...]
    scores: tuple[Score, ...]
    crude_ic: Score
    maskers: tuple[Masker, ...]
    together: tuple[Together, ...]
    along: Along | None


def look(
    source: Store | Pairs,
    engine: Engine,
    drug: str,
    event: str,
    *,
    by: Sequence[str] = (),
    prior: gps.Prior | None = None,
    without: Sequence[str] = (),
) -> Pair:
    """Count everything about a pair, reported or not.

    Args:
        source: the reports.
        engine: see :mod:`lab39.solutions.signals.engines`.
        drug: name; capitals do not matter. ``event`` likewise.
        event: term.
        by: strata of the expectation.
        prior: θ of GPS; without it there is no EBGM.
        without: drugs whose reports are left out.

    Raises:
        UnknownNameError: no report of the drug or of the event, with names that look like it.
        InputError: what the source or the strata have wrong.
    """
    tables = distinct_rows(source, engine, by)
    if without:
        tables = left_out(tables, engine, tuple(without))
    drug = _known(engine, tables.drugs, "drug", drug)
    event = _known(engine, tables.events, "event", event)
    flagged = engine.keep(_flagged(tables, drug, event))
    strata = _strata(engine, flagged, len(by))
    observed, n_drug, n_event, n_total = (int(strata[name].sum()) for name in ("n", "n_drug", "n_event", "n_total"))
    expected = float((strata["n_drug"] * strata["n_event"] / strata["n_total"]).sum())
    crude = n_drug * n_event / n_total
    others = _others(engine, tables, flagged, drug)
    reported = (observed, n_drug, n_event, n_total)
    return Pair(
        drug,
        event,
        observed,
        n_drug,
        n_event,
        n_total,
        crude,
        expected if by else crude,
        tuple(by),
        scores(reported, expected if by else crude, prior),
        _score("IC", dp.ic(observed, crude)),
        _maskers(others, reported),
        _together(others, (int(strata["n_both"].sum()), n_drug, n_event, n_total)),
        _along(source, engine, drug, event, without),
    )


def scores(reported: tuple[int, int, int, int], expected: float, prior: gps.Prior | None) -> tuple[Score, ...]:
    """Each score of a pair out of its counts.

    Args:
        reported: observed, n_drug, n_event, n_total.
        expected: that IC and EBGM are held against.
        prior: θ of GPS, or None.
    """
    table = (*reported[:3], float(dp.table_total(*reported)))  # pairs may be those that rows couple
    made = [
        _score("PRR", dp.prr(*table)),
        _score("ROR", dp.ror(*table)),
        Score("χ²", float(dp.chi2_yates(*table))),
        _score("IC", dp.ic(reported[0], expected)),
        _score("BCPNN", dp.bcpnn(*table)),
        Score("log LR", float(lrt.log_likelihood_ratio(*reported))),
    ]
    if prior is not None:
        made.append(_score("EBGM", gps.scores(prior, [reported[0]], [expected]).ebgm))
    return tuple(made)


def _score(name: str, found: Estimate) -> Score:
    return Score(name, *(float(np.ravel(each)[0]) for each in (found.value, found.low, found.high)))


def _known(engine: Engine, rows: ibis.Table, role: str, asked: str) -> str:
    """The name as counted.

    Raises:
        UnknownNameError: none is that one, whatever its capitals; those that look like it are told.
    """
    names = [str(each) for each in engine.arrow(rows.select(role).distinct())[role].to_pylist()]
    wanted = " ".join(asked.split())
    if wanted in names:
        return wanted
    same = sorted(name for name in names if " ".join(name.split()).casefold() == wanted.casefold())
    if same:
        return same[0]
    near = ", ".join(naming.near(names, wanted))
    what = Text("ce médicament", "this drug") if role == "drug" else Text("cet événement", "this event")
    raise UnknownNameError(
        Text(
            f"aucune notification de {what.fr}" + (f". Noms proches\u202f: {near}" if near else ""),
            f"no report of {what.en}" + (f". Near names: {near}" if near else ""),
        ),
        asked[:80],
    )


def _flagged(tables: Tables, drug: str, event: str) -> ibis.Table:
    """Reports with ``d`` (has the drug), ``e`` (the event), ``p`` (the pair), 0 or 1."""
    import ibis

    with_drug = tables.drugs.filter(tables.drugs["drug"] == drug).select("report_id").mutate(d=1)
    with_event = tables.events.filter(tables.events["event"] == event).select("report_id").mutate(e=1)
    joined = tables.reports.left_join(with_drug, "report_id").drop("report_id_right")
    joined = joined.left_join(with_event, "report_id").drop("report_id_right")
    if tables.couples is None:
        joined = joined.mutate(p=ibis._.d * ibis._.e)
    else:
        rows = tables.couples
        told = rows.filter(rows["drug"] == drug, rows["event"] == event).select("report_id").mutate(p=1)
        joined = joined.left_join(told, "report_id").drop("report_id_right")
    return joined.mutate(d=ibis._.d.fill_null(0), e=ibis._.e.fill_null(0), p=ibis._.p.fill_null(0))


def _strata(engine: Engine, flagged: ibis.Table, many: int) -> dict[str, Any]:
    """Counts of each stratum, one row when there are none [strata].

    ``n`` are the reports that couple the drug and the event, ``n_both`` those that have both, coupled or not.
    """
    import ibis

    rows = flagged.group_by([f"by_{at}" for at in range(many)]) if many else flagged
    found = engine.arrow(
        rows.aggregate(
            n=ibis._.p.sum(),
            n_drug=ibis._.d.sum(),
            n_event=ibis._.e.sum(),
            n_both=(ibis._.d * ibis._.e).sum(),
            n_total=ibis._.report_id.count(),
        )
    ).to_pylist()
    return {
        name: np.array([int(row[name]) for row in found], dtype=np.float64)
        for name in ("n", "n_drug", "n_event", "n_both", "n_total")
    }


def _others(engine: Engine, tables: Tables, flagged: ibis.Table, drug: str) -> list[dict[str, Any]]:
    """For each other drug: reports that have it, and those that also have the drug, the event, or both."""
    import ibis

    rows = tables.drugs.filter(tables.drugs["drug"] != drug).join(
        flagged.filter((flagged["d"] == 1) | (flagged["e"] == 1)).select("report_id", "d", "e"), "report_id"
    )
    beside = rows.group_by("drug").aggregate(
        n_drug=ibis._.d.sum(), n_event=ibis._.e.sum(), n_both=(ibis._.d * ibis._.e).sum()
    )
    margin = tables.drugs.group_by("drug").aggregate(n=ibis._.report_id.count())
    found = engine.arrow(beside.join(margin, "drug").select("drug", "n", "n_drug", "n_event", "n_both")).to_pylist()
    return sorted(found, key=lambda row: str(row["drug"]))


def _maskers(others: list[dict[str, Any]], reported: tuple[int, int, int, int]) -> tuple[Masker, ...]:
    observed, n_drug, n_event, n_total = reported
    hiding = []
    for row in others:
        if row["n_event"] == n_event or row["n_drug"] == n_drug or row["n_event"] < TOGETHER_LEAST:
            continue
        ratio = float(masking.masking_ratio(n_event, n_total, row["n_event"], row["n"]))
        if ratio >= MASKING_LEAST:
            hiding.append((ratio, row))
    made = []
    for ratio, row in sorted(hiding, key=lambda each: (-each[0], each[1]["drug"]))[:MASKERS]:
        left = masking.leave_masker_out(
            observed,
            n_drug,
            n_event,
            n_total,
            observed_masker=min(row["n_both"], observed),
            drug_masker=row["n_drug"],
            event_masker=row["n_event"],
            with_masker=row["n"],
        )
        expected = float(left.n_drug * left.n_event / left.n_total)
        made.append(
            Masker(
                row["drug"],
                int(row["n_event"]),
                ratio,
                int(left.observed),
                expected,
                _score("IC", dp.ic(left.observed, expected)),
            )
        )
    return tuple(made)


def _together(others: list[dict[str, Any]], reported: tuple[int, int, int, int]) -> tuple[Together, ...]:
    both, n_drug, n_event, n_total = reported
    made = []
    for row in others:
        n11, n111 = int(row["n_drug"]), int(row["n_both"])
        if n111 < TOGETHER_LEAST:
            continue
        n10, n01 = n_drug - n11, int(row["n"]) - n11
        n101, n011 = both - n111, int(row["n_event"]) - n111
        neither = n_total - n10 - n01 - n11
        if neither < 1:
            continue
        expected = float(
            interactions.expected_together(n11, n101, n10, n011, n01, n_event - n101 - n011 - n111, neither)
        )
        omega = _score("Ω", interactions.omega(n111, expected))
        made.append(Together(row["drug"], n11, n111, expected, omega, min(n10, n01)))
    made.sort(key=lambda each: (not each.apart, -(each.omega.low or 0.0), each.drug))
    return tuple(made[:TOGETHER])


def _along(source: Store | Pairs, engine: Engine, drug: str, event: str, without: Sequence[str]) -> Along | None:
    """Quarter by quarter; None when there are no quarters, or when reports are left out."""
    if without:
        return None
    try:
        course = time_course(source, engine, drug, event)
    except InputError:  # no column of quarters: there is no time to tell
        return None
    if not course.periods:
        return None
    expected = course.expected
    at = np.flatnonzero(expected > 0)
    split = change.change_point(course.observed[at], expected[at]) if at.size else None
    alarm, why = _alarm(course.observed[at], expected[at]) if at.size else (None, None)
    return Along(
        course.periods,
        tuple(int(each) for each in course.observed),
        tuple(float(each) for each in expected),
        course.undated,
        course.periods[at[split.at]] if split else None,
        split,
        course.periods[at[alarm]] if alarm is not None else None,
        why,
    )


def _alarm(observed: Any, expected: Any) -> tuple[int | None, Text | None]:
    """The first look that crosses, over the whole expected count; what MaxSPRT says when it cannot."""
    cumulated = np.cumsum(expected)
    try:
        return sequential.surveil(np.cumsum(observed), cumulated, float(cumulated[-1])).signal_at, None
    except InputError as error:
        return None, error.text
