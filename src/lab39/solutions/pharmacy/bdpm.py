"""Read the files of the French public medicine database (BDPM).

Format: « Contenu et format des fichiers téléchargeables dans la BDM », version 4, on the download page of
base-donnees-publique.medicaments.gouv.fr. Tab-separated, no header, no quotes. The site publishes the file of
presentations in UTF-8 and the others in Windows-1252; each file is looked at, and what was found is told.
"""

from __future__ import annotations

import codecs
import datetime as dt
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from lab39.core.datapacks import Contents, sha256
from lab39.core.errors import InputError
from lab39.core.text import Text

PACK = "bdpm"
NAMES = {
    "cis": "CIS_bdpm.txt",
    "cip": "CIS_CIP_bdpm.txt",
    "compo": "CIS_COMPO_bdpm.txt",
    "gener": "CIS_GENER_bdpm.txt",
    "cpd": "CIS_CPD_bdpm.txt",
    "mitm": "CIS_MITM.txt",
}
COLUMNS = {"cis": 12, "cip": 13, "compo": 8, "gener": 5, "cpd": 2, "mitm": 4}
NEEDED = ("cis", "cip", "compo")
_CIS = re.compile(r"\d{8}")
_SLIP_DAYS = 200
"""A day so far after every other is a slip of the pen (the files of May 2026 hold one in the year 2924)."""
_ATC = re.compile(r"[A-Z]\d\d[A-Z]{2}(?:\d\d)?")


@dataclass(frozen=True, slots=True)
class Broken:
    """A line that could not be used."""

    file: str
    line: int
    why: Text


@dataclass
class Reading:
    """What reading found: the encoding of each file by role, and the lines left out."""

    encodings: dict[str, str] = field(default_factory=dict)
    broken: list[Broken] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Speciality:
    """A row of CIS_bdpm: a product as authorised."""

    cis: str
    label: str
    form: str
    routes: tuple[str, ...]
    status: str
    procedure: str
    marketed: bool | None
    authorised: dt.date | None
    holder: str

    @property
    def homeopathic(self) -> bool:
        """Registered as a homeopathic medicine."""
        return "homéo" in self.procedure.lower()


@dataclass(frozen=True, slots=True)
class Presentation:
    """A row of CIS_CIP: a box."""

    cis: str
    cip7: str
    label: str
    marketed: bool | None
    declared: dt.date | None
    cip13: str


@dataclass(frozen=True, slots=True)
class Component:
    """A row of CIS_COMPO.

    Attributes:
        nature: ``SA`` substance active, ``FT`` fraction thérapeutique (the moiety).
        link: joins the rows of one substance inside a product.
    """

    cis: str
    element: str
    code: str
    substance: str
    dose: str
    per: str
    nature: str
    link: str


@dataclass(frozen=True, slots=True)
class GenericGroup:
    """A row of CIS_GENER. ``kind``: 0 reference, 1 generic, 2 complementary posology, 4 substitutable."""

    group: str
    label: str
    cis: str
    kind: int
    order: int


@dataclass(frozen=True, slots=True)
class Condition:
    """A row of CIS_CPD: a condition of prescription or dispensing."""

    cis: str
    text: str


@dataclass(frozen=True, slots=True)
class MajorInterest:
    """A row of CIS_MITM: the ATC code of a medicine of major therapeutic interest."""

    cis: str
    atc: str
    label: str


def specialities(path: Path, reading: Reading) -> Iterator[Speciality]:
    """The rows of CIS_bdpm, one at a time."""
    for _, row in _rows("cis", path, reading):
        sold = {"Commercialisée": True, "Non commercialisée": False}.get(row[6])
        routes = tuple(r.strip() for r in row[3].split(";") if r.strip())
        yield Speciality(row[0], row[1], row[2], routes, row[4], row[5], sold, _date(row[7]), row[10])


