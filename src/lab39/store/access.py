"""Who may see a record besides its owner: granted by somebody, for a time, and kept when it is revoked."""

from __future__ import annotations

import sqlalchemy as sa

from lab39.store.schema import Instant, metadata

grants = sa.Table(
    "record_access",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("record_id", sa.ForeignKey("records.id"), nullable=False, index=True),
    sa.Column("person_id", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("level", sa.String(10), nullable=False),
    sa.Column("granted_by", sa.ForeignKey("people.id"), nullable=False),
    sa.Column("granted_at", Instant, nullable=False),
    sa.Column("until", Instant),
    sa.Column("revoked_at", Instant),
    sa.Column("revoked_by", sa.ForeignKey("people.id")),
)
