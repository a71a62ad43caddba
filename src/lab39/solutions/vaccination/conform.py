"""Run the engine on published test cases and compare: ``lab39 vaccination conform``.

A case passes only if series status, forecast dose number, earliest, recommended and past due dates all match.
Verdicts on doses and their reasons are counted apart. The engine is given neither the id nor the expectation.
"""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from time import process_time
from typing import Any

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.vaccination.compile import cvx
from lab39.solutions.vaccination.engine import run
from lab39.solutions.vaccination.model import (
    Dose,
    GroupForecast,
    Observed,
    Patient,
    Result,
    Schedule,
    SeriesStatus,
    Sex,
    Step,
)
from lab39.solutions.vaccination.verdicts import verdict

FIELDS = ("status", "number", "earliest", "recommended", "past_due")
_RULES = {
    "status": ("TABLE 7-10", "TABLE 9-4"),
    "number": ("FORECASTDN-1", "FORECASTDN-2"),
    "earliest": ("FORECASTDTCAN-1", "SINGLEANTVG-2", "MULTIANTVG-1"),
    "recommended": ("FORECASTDT-5", "FORECASTVG-2"),
    "past_due": ("FORECASTDT-6", "FORECASTVG-3"),
}
_SEXES: Mapping[str, Sex] = {"f": "Female", "female": "Female", "m": "Male", "male": "Male"}
Expected = tuple[str, int | None, dt.date | None, dt.date | None, dt.date | None]


@dataclass(frozen=True, slots=True)
class Case:
    """One published case: what the engine is given, and what is expected of it."""

    id: str
    patient: Patient
    on: dt.date
    group: str
    expected: Expected
    doses: tuple[tuple[str, str | None], ...]
    """Expected status and reason of each dose of ``patient.doses``."""


@dataclass(frozen=True, slots=True)
class Adjudication:
    """Why the expectation of a published case is not followed, and the rule that decides."""

    rule: str
    text: Text


