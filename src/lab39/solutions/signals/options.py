"""What the commands of signals are asked with: options, and what they stand for."""

from __future__ import annotations

import datetime as dt
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lab39.core.errors import InputError
from lab39.core.text import Text

if TYPE_CHECKING:
    from lab39.solutions.signals.sources import Source, Store

StoreOption = Annotated[
    Path, typer.Option("--store", metavar="DIR", help="Dossier des notifications / folder of the reports.")
]
MaybeStore = Annotated[
    Path | None,
    typer.Option(
        "--store", metavar="DIR", help="Dossier des notifications / folder of the reports.", show_default=False
    ),
]
PairsOption = Annotated[
    Path | None,
    typer.Option(
        "--pairs",
        metavar="CSV",
        help="Lignes notification, médicament, événement / rows of report, drug, event.",
        show_default=False,
    ),
]
ByOption = Annotated[
    str,
    typer.Option(
        "--by", metavar="sex,age,year", help="Strates des attendus / strata of expectations.", show_default=False
    ),
]
ColumnsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--columns",
        metavar="drug=NAME",
        help="Nom d'une colonne du CSV, répétable / a column of the CSV.",
        show_default=False,
    ),
]
RolesOption = Annotated[
    str,
    typer.Option(
        "--roles", metavar="PS,SS|all", help="Rôles des médicaments comptés / roles of the drugs counted."
    ),
]
DrugColumn = Annotated[
    Literal["ingredient", "drug"],
    typer.Option("--drug-column", help="Substance, ou nom tel que notifié / ingredient, or name as reported."),
]
MemoryOption = Annotated[float, typer.Option("--memory", metavar="GB", min=0.1, help="Mémoire / memory, GB.")]
TopOption = Annotated[int, typer.Option("--top", min=0, help="Lignes affichées / rows shown.")]
SUSPECTS, INGREDIENT = "suspect", "ingredient"


def source_of(
    store: Path | None,
    pairs: Path | None,
    counts: Path | None = None,
    *,
    roles: str = SUSPECTS,
    drug_column: str = INGREDIENT,
    columns: list[str] | None = None,
    duplicates: Literal["keep", "merge"] = "keep",
    before: str = "",
) -> Source:
    """What to count: exactly one of the three.

    Raises:
        InputError: none, several, or an option that means nothing for it.
    """
    from lab39.solutions.signals.sources import ALIASES, CountTable, Pairs

    given = [each for each in (store, pairs, counts) if each is not None]
    if len(given) != 1:
        raise InputError(
            Text(
                "dire quoi compter, une seule fois\u202f: --store DOSSIER, --pairs CSV ou --counts CSV",
                "say what to count, once: --store FOLDER, --pairs CSV or --counts CSV",
            ),
            "--store",
        )
    vain = (
        (("--columns", columns),)
        if store
        else (
            ("--roles", roles != SUSPECTS),
            ("--drug-column", drug_column != INGREDIENT),
            ("--duplicates", duplicates != "keep"),
            ("--before", before),
        )
    )
    for name, asked in vain:
        if asked:
            raise InputError(Text("sans effet ici\u202f: l'enlever", "of no effect here: leave it out"), name)
    if store is not None:
        if before and not re.fullmatch(r"\d{4}Q[1-4]", before):
            raise InputError(Text("attendu un trimestre, 2017Q2", "a quarter is expected, 2017Q2"), "--before")
        return replace(store_of(store, roles, drug_column), duplicates=duplicates, before=before)
    if pairs is not None:
        return Pairs(pairs, pairs_of(columns, tuple(ALIASES)))
    assert counts is not None
    return CountTable(counts, pairs_of(columns, tuple(ALIASES)))


def store_of(folder: Path, roles: str = SUSPECTS, drug_column: str = INGREDIENT) -> Store:
    """A store as it is counted; by default suspect drugs, and drugs whose role nothing tells.

    Raises:
        InputError: no store there, or an unknown role.
    """
    from lab39.solutions.signals.readers import SUSPECT_ROLES
    from lab39.solutions.signals.readers import Store as Reports
    from lab39.solutions.signals.sources import Store

    Reports.open(folder)
    known = ("PS", "SS", "S", "I", "C", "N")
    if roles == "all":
        asked: tuple[str, ...] = ()
    elif roles == SUSPECTS:
        asked = (*SUSPECT_ROLES, "")
    else:
        asked = listed(roles.upper())
        if not asked or set(asked) - set(known):
            raise InputError(
                Text(
                    f"rôle inconnu «\u202f{roles[:40]}\u202f»\u202f: {', '.join(known)}, suspect ou all",
                    f"unknown role “{roles[:40]}”: {', '.join(known)}, suspect or all",
                ),
                "--roles",
            )
    return Store(folder, drug=drug_column, roles=asked)


def listed(value: str) -> tuple[str, ...]:
    """``sex,age`` as its parts."""
    return tuple(each.strip() for each in value.split(",") if each.strip())


def pairs_of(columns: list[str] | None, known: tuple[str, ...]) -> dict[str, str]:
    """``drug=NAME`` options as a mapping.

    Raises:
        InputError: one that has not this form, or names no column of ours.
    """
    made: dict[str, str] = {}
    for each in columns or ():
        role, mark, column = each.partition("=")
        if not mark or not role.strip() or not column.strip():
            raise InputError(
                Text(f"«\u202f{each[:60]}\u202f»\u202f: attendu drug=NOM", f"“{each[:60]}”: drug=NAME is expected"),
                "--columns",
            )
        if role.strip() not in known:
            names = ", ".join(known)
            raise InputError(
                Text(f"«\u202f{role[:40]}\u202f» inconnu\u202f: {names}", f"unknown “{role[:40]}”: {names}"),
                "--columns",
            )
        made[role.strip()] = column.strip()
    return made


@contextmanager
def still(store: Path | None) -> Iterator[None]:
    """While a store is read: an ingestion that ends meanwhile waits before it changes the tables."""
    from lab39.solutions.signals.readers import Store as Reports

    with Reports.open(store).reading() if store else nullcontext():
        yield


def writable(folder: Path, instead: str) -> None:
    """Before a long work: whether its result can be written in a folder, which is made when there is none.

    Args:
        instead: the option that names another one.

    Raises:
        InputError: it cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(
            Text(
                f"on ne peut pas y écrire ({why})\u202f: donner un autre dossier avec {instead}",
                f"cannot be written ({why}): give another folder with {instead}",
            ),
            str(folder),
        ) from error


def today() -> dt.date:
    """The day of this machine."""
    return dt.datetime.now().astimezone().date()


def memory_of(value: str) -> str:
    """A size as DuckDB reads it.

    Raises:
        InputError: something else.
    """
    if not re.fullmatch(r"\d+(\.\d+)?\s?[MGT]i?B", value):
        raise InputError(
            Text(f"«\u202f{value[:20]}\u202f»\u202f: écrire 500MB, 2GB", f"“{value[:20]}”: write 500MB, 2GB"),
            "--memory",
        )
    return value
