"""Every sample in README and docs is executed: ``>>>`` as doctests, ``$ lab39 …`` as commands.

In a ``console`` block each line that starts with ``$ `` is run in a folder that holds ``examples/`` and must exit
with 0, or with N when it ends in ``# exit N``; the lines under it, if any, must appear in what it printed.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
LAB39 = str(Path(sys.executable).parent / "lab39")


def ids(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def commands(text: str) -> list[tuple[str, int, list[str]]]:
    found: list[tuple[str, int, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if line.startswith("$ "):
                command, _, code = line[2:].partition("# exit ")
                found.append((command.strip(), int(code or 0), []))
            elif line.strip() and line.strip() != "…":
                found[-1][2].append(line.strip())
    return found


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_python_samples_give_what_they_say(page: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    done = doctest.testfile(str(page), module_relative=False, optionflags=options, encoding="utf-8")
    assert done.failed == 0


@pytest.mark.parametrize(
    ("page", "command", "code", "shown"),
    [pytest.param(p, *c, id=f"{ids(p)}: {c[0]}") for p in PAGES for c in commands(p.read_text("utf-8"))],
)
def test_commands_do_what_they_say(page: Path, command: str, code: int, shown: list[str], tmp_path: Path):
    words = shlex.split(command)
    assert words[0] == "lab39", f"{page.name}: only lab39 commands are run ({command})"
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
