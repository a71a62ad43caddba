"""Figures from which a pair is looked at, each with its source in ``knowledge/triage.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any


@cache
def triage_facts() -> dict[str, Any]:
    """The file ``knowledge/triage.toml``."""
    return tomllib.loads((Path(__file__).parent / "knowledge" / "triage.toml").read_text("utf-8"))


FEWEST_REPORTS: int = triage_facts()["criteria"]["few"]["reports_least"]
"""Reports of a pair below which it is not held to be a signal, whatever its scores (PMC6594230, table 2)."""
