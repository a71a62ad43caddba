"""Run the engine on published test cases and compare: ``lab39 vaccination conform``.

A case passes only if series status, forecast dose number, earliest, recommended and past due dates all match.
Verdicts on doses and their reasons are counted apart. The engine is given neither the id nor the expectation.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from time import process_time
from typing import Any

from lab39.core.text import Text
from lab39.solutions.vaccination.cases import Case, Expected
from lab39.solutions.vaccination.engine import run
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import GroupForecast, Result, SeriesStatus, Step
from lab39.solutions.vaccination.verdicts import verdict

FIELDS = ("status", "number", "earliest", "recommended", "past_due")
_RULES = {
    "status": ("TABLE 7-10", "TABLE 9-4"),
    "number": ("FORECASTDN-1", "FORECASTDN-2"),
    "earliest": ("FORECASTDTCAN-1", "SINGLEANTVG-2", "MULTIANTVG-1"),
    "recommended": ("FORECASTDT-5", "FORECASTVG-2"),
    "past_due": ("FORECASTDT-6", "FORECASTVG-3"),
}


@dataclass(frozen=True, slots=True)
class Adjudication:
    """Why the expectation of a published case is not followed, and the rule that decides."""

    rule: str
    text: Text


def conform(
    schedule: Schedule,
    cases: Iterable[Case],
    progress: Callable[[str, float], None] = lambda _what, _done: None,
    choose: Callable[[Result, Case], GroupForecast | None] | None = None,
) -> dict[str, Any]:
    """Compare every case. The engine is given its patient and its day, and nothing else of it.

    Args:
        choose: which forecast of the vaccine group a case is compared with; :func:`compared` when not given.

    Returns:
        ``n``, ``passed``, ``rate``; ``fields``, ``doses`` and ``reasons`` with ``n``, ``passed``, ``rate``;
        ``without_defective``, the same without the cases known to be stale or defective before they were run;
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
        chosen = (choose or compared)(result, case)
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
    kept = [case.id for case in cases if case.id not in defective()]
    failing = {row["id"] for row in failures}
    return {
        "schedule": schedule.name,
        "edition": schedule.version,
        **_rate(len(cases) - len(failures), len(cases)),
        "without_defective": _rate(sum(each not in failing for each in kept), len(kept)),
        "fields": {name: _rate(right[name], len(cases)) for name in FIELDS},
        "doses": _rate(right["dose"], right["dose n"]),
        "reasons": _rate(right["reason"], right["reason n"]),
        "adjudicated": sum(row["adjudication"] is not None for row in failures),
        "p50_ms": round(spent[len(spent) // 2], 2),
        "p95_ms": round(spent[int(0.95 * (len(spent) - 1))], 2),
        "failures": failures,
        "dose_failures": dose_failures,
    }


def first(result: Result, case: Case) -> GroupForecast | None:
    """The forecast to act on first (LAB39-1), whatever its type."""
    return next((each for each in result.groups if each.group.casefold() == case.group.casefold()), None)


def compared(result: Result, case: Case) -> GroupForecast | None:
    """The forecast a case is about, chosen without its expectation.

    A vaccine group may have several forecasts (chapter 9), and the specification does not say which one a case is
    about. A case that states observations is taken to be about the risk forecast they open, unless that one has
    nothing to do (aged out, not recommended); any other case is about the first to act on.
    """
    if case.patient.observations:
        silent = (SeriesStatus.AGED_OUT, SeriesStatus.NOT_RECOMMENDED)
        for each in result.groups:
            if each.group.casefold() == case.group.casefold() and each.type == "Risk" and each.status not in silent:
                return each
    return first(result, case)


@lru_cache(maxsize=1)
def adjudications() -> Mapping[str, Adjudication]:
    """The published cases whose expectation is not followed, by id."""
    rows = _knowledge("adjudications.toml")["case"]
    return {each: Adjudication(row["rule"], Text.of(row["says"])) for row in rows for each in row["ids"]}


@lru_cache(maxsize=1)
def defective() -> frozenset[str]:
    """Published cases that others found stale or defective, listed before this engine was run on them."""
    return frozenset(_knowledge("adjudications.toml")["defective"]["ids"])


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
