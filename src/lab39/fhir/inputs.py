"""From files, folders, archives and lines to records, with limits, and with the place of every error."""

from __future__ import annotations

import gzip
import lzma
import os
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from lab39.core.errors import InputError, LabError
from lab39.core.record import Record
from lab39.core.text import Text
from lab39.fhir import jsontext, phenopackets
from lab39.fhir.versions import refuse_other_releases
from lab39.settings import Settings

MANY = (".ndjson", ".jsonl")
ONE = (".json",)
RATIO = 200
"""Text compresses 5 to 20 times; an archive that unpacks to more than this many times its size is refused."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A source that could not be read as a record, with why."""

    source: str
    error: LabError


def record(text: str | bytes | Mapping[str, Any], source: str = "", settings: Settings | None = None) -> Record:
    """One record from JSON (text or parsed): a FHIR R4 Bundle or resource, or a Phenopacket v2.

    Raises:
        InputError: naming the place and what to do.
    """
    limits = settings or Settings()
    if not isinstance(text, Mapping):
        if len(text) > limits.max_bytes:
            raise _too_large(source, limits.max_bytes)
        document = jsontext.loads(text, source, max_depth=limits.max_depth, max_values=limits.max_values)
    else:
        document = text
    if not isinstance(document, Mapping):
        raise InputError(
            Text(
                "un objet JSON est attendu (Bundle FHIR R4 ou Phenopacket v2), pas une liste ni une valeur seule",
                "a JSON object is expected (FHIR R4 Bundle or Phenopacket v2), not a list or a bare value",
            ),
            source,
        )
    if phenopackets.looks_like(document):
        return phenopackets.to_record(document, source)
    if document.get("resourceType") != "Bundle":
        refuse_other_releases([document], source)
    found = Record.from_fhir(document, source)
    if not found.resources():
        raise InputError(Text("le Bundle ne contient aucune ressource", "the Bundle holds no resource"), source)
    refuse_other_releases(found.resources(), source)
    return found


def load(path: Path | str, settings: Settings | None = None) -> Record:
    """The one record of a file.

    Raises:
        InputError: the file does not hold exactly one readable record.
    """
    found = list(iter_records([Path(path)], settings))
    for item in found:
        if isinstance(item, Failed):
            raise item.error
    if len(found) != 1:
        raise InputError(
            Text(f"{len(found)} dossiers, un seul est attendu", f"{len(found)} records, one is expected"),
            str(path),
        )
    (only,) = found
    assert isinstance(only, Record)
    return only


def iter_records(paths: Iterable[Path], settings: Settings | None = None) -> Iterator[Record | Failed]:
    """Records one by one, from JSON, NDJSON, ``.gz``, ``.zip`` and folders of those.

    What cannot be read is yielded as :class:`Failed` in its place, so that nothing is lost in silence.
    """
    limits = settings or Settings()
    for path in paths:
        place = _shown(path)
        try:
            if path.is_dir():
                inside, closed = _inside(path)
                yield from closed
                if not inside and not closed:
                    raise InputError(
                        Text(
                            "aucun fichier .json, .ndjson, .jsonl, .gz ou .zip dans ce dossier",
                            "no .json, .ndjson, .jsonl, .gz or .zip file in this folder",
                        ),
                        place,
                    )
                yield from iter_records(inside, limits)
            elif not path.exists():
                raise InputError(Text("fichier introuvable", "no such file"), place)
            elif not path.is_file():
                raise InputError(
                    Text(
                        "ce n'est ni un fichier ni un dossier\u202f; enregistrer d'abord les données",
                        "neither a file nor a folder; save the data first",
                    ),
                    place,
                )
            elif zipfile.is_zipfile(path):
                yield from _zip(path, limits)
            else:
                yield from _file(path, limits)
        except LabError as error:
            yield Failed(place, error)
        except zipfile.BadZipFile as error:
            yield Failed(place, InputError(_damaged(error), place))
        except OSError as error:
            yield Failed(place, InputError(_unreadable(error), place))


def _inside(folder: Path) -> tuple[list[Path], list[Failed]]:
    """The files to read under a folder, in order, and the folders that could not be entered."""
    closed: list[OSError] = []
    files = [Path(at, name) for at, _, names in os.walk(folder, onerror=closed.append) for name in names]
    failed = []
    for error in closed:
        place = _shown(Path(os.fsdecode(error.filename or folder)))
        failed.append(Failed(place, InputError(_unreadable(error), place)))
    return sorted(p for p in files if _kind(p.name) and p.is_file()), failed


def _unreadable(error: OSError) -> Text:
    why = error.strerror or str(error)
    return Text(f"lecture impossible\u202f: {why}", f"cannot be read: {why}")


