"""The fictional records, wherever the package is: in its wheel, or beside its source."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from lab39.core.errors import UnknownNameError
from lab39.core.record import Record
from lab39.core.text import Text
from lab39.fhir import inputs


@dataclass(frozen=True, slots=True)
class Example:
    """One fictional person.

    Attributes:
        who, what: who it is, and what it is worth looking at for.
        day: its story is written for this day.
        shows: ids of the solutions it was chosen to show.
    """

    id: str
    file: str
    who: Text
    what: Text
    day: dt.date
    shows: tuple[str, ...]

    @property
    def document(self) -> str:
        """The text of the record."""
        return (_folder() / self.file).read_text("utf-8")

    @property
    def record(self) -> Record:
        """The record, read anew: nobody shares it."""
        return inputs.record(self.document, self.file)


@cache
def all_examples() -> Mapping[str, Example]:
    """Every fictional record, in the order they are shown."""
    table = tomllib.loads(files("lab39.fhir").joinpath("examples.toml").read_text("utf-8"))
    day: dt.date = table["day"]
    return {
        row["id"]: Example(
            row["id"], row["file"], Text.of(row["who"]), Text.of(row["what"]), day, tuple(row.get("shows", ()))
        )
        for row in table["example"]
    }


def example(name: str) -> Example:
    """One of them.

    Raises:
        UnknownNameError: listing those there are.
    """
    found = all_examples().get(name)
    if found is None:
        names = ", ".join(all_examples())
        raise UnknownNameError(
            Text(
                f"pas de dossier fictif de ce nom. Il y a\u202f: {names}",
                f"no fictional record of this name. There are: {names}",
            )
        )
    return found


def best_for(solution: str) -> Example:
    """The one chosen to show a solution; the running story when none was."""
    every = all_examples().values()
    return next((e for e in every if solution in e.shows), next(iter(every)))


@cache
def _folder() -> Path:
    package = Path(str(files("lab39")))
    shipped = package / "examples"
    return shipped if shipped.is_dir() else package.parents[1] / "examples"
