"""What a solution says: findings, each with its reasons, and the report that gathers them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Any

from lab39.core.dates import PartialDate
from lab39.core.errors import Issue
from lab39.core.terms import Coding
from lab39.core.text import LANGS, NO_TEXT, Text

SUMMARY_MAX = 140
"""CDS Hooks 2.0.1, card ``summary``: "one-sentence, <140-character"."""


class Severity(StrEnum):
    """How grave a finding is; the values are the CDS Hooks card indicators."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return list(Severity).index(self)


class When(StrEnum):
    """By when to act: the three bands of a report."""

    TODAY = "today"
    THIS_WEEK = "this-week"
    NEXT_VISIT = "next-visit"

    @property
    def rank(self) -> int:
        """0 for the soonest."""
        return list(When).index(self)


_DEFAULT_WHEN = {
    Severity.CRITICAL: When.TODAY,
    Severity.WARNING: When.THIS_WEEK,
    Severity.INFO: When.NEXT_VISIT,
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule comes from.

    Attributes:
        document: title and publisher, or a citation.
        date: of the document (``2024-12``).
        place: page, section or table.
        verified: False when nobody on the project opened the document; such a rule gives no advice.
    """

    document: str
    date: str = ""
    place: str = ""
    url: str = ""
    verified: bool = True

    def __str__(self) -> str:
        parts = [self.document, self.date, self.place]
        return ", ".join(p for p in parts if p)


@dataclass(frozen=True, slots=True)
class Input:
    """One fact a rule used: what, its value, when it was known, and the entry it came from."""

    name: Text
    value: Text
    date: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: the rule applied, its source, and the inputs it used. ``rule`` is stable and unique."""

    rule: str
    text: Text
    source: Source
    inputs: tuple[Input, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that was not evaluated because data is absent.

    Attributes:
        code: LOINC code of the value to fill in where there is one, else a name of the solution's own.
        name: what is missing.
        consequence: what could not be told without it.
        unit: UCUM unit of the field to fill in, empty when it is not a quantity.
        condition: a yes-or-no question: the condition that the person has or had, or not.
        medicine: reference of the medicine whose dose is asked for; empty for anything else.
    """

    code: str
    name: Text
    consequence: Text
    unit: str = ""
    condition: Coding | None = None
    medicine: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something to do about a finding.

    Attributes:
        resource: a FHIR resource that would do it, if any.
        page: the page of a served lab where it is done (``/signals/report``), if any; a desk opens it on its record
            (``?record=``).
    """

    label: Text
    resource: Mapping[str, Any] | None = None
    page: str = ""


@dataclass(frozen=True, slots=True)
class Confidence:
    """A probability and what it is a probability of."""

    value: float
    meaning: Text

    def __post_init__(self) -> None:
        if not 0.0 <= self.value <= 1.0:
            raise ValueError(f"a confidence lies between 0 and 1, not {self.value}")


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a finding's picture: a share of 1 with its label; ``note`` says what it rests on."""

    label: Text
    value: float
    note: Text = NO_TEXT

    def __post_init__(self) -> None:
        if not 0.0 <= self.value <= 1.0:
            raise ValueError(f"a bar lies between 0 and 1, not {self.value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a solution says about one person.

    Attributes:
        code: stable within the solution (``no-signs``); with ``solution`` it names the kind of finding.
        solution: filled in by the lab.
        severity: ``critical`` act now, ``warning`` act in this contact, ``info``.
        when: the band; follows from the severity unless the solution knows better.
        summary: one sentence that says what to do, under 140 characters in both languages.
        reasons: never empty unless the finding only says that something could not be told.
        missing: what was not evaluated because data is absent.
        focus: references of the record's entries it is about.
        bars: its picture, where people would rather look than read (a differential, a burden).
        payload: the solution's own typed result (a dataclass, or JSON values).
        priority: among findings of one band and severity, the higher first.
        carries: findings of other solutions that this one says in its own name too, as ``solution/code``: people
            are shown this one, under both names.
    """

    code: str
    severity: Severity
    summary: Text
    detail: Text = NO_TEXT
    reasons: tuple[Reason, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    missing: tuple[Missing, ...] = ()
    confidence: Confidence | None = None
    focus: tuple[str, ...] = ()
    bars: tuple[Bar, ...] = ()
    payload: Any = None
    solution: str = ""
    when: When | None = None
    priority: int = 0
    carries: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "severity", Severity(self.severity))
        if self.when is not None:
            object.__setattr__(self, "when", When(self.when))
        if not isinstance(self.code, str) or not self.code:
            raise ValueError("a finding has a code")
        if not isinstance(self.summary, Text):
            raise TypeError(f"{self.code}: the summary is a Text, in both languages")
        for lang in LANGS:
            if not 0 < len(self.summary[lang]) < SUMMARY_MAX:
                raise ValueError(
                    f"{self.code}: the {lang} summary must have 1 to {SUMMARY_MAX - 1} characters, "
                    f"it has {len(self.summary[lang])}"
                )
        if not self.reasons and not self.missing:
            raise ValueError(f"{self.code}: a finding gives its reasons, or says what is missing")
        if self.suggestions and not any(reason.source.verified for reason in self.reasons):
            raise ValueError(f"{self.code}: a rule whose source was not opened gives no advice")
        if self.when is None:
            object.__setattr__(self, "when", _DEFAULT_WHEN[self.severity])

    @property
    def not_evaluated(self) -> bool:
        """True when the finding only says what could not be told for want of data."""
        return bool(self.missing) and not self.reasons

    @property
    def order(self) -> tuple[bool, int, int, int, str, str]:
        """Most urgent first, what could not be told last; the solution's name comes last of all."""
        assert self.when is not None
        urgency = self.when.rank, self.severity.rank, -self.priority
        return (self.not_evaluated, *urgency, self.code, self.solution)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        head = {"solution": self.solution, "code": self.code}
        rest = {name: jsonable(getattr(self, name)) for name in _names(Finding) if name not in head}
        return head | rest


def jsonable(value: Any) -> Any:
    """Dataclasses, enums, dates, decimals and tuples as plain JSON values."""
    if type(value) in _PLAIN:  # most values of a report
        return value
    match value:
        case Text():
            return value.as_dict()
        case Source():
            return {"text": str(value)} | {name: getattr(value, name) for name in _names(Source)}
        case PartialDate():
            return value.written
        case dt.date():
            return value.isoformat()
        case StrEnum():
            return value.value
        case Decimal():
            return float(value)
        case list() | tuple():
            return [jsonable(v) for v in value]
        case Mapping():
            return {str(k): jsonable(v) for k, v in value.items()}
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {name: jsonable(getattr(value, name)) for name in _names(type(value))}
        case _:
            return value


_PLAIN = frozenset({str, int, float, bool, type(None)})


@cache
def _names(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass."""
    return tuple(f.name for f in dataclasses.fields(kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything the lab found about one record on one day, with the versions that found it.

    Attributes:
        record: id, source, birth date and sex of the record (no name).
        warnings: things about the lab itself the reader must know (a pack that is too old).
        issues: what in the record could not be understood.
        versions: of the lab, of each solution, of each pack.
        titles: of the solutions, for faces.
    """

    record: Mapping[str, Any]
    on: dt.date
    findings: tuple[Finding, ...]
    issues: tuple[Issue, ...] = ()
    warnings: tuple[Text, ...] = ()
    versions: Mapping[str, Any] = field(default_factory=dict)
    titles: Mapping[str, Text] = field(default_factory=dict)

    def title(self, solution: str) -> Text:
        """A solution as people call it; its id when it did not load."""
        return self.titles.get(solution, Text.same(solution))

    def who(self, finding: Finding) -> Text:
        """Who says a finding: its solution, and those whose findings it carries."""
        names = dict.fromkeys([finding.solution, *(name.partition("/")[0] for name in finding.carries)])
        titles = [self.title(name) for name in names]
        return Text(" · ".join(title.fr for title in titles), " · ".join(title.en for title in titles))

    @property
    def told(self) -> tuple[Finding, ...]:
        """The findings without those that another one carries."""
        carried = {name for finding in self.findings for name in finding.carries}
        return tuple(f for f in self.findings if f"{f.solution}/{f.code}" not in carried)

    def band(self, when: When) -> tuple[Finding, ...]:
        """What is told in one band, in order, without what could not be evaluated."""
        return tuple(f for f in self.told if f.when is when and not f.not_evaluated)

    @property
    def not_evaluated(self) -> tuple[Finding, ...]:
        """The findings that only say what could not be told."""
        return tuple(f for f in self.findings if f.not_evaluated)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form, one element of ``{"reports": […]}``."""
        return {
            "record": jsonable(self.record),
            "on": self.on.isoformat(),
            "findings": [f.as_dict() for f in self.findings],
            "issues": [i.as_dict() for i in self.issues],
            "warnings": [w.as_dict() for w in self.warnings],
            "versions": jsonable(self.versions),
        }
