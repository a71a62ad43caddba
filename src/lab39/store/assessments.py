"""What was found about a record on a day, as it was shown, and what was decided about it."""

from __future__ import annotations

import sqlalchemy as sa

from lab39.store.schema import Instant, metadata

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
    sa.ForeignKeyConstraint(["record_id", "version"], ["record_versions.record_id", "record_versions.number"]),
    sa.Index("ix_assessments_record_id_at", "record_id", "at"),
)

decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("assessment_id", sa.ForeignKey("assessments.id"), nullable=False, index=True),
    sa.Column("record_id", sa.ForeignKey("records.id"), nullable=False, index=True),
    sa.Column("finding", sa.String(255), nullable=False),
    sa.Column("action", sa.String(20), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("by", sa.ForeignKey("people.id"), nullable=False),
)
