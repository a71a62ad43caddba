"""Schedules made of a few lines, worked by hand in the tests that use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lab39.solutions.vaccination import compile_schedule, supporting
from lab39.solutions.vaccination.model import Schedule


def dose(number: int, age: str, vaccines: Sequence[str], *, interval: str = "", late: str = "", **more: Any) -> Any:
    """A series dose: given and recommended from an age, late at another, at an interval from the previous one."""
    row: dict[str, Any] = {
        "doseNumber": f"Dose {number}",
        "age": {"absMinAge": age, "minAge": age, "earliestRecAge": age, **({"latestRecAge": late} if late else {})},
        "preferableVaccine": [
            {"vaccineType": code, "cvx": code, "beginAge": "0 days", "forecastVaccineType": "Y"}
            for code in vaccines
        ],
        "recurringDose": "No",
        **more,
    }
    if interval:
        row["interval"] = {"fromPrevious": "Y", "absMinInt": interval, "minInt": interval}
    return row


def schedule(
    series: Mapping[str, Sequence[Any]],
    vaccines: Mapping[str, Sequence[str]],
    *,
    conflicts: Sequence[tuple[str, str, str]] = (),
    forbidden: Mapping[str, str] | None = None,
) -> Schedule:
    """A schedule of one vaccine group an antigen.

    Args:
        series: an antigen to its series doses.
        vaccines: a code to the antigens it holds.
        conflicts: ``(previous, current, end)`` of live vaccines.
        forbidden: an antigen to the observation that contraindicates it.
    """
    forbidden = forbidden or {}
    body = {
        "vaccineGroupToAntigenMap": {"vaccineGroupMap": [{"name": name, "antigen": name} for name in series]},
        "cvxToAntigenMap": {
            "cvxMap": [
                {"cvx": code, "shortDescription": f"vaccine {code}", "association": [{"antigen": a} for a in held]}
                for code, held in vaccines.items()
            ]
        },
        "liveVirusConflicts": {
            "liveVirusConflict": [
                {
                    "previous": {"cvx": previous},
                    "current": {"cvx": current},
                    "conflictBeginInterval": "1 day",
                    "minConflictEndInterval": end,
                    "conflictEndInterval": end,
                }
                for previous, current, end in conflicts
            ]
        },
        "observations": {
            "observation": [{"observationCode": code, "observationTitle": code} for code in forbidden.values()]
        },
    }
    antigens = tuple(
        {
            "series": {
                "seriesName": f"{name} series",
                "targetDisease": name,
                "vaccineGroup": name,
                "seriesType": "Standard",
                "selectSeries": {
                    "defaultSeries": "Yes",
                    "productPath": "No",
                    "seriesGroup": "1",
                    "seriesPreference": "1",
                },
                "seriesDose": list(doses),
            },
            "contraindications": {
                "vaccineGroup": {
                    "contraindication": [{"observationCode": forbidden[name]}] if name in forbidden else []
                }
            },
        }
        for name, doses in series.items()
    )
    return compile_schedule("small", supporting.Documents(body, antigens, "1", {}))
