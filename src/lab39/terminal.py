"""What every command shares: settings, language, output, progress, and how an error is told.

Results go to standard output, messages to standard error. A solution's ``cli.py`` uses these; the root command
in :mod:`lab39.cli` sets the session and turns a :class:`~lab39.core.errors.LabError` into an exit code.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lab39.core.errors import InputError, LabError
from lab39.core.finding import jsonable
from lab39.core.text import Lang, Text
from lab39.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from lab39.core.context import WorkContext
    from lab39.core.lab import Lab
    from lab39.core.solution import Progress
    from lab39.store import Store

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
JsonOption = Annotated[bool, typer.Option("--json", help="JSON sur la sortie standard / JSON on standard output.")]


@dataclass(frozen=True, slots=True)
class Session:
    """One run of the command line."""

    settings: Settings
    lang: Lang


_session: ContextVar[Session | None] = ContextVar("lab39_session", default=None)


def begin(settings: Settings) -> Session:
    """Start the session of this process; the root command calls it once."""
    started = Session(settings, settings.lang)
    _session.set(started)
    return started


def session() -> Session:
    """The current session; one from the environment when no root command ran (a test, a script).

    Raises:
        InputError: a setting in the environment cannot be used.
    """
    return _session.get() or begin(settings_from_env())


def settings_from_env() -> Settings:
    """The settings of the environment.

    Raises:
        InputError: naming the variable that cannot be used.
    """
    try:
        return Settings.from_env()
    except ValueError as error:
        raise InputError(Text.same(str(error)), "environment") from error


def lab(*only: str) -> Lab:
    """The lab of the installed solutions, or of those named.

    Raises:
        UnknownNameError: a name that no package declares.
    """
    from lab39.core.lab import Lab

    return Lab.discover(session().settings, only)


@contextmanager
def store(*, ready: bool = True) -> Iterator[Store]:
    """The store of these settings, closed when the block ends.

    Args:
        ready: refuse a database whose shape is not that of this version.

    Raises:
        SchemaError, StoreUnavailableError
    """
    from lab39.store import Store, migrate

    opened = Store.of(session().settings)
    try:
        if ready:
            migrate.check(opened)
        yield opened
    finally:
        opened.close()


@contextmanager
def context(solution: str, actor: str = "") -> Iterator[WorkContext]:
    """What a command of a solution may use of the lab: other solutions, packs, and its memory.

    Args:
        actor: id of the person in whose name it acts; empty for the lab itself.

    Raises:
        SchemaError, StoreUnavailableError
    """
    from lab39.store.context import LabContext

    with store() as opened:
        yield LabContext(cache(lab), opened, solution, actor=actor)


def out() -> Console:
    """Where results go, for tables and reports."""
    return _console(sys.stdout)


def err() -> Console:
    """Where messages and progress go."""
    return _console(sys.stderr)


def say(text: Text) -> None:
    """A message to the person, on standard error."""
    err().print(text[session().lang], markup=False, highlight=False, soft_wrap=True)


def emit(value: Any) -> None:
    """One JSON document on standard output; dataclasses, dates and decimals included."""
    from lab39.fhir.jsontext import dumps

    sys.stdout.write(dumps(jsonable(value), indent=1) + "\n")


def tell(error: LabError) -> None:
    """An error on standard error, in the reader's language."""
    current = _session.get()
    said = error.say(current.lang if current else "fr")
    err().print(f"lab39: {said}", markup=False, highlight=False, soft_wrap=True)


@contextmanager
def progress(title: Text) -> Iterator[Progress]:
    """Give a ``Progress`` callback; on a terminal it draws a bar with a number, elsewhere it stays quiet."""
    console = err()
    if not console.is_terminal:
        yield lambda _what, _fraction: None
        return
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title[session().lang], total=1.0)

        def show(what: str, fraction: float) -> None:
            bar.update(task, description=what or title[session().lang], completed=fraction)

        yield show


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A path to write to that becomes ``path`` only when the block ends well: nothing is half-written.

    A link is followed; a device or a pipe is written to as it is.

    Raises:
        InputError: the folder cannot be written to, or ``path`` is a folder.
    """
    target = path.resolve()
    if target.is_dir():
        raise InputError(
            Text("c'est un dossier\u202f: donner un nom de fichier", "a folder: give a file name"), str(path)
        )
    if target.exists() and not target.is_file():
        yield target
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        os.close(handle)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            Text(f"écriture impossible\u202f: {reason}", f"cannot write: {reason}"), str(path)
        ) from error
    try:
        yield Path(name)
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)


@cache
def _safe() -> type[Console]:
    """A console that shows no control character of a text: what a record says cannot move the cursor, colour the
    screen or rename the window. (Rich writes its own colours later.)"""
    from rich.console import Console
    from rich.segment import Segment

    class Safe(Console):
        def render(self, *args: Any, **kwargs: Any) -> Iterable[Segment]:
            for segment in super().render(*args, **kwargs):
                text, style, control = segment
                yield segment if control else Segment(_CONTROL.sub("\ufffd", text), style)

    return Safe


def _console(stream: Any) -> Console:
    width = None if stream.isatty() or "COLUMNS" in os.environ else 110
    return _safe()(file=stream, width=width, highlight=False, soft_wrap=False)
