"""Passwords of local accounts: Argon2id, never truncated, a refusal as slow for nobody as for somebody.

Hashing takes tens of milliseconds on purpose. It happens outside any transaction, so that nobody else waits for it.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, NewType

import sqlalchemy as sa

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.store import people, privacy
from lab39.store.engine import Store
from lab39.store.people import Person
from lab39.store.schema import Instant, metadata

if TYPE_CHECKING:
    from argon2 import PasswordHasher

credentials = sa.Table(
    "credentials",
    metadata,
    sa.Column("person_id", sa.ForeignKey("people.id"), primary_key=True),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("changed_at", Instant, nullable=False),
)

LENGTH_MIN = 12
LENGTH_MAX = 1024
"""Characters; a longer one is refused, never cut."""

Hashed = NewType("Hashed", str)
"""A password that cannot be read back."""


class PasswordError(InputError):
    """A password that the lab does not accept."""


def hash_password(password: str) -> Hashed:
    """What is kept of a password. Slow on purpose: call it outside a transaction.

    Raises:
        PasswordError: too short, too long, or one character repeated.
    """
    password = unicodedata.normalize("NFKC", password)
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise PasswordError(
            Text(
                f"un mot de passe a de {LENGTH_MIN} à {LENGTH_MAX} caractères\u202f; une phrase convient très bien",
                f"a password has {LENGTH_MIN} to {LENGTH_MAX} characters; a sentence does very well",
            ),
            "password",
        )
    if len(set(password)) < 5:
        raise PasswordError(
            Text("trop peu de caractères différents\u202f: 5 au moins", "too few different characters: at least 5"),
            "password",
        )
    return Hashed(_hasher().hash(password))


def set_password(tx: sa.Connection, person: str, hashed: Hashed, *, at: dt.datetime) -> None:
    """Give a person a password, in place of any other. The caller ends their sessions."""
    tx.execute(credentials.delete().where(credentials.c.person_id == person))
    tx.execute(credentials.insert().values(person_id=person, hash=hashed, changed_at=at))


def has_password(tx: sa.Connection, person: str) -> bool:
    """Whether a person signs in with a password of the lab."""
    return bool(tx.scalar(sa.select(sa.func.count()).where(credentials.c.person_id == person)))


def check_password(store: Store, email: str, password: str) -> Person | None:
    """The person with this address and password; ``None`` for a wrong one, an unknown address, no password.

    Each of these takes the time of one verification. A hash made with older parameters is renewed.
    """
    from argon2.exceptions import InvalidHashError, VerificationError

    with store.reading() as tx:
        person = people.by_email(tx, email)
        chosen = sa.select(credentials.c.hash).where(credentials.c.person_id == (person.id if person else None))
        known: str | None = tx.scalar(chosen)
    password = unicodedata.normalize("NFKC", password)[: LENGTH_MAX + 1]
    try:
        _hasher().verify(known or _nobody(), password)
    except (VerificationError, InvalidHashError):
        return None
    if person is None or known is None:
        return None
    if _hasher().check_needs_rehash(known):
        fresh = _hasher().hash(password)
        with store.writing() as tx:  # unless it was changed meanwhile
            same = credentials.update().where(credentials.c.person_id == person.id, credentials.c.hash == known)
            tx.execute(same.values(hash=fresh))
    return person


@cache
def _hasher() -> PasswordHasher:
    """RFC 9106, section 4, second recommended option: Argon2id, 64 MiB, 3 passes, 4 lanes."""
    from argon2 import PasswordHasher
    from argon2.profiles import RFC_9106_LOW_MEMORY

    return PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


@cache
def _nobody() -> str:
    """The hash that is checked when there is none, so that the answer takes the same time."""
    import secrets

    return _hasher().hash(secrets.token_hex(32))


def _export(tx: sa.Connection, person: str) -> Iterator[dict[str, Any]]:
    for row in privacy.rows(tx, credentials, credentials.c.person_id == person):
        yield {name: value for name, value in row.items() if name != "hash"}


def _erase(tx: sa.Connection, person: str, at: dt.datetime) -> Iterator[privacy.Outcome]:
    del at
    gone = tx.execute(credentials.delete().where(credentials.c.person_id == person)).rowcount
    yield privacy.Outcome(PART.title, erased=gone)


PART = privacy.Part(
    name="credentials",
    title=Text("mot de passe (empreinte)", "password (hash)"),
    tables=(credentials,),
    export=_export,
    erase=_erase,
)
privacy.register(PART)
