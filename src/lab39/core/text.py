"""Bilingual text, numbers and dates: French first, English beside it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Lang = Literal["fr", "en"]
LANGS: tuple[Lang, ...] = ("fr", "en")


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence or label in both languages of the lab."""

    fr: str
    en: str

    def __getitem__(self, lang: Lang) -> str:
        return self.fr if lang == "fr" else self.en

    def __str__(self) -> str:
        return self.fr

    def __bool__(self) -> bool:
        return bool(self.fr or self.en)

    def as_dict(self) -> dict[Lang, str]:
        """The JSON form: ``{"fr": …, "en": …}``."""
        return {"fr": self.fr, "en": self.en}

    @classmethod
    def same(cls, words: str) -> Text:
        """Text that reads the same in both languages (a code, a proper name, a source's own words)."""
        return cls(words, words)

    @classmethod
    def of(cls, value: object) -> Text:
        """Text from a ``{"fr", "en"}`` table of a knowledge file.

        Raises:
            ValueError: when a language is absent; the lab ships no half-translated text.
        """
        if isinstance(value, dict) and isinstance(value.get("fr"), str) and isinstance(value.get("en"), str):
            return cls(value["fr"], value["en"])
        raise ValueError(f"a text needs both fr and en: {value!r}")


NO_TEXT = Text("", "")


def number(value: float | int | Decimal, lang: Lang, *, digits: int | None = None) -> str:
    """A number as readers of the language write it (``1 234,5`` / ``1,234.5``).

    Args:
        digits: decimals shown; ``None`` keeps those a ``Decimal`` or ``int`` came with.
    """
    from babel.numbers import format_decimal

    if digits is None:
        exponent = value.as_tuple().exponent if isinstance(value, Decimal) else 0
        digits = -exponent if isinstance(exponent, int) and exponent < 0 else 0
        if isinstance(value, float):
            return format_decimal(value, locale=lang)
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(value, format=pattern, locale=lang)


def percent(share: float, lang: Lang, *, digits: int = 1) -> str:
    """A share of 1 as a percentage; nothing is rounded to 0 or 100 that is not (``< 0,1 %``, ``> 99,9 %``).

    Args:
        share: from 0 to 1.
        digits: decimals shown.
    """
    hundred, least = share * 100, 10.0**-digits
    sign, shown = "", hundred
    if 0 < hundred < least:
        sign, shown = "< ", least
    elif 100 - least / 2 <= hundred < 100:
        sign, shown = "> ", 100 - least
    return f"{sign}{number(shown, lang, digits=digits)}" + ("\u202f%" if lang == "fr" else "%")


def date(value: dt.date, lang: Lang) -> str:
    """A full date as readers of the language write it (``24/11/2026`` / ``24 Nov 2026``)."""
    from babel.dates import format_date

    return format_date(value, "dd/MM/yyyy" if lang == "fr" else "d MMM y", locale=lang)
