"""What a person brings: a file or pasted text, one record or several, some of them perhaps unreadable."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lab39.core.errors import InputError, LabError
from lab39.core.record import Record
from lab39.core.text import Text
from lab39.fhir import inputs, jsontext
from lab39.settings import Settings
from lab39.web.security import TooLargeError

MOST = 100
"""Records of one upload: each is assessed while the person waits."""

PASTED = "…"
_PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True, slots=True)
class Brought:
    """What could be read, as the text that came and the record, and what could not, with why."""

    readable: tuple[tuple[str, Record], ...]
    refused: tuple[LabError, ...]


def read(name: str, content: bytes, settings: Settings) -> Brought:
    """Records of one file: JSON, NDJSON, either one compressed, or an archive of them.

    Args:
        name: as the browser gave it; only its ending is used, and it is shown.

    Raises:
        InputError: nothing in it is a record.
        TooLargeError: more records than one upload takes.
    """
    shown = PurePosixPath(name.replace("\\", "/")).name[:80] or PASTED
    rows = _packed(shown, content, settings) if content.startswith(_PACKED) else _plain(shown, content, settings)
    readable: list[tuple[str, Record]] = []
    refused: list[LabError] = []
    for row in rows:
        if isinstance(row, LabError):
            refused.append(row)
        else:
            readable.append(row)
        if len(readable) + len(refused) > MOST:
            raise TooLargeError(
                Text(
                    f"plus de {MOST} dossiers\u202f: en donner moins à la fois, ou utiliser la commande "
                    "«\u202flab39 assess\u202f», qui n'a pas de limite. Rien n'a été enregistré.",
                    f"more than {MOST} records: give fewer at a time, or use the command “lab39 assess”, which has "
                    "no limit. Nothing was saved.",
                )
            )
    if not readable and len(refused) == 1:
        raise refused[0]
    return Brought(tuple(readable), tuple(refused))


def _plain(shown: str, content: bytes, settings: Settings) -> Iterator[tuple[str, Record] | LabError]:
    if not content.strip():
        raise InputError(Text("le fichier est vide", "the file is empty"), shown)
    lines = content.splitlines() if shown.lower().endswith(inputs.MANY) or _looks_like_lines(content) else [content]
    several = len(lines) > 1
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"{shown}:{number}" if several else shown
        try:
            record = inputs.record(line, place, settings)
            yield line.decode("utf-8"), record
        except LabError as error:
            yield error


def _looks_like_lines(content: bytes) -> bool:
    """One JSON object on each line, whatever the file is called."""
    lines = [line for line in content.splitlines() if line.strip()]
    return len(lines) > 1 and all(line.startswith(b"{") and line.rstrip().endswith(b"}") for line in lines)


def _packed(shown: str, content: bytes, settings: Settings) -> Iterator[tuple[str, Record] | LabError]:
    """By the reader of files, which knows archives and their traps; the text is written anew from what was read."""
    with tempfile.TemporaryDirectory(prefix="lab39-") as folder:
        ending = "".join(PurePosixPath(shown).suffixes[-2:]).lower()
        path = Path(folder) / f"brought{ending if ending.isprintable() else ''}"
        path.write_bytes(content)
        for row in inputs.iter_records([path], settings):
            if isinstance(row, inputs.Failed):
                yield _renamed(row.error, str(path), shown)
            else:
                yield jsontext.dumps(row.origin), row


def _renamed(error: LabError, path: str, shown: str) -> LabError:
    return type(error)(error.text, error.place.replace(path, shown).replace(PurePosixPath(path).name, shown))
