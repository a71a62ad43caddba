"""The board of signals: one row a signal, and its history, which is only added to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lab39.store.migrations.guards import append_only
from lab39.store.schema import Instant, Json

revision = "signals0001"
down_revision = None
branch_labels = ("signals",)
depends_on = "0001"


def upgrade() -> None:
    """Two tables; an entry is never changed nor deleted."""
    op.create_table(
        "signals_board",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("drug", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("state", sa.String(20), nullable=False, index=True),
        sa.Column("priority", sa.String(20), nullable=False),
        sa.Column("opened_at", Instant, nullable=False),
        sa.Column("opened_by", sa.String(32), sa.ForeignKey("people.id"), nullable=False, index=True),
        sa.Column("changed_at", Instant, nullable=False),
        sa.Column("last", sa.Integer, nullable=False),
        sa.Column("decided", sa.Integer, nullable=False),
        sa.UniqueConstraint("key", name="uq_signals_board_key"),
    )
    op.create_table(
        "signals_entries",
        sa.Column("signal_id", sa.String(32), sa.ForeignKey("signals_board.id"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("by", sa.String(32), sa.ForeignKey("people.id"), nullable=False, index=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("before", sa.String(20), nullable=False),
        sa.Column("after", sa.String(20), nullable=False),
        sa.Column("details", Json, nullable=False),
        sa.UniqueConstraint("key", name="uq_signals_entries_key"),
    )
    append_only("signals_entries")
