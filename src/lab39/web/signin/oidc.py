"""Sign-in with an account elsewhere: OpenID Connect, authorization code with PKCE (RFC 7636), state and nonce bound
to the browser by one cookie that is used once."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lab39.core.text import Text
from lab39.web.api import refusals
from lab39.web.house import House
from lab39.web.signin import tokens
from lab39.web.signin.providers import ENDPOINTS, LOCAL, SECRET_BY, Provider
from lab39.web.signin.tokens import TokenError

if TYPE_CHECKING:
    import httpx
    from joserfc.jwk import KeySet

STATE_COOKIE = "lab39_oidc"
STATE_LIFE = dt.timedelta(minutes=10)
KEPT = dt.timedelta(hours=1)
"""How long endpoints and keys of an issuer are remembered."""
AGAIN = dt.timedelta(minutes=1)
"""How soon keys are asked for again when a token names one that is not known."""
ANSWER_BYTES = 1024**2
SECONDS = 5.0


class IssuerError(refusals.RefusedError):
    """The issuer does not answer, or not as it should; not the person's fault."""

    status = 502


@dataclass(frozen=True, slots=True)
class Start:
    """What this browser set out to do; lives in its cookie, signed.

    Attributes:
        provider: with whom.
        state: random; nonce and code verifier are derived from it with the lab's secret.
        issued: seconds since 1970.
        target: where to go afterwards.
        person: who links this account to theirs; empty to sign in.
        invitation: the code of an invitation that is accepted by linking this account.
    """

    provider: str
    state: str
    issued: int
    target: str = ""
    person: str = ""
    invitation: str = field(default="", repr=False)

    def nonce(self, secret: bytes) -> str:
        """Stands in the ID token."""
        return _derived(secret, "nonce", self.state)

    def verifier(self, secret: bytes) -> str:
        """Proves to the issuer that the one who redeems the code is the one who asked for it."""
        return _derived(secret, "verifier", self.state)

    def sealed(self, secret: bytes) -> str:
        """The cookie's value."""
        values = [getattr(self, name) for name in self.__dataclass_fields__]
        text = base64.urlsafe_b64encode(json.dumps(values).encode()).decode()
        return f"{text}.{_derived(secret, 'start', text)}"

    @classmethod
    def opened(cls, secret: bytes, value: str, now: dt.datetime) -> Start | None:
        """Read from the cookie; ``None`` when it is absent, not ours, or too old."""
        text, _, mark = value.partition(".")
        if not text or not hmac.compare_digest(mark.encode(), _derived(secret, "start", text).encode()):
            return None
        try:
            start = cls(*json.loads(base64.urlsafe_b64decode(text)))
        except (binascii.Error, ValueError, TypeError):
            return None
        return start if 0 <= now.timestamp() - start.issued <= STATE_LIFE.total_seconds() else None


def begin(here: House, provider: Provider, *, target: str = "", person: str = "", invitation: str = "") -> Start:
    """Set out."""
    return Start(provider.name, secrets.token_urlsafe(24), int(here.now().timestamp()), target, person, invitation)


@dataclass(frozen=True, slots=True)
class _Known:
    """What an issuer said of itself."""

    at: dt.datetime
    endpoints: Mapping[str, str]
    keys: KeySet


