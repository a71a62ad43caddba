"""Whatever value is put in the place of another, a record is read or refused: nothing else comes out."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.makers import lab

from lab39 import fhir
from lab39.core.errors import LabError
from lab39.fhir import outputs, packet_writer

ON = dt.date(2026, 11, 24)
EXAMPLES = {path.name: path.read_text("utf-8") for path in (Path(__file__).parents[2] / "examples").glob("*.json")}
PLACES: list[tuple[str, tuple[str | int, ...]]] = []
WRONG = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(),
    st.sampled_from(["", "2020-13-01", "HP:0001250", "#x", "Patient/p2", "Patient", "Bundle", "\u202f", "0" * 300]),
    st.text(max_size=5),
    st.sampled_from([[], {}, [[]], [None], [{}], [7], {"a": 1}, {"coding": 7}, {"reference": 7}, {"value": {}}]),
)


def places(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The place of every value of a document, itself excepted."""
    rows = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, held in rows:
        yield (*at, key)
        yield from places(held, (*at, key))


def mutated(name: str, place: tuple[str | int, ...], wrong: Any) -> dict[str, Any]:
    document = json.loads(EXAMPLES[name], parse_float=Decimal)
    held = document
    for key in place[:-1]:
        held = held[key]
    held[place[-1]] = wrong
    return document


PLACES += [(name, place) for name in sorted(EXAMPLES) for place in places(json.loads(EXAMPLES[name]))]


def read_or_refused(document: dict[str, Any]) -> None:
    try:
        record = fhir.record(document)
    except LabError:
        return
    for read in (record.conditions, record.medications, record.immunizations, record.observations):
        for entry in read():
            assert getattr(entry, "active", None) in (True, False, None)
            assert getattr(entry, "current", None) in (True, False, None)
    for read in (record.phenotypes, record.allergies, record.procedures):
        assert isinstance(read(), tuple)
    assert isinstance(record.test_data, bool)
    record.latest("8480-6", on=ON)
    record.latest_quantity("8480-6", on=ON)
    report = lab().assess(record, ON)
    assert report.issues == record.issues_on(ON)
    outputs.validate(outputs.operation_outcome(report.issues))
    try:
        packet_writer.from_record(record, "2026-11-24T08:00:00Z")
    except LabError:
        return


@given(st.sampled_from(PLACES), WRONG)
def test_one_wrong_value_gives_a_record_or_a_refusal(where, wrong):
    read_or_refused(mutated(*where, wrong))


@pytest.mark.parametrize("wrong", [7, "x", True, [], {}, [7], {"a": 1}], ids=repr)
@pytest.mark.parametrize("name", ["child-undiagnosed.phenopacket.json", "diabetes-2-little-known.json"])
def test_every_place_of_an_example_may_hold_a_wrong_value(name, wrong):
    for place in places(json.loads(EXAMPLES[name])):
        read_or_refused(mutated(name, place, wrong))


@pytest.mark.parametrize("wrong", [7, [7], {"a": 1}, "x"], ids=repr)
@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_marks_of_any_shape_are_read(name, wrong):
    for place in [("meta",), ("meta", "tag"), ("metaData",), ("metaData", "externalReferences")]:
        if set(place[:-1]) <= json.loads(EXAMPLES[name]).keys():
            read_or_refused(mutated(name, place, wrong))
