"""``lab39 assess``: records in, reports out."""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from lab39 import terminal
from lab39.core.errors import InputError, LabError
from lab39.core.text import Text
from lab39.terminal import JsonOption

if TYPE_CHECKING:
    from lab39.core.finding import Report
    from lab39.core.lab import Lab
    from lab39.core.record import Record

PAGE_MAX = 500
"""Records on one HTML page; beyond that a page is no longer read but searched."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(assess)


def assess(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE|FOLDER...",
            help="Bundle FHIR R4, Phenopacket v2, NDJSON, .gz, .zip, dossier / folder.",
            show_default=False,
        ),
    ],
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="DATE", help="Jour de l'évaluation / day of the assessment (AAAA-MM-JJ)."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="ID", help="Seulement cette solution / only this one.")
    ] = None,
    json: JsonOption = False,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="OUT", help="Page autonome / self-contained page.")
    ] = None,
    fhir: Annotated[
        Path | None,
        typer.Option("--fhir", metavar="OUT", help="Bundle FHIR R4 (.json) ou un par ligne (.ndjson)."),
    ] = None,
) -> None:
    """Évalue des dossiers avec toutes les solutions. / Assess records with every solution."""
    main: Sink = Json(sys.stdout) if json else Screen()
    try:
        day = _day(on)
        _check_targets(paths, html, fhir)
        with contextlib.ExitStack() as stack:
            sinks = [main]
            if html is not None:
                sinks.append(Page(stack.enter_context(terminal.writing(html)), day))
            if fhir is not None:
                path = stack.enter_context(terminal.writing(fhir))
                sinks.append(Fhir(stack.enter_context(path.open("w", encoding="utf-8")), fhir))
            failed = _run(paths, day, only or [], sinks)
    except LabError as error:
        main.abort(error)
        raise
    for written in (html, fhir):
        if written is not None:
            terminal.say(Text(f"écrit\u202f: {written}", f"written: {written}"))
    if failed:
        raise typer.Exit(2)


class Sink:
    """Where reports go; ``close`` gets the records that were refused."""

    def open(self, lab: Lab) -> None:
        """Before the first record."""

    def report(self, record: Record, found: Report) -> None:
        """One record's report."""
        raise NotImplementedError

    def refused(self, error: LabError) -> None:
        """A record that could not be read, where it stood."""

    def close(self, failed: list[LabError]) -> None:
        """After the last record."""

    def abort(self, error: LabError) -> None:
        """Instead of ``close``, when the run cannot go on; the root command tells the error."""


class Screen(Sink):
    """Reports on the terminal."""

    def __init__(self) -> None:
        self._warnings: dict[Text, None] = {}

    def report(self, record: Record, found: Report) -> None:
        """Printed at once."""
        from lab39.render import console
        from lab39.render.snapshot import snapshot

        console.report(terminal.out(), snapshot(record, found), found, terminal.session().lang)
        self._warnings.update(dict.fromkeys(found.warnings))

    def close(self, failed: list[LabError]) -> None:
        """What was refused, and the disclaimer."""
        from lab39.render import console

        lang = terminal.session().lang
        console.warnings(terminal.out(), self._warnings, lang)
        console.disclaimer(terminal.out(), lang)
        if failed:
            console.failures(terminal.err(), [e.say(lang) for e in failed], lang)


