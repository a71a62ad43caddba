"""Each rule of the French schedule, reached by a person worked out by hand.

Cases are in ``france_cases``, those of the targeted vaccines in ``france_targeted.txt``.

``pytest -s -k coverage`` prints which rule each case reaches, by file.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.solutions.vaccination import targeted
from tests.solutions.vaccination.french import binding, person, status

from lab39.solutions.vaccination import france, run
from lab39.solutions.vaccination.authored import Rule

FOLDER = Path(__file__).parent / "france_cases"
KEYS = {
    "rule", "title", "edition", "born", "sex", "history", "observed", "on", "group", "says", "number", "earliest",
    "recommended", "past_due", "latest", "level", "vaccines", "rule_absent",
}  # fmt: skip
CASES = [case for file in sorted(FOLDER.glob("*.toml")) for case in tomllib.loads(file.read_text("utf-8"))["case"]]


def name(case: dict[str, Any]) -> str:
    return f"{case['rule']}{'-' + case['title'][:30] if 'title' in case else ''}"


@pytest.mark.parametrize("case", CASES, ids=name)
def test_a_rule_says_what_its_text_says(case: dict[str, Any]) -> None:
    assert set(case) <= KEYS
    schedule = france.open_france(case.get("edition", "2026"))
    on = dt.date.fromisoformat(case["on"])
    rule = schedule.rules[case["rule"]]
    patient = person(
        schedule, case["born"], case["sex"], *case.get("history", ()), observed=case.get("observed", ())
    )
    said = run(schedule, patient, on, [case.get("group", rule.group)]).groups
    series = [[each.series.rule for each in found.series] for found in said]
    if rule.group and not case.get("rule_absent"):
        said = tuple(found for found, ids in zip(said, series, strict=True) if rule.id in ids)
        assert said, f"the rule is not reached: {series}"
    found = said[0]
    assert status(found, patient, on) == case["says"]
    for key in ("earliest", "recommended", "past_due", "latest"):
        if key in case:
            assert getattr(found, key) == dt.date.fromisoformat(case[key]), key
    if "number" in case:
        assert found.number == case["number"]
    if "level" in case:
        assert binding(found, patient, on) == case["level"]
    if "vaccines" in case:
        assert [each.name for each in found.vaccines] == case["vaccines"]


def every_rule() -> dict[str, Rule]:
    return {key: rule for edition in france.editions() for key, rule in france.open_france(edition).rules.items()}


def test_coverage_every_verified_rule_is_reached_by_a_case() -> None:
    reached = Counter([*(case["rule"] for case in CASES), *targeted.reached()])
    for rule in every_rule().values():
        print(f"{rule.confidence:4}{'' if rule.verified else 'unverified ':12}{reached[rule.id]:3}  {rule.id}")
    assert set(reached) <= set(every_rule())
    computed = [rule for rule in every_rule().values() if rule.verified and rule.kind not in ("precaution", "told")]
    assert [rule.id for rule in computed if not reached[rule.id]] == []


@pytest.mark.parametrize(
    ("born", "rules"),
    [
        ("2012-11-25", set()),  # 14 tomorrow
        ("2012-11-24", {"dtcap-never-14-17"}),
        ("2008-11-25", {"dtcap-never-14-17"}),  # 18 tomorrow
        ("2008-11-24", {"dtcap-never-adult"}),
    ],
)
def test_the_never_vaccinated_have_one_series_from_14_and_another_from_18(born: str, rules: set[str]) -> None:
    schedule = france.open_france()
    never = person(schedule, born, "F", observed=(("never-vaccinated", ""),))
    said = run(schedule, never, dt.date(2026, 11, 24)).groups
    assert {one.series.rule for each in said for one in each.series if "never" in one.series.rule} == rules


def test_a_rule_whose_source_was_not_opened_gives_no_advice() -> None:
    for edition in france.editions():
        schedule = france.open_france(edition)
        hidden = {rule.id for rule in france.unverified(schedule)}
        assert {rule.id for rule in schedule.rules.values() if rule.confidence == "M"} <= hidden
        compiled = {each.rule for antigen in schedule.antigens.values() for each in antigen.series}
        assert not hidden & compiled


def test_every_rule_cites_a_source_and_a_place_in_it() -> None:
    for rule in every_rule().values():
        assert rule.cited, rule.id
        assert all(each.place and each.source.title and each.source.date for each in rule.cited), rule.id
        if rule.confidence == "M":
            continue
        assert all(each.source.key != "MEMORY" for each in rule.cited), rule.id


@pytest.mark.parametrize("edition", ["2025", "2026"])
def test_the_engine_names_a_rule_by_its_title_so_that_no_two_have_the_same(edition: str) -> None:
    titles = Counter(rule.title.fr for rule in france.open_france(edition).rules.values())
    assert [title for title, times in titles.items() if times > 1] == []
