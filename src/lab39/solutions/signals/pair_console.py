"""A pair, what moved, an evaluation, a made-up base, on a terminal (Rich)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from lab39.core.text import Lang, Text, number
from lab39.solutions.signals.console import heads, line
from lab39.solutions.signals.evaluating import Evaluated
from lab39.solutions.signals.evaluation import RAW_COUNT
from lab39.solutions.signals.explaining import Explained
from lab39.solutions.signals.figures import counted, figure
from lab39.solutions.signals.moved import Moved
from lab39.solutions.signals.runs import Run
from lab39.solutions.signals.told import SYNTHETIC

_WHAT = {
    "new": Text("nouveau", "new"),
    "risen": Text("monté au-dessus du seuil", "risen above the threshold"),
    "fallen": Text("redescendu sous le seuil", "fallen below the threshold"),
}
_TRUE = (Text("vrai", "true"), Text("vrais", "true"))
_FALSE = (Text("faux", "false"), Text("faux", "false"))
_MOVES = {
    "new": (Text("nouvelle", "new"), Text("nouvelles", "new")),
    "risen": (Text("montée", "risen"), Text("montées", "risen")),
    "fallen": (Text("redescendue", "fallen"), Text("redescendues", "fallen")),
    "stayed": (Text("restée au-dessus", "stayed above"), Text("restées au-dessus", "stayed above")),
}
_KINDS = {
    "signal": Text("signaux faibles", "weak signals"),
    "masked": Text("signaux masqués", "masked signals"),
    "confounded": Text("leurres\u202f: confusion", "decoys: confounded"),
    "notoriety": Text("leurres\u202f: vague de notoriété", "decoys: wave of notoriety"),
    "duplicates": Text("leurres\u202f: doublons", "decoys: duplicates"),
}


def explained(console: Console, found: Explained, lang: Lang) -> None:
    """Titled sentences."""
    line(console, f"{found.pair.drug} × {found.pair.event}", style="bold")
    if found.run:
        what = {"fr": "analyse", "en": "run"}[lang]
        line(console, f"{what} {found.run}")
    if found.synthetic:
        line(console, SYNTHETIC[lang])
    for section in found.sections:
        line(console, "")
        line(console, section.title[lang], style="bold")
        for each in section.lines:
            line(console, f"  {each[lang]}")


def moved(console: Console, found: Moved, before: Run, after: Run, top: int, lang: Lang) -> None:
    """The moves, the largest first."""
    label = found.score.upper()
    if before.synthetic or after.synthetic:
        line(console, SYNTHETIC[lang])
    table = heads((Text("Médicament", "Drug"), Text("Événement", "Event"), Text("Quoi", "What")), lang)
    for name in (before.name, after.name):
        table.add_column(f"{Text('Cas', 'Reports')[lang]} {name}", justify="right")
        table.add_column(f"{label} {name}", justify="right")
    for each in found.moves[:top]:
        table.add_row(
            each.drug,
            each.event,
            _WHAT[each.what][lang],
            number(each.n_before, lang),
            figure(each.before, lang),
            number(each.n_after, lang),
            figure(each.after, lang),
        )
    console.print(table)
    counts = {what: sum(each.what == what for each in found.moves) for what in _WHAT} | {
        "stayed": found.stayed_above
    }
    each_of = [counted(n, _MOVES[what]) for what, n in counts.items()]
    how_many = Text(", ".join(each.fr for each in each_of), ", ".join(each.en for each in each_of))
    line(
        console,
        Text(
            f"De {before.name} à {after.name}, seuil {label} {figure(found.threshold, 'fr')}\u202f: {how_many.fr}",
            f"From {before.name} to {after.name}, threshold {label} {figure(found.threshold, 'en')}: {how_many.en}",
        )[lang],
    )
    for how in found.differs:
        line(
            console,
            Text(f"Les deux analyses n'ont pas compté de même. {how.fr}", f"Not counted alike. {how.en}")[lang],
        )


def evaluated(console: Console, found: Evaluated, lang: Lang) -> None:
    """AUC of each score in each group, the raw count first."""
    result = found.evaluation
    if found.synthetic:
        line(console, SYNTHETIC[lang])
    for group in result.groups:
        name = {"fr": "tous les couples", "en": "all pairs"}[lang] if group.name == "all" else group.name
        line(
            console,
            Text(
                f"{name}\u202f: {counted(group.positives, _TRUE).fr}, {counted(group.negatives, _FALSE).fr}",
                f"{name}: {group.positives} true, {group.negatives} false",
            )[lang],
            style="bold",
        )
        table = heads((Text("Score", "Score"),), lang)
        for title in (Text("AUC", "AUC"), Text("Intervalle à 95\u202f%", "95% interval")):
            table.add_column(title[lang], justify="right")
        for score, auc in group.auc.items():
            label = {"fr": "nombre de cas, brut", "en": "raw count"}[lang] if score == RAW_COUNT else score
            low, high = (number(each, lang, digits=3) for each in (auc.low, auc.high))
            table.add_row(label, number(auc.value, lang, digits=3), f"{low} – {high}")
        console.print(table)
    line(
        console,
        Text(
            f"{result.scored} couples mesurés sur {result.pairs}, dont {result.without_report} que personne n'a "
            f"notifiés\u202f; {len(result.left_out)} sans médicament ou sans événement dans la base",
            f"{result.scored} pairs measured out of {result.pairs}, {result.without_report} never reported; "
            f"{len(result.left_out)} without the drug or the event in the base",
        )[lang],
    )
    if found.why_no_gps is not None:
        line(console, Text(f"pas d'EBGM\u202f: {found.why_no_gps.fr}", f"no EBGM: {found.why_no_gps.en}")[lang])


def simulated(console: Console, told: Mapping[str, Any], lang: Lang) -> None:
    """What was made up, and where the truth is."""
    made = told["made"]
    line(console, SYNTHETIC[lang])
    line(
        console,
        Text(
            f"{number(made['reports'], 'fr')} notifications inventées dans {told['store']}, graine {made['seed']}",
            f"{number(made['reports'], 'en')} made-up reports in {told['store']}, seed {made['seed']}",
        )[lang],
    )
    for kind, many in made["planted"].items():
        line(console, f"    {number(many, lang)}  {_KINDS[kind][lang] if kind in _KINDS else kind}")
    line(
        console,
        Text(
            f"la vérité est dans {told['truth']}, les réactions connues dans {told['known']}",
            f"the truth is in {told['truth']}, the known reactions in {told['known']}",
        )[lang],
    )
