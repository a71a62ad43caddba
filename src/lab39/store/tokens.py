"""Tokens that let a program act for a person: given once, kept as their SHA-256, ended by a date or by hand."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lab39.core.errors import InputError, UnknownNameError
from lab39.core.text import Text
from lab39.store import privacy
from lab39.store.engine import new_id
from lab39.store.schema import Instant, metadata

tokens = sa.Table(
    "api_tokens",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("token_sha256", sa.String(64), nullable=False, unique=True),
    sa.Column("person_id", sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("used_at", Instant),
    sa.Column("revoked_at", Instant),
)

PREFIX = "lab39_"
"""Lets a scanner find one that was published by mistake, and the lab tell it from somebody else's."""
NAME_MAX = 100
LONGEST = dt.timedelta(days=366)
USED_EVERY = dt.timedelta(hours=1)


class UnknownTokenError(UnknownNameError):
    """No token has this identifier."""


@dataclass(frozen=True, slots=True)
class Token:
    """One token, without its secret.

    Attributes:
        name: what it is for, in its owner's words.
        used_at: the last use, to the hour.
    """

    id: str
    person_id: str
    name: str
    created_at: dt.datetime
    expires_at: dt.datetime
    used_at: dt.datetime | None
    revoked_at: dt.datetime | None

    def holds(self, at: dt.datetime) -> bool:
        """Whether it opens anything at a moment."""
        return self.revoked_at is None and at < self.expires_at


def add(tx: sa.Connection, person: str, *, name: str, lasts: dt.timedelta, at: dt.datetime) -> tuple[Token, str]:
    """A new token and its secret, which is given once and kept nowhere.

    Raises:
        InputError: without a name, or for longer than a year.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= NAME_MAX:
        raise InputError(Text(f"un nom a de 1 à {NAME_MAX} caractères", f"a name has 1 to {NAME_MAX} characters"))
    if not dt.timedelta(0) < lasts <= LONGEST:
        raise InputError(Text("une durée va de 1 à 366 jours", "a token lasts 1 to 366 days"))
    secret = PREFIX + secrets.token_urlsafe(32)
    made = Token(new_id(), person, name, at, at + lasts, None, None)
    values = {field: getattr(made, field) for field in made.__dataclass_fields__}
    tx.execute(tokens.insert().values(token_sha256=_sha256(secret), **values))
    return made, secret


def presented(authorization: str) -> str:
    """The secret that an ``Authorization`` header carries; empty when it carries none of this lab's."""
    scheme, _, secret = authorization.partition(" ")
    secret = secret.strip()
    return secret if scheme.lower() == "bearer" and secret.startswith(PREFIX) else ""


def find(tx: sa.Connection, secret: str, *, at: dt.datetime) -> Token | None:
    """The token with this secret; ``None`` when it is unknown, expired or revoked."""
    row = tx.execute(sa.select(*_SHOWN).where(tokens.c.token_sha256 == _sha256(secret))).mappings().one_or_none()
    found = Token(**row) if row is not None else None
    return found if found is not None and found.holds(at) else None


def is_due(token: Token, at: dt.datetime) -> bool:
    """Whether :func:`used` is worth a write."""
    return token.used_at is None or at - token.used_at >= USED_EVERY


def used(tx: sa.Connection, token: Token, *, at: dt.datetime) -> None:
    """Keep that it was used."""
    tx.execute(tokens.update().where(tokens.c.id == token.id).values(used_at=at))


def revoke(tx: sa.Connection, token: str, *, at: dt.datetime) -> Token:
    """End a token by its identifier; ending it twice keeps the first moment.

    Raises:
        UnknownTokenError
    """
    here = tokens.c.id == token
    tx.execute(tokens.update().where(here, tokens.c.revoked_at.is_(None)).values(revoked_at=at))
    row = tx.execute(sa.select(*_SHOWN).where(here)).mappings().one_or_none()
    if row is None:
        raise UnknownTokenError(Text("jeton inconnu", "no such token"), token)
    return Token(**row)


def of(tx: sa.Connection, person: str) -> tuple[Token, ...]:
    """The tokens of a person, newest first, ended ones included."""
    chosen = sa.select(*_SHOWN).where(tokens.c.person_id == person)
    found = tx.execute(chosen.order_by(tokens.c.created_at.desc(), tokens.c.id)).mappings()
    return tuple(Token(**row) for row in found)


_SHOWN = [column for column in tokens.c if column.name != "token_sha256"]


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _export(tx: sa.Connection, person: str) -> Iterator[dict[str, Any]]:
    for row in privacy.rows(tx, tokens, tokens.c.person_id == person):
        yield {name: value for name, value in row.items() if name != "token_sha256"}


def _erase(tx: sa.Connection, person: str, at: dt.datetime) -> Iterator[privacy.Outcome]:
    del at
    erased = tx.execute(tokens.delete().where(tokens.c.person_id == person)).rowcount
    yield privacy.Outcome(PART.title, erased=erased)


PART = privacy.Part(
    name="tokens", title=Text("jetons d'accès", "access tokens"), tables=(tokens,), export=_export, erase=_erase
)
privacy.register(PART)
