"""How often something failed lately, counted in the database so that every worker of the lab counts together.

A key is a keyed hash made by the caller: nobody learns an account or an address from this table.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from lab39.core.text import Text
from lab39.store import privacy
from lab39.store.schema import Instant, metadata

throttles = sa.Table(
    "throttles",
    metadata,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last_at", Instant, nullable=False, index=True),
    sa.Column("until", Instant, nullable=False),
)

NOTHING = dt.timedelta(0)
KEPT = dt.timedelta(days=1)
"""A row of which nothing was heard for longer is swept away."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How failures slow the next attempt down.

    Attributes:
        free: failures that cost no waiting.
        first: the wait after one more; each further failure doubles it.
        longest: it grows no further.
        forget: after this long without a failure the count starts again.
    """

    free: int
    first: dt.timedelta
    longest: dt.timedelta
    forget: dt.timedelta

    def wait(self, failures: int) -> dt.timedelta:
        """What so many failures cost."""
        if failures <= self.free:
            return NOTHING
        doublings = min(failures - self.free - 1, 30)
        return min(self.first * (1 << doublings), self.longest)


def wait(tx: sa.Connection, keys: Iterable[str], *, at: dt.datetime) -> dt.timedelta:
    """How long until the next attempt under any of these keys; nothing when it may be made now."""
    until: dt.datetime | None = tx.scalar(
        sa.select(sa.func.max(throttles.c.until)).where(throttles.c.key.in_(keys))
    )
    return NOTHING if until is None or until <= at else until - at


def strike(tx: sa.Connection, key: str, pace: Pace, *, at: dt.datetime) -> dt.timedelta:
    """Count a failure; how long the next attempt must wait."""
    fresh = throttles.insert().values(key=key, failures=0, last_at=at, until=at)
    try:
        with tx.begin_nested():
            tx.execute(fresh)
    except sa.exc.IntegrityError:
        pass  # the key has a row, counted up below; for any other cause there would be none, and one() raises
    row = tx.execute(sa.select(throttles).where(throttles.c.key == key).with_for_update()).mappings().one()
    failures = 1 if row["last_at"] + pace.forget <= at else row["failures"] + 1
    cost = pace.wait(failures)
    tx.execute(
        throttles.update().where(throttles.c.key == key).values(failures=failures, last_at=at, until=at + cost)
    )
    return cost


def forgive(tx: sa.Connection, key: str) -> None:
    """Forget every failure under a key."""
    tx.execute(throttles.delete().where(throttles.c.key == key))


def take_back(tx: sa.Connection, key: str, *, at: dt.datetime) -> None:
    """Take one failure back: the attempt succeeded; those before still count."""
    here = sa.and_(throttles.c.key == key, throttles.c.failures > 0)
    tx.execute(throttles.update().where(here).values(failures=throttles.c.failures - 1, until=at))


def sweep(tx: sa.Connection, *, at: dt.datetime) -> int:
    """Delete what is over; how many rows."""
    over = sa.and_(throttles.c.last_at <= at - KEPT, throttles.c.until <= at)
    return tx.execute(throttles.delete().where(over)).rowcount


PART = privacy.Part(
    name="throttles",
    title=Text("tentatives récentes, sous des clés illisibles", "recent attempts, under unreadable keys"),
    tables=(throttles,),
    export=lambda _tx, _person: (),
    erase=lambda _tx, _person, _at: (),
)
privacy.register(PART)
