"""Files as streams of bytes and of lines: plain, gzip or zip, in any encoding; nothing is unpacked on disk."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from lab39.core.errors import InputError, LabError
from lab39.solutions.signals.readers.errors import refuse

Note = Callable[[str], None]
NOT_UTF8, MIXED = "lines not in UTF-8", "lines in two encodings"
"""What is noted of lines that had to be read otherwise than as UTF-8."""
NO_LETTER = re.compile("[\x80-\x9f]")
"""What is left of a byte that is a letter in neither UTF-8 nor Windows-1252, see :func:`decoded`."""
_PIECES = "lab39-windows-1252"
DOCUMENTS = (".pdf", ".doc", ".docx", ".xls", ".xlsx", ".pptx", ".odt", ".ods", ".htm", ".html")
"""Ends of the names of files that come along and are never a source."""
BLOCK = 4 * 2**20
MAX_RATIO = 1000
"""A zip member that unpacks to more than this many times its size is refused."""


@dataclass(frozen=True, slots=True)
class Item:
    """A file, or a member of a zip; ``name`` is what errors call it."""

    path: Path
    member: str = ""

    @property
    def name(self) -> str:
        """``quarter.zip!ascii/DEMO17Q2.txt``, ``folder/DEMO17Q2.txt``."""
        return f"{self.path.name}!{self.member}" if self.member else self.path.name

    @property
    def base(self) -> str:
        """The file's own name, without folders or ``.gz``."""
        base = (self.member or self.path.name).replace("\\", "/").rsplit("/", 1)[-1]
        return base[:-3] if base.lower().endswith(".gz") else base

    @property
    def inside(self) -> str:
        """Its path inside the zip, or its last two names."""
        return self.member or "/".join(self.path.parts[-2:])

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The bytes, unpacked.

        Raises:
            InputError: a truncated or damaged archive, a file that cannot be read; also from the stream's ``read``.
        """
        with ExitStack() as stack:
            with _told(self.name):
                raw = self._raw(stack)
            yield io.BufferedReader(_Guarded(raw, self.name), BLOCK)

    def _raw(self, stack: ExitStack) -> IO[bytes]:
        if self.member:
            archive = stack.enter_context(zipfile.ZipFile(self.path))
            told = archive.getinfo(self.member)
            if told.file_size > MAX_RATIO * max(told.compress_size, 1024):
                raise refuse(
                    self.name,
                    "ce fichier se déploie démesurément : ce n'est sans doute pas l'archive attendue",
                    "this file unpacks beyond measure: it is probably not the archive you expect",
                )
            return stack.enter_context(archive.open(told))
        if self.path.suffix.lower() == ".gz":
            return cast(IO[bytes], stack.enter_context(gzip.open(self.path)))
        return stack.enter_context(self.path.open("rb"))


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Errors of reading, as ours: only they, since what is done with the bytes may fail too."""
    try:
        yield
    except (zipfile.BadZipFile, EOFError, zlib.error, gzip.BadGzipFile, NotImplementedError, RuntimeError) as error:
        raise damaged(name, error) from error
    except OSError as error:
        why = error.strerror or str(error)
        raise refuse(name, f"illisible ({why})", f"cannot be read ({why})") from error


class _Guarded(io.RawIOBase):
    """A stream whose errors say which file is damaged."""

    def __init__(self, raw: IO[bytes], name: str) -> None:
        self.raw, self.name = raw, name

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        with _told(self.name):
            got = self.raw.read(len(buffer))
        buffer[: len(got)] = got
        return len(got)


def damaged(place: str | Path, error: Exception) -> InputError:
    """The error of an archive that ends too early or does not hold together."""
    why = str(error) or type(error).__name__
    return refuse(
        place,
        f"archive incomplète ou abîmée ({why}) : téléchargez-la de nouveau",
        f"the archive is truncated or damaged ({why}): download it again",
    )


def items(path: Path, failed: list[LabError] | None = None) -> list[Item]:
    """The files of a folder, a zip or a single file, sorted by name.

    Args:
        failed: told of the files of a folder that cannot be looked at, and takes the place of their errors.

    Raises:
        InputError: nothing there, a damaged zip.
    """
    if not path.exists():
        raise refuse(path, "ce fichier n'existe pas", "no such file")
    if path.is_dir():
        found: list[Item] = []
        for file in sorted(path.rglob("*")):
            try:
                found += items(file) if file.is_file() else []
            except LabError as error:
                if failed is None:
                    raise
                failed.append(error)
        return found
    if path.suffix.lower() in DOCUMENTS:
        return [Item(path)]  # an Office file is a zip of its own parts
    if path.suffix.lower() == ".zip" or _is_zip(path):
        try:
            with zipfile.ZipFile(path) as archive:
                return [Item(path, info.filename) for info in archive.infolist() if not info.is_dir()]
        except (zipfile.BadZipFile, OSError) as error:
            raise damaged(path, error) from error
    return [Item(path)]


def _is_zip(path: Path) -> bool:
    with _told(str(path)), path.open("rb") as stream:
        return stream.read(4) == b"PK\x03\x04"


def digest(parts: list[Item], *about: str) -> str:
    """A name made of the content: 32 hexadecimal digits, the same wherever the files are."""
    whole = hashlib.sha256("\0".join(about).encode())
    for item in sorted(parts, key=lambda each: each.base.lower()):
        whole.update(item.base.lower().encode() + b"\0")
        with item.open() as stream:
            while block := stream.read(BLOCK):
                whole.update(block)
    return whole.hexdigest()[:32]


def head(item: Item, size: int = 64 * 1024) -> bytes:
    """The first bytes of a file."""
    with item.open() as stream:
        return stream.read(size)


def decoded(raw: bytes, note: Note = lambda _what: None) -> str:
    """A line as text: UTF-8 when it is, else Windows-1252. Line by line, for files that mix them.

    A line that mixes them is UTF-8 where its bytes are, and Windows-1252 elsewhere: a whole character of UTF-8 is
    never two letters of a word. A byte that Windows-1252 does not have becomes a control character.

    Args:
        note: told :data:`NOT_UTF8` or :data:`MIXED` when the line is not UTF-8.
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("utf-8", _PIECES)
        note(NOT_UTF8 if len(text) == len(raw) else MIXED)
        return text


def _windows(error: UnicodeError) -> tuple[str, int]:
    """The bytes that are no UTF-8, as Windows-1252; Latin-1 for those that it does not have."""
    assert isinstance(error, UnicodeDecodeError)
    bad = error.object[error.start : error.end]
    try:
        return bad.decode("cp1252"), error.end
    except UnicodeDecodeError:
        return bad.decode("latin-1"), error.end


codecs.register_error(_PIECES, _windows)


def text_lines(item: Item, encoding: str = "", note: Note = lambda _what: None) -> Iterator[str]:
    """The lines of a text file, ends kept. A byte-order mark decides; else ``encoding``, else line by line.

    Args:
        note: see :func:`decoded`.
    """
    with item.open() as stream:
        if cast(io.BufferedReader, stream).peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff"):
            try:
                yield from io.TextIOWrapper(stream, "utf-16", newline="")
            except UnicodeDecodeError as error:
                raise refuse(
                    item.name,
                    "fichier en UTF-16 coupé ou abîmé : redemandez-le, ou réenregistrez-le en UTF-8",
                    "this UTF-16 file is cut or damaged: ask for it again, or save it as UTF-8",
                ) from error
            return
        for number, raw in enumerate(stream):
            line = raw.removeprefix(b"\xef\xbb\xbf") if not number else raw
            yield line.decode(encoding, "replace") if encoding else decoded(line, note)
