"""A file that somebody sends to a page, as a record; nothing of it is kept."""

from __future__ import annotations

from lab39.core.errors import InputError
from lab39.core.faces import Upload
from lab39.core.record import Record
from lab39.core.text import Text
from lab39.fhir.inputs import record

MAX_BYTES = 5_000_000


def uploaded(sent: Upload | None) -> Record:
    """The record of a file.

    Raises:
        InputError: no file, one that is too large, or no record; its place is the field ``file``.
    """
    if sent is None or not sent.content:
        raise InputError(Text("choisir un fichier", "choose a file"), "file")
    if len(sent.content) > MAX_BYTES:
        raise InputError(Text("fichier de plus de 5 Mo", "file of more than 5 MB"), "file")
    try:
        return record(sent.content)
    except UnicodeDecodeError as error:
        raise InputError(
            Text(
                "fichier illisible. Un dossier FHIR R4 (JSON) est attendu",
                "unreadable file. A FHIR R4 record (JSON) is expected",
            ),
            "file",
        ) from error
    except InputError as error:
        raise InputError(error.text, "file") from error
