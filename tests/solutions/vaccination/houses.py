"""A lab with the vaccination solution, and the made-up schedule brought into it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.solutions.vaccination import releases

from lab39.core.datapacks import Packs
from lab39.core.lab import Lab
from lab39.settings import Settings
from lab39.solutions.vaccination.solution import Vaccination


@dataclass(frozen=True)
class Around:
    """What ``assess`` is given."""

    packs: Packs
    about: frozenset[str] = frozenset()

    def ask(self, *_: Any) -> None:
        """Nobody else is there."""


def bring(lab: Lab, folder: Path, name: str = "cdsi") -> None:
    """Import every file of a release."""
    lab.packs.import_files(name, [each for each in sorted(folder.rglob("*")) if each.is_file()])


def lab_with(settings: Settings, folder: Path | None) -> Lab:
    """A lab of one solution, with the release of a folder if any."""
    lab = Lab([Vaccination()], settings)
    if folder is not None:
        bring(lab, folder)
    return lab


def around(tmp_path: Path, *, schedule: bool = False, about: frozenset[str] = frozenset()) -> Around:
    """A context over an empty home, with the made-up schedule or with none."""
    settings = Settings(home=tmp_path / "home")
    folder = releases.write(tmp_path / "release-1.0") if schedule else None
    return Around(lab_with(settings, folder).packs, about)
