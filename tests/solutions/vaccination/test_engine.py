"""The engine on a schedule small enough to be worked out by hand, and its properties on the real one."""

from __future__ import annotations

import ast
import datetime as dt
import random
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab39.solutions.vaccination import Dose, Observed, Patient, Schedule, run, told
from lab39.solutions.vaccination.model import DoseStatus, GroupForecast
from lab39.solutions.vaccination.verdicts import verdict

BORN = dt.date(2025, 1, 31)
PACKAGE = Path(str(resources.files("lab39.solutions.vaccination")))
CHAPTERS = ("organize", "relevant", "skip", "evaluate", "walk", "forecast", "best", "groups")


def day(words: str) -> dt.date:
    return dt.date.fromisoformat(words)


def ask(schedule: Schedule, on: str, *doses: tuple[str, str], observed: tuple[str, ...] = ()) -> GroupForecast:
    patient = Patient(
        BORN, "Female", tuple(Dose(day(d), code) for d, code in doses), tuple(Observed(code) for code in observed)
    )
    return run(schedule, patient, day(on)).groups[0]


def test_nothing_given_is_forecast_from_the_age(tiny: Schedule) -> None:
    found = ask(tiny, "2025-02-10")
    assert (found.status, found.number) == ("Not Complete", 1)
    assert (found.earliest, found.recommended) == (day("2025-03-14"), day("2025-03-31"))
    assert found.past_due == day("2025-04-30")  # 3 months is 1 May, as 31 April does not exist; minus a day
    assert [vaccine.code for vaccine in found.vaccines] == ["901"]


def test_a_dose_before_the_grace_period_does_not_count_and_delays_the_next(tiny: Schedule) -> None:
    found = ask(tiny, "2025-04-01", ("2025-03-09", "901"))
    assert found.series[0].evaluations[0].reasons[0] == "Age: Too Young"
    assert (found.number, found.earliest) == (1, day("2025-03-14"))


def test_a_dose_in_the_grace_period_counts(tiny: Schedule) -> None:
    found = ask(tiny, "2025-04-01", ("2025-03-10", "901"))
    assert found.series[0].evaluations[0].status is DoseStatus.VALID
    assert (found.number, found.earliest) == (2, day("2025-04-11"))


@pytest.mark.parametrize(("second", "status"), [("2025-04-26", "Not Valid"), ("2025-04-27", "Valid")])
def test_an_interval_has_its_grace_period_too(tiny: Schedule, second: str, status: str) -> None:
    found = ask(tiny, "2025-06-01", ("2025-04-03", "901"), (second, "901"))
    assert found.series[0].evaluations[1].status == status


def test_two_valid_doses_complete_and_a_third_is_extra(tiny: Schedule) -> None:
    found = ask(tiny, "2025-12-01", ("2025-03-31", "901"), ("2025-05-31", "901"), ("2025-09-01", "901"))
    assert (found.status, found.number, found.earliest) == ("Complete", None, None)
    assert found.series[0].evaluations[2].status is DoseStatus.EXTRANEOUS


def test_an_inadvertent_vaccine_is_a_gate(tiny: Schedule) -> None:
    found = ask(tiny, "2025-06-01", ("2025-05-01", "909"))
    assert found.series[0].evaluations[0].reasons == ("Inadvertent Vaccine",)
    assert found.earliest == day("2025-05-01")  # FORECASTDTCAN-1: not before the inadvertent dose


def test_a_contraindication_leaves_no_dates(tiny: Schedule) -> None:
    found = ask(tiny, "2025-06-01", observed=("001",))
    assert (found.status, found.recommended) == ("Contraindicated", None)


def test_a_dose_after_the_day_asked_is_not_looked_at(tiny: Schedule) -> None:
    assert ask(tiny, "2025-06-01", ("2025-07-01", "901")) == ask(tiny, "2025-06-01")


def test_every_decision_function_cites_a_rule_of_the_specification() -> None:
    known, silent = set(told.rules()), []
    for chapter in CHAPTERS:
        for node in ast.parse((PACKAGE / f"{chapter}.py").read_text("utf-8")).body:
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_") or node.name == "can_start":
                continue
            if not any(rule in (ast.get_docstring(node) or "") for rule in known):
                silent.append(f"{chapter}.{node.name}")
    assert silent == []


def test_every_rule_cited_is_printed_in_the_specification(shared: Path) -> None:
    text = " ".join(page.read_text("utf-8").upper() for page in (shared / "vaccination" / "spec").glob("*.txt"))
    printed = [rule for rule in told.rules() if not rule.startswith("SECTION ")]
    assert [rule for rule in printed if rule not in text] == []


def test_every_step_of_a_trace_is_a_known_rule(cdsi: Schedule) -> None:
    patient = Patient(dt.date(2024, 1, 1), "Male", (Dose(dt.date(2025, 2, 1), "03"),), (Observed("007"),))
    result = run(cdsi, patient, dt.date(2025, 6, 1))
    cited = {step.rule for group in result.groups for _, step in told.trace(group)}
    assert cited - set(told.rules()) == set()
    assert {"TABLE 6-31", "FORECASTDTCAN-1", "TABLE 8-14", "MULTIANTVG-1"} <= cited


@st.composite
def histories(draw: st.DrawFn) -> tuple[Patient, dt.date]:
    born = draw(st.dates(dt.date(1990, 1, 1), dt.date(2025, 1, 1)))
    on = dt.date(2025, 11, 10)
    codes = st.sampled_from(["03", "10", "20", "21", "48", "94", "107", "110", "115", "120", "133", "165", "216"])
    days = st.integers(0, (on - born).days)
    rows = draw(st.lists(st.tuples(days, codes), max_size=9, unique=True))
    doses = tuple(Dose(born + dt.timedelta(days=n), code, id=f"{n}-{code}") for n, code in rows)
    return Patient(born, draw(st.sampled_from(["Female", "Male", "Unknown"])), doses), on


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories(), st.randoms(use_true_random=False))
def test_order_of_entry_is_irrelevant_and_dates_are_in_order(
    cdsi: Schedule, given_: tuple[Patient, dt.date], chance: random.Random
) -> None:
    patient, on = given_
    shuffled = list(patient.doses)
    chance.shuffle(shuffled)
    other = Patient(patient.birth_date, patient.sex, tuple(shuffled))
    one, two = run(cdsi, patient, on), run(cdsi, other, on)
    assert [told.group_dict(each) for each in one.groups] == [told.group_dict(each) for each in two.groups]
    assert [verdict(one, each) for each in patient.doses] == [verdict(two, each) for each in patient.doses]
    for each in one.groups:
        dates = [d for d in (each.earliest, each.recommended) if d]
        assert dates == sorted(dates)
        assert each.past_due is None or each.earliest is None or each.earliest <= each.past_due
