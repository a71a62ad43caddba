"""Foreign packages: generated, then built and installed by pip into a folder of their own, without network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab39 import scaffold

LAB39 = str(Path(sys.executable).parent / "lab39")


@dataclass(frozen=True)
class Ran:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Site:
    """A folder of installed packages, put before the environment's own; commands run in another, empty one."""

    folder: Path
    cwd: Path

    def install(self, package: Path) -> None:
        """Build and install a package as a user would, but for the network."""
        offline = ["--no-index", "--no-build-isolation", "--no-deps", "--disable-pip-version-check", "--quiet"]
        command = [sys.executable, "-m", "pip", "install", *offline, "--target", str(self.folder), str(package)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def lab39(self, *args: object) -> Ran:
        """Run the installed command with these packages present."""
        env = os.environ | {"PYTHONPATH": str(self.folder), "LAB39_LANG": "en"}
        command = [LAB39, *map(str, args)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd=self.cwd)
        return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Nothing installed yet."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "cwd").mkdir()
    return Site(folder / "packages", folder / "cwd")


@pytest.fixture(scope="module")
def generate(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make a package with ``lab39 new``; ``spoil`` replaces one of its modules or files."""

    def generate(name: str, spoil: str = "", content: str = "") -> Path:
        made = scaffold.create(name, tmp_path_factory.mktemp("new"), author='A "quoted" author')
        if spoil:
            target = made / "src" / f"lab39_{name.replace('-', '_')}" / spoil
            assert target.exists()
            target.write_text(content, "utf-8")
        return made

    return generate


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """An adult with weight and height."""

    def measure(code: str, value: float, unit: str) -> dict[str, Any]:
        return {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "effectiveDateTime": "2026-10-02",
            "valueQuantity": {"value": value, "code": unit, "system": "http://unitsofmeasure.org"},
        }

    resources = [
        {"resourceType": "Patient", "id": "p1", "birthDate": "1966-02-28"},
        measure("29463-7", 92.4, "kg"),
        measure("8302-2", 176, "cm"),
    ]
    path = tmp_path / "record.json"
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}
    path.write_text(json.dumps(bundle))
    return path
