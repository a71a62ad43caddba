"""Where the bytes of files are kept: a folder, or a bucket of S3 reached through fsspec.

Both keep a file under the same name (``ab/cdef…``), so that one can be copied into the other as it is. Both promise
the same: a file is there whole or not at all, and it stays once :meth:`BlobStore.write` has returned.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from lab39.core.errors import LabError
from lab39.core.text import Text
from lab39.store import atomic
from lab39.store.engine import StoreUnavailableError

SETTING = "LAB39_BLOBS"
OURS = re.compile(r"[0-9a-f]{2}/(?:[0-9a-f]{62}|\.incoming-[^/]*)")
"""What the lab puts there; a sweep looks at nothing else, whatever shares the place."""

CONNECT_SECONDS, READ_SECONDS, TRIES = 3, 15, 2
"""A write of the database may be waiting meanwhile: a bucket that does not answer is told soon."""


class BlobStore(Protocol):
    """A place for files named by 64 hexadecimal digits.

    Every method raises StoreUnavailableError when the place as a whole cannot be used.
    """

    def exists(self, file: str) -> bool:
        """Whether a file is there now, for whoever wrote or removed it."""

    def read(self, file: str) -> bytes:
        """The whole file.

        Raises:
            FileNotFoundError: the place answers, and the file is not there.
            OSError: this file cannot be read.
        """

    def write(self, file: str, content: bytes) -> None:
        """Keep a file: whole and for good when this returns, and not at all when it raises before anything came.

        A bucket that stops answering may have kept it all the same: no row names it then, and a sweep finds it.
        """

    def sizes(self) -> Iterator[tuple[str, int]]:
        """The name and the bytes of everything the lab put there, and what an interrupted write left."""

    def remove(self, name: str) -> None:
        """Remove what :meth:`sizes` named."""

    def check(self) -> None:
        """Raises StoreUnavailableError when files could not be read or written now."""


def of(where: Path | str, *, endpoint: str = "") -> BlobStore:
    """The place that a folder or a URL names.

    Args:
        endpoint: address of a server that speaks S3; that of AWS when empty.

    Raises:
        LabError: the extra that speaks to it is not installed.
    """
    return Folder(where) if isinstance(where, Path) else Bucket(where, endpoint=endpoint)


def path_of(folder: Path, file: str) -> Path:
    """Where a file lies in a folder."""
    return folder / file[:2] / file[2:]


class Folder:
    """A folder of this machine: written beside, flushed to the disk, then renamed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def exists(self, file: str) -> bool:
        """See :class:`BlobStore`."""
        return path_of(self.folder, file).exists()

    def read(self, file: str) -> bytes:
        """See :class:`BlobStore`."""
        return path_of(self.folder, file).read_bytes()

    def write(self, file: str, content: bytes) -> None:
        """See :class:`BlobStore`."""
        with atomic.writing(path_of(self.folder, file)) as stream:
            stream.write(content)

    def sizes(self) -> Iterator[tuple[str, int]]:
        """See :class:`BlobStore`."""
        for path in sorted(self.folder.glob("??/*")):
            if OURS.fullmatch(f"{path.parent.name}/{path.name}"):
                yield path.parent.name + path.name, path.stat().st_size

    def remove(self, name: str) -> None:
        """See :class:`BlobStore`."""
        path = path_of(self.folder, name)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise atomic.unwritable(error, path) from error

    def check(self) -> None:
        """See :class:`BlobStore`. A folder that is not there yet is made at the first write."""
        nearest = next((each for each in (self.folder, *self.folder.parents) if each.exists()), Path("/"))
        if not nearest.is_dir() or not os.access(nearest, os.R_OK | os.W_OK | os.X_OK):
            raise StoreUnavailableError(
                Text(
                    "le dossier des fichiers ne peut être lu ou écrit\u202f: vérifier ses droits",
                    "the folder of files cannot be read or written: check its permissions",
                ),
                SETTING,
            )


