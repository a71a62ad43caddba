"""The expectation of a case cannot reach the engine; nothing in it is fitted to a case or an edition."""

from __future__ import annotations

import ast
import copy
import dataclasses
import datetime as dt
import inspect
import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from lab39.solutions.vaccination import Patient, Schedule, compile_schedule, run, supporting
from lab39.solutions.vaccination.cases import read_cases
from lab39.solutions.vaccination.conform import compared, first
from lab39.solutions.vaccination.dates import add, parse
from lab39.solutions.vaccination.outcome import Dose, Observed

PACKAGE = Path(str(resources.files("lab39.solutions.vaccination")))
ENGINE = (
    "engine", "organize", "relevant", "walk", "evaluate", "skip", "forecast", "beyond", "best", "groups",
    "dates", "model", "authored", "outcome", "licence",
)  # fmt: skip
SHOWN = "adjudications.toml"


@pytest.fixture(scope="module")
def files(shared: Path) -> list[Path]:
    found = sorted((shared / "vaccination" / "cdsi-cases").glob("*.jsonl"))
    if not found:
        pytest.skip("no published cases among the shared data")
    return found


def scrambled(row: dict[str, Any]) -> dict[str, Any]:
    """The same case with another id, no words, and made-up expectations; it still asks about the same group."""
    other = {"id": f"other {len(row['id'])}", "name": "", "forecast_test_type": "", "changed_in_version": ""}
    doses = [{**each, "expected_status": "Extraneous", "expected_reason": "?", "expected_series_type": "?"}
             for each in row["doses"]]  # fmt: skip
    expected = {"vaccine_group": row["expected"]["vaccine_group"], "series_status": "?", "forecast_number": "99",
                "earliest": "1901-01-01", "recommended": "1902-01-01", "past_due": "1903-01-01"}  # fmt: skip
    return {**row, **other, "doses": doses, "expected": expected}


def test_expectations_and_ids_change_nothing_of_what_the_engine_says(
    files: list[Path], cdsi: Schedule, tmp_path: Path
) -> None:
    for path in files:
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()][::9]
        asked, other = tmp_path / "asked.jsonl", tmp_path / "other.jsonl"
        asked.write_text("\n".join(map(json.dumps, rows)), "utf-8")
        other.write_text("\n".join(json.dumps(scrambled(row)) for row in rows), "utf-8")
        for one, two in zip(read_cases(asked), read_cases(other), strict=True):
            assert one.id != two.id
            assert one.expected != two.expected
            said, again = run(cdsi, one.patient, one.on), run(cdsi, two.patient, two.on)
            assert said == again  # statuses, dates, verdicts and every step of the trace
            assert compared(said, one) == compared(said, two)
            assert first(said, one) == first(said, two)


def test_the_engine_has_no_door_for_an_expectation() -> None:
    assert list(inspect.signature(run).parameters) == ["schedule", "patient", "on", "groups"]
    fields = {each.name for kind in (Patient, Dose, Observed) for each in dataclasses.fields(kind)}
    assert fields == {
        "birth_date", "sex", "doses", "observations", "country",
        "date", "code", "mvx", "id", "volume", "expires", "sub_standard", "reported",
    }  # fmt: skip