def presentations(path: Path, reading: Reading) -> Iterator[Presentation]:
    """The rows of CIS_CIP, one at a time."""
    for number, row in _rows("cip", path, reading):
        if not re.fullmatch(r"\d{7}", row[1]) and not re.fullmatch(r"\d{13}", row[6]):
            reading.broken.append(Broken(NAMES["cip"], number, Text("ni CIP7 ni CIP13", "neither CIP7 nor CIP13")))
            continue
        sold = None if not row[4] else row[4] == "Déclaration de commercialisation"
        yield Presentation(row[0], row[1], row[2], sold, _date(row[5]), row[6])


def components(path: Path, reading: Reading) -> Iterator[Component]:
    """The rows of CIS_COMPO, one at a time."""
    for number, row in _rows("compo", path, reading):
        if row[6] not in ("SA", "FT") or not row[3]:
            reading.broken.append(
                Broken(NAMES["compo"], number, Text("nature autre que SA ou FT", "nature is neither SA nor FT"))
            )
            continue
        yield Component(*row[:8])


def generic_groups(path: Path, reading: Reading) -> Iterator[GenericGroup]:
    """The rows of CIS_GENER, one at a time."""
    for number, row in _rows("gener", path, reading):
        try:
            yield GenericGroup(row[0], row[1], row[2], int(row[3]), int(row[4] or 0))
        except ValueError:
            reading.broken.append(
                Broken(NAMES["gener"], number, Text("type de générique illisible", "unreadable type of generic"))
            )


def conditions(path: Path, reading: Reading) -> Iterator[Condition]:
    """The rows of CIS_CPD, one at a time."""
    for _, row in _rows("cpd", path, reading):
        yield Condition(row[0], row[1])


def major_interest(path: Path, reading: Reading) -> Iterator[MajorInterest]:
    """The rows of CIS_MITM, one at a time."""
    for number, row in _rows("mitm", path, reading):
        if not _ATC.fullmatch(row[1]):
            reading.broken.append(Broken(NAMES["mitm"], number, Text("code ATC illisible", "unreadable ATC code")))
            continue
        yield MajorInterest(row[0], row[1], row[2])


