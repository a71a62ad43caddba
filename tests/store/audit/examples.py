"""Logs with something in them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from lab39.store import Store, audit

AT = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)
ACTIONS = ("access", "upload", "assessment", "decision")


def add(tx: sa.Connection, **said: Any) -> audit.Entry:
    """One entry."""
    return audit.append(tx, **({"at": AT, "actor": "anne", "action": "access", "subject": "r1"} | said))


def filled(store: Store, count: int, *, actor: str = "anne") -> None:
    """So many entries about the records r0 to r4 in turn."""
    with store.writing() as tx:
        for i in range(count):
            at = AT + dt.timedelta(seconds=i)
            add(tx, at=at, actor=actor, action=ACTIONS[i % 4], subject=f"r{i % 5}", about={"i": i})
