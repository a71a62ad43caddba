"""``lab39 signals explain | compare | evaluate | simulate | report``, beside those of :mod:`cli`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from lab39 import terminal
from lab39.core.errors import InputError, UnknownNameError
from lab39.core.text import Text
from lab39.solutions.signals.cli import app
from lab39.solutions.signals.options import (
    ByOption,
    ColumnsOption,
    DrugColumn,
    MaybeStore,
    MemoryOption,
    PairsOption,
    RolesOption,
    StoreOption,
    TopOption,
    still,
)
from lab39.terminal import JsonOption

if TYPE_CHECKING:
    from lab39.solutions.signals.runs import Run

__all__ = ["app"]

RunOption = Annotated[
    str, typer.Option("--run", metavar="2017Q2", help="Analyse / run.", show_default="la dernière / the last")
]
OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Fichier / file.", show_default=False)
]


@app.command()
def explain(
    drug: Annotated[str, typer.Option("--drug", metavar="NAME", help="Médicament / drug.")],
    event: Annotated[str, typer.Option("--event", metavar="TERM", help="Événement / event.")],
    store: MaybeStore = None,
    pairs: PairsOption = None,
    run: RunOption = "",
    by: ByOption = "",
    roles: RolesOption = "suspect",
    drug_column: DrugColumn = "ingredient",
    columns: ColumnsOption = None,
    memory: MemoryOption = 1.0,
    cases: Annotated[int, typer.Option("--cases", min=0, help="Cas listés / cases listed.")] = 20,
    json: JsonOption = False,
) -> None:
    """Tout sur un couple médicament-événement, en mots. / Everything about one pair, in words."""
    from lab39.solutions.signals import explaining, pair_console
    from lab39.solutions.signals.options import listed, source_of

    source = source_of(store, pairs, roles=roles, drug_column=drug_column, columns=columns)
    with still(store), terminal.progress(Text("couple", "pair")):
        found = explaining.explain(source, drug, event, run=run, by=listed(by), memory_gb=memory, cases=cases)
    if json:
        terminal.emit(found.as_dict())
    else:
        pair_console.explained(terminal.out(), found, terminal.session().lang)


@app.command()
def compare(
    before: Annotated[str, typer.Argument(metavar="RUN_A", help="Dossier ou version du pack / folder or version.")],
    after: Annotated[str, typer.Argument(metavar="RUN_B", help="Idem / the same.")],
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", help="EB05 2, IC025 0.", show_default=False),
    ] = None,
    top: TopOption = 20,
    json: JsonOption = False,
) -> None:
    """Ce qui a bougé d'une analyse à l'autre. / What moved from one run to the next."""
    from lab39.solutions.signals import pair_console
    from lab39.solutions.signals.moved import moved

    one, other = run_of(before), run_of(after)
    found = moved(one, other, threshold=threshold)
    if json:
        terminal.emit({"before": one.name, "after": other.name, "synthetic": one.synthetic or other.synthetic,
                       **_fields(found)})  # fmt: skip
    else:
        pair_console.moved(terminal.out(), found, one, other, top, terminal.session().lang)


@app.command()
def evaluate(
    reference: Annotated[
        Path,
        typer.Option("--reference", metavar="CSV", help="drug, event, truth[, outcome, date]."),
    ],
    store: MaybeStore = None,
    pairs: PairsOption = None,
    run: RunOption = "",
    by: ByOption = "",
    columns: ColumnsOption = None,
    memory: MemoryOption = 1.0,
    json: JsonOption = False,
) -> None:
    """Mesure les scores sur des couples connus (AUC). / Measure the scores on known pairs (AUC)."""
    from lab39.solutions.signals import evaluating, pair_console
    from lab39.solutions.signals.options import listed, source_of

    source = source_of(store, pairs, columns=columns)
    with still(store), terminal.progress(Text("évaluation", "evaluation")):
        found = evaluating.evaluate(source, reference, run=run, by=listed(by), memory_gb=memory)
    if json:
        terminal.emit(found.as_dict())
    else:
        pair_console.evaluated(terminal.out(), found, terminal.session().lang)


@app.command()
def simulate(
    store: StoreOption,
    rows: Annotated[
        float, typer.Option("--rows", help="Lignes notification × médicament × événement / rows.")
    ] = 1e6,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Graine / seed.")] = 39,
    json: JsonOption = False,
) -> None:
    """Une base inventée où des signaux sont plantés. / A made-up base with planted signals (synthetic)."""
    from lab39.solutions.signals import pair_console
    from lab39.solutions.signals.simulate import simulate

    with terminal.progress(Text("simulation", "simulation")):
        made = simulate(store, rows=rows, seed=seed)
    told = {"store": str(store), "truth": str(store / "truth.csv"), "known": str(store / "known.csv"), "made": made}
    if json:
        terminal.emit({**made, **{name: told[name] for name in ("store", "truth")}, "known_file": told["known"]})
    else:
        pair_console.simulated(terminal.out(), told, terminal.session().lang)


@app.command()
def report(
    case: Annotated[
        Path, typer.Argument(metavar="CASE", help="Cas en FHIR, CSV ou E2B / a case in FHIR, CSV or E2B.")
    ],
    to: Annotated[Literal["e2b", "fhir"], typer.Option("--to", help="Forme / form.")],
    number: Annotated[
        str,
        typer.Option("--case", metavar="ID", help="Lequel, s'il y en a plusieurs / which one.", show_default=False),
    ] = "",
    sender: Annotated[
        str, typer.Option("--sender", metavar="ID", help="Expéditeur (N.1.3) / sender.", show_default=False)
    ] = "",
    receiver: Annotated[
        str, typer.Option("--receiver", metavar="ID", help="Destinataire (N.1.4) / receiver.", show_default=False)
    ] = "",
    organization: Annotated[
        str, typer.Option("--organization", help="Organisme (C.3.2) / organisation.", show_default=False)
    ] = "",
    language: Annotated[
        str,
        typer.Option(
            "--language",
            metavar="fra",
            help="Langue des mots du notificateur / of the reporter.",
            show_default=False,
        ),
    ] = "",
    validate_with: Annotated[
        Path | None,
        typer.Option(
            "--validate-with",
            metavar="DIR",
            help="Valider avec les schémas de l'ICH de ce dossier / check with ICH's schemas.",
            show_default=False,
        ),
    ] = None,
    columns: ColumnsOption = None,
    out: OutOption = None,
    json: JsonOption = False,
) -> None:
    """Écrit un cas en E2B(R3) ou en FHIR, et dit ce qui manque. / Write a case as E2B(R3) or FHIR."""
    from lab39.solutions.signals import reporting
    from lab39.solutions.signals.options import pairs_of
    from lab39.solutions.signals.readers.tabular import names

    found = reporting.read(case, number, pairs_of(columns, tuple(names()["names"])))
    made = reporting.write(
        found,
        to,
        sender=sender,
        receiver=receiver,
        organization=organization,
        at=reporting.now(),
        language=language,
    )
    checked = reporting.checked(made, to, validate_with) if validate_with else None
    if out is not None:
        with terminal.writing(out) as path:
            path.write_text(made.content, "utf-8")
    if json:
        terminal.emit(
            {
                "case": made.case,
                "form": to,
                "out": str(out) if out else None,
                "missing": made.missing,
                "schema": checked and reporting.told_by_schema(checked),
                "content": None if out else made.content,
            }
        )
    elif out is None:
        typer.echo(made.content, nl=False)
    else:
        terminal.say(Text(f"cas {made.case} écrit dans {out}", f"case {made.case} written to {out}"))
    for each in made.missing:
        terminal.say(Text(f"manque\u202f: {each.fr}", f"missing: {each.en}"))
    if checked is not None:
        for line in reporting.by_schema(checked):
            terminal.say(line)
        if checked.faults:
            raise typer.Exit(1)


def run_of(named: str) -> Run:
    """A run by its folder, or an installed version of the pack by its name.

    Raises:
        UnknownNameError: neither; the installed versions are told.
        InputError: a folder that is no run.
    """
    from lab39.solutions.signals import runs

    if Path(named).is_dir():
        return runs.read(Path(named))
    packs = terminal.lab("signals").packs
    for pack in packs.installed(runs.PACK):
        if pack.version == named:
            return runs.of_pack(pack)
    there = ", ".join(pack.version for pack in packs.installed(runs.PACK)) or "–"
    raise UnknownNameError(
        Text(
            f"ni un dossier, ni une analyse du laboratoire (présentes\u202f: {there})",
            f"neither a folder nor a run of the lab (at hand: {there})",
        ),
        named[:80],
    )


def _fields(value: object) -> dict[str, object]:
    from dataclasses import fields, is_dataclass

    if not is_dataclass(value):
        raise InputError(Text.same("not a dataclass"))
    return {each.name: getattr(value, each.name) for each in fields(value)}
