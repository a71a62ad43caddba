"""Properties of the engine on histories nobody published, over the schedules of CDC, of the WHO and of France.

Ten thousand of them are run by ``benchmarks/vaccination.py``; here a few, the same each time. Where the published
method itself breaks a property, the causes allowed are named, with the rule; everything else is a fault of ours.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import vaccination_histories as histories
from lab39.solutions.vaccination import Dose, Observed, Patient, Schedule, run
from lab39.solutions.vaccination.france import open_france
from lab39.solutions.vaccination.verdicts import verdict

ON = dt.date(2025, 11, 26)


@pytest.fixture
def france() -> Schedule:
    return open_france()


@pytest.fixture(params=["cdsi", "who", "france"])
def schedule(request: pytest.FixtureRequest) -> Schedule:
    found: Schedule = request.getfixturevalue(request.param)
    return found


def test_properties_hold_on_drawn_histories_but_where_the_method_breaks_them(schedule: Schedule) -> None:
    drawer = histories.Drawer(schedule, seed=7)
    tried: Counter[str] = Counter()
    for _ in range(100):
        checked, found = histories.check(schedule, drawer.patient(ON), ON, drawer)
        tried.update(checked)
        assert [each for each in found if each.cause not in histories.METHOD[each.property]] == []
    assert all(tried[name] >= 20 for name in histories.PROPERTIES), tried


@st.composite
def drawn(draw: st.DrawFn, codes: list[str], observations: list[str]) -> Patient:
    born = draw(st.dates(dt.date(1935, 1, 1), ON))
    days = st.integers(0, (ON - born).days)
    rows = draw(st.lists(st.tuples(days, st.sampled_from(codes)), max_size=10, unique=True))
    seen = draw(st.lists(st.sampled_from(observations), max_size=2, unique=True)) if observations else []
    return Patient(
        born,
        draw(st.sampled_from(histories.SEXES)),
        tuple(Dose(born + dt.timedelta(days=n), code, id=f"{n}-{code}") for n, code in rows),
        tuple(Observed(code, born + dt.timedelta(days=draw(days))) for code in seen),
    )


@settings(max_examples=60)
@given(data=st.data())
def test_order_of_entry_is_irrelevant_and_dates_are_in_order(cdsi: Schedule, data: st.DataObject) -> None:
    patient = data.draw(drawn(sorted(cdsi.vaccines), sorted(cdsi.observations)))
    other = Patient(
        patient.birth_date,
        patient.sex,
        tuple(data.draw(st.permutations(patient.doses))),
        tuple(data.draw(st.permutations(patient.observations))),
    )
    one, two = run(cdsi, patient, ON), run(cdsi, other, ON)
    assert one == two
    assert [verdict(one, each) for each in patient.doses] == [verdict(two, each) for each in patient.doses]
    for found in one.series.values():
        for each in found:
            if each.forecast is not None:
                assert in_order(each.forecast.earliest, each.forecast.recommended, each.forecast.past_due)
    for group in one.groups:
        assert in_order(group.earliest, group.recommended, group.past_due)


def in_order(*days: Any) -> bool:
    known = [day for day in days if day is not None]
    return known == sorted(known)


@settings(max_examples=60)
@given(data=st.data())
def test_a_later_dose_changes_no_verdict_within_a_series(cdsi: Schedule, data: st.DataObject) -> None:
    """Whatever comes later, valid or not: what changes is only which series is the best."""
    patient = data.draw(drawn(sorted(cdsi.vaccines), sorted(cdsi.observations)))
    code = data.draw(st.sampled_from(sorted(cdsi.vaccines)))
    last = max((each.date for each in patient.doses), default=patient.birth_date)
    day = data.draw(st.dates(last + dt.timedelta(days=1), ON + dt.timedelta(days=400)))
    more = Patient(patient.birth_date, patient.sex, (*patient.doses, Dose(day, code)), patient.observations)
    before, after = run(cdsi, patient, day), run(cdsi, more, day)
    for name, found in before.series.items():
        for one, two in zip(found, after.series[name], strict=True):
            assert two.evaluations[: len(one.evaluations)] == one.evaluations


def test_a_dose_that_one_antigen_no_longer_needs_counts_by_those_that_do(who: Schedule) -> None:
    """Measles and rubella await a dose, mumps does not, and the series of the two name another group."""
    given = (Dose(dt.date(2023, 4, 15), "03"), Dose(dt.date(2023, 12, 26), "07"))
    second = Dose(ON, "03")
    person = Patient(dt.date(2022, 4, 14), "Unknown", (*given, second))
    found = verdict(run(who, person, ON), second, "MMR")
    assert found is not None
    assert found.status == "Valid"
