"""Recognise the files of a schedule pack by content, and open the schedules at hand."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from lab39.core.datapacks import Contents, Pack, Packs
from lab39.core.errors import InputError, UnknownNameError
from lab39.core.text import Text
from lab39.solutions.vaccination import compile as compiling
from lab39.solutions.vaccination import supporting
from lab39.solutions.vaccination.model import Schedule

CDSI, WHO = "cdsi", "who-cdsi"
SCHEDULES = (CDSI, WHO)
KIND = f"schedule-v{compiling.FORMAT}.json"
_opened: dict[str, Schedule] = {}


def inspect(files: list[Path]) -> Contents:
    """A release: its zip, or its XML or JSON files; other files of a folder are left where they are.

    Raises:
        InputError: no schedule, or data that does not follow the schema.
    """
    kept = {path.name: path for path in files if path.suffix.lower() in (".zip", ".xml", ".json")}
    documents = supporting.read_files(kept)
    stated = [
        found[0] for name in kept if name.lower().endswith(".zip") and (found := re.search(r"\d+\.\d+", name))
    ]
    version = stated[0] if len(stated) == 1 else documents.version

    def adopted(packs: Packs, pack: Pack) -> None:
        packs.compiled(pack, KIND, lambda target: compiling.save(documents, target))

    return Contents(
        version,
        None,
        kept,
        check=lambda _done: _check(documents),
        adopted=adopted,
    )


def at_hand(packs: Packs) -> tuple[str, ...]:
    """The schedules whose pack is installed, the default first."""
    return tuple(name for name in SCHEDULES if packs.has(name))


def open_schedule(packs: Packs, name: str = CDSI) -> Schedule:
    """The newest edition at hand of a schedule; opened once in a process.

    Raises:
        UnknownNameError: no such schedule.
        PackMissingError: with the command that brings its pack.
    """
    if name not in SCHEDULES:
        known = ", ".join(SCHEDULES)
        raise UnknownNameError(
            Text(
                f"calendrier «\u202f{name[:40]}\u202f» inconnu. Connus\u202f: {known}",
                f"unknown schedule “{name[:40]}”. Known: {known}",
            ),
            "--schedule",
        )
    pack = packs.get(name)
    path = packs.compiled(pack, KIND, lambda target: compiling.save(supporting.read_files(pack.files), target))
    try:
        return _open(name, path)
    except InputError:  # damaged: made again, once
        path.unlink(missing_ok=True)
        path = packs.compiled(pack, KIND, lambda target: compiling.save(supporting.read_files(pack.files), target))
        return _open(name, path)


def open_folder(source: Path, cache: Path) -> Schedule:
    """A release that was not imported, a folder or a zip; compiled once, its content names what is kept.

    Raises:
        InputError: not a release.
    """
    contents = dict(supporting.contents(source))
    digest = hashlib.sha256()
    for name in sorted(contents):
        digest.update(name.encode() + b"\0" + hashlib.sha256(contents[name]).digest())
    path = cache / "vaccination" / digest.hexdigest()[:16] / KIND
    if not path.exists():
        documents = supporting.assemble(contents, str(source))
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        compiling.save(documents, part)
        part.replace(path)
    return _open(source.name, path)


def _open(name: str, path: Path) -> Schedule:
    key = str(path)
    if key not in _opened:
        _opened[key] = compiling.load(name, path)
    return _opened[key]


def _check(documents: supporting.Documents) -> None:
    compiling.compile_schedule("", documents)
