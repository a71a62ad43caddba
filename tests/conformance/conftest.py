"""Packages whose one solution stands in this folder; nothing of them is installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lab39 import conformance
from lab39.conformance import Row
from lab39.settings import Settings

HERE = Path(__file__).parent


@pytest.fixture
def checked(tmp_path: Path) -> Callable[..., list[Row]]:
    """Run the suite, or some points of it, over a class of this folder (``wrong.solutions:Right``)."""

    def checked(target: str, *only: str, **more: object) -> list[Row]:
        package = tmp_path / "package"
        package.mkdir()
        (package / "src").symlink_to(HERE)
        declared = f'[project.entry-points."lab39.solutions"]\nwrong = "{target}"\n'
        (package / "pyproject.toml").write_text(declared)
        home = tmp_path / "home"
        return conformance.check(package, settings=Settings(home=home), only=only, **more)

    return checked
