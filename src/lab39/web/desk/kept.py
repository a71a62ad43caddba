"""A report as it was kept, back from its JSON: what was shown is shown again, in the same words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from lab39.core.errors import Issue
from lab39.core.finding import (
    Bar,
    Confidence,
    Finding,
    Input,
    Missing,
    Reason,
    Report,
    Severity,
    Source,
    Suggestion,
    When,
)
from lab39.core.terms import Coding
from lab39.core.text import Text
from lab39.fhir import jsontext


def text(report: Report) -> str:
    """The JSON text that is kept."""
    return jsontext.dumps(report.as_dict())


def report(kept: str, titles: Mapping[str, Text]) -> Report:
    """The inverse of :func:`text`. A solution's own ``payload`` comes back as plain JSON values.

    Args:
        titles: how solutions are called today; one that is no longer installed goes by its id.
    """
    found: Mapping[str, Any] = jsontext.loads(kept, max_depth=200)
    return Report(
        record=found["record"],
        on=dt.date.fromisoformat(found["on"]),
        findings=tuple(_finding(each) for each in found["findings"]),
        issues=tuple(Issue(i["code"], i["place"], Text.of(i["text"]), i["severity"]) for i in found["issues"]),
        warnings=tuple(Text.of(w) for w in found["warnings"]),
        versions=found["versions"],
        titles=titles,
    )


def _finding(row: Mapping[str, Any]) -> Finding:
    confidence = row["confidence"]
    return Finding(
        code=row["code"],
        solution=row["solution"],
        severity=Severity(row["severity"]),
        when=When(row["when"]),
        summary=Text.of(row["summary"]),
        detail=Text.of(row["detail"]),
        reasons=tuple(_reason(each) for each in row["reasons"]),
        suggestions=tuple(
            Suggestion(Text.of(s["label"]), s["resource"], s.get("page", "")) for s in row["suggestions"]
        ),
        missing=tuple(_missing(m) for m in row["missing"]),
        confidence=Confidence(float(confidence["value"]), Text.of(confidence["meaning"])) if confidence else None,
        focus=tuple(row["focus"]),
        bars=tuple(Bar(Text.of(b["label"]), float(b["value"]), Text.of(b["note"])) for b in row["bars"]),
        payload=row["payload"],
        priority=row.get("priority", 0),
        carries=tuple(row.get("carries", ())),
    )


def _missing(row: Mapping[str, Any]) -> Missing:
    asked = row.get("condition")
    return Missing(
        row["code"],
        Text.of(row["name"]),
        Text.of(row["consequence"]),
        row["unit"],
        Coding(asked["system"], asked["code"], asked["display"]) if asked else None,
        row.get("medicine", ""),
    )


def _reason(row: Mapping[str, Any]) -> Reason:
    source = row["source"]
    return Reason(
        row["rule"],
        Text.of(row["text"]),
        Source(source["document"], source["date"], source["place"], source["url"], source["verified"]),
        tuple(Input(Text.of(i["name"]), Text.of(i["value"]), i["date"], i["ref"]) for i in row["inputs"]),
    )
