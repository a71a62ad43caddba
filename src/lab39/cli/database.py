"""``lab39 db``, ``lab39 backup``, ``lab39 restore``: the database of the lab."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lab39 import terminal
from lab39.core.text import Text, number
from lab39.terminal import JsonOption

db = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="La base\u202f: état, mise à jour, vérification. / The database.",
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(db, name="db")
    app.command()(backup)
    app.command()(restore)


@db.command()
def status(json: JsonOption = False) -> None:
    """Où en est la base\u202f; sortie 1 si elle doit être mise à jour. / Where the database stands."""
    from lab39.store import migrate

    with terminal.store(ready=False) as store:
        found = migrate.status(store)
        dialect = store.dialect
    if json:
        terminal.emit({"dialect": dialect, "behind": found.behind, **_fields(found)})
    else:
        here, there = (", ".join(names) or "–" for names in (found.database, found.code))
        text = Text(f"{dialect}\u202f: base {here}, version {there}", f"{dialect}: database {here}, code {there}")
        terminal.out().print(text[terminal.session().lang], markup=False)
    if found.unknown:
        raise migrate.unknown_revisions(found.unknown)
    if found.behind:
        terminal.say(Text("à mettre à jour\u202f: lab39 db migrate", "to be brought up to date: lab39 db migrate"))
        raise typer.Exit(1)


@db.command("migrate")
def migrate_database(json: JsonOption = False) -> None:
    """Crée la base ou la met à jour, tout ou rien. / Create the database or bring it up to date."""
    from lab39.store import migrate

    with terminal.store(ready=False) as store:
        found = migrate.migrate(store)
    if json:
        terminal.emit(_fields(found))
    terminal.say(Text("la base est à jour", "the database is up to date"))


@db.command()
def verify(json: JsonOption = False) -> None:
    """Relit chaque fichier et compare son empreinte\u202f; sortie 1 si l'un diffère. / Verify every file."""
    from lab39.store import blobs

    with terminal.store() as store:
        checked = list(blobs.verify(store))
    wrong = [each for each in checked if each.problem]
    if json:
        failures = [{"sha256": each.sha256, "problem": each.problem} for each in wrong]
        terminal.emit({"total": len(checked), "passed": len(checked) - len(wrong), "failures": failures})
    lang = terminal.session().lang
    for each in wrong:
        terminal.say(Text(f"{each.sha256}\u202f: {each.problem[lang]}", f"{each.sha256}: {each.problem[lang]}"))
    intact = len(checked) - len(wrong)
    terminal.say(
        Text(f"{intact} fichier(s) intact(s) sur {len(checked)}", f"{intact} of {len(checked)} files intact")
    )
    if wrong:
        raise typer.Exit(1)


@db.command()
def sweep(json: JsonOption = False) -> None:
    """Supprime les fichiers dont personne n'a plus besoin. / Remove files that nobody needs any more."""
    from lab39.store import blobs

    with terminal.store() as store:
        done = blobs.collect(store)
    if json:
        terminal.emit(_fields(done))
    size = {lang: number(done.bytes, lang) for lang in ("fr", "en")}
    terminal.say(
        Text(
            f"{done.files} fichier(s) supprimé(s), {size['fr']} octets",
            f"{done.files} files removed, {size['en']} bytes",
        )
    )


@db.command("rotate-key")
def rotate_key(json: JsonOption = False) -> None:
    """Chiffre chaque fichier avec la première clé du fichier de clés. / Encrypt every file with the first key."""
    from lab39.store import blobs

    with terminal.store() as store:
        done = blobs.seal_again(store)
    if json:
        terminal.emit({"files": done})
    terminal.say(
        Text(
            f"{done} fichier(s) rechiffré(s)\u202f; les autres clés ne servent qu'aux anciennes sauvegardes",
            f"{done} files encrypted again; the other keys only serve older backups",
        )
    )


def backup(
    target: Annotated[Path, typer.Argument(metavar="ZIP", show_default=False)],
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Avec les clés du laboratoire / with the lab's keys.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Sauvegarde la base et ses fichiers, sans arrêter le laboratoire. / Back up the database and its files."""
    from lab39.store import backup as module

    with terminal.store(ready=False) as store:
        done = module.backup(store, terminal.session().settings, target, keys=with_keys)
    if json:
        terminal.emit(_fields(done) | {"path": str(done.path)})
    size = {lang: number(done.bytes, lang) for lang in ("fr", "en")}
    terminal.say(
        Text(
            f"écrit\u202f: {target} ({size['fr']} octets, {done.blobs} fichiers, {done.heads} têtes d'audit)",
            f"written: {target} ({size['en']} bytes, {done.blobs} files, {done.heads} audit heads)",
        )
    )
    if not with_keys:
        terminal.say(
            Text(
                "sans les clés (--with-keys pour les joindre)\u202f: les sauvegarder ailleurs",
                "without the keys (--with-keys includes them): keep them safe elsewhere",
            )
        )


def restore(
    source: Annotated[Path, typer.Argument(metavar="ZIP", show_default=False)],
    force: Annotated[
        bool, typer.Option("--force", help="Remplace ce que la base contient / replace what the database holds.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Restaure une sauvegarde, vérifiée d'abord, tout ou rien. / Restore a backup, verified first."""
    from lab39.store import backup as module
    from lab39.store import migrate

    with terminal.store(ready=False) as store:
        done = module.restore(store, terminal.session().settings, source, force=force)
        behind = migrate.behind(store)
    if json:
        terminal.emit(_fields(done) | {"path": str(done.path)})
    terminal.say(Text(f"restauré\u202f: {source}", f"restored: {source}"))
    if behind:
        terminal.say(Text("base à mettre à jour\u202f: lab39 db migrate", "bring it up to date: lab39 db migrate"))


def _fields(value: object) -> dict[str, object]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}  # type: ignore[attr-defined]
