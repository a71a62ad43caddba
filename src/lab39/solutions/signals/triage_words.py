"""The words of a rank: what each criterion found for a pair, in French and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lab39.core.text import NO_TEXT, Lang, Text, number, percent
from lab39.solutions.signals.components import QUARTERS
from lab39.solutions.signals.figures import figure, many
from lab39.solutions.signals.telling import awaited
from lab39.solutions.signals.thresholds import triage_facts

Row = Mapping[str, Any]


def sentences(row: Row) -> tuple[Text, ...]:
    """The rank, then a sentence for each criterion, then what is shown beside.

    Args:
        row: a row of the table of :func:`~lab39.solutions.signals.triage.triaged`.
    """
    from lab39.solutions.signals.triage import CRITERIA, criteria

    values = {
        name: np.array([np.nan if row[name] is None else float(row[name])])
        for name in ("countries", "informative", "narratives", "recent")
    }
    known = None if row["known"] is None else np.array([bool(row["known"])])
    low = row["ic025"] if row.get("ic025_adjusted") is None else row["ic025_adjusted"]
    met, told = criteria(np.array([float(low)]), np.array([float(row["n"])]), values, known)
    made = [_rank(row)]
    for name in CRITERIA:
        say = _NOT_TOLD[name] if not told[name][0] else _SAY[name](row)
        mark = (
            Text("sans réponse", "not told")
            if not told[name][0]
            else Text("rempli", "met")
            if met[name][0]
            else Text("non rempli", "not met")
        )
        made.append(Text(f"{say.fr} ({mark.fr}).", f"{say.en} ({mark.en})."))
    made.extend(_beside(row))
    return tuple(made)


def _rank(row: Row) -> Text:
    met, told = row["criteria_met"], row["criteria_told"]
    place = {lang: number(row["triage_rank"], lang) for lang in ("fr", "en")}
    return Text(
        f"Rang {place['fr']}\u202f: {many(met, 'critère rempli', 'critères remplis', 'fr')} sur {told} qui ont "
        f"une réponse\u202f; à égalité, l'IC025 départage.",
        f"Rank {place['en']}: {many(met, 'criterion', 'criteria', 'en')} met out of {told} that can be told; ties "
        f"are broken by IC025.",
    )


def _reports(count: float) -> Text:
    return Text(many(count, "notification", "notifications", "fr"), many(count, "report", "reports", "en"))


def _decimal(value: float, lang: Lang) -> str:
    return figure(float(value), lang)


def _disproportionate(row: Row) -> Text:
    n = _reports(row["n"])
    crude = awaited(row["expected"])
    if row.get("ic025_adjusted") is not None:
        low, expected = row["ic025_adjusted"], awaited(row["expected_adjusted"])
        return Text(
            f"{n.fr} pour {expected.fr} attendues compte tenu des autres médicaments, de l'âge, du "
            f"sexe et de l'année ({crude.fr} sans en tenir compte)\u202f; borne basse de "
            f"l'IC (IC025) {_decimal(low, 'fr')}, attendue au-dessus de 0",
            f"{n.en} for {expected.en} expected given the other drugs, age, sex and year "
            f"({crude.en} without); lower end of the IC (IC025) {_decimal(low, 'en')}, to "
            f"be above 0",
        )
    low = row["ic025"]
    return Text(
        f"{n.fr} pour {crude.fr} attendues\u202f; borne basse de l'IC (IC025) "
        f"{_decimal(low, 'fr')}, attendue au-dessus de 0",
        f"{n.en} for {crude.en} expected; lower end of the IC (IC025) {_decimal(low, 'en')}, to be above 0",
    )


def _few(row: Row) -> Text:
    rule = triage_facts()["criteria"]["few"]
    n = _reports(row["n"])
    least, most = rule["reports_least"], rule["reports_most"]
    return Text(
        f"{n.fr}\u202f; un signal encore inconnu en a de {least} à {most}",
        f"{n.en}; a signal that is still unknown has {least} to {most}",
    )


def _countries(row: Row) -> Text:
    least = triage_facts()["criteria"]["countries"]["countries_least"]
    return Text(
        f"Notifications de {number(row['countries'], 'fr')} pays, au moins {least} attendus",
        f"Reports from {many(row['countries'], 'country', 'countries', 'en')}, at least {least} wanted",
    )


def _informative(row: Row) -> Text:
    mean = row["completeness"]
    least = triage_facts()["criteria"]["informative"]["completeness_least"]
    return Text(
        f"{many(row['informative'], 'notification bien documentée', 'notifications bien documentées', 'fr')} "
        f"(complétude vigiGrade d'au moins {_decimal(least, 'fr')})\u202f; "
        f"complétude moyenne {_decimal(mean, 'fr')}",
        f"{many(row['informative'], 'well documented report', 'well documented reports', 'en')} "
        f"(vigiGrade completeness of at least {_decimal(least, 'en')}); mean completeness {_decimal(mean, 'en')}",
    )


def _narrative(row: Row) -> Text:
    n = _reports(row["narratives"])
    return Text(f"{n.fr} avec un récit", f"{n.en} with a narrative")


def _recent(row: Row) -> Text:
    """The last quarters and as many before; of each window, how many the store holds when it is not all."""
    n, quarters = _reports(row["recent"]), triage_facts()["criteria"]["recent"]["quarters"]
    held, held_before = (row.get(name) for name in QUARTERS)
    last, before = _held(held, quarters), _held(held_before, quarters)
    begin = Text(
        f"{n.fr} dans les {quarters} derniers trimestres de la base{last.fr}",
        f"{n.en} in the last {quarters} quarters of the store{last.en}",
    )
    if row["previous"] is None:
        return Text(
            f"{begin.fr}\u202f; rien à quoi comparer, la base n'a aucun des {quarters} trimestres d'avant",
            f"{begin.en}; nothing to compare with, the store has none of the {quarters} quarters before",
        )
    return Text(
        f"{begin.fr}, {number(row['previous'], 'fr')} dans les {quarters} d'avant{before.fr}",
        f"{begin.en}, {number(row['previous'], 'en')} in the {quarters} before{before.en}",
    )


def _held(held: int | None, quarters: int) -> Text:
    """How many quarters of a window are there, when some are not."""
    if held is None or held >= quarters:
        return NO_TEXT
    return Text(f" (elle en a {held})", f" (it has {held} of them)")


def _novel(row: Row) -> Text:
    if row["known"]:
        return Text("Réaction de la liste des réactions connues", "On the list of known reactions")
    return Text("Absente de la liste des réactions connues", "Not on the list of known reactions")


def _beside(row: Row) -> list[Text]:
    """What is shown and does not count: gravity, EB05, first quarter."""
    made = []
    if row["serious_told"]:
        share = row["serious"] / row["serious_told"]
        told = _reports(row["serious_told"])
        made.append(
            Text(
                f"Graves\u202f: {percent(share, 'fr', digits=0)} de {told.fr} qui le disent (ne compte pas dans le "
                f"rang).",
                f"Serious: {percent(share, 'en', digits=0)} of {told.en} that say so (not counted in the rank).",
            )
        )
    if row.get("eb05") is not None:
        made.append(
            Text(
                f"EB05\u202f: {_decimal(row['eb05'], 'fr')} (ne compte pas dans le rang).",
                f"EB05: {_decimal(row['eb05'], 'en')} (not counted in the rank).",
            )
        )
    if row["first_quarter"] is not None:
        made.append(
            Text(
                f"Première notification du couple dans la base\u202f: {row['first_quarter']}.",
                f"First report of the pair in the store: {row['first_quarter']}.",
            )
        )
    return made


_SAY = {
    "disproportionate": _disproportionate,
    "few": _few,
    "countries": _countries,
    "informative": _informative,
    "narrative": _narrative,
    "recent": _recent,
    "novel": _novel,
}
_NOT_TOLD = {
    "disproportionate": Text("Disproportion inconnue", "Disproportion unknown"),
    "few": Text("Effectif inconnu", "Count unknown"),
    "countries": Text("Les notifications ne disent pas leur pays", "The reports do not say their country"),
    "informative": Text(
        "Rien dans la base ne permet d'évaluer la complétude", "Nothing in the store lets completeness be assessed"
    ),
    "narrative": Text("La source ne donne pas de récit", "The source gives no narrative"),
    "recent": Text("Les notifications ne sont pas datées", "The reports have no date"),
    "novel": Text("Aucune liste de réactions connues n'a été donnée", "No list of known reactions was given"),
}
