"""The calendar file: read back by the library, stable, private, in both languages."""

from __future__ import annotations

import datetime as dt

import icalendar
import pytest
from tests.solutions.vaccination.small import dose, schedule

from lab39.solutions.vaccination import Patient, run
from lab39.solutions.vaccination.plan import Wishes, plan
from lab39.solutions.vaccination.reminders import Item, Reminder, calendar, of_plan, of_result, uid

ON = dt.date(2026, 11, 26)
AT = dt.datetime(2026, 11, 26, 10, 30, tzinfo=dt.UTC)
BORN = dt.date(2020, 1, 15)


@pytest.fixture
def used():
    return schedule(
        {
            "MMR": [dose(1, "12 months", ["901"]), dose(2, "13 months", ["901"], interval="4 weeks")],
            "Varicella": [dose(1, "7 years", ["902"], late="8 years")],
        },
        {"901": ["MMR"], "902": ["Varicella"]},
    )


def events(content: bytes):
    return icalendar.Calendar.from_ical(content).walk("VEVENT")


def test_one_event_a_visit_to_come_with_what_it_is_for(used):
    found = of_plan(plan(used, Patient(BORN), ON, Wishes(wait_days=0)))
    assert [(each.date, [item.group for item in each.items]) for each in found] == [
        (dt.date(2026, 12, 24), ["MMR"]),
        (dt.date(2027, 1, 15), ["Varicella"]),
    ]
    first, second = events(calendar(found, "record-1", AT, used))
    assert first["DTSTART"].dt == dt.date(2026, 12, 24)
    assert first["DTEND"].dt == dt.date(2026, 12, 25)
    assert "ROR" in str(first["SUMMARY"])
    assert "MMR" in str(first["SUMMARY"])
    assert "dose 2 (vaccine 901)" in str(first["DESCRIPTION"])
    assert "varicelle" in str(second["SUMMARY"])


def test_alarms_ring_in_the_morning_of_the_days_before(used):
    (event,) = events(calendar([Reminder(ON, (Item("MMR", 2),))], "r", AT, used, days_before=(14, 1)))
    triggers = [alarm["TRIGGER"].dt for alarm in event.walk("VALARM")]
    assert triggers == [dt.timedelta(days=-14, hours=9), dt.timedelta(days=-1, hours=9)]


def test_nobody_is_named_unless_asked(used):
    reminders = [Reminder(ON, (Item("MMR", 2),))]
    plain = calendar(reminders, "patient-Durand", AT, used)
    assert b"Durand" not in plain
    assert "Zoé" in str(events(calendar(reminders, "r", AT, used, name="Zoé"))[0]["SUMMARY"])


def test_an_event_keeps_its_identifier_when_its_day_changes_and_not_for_another_person_or_dose():
    item = (Item("MMR", 2), Item("Varicella", 1))
    here = uid(Reminder(ON, item), "r1", "france")
    assert here == uid(Reminder(ON + dt.timedelta(days=9), item[::-1]), "r1", "france")
    assert here != uid(Reminder(ON, item), "r2", "france")
    assert here != uid(Reminder(ON, item[:1]), "r1", "france")
    assert here != uid(Reminder(ON, (Item("MMR", 1), Item("Varicella", 1))), "r1", "france")


def test_the_same_file_twice_is_the_same_bytes_and_lines_are_folded(used):
    reminders = of_plan(plan(used, Patient(BORN), ON))
    content = calendar(reminders, "r", AT, used)
    assert content == calendar(reminders, "r", AT, used)
    assert max(len(line) for line in content.split(b"\r\n")) <= 75


def test_from_a_result_each_recommended_day_is_one_reminder_with_its_deadline(used):
    found = of_result(run(used, Patient(BORN), ON), ON + dt.timedelta(days=700))
    assert [(each.date, [item.group for item in each.items], each.late) for each in found] == [
        (ON, ["MMR"], None),
        (dt.date(2027, 1, 15), ["Varicella"], dt.date(2028, 1, 14)),
    ]
    event = events(calendar(found, "r", AT, used))[1]
    assert "À faire avant le 15/01/2028" in str(event["DESCRIPTION"])
    assert of_result(run(used, Patient(BORN), ON), ON) == found[:1]


def test_two_visits_for_the_same_dose_are_two_events(used):
    """Second dose of a catch-up, then second dose counted by the boosters: an agenda would keep only the last."""
    twice = [Reminder(ON, (Item("MMR", 2),)), Reminder(ON + dt.timedelta(days=900), (Item("MMR", 2),))]
    first, second = events(calendar(twice, "r", AT, used))
    assert first["UID"] != second["UID"]
    assert first["UID"] == uid(twice[0], "r", used.name)
    again = events(calendar([twice[0], Reminder(ON + dt.timedelta(days=950), (Item("MMR", 2),))], "r", AT, used))
    assert again[1]["UID"] == second["UID"], "moved, and still the same event"
