"""Every setting of the lab in one place, read from the environment (prefix ``LAB39_``)."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def _home() -> Path:
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "lab39"


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set.

    Attributes:
        home: where packs and compiled indexes live (``LAB39_HOME``).
        database: URL of SQLAlchemy (``LAB39_DATABASE_URL``); a SQLite file under ``home`` when empty.
        heads_folder: where signed audit heads are exported, best on another disk (``LAB39_HEADS``).
        tsa_url: time-stamping authority that stamps audit heads (RFC 3161); none unless told (``LAB39_TSA_URL``).
        tsa_roots: PEM certificates that its stamps are verified with (``LAB39_TSA_ROOTS``).
        blobs_at: where files kept outside the database are, a folder or ``s3://bucket/prefix`` (``LAB39_BLOBS``);
            a folder of ``home`` when empty.
        blobs_endpoint: address of a server that speaks S3 (``LAB39_BLOBS_ENDPOINT``); that of AWS when empty.
            https, or http on this machine.
        blob_key_file: the keys that encrypt blobs at rest; none unless told (``LAB39_BLOB_KEY_FILE``).
        shared: real data for tests and benchmarks, if present (``LAB39_SHARED``).
        lang: language of messages, ``fr`` or ``en`` (``LAB39_LANG``).
        max_bytes: the largest single record read, unpacked (``LAB39_MAX_BYTES``).
        max_values: how many values a single record may hold (``LAB39_MAX_VALUES``).
        max_depth: how deep a document may nest (``LAB39_MAX_DEPTH``).
        timezone: where the lab is; decides what day it is (``LAB39_TIMEZONE``).
        public_url: how browsers reach the lab, ``https://lab.example.org`` (``LAB39_URL``); links in invitations
            begin with it, and with https cookies are only sent over https.
        apprise: the service of each channel, ``mail=mailtos://…`` (``LAB39_APPRISE``, separated by spaces);
            ``{to}`` in a URL becomes the recipient's address.
        oidc_file: who else may sign people in, a TOML file (``LAB39_OIDC_FILE``).
        fhir_servers: base addresses the lab may call back when a CDS client leaves out data
            (``LAB39_FHIR_SERVERS``, separated by commas); none unless told. https, or http on this machine.
        cds_clients_file: who may call the CDS services, a TOML file (``LAB39_CDS_CLIENTS_FILE``); without it
            calls are not signed.
        cds_origins: web pages that may call the CDS services from a browser (``LAB39_CDS_ORIGINS``, commas).
        api_rate: calls of the API from one address or session, by each worker (``LAB39_API_RATE``).
        form_rate: forms and uploads from one address or session, by each worker (``LAB39_FORM_RATE``).
        proxies: reverse proxies that are believed about who calls (``LAB39_PROXIES``, addresses or networks
            separated by commas); none unless told.
        monitors: who may read the lab's figures (``LAB39_MONITORS``, the same); this machine unless told.
        time_limit_seconds: what one solution may take on one record (``LAB39_TIME_LIMIT``).
    """

    home: Path = field(default_factory=_home)
    database: str = ""
    heads_folder: Path | None = None
    tsa_url: str = ""
    tsa_roots: Path | None = None
    blobs_at: str = ""
    blobs_endpoint: str = ""
    blob_key_file: Path | None = None
    shared: Path = Path("../shared")
    lang: Literal["fr", "en"] = "fr"
    max_bytes: int = 64 * 1024 * 1024
    max_values: int = 4_000_000
    max_depth: int = 64
    timezone: str = "Europe/Paris"
    public_url: str = ""
    apprise: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # URLs hold passwords
    oidc_file: Path | None = None
    api_rate: str = "6000 per 10 second"
    form_rate: str = "240 per minute"
    proxies: tuple[str, ...] = ()
    monitors: tuple[str, ...] = ("127.0.0.0/8", "::1")
    fhir_servers: tuple[str, ...] = ()
    cds_clients_file: Path | None = None
    cds_origins: tuple[str, ...] = ()
    time_limit_seconds: float = 10.0

    @property
    def database_url(self) -> str:
        """Of the database that is used."""
        return self.database or f"sqlite:///{self.home / 'lab39.db'}"

    @property
    def heads(self) -> Path:
        """Where signed audit heads are exported."""
        return self.heads_folder or self.home / "heads"

    @property
    def keys(self) -> Path:
        """Where the lab keeps its own keys (audit signature, sessions); readable by its user only."""
        return self.home / "keys"

    @property
    def blobs(self) -> Path | str:
        """Where files kept outside the database live: a folder, or the URL of a bucket."""
        if self.blobs_at.startswith("s3://"):
            return self.blobs_at
        return Path(self.blobs_at).expanduser() if self.blobs_at else self.home / "blobs"

    @property
    def packs(self) -> Path:
        """Where installed data packs live."""
        return self.home / "packs"

    @property
    def cache(self) -> Path:
        """Where compiled indexes live; safe to delete."""
        return self.home / "cache"

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Settings:
        """Read the environment.

        Raises:
            ValueError: naming the variable whose value cannot be used.
        """
        env = os.environ if env is None else env
        default = cls()
        lang = env.get("LAB39_LANG", default.lang)
        if lang not in ("fr", "en"):
            raise ValueError(f"LAB39_LANG={lang!r}: fr or en")

        def positive(name: str, fallback: float) -> float:
            raw = env.get(name)
            if raw is None:
                return fallback
            try:
                value = float(raw)
            except ValueError:
                value = -1.0
            if not 0 < value < float("inf"):
                raise ValueError(f"{name}={raw!r}: a positive number is expected")
            return value

        def rate(name: str, fallback: str) -> str:
            value = env.get(name, fallback)
            if not re.fullmatch(r"[1-9]\d* (per|/) ([1-9]\d* )?(second|minute|hour)", value):
                raise ValueError(f"{name}={value!r}: “240 per minute” is expected, or “6000 per 10 second”")
            return value

        public_url = env.get("LAB39_URL", "").rstrip("/")
        if public_url and not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+", public_url):
            raise ValueError(
                f"LAB39_URL={public_url!r}: https://host or https://host:port is expected, without a path"
            )

        timezone = env.get("LAB39_TIMEZONE", default.timezone)
        try:
            ZoneInfo(timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"LAB39_TIMEZONE={timezone!r}: a time zone is expected, “Europe/Paris”") from None

        apprise = []
        for word in env.get("LAB39_APPRISE", "").split():
            found = re.fullmatch(r"(?:(?P<channel>[a-z][a-z0-9-]{0,19})=)?(?P<url>[a-z0-9]+://\S+)", word)
            if found is None:  # the word is not shown: it may hold a password
                raise ValueError("LAB39_APPRISE: channel=scheme://… is expected, several separated by spaces")
            apprise.append((found["channel"] or "mail", found["url"]))

        return cls(
            home=Path(env["LAB39_HOME"]).expanduser() if env.get("LAB39_HOME") else default.home,
            database=env.get("LAB39_DATABASE_URL", ""),
            heads_folder=Path(env["LAB39_HEADS"]).expanduser() if env.get("LAB39_HEADS") else None,
            tsa_url=env.get("LAB39_TSA_URL", ""),
            tsa_roots=Path(env["LAB39_TSA_ROOTS"]).expanduser() if env.get("LAB39_TSA_ROOTS") else None,
            blobs_at=_blobs(env),
            blobs_endpoint=_endpoint(env),
            blob_key_file=(
                Path(env["LAB39_BLOB_KEY_FILE"]).expanduser() if env.get("LAB39_BLOB_KEY_FILE") else None
            ),
            shared=Path(env.get("LAB39_SHARED") or default.shared),
            lang=cast(Literal["fr", "en"], lang),
            max_bytes=int(positive("LAB39_MAX_BYTES", default.max_bytes)),
            max_values=int(positive("LAB39_MAX_VALUES", default.max_values)),
            max_depth=int(positive("LAB39_MAX_DEPTH", default.max_depth)),
            timezone=timezone,
            public_url=public_url,
            apprise=tuple(apprise),
            api_rate=rate("LAB39_API_RATE", default.api_rate),
            form_rate=rate("LAB39_FORM_RATE", default.form_rate),
            proxies=_networks(env, "LAB39_PROXIES", default.proxies),
            monitors=_networks(env, "LAB39_MONITORS", default.monitors),
            oidc_file=Path(env["LAB39_OIDC_FILE"]).expanduser() if env.get("LAB39_OIDC_FILE") else None,
            fhir_servers=_addresses(env, "LAB39_FHIR_SERVERS", path=True),
            cds_clients_file=(
                Path(env["LAB39_CDS_CLIENTS_FILE"]).expanduser() if env.get("LAB39_CDS_CLIENTS_FILE") else None
            ),
            cds_origins=_addresses(env, "LAB39_CDS_ORIGINS", path=False),
            time_limit_seconds=positive("LAB39_TIME_LIMIT", default.time_limit_seconds),
        )


