"""Chapter 7: forecast the next target dose of one patient series, or say why none is needed."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from lab39.solutions.vaccination import licence
from lab39.solutions.vaccination.beyond import campaign_done, interval_end, last_day, out_of_season, season_of
from lab39.solutions.vaccination.dates import ONE_DAY, add, after
from lab39.solutions.vaccination.evaluate import age_rule, in_force, reference_date
from lab39.solutions.vaccination.model import Antigen, Contraindication, Interval, Schedule, SeriesDose, Vaccine
from lab39.solutions.vaccination.organize import History
from lab39.solutions.vaccination.outcome import Forecast, PatientSeries, SeriesStatus, Step, Target, TargetStatus
from lab39.solutions.vaccination.skip import Completed, can_skip

TO_ASK = "Waits for an answer"
IMMUNE, CONTRAINDICATED = "Patient has evidence of immunity", "Patient has a contraindication"
COMPLETE, PAST_HISTORY = (
    "Patient series is complete",
    "Not recommended at this time due to past immunization history",
)
PAST_SEASON, TOO_OLD = "Past seasonal recommendation end date", "Patient has exceeded the maximum age"
PAST_WINDOW = "Past the maximum interval"
UNFINISHABLE = "Patient is unable to finish the series prior to the maximum age"


class AntigenState(NamedTuple):
    """Sections 7.2 and 7.3 for one antigen, the same for all its series."""

    immune: bool
    contraindicated: bool
    vaccines: tuple[Contraindication, ...]
    steps: tuple[Step, ...]
    asks: bool = False
    """A question that would forbid the whole antigen is not answered."""


def immunity(antigen: Antigen, history: History, steps: list[Step]) -> bool:
    """TABLE 7-3: a finding of immunity, or a birth before a date in the country stated, without an exclusion."""
    found = any(code in antigen.immune_codes for code in history.observed)
    for born in antigen.immune_births:
        if (
            history.birth < born.before
            and born.exclusions.isdisjoint(history.observed)
            and (not born.country or born.country == history.patient.country)
        ):
            found = True
    steps.append(Step("TABLE 7-3", found, {"birth": history.birth}))
    return found


def contraindications(
    antigen: Antigen, history: History, steps: list[Step]
) -> tuple[tuple[Contraindication, ...], tuple[Contraindication, ...]]:
    """TABLE 7-5 and TABLE 7-6, with CALCDTCI-1 and CALCDTCI-2: those whose observation is active at this age."""
    whole, vaccines = [], []
    for each in antigen.contraindications if history.observed else ():
        if each.code not in history.observed:
            continue
        begin, end = after(history.birth, each.begin), after(history.birth, each.end)
        applies = (begin is None or begin <= history.on) and (end is None or history.on < end)
        rule = "TABLE 7-6" if each.vaccines else "TABLE 7-5"
        steps.append(Step(rule, applies, {"observation": each.code, "says": each.text}))
        if applies and each.vaccines:
            vaccines.append(each)
        elif applies:
            whole.append(each)
    if not steps or steps[-1].rule not in ("TABLE 7-5", "TABLE 7-6"):
        steps.append(Step("TABLE 7-5", False, {"observations": len(history.observed)}))
    return tuple(whole), tuple(vaccines)


def antigen_state(antigen: Antigen, history: History) -> AntigenState:
    """SECTION 7.2 and SECTION 7.3, once for an antigen."""
    steps: list[Step] = []
    immune = immunity(antigen, history, steps)
    whole, vaccines = contraindications(antigen, history, steps)
    sure = any(not each.asks for each in whole)
    return AntigenState(immune, sure, vaccines, tuple(steps), asks=bool(whole) and not sure)


def series_contraindicated(
    series: PatientSeries, state: AntigenState, history: History, steps: list[Step]
) -> SeriesStatus | None:
    """TABLE 7-7: an antigen contraindication, or every preferable vaccine of the series contraindicated.

    Returns:
        ``TO_ASK`` when only a question that is not answered forbids it; ``None`` when nothing does.
    """
    codes = {code for target in series.targets for code in target.dose.preferable}

    def every(known: AntigenState) -> bool:
        return bool(codes and known.vaccines) and all(
            vaccine_contraindicated(code, known, history, history.on) for code in codes
        )

    sure = state._replace(vaccines=tuple(each for each in state.vaccines if not each.asks))
    found = state.contraindicated or every(sure)
    steps.append(Step("TABLE 7-7", found, {"series": series.series.name}))
    if found:
        return SeriesStatus.CONTRAINDICATED
    return SeriesStatus.TO_ASK if state.asks or every(state) else None


def vaccine_contraindicated(code: str, state: AntigenState, history: History, day: dt.date) -> bool:
    """TABLE 7-6, last condition: the vaccine type is one of those named, at this age."""
    for each in state.vaccines:
        for begin, end in each.vaccines.get(code, ()):
            first, last = after(history.birth, begin), after(history.birth, end)
            if (first is None or first <= day) and (last is None or day < last):
                return True
    return False


def intervals_in_force(target: SeriesDose, history: History) -> list[Interval]:
    """RELEVANT-2: preferable intervals in force on the assessment date."""
    return [each for each in target.intervals if in_force(each.effective, each.cessation, history.on)]


def conflict_end(target: SeriesDose, history: History, schedule: Schedule) -> dt.date | None:
    """CALCDTCONFLICT-3: the latest end of a conflict between a dose given and a preferable vaccine."""
    ends = [
        add(dose.date, rules[dose.code].end)
        for code in target.preferable
        if (rules := schedule.conflicts.get(code))
        for dose in history.doses
        if dose.code in rules
    ]
    return max(ends, default=None)


def candidate_earliest(
    target: SeriesDose, series: PatientSeries, history: History, schedule: Schedule, steps: list[Step]
) -> dt.date | None:
    """FORECASTDTCAN-1: the latest of minimum age, minimum intervals, conflicts, season, inadvertent and last doses.

    ``None`` when none of them is stated: no date is assumed.
    """
    rule = age_rule(target, history.on)
    intervals = [
        after(reference_date(each, series, history, None), each.minimum)
        for each in intervals_in_force(target, history)
    ]
    dates = {
        "minimum age": after(history.birth, rule.minimum) if rule else None,
        "minimum interval": max(filter(None, intervals), default=None),
        "conflict end": conflict_end(target, history, schedule),
        "season start": _season(target, series, history)[0],
        "inadvertent dose": max((e.dose.date for e in series.evaluations if e.inadvertent), default=None),
        "last dose": series.evaluations[-1].dose.date if series.evaluations else None,
    }
    earliest = max(filter(None, dates.values()), default=None)
    steps.append(Step("FORECASTDTCAN-1", earliest, dates))
    return earliest


def forecast_need(
    target: Target | None,
    series: PatientSeries,
    state: AntigenState,
    contraindicated: SeriesStatus | None,
    earliest: dt.date | None,
    history: History,
    steps: list[Step],
) -> tuple[SeriesStatus, str]:
    """TABLE 7-10: the status of the series, and the reason when no dose is needed."""
    maximum: dt.date | None = None
    if target is not None and (rule := age_rule(target.dose, history.on)):
        maximum = after(history.birth, rule.maximum)
    if target is None and series.valid_doses:
        found = SeriesStatus.COMPLETE, COMPLETE
    elif target is None:
        found = SeriesStatus.NOT_RECOMMENDED, PAST_HISTORY
    elif state.immune:
        found = SeriesStatus.IMMUNE, IMMUNE
    elif contraindicated is SeriesStatus.CONTRAINDICATED:
        found = SeriesStatus.CONTRAINDICATED, CONTRAINDICATED
    elif campaign_done(target.dose, _satisfied(series), history.on):
        found = SeriesStatus.COMPLETE, COMPLETE
    elif (season_end := _season(target.dose, series, history)[1]) is not None and history.on > season_end:
        found = SeriesStatus.NOT_RECOMMENDED, PAST_SEASON
    elif (closed := interval_end(target.dose, series, history)) and max(history.on, earliest or closed) > closed:
        found = SeriesStatus.NOT_RECOMMENDED, PAST_WINDOW
    elif out_of_season(target.dose, earliest, closed):
        found = SeriesStatus.NOT_RECOMMENDED, PAST_SEASON
    elif maximum is not None and history.on >= maximum:
        found = SeriesStatus.AGED_OUT, TOO_OLD
    elif maximum is not None and earliest is not None and earliest >= maximum:
        found = SeriesStatus.AGED_OUT, UNFINISHABLE
    elif contraindicated is SeriesStatus.TO_ASK:
        found = SeriesStatus.TO_ASK, TO_ASK
    else:
        found = SeriesStatus.NOT_COMPLETE, ""
    steps.append(Step("TABLE 7-10", found[0], {"maximum age": maximum, "earliest": earliest, "reason": found[1]}))
    return found


def dose_number(target: SeriesDose, series: PatientSeries, history: History, steps: list[Step]) -> int:
    """FORECASTDN-1: satisfied target doses of this series plus one; if seasonal, those of their season."""
    own, counted = _season(target, series, history)[0], 0
    for each in series.targets:
        start = _season(each.dose, series, history)[0]
        if each.satisfied_on is not None and (start is None) is (own is None):
            counted += start is None or each.satisfied_on >= start
    steps.append(Step("FORECASTDN-1", counted + 1, {"season start": own}))
    return counted + 1


def forecast_dates(
    target: SeriesDose,
    earliest: dt.date | None,
    series: PatientSeries,
    state: AntigenState,
    history: History,
    steps: list[Step],
) -> Forecast:
    """FORECASTDT-1 to FORECASTDT-6: earliest, recommended, past due and latest dates."""
    rule = age_rule(target, history.on)
    intervals = intervals_in_force(target, history)
    by_age = after(history.birth, rule.earliest) if rule else None
    late = after(history.birth, rule.latest) if rule else None
    by_interval = None
    if intervals:
        starts = [reference_date(each, series, history, None) for each in intervals]
        by_interval = _latest(*[after(day, each.earliest) for day, each in zip(starts, intervals, strict=True)])
        late = late or _latest(*[after(day, each.latest) for day, each in zip(starts, intervals, strict=True)])
    unadjusted = by_age or by_interval or earliest
    past_due = late - ONE_DAY if late else None
    maximum = after(history.birth, rule.maximum) if rule else None
    recommended = _latest(earliest, unadjusted)
    found = Forecast(
        number=dose_number(target, series, history, steps),
        target=target.number,
        earliest=earliest,
        recommended=recommended,
        past_due=_latest(earliest, past_due) if past_due else None,
        latest=_soonest(
            maximum - ONE_DAY if maximum else None,
            last_day(interval_end(target, series, history), _season(target, series, history)[1], earliest),
        ),
        unadjusted_recommended=unadjusted,
        unadjusted_past_due=past_due,
        vaccines=recommended_vaccines(target, earliest, recommended, state, history, steps),
        priority=bool(target.intervals) and all(each.priority for each in target.intervals),
    )
    steps.append(Step("FORECASTDT-1", earliest, {}))
    steps.append(Step("FORECASTDT-5", recommended, {"age": by_age, "interval": by_interval, "earliest": earliest}))
    steps.append(Step("FORECASTDT-6", found.past_due, {"unadjusted": past_due}))
    steps.append(Step("FORECASTDT-4", found.latest, {"maximum age": maximum}))
    return found


def recommended_vaccines(
    target: SeriesDose,
    earliest: dt.date | None,
    recommended: dt.date | None,
    state: AntigenState,
    history: History,
    steps: list[Step],
) -> tuple[Vaccine, ...]:
    """FORECASTRECVAC-1: preferable vaccines flagged for the forecast, not contraindicated, of an age that fits."""
    days = earliest, recommended
    fitting = [
        each
        for code, vaccines in target.preferable.items()
        for each in vaccines
        if each.recommended
        and licence.fits(each, history.birth, days)
        and not vaccine_contraindicated(code, state, history, history.on)
    ]
    found = licence.chosen(fitting, history.birth, days)
    steps.append(Step("FORECASTRECVAC-1", tuple(each.code for each in found), {}))
    return found


def forecast_series(
    series: PatientSeries,
    state: AntigenState,
    history: History,
    schedule: Schedule,
    completed: Completed,
) -> PatientSeries:
    """SECTION 7.1 to SECTION 7.6: skip, need, dates, then the same at the earliest date until nothing is skipped.

    Returns:
        The series that was given, with its status and its forecast.
    """
    steps = series.steps
    steps.extend(state.steps)
    contraindicated = series_contraindicated(series, state, history, steps)
    while True:
        target = next((each for each in series.targets if each.status is TargetStatus.NOT_SATISFIED), None)
        if target is not None and can_skip(
            target.dose, series, history, completed, "forecast", history.on, None, steps
        ):
            target.status = TargetStatus.SKIPPED
            continue
        earliest = candidate_earliest(target.dose, series, history, schedule, steps) if target else None
        series.status, series.reason = forecast_need(
            target, series, state, contraindicated, earliest, history, steps
        )
        if target is None or series.status is not SeriesStatus.NOT_COMPLETE:
            return series
        if (
            earliest is not None
            and earliest > history.on  # a past one was answered for today, just above
            and can_skip(target.dose, series, history, completed, "forecast", earliest, None, steps)
        ):  # section 7.6
            target.status = TargetStatus.SKIPPED
            continue
        series.forecast = forecast_dates(target.dose, earliest, series, state, history, steps)
        series.finish = finish_date(target, series, earliest, steps)
        return series


def finish_date(
    target: Target, series: PatientSeries, earliest: dt.date | None, steps: list[Step]
) -> dt.date | None:
    """SELECTB-12: the earliest date plus the latest minimum interval of the target doses that remain after it."""
    remaining = series.targets[series.targets.index(target) + 1 :]
    finish = _latest(earliest, *[after(earliest, i.minimum) for each in remaining for i in each.dose.intervals])
    steps.append(Step("SELECTB-12", finish, {"earliest": earliest, "remaining": len(remaining)}))
    return finish


def _latest(*days: dt.date | None) -> dt.date | None:
    latest = None
    for day in days:
        if day is not None and (latest is None or day > latest):
            latest = day
    return latest


def _soonest(*days: dt.date | None) -> dt.date | None:
    return min(filter(None, days), default=None)


def _season(target: SeriesDose, series: PatientSeries, history: History) -> tuple[dt.date | None, dt.date | None]:
    if not target.seasons:
        return target.season_start, target.season_end
    return season_of(target, _satisfied(series), history.on)


def _satisfied(series: PatientSeries) -> list[dt.date]:
    return [each.satisfied_on for each in series.targets if each.satisfied_on is not None]
