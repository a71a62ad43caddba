"""Records kept for people: every version as the exact text that came, under a generated pseudonym."""

from __future__ import annotations

import sqlalchemy as sa

from lab39.store.schema import Instant, metadata

records = sa.Table(
    "records",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("pseudonym", sa.String(40), nullable=False, unique=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("owner_id", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("subject_id", sa.ForeignKey("people.id"), index=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("retain_until", Instant),
)

versions = sa.Table(
    "record_versions",
    metadata,
    sa.Column("record_id", sa.ForeignKey("records.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("by", sa.ForeignKey("people.id"), nullable=False),
)
