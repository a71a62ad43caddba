"""Unsubscribing in one click: a signed token in each message takes back the consent it was sent with."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from pathlib import Path

import sqlalchemy as sa

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.store import audit, consents, keyfile
from lab39.store.outbox import Message, UnknownMessageError, get, outbox

KEY = "unsubscribe.key"
PATH = "/unsubscribe/"


class UnsubscribeError(InputError):
    """The link is not one of this lab's."""


def key(folder: Path) -> bytes:
    """The lab's key for these links.

    Raises:
        InputError, StoreUnavailableError: see :func:`lab39.store.keyfile.key`.
    """
    return keyfile.key(folder / KEY)


def token(secret: bytes, message: str) -> str:
    """The token of a message."""
    return f"{message}.{_signature(secret, message)}"


def withdraw(tx: sa.Connection, secret: bytes, given: str, *, at: dt.datetime) -> Message:
    """Take back the consent that a message was sent with; a second click changes nothing.

    Raises:
        UnsubscribeError: a token that this lab did not give.
    """
    message, _, signature = given.partition(".")
    if not hmac.compare_digest(signature.encode("utf-8", "replace"), _signature(secret, message).encode()):
        raise _refused()
    try:
        found = get(tx, message)
    except UnknownMessageError:
        raise _refused() from None
    if consents.has_consent(tx, found.person_id, found.purpose, at):
        consents.withdraw(tx, found.person_id, found.purpose, channel=found.channel, at=at)
        tx.execute(outbox.update().where(outbox.c.id == message).values(unsubscribed_at=at))
        about = {"purpose": found.purpose, "given": False, "message": message}
        audit.append(tx, at=at, actor=found.person_id, action="consent", subject=found.person_id, about=about)
    return get(tx, message)


def _signature(secret: bytes, message: str) -> str:
    digest = hmac.digest(secret, b"unsubscribe:" + message.encode("utf-8", "replace"), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _refused() -> UnsubscribeError:
    return UnsubscribeError(
        Text(
            "ce lien n'est pas reconnu\u202f: se connecter au laboratoire pour changer ses choix",
            "this link is not recognised: sign in to the lab to change your choices",
        ),
        "unsubscribe",
    )
