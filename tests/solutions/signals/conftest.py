"""Small bases of reports, published tables, and the engines that are at hand."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

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


@pytest.fixture(scope="session")
def spark_session() -> Iterator[Any]:
    """A session of Spark on this machine, one for all tests."""
    if find_spec("pyspark") is None:
        pytest.skip("Spark is not installed: pip install lab39[spark]")
    if shutil.which("java") is None:
        pytest.skip("Spark needs a Java, which this machine does not have")
    from pyspark.sql import SparkSession

    local = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2", "spark.driver.host": "127.0.0.1"}
    session = SparkSession.builder.master("local[1]").config(map=local).getOrCreate()
    yield session
    session.stop()


@dataclass(frozen=True)
class Engine:
    """An engine by name, and what it is opened with."""

    name: str
    options: dict[str, Any]


@pytest.fixture(params=["duckdb", "spark"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn; Spark where its extra and a Java are installed."""
    name = str(request.param)
    return Engine(name, {"session": request.getfixturevalue("spark_session")} if name == "spark" else {})


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """A text file in a folder of the test."""

    def made(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return path

    return made