def test_the_engine_imports_neither_the_cases_nor_the_comparison() -> None:
    reached, waiting = set(), ["engine"]
    while waiting:
        name = waiting.pop()
        reached.add(name)
        for node in ast.walk(ast.parse((PACKAGE / f"{name}.py").read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lab39.solutions.vaccination."):
                waiting += {(node.module or "").rpartition(".")[2]} - reached
            elif isinstance(node, ast.ImportFrom) and node.module == "lab39.solutions.vaccination":
                waiting += {each.name for each in node.names} - reached
    assert reached == set(ENGINE)


def test_no_id_of_a_published_case_is_in_the_code_nor_in_what_it_reads(files: list[Path]) -> None:
    ids = {json.loads(line)["id"] for path in files for line in path.read_text("utf-8").splitlines()}
    assert len(ids) > 900
    for path in PACKAGE.rglob("*"):
        if path.suffix in (".py", ".toml", ".csv", ".json", ".html") and path.name != SHOWN:
            text = path.read_text("utf-8")
            assert [each for each in ids if each in text] == [], path


def test_adjudications_are_read_by_the_comparison_alone() -> None:
    readers = {path.name for path in PACKAGE.parents[1].rglob("*.py") if SHOWN in path.read_text("utf-8")}
    assert readers == {"conform.py"}


def test_no_vaccine_no_antigen_no_observation_and_no_date_is_written_in_the_engine(cdsi: Schedule) -> None:
    named = {*cdsi.vaccines, *cdsi.antigens, *cdsi.groups, *cdsi.observations}
    named |= {one.name for each in cdsi.antigens.values() for one in each.series}
    for name in ENGINE:
        for node in ast.walk(ast.parse((PACKAGE / f"{name}.py").read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert node.value not in named, (name, node.value)
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("dt.date", "date"):
                assert not all(isinstance(each, ast.Constant) for each in node.args), (name, ast.unparse(node))


def edition(shared: Path) -> supporting.Documents:
    folders = sorted((shared / "vaccination").glob("cdsi-[0-9]*"))
    if not folders:
        pytest.skip("no CDSi supporting data among the shared data")
    return supporting.read(folders[-1])


def first_doses(documents: supporting.Documents) -> dict[str, dict[str, Any]]:
    return {
        series["seriesName"]: supporting.many(series["seriesDose"])[0]
        for antigen in documents.antigens
        for series in supporting.many(antigen.get("series"))
    }


def test_the_minimum_age_of_every_series_is_the_edition_s_and_no_one_else_s(shared: Path) -> None:
    """An edition nobody published: each first dose has an age of its own, and the forecast follows it."""
    documents = copy.deepcopy(edition(shared))
    weeks = {}
    for number, (name, dose) in enumerate(first_doses(documents).items()):
        ages = supporting.many(dose.get("age"))
        if len(ages) == 1 and "conditionalSkip" not in dose and "seasonalRecommendation" not in dose:
            weeks[name] = 3 + number
            ages[0].update(absMinAge="0 days", minAge=f"{3 + number} weeks")
            ages[0].pop("maxAge", None)
    born = dt.date(2025, 3, 30)
    result = run(compile_schedule("other", documents), Patient(born, "Female"), dt.date(2025, 3, 31))
    found = {
        each.series.name: each.forecast.earliest
        for series in result.series.values()
        for each in series
        if each.forecast and each.series.name in weeks and not each.series.doses[0].intervals
    }
    assert len(found) > 25
    assert found == {name: add(born, parse(f"{weeks[name]} weeks")) for name in found}


@pytest.mark.parametrize(
    ("minimum", "absolute", "given", "status", "earliest"),
    [
        ("12 months", "12 months - 4 days", "2025-03-28", "Valid", "2025-04-30"),  # dose 2: 13 months
        ("12 months", "12 months - 4 days", "2025-03-25", "Not Valid", "2025-04-22"),  # live vaccine: 28 days
        ("14 months", "14 months - 4 days", "2025-03-28", "Not Valid", "2025-05-30"),
        ("2 months", "0 days", "2024-04-02", "Valid", "2025-04-30"),
    ],
)
def test_one_changed_age_changes_verdict_and_forecast_by_the_rule(
    shared: Path, minimum: str, absolute: str, given: str, status: str, earliest: str
) -> None:
    documents = copy.deepcopy(edition(shared))
    dose = first_doses(documents)["Measles 2-dose series"]
    dose["age"].update(minAge=minimum, absMinAge=absolute)
    for each in (*supporting.many(dose["preferableVaccine"]), *supporting.many(dose["allowableVaccine"])):
        each.pop("beginAge", None)
    for row in documents.schedule["cvxToAntigenMap"]["cvxMap"]:
        for association in supporting.many(row.get("association")):
            association.pop("associationBeginAge", None)
    mmr = Dose(dt.date.fromisoformat(given), "03")
    patient = Patient(dt.date(2024, 3, 30), "Male", (mmr,))
    result = run(compile_schedule("other", documents), patient, dt.date(2025, 4, 1), {"MMR"})
    measles = next(each for each in result.series["Measles"] if each.series.name == "Measles 2-dose series")
    assert measles.evaluations[0].status == status
    assert measles.forecast is not None
    assert measles.forecast.earliest == dt.date.fromisoformat(earliest)
