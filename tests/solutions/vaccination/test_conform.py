"""Conformance with the published cases: a sample here, all of them in ``benchmarks/vaccination.py``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lab39.core.errors import InputError
from lab39.solutions.vaccination import Schedule, told
from lab39.solutions.vaccination.cases import read_cases
from lab39.solutions.vaccination.conform import adjudications, conform

CASE = {
    "id": "made-up-1",
    "dob": "2025-01-31",
    "sex": "F",
    "assessment_date": "2025-02-10",
    "observations": [],
    "doses": [],
    "expected": {
        "vaccine_group": "A",
        "series_status": "Not complete",
        "forecast_number": "1",
        "earliest": "2025-03-14",
        "recommended": "2025-03-31",
        "past_due": "2025-04-30",
    },
}


def cases(folder: Path, *rows: object) -> Path:
    path = folder / "cases.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    return path


@pytest.mark.parametrize(("name", "every", "bar"), [("healthy-*.jsonl", 12, 0.995), ("conditions-*.jsonl", 6, 0.9)])
def test_golden_sample_of_the_published_cases(
    shared: Path, cdsi: Schedule, name: str, every: int, bar: float
) -> None:
    files = sorted((shared / "vaccination" / "cdsi-cases").glob(name))
    if not files:
        pytest.skip("no published cases among the shared data")
    found = conform(cdsi, read_cases(files[-1])[::every])
    assert found["n"] >= 40
    assert found["rate"] >= bar, found["failures"]
    assert found["doses"]["rate"] >= 0.97, found["dose_failures"]
    assert [row["id"] for row in found["failures"] if row["adjudication"] is None] == []


def test_a_case_passes_when_everything_matches(tiny: Schedule, tmp_path: Path) -> None:
    found = conform(tiny, read_cases(cases(tmp_path, CASE)))
    assert (found["passed"], found["n"], found["failures"]) == (1, 1, [])


@pytest.mark.parametrize(
    ("field", "value", "wrong"),
    [
        ("series_status", "Complete", "status"),
        ("forecast_number", "2", "number"),
        ("earliest", "2025-03-15", "earliest"),
        ("recommended", None, "recommended"),
        ("past_due", "2025-05-01", "past_due"),
    ],
)
def test_a_case_fails_on_any_difference(
    tiny: Schedule, tmp_path: Path, field: str, value: str | None, wrong: str
) -> None:
    row = {**CASE, "expected": {**CASE["expected"], field: value}}  # type: ignore[dict-item]
    found = conform(tiny, read_cases(cases(tmp_path, row)))
    assert [(each["id"], each["wrong"]) for each in found["failures"]] == [("made-up-1", [wrong])]


@pytest.mark.parametrize("absent", ["id", "expected", "dob", "assessment_date"])
def test_a_case_without_id_or_expectation_is_an_error(tmp_path: Path, absent: str) -> None:
    row = {key: value for key, value in CASE.items() if key != absent}
    with pytest.raises(InputError, match=r"cases\.jsonl:2.*not a case"):
        read_cases(cases(tmp_path, CASE, row))


def test_every_adjudication_cites_a_rule() -> None:
    printed = re.compile(r"(TABLE \d+-\d+|[A-Z]+-\d+)\Z")
    assert all(printed.match(each.rule) and each.text for each in adjudications().values())
    assert told.rules()
