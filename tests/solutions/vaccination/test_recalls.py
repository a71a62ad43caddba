"""Who received a lot: written differently it is the same, resembling it is told apart."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from lab39 import fhir
from lab39.core.errors import InputError
from lab39.solutions.vaccination.recalls import alike, plain, recall


def person(name: str, *lots: str | None, day: str = "2026-03-01", status: str = "completed") -> Any:
    entries: list[dict[str, Any]] = [
        {"resource": {"resourceType": "Patient", "id": name, "birthDate": "1990-01-02"}}
    ]
    for number, lot in enumerate(lots):
        given = {
            "resourceType": "Immunization",
            "id": f"{name}-{number}",
            "status": status,
            "vaccineCode": {"text": "Repevax"},
            "occurrenceDateTime": day,
            **({"lotNumber": lot} if lot else {}),
        }
        entries.append({"resource": given})
    return fhir.record({"resourceType": "Bundle", "type": "collection", "entry": entries}, name)


@pytest.mark.parametrize("written", ["AB-120", "ab120", " AB 120 ", "A.B.120", "ab_120"])
def test_case_spaces_and_punctuation_change_nothing(written):
    found = recall([person("p", written)], "AB120")
    assert [each.lot for each in found.found] == [written.strip()] or [each.lot for each in found.found] == [
        written
    ]
    assert found.near == ()


@pytest.mark.parametrize(
    ("written", "near"),
    [
        ("AB12O", "look-alike"),
        ("A8120", "look-alike"),
        ("AB12021S9", "longer"),
        ("AB12", "longer"),
        ("AB121", "one character"),
        ("BA120", "one character"),
    ],
)
def test_what_resembles_the_lot_is_told_apart(written, near):
    found = recall([person("p", written)], "AB120")
    assert found.found == ()
    assert [(each.lot, each.near) for each in found.near] == [(written, near)]


@pytest.mark.parametrize("written", ["AC133", "120", "XB129", "Z"])
def test_what_does_not_resemble_it_is_left_out(written):
    found = recall([person("p", written)], "AB120")
    assert (found.found, found.near) == ((), ())


def test_short_lots_are_only_ever_the_same():
    assert alike(plain("A1"), plain("a 1")) == "same"
    assert alike("A1", "A2") is None
    assert alike("A1", "A12") is None


def test_counts_say_what_was_looked_at_and_what_nothing_rules_out():
    found = recall([person("p", "AB120", None), person("q", "XY777"), person("r")], "ab-120")
    assert (found.records, found.doses, found.no_lot) == (3, 3, 1)
    assert found.as_dict()["doses_without_lot"] == 1
    assert [each.record for each in found.found] == ["p"]
    assert found.found[0].birth == "1990-01-02"


def test_a_period_keeps_doses_whose_day_may_be_in_it():
    people = [person("jan", "L100", day="2026-01-10"), person("mar", "L100", day="2026-03"), person("no", "L100")]
    found = recall(people, "L100", since=dt.date(2026, 3, 15), until=dt.date(2026, 4, 30))
    assert [each.record for each in found.found] == ["mar"]


def test_doses_not_given_are_not_doses():
    assert recall([person("p", "AB120", status="not-done")], "AB120").doses == 0


@pytest.mark.parametrize("lot", ["", " ", "--"])
def test_an_empty_lot_is_refused(lot):
    with pytest.raises(InputError):
        recall([], lot)
