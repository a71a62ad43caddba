"""The shapes of what the lab's own API reads and writes, for its documentation and its tests.

Answers are written by the core itself; that they have these shapes is checked by the tests on every operation.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    """A shape that has these members and no other."""

    model_config = ConfigDict(extra="forbid")


class Words(Model):
    """The same words in both languages."""

    fr: str
    en: str


class Source(Model):
    """Where a rule comes from; ``verified`` is false when nobody opened the document."""

    text: str
    document: str
    date: str
    place: str
    url: str
    verified: bool


class Input(Model):
    """One fact a rule used."""

    name: Words
    value: Words
    date: str
    ref: str


class Reason(Model):
    """Why: the rule, its source, and the inputs it used."""

    rule: str
    text: Words
    source: Source
    inputs: list[Input]


class Missing(Model):
    """What was not evaluated because data is absent; ``code`` is a LOINC code where there is one."""

    code: str
    name: Words
    consequence: Words
    unit: str


class Suggestion(Model):
    """Something to do; ``resource`` is a FHIR resource that would do it."""

    label: Words
    resource: dict[str, Any] | None


class Confidence(Model):
    """A probability, and of what."""

    value: float = Field(ge=0, le=1)
    meaning: Words


class Bar(Model):
    """One bar of a finding's picture."""

    label: Words
    value: float = Field(ge=0, le=1)
    note: Words


class Finding(Model):
    """One thing a solution says about one person."""

    solution: str
    code: str
    severity: Literal["critical", "warning", "info"]
    summary: Words
    detail: Words
    reasons: list[Reason]
    suggestions: list[Suggestion]
    missing: list[Missing]
    confidence: Confidence | None
    focus: list[str]
    bars: list[Bar]
    payload: Any
    when: Literal["today", "this-week", "next-visit"]


class Issue(Model):
    """What in the record could not be understood."""

    severity: Literal["error", "warning"]
    code: str
    place: str
    text: Words


class About(Model):
    """The person the report is about."""

    id: str
    source: str
    birth_date: str | None
    sex: Literal["male", "female", "other"] | None


class Pack(Model):
    """A data pack that was used."""

    version: str
    key: str


class Versions(Model):
    """What found it."""

    lab39: str
    solutions: dict[str, str]
    packs: dict[str, Pack]


class Report(Model):
    """Everything found about one record on one day."""

    record: About
    on: dt.date
    findings: list[Finding]
    issues: list[Issue]
    warnings: list[Words]
    versions: Versions


class Reports(Model):
    """What ``lab39 assess --json`` writes too."""

    reports: list[Report]
    failed: list[Any] = Field(description="Records that were refused; always empty here.")


class Solution(Model):
    """An installed solution; ``error`` says why one does not load. ``packs`` says which data it has."""

    id: str
    title: Words | None = None
    purpose: Words | None = None
    version: str | None = None
    packs: dict[str, bool] | None = None
    error: str | None


class Solutions(Model):
    """What is installed."""

    solutions: list[Solution]


class Measured(Model):
    """One measured value with its interval."""

    name: str
    value: float
    low: float | None
    high: float | None
    source: str


class Figure(Model):
    """One row of an evidence card."""

    metric: Words
    dataset: Words
    n: int = Field(ge=1)
    unit: str
    ours: Measured
    peers: list[Measured]
    label: Words | None
    synthetic: bool
    lower_is_better: bool


class Card(Model):
    """What a solution claims and what shows it."""

    claim: Words
    intended_use: Words
    command: str
    figures: list[Figure]
    limits: list[Words]
    published: list[tuple[str, Words]]
    measured_on: str


class Evidence(Model):
    """One solution's evidence card."""

    id: str
    title: Words
    card: Card


class Problem(BaseModel):
    """Why a request was refused (RFC 9457); ``place`` says where in what was sent."""

    type: str
    title: str
    status: int
    detail: str
    place: str


class OutcomeIssue(BaseModel):
    """One issue of an OperationOutcome."""

    severity: Literal["fatal", "error", "warning", "information"]
    code: str
    details: dict[str, Any] | None = None
    diagnostics: str | None = None


class OperationOutcome(BaseModel):
    """Why a request was refused, in FHIR's words."""

    resourceType: Literal["OperationOutcome"]  # noqa: N815
    issue: list[OutcomeIssue] = Field(min_length=1)
