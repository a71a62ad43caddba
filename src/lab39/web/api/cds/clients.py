"""Who may call: signed requests (JWT) of the clients named in ``LAB39_CDS_CLIENTS_FILE``.

```toml
[[client]]
issuer = "https://ehr.example.org"
jwks = "/etc/lab39/ehr.jwks.json"         # a file, or
# jwks_url = "https://ehr.example.org/jwks.json"
```
"""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.fhir import jsontext
from lab39.settings import Settings
from lab39.web.api.refusals import TokenError

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

ALGORITHMS = ["ES384", "RS384", "ES256", "ES512", "RS256", "RS512", "PS256", "PS384", "PS512", "EdDSA"]
"""Public keys only: with a shared secret, whoever checks could also sign. The specification recommends the first
two ("Trusting CDS Clients")."""
LEEWAY = dt.timedelta(seconds=60)
LONGEST = dt.timedelta(hours=24)
FRESH_SECONDS = 600.0
AGAIN_SECONDS = 30.0
JWKS_BYTES = 1 << 20
JWT_CHARACTERS = 8192


@dataclass(frozen=True, slots=True)
class Client:
    """A CDS client that signs what it sends; its keys come from a file or from an address."""

    issuer: str
    file: Path | None
    url: str


@dataclass(frozen=True, slots=True)
class Signed:
    """One signed request, checked.

    Attributes:
        nonce: must not have been seen before.
        expires_at: from then on it would be refused for its age.
    """

    issuer: str
    nonce: str
    expires_at: dt.datetime


class Keys:
    """The public keys of one client, read again when they change."""

    def __init__(self, client: Client, fetch: Callable[[str], bytes] | None = None) -> None:
        self._client = client
        self._fetch = fetch or _fetch
        self._lock = threading.Lock()
        self._known: KeySet | None = None
        self._mark: Any = None
        self._asked = float("-inf")

    def get(self, kid: str) -> KeySet:
        """The keys; asked for again when the one named is not among them, at most twice a minute.

        Raises:
            TokenError: they cannot be read.
        """
        with self._lock:
            now = time.monotonic()
            stale = self._known is None or not any(key.kid == kid for key in self._known.keys)
            if self._client.file is not None:
                self._read_file(self._client.file)
            elif now - self._asked > (AGAIN_SECONDS if stale else FRESH_SECONDS):
                self._asked = now
                self._known = _key_set(lambda: self._fetch(self._client.url), self._client.issuer, self._known)
            if self._known is None:
                raise _unreadable(self._client.issuer)
            return self._known

    def _read_file(self, path: Path) -> None:
        try:
            mark = path.stat().st_mtime_ns
        except OSError as error:
            raise _unreadable(self._client.issuer) from error
        if mark != self._mark:
            self._known = _key_set(path.read_bytes, self._client.issuer, None)
            self._mark = mark


