"""``lab39 export-person`` and ``lab39 erase-person``: everything the lab keeps about somebody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lab39 import terminal
from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.terminal import JsonOption

if TYPE_CHECKING:
    from lab39.store.people import Person

Who = Annotated[str, typer.Argument(metavar="ID|EMAIL", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("export-person")(export_person)
    app.command("erase-person")(erase_person)


def export_person(
    who: Who,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="ZIP", help="Fichier à écrire / file to write.")],
    json: JsonOption = False,
) -> None:
    """Écrit tout ce qui est conservé sur une personne. / Write everything kept about a person."""
    from lab39.store import privacy

    with terminal.store() as store:
        done = privacy.export_person(store, _find(who).id, out)
    if json:
        terminal.emit(done)
    total = sum(done.rows.values())
    terminal.say(
        Text(
            f"écrit\u202f: {out} ({total} lignes, {done.files} fichiers)",
            f"written: {out} ({total} rows, {done.files} files)",
        )
    )
    _warn(done.missing)


def erase_person(
    who: Who,
    yes: Annotated[bool, typer.Option("--yes", help="Sans demander / without asking.")] = False,
    json: JsonOption = False,
) -> None:
    """Efface ce qui est conservé sur une personne, et dit ce qui reste. / Erase a person, and say what stays."""
    from lab39.store import privacy

    person = _find(who)
    if not yes:
        if json:
            raise InputError(Text("--json demande --yes", "--json needs --yes"), "erase-person")
        question = Text(
            f"Effacer {person.display_name or person.id}\u202f? On ne pourra pas revenir en arrière",
            f"Erase {person.display_name or person.id}? It cannot be undone",
        )
        typer.confirm(question[terminal.session().lang], abort=True, err=True)
    with terminal.store() as store:
        done = privacy.erase_person(store, person.id)
    if json:
        terminal.emit(done)
    else:
        from rich.table import Table

        lang = terminal.session().lang
        heads = {"fr": ("quoi", "effacé", "conservé", "pourquoi"), "en": ("what", "erased", "kept", "why")}[lang]
        table = Table(*heads)
        for each in done.outcomes:
            table.add_row(each.what[lang], str(each.erased), str(each.kept), each.why[lang])
        terminal.out().print(table)
    terminal.say(
        Text(
            "Les sauvegardes faites avant gardent leur copie jusqu'à ce qu'on les supprime.",
            "Backups made before keep their copy until they are deleted.",
        )
    )
    _warn(done.missing)


def _find(who: str) -> Person:
    from lab39.store import people

    with terminal.store() as store, store.reading() as tx:
        return people.find(tx, who)


def _warn(missing: object) -> None:
    """A solution that does not load was left out: told, and exit 1."""
    assert isinstance(missing, dict)
    for name, why in missing.items():
        terminal.say(
            Text(
                f"{name}\u202f: ne se charge pas ({why})\u202f; ce qu'elle conserve n'est pas compris",
                f"{name}: does not load ({why}); what it keeps is not included",
            )
        )
    if missing:
        raise typer.Exit(1)
