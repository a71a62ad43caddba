"""Engines: of a small edition, of the official editions, and homes that hold them as packs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from tests.cli.conftest import run
from tests.solutions.pharmacy.small import small_engine

from lab39.solutions.pharmacy import engine
from lab39.solutions.pharmacy.engine import Engine
from lab39.solutions.pharmacy.model import Thesaurus

__all__ = ["run"]

OFFICIAL = {"2020-10": "thesaurus_2020-10.pdf", "2023-09": "20230915-thesaurus-interactions-*.pdf"}


@pytest.fixture(scope="session")
def small() -> Engine:
    """The engine of the small edition."""
    return small_engine()


@cache
def official_thesaurus(folder: Path, month: str) -> Thesaurus:
    """An official edition, read once by each process of the tests."""
    from lab39.solutions.pharmacy.thesaurus_pdf import read_pdf

    (path,) = (folder / "pharmacy" / "ansm").glob(OFFICIAL[month])
    return read_pdf(path)


@pytest.fixture(scope="session")
def official(shared: Path) -> Callable[[str], Engine]:
    """The engine of an official edition by its month."""

    @cache
    def made(month: str) -> Engine:
        return engine.of(official_thesaurus(shared, month))

    return made
