"""Files kept beside the database, named by their content."""

from __future__ import annotations

import sqlalchemy as sa

from lab39.store.schema import Instant, metadata

blobs = sa.Table(
    "blobs",
    metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("file", sa.String(64), nullable=False, unique=True),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("encrypted", sa.Boolean, nullable=False),
    sa.Column("at", Instant, nullable=False),
)

uses = sa.Table(
    "blob_uses",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("sha256", sa.ForeignKey("blobs.sha256"), nullable=False, index=True),
    sa.Column("used_by", sa.String(255), nullable=False, index=True),
    sa.Column("person_id", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("media_type", sa.String(255), nullable=False),
    sa.Column("at", Instant, nullable=False),
)
