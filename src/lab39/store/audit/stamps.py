"""RFC 3161 time stamps: somebody else says that a head existed at a moment.

The stamp is kept beside the head (``….tsr``), as the authority sent it; ``openssl ts -verify`` reads it too.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lab39.core.errors import InputError, LabError
from lab39.core.text import Text
from lab39.store import atomic
from lab39.store.audit.heads import Head, Problem

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampRequest

Send = Callable[[str, bytes], bytes]
"""``(url, request)`` gives the authority's answer."""

SECONDS = 10.0
SUFFIX = ".tsr"


class StampError(LabError):
    """No stamp, or one that says nothing about this head. The head itself stands."""


def request(head: Head) -> TimeStampRequest:
    """What is asked of an authority: a SHA-256 of the head's file, a nonce, its certificate."""
    from rfc3161_client import TimestampRequestBuilder
    from rfc3161_client.base import HashAlgorithm

    builder = TimestampRequestBuilder().data(head.text).hash_algorithm(HashAlgorithm.SHA256)
    return builder.cert_request(cert_request=True).build()


def verify(answer: bytes, head: Head, roots: Sequence[Certificate], nonce: int | None = None) -> dt.datetime:
    """The moment a stamp gives a head.

    Args:
        roots: certificates trusted to issue that of the authority; with none, only the hash is compared.
        nonce: of the request, when the answer has just come.

    Raises:
        StampError: refused by the authority, about something else, or not signed under these certificates.
    """
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

    try:
        found = decode_timestamp_response(answer)
        granted, info = found.status == 0, found.tst_info if found.status == 0 else None
    except ValueError as error:
        raise _wrong(head, "réponse illisible", "the answer cannot be read") from error
    if not granted or info is None:
        raise _wrong(head, f"refusé par l'autorité ({found.status})", f"refused by the authority ({found.status})")
    if info.message_imprint.message != hashlib.sha256(head.text).digest():
        raise _wrong(head, "il horodate autre chose", "it stamps something else")
    if nonce is not None and info.nonce != nonce:
        raise _wrong(head, "il répond à une autre demande", "it answers another request")
    if roots:
        builder = VerifierBuilder()
        for root in roots:
            builder = builder.add_root_certificate(root)
        try:
            builder.build().verify_message(found, head.text)
        except (VerificationError, ValueError) as error:
            fr = "ces certificats ne vérifient pas sa signature (LAB39_TSA_ROOTS)"
            raise _wrong(head, fr, "these certificates do not verify its signature (LAB39_TSA_ROOTS)") from error
    return info.gen_time.astimezone(dt.UTC)


def stamp(
    head: Head, folder: Path, url: str, roots: Sequence[Certificate], send: Send | None = None
) -> dt.datetime:
    """Have a head stamped and keep the stamp beside it.

    Args:
        send: how to reach the authority; by HTTP when not given.

    Raises:
        StampError: no answer, or not one to this request; nothing is kept.
        StoreUnavailableError: the folder cannot be written to.
    """
    asked = request(head)
    answer = (send or _post)(url, asked.as_bytes())
    at = verify(answer, head, roots, asked.nonce)
    with atomic.writing(path_of(head, folder)) as stream:
        stream.write(answer)
    return at


def path_of(head: Head, folder: Path) -> Path:
    """Where the stamp of a head is."""
    return folder / (head.file.removesuffix(".json") + SUFFIX)


def check(heads: Sequence[Head], folder: Path, roots: Sequence[Certificate]) -> Iterator[Problem]:
    """What is wrong with the stamps of a folder."""
    for head in heads:
        path = path_of(head, folder)
        if path.exists():
            try:
                verify(path.read_bytes(), head, roots)
            except StampError as error:
                yield Problem("stamp", None, Text(error.say("fr"), error.say("en")))


def read_roots(path: Path | None) -> tuple[Certificate, ...]:
    """Certificates of a PEM file; none without one.

    Raises:
        InputError: it cannot be read.
    """
    from cryptography import x509

    if path is None:
        return ()
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise InputError(
            Text("certificats illisibles (PEM attendu)", "certificates cannot be read (PEM expected)"), str(path)
        ) from error


def _post(url: str, content: bytes) -> bytes:
    import httpx

    headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
    try:
        answer = httpx.post(url, content=content, headers=headers, timeout=SECONDS)
        answer.raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = type(error).__name__
        raise StampError(
            Text(
                f"l'autorité d'horodatage ne répond pas ({why})\u202f: la tête est signée, relancer plus tard",
                f"the time-stamping authority does not answer ({why}): the head is signed, try again later",
            ),
            "LAB39_TSA_URL",
        ) from error
    return answer.content


def _wrong(head: Head, fr: str, en: str) -> StampError:
    return StampError(Text(f"horodatage\u202f: {fr}", f"time stamp: {en}"), head.file)
