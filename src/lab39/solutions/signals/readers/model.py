"""One case report as every reader gives it, whatever the format it came in.

Absent is ``None``, never false, zero or a default. Dates keep the precision they came with, in ISO form
(``2015``, ``2015-07``, ``2015-07-21``). The fields of these classes are the columns of the store.

Roles of a drug: ``PS`` primary suspect, ``SS`` secondary suspect, ``S`` suspect with no rank told (E2B, VAERS,
FHIR), ``I`` interacting, ``C`` concomitant, ``N`` not administered.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, get_type_hints

SUSPECT_ROLES = ("PS", "SS", "S", "I")
"""Roles that make a drug a suspect of the report's reactions."""

CRITERIA = (
    "death",
    "life_threatening",
    "hospitalisation",
    "disability",
    "congenital_anomaly",
    "intervention",
    "other_serious",
)
"""What makes a report serious (ICH E2A); ``intervention`` is FAERS's "required intervention"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a report says of the person, of who tells it, and of how grave it is.

    Attributes:
        report_id: unique inside its ``source``: the primaryid or ISR, the VAERS id, the safety report id.
        case_id: shared by the versions of one case; ``None`` when none is told: such a report stands alone.
        version: of the case; the highest counts.
        quarter: ``2017Q2``: of the extract for FAERS, of ``received`` for the others.
        received: when this version was received; ``first_received`` when the case was.
        reporter: ``physician``, ``pharmacist``, ``health-professional``, ``lawyer``, ``consumer``.
        sex: ``F``, ``M``.
        serious: true when said or when a criterion is; false only when a source says so.
        outcome: of the person, when told for the report and not for a reaction.
        nullified: the sender withdraws the case.
        line: where the report begins in ``file``.
    """

    report_id: str
    case_id: str | None = None
    version: int | None = None
    source: str = ""
    quarter: str | None = None
    received: str | None = None
    first_received: str | None = None
    event_date: str | None = None
    report_type: str | None = None
    sex: str | None = None
    age_years: float | None = None
    age_group: str | None = None
    weight_kg: float | None = None
    country: str | None = None
    reporter: str | None = None
    serious: bool | None = None
    death: bool | None = None
    life_threatening: bool | None = None
    hospitalisation: bool | None = None
    disability: bool | None = None
    congenital_anomaly: bool | None = None
    intervention: bool | None = None
    other_serious: bool | None = None
    outcome: str | None = None
    sender: str | None = None
    sender_case: str | None = None
    narrative: str | None = None
    history: str | None = None
    comedication: str | None = None
    nullified: bool | None = None
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drug:
    """One product of a report. ``drug`` is the name as reported, ``ingredient`` what the source says is in it."""

    drug: str | None = None
    ingredient: str | None = None
    code: str | None = None
    code_system: str | None = None
    role: str | None = None
    dose: str | None = None
    route: str | None = None
    form: str | None = None
    start_date: str | None = None
    end_date: str | None = None
    indication: str | None = None
    action: str | None = None
    dechallenge: str | None = None
    rechallenge: str | None = None
    lot: str | None = None
    maker: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One reaction. ``event`` is the term as a string (MedDRA is licensed: no table of it is shipped).

    Attributes:
        code: with its ``code_system``; an event told by its code alone has ``MedDRA 10004223`` as its term.
        criteria: those of :data:`CRITERIA` said to be true, joined with ``;``.
        outcome: ``recovered``, ``recovering``, ``not-recovered``, ``recovered-with-sequelae``, ``fatal``,
            ``unknown``.
        recurrence: it came back when the drug was given again, as the source says it.
    """

    event: str | None = None
    code: str | None = None
    code_system: str | None = None
    onset: str | None = None
    end_date: str | None = None
    outcome: str | None = None
    criteria: str | None = None
    recurrence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Indication:
    """Why a drug was given; ``drug_seq`` is the rank of the drug in the report. Never counted as a reaction."""

    indication: str | None = None
    drug_seq: int | None = None
    code: str | None = None
    code_system: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A report with its drugs, its reactions and its indications, in the order of the source."""

    report: Report
    drugs: tuple[Drug, ...] = ()
    events: tuple[Event, ...] = ()
    indications: tuple[Indication, ...] = ()
    notes: tuple[str, ...] = field(default=())
    """Values that were left out because they cannot be what they claim, in English, each with its raw text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row, or a value, that was not used: kept with its place, why, and how it began."""

    source: str
    file: str
    line: int | None
    scope: str
    reason: str
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """A case that the owner of the database asks to leave out."""

    source: str
    case_id: str
    file: str
    line: int | None


_KEYS: dict[str, tuple[tuple[str, str], ...]] = {
    "drugs": (("report_id", "VARCHAR"), ("seq", "BIGINT")),
    "events": (("report_id", "VARCHAR"), ("seq", "BIGINT")),
    "indications": (("report_id", "VARCHAR"),),
}
_CLASSES: dict[str, Any] = {
    "reports": Report,
    "drugs": Drug,
    "events": Event,
    "indications": Indication,
    "rejected": Rejected,
    "withdrawn": Withdrawn,
}
_SQL = {str: "VARCHAR", int: "BIGINT", float: "DOUBLE", bool: "BOOLEAN"}


def _sql_type(hint: Any) -> str:
    kinds = getattr(hint, "__args__", (hint,))
    return next(_SQL[kind] for kind in kinds if kind in _SQL)


@cache
def columns(table: str) -> dict[str, str]:
    """Names and DuckDB types of a table of the store, in order."""
    cls = _CLASSES[table]
    hints = get_type_hints(cls)
    return dict(_KEYS.get(table, ())) | {each.name: _sql_type(hints[each.name]) for each in fields(cls)}


TABLES = tuple(_CLASSES)
