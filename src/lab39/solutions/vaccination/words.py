"""Names that readers know: schedules, vaccine groups, statuses, reasons. Facts of ``knowledge/names.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

from lab39.core import terms
from lab39.core.text import Text
from lab39.solutions.vaccination.model import Schedule

UNNAMED = Text(
    "le calendrier ne cite ce vaccin que pour d'autres âges, et son autorisation n'a pas été lue",
    "the schedule names this vaccine for other ages only, and its licence was not read",
)
_REACTION = re.compile(r"Severe allergic reaction after previous dose of (?:any )?(.+?)(?: vaccine)?")
OWN = "france"
"""The schedule that a sentence need not name, as readers expect it."""


@lru_cache(maxsize=1)
def _names() -> Mapping[str, Any]:
    body = (resources.files(__package__) / "knowledge" / "names.toml").read_text("utf-8")
    return tomllib.loads(body)


@lru_cache(maxsize=1024)
def named(kind: str, name: str) -> Text:
    """A name of a kind (``group``, ``reason``, ``input``, ``vaccine``…), or as the schedule writes it."""
    row = _names()[kind].get(name)
    return Text.of(row) if row is not None else Text.same(name)


def known(kind: str, name: str) -> bool:
    """Whether the name has words of its own."""
    return name in _names()[kind]


def group(name: str) -> Text:
    """A vaccine group or an antigen."""
    return named("group", name)


def status(name: str) -> Text:
    """The status of a dose, of a series or of a vaccine group."""
    return named("status", name)


def reason(name: str) -> Text:
    """Why a dose counts or not, or why a group asks for nothing."""
    return named("reason", name)


def vaccine(schedule: Schedule, code: str) -> Text:
    """A vaccine by its code: in words of its own for CVX, else as its schedule names it."""
    if schedule.system == terms.CVX and known("vaccine", code):
        return named("vaccine", code)
    return Text.same(schedule.vaccine_names.get(code, "") or code)


def situation(schedule: Schedule, code: str) -> Text:
    """An observation by its code: in words of its own for the CDC's data, else as its schedule names it."""
    term = schedule.observations.get(code)
    if term is not None and term.label:
        return term.label
    title = " ".join(term.title.split()) if term else ""
    if not schedule.name.startswith("cdsi"):
        return Text.same(title or code)
    reaction = _REACTION.fullmatch(title)
    if reaction:
        to = named("situation" if known("situation", reaction[1]) else "group", reaction[1])
        return Text(
            f"réaction grave à une dose précédente\u202f: {to.fr}", f"severe reaction to an earlier dose: {to.en}"
        )
    return named("situation", code) if known("situation", code) else Text.same(title or code)


def schedule_title(name: str) -> Text:
    """A schedule, as a sentence calls it."""
    row = _names()["schedule"].get(name)
    return Text.of(row["title"]) if row else Text(f"calendrier {name}", f"schedule {name}")


def document(schedule: Schedule) -> tuple[str, str]:
    """The document that its rules are cited from, and its address."""
    row = _names()["schedule"].get(schedule.name, {})
    return str(row.get("document", schedule.name)), str(row.get("url", ""))


def joined(texts: list[Text] | tuple[Text, ...], separator: str = ", ") -> Text:
    """Several texts as one."""
    return Text(separator.join(t.fr for t in texts), separator.join(t.en for t in texts))


def capital(text: Text) -> Text:
    """The first letter as a sentence begins."""
    return Text(text.fr[:1].upper() + text.fr[1:], text.en[:1].upper() + text.en[1:])
