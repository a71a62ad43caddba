"""The targeted vaccines of the French schedule, rule by rule: who gets a dose on a day, who does not, from when.

The cases stand in ``france_targeted.txt``, beside this file.
"""

from __future__ import annotations

import datetime as dt

import pytest
from tests.solutions.vaccination.french import person
from tests.solutions.vaccination.records import record
from tests.solutions.vaccination.targeted import SCHEDULE, TODAY, Case, table

from lab39.core.text import Text
from lab39.solutions.vaccination import findings, france, run
from lab39.solutions.vaccination.authored import level
from lab39.solutions.vaccination.codes import NO_MAPS
from lab39.solutions.vaccination.evaluate import CONFLICT
from lab39.solutions.vaccination.forbidden import forbidden, group_forbidden
from lab39.solutions.vaccination.outcome import DoseStatus, PatientSeries, SeriesStatus
from lab39.solutions.vaccination.standing import due, standings

FILES = (
    "bcg", "chikungunya", "cholera", "contraindications", "covid", "dengue", "hepatitis-a", "hepatitis-b-risk",
    "influenza", "japanese-encephalitis", "leptospirosis", "mpox", "rabies", "rsv", "tick-borne-encephalitis",
    "typhoid", "varicella", "yellow-fever",
)  # fmt: skip


def authored(*kinds: str) -> set[str]:
    """Ids of the rows of these files that are compiled."""
    files = france.read().files
    return {
        row["id"]
        for name in FILES
        for kind in kinds
        for row in files[f"{name}.toml"].get(kind, ())
        if SCHEDULE.rules[row["id"]].verified
    }


def chosen(case: Case) -> list[PatientSeries]:
    """The best series that come from the rule of a case."""
    result = run(SCHEDULE, case.patient, case.on)
    return [each for best in result.best.values() for each in best if each.series.rule == case.rule]


def may_be_given(series: PatientSeries, on: dt.date) -> bool:
    return (
        series.status is SeriesStatus.NOT_COMPLETE
        and series.forecast is not None
        and (series.forecast.earliest is None or series.forecast.earliest <= on)
    )


@pytest.mark.parametrize("case", table("gets"), ids=str)
def test_a_person_gets_the_dose_from_the_day_worked_out_by_hand(case: Case) -> None:
    [series] = chosen(case)
    assert may_be_given(series, case.on), series.reason
    assert series.forecast is not None
    assert series.forecast.earliest == dt.date.fromisoformat(case.rest[0])
    assert series.forecast.vaccines, "no marketed vaccine to give"


@pytest.mark.parametrize("case", table("gets not"), ids=str)
def test_a_person_does_not_get_the_dose_on_that_day(case: Case) -> None:
    assert not [each for each in chosen(case) if may_be_given(each, case.on)]


def test_every_rule_of_the_targeted_vaccines_is_reached_both_ways() -> None:
    assert {each.rule for each in table("gets")} == authored("rule")
    assert {each.rule for each in table("gets not")} == authored("rule")


def test_every_contraindication_and_conflict_is_reached() -> None:
    assert {each.rule for each in table("forbids")} == authored("contraindication")
    assert {each.rule for each in table("forbids not")} == authored("contraindication")
    assert {each.rule for each in table("conflicts")} == authored("conflict")
    assert {each.rule for each in table("immune")} == authored("immunity")


@pytest.mark.parametrize("case", table("immune"), ids=str)
def test_who_is_immune_needs_no_dose_and_who_is_not_does(case: Case) -> None:
    antigen, code = case.rest
    immune, other = (
        {each.status for each in run(SCHEDULE, asked.patient, TODAY).best[antigen]}
        for asked in (case, case._replace(words=case.words.replace(f" {code}", "")))
    )
    assert immune == {SeriesStatus.IMMUNE}
    assert SeriesStatus.NOT_COMPLETE in other


def said(case: Case) -> set[str]:
    """Antigens that the contraindication of a case forbids, and products when it names some."""
    title = SCHEDULE.rules[case.rule].title.fr
    found = [each for each in forbidden(SCHEDULE, case.patient, case.on) if each.contraindication.text == title]
    return {each.antigen for each in found} | {
        SCHEDULE.vaccine_names[code] for each in found for code in each.contraindication.vaccines
    }


