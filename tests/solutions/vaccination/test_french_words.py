"""Which doses are told to be given again, and how what is due is told, on the French schedule."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.solutions.vaccination.french import person

from lab39.solutions.vaccination import run, sentences, words
from lab39.solutions.vaccination.france import open_france
from lab39.solutions.vaccination.outcome import DoseStatus
from lab39.solutions.vaccination.repeats import to_repeat
from lab39.solutions.vaccination.standing import standings
from lab39.solutions.vaccination.verdicts import verdict

ON = dt.date(2026, 11, 24)


def french_repeats(born: str, *history: str, observed: tuple[tuple[str, str], ...] = ()) -> list[dt.date]:
    france = open_france()
    someone = person(france, born, "F", *history, observed=observed)
    result = run(france, someone, ON)
    return [row.dose.date for row in to_repeat(france, someone, result, standings(result))]


@pytest.mark.parametrize(
    ("born", "history", "observed"),
    [
        # hexavalents of infancy are too early for the booster of 6 years, which is due
        ("2020-05-01", ("2020-07-01:Hexyon", "2020-09-01:Hexyon", "2021-04-01:Hexyon"), ()),
        # whatever was given against meningococci before 11, one dose is due then
        ("2014-05-01", ("2015-06-01:Nimenrix",), ()),
        # the 20-valent comes after them
        ("1954-02-02", ("2019-03-01:Prevenar 13", "2019-05-15:Pneumovax"), (("copd", ""),)),
        ("1960-01-01", ("2016-04-01:Zostavax",), ()),
        # a booster before the pregnancy
        ("1990-01-01", ("2020-01-01:Repevax",), (("pregnancy", "2026-04-15"),)),
        # one booster more than the schedule has
        ("1981-10-01", ("2007-11-01:Repevax", "2012-11-01:Revaxis"), ()),
    ],
)
def test_a_dose_that_had_its_use_is_never_told_to_be_given_again(
    born: str, history: tuple[str, ...], observed: tuple[tuple[str, str], ...]
):
    assert french_repeats(born, *history, observed=observed) == []


@pytest.mark.parametrize(
    ("born", "history", "again"),
    [
        ("2025-05-24", ("2025-08-24:Infanrix Hexa", "2025-09-01:Priorix"), "2025-09-01"),
        ("2013-02-01", ("2025-07-01:Gardasil 9", "2025-10-01:Gardasil 9"), "2025-10-01"),
        ("1960-01-01", ("2026-09-01:Shingrix", "2026-09-20:Shingrix"), "2026-09-20"),
    ],
)
def test_a_dose_that_was_wrong_on_its_day_is_told_to_be_given_again(
    born: str, history: tuple[str, ...], again: str
):
    assert french_repeats(born, *history) == [dt.date.fromisoformat(again)]


@pytest.mark.parametrize(
    ("born", "observed", "group", "says"),
    [
        ("1980-05-05", (("diabetes", ""),), "PNEUMO", "à faire maintenant"),
        ("1990-01-01", (("guyane-resident", ""),), "YELLOW_FEVER", "à faire maintenant"),
        ("1961-11-24", (), "ZOSTER", "à faire maintenant"),
        ("1958-01-01", (), "ZOSTER", "à faire maintenant"),
        ("1961-01-05", (), "ZOSTER", "à faire maintenant, recommandé depuis le 05/01/2026"),
        ("1981-05-01", (), "MMR", "à faire maintenant, en rattrapage"),
        ("1961-01-05", (), "dTcaPolio", "à faire maintenant, recommandé depuis le 05/01/2026"),
        ("1960-01-05", (), "dTcaPolio", "à faire maintenant, en retard depuis le 04/01/2026"),
    ],
)
def test_nobody_catches_up_who_has_just_become_concerned(
    born: str, observed: tuple[tuple[str, str], ...], group: str, says: str
):
    france = open_france()
    result = run(france, person(france, born, "F", observed=observed), ON, [group])
    [each] = standings(result)
    assert sentences.state(each.forecast, each.kind, ON).fr == says


def test_a_dose_on_its_recommended_day_is_not_said_to_be_early():
    france = open_france()
    child = person(france, "2014-05-01", "M", "2014-07-01:Hexyon", "2014-09-01:Hexyon", "2015-04-01:Hexyon")
    result = run(france, child, ON)
    said = [verdict(result, dose) for dose in child.doses]
    assert [(each.status, each.reasons) for each in said if each] == [(DoseStatus.VALID, ())] * 3


def test_a_situation_of_the_french_schedule_is_said_in_both_languages():
    said = words.situation(open_france(), "asplenia")
    assert (said.fr, said.en) == ("asplénie ou hyposplénie", "asplenia or hyposplenia")