class Bucket:
    """A bucket of S3, or what answers like one, through fsspec.

    S3 keeps an object whole when it acknowledges it, and whoever reads next sees it: nothing is written beside.
    No answer is taken from a cache, as another process may have removed what this one saw.

    Args:
        url: ``s3://bucket/prefix``. Credentials are those of the environment, as botocore reads them.

    Raises:
        LabError: the extra is not installed.
    """

    def __init__(self, url: str, *, endpoint: str = "") -> None:
        self.url = url.rstrip("/")
        self.options: dict[str, Any] = {}
        if url.startswith("s3:"):
            _need("fsspec", "s3fs")
            self.options = {
                "endpoint_url": endpoint or None,
                "config_kwargs": {
                    "connect_timeout": CONNECT_SECONDS,
                    "read_timeout": READ_SECONDS,
                    "retries": {"total_max_attempts": 1},
                },
            }
        self._opened: tuple[int, Any, str] | None = None

    def exists(self, file: str) -> bool:
        """See :class:`BlobStore`."""
        with self._telling():
            return bool(self._fs.exists(self._path(file)))

    def read(self, file: str) -> bytes:
        """See :class:`BlobStore`."""
        try:
            with self._telling():
                return bytes(self._fs.cat_file(self._path(file)))
        except FileNotFoundError:
            self.check()  # a bucket that is gone says the same of each of its files
            raise

    def write(self, file: str, content: bytes) -> None:
        """See :class:`BlobStore`."""
        try:
            with self._telling():
                self._fs.pipe_file(self._path(file), content)
        except FileNotFoundError as error:
            raise self._gone() from error

    def sizes(self) -> Iterator[tuple[str, int]]:
        """See :class:`BlobStore`."""
        self.check()
        with self._telling():
            found = self._fs.find(self._root, detail=True)
        for path, about in sorted(found.items()):
            name = path[len(self._root) + 1 :]
            if OURS.fullmatch(name):
                yield name.replace("/", ""), int(about["size"])

    def remove(self, name: str) -> None:
        """See :class:`BlobStore`."""
        try:
            with self._telling():
                self._fs.rm_file(self._path(name))
        except FileNotFoundError:
            return

    def check(self) -> None:
        """See :class:`BlobStore`. Lists at most the 256 folders; whether one may write is known at the first."""
        try:
            with self._telling():
                self._fs.ls(self._root, detail=False)
        except FileNotFoundError as error:  # nothing kept yet, or no bucket
            with self._telling():
                there = self._fs.exists(self._container)
            if not there:
                raise self._gone() from error

    @property
    def _fs(self) -> Any:
        return self._open()[1]

    @property
    def _root(self) -> str:
        return self._open()[2]

    @property
    def _container(self) -> str:
        lead = "/" if self._root.startswith("/") else ""
        return lead + self._root.strip("/").split("/")[0]

    def _open(self) -> tuple[int, Any, str]:
        """The file system of this process: fsspec's threads do not survive a fork."""
        if self._opened is None or self._opened[0] != os.getpid():
            from fsspec.core import url_to_fs

            fs, root = url_to_fs(self.url, use_listings_cache=False, skip_instance_cache=True, **self.options)
            fs.retries = TRIES
            self._opened = os.getpid(), fs, root.rstrip("/")
        return self._opened

    def _path(self, file: str) -> str:
        return f"{self._root}/{file[:2]}/{file[2:]}"

    def _gone(self) -> StoreUnavailableError:
        return StoreUnavailableError(
            Text(
                f"ce compartiment n'existe pas, ou plus\u202f: {self.url}\u202f; rien n'a été enregistré",
                f"this bucket does not exist, or no longer: {self.url}; nothing was saved",
            ),
            SETTING,
        )

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """One clear error for whatever three libraries and a network may raise; an absent file stays absent."""
        try:
            yield
        except (FileNotFoundError, LabError):
            raise
        except Exception as error:
            said = (str(error).strip().splitlines() or [""])[0][:200]
            why = f"{type(error).__name__}, {said}" if said else type(error).__name__
            raise StoreUnavailableError(
                Text(
                    f"stockage des fichiers inaccessible ({why})\u202f: vérifier l'adresse, les identifiants et le "
                    "réseau, puis réessayer",
                    f"the storage of files cannot be reached ({why}): check address, credentials and network, "
                    "then try again",
                ),
                SETTING,
            ) from error


def _need(*modules: str) -> None:
    if any(importlib.util.find_spec(each) is None for each in modules):
        raise LabError(
            Text(
                'il manque de quoi parler à S3\u202f: pip install "lab39[s3]"',
                'what speaks to S3 is not installed: pip install "lab39[s3]"',
            ),
            SETTING,
        )
