"""``lab39 vaccination``: what is due, why, and conformance with published test cases."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lab39 import terminal
from lab39.core.errors import InputError, LabError
from lab39.core.text import Text
from lab39.terminal import JsonOption

if TYPE_CHECKING:
    from lab39.solutions.vaccination.model import Schedule
    from lab39.solutions.vaccination.outcome import Patient, Result
    from lab39.solutions.vaccination.reading import Known

MAX_TOLD = 20
"""How many unreadable lines are named one by one."""

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="Bundle FHIR R4 / FHIR R4 Bundle.")]
OnOption = Annotated[
    str | None, typer.Option("--on", metavar="YYYY-MM-DD", help="Jour / day.", show_default="aujourd'hui / today")
]
ScheduleOption = Annotated[
    str, typer.Option("--schedule", metavar="france|cdsi|who-cdsi|cdsi@4.64", help="Calendrier / schedule.")
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--schedule-data",
        metavar="DIR",
        help="Édition en dossier ou zip, sans l'importer / edition in a folder or zip, not imported.",
        show_default=False,
    ),
]


@app.command()
def due(
    file: FileArgument,
    on: OnOption = None,
    schedule: ScheduleOption = "france",
    schedule_data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Ce qui est dû, ce qui vient ensuite, et la valeur de chaque dose. / What is due, what comes next."""
    from lab39.solutions.vaccination import illness, told
    from lab39.solutions.vaccination.reading import uncounted_dict

    result, known, patient, used = assess_file(file, on, schedule, schedule_data)
    if json:
        issues = [each.as_dict() for each in known.issues]
        dues = told.due_dict(result, patient, used) | illness.as_dict(known.noted)
        terminal.emit({**dues, **uncounted_dict(known, used), "issues": issues})
        return
    from lab39.solutions.vaccination import console

    console.told_beside(terminal.out(), illness.beside(known.noted), terminal.session().lang)
    console.due(terminal.out(), result, patient, used, terminal.session().lang)


@app.command()
def why(
    file: FileArgument,
    group: Annotated[str, typer.Option("--group", metavar="MMR", help="Groupe de vaccins / vaccine group.")],
    on: OnOption = None,
    schedule: ScheduleOption = "france",
    schedule_data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Chaque décision avec sa règle. / Every decision with its rule."""
    from lab39.solutions.vaccination import told

    result, _known, _patient, used = assess_file(file, on, schedule, schedule_data)
    forecasts = told.why(result, group)
    if json:
        terminal.emit(
            {
                "schedule": used.name,
                "edition": used.version,
                "on": result.on,
                "forecasts": [
                    {**told.group_dict(each), "trace": [told.step_dict(*row) for row in told.trace(each)]}
                    for each in forecasts
                ],
            }
        )
        return
    from lab39.solutions.vaccination import console

    for each in forecasts:
        console.why(terminal.out(), each, used, terminal.session().lang)


@app.command()
def conform(
    cases: Annotated[
        Path,
        typer.Argument(metavar="CASES", help="JSON lines, ou classeur du CDC / or workbook of the CDC (.xlsx)."),
    ],
    schedule: ScheduleOption = "cdsi",
    schedule_data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Compare le moteur à des cas publiés. / Compare the engine with published cases."""
    from lab39.solutions.vaccination.cases import read_cases
    from lab39.solutions.vaccination.conform import conform as run

    read = read_cases(cases)
    used = chosen_schedule(schedule, schedule_data)
    with terminal.progress(Text("conformité", "conformance")) as progress:
        found = run(used, read, progress)
    if json:
        terminal.emit(found)
    else:
        from lab39.solutions.vaccination import console

        console.conformance(terminal.out(), found, terminal.session().lang)
    if found["passed"] < found["n"]:
        raise typer.Exit(1)


@app.command()
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="Dossier, zip, cdsi, cdsi@4.64 / folder, zip or name.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Idem / the same.")],
    population: Annotated[
        Path | None,
        typer.Option(metavar="NDJSON", help="Pour qui cela change / for whom it changes.", show_default=False),
    ] = None,
    on: OnOption = None,
    json: JsonOption = False,
) -> None:
    """Ce qui change d'un calendrier à l'autre, et pour qui. / What changed, and for whom."""
    from lab39.solutions.vaccination import listing, sources
    from lab39.solutions.vaccination.differences import compare
    from lab39.solutions.vaccination.population import Records, people

    packs, settings = terminal.lab("vaccination").packs, terminal.session().settings
    before, after = (sources.open_any(packs, named, settings.cache) for named in (old, new))
    changes = compare(before, after)
    lang = terminal.session().lang
    if population is None:
        if json:
            terminal.emit(listing.changes_dict(before, after, changes))
        else:
            listing.changes(terminal.out(), before, after, changes, lang)
        return
    day = chosen_day(on)
    records = Records(population, settings)
    found = people(records, before, after, sources.open_maps(packs), day)
    if json:
        for part in listing.people_json(before, after, changes, found, records, day):
            sys.stdout.write(part)
    else:
        listing.changes(terminal.out(), before, after, changes, lang)
        listing.people(terminal.out(), found, day, lang)
    tell_failed(records.failed)