@pytest.mark.parametrize("case", table("forbids"), ids=str)
def test_a_contraindication_forbids(case: Case) -> None:
    wanted = {each.strip() for each in case.rest[0].split(",")}
    assert wanted <= said(case)
    if len(wanted) > 1:
        assert wanted == said(case)


@pytest.mark.parametrize("case", table("forbids not"), ids=str)
def test_a_contraindication_stops_where_it_is_written_to(case: Case) -> None:
    assert not said(case)


def test_a_contraindication_is_told_even_when_no_series_concerns_the_person() -> None:
    woman = person(SCHEDULE, "1994-04-04", "F", observed=(("pregnancy", "2026-06-09"),))
    assert group_forbidden(SCHEDULE, woman, TODAY, "VARICELLA")
    assert not group_forbidden(SCHEDULE, woman, TODAY, "INFLUENZA")


def test_only_the_live_vaccine_is_taken_off_when_another_exists() -> None:
    case = Case("chikungunya-travel", "1990-01-01 M travel-chikungunya immunosuppression", (), TODAY)
    [series] = chosen(case)
    assert series.forecast is not None
    assert [each.name for each in series.forecast.vaccines] == ["Vimkunya"]


@pytest.mark.parametrize("case", table("conflicts"), ids=str)
@pytest.mark.parametrize(
    ("second", "valid"), [("2026-10-24", True), ("2026-10-25", False), ("2026-11-23", False), ("2026-11-24", True)]
)
def test_live_injected_vaccines_are_given_the_same_day_or_a_month_apart(
    case: Case, second: str, valid: bool
) -> None:
    first, later, antigen = case.rest
    asked = case._replace(words=f"{case.words}; 2026-10-24:{first} + {second}:{later}")
    evaluated = run(SCHEDULE, asked.patient, TODAY).best[antigen][0].evaluations[-1]
    assert (evaluated.status is DoseStatus.VALID) == valid
    assert (CONFLICT in evaluated.reasons) == (not valid)


@pytest.mark.parametrize(
    ("words", "rule", "binding"),
    [
        ("2018-01-01 F", "flu-child", "optional"),
        ("1990-01-01 F health-worker", "hepb-carer", "obligatory"),
        ("2025-10-20 F guyane-resident", "yf-guyane-infant", "obligatory"),
        ("2026-02-24 F travel-yellow-fever", "yf-travel-infant", "recommended"),
        ("1990-01-01 F travel-chikungunya", "chikungunya-travel", "optional"),
        ("1990-01-01 F travel-chikungunya diabetes", "chikungunya-travel", "recommended"),
        ("1990-01-01 F leptospirosis-exposure", "leptospirosis", "optional"),
    ],
)
def test_how_binding(words: str, rule: str, binding: str) -> None:
    case = Case(rule, words, (), TODAY)
    [series] = chosen(case)
    assert level(series.series, case.patient, TODAY) == binding


def test_dates_that_follow_each_vaccine() -> None:
    """Varivax: 4 to 8 weeks; Varilrix: 6 to 10 weeks. The dose is late the day after."""
    for product, late in (("Varivax", "2026-12-22"), ("Varilrix", "2027-01-05")):
        [series] = chosen(
            Case("varicella-teen", f"2010-01-01 M no-varicella-history; 2026-10-27:{product}", (), TODAY)
        )
        assert series.forecast is not None
        assert series.forecast.past_due == dt.date.fromisoformat(late)


def test_a_mother_is_vaccinated_until_36_weeks_and_6_days_and_within_the_season() -> None:
    [series] = chosen(Case("rsv-pregnancy", "1994-04-04 F pregnancy@2026-04-14", (), TODAY))
    assert series.forecast is not None
    assert series.forecast.latest == dt.date(2026, 12, 28)


def test_what_is_not_verified_gives_no_advice() -> None:
    mine = {row["id"] for name in FILES for row in france.read().files[f"{name}.toml"].get("rule", ())}
    silent = {each.id for each in france.unverified(SCHEDULE)} & mine
    assert silent == {
        "chikungunya-resident", "flu-obligation", "hepb-overseas-newborn", "rabies-pre-exposure",
        "tbe-later",
    }  # fmt: skip
    compiled = {each.rule for antigen in SCHEDULE.antigens.values() for each in antigen.series}
    assert not compiled & silent
    assert "RABIES" not in SCHEDULE.groups


