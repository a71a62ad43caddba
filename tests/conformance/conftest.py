"""Packages whose one solution stands in this folder; nothing of them is installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from lab39 import conformance
from lab39.conformance import Row
from lab39.conformance.subject import subjects
from lab39.settings import Settings

HERE = Path(__file__).parent


@pytest.fixture
def checked(tmp_path: Path) -> Callable[..., list[Row]]:
    """Run the suite, or some points of it, over a class of this folder (``wrong.solutions:Right``)."""

    def checked(target: str, *only: str, **more: object) -> list[Row]:
        return conformance.check(declared(tmp_path, target), settings=Settings(home=tmp_path), only=only, **more)

    return checked


@pytest.fixture
def visited(tmp_path: Path) -> Callable[[str], Mapping[str, Any]]:
    """What is seen of the pages and operations of a class of this folder."""

    def visited(target: str) -> Mapping[str, Any]:
        (subject,) = subjects(str(declared(tmp_path, target)), Settings(home=tmp_path))
        return subject.faces

    return visited


def declared(folder: Path, target: str) -> Path:
    """A package of one solution."""
    package = folder / "package"
    package.mkdir()
    (package / "src").symlink_to(HERE)
    (package / "pyproject.toml").write_text(f'[project.entry-points."lab39.solutions"]\nwrong = "{target}"\n')
    return package
