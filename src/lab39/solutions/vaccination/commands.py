"""``lab39 vaccination plan | what-if | remind | certificate | lot | coverage``, beside those of :mod:`cli`."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lab39 import terminal
from lab39.core.errors import InputError, LabError
from lab39.core.text import LANGS, Text
from lab39.solutions.vaccination.cli import (
    DataOption,
    FileArgument,
    OnOption,
    ScheduleOption,
    app,
    assess_file,
    chosen_day,
    chosen_schedule,
    tell_failed,
)
from lab39.terminal import JsonOption

if TYPE_CHECKING:
    from lab39.solutions.vaccination.recalls import Recall

__all__ = ["app"]

GoalOption = Annotated[
    Literal["visits", "injections", "earliest"],
    typer.Option("--goal", help="Le moins de visites, d'injections, ou au plus tôt / what to spare."),
]
MonthsOption = Annotated[int, typer.Option("--months", min=1, max=240, help="Horizon en mois / in months.")]


@app.command()
def plan(
    file: FileArgument,
    on: OnOption = None,
    schedule: ScheduleOption = "france",
    schedule_data: DataOption = None,
    goal: GoalOption = "visits",
    months: MonthsOption = 24,
    most: Annotated[
        int | None, typer.Option("--most", min=1, help="Injections par visite / per visit.", show_default=False)
    ] = None,
    wait: Annotated[
        int, typer.Option("--wait", min=0, help="Attente d'une dose en retard, en jours / wait of a late dose.")
    ] = 28,
    every: Annotated[bool, typer.Option("--all", help="Les autres plans aussi / other plans too.")] = False,
    json: JsonOption = False,
) -> None:
    """Rattrapage dans le moins de visites. / Catch-up in the fewest visits, every dose valid."""
    from lab39.solutions.vaccination import console, illness, remarks, tables
    from lab39.solutions.vaccination import plan as planning

    result, known, patient, used = assess_file(file, on, schedule, schedule_data)
    wishes = planning.Wishes(goal=goal, months=months, most=most, wait_days=wait)
    if every:
        plans = planning.alternatives(used, patient, result.on, wishes)
    else:
        plans = (planning.plan(used, patient, result.on, wishes),)
    if json:
        others = [each.as_dict() for each in plans[1:]]
        issues = [each.as_dict() for each in known.issues]
        beside = [each.as_dict() for each in (*illness.beside(known.noted), *remarks.beside(used, patient, result))]
        terminal.emit({**plans[0].as_dict(), "alternatives": others, "beside": beside, "issues": issues})
        return
    console.told_beside(terminal.out(), illness.beside(known.noted), terminal.session().lang)
    for each in plans:
        tables.plan(terminal.out(), each, patient.birth_date, terminal.session().lang)
    console.told_beside(terminal.out(), remarks.beside(used, patient, result), terminal.session().lang)


@app.command("what-if")
def what_if(
    file: FileArgument,
    vaccine: Annotated[str, typer.Option("--vaccine", metavar="CODE", help="Code du calendrier, ou nom français.")],
    on: OnOption = None,
    schedule: ScheduleOption = "france",
    schedule_data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Et si cette dose était donnée ce jour. / What if this dose were given on that day."""
    from lab39.solutions.vaccination import console, illness, tables
    from lab39.solutions.vaccination.outcome import Dose
    from lab39.solutions.vaccination.whatif import what_if as ask

    result, known, patient, used = assess_file(file, on, schedule, schedule_data)
    code = _vaccine(vaccine, used.vaccines)
    found = ask(used, patient, Dose(result.on, code, id="what-if"))
    if json:
        terminal.emit(found.as_dict() | illness.as_dict(known.noted))
    else:
        console.told_beside(terminal.out(), illness.beside(known.noted), terminal.session().lang)
        tables.what_if(terminal.out(), found, used, terminal.session().lang)


