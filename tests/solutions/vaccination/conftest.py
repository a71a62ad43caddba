"""A schedule in the CDSi schema made for these tests, and the real one when it is at hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lab39.solutions.vaccination import compile_schedule, supporting
from lab39.solutions.vaccination.model import Schedule


def dose(
    number: int, *, minimum: str, earliest: str, latest: str, interval: str = "", **more: Any
) -> dict[str, Any]:
    """A series dose of the vaccine 901, alone or with the live 902."""
    row: dict[str, Any] = {
        "doseNumber": f"Dose {number}",
        "age": {
            "absMinAge": f"{minimum} - 4 days",
            "minAge": minimum,
            "earliestRecAge": earliest,
            "latestRecAge": latest,
        },
        "preferableVaccine": {"vaccineType": "A", "cvx": "901", "beginAge": minimum, "forecastVaccineType": "Y"},
        "allowableVaccine": {"vaccineType": "A", "cvx": "901", "beginAge": f"{minimum} - 4 days"},
        "recurringDose": "No",
        **more,
    }
    if interval:
        row["interval"] = {"fromPrevious": "Y", "absMinInt": f"{interval} - 4 days", "minInt": interval}
    return row


@pytest.fixture(scope="session")
def make_dose() -> Callable[..., dict[str, Any]]:
    """Writes a series dose in the schema."""
    return dose


@pytest.fixture(scope="session")
def schedule_of() -> Callable[..., Schedule]:
    """Compiles a schedule of one antigen A, given by the vaccine 901, from its series."""

    def made(*series: dict[str, Any]) -> Schedule:
        schedule = {
            "vaccineGroupToAntigenMap": {"vaccineGroupMap": {"name": "A", "antigen": "A"}},
            "cvxToAntigenMap": {"cvxMap": [{"cvx": "901", "association": {"antigen": "A"}}]},
        }
        rows = [
            {"targetDisease": "A", "vaccineGroup": "A", "seriesName": f"A {n}", "seriesType": "Standard", **each}
            for n, each in enumerate(series, 1)
        ]
        return compile_schedule("made", supporting.Documents(schedule, ({"series": rows},), "1", {}))

    return made


SCHEDULE: dict[str, Any] = {
    "vaccineGroupToAntigenMap": {"vaccineGroupMap": {"name": "A", "antigen": "A"}},
    "cvxToAntigenMap": {
        "cvxMap": [
            {"cvx": code, "shortDescription": code, "association": {"antigen": "A"}} for code in ("901", "909")
        ]
    },
    "observations": {"observation": {"observationCode": "001", "observationTitle": "Reaction"}},
}


def antigen(minimum: str = "6 weeks") -> dict[str, Any]:
    """Two doses at 2 and 4 months, four weeks apart; a wrong vaccine 909; observation 001 forbids."""
    series = {
        "seriesName": "A 2-dose series",
        "targetDisease": "A",
        "vaccineGroup": "A",
        "seriesType": "Standard",
        "selectSeries": {"defaultSeries": "Yes", "productPath": "No", "seriesGroup": "1", "seriesPreference": "1"},
        "seriesDose": [
            dose(1, minimum=minimum, earliest="2 months", latest="3 months", inadvertentVaccine={"cvx": "909"}),
            dose(2, minimum="10 weeks", earliest="4 months", latest="5 months", interval="4 weeks"),
        ],
    }
    return {
        "series": series,
        "contraindications": {"vaccineGroup": {"contraindication": {"observationCode": "001"}}},
    }


@pytest.fixture
def tiny() -> Schedule:
    """The schedule of :func:`antigen`, for vaccines 901 and 909."""
    return compile_schedule("tiny", supporting.Documents(SCHEDULE, (antigen(),), "1", {}))


@pytest.fixture(scope="session")
def cdsi(shared: Path) -> Schedule:
    """The real supporting data."""
    folders = sorted((shared / "vaccination").glob("cdsi-[0-9]*"))
    if not folders:
        pytest.skip("no CDSi supporting data among the shared data")
    return compile_schedule("cdsi", supporting.read(folders[-1]))


@pytest.fixture(scope="session")
def who(shared: Path) -> Schedule:
    """The schedule of the WHO in the same schema."""
    folder = shared / "vaccination" / "who-cdsi"
    if not folder.is_dir():
        pytest.skip("no supporting data of the WHO among the shared data")
    return compile_schedule("who-cdsi", supporting.read(folder))
