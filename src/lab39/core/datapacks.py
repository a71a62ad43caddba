"""Data packs: named, versioned, checksummed knowledge that the product may not ship itself.

A solution declares its packs in ``packs.toml``; users list, install, import and verify them with
``lab39 data``. Where a pack comes from is the business of :mod:`lab39.core.origins`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

from lab39.core.errors import InputError, PackMissingError, UnknownNameError
from lab39.core.text import Text, date

MANIFEST = "manifest.json"
SCHEMA = 1
Fraction: TypeAlias = Callable[[float], None]
"""Is given the fraction done, 0 to 1."""


def quiet(_done: float) -> None:
    """A fraction that nobody watches."""


@dataclass(frozen=True, slots=True)
class PackSpec:
    """What a pack is and where it can be had.

    Attributes:
        licence: of the data, with the attribution it asks for.
        origin: ``kind`` is ``package`` (files of an installed distribution, read in place), ``wheel``
            (fetched from the package registry, read without installing it), ``url``, or ``file`` (the user
            has it).
        max_age_months: an edition older than this is announced in every report; ``None`` for no stated life.
        inspect: ``module:function`` that recognises the pack's files by content.
        renewed_by: the pack that brings newer editions of the same, when this one gets none.
        names: ``module:function`` that makes a dictionary of drug names of the pack, see
            :mod:`lab39.core.drugnames`; empty when it is none.
    """

    name: str
    title: Text
    licence: str
    origin: Mapping[str, Any]
    inspect: str
    max_age_months: int | None = None
    renewed_by: str = ""
    names: str = ""

    @classmethod
    def read_all(cls, toml: str) -> tuple[PackSpec, ...]:
        """The packs of a ``packs.toml``."""
        return tuple(
            cls(
                name=row["name"],
                title=Text.of(row["title"]),
                licence=row["licence"],
                origin=row["origin"],
                inspect=row["inspect"],
                max_age_months=row.get("max_age_months"),
                renewed_by=row.get("renewed_by", ""),
                names=row.get("names", ""),
            )
            for row in tomllib.loads(toml)["pack"]
        )

    @property
    def remedy(self) -> str:
        """The command that brings the pack."""
        if self.origin["kind"] == "file":
            return f"lab39 data import {self.name} …"
        return f"lab39 data install {self.name}"


@dataclass(frozen=True, slots=True)
class Contents:
    """What an inspector found.

    Attributes:
        version, edition: as the files tell them; the date may be unknown.
        files: by role.
        check: reads the files to their end and raises :class:`InputError` when they are not whole. An inspector
            only looks at their beginning, as packs of installed packages are inspected by every command; the
            check runs once, before a pack is adopted. It tells the fraction done.
        adopted: called with the packs and the new pack once it is there; what the check has read can be compiled
            then, without reading it again.
    """

    version: str
    edition: dt.date | None
    files: Mapping[str, Path]
    check: Callable[[Fraction], None] = field(default=lambda _done: None, compare=False, repr=False)
    adopted: Callable[[Packs, Pack], None] = field(default=lambda _packs, _pack: None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Pack:
    """An installed pack. ``files`` maps a role to a path, ``sha256`` the same role to its checksum."""

    spec: PackSpec = field(repr=False)
    version: str
    edition: dt.date | None
    files: Mapping[str, Path]
    sha256: Mapping[str, str]
    origin: str

    @property
    def name(self) -> str:
        """Of the spec."""
        return self.spec.name

    @property
    def key(self) -> str:
        """Names the content: the same files give the same key wherever they are."""
        joined = "\n".join(f"{role} {digest}" for role, digest in sorted(self.sha256.items()))
        return hashlib.sha256(joined.encode()).hexdigest()[:16]

    def age_warning(self, on: dt.date) -> Text | None:
        """A sentence when the edition is older than its stated life on that day."""
        limit = self.spec.max_age_months
        if limit is None or self.edition is None:
            return None
        months = (on.year - self.edition.year) * 12 + on.month - self.edition.month - (on.day < self.edition.day)
        if months < limit:
            return None
        return Text(
            f"{self.spec.title.fr}\u202f: édition du {date(self.edition, 'fr')}, {months} mois. "
            f"En importer une plus récente\u202f: lab39 data import {self.spec.renewed_by or self.name} FICHIER…",
            f"{self.spec.title.en}: edition of {date(self.edition, 'en')}, {months} months old. "
            f"Import a newer one: lab39 data import {self.spec.renewed_by or self.name} FILE…",
        )


class Packs:
    """The packs of one ``LAB39_HOME``.

    Args:
        home: folder of installed packs; created when something is installed.
        cache: folder of compiled indexes; safe to delete.
        specs: the packs that solutions declared.
    """

    def __init__(self, home: Path, cache: Path, specs: Iterable[PackSpec] = ()) -> None:
        self.home = home
        self.cache = cache
        self.specs = {spec.name: spec for spec in specs}
        self._got: dict[tuple[str, str | None, int], Pack] = {}

    def spec(self, name: str) -> PackSpec:
        """A pack by name.

        Raises:
            UnknownNameError: listing the names there are.
        """
        if name not in self.specs:
            known = ", ".join(sorted(self.specs)) or "–"
            raise UnknownNameError(
                Text(
                    f"pas de pack «\u202f{name}\u202f». Packs connus\u202f: {known}",
                    f"no pack “{name}”. Known packs: {known}",
                )
            )
        return self.specs[name]

    def installed(self, name: str) -> list[Pack]:
        """Installed versions, the newest last; a package the environment already has counts."""
        from lab39.core import origins

        spec = self.spec(name)
        found = [self._load(spec, m) for m in sorted((self.home / name).glob(f"*/{MANIFEST}"))]
        if spec.origin["kind"] == "package":
            in_place = origins.from_package(spec)
            if in_place and all(p.version != in_place.version for p in found):
                found.append(in_place)
        return sorted(found, key=_age)

    def get(self, name: str, version: str | None = None) -> Pack:
        """The newest version, or the one asked for.

        Raises:
            PackMissingError: with the command that brings it.
        """
        key = name, version, self._stamp(name)
        if key not in self._got:
            found = [p for p in self.installed(name) if version in (None, p.version)]
            if not found:
                spec = self.spec(name)
                which = f"{name} {version}" if version else name
                raise PackMissingError(
                    Text(
                        f"le pack «\u202f{which}\u202f» ({spec.title.fr}) n'est pas installé. "
                        f"Taper\u202f: {spec.remedy}",
                        f"the pack “{which}” ({spec.title.en}) is not installed. Type: {spec.remedy}",
                    )
                )
            self._got[key] = found[-1]
        return self._got[key]

    def _stamp(self, name: str) -> int:
        """Changes when a version of the pack comes or goes, by the hand of another process too."""
        try:
            return (self.home / name).stat().st_mtime_ns
        except OSError:
            return 0

    def renewed(self, pack: Pack) -> bool:
        """Whether a newer edition of the same is there in the pack that brings them."""
        try:
            newer = self.get(pack.spec.renewed_by).edition if pack.spec.renewed_by else None
        except (PackMissingError, UnknownNameError):
            return False
        return newer is not None and newer > (pack.edition or dt.date.min)

    def has(self, name: str) -> bool:
        """Whether some version is installed."""
        try:
            self.get(name)
        except PackMissingError:
            return False
        return True

    def install(self, name: str, progress: Fraction = quiet) -> Pack:
        """Fetch a pack from where its spec says, or find it in place; ``progress`` is of the check of its files.

        Raises:
            UnknownNameError, LabError: the name is unknown, the source unreachable, a checksum differs.
        """
        from lab39.core import origins

        spec = self.spec(name)
        if spec.origin["kind"] == "package":
            return self.get(name)
        if spec.origin["kind"] == "file":
            raise PackMissingError(
                Text(
                    f"«\u202f{name}\u202f» ne se télécharge pas. "
                    f"Importer vos fichiers\u202f: lab39 data import {name} FICHIER…",
                    f"“{name}” cannot be downloaded. Import your files: lab39 data import {name} FILE…",
                )
            )
        with tempfile.TemporaryDirectory() as folder:
            files, origin = origins.fetch(spec, Path(folder))
            return self._adopt(spec, files, origin, progress)

    def import_files(self, name: str, files: Iterable[Path], progress: Fraction = quiet) -> Pack:
        """Adopt files the user has; they are recognised by content, checked (``progress``) and copied.

        Raises:
            UnknownNameError, InputError: an unknown name, a missing file, a file that is not of this pack.
        """
        spec = self.spec(name)
        paths: list[Path] = []
        for path in files:
            if not path.exists():
                raise InputError(Text("fichier introuvable", "no such file"), str(path))
            paths += sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
        return self._adopt(spec, paths, "import: " + ", ".join(p.name for p in paths), progress)

    def remove(self, name: str, version: str | None = None) -> str:
        """Forget an imported or downloaded version, and what was compiled from it.

        Args:
            version: needed when there are several.

        Returns:
            The version removed. One that cannot be read any more can still be removed.

        Raises:
            UnknownNameError: no such pack or version, or several and none named.
        """
        spec = self.spec(name)
        folder = self.home / name
        there = sorted(p.name for p in folder.iterdir() if p.is_dir()) if folder.is_dir() else []
        if (version or "") not in there and (version is not None or len(there) != 1):
            known = ", ".join(there) or "–"
            place = Text.same("")
            if spec.origin["kind"] == "package":
                place = Text(
                    f" Celle du paquet {spec.origin['package']} vient avec lui et ne s'enlève pas.",
                    f" That of the package {spec.origin['package']} comes with it and cannot be removed.",
                )
            which = f"{name} {version}" if version else name
            raise UnknownNameError(
                Text(
                    f"donner une version importée de «\u202f{name}\u202f»\u202f: {known}.{place.fr}",
                    f"give an imported version of “{name}”: {known}.{place.en}",
                ),
                which,
            )
        gone = version or there[0]
        with contextlib.suppress(InputError, OSError):
            shutil.rmtree(self.cache / name / self._load(spec, folder / gone / MANIFEST).key, ignore_errors=True)
        shutil.rmtree(folder / gone)
        self._got.clear()
        return gone

    def verify(self, name: str | None = None) -> list[tuple[Pack, str, bool]]:
        """Recompute every checksum: ``(pack, role, intact)`` for each file."""
        names = [self.spec(name).name] if name else sorted(self.specs)
        return [
            (pack, role, path.is_file() and sha256(path) == pack.sha256[role])
            for each in names
            for pack in self.installed(each)
            for role, path in sorted(pack.files.items())
        ]

    def compiled(self, pack: Pack, kind: str, build: Callable[[Path], None]) -> Path:
        """The path of an index compiled from a pack, built now if it is not there yet.

        Args:
            kind: file name of the index with its own format version (``ranking-v1.npz``).
            build: writes the index to the path it is given; the file appears only when it is whole.
        """
        target = self.cache / pack.name / pack.key / kind
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=target.parent, suffix=target.suffix)
            os.close(handle)
            try:
                build(Path(name))
                Path(name).replace(target)
            finally:
                Path(name).unlink(missing_ok=True)
        return target

    def _adopt(self, spec: PackSpec, files: list[Path], origin: str, progress: Fraction) -> Pack:
        contents = inspector(spec)(files)
        if not _VERSION.fullmatch(contents.version):
            raise InputError(
                Text(
                    f"version «\u202f{contents.version[:40]}\u202f» illisible dans ces fichiers",
                    f"unreadable version “{contents.version[:40]}” in these files",
                ),
                spec.name,
            )
        contents.check(progress)
        self.home.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=self.home, prefix=".incoming-"))
        try:
            rows = {}
            for role, path in contents.files.items():
                copy = staging / (path.name if _alone(path, contents) else f"{role}-{path.name}")
                shutil.copyfile(path, copy)
                rows[role] = {"path": copy.name, "sha256": sha256(copy), "bytes": copy.stat().st_size}
            manifest = {
                "schema": SCHEMA,
                "name": spec.name,
                "version": contents.version,
                "edition": contents.edition.isoformat() if contents.edition else None,
                "licence": spec.licence,
                "origin": origin,
                "files": rows,
            }
            (staging / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1), "utf-8")
            target = self.home / spec.name / contents.version
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(target, ignore_errors=True)
            staging.rename(target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        self._got.clear()
        pack = self._load(spec, target / MANIFEST)
        contents.adopted(self, pack)
        return pack

    @staticmethod
    def _load(spec: PackSpec, manifest: Path) -> Pack:
        try:
            row = json.loads(manifest.read_text("utf-8"))
            if row["schema"] != SCHEMA:
                raise ValueError(f"schema {row['schema']}, not {SCHEMA}")
            return Pack(
                spec=spec,
                version=row["version"],
                edition=dt.date.fromisoformat(row["edition"]) if row["edition"] else None,
                files={role: manifest.parent / f["path"] for role, f in row["files"].items()},
                sha256={role: f["sha256"] for role, f in row["files"].items()},
                origin=row["origin"],
            )
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise InputError(
                Text(
                    f"manifeste illisible ({error})\u202f: supprimer ce dossier et réinstaller le pack",
                    f"unreadable manifest ({error}): delete this folder and install the pack again",
                ),
                str(manifest),
            ) from error


_VERSION = re.compile(r"\w[\w.+-]{0,63}")


def _alone(path: Path, contents: Contents) -> bool:
    """Whether a file keeps its own name in the pack: no other has it, the manifest neither."""
    return path.name != MANIFEST and sum(other.name == path.name for other in contents.files.values()) == 1


def _age(pack: Pack) -> tuple[dt.date, list[tuple[int, str]]]:
    """Orders versions from the oldest: by edition, then by version with its numbers read as numbers."""
    parts = re.split(r"(\d+)", pack.version)
    return (pack.edition or dt.date.min, [(int(p), "") if p.isdigit() else (-1, p) for p in parts])


def inspector(spec: PackSpec) -> Callable[[list[Path]], Contents]:
    """The function that recognises the files of a pack."""
    module, _, name = spec.inspect.partition(":")
    found: Callable[[list[Path]], Contents] = getattr(import_module(module), name)
    return found


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
