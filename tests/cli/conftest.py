"""A command line run in this process, with solutions of the tests' own."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab39 import cli, terminal


@dataclass(frozen=True)
class Ran:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Ran]]:
    """Run ``lab39`` with arguments; French, a home of its own."""
    monkeypatch.setenv("LAB39_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LAB39_LANG", raising=False)

    def run(*args: object) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        monkeypatch.setattr(sys, "argv", ["lab39", *map(str, args)])
        code: Any = 0
        with redirect_stdout(out), redirect_stderr(err):
            try:
                cli.main()
            except SystemExit as ended:
                code = ended.code
        return Ran(0 if code is None else int(code), out.getvalue(), err.getvalue())

    yield run
    terminal._session.set(None)


PATIENT = {"resourceType": "Patient", "id": "p1", "birthDate": "1944-03-02", "gender": "female"}


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A file with a small record."""
    path = tmp_path / "one.json"
    path.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}]}))
    return path


@pytest.fixture
def ndjson(tmp_path: Path) -> Path:
    """Three lines: a record, a broken one, a record."""
    path = tmp_path / "many.ndjson"
    rows = [json.dumps(PATIENT), '{"resourceType": "Patient", ', json.dumps(PATIENT | {"id": "p3"})]
    path.write_text("\n".join(rows))
    return path


@pytest.fixture
def solutions(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Install solutions for one test: ``solutions(first=FirstSolution, …)``."""
    from importlib.metadata import EntryPoint

    from lab39.core import lab

    def install(**classes: type) -> None:
        class Point(EntryPoint):
            def load(self) -> Any:
                return classes[self.name]

        points = {name: Point(name, f"tests:{name}", lab.GROUP) for name in classes}
        monkeypatch.setattr(lab, "entry_points", lambda: points)

    return install
