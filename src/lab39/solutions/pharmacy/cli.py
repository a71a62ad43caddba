"""``lab39 pharmacy``: the interactions of a treatment, names understood, what changed between two editions."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lab39 import terminal
from lab39.core.errors import InputError, UnknownNameError
from lab39.core.text import Text
from lab39.terminal import JsonOption

if TYPE_CHECKING:
    from lab39.core.datapacks import Packs
    from lab39.solutions.pharmacy.catalogue import Catalogue
    from lab39.solutions.pharmacy.engine import Engine
    from lab39.solutions.pharmacy.model import Line, Person, Resolution
    from lab39.solutions.pharmacy.nodes import Thing

MAX_NAMES = 60

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

EditionOption = Annotated[
    str | None, typer.Option(metavar="AAAA-MM", help="Édition du thésaurus / edition.", show_default=False)
]


@app.command("interactions")
def interactions_command(
    names: Annotated[list[str], typer.Argument(metavar="NOM... / NAME...", show_default=False)],
    dose: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NOM=DOSE",
            help="« aspirine=75 mg/j »; sans nom, dans l'ordre / without names, in order.",
            show_default=False,
        ),
    ] = None,
    edition: EditionOption = None,
    age: Annotated[int | None, typer.Option(min=0, max=130, help="Ans / years.", show_default=False)] = None,
    weight: Annotated[float | None, typer.Option(min=0.3, max=400, help="kg.", show_default=False)] = None,
    sex: Annotated[str | None, typer.Option(metavar="female|male", help="Sexe.", show_default=False)] = None,
    creatinine: Annotated[float | None, typer.Option(min=5, max=5000, help="µmol/L.", show_default=False)] = None,
    fact: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FAIT[=no]",
            help="Antécédent présent, ou absent avec =no / history, absent with =no.",
            show_default=False,
        ),
    ] = None,
    food: Annotated[bool, typer.Option("--food", help="Aliments et boissons / food and drink.")] = False,
    json: JsonOption = False,
) -> None:
    """Les interactions d'un traitement. / The interactions of a treatment."""
    from lab39.solutions.pharmacy import interactions, listing, people

    if len(names) > MAX_NAMES:
        raise InputError(
            Text(
                f"{len(names)} noms\u202f: {MAX_NAMES} au plus à la fois",
                f"{len(names)} names: at most {MAX_NAMES} at a time",
            )
        )
    person = people.person(age=age, weight_kg=weight, sex=sex, creatinine_umol_l=creatinine, facts=fact or ())
    packs = terminal.lab("pharmacy").packs
    engine = _engine(packs, edition)
    catalogue = _catalogue(packs, engine)
    read = _treatment(names, catalogue, engine)
    lines = _with_doses(read.lines, dose or [], catalogue, engine, person)
    things = engine.graph.known.things if food else read.things
    checked = interactions.check(engine, lines, person, things)
    found = listing.Answer(engine, catalogue, tuple(lines), checked, read.notes, _age(engine))
    if json:
        terminal.emit(found.as_dict())
        return
    from lab39.solutions.pharmacy import tables

    tables.interactions(terminal.out(), found, terminal.session().lang)


@app.command("names")
def names_command(
    text: Annotated[list[str], typer.Argument(metavar="TEXTE...|FICHIER|- / TEXT...|FILE|-", show_default=False)],
    json: JsonOption = False,
) -> None:
    """Ce que veulent dire des noms, un par ligne d'un fichier ou de « - ». / What names mean."""
    from lab39.solutions.pharmacy import listing
    from lab39.solutions.pharmacy.model import Match
    from lab39.solutions.pharmacy.names import resolve

    catalogue = _catalogue(terminal.lab("pharmacy").packs)
    read = [resolve(each, catalogue) for each in _texts(text)]
    if json:
        terminal.emit(listing.names_as_dict(read, catalogue))
    else:
        from lab39.solutions.pharmacy import tables

        tables.names(terminal.out(), read, terminal.session().lang)
    if any(each.match is not Match.FOUND for each in read):
        raise typer.Exit(2)