def read_cases(path: Path) -> list[Case]:
    """Cases as JSON lines.

    Raises:
        InputError: a line that is not a case, or a case without id or expectation, with its line number.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(Text(f"illisible ({error})", f"cannot be read ({error})"), str(path)) from error
    cases = [_case(line, f"{path.name}:{number}") for number, line in enumerate(lines, 1) if line.strip()]
    if not cases:
        raise InputError(Text("aucun cas", "no case"), str(path))
    return cases


def conform(
    schedule: Schedule, cases: Iterable[Case], progress: Callable[[str, float], None] = lambda _what, _done: None
) -> dict[str, Any]:
    """Compare every case.

    Returns:
        ``n``, ``passed``, ``rate``; ``fields``, ``doses`` and ``reasons`` with ``n``, ``passed``, ``rate``;
        ``failures`` and ``dose_failures`` with ids; ``p50_ms`` and ``p95_ms`` of processor time for all groups.
    """
    cases = list(cases)
    right: Counter[str] = Counter()
    failures: list[dict[str, Any]] = []
    dose_failures: list[dict[str, Any]] = []
    spent: list[float] = []
    for done, case in enumerate(cases, 1):
        begun = process_time()
        result = run(schedule, case.patient, case.on)
        spent.append(1000 * (process_time() - begun))
        chosen = compared(result, case)
        got = _said(chosen)
        wrong = [name for name, a, b in zip(FIELDS, case.expected, got, strict=True) if a != b]
        right.update(set(FIELDS).difference(wrong))
        if wrong:
            failures.append(_failure(case, chosen, got, wrong))
        for dose, (status, reason) in zip(case.patient.doses, case.doses, strict=True):
            found = verdict(result, dose, case.group)
            right["dose n"] += 1
            right["dose"] += (same := found is not None and found.status.casefold() == status)
            if reason is not None:
                right["reason n"] += 1
                right["reason"] += found is not None and reason in map(str.casefold, found.reasons)
            if not same:
                dose_failures.append(
                    {"id": case.id, "date": dose.date.isoformat(), "vaccine": dose.code, "expected": status,
                     "got": found.status.casefold() if found else None}
                )  # fmt: skip
        progress("", done / len(cases))
    spent.sort()
    return {
        "schedule": schedule.name,
        "edition": schedule.version,
        **_rate(len(cases) - len(failures), len(cases)),
        "fields": {name: _rate(right[name], len(cases)) for name in FIELDS},
        "doses": _rate(right["dose"], right["dose n"]),
        "reasons": _rate(right["reason"], right["reason n"]),
        "adjudicated": sum(row["adjudication"] is not None for row in failures),
        "p50_ms": round(spent[len(spent) // 2], 2),
        "p95_ms": round(spent[int(0.95 * (len(spent) - 1))], 2),
        "failures": failures,
        "dose_failures": dose_failures,
    }


def compared(result: Result, case: Case) -> GroupForecast | None:
    """The forecast a case is about, chosen without its expectation.

    A group may have several (FORECASTVG-1). A case that states observations is about the risk forecast they open,
    unless that one has nothing to say (aged out, not recommended); any other case is about the first to act on.
    """
    found = [each for each in result.groups if each.group.casefold() == case.group.casefold()]
    silent = (SeriesStatus.AGED_OUT, SeriesStatus.NOT_RECOMMENDED)
    if case.patient.observations:
        found.sort(key=lambda each: each.type != "Risk" or each.status in silent)
    return found[0] if found else None


@lru_cache(maxsize=1)
def adjudications() -> Mapping[str, Adjudication]:
    """The published cases whose expectation is not followed, by id."""
    rows = _knowledge("adjudications.toml")["case"]
    return {each: Adjudication(row["rule"], Text.of(row["says"])) for row in rows for each in row["ids"]}


@lru_cache(maxsize=1)
def _names() -> Mapping[str, str]:
    return {key.casefold(): name for key, name in _knowledge("vaccine_groups.toml")["names"].items()}


def _knowledge(name: str) -> dict[str, Any]:
    return tomllib.loads((resources.files(__package__) / "knowledge" / name).read_text("utf-8"))


def _rate(passed: int, n: int) -> dict[str, Any]:
    return {"n": n, "passed": passed, "rate": round(passed / n, 6) if n else None}


def _said(chosen: GroupForecast | None) -> Expected:
    if chosen is None:
        return "", None, None, None, None
    return chosen.status.casefold(), chosen.number, chosen.earliest, chosen.recommended, chosen.past_due


def _failure(case: Case, chosen: GroupForecast | None, got: Expected, wrong: list[str]) -> dict[str, Any]:
    steps: tuple[Step, ...] = ()
    if chosen is not None:
        steps = (*chosen.steps, *(step for each in chosen.series for step in each.steps))
    ruling = adjudications().get(case.id)
    return {
        "id": case.id,
        "group": case.group,
        "wrong": wrong,
        "expected": dict(zip(FIELDS, map(_plain, case.expected), strict=True)),
        "got": dict(zip(FIELDS, map(_plain, got), strict=True)),
        "rules": sorted({step.rule for step in steps if any(step.rule in _RULES[name] for name in wrong)}),
        "adjudication": {"rule": ruling.rule, "says": ruling.text.as_dict()} if ruling else None,
    }


def _plain(value: str | int | dt.date | None) -> str | int | None:
    return value.isoformat() if isinstance(value, dt.date) else value


def _case(line: str, place: str) -> Case:
    try:
        row = json.loads(line)
        expected = row["expected"]
        if not row["id"] or not expected["series_status"] or not expected["vaccine_group"]:
            raise ValueError("id, expected.series_status, expected.vaccine_group")
        doses = row.get("doses") or []
        number = expected.get("forecast_number")
        group = expected["vaccine_group"].strip()
        return Case(
            id=str(row["id"]),
            patient=Patient(
                birth_date=dt.date.fromisoformat(row["dob"]),
                sex=_SEXES.get(str(row.get("sex")).casefold(), "Unknown"),
                doses=tuple(
                    Dose(dt.date.fromisoformat(each["date"]), cvx(each["cvx"]), each.get("mvx") or "", str(index))
                    for index, each in enumerate(doses)
                ),
                observations=tuple(
                    Observed(each["code"], _day(each.get("date"))) for each in row.get("observations") or []
                ),
            ),
            on=dt.date.fromisoformat(row["assessment_date"]),
            group=_names().get(group.casefold(), group),
            expected=(
                expected["series_status"].strip().casefold(),
                None if number in (None, "", "-") else int(number),
                _day(expected.get("earliest")),
                _day(expected.get("recommended")),
                _day(expected.get("past_due")),
            ),
            doses=tuple(
                (each["expected_status"].strip().casefold(), (each.get("expected_reason") or "").casefold() or None)
                for each in doses
            ),
        )
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            Text(
                f"pas un cas\u202f: il faut id, dob, assessment_date, doses et expected ({error})",
                f"not a case: it needs id, dob, assessment_date, doses and expected ({error})",
            ),
            place,
        ) from error


def _day(value: str | None) -> dt.date | None:
    return dt.date.fromisoformat(value) if value else None
