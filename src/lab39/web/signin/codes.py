"""Codes that let somebody in once: the first manager of a lab, and the people whom a manager invites.

Nothing is stored. A code is signed with the lab's secret together with what it changes (nobody is here yet; this
person has this password and these accounts elsewhere): once used, it fits no more.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac

import sqlalchemy as sa

from lab39.core.errors import LabError
from lab39.core.text import Text
from lab39.store import people
from lab39.store.credentials import credentials
from lab39.store.people import Person, UnknownPersonError

VALID = dt.timedelta(hours=72)
"""How long an invitation may be used."""

ID_BYTES, TIME_BYTES, MARK_BYTES = 16, 6, 20
GROUP = 5


class CodeError(LabError):
    """A code that is wrong, too old, or used already; which of these is not told."""


def nobody_yet(tx: sa.Connection) -> bool:
    """Whether the lab has never had anybody."""
    return tx.execute(sa.select(people.people.c.id).limit(1)).first() is None


def first_code(secret: bytes, at: dt.datetime) -> str:
    """What the lab's own operator reads on its console and types to become its first manager; changes every day."""
    return _first(secret, at.astimezone(dt.UTC).date())


def is_first_code(secret: bytes, given: str, at: dt.datetime) -> bool:
    """Whether somebody typed the code of today or of yesterday, with or without its dashes."""
    today = at.astimezone(dt.UTC).date()
    plain = _plain(given)
    fits = [
        hmac.compare_digest(plain.encode(), _plain(_first(secret, day)).encode())
        for day in (today, today - dt.timedelta(days=1))
    ]
    return any(fits)


def invitation(tx: sa.Connection, secret: bytes, person: str, *, at: dt.datetime) -> str:
    """A code with which a person chooses their password, or links an account elsewhere, once and for some time."""
    until = int((at + VALID).timestamp())
    head = bytes.fromhex(person) + until.to_bytes(TIME_BYTES, "big")
    return base64.urlsafe_b64encode(head + _mark(tx, secret, head)).decode().rstrip("=")


def invited(tx: sa.Connection, secret: bytes, code: str, *, at: dt.datetime) -> Person:
    """The person whom a code invites.

    Raises:
        CodeError
    """
    code = "".join(code.split())
    try:
        read = base64.b64decode(code + "=" * (-len(code) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise _wrong() from None
    head, mark = read[: ID_BYTES + TIME_BYTES], read[ID_BYTES + TIME_BYTES :]
    if len(mark) != MARK_BYTES or not hmac.compare_digest(mark, _mark(tx, secret, head)):
        raise _wrong()
    if int.from_bytes(head[ID_BYTES:], "big") <= at.timestamp():
        raise _wrong()
    try:
        person = people.get(tx, head[:ID_BYTES].hex())
    except UnknownPersonError:
        raise _wrong() from None
    if person.erased_at is not None:
        raise _wrong()
    return person


def _mark(tx: sa.Connection, secret: bytes, head: bytes) -> bytes:
    """Signs the code together with the ways in that the person has now."""
    person = head[:ID_BYTES].hex()
    changed = tx.scalar(sa.select(credentials.c.changed_at).where(credentials.c.person_id == person))
    ways = [changed.isoformat() if changed else ""]
    ways += sorted(f"{each.issuer}\0{each.subject}" for each in people.identities_of(tx, person))
    text = b"invitation\0" + head + "\0".join(ways).encode()
    return hmac.new(secret, text, hashlib.sha256).digest()[:MARK_BYTES]


def _first(secret: bytes, day: dt.date) -> str:
    mark = hmac.new(secret, f"first manager\0{day}".encode(), hashlib.sha256).digest()[:15]
    letters = base64.b32encode(mark).decode()[: 4 * GROUP]
    return "-".join(letters[i : i + GROUP] for i in range(0, len(letters), GROUP))


def _plain(code: str) -> str:
    return "".join(c for c in code.upper() if c.isalnum())


def _wrong() -> CodeError:
    return CodeError(
        Text(
            "ce code n'est pas ou plus valable\u202f: demander une nouvelle invitation à un gestionnaire",
            "this code is not valid, or no longer: ask a manager for a new invitation",
        )
    )
