"""Time stamps of RFC 3161. The answer in ``data/`` was made with ``openssl ts`` by an authority of the tests."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from lab39.core.errors import InputError
from lab39.store.audit import stamps
from lab39.store.audit.heads import Head
from lab39.store.audit.stamps import StampError

DATA = Path(__file__).parent / "data"
NONCE = 16088316543106278812
ANSWER = (DATA / "stamp.tsr").read_bytes()
HEAD = Head(
    log="0" * 32,
    size=8,
    root="5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    at="2026-11-24T09:00:00.000000Z",
    key="0" * 32,
    previous="",
    signature="00" * 64,
)
ROOTS = stamps.read_roots(DATA / "tsa-root.pem")


def test_golden_answer_of_openssl_gives_its_moment():
    assert stamps.verify(ANSWER, HEAD, ROOTS, NONCE) == dt.datetime(2026, 11, 24, 21, 54, 22, tzinfo=dt.UTC)


def test_a_stamp_of_another_head_is_refused():
    with pytest.raises(StampError, match="stamps something else"):
        stamps.verify(ANSWER, replace(HEAD, size=9), ROOTS)


def test_a_stamp_of_an_authority_that_is_not_trusted_is_refused():
    with pytest.raises(StampError, match="do not verify its signature"):
        stamps.verify(ANSWER, HEAD, stamps.read_roots(DATA / "other-root.pem"))


def test_an_answer_to_another_request_is_refused():
    with pytest.raises(StampError, match="another request"):
        stamps.verify(ANSWER, HEAD, ROOTS, NONCE + 1)


@pytest.mark.parametrize("answer", [b"", b"<html>busy</html>", ANSWER[:-40]])
def test_an_answer_that_is_none_is_refused(answer: bytes):
    with pytest.raises(StampError):
        stamps.verify(answer, HEAD, ROOTS)


def test_a_refusal_of_the_authority_is_told():
    refused = bytes.fromhex("30053003020102")  # PKIStatusInfo: rejection
    with pytest.raises(StampError, match="refused by the authority"):
        stamps.verify(refused, HEAD, ROOTS)


def test_an_altered_stamp_is_refused():
    spoiled = ANSWER[:-5] + bytes([ANSWER[-5] ^ 1]) + ANSWER[-4:]
    with pytest.raises(StampError):
        stamps.verify(spoiled, HEAD, ROOTS)


def test_a_request_asks_for_this_head_with_a_nonce_of_its_own():
    import hashlib

    first, second = stamps.request(HEAD), stamps.request(HEAD)
    assert first.message_imprint.message == hashlib.sha256(HEAD.text).digest()
    assert first.nonce != second.nonce
    assert first.cert_req


def test_a_stamp_is_kept_beside_its_head_and_checked_from_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stamps, "request", lambda head: SimpleNamespace(nonce=NONCE, as_bytes=lambda: b"asked"))
    sent = []

    def send(url: str, content: bytes) -> bytes:
        sent.append((url, content))
        return ANSWER

    stamps.stamp(HEAD, tmp_path, "https://tsa.test", ROOTS, send)
    assert sent == [("https://tsa.test", b"asked")]
    assert stamps.path_of(HEAD, tmp_path).read_bytes() == ANSWER
    assert list(stamps.check([HEAD], tmp_path, ROOTS)) == []
    stamps.path_of(HEAD, tmp_path).write_bytes(ANSWER[:-9])
    assert [p.kind for p in stamps.check([HEAD], tmp_path, ROOTS)] == ["stamp"]


def test_an_answer_that_does_not_hold_is_not_kept(tmp_path: Path):
    with pytest.raises(StampError, match="another request"):
        stamps.stamp(HEAD, tmp_path, "https://tsa.test", ROOTS, lambda url, content: ANSWER)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("answer", [httpx.Response(503), httpx.ConnectError("no")])
def test_an_authority_that_does_not_answer_is_told(
    answer: httpx.Response | Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def post(url: str, **_: object) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        answer.request = httpx.Request("POST", url)
        return answer

    monkeypatch.setattr(httpx, "post", post)
    with pytest.raises(StampError, match="the head is signed, try again later"):
        stamps.stamp(HEAD, tmp_path, "https://tsa.test", ROOTS)


def test_certificates_that_cannot_be_read_are_told(tmp_path: Path):
    (tmp_path / "x.pem").write_text("none")
    for path in (tmp_path / "x.pem", tmp_path / "absent.pem"):
        with pytest.raises(InputError, match="certificates cannot be read"):
            stamps.read_roots(path)
    assert stamps.read_roots(None) == ()
