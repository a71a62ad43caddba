"""What was found about a record on a day, as it was shown, and what was decided about it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from lab39.core.errors import InputError, UnknownNameError
from lab39.core.text import Text
from lab39.store.engine import new_id
from lab39.store.schema import Instant, Serial, metadata

assessments = sa.Table(
    "assessments",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("record_id", sa.String(32), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("on", sa.Date, nullable=False),
    sa.Column("report", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("by", sa.ForeignKey("people.id"), nullable=False),
    sa.ForeignKeyConstraint(
        ["record_id", "version"], ["record_versions.record_id", "record_versions.number"], ondelete="CASCADE"
    ),
    sa.Index("ix_assessments_record_id_at", "record_id", "at"),
)

decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("number", Serial, primary_key=True),
    sa.Column("assessment_id", sa.ForeignKey("assessments.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("record_id", sa.ForeignKey("records.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("finding", sa.String(255), nullable=False),
    sa.Column("action", sa.String(20), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("by", sa.ForeignKey("people.id"), nullable=False),
)


class Action(StrEnum):
    """What was decided about a finding."""

    DONE = "done"
    DISMISSED = "dismissed"
    ASKED = "asked"
    REOPENED = "reopened"
    """A decision taken back."""


class UnknownAssessmentError(UnknownNameError):
    """No assessment has this identifier."""


@dataclass(frozen=True, slots=True)
class AssessmentHead:
    """One assessment without its report."""

    id: str
    record_id: str
    version: int
    on: dt.date
    at: dt.datetime
    by: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the lab said: ``report`` is the JSON text that was shown, to the byte.

    Attributes:
        version: of the record that was assessed.
        on: the day it was assessed for.
        at: when it was done.
    """

    id: str
    record_id: str
    version: int
    on: dt.date
    report: str
    at: dt.datetime
    by: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody decided about a finding.

    Attributes:
        number: ascending: the last decision about a finding counts.
        finding: key of the finding in its report (solution, code, focus), chosen by whoever shows it.
        reason: in their words; never empty when the finding is dismissed.
    """

    number: int
    assessment_id: str
    record_id: str
    finding: str
    action: Action
    reason: str
    at: dt.datetime
    by: str


def add(
    tx: sa.Connection, record: str, version: int, *, on: dt.date, report: str, by: str, at: dt.datetime
) -> Assessment:
    """Keep what was found about one version of a record."""
    made = Assessment(new_id(), record, version, on, report, at, by)
    tx.execute(assessments.insert().values({name: getattr(made, name) for name in made.__dataclass_fields__}))
    return made


def get(tx: sa.Connection, assessment: str) -> Assessment:
    """One assessment.

    Raises:
        UnknownAssessmentError
    """
    row = tx.execute(sa.select(assessments).where(assessments.c.id == assessment)).mappings().one_or_none()
    if row is None:
        raise UnknownAssessmentError(Text("évaluation introuvable", "no such assessment"), assessment)
    return Assessment(**row)


def of(tx: sa.Connection, record: str, *, limit: int = 50, offset: int = 0) -> tuple[AssessmentHead, ...]:
    """The assessments of a record, newest first, without their reports."""
    columns = [c for c in assessments.c if c.name != "report"]
    chosen = (
        sa.select(*columns)
        .where(assessments.c.record_id == record)
        .order_by(assessments.c.at.desc(), assessments.c.version.desc(), assessments.c.id)
        .limit(limit)
        .offset(offset)
    )
    return tuple(AssessmentHead(**row) for row in tx.execute(chosen).mappings())


def decide(
    tx: sa.Connection, assessment: str, finding: str, action: Action, *, by: str, at: dt.datetime, reason: str = ""
) -> Decision:
    """Keep what was decided about a finding; deciding again adds, and the last one counts.

    Raises:
        UnknownAssessmentError
        InputError: a finding dismissed without a reason.
    """
    reason = reason.replace("\0", " ").strip()
    if action is Action.DISMISSED and not reason:
        raise InputError(
            Text("écarter un constat demande une raison", "to dismiss a finding, give a reason"), "reason"
        )
    record = get(tx, assessment).record_id
    values: dict[str, Any]
    values = {
        "assessment_id": assessment,
        "record_id": record,
        "finding": finding,
        "reason": reason,
        "at": at,
        "by": by,
    }
    added = decisions.insert().values(action=action.value, **values).returning(decisions.c.number)
    return Decision(number=tx.execute(added).scalar_one(), action=action, **values)


def decisions_of(tx: sa.Connection, record: str) -> tuple[Decision, ...]:
    """Everything decided about a record, in order."""
    chosen = sa.select(decisions).where(decisions.c.record_id == record).order_by(decisions.c.number)
    return tuple(Decision(**{**row, "action": Action(row["action"])}) for row in tx.execute(chosen).mappings())
