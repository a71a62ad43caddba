"""What is checked: the solutions of a package folder, or one that is installed; and what their probes tell."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from lab39.core.errors import InputError
from lab39.core.lab import GROUP, entry_points, unknown_solution
from lab39.core.text import Text
from lab39.fhir import Failed, iter_records
from lab39.settings import Settings

DAYS = ("2026-11-24", "2031-02-28")
"""Two days, one before and one after the birth of one of the built-in persons."""

OWN_RECORDS = files("lab39.conformance").joinpath("records")
BARE = ("no-birth-date.json", "only-a-patient.json")
"""Built-in records of which nothing is known but a person; of the first, not even the age."""

PROBE_LIMIT_SECONDS = 900.0
ELSEWHERE = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "LAB39_LANG": "en", "PYTHONHASHSEED": "39"}
"""The second process: another seed, time zone, locale and language."""

Answer = Mapping[str, Any]


@dataclass
class Subject:
    """One solution under check; each probe runs in a process of its own, once, when it is first asked for.

    Attributes:
        id: the name of its entry point.
        target: ``module:attribute`` of its class.
        source: folder that holds its modules; ``None`` when it is installed.
        records: records besides the built-in ones.
    """

    id: str
    target: str
    source: Path | None
    settings: Settings
    records: tuple[Path, ...] = field(default=())

    @cached_property
    def loaded(self) -> Answer:
        """What importing it brings: its names, card and packs."""
        return self._probe("load", {})

    @cached_property
    def commands(self) -> Answer:
        """Its commands."""
        return self._probe("commands", {})

    @cached_property
    def faces(self) -> Answer:
        """Its pages and operations, visited."""
        return self._probe("faces", {})

    @cached_property
    def here(self) -> Answer:
        """Every record assessed on each day, twice, guarded."""
        return self._assess({"PYTHONHASHSEED": "0"}, again=True)

    @cached_property
    def elsewhere(self) -> Answer:
        """The same in another process: other hash seed, time zone, locale and order of records."""
        return self._assess(ELSEWHERE, backwards=True)

    def _assess(self, env: Mapping[str, str], *, again: bool = False, backwards: bool = False) -> Answer:
        with as_file(OWN_RECORDS) as own:
            records = [str(own), *(str(path.absolute()) for path in self.records)]
            job = {"records": records, "days": DAYS, "again": again, "backwards": backwards}
            return self._probe("assess", job, env)

    def _probe(self, what: str, job: Mapping[str, Any], env: Mapping[str, str] | None = None) -> Answer:
        """Run one probe; a process that ends without an answer is an answer with an ``error``."""
        paths = [str(self.source)] if self.source else []
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([*paths, *filter(None, [os.environ.get("PYTHONPATH")])]),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONIOENCODING": "utf-8",
            "LAB39_HOME": str(self.settings.home.absolute()),
            "LAB39_TIME_LIMIT": str(self.settings.time_limit_seconds),
            **(env or {}),
        }
        with tempfile.TemporaryDirectory() as folder:
            empty = Path(folder, "cwd")
            empty.mkdir()
            out = Path(folder, "answer.json")
            try:
                done = subprocess.run(  # noqa: S603
                    [sys.executable, "-m", "lab39.conformance.probe", str(out)],
                    input=json.dumps({"what": what, "target": self.target, **job}),
                    capture_output=True,
                    encoding="utf-8",
                    errors="replace",
                    env=environment,
                    cwd=empty,
                    timeout=PROBE_LIMIT_SECONDS,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return {"error": f"no end after {PROBE_LIMIT_SECONDS:g} s", "printed": ""}
            if not out.exists():
                last = (done.stderr.strip().splitlines() or ["–"])[-1]
                return {"error": f"the process ended with {done.returncode}: {last}", "printed": done.stdout}
            answer: dict[str, Any] = json.loads(out.read_text("utf-8"))
            return answer | {"printed": done.stdout}


def subjects(package: str, settings: Settings, records: Iterable[Path] = ()) -> list[Subject]:
    """The solutions that a package folder declares, or the one that is installed under this id.

    Raises:
        InputError: the folder declares none, its ``pyproject.toml`` or one of the records cannot be read.
        UnknownNameError: neither a folder nor an installed id.
    """
    more = tuple(records)
    for path in more:
        if not path.exists():
            raise InputError(Text("fichier ou dossier introuvable", "no such file or folder"), str(path))
    for record in iter_records(more, settings):
        if isinstance(record, Failed):
            raise record.error
    folder = Path(package)
    if not folder.is_dir():
        points = entry_points()
        if package in points:
            return [Subject(package, points[package].value, None, settings, more)]
        if os.sep in package:
            raise InputError(Text("dossier introuvable", "no such folder"), package)
        raise unknown_solution(package, points)
    declared = _declared(folder)
    source = folder / "src" if (folder / "src").is_dir() else folder
    return [Subject(name, target, source.absolute(), settings, more) for name, target in sorted(declared.items())]


def _declared(folder: Path) -> Mapping[str, str]:
    path = folder / "pyproject.toml"
    try:
        project = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError(
            Text(
                "fichier absent\u202f: donner le dossier d'un paquet (celui de pyproject.toml)",
                "no such file: give the folder of a package (the one of pyproject.toml)",
            ),
            str(path),
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(Text(f"TOML illisible\u202f: {error}", f"unreadable TOML: {error}"), str(path)) from error
    declared = project.get("project", {}).get("entry-points", {}).get(GROUP, {})
    if not isinstance(declared, dict) or not declared or not all(isinstance(v, str) for v in declared.values()):
        raise InputError(
            Text(
                f'aucune solution déclarée. Ajouter [project.entry-points."{GROUP}"] avec id = "module:Classe"',
                f'no solution is declared. Add [project.entry-points."{GROUP}"] with id = "module:Class"',
            ),
            str(path),
        )
    return declared
