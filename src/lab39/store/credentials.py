"""Passwords of local accounts: Argon2id, never truncated, a refusal as slow for nobody as for somebody.

Hashing takes tens of milliseconds on purpose. It happens outside any transaction, so that nobody else waits for it.
"""

from __future__ import annotations

import sqlalchemy as sa

from lab39.store.schema import Instant, metadata

credentials = sa.Table(
    "credentials",
    metadata,
    sa.Column("person_id", sa.ForeignKey("people.id"), primary_key=True),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
)
