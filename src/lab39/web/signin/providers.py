"""Who else may sign people in: the TOML file that ``LAB39_OIDC_FILE`` names, refused whole when wrong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.settings import Settings

NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures of a key pair only: with a shared secret, whoever checks could also sign."""
USUAL = ("RS256", "PS256", "ES256")
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
LOCAL = ("localhost", "127.0.0.1", "::1")
SECRET_BY = ("client_secret_basic", "client_secret_post")

Admits = Literal["nobody", "professionals"]


@dataclass(frozen=True, slots=True)
class Provider:
    """One issuer of accounts.

    Attributes:
        name: stands in addresses (``/sign-in/with/psc``).
        title: as people know it.
        issuer: exactly what its tokens say.
        claims: how its claims tell a professional identity: ``pro-sante-connect`` or nothing.
        admits: whom it brings in who is not known yet: nobody, or those it says are health professionals.
        endpoints: those given by hand; none, they are discovered.
        acr: levels of authentication to ask for; a token without one of them is refused.
    """

    name: str
    title: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = "openid"
    claims: str = ""
    admits: Admits = "nobody"
    endpoints: Mapping[str, str] = field(default_factory=dict)
    algorithms: tuple[str, ...] = USUAL
    acr: tuple[str, ...] = ()
    secret_by: str = SECRET_BY[0]


def providers(settings: Settings) -> Mapping[str, Provider]:
    """Those of the settings, by name; none when no file is named.

    Raises:
        InputError: naming the place in the file.
    """
    path = settings.oidc_file
    if path is None:
        return {}
    if not settings.public_url:
        raise InputError(
            Text(
                "la connexion par un compte extérieur demande l'adresse publique du laboratoire (LAB39_URL)",
                "signing in with an account elsewhere needs the public address of the lab (LAB39_URL)",
            ),
            "LAB39_OIDC_FILE",
        )
    try:
        rows = tomllib.loads(path.read_text("utf-8"))["provider"]
        return {name: _provider(name, row, path) for name, row in rows.items()}
    except OSError as error:
        raise _wrong(path, "", error.strerror or "") from error
    except (tomllib.TOMLDecodeError, KeyError, AttributeError, TypeError) as error:
        raise _wrong(path, "", f"[provider.NAME] {error}") from error


def _provider(name: str, row: dict[str, Any], path: Path) -> Provider:
    def said(key: str, default: str | None = None) -> str:
        value = row.pop(key, default)
        if not isinstance(value, str) or (default is None and not value):
            raise _wrong(path, f"{name}.{key}", "text expected")
        return value

    row = dict(row)
    if not NAME.fullmatch(name):
        raise _wrong(path, name, "a-z, 0-9, -")
    endpoints = {key: _address(said(key), path, f"{name}.{key}") for key in ENDPOINTS if key in row}
    if endpoints and set(endpoints) != set(ENDPOINTS):
        raise _wrong(path, name, "all or none: " + ", ".join(ENDPOINTS))
    algorithms, acr = row.pop("algorithms", list(USUAL)), row.pop("acr", [])
    if not set(algorithms) <= set(ALGORITHMS) or not algorithms:
        raise _wrong(path, f"{name}.algorithms", ", ".join(ALGORITHMS))
    found = Provider(
        name=name,
        title=said("title"),
        issuer=_address(said("issuer"), path, f"{name}.issuer"),
        client_id=said("client_id"),
        client_secret=_secret(Path(said("client_secret_file")).expanduser(), path, name),
        scope=said("scope", "openid"),
        claims=_one(said("claims", ""), ("", "pro-sante-connect"), path, f"{name}.claims"),
        admits=_one(said("admits", "nobody"), ("nobody", "professionals"), path, f"{name}.admits"),  # type: ignore[arg-type]
        endpoints=endpoints,
        algorithms=tuple(algorithms),
        acr=tuple(acr),
        secret_by=_one(said("secret_by", SECRET_BY[0]), SECRET_BY, path, f"{name}.secret_by"),
    )
    if row:
        raise _wrong(path, name, "unknown: " + ", ".join(row))
    if "openid" not in found.scope.split():
        raise _wrong(path, f"{name}.scope", "openid")
    if found.admits == "professionals" and not found.claims:
        raise _wrong(path, f"{name}.admits", 'claims = "pro-sante-connect"')
    return found


def _secret(file: Path, path: Path, name: str) -> str:
    try:
        secret = file.read_text("utf-8").strip()
    except OSError as error:
        raise _wrong(path, f"{name}.client_secret_file", error.strerror or "") from error
    if not secret:
        raise _wrong(path, f"{name}.client_secret_file", "empty")
    return secret


def _address(url: str, path: Path, place: str) -> str:
    """Over https; over http only on this machine, for tests."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL):
        return url
    raise _wrong(path, place, "https://…")


def _one(value: str, known: tuple[str, ...], path: Path, place: str) -> str:
    if value not in known:
        raise _wrong(path, place, " | ".join(known))
    return value


def _wrong(path: Path, place: str, why: str) -> InputError:
    where = f"{path}: {place}" if place else str(path)
    return InputError(Text.same(why), where)
