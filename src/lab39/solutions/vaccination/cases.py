"""Published test cases: what the engine is given, and what is expected of it, kept apart.

Two forms are read, and told apart by content: JSON lines, and the workbooks that CDC publishes with CDSi (healthy
people, and underlying conditions). Columns of a workbook are found by the name in its header, in any order.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.vaccination.compile import cvx
from lab39.solutions.vaccination.outcome import Dose, Observed, Patient, Sex

Expected = tuple[str, int | None, dt.date | None, dt.date | None, dt.date | None]
MAX_BYTES = 256 * 2**20
_SEXES: Mapping[str, Sex] = {"f": "Female", "female": "Female", "m": "Male", "male": "Male"}
_ID = "CDC_Test_ID"
_COLUMNS: Mapping[str, str] = {
    "id": _ID,
    "dob": "DOB",
    "sex": "Gender",
    "assessment_date": "Assessment_Date",
    "vaccine_group": "Vaccine_Group",
    "series_status": "Series_Status",
    "forecast_number": "Forecast_#",
    "earliest": "Earliest_Date",
    "recommended": "Recommended_Date",
    "past_due": "Past_Due_Date",
}
_DOSE: Mapping[str, str] = {
    "date": "Date_Administered_",
    "cvx": "CVX_",
    "mvx": "MVX_",
    "expected_status": "Evaluation_Status_",
    "expected_reason": "Evaluation_Reason_",
}
_OPTIONAL = ("mvx", "expected_reason")
_OBSERVED = ("Observation_Code_", "Observation_Date_")
_HISTORY = "Med_History_Code"
_HEADER_ROWS = 20


@dataclass(frozen=True, slots=True)
class Case:
    """One published case: what the engine is given (``patient``, ``on``), and what is expected of it."""

    id: str
    patient: Patient
    on: dt.date
    group: str
    expected: Expected
    doses: tuple[tuple[str, str | None], ...]
    """Expected status and reason of each dose of ``patient.doses``."""


def read_cases(path: Path) -> list[Case]:
    """Cases of a file of JSON lines or of a workbook (.xlsx).

    Raises:
        InputError: a case that lacks its id, its expectation or what it is given, with the line, or the sheet and
            the row; a workbook whose header lacks columns, with their names; a file that is neither form.
    """
    try:
        rows = list(_workbook(path) if zipfile.is_zipfile(path) else _lines(path))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(Text(f"illisible ({error})", f"cannot be read ({error})"), str(path)) from error
    if not rows:
        raise InputError(Text("aucun cas", "no case"), str(path))
    return [_case(row, place) for place, row in rows]


@lru_cache(maxsize=1)
def _names() -> Mapping[str, str]:
    body = (resources.files(__package__) / "knowledge" / "vaccine_groups.toml").read_text("utf-8")
    return {key.casefold(): name for key, name in tomllib.loads(body)["names"].items()}


def _lines(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        place = f"{path.name}:{number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            raise _not_a_case(str(error), place) from error
        if not isinstance(row, dict) or not isinstance(row.get("expected"), dict):
            raise _not_a_case("expected", place)
        yield place, {**row, **row["expected"]}


def _workbook(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > MAX_BYTES:
                raise ValueError(f"> {MAX_BYTES // 2**20} MiB")
        with path.open("rb") as stream:
            book = load_workbook(stream, read_only=True, data_only=True)
            tables = {sheet.title: [tuple(row) for row in sheet.iter_rows(values_only=True)] for sheet in book}
            book.close()
    except (ValueError, KeyError, zipfile.BadZipFile, InvalidFileException) as error:
        raise InputError(
            Text(f"classeur illisible ({error})", f"workbook that cannot be read ({error})"), str(path)
        ) from error
    found = False
    for title, table in tables.items():
        at = next((n for n, row in enumerate(table[:_HEADER_ROWS]) if _key(_ID) in map(_key, row)), None)
        if at is None:
            continue
        found = True
        place = f"{path.name} › {title}"
        columns = {_key(name): index for index, name in enumerate(table[at]) if _key(name)}
        _check_header(columns, place)
        for number, row in enumerate(table[at + 1 :], at + 2):
            if any(_text(cell) for cell in row):
                yield f"{place}, row {number}", _from_row(columns, row)
    if not found:
        raise InputError(
            Text(
                f"aucune feuille de cas\u202f: la colonne {_ID} manque. Feuilles\u202f: {', '.join(tables)}",
                f"no sheet of cases: the column {_ID} is missing. Sheets: {', '.join(tables)}",
            ),
            str(path),
        )


def _check_header(columns: Mapping[str, int], place: str) -> None:
    wanted = [*_COLUMNS.values(), *(f"{name}1" for key, name in _DOSE.items() if key not in _OPTIONAL)]
    missing = [name for name in wanted if _key(name) not in columns]
    if _key(_HISTORY) not in columns and _key(f"{_OBSERVED[0]}1") not in columns:
        missing.append(f"{_HISTORY} / {_OBSERVED[0]}1")
    if missing:
        names = ", ".join(missing)
        raise InputError(Text(f"colonnes absentes\u202f: {names}", f"missing columns: {names}"), place)


def _from_row(columns: Mapping[str, int], row: Sequence[object]) -> Mapping[str, Any]:
    def cell(name: str) -> object:
        index = columns.get(_key(name), len(row))
        return row[index] if index < len(row) else None

    def numbered(name: str) -> list[int]:
        found = (re.fullmatch(re.escape(_key(name)) + r"(\d+)", each) for each in columns)
        return sorted(int(each[1]) for each in found if each)

    case: dict[str, Any] = {key: cell(name) for key, name in _COLUMNS.items()}
    case["doses"] = [
        {key: cell(f"{name}{n}") for key, name in _DOSE.items()}
        for n in numbered(_DOSE["date"])
        if _text(cell(f"{_DOSE['date']}{n}")) or _text(cell(f"{_DOSE['cvx']}{n}"))
    ]
    case["observations"] = [
        {"code": cell(f"{_OBSERVED[0]}{n}"), "date": cell(f"{_OBSERVED[1]}{n}")}
        for n in numbered(_OBSERVED[0])
        if _text(cell(f"{_OBSERVED[0]}{n}"))
    ]
    if _text(cell(_HISTORY)):
        case["observations"].append({"code": cell(_HISTORY), "date": None})
    return case


def _case(row: Mapping[str, Any], place: str) -> Case:
    needed = ("id", "dob", "assessment_date", "vaccine_group", "series_status")
    absent = [key for key in needed if not _text(row.get(key))]
    if absent:
        raise _not_a_case(", ".join(absent), place)
    try:
        doses = row.get("doses") or []
        number = _text(row.get("forecast_number")).strip("-")
        group = _text(row["vaccine_group"])
        return Case(
            id=_text(row["id"]),
            patient=Patient(
                birth_date=_day(row["dob"]),
                sex=_SEXES.get(_text(row.get("sex")).casefold(), "Unknown"),
                doses=tuple(
                    Dose(_day(each["date"]), _cvx(each["cvx"]), _text(each.get("mvx")), str(index))
                    for index, each in enumerate(doses)
                ),
                observations=tuple(
                    Observed(_observation(each["code"]), _day_or_none(each.get("date")))
                    for each in row.get("observations") or []
                ),
            ),
            on=_day(row["assessment_date"]),
            group=_names().get(group.casefold(), group),
            expected=(
                _text(row["series_status"]).casefold(),
                int(number) if number else None,
                _day_or_none(row.get("earliest")),
                _day_or_none(row.get("recommended")),
                _day_or_none(row.get("past_due")),
            ),
            doses=tuple(
                (_status(each["expected_status"]), _text(each.get("expected_reason")).casefold() or None)
                for each in doses
            ),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise _not_a_case(str(error), place) from error


def _not_a_case(what: str, place: str) -> InputError:
    return InputError(
        Text(
            f"pas un cas\u202f: il faut id, dob, assessment_date, doses et expected ({what})",
            f"not a case: it needs id, dob, assessment_date, doses and expected ({what})",
        ),
        place,
    )


def _key(name: object) -> str:
    return re.sub(r"\s+", "_", _text(name)).casefold()


def _text(cell: object) -> str:
    """A cell in words: a whole number without its decimals, nothing as an empty text."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _status(cell: object) -> str:
    if not _text(cell):
        raise ValueError("expected_status")
    return _text(cell).casefold()


def _cvx(cell: object) -> str:
    code = cvx(_text(cell))
    if not code:
        raise ValueError("cvx")
    return code


def _observation(cell: object) -> str:
    """A CDSi observation code has three digits; a workbook may have lost its zeros."""
    code = _text(cell)
    if not re.fullmatch(r"\d{1,3}", code):
        raise ValueError(f"{code!r} is not an observation code of CDSi")
    return code.zfill(3)


def _day(cell: object) -> dt.date:
    """A day as a date, an ISO or American text, or the serial number of a workbook."""
    if isinstance(cell, dt.datetime):
        return cell.date()
    if isinstance(cell, dt.date):
        return cell
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return dt.date(1899, 12, 30) + dt.timedelta(days=int(cell))
    words = _text(cell)
    if american := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", words):
        return dt.date(int(american[3]), int(american[1]), int(american[2]))
    return dt.date.fromisoformat(words.split("T")[0].split(" ")[0])


def _day_or_none(cell: object) -> dt.date | None:
    return None if _text(cell) in ("", "-") else _day(cell)