@app.command("levels")
def levels_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NOM... / NAME...", help="Seulement ces substances / only these.", show_default=False
        ),
    ] = None,
    edition: EditionOption = None,
    json: JsonOption = False,
) -> None:
    """Comment se tranchent les règles, avec leur page. / How rules are settled, with their page."""
    from lab39.solutions.pharmacy import listing

    packs = terminal.lab("pharmacy").packs
    engine = _engine(packs, edition)
    wanted = _treatment(names, _catalogue(packs, engine), engine) if names else None
    rows = listing.readings(engine, [m for line in wanted.lines for m in line.moieties] if wanted else None)
    if json:
        terminal.emit({"edition": engine.edition, "n": len(rows), "rules": [row.as_dict() for row in rows]})
        return
    from lab39.solutions.pharmacy import tables

    tables.readings(terminal.out(), rows, engine.edition, terminal.session().lang)


@app.command("diff")
def diff_command(
    before: Annotated[str, typer.Argument(metavar="AAAA-MM", show_default=False)],
    after: Annotated[str, typer.Argument(metavar="AAAA-MM", show_default=False)],
    population: Annotated[
        Path | None,
        typer.Option(
            metavar="NDJSON",
            help="Dossiers\u202f: pour qui cela change / records: for whom it changes.",
            show_default=False,
        ),
    ] = None,
    on: Annotated[str | None, typer.Option(metavar="DATE", help="Jour / day (AAAA-MM-JJ).")] = None,
    json: JsonOption = False,
) -> None:
    """Ce qui change d'une édition à l'autre, et pour qui. / What changed, and for whom."""
    from lab39.solutions.pharmacy import comparison

    packs = terminal.lab("pharmacy").packs
    compared = comparison.open_both(packs, before, after)
    if population is None:
        if json:
            terminal.emit(comparison.as_dict(compared.difference))
            return
        from lab39.solutions.pharmacy import tables

        tables.difference(terminal.out(), compared.difference, terminal.session().lang)
        return
    day = _day(on)
    records = comparison.Records(population, terminal.session().settings)
    found = comparison.people(compared, records, day, packs)
    if json:
        for part in comparison.json_parts(compared, found, records, day):
            sys.stdout.write(part)
    else:
        from lab39.solutions.pharmacy import tables

        tables.population(terminal.out(), found, terminal.session().lang)
    for error in records.failed:
        terminal.tell(error)
    if records.failed:
        raise typer.Exit(2)


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