class Clients:
    """The clients a lab trusts; with none configured, calls need no signature."""

    def __init__(self, clients: Mapping[str, Keys]) -> None:
        self._clients = clients

    def __bool__(self) -> bool:
        return bool(self._clients)

    def check(self, authorization: str, audiences: frozenset[str], now: dt.datetime) -> Signed | None:
        """Who signed a request; ``None`` when none are configured.

        Args:
            authorization: the header.
            audiences: addresses of the service that was called; the token must be meant for one of them.

        Raises:
            TokenError: absent, forged, expired, of an unknown client, or meant for another service.
        """
        if not self._clients:
            return None
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise _refused("un jeton signé est attendu (Authorization: Bearer)", "a signed token is expected")
        claims = self._claims(token.strip())
        issuer = str(claims["iss"])
        issued, expires = _moment(claims, "iat"), _moment(claims, "exp")
        if expires + LEEWAY <= now:
            raise _refused("jeton expiré", "the token has expired")
        if issued - LEEWAY > now or expires <= issued:
            raise _refused("jeton daté de l'avenir", "the token is dated in the future")
        if expires - issued > LONGEST:
            raise _refused("jeton valable plus de 24 heures", "the token is valid for over 24 hours")
        given = claims.get("aud")
        meant = (
            {given}
            if isinstance(given, str)
            else {a for a in given if isinstance(a, str)}
            if isinstance(given, list)
            else set()
        )
        if not {a.rstrip("/") for a in meant} & audiences:
            raise _refused("jeton destiné à un autre service (aud)", "the token is meant for another service (aud)")
        nonce = claims.get("jti")
        if not isinstance(nonce, str) or not nonce:
            raise _refused("jeton sans identifiant (jti)", "the token has no identifier (jti)")
        return Signed(issuer, nonce, expires + LEEWAY)

    def _claims(self, token: str) -> Mapping[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError

        if len(token) > JWT_CHARACTERS:
            raise _refused("jeton trop long", "the token is too long")
        header, claimed = _parts(token)
        kid, issuer = header.get("kid"), claimed.get("iss")
        if not isinstance(kid, str) or not isinstance(issuer, str):
            raise _refused("jeton sans kid ou sans iss", "the token has no kid or no iss")
        keys = self._clients.get(issuer)
        if keys is None:
            raise _refused("émetteur inconnu de ce laboratoire", "an issuer this lab does not know")
        try:
            return jwt.decode(token, keys.get(kid), algorithms=ALGORITHMS).claims
        except (JoseError, ValueError) as error:
            raise _refused("signature refusée", "the signature is refused") from error


def of(settings: Settings, fetch: Callable[[str], bytes] | None = None) -> Clients:
    """The clients that the settings name.

    Raises:
        InputError: the file cannot be used.
    """
    path = settings.cds_clients_file
    if path is None:
        return Clients({})
    if not settings.public_url:  # else a caller's own Host header would decide whom a token is meant for
        raise _unusable(path, "LAB39_URL")
    try:
        rows = tomllib.loads(path.read_text("utf-8")).get("client", [])
        found = [_client(row, path.parent) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unusable(path, str(error)) from error
    if not found:
        raise _unusable(path, "[[client]]")
    return Clients({client.issuer: Keys(client, fetch) for client in found})


def _client(row: Mapping[str, Any], folder: Path) -> Client:
    issuer, file, url = row["issuer"], row.get("jwks", ""), row.get("jwks_url", "")
    if not isinstance(issuer, str) or not issuer or bool(file) == bool(url):
        raise ValueError("issuer, and either jwks or jwks_url")
    if url and not url.startswith("https://"):
        raise ValueError(f"{url}: https is expected")
    return Client(issuer, folder / file if file else None, url)


def _key_set(read: Callable[[], bytes], issuer: str, before: KeySet | None) -> KeySet:
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    try:
        return KeySet.import_key_set(json.loads(read()))
    except (OSError, ValueError, KeyError, TypeError, JoseError) as error:
        if before is not None:  # the address does not answer now; the keys it gave before still hold
            return before
        raise _unreadable(issuer) from error


def _fetch(url: str) -> bytes:
    import httpx

    try:
        with (
            httpx.Client(verify=_certificates(), follow_redirects=False, timeout=5.0) as client,
            client.stream("GET", url) as answer,
        ):
            answer.raise_for_status()
            found = bytearray()
            for chunk in answer.iter_bytes():
                found += chunk
                if len(found) > JWKS_BYTES:
                    raise ValueError("too large")
            return bytes(found)
    except httpx.HTTPError as error:
        raise OSError(type(error).__name__) from error


@cache
def _certificates() -> Any:
    import ssl

    return ssl.create_default_context()


def _parts(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The header and claims as they are written, before anything of them is believed."""
    import base64
    import binascii

    pieces = token.split(".")
    try:
        if len(pieces) != 3:
            raise ValueError("not a JWT")
        header, claims = (
            jsontext.loads(base64.urlsafe_b64decode(piece + "=" * (-len(piece) % 4)), max_depth=8)
            for piece in pieces[:2]
        )
    except (ValueError, binascii.Error, InputError) as error:
        raise _refused("ce n'est pas un jeton JWT", "this is not a JWT") from error
    if not isinstance(header, Mapping) or not isinstance(claims, Mapping):
        raise _refused("ce n'est pas un jeton JWT", "this is not a JWT")
    return header, claims


def _moment(claims: Mapping[str, Any], name: str) -> dt.datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e11:
        raise _refused(f"jeton sans {name}", f"the token has no {name}")
    return dt.datetime.fromtimestamp(value, dt.UTC)


def _refused(fr: str, en: str) -> TokenError:
    return TokenError(Text(fr, en), "Authorization")


def _unreadable(issuer: str) -> TokenError:
    return TokenError(
        Text("les clés de cet émetteur sont illisibles", "the keys of this issuer cannot be read"), issuer
    )


def _unusable(path: Path, why: str) -> InputError:
    return InputError(
        Text(
            f"fichier des clients CDS inutilisable\u202f: {why}", f"the file of CDS clients cannot be used: {why}"
        ),
        str(path),
    )