def test_precautions_are_shown_and_never_computed() -> None:
    ids = authored("precaution")
    assert {"immunoglobulins", "acute-illness", "severe-allergy", "bcg-limb"} <= ids
    someone = person(SCHEDULE, "1990-01-01", "M", observed=(("immunoglobulins", "2026-11-01"),))
    assert forbidden(SCHEDULE, someone, TODAY) == ()


def test_campaigns_of_this_winter_are_marked_assumed() -> None:
    rows = france.read().base["campaigns.toml"]["campaign"]
    assert {row["name"] for row in rows if row.get("assumed")} == {"2026", "2026-2027", "2027"}
    sources = {row["key"] for row in france.read().base["sources.toml"]["source"]}
    assert all(row["source"] in sources for row in rows)


def test_every_rule_is_said_in_both_languages_with_a_source() -> None:
    for id_ in authored("rule", "contraindication", "precaution", "conflict", "immunity"):
        rule = SCHEDULE.rules[id_]
        texts: list[Text] = [rule.title, *([rule.note] if rule.note else [])]
        assert all(each.fr.strip() and each.en.strip() for each in texts), id_
        assert rule.cited, id_
        assert all(" :" not in each.fr and " ;" not in each.fr for each in texts), id_


def test_a_finding_says_that_the_dates_of_the_campaign_are_assumed_and_what_the_rule_warns_of() -> None:
    known = record(person={"resourceType": "Patient", "id": "p", "birthDate": "1955-06-01", "gender": "male"})

    def flu(on: dt.date) -> dict[str, Text]:
        found = findings.assessed(known, SCHEDULE, on, NO_MAPS)
        assert isinstance(found, findings.Assessed)
        reasons = [each for card in findings.findings(found) for each in card.reasons]
        [reason] = [each for each in reasons if each.rule == "vaccination.france.flu-65"]
        return {each.name.en: each.value for each in reason.inputs}

    this, last = flu(TODAY), flu(dt.date(2025, 11, 24))
    assert this["campaign"].fr == (
        "2026-2027, du 13/10/2026 au 31/01/2027\u202f: dates supposées d'après les années passées, à vérifier"
    )
    assert this["to know"].en.startswith("HAS prefers Efluelda or Fluad from 65.")
    assert "campaign" not in last


@pytest.mark.parametrize(
    ("given", "still_due"),
    [
        ("2026-09-07", True),  # before any territory began: the vaccine of last winter
        ("2026-09-08", False),  # given in Mayotte, where the campaign begins first
        ("2026-10-12", False),
        ("2026-10-13", False),
        ("2026-02-28", True),  # the last day of last winter's campaign
    ],
)
def test_a_dose_given_where_the_campaign_began_first_is_the_dose_of_that_campaign(
    given: str, still_due: bool
) -> None:
    moved = person(SCHEDULE, "1950-01-24", "F", f"{given}:Vaxigrip")
    assert [each.group for each in due(standings(run(SCHEDULE, moved, TODAY))) if each.group == "INFLUENZA"] == (
        ["INFLUENZA"] if still_due else []
    )


def test_rsv_vaccine_given_in_guyane_in_august_is_not_offered_again_in_september() -> None:
    # first day of the last period 2025-12-28: 33 weeks on 16 August, 36 weeks on 6 September
    mother = person(SCHEDULE, "1996-05-01", "F", "2026-08-16:Abrysvo", observed=(("pregnancy", "2025-12-28"),))
    said = run(SCHEDULE, mother, dt.date(2026, 9, 5), ["RSV"])
    assert [each.group for each in due(standings(said))] == []


def test_a_campaign_that_has_its_dose_is_complete_until_it_ends_and_then_over() -> None:
    someone = person(SCHEDULE, "1950-01-24", "F", "2026-10-20:Efluelda")

    def said(on: dt.date) -> SeriesStatus:
        return run(SCHEDULE, someone, on, ["INFLUENZA"]).groups[0].status

    assert said(dt.date(2027, 1, 31)) is SeriesStatus.COMPLETE
    assert said(dt.date(2027, 2, 1)) is SeriesStatus.NOT_RECOMMENDED
    assert said(dt.date(2026, 9, 20)) is SeriesStatus.NOT_COMPLETE, "before the dose, which is not known yet"
