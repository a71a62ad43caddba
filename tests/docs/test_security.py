"""The list of ASVS 5.0 in the docs is whole."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
ITEMS = {
    1: "1.1-2 2.1-9 3.1-11 4.1-3 5.1-2",
    2: "1.1-3 2.1-3 3.1-4 4.1-1",
    3: "2.1-2 3.1-4 4.1-6 5.1-5 7.1-2",
    4: "1.1-3 2.1-1 3.1-2 4.1-4",
    5: "1.1-1 2.1-3 3.1-2 4.1-3",
    6: "1.1-3 2.1-12 3.1-4 4.1-4 5.1-5 6.1-3 8.1-4",
    7: "1.1-3 2.1-4 3.1-2 4.1-5 5.1-2 6.1-2",
    8: "1.1-2 2.1-3 3.1-1 4.1-1",
    9: "1.1-3 2.1-4",
    10: "1.1-2 2.1-2 3.1-4 4.1-11 5.1-5 6.1-2 7.1-3",
    11: "1.1-2 2.1-3 3.1-3 4.1-4 5.1-1 6.1-1",
    12: "1.1-3 2.1-2 3.1-4",
    13: "1.1-1 2.1-5 3.1-2 4.1-5",
    14: "1.1-2 2.1-4 3.1-3",
    15: "1.1-3 2.1-3 3.1-7",
    16: "1.1-1 2.1-5 3.1-4 4.1-3 5.1-3",
    17: "1.1-1 2.1-4 3.1-2",
}
"""Chapter: section.first-last, of levels 1 and 2 (OWASP ASVS 5.0.0, the CSV of its release)."""
STATES = {"met", "partly", "proxy", "not met", "n.a."}


def items() -> list[str]:
    found = []
    for chapter, sections in ITEMS.items():
        for section in sections.split():
            number, _, span = section.partition(".")
            first, _, last = span.partition("-")
            found += [f"{chapter}.{number}.{each}" for each in range(int(first), int(last) + 1)]
    return found


def test_every_item_of_level_2_has_a_state_and_what_is_not_met_says_why():
    rows = re.findall(r"^\| (\d+\.\d+\.\d+) \| ([^|]+) \| ([^|]*)\|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert len(items()) == 253
    assert [row[0] for row in rows] == items()
    assert {state for _, state, _ in rows} <= STATES
    assert [item for item, state, how in rows if state in ("partly", "not met") and not how.strip()] == []
