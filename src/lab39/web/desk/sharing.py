"""The terms on which a record is shared, as a form carries them and as they are told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast
from zoneinfo import ZoneInfo

from fastapi.datastructures import FormData

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.store.access import Basis, Level
from lab39.web.desk import posting
from lab39.web.desk.choices import Choices, table
from lab39.web.house import House

FILE = "sharing.toml"
ANSWER = "answer"
"""What a record is shared for when somebody is asked a question about it."""
DAYS = 90
"""How long an access lasts unless somebody says otherwise."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an access allows, for how long, what for, on whose word."""

    level: Level = Level.READ
    purpose: str = ANSWER
    basis: Basis | None = None
    until: dt.datetime | None = None


@cache
def purposes() -> Choices:
    """What a record is shared for."""
    rows = cast("list[dict[str, Any]]", table(FILE)["purpose"])
    return Choices(
        {row["code"]: Text.of(row) for row in rows},
        "purpose",
        Text("dire à quoi sert cet accès", "say what this access is for"),
        Text("dire ce but en quelques mots", "say this purpose in a few words"),
    )


@cache
def bases() -> Mapping[Basis, Text]:
    """What the person it is about said."""
    rows = cast("dict[str, dict[str, Any]]", table(FILE)["basis"])
    return {Basis(name): Text.of(row) for name, row in rows.items()}


@cache
def levels() -> Mapping[Level, Text]:
    """What an access allows."""
    rows = cast("dict[str, dict[str, Any]]", table(FILE)["level"])
    return {Level(name): Text.of(row) for name, row in rows.items()}


def read(form: FormData, here: House) -> Terms:
    """The terms a form says.

    Raises:
        InputError: naming the field.
    """
    level = next((each for each in Level if each.value == posting.word(form, "level")), None)
    if level is None:
        raise InputError(Text("choisir ce que l'accès permet", "choose what the access allows"), "level")
    purpose = purposes().written(posting.word(form, "purpose"), posting.word(form, "words"))
    return Terms(level, purpose, basis(form), until(form, here))


def for_an_answer(form: FormData, here: House) -> Terms:
    """The terms on which somebody is shown a record to answer a question.

    Raises:
        InputError: an end that is not a date, or is past.
    """
    return Terms(Level.READ, ANSWER, basis(form), until(form, here))


def basis(form: FormData) -> Basis | None:
    """What the person it is about said; ``None`` when nothing was ticked."""
    return next((each for each in Basis if each.value == posting.word(form, "basis")), None)


def until(form: FormData, here: House) -> dt.datetime | None:
    """The end of the last day, where the lab is; ``None`` when no day was given.

    Raises:
        InputError: not a date, or one that is past.
    """
    written = posting.word(form, "until").strip()
    if not written:
        return None
    try:
        day = dt.date.fromisoformat(written)
        end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), ZoneInfo(here.settings.timezone))
    except (ValueError, OverflowError):
        raise InputError(
            Text("une date est attendue, ou rien", "a date is expected, or nothing"), "until"
        ) from None
    if day < here.today():
        raise InputError(Text("cette date est déjà passée", "this date is past"), "until")
    return end.astimezone(dt.UTC)


def last_day(end: dt.datetime, here: House) -> dt.date:
    """The last day of an access that has an end."""
    return (end - dt.timedelta(microseconds=1)).astimezone(ZoneInfo(here.settings.timezone)).date()


def usual_end(here: House) -> dt.date:
    """What the form proposes."""
    return here.today() + dt.timedelta(days=DAYS)
