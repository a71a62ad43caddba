"""Events that are only added, jobs, and messages to people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from lab39.store.migrations.guards import FUNCTION, POSTGRESQL, SQLITE
from lab39.store.schema import Instant, Json, Serial

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

FIXED = ("sequence", "topic", "at", "actor", "subject")


def upgrade() -> None:
    """Five tables; an event may only be emptied of its payload."""
    _events()
    _jobs()
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("person_id", sa.String(32), sa.ForeignKey("people.id"), nullable=False, index=True),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("template", sa.String(100), nullable=False),
        sa.Column("parameters", Json),
        sa.Column("purpose", sa.String(60), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("why", sa.String(60), nullable=False),
        sa.Column("queued_at", Instant, nullable=False),
        sa.Column("ended_at", Instant),
        sa.Column("unsubscribed_at", Instant),
        sa.UniqueConstraint("key", name="uq_outbox_key"),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("sequence", Serial, primary_key=True, autoincrement=False),
        sa.Column("topic", sa.String(100), nullable=False),
        sa.Column("at", Instant, nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("payload", Json),
    )
    op.create_index("ix_events_topic_sequence", "events", ["topic", "sequence"])
    op.create_index("ix_events_subject", "events", ["subject"])
    op.create_index("ix_events_actor", "events", ["actor"])
    head = op.create_table(
        "event_head",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("last", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(head, [{"id": 1, "last": 0}])
    op.create_table(
        "event_cursors",
        sa.Column("subscriber", sa.String(120), primary_key=True),
        sa.Column("acknowledged", sa.BigInteger, nullable=False),
    )
    postgresql = op.get_bind().dialect.name == "postgresql"
    template = POSTGRESQL if postgresql else SQLITE
    same = " AND ".join([*(f'NEW."{c}" = OLD."{c}"' for c in FIXED), "NEW.payload IS NULL"])
    guards = [
        ("events", "UPDATE", f" WHEN (NOT ({same}))"),
        ("events", "DELETE", ""),
        ("event_head", "UPDATE", " WHEN (NEW.last <= OLD.last)"),
        ("event_head", "DELETE", ""),
    ]
    if postgresql:
        op.execute(FUNCTION)
        op.execute(
            "CREATE TRIGGER events_keeps_rows_truncate BEFORE TRUNCATE ON events "
            "FOR EACH STATEMENT EXECUTE FUNCTION lab39_append_only()"
        )
    for table, event, when in guards:
        name, says = f"{table}_keeps_rows_{event.lower()}", f"{table} is append-only"
        op.execute(template.format(name=name, event=event, table=table, when=when, says=says))


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("kind", sa.String(100), nullable=False),
        sa.Column("payload", Json),
        sa.Column("key", sa.String(200)),
        sa.Column("person_id", sa.String(32), sa.ForeignKey("people.id"), index=True),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("run_at", Instant, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("max_attempts", sa.Integer, nullable=False),
        sa.Column("worker", sa.String(80), nullable=False),
        sa.Column("leased_until", Instant),
        sa.Column("cancel_asked", sa.Boolean, nullable=False),
        sa.Column("progress_what", sa.String(200), nullable=False),
        sa.Column("progress_fraction", sa.Float),
        sa.Column("added_at", Instant, nullable=False),
        sa.Column("started_at", Instant),
        sa.Column("ended_at", Instant),
        sa.Column("result", Json),
        sa.Column("error", sa.String(300), nullable=False),
        sa.UniqueConstraint("kind", "key", name="uq_jobs_kind_key"),
    )
    op.create_index("ix_jobs_state_priority_run_at", "jobs", ["state", "priority", "run_at"])
    op.create_index("ix_jobs_state_leased_until", "jobs", ["state", "leased_until"])
