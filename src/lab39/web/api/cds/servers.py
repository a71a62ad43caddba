"""Calling a CDS client's FHIR server back: only those the lab was told, within a time and a size."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from lab39.core.errors import LabError
from lab39.core.text import Text
from lab39.fhir import jsontext
from lab39.settings import Settings

if TYPE_CHECKING:
    import httpx

SECONDS = 5.0
"""For everything one request fetches: a CDS client waits for it."""
PAGES = 20
Opener = Callable[[], "httpx.Client"]


class UnreachableError(LabError):
    """A FHIR server that did not give what was asked; the text says why, in words without health data."""


class FhirServer:
    """One server that may be called, with the token that came for it.

    Args:
        base: its address, one of ``settings.fhir_servers``.
        token: an OAuth 2.0 access token; empty for none. Sent to this server only, kept nowhere.
    """

    def __init__(self, base: str, token: str, settings: Settings, opener: Opener | None = None) -> None:
        self.base = base
        self._token = token
        self._settings = settings
        self._open = opener or _client
        self._until = time.monotonic() + SECONDS
        self._left = settings.max_bytes

    def get(self, address: str) -> Mapping[str, Any]:
        """A resource or a search result, by an address under the base.

        Raises:
            UnreachableError: refused, too slow, too large, elsewhere, or not FHIR.
        """
        import httpx

        url = address if self.is_here(address) else f"{self.base}/{address}"
        if not self.is_here(url):
            raise UnreachableError(Text("adresse refusée", "the address is refused"), self.base)
        headers = {"accept": "application/fhir+json"}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        try:
            with self._open() as client, client.stream("GET", url, headers=headers, timeout=self._time()) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise self._refused(answer.status_code)
                found = jsontext.loads(self._body(answer), max_depth=self._settings.max_depth)
        except httpx.HTTPError as error:
            kind = type(error).__name__  # its text may hold the address, and with it an identifier
            raise UnreachableError(
                Text(f"serveur FHIR injoignable ({kind})", f"the FHIR server cannot be reached ({kind})"), self.base
            ) from None
        if not isinstance(found, Mapping) or not isinstance(found.get("resourceType"), str):
            raise UnreachableError(Text("réponse qui n'est pas du FHIR", "the answer is not FHIR"), self.base)
        return found

    def is_here(self, address: object) -> bool:
        """Whether an address is under this server: a next page elsewhere is not followed, nor one that climbs out
        of the base (``/fhir/../admin``) to what the same host keeps for itself."""
        if not isinstance(address, str) or not address.startswith((f"{self.base}/", f"{self.base}?")):
            return False
        path = unquote(address[len(self.base) :].partition("?")[0]).replace("\\", "/")
        return not {".", ".."} & set(path.split("/"))

    def _body(self, answer: httpx.Response) -> bytes:
        found = bytearray()
        for chunk in answer.iter_bytes():
            found += chunk
            self._left -= len(chunk)
            if self._left < 0:
                raise UnreachableError(Text("réponse trop volumineuse", "the answer is too large"), self.base)
            self._time()
        return bytes(found)

    def _time(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise UnreachableError(Text("réponse trop lente", "the answer came too late"), self.base)
        return left

    def _refused(self, status: int) -> UnreachableError:
        return UnreachableError(
            Text(f"le serveur FHIR a répondu {status}", f"the FHIR server answered {status}"), self.base
        )


def allowed(address: str | None, settings: Settings) -> str | None:
    """The address of a server the lab may call; ``None`` for any other."""
    wanted = (address or "").rstrip("/")
    return wanted if wanted in settings.fhir_servers else None


def _client() -> httpx.Client:
    import httpx

    return httpx.Client(verify=_certificates(), follow_redirects=False, trust_env=False)


@cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()
