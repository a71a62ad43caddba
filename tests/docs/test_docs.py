"""The samples of the pages are executed: ``>>>`` as doctests, ``console`` blocks as commands.

In a ``console`` block each line that starts with ``$ `` is run in a folder that holds ``examples/`` and must exit
with 0, or with N when it ends in ``# exit N``; the lines under it, if any, must appear in what it printed. A
``json`` block must be JSON. What is not run says so: its block is marked ``text``. Nothing else is allowed.
"""

from __future__ import annotations

import doctest
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "examples/README.md", "benchmarks/README.md")),
        *(ROOT / "docs").rglob("*.md"),
    ]
)
WITH_PYTHON = [page for page in PAGES if re.search(r"^>>> ", page.read_text("utf-8"), re.MULTILINE)]
RUN, CHECKED, SHOWN = "console", "json", "text"
CALLED = "sh"
"""Calls to a served lab, on the pages that ``tests/web/test_api_docs.py`` runs."""
CALLING = ("docs/how-to/api.md", "docs/how-to/cds-hooks.md")
LAB39 = str(Path(sys.executable).parent / "lab39")


def ids(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def commands(text: str) -> list[tuple[str, int, list[str]]]:
    found: list[tuple[str, int, list[str]]] = []
    for block in (held for mark, held in blocks(text) if mark == RUN):
        for line in block.splitlines():
            if line.startswith("$ "):
                command, _, code = line[2:].partition("# exit ")
                found.append((command.strip(), int(code or 0), []))
            elif line.strip() and line.strip() != "…":
                found[-1][2].append(line.strip())
    return found


def blocks(text: str) -> list[tuple[str, str]]:
    """Each fenced block: its mark and what it holds."""
    return re.findall(r"^```([^\n]*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_block_is_run_or_checked_or_marked_as_only_shown(page: Path):
    text = page.read_text("utf-8")
    assert {mark for mark, _ in blocks(text)} <= {RUN, CHECKED, SHOWN} | (
        {CALLED} if ids(page) in CALLING else set()
    )
    assert text.count("```") == 2 * len(blocks(text))
    for mark, held in blocks(text):
        if mark == RUN:
            assert held.startswith("$ ")
        if mark == CHECKED:
            json.loads(held)


def test_every_make_target_named_on_a_page_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for page in PAGES:
        shown = [held for mark, held in blocks(page.read_text("utf-8")) if mark == SHOWN]
        named = {m for held in shown for m in re.findall(r"^make ([a-z]+)", held, re.MULTILINE)}
        assert named <= targets, ids(page)


@pytest.mark.parametrize("page", WITH_PYTHON, ids=ids)
def test_python_samples_give_what_they_say(page: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    done = doctest.testfile(str(page), module_relative=False, optionflags=options, encoding="utf-8")
    assert done.attempted > 0
    assert done.failed == 0


@pytest.mark.parametrize(
    ("page", "command", "code", "shown"),
    [pytest.param(p, *c, id=f"{ids(p)}: {c[0]}") for p in PAGES for c in commands(p.read_text("utf-8"))],
)
def test_commands_do_what_they_say(page: Path, command: str, code: int, shown: list[str], tmp_path: Path):
    words = shlex.split(command)
    assert words[0] in ("lab39", ".venv/bin/lab39"), f"{page.name}: only lab39 commands are run ({command})"
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    env = os.environ | {"LAB39_LANG": "fr", "COLUMNS": "200", "NO_COLOR": "1"}
    done = subprocess.run([LAB39, *words[1:]], capture_output=True, text=True, cwd=tmp_path, env=env, check=False)
    assert done.returncode == code, done.stderr
    for line in shown:
        assert line in done.stdout + done.stderr


def test_every_relative_link_leads_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)", page.read_text("utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{ids(page)} → {target}"
