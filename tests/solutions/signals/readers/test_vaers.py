"""VAERS: three CSV files in ISO-8859-1."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lab39.core.errors import InputError
from lab39.solutions.signals.readers.ingest import ingest

from .conftest import Shelf

DATA = (
    ""
    "VAERS_ID,RECVDATE,STATE,AGE_YRS,CAGE_YR,CAGE_MO,SEX,RPT_DATE,SYMPTOM_TEXT,DIED,DATEDIED,L_THREAT,ER_VISIT,HOSPITAL,"
    ""
    "HOSPDAYS,X_STAY,DISABLE,RECOVD,VAX_DATE,ONSET_DATE,NUMDAYS,LAB_DATA,V_ADMINBY,V_FUNDBY,OTHER_MEDS,CUR_ILL,HISTORY,"
    "PRIOR_VAX,SPLTTYPE,FORM_VERS,TODAYS_DATE,BIRTH_DEFECT,OFC_VISIT,ER_ED_VISIT,ALLERGIES"
)
SYMPTOMS = "VAERS_ID," + ",".join(f"SYMPTOM{i},SYMPTOMVERSION{i}" for i in range(1, 6))
VAX = "VAERS_ID,VAX_TYPE,VAX_MANU,VAX_LOT,VAX_DOSE_SERIES,VAX_ROUTE,VAX_SITE,VAX_NAME"


def line(header: str, **values: str) -> str:
    names = header.split(",")
    assert set(values) <= set(names)
    return ",".join(values.get(name, "") for name in names)


Release = Callable[..., Path]


@pytest.fixture
def release(tmp_path: Path) -> Release:
    def write(data: list[str], symptoms: list[str], vax: list[str], name: str = "2021") -> Path:
        folder = tmp_path / "vaers"
        folder.mkdir(exist_ok=True)
        for table, head, rows in (("DATA", DATA, data), ("SYMPTOMS", SYMPTOMS, symptoms), ("VAX", VAX, vax)):
            body = "\r\n".join([head, *rows, ""])
            (folder / f"{name}VAERS{table}.csv").write_bytes(body.encode("latin-1"))
        return folder

    return write


def test_a_report_is_read_from_its_three_files(release: Release, shelf: Shelf) -> None:
    shelf.add(
        release(
            [
                line(
                    DATA, VAERS_ID="0916600", RECVDATE="01/07/2021", STATE="TX", AGE_YRS="33.0", SEX="F",
                    SYMPTOM_TEXT='"Guillain-Barré, then ""better"""', HOSPITAL="Y", RECOVD="N",
                    VAX_DATE="12/28/2020", ONSET_DATE="12/30/2020", OTHER_MEDS="None", HISTORY="Asthma",
                )
            ],
            [
                line(SYMPTOMS, VAERS_ID="0916600", **{f"SYMPTOM{i}": f"Term {i}" for i in range(1, 6)}),
                line(SYMPTOMS, VAERS_ID="0916600", SYMPTOM1="Term 6", SYMPTOMVERSION1="23.1"),
            ],
            [line(VAX, VAERS_ID="0916600", VAX_TYPE="COVID19", VAX_MANU="MODERNA", VAX_LOT="037K20A",
                  VAX_DOSE_SERIES="1", VAX_ROUTE="IM", VAX_NAME="COVID19 (COVID19 (MODERNA))")],
        )
    )  # fmt: skip
    assert shelf.ask(
        "SELECT report_id, source, quarter, received, event_date, sex, age_years, country, serious, "
        "hospitalisation, "
        "death, outcome, narrative, history, comedication FROM reports"
    ) == [
        ("0916600", "vaers", "2021Q1", "2021-01-07", "2020-12-30", "F", 33.0, "US", True, True, None,
        "not-recovered", 'Guillain-Barré, then "better"', "Asthma", "None")
    ]  # fmt: skip
    assert shelf.ask("SELECT event, onset FROM events ORDER BY seq") == [
        (f"Term {i}", "2020-12-30") for i in range(1, 7)
    ]
    assert shelf.ask("SELECT drug, ingredient_given, role, dose, route, lot, maker, start_date FROM drugs") == [
        ("COVID19 (COVID19 (MODERNA))", "COVID19", "S", "dose 1", "IM", "037K20A", "MODERNA", "2020-12-28")
    ]


