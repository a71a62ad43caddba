"""Releases of a made-up schedule, as files."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from tests.solutions.vaccination.conftest import SCHEDULE, antigen


def write(folder: Path, minimum: str = "6 weeks", body: dict[str, Any] | None = None) -> Path:
    """A release in a folder, with files that are not of it beside."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ScheduleSupportingData.json").write_text(json.dumps(SCHEDULE), "utf-8")
    (folder / "A.json").write_text(json.dumps(body or antigen(minimum)), "utf-8")
    (folder / "AntigenSupportingData.xsd").write_text("<schema/>", "utf-8")
    (folder / "package.json").write_text('{"name": "other"}', "utf-8")
    (folder / "ReadMe.pdf").write_bytes(b"%PDF")
    return folder


def zipped(folder: Path, target: Path) -> Path:
    """The same, in a zip."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"XML/{path.name}")
    return target
