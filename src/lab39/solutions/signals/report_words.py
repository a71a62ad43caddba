"""What the reports of a pair tell, in sentences: onset, seriousness, who, cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lab39.core.text import Lang, Text, number
from lab39.solutions.signals.figures import figure
from lab39.solutions.signals.pair_reports import Told

SHOWN = 6

_CRITERIA = {
    "death": Text("décès", "death"),
    "life_threatening": Text("pronostic vital engagé", "life-threatening"),
    "hospitalisation": Text("hospitalisation", "hospitalisation"),
    "disability": Text("incapacité", "disability"),
    "congenital_anomaly": Text("anomalie congénitale", "congenital anomaly"),
    "intervention": Text("intervention nécessaire", "required intervention"),
    "other_serious": Text("autre critère médical", "other medical criterion"),
}
_REPORTERS = {
    "physician": Text("médecin", "physician"),
    "pharmacist": Text("pharmacien", "pharmacist"),
    "health-professional": Text("autre professionnel de santé", "other health professional"),
    "lawyer": Text("juriste", "lawyer"),
    "consumer": Text("personne elle-même ou proche", "consumer"),
}
_SEXES = {"F": Text("femmes", "women"), "M": Text("hommes", "men")}
_HAZARD = {
    "early": Text("plutôt tôt après le début (forme sous 1)", "rather early after the start (shape below 1)"),
    "any-time": Text("sans moment privilégié (forme compatible avec 1)", "at any time (shape compatible with 1)"),
    "late": Text("plutôt tard (forme au-dessus de 1)", "rather late (shape above 1)"),
}


def onset(told: Told) -> tuple[Text, ...]:
    """Sentences of a section."""
    made = []
    if (found := told.onset) is not None:
        made.append(
            both(
                f"médiane {{0}} jours ({{1}} notifications)\u202f; forme de Weibull {{2}} ({{3}} à {{4}})\u202f: "
                f"{_HAZARD[found.hazard].fr}",
                "median {0} days ({1} reports); Weibull shape {2} ({3} to {4}): " + _HAZARD[found.hazard].en,
                lambda lang: (
                    figure(found.median_days, lang), number(found.n, lang), figure(found.shape, lang),
                    figure(found.shape_low, lang), figure(found.shape_high, lang),
                ),
            )
        )  # fmt: skip
    elif told.why_no_onset is not None:
        made.append(told.why_no_onset)
    made.append(
        both(
            "{0} notifications sur {1} disent les deux jours en entier",
            "{0} reports out of {1} tell both days in full",
            lambda lang: (number(told.onset_told, lang), number(told.n, lang)),
        )
    )
    if told.onset_before:
        made.append(
            both(
                "{0} disent un événement d'avant le médicament, non comptées",
                "{0} tell an event from before the drug, not counted",
                lambda lang: (number(told.onset_before, lang),),
            )
        )
    return tuple(made)


def serious(told: Told) -> tuple[Text, ...]:
    """Sentences of a section."""
    yes, no, silent = (told.serious[name] for name in ("yes", "no", "not told"))
    made = [
        both(
            "graves\u202f: {0}, non graves\u202f: {1}, non dit\u202f: {2}",
            "serious: {0}, not serious: {1}, not told: {2}",
            lambda lang: (number(yes, lang), number(no, lang), number(silent, lang)),
        )
    ]
    if told.criteria:
        made.append(
            both("{0}", "{0}", lambda lang: (_listed(told.criteria, _CRITERIA, lang),))  # each as its own count
        )
    return tuple(made)


def who(told: Told) -> tuple[Text, ...]:
    """Sentences of a section."""
    made = []
    for title, found, words, absent in (
        (Text("pays", "countries"), told.countries, {}, "country"),
        (Text("sexe", "sex"), told.sexes, _SEXES, "sex"),
        (Text("notificateurs", "reporters"), told.reporters, _REPORTERS, "reporter"),
    ):
        lost = told.not_told[absent]
        made.append(
            both(
                f"{title.fr}\u202f: {{0}}",
                f"{title.en}: {{0}}",
                lambda lang, found=found, words=words, lost=lost: (  # type: ignore[misc]
                    ", ".join(
                        each
                        for each in (
                            _listed(found, words, lang),
                            {"fr": f"non dit {number(lost, lang)}", "en": f"not told {number(lost, lang)}"}[lang]
                            if lost
                            else "",
                        )
                        if each
                    ),
                ),
            )
        )
    if (ages := told.ages) is not None:
        made.append(
            both(
                "âge\u202f: {0} ans (de {1} à {2}), non dit {3}",
                "age: {0} years ({1} to {2}), not told {3}",
                lambda lang: (
                    *(number(round(ages[at]), lang) for at in (1, 0, 2)),
                    number(told.not_told["age"], lang),
                ),
            )
        )
    return tuple(made)


def cases(told: Told) -> tuple[Text, ...]:
    """Sentences of a section."""
    shown = ", ".join(str(each["report_id"]) for each in told.cases)
    left = told.n - len(told.cases)
    return (
        both(
            "{1}" + (", et {0} autres" if left else ""),
            "{1}" + (", and {0} more" if left else ""),
            lambda lang: (number(left, lang), shown),
        ),
    )


def _listed(found: Mapping[str, int], words: Mapping[str, Text], lang: Lang) -> str:
    some = list(found.items())[:SHOWN]
    made = [f"{words[name][lang] if name in words else name} {number(n, lang)}" for name, n in some]
    if len(found) > SHOWN:
        made.append("…")
    return ", ".join(made)


def both(fr: str, en: str, values: Callable[[Lang], tuple[Any, ...]]) -> Text:
    """Both languages filled with values written for each."""
    return Text(fr.format(*values("fr")), en.format(*values("en")))