class Json(Sink):
    """``{"reports": […], "failed": […]}``, written as it comes: memory stays flat on a population."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._separator = '{"reports": ['
        self._refused: list[LabError] = []

    def refused(self, error: LabError) -> None:
        """Kept until the end."""
        self._refused.append(error)

    def report(self, record: Record, found: Report) -> None:
        """One element of ``reports``."""
        from lab39.fhir.jsontext import dumps

        self._stream.write(f"{self._separator}\n{dumps(found.as_dict())}")
        self._separator = ","

    def close(self, failed: list[LabError]) -> None:
        """The end of the document, and what was refused."""
        self._end(failed)
        lang = terminal.session().lang
        for error in failed:
            print(f"lab39: {error.say(lang)}", file=sys.stderr)

    def abort(self, error: LabError) -> None:
        """The document is closed with the error in it: a script never meets half a document."""
        self._end([*self._refused, error])

    def _end(self, failed: list[LabError]) -> None:
        from lab39.fhir.jsontext import dumps

        if self._separator != ",":
            self._stream.write(self._separator)
        rows = [{"place": e.place, "text": e.text.as_dict()} for e in failed]
        self._stream.write(f'\n], "failed": {dumps(rows)}}}\n')


class Page(Sink):
    """One self-contained HTML page."""

    def __init__(self, path: Path, on: dt.date) -> None:
        self._path, self._on = path, on
        self._rows: list[Any] = []

    def open(self, lab: Lab) -> None:
        """The evidence of each solution stands under the reports."""
        from lab39.render.page import Card

        self._cards = []
        for each in lab.solutions.values():
            try:
                self._cards.append(Card(each.id, each.title, each.purpose, each.evidence()))
            except Exception as error:
                terminal.say(
                    Text(
                        f"{each.id}\u202f: fiche de preuves illisible ({error})",
                        f"{each.id}: unreadable evidence card ({error})",
                    )
                )

    def report(self, record: Record, found: Report) -> None:
        """Kept until the page is written."""
        from lab39.render.snapshot import snapshot

        if len(self._rows) == PAGE_MAX:
            raise InputError(
                Text(
                    f"une page porte au plus {PAGE_MAX} dossiers. Utiliser --json, ou un fichier à la fois.",
                    f"a page holds {PAGE_MAX} records at most. Use --json, or one file at a time.",
                ),
                "--html",
            )
        self._rows.append((snapshot(record, found), found))

    def close(self, failed: list[LabError]) -> None:
        """Write it."""
        from lab39.render.page import page

        text = page(self._rows, self._cards, on=self._on, lang=terminal.session().lang, failed=failed)
        self._path.write_text(text, "utf-8")


class Fhir(Sink):
    """One Bundle (``.json``), or one a line (``.ndjson``); a refused record is an OperationOutcome."""

    def __init__(self, stream: IO[str], asked: Path) -> None:
        self._stream = stream
        self._many = _is_lines(asked)
        self._written = 0

    def open(self, lab: Lab) -> None:
        """Solutions bring their native resources."""
        self._lab = lab
        self._created = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")

    def report(self, record: Record, found: Report) -> None:
        """Validated, then written."""
        from lab39.fhir import outputs

        self._write(outputs.bundle(found, self._lab.to_fhir, terminal.session().lang, created=self._created))

    def refused(self, error: LabError) -> None:
        """As FHIR says it."""
        from lab39.fhir import outputs

        self._write(outputs.error_outcome(error, terminal.session().lang))

    def _write(self, resource: Any) -> None:
        from lab39.fhir.jsontext import dumps

        if self._written and not self._many:
            raise _several()
        self._stream.write(dumps(resource, indent=None if self._many else 1) + "\n")
        self._written += 1


def _check_targets(paths: list[Path], html: Path | None, fhir: Path | None) -> None:
    """Before anything is assessed: what is written replaces nothing that was asked for.

    Raises:
        InputError: a target is an input, or both targets are one file, or one file would hold many Bundles.
    """
    targets = [(name, path) for name, path in (("--html", html), ("--fhir", fhir)) if path is not None]
    inputs = {p.resolve() for p in paths}
    for name, path in targets:
        place = path.resolve()
        if place in inputs or any(p in place.parents for p in inputs if p.is_dir()):
            raise InputError(
                Text(
                    f"{path} est parmi les dossiers à évaluer\u202f: écrire ailleurs",
                    f"{path} is among the records to assess: write elsewhere",
                ),
                name,
            )
    if html is not None and fhir is not None and html.resolve() == fhir.resolve():
        raise InputError(Text("le même fichier que --html", "the same file as --html"), "--fhir")
    if fhir is not None and not _is_lines(fhir) and (len(paths) > 1 or any(p.is_dir() for p in paths)):
        raise _several()


def _is_lines(path: Path) -> bool:
    return path.suffix.lower() in (".ndjson", ".jsonl")


def _several() -> InputError:
    return InputError(
        Text(
            "plusieurs dossiers\u202f: donner un fichier .ndjson (un Bundle par ligne)",
            "several records: give a .ndjson file (one Bundle a line)",
        ),
        "--fhir",
    )


def _day(on: str | None) -> dt.date:
    if on is None:
        return dt.datetime.now().astimezone().date()
    try:
        return dt.date.fromisoformat(on)
    except ValueError as error:
        raise InputError(
            Text(f"«\u202f{on}\u202f» n'est pas une date (AAAA-MM-JJ)", f"“{on}” is not a date (YYYY-MM-DD)"),
            "--on",
        ) from error


def _run(paths: Iterable[Path], day: dt.date, only: list[str], sinks: list[Sink]) -> list[LabError]:
    from lab39.fhir.inputs import Failed, iter_records

    lab = terminal.lab()
    for name in only:
        if name not in lab.broken:
            lab.solution(name)
    with terminal.progress(Text("préparation des index", "preparing indexes")) as progress:
        lab.prepare(progress)
    for sink in sinks:
        sink.open(lab)
    failed: list[LabError] = []
    for item in _counted(iter_records(paths, terminal.session().settings)):
        if isinstance(item, Failed):
            failed.append(item.error)
            for sink in sinks:
                sink.refused(item.error)
            continue
        try:
            with contextlib.redirect_stdout(sys.stderr):  # a solution that prints must not spoil --json
                found = lab.assess(item, day, only)
        except Exception as error:  # a defect of the lab on this record: the other records are still assessed
            failed.append(_defect(item.source, error))
            for sink in sinks:
                sink.refused(failed[-1])
            continue
        for sink in sinks:
            sink.report(item, found)
    for sink in sinks:
        sink.close(failed)
    return failed


def _defect(source: str, error: Exception) -> LabError:
    what = type(error).__name__
    return LabError(
        Text(
            f"le laboratoire n'a pas su lire ce dossier ({what})\u202f; c'est un défaut, à signaler",
            f"the lab could not read this record ({what}); this is a defect, please report it",
        ),
        source,
    )


def _counted(records: Iterator[Any]) -> Iterator[Any]:
    """Count on a terminal's standard error what has been read, from the 20th record on."""
    console = terminal.err()
    for i, item in enumerate(records, start=1):
        yield item
        if i >= 20 and console.is_terminal and not i % 20:
            console.print(Text(f"{i} dossiers…", f"{i} records…")[terminal.session().lang], end="\r")
