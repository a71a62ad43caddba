"""Keys of the lab: made once, whole, for its user only; a damaged one is never used."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from lab39.core.errors import InputError
from lab39.store import keyfile


def test_a_key_is_made_once_for_its_owner_only_and_nothing_else_is_left(tmp_path: Path):
    path = tmp_path / "keys" / "web.key"
    made = keyfile.key(path)
    assert len(made) == 32
    assert keyfile.key(path) == made
    assert [each.name for each in path.parent.iterdir()] == ["web.key"]
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_processes_that_start_together_have_one_key(tmp_path: Path):
    path, together = tmp_path / "web.key", threading.Barrier(8)
    found: set[bytes] = set()

    def start() -> None:
        together.wait()
        found.add(keyfile.key(path))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == {path.read_bytes()}


@pytest.mark.parametrize("left", [b"", b"short", b"x" * 33])
def test_a_damaged_key_is_refused_anybody_could_guess_an_empty_one(tmp_path: Path, left: bytes):
    path = tmp_path / "web.key"
    path.write_bytes(left)
    with pytest.raises(InputError, match="32 bytes are expected"):
        keyfile.key(path)
    assert path.read_bytes() == left