@app.command()
def remind(
    file: FileArgument,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.ics", help="Fichier / file.", show_default=False)
    ] = None,
    on: OnOption = None,
    schedule: ScheduleOption = "france",
    schedule_data: DataOption = None,
    goal: GoalOption = "visits",
    months: MonthsOption = 24,
    name: Annotated[
        str,
        typer.Option("--name", help="Nom à écrire, sinon aucun / name to write, else none.", show_default=False),
    ] = "",
    json: JsonOption = False,
) -> None:
    """Les prochaines doses dans un fichier d'agenda. / The next doses as a calendar file."""
    from lab39 import fhir
    from lab39.solutions.vaccination import illness, reminders
    from lab39.solutions.vaccination import plan as planning

    result, known, patient, used = assess_file(file, on, schedule, schedule_data)
    waits = illness.wait(known.noted)
    found = reminders.of_plan(
        planning.plan(used, patient, result.on, planning.Wishes(goal=goal, months=months)),
        waiting=waits is not None,
    )
    record = fhir.load(file, terminal.session().settings)
    at = dt.datetime.combine(result.on, dt.time(), dt.UTC)
    notes = reminders.while_waiting(waits.until, result.on) if waits else ()
    content = reminders.calendar(found, record.id, at, used, name=name, notes=notes)
    if out is not None:
        with terminal.writing(out) as path:
            path.write_bytes(content)
    if json:
        terminal.emit(
            {
                "file": str(out) if out else None,
                "events": [
                    {
                        "uid": identifier,
                        "date": each.date,
                        "doses": [
                            {"group": i.group, "dose_number": i.number, "vaccine": i.vaccine} for i in each.items
                        ],
                    }
                    for each, identifier in reminders.identified(found, record.id, used.name)
                ],
                **illness.as_dict(known.noted),
            }
        )
        return
    for line in illness.beside(known.noted):
        terminal.say(line)
    if out is None:
        sys.stdout.write(content.decode("utf-8"))
    else:
        count = len(found)
        terminal.say(Text(f"{count} rendez-vous écrits dans {out}", f"{count} events written to {out}"))


@app.command()
def certificate(
    file: FileArgument,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.pdf", help="Fichier / file.", show_default=False)
    ] = None,
    on: OnOption = None,
    schedule: ScheduleOption = "france",
    schedule_data: DataOption = None,
    language: Annotated[
        Literal["both", "fr", "en"], typer.Option("--language", help="Langue de la page / language of the page.")
    ] = "both",
    json: JsonOption = False,
) -> None:
    """Le relevé de vaccination à imprimer (PDF). / The vaccination record to print (PDF)."""
    from lab39 import fhir
    from lab39.solutions.vaccination import certificate as printed

    if out is None and not json:
        raise InputError(
            Text("dire où écrire le PDF\u202f: --out FICHIER", "say where to write: --out FILE"), "--out"
        )
    result, known, patient, used = assess_file(file, on, schedule, schedule_data)
    record = fhir.load(file, terminal.session().settings)
    found = printed.certificate(record, patient, result, used, known.uncounted, known.noted)
    langs = LANGS if language == "both" else (language,)
    if out is not None:
        with terminal.writing(out) as path:
            path.write_bytes(printed.pdf(found, langs))
    if json:
        shown = {key: value for key, value in found.as_dict(langs).items() if key != "labels"}
        terminal.emit({"file": str(out) if out else None, **shown})
    else:
        terminal.say(Text(f"relevé écrit dans {out}", f"record written to {out}"))


@app.command()
def lot(
    number: Annotated[str, typer.Argument(metavar="LOT", help="Numéro de lot / lot number.")],
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE.ndjson", help="Un Bundle par ligne / one Bundle a line.", show_default=False),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="ID|EMAIL",
            help="Compte dont on cherche les dossiers / account whose records are searched.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="YYYY-MM-DD", help="Du / from.", show_default=False)
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="YYYY-MM-DD", help="Au / to.", show_default=False)
    ] = None,
    json: JsonOption = False,
) -> None:
    """Qui a reçu un lot, et les numéros voisins. / Who received a lot, near numbers too.

    D'après un fichier, ou parmi les dossiers du laboratoire qu'un compte peut voir (--as), ce qui est inscrit au
    journal. / From a file, or among the records of the lab that an account may see (--as), which is written in the
    audit log.
    """
    from lab39.solutions.vaccination import tables
    from lab39.solutions.vaccination.population import Records
    from lab39.solutions.vaccination.recalls import recall

    if (file is None) is (account is None):
        raise InputError(
            Text(
                "dire où chercher\u202f: un fichier NDJSON, ou --as COMPTE pour les dossiers du laboratoire",
                "say where to look: an NDJSON file, or --as ACCOUNT for the records of the lab",
            ),
            "FILE.ndjson",
        )
    first, last = chosen_day(since) if since else None, chosen_day(until) if until else None
    failed: list[LabError] = []
    if file is not None:
        records = Records(file, terminal.session().settings)
        found = recall(records, number, since=first, until=last)
        failed, unread = records.failed, len(records.failed)
    else:
        found, unread = _kept(number, account or "", first, last)
    if json:
        terminal.emit({**found.as_dict(), "unreadable": unread})
    else:
        tables.recall(terminal.out(), found, terminal.session().lang)
    tell_failed(failed)
    if unread:
        terminal.say(
            Text(f"dossiers illisibles, non regardés\u202f: {unread}", f"records that could not be read: {unread}")
        )
        raise typer.Exit(1)