def test_an_age_in_months_and_a_foreign_report_are_understood(release: Release, shelf: Shelf) -> None:
    data = line(
        DATA, VAERS_ID="1", RECVDATE="01/07/2021", STATE="FR", CAGE_YR="0", CAGE_MO=".5", SPLTTYPE="FRPFIZER1"
    )
    shelf.add(release([data], [], []))
    assert shelf.ask("SELECT age_years, country, serious FROM reports") == [(0.5, "FR", None)]


def test_rows_without_a_report_and_reports_given_again_are_told(release: Release, shelf: Shelf) -> None:
    data = [line(DATA, VAERS_ID="1", RECVDATE="01/07/2021", SEX=sex) for sex in ("F", "M")]
    shelf.add(
        release(data, [line(SYMPTOMS, VAERS_ID="9", SYMPTOM1="Ghost")], [line(VAX, VAERS_ID="9", VAX_NAME="V")])
    )
    assert shelf.ask("SELECT sex FROM reports") == [("M",)]
    assert shelf.ask("SELECT file, line, reason FROM rejected ORDER BY file") == [
        ("2021VAERSDATA.csv", 2, "the report is given again further down"),
        ("2021VAERSSYMPTOMS.csv", 2, "its report is in no DATA row"),
        ("2021VAERSVAX.csv", 2, "its report is in no DATA row"),
    ]


def test_an_age_that_cannot_be_is_told_and_so_are_reports_without_a_vaccine_or_a_symptom(
    release: Release, shelf: Shelf
) -> None:
    data = [line(DATA, VAERS_ID=i, RECVDATE="01/07/2021", AGE_YRS=age) for i, age in (("1", "200"), ("2", "40"))]
    told = shelf.add(release(data, [line(SYMPTOMS, VAERS_ID="1", SYMPTOM1="Rash")], []))
    assert told.read[0].notes == {"reports without a drug": 2, "reports without a reaction": 1}
    assert shelf.ask("SELECT line, reason, raw FROM rejected") == [(2, "not an age, or in no known unit", "200")]


def test_the_three_files_of_a_release_can_be_given_one_by_one(release: Release, shelf: Shelf) -> None:
    folder = release(
        [line(DATA, VAERS_ID="1", RECVDATE="01/07/2021")],
        [line(SYMPTOMS, VAERS_ID="1", SYMPTOM1="Nausea")],
        [line(VAX, VAERS_ID="1", VAX_TYPE="FLU", VAX_NAME="FLU")],
    )
    told = shelf.add(*sorted(folder.iterdir()))
    assert [each.name for each in told.read] == ["VAERS 2021"]
    assert shelf.ask("SELECT drug, event FROM drugs JOIN events USING (report_key)") == [("FLU", "Nausea")]
    assert shelf.add(folder).already == ("VAERS 2021",)


def test_a_release_without_one_of_its_files_names_it(release: Release, tmp_path: Path) -> None:
    folder = release([line(DATA, VAERS_ID="1", RECVDATE="01/07/2021")], [], [])
    (folder / "2021VAERSVAX.csv").unlink()
    with pytest.raises(InputError, match=r"2021VAERSVAX\.csv is missing"):
        ingest([folder], tmp_path / "store")


def test_an_empty_release_is_an_error(release: Release, shelf: Shelf) -> None:
    told = shelf.add(release([], [], []), failing=True)
    assert "no report under the header" in str(told.failed[0])


def test_a_release_saved_in_utf8_is_not_read_as_windows_1252(release: Release, shelf: Shelf) -> None:
    folder = release(
        [line(DATA, VAERS_ID="1", RECVDATE="01/07/2021", SYMPTOM_TEXT="nausée")],
        [line(SYMPTOMS, VAERS_ID="1", SYMPTOM1="Nausea")],
        [line(VAX, VAERS_ID="1", VAX_TYPE="FLU", VAX_NAME="FLU")],
    )
    for file in folder.iterdir():
        file.write_bytes(file.read_bytes().decode("latin-1").encode("utf-8"))
    shelf.add(folder)
    assert shelf.one("SELECT narrative FROM reports") == "nausée"
