"""The ``lab39`` command: assess records, see the solutions and their evidence, manage data, add a solution.

Commands of the solutions (``lab39 raredisease …``) are found through their entry points, the same door for
built-in and foreign ones; one that does not load says why and disturbs no other.
"""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import replace
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from lab39 import __version__, terminal
from lab39.cli import accounts, assess, audit, catalogue, data, database, jobs, people, serve, systems, workshop
from lab39.core.errors import InputError, LabError
from lab39.core.text import Text

HELP = (
    "Lab39\u202f: un dossier entre, des constats sortent, et chaque constat dit pourquoi.\n\n"
    "One record goes in, findings come out, and every finding can say why."
)


class Root(TyperGroup):
    """The root command; after its own commands come those of the installed solutions."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The lab's own commands, then one for each solution."""
        from lab39.core.lab import entry_points

        return [*super().list_commands(ctx), *(name for name in entry_points() if name not in self.commands)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command by name, its help in one language; a solution's are imported here."""
        return in_one_language(super().get_command(ctx, cmd_name) or _of_solution(cmd_name))


app = typer.Typer(
    cls=Root,
    help=HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)
assess.register(app)
catalogue.register(app)
app.add_typer(data.app, name="data")
app.add_typer(jobs.app, name="jobs")
workshop.register(app)
people.register(app)
app.add_typer(accounts.app, name="people")
database.register(app)
serve.register(app)
app.add_typer(audit.app, name="audit")
systems.register(app)


@app.callback(invoke_without_command=True)
def root(
    ctx: typer.Context,
    lang: Annotated[str | None, typer.Option(help="fr, en (LAB39_LANG).", show_default=False)] = None,
    home: Annotated[
        Path | None, typer.Option(help="Données et index / packs and indexes (LAB39_HOME).", show_default=False)
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="Version.")] = False,
) -> None:
    """Start the session: settings from the environment, then from the options."""
    if version:
        typer.echo(f"lab39 {__version__}")
        raise typer.Exit
    settings = terminal.settings_from_env()
    if lang is not None:
        if lang not in ("fr", "en"):
            raise InputError(Text(f"«\u202f{lang}\u202f»\u202f: fr ou en", f"“{lang}”: fr or en"), "--lang")
        settings = replace(settings, lang="fr" if lang == "fr" else "en")
    if home is not None:
        settings = replace(settings, home=home.expanduser())
    terminal.begin(settings)
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


def main() -> None:
    """Entry point of the ``lab39`` command: an error on purpose is a message and exit 2, never a traceback."""
    try:
        app()
    except LabError as error:
        terminal.tell(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        place = str(error.filename or "")
        terminal.tell(InputError(Text.same(error.strerror or str(error)), place))
        sys.exit(2)
    except KeyboardInterrupt:
        with contextlib.suppress(OSError):
            terminal.say(Text("interrompu", "interrupted"))
        sys.exit(130)


def _of_solution(name: str) -> Any:
    """The commands of an installed solution; ``None`` when there is none of that name."""
    from lab39.core.lab import entry_points

    point = entry_points().get(name)
    if point is None:
        return None
    try:
        solution = point.load()
        if not solution.commands:
            return _only(name, solution.purpose, [])
        module, _, attribute = solution.commands.partition(":")
        mounted: typer.Typer = getattr(import_module(module), attribute)
        purpose: Text = solution.purpose
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        return _only(
            name,
            Text(f"ne se charge pas\u202f: {why}", f"does not load: {why}"),
            [InputError(Text(f"cette solution ne se charge pas\u202f: {why}", f"does not load: {why}"), name)],
        )
    command = typer.main.get_command(mounted)
    command.name = name
    command.help = command.help or _short(purpose)
    command.short_help = _short(purpose)
    return command


def _only(name: str, purpose: Text, errors: list[InputError]) -> Any:
    """A command for a solution that brings none of its own, or that does not load."""
    sub = typer.Typer(add_completion=False, rich_markup_mode=None)

    @sub.command(name, help=_short(purpose))
    def show() -> None:
        for error in errors:
            raise error
        catalogue.show_solution(name)

    return typer.main.get_command(sub)


def in_one_language(command: Any) -> Any:
    """Help texts written ``français / English`` keep the reader's half, in a command and all below it."""
    if command is None:
        return None
    for item in (command, *command.params):
        for name in ("help", "short_help"):
            written = getattr(item, name, None)
            if written and written.count(" / ") == 1:
                setattr(item, name, written.split(" / ")[_lang() == "en"])
    for inner in getattr(command, "commands", {}).values():
        in_one_language(inner)
    return command


def _lang() -> str:
    """Of the help, which is shown before any option is read."""
    asked = [b for a, b in pairwise(sys.argv) if a == "--lang"] + [
        a.removeprefix("--lang=") for a in sys.argv if a.startswith("--lang=")
    ]
    return (asked or [os.environ.get("LAB39_LANG", "fr")])[-1]


def _short(purpose: Text) -> str:
    return purpose["en" if _lang() == "en" else "fr"]
