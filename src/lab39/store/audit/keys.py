"""The lab's Ed25519 key that signs audit heads, and the public keys that are trusted to have signed them."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.store import atomic
from lab39.store.engine import new_id

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    Keys = Mapping[str, Ed25519PublicKey]

PRIVATE = "audit-ed25519.pem"
FORMER = "audit-former-*.pub.pem"


def key_id(key: Ed25519PublicKey) -> str:
    """Name of a public key: the first 32 hexadecimal digits of the SHA-256 of its 32 bytes."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:32]


def signing_key(folder: Path) -> Ed25519PrivateKey:
    """The lab's key, made at first use, readable by its user only.

    Raises:
        InputError: the file is there and is not such a key.
        StoreUnavailableError: the folder cannot be written to.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = folder / PRIVATE
    if not path.exists():
        _create(path)
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise _unreadable(path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _unreadable(path)
    return key


def has_signing_key(folder: Path) -> bool:
    """Whether the lab has made its key."""
    return (folder / PRIVATE).exists()


def trusted(folder: Path) -> Keys:
    """The lab's own public key and its former ones (``audit-former-*.pub.pem``), by name; none before first use."""
    found = [read_public(path) for path in sorted(folder.glob(FORMER))]
    if has_signing_key(folder):
        found.append(signing_key(folder).public_key())
    return {key_id(key): key for key in found}


def read_public(path: Path) -> Ed25519PublicKey:
    """A public key from a PEM file.

    Raises:
        InputError: absent, or not such a key.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise _unreadable(path) from error
    if not isinstance(key, Ed25519PublicKey):
        raise _unreadable(path)
    return key


def publish(key: Ed25519PublicKey, folder: Path) -> Path:
    """Write a public key beside the heads it verifies; where."""
    path = folder / f"key-{key_id(key)}.pub.pem"
    if not path.exists():
        with atomic.writing(path) as stream:
            stream.write(pem(key))
        path.chmod(0o644)
    return path


def pem(key: Ed25519PublicKey) -> bytes:
    """A public key as PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _create(path: Path) -> None:
    """A new key, unless another process makes it first: then that one."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    mine = path.with_name(f".{path.name}.{new_id()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = Ed25519PrivateKey.generate()
        with atomic.writing(mine) as stream:
            stream.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        with contextlib.suppress(FileExistsError):
            os.link(mine, path)
        mine.unlink()
    except OSError as error:
        raise atomic.unwritable(error, path) from error


def _unreadable(path: Path) -> InputError:
    return InputError(
        Text(
            "ce n'est pas une clé Ed25519 lisible (PEM)\u202f: vérifier le fichier et ses droits",
            "not a readable Ed25519 key (PEM): check the file and its permissions",
        ),
        str(path),
    )
