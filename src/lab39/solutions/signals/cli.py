"""``lab39 signals ingest | duplicates | detect``: from reports to ranked pairs; see also :mod:`commands`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lab39 import terminal
from lab39.core.errors import InputError, LabError
from lab39.core.text import Text
from lab39.terminal import JsonOption

if TYPE_CHECKING:
    from lab39.solutions.signals import runs
    from lab39.solutions.signals.sources import Source, Store

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

StoreOption = Annotated[
    Path, typer.Option("--store", metavar="DIR", help="Dossier des notifications / folder of the reports.")
]
MaybeStore = Annotated[
    Path | None,
    typer.Option(
        "--store", metavar="DIR", help="Dossier des notifications / folder of the reports.", show_default=False
    ),
]
PairsOption = Annotated[
    Path | None,
    typer.Option(
        "--pairs",
        metavar="CSV",
        help="Lignes notification, médicament, événement / rows of report, drug, event.",
        show_default=False,
    ),
]
ByOption = Annotated[
    str,
    typer.Option(
        "--by", metavar="sex,age,year", help="Strates des attendus / strata of expectations.", show_default=False
    ),
]
ColumnsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--columns",
        metavar="drug=NAME",
        help="Nom d'une colonne du CSV, répétable / a column of the CSV.",
        show_default=False,
    ),
]
RolesOption = Annotated[
    str,
    typer.Option(
        "--roles", metavar="PS,SS|all", help="Rôles des médicaments comptés / roles of the drugs counted."
    ),
]
DrugColumn = Annotated[
    Literal["ingredient", "drug"],
    typer.Option("--drug-column", help="Substance, ou nom tel que notifié / ingredient, or name as reported."),
]
MemoryOption = Annotated[float, typer.Option("--memory", metavar="GB", min=0.1, help="Mémoire / memory, GB.")]
TopOption = Annotated[int, typer.Option("--top", min=0, help="Lignes affichées / rows shown.")]
SUSPECTS = "suspect"


@app.command()
def ingest(
    sources: Annotated[
        list[Path], typer.Argument(metavar="SOURCE…", help="Fichiers, zips ou dossiers / files, zips or folders.")
    ],
    store: StoreOption,
    name: Annotated[
        str, typer.Option("--name", metavar="SOURCE", help="Nom de la source d'un CSV / of a CSV.", show_default="")
    ] = "",
    columns: ColumnsOption = None,
    dictionary: Annotated[
        Path | None,
        typer.Option(
            "--dictionary",
            metavar="FILE",
            help="CSV du nom à la substance / from name to ingredient.",
            show_default=False,
        ),
    ] = None,
    meddra: Annotated[
        Path | None,
        typer.Option(
            "--meddra", metavar="DIR", help="MedAscii de votre licence / of your licence.", show_default=False
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="S'arrêter à la première ligne fautive / stop at a broken line.")
    ] = False,
    memory: Annotated[str, typer.Option("--memory", metavar="2GB", help="Mémoire / memory.")] = "1GB",
    json: JsonOption = False,
) -> None:
    """Lit des notifications (FAERS, VAERS, E2B, FHIR, CSV) dans un dossier. / Read case reports into a folder."""
    from lab39.solutions.signals import console, told
    from lab39.solutions.signals.readers import Names, ingest, read_dictionary
    from lab39.solutions.signals.readers import meddra as licensed

    names = Names(read_dictionary(dictionary)) if dictionary else None
    terms = licensed.read(meddra) if meddra else None
    _memory(memory)
    try:
        with terminal.progress(Text("lecture", "reading")) as progress:
            found = ingest(
                sources,
                store,
                name=name,
                columns=pairs_of(columns),
                names=names,
                terms=terms,
                strict=strict,
                memory=memory,
                progress=progress,
            )
    except KeyboardInterrupt:
        terminal.say(
            Text(
                "ce qui était lu en entier est gardé\u202f; la même commande reprend la suite",
                "what was read whole is kept; the same command goes on from there",
            )
        )
        raise
    summary = told.ingested(found, store)
    if json:
        terminal.emit(summary)
    else:
        console.ingested(terminal.out(), summary, terminal.session().lang)
    for error in found.failed:
        terminal.tell(error)
    if found.failed:
        raise typer.Exit(1 if found.read or found.already else 2)


@app.command()
def duplicates(
    store: StoreOption,
    threshold: Annotated[
        float, typer.Option("--threshold", min=0.5, max=1.0, help="Probabilité / probability.")
    ] = 0.9,
    explain: Annotated[
        bool, typer.Option("--explain", help="Dire pourquoi pour chaque paire / why, for each pair.")
    ] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Défaire\u202f: oublier les liens / undo: forget the links.")
    ] = False,
    top: TopOption = 20,
    json: JsonOption = False,
) -> None:
    """Relie les notifications qui sont sans doute le même cas. / Link reports that are probably one case."""
    from lab39.solutions.signals import console, told
    from lab39.solutions.signals.readers import Store as Reports
    from lab39.solutions.signals.readers import duplicates as linking

    reports = Reports.open(store)
    if forget:
        there = (store / "links.parquet").is_file()
        linking.forget(reports)
        if json:
            terminal.emit({"store": str(store), "forgotten": there})
        terminal.say(
            Text(
                "liens oubliés\u202f; les notifications sont intactes",
                "links forgotten; the reports are as they were",
            )
            if there
            else Text("aucun lien à oublier", "no link to forget")
        )
        return
    with terminal.progress(Text("doublons", "duplicates")):
        links = linking.find(reports, threshold=threshold)
    groups = len(set(linking.groups(reports).values()))
    summary = told.linked(links, groups, threshold, store)
    if json:
        terminal.emit(summary)
    else:
        console.linked(terminal.out(), links[:top], summary, terminal.session().lang, explain=explain)


@app.command()
def detect(
    store: MaybeStore = None,
    pairs: PairsOption = None,
    counts: Annotated[
        Path | None,
        typer.Option(
            "--counts",
            metavar="CSV",
            help="Lignes médicament, événement, effectif / rows of drug, event, count.",
            show_default=False,
        ),
    ] = None,
    by: ByOption = "",
    engine: Annotated[Literal["duckdb", "spark"], typer.Option("--engine", help="Moteur / engine.")] = "duckdb",
    roles: RolesOption = SUSPECTS,
    drug_column: DrugColumn = "ingredient",
    columns: ColumnsOption = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without",
            metavar="DRUG",
            help="Laisser ces notifications de côté / leave its reports out.",
            show_default=False,
        ),
    ] = None,
    least: Annotated[int, typer.Option("--least", min=1, help="Cas au moins par paire / least reports.")] = 1,
    likelihood: Annotated[
        Literal["components", "mixture"], typer.Option("--likelihood", help="De l'ajustement / of the fit (GPS).")
    ] = "components",
    name: Annotated[
        str, typer.Option("--name", metavar="2017Q2", help="De l'analyse / of the run.", show_default=False)
    ] = "",
    runs_folder: Annotated[
        Path | None,
        typer.Option("--runs", metavar="DIR", help="Où écrire l'analyse / where the run goes.", show_default=False),
    ] = None,
    memory: MemoryOption = 1.0,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE.csv|.parquet", help="Toutes les paires / all pairs.", show_default=False
        ),
    ] = None,
    top: TopOption = 20,
    json: JsonOption = False,
) -> None:
    """Classe les paires médicament-événement notifiées plus qu'attendu. / Rank the drug-event pairs."""
    from lab39.solutions.signals import console, detecting, told

    source = source_of(store, pairs, counts, roles=roles, drug_column=drug_column, columns=columns)
    if out is not None:
        detecting.format_of(out)
    folder = runs_folder or (store / "runs" if store else None)
    named = _named(name, source, store) if folder else name
    with terminal.progress(Text("détection", "detection")) as progress:
        made = detecting.run(
            source,
            by=listed(by),
            without=tuple(without or ()),
            engine=engine,
            memory_gb=memory,
            least=least,
            likelihood=likelihood,
            progress=progress,
        )
    run = None
    if folder is not None:
        run = detecting.keep(
            made, folder, named, today(), source, likelihood=likelihood, without=tuple(without or ())
        )
    if out is not None:
        with terminal.writing(out) as path:
            detecting.export(made.table, path, detecting.format_of(out))
    summary = told.detected(made, run, out, top)
    if json:
        terminal.emit(summary)
    else:
        console.detected(terminal.out(), summary, terminal.session().lang)
    _tell_run(run, out)


