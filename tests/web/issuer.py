"""An issuer of accounts on this machine: signs what a test tells it to, checks what the lab sends it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

CLIENT, SECRET = "lab39", "a secret of the client"

RPPS = "10101201234"
PSC = {
    "SubjectNameID": f"8{RPPS}",
    "preferred_username": f"8{RPPS}",
    "given_name": "Sophie",
    "family_name": "Leclerc",
    "SubjectOrganization": "Cabinet Leclerc",
    "SubjectRole": ["10^1.2.250.1.213.1.1.5.5"],
    "SubjectRefPro": {
        "codeCivilite": "MME",
        "exercices": [{"codeProfession": "10", "codeCategorieProfessionnelle": "C", "activities": []}],
    },
    "otherIds": [{"identifiant": f"8{RPPS}", "origine": "RPPS", "qualite": 1}],
}
"""What Pro Santé Connect says of a physician, with the names of its test environment."""


@dataclass
class Issuer:
    """What it says and how it signs; a test changes what it wants to be wrong.

    Attributes:
        said: claims of the ID token, over the right ones; ``None`` takes a claim out.
        header: header of the ID token, over the right one; ``None`` takes a member out.
        told: what userinfo says.
        key: signs; ``kid`` is published unless ``hidden``.
        token: sent in place of a signed one; ``forge`` makes it of the right claims.
    """

    now: int
    said: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=lambda: dict(PSC))
    token: str | None = None
    forge: Callable[[Mapping[str, Any]], str] | None = None
    broken: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.key: Any = first_key()
        self.published: list[Any] = [self.key]
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.startswith("/authorize"):  # a browser: the person agrees at once
                    given = outer.sign_in(self.path)
                    back = parse_qs(urlsplit(self.path).query)["redirect_uri"][0]
                    self.send_response(302)
                    self.send_header("location", f"{back}?{urlencode(given)}")
                    self.end_headers()
                    return
                self._answer(outer.get(urlsplit(self.path).path, self.headers.get("authorization", "")))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                self._answer(outer.redeem(dict(parse_qsl(body)), self.headers.get("authorization", "")))

            def _answer(self, answer: tuple[int, bytes]) -> None:
                status, body = outer.broken.get(urlsplit(self.path).path, answer)
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def get(self, path: str, authorization: str) -> tuple[int, bytes]:
        self.seen.append(path)
        if path == "/.well-known/openid-configuration":
            return _json(
                {
                    "issuer": self.url,
                    "authorization_endpoint": f"{self.url}/authorize",
                    "token_endpoint": f"{self.url}/token",
                    "userinfo_endpoint": f"{self.url}/userinfo",
                    "jwks_uri": f"{self.url}/keys",
                }
                | self.metadata
            )
        if path == "/keys":
            return _json({"keys": [key.as_dict(private=False, use="sig") for key in self.published]})
        if path == "/userinfo" and authorization == "Bearer an access token":
            return _json({"sub": "f:1:8101", **self.told})
        return 404, b"{}"

    def sign_in(self, address: str) -> dict[str, str]:
        """What a person does at the issuer: read the address the lab sent them to, come back with a code."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.url}

    def redeem(self, form: Mapping[str, str], authorization: str) -> tuple[int, bytes]:
        """A code is redeemed once, by the client, with the verifier of its challenge."""
        basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or (authorization != basic and form.get("client_secret") != SECRET):
            return 400, b'{"error": "invalid_grant"}'
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != asked["code_challenge"]:
            return 400, b'{"error": "invalid_grant"}'
        if form["redirect_uri"] != asked["redirect_uri"]:
            return 400, b'{"error": "invalid_grant"}'
        token = self.token or self.signed(asked["nonce"])
        if self.forge is not None:
            token = self.forge(self.right(asked["nonce"]))
        return _json({"access_token": "an access token", "token_type": "Bearer", "id_token": token})

    def signed(self, nonce: str) -> str:
        said = _over(self.right(nonce), self.said)
        algorithm = {"RSA": "RS256", "EC": "ES256"}[self.key.key_type]
        header = _over({"alg": algorithm, "kid": self.key.kid}, self.header)
        return jws.serialize_compact(header, json.dumps(said).encode(), self.key, algorithms=[header["alg"]])

    def right(self, nonce: str) -> dict[str, Any]:
        """Claims that are as they should be."""
        return {
            "iss": self.url,
            "sub": "f:1:8101",
            "aud": CLIENT,
            "exp": self.now + 300,
            "iat": self.now,
            "nonce": nonce,
            "acr": "eidas1",
        }


@cache
def first_key() -> RSAKey:
    """Made once a run: making one takes a while."""
    return new_rsa("one")


def new_rsa(kid: str, bits: int = 2048) -> RSAKey:
    return RSAKey.import_key(_pem(rsa.generate_private_key(65537, bits)), {"kid": kid})


def new_ec(kid: str) -> ECKey:
    return ECKey.import_key(_pem(ec.generate_private_key(ec.SECP256R1())), {"kid": kid})


def confused(key: RSAKey, claims: Mapping[str, Any]) -> str:
    """A token signed with the public key as if it were a shared secret: what key confusion is made of."""
    parts = [{"alg": "HS256", "kid": key.kid}, claims]
    text = ".".join(_base64(json.dumps(part).encode()) for part in parts)
    return f"{text}.{_base64(hmac.digest(key.as_pem(private=False), text.encode(), 'sha256'))}"


def unsigned(claims: Mapping[str, Any]) -> str:
    """A token that says itself that nobody signed it."""
    parts = [{"alg": "none"}, claims]
    return ".".join(_base64(json.dumps(part).encode()) for part in parts) + "."


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _pem(key: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem


def _over(right: dict[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (right | dict(changed)).items() if value is not None}


def _json(value: Any) -> tuple[int, bytes]:
    return 200, json.dumps(value).encode()
