"""What the board keeps: one row a signal, and its history, which is only added to.

Of people it keeps who decided (their identifier), and the words they wrote; of patients, the numbers of the cases
that were assessed and the answers of their forms: no name, no date of birth.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from lab39.core.text import NO_TEXT, Text
from lab39.store import privacy
from lab39.store.schema import Instant, Json, metadata

signals = sa.Table(
    "signals_board",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    sa.Column("drug", sa.Text, nullable=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("state", sa.String(20), nullable=False, index=True),
    sa.Column("priority", sa.String(20), nullable=False),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("opened_by", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("changed_at", Instant, nullable=False),
    sa.Column("last", sa.Integer, nullable=False),
    sa.Column("decided", sa.Integer, nullable=False),
)

entries = sa.Table(
    "signals_entries",
    metadata,
    sa.Column("signal_id", sa.ForeignKey("signals_board.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("by", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("before", sa.String(20), nullable=False),
    sa.Column("after", sa.String(20), nullable=False),
    sa.Column("details", Json, nullable=False),
)


def _export(tx: sa.Connection, person: str) -> Iterator[dict[str, Any]]:
    for table, mine in ((signals, signals.c.opened_by == person), (entries, entries.c.by == person)):
        for row in privacy.rows(tx, table, mine):
            yield {"table": table.name} | {name: value for name, value in row.items() if name != "key"}


def _erase(tx: sa.Connection, person: str, at: dt.datetime) -> Iterator[privacy.Outcome]:
    """The history of a signal is a pharmacovigilance record: it stays, and leads to nobody afterwards."""
    del at
    kept = tx.scalar(sa.select(sa.func.count()).where(entries.c.by == person)) or 0
    why = Text(
        "décisions de pharmacovigilance, à conserver\u202f; sans nom désormais",
        "pharmacovigilance decisions, to be kept; without a name from now on",
    )
    yield privacy.Outcome(PART.title, erased=0, kept=kept, why=why if kept else NO_TEXT)


PART = privacy.Part(
    name="signals",
    title=Text("décisions et commentaires sur des signaux", "decisions and comments on signals"),
    tables=(signals, entries),
    export=_export,
    erase=_erase,
)
privacy.register(PART)
