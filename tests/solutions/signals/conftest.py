"""Small bases of reports, published tables, and the engines that are at hand."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

Rows = list[dict[str, str]]


@pytest.fixture(scope="session")
def published(shared: Path) -> Callable[[str], Rows]:
    """A published table by its path below ``signals``."""

    def read(name: str) -> Rows:
        path = shared / "signals" / name
        if not path.is_file():
            pytest.skip(f"no {name} among the shared data")
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return read


@pytest.fixture(params=["duckdb", "spark"])
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn; Spark where its extra and a Java are installed."""
    name = str(request.param)
    if name == "spark" and find_spec("pyspark") is None:
        pytest.skip("Spark is not installed: pip install lab39[spark]")
    if name == "spark" and shutil.which("java") is None:
        pytest.skip("Spark needs a Java, which this machine does not have")
    return name


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """A text file in a folder of the test."""

    def made(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return made
