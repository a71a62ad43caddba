"""``lab39 serve``: the lab behind HTTP, with its workers."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from lab39 import terminal
from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.settings import Settings

PORT = 8039


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(serve)


def serve(
    host: Annotated[str, typer.Option(help="Adresse d'écoute / address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port\u202f; 0 en choisit un / 0 picks one.")] = PORT,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processus web / web processes.")] = 2,
    jobs: Annotated[bool, typer.Option(help="Avec le processus des tâches / with the worker for jobs.")] = True,
    migrate: Annotated[bool, typer.Option(help="Met la base à jour d'abord / migrate first.")] = True,
    reload: Annotated[bool, typer.Option(help="Relance quand le code change / when code changes.")] = False,
) -> None:
    """Ouvre le laboratoire au navigateur et aux logiciels. / Serve pages, REST, FHIR and CDS Hooks."""
    from lab39.web import supervisor

    settings = terminal.session().settings
    _writable(settings.home)
    _usable(settings)
    os.environ["LAB39_HOME"], os.environ["LAB39_LANG"] = str(settings.home), settings.lang  # for the processes
    listening = supervisor.listen(host, port)
    try:
        _database(migrate)
        terminal.say(
            Text("ouverture… (la première fois, les index sont construits)", "opening… (indexes are built once)")
        )
        shown = f"[{host}]" if ":" in host else host
        address = settings.public_url or f"http://{shown}:{listening.getsockname()[1]}"
        kept = supervisor.Supervisor(
            listening,
            workers=1 if reload else workers,
            jobs=jobs,
            text_logs=sys.stdout.isatty(),
            reload=reload,
            said=terminal.say,
        )
        kept.run(ready=lambda: _welcome(address))
    finally:
        listening.close()
    terminal.say(Text("le laboratoire est fermé", "the lab is closed"))


def _writable(home: Path) -> None:
    """Refuse a folder in which nothing can be kept.

    Raises:
        InputError
    """
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise InputError(
            Text(
                f"le dossier du laboratoire ne peut être écrit ({why})\u202f: changer ses droits, ou LAB39_HOME",
                f"the lab's folder cannot be written to ({why}): change its permissions, or LAB39_HOME",
            ),
            str(home),
        ) from error


def _usable(settings: Settings) -> None:
    """Refuse files that the settings name and that cannot be used, with the place: the processes that are started
    later only log that they stopped.

    Raises:
        InputError
    """
    from lab39.web.api.cds import clients
    from lab39.web.security import lab_secret
    from lab39.web.signin import providers

    lab_secret(settings.keys)
    providers.providers(settings)
    clients.of(settings)


def _database(migrating: bool) -> None:
    """Bring the database up to date, or refuse one that is not.

    Raises:
        SchemaError, StoreUnavailableError
    """
    from lab39.store import migrate

    with terminal.store(ready=not migrating) as store:
        if migrating:
            migrate.migrate(store)


def _welcome(address: str) -> None:
    """Where the lab is and, as long as nobody is in it, how its first manager comes in."""
    from lab39.store.engine import utc_now
    from lab39.web import security
    from lab39.web.signin import codes

    with terminal.store() as store, store.reading() as tx:
        empty = codes.nobody_yet(tx)
    said = Text(f"Lab39 est ouvert\u202f: {address}", f"Lab39 is open: {address}")
    if empty:
        code = codes.first_code(security.lab_secret(terminal.session().settings.keys), utc_now())
        said = Text(
            f"{said.fr}\nPersonne n'y est encore. Premier gestionnaire\u202f: {address}/sign-in, code {code} "
            "(il change chaque jour et ne sert qu'une fois)",
            f"{said.en}\nNobody is in it yet. First manager: {address}/sign-in, code {code} "
            "(it changes every day and works once)",
        )
    terminal.say(said)
