"""Every worked example of the French schedule, read where it is, each expectation a test.

A date that is already past is often written as the day of assessment in the examples ("now"): a recommended date is
then met by any date not after it, an earliest date only for the expectations that :data:`NOW` names.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from tests.solutions.vaccination.french import (
    Example,
    Expected,
    ask,
    binding,
    examples,
    given,
    status,
)

from lab39.settings import Settings
from lab39.solutions.vaccination import Schedule, france, run
from lab39.solutions.vaccination.forbidden import group_forbidden
from lab39.solutions.vaccination.outcome import GroupForecast

NAMES = {"DTP-pertussis": "dTcaPolio"}
"""Names that the examples use for a group of the schedule."""
NOW = {
    "FR09-MenB": "earliest is the age of 24 months",
    "FR25-ZOSTER": "earliest is 18 years: when the immunosuppression began is not stated",
    "FR25-PNEUMO": "earliest is 18 years",
    "FR30-MMR": "earliest is 18 years: since when she works in care is not stated",
    "FR31-MMR": "earliest is the age of 12 months",
    "FR31-DTP-pertussis": "earliest is 18 years",
    "FR39-PNEUMO": "earliest is 18 years: when the spleen was lost is not stated",
    "FR39-HIB": "earliest is 5 years, where the routine schedule of Hib ends",
    "FR47-MMR": "earliest is the day of contact, the day before",
    "FR39-MenACWY": "earliest is the age of 12 months",
    "FR39-MenB": "earliest is the age of 24 months",
}
"""Expectations whose earliest date is written as the day of assessment though the rule gives an earlier one."""
DECIDED_OTHERWISE = {
    "FR47-MMR.next2": "the second dose of MMR may be given a month after the first (VISROU), as FR05 has it: "
    "earliest is 2027-04-24; 16 months is the recommended age, which the row gives for both dates",
    "FR22-COVID": "six months after the last dose is 2026-05-02, but a dose of the autumn campaign is not given "
    "before it starts (FORECASTDTCAN-1): earliest is 2026-10-13",
    "FR42-COVID": "three months after the last dose is 2026-08-10, but a dose of the autumn campaign is not given "
    "before it starts (FORECASTDTCAN-1): earliest is 2026-10-13",
}
"""Expectations that contradict the text of their rule, with the reason; each is shown to still differ."""

FILE = "france-examples.csv"


def expectations() -> list[Expected]:
    path = Path(__file__).parents[3] / Settings.from_env().shared / "data" / "vaccination" / FILE
    if not path.is_file():
        return []
    return [each for example in examples(path, france.open_france()).values() for each in example.expected]


@pytest.fixture(scope="module")
def rows(shared: Path) -> dict[str, Example]:
    path = shared / "vaccination" / FILE
    if not path.is_file():
        pytest.skip("no worked examples of the French schedule among the shared data")
    return examples(path, france.open_france())


@pytest.mark.parametrize("expected", expectations(), ids=str)
def test_golden_example(rows: dict[str, Example], expected: Expected) -> None:
    schedule, example = france.open_france(), rows[expected.row]
    group = NAMES.get(expected.disease, expected.disease)
    if group == "LIVE":
        said = run(schedule, example.patient, example.on).groups
        assert [each.group for each in said if each.status == "Contraindicated"] == []
        return
    if group not in schedule.groups:
        pytest.skip(f"the schedule has no group {group} yet")
    differs = difference(schedule, example, expected, group)
    if str(expected) in DECIDED_OTHERWISE:
        assert differs, "no longer decided otherwise: take it off the list"
    else:
        assert not differs, differs


def difference(schedule: Schedule, example: Example, expected: Expected, group: str) -> str:
    """What differs from an expectation; nothing when it is met."""
    on, patient = example.on, example.patient
    found = ask(schedule, patient, on, group)
    if expected.step == "titre":
        assert found is not None
        control = schedule.rules[found.series[0].series.rule].control
        assert control is not None
        weeks = [on + dt.timedelta(days=each.days) for each in control[1:]]
        return "" if expected.recommended == f"{weeks[0]}..{weeks[1]}" else f"{weeks}"
    for _ in range({"next": 1, "nextalt": 1, "next2": 2}.get(expected.step, 0)):
        assert found is not None, "nothing to give"
        named = [each.code for each in found.vaccines if each.name in expected.detail]
        assert named or found.vaccines, "no vaccine to give"
        day = max(on, found.recommended or on)
        patient, on = given(patient, (named or [found.vaccines[0].code])[0], day), day
        found = ask(schedule, patient, on, group)
    said = status(found, patient, on)
    if found is None and group_forbidden(schedule, patient, on, group):
        said = "CONTRAINDICATED"  # no series concerns this person, and the vaccine is forbidden all the same
    wrong = []
    if not expected.step and not fits(expected, said, schedule, found):
        wrong.append(f"status {said}, not {expected.status}")
    if found is not None and "obligatory" in expected.detail and binding(found, patient, on) != "obligatory":
        wrong.append(f"level {binding(found, patient, on)}")
    if expected.earliest and not earliest_met(expected, found, example.on):
        wrong.append(f"earliest {found and found.earliest}, not {expected.earliest}")
    if expected.recommended and not recommended_met(expected, found, example.on):
        wrong.append(f"recommended {found and found.recommended}, not {expected.recommended}")
    return "; ".join(wrong)


def fits(expected: Expected, said: str, schedule: Schedule, found: GroupForecast | None) -> bool:
    """Whether a status is the one expected, or another word of the examples for it."""
    if expected.status == "ALLOWED":
        return said != "CONTRAINDICATED"
    if expected.status == "SEROLOGY_FIRST":
        return found is not None and any(schedule.rules[each.series.rule].tests for each in found.series)
    if expected.status == "COMPLETE" and expected.detail.startswith("next"):
        return said == "UPCOMING"
    other = {"TOO_OLD": {"NOT_RECOMMENDED"}, "COMPLETE_FOR_SEASON": {"COMPLETE", "UPCOMING", "NOT_RECOMMENDED"}}
    return said in other.get(expected.status, {expected.status})


def earliest_met(expected: Expected, found: GroupForecast | None, on: dt.date) -> bool:
    if found is None or found.earliest is None:
        return False
    wanted = dt.date.fromisoformat(expected.earliest)
    return found.earliest == wanted or (str(expected) in NOW and wanted == on and found.earliest <= on)


def recommended_met(expected: Expected, found: GroupForecast | None, on: dt.date) -> bool:
    if found is None or found.recommended is None:
        return False
    first, _, last = expected.recommended.partition("..")
    begin = dt.date.fromisoformat(first)
    if not last:
        return found.recommended == begin or (begin == on and found.recommended <= on)
    end = dt.date.fromisoformat(last)
    within = (begin <= found.recommended or begin == on) and found.recommended <= end
    return within and (found.past_due is None or abs((found.past_due - end).days) <= 1)
