"""Coverage counted by hand on six persons, and the list of those to call back."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import pytest
from tests.solutions.vaccination.small import dose, schedule

from lab39.core.text import Text
from lab39.solutions.vaccination import Dose, Observed, Patient
from lab39.solutions.vaccination.coverage import coverage, to_csv
from lab39.solutions.vaccination.given import Uncounted
from lab39.solutions.vaccination.reading import Known

ON = dt.date(2026, 11, 26)
BORN = dt.date(2024, 1, 1)


@pytest.fixture
def used():
    return schedule(
        {
            "MMR": [
                dose(1, "12 months", ["901"], late="15 months"),
                dose(2, "16 months", ["901"], interval="4 weeks", late="24 months"),
            ]
        },
        {"901": ["MMR"]},
        forbidden={"MMR": "007"},
    )


class Person:
    def __init__(self, name: str, patient: Patient | None, uncounted: tuple[Uncounted, ...] = ()) -> None:
        self.id, self.known = name, Known(patient, (), uncounted)


def read(record: Any, schedule: Any, on: dt.date) -> Known:
    return record.known


def people() -> list[Any]:
    first, second = Dose(dt.date(2025, 1, 5), "901"), Dose(dt.date(2025, 5, 5), "901")
    lost = Uncounted("i1", "ROR", "", ("MMR",), "value", Text("date", "date"))
    return [
        Person("complete", Patient(BORN, doses=(first, second))),
        Person("one-dose", Patient(BORN, doses=(first,))),
        Person("none", Patient(BORN)),
        Person("none-in-doubt", Patient(BORN, doses=()), (lost,)),
        Person("forbidden", Patient(BORN, observations=(Observed("007"),))),
        Person("unread", None),
        Person("infant", Patient(dt.date(2026, 6, 1))),
        Person("begun", Patient(dt.date(2025, 9, 1), doses=(Dose(dt.date(2026, 9, 15), "901"),))),
    ]


def test_every_person_is_counted_once_in_the_cell_of_the_birth_year(used):
    found = coverage(people(), used, ON, read)
    assert (found.records, found.unread) == (8, 1)
    cells = {cell.year: cell for cell in found.cells()}
    first = cells[2024]
    assert (first.complete, first.covered, first.due, first.late, first.outside) == (1, 1, 0, 3, 1)
    assert (first.persons, first.share, first.in_doubt) == (4, 0.25, 1)
    assert (cells[2026].not_yet, cells[2026].persons, cells[2026].share) == (1, 0, None)
    assert (cells[2025].covered, cells[2025].complete, cells[2025].share) == (1, 0, 1.0)
    (total,) = found.totals()
    assert (total.covered, total.late, total.not_yet, total.share) == (2, 3, 1, 0.4)


def test_who_has_died_is_counted_apart_and_never_called_back(used):
    dead = Person("dead", None)
    dead.known = Known(None, (), deceased=True)
    found = coverage([dead], used, ON, read)
    assert (found.records, found.unread, found.deceased, found.calls, found.cells()) == (1, 0, 1, [], ())
    assert found.as_dict()["deceased"] == 1


def test_the_list_to_call_back_is_the_longest_late_first(used):
    found = coverage(people(), used, ON, read)
    assert [(each.record, each.number, each.days_late) for each in found.calls] == [
        ("none", 1, (ON - dt.date(2025, 3, 31)).days),
        ("none-in-doubt", 1, (ON - dt.date(2025, 3, 31)).days),
        ("one-dose", 2, (ON - dt.date(2025, 12, 31)).days),
    ]
    assert found.as_dict()["late"][1]["in_doubt"] is True


def test_the_csv_is_read_back_and_holds_no_formula(used):
    found = coverage([Person('=HYPERLINK("x")', Patient(BORN))], used, ON, read)
    rows = list(csv.reader(io.StringIO(to_csv(found.calls, "fr")), delimiter=";"))
    assert rows[0][0] == "dossier"
    assert rows[1][0] == '\'=HYPERLINK("x")'
    assert rows[1][1:3] == ["01/01/2024", "rougeole, oreillons, rubéole (ROR)"]
    assert next(csv.reader(io.StringIO(to_csv(found.calls, "en"))))[0] == "record"


def test_groups_can_be_chosen(used):
    assert coverage(people(), used, ON, read, ["Varicella"]).cells() == ()
    assert len(coverage(people(), used, ON, read, ["MMR"]).cells()) == 3


def flu(on: dt.date, *patients: Patient) -> list[tuple[int, int, int, int, int, float | None]]:
    """Influenza in France: persons, covered, complete, due, missed, share."""
    from lab39.solutions.vaccination.france import open_france

    asked = [Person(str(number), patient) for number, patient in enumerate(patients)]
    return [
        (each.persons, each.covered, each.complete, each.due, each.missed, each.share)
        for each in coverage(asked, open_france(), on, read, ["INFLUENZA"]).totals()
    ]


OLD = dt.date(1950, 1, 24)
EFLUELDA = "VAC1347"
DONE, UNDONE = Patient(OLD, doses=(Dose(dt.date(2026, 10, 20), EFLUELDA),)), Patient(OLD)
LAST_WINTER = Patient(OLD, doses=(Dose(dt.date(2025, 11, 3), EFLUELDA),))


def test_who_had_the_dose_of_the_campaign_is_covered_and_counted_beside_who_had_not():
    assert flu(dt.date(2026, 11, 24), DONE, UNDONE, LAST_WINTER) == [(3, 1, 1, 2, 0, 1 / 3)]
    assert flu(dt.date(2027, 1, 31), DONE, UNDONE) == [(2, 1, 1, 1, 0, 0.5)]


def test_once_a_campaign_is_over_those_without_its_dose_are_still_counted():
    assert flu(dt.date(2027, 3, 1), DONE, UNDONE, LAST_WINTER) == [(3, 1, 0, 0, 2, 1 / 3)]


def test_what_is_only_on_offer_is_outside_given_or_not():
    child = dt.date(2016, 5, 1)
    given = Patient(child, doses=(Dose(dt.date(2026, 10, 20), "VAC0062"),))
    for on in (dt.date(2026, 11, 24), dt.date(2027, 3, 1)):
        assert flu(on, given, Patient(child)) == [(0, 0, 0, 0, 0, None)]


def test_a_record_that_comes_back_is_told_and_counted(used):
    found = coverage(
        [Person("a", Patient(BORN)), Person("b", Patient(BORN)), Person("a", Patient(BORN))], used, ON, read
    )
    assert (found.records, found.repeated, found.as_dict()["repeated"]) == (3, 1, 1)