def _tell_run(run: runs.Run | None, out: Path | None) -> None:
    if out is not None:
        terminal.say(Text(f"paires écrites dans {out}", f"pairs written to {out}"))
    if run is not None:
        terminal.say(
            Text(
                f"analyse écrite dans {run.folder}\nPour la donner au laboratoire\u202f: "
                f"lab39 data import signals {run.folder}",
                f"run written to {run.folder}\nTo give it to the lab: lab39 data import signals {run.folder}",
            )
        )


def source_of(
    store: Path | None,
    pairs: Path | None,
    counts: Path | None = None,
    *,
    roles: str = SUSPECTS,
    drug_column: str = "ingredient",
    columns: list[str] | None = None,
) -> Source:
    """What to count: exactly one of the three.

    Raises:
        InputError: none, or several.
    """
    from lab39.solutions.signals.sources import CountTable, Pairs

    given = [each for each in (store, pairs, counts) if each is not None]
    if len(given) != 1:
        raise InputError(
            Text(
                "dire quoi compter, une seule fois\u202f: --store DOSSIER, --pairs CSV ou --counts CSV",
                "say what to count, once: --store FOLDER, --pairs CSV or --counts CSV",
            ),
            "--store",
        )
    if store is not None:
        return store_of(store, roles, drug_column)
    if pairs is not None:
        return Pairs(pairs, pairs_of(columns))
    assert counts is not None
    return CountTable(counts, pairs_of(columns))


