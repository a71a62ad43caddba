"""Section 3.4 of the Logic Specification: dates and durations."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab39.solutions.vaccination.dates import Duration, add, parse


@pytest.mark.parametrize(
    ("day", "duration", "expected"),
    [
        ("2000-01-01", "3 years", "2003-01-01"),
        ("2000-01-01", "6 months", "2000-07-01"),
        ("2000-11-01", "6 months", "2001-05-01"),
        ("2000-01-01", "3 days", "2000-01-04"),
        ("2000-01-01", "3 weeks", "2000-01-22"),
        ("2000-02-01", "5 weeks", "2000-03-07"),
        ("2001-02-01", "5 weeks", "2001-03-08"),
        ("2000-01-15", "- 4 days", "2000-01-11"),
        ("2000-03-31", "6 months", "2000-10-01"),
        ("2000-08-31", "6 months", "2001-03-01"),
        ("2000-01-31", "6 months - 4 days", "2000-07-27"),
    ],
)
def test_golden_examples_of_the_specification(day: str, duration: str, expected: str) -> None:
    assert add(dt.date.fromisoformat(day), parse(duration)).isoformat() == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("8 months + 1 day", Duration(8, 1)),
        ("16 years - 4 months", Duration(188, 0)),
        (" 19 years - 4 days", Duration(228, -4)),
        ("6 Weeks", Duration(0, 42)),
        ("24 hours", Duration(0, 1)),
        ("0 days", Duration(0, 0)),
    ],
)
def test_a_duration_is_read_as_it_is_written(words: str, expected: Duration) -> None:
    assert parse(words) == expected


@pytest.mark.parametrize("words", ["", "soon", "6", "6 weeks 4 days", "6 weeks -", "5 hours"])
def test_what_is_no_duration_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse(words)


@given(st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)), st.integers(0, 1200))
def test_months_hold_the_day_or_give_the_first_of_the_next_month(day: dt.date, months: int) -> None:
    found = add(day, Duration(months, 0))
    months_later = (found.year - day.year) * 12 + found.month - day.month
    assert (found.day, months_later) in ((day.day, months), (1, months + 1))
