"""Recent failures, which slow the next attempt down."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lab39.store.schema import Instant

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table."""
    op.create_table(
        "throttles",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last_at", Instant, nullable=False),
        sa.Column("until", Instant, nullable=False),
    )
    op.create_index("ix_throttles_last_at", "throttles", ["last_at"])
