"""``lab39 raredisease``: rank by signs, explain one disease, find a sign by words, evaluate on published cases."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from lab39 import terminal
from lab39.core.errors import InputError, UnknownNameError
from lab39.core.text import Text
from lab39.solutions.raredisease.model import Candidates, Query
from lab39.terminal import JsonOption

if TYPE_CHECKING:
    from lab39.core.datapacks import Packs
    from lab39.solutions.raredisease.index import Index
    from lab39.solutions.raredisease.labels import Labels
    from lab39.solutions.raredisease.terms import Resolved

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)

HpoOption = Annotated[
    list[str] | None,
    typer.Option("--hpo", metavar="HP:…,HP:…", help="Signes présents / signs present.", show_default=False),
]
ExcludedOption = Annotated[
    list[str] | None,
    typer.Option("--excluded", metavar="HP:…", help="Signes absents / signs absent.", show_default=False),
]
PacketOption = Annotated[
    Path | None,
    typer.Option(
        "--phenopacket",
        metavar="FILE",
        help="Phenopacket v2 ou Bundle FHIR R4 / or FHIR R4 Bundle.",
        show_default=False,
    ),
]
CandidatesOption = Annotated[str, typer.Option(metavar="OMIM|ORPHA|all", help="Maladies en lice / candidates.")]


@app.command()
def rank(
    hpo: HpoOption = None,
    excluded: ExcludedOption = None,
    phenopacket: PacketOption = None,
    top: Annotated[int, typer.Option(min=1, max=1000, help="Nombre de maladies / how many.")] = 10,
    candidates: CandidatesOption = "OMIM",
    explain: Annotated[
        bool, typer.Option("--explain", help="Le poids de chaque signe / each sign's weight.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Classe les maladies d'après les signes. / Rank diseases by signs."""
    query = _query(hpo, excluded, phenopacket)
    group = _candidates(candidates)
    packs = terminal.lab("raredisease").packs
    index = _index(packs)
    _usable(index, query, strict=phenopacket is None)
    from lab39.solutions.raredisease import questions, ranking
    from lab39.solutions.raredisease.findings import standing

    found = ranking.rank(index, query, top=top, candidates=group)
    # The value of a question is that for a differential of ten, however many are shown.
    ten = found if top == 10 else ranking.rank(index, query, candidates=group)
    asked = questions.next_signs(index, query, ten, candidates=group)
    if json:
        terminal.emit({**found.as_dict(), "standing": standing(found), "questions": asked})
        return
    from lab39.solutions.raredisease import console

    labels = _labels(packs)
    console.differential(terminal.out(), found, asked, labels, group, terminal.session().lang, why=explain)