def _shown(path: Path) -> str:
    """A path as text that can be written anywhere, whatever bytes its name is made of."""
    return os.fsencode(path).decode("utf-8", "replace")


def _kind(name: str) -> str:
    """``one`` record, ``many`` (one a line), a ``zip``, or ``""`` for what is not read."""
    stem = name.lower().removesuffix(".gz")
    if stem.endswith(MANY):
        return "many"
    if stem.endswith(ONE):
        return "one"
    if stem.endswith(".zip"):
        return "zip"
    return "one" if stem != name.lower() else ""


def _file(path: Path, limits: Settings) -> Iterator[Record | Failed]:
    with path.open("rb") as probe:
        packed = probe.read(2) == b"\x1f\x8b"
    size = path.stat().st_size
    if not packed and _kind(path.name) != "many" and size > limits.max_bytes:
        raise _too_large(_shown(path), limits.max_bytes)
    with path.open("rb") as raw:
        stream = cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if packed else raw
        yield from _stream(stream, path.name, _shown(path), limits, size * RATIO if packed else None)


def _zip(path: Path, limits: Settings) -> Iterator[Record | Failed]:
    with zipfile.ZipFile(path) as archive:
        inside = [i for i in archive.infolist() if _kind(i.filename) and not i.is_dir()]
        if not inside:
            raise InputError(
                Text("archive sans fichier .json ni .ndjson", "an archive without .json or .ndjson files"),
                _shown(path),
            )
        for item in inside:
            place = f"{_shown(path)} › {item.filename}".encode("utf-8", "replace").decode()
            try:
                if _kind(item.filename) == "zip":
                    raise InputError(_ZIP_IN_ZIP, place)
                with archive.open(item) as stream:
                    packed = item.filename.lower().endswith(".gz")
                    body = cast(IO[bytes], gzip.GzipFile(fileobj=stream)) if packed else stream
                    yield from _stream(body, item.filename, place, limits, max(item.compress_size, 1) * RATIO)
            except LabError as error:
                yield Failed(place, error)
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, lzma.LZMAError) as error:
                yield Failed(place, InputError(_damaged(error), place))


def _stream(
    stream: IO[bytes], name: str, place: str, limits: Settings, allowed: int | None
) -> Iterator[Record | Failed]:
    """Records of one open file; ``allowed`` bounds what a compressed one may unpack to, ``None`` when it is not."""
    bound = sys.maxsize if allowed is None else allowed
    try:
        if _kind(name) != "many":
            body = stream.read(min(limits.max_bytes, bound) + 1)
            if len(body) > bound:
                raise _bomb(place)
            if len(body) > limits.max_bytes:
                raise _too_large(place, limits.max_bytes)
            yield record(body, place, limits)
            return
        seen, number, records = 0, 0, 0
        while line := stream.readline(limits.max_bytes + 1):
            number += 1
            seen += len(line)
            spot = f"{place}:{number}"
            if seen > bound:
                raise _bomb(spot, _REST)
            if len(line) > limits.max_bytes:
                raise _too_large(spot, limits.max_bytes, _REST)
            if line.strip():
                records += 1
                try:
                    yield record(line, spot, limits)
                except LabError as error:
                    yield Failed(spot, error)
        if not records:
            raise InputError(Text("le fichier est vide", "the file is empty"), place)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(_damaged(error), place) from error


def _damaged(error: Exception) -> Text:
    return Text(f"archive abîmée ou chiffrée\u202f: {error}", f"damaged or encrypted archive: {error}")


_NOTHING = Text("", "")
_REST = Text(
    " Cette ligne et toutes celles qui la suivent n'ont pas été lues.",
    " This line and all those after it were not read.",
)
_ZIP_IN_ZIP = Text(
    "une archive dans une archive n'est pas lue\u202f: la déployer d'abord",
    "an archive inside an archive is not read: unpack it first",
)


def _bomb(place: str, then: Text = _NOTHING) -> InputError:
    return InputError(
        Text(
            f"l'archive se déploie à plus de {RATIO} fois sa taille\u202f: refusée. "
            f"Si elle est sûre, la décompresser.{then.fr}",
            f"the archive unpacks to more than {RATIO} times its size: refused. "
            f"Unpack it yourself if it is safe.{then.en}",
        ),
        place,
    )


def _too_large(place: str, limit: int, then: Text = _NOTHING) -> InputError:
    mib = limit // 1024**2
    return InputError(
        Text(
            f"un dossier de plus de {mib} Mio est refusé. Donner du NDJSON, ou relever LAB39_MAX_BYTES.{then.fr}",
            f"a record over {mib} MiB is refused. Give NDJSON, or raise LAB39_MAX_BYTES.{then.en}",
        ),
        place,
    )
