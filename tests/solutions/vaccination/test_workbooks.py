"""The workbooks that CDC publishes with CDSi, as their readers describe them: columns by name, in any order."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from lab39.core.errors import InputError
from lab39.solutions.vaccination import Dose, Observed, Schedule
from lab39.solutions.vaccination.cases import read_cases
from lab39.solutions.vaccination.conform import conform

DOSE = ("Date_Administered_", "Vaccine_Name_", "CVX_", "MVX_", "Evaluation_Status_", "Evaluation_Reason_")
START = ["CDC_Test_ID", "Test_Case_Name", "DOB"]
END = [
    "Forecast_#", "Earliest_Date", "Recommended_Date", "Past_Due_Date", "Vaccine_Group", "Assessment_Date",
    "Evaluation_Test_Type", "Date_Added", "Date_Updated", "Forecast_Test_Type", "Reason_For_Change",
    "Changed_In_Version", "General_Description",
]  # fmt: skip
HEALTHY = [
    *START, "gender", "Med_History_Text", "Med_History_Code", "Med_History_Code_Sys", "Series_Status",
    *(f"{name}{n}" for n in range(1, 8) for name in DOSE), *END,
]  # fmt: skip
OBSERVED = ("Observation_Code_", "Observation_Text_", "Observation_Date_")
CONDITIONS = [
    *START, "Gender", *(f"{name}{n}" for n in range(1, 4) for name in OBSERVED), "Series_Status",
    *(f"{name}{n}" for n in range(1, 8) for name in (*DOSE, "Series_Type_")),
    *END[:4], "Administrative_Guidance", *END[4:],
]  # fmt: skip
ROW: dict[str, Any] = {
    "CDC_Test_ID": "made-up-1",
    "Test_Case_Name": "made up",
    "DOB": dt.date(2025, 1, 31),
    "Gender": "F",
    "Series_Status": "Not complete",
    "Date_Administered_1": dt.date(2025, 3, 9),
    "Vaccine_Name_1": "A",
    "CVX_1": 901,
    "MVX_1": "XYZ",
    "Evaluation_Status_1": "Not Valid",
    "Evaluation_Reason_1": "Age: Too Young",
    "Forecast_#": 1,
    "Earliest_Date": dt.date(2025, 3, 14),
    "Recommended_Date": "2025-03-31",
    "Past_Due_Date": "4/30/2025",
    "Vaccine_Group": " A ",
    "Assessment_Date": 45748,  # a day as a workbook holds it: 1 April 2025
}


def workbook(folder: Path, header: list[str], *rows: dict[str, Any], above: int = 0) -> Path:
    """A workbook with a page of notes, then the cases, ``above`` lines under the top of their sheet."""
    book = openpyxl.Workbook()
    book.active.title = "Notes"
    book.active.append(["Changes in this version"])
    sheet = book.create_sheet("Cases")
    for _ in range(above):
        sheet.append(["A title"])
    sheet.append(header)
    for row in rows:
        given = {key.casefold(): value for key, value in row.items()}
        sheet.append([given.get(name.casefold()) for name in header])
    path = folder / "cases.xlsx"
    book.save(path)
    return path


@pytest.mark.parametrize(
    "header", [HEALTHY, CONDITIONS, list(reversed(HEALTHY))], ids=["healthy", "conditions", "any"]
)
def test_a_workbook_is_read_by_the_names_of_its_columns(header: list[str], tmp_path: Path) -> None:
    (case,) = read_cases(workbook(tmp_path, header, ROW, {}, above=2))
    assert (case.id, case.on, case.group) == ("made-up-1", dt.date(2025, 4, 1), "A")
    assert (case.patient.birth_date, case.patient.sex) == (dt.date(2025, 1, 31), "Female")
    assert case.patient.doses == (Dose(dt.date(2025, 3, 9), "901", "XYZ", "0"),)
    assert case.doses == (("not valid", "age: too young"),)
    days = dt.date(2025, 3, 14), dt.date(2025, 3, 31), dt.date(2025, 4, 30)
    assert case.expected == ("not complete", 1, *days)


def test_a_workbook_and_json_lines_give_the_same_figures(tiny: Schedule, tmp_path: Path) -> None:
    lines = tmp_path / "cases.jsonl"
    dose = {"date": "2025-03-09", "cvx": "901", "mvx": "XYZ", "expected_status": "Not Valid",
            "expected_reason": "Age: Too Young"}  # fmt: skip
    expected = {"vaccine_group": "A", "series_status": "Not complete", "forecast_number": "1",
                "earliest": "2025-03-14", "recommended": "2025-03-31", "past_due": "2025-04-30"}  # fmt: skip
    lines.write_text(
        json.dumps({"id": "made-up-1", "dob": "2025-01-31", "sex": "F", "assessment_date": "2025-04-01",
                    "observations": [], "doses": [dose], "expected": expected})
    )  # fmt: skip
    book = workbook(tmp_path, HEALTHY, ROW)
    assert read_cases(book) == read_cases(lines)
    found = conform(tiny, read_cases(book))
    assert (found["passed"], found["doses"]["passed"], found["reasons"]["passed"]) == (1, 1, 1)


def test_codes_that_a_workbook_turned_into_numbers_get_their_zeros_back(tmp_path: Path) -> None:
    given = {
        "CVX_1": 3,
        "Date_Administered_2": "2025-03-30 00:00:00",
        "CVX_2": "08",
        "Evaluation_Status_2": "Valid",
        "Observation_Code_1": 7,
        "Observation_Code_2": "170",
        "Observation_Date_2": dt.date(2025, 2, 1),
        "Forecast_#": "-",
        "Earliest_Date": None,
        "Past_Due_Date": "-",
    }
    (case,) = read_cases(workbook(tmp_path, CONDITIONS, ROW | given))
    assert [dose.code for dose in case.patient.doses] == ["03", "08"]
    assert case.patient.observations == (Observed("007"), Observed("170", dt.date(2025, 2, 1)))
    assert case.expected == ("not complete", None, None, dt.date(2025, 3, 31), None)


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("CDC_Test_ID", None, "id"),
        ("Series_Status", " ", "series_status"),
        ("Vaccine_Group", None, "vaccine_group"),
        ("Assessment_Date", None, "assessment_date"),
        ("DOB", "unknown", "unknown"),
        ("Evaluation_Status_1", None, "expected_status"),
        ("CVX_1", None, "cvx"),
        ("Date_Administered_1", None, "isoformat"),
        ("Forecast_#", "two", "two"),
        ("Observation_Code_1", "pregnant", "pregnant"),
    ],
)
def test_a_row_that_is_no_case_is_an_error_with_its_sheet_and_row(
    tmp_path: Path, column: str, value: object, says: str
) -> None:
    path = workbook(tmp_path, CONDITIONS, ROW, ROW | {column: value})
    with pytest.raises(InputError, match=rf"cases\.xlsx › Cases, row 3: not a case.*{says}"):
        read_cases(path)


def test_an_unknown_layout_is_an_error_that_lists_what_is_missing(tmp_path: Path) -> None:
    header = [name for name in CONDITIONS if name not in ("DOB", "Past_Due_Date") and "Observation" not in name]
    with pytest.raises(
        InputError, match=r"Cases: missing columns: DOB, Past_Due_Date, Med_History_Code / Observation_Code_1"
    ):
        read_cases(workbook(tmp_path, header, ROW))
    with pytest.raises(InputError, match=r"column CDC_Test_ID is missing\. Sheets: Notes, Cases"):
        read_cases(workbook(tmp_path, ["Name", "Age"], {"Name": "x"}))
    with pytest.raises(InputError, match="no case"):
        read_cases(workbook(tmp_path, HEALTHY))


def test_a_file_of_neither_form_says_so(tmp_path: Path) -> None:
    path = tmp_path / "cases.xlsx"
    path.write_bytes(b"PK\x03\x04 not a workbook")
    with pytest.raises(InputError, match=r"cases\.xlsx"):
        read_cases(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_cases(tmp_path / "absent.jsonl")
