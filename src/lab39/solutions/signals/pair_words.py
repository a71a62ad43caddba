"""A pair in words: titled sections of sentences, in French and English, for a terminal or a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab39.core.text import Lang, Text, number, percent
from lab39.solutions.signals import report_words
from lab39.solutions.signals.console import strata_words
from lab39.solutions.signals.figures import figure
from lab39.solutions.signals.pair import Along, Masker, Pair, Score, Together
from lab39.solutions.signals.pair_reports import Told
from lab39.solutions.signals.report_words import both
from lab39.solutions.signals.told import NO_PROOF

LANGS: tuple[Lang, Lang] = ("fr", "en")

_MEANS = {
    "PRR": Text(
        "part de l'événement parmi les cas du médicament, rapportée à celle des autres",
        "share of the event among the drug's reports, over that among the others",
    ),
    "ROR": Text("rapport des cotes de notification", "reporting odds ratio"),
    "χ²": Text("écart à l'indépendance, correction de Yates", "distance from independence, Yates's correction"),
    "IC": Text(
        "log2 de l'observé sur l'attendu, rapproché de 0 quand les cas sont peu nombreux",
        "log2 of observed over expected, drawn toward 0 when reports are few",
    ),
    "BCPNN": Text("le même, selon Bate 1998, sans strates", "the same after Bate 1998, without strata"),
    "log LR": Text("rapport de vraisemblance (Huang), sans strates", "likelihood ratio (Huang), without strata"),
    "EBGM": Text(
        "observé sur attendu, rapproché de ce que montrent tous les couples",
        "observed over expected, drawn toward what all pairs show",
    ),
}


@dataclass(frozen=True, slots=True)
class Section:
    """Sentences under a title."""

    title: Text
    lines: tuple[Text, ...]


def sections(
    pair: Pair,
    told: Told | None,
    *,
    gps_absent: Text | None = None,
    triage: tuple[Text, ...] = (),
    moved: tuple[Text, ...] = (),
) -> tuple[Section, ...]:
    """Everything about a pair.

    Args:
        pair: what was counted.
        told: what its reports tell, when there are reports.
        gps_absent: why there is no EBGM.
        triage: why it has its rank in the run.
        moved: what changed since the run before.
    """
    made = [
        Section(Text("Les cas", "The reports"), _table(pair)),
        Section(Text("Les scores", "The scores"), _scores(pair, gps_absent)),
    ]
    if triage:
        made.append(Section(Text("Pourquoi ce rang", "Why this rank"), triage))
    made.append(Section(Text("Masquage", "Masking"), _masking(pair)))
    made.append(Section(Text("Avec d'autres médicaments", "With other drugs"), _together(pair)))
    made.append(Section(Text("Au fil des trimestres", "Quarter by quarter"), _along(pair.along)))
    if told is not None and told.n:
        made.append(Section(Text("Délai de survenue", "Time to onset"), report_words.onset(told)))
        made.append(Section(Text("Gravité", "Seriousness"), report_words.serious(told)))
        made.append(Section(Text("Qui, et d'où", "Who, and where from"), report_words.who(told)))
        made.append(Section(Text("Cas à lire", "Cases to read"), report_words.cases(told)))
    if moved:
        made.append(Section(Text("Depuis l'analyse précédente", "Since the run before"), moved))
    made.append(Section(Text("Ce qu'un score ne dit pas", "What a score does not say"), (NO_PROOF,)))
    return tuple(made)


def _table(pair: Pair) -> tuple[Text, ...]:
    a, drug, event, total = pair.observed, pair.n_drug, pair.n_event, pair.n_total
    neither = max(total - drug - event + a, 0)
    cells = {lang: [number(x, lang) for x in (a, drug - a, event - a, neither)] for lang in LANGS}
    fr, en = cells["fr"], cells["en"]
    made = [
        Text(f"avec le médicament et l'événement\u202f: {fr[0]}", f"with the drug and the event: {en[0]}"),
        Text(f"avec le médicament, sans l'événement\u202f: {fr[1]}", f"with the drug, without the event: {en[1]}"),
        Text(f"avec l'événement, sans le médicament\u202f: {fr[2]}", f"with the event, without the drug: {en[2]}"),
        Text(f"ni l'un ni l'autre\u202f: {fr[3]}", f"with neither: {en[3]}"),
        both(
            "attendu si rien ne les liait\u202f: {0}",
            "expected if nothing linked them: {0}",
            lambda lang: (figure(pair.crude, lang),),
        ),
    ]
    if pair.by:
        made.append(
            both(
                "attendu dans les strates ({1})\u202f: {0}",
                "expected within strata ({1}): {0}",
                lambda lang: (figure(pair.expected, lang), strata_words(pair.by)[lang]),
            )
        )
    if not a:
        made.append(Text("personne n'a notifié ce couple", "nobody reported this pair"))
    return tuple(made)


def _scores(pair: Pair, gps_absent: Text | None) -> tuple[Text, ...]:
    made = [_score(each) for each in pair.scores]
    if pair.by:
        made.append(
            both(
                "IC sans strates {0}, avec {1}",
                "IC without strata {0}, with {1}",
                lambda lang: (_value(pair.crude_ic, lang), _value(_named(pair, "IC"), lang)),
            )
        )
    if gps_absent is not None:
        made.append(Text(f"pas d'EBGM\u202f: {gps_absent.fr}", f"no EBGM: {gps_absent.en}"))
    low = _named(pair, "IC").low or 0.0
    made.append(
        Text("plus notifié qu'attendu (IC025 au-dessus de 0)", "reported more than expected (IC025 above 0)")
        if low > 0
        else Text(
            "pas nettement plus notifié qu'attendu (IC025 à 0 ou dessous)",
            "not clearly reported more than expected (IC025 at or below 0)",
        )
    )
    return tuple(made)


def _score(each: Score) -> Text:
    ends = {"IC": ("IC025", "IC975"), "EBGM": ("EB05", "EB95")}.get(each.name, ("", ""))
    means = _MEANS[each.name]

    def words(lang: Lang) -> str:
        colon = "\u202f:" if lang == "fr" else ":"
        return f"{each.name} {_value(each, lang, ends)}{colon} {means[lang]}"

    return Text(words("fr"), words("en"))


def _value(each: Score, lang: Lang, ends: tuple[str, str] = ("", "")) -> str:
    if each.low is None:
        return figure(each.value, lang)
    low, high = (f"{name} {figure(x, lang)}".strip() for name, x in zip(ends, (each.low, each.high), strict=True))
    word = {"fr": "à", "en": "to"}[lang]
    return f"{figure(each.value, lang)} ({low} {word} {high})"


def _named(pair: Pair, name: str) -> Score:
    return next(each for each in pair.scores if each.name == name)


def _masking(pair: Pair) -> tuple[Text, ...]:
    if not pair.maskers:
        return (
            Text("aucun autre médicament ne masque nettement l'événement", "no other drug clearly masks the event"),
        )
    return tuple(_masker(each, pair.n_event) for each in pair.maskers)


def _masker(each: Masker, n_event: int) -> Text:
    return both(
        "{5} porte {0} des notifications de l'événement (rapport de masquage {1})\u202f; sans "
        "ses notifications\u202f: {2} observés, {3} attendus, IC {4}",
        "{5} has {0} of the event's reports (masking ratio {1}); without its reports: {2} observed, {3} expected, "
        "IC {4}",
        lambda lang: (
            percent(each.event_reports / n_event, lang),
            figure(each.ratio, lang),
            number(each.observed, lang),
            figure(each.expected, lang),
            _value(each.ic, lang, ("IC025", "IC975")),
            each.drug,
        ),
    )


def _together(pair: Pair) -> tuple[Text, ...]:
    if not pair.together:
        return (
            Text(
                "aucun autre médicament n'accompagne l'événement dans deux notifications de celui-ci",
                "no other drug goes with the event in two reports of this one",
            ),
        )
    return tuple(_with(each) for each in pair.together)


def _with(each: Together) -> Text:
    if not each.apart:
        return both(
            "avec {0}\u202f: {1} observés\u202f; {2}\u202f: rien ne dit ce que chacun explique",
            "with {0}: {1} observed; {2}: nothing tells what each explains",
            lambda lang: (each.drug, number(each.observed, lang), _hardly_apart(each.alone, lang)),
        )
    more = Text(", plus que chacun n'explique", ", more than each explains")
    beyond = (each.omega.low or 0.0) > 0
    return both(
        "avec {4}\u202f: {0} observés, {1} attendus sans interaction, Ω {2}{3}",
        "with {4}: {0} observed, {1} expected without interaction, Ω {2}{3}",
        lambda lang: (
            number(each.observed, lang),
            figure(each.expected, lang),
            _value(each.omega, lang, ("Ω025", "Ω975")),
            more[lang] if beyond else "",
            each.drug,
        ),
    )


def _hardly_apart(alone: int, lang: Lang) -> str:
    if not alone:
        return Text("l'un n'est jamais notifié sans l'autre", "one is never reported without the other")[lang]
    times = number(alone, lang)
    return Text(
        f"l'un n'est notifié que {times} fois sans l'autre",
        f"one is reported only {times} time{'s' if alone > 1 else ''} without the other",
    )[lang]


def _along(along: Along | None) -> tuple[Text, ...]:
    if along is None:
        return (Text("la base ne dit aucun trimestre", "the base tells no quarter"),)
    rows = [
        (period, n, e) for period, n, e in zip(along.periods, along.observed, along.expected, strict=True) if n
    ][-8:]
    made = [
        both(
            "trimestres avec des cas (observés / attendus)\u202f: {0}",
            "quarters with reports (observed / expected): {0}",
            lambda lang: (
                ", ".join(f"{period} {number(n, lang)} / {figure(e, lang)}" for period, n, e in rows) or "–",
            ),
        )
    ]
    if along.change is not None and along.changed is not None:
        found = along.change
        made.append(
            both(
                "observé sur attendu change le plus en {3}\u202f: {0} avant, {1} depuis (p = {2}{4})",
                "observed over expected changes most in {3}: {0} before, {1} since (p = {2}{4})",
                lambda lang: (
                    *(figure(x, lang) for x in (found.ratio_before, found.ratio_after, found.p_value)),
                    along.changed,
                    "" if found.p_value < 0.05 else {"fr": ", peut être le hasard", "en": ", may be chance"}[lang],
                ),
            )
        )
    if along.alarm:
        made.append(
            Text(
                f"suivie depuis le début, elle aurait donné l'alerte en {along.alarm} (MaxSPRT, risque 5\u202f%)",
                f"followed from the start, it would have raised the alarm in {along.alarm} (MaxSPRT, risk 5%)",
            )
        )
    elif along.why_no_alarm is None:
        made.append(
            Text(
                "suivi depuis le début, le couple n'aurait pas donné l'alerte (MaxSPRT, risque 5\u202f%)",
                "followed from the start, the pair would not have raised the alarm (MaxSPRT, risk 5%)",
            )
        )
    else:
        made.append(Text(f"MaxSPRT\u202f: {along.why_no_alarm.fr}", f"MaxSPRT: {along.why_no_alarm.en}"))
    return tuple(made)


def moved_words(
    row: Mapping[str, Any] | None, now: Mapping[str, Any] | None, name: str, score: str
) -> tuple[Text, ...]:
    """One sentence on what changed for a pair since a run.

    Args:
        row: of the earlier run, None when the pair was not there.
        now: of the later run, likewise.
        name: of the earlier run.
        score: compared, ``eb05`` or ``ic025``.
    """
    label = score.upper()

    def said(which: Mapping[str, Any] | None, lang: Lang) -> str:
        if which is None:
            return {"fr": "aucun cas", "en": "no report"}[lang]
        cases = {"fr": "cas", "en": "reports"}[lang]
        return f"{number(which['n'], lang)} {cases}, {label} {figure(which[score], lang)}"

    return (
        Text(
            f"en {name}\u202f: {said(row, 'fr')}\u202f; maintenant\u202f: {said(now, 'fr')}",
            f"in {name}: {said(row, 'en')}; now: {said(now, 'en')}",
        ),
    )
