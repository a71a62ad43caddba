"""Triggers that keep rows as they were written, on both back ends."""

from __future__ import annotations

from collections.abc import Iterable

from alembic import op

SQLITE = "CREATE TRIGGER {name} BEFORE {event} ON {table}{when} BEGIN SELECT RAISE(ABORT, '{says}'); END"
FUNCTION = (
    "CREATE OR REPLACE FUNCTION lab39_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
)
POSTGRESQL = (
    "CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW{when} EXECUTE FUNCTION lab39_append_only()"
)


def append_only(table: str, *, free: Iterable[str] = (), columns: Iterable[str] = (), delete: bool = False) -> None:
    """Refuse changes to the rows of a table.

    Args:
        columns: all of its columns; needed with ``free``.
        free: columns that may still change (what erasure empties).
        delete: rows may be deleted.
    """
    here = op.get_bind().dialect.name
    if here == "postgresql":
        op.execute(FUNCTION)
    template = POSTGRESQL if here == "postgresql" else SQLITE
    differs = "IS DISTINCT FROM" if here == "postgresql" else "IS NOT"
    kept = [c for c in columns if c not in set(free)]
    changed = " OR ".join(f'OLD."{c}" {differs} NEW."{c}"' for c in kept)
    for event, when in [("UPDATE", f" WHEN ({changed})" if changed else ""), *([] if delete else [("DELETE", "")])]:
        name = f"{table}_keeps_rows_{event.lower()}"
        op.execute(template.format(name=name, event=event, table=table, when=when, says=f"{table} is append-only"))
