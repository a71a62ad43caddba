"""``lab39 new`` and ``lab39 check``: make a solution, and see whether it is one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lab39 import terminal
from lab39.core.text import Text
from lab39.terminal import JsonOption


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(new)
    app.command()(check)


def new(
    name: str,
    folder: Annotated[Path, typer.Option("--in", metavar="FOLDER", help="Où l'écrire / where.")] = Path(),
    author: Annotated[str, typer.Option(help="Auteur / author.", show_default=False)] = "",
    json: JsonOption = False,
) -> None:
    """Crée une solution complète qui fonctionne aussitôt. / Make a whole solution that works at once."""
    from lab39 import scaffold

    made = scaffold.create(name, folder, author=author)
    if json:
        terminal.emit({"made": str(made)})
    else:
        terminal.out().print(str(made), markup=False, soft_wrap=True)
    terminal.say(
        Text(
            f"créé. Ensuite\u202f: lab39 check {made}, puis pip install -e {made}",
            f"made. Next: lab39 check {made}, then pip install -e {made}",
        )
    )


def check(
    package: Annotated[str, typer.Argument(metavar="PACKAGE", help="Dossier ou id installé / folder or id.")],
    records: Annotated[
        list[Path] | None, typer.Option("--records", metavar="FOLDER", help="Dossiers en plus / more records.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Passe la suite de conformité\u202f; sortie 1 si un point manque. / Run the conformance suite."""
    from lab39 import conformance

    rows = conformance.check(package, settings=terminal.session().settings, records=records or ())
    failures = [row for row in rows if not row.passed]
    if json:
        terminal.emit(
            {
                "total": len(rows),
                "passed": len(rows) - len(failures),
                "failures": [row.id for row in failures],
                "checks": rows,
            }
        )
    else:
        lang = terminal.session().lang
        for row in rows:
            mark = "✓" if row.passed else "✗"
            detail = f" – {row.detail[lang]}" if row.detail else ""
            terminal.out().print(f"{mark} {row.title[lang]}{detail}", markup=False)
        terminal.out().print(f"{len(rows) - len(failures)} / {len(rows)}")
    if failures:
        raise typer.Exit(1)
