"""A zip with a manifest that names each of its files with its checksum: what exports and backups are made of."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any

from lab39.core.errors import InputError
from lab39.core.text import Text

MANIFEST = "manifest.json"
BLOCK = 1 << 20


class Writer:
    """Writes an archive; ``finish`` adds the manifest.

    Args:
        at: the moment every file of it carries.
    """

    def __init__(self, stream: IO[bytes], at: dt.datetime) -> None:
        self._zip = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED)
        self._at = at
        self.files: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def add(self, name: str, content: bytes) -> None:
        """One file."""
        self._zip.writestr(self._info(name), content)
        self.files[name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}

    def add_file(self, name: str, path: Path) -> None:
        """One file, read in blocks."""
        digest, size = hashlib.sha256(), 0
        with path.open("rb") as source, self._zip.open(self._info(name), "w", force_zip64=True) as target:
            while block := source.read(BLOCK):
                target.write(block)
                digest.update(block)
                size += len(block)
        self.files[name] = {"sha256": digest.hexdigest(), "bytes": size}

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """The manifest, last."""
        whole = {**manifest, "at": self._at.isoformat(), "files": self.files}
        self._zip.writestr(self._info(MANIFEST), json.dumps(whole, ensure_ascii=False, indent=1))

    def _info(self, name: str) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name, self._at.timetuple()[:6])
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        return info


class Reader:
    """An archive that was verified whole before anything of it is used.

    Raises:
        InputError: not an archive of the lab, a file absent, altered, or not in the manifest.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
            self.manifest: dict[str, Any] = json.loads(self._zip.read(MANIFEST))
            self.files: dict[str, dict[str, Any]] = self.manifest["files"]
            names = [name for name in self._zip.namelist() if name != MANIFEST]
            whole = sorted(names) == sorted(self.files) and all(map(self._intact, names))
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise InputError(
                Text(f"lecture impossible\u202f: {why}", f"cannot be read: {why}"), str(path)
            ) from error
        except (zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError, NotImplementedError) as error:
            raise self._refused() from error
        if not whole:
            raise self._refused()

    def read(self, name: str) -> bytes:
        """The content of one file."""
        return self._zip.read(name)

    def extract(self, name: str, target: Path) -> None:
        """Copy one file to a path of the caller's choice."""
        with self._zip.open(name) as source, target.open("wb") as stream:
            shutil.copyfileobj(source, stream, BLOCK)

    def close(self) -> None:
        """Let the file go."""
        self._zip.close()

    def _intact(self, name: str) -> bool:
        safe = PurePosixPath(name)
        if safe.is_absolute() or ".." in safe.parts:
            return False
        expected, digest, size = self.files[name], hashlib.sha256(), 0
        with self._zip.open(name) as source:
            while block := source.read(BLOCK):
                size += len(block)
                if size > expected["bytes"]:
                    return False
                digest.update(block)
        return (size, digest.hexdigest()) == (expected["bytes"], expected["sha256"])

    def _refused(self) -> InputError:
        return InputError(
            Text(
                "archive incomplète ou altérée, ou qui ne vient pas de ce laboratoire\u202f; rien n'a été touché",
                "incomplete or altered archive, or not one of the lab; nothing was touched",
            ),
            str(self.path),
        )
