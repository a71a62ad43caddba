"""Consents: what a person agreed to, on which wording, when, and when they took it back. Rows are only added."""

from __future__ import annotations

import sqlalchemy as sa

from lab39.store.schema import Instant, Serial, metadata

consents = sa.Table(
    "consents",
    metadata,
    sa.Column("number", Serial, primary_key=True),
    sa.Column("person_id", sa.ForeignKey("people.id"), nullable=False),
    sa.Column("purpose", sa.String(60), nullable=False),
    sa.Column("given", sa.Boolean, nullable=False),
    sa.Column("wording", sa.String(60), nullable=False),
    sa.Column("channel", sa.String(30), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Index("ix_consents_person_id_purpose", "person_id", "purpose"),
)
