"""The audit log: entries that are only added, the subtrees kept for proofs, and where the tree stands."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from alembic import op

from lab39.store.migrations.guards import FUNCTION, POSTGRESQL, SQLITE, append_only
from lab39.store.schema import Instant, Serial

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

FIXED = ("number", "commitment")
EMPTIED = ("salt", "entry", "at", "actor", "action", "subject")


def upgrade() -> None:
    """Three tables; rows of entries may only be emptied, the tree only grows."""
    op.create_table(
        "audit_entries",
        sa.Column("number", Serial, primary_key=True, autoincrement=False),
        sa.Column("commitment", sa.LargeBinary, nullable=False),
        sa.Column("salt", sa.LargeBinary),
        sa.Column("entry", sa.Text),
        sa.Column("at", Instant),
        sa.Column("actor", sa.String(64)),
        sa.Column("action", sa.String(60)),
        sa.Column("subject", sa.String(64)),
    )
    op.create_index("ix_audit_entries_subject_number", "audit_entries", ["subject", "number"])
    op.create_index("ix_audit_entries_actor_number", "audit_entries", ["actor", "number"])
    op.create_table(
        "audit_subtrees",
        sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    tree = op.create_table(
        "audit_tree",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("log", sa.String(32), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("frontier", sa.LargeBinary, nullable=False),
    )
    op.bulk_insert(tree, [{"id": 1, "log": uuid.uuid4().hex, "size": 0, "frontier": b""}])
    _guards()


def _guards() -> None:
    """A first guard against mistakes; whoever may drop a trigger is met by the exported heads."""
    append_only("audit_subtrees")
    postgresql = op.get_bind().dialect.name == "postgresql"
    template = POSTGRESQL if postgresql else SQLITE
    same = [f'NEW."{c}" = OLD."{c}"' for c in FIXED] + [f'NEW."{c}" IS NULL' for c in EMPTIED]
    guards = [
        ("audit_entries", "UPDATE", f" WHEN (NOT ({' AND '.join(same)}))"),
        ("audit_entries", "DELETE", ""),
        ("audit_tree", "UPDATE", " WHEN (NEW.size <= OLD.size OR NEW.log <> OLD.log)"),
        ("audit_tree", "DELETE", ""),
    ]
    for table, event, when in guards:
        name, says = f"{table}_keeps_rows_{event.lower()}", f"{table} is append-only"
        op.execute(template.format(name=name, event=event, table=table, when=when, says=says))
    if postgresql:
        op.execute(FUNCTION)
        for table in ("audit_entries", "audit_subtrees", "audit_tree"):
            op.execute(
                f"CREATE TRIGGER {table}_keeps_rows_truncate BEFORE TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION lab39_append_only()"
            )
