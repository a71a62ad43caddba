"""What the forms of the desk have in common, on a kept record or a fictional one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi.datastructures import FormData

from lab39.core.errors import InputError, LabError
from lab39.core.text import Text
from lab39.store.assessments import Action
from lab39.web.desk import reasons
from lab39.web.desk.answers import Answer

_PLACE = re.compile(r"(f-[a-z0-9-]{1,60}|ask)-[0-9a-f]{10}(-\d{1,4})?")
_ANSWER = ("kind", "code", "label", "value", "unit", "day", "measure", "key")


@dataclass(frozen=True, slots=True)
class Wrong:
    """A field that could not be read: where it stands, what was typed, and what is expected."""

    place: str
    key: str
    text: Text
    form: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Conflict:
    """An answer that met a newer version: what it said, and the form that sends it again."""

    said: Text
    expected: int
    place: str
    form: Mapping[str, str]


def word(form: FormData, name: str) -> str:
    """A field as text; empty when it is absent or a file."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def place(form: FormData) -> str:
    """Where on the page the form stands; empty when it is not a place of the desk."""
    return valid(word(form, "place"))


def valid(written: str) -> str:
    """A place of the desk, or nothing."""
    return written if _PLACE.fullmatch(written) else ""


def answer_fields(form: FormData) -> dict[str, str]:
    """The fields of an answer; ``measure`` gives the code and the unit that go together."""
    found = {name: word(form, name) for name in _ANSWER}
    if found["measure"]:
        found["code"], _, found["unit"] = found["measure"].partition("|")
    return found


def wrong(form: FormData, error: LabError) -> Wrong:
    """What to show at the field."""
    fields = answer_fields(form)
    return Wrong(place(form), fields["key"], error.text, fields)


def conflict(form: FormData, answer: Answer, expected: int) -> Conflict:
    """What to show when there is a newer version."""
    fields = {name: value for name, value in answer_fields(form).items() if value and name != "measure"}
    return Conflict(answer.say(), expected, place(form), fields)


def decision(form: FormData) -> tuple[str, Action, str]:
    """The finding, the action and the reason of a decision.

    Raises:
        InputError: an action that does not exist, or that lacks its reason.
    """
    try:
        action = Action(word(form, "action"))
    except ValueError as error:
        raise InputError(Text("cette action n'existe pas", "there is no such action"), "action") from error
    words = " ".join(word(form, "words").replace("\0", " ").split())
    if action is Action.DISMISSED:
        return word(form, "finding"), action, reasons.written(word(form, "reason"), words)
    if action is Action.ASKED and not words:
        raise InputError(Text("écrire la question", "write the question"), "words")
    return word(form, "finding"), action, reasons.clipped(words)


def recomputed(said: Text) -> Text:
    """What is told after an answer."""
    return Text(f"{said.fr}. Le rapport est recalculé.", f"{said.en}. The report is computed again.")


DECIDED = {
    Action.DONE: Text("noté comme fait", "marked as done"),
    Action.DISMISSED: Text("constat écarté, avec sa raison", "finding dismissed, with the reason"),
    Action.ASKED: Text("question notée", "question kept"),
    Action.REOPENED: Text("constat repris", "finding reopened"),
}
"""What is told after a decision."""
