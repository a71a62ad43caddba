"""Words on pages: both languages stand side by side in the template, French spaces are set here."""

from __future__ import annotations

import re

from lab39.core.text import Lang

_BEFORE = re.compile(r"[ \u00a0](?=[:;!?»%])")
_AFTER = re.compile(r"(?<=«)[ \u00a0]")


def typeset(french: str) -> str:
    """Narrow no-break spaces where French typography wants them (before ``: ; ! ? » %``, after ``«``)."""
    return _AFTER.sub("\u202f", _BEFORE.sub("\u202f", french))


def choose(lang: Lang, fr: str, en: str) -> str:
    """One of two wordings."""
    return typeset(fr) if lang == "fr" else en
