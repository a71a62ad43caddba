"""Sessions of signed-in people: a random token in the browser, its SHA-256 here."""

from __future__ import annotations

import sqlalchemy as sa

from lab39.store.schema import Instant, metadata

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("token_sha256", sa.String(64), primary_key=True),
    sa.Column("person_id", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("last_seen_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
)
