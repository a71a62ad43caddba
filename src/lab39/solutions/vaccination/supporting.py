"""Read supporting data in the CDSi schema: XML of a release or its JSON twin, in a folder or a zip.

A file becomes nested dictionaries of the schema's own element names: a leaf is a string, what is empty is left out,
what is repeated is a list. XML with a document type is refused: no entity is ever expanded.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from xml.parsers import expat

from lab39.core.errors import InputError
from lab39.core.text import Text

SCHEDULE, ANTIGEN, CROSSWALK = "scheduleSupportingData", "antigenSupportingData", "crosswalk"
MAX_BYTES = 64 * 2**20
Document = Mapping[str, Any]


class Documents(NamedTuple):
    """One schedule as read: ``version`` is the digest of the content; ``crosswalk`` adds codes to observations."""

    schedule: Document
    antigens: tuple[Document, ...]
    version: str
    crosswalk: Document


def read(source: Path) -> Documents:
    """A folder or a zip of supporting data, whatever the names of its files and folders.

    Raises:
        InputError: no schedule file or two, no antigen file, a file that cannot be read, more than 64 MiB.
    """
    return assemble(dict(contents(source)), str(source))


def read_files(files: Mapping[str, Path]) -> Documents:
    """The files of an imported pack, by role; see :func:`read`."""
    found: dict[str, bytes] = {}
    for role, path in files.items():
        for name, content in contents(path):
            found[name if name == role else f"{role}/{name}"] = content
    return assemble(found, "vaccination")


def assemble(contents: Mapping[str, bytes], place: str) -> Documents:
    """Sort files into the schedule and its antigens, by content."""
    schedules: list[Document] = []
    antigens: list[tuple[str, Document]] = []
    crosswalk: Document = {}
    digest = hashlib.sha256()
    for name in sorted(contents):
        kind, body = _parsed(name, contents[name])
        if kind is None:
            continue
        digest.update(hashlib.sha256(contents[name]).digest())
        if kind == SCHEDULE:
            schedules.append(body)
        elif kind == CROSSWALK:
            crosswalk = body
        else:
            antigens.append((name, body))
    if len(schedules) != 1 or not antigens:
        raise InputError(
            Text(
                f"il faut un fichier ScheduleSupportingData et au moins un AntigenSupportingData (XML ou JSON). "
                f"Trouvés\u202f: {len(schedules)} et {len(antigens)}",
                f"one ScheduleSupportingData file and at least one AntigenSupportingData are needed (XML or JSON). "
                f"Found: {len(schedules)} and {len(antigens)}",
            ),
            place,
        )
    return Documents(
        schedules[0], tuple(body for _, body in antigens), f"content-{digest.hexdigest()[:12]}", crosswalk
    )


def kind_of(name: str, content: bytes) -> str | None:
    """What a file is by its content: the schedule, an antigen, the crosswalk; ``None`` for another one.

    Raises:
        InputError: it cannot be read.
    """
    return _parsed(name, content)[0]


def many(value: Any) -> list[Any]:
    """What the schema allows to repeat, as a list: absent is none, one is one."""
    return value if isinstance(value, list) else [] if value is None else [value]


def contents(source: Path) -> Iterator[tuple[str, bytes]]:
    total = 0
    try:
        if source.is_dir():
            for path in sorted(source.rglob("*")):
                if _wanted(path.name) and path.is_file():
                    total = _within(total + path.stat().st_size, source)
                    yield str(path.relative_to(source)), path.read_bytes()
        elif zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                for info in archive.infolist():
                    if _wanted(PurePosixPath(info.filename).name) and not info.is_dir():
                        total = _within(total + info.file_size, source)
                        yield info.filename, archive.read(info)
        elif _wanted(source.name):
            _within(source.stat().st_size, source)
            yield source.name, source.read_bytes()
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise InputError(
            Text(f"illisible ({error})", f"cannot be read ({error})"),
            str(source),
        ) from error


def _wanted(name: str) -> bool:
    return name.lower().endswith((".xml", ".json")) and not name.startswith(".")


def _within(total: int, source: Path) -> int:
    if total > MAX_BYTES:
        raise InputError(
            Text("plus de 64\u202fMio de données\u202f: donner le dossier d'une seule édition",
                 "more than 64 MiB of data: give the folder of one edition"),
            str(source),
        )  # fmt: skip
    return total


def _parsed(name: str, content: bytes) -> tuple[str | None, Document]:
    try:
        if name.lower().endswith(".json"):
            body = _pruned(json.loads(content))
            if not isinstance(body, dict):
                return None, {}
            if "cvxToAntigenMap" in body:
                return SCHEDULE, body
            coded = [key for key in body if key.isdigit() and len(key) == 3]
            return (ANTIGEN if "series" in body else CROSSWALK if coded else None), body
        root, body = _xml(content)
        return (root if root in (SCHEDULE, ANTIGEN) else None), body
    except (ValueError, expat.ExpatError, RecursionError) as error:
        raise InputError(Text(f"illisible\u202f: {error}", f"cannot be read: {error}"), name) from error


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _pruned(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in ("", None, {}, [])}
    if isinstance(value, list):
        return [item for item in map(_pruned, value) if item not in ("", None, {}, [])]
    return value.strip() if isinstance(value, str) else str(value) if value is not None else None


def _xml(content: bytes) -> tuple[str, dict[str, Any]]:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    stack: list[tuple[str, dict[str, Any], list[str]]] = []
    done: list[tuple[str, dict[str, Any]]] = []

    def start(tag: str, _attributes: object) -> None:
        stack.append((tag, {}, []))

    def end(tag: str) -> None:
        _, children, words = stack.pop()
        if not stack:
            done.append((tag, children))
            return
        value: Any = children or "".join(words).strip()
        if not value:
            return
        parent = stack[-1][1]
        if tag not in parent:
            parent[tag] = value
        elif isinstance(parent[tag], list):
            parent[tag].append(value)
        else:
            parent[tag] = [parent[tag], value]

    def characters(words: str) -> None:
        if stack:
            stack[-1][2].append(words)

    def doctype(*_: object) -> None:
        raise ValueError("document type not allowed")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = characters, doctype
    parser.Parse(content, True)
    return done[0]
