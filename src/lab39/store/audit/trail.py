"""Who touched one record, and how often: the audit log summed up for whoever answers for the record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from lab39.store.audit.log import Entry, Row, entry_of, log

OPENED = ("access", "assessment", "export")
"""Actions that show what is in a record: it is assessed when it is opened on a new day."""


@dataclass(frozen=True, slots=True)
class Opened:
    """How often somebody opened a record, and when last."""

    actor: str
    times: int
    last: dt.datetime


def opened(tx: sa.Connection, record: str) -> dict[str, Opened]:
    """By whom a record was opened."""
    chosen = (
        sa.select(log.c.actor, sa.func.count(), sa.func.max(log.c.number))
        .where(log.c.subject == record, log.c.action.in_(OPENED), log.c.salt.is_not(None))
        .group_by(log.c.actor)
    )
    found = {}
    for actor, times, number in tx.execute(chosen).all():
        last = tx.execute(sa.select(log.c.at).where(log.c.number == number)).scalar_one()
        found[actor] = Opened(actor, times, last)
    return found


def entries(
    tx: sa.Connection,
    record: str,
    actions: Collection[str],
    *,
    but: str = "",
    before: int | None = None,
    limit: int = 50,
) -> tuple[Entry, ...]:
    """What happened to a record, latest first; only some kinds of it.

    Args:
        but: what this person did is left out.
        before: only entries with a smaller number (the next page).
    """
    chosen = sa.select(log).where(log.c.subject == record, log.c.action.in_(actions), log.c.salt.is_not(None))
    if but:
        chosen = chosen.where(log.c.actor != but)
    if before is not None:
        chosen = chosen.where(log.c.number < before)
    rows = tx.execute(chosen.order_by(log.c.number.desc()).limit(limit)).mappings()
    return tuple(entry_of(Row(**row)) for row in rows)
