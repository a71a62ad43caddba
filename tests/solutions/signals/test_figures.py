"""Figures and nouns as people read them: nothing is shown as 0 that is not, and nouns agree."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.cli.conftest import run

from lab39.core.text import Lang
from lab39.solutions.signals import console, ranking
from lab39.solutions.signals.board_view import written
from lab39.solutions.signals.figures import DRUGS, counted, figure
from lab39.solutions.signals.pages import _shown

__all__ = ["run"]


@pytest.mark.parametrize(
    ("value", "digits", "french"),
    [
        (None, 2, "–"),
        (0.0, 2, "0,00"),
        (0.005, 2, "0,0050"),
        (0.00512, 2, "0,0051"),
        (0.0099, 2, "0,0099"),
        (0.01, 2, "0,01"),
        (0.00004, 2, "< 0,0001"),
        (-0.00004, 2, "> −0,0001"),
        (-0.004, 2, "−0,0040"),
        (0.04, 1, "0,040"),
        (1234.5, 1, "1\u202f234,5"),
        (-3.0, 0, "−3"),
    ],
)
def test_what_is_not_0_is_never_shown_as_0(value: float | None, digits: int, french: str) -> None:
    assert figure(value, "fr", digits) == french


def test_a_small_expectation_is_told_on_the_terminal_on_the_page_and_on_the_board() -> None:
    expected = ranking.BY_NAME["expected"]
    assert _shown(0.005, expected.digits, "fr") == "0,0050"
    assert written("expected", 0.005, "fr") == "< 0,01"
    row = {"drug": "A", "event": "x", "n": 2, "expected": 0.005, "prr": 300.0, "ic025": 1.0, "eb05": 2.0}
    told = {
        "pairs": [row | {"says": {"fr": "", "en": ""}}], "n_pairs": 1, "n_reports": 1, "n_drugs": 1, "n_events": 1,
        "basis": "reports", "merged": 1, "unnamed": 1, "by": ["sex"], "n_strata": 1, "why_no_gps": None,
        "synthetic": False, "note": {"fr": "", "en": ""},
    }  # fmt: skip
    said = printed(told, "fr")
    assert "0,0050" in said
    assert "1 couple de 1 médicament et 1 événement, 1 notification comptée une fois" in said
    assert "1 doublon lié compté avec un autre cas" in said
    assert "1 ligne sans numéro de cas" in said
    assert "sur 1 strate (sexe)" in said
    assert "1 pair of 1 drug and 1 event, 1 report counted once" in printed(told, "en")


def printed(told: dict[str, Any], lang: Lang) -> str:
    into = io.StringIO()
    console.detected(Console(file=into, width=200), told, lang)
    return into.getvalue()


def test_nouns_agree_as_each_language_counts() -> None:
    assert [counted(n, DRUGS).fr for n in (0, 1, 2)] == ["0 médicament", "1 médicament", "2 médicaments"]
    assert [counted(n, DRUGS).en for n in (0, 1, 2)] == ["0 drugs", "1 drug", "2 drugs"]


def test_a_spreadsheet_given_to_ingest_is_one_line_and_not_its_parts(run: Any, tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "notes.xlsx", "w") as book:
        for part in ("[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"):
            book.writestr(part, "<a/>")
    (tmp_path / "cases.csv").write_text("case,drug,event\n1,A,x\n", "utf-8")
    ran = run("signals", "ingest", tmp_path, "--store", tmp_path / "s", "--json")
    assert (ran.code, ran.json["ignored"]) == (0, ["notes.xlsx"])
    said = run("signals", "ingest", tmp_path / "cases.csv", "--store", tmp_path / "t").out
    assert "1 cas, 1 médicament, 1 événement" in said