class Relying:
    """The lab towards one issuer: asks, redeems, checks; remembers endpoints and keys.

    Args:
        http: makes a client; tests bring their own.
    """

    def __init__(self, provider: Provider, http: Callable[[], httpx.Client] | None = None) -> None:
        self.provider = provider
        self._http = http or _client
        self._known: _Known | None = None
        self._lock = threading.Lock()

    def address(self, here: House, start: Start) -> str:
        """Where to send the browser.

        Raises:
            IssuerError
        """
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        more = {"acr_values": " ".join(self.provider.acr)} if self.provider.acr else {}
        known = self._about(here.now())
        uri: str = prepare_grant_uri(
            known.endpoints["authorization_endpoint"],
            client_id=self.provider.client_id,
            response_type="code",
            redirect_uri=self.back(here),
            scope=self.provider.scope,
            state=start.state,
            nonce=start.nonce(here.secret),
            code_challenge=create_s256_code_challenge(start.verifier(here.secret)),
            code_challenge_method="S256",
            **more,
        )
        return uri

    def back(self, here: House) -> str:
        """Where the issuer sends the browser back; registered with it. Never taken from the request."""
        return f"{here.settings.public_url}/sign-in/with/{self.provider.name}/back"

    def redeem(self, here: House, start: Start, code: str) -> Mapping[str, Any]:
        """What the issuer says of who signed in: the claims of the ID token and of its userinfo.

        Raises:
            TokenError: what came proves nothing.
            IssuerError
        """
        known = self._about(here.now())
        given = self._exchange(here, known, start, code)
        token, access = given.get("id_token"), given.get("access_token")
        if not isinstance(access, str) or not access:
            raise TokenError("token")
        if not tokens.knows(known.keys, token):
            known = self._about(here.now(), fresh=AGAIN)
        said = tokens.claims(
            token,
            known.keys,
            self.provider,
            nonce=start.nonce(here.secret),
            access_token=access,
            now=int(here.now().timestamp()),
        )
        told = self._json(
            "GET", known.endpoints["userinfo_endpoint"], headers={"authorization": f"Bearer {access}"}
        )
        if told.get("sub") != said["sub"]:  # OpenID Connect Core 1.0, section 5.3.2
            raise TokenError("userinfo")
        return {**told, **said}

    def _exchange(self, here: House, known: _Known, start: Start, code: str) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.back(here),
            "code_verifier": start.verifier(here.secret),
        }
        auth: tuple[str, str] | None = (self.provider.client_id, self.provider.client_secret)
        if self.provider.secret_by == SECRET_BY[1]:
            form |= {"client_id": self.provider.client_id, "client_secret": self.provider.client_secret}
            auth = None
        return self._json("POST", known.endpoints["token_endpoint"], data=form, auth=auth, refused="code")

    def _about(self, at: dt.datetime, fresh: dt.timedelta = KEPT) -> _Known:
        with self._lock:
            if self._known is None or not dt.timedelta(0) <= at - self._known.at < fresh:
                endpoints = self.provider.endpoints or self._discover()
                try:
                    keys = tokens.keys(self._json("GET", endpoints["jwks_uri"]))
                except TokenError:
                    raise self._silent("keys") from None
                self._known = _Known(at, endpoints, keys)
            return self._known

    def _discover(self) -> Mapping[str, str]:
        said = self._json("GET", self.provider.issuer.rstrip("/") + "/.well-known/openid-configuration")
        endpoints = {name: said.get(name) for name in ENDPOINTS}
        if said.get("issuer") != self.provider.issuer:  # OpenID Connect Discovery 1.0, section 4.3
            raise self._silent("issuer")
        for url in endpoints.values():
            local = any(str(url).startswith(f"http://{host}") for host in LOCAL)
            if not isinstance(url, str) or not (url.startswith("https://") or local):
                raise self._silent("endpoints")
        return {name: str(url) for name, url in endpoints.items()}

    def _json(self, method: str, url: str, *, refused: str = "", **kwargs: Any) -> Mapping[str, Any]:
        """A JSON object from the issuer.

        Args:
            refused: the reason to tell when it answers 400 or 401; those are otherwise its own failure.
        """
        import httpx

        try:
            with self._http() as client, client.stream(method, url, **kwargs) as response:
                body = b""
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > ANSWER_BYTES:
                        raise self._silent("size")
            if refused and response.status_code in (400, 401):
                raise TokenError(refused)
            response.raise_for_status()
            found = json.loads(body)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
            raise self._silent(type(error).__name__) from error
        if not isinstance(found, dict):
            raise self._silent("json")
        return found

    def _silent(self, why: str) -> IssuerError:
        title = self.provider.title
        return IssuerError(
            Text(
                f"{title} ne répond pas comme attendu ({why})\u202f: réessayer, ou entrer avec un mot de passe du "
                "laboratoire",
                f"{title} does not answer as expected ({why}): try again, or sign in with a password of the lab",
            )
        )


def _client() -> httpx.Client:
    import httpx

    return httpx.Client(timeout=SECONDS, follow_redirects=False, trust_env=True)


def _derived(secret: bytes, what: str, text: str) -> str:
    mark = hmac.new(secret, f"oidc {what}\0{text}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mark).decode().rstrip("=")
