"""Sessions of signed-in people: a random token in the browser, its SHA-256 here.

Whoever reads the database cannot sign in with what is in it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lab39.core.text import Text
from lab39.store import privacy
from lab39.store.schema import Instant, metadata

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("token_sha256", sa.String(64), primary_key=True),
    sa.Column("person_id", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("last_seen_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
)

IDLE = dt.timedelta(minutes=30)
ABSOLUTE = dt.timedelta(hours=12)
SEEN_EVERY = dt.timedelta(minutes=1)
"""How often the last moment is written: a page costs no write."""

TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Session:
    """One browser of one person.

    Attributes:
        expires_at: it ends then whatever happens; earlier when nothing is seen of it for a while.
    """

    token_sha256: str
    person_id: str
    created_at: dt.datetime
    last_seen_at: dt.datetime
    expires_at: dt.datetime


def start(tx: sa.Connection, person: str, *, at: dt.datetime, absolute: dt.timedelta = ABSOLUTE) -> str:
    """A new session; the token is given once and kept nowhere."""
    return _insert(tx, person, created_at=at, last_seen_at=at, expires_at=at + absolute)


def find(tx: sa.Connection, token: str, *, at: dt.datetime, idle: dt.timedelta = IDLE) -> Session | None:
    """The session of a token; ``None`` when it is unknown, ended, or too old."""
    row = tx.execute(sa.select(sessions).where(sessions.c.token_sha256 == _sha256(token))).mappings().one_or_none()
    if row is None or row["expires_at"] <= at or row["last_seen_at"] + idle <= at:
        return None
    return Session(**row)


def is_due(session: Session, at: dt.datetime) -> bool:
    """Whether :func:`seen` is worth a write."""
    return at - session.last_seen_at >= SEEN_EVERY


def seen(tx: sa.Connection, session: Session, *, at: dt.datetime) -> None:
    """Keep that the session is used; time never goes back."""
    here = sa.and_(sessions.c.token_sha256 == session.token_sha256, sessions.c.last_seen_at < at)
    tx.execute(sessions.update().where(here).values(last_seen_at=at))


def rotate(tx: sa.Connection, token: str, *, at: dt.datetime, idle: dt.timedelta = IDLE) -> str | None:
    """A new token for the same session, at every change of rights; the old one is worth nothing any more.

    ``None`` when the session has ended. Its absolute end does not move.
    """
    session = find(tx, token, at=at, idle=idle)
    if session is None or not revoke(tx, token):
        return None
    return _insert(
        tx, session.person_id, created_at=session.created_at, last_seen_at=at, expires_at=session.expires_at
    )


def revoke(tx: sa.Connection, token: str) -> bool:
    """End one session; whether there was one."""
    return bool(tx.execute(sessions.delete().where(sessions.c.token_sha256 == _sha256(token))).rowcount)


def revoke_all(tx: sa.Connection, person: str, *, but: str | None = None) -> int:
    """End every session of a person, except that of the token ``but``; how many."""
    here = sessions.c.person_id == person
    if but is not None:
        here = sa.and_(here, sessions.c.token_sha256 != _sha256(but))
    return tx.execute(sessions.delete().where(here)).rowcount


def revoke_of(tx: sa.Connection, person: str, token_sha256: str) -> int:
    """End one session of a person, named as in :func:`of`; how many ended."""
    here = sa.and_(sessions.c.person_id == person, sessions.c.token_sha256 == token_sha256)
    return tx.execute(sessions.delete().where(here)).rowcount


def of(tx: sa.Connection, person: str, *, at: dt.datetime, idle: dt.timedelta = IDLE) -> tuple[Session, ...]:
    """The sessions of a person that :func:`find` still finds, last used first."""
    here = (sessions.c.person_id == person, sessions.c.expires_at > at, sessions.c.last_seen_at > at - idle)
    found = tx.execute(sa.select(sessions).where(*here).order_by(sessions.c.last_seen_at.desc())).mappings()
    return tuple(Session(**row) for row in found)


def sweep(tx: sa.Connection, *, at: dt.datetime, idle: dt.timedelta = IDLE) -> int:
    """Delete the sessions that have ended; how many."""
    ended = sa.or_(sessions.c.expires_at <= at, sessions.c.last_seen_at <= at - idle)
    return tx.execute(sessions.delete().where(ended)).rowcount


def _insert(tx: sa.Connection, person: str, **moments: dt.datetime) -> str:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    tx.execute(sessions.insert().values(token_sha256=_sha256(token), person_id=person, **moments))
    return token


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _export(tx: sa.Connection, person: str) -> Iterator[dict[str, Any]]:
    for row in privacy.rows(tx, sessions, sessions.c.person_id == person):
        yield {name: value for name, value in row.items() if name != "token_sha256"}


def _erase(tx: sa.Connection, person: str, at: dt.datetime) -> Iterator[privacy.Outcome]:
    del at
    yield privacy.Outcome(PART.title, erased=revoke_all(tx, person))


PART = privacy.Part(
    name="sessions", title=Text("sessions", "sessions"), tables=(sessions,), export=_export, erase=_erase
)
privacy.register(PART)
