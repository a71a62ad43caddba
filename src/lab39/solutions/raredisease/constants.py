"""The constants of the model, read from ``knowledge/model.toml`` where each one carries its source."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

FORMAT = 2
"""Of the compiled index; raise it when its arrays change."""


@dataclass(frozen=True, slots=True)
class Constants:
    """Every number of the model; meanings and sources in ``knowledge/model.toml``.

    The first group shapes the compiled index, the second only the ranking.
    """

    version: str
    pseudo_count: float
    prior_frequency: float
    class_weight: float
    class_frequency: Mapping[str, float]

    distance_decay: float
    noise: float
    excluded_weight: float
    inverse_temperature: float
    sign_dependence: float
    background_log_odds: float
    frequent: float
    negligible: float

    def compiled(self) -> dict[str, Any]:
        """Those an index depends on: an index made with others must be made again."""
        return {
            "pseudo_count": self.pseudo_count,
            "prior_frequency": self.prior_frequency,
            "class_weight": self.class_weight,
            "class_frequency": dict(sorted(self.class_frequency.items())),
        }

    @property
    def key(self) -> str:
        """Eight characters that change when the form of the index, or a constant it depends on, changes."""
        written = json.dumps({"format": FORMAT, **self.compiled()}, sort_keys=True)
        return hashlib.sha256(written.encode()).hexdigest()[:8]

    @property
    def index_name(self) -> str:
        """File name of the index for these constants."""
        return f"ranking-v{FORMAT}-{self.key}.npz"


def parse_constants(text: str) -> Constants:
    """Read a model file.

    Raises:
        ValueError: naming the constant that is missing, has no source or is not a number.
    """
    table = tomllib.loads(text)
    values: dict[str, Any] = {"version": str(table["version"])}
    for name in (f.name for f in fields(Constants) if f.name != "version"):
        entry = table.get(name)
        if not isinstance(entry, dict) or not entry.get("source"):
            raise ValueError(f"model.toml: {name} needs a value and a source")
        value = entry.get("value")
        if isinstance(value, dict):
            values[name] = MappingProxyType({k: float(v) for k, v in value.items()})
        elif isinstance(value, int | float) and not isinstance(value, bool):
            values[name] = float(value)
        else:
            raise ValueError(f"model.toml: {name}.value must be a number")
    return Constants(**values)


@cache
def load_constants() -> Constants:
    """The constants shipped with the lab."""
    path = files("lab39.solutions.raredisease") / "knowledge" / "model.toml"
    return parse_constants(path.read_text(encoding="utf-8"))
