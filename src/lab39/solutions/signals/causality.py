"""How likely it is that a drug caused the event of one case: Naranjo's scale, the WHO-UMC categories.

::

    from lab39.solutions.signals import causality

    causality.naranjo({"after": "yes", "dechallenge": "yes", "alternative": "no"})   # score 5, probable
    causality.who_umc("possible").criteria                                           # what it asks for

An answer that is absent is told as absent: it scores as "do not know", as the scale has it, and is listed in
``missing``. A result helps an assessor; it proves nothing. The French method has no form here, see
:func:`french`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from lab39.core.errors import InputError
from lab39.core.finding import Source
from lab39.core.text import Lang, Text

Answer = Literal["yes", "no", "unknown"]
ANSWERS: Mapping[Answer, Text] = {
    "yes": Text("oui", "yes"),
    "no": Text("non", "no"),
    "unknown": Text("ne sait pas, non fait", "do not know, not done"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """One of Naranjo's ten questions; ``points`` for each answer."""

    id: str
    number: int
    asks: Text
    points: Mapping[Answer, int]


@dataclass(frozen=True, slots=True)
class Naranjo:
    """A scored form.

    Attributes:
        score: total, from −4 to 13.
        code: ``definite`` (9 or more), ``probable`` (5 to 8), ``possible`` (1 to 4), ``doubtful`` (0 or less).
        title: the class in words.
        points: of each question by id.
        missing: ids of questions that were not answered at all.
        same: code of the WHO-UMC category that says as much.
    """

    score: int
    code: str
    title: Text
    points: Mapping[str, int]
    missing: tuple[str, ...]
    same: str = ""

    @property
    def weighed(self) -> tuple[tuple[Question, int], ...]:
        """The questions that brought points, or took some away."""
        return tuple((each, self.points[each.id]) for each in questions() if self.points[each.id])


@dataclass(frozen=True, slots=True)
class Category:
    """A WHO-UMC category; all its criteria should be reasonably met.

    Attributes:
        fhir: its code in the R4 system ``adverse-event-causality-assess``.
        judges: it says how likely the link is; the last two do not.
    """

    code: str
    fhir: str
    title: Text
    criteria: tuple[Text, ...]
    judges: bool = True


@cache
def _read() -> Mapping[str, Any]:
    return tomllib.loads(files(__package__).joinpath("knowledge/causality.toml").read_text("utf-8"))


@cache
def questions() -> tuple[Question, ...]:
    """Naranjo's questions, in order."""
    rows = _read()["naranjo"]["question"]
    return tuple(
        Question(row["id"], i, Text.of(row), {"yes": row["yes"], "no": row["no"], "unknown": row["unknown"]})
        for i, row in enumerate(rows, start=1)
    )


def naranjo(answers: Mapping[str, str]) -> Naranjo:
    """Score a form.

    Args:
        answers: ``yes``, ``no`` or ``unknown`` by id of question; an absent or empty one is missing.

    Raises:
        InputError: another question or another answer, at its id.
    """
    known = {each.id: each for each in questions()}
    for name, answer in answers.items():
        if name not in known or answer not in ("", *ANSWERS):
            listed = ", ".join(ANSWERS if name in known else known)
            raise InputError(Text(f"connus\u202f: {listed}", f"known: {listed}"), name[:40])
    given: dict[str, Answer] = {name: answer for name, answer in answers.items() if answer}  # type: ignore[misc]
    points = {name: each.points[given.get(name, "unknown")] for name, each in known.items()}
    score = sum(points.values())
    row = next(each for each in _read()["naranjo"]["class"] if score >= each.get("least", score))
    return Naranjo(
        score, row["id"], Text.of(row), points, tuple(name for name in known if name not in given), row["same"]
    )


@cache
def categories() -> tuple[Category, ...]:
    """The WHO-UMC categories, the most certain first, then the two that judge nothing."""
    return tuple(
        Category(
            row["id"],
            row["fhir"],
            Text.of(row),
            tuple(Text(fr, en) for fr, en in zip(row["criteria_fr"], row["criteria_en"], strict=True)),
            row.get("judges", True),
        )
        for row in _read()["who-umc"]["category"]
    )


def who_umc(code: str) -> Category:
    """A category by code.

    Raises:
        InputError: naming those that exist.
    """
    for each in categories():
        if each.code == code:
            return each
    listed = ", ".join(each.code for each in categories())
    raise InputError(Text(f"choisir une catégorie\u202f: {listed}", f"choose a category: {listed}"), "who_umc")


def differ(scored: Naranjo | None, chosen: Category | None) -> Text | None:
    """That the two methods do not say the same of a case, and what each weighs; ``None`` when they do.

    No third verdict is made of the two: it is for the assessor to read both again.
    """
    if scored is None or chosen is None or scored.same == chosen.code:
        return None
    fr = f"Naranjo dit «\u202f{scored.title.fr}\u202f», l'OMS-UMC «\u202f{chosen.title.fr}\u202f»."
    en = f"Naranjo says “{scored.title.en}”, WHO-UMC “{chosen.title.en}”."
    if chosen.judges:
        fr, en = f"Les deux méthodes ne s'accordent pas. {fr}", f"The two methods disagree. {en}"
    else:
        fr += " L'OMS-UMC ne juge pas ici, Naranjo donne toujours une classe."
        en += " WHO-UMC does not judge here, Naranjo always gives a class."
    fr += (
        " Naranjo additionne les points de dix questions, et ce qui n'est pas su compte 0"
        f" ({_unknown(scored, 'fr')})\u202f; l'OMS-UMC demande à l'évaluateur si tous les critères d'une catégorie"
        " sont raisonnablement remplis. Relire le cas\u202f: il n'en est pas tiré de troisième avis."
    )
    en += (
        f" Naranjo adds up the points of ten questions, and what is not known counts 0 ({_unknown(scored, 'en')});"
        " WHO-UMC asks the assessor whether all criteria of a category are reasonably met. Read the case again: no"
        " third verdict is made of the two."
    )
    return Text(fr, en)


def _unknown(scored: Naranjo, lang: Lang) -> str:
    many = len(scored.missing)
    if lang == "fr":
        return f"{many} sans réponse" if many else "toutes ont une réponse"
    return f"{many} not answered" if many else "all answered"


def source(scale: Literal["naranjo", "who-umc"]) -> Source:
    """Where a scale comes from."""
    row = _read()[scale]["source"]
    return Source(
        row["document"], row.get("date", ""), row.get("place", ""), row.get("url", ""), verified=row["verified"]
    )


def french() -> Text:
    """Why the French method is not offered."""
    return Text.of(_read()["french"])
