"""What changed between two editions, in plain lines, and for whom."""

from __future__ import annotations

import copy
import datetime as dt
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.solutions.vaccination import small
from tests.solutions.vaccination.conftest import SCHEDULE, antigen, dose
from tests.solutions.vaccination.records import PERSON, immunization, record

from lab39.core.text import Text
from lab39.solutions.vaccination import Schedule, compile_schedule, france, listing, supporting, words
from lab39.solutions.vaccination.authored import Season
from lab39.solutions.vaccination.codes import NO_MAPS
from lab39.solutions.vaccination.dates import parse
from lab39.solutions.vaccination.differences import compare
from lab39.solutions.vaccination.differing import duration
from lab39.solutions.vaccination.model import Contraindication, ObservationTerm, Series
from lab39.solutions.vaccination.population import Totals, people

ON = dt.date(2025, 4, 10)


def schedule(body: dict[str, Any] | None = None, more: dict[str, Any] | None = None) -> Schedule:
    return compile_schedule("tiny", supporting.Documents(SCHEDULE | (more or {}), (body or antigen(),), "1", {}))


def edited(edit: Callable[[dict[str, Any]], object]) -> Schedule:
    body = copy.deepcopy(antigen())
    edit(body)
    return schedule(body)


def first(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = body["series"]["seriesDose"][0]
    return found


def test_the_same_schedule_has_no_difference() -> None:
    assert compare(schedule(), schedule()) == ()


@pytest.mark.parametrize(
    ("edit", "kind", "said"),
    [
        (
            lambda b: first(b)["age"].update(minAge="7 weeks"),
            "age",
            "dose 1, âge minimal\u202f: 7 semaines au lieu de 6 semaines",
        ),
        (
            lambda b: first(b)["age"].update(maxAge="5 years"),
            "age",
            "dose 1, âge maximal\u202f: 5 ans au lieu de rien",
        ),
        (
            lambda b: b["series"]["seriesDose"][1]["interval"].update(minInt="8 weeks"),
            "interval",
            "dose 2, intervalle minimal\u202f: 8 semaines au lieu de 4 semaines (depuis la dose précédente)",
        ),
        (
            lambda b: b["series"]["seriesDose"][1].pop("interval"),
            "interval",
            "dose 2, intervalle supprimé\u202f: 4 semaines (depuis la dose précédente)",
        ),
        (
            lambda b: first(b).update(allowableVaccine={"vaccineType": "B", "cvx": "909"}),
            "vaccine",
            "dose 1, vaccin accepté en plus\u202f: B (909)",
        ),
        (
            lambda b: b["series"]["seriesDose"].append(
                dose(3, minimum="12 months", earliest="12 months", latest="15 months")
            ),
            "dose",
            "nombre de doses\u202f: 3 au lieu de 2",
        ),
        (lambda b: b["series"].update(seriesName="A new"), "series", "nouvelle série (2 doses)"),
        (
            lambda b: b.pop("contraindications"),
            "contraindication",
            "contre-indication en moins\u202f: Reaction (001)",
        ),
        (
            lambda b: b.update(immunity={"clinicalHistory": {"guidelineCode": "001"}}),
            "immunity",
            "preuve d'immunité en plus\u202f: Reaction (001)",
        ),
        (
            lambda b: b["series"].update(indication={"observationCode": {"code": "001"}}),
            "indication",
            "indication en plus\u202f: Reaction (001)",
        ),
        (
            lambda b: first(b).update(
                conditionalSkip={
                    "context": "Both",
                    "set": {"condition": {"conditionType": "Age", "beginAge": "5 years"}},
                }
            ),
            "skip",
            "dose 1, conditions pour passer cette dose modifiées",
        ),
        (
            lambda b: b["series"].update(seriesAdminGuidance="Say so"),
            "rule",
            "groupe de séries ou conseil modifié",
        ),
    ],
)
def test_each_kind_of_change_is_one_plain_line_under_its_group(
    edit: Callable[[dict[str, Any]], object], kind: str, said: str
) -> None:
    found = compare(schedule(), edited(edit))
    assert (kind, said) in [(each.kind, each.text.fr) for each in found]
    assert {each.group for each in found} == {"A"}
    assert all(each.text.en for each in found)


def test_what_concerns_the_whole_schedule_stands_apart() -> None:
    more = {
        "observations": {"observation": {"observationCode": "001", "observationTitle": "Severe reaction"}},
        "liveVirusConflicts": {
            "liveVirusConflict": {
                "previous": {"cvx": "901"},
                "current": {"cvx": "909"},
                "conflictEndInterval": "28 days",
            }
        },
    }
    found = compare(schedule(), schedule(more=more))
    assert [(each.group, each.kind, each.text.en) for each in found] == [
        ("", "conflict", "conflict between vaccines added: 909 after 901"),
        ("", "observation", "observation Severe reaction (001), title: Severe reaction instead of Reaction"),
    ]


def test_no_edit_of_supporting_data_goes_unsaid() -> None:
    """Every leaf of the antigen, changed one at a time, changes the schedule only if it changes the lines."""

    def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        if isinstance(value, dict):
            return [leaf for key, item in value.items() for leaf in leaves(item, (*path, key))]
        if isinstance(value, list):
            return [leaf for i, item in enumerate(value) for leaf in leaves(item, (*path, i))]
        return [path]

    tried = 0
    for path in leaves(antigen()):
        body = copy.deepcopy(antigen())
        place = body
        for key in path[:-1]:
            place = place[key]
        old = place[path[-1]]
        place[path[-1]] = {"Yes": "No", "No": "Yes", "Y": "N"}.get(
            old, re.sub(r"\d+", lambda n: str(int(n[0]) + 1), old) if re.search(r"\d", old) else old
        )
        if schedule(body) != schedule():
            tried += 1
            assert compare(schedule(), schedule(body)), path
    assert tried > 20


@pytest.mark.parametrize(
    ("written", "fr", "en"),
    [
        ("6 weeks", "6 semaines", "6 weeks"),
        ("1 day", "1 jour", "1 day"),
        ("12 months", "12 mois", "12 months"),
        ("5 years", "5 ans", "5 years"),
        ("12 months - 4 days", "12 mois − 4 jours", "12 months − 4 days"),
        ("0 days", "0 jour", "0 days"),
    ],
)
def test_durations_read_as_words(written: str, fr: str, en: str) -> None:
    found = duration(parse(written))
    assert (found.fr, found.en) == (fr, en)


# -- for whom ------------------------------------------------------------------------------------------------


def test_for_whom_it_changes_with_counts_and_examples() -> None:
    later = edited(
        lambda b: first(b)["age"].update(minAge="5 months", absMinAge="5 months", earliestRecAge="5 months")
    )
    records = [
        record(person=PERSON),
        record(immunization("2025-03-31", id="d1")),
        record(person={key: value for key, value in PERSON.items() if key != "birthDate"}),
    ]
    found = list(people(records, schedule(), later, NO_MAPS, ON))
    assert (found[0].becomes, found[0].ceases) == ((), ("A",))
    (verdict,) = found[1].verdicts
    assert (verdict.ref, verdict.before, verdict.after) == ("Immunization/d1", "Valid", "Not Valid")
    assert not found[2].evaluated
    totals = Totals()
    for each in found:
        totals.add(each)
    assert (totals.records, totals.concerned, totals.not_evaluated, totals.verdicts) == (3, 2, 1, 1)
    assert dict(totals.ceases) == {"A": 1}
    assert totals.examples["ceases", "A"] == ["p"]


# -- real data -----------------------------------------------------------------------------------------------


def test_one_minimum_age_of_the_real_edition_is_the_only_difference(
    shared: Path, cdsi: Schedule, tmp_path: Path
) -> None:
    release = sorted((shared / "vaccination").glob("cdsi-[0-9]*"))[-1]
    copied = shutil.copytree(release, tmp_path / "edited")
    (path,) = copied.glob("*Measles*.xml")
    path.chmod(0o644)
    text = path.read_text("utf-8")
    assert text.count("<minAge>12 months</minAge>") >= 1
    path.write_text(text.replace("<minAge>12 months</minAge>", "<minAge>11 months</minAge>", 1), "utf-8")
    found = compare(cdsi, compile_schedule("edited", supporting.read(copied)))
    assert [(each.antigen, each.kind) for each in found] == [("Measles", "age")]
    assert found[0].text.en == "dose 1, minimum age: 11 months instead of 12 months"


def test_two_schedules_of_different_publishers_are_compared(shared: Path, cdsi: Schedule) -> None:
    folder = shared / "vaccination" / "who-cdsi"
    if not folder.is_dir():
        pytest.skip("no WHO schedule among the shared data")
    who = compile_schedule("who-cdsi", supporting.read(folder))
    found = compare(cdsi, who)
    assert ("antigen", "Tuberculosis") in {(each.kind, each.antigen) for each in found}
    assert all(each.text.fr and each.text.en for each in found)


def test_situations_of_the_american_schedule_are_told_in_french():
    titles = {
        "003": "Immunocompromised",
        "081": "Severe allergic reaction after previous dose of Polio",
        "252": "Severe allergic reaction after previous dose of Tick-borne Encephalitis vaccine",
        "999": "Something new",
    }
    used = replace(
        small.schedule({"A": [small.dose(1, "2 months", ["901"])]}, {"901": ["A"]}),
        name="cdsi",
        observations={code: ObservationTerm(code, title, ()) for code, title in titles.items()},
    )
    assert words.situation(used, "003").fr == "immunodépression"
    assert words.situation(used, "081").fr == "réaction grave à une dose précédente\u202f: poliomyélite"
    assert words.situation(used, "252").fr.endswith(": encéphalite à tiques")
    assert words.situation(used, "999") == Text.same("Something new")
    other = replace(used, name="who-cdsi")
    assert words.situation(other, "003") == Text.same("Immunocompromised"), "the codes of others are not known here"
    changed = replace(
        used,
        antigens={
            "A": replace(used.antigens["A"], contraindications=(Contraindication("003", "", None, None, {}),))
        },
    )
    (change,) = [each for each in compare(used, changed) if each.kind == "contraindication"]
    assert "immunodépression (003)" in change.text.fr


def french() -> Schedule:
    return france.open_france()


def test_the_french_editions_name_their_series_as_people_do(capsys: pytest.CaptureFixture[str]) -> None:
    old, new = france.open_france("2025"), french()
    found = compare(old, new)
    series = [each for each in found if each.series]
    assert series
    assert all(each.title.fr and each.title.fr != each.series for each in series)
    gone = next(each for each in series if each.series == "hpv-15-19-2025")
    assert gone.title.en == "HPV started from 15 to the 20th birthday (2025 schedule)"
    assert gone.as_dict()["title"]["fr"] == gone.title.fr
    listing.changes(Console(), old, new, found, "fr")
    printed = capsys.readouterr().out
    assert "hpv-15-19-2025" not in printed
    assert "(calendrier 2025) – série supprimée (3 doses)" in printed


def hepatitis_b(schedule: Schedule, edit: Callable[[Series], Series]) -> Schedule:
    """The schedule with the series of the infant hexavalent for hepatitis B edited."""
    held = schedule.antigens["HepB"]
    edited = tuple(edit(each) if each.name == "hexa-infant (HepB)" else each for each in held.series)
    return replace(schedule, antigens={**schedule.antigens, "HepB": replace(held, series=edited)})


def test_whom_an_authored_series_is_for_and_how_binding_it_is_are_told() -> None:
    def change(one: Series) -> Series:
        assert one.audience is not None
        return replace(one, audience=replace(one.audience, aged_before=parse("6 years")), duties=())

    found = compare(french(), hepatitis_b(french(), change))
    assert [each.text.en for each in found] == [
        "people concerned changed (age, birth, history or situation)",
        "obligatory or recommended changed",
    ]
    assert {each.title.en for each in found} == {"Infant hexavalent, 2, 4 and 11 months (hepatitis B)"}


def test_campaigns_and_the_last_day_of_an_interval_are_told() -> None:
    winter = Season("2026-2027", dt.date(2026, 10, 13), dt.date(2027, 1, 31), assumed=True)

    def change(one: Series) -> Series:
        second = one.doses[1]
        (interval,) = second.intervals
        edited = replace(second, seasons=(winter,), intervals=(replace(interval, maximum=parse("1 year")),))
        return replace(one, doses=(one.doses[0], edited, *one.doses[2:]))

    said = [each.text.en for each in compare(french(), hepatitis_b(french(), change))]
    assert said == [
        "dose 2, maximum interval: 12 months instead of nothing (from the previous dose)",
        "dose 2, campaigns: 2026-2027, 13 Oct 2026 to 31 Jan 2027 instead of nothing",
    ]


def test_a_rule_that_nobody_verified_is_told_when_it_comes_or_goes() -> None:
    less = replace(french(), unread=())
    assert any(each.text.en.startswith("rule not verified removed: ") for each in compare(french(), less))
