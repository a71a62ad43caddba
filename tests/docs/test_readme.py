"""The README says what the evidence cards say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lab39.core.lab import Lab
from lab39.core.text import percent
from lab39.settings import Settings

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
SOLUTIONS = Lab.discover(Settings()).solutions


@pytest.mark.parametrize("name", list(SOLUTIONS))
def test_every_solution_has_a_row_and_every_percentage_in_it_stands_on_its_card(name: str):
    rows = [line for line in README.splitlines() if line.startswith("|") and f"docs/solutions/{name}.md" in line]
    assert len(rows) == 1
    shown = re.findall(r"\d+\.\d%", rows[0])
    figures = SOLUTIONS[name].evidence().figures
    measured = {percent(m.value, "en") for f in figures if f.unit == "fraction" for m in (f.ours, *f.peers)}
    assert shown
    assert set(shown) <= measured


def test_the_two_commands_stand_at_the_top():
    assert README.index("make demo") < README.index("make test") < README.index("## ")
