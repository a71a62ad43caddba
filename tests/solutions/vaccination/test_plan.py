"""Catch-up in the fewest visits: worked by hand, against every other choice of days, and on the real schedule."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.solutions.vaccination.small import dose, schedule

from lab39.core.errors import InputError
from lab39.solutions.vaccination import Dose, Observed, Patient, run
from lab39.solutions.vaccination.dates import Duration, add
from lab39.solutions.vaccination.france import open_france
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import DoseStatus, SeriesStatus, Sex
from lab39.solutions.vaccination.plan import GOALS, Plan, Wishes, alternatives, plan
from lab39.solutions.vaccination.verdicts import verdict
from lab39.solutions.vaccination.whatif import what_if

ON = dt.date(2026, 11, 26)
BORN = dt.date(2020, 1, 15)


def told(found: Plan) -> list[tuple[dt.date, list[str]]]:
    return [(visit.date, sorted(each.code for each in visit.doses)) for visit in found.visits]


def after(days: int) -> dt.date:
    return ON + dt.timedelta(days=days)


def two_and_three() -> Schedule:
    """A in two doses four weeks apart; B in three, six weeks then eight weeks apart."""
    return schedule(
        {
            "A": [dose(1, "2 months", ["901"]), dose(2, "3 months", ["901"], interval="4 weeks")],
            "B": [
                dose(1, "2 months", ["902"]),
                dose(2, "3 months", ["902"], interval="6 weeks"),
                dose(3, "4 months", ["902"], interval="8 weeks"),
            ],
        },
        {"901": ["A"], "902": ["B"]},
    )


def test_a_dose_that_is_late_waits_to_share_a_visit():
    found = plan(two_and_three(), Patient(BORN), ON)
    assert told(found) == [(ON, ["901", "902"]), (after(42), ["901", "902"]), (after(98), ["902"])]
    assert found.exhaustive
    assert found.left == ()
    assert [(s.group, s.number) for s in found.visits[1].doses[0].serves] == [("A", 2)]


def test_it_waits_no_longer_than_was_wished():
    found = plan(two_and_three(), Patient(BORN), ON, Wishes(wait_days=13))
    assert [visit.date for visit in found.visits] == [ON, after(28), after(42), after(98)]


def test_the_earliest_protection_waits_for_nobody():
    found = plan(two_and_three(), Patient(BORN), ON, Wishes(goal="earliest"))
    assert told(found) == [(ON, ["901", "902"]), (after(28), ["901"]), (after(42), ["902"]), (after(98), ["902"])]


def test_doses_already_given_are_counted_and_intervals_run_from_them():
    given = (Dose(ON - dt.timedelta(days=10), "901"), Dose(ON - dt.timedelta(days=10), "902"))
    found = plan(two_and_three(), Patient(BORN, doses=given), ON)
    assert told(found) == [(after(32), ["901", "902"]), (after(88), ["902"])]


def test_nothing_is_planned_beyond_the_horizon_or_before_its_recommended_date():
    small = schedule({"A": [dose(1, "2 months", ["901"]), dose(2, "8 years", ["901"])]}, {"901": ["A"]})
    assert told(plan(small, Patient(BORN), ON)) == [(ON, ["901"]), (dt.date(2028, 1, 15), ["901"])]
    assert told(plan(small, Patient(BORN), ON, Wishes(months=12))) == [(ON, ["901"])]


def test_a_dose_that_is_not_late_never_becomes_late_for_the_sake_of_a_visit():
    small = schedule(
        {
            "A": [dose(1, "2 months", ["901"]), dose(2, "83 months", ["901"], late="84 months")],
            "B": [dose(1, "85 months", ["902"])],
        },
        {"901": ["A"], "902": ["B"]},
    )
    found = plan(small, Patient(BORN), ON)
    assert told(found) == [(ON, ["901"]), (dt.date(2026, 12, 15), ["901"]), (dt.date(2027, 2, 15), ["902"])]


def test_a_dose_that_is_possible_but_not_yet_recommended_is_not_taken_forward():
    early = dose(1, "83 months", ["902"])
    early["age"] |= {"absMinAge": "12 months", "minAge": "12 months"}
    small = schedule({"A": [dose(1, "2 months", ["901"])], "B": [early]}, {"901": ["A"], "902": ["B"]})
    assert told(plan(small, Patient(BORN), ON)) == [(ON, ["901"]), (dt.date(2026, 12, 15), ["902"])]


def test_a_wait_now_may_spare_a_visit_later_and_is_no_longer_than_that_takes():
    """A2 may be given from day 10 and waits 28 days at most, like A3, 28 days after it; B is for day 75.

    On day 10, A3 would have to be given by day 66. From day 19 on, it can wait for B.
    """
    small = schedule(
        {
            "A": [
                dose(1, "2 months", ["901"]),
                dose(2, "3 months", ["901"], interval="10 days"),
                dose(3, "4 months", ["901"], interval="28 days"),
            ],
            "B": [dose(1, "7 years", ["902"])],
        },
        {"901": ["A"], "902": ["B"]},
    )
    found = plan(small, Patient(dt.date(2020, 2, 9)), ON)
    assert told(found) == [(ON, ["901"]), (after(19), ["901"]), (after(75), ["901", "902"])]


def live() -> Schedule:
    """Two live vaccines, 28 days apart unless given on the same day."""
    return schedule(
        {"A": [dose(1, "12 months", ["901"])], "B": [dose(1, "12 months", ["902"])]},
        {"901": ["A"], "902": ["B"]},
        conflicts=[("901", "902", "28 days"), ("902", "901", "28 days")],
    )


def test_live_vaccines_are_given_together_or_four_weeks_apart():
    assert told(plan(live(), Patient(BORN), ON)) == [(ON, ["901", "902"])]
    recent = Patient(BORN, doses=(Dose(ON - dt.timedelta(days=8), "901"),))
    assert told(plan(live(), recent, ON)) == [(after(20), ["902"])]
    one_at_a_time = plan(live(), Patient(BORN), ON, Wishes(most=1))
    assert told(one_at_a_time) == [(ON, ["901"]), (after(28), ["902"])]


def test_a_live_vaccine_is_told_as_such_and_what_is_not_known_stays_so():
    found = plan(live(), Patient(BORN), ON)
    assert [each.live for each in found.visits[0].doses] == [True, True]
    assert [each.live for each in plan(two_and_three(), Patient(BORN), ON).visits[0].doses] == [None, None]
    french = schedule({"A": [dose(1, "1 year", ["VAC0053"])], "B": [dose(1, "1 year", ["VAC0014"])]},
                      {"VAC0053": ["A"], "VAC0014": ["B"]})  # fmt: skip
    told_live = {each.code: each.live for each in plan(french, Patient(BORN), ON).visits[0].doses}
    assert told_live == {"VAC0053": True, "VAC0014": False}


def test_a_contraindicated_vaccine_is_not_planned():
    small = schedule(
        {"A": [dose(1, "12 months", ["901"])], "B": [dose(1, "12 months", ["902"])]},
        {"901": ["A"], "902": ["B"]},
        forbidden={"B": "007"},
    )
    assert told(plan(small, Patient(BORN, observations=(Observed("007"),)), ON)) == [(ON, ["901"])]


def combined() -> Schedule:
    """901 holds A, 902 B, 903 C; 912 holds A and B, 923 B and C, 999 all three and D, which nobody needs."""

    def needs(name: str, *codes: str) -> list[object]:
        return [dose(1, "2 months", [name, *codes])]

    return schedule(
        {"A": needs("901", "912", "999"), "B": needs("902", "912", "923", "999"), "C": needs("903", "923", "999")},
        {
            "901": ["A"], "902": ["B"], "903": ["C"], "912": ["A", "B"], "923": ["B", "C"],
            "999": ["A", "B", "C", "D"],
        },
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ((), {("903", "912"), ("901", "923")}),
        (("901",), {("923",)}),
        (("902",), {("901", "903")}),
        (("901", "902"), {("903",)}),
    ],
    ids=["all due", "B and C due", "A and C due", "C due"],
)
def test_combined_products_are_preferred_without_antigens_that_are_not_due(given, codes):
    before = tuple(Dose(dt.date(2026, 1, 1), code) for code in given)
    found = plan(combined(), Patient(BORN, doses=before), ON)
    assert len(found.visits) == 1
    assert tuple(sorted(each.code for each in found.visits[0].doses)) in codes


def test_between_equal_products_the_one_given_before_is_kept():
    rows = [dose(1, "2 months", ["901", "911"]), dose(2, "3 months", ["901", "911"], interval="4 weeks")]
    used = schedule({"A": rows}, {"901": ["A"], "911": ["A"]})
    before = Patient(BORN, doses=(Dose(dt.date(2026, 1, 1), "911"),))
    assert told(plan(used, before, ON)) == [(ON, ["911"])]
    assert told(plan(used, Patient(BORN), ON))[0] == (ON, ["901"])


def test_a_limit_of_injections_spreads_the_visits():
    found = plan(combined(), Patient(BORN), ON, Wishes(most=1, between_days=14))
    assert [len(visit.doses) for visit in found.visits] == [1, 1]
    assert found.visits[1].date == after(14)


def test_what_no_product_can_serve_is_said():
    row = dose(1, "2 months", ["901"])
    row["preferableVaccine"][0]["endAge"] = "5 years"
    found = plan(schedule({"A": [row]}, {"901": ["A"]}), Patient(BORN), ON)
    assert found.visits == ()
    assert [(each.group, each.reason) for each in found.left] == [("A", "no product")]


def test_alternatives_tell_each_different_plan_once():
    goals = [each.wishes.goal for each in alternatives(two_and_three(), Patient(BORN), ON)]
    assert goals == ["visits", "earliest"]
    assert len(alternatives(live(), Patient(BORN), ON)) == 1


def replay(used: Schedule, patient: Patient, found: Plan) -> None:
    """Every planned dose is valid in the history that the plan makes, for each group that it serves."""
    doses = [Dose(visit.date, each.code, id=each.code) for visit in found.visits for each in visit.doses]
    if not doses:
        return
    result = run(used, replace(patient, doses=(*patient.doses, *doses)), found.visits[-1].date)
    planned = [each for visit in found.visits for each in visit.doses]
    for given_dose, each in zip(doses, planned, strict=True):
        assert each.serves
        for served in each.serves:
            said = verdict(result, given_dose, served.group)
            assert said is not None
            assert said.status is DoseStatus.VALID, (served, given_dose, said.reasons)


def feasible(used: Schedule, patient: Patient, days: list[dt.date], until: dt.date, wait: int) -> bool:
    """Whether giving all that is due on these days only completes every series, no dose waiting too long."""
    for day in days:
        due = [
            each
            for each in run(used, patient, day).groups
            if each.status is SeriesStatus.NOT_COMPLETE and each.recommended and each.recommended <= day
        ]
        if any((day - max(each.recommended, ON)).days > wait for each in due if each.recommended):
            return False
        patient = replace(patient, doses=(*patient.doses, *(Dose(day, each.vaccines[0].code) for each in due)))
    end = run(used, patient, until)
    return all(each.status is SeriesStatus.COMPLETE for each in end.groups)


@settings(max_examples=15)
@given(
    first=st.integers(3, 8),
    second=st.integers(3, 8),
    third=st.integers(3, 8),
    given_weeks=st.lists(st.integers(1, 9), max_size=2),
    wait=st.sampled_from([0, 14, 28]),
)
def test_no_choice_of_days_takes_fewer_visits(first, second, third, given_weeks, wait):
    """Brute force over the weeks: no smaller set of days that begins today completes both series."""
    used = schedule(
        {
            "A": [dose(1, "2 months", ["901"]), dose(2, "3 months", ["901"], interval=f"{first} weeks")],
            "B": [
                dose(1, "2 months", ["902"]),
                dose(2, "3 months", ["902"], interval=f"{second} weeks"),
                dose(3, "4 months", ["902"], interval=f"{third} weeks"),
            ],
        },
        {"901": ["A"], "902": ["B"]},
    )
    week = dt.timedelta(days=7)
    patient = Patient(BORN, doses=tuple(Dose(ON - week * n, "901") for n in given_weeks))
    found = plan(used, patient, ON, Wishes(months=4, wait_days=wait))
    replay(used, patient, found)
    visits = [visit.date for visit in found.visits]
    days = [ON + week * n for n in range((found.until - ON).days // 7 + 1)]
    assert feasible(used, patient, visits, found.until, wait)
    for some in itertools.combinations(days[1:], len(visits) - 2):
        assert not feasible(used, patient, [ON, *some], found.until, wait), some


def hold(used: Schedule, patient: Patient, wishes: Wishes) -> None:
    """What every plan keeps to, whatever the schedule."""
    found = plan(used, patient, ON, wishes)
    replay(used, patient, found)
    days = [visit.date for visit in found.visits]
    assert days == sorted(set(days))
    assert all(later - sooner >= dt.timedelta(days=7) for sooner, later in itertools.pairwise(days))
    for visit in found.visits:
        assert ON <= visit.date <= found.until
        assert visit.doses
        assert wishes.most is None or len(visit.doses) <= wishes.most
        for each in visit.doses:
            assert all(s.recommended is not None and s.recommended <= visit.date for s in each.serves)


def somebody(months: int, sex: Sex, picks: list[tuple[str, int]]) -> Patient:
    born = add(dt.date(2026, 11, 1), Duration(-months, 0))
    days = [(code, ON - dt.timedelta(days=ago)) for code, ago in picks]
    return Patient(born, sex, tuple(Dose(day, code, id=f"{code} {day}") for code, day in days if day >= born))


@pytest.fixture(scope="session")
def france() -> Schedule:
    return open_france()


SEXES: list[Sex] = ["Female", "Male"]
LIMITS = st.sampled_from([None, 2, 3])
AMERICAN = st.sampled_from(["03", "08", "10", "20", "21", "115", "146"])
FRENCH = st.sampled_from(["VAC0014", "VAC0123", "VAC0495", "VAC0053", "VAC0029", "VAC0523", "VAC0486", "VAC0046"])


@pytest.mark.shared
@settings(max_examples=6)
@given(
    months=st.integers(0, 1000),
    sex=st.sampled_from(SEXES),
    goal=st.sampled_from(GOALS),
    most=LIMITS,
    picks=st.lists(st.tuples(AMERICAN, st.integers(30, 900)), max_size=4),
)
def test_on_the_american_schedule_every_planned_dose_is_valid_and_on_time(cdsi, months, sex, goal, most, picks):
    hold(cdsi, somebody(months, sex, picks), Wishes(goal=goal, most=most, months=12))


@settings(max_examples=12)
@given(
    months=st.integers(0, 1000),
    sex=st.sampled_from(SEXES),
    goal=st.sampled_from(GOALS),
    most=LIMITS,
    picks=st.lists(st.tuples(FRENCH, st.integers(30, 900)), max_size=4),
)
def test_on_the_french_schedule_every_planned_dose_is_valid_and_on_time(france, months, sex, goal, most, picks):
    hold(france, somebody(months, sex, picks), Wishes(goal=goal, most=most, months=18))


def test_what_if_says_the_verdict_and_what_changes():
    used = two_and_three()
    patient = Patient(BORN, doses=(Dose(ON - dt.timedelta(days=10), "902"),))
    soon = what_if(used, patient, Dose(ON, "902"))
    assert soon.counts is False
    assert [(each.group, each.status, each.reasons) for each in soon.verdicts] == [
        ("B", DoseStatus.NOT_VALID, ("Interval: Too Soon",))
    ]
    good = what_if(used, patient, Dose(after(32), "902"))
    assert good.counts is True
    (change,) = good.changes
    assert change.before is not None
    assert change.after is not None
    assert (change.group, change.before.number, change.after.number) == ("B", 2, 3)
    assert change.after.earliest == after(32 + 56)
    assert good.harmed == ()


def test_what_if_shows_that_a_live_vaccine_delays_another():
    found = what_if(live(), Patient(BORN), Dose(ON, "901"))
    assert {each.group for each in found.changes} == {"A", "B"}
    delayed = next(each for each in found.changes if each.group == "B")
    assert delayed.after is not None
    assert delayed.after.earliest == after(28)


def test_what_if_of_a_code_the_schedule_does_not_know_neither_counts_nor_fails():
    found = what_if(live(), Patient(BORN), Dose(ON, "777"))
    assert found.counts is None
    assert found.changes == ()


def test_what_if_refuses_a_dose_before_birth():
    with pytest.raises(InputError):
        what_if(live(), Patient(BORN), Dose(dt.date(2019, 1, 1), "901"))


@pytest.mark.parametrize(
    ("last_period", "visits"),
    [
        # 32 weeks: pertussis first, it is the more urgent; RSV two weeks later
        ("2026-04-14", {"2026-11-26": "P", "2026-12-10": "RSV"}),
        # 35 weeks and 6 days: in two weeks it would be too late for RSV
        ("2026-03-20", {"2026-11-26": "RSV", "2026-12-10": "P"}),
    ],
)
def test_in_pregnancy_pertussis_and_rsv_are_never_planned_the_same_day(
    last_period: str, visits: dict[str, str]
) -> None:
    france = open_france()
    woman = Patient(dt.date(1994, 4, 4), "Female", (), (Observed("pregnancy", dt.date.fromisoformat(last_period)),))
    found = {
        visit.date.isoformat(): antigen
        for visit in plan(france, woman, ON).visits
        for dose in visit.doses
        for antigen in ("P", "RSV")
        if antigen in {each.antigen for each in france.vaccines[dose.code]}
    }
    assert found == visits


def test_among_equals_the_plan_gives_the_first_that_the_schedule_names() -> None:
    teen = Patient(dt.date(2014, 5, 1), "Male")
    [first, *_] = plan(open_france(), teen, ON).visits
    assert "Nimenrix" in [each.name for each in first.doses]
    assert "Menveo" not in [each.name for each in first.doses]


@pytest.mark.parametrize(("first", "second"), [("RotaTeq", "Rotarix"), ("Rotarix", "RotaTeq")])
def test_a_second_brand_of_rotavirus_vaccine_is_judged_by_the_series_of_the_first(first: str, second: str) -> None:
    france = open_france()
    codes = {name: code for code, name in france.vaccine_names.items()}
    child = Patient(dt.date(2026, 9, 10), "Male", (Dose(dt.date(2026, 10, 26), codes[first], id="1"),))
    mixed = what_if(france, child, Dose(ON, codes[second], id="x"))
    assert mixed.counts is False
    same = what_if(france, child, Dose(ON, codes[first], id="x"))
    assert same.counts is True
    assert same.harmed == ()


def first_months() -> Patient:
    """Four months old, nothing given: five injections are due, and two of them have a last day."""
    return Patient(dt.date(2026, 8, 10))


def test_with_few_injections_a_visit_the_vaccine_that_would_soon_be_too_late_goes_first(france: Schedule) -> None:
    found = plan(france, first_months(), dt.date(2026, 12, 20), Wishes(most=1))
    served = {s.group for visit in found.visits for each in visit.doses for s in each.serves}
    assert found.visits[0].doses[0].serves[0].group == "ROTA"
    assert sum(s.group == "ROTA" for v in found.visits for each in v.doses for s in each.serves) == 2
    due = {each.group for each in run(france, first_months(), dt.date(2026, 12, 20)).groups
           if each.level != "optional" and each.recommended and each.recommended <= dt.date(2026, 12, 20)
           and each.status is SeriesStatus.NOT_COMPLETE}  # fmt: skip
    assert due - served == {each.group for each in found.left} == {"RSV"}
    assert [each.reason for each in found.left] == ["too late"]


def test_a_dose_whose_last_day_passes_between_two_visits_is_told() -> None:
    """Three vaccines, each for the last time within the week, and room for one at a visit."""

    def once(code: str) -> list[Any]:
        row = dose(1, "30 days", [code])
        return [{**row, "age": {**row["age"], "maxAge": "65 days"}}]

    made = schedule(
        {"A": once("901"), "B": once("902"), "C": once("903")}, {"901": ["A"], "902": ["B"], "903": ["C"]}
    )
    born = after(-60)
    assert told(plan(made, Patient(born), ON)) == [(ON, ["901", "902", "903"])]
    found = plan(made, Patient(born), ON, Wishes(most=1))
    assert told(found) == [(ON, ["901"])]
    assert [(each.group, each.reason) for each in found.left] == [("B", "too late"), ("C", "too late")]