_ADDRESS = re.compile(
    r"(?:https://[A-Za-z0-9.-]+|http://(?:localhost|127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?(?P<path>(?:/[A-Za-z0-9._~-]+)*)"
)


def _blobs(env: Mapping[str, str]) -> str:
    """A folder or a bucket. The value is not shown when it is neither: it may hold a password."""
    raw = env.get("LAB39_BLOBS", "")
    value = raw.rstrip("/") or raw
    if "://" in raw and not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[A-Za-z0-9!_.*'()-]+)*", value):
        raise ValueError(
            "LAB39_BLOBS: a folder or s3://bucket/prefix is expected; credentials go in AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY, the address of a server in LAB39_BLOBS_ENDPOINT"
        )
    return value


def _endpoint(env: Mapping[str, str]) -> str:
    found = _addresses(env, "LAB39_BLOBS_ENDPOINT", path=True)
    if len(found) > 1:
        raise ValueError("LAB39_BLOBS_ENDPOINT: one address is expected")
    return found[0] if found else ""


def _networks(env: Mapping[str, str], name: str, fallback: tuple[str, ...]) -> tuple[str, ...]:
    """Addresses or networks separated by commas."""
    if name not in env:
        return fallback
    found = tuple(part.strip() for part in env[name].split(",") if part.strip())
    for each in found:
        try:
            ipaddress.ip_network(each)
        except ValueError as error:
            raise ValueError(f"{name}={each!r}: an address or a network is expected, “10.0.0.0/8”") from error
    return found


def _addresses(env: Mapping[str, str], name: str, *, path: bool) -> tuple[str, ...]:
    """Addresses separated by commas, without a slash at the end."""
    found = tuple(part.strip().rstrip("/") for part in env.get(name, "").split(",") if part.strip())
    for address in found:
        match = _ADDRESS.fullmatch(address)
        if match is None or (match["path"] and not path):
            form = "https://host/path" if path else "https://host, without a path"
            raise ValueError(f"{name}={address!r}: {form} is expected (http only for this machine)")
    return found
