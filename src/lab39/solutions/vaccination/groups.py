"""Chapter 9: merge the best series of the antigens of a vaccine group."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lab39.solutions.vaccination.beyond import apart, fitting
from lab39.solutions.vaccination.dates import after
from lab39.solutions.vaccination.model import VaccineGroup
from lab39.solutions.vaccination.organize import History
from lab39.solutions.vaccination.outcome import Dose, Forecast, GroupForecast, PatientSeries, SeriesStatus, Step

Series = Sequence[PatientSeries]
_CASCADE = (
    SeriesStatus.CONTRAINDICATED,
    SeriesStatus.TO_ASK,
    SeriesStatus.AGED_OUT,
    SeriesStatus.NOT_RECOMMENDED,
    SeriesStatus.NOT_COMPLETE,
)


def group_status(series: Series, steps: list[Step]) -> SeriesStatus:
    """TABLE 9-4, and SINGLEANTVG-1 when there is one antigen."""
    statuses = [each.status for each in series]
    found = next((status for status in _CASCADE if status in statuses), None)
    if found is None:
        immune = all(status is SeriesStatus.IMMUNE for status in statuses)
        found = SeriesStatus.IMMUNE if immune else SeriesStatus.COMPLETE
    steps.append(Step("TABLE 9-4", found, {each.series.antigen: each.status for each in series}))
    return found


def group_earliest(
    group: VaccineGroup, forecasts: Sequence[Forecast], doses: Sequence[Dose], steps: list[Step]
) -> dt.date | None:
    """SINGLEANTVG-2, or MULTIANTVG-1 with FORECASTPRIORITY-1."""
    dates = [each.earliest for each in forecasts if each.earliest]
    found: dt.date | None
    if len(group.antigens) == 1 or not dates:
        found, rule = min(dates, default=None), "SINGLEANTVG-2"
    elif any(each.priority for each in forecasts):
        found, rule = max(min(dates), max((dose.date for dose in doses), default=min(dates))), "MULTIANTVG-1"
    else:
        found, rule = max(dates), "MULTIANTVG-1"
    steps.append(Step(rule, found, {"earliest": tuple(dates)}))
    return found


def group_number(group: VaccineGroup, forecasts: Sequence[Forecast], steps: list[Step]) -> int:
    """FORECASTDN-2: the lowest dose number when the full group is given each time, else the highest."""
    numbers = [each.number for each in forecasts]
    found = min(numbers) if group.full else max(numbers)
    steps.append(Step("FORECASTDN-2", found, {"numbers": tuple(numbers), "full group": group.full}))
    return found


def group_forecast(group: VaccineGroup, series: Series, history: History) -> GroupForecast:
    """FORECASTVG-2 to FORECASTVG-9: the forecast of a vaccine group from best series of one series group."""
    names = tuple(each.series.name for each in series)
    steps = [Step("FORECASTVG-1", names, {"series group": series[0].series.group_name or series[0].series.group})]
    status = group_status(series, steps)
    forecasts = [each.forecast for each in series if each.forecast is not None]
    given = [dose for name in group.antigens for dose in history.by_antigen.get(name, ())]
    number = earliest = recommended = past_due = latest = None
    if status is SeriesStatus.NOT_COMPLETE and forecasts:
        number = group_number(group, forecasts, steps)
        earliest = group_earliest(group, forecasts, given, steps)
        soonest = min((each.recommended for each in forecasts if each.recommended), default=None)
        recommended = max(filter(None, (earliest, soonest)), default=None)
        late = min((each.past_due for each in forecasts if each.past_due), default=None)
        past_due = max(late, earliest or late) if late else None
        latest = min((each.latest for each in forecasts if each.latest), default=None)
        steps.append(Step("FORECASTVG-2", recommended, {"earliest": earliest}))
        steps.append(Step("FORECASTVG-3", past_due, {"earliest": earliest}))
        steps.append(Step("FORECASTVG-4", latest, {}))
    return GroupForecast(
        group=group.name,
        type=series[0].series.type,
        status=status,
        number=number,
        earliest=earliest,
        recommended=recommended,
        past_due=past_due,
        latest=latest,
        reasons=tuple(dict.fromkeys(each.reason for each in series if each.reason)),
        antigens=tuple(each.series.antigen for each in series if each.status is SeriesStatus.NOT_COMPLETE),
        vaccines=tuple(dict.fromkeys(vaccine for each in forecasts for vaccine in each.vaccines)),
        series=tuple(series),
        steps=tuple(steps),
    )


def group_forecasts(group: VaccineGroup, best: Mapping[str, Series], history: History) -> tuple[GroupForecast, ...]:
    """FORECASTVG-1: one forecast for each series group with a best series, the one to act on first.

    The specification gives no order among them (LAB39-1), and its minimum age to start is in no rule (LAB39-2): a
    series group that is not to be started yet waits, unless nothing else is said of the vaccine group.
    """
    found: dict[tuple[str, str], list[PatientSeries]] = {}
    for name in group.antigens:
        for each in best.get(name, ()):
            if group.split and each.series.vaccine_group != group.name:
                continue
            found.setdefault((each.series.group, each.series.type), []).append(each)
    blended = [group_forecast(group, series, history) for series in found.values() if not group.split]
    if group.split:
        told = [
            fitting(group_forecast(group, part, history), [each for each in series if each not in part])
            for series in found.values()
            for part in apart(series, history)
        ]
        due = [each for each in told if each.status is SeriesStatus.NOT_COMPLETE]
        blended = due or sorted(told, key=urgency)[:1]
    ready = [[can_start(one, history) for one in each.series] for each in blended]
    startable = [each for each, can in zip(blended, ready, strict=True) if all(can)]
    ordered = sorted(startable or blended, key=urgency)
    if len(blended) == 1:
        return tuple(ordered)
    said = {"series groups": len(blended), "to be started": len(startable)}
    return tuple(
        replace(each, steps=(*each.steps, Step("LAB39-1", place, said))) for place, each in enumerate(ordered, 1)
    )


def can_start(series: PatientSeries, history: History) -> bool:
    """LAB39-2: the earliest age a series may be started (glossary) is reached, or it was started."""
    start = after(history.birth, series.series.min_start)
    ready = start is None or start <= history.on or series.valid_doses > 0
    series.steps.append(Step("LAB39-2", ready, {"minimum age to start": start}))
    return ready


def urgency(forecast: GroupForecast) -> tuple[int, dt.date, bool]:
    """LAB39-1: what is to be done before what is not, the earliest recommended date first, risk first."""
    order = (
        SeriesStatus.NOT_COMPLETE,
        SeriesStatus.TO_ASK,
        SeriesStatus.CONTRAINDICATED,
        SeriesStatus.COMPLETE,
        SeriesStatus.IMMUNE,
        SeriesStatus.NOT_RECOMMENDED,
        SeriesStatus.AGED_OUT,
    )
    return order.index(forecast.status), forecast.recommended or dt.date.max, forecast.type != "Risk"