@app.command()
def bulk(
    file: Annotated[Path, typer.Argument(metavar="FILE.ndjson", help="Un Bundle par ligne / one Bundle a line.")],
    on: OnOption = None,
    schedule: ScheduleOption = "france",
    schedule_data: DataOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="Une ligne JSON par dossier / a JSON line a record.", show_default=False
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Ce qui est dû à chacun dans de nombreux dossiers. / What is due, for many records."""
    from lab39.solutions.vaccination import listing, sources
    from lab39.solutions.vaccination.population import Records, Summary, evaluated, lines_of

    if json and out is None:
        raise InputError(
            Text(
                "avec --json, dire où écrire les lignes\u202f: --out FICHIER",
                "with --json, say where the lines go: --out FILE",
            ),
            "--out",
        )
    day, used = chosen_day(on), chosen_schedule(schedule, schedule_data)
    maps = sources.open_maps(terminal.lab("vaccination").packs)
    records, summary = Records(file, terminal.session().settings), Summary()
    total = lines_of(file) if terminal.err().is_terminal else 0
    with terminal.progress(Text("vaccinations", "vaccinations")) as progress, _lines(out) as write:
        for row in evaluated(records, used, maps, day, summary):
            write(row)
            if total:
                progress("", summary.records / total)
    found = listing.summary_dict(used, day, summary, records.failed)
    if json:
        terminal.emit(found)
    else:
        listing.summary(terminal.out() if out else terminal.err(), summary, day, terminal.session().lang)
    tell_failed(records.failed)


@contextmanager
def _lines(out: Path | None) -> Iterator[Callable[[object], None]]:
    """Writes JSON lines to a file, which appears when it is whole, or to standard output."""
    from lab39.core.finding import jsonable
    from lab39.fhir.jsontext import dumps

    def line(row: object) -> str:
        return dumps(jsonable(row)).strip() + "\n"

    if out is None:
        yield lambda row: print(line(row), end="")
        return
    with terminal.writing(out) as path, path.open("w", encoding="utf-8") as stream:
        yield lambda row: print(line(row), end="", file=stream)


def tell_failed(failed: list[LabError]) -> None:
    """Every line that could not be read, by name, and the exit code of bad input."""
    for error in failed[:MAX_TOLD]:
        terminal.tell(error)
    if len(failed) > MAX_TOLD:
        more = len(failed) - MAX_TOLD
        terminal.say(Text(f"… et {more} autres lignes illisibles", f"… and {more} more unreadable lines"))
    if failed:
        raise typer.Exit(2)


def assess_file(
    file: Path, on: str | None, schedule: str, data: Path | None
) -> tuple[Result, Known, Patient, Schedule]:
    """Read a record and run the engine on a day.

    Raises:
        InputError: no whole birth date, or a day that cannot be read.
    """
    from lab39 import fhir
    from lab39.solutions.vaccination import sources
    from lab39.solutions.vaccination.engine import run
    from lab39.solutions.vaccination.reading import read_patient

    day = chosen_day(on)
    record = fhir.load(file, terminal.session().settings)
    used = chosen_schedule(schedule, data)
    known = read_patient(record, used, day, sources.open_maps(terminal.lab("vaccination").packs))
    if known.patient is None:
        raise InputError(known.issues[0].text, f"{file} › {known.issues[0].place}")
    for each in known.issues:
        terminal.say(Text(f"{each.place}\u202f: {each.text.fr}", f"{each.place}: {each.text.en}"))
    return run(used, known.patient, day), known, known.patient, used


def chosen_schedule(name: str, data: Path | None) -> Schedule:
    """A schedule by its name, or an edition in a folder or a zip."""
    from lab39.solutions.vaccination import sources

    if data is not None:
        return sources.open_folder(data, terminal.session().settings.cache)
    return sources.open_schedule(terminal.lab("vaccination").packs, name)


def chosen_day(on: str | None) -> dt.date:
    """A day as ``2026-11-24``; today when none is given.

    Raises:
        InputError: something else.
    """
    if on is None:
        return dt.datetime.now().astimezone().date()
    try:
        return dt.date.fromisoformat(on)
    except ValueError as error:
        raise InputError(
            Text(
                f"jour «\u202f{on[:20]}\u202f» illisible. Écrire AAAA-MM-JJ",
                f"unreadable day “{on[:20]}”. Write YYYY-MM-DD",
            ),
            "--on",
        ) from error
