"""``lab39 signals ingest | duplicates | detect``: from reports to ranked pairs; see also :mod:`commands`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lab39 import terminal
from lab39.core.errors import InputError, LabError
from lab39.core.text import Text
from lab39.solutions.signals.options import (
    SUSPECTS,
    ByOption,
    ColumnsOption,
    DrugColumn,
    MaybeStore,
    MemoryOption,
    PairsOption,
    RolesOption,
    StoreOption,
    TopOption,
    listed,
    memory_of,
    pairs_of,
    source_of,
    still,
    today,
    writable,
)
from lab39.terminal import JsonOption

if TYPE_CHECKING:
    from lab39.solutions.signals import runs
    from lab39.solutions.signals.sources import Source

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


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
    dictionaries: Annotated[
        list[str] | None,
        typer.Option(
            "--names",
            "--dictionary",
            metavar="bdpm|FILE",
            help="Du nom à la substance\u202f: pack ou CSV, dans l'ordre, répétable / packs or CSV, in order.",
            show_default=False,
        ),
    ] = None,
    remap: Annotated[
        bool,
        typer.Option("--remap", help="Relire tous les noms de la base avec --names / read every name again."),
    ] = False,
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
    from lab39.solutions.signals.readers import ingest, open_names
    from lab39.solutions.signals.readers import meddra as licensed
    from lab39.solutions.signals.readers.tabular import names as columns_known

    known = tuple(columns_known()["names"])
    names = open_names(dictionaries or (), lambda: terminal.lab().packs)
    terms = licensed.read(meddra) if meddra else None
    memory_of(memory)
    try:
        with terminal.progress(Text("lecture", "reading")) as progress:
            found = ingest(
                sources,
                store,
                name=name,
                columns=pairs_of(columns, known),
                names=names,
                remap=remap,
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
    if found.counts:
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
        bool, typer.Option("--explain", help="Dire pourquoi pour chaque lien / why, for each link.")
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
    with still(store), terminal.progress(Text("doublons", "duplicates")):
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
    linked: Annotated[
        Literal["keep", "merge"],
        typer.Option("--duplicates", help="Compter une fois les doublons liés (merge) / count linked ones once."),
    ] = "keep",
    before: Annotated[
        str,
        typer.Option(
            "--before",
            metavar="2017Q2",
            help="La base d'avant ce trimestre / as it stood before.",
            show_default=False,
        ),
    ] = "",
    least: Annotated[int, typer.Option("--least", min=1, help="Cas au moins par couple / least reports.")] = 1,
    likelihood: Annotated[
        Literal["components", "mixture"],
        typer.Option("--likelihood", help="De l'ajustement (GPS) avec --no-zeros / of the fit with --no-zeros."),
    ] = "components",
    zeros: Annotated[
        bool,
        typer.Option(
            "--zeros/--no-zeros",
            help="Ajuster (GPS) aussi sur les couples jamais notifiés / the fit also sees unreported pairs.",
        ),
    ] = True,
    known: Annotated[
        Path | None,
        typer.Option(
            "--known", metavar="CSV", help="Réactions connues (drug, event) / known reactions.", show_default=False
        ),
    ] = None,
    triage: Annotated[
        bool, typer.Option("--triage/--no-triage", help="Regarder aussi les notifications / look at reports too.")
    ] = True,
    adjust: Annotated[
        bool,
        typer.Option("--adjust", help="Trier sur des attendus ajustés (RGPS), lent / adjusted expectations, slow."),
    ] = False,
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
            "--out", metavar="FILE.csv|.parquet", help="Tous les couples / all pairs.", show_default=False
        ),
    ] = None,
    top: TopOption = 20,
    json: JsonOption = False,
) -> None:
    """Classe les couples médicament-événement notifiés plus qu'attendu. / Rank the drug-event pairs."""
    from lab39.solutions.signals import console, detecting, evaluation, told

    source = source_of(
        store,
        pairs,
        counts,
        roles=roles,
        drug_column=drug_column,
        columns=columns,
        duplicates=linked,
        before=before,
    )
    if out is not None:
        detecting.format_of(out)
    reactions = evaluation.read_known(known) if known else None
    folder = runs_folder or (store / "runs" if store else None)
    if folder is not None:
        writable(folder, "--runs")
    with still(store), terminal.progress(Text("détection", "detection")) as progress:
        named = _named(name, source, store) if folder else name
        made = detecting.run(
            source,
            by=listed(by),
            without=tuple(without or ()),
            engine=engine,
            memory_gb=memory,
            least=least,
            likelihood=likelihood,
            zeros=zeros,
            triage=triage,
            adjust=adjust,
            known=reactions,
            progress=progress,
        )
    run = None
    if folder is not None:
        run = detecting.keep(
            made,
            folder,
            named,
            today(),
            source,
            likelihood=likelihood,
            zeros=zeros,
            without=tuple(without or ()),
            least=least,
        )
    if out is not None:
        with terminal.writing(out) as path:
            detecting.export(made.table, path, detecting.format_of(out))
    summary = told.detected(made, run, out, top)
    if json:
        terminal.emit(summary)
    else:
        console.detected(terminal.out(), summary, terminal.session().lang)
    if made.not_adjusted:
        n, some = len(made.not_adjusted), ", ".join(made.not_adjusted[:5])
        terminal.say(
            Text(
                f"le modèle ne répond pas pour {n} événement{'s' if n > 1 else ''}, non ajustés\u202f: {some}",
                f"the model has no answer for {n} event{'s' if n > 1 else ''}, not adjusted: {some}",
            )
        )
    _tell_run(run, out)


def _tell_run(run: runs.Run | None, out: Path | None) -> None:
    if out is not None:
        terminal.say(Text(f"couples écrits dans {out}", f"pairs written to {out}"))
    if run is not None:
        terminal.say(
            Text(
                f"analyse écrite dans {run.folder}\nPour la donner au laboratoire\u202f: "
                f"lab39 data import signals {run.folder}",
                f"run written to {run.folder}\nTo give it to the lab: lab39 data import signals {run.folder}",
            )
        )


def _named(name: str, source: Source, store: Path | None) -> str:
    from lab39.solutions.signals import detecting, runs

    if name:
        if not runs.NAME.fullmatch(name):
            raise InputError(
                Text("attendu lettres, chiffres, point, tiret (2017Q2)", "letters, digits, dot, dash (2017Q2)"),
                "--name",
            )
        last = detecting.last_quarter(source) if store and runs.last_day(name) else None
        if last is not None and name < last:
            raise InputError(
                Text(
                    f"la base compte jusqu'à {last}\u202f: nommer l'analyse {last}, ou la limiter avec --before",
                    f"the store counts up to {last}: name the run {last}, or limit it with --before",
                ),
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
