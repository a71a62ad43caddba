"""Chapter 5: which series are relevant for this patient."""

from __future__ import annotations

from lab39.solutions.vaccination.beyond import audience_includes, is_outgrown
from lab39.solutions.vaccination.dates import after
from lab39.solutions.vaccination.model import Indication, Series
from lab39.solutions.vaccination.organize import History
from lab39.solutions.vaccination.outcome import PatientSeries, Step, Target


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


def is_relevant(series: Series, history: History, steps: list[Step]) -> bool:
    """TABLE 5-5: the sex is one of those required (none is everyone) and, for risk, an indication applies."""
    sex = history.patient.sex
    relevant = not series.sexes or sex in series.sexes
    if relevant and series.type == "Risk":
        active = [each for each in series.indications if each.code in history.observed] if history.observed else []
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
            outgrown = each.audience is not None and is_outgrown(each.audience, history, steps)
            found.append(PatientSeries(each, [Target(dose) for dose in each.doses], steps=steps, outgrown=outgrown))
        else:
            left_aside.extend(steps)
    return found
