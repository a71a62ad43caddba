"""The engine on schedules small enough to be worked out by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from tests.solutions.vaccination.small import dose, schedule

from lab39.solutions.vaccination import Dose, Observed, Patient, Schedule, run, told
from lab39.solutions.vaccination.outcome import DoseStatus, GroupForecast

BORN = dt.date(2025, 1, 31)


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


def skipped_once_complete(make_dose: Callable[..., dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A standard series of two doses, and a risk one whose first two fall once the standard one is complete."""
    condition = {"conditionType": "Completed Series", "seriesGroups": "1"}
    skip = {"conditionalSkip": {"context": "Both", "set": {"setID": "1", "condition": condition}}}
    ages = {"minimum": "6 weeks", "earliest": "2 months", "latest": "3 months"}
    standard = {
        "selectSeries": {"defaultSeries": "Yes", "seriesGroup": "1"},
        "seriesDose": [make_dose(1, **ages), make_dose(2, **ages, interval="4 weeks")],
    }
    risk = {
        "seriesType": "Risk",
        "indication": {"observationCode": {"code": "010"}},
        "selectSeries": {"seriesGroup": "2", "seriesPriority": "A"},
        "seriesDose": [
            make_dose(1, **ages, **skip),
            make_dose(2, **ages, interval="4 weeks", **skip),
            make_dose(3, **ages, interval="1 year"),
        ],
    }
    return standard, risk


def test_a_series_that_a_later_dose_completes_skips_nothing_before(
    schedule_of: Callable[..., Schedule], make_dose: Callable[..., dict[str, Any]]
) -> None:
    """TABLE 6-7 on the day of each dose: both doses count for the risk series, as they do for the standard one."""
    schedule = schedule_of(*skipped_once_complete(make_dose))
    doses = ("2025-03-31", "901"), ("2025-05-31", "901")
    one = ask(schedule, "2025-05-30", doses[0], observed=("010",)).series[0]
    both = ask(schedule, "2025-06-30", *doses, observed=("010",)).series[0]
    assert both.series.type == "Risk"
    assert [each.status for each in both.evaluations] == ["Valid", "Valid"]
    assert both.evaluations[0] == one.evaluations[0]  # the second dose changes nothing of the first
    assert both.forecast is not None
    assert (both.forecast.target, both.forecast.number, both.forecast.earliest) == (3, 3, day("2026-05-31"))


def test_a_series_complete_before_a_dose_skips_for_it(
    schedule_of: Callable[..., Schedule], make_dose: Callable[..., dict[str, Any]]
) -> None:
    schedule = schedule_of(*skipped_once_complete(make_dose))
    doses = ("2025-03-31", "901"), ("2025-05-31", "901"), ("2026-06-30", "901")
    risk = ask(schedule, "2026-07-01", *doses, observed=("010",)).series[0]
    assert [(each.target, each.status) for each in risk.evaluations] == [(1, "Valid"), (2, "Valid"), (3, "Valid")]
    begun = ask(schedule, "2025-06-30", ("2025-03-31", "901"), observed=("010",)).series[0]
    assert [each.status for each in begun.targets] == ["Satisfied", "Not Satisfied", "Not Satisfied"]


def test_a_dose_that_cannot_be_evaluated_skips_no_target_dose(
    schedule_of: Callable[..., Schedule], make_dose: Callable[..., dict[str, Any]]
) -> None:
    """Section 6.1 comes before 6.2: an expired dose leaves its target as it was."""
    condition = {"conditionType": "Age", "beginAge": "3 months"}
    skip = {"conditionalSkip": {"context": "Evaluation", "set": {"setID": "1", "condition": condition}}}
    ages = {"minimum": "6 weeks", "earliest": "2 months", "latest": "3 months"}
    schedule = schedule_of(
        {
            "selectSeries": {"defaultSeries": "Yes"},
            "seriesDose": [make_dose(1, **ages, **skip), make_dose(2, **ages)],
        }
    )
    given = day("2025-06-01")
    for expires, status, targets in (
        (day("2025-05-31"), "Sub-standard", ["Not Satisfied", "Not Satisfied"]),
        (given, "Valid", ["Skipped", "Satisfied"]),
    ):
        patient = Patient(BORN, "Female", (Dose(given, "901", expires=expires),))
        (series,) = run(schedule, patient, day("2025-07-01")).series["A"]
        assert series.evaluations[0].status == status
        assert [each.status for each in series.targets] == targets


def test_doses_of_another_season_are_not_counted(
    schedule_of: Callable[..., Schedule], make_dose: Callable[..., dict[str, Any]]
) -> None:
    """FORECASTDN-1: a seasonal dose is numbered within its season, and the others without it."""
    ages = {"minimum": "6 weeks", "earliest": "2 months", "latest": "3 months"}
    season = {"seasonalRecommendation": {"startDate": "20260901", "endDate": "20270331"}, "recurringDose": "Yes"}
    schedule = schedule_of(
        {
            "selectSeries": {"defaultSeries": "Yes"},
            "seriesDose": [make_dose(1, **ages), make_dose(2, **ages, **season)],
        }
    )
    doses = ("2025-05-01", "901"), ("2025-10-01", "901"), ("2026-10-01", "901")
    assert ask(schedule, "2025-06-01", doses[0]).number == 1
    assert ask(schedule, "2025-11-01", *doses[:2]).number == 1
    assert ask(schedule, "2026-11-01", *doses).number == 2


def test_every_step_of_a_trace_is_a_known_rule(cdsi: Schedule) -> None:
    patient = Patient(dt.date(2024, 1, 1), "Male", (Dose(dt.date(2025, 2, 1), "03"),), (Observed("007"),))
    result = run(cdsi, patient, dt.date(2025, 6, 1))
    cited = {step.rule for group in result.groups for _, step in told.trace(group)}
    assert cited - set(told.rules()) == set()
    assert {"TABLE 6-31", "FORECASTDTCAN-1", "TABLE 8-14", "MULTIANTVG-1"} <= cited


def test_two_doses_that_a_record_gives_one_id_are_both_seen(monkeypatch):
    seen = []

    def earliest(group, forecasts, doses, steps):
        seen.extend(each.date for each in doses)

    monkeypatch.setattr("lab39.solutions.vaccination.groups.group_earliest", earliest)
    used = schedule({"A": [dose(n, "2 months", ["901"], interval="4 weeks") for n in (1, 2, 3)]}, {"901": ["A"]})
    days = dt.date(2026, 1, 1), dt.date(2026, 3, 1)
    doses = tuple(Dose(each, "901", id="same") for each in days)
    run(used, Patient(dt.date(2025, 1, 1), doses=doses), dt.date(2026, 4, 1))
    assert seen == list(days)
