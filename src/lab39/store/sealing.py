"""Encryption of files at rest: AES-256-GCM, keys in a file of their own, one a line.

The first key writes, all of them read: a key is changed by putting the new one first, then by sealing every file
again (:func:`lab39.store.blobs.seal_again`), then by taking the old one away.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

from lab39.core.errors import LabError
from lab39.core.text import Text

MAGIC = b"L39\x01"
NONCE_BYTES = 12
KEY_BYTES = 32


class BlobError(LabError):
    """A file is absent, altered, or cannot be decrypted."""


def keys(path: Path | None) -> tuple[bytes, ...]:
    """The keys of a file, the one that writes first; none when no file is named.

    Raises:
        BlobError: others can read it, it cannot be read, or a line is not a key.
    """
    if path is None:
        return ()
    try:
        if path.stat().st_mode & 0o077:
            raise BlobError(
                Text(
                    f"d'autres que son propriétaire peuvent lire cette clé\u202f: chmod 600 {path}",
                    f"others than its owner can read this key: chmod 600 {path}",
                ),
                "LAB39_BLOB_KEY_FILE",
            )
        lines = path.read_bytes().split() or [b""]
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise BlobError(
            Text(f"clé illisible\u202f: {why} ({path})", f"the key cannot be read: {why} ({path})"),
            "LAB39_BLOB_KEY_FILE",
        ) from error
    return tuple(_key(line, path) for line in lines)


def _key(line: bytes, path: Path) -> bytes:
    try:
        key = bytes.fromhex(line.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise BlobError(
            Text(
                f"64 chiffres hexadécimaux sont attendus par ligne\u202f: openssl rand -hex {KEY_BYTES} > {path}",
                f"64 hexadecimal digits a line are expected: openssl rand -hex {KEY_BYTES} > {path}",
            ),
            "LAB39_BLOB_KEY_FILE",
        )
    return key


def name(key: bytes, digest: str) -> str:
    """The name of a sealed file, that tells nothing of its content to whoever has not the key."""
    return hmac.new(key, digest.encode(), hashlib.sha256).hexdigest()


def seal(key: bytes, digest: str, content: bytes) -> bytes:
    """A content, encrypted and bound to its digest."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(NONCE_BYTES)
    return MAGIC + nonce + AESGCM(key).encrypt(nonce, content, MAGIC + digest.encode())


def unseal(known: tuple[bytes, ...], digest: str, kept: bytes) -> bytes:
    """The content of a sealed file.

    Raises:
        BlobError: altered, or none of the keys is the one that wrote it.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce, rest = kept[len(MAGIC) : len(MAGIC) + NONCE_BYTES], kept[len(MAGIC) + NONCE_BYTES :]
    for key in known:
        try:
            return AESGCM(key).decrypt(nonce, rest, MAGIC + digest.encode())
        except (InvalidTag, ValueError):
            continue
    raise BlobError(
        Text(
            "fichier altéré, ou chiffré avec une autre clé (LAB39_BLOB_KEY_FILE)",
            "altered file, or encrypted with another key (LAB39_BLOB_KEY_FILE)",
        ),
        digest,
    )
