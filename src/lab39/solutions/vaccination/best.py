"""Chapter 8: one prioritized series per series group, then the best series of an antigen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

from lab39.solutions.vaccination.dates import after
from lab39.solutions.vaccination.evaluate import age_rule
from lab39.solutions.vaccination.organize import History
from lab39.solutions.vaccination.outcome import DoseStatus, PatientSeries, SeriesStatus, Step, TargetStatus

Series = Sequence[PatientSeries]
HELD = (SeriesStatus.CONTRAINDICATED, SeriesStatus.TO_ASK)


def scorable(group: Series, history: History) -> list[PatientSeries]:
    """SELECTSCORE-2 and SELECTB-24: the series of a series group that are considered at all."""
    forbidden = all(each.status in HELD for each in group)
    top = min((each.series.priority for each in group if each.series.type == "Risk"), default="")
    untouched = not any(each.valid_doses for each in group)
    no_default = not any(is_default(each) for each in group)
    found = []
    for each in group:
        candidate = forbidden or each.status not in HELD
        kind = each.series.type
        first = min((e.dose.date for e in each.evaluations if e.status is DoseStatus.VALID), default=None)
        limit = after(history.birth, each.series.max_start)
        keep = (
            (kind == "Risk" and candidate and each.series.priority <= top)
            or (kind == "Standard" and candidate and first is not None and (limit is None or first < limit))
            or (kind == "Standard" and candidate and untouched and no_default)
            or (kind == "Evaluation Only" and is_complete(each))
        )
        each.steps.append(Step("SELECTSCORE-2", keep, {"first valid dose": first, "maximum age to start": limit}))
        if keep:
            found.append(each)
    return found


def is_complete(series: PatientSeries) -> bool:
    """SELECTB-6."""
    return series.status is SeriesStatus.COMPLETE


def is_default(series: PatientSeries) -> bool:
    """SELECTB-7."""
    return series.series.default


def is_in_process(series: PatientSeries) -> bool:
    """SELECTB-16: at least one target dose satisfied, and not complete."""
    return series.valid_doses > 0 and series.status is SeriesStatus.NOT_COMPLETE


def all_valid(series: PatientSeries) -> bool:
    """SELECTB-2 with SELECTB-23: a product series whose doses are all valid."""
    return series.series.product and all(each.status is DoseStatus.VALID for each in series.evaluations)


def is_completable(series: PatientSeries, history: History) -> bool:
    """SELECTB-3: it can be finished before the maximum age of its last target dose (RELEVANT-2)."""
    rule = age_rule(series.targets[-1].dose, history.on)
    limit = after(history.birth, rule.maximum) if rule else None
    return series.finish is not None and (limit is None or series.finish < limit)


def not_satisfied(series: PatientSeries) -> int:
    """SELECTB-5: target doses that remain."""
    return sum(each.status is TargetStatus.NOT_SATISFIED for each in series.targets)


def prioritized(group: Series, history: History) -> PatientSeries | None:
    """TABLE 8-3, then TABLE 8-5 and SELECTBEST-2: the one series of a series group."""
    scored = scorable(group, history)
    defaults = [each for each in group if is_default(each)]
    complete = [each for each in scored if is_complete(each)]
    in_process = [each for each in scored if is_in_process(each)]
    chosen: PatientSeries | None
    if not scored:
        chosen = defaults[0] if len(defaults) == 1 else None
    elif len(scored) == 1:
        chosen = scored[0]
    elif len(complete) == 1:
        chosen = complete[0]
    elif not complete and len(in_process) == 1:
        chosen = in_process[0]
    elif not complete and not in_process and len(defaults) == 1:
        chosen = defaults[0]
    elif complete:
        chosen = best_scored(complete, score_complete(complete))
    elif in_process:
        chosen = best_scored(in_process, score_in_process(in_process, history))
    else:
        if any(each.valid_doses for each in scored):
            # The tables say nothing of series with valid doses that are all contraindicated, aged out or immune.
            scored[0].steps.append(Step("LAB39-3", len(scored), {"statuses": tuple(str(e.status) for e in scored)}))
        chosen = best_scored(scored, score_no_valid(scored, history))
    if chosen is not None:
        counts = {"scorable": len(scored), "default": len(defaults), "complete": len(complete)}
        chosen.steps.append(Step("TABLE 8-3", chosen.series.name, {**counts, "in process": len(in_process)}))
    return chosen


def score_complete(series: Series) -> list[int]:
    """TABLE 8-7, with SELECTB-19: the most valid doses."""
    return _points(series, "TABLE 8-7", {"most valid doses": _awarded(series, lambda each: each.valid_doses, 1)})


def score_in_process(series: Series, history: History) -> list[int]:
    """TABLE 8-9: product path, completable, valid doses, closest to completion, earliest finish (SELECTB-11)."""
    completable = [is_completable(each, history) for each in series]
    finishes = [_ordinal(each.finish) if can else None for each, can in zip(series, completable, strict=True)]
    return _points(
        series,
        "TABLE 8-9",
        {
            "product with all doses valid": [2 if all_valid(each) else -2 for each in series],
            "completable": [3 if can else -3 for can in completable],
            "most valid doses": _awarded(series, lambda each: each.valid_doses, 2),
            "closest to completion": _awarded(series, lambda each: -not_satisfied(each), 2),
            "finishes earliest": _leading(finishes, 1),
        },
    )


def score_no_valid(series: Series, history: History) -> list[int]:
    """TABLE 8-11: earliest start (SELECTB-14), completable, not a product path."""
    starts = [_ordinal(each.forecast.earliest) if each.forecast else None for each in series]
    return _points(
        series,
        "TABLE 8-11",
        {
            "starts earliest": _leading(starts, 1),
            "completable": [1 if is_completable(each, history) else -1 for each in series],
            "product": [-1 if each.series.product else 1 for each in series],
        },
    )


def best_scored(series: Series, scores: Sequence[int]) -> PatientSeries:
    """SELECTBEST-1 and SELECTBEST-2: the highest score, then the best ranked preference."""
    for each, score in zip(series, scores, strict=True):
        each.steps.append(Step("SELECTBEST-1", score, {"preference": each.series.preference}))
    top = max(scores)
    return min(
        (each for each, score in zip(series, scores, strict=True) if score == top),
        key=lambda each: each.series.preference,
    )


def best_series(series: Series, history: History) -> list[PatientSeries]:
    """TABLE 8-14: the prioritized series that none of an equivalent series group makes redundant."""
    groups: dict[str, list[PatientSeries]] = {}
    for each in series:
        groups.setdefault(each.series.group, []).append(each)
    chosen = {key: found for key, group in groups.items() if (found := prioritized(group, history)) is not None}
    best = []
    for each in chosen.values():
        others = [chosen[key] for key in sorted(each.series.equivalent) if key in chosen]
        is_best = is_complete(each) or (
            not any(is_complete(other) for other in others)
            and each.series.type != "Evaluation Only"
            and (each.series.type == "Risk" or not any(other.series.type == "Risk" for other in others))
        )
        each.steps.append(Step("TABLE 8-14", is_best, {"equivalent": tuple(o.series.name for o in others)}))
        if is_best:
            best.append(each)
    return best


def _points(series: Series, rule: str, awarded: Mapping[str, Sequence[int]]) -> list[int]:
    scores = [sum(points) for points in zip(*awarded.values(), strict=True)]
    for each, score, *points in zip(series, scores, *awarded.values(), strict=True):
        each.steps.append(Step(rule, score, dict(zip(awarded, points, strict=True))))
    return scores


def _awarded(series: Series, value: Callable[[PatientSeries], int], points: int) -> list[int]:
    return _leading([value(each) for each in series], points, highest=True)


def _leading(values: Sequence[int | None], points: int, *, highest: bool = False) -> list[int]:
    known = [value for value in values if value is not None]
    if not known:
        return [-points] * len(values)
    lead = max(known) if highest else min(known)
    shared = known.count(lead) > 1
    return [-points if value != lead else 0 if shared else points for value in values]


def _ordinal(day: dt.date | None) -> int | None:
    return day.toordinal() if day else None
