"""Lossless: what was received is written back equal, to the spelling of every number."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab39 import fhir
from lab39.core.errors import InputError
from lab39.fhir import outputs

SYNTHEA = [f"synthea-{n:02}.json" for n in (0, 2, 4, 6, 8, 10)]
NUMBERS = re.compile(r'"(?:[^"\\]|\\.)*"|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)')


def numbers(text: str) -> list[str]:
    """Every number of a JSON text as it is spelled, in order."""
    return [found[1] for found in NUMBERS.finditer(text) if found[1]]


@pytest.fixture(params=SYNTHEA)
def document(request: pytest.FixtureRequest, shared: Path) -> Path:
    return shared / "fhir" / "synthea-r4" / request.param


def test_a_synthea_bundle_is_written_back_equal_digits_and_extensions_included(document):
    text = document.read_text("utf-8")
    written = fhir.dumps(fhir.load(document).origin)
    assert fhir.loads(written) == fhir.loads(text)
    assert json.loads(written) == json.loads(text)
    assert numbers(written) == numbers(text)
    assert written.count('"extension"') == text.count('"extension"')
    assert any("." in n for n in numbers(text))


def test_reading_every_entry_changes_nothing_in_the_document(document):
    record = fhir.load(document)
    before = fhir.dumps(record.origin)
    assert record.issues is not None
    assert fhir.dumps(record.origin) == before


def test_a_synthea_bundle_is_understood_in_full(document):
    record = fhir.load(document)
    assert record.birth_date.exact
    assert record.sex in ("male", "female")
    counts = {
        "Condition": len(record.conditions()),
        "Immunization": len(record.immunizations()),
        "Observation": len(record.observations()),
        "Procedure": len(record.procedures()),
        "MedicationRequest": sum(m.ref.startswith("urn:uuid:") for m in record.medications()),
    }
    assert counts["Condition"] == len(record.resources("Condition"))
    assert counts["Observation"] == len(record.resources("Observation")) > 0
    assert counts["Immunization"] == len(record.resources("Immunization"))
    assert all(m.concept.codings for m in record.medications())
    assert all(o.value is not None or o.components for o in record.observations())
    assert [issue for issue in record.issues if issue.severity == "error"] == []


@pytest.mark.parametrize("spelling", ["7.10", "0.0", "-0.00", "1E+2", "1e-7", "100", "1234567.123456789012345678"])
def test_a_number_keeps_its_digits(spelling):
    read = fhir.loads(f"[{spelling}]")
    assert fhir.loads(fhir.dumps(read)) == read
    (written,) = numbers(fhir.dumps(read))
    assert Decimal(written).as_tuple() == Decimal(spelling).as_tuple()
    if "e" not in spelling.lower():
        assert written == spelling


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text() | st.decimals(-(10**9), 10**9, places=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_read_back_as_it_was_written(value):
    assert fhir.loads(fhir.dumps(value)) == value
    assert fhir.loads(fhir.dumps(value, indent=1).encode()) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN")])
def test_what_is_no_json_number_is_never_written(value):
    with pytest.raises(ValueError):
        fhir.dumps([value])


@given(st.text(st.sampled_from('{}[]",:\\ \n01aeE.-+tru'), max_size=40))
def test_any_text_is_read_as_json_reads_it_or_refused(text):
    try:
        theirs = json.loads(text, parse_float=Decimal, parse_constant=_refused, object_pairs_hook=_once)
    except ValueError:
        with pytest.raises(InputError, match=r"line \d+"):
            fhir.loads(text)
    else:
        assert fhir.loads(text) == theirs


def _once(pairs):
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def _refused(word):
    raise ValueError(word)


def test_the_synthea_bundles_are_valid_r4_as_the_writer_checks_it(document):
    patient = dict(fhir.load(document).resources("Patient")[0])
    outputs.validate(patient)
