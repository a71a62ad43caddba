"""The one sentence of a card: who, how gravely, what to do; short enough for a card of CDS Hooks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lab39.core.finding import SUMMARY_MAX
from lab39.core.text import NO_TEXT, Lang, Text
from lab39.solutions.pharmacy.cards import Card, names
from lab39.solutions.pharmacy.model import Interaction, Level, Need
from lab39.solutions.pharmacy.problems import problem_of

LEVELS = {
    Level.CI: Text("contre-indication", "contraindication"),
    Level.AD: Text("association déconseillée", "advised against"),
    Level.PE: Text("précaution d'emploi", "precaution for use"),
    Level.APEC: Text("à prendre en compte", "to be taken into account"),
}
_IN_THE_TEXT = ("reading", "uncovered")
"""Needs that nobody can fill in: the text itself must be read."""


def summary(card: Card, word: Callable[[Need], Text]) -> Text:
    """What to do about a card.

    Args:
        word: a need in words.
    """
    first = card.gravest
    named = [p for p in card.problems if p.risk]
    risk = Text(", ".join(p.risk.fr for p in named), ", ".join(p.risk.en for p in named))
    in_brackets = Text(f" ({risk.fr})", f" ({risk.en})") if risk else NO_TEXT
    watch = card.problem.watch
    if not first.resolved:
        asked = next((need for need in first.needs if need.token not in _IN_THE_TEXT), None)
        maybe = {
            Level.CI: Text("peut-être contre-indiqué", "possibly contraindicated"),
            Level.AD: Text("peut-être déconseillé", "possibly advised against"),
        }.get(first.level, Text("précaution possible", "possibly a precaution"))
        ask = Text("vérifier le niveau dans le thésaurus", "look the level up in the thesaurus")
        if asked is not None:
            what = word(asked)
            ask = Text(f"préciser\u202f: {what.fr}", f"tell: {what.en}")
        says = Text(f"{maybe.fr}{in_brackets.fr}, {ask.fr}", f"{maybe.en}{in_brackets.en}, {ask.en}")
    elif first.level is Level.CI:
        says = Text(
            f"contre-indiqué{in_brackets.fr}. Ne pas délivrer ensemble, joindre le prescripteur",
            f"contraindicated{in_brackets.en}. Do not dispense together, reach the prescriber",
        )
    elif first.level is Level.AD:
        says = Text(
            f"association déconseillée{in_brackets.fr}. Chercher une autre solution avec le prescripteur",
            f"advised against{in_brackets.en}. Look for another solution with the prescriber",
        )
    elif watch:
        level = LEVELS[first.level] if first.level is Level.PE else Text("à surveiller", "to be watched")
        says = Text(
            f"{level.fr}{in_brackets.fr}. {capital(watch.fr)}", f"{level.en}{in_brackets.en}. {capital(watch.en)}"
        )
    else:
        says = Text(
            "précaution d'emploi, suivre la conduite indiquée",
            "precaution for use, follow the conduct printed (in French)",
        )
    return Text(
        _sentence(card.headline, says.fr, "fr"),
        _sentence(card.headline, says.en, "en"),
    )


def _sentence(interactions: Sequence[Interaction], says: str, lang: Lang) -> str:
    """Names and what to do, cut to fit a card; what to do is never cut before the names are."""
    colon = "\u202f: " if lang == "fr" else ": "
    for most, width in ((4, 40), (3, 40), (2, 40), (2, 28), (2, 20), (1, 20)):
        text = f"{_who(interactions, lang, most, width)}{colon}{says}"
        if len(text) < SUMMARY_MAX:
            return text
    return short(text, SUMMARY_MAX - 1)


def _who(interactions: Sequence[Interaction], lang: Lang, most: int, width: int) -> str:
    """``Ibuprofène avec apixaban et sertraline``: one that meets all others stands before them."""
    everyone = names(interactions)
    hub = everyone[0] if all(everyone[0] in (i.a.name, i.b.name) for i in interactions) else ""
    others = [name for name in everyone if name != hub]
    shown = [short(name, width) for name in others[:most]]
    left = len(others) - len(shown)
    if left:
        shown.append(f"{left} autres" if lang == "fr" else f"{left} more")
    joined = _joined(shown, lang)
    if hub:
        joined = f"{short(hub, width)} {'avec' if lang == 'fr' else 'with'} {joined}"
    return capital(joined)


def _joined(words: Sequence[str], lang: Lang) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {'et' if lang == 'fr' else 'and'} {words[-1]}"


def to_know(card: Card) -> Text:
    """How many combinations are only to be known, and what they may do."""
    risks = list(dict.fromkeys(p.risk for i in card.interactions if (p := problem_of(i.rule.mechanism)).risk))
    n = len(card.interactions)
    head = Text(
        f"{n} association{'s' if n > 1 else ''} à garder en tête",
        f"{n} combination{'s' if n > 1 else ''} to keep in mind",
    )
    said = []
    for lang in ("fr", "en"):
        text, colon = head[lang], "\u202f: " if lang == "fr" else ": "
        for i in range(len(risks), 0, -1):
            more = "…" if i < len(risks) else ""
            longer = f"{head[lang]}{colon}{' ; '.join(r[lang] for r in risks[:i]).replace(' ;', ';')}{more}"
            if len(longer) < SUMMARY_MAX:
                text = longer.replace(";", "\u202f;") if lang == "fr" else longer
                break
        said.append(short(text, SUMMARY_MAX - 1))
    return Text(*said)


def short(text: str, most: int) -> str:
    """At most so many characters, cut at a word."""
    plain = " ".join(text.split())
    if len(plain) <= most:
        return plain
    cut = plain[: most - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut[most // 2 :] else cut).rstrip(" ,;:.") + "…"


def capital(text: str) -> str:
    """With a capital; the rest as written."""
    return text[:1].upper() + text[1:]
