"""Why a record is shared, and on whose word; questions to colleagues about what was found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lab39.store.schema import Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two columns, one table."""
    op.add_column("record_access", sa.Column("purpose", sa.Text))
    op.add_column("record_access", sa.Column("basis", sa.String(10)))
    op.create_table(
        "questions",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("key", sa.String(64)),
        _with_the_record("record_id", "records.id"),
        _with_the_record("assessment_id", "assessments.id"),
        sa.Column("finding", sa.String(255), nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        _person("asked_by"),
        _person("asked_of"),
        sa.Column("asked_at", Instant, nullable=False),
        sa.Column("seen_at", Instant),
        sa.Column("answer", sa.Text),
        sa.Column("answered_at", Instant),
        sa.Column("answer_seen_at", Instant),
        sa.Column("withdrawn_at", Instant),
        sa.UniqueConstraint("key", name="uq_questions_key"),
    )


def _with_the_record(name: str, to: str) -> sa.Column[str]:
    key = sa.ForeignKey(to, ondelete="CASCADE")
    return sa.Column(name, sa.String(32), key, nullable=False, index=True)


def _person(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(32), sa.ForeignKey("people.id"), nullable=False, index=True)
