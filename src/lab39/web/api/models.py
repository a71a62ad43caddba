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


class Coding(Model):
    """A code of a code system."""

    system: str
    code: str
    display: str


class Missing(Model):
    """What was not evaluated because data is absent; ``code`` is a LOINC code where there is one.

    ``condition``: what a yes-or-no question is about; ``medicine``: reference of the one whose dose is asked.
    """

    code: str
    name: Words
    consequence: Words
    unit: str
    condition: Coding | None
    medicine: str


class Suggestion(Model):
    """Something to do; ``resource`` is a FHIR resource that would do it, ``page`` the page where it is done."""

    label: Words
    resource: dict[str, Any] | None
    page: str


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
    priority: int
    carries: list[str]


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


class CdsService(Model):
    """One service, as discovery tells it."""

    hook: str
    title: str
    description: str
    id: str
    prefetch: dict[str, str]
    usageRequirements: str  # noqa: N815


class CdsServices(Model):
    """The services of this lab."""

    services: list[CdsService]


class CdsCoding(Model):
    """A code with its display."""

    code: str
    system: str
    display: str


class CdsSource(Model):
    """Who says so."""

    label: str = Field(min_length=1)
    url: str
    topic: CdsCoding


class CdsAction(Model):
    """What a suggestion would do; always described, always with its resource."""

    type: Literal["create", "update"]
    description: str = Field(min_length=1)
    resource: dict[str, Any]


class CdsSuggestion(Model):
    """Something to do."""

    label: str = Field(min_length=1)
    uuid: str
    actions: list[CdsAction] | None = Field(default=None, min_length=1)


class CdsLink(Model):
    """A document a rule comes from."""

    label: str = Field(min_length=1)
    url: str
    type: Literal["absolute"]


class CdsCard(Model):
    """One finding."""

    uuid: str
    summary: str = Field(min_length=1, max_length=139)
    detail: str
    indicator: Literal["info", "warning", "critical"]
    source: CdsSource
    suggestions: list[CdsSuggestion] | None = Field(default=None, min_length=1)
    selectionBehavior: Literal["any"] | None = None  # noqa: N815
    overrideReasons: list[CdsCoding] | None = Field(default=None, min_length=1)  # noqa: N815
    links: list[CdsLink] | None = Field(default=None, min_length=1)


class CdsResponse(Model):
    """Cards; none when there is nothing to say."""

    cards: list[CdsCard]


class Nothing(Model):
    """An empty object: it was received."""


class Record(Model):
    """A record that is kept; `level` is what this person may do with it."""

    id: str
    pseudonym: str
    title: str
    version: int = Field(ge=1)
    created_at: dt.datetime
    changed_at: dt.datetime
    retain_until: dt.datetime | None
    level: Literal["read", "write", "share"]


class Records(Model):
    """Records somebody may see."""

    records: list[Record]


class RecordVersion(Model):
    """One version of a record."""

    version: int
    sha256: str
    at: dt.datetime
    by: str


class RecordVersions(Model):
    """The versions of a record."""

    versions: list[RecordVersion]


class Assessment(Model):
    """One assessment, without its report."""

    id: str
    version: int
    on: dt.date
    at: dt.datetime
    by: str


class Assessments(Model):
    """The assessments of a record."""

    assessments: list[Assessment]


class Assessed(Assessment):
    """One assessment; `keys` name its findings, in their order."""

    report: Report
    keys: list[str]


class Decision(Model):
    """What somebody decided about a finding."""

    number: int
    assessment_id: str
    finding: str
    action: Literal["done", "dismissed", "asked", "reopened"]
    reason: str
    at: dt.datetime
    by: str


class Decisions(Model):
    """Decisions, in order."""

    decisions: list[Decision]