def _kept(number: str, account: str, since: dt.date | None, until: dt.date | None) -> tuple[Recall, int]:
    """The records of the lab that an account may see, and how many of them could not be read."""
    from lab39.solutions.vaccination import lots
    from lab39.store import people

    with terminal.store() as opened, opened.reading() as tx:
        person = people.find(tx, account)
    with terminal.context("vaccination", person.id) as ctx:
        found = lots.search(ctx, number, person.id, most=None, since=since, until=until)
    return found.as_recall(), found.unread


@app.command()
def coverage(
    file: Annotated[Path, typer.Argument(metavar="FILE.ndjson", help="Un Bundle par ligne / one Bundle a line.")],
    on: OnOption = None,
    schedule: ScheduleOption = "france",
    schedule_data: DataOption = None,
    group: Annotated[
        list[str] | None, typer.Option("--group", metavar="MMR", help="Groupe / group.", show_default=False)
    ] = None,
    late: Annotated[
        Path | None,
        typer.Option("--late", metavar="FILE.csv", help="Liste de rappel / who to call back.", show_default=False),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Couverture par année de naissance et par vaccin, et qui rappeler. / Coverage by birth year, who is late."""
    from lab39.core.errors import UnknownNameError
    from lab39.solutions.vaccination import sources, tables
    from lab39.solutions.vaccination.coverage import coverage as count
    from lab39.solutions.vaccination.coverage import to_csv
    from lab39.solutions.vaccination.population import Records
    from lab39.solutions.vaccination.reading import read_patient

    day, used = chosen_day(on), chosen_schedule(schedule, schedule_data)
    known = {name.casefold(): name for name in used.groups}
    for each in group or ():
        if each.casefold() not in known:
            names = ", ".join(used.groups)
            raise UnknownNameError(
                Text(
                    f"groupe «\u202f{each[:40]}\u202f» inconnu. Connus\u202f: {names}",
                    f"unknown group “{each[:40]}”. Known: {names}",
                ),
                "--group",
            )
    maps = sources.open_maps(terminal.lab("vaccination").packs)
    records = Records(file, terminal.session().settings)
    found = count(
        records,
        used,
        day,
        lambda record, with_, at: read_patient(record, with_, at, maps),
        [known[each.casefold()] for each in group or ()],
    )
    lang = terminal.session().lang
    if late is not None:
        with terminal.writing(late) as path:
            path.write_text("\ufeff" + to_csv(found.calls, lang), "utf-8", newline="")
    if json:
        terminal.emit({**found.as_dict(), "unreadable": len(records.failed)})
    else:
        tables.coverage(terminal.out(), found, lang)
    tell_failed(records.failed)


def _vaccine(written: str, known: Collection[str]) -> str:
    """A code of the schedule, or the code of the French product that a name names."""
    from lab39.solutions.vaccination.compile import cvx
    from lab39.solutions.vaccination.products import find

    for code in (written.strip(), cvx(written), written.strip().upper()):
        if code in known:
            return code
    found = find(written)
    if found.product is not None and found.product.nuva in known:
        return found.product.nuva
    names = ", ".join(each.name for each in found.candidates[:6])
    raise InputError(
        Text(
            f"vaccin «\u202f{written[:40]}\u202f» "
            + (f"à préciser\u202f: {names}" if names else "inconnu du calendrier"),
            f"vaccine “{written[:40]}” " + (f"could be: {names}" if names else "unknown to the schedule"),
        ),
        "--vaccine",
    )
