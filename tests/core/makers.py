"""Small valid things to test with: a finding, a reason, a patient, a bundle, a solution, a lab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab39.core import terms
from lab39.core.finding import Finding, Missing, Reason, Severity, Source
from lab39.core.lab import Lab
from lab39.core.record import Record
from lab39.core.solution import Solution
from lab39.core.text import Text
from lab39.settings import Settings

OPENED = Source("A document made up for tests", "2026", "p. 1")
UNOPENED = Source("A document nobody opened", verified=False)
PATIENT: dict[str, Any] = {"resourceType": "Patient", "id": "p1", "birthDate": "1944-03-02", "gender": "female"}

STATUS = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFIED = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


def reason(source: Source = OPENED) -> Reason:
    return Reason("tests.rule", Text("une règle", "a rule"), source)


def missing() -> Missing:
    return Missing("2160-0", Text("créatinine", "creatinine"), Text("dose inconnue", "dose unknown"), "umol/L")


def finding(code: str = "a-code", severity: Severity = Severity.INFO, **kwargs: Any) -> Finding:
    kwargs.setdefault("summary", Text("À faire", "To do"))
    if "missing" not in kwargs:
        kwargs.setdefault("reasons", (reason(),))
    return Finding(code=code, severity=severity, **kwargs)


def bundle(*resources: dict[str, Any], patient: dict[str, Any] | None = PATIENT) -> dict[str, Any]:
    rows = [*([patient] if patient else []), *resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in rows]}


def record(*resources: dict[str, Any], patient: dict[str, Any] | None = PATIENT) -> Record:
    return Record.from_fhir(bundle(*resources, patient=patient))


def solution(name: str, assess: Any, limit: float | None = None, **members: Any) -> Solution:
    """A solution that does what the function ``assess(record, on, ctx)`` does."""

    def method(self: Solution, record: Record, on: Any, ctx: Any) -> Any:
        return assess(record, on, ctx)

    body = {
        "id": name,
        "title": Text(f"Titre de {name}", f"Title of {name}"),
        "purpose": Text("tests", "tests"),
        "version": "1",
        "time_limit_seconds": limit,
        "assess": method,
        "packs": lambda self: (),
    }
    kind: type[Solution] = type(name, (Solution,), body | members)
    return kind()


def lab(*solutions: Solution, home: Path = Path("/nonexistent"), **kwargs: Any) -> Lab:
    return Lab(solutions, Settings(home=home, time_limit_seconds=5.0), **kwargs)


def coded(system: str, code: str, display: str = "") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code} | ({"display": display} if display else {})]}


def places(read: Record) -> set[tuple[str, str]]:
    return {(issue.place, issue.code) for issue in read.issues}


def condition(**rest: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "id": "c1", "code": coded(terms.SNOMED, "38341003", "HTA")} | rest


def observation(value: dict[str, Any] | None = None, **rest: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": "o1", "status": "final"} | (value or {}) | rest


def sign(code: str = "HP:0001250", **rest: Any) -> dict[str, Any]:
    return observation(code=coded(terms.HPO, code), **rest)
