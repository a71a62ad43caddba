"""What the engine does for authored schedules beyond the CDSi schema; nothing of it touches a CDSi schedule.

Whom a series is for (section 5.1), campaigns that follow one another and the end of an interval (section 7.4), and
vaccine groups whose antigens are told apart (chapter 9). The data is described in :mod:`authored`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace

from lab39.solutions.vaccination.authored import Audience, Season
from lab39.solutions.vaccination.dates import ONE_DAY, after
from lab39.solutions.vaccination.evaluate import in_force, reference_date
from lab39.solutions.vaccination.model import SeriesDose
from lab39.solutions.vaccination.organize import History
from lab39.solutions.vaccination.outcome import GroupForecast, PatientSeries, SeriesStatus, Step
from lab39.solutions.vaccination.skip import age_met, count_met, dose_in_window

Series = Sequence[PatientSeries]


def audience_includes(audience: Audience, antigen: str, history: History, steps: list[Step]) -> bool:
    """LAB39-4, beyond the schema: birth, age, age at the first dose, past doses and observations."""
    doses = history.by_antigen.get(antigen, ())
    started = doses[0].date if doses else history.on
    windows = (
        (audience.aged_from, None, history.on),
        (audience.started_from, audience.started_before, started),
    )
    included = (
        (audience.born_from is None or history.birth >= audience.born_from)
        and (audience.born_before is None or history.birth < audience.born_before)
        and all(
            ((first := after(history.birth, begin)) is None or first <= day)
            and ((last := after(history.birth, end)) is None or day < last)
            for begin, end, day in windows
        )
        and audience.every <= history.observed.keys()
        and (not audience.some or not audience.some.isdisjoint(history.observed))
        and audience.without.isdisjoint(history.observed)
        and all(history.observed.get(code) is not None for code in audience.dated)
        and all(
            age_met(each, history, history.on, steps)
            if each.kind == "age"
            else count_met(each, sum(dose_in_window(each, dose, history) for dose in doses), steps)
            for each in audience.history
        )
    )
    steps.append(Step("LAB39-4", included, {"first dose": started if doses else None, "doses": len(doses)}))
    return included


def is_outgrown(audience: Audience, history: History, steps: list[Step]) -> bool:
    """LAB39-4, beyond the schema: older than the audience, whose series still judges the doses of its time."""
    end = after(history.birth, audience.aged_before)
    outgrown = end is not None and history.on >= end
    steps.append(Step("LAB39-4", not outgrown, {"end": end}))
    return outgrown


def season_of(
    target: SeriesDose, satisfied: Iterable[dt.date], on: dt.date
) -> tuple[dt.date | None, dt.date | None]:
    """FORECASTDTCAN-1, beyond the schema: the season a target dose is for, in course or next, without its dose yet.

    When no campaign known remains, there is no first day and the last one is over.
    """
    if not target.seasons:
        return target.season_start, target.season_end
    season = campaign_of(target, satisfied, on)
    return (season.start, season.end) if season else (None, on - ONE_DAY)


def campaign_of(target: SeriesDose, satisfied: Iterable[dt.date], on: dt.date) -> Season | None:
    """FORECASTDTCAN-1: the campaign in course or next, of those a target dose is for, that has no dose yet."""
    done = list(satisfied)
    for season in target.seasons:
        if season.end >= on and not any(season.has(day) for day in done):
            return season
    return None


def campaign_done(target: SeriesDose, satisfied: Iterable[dt.date], on: dt.date) -> bool:
    """TABLE 7-10, beyond the schema: the campaign in course has its dose, and none is known after it."""
    done = list(satisfied)
    return campaign_of(target, done, on) is None and any(
        season.has(on) and any(season.has(day) for day in done) for season in target.seasons
    )


def interval_end(target: SeriesDose, series: PatientSeries, history: History) -> dt.date | None:
    """TABLE 7-10: the first of the maximum intervals in force, the day itself included."""
    ends = [
        after(reference_date(each, series, history, None), each.maximum)
        for each in target.intervals
        if each.maximum is not None and in_force(each.effective, each.cessation, history.on)
    ]
    return min(filter(None, ends), default=None)


def last_day(closed: dt.date | None, season_end: dt.date | None, earliest: dt.date | None) -> dt.date | None:
    """FORECASTDT-4, beyond the schema: the end of the window, or that of its season when it comes first."""
    if closed is None or season_end is None or (earliest is not None and season_end < earliest):
        return closed
    return min(closed, season_end)


def out_of_season(target: SeriesDose, earliest: dt.date | None, closed: dt.date | None) -> bool:
    """TABLE 7-10, beyond the schema: no campaign known meets the days left before the maximum interval ends."""
    if not target.seasons or earliest is None or closed is None:
        return False
    return not any(each.start <= closed and earliest <= each.end for each in target.seasons)


def apart(series: Series, history: History) -> list[list[PatientSeries]]:
    """LAB39-5, beyond the schema: of a group that splits, the series due on the same day, soonest first.

    What is due already is due together. Complete, aged out or forbidden antigens are told when nothing is due.
    """
    found: dict[dt.date, list[PatientSeries]] = {}
    for each in series:
        if each.status is SeriesStatus.NOT_COMPLETE and each.forecast is not None:
            day = each.forecast.recommended or each.forecast.earliest or history.on
            found.setdefault(max(day, history.on), []).append(each)
    return [found[day] for day in sorted(found)] or [list(series)]


def fitting(forecast: GroupForecast, others: Series) -> GroupForecast:
    """LAB39-5, beyond the schema: of the vaccines, those that suit every antigen due and spare the others.

    Args:
        others: series of the same stage that are not due on that day; a vaccine of theirs is only given for want
            of another.
    """
    kept = forecast.vaccines
    due = [{vaccine.code for vaccine in each.forecast.vaccines} for each in forecast.series if each.forecast]
    held = {code for each in others for target in each.targets for code in target.dose.preferable}
    for wanted in (
        [each for each in kept if all(each.code in codes for codes in due)],
        [each for each in kept if each.code not in held],
    ):
        narrowed = [each for each in kept if each in wanted]
        kept = tuple(narrowed) or kept
    said = {"antigens": tuple(each.series.antigen for each in forecast.series), "vaccines": len(kept)}
    later = tuple(each.series.antigen for each in others)
    return replace(forecast, vaccines=kept, steps=(*forecast.steps, Step("LAB39-5", later, said)))