def encoding(path: Path) -> str:
    """``utf-8`` when every byte of the file reads so, else ``cp1252``."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as stream:
        try:
            while block := stream.read(1 << 16):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


def inspect(files: list[Path]) -> Contents:
    """The files of the BDPM among these, recognised by their first lines; others are left where they are.

    The files state no edition: it is the latest day they mention (an authorisation, a declaration of marketing).

    Raises:
        InputError: the products, the presentations or the compositions are absent, or a file is given twice.
    """
    found: dict[str, Path] = {}
    for path in files:
        role = _role(path)
        if role is None:
            continue
        if role in found:
            raise InputError(Text(f"deux fichiers {NAMES[role]}", f"two files {NAMES[role]}"), str(path))
        found[role] = path
    absent = [NAMES[role] for role in NEEDED if role not in found]
    if absent:
        raise InputError(
            Text(
                f"il manque {', '.join(absent)}. Les télécharger sur base-donnees-publique.medicaments.gouv.fr",
                f"{', '.join(absent)} missing. Download them from base-donnees-publique.medicaments.gouv.fr",
            ),
            str(files[0].parent) if files else "",
        )
    edition = _latest(found)
    version = edition.isoformat() if edition else f"content-{sha256(found['cis'])[:8]}"
    return Contents(version, edition, found, partial(check, found))


def check(files: Mapping[str, Path], _done: Callable[[float], None] = lambda _fraction: None) -> None:
    """Read every file to its end.

    Raises:
        InputError: a file without its last lines, or in which one line in a hundred cannot be used.
    """
    reading = Reading()
    for role, path in files.items():
        before, count = len(reading.broken), 0
        for _ in READERS[role](path, reading):
            count += 1
        lost = reading.broken[before:]
        if not count or len(lost) * 100 > count + len(lost):
            first = lost[0] if lost else Broken(NAMES[role], 1, Text("fichier vide", "empty file"))
            raise InputError(
                Text(
                    f"{len(lost)} lignes illisibles ({first.why.fr})\u202f: télécharger le fichier de nouveau",
                    f"{len(lost)} unreadable lines ({first.why.en}): download the file again",
                ),
                f"{path.name}:{first.line}",
            )
        if role != "mitm" and not _ends_whole(path):
            raise InputError(
                Text(
                    "fichier tronqué (la dernière ligne n'est pas finie)\u202f: le télécharger de nouveau",
                    "truncated file (the last line does not end): download it again",
                ),
                str(path),
            )


READERS: dict[str, Callable[[Path, Reading], Iterator[Any]]] = {
    "cis": specialities,
    "cip": presentations,
    "compo": components,
    "gener": generic_groups,
    "cpd": conditions,
    "mitm": major_interest,
}


def _rows(role: str, path: Path, reading: Reading) -> Iterator[tuple[int, list[str]]]:
    """Lines with their number, cells stripped; those that do not fit the format are told and left out."""
    reading.encodings[role] = encoding(path)
    codec = "utf-8-sig" if reading.encodings[role] == "utf-8" else "cp1252"
    key = 2 if role == "gener" else 0
    with path.open(encoding=codec, errors="replace", newline="\n") as stream:
        for number, line in enumerate(stream, 1):
            cells = [cell.strip() for cell in line.rstrip("\r\n").split("\t")]
            if cells == [""]:
                continue
            why = None
            if len(cells) < COLUMNS[role]:
                why = Text(
                    f"{len(cells)} colonnes au lieu de {COLUMNS[role]}",
                    f"{len(cells)} columns instead of {COLUMNS[role]}",
                )
            elif not _CIS.fullmatch(cells[key]):
                why = Text(f"code CIS «\u202f{cells[key][:20]}\u202f»", f"CIS code “{cells[key][:20]}”")
            elif "\ufffd" in line:
                why = Text("caractères illisibles", "unreadable characters")
            if why is None:
                yield number, cells
            else:
                reading.broken.append(Broken(NAMES[role], number, why))


def _role(path: Path) -> str | None:
    """Which file this is, by its first line that is not empty."""
    with path.open("rb") as stream:
        head = stream.read(1 << 16).decode("cp1252", errors="replace").lstrip("ï»¿")
    line = next((each for each in head.splitlines() if each.strip()), "")
    cells = [cell.strip() for cell in line.split("\t")]
    if len(cells) == COLUMNS["gener"] and cells[0].isdigit() and _CIS.fullmatch(cells[2]):
        return "gener"
    if not _CIS.fullmatch(cells[0]):
        return None
    if len(cells) == COLUMNS["compo"] and cells[6] in ("SA", "FT"):
        return "compo"
    if len(cells) == COLUMNS["mitm"] and _ATC.fullmatch(cells[1]):
        return "mitm"
    if len(cells) == COLUMNS["cip"] and re.fullmatch(r"\d{7}", cells[1]):
        return "cip"
    if len(cells) == COLUMNS["cis"] and cells[4].startswith("Autorisation"):
        return "cis"
    if len(cells) == COLUMNS["cpd"]:
        return "cpd"
    return None


def _latest(files: Mapping[str, Path]) -> dt.date | None:
    quiet = Reading()
    days = {row.authorised for row in specialities(files["cis"], quiet) if row.authorised}
    days |= {row.declared for row in presentations(files["cip"], quiet) if row.declared}
    latest = sorted(days, reverse=True)
    while len(latest) > 1 and (latest[0] - latest[1]).days > _SLIP_DAYS:
        del latest[0]
    return latest[0] if latest else None


def _date(written: str) -> dt.date | None:
    found = re.fullmatch(r"(\d\d)/(\d\d)/(\d{4})", written)
    try:
        return dt.date(int(found[3]), int(found[2]), int(found[1])) if found else None
    except ValueError:
        return None


def _ends_whole(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(0, os.SEEK_END)
        stream.seek(max(0, stream.tell() - 1))
        return stream.read(1) == b"\n"
