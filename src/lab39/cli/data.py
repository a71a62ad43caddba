"""``lab39 data``: the data packs that solutions use."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from lab39 import terminal
from lab39.core.datapacks import Pack, Packs, PackSpec
from lab39.core.text import Lang, Text
from lab39.fhir.outputs import COLON
from lab39.terminal import JsonOption

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Packs de données\u202f: lister, installer, importer, vérifier, enlever. / Data packs.",
)


def _row(pack: Pack) -> dict[str, Any]:
    return {
        "name": pack.name,
        "version": pack.version,
        "edition": pack.edition,
        "origin": pack.origin,
        "key": pack.key,
        "sha256": dict(pack.sha256),
    }


@app.command("list")
def list_packs(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]")] = None, json: JsonOption = False
) -> None:
    """Les packs connus et ce qui est installé\u202f; un seul, en détail. / Known packs; one of them in detail."""
    packs = terminal.lab().packs
    rows = [_known(packs, packs.spec(each)) for each in ([name] if name else packs.specs)]
    if json:
        terminal.emit({"packs": rows})
    elif name:
        _detail(rows[0], terminal.session().lang)
    else:
        _table(rows, terminal.session().lang)


def _known(packs: Packs, spec: PackSpec) -> dict[str, Any]:
    installed = packs.installed(spec.name)
    return {
        "name": spec.name,
        "title": spec.title,
        "licence": spec.licence,
        "remedy": spec.remedy,
        "installed": [_row(pack) for pack in installed],
        "used": installed[-1].version if installed else None,
    }


def _table(rows: list[dict[str, Any]], lang: Lang) -> None:
    from rich.table import Table

    heads = {"fr": ("contenu", "installé", "licence"), "en": ("content", "installed", "licence")}[lang]
    table = Table("pack", *heads)
    for row in rows:
        installed = "\n".join(_version(row, pack, lang) for pack in row["installed"])
        licence = row["licence"].partition(" (")[0]  # its address is in the detail
        table.add_row(row["name"], row["title"][lang], installed or f"– ({row['remedy']})", licence)
    terminal.out().print(table)
    terminal.say(Text("En détail\u202f: lab39 data list NOM", "In detail: lab39 data list NAME"))


def _detail(row: dict[str, Any], lang: Lang) -> None:
    lines = [f"{row['name']}{COLON[lang]}{row['title'][lang]}", row["licence"]]
    for pack in row["installed"]:
        lines += [_version(row, pack, lang), f"  {pack['origin']}"]
        lines += [f"  {role}{COLON[lang]}sha256 {digest}" for role, digest in sorted(pack["sha256"].items())]
    for line in lines if row["installed"] else [*lines, f"– ({row['remedy']})"]:
        terminal.out().print(line, markup=False, soft_wrap=True)


def _version(row: dict[str, Any], pack: dict[str, Any], lang: Lang) -> str:
    used = pack["version"] == row["used"]
    return f"{pack['version']} ({_USED[lang]})" if used else str(pack["version"])


_USED = Text("utilisé", "used")


@app.command()
def install(names: Annotated[list[str], typer.Argument(metavar="NAME...")], json: JsonOption = False) -> None:
    """Installe des packs. / Install packs."""
    lab = terminal.lab()
    done = []
    for name in names:
        with terminal.progress(Text(f"lecture de {name}", f"reading {name}")) as progress:
            pack = lab.packs.install(name, partial(progress, ""))
        done.append(_row(pack))
        terminal.say(Text(f"{name} {pack.version}\u202f: installé", f"{name} {pack.version}: installed"))
    if json:
        terminal.emit({"installed": done})


@app.command("import")
def import_files(
    name: str,
    files: Annotated[list[Path], typer.Argument(metavar="FILE|FOLDER...")],
    json: JsonOption = False,
) -> None:
    """Importe des fichiers que l'on possède. / Import files you have."""
    packs = terminal.lab().packs
    with terminal.progress(Text(f"lecture de {name}", f"reading {name}")) as progress:
        pack = packs.import_files(name, files, partial(progress, ""))
    terminal.say(Text(f"{name} {pack.version}\u202f: importé", f"{name} {pack.version}: imported"))
    if json:
        terminal.emit({"imported": _row(pack)})


@app.command()
def remove(
    name: str,
    version: Annotated[str | None, typer.Argument(metavar="[VERSION]")] = None,
    json: JsonOption = False,
) -> None:
    """Enlève une version importée ou téléchargée. / Remove an imported or downloaded version."""
    packs = terminal.lab().packs
    gone = packs.remove(name, version)
    terminal.say(Text(f"{name} {gone}\u202f: enlevé", f"{name} {gone}: removed"))
    if json:
        terminal.emit({"removed": {"name": name, "version": gone}})


@app.command()
def verify(name: Annotated[str | None, typer.Argument(metavar="[NAME]")] = None, json: JsonOption = False) -> None:
    """Recalcule les sommes de contrôle\u202f; sortie 1 si l'une diffère. / Recompute checksums."""
    rows = terminal.lab().packs.verify(name)
    if json:
        checked = [{"name": p.name, "version": p.version, "file": role, "intact": ok} for p, role, ok in rows]
        terminal.emit({"total": len(rows), "passed": sum(ok for *_, ok in rows), "files": checked})
    else:
        said = {True: Text("intact", "intact"), False: Text("ALTÉRÉ OU ABSENT", "ALTERED OR ABSENT")}
        for pack, role, ok in rows:
            text = f"{pack.name} {pack.version} {role}: {said[ok][terminal.session().lang]}"
            terminal.out().print(text, markup=False)
    if not all(ok for *_, ok in rows):
        raise typer.Exit(1)


@app.command()
def prepare(json: JsonOption = False) -> None:
    """Construit une fois les index des packs installés. / Build the indexes of installed packs once."""
    lab = terminal.lab()
    with terminal.progress(Text("préparation des index", "preparing indexes")) as progress:
        failed = lab.prepare(progress)
    for name, error in failed.items():
        terminal.say(Text(f"{name}\u202f: {error}", f"{name}: {error}"))
    if json:
        terminal.emit({"failed": {name: str(error) for name, error in failed.items()}})
    if failed:
        raise typer.Exit(1)
