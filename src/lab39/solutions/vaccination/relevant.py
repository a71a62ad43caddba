"""Chapter 5: which series are relevant for this patient."""

from __future__ import annotations

from lab39.solutions.vaccination.authored import Audience
from lab39.solutions.vaccination.dates import after
from lab39.solutions.vaccination.model import Indication, PatientSeries, Series, Step, Target
from lab39.solutions.vaccination.organize import History
from lab39.solutions.vaccination.skip import age_met, count_met, dose_in_window


def indication_applies(indication: Indication, history: History, steps: list[Step]) -> bool:
    """TABLE 5-4: the observation is active, at an age between the bounds of the indication."""
    begin, end = after(history.birth, indication.begin), after(history.birth, indication.end)
    applies = (
        indication.code in history.observed
        and (begin is None or begin <= history.on)
        and (end is None or history.on < end)
    )
    steps.append(Step("TABLE 5-4", applies, {"observation": indication.code, "begin": begin, "end": end}))
    return applies


def audience_includes(audience: Audience, antigen: str, history: History, steps: list[Step]) -> bool:
    """SECTION 5.1, beyond the schema: birth, age, age at the first dose, past doses and observations."""
    doses = history.by_antigen.get(antigen, ())
    started = doses[0].date if doses else history.on
    windows = (
        (audience.aged_from, audience.aged_before, history.on),
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
    steps.append(Step("SECTION 5.1", included, {"first dose": started if doses else None, "doses": len(doses)}))
    return included


def is_relevant(series: Series, history: History, steps: list[Step]) -> bool:
    """TABLE 5-5: the sex is one of those required (none is everyone) and, for risk, an indication applies."""
    sex = history.patient.sex
    relevant = not series.sexes or sex in series.sexes
    if relevant and series.type == "Risk":
        active = [each for each in series.indications if each.code in history.observed]
        relevant = sum(indication_applies(each, history, steps) for each in active) > 0
    if relevant and series.audience is not None:
        relevant = audience_includes(series.audience, series.antigen, history, steps)
    steps.append(Step("TABLE 5-5", relevant, {"series": series.name, "type": series.type, "sex": sex}))
    return relevant


def relevant_series(series: tuple[Series, ...], history: History, left_aside: list[Step]) -> list[PatientSeries]:
    """SECTION 5.1: a patient series for each relevant antigen series.

    Args:
        left_aside: takes the decisions on series that are not relevant.
    """
    found = []
    for each in series:
        steps: list[Step] = []
        if is_relevant(each, history, steps):
            steps.append(Step("SECTION 5.1", "relevant", {"series": each.name}))
            found.append(PatientSeries(each, [Target(dose) for dose in each.doses], steps=steps))
        else:
            left_aside.extend(steps)
    return found