class _Read:
    """Names understood: lines, things that are no medicine, and what must be known of each."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.things: list[Thing] = []
        self.notes: dict[str, tuple[Text, ...]] = {}


def _treatment(names: list[str], catalogue: Catalogue, engine: Engine) -> _Read:
    """The lines of the names.

    Raises:
        UnknownNameError: names that are not known or mean several things, with what they may mean.
    """
    from lab39.solutions.pharmacy.treatment import understand

    read, refused = _Read(), []
    for name in names:
        thing = engine.graph.known.thing(name)
        if thing is not None:
            read.things.append(thing)
            continue
        found = understand(name, catalogue, engine.graph)
        if found.line is None:
            refused.append(found.resolution)
            continue
        read.lines.append(found.line)
        read.notes[name] = found.resolution.notes
    if refused:
        raise _not_understood(refused)
    return read


def _not_understood(refused: list[Resolution]) -> UnknownNameError:
    from lab39.solutions.pharmacy import listing

    said = [listing.refusal(each) for each in refused]
    return UnknownNameError(Text("\n".join(s.fr for s in said), "\n".join(s.en for s in said)))


def _with_doses(
    lines: list[Line], doses: list[str], catalogue: Catalogue, engine: Engine, person: Person
) -> list[Line]:
    """The lines with their doses.

    A dose without a name goes to the only name, or by order when there are as many doses as names, or to the only
    line whose level asks for a dose: never to one among several.

    Raises:
        InputError: whose dose it is cannot be told, or it cannot be read.
        UnknownNameError: a name that is none of the treatment.
    """
    from lab39.solutions.pharmacy import treatment

    given = list(lines)
    alone = [each for each in doses if "=" not in each]
    for each in doses:
        name, mark, said = each.partition("=")
        if not mark:
            continue
        at = treatment.named(lines, name, catalogue, engine.graph)
        if len(at) != 1:
            known = ", ".join(line.text for line in lines)
            raise UnknownNameError(
                Text(
                    f"dose de «\u202f{name}\u202f»\u202f: donner un des noms du traitement ({known})",
                    f"dose of “{name}”: give one of the names of the treatment ({known})",
                ),
                "--dose",
            )
        given[at[0]] = treatment.dosed(given[at[0]], said)
    if not alone:
        return given
    for number, said in zip(_whose(alone, given, engine, person), alone, strict=True):
        if said.strip() not in ("", "-"):
            given[number] = treatment.dosed(given[number], said)
    return given


def _whose(doses: list[str], lines: list[Line], engine: Engine, person: Person) -> list[int]:
    """The lines that doses without a name are of."""
    from lab39.solutions.pharmacy import interactions, treatment
    from lab39.solutions.pharmacy.doses import read_dose

    if len(doses) == len(lines):
        return list(range(len(lines)))
    for each in doses:
        read_dose(each)  # what is wrong with the dose itself is told first
    found = interactions.interactions(engine, lines, person)
    asked = {n.line for each in found for n in each.needs if n.token.startswith("dose") and n.line is not None}
    asked &= set(treatment.without_dose(lines))
    if len(doses) == len(asked) == 1:
        (number,) = asked
        name = lines[number].text
        terminal.say(
            Text(
                f"«\u202f{doses[0]}\u202f» pris comme la dose de {name}, seule à changer un niveau",
                f"“{doses[0]}” taken as the dose of {name}, the only one that changes a level",
            )
        )
        return [number]
    example = f"{lines[0].text}={doses[0]}"
    raise InputError(
        Text(
            f"dose de quel médicament\u202f? Écrire --dose «\u202f{example}\u202f», ou une dose par nom dans "
            "l'ordre («\u202f-\u202f» pour celle qui manque)",
            f"the dose of which medicine? Write --dose “{example}”, or one dose a name in order (“-” for none)",
        ),
        "--dose",
    )


def _texts(given: list[str]) -> list[str]:
    """The names: each argument, or the lines of a file or of standard input."""
    if given == ["-"]:
        return _lines(sys.stdin.read())
    path = Path(given[0])
    if len(given) == 1 and (path.is_file() or path.suffix in (".txt", ".csv", ".tsv")):
        try:
            return _lines(path.read_text("utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                Text(
                    f"fichier illisible ({error}). Un nom par ligne, en UTF-8",
                    f"unreadable file ({error}). One name a line, in UTF-8",
                ),
                given[0],
            ) from error
    return given


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _engine(packs: Packs, edition: str | None) -> Engine:
    from lab39.solutions.pharmacy.engine import open_engine

    with terminal.progress(Text("thésaurus", "thesaurus")) as progress:
        return open_engine(packs, edition, lambda fraction: progress("", fraction))


def _catalogue(packs: Packs, engine: Engine | None = None) -> Catalogue:
    """The names; with those of the thesaurus in use, of which some are on no product."""
    from lab39.solutions.pharmacy.catalogue import open_catalogue

    return open_catalogue(packs, engine.graph.members if engine else ())


def _age(engine: Engine) -> Text | None:
    today = dt.datetime.now().astimezone().date()
    return engine.age_warning(today)