@app.command()
def explain(
    disease: Annotated[str, typer.Argument(metavar="OMIM:…|ORPHA:…")],
    hpo: HpoOption = None,
    excluded: ExcludedOption = None,
    phenopacket: PacketOption = None,
    candidates: Annotated[
        str | None,
        typer.Option(metavar="OMIM|ORPHA|all", help="Maladies en lice / candidates.", show_default=False),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Explique une maladie : pour, contre, signes attendus. / Explain one disease."""
    query = _query(hpo, excluded, phenopacket)
    packs = terminal.lab("raredisease").packs
    index = _index(packs)
    _usable(index, query, strict=phenopacket is None)
    from lab39.solutions.raredisease import explanation

    group = _candidates(candidates) if candidates else None
    name = disease.strip().upper().replace("ORPHANET:", "ORPHA:")
    found = explanation.explain(index, query, name, candidates=group)
    if json:
        terminal.emit(found.as_dict())
        return
    from lab39.solutions.raredisease import console

    console.explanation(terminal.out(), found, _labels(packs), terminal.session().lang)


@app.command()
def signs(
    words: Annotated[list[str], typer.Argument(metavar="MOTS / WORDS")],
    top: Annotated[int, typer.Option(min=1, max=100, help="Nombre de signes / how many.")] = 10,
    json: JsonOption = False,
) -> None:
    """Cherche un signe HPO par ses mots, en français ou en anglais. / Find an HPO sign by words."""
    packs = terminal.lab("raredisease").packs
    index = _index(packs)
    from lab39.solutions.raredisease.search import search

    labels = _labels(packs, quiet=json)
    found = search(index, " ".join(words), labels, top=top)
    if json:
        terminal.emit({"n": len(found), "signs": found})
        return
    from lab39.solutions.raredisease import console

    console.matches(terminal.out(), found, terminal.session().lang)


@app.command()
def evaluate(
    cases: Annotated[Path, typer.Argument(metavar="CASES.jsonl")],
    regime: Annotated[str, typer.Option(metavar="as-is|own-paper-subtracted|never-cited")] = "as-is",
    candidates: CandidatesOption = "OMIM",
    json: JsonOption = False,
) -> None:
    """Mesure le classement sur des cas publiés. / Measure the ranking on published cases."""
    group = _candidates(candidates)
    from lab39.solutions.raredisease.evaluate import REGIMES, read_cases
    from lab39.solutions.raredisease.evaluate import evaluate as run

    if regime not in REGIMES:
        raise _not_one_of("--regime", regime, REGIMES)
    read = read_cases(cases)
    index = _index(terminal.lab("raredisease").packs)
    with terminal.progress(Text("évaluation", "evaluation")) as progress:
        found = run(index, read, regime=regime, candidates=group, progress=progress)
    if json:
        terminal.emit(found.as_dict())
        return
    from lab39.solutions.raredisease import console

    console.evaluation(terminal.out(), found.as_dict(), terminal.session().lang)


def _index(packs: Packs) -> Index:
    from lab39.solutions.raredisease import sources

    with terminal.progress(Text("index des maladies", "index of diseases")) as progress:
        return sources.open_index(packs, lambda fraction: progress("", fraction))


def _labels(packs: Packs, *, quiet: bool = False) -> Labels:
    from lab39.solutions.raredisease import sources
    from lab39.solutions.raredisease.labels import NO_FRENCH

    found = sources.open_labels(packs)
    if not found and not quiet and terminal.session().lang == "fr":
        terminal.say(NO_FRENCH)
    return found


def _query(hpo: list[str] | None, excluded: list[str] | None, phenopacket: Path | None) -> Query:
    if phenopacket is not None and (hpo or excluded):
        raise InputError(
            Text("--phenopacket ou --hpo, pas les deux", "--phenopacket or --hpo, not both"), "--phenopacket"
        )
    if phenopacket is not None:
        from lab39 import fhir
        from lab39.solutions.raredisease.findings import query_of

        return query_of(fhir.load(phenopacket, terminal.session().settings))
    query = Query(_listed(hpo), _listed(excluded))
    if not query.observed:
        raise InputError(
            Text(
                "aucun signe présent. Donner --hpo HP:0001166,HP:0001083 ou --phenopacket FICHIER (chercher un "
                "terme\u202f: lab39 raredisease signs MOTS)",
                "no sign present. Give --hpo HP:0001166,HP:0001083 or --phenopacket FILE (find a term: "
                "lab39 raredisease signs WORDS)",
            )
        )
    return query


def _listed(values: list[str] | None) -> tuple[str, ...]:
    return tuple(term.upper() for value in values or () for term in re.split(r"[,;\s]+", value) if term)


def _usable(index: Index, query: Query, *, strict: bool) -> None:
    """Refuse a query in which nothing can be used, or one typed with a term that does not exist.

    A term of a file that cannot be used is told beside the result; a typed one is a slip to correct.
    """
    from lab39.solutions.raredisease.explanation import no_sign
    from lab39.solutions.raredisease.terms import resolve

    resolved: Resolved = resolve(index, query)
    slips = [i for i in resolved.ignored if strict and i.code in ("malformed", "unknown")]
    if slips:
        fr = "\u202f; ".join(i.text.fr for i in slips)
        en = "; ".join(i.text.en for i in slips)
        raise UnknownNameError(
            Text(
                f"{fr}. Chercher un terme\u202f: lab39 raredisease signs MOTS",
                f"{en}. Find a term: lab39 raredisease signs WORDS",
            ),
            "--hpo, --excluded",
        )
    if not resolved.observed:
        raise InputError(no_sign(resolved))


def _candidates(name: str) -> Candidates:
    known = {each.casefold(): each for each in get_args(Candidates)}
    if name.casefold() not in known:
        raise _not_one_of("--candidates", name, tuple(known.values()))
    return cast(Candidates, known[name.casefold()])


def _not_one_of(option: str, given: str, names: tuple[str, ...]) -> UnknownNameError:
    known = ", ".join(names)
    return UnknownNameError(
        Text(
            f"«\u202f{given[:40]}\u202f» inconnu. Connus\u202f: {known}", f"“{given[:40]}” unknown. Known: {known}"
        ),
        option,
    )
