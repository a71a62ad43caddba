"""Every setting of the lab in one place, read from the environment (prefix ``LAB39_``)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast


def _home() -> Path:
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "lab39"


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set.

    Attributes:
        home: where packs and compiled indexes live (``LAB39_HOME``).
        shared: real data for tests and benchmarks, if present (``LAB39_SHARED``).
        lang: language of messages, ``fr`` or ``en`` (``LAB39_LANG``).
        max_bytes: the largest single record read, unpacked (``LAB39_MAX_BYTES``).
        max_values: how many values a single record may hold (``LAB39_MAX_VALUES``).
        max_depth: how deep a document may nest (``LAB39_MAX_DEPTH``).
        time_limit_seconds: what one solution may take on one record (``LAB39_TIME_LIMIT``).
    """

    home: Path = field(default_factory=_home)
    shared: Path = Path("../shared")
    lang: Literal["fr", "en"] = "fr"
    max_bytes: int = 64 * 1024 * 1024
    max_values: int = 4_000_000
    max_depth: int = 64
    time_limit_seconds: float = 10.0

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

        return cls(
            home=Path(env["LAB39_HOME"]).expanduser() if env.get("LAB39_HOME") else default.home,
            shared=Path(env.get("LAB39_SHARED") or default.shared),
            lang=cast(Literal["fr", "en"], lang),
            max_bytes=int(positive("LAB39_MAX_BYTES", default.max_bytes)),
            max_values=int(positive("LAB39_MAX_VALUES", default.max_values)),
            max_depth=int(positive("LAB39_MAX_DEPTH", default.max_depth)),
            time_limit_seconds=positive("LAB39_TIME_LIMIT", default.time_limit_seconds),
        )
