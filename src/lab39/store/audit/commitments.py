"""Salted commitments: what stands in the tree instead of an entry, and tells nothing about it.

``SHA-256(salt || canonical JSON)`` with a random salt of 32 bytes. Once salt and entry are erased, nobody can try
guesses against the commitment; the tree made of it stays verifiable.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from lab39.core.errors import LabError
from lab39.core.text import Text

SALT_BYTES = 32
LARGEST = 2**53 - 1
"""The largest integer that every JSON reader keeps (RFC 7493, 2.2)."""


class CanonicalError(LabError):
    """The value has no canonical JSON here; the place says which part of it."""


def canonical(value: Any) -> bytes:
    """The one JSON text of a value (RFC 8785), for the values the audit uses.

    Args:
        value: strings, integers up to 2^53 - 1, booleans, null, lists and mappings with string keys.

    Raises:
        CanonicalError: anything else. Floats are refused: their text depends on who writes them.
    """
    return json.dumps(_ordered(value, "$"), ensure_ascii=False, separators=(",", ":")).encode()


def new_salt() -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(SALT_BYTES)


def commit(salt: bytes, text: bytes) -> bytes:
    """Commitment to a canonical text.

    Raises:
        ValueError: the salt has not 32 bytes: text and salt could be shifted against each other.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes, this one {len(salt)}")
    return hashlib.sha256(salt + text).digest()


def _ordered(value: Any, place: str) -> Any:
    """The same value with the keys of every object in the order of RFC 8785 (UTF-16 code units)."""
    match value:
        case bool() | None:
            return value
        case str():
            return _text(value, place)
        case int():
            if abs(value) > LARGEST:
                raise CanonicalError(Text("entier au-delà de 2^53 - 1", "integer over 2^53 - 1"), place)
            return int(value)
        case list() | tuple():
            return [_ordered(each, f"{place}[{i}]") for i, each in enumerate(value)]
        case Mapping():
            for key in value:
                if not isinstance(key, str):
                    kind = type(key).__name__
                    raise CanonicalError(
                        Text(
                            f"clé de type {kind}\u202f: du texte est attendu", f"key of type {kind}: text expected"
                        ),
                        place,
                    )
                _text(key, place)
            keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
            return {str(key): _ordered(value[key], f"{place}.{key}") for key in keys}
    kind = type(value).__name__
    raise CanonicalError(
        Text(
            f"valeur de type {kind} refusée\u202f: texte, entier, booléen, null, liste ou objet "
            "(un nombre à virgule s'écrit en texte)",
            f"value of type {kind} refused: text, integer, boolean, null, list or object "
            "(a decimal number is written as text)",
        ),
        place,
    )


def _text(value: str, place: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise CanonicalError(
            Text("texte avec une moitié de caractère (surrogate)", "text with half a character (surrogate)"), place
        ) from error
    return str(value)
