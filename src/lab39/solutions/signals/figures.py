"""Figures as they are shown, on a terminal and on pages: never 0 for what is not, and nouns that agree."""

from __future__ import annotations

import math

from lab39.core.text import Lang, Text, number

LEAST = 0.0001
"""What is closer to 0 is shown as below it."""


def figure(value: float | None, lang: Lang, digits: int = 2) -> str:
    """A score; a dash when there is none.

    Args:
        value: shown with a true minus sign.
        digits: decimals; a value that they would show as 0, or nearly, has two significant digits, down to
            :data:`LEAST`.
    """
    if value is None:
        return "–"
    size = abs(value)
    if digits and 0 < size < LEAST:
        bound = number(LEAST, lang, digits=4)
        return f"< {bound}" if value > 0 else f"> \N{MINUS SIGN}{bound}"
    if digits and 0 < size < 10.0**-digits:
        digits = min(1 - math.floor(math.log10(size)), 4)
    return number(value, lang, digits=digits).replace("-", "\N{MINUS SIGN}")


def many(count: float, one: str, several: str, lang: Lang) -> str:
    """A number with its noun; French counts 0 and 1 in the singular."""
    single = count < 2 if lang == "fr" else count == 1
    return f"{number(int(count), lang)} {one if single else several}"


Noun = tuple[Text, Text]
"""One, several."""


def counted(count: float, noun: Noun) -> Text:
    """A number with its noun, in both languages."""
    one, several = noun
    return Text(many(count, one.fr, several.fr, "fr"), many(count, one.en, several.en, "en"))


CASES: Noun = (Text("cas", "case"), Text("cas", "cases"))
REPORTS: Noun = (Text("notification", "report"), Text("notifications", "reports"))
DRUGS: Noun = (Text("médicament", "drug"), Text("médicaments", "drugs"))
EVENTS: Noun = (Text("événement", "event"), Text("événements", "events"))
INDICATIONS: Noun = (Text("indication", "indication"), Text("indications", "indications"))
PAIRS: Noun = (Text("couple", "pair"), Text("couples", "pairs"))