def store_of(folder: Path, roles: str = SUSPECTS, drug_column: str = "ingredient") -> Store:
    """A store as it is counted; by default suspect drugs, and drugs whose role nothing tells.

    Raises:
        InputError: no store there, or an unknown role.
    """
    from lab39.solutions.signals.readers import SUSPECT_ROLES
    from lab39.solutions.signals.readers import Store as Reports
    from lab39.solutions.signals.sources import Store

    Reports.open(folder)
    known = ("PS", "SS", "S", "I", "C", "N")
    if roles == "all":
        asked: tuple[str, ...] = ()
    elif roles == SUSPECTS:
        asked = (*SUSPECT_ROLES, "")
    else:
        asked = listed(roles.upper())
        if not asked or set(asked) - set(known):
            raise InputError(
                Text(
                    f"rôle inconnu «\u202f{roles[:40]}\u202f»\u202f: {', '.join(known)}, suspect ou all",
                    f"unknown role “{roles[:40]}”: {', '.join(known)}, suspect or all",
                ),
                "--roles",
            )
    return Store(folder, drug=drug_column, roles=asked)


def listed(value: str) -> tuple[str, ...]:
    """``sex,age`` as its parts."""
    return tuple(each.strip() for each in value.split(",") if each.strip())


def pairs_of(columns: list[str] | None) -> dict[str, str]:
    """``drug=NAME`` options as a mapping.

    Raises:
        InputError: one that has not this form.
    """
    made: dict[str, str] = {}
    for each in columns or ():
        role, mark, column = each.partition("=")
        if not mark or not role.strip() or not column.strip():
            raise InputError(
                Text(f"«\u202f{each[:60]}\u202f»\u202f: attendu drug=NOM", f"“{each[:60]}”: drug=NAME is expected"),
                "--columns",
            )
        made[role.strip()] = column.strip()
    return made


def today() -> dt.date:
    """The day of this machine."""
    return dt.datetime.now().astimezone().date()


def _memory(value: str) -> None:
    import re

    if not re.fullmatch(r"\d+(\.\d+)?\s?[MGT]i?B", value):
        raise InputError(
            Text(f"«\u202f{value[:20]}\u202f»\u202f: écrire 500MB, 2GB", f"“{value[:20]}”: write 500MB, 2GB"),
            "--memory",
        )


def _named(name: str, source: Source, store: Path | None) -> str:
    from lab39.solutions.signals import detecting, runs

    if name:
        if not runs.NAME.fullmatch(name):
            raise InputError(
                Text("attendu lettres, chiffres, point, tiret (2017Q2)", "letters, digits, dot, dash (2017Q2)"),
                "--name",
            )
        return name
    found = detecting.last_quarter(source) if store else None
    if not found:
        raise LabError(
            Text(
                "aucun trimestre n'est dit\u202f: nommer l'analyse avec --name",
                "no quarter is told: name the run with --name",
            ),
            "--name",
        )
    return found
