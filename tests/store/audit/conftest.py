"""A lab with a log, on each back end."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab39.settings import Settings
from lab39.store import Store


@pytest.fixture
def settings(store: Store, tmp_path: Path) -> Settings:
    """Where the keys and heads of this test are."""
    return Settings(home=tmp_path / "home", database=store.url)
