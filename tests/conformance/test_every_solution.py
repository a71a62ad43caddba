"""Every installed solution, built in or foreign, holds to every point of the suite."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from lab39 import conformance
from lab39.core.lab import entry_points
from lab39.settings import Settings

EXAMPLES = Path(__file__).parents[2] / "examples"
PAIRS = [
    pytest.param(name, point.id, marks=pytest.mark.xdist_group(f"conformance-{name}"), id=f"{name}: {point.id}")
    for name in entry_points()
    for point in conformance.CHECKS
]


@cache
def rows(name: str) -> dict[str, conformance.Row]:
    """The suite over one solution, with the examples as records too: one run serves all its points."""
    return {row.id: row for row in conformance.check(name, settings=Settings.from_env(), records=[EXAMPLES])}


@pytest.mark.parametrize(("name", "point"), PAIRS)
def test_every_solution_holds_to_every_point(name: str, point: str):
    row = rows(name)[point]
    assert row.passed, row.detail.en
