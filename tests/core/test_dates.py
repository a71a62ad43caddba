"""Dates keep the precision they came with."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab39.core.dates import Age, PartialDate, age_on, completed_years


@pytest.mark.parametrize(
    ("written", "earliest", "latest", "precision"),
    [
        ("2020", "2020-01-01", "2020-12-31", "year"),
        ("2020-02", "2020-02-01", "2020-02-29", "month"),
        ("2021-02", "2021-02-01", "2021-02-28", "month"),
        ("2020-02-29", "2020-02-29", "2020-02-29", "day"),
        ("2020-02-29T23:59:60Z", "2020-02-29", "2020-02-29", "time"),
        ("2020-02-29T08:30", "2020-02-29", "2020-02-29", "time"),
        ("2020-02-29T08:30:01.123456789+14:00", "2020-02-29", "2020-02-29", "time"),
    ],
)
def test_a_date_is_as_wide_as_it_was_written(written, earliest, latest, precision):
    read = PartialDate.parse(written)
    assert (read.earliest.isoformat(), read.latest.isoformat(), read.precision) == (earliest, latest, precision)
    assert str(read) == written


@pytest.mark.parametrize(
    "written",
    [
        *("2020-13-01", "2020-13", "2020-00", "2020-02-30", "2021-02-29", "0000", "0000-01", "20", "20200101", ""),
        *("01/02/2020", "2020-1-1", " 2020", "2020 ", "2020-02-29T25:00:00Z", "2020-02-29T24:00:00Z"),
        *("2020-02-29T08:60", "2020-02-29T08:30+15:00", "2020-02-29T08:30+02", "2020-02-29 08:30", "2020-02T08:30"),
        *("٢٠٢٠", "2020-02-29T", "yesterday"),
    ],
)
def test_what_is_no_fhir_date_is_refused(written):
    with pytest.raises(ValueError):
        PartialDate.parse(written)


@given(st.dates())
def test_a_full_date_is_read_back_to_the_day(day):
    assert PartialDate.parse(day.isoformat()) == PartialDate.of(day)
    assert PartialDate.of(day).exact == day


def test_only_a_date_known_to_the_day_is_exact():
    assert PartialDate.parse("2020-02").exact is None
    assert PartialDate.parse("2020").exact is None


@pytest.mark.parametrize(
    ("written", "fr", "en"),
    [("2020", "2020", "2020"), ("2020-02", "02/2020", "02/2020"), ("2020-02-09", "09/02/2020", "9 Feb 2020")],
)
def test_a_date_is_said_no_more_precisely_than_it_is(written, fr, en):
    read = PartialDate.parse(written)
    assert (read.say("fr"), read.say("en")) == (fr, en)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2020-02-29", 0),
        ("2020-02-29T01:00:30.5Z", 3630.5),
        ("2020-02-29T01:00:00+02:00", -3600),
        ("2020-02-29T01:00:00-01:30", 9000),
        ("2020-02-29T01:00", 3600),
    ],
)
def test_seconds_order_what_happened_on_one_day(written, seconds):
    assert PartialDate.parse(written).seconds == seconds


@pytest.mark.parametrize(
    ("birth", "on", "years"),
    [
        ("2000-02-29", "2001-02-28", 0),  # 29 February: birthday on 1 March in common years
        ("2000-02-29", "2001-03-01", 1),
        ("2000-06-15", "2020-06-14", 19),
        ("2000-06-15", "2020-06-15", 20),
    ],
)
def test_completed_years_change_on_the_birthday(birth, on, years):
    assert completed_years(dt.date.fromisoformat(birth), dt.date.fromisoformat(on)) == years


def test_an_age_is_as_narrow_as_the_birth_date_allows():
    on = dt.date(2026, 11, 24)
    assert age_on(PartialDate.parse("1944-03-02"), on) == Age(82, 82)
    assert age_on(PartialDate.parse("1944"), on) == Age(81, 82)
    assert age_on(PartialDate.parse("1944"), on).years is None


def test_who_is_not_born_yet_has_no_age():
    assert age_on(PartialDate.parse("2026-12"), dt.date(2026, 11, 24)) is None
    assert age_on(PartialDate.parse("2026-11-25"), dt.date(2026, 11, 24)) is None


def test_a_newborn_whose_day_of_birth_is_not_known_is_0_year_old():
    assert age_on(PartialDate.parse("2026-11"), dt.date(2026, 11, 24)) == Age(0, 0)
    assert age_on(PartialDate.parse("2026"), dt.date(2026, 11, 24)) == Age(0, 0)
    assert age_on(PartialDate.parse("2026-11-24"), dt.date(2026, 11, 24)) == Age(0, 0)


def test_a_threshold_that_the_birth_date_cannot_tell_stays_unknown():
    age = Age(64, 65)
    assert (age.at_least(64), age.at_least(65), age.at_least(66)) == (True, None, False)


@given(st.dates(dt.date(1900, 1, 1), dt.date(2020, 12, 31)), st.dates(dt.date(2021, 1, 1), dt.date(2100, 1, 1)))
def test_the_age_from_a_part_of_the_birth_date_holds_the_true_age(birth, on):
    true = completed_years(birth, on)
    for written in (birth.isoformat()[:4], birth.isoformat()[:7]):
        age = age_on(PartialDate.parse(written), on)
        assert age.min_years <= true <= age.max_years <= age.min_years + 1
