"""Recognise the files of a pack by content, and open the schedules and code maps at hand.

A schedule is named ``cdsi``, or ``cdsi@4.64`` for one edition of it; editions are open side by side.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from lab39.core.datapacks import Contents, Pack, Packs
from lab39.core.errors import InputError, UnknownNameError
from lab39.core.text import Text
from lab39.solutions.vaccination import codes, france, products, supporting
from lab39.solutions.vaccination import compile as compiling
from lab39.solutions.vaccination.codes import Maps
from lab39.solutions.vaccination.model import Schedule

CDSI, WHO, NUVA = "cdsi", "who-cdsi", "nuva"
FRANCE = "france"
SCHEDULES = (CDSI, WHO)
"""Schedules that come as packs; that of France comes with the lab."""
KIND = f"schedule-v{compiling.FORMAT}.json"
_NEEDED = ("core", "from-cvx", "to-cvx")
_opened: dict[str, Schedule] = {}
_maps: dict[str, Maps] = {}


def inspect(files: list[Path]) -> Contents:
    """A release: its zip, or its XML or JSON files; other files of a folder are left where they are.

    The crosswalk of observations, a file of its own, belongs to the pack when it is given with the release.

    Raises:
        InputError: no schedule, two, or data that does not follow the schema.
    """
    kept = _by_name(path for path in files if _of_a_release(path))
    documents = supporting.read_files(kept)
    version = _stated_version(kept.values()) or documents.version

    def adopted(packs: Packs, pack: Pack) -> None:
        packs.compiled(pack, KIND, lambda target: compiling.save(documents, target))

    return Contents(
        version,
        None,
        kept,
        check=lambda _done: _check(documents),
        adopted=adopted,
    )


def inspect_nuva(files: list[Path]) -> Contents:
    """The tables of NUVA, by their columns, with the licence and the French names when they are there.

    Raises:
        InputError: a table that is needed is not there, or is there twice.
    """
    found: dict[str, Path] = {}
    for path in files:
        role = codes.role_of(path)
        if role and role in found:
            raise InputError(
                Text(f"deux fois la même table ({role})", f"the same table twice ({role})"),
                f"{found[role].name}, {path.name}",
            )
        if role:
            found[role] = path
    lacking = [role for role in _NEEDED if role not in found]
    if lacking:
        raise InputError(
            Text(
                "donner le dossier des tables NUVA (nuva_core.csv, CVX2nuva.csv, nuva2CVX.csv et les autres). "
                f"Manquent\u202f: {', '.join(lacking)}",
                "give the folder of the NUVA tables (nuva_core.csv, CVX2nuva.csv, nuva2CVX.csv and the others). "
                f"Missing: {', '.join(lacking)}",
            ),
            NUVA,
        )
    digest = hashlib.sha256()
    for role in sorted(found):
        digest.update(role.encode() + hashlib.sha256(found[role].read_bytes()).digest())
    version = _stated_version(found.values()) or f"content-{digest.hexdigest()[:12]}"
    return Contents(version, None, found, check=lambda _done: _check_maps(found))


def at_hand(packs: Packs) -> tuple[str, ...]:
    """The schedules that can be opened, the default first: that of France, then those whose pack is installed."""
    return (FRANCE, *(name for name in SCHEDULES if packs.has(name)))


def editions(packs: Packs, name: str) -> tuple[str, ...]:
    """The editions of a schedule at hand, the newest last."""
    if name == FRANCE:
        return france.editions()
    return tuple(pack.version for pack in packs.installed(_known(name)))


def open_schedule(packs: Packs, name: str = FRANCE, edition: str | None = None) -> Schedule:
    """An edition at hand of a schedule, the newest unless one is named; opened once in a process.

    An edition imported meanwhile, by this process or another, is the one that the next call opens.

    Args:
        name: of the schedule, or ``name@edition``.

    Raises:
        UnknownNameError: no such schedule, or no such edition of it.
        PackMissingError: with the command that brings its pack.
    """
    name, _, at = name.partition("@")
    wanted = edition or at or None
    if name == FRANCE:
        return france.open_france(wanted or france.editions()[-1])
    at_hand = packs.installed(_known(name))
    if wanted is not None and at_hand and all(pack.version != wanted for pack in at_hand):
        known = ", ".join(pack.version for pack in at_hand)
        raise UnknownNameError(
            Text(
                f"pas d'édition «\u202f{wanted[:40]}\u202f» du calendrier {name}. Présentes\u202f: {known}",
                f"no edition “{wanted[:40]}” of the schedule {name}. At hand: {known}",
            ),
            "--schedule",
        )
    pack = packs.get(name, wanted)

    def path() -> Path:
        return packs.compiled(pack, KIND, lambda target: compiling.save(supporting.read_files(pack.files), target))

    try:
        return _open(name, path(), pack.version)
    except InputError:  # damaged: made again, once
        path().unlink(missing_ok=True)
        return _open(name, path(), pack.version)


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
    for last in (False, True):
        if not path.exists():
            documents = supporting.assemble(contents, str(source))
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part")
            compiling.save(documents, part)
            part.replace(path)
        try:
            return _open(source.name, path)
        except InputError:
            if last:
                raise
            path.unlink(missing_ok=True)  # damaged: made again, once
    raise AssertionError


def open_any(packs: Packs, named: str, cache: Path) -> Schedule:
    """A schedule by the path of a folder or zip, by name (``cdsi``, ``cdsi@4.64``), or by edition (``4.64``).

    Raises:
        InputError, UnknownNameError, PackMissingError: as :func:`open_folder` and :func:`open_schedule`.
    """
    path = Path(named)
    if path.exists():
        return open_folder(path, cache)
    every = (FRANCE, *SCHEDULES)
    if named.partition("@")[0] not in every:
        holders = [name for name in every if named in editions(packs, name)]
        if len(holders) == 1:
            return open_schedule(packs, holders[0], named)
    return open_schedule(packs, named)


def open_maps(packs: Packs) -> Maps:
    """The code maps of the newest NUVA at hand; without the pack, only the French products that the lab knows."""
    if NUVA not in packs.specs or not packs.has(NUVA):
        return _french_products()
    pack = packs.get(NUVA)
    if pack.key not in _maps:
        _maps[pack.key] = codes.read_maps(pack.files, pack.version)
    return _maps[pack.key]


@cache
def _french_products() -> Maps:
    """CIP and CIS codes of the products of ``knowledge/france``; no edition, so that the pack is still advised."""
    rows = [row for row in products.products() if row.nuva]
    return Maps(
        products={
            "cip": {code: row.nuva for row in rows for code in row.cip13},
            "cis": {code: row.nuva for row in rows for code in row.cis},
        },
        names={row.nuva: row.label for row in rows},
    )


def _known(name: str) -> str:
    if name not in SCHEDULES:
        known = ", ".join((FRANCE, *SCHEDULES))
        raise UnknownNameError(
            Text(
                f"calendrier «\u202f{name[:40]}\u202f» inconnu. Connus\u202f: {known}",
                f"unknown schedule “{name[:40]}”. Known: {known}",
            ),
            "--schedule",
        )
    return name


def _open(name: str, path: Path, version: str = "") -> Schedule:
    key = f"{path} {version}"
    if key not in _opened:
        _opened[key] = compiling.load(name, path, version)
    return _opened[key]


def _check(documents: supporting.Documents) -> None:
    compiling.compile_schedule("", documents)


def _check_maps(files: dict[str, Path]) -> None:
    maps = codes.read_maps(files)
    if not (maps.to_cvx and maps.from_cvx):
        raise InputError(Text("tables sans aucun code", "tables without a code"), NUVA)


def _of_a_release(path: Path) -> bool:
    if path.suffix.lower() == ".zip":
        return True
    if path.suffix.lower() not in (".xml", ".json") or path.stat().st_size > supporting.MAX_BYTES:
        return False
    return supporting.kind_of(path.name, path.read_bytes()) is not None


def _by_name(paths: Iterable[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in paths:
        found[path.name if path.name not in found else f"{len(found)}-{path.name}"] = path
    return found


def _stated_version(paths: Iterable[Path]) -> str:
    """The version in the name of the zip, or of the folder that the files came from."""
    names = {path.name if path.suffix.lower() == ".zip" else path.parent.name for path in paths}
    stated = {found[0] for name in names if (found := re.search(r"\d+(\.\d+)+", name))}
    return stated.pop() if len(stated) == 1 else ""
