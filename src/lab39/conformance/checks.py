"""The checks: each reads what the probes tell, and names what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lab39.conformance import said
from lab39.conformance.subject import Subject
from lab39.core.solution import ID_FORM, RESERVED_IDS
from lab39.core.text import Text

LIGHT = 30
"""Modules from outside the standard library and the lab that importing a solution may bring."""

Problems = Iterator[Text]


@dataclass(frozen=True, slots=True)
class Check:
    """One point of the suite.

    Attributes:
        id: stable.
        title: what holds when it passes.
        find: yields what is wrong; nothing when it passes.
    """

    id: str
    title: Text
    find: Callable[[Subject], Problems]


class NotChecked(Exception):  # noqa: N818
    """This point could not be looked at; ``text`` says why. What was not checked has not passed."""

    def __init__(self, text: Text) -> None:
        self.text = text
        super().__init__(text.en)


CHECKS: list[Check] = []


def check(name: str, fr: str, en: str) -> Callable[[Callable[[Subject], Problems]], Callable[[Subject], Problems]]:
    """Add a function to the suite."""

    def add(find: Callable[[Subject], Problems]) -> Callable[[Subject], Problems]:
        CHECKS.append(Check(name, Text(fr, en), find))
        return find

    return add


def loaded(subject: Subject) -> Mapping[str, Any]:
    """What loading tells.

    Raises:
        NotChecked: it does not load as a Solution.
    """
    if subject.loaded["error"] or not subject.loaded["is_solution"]:
        raise NotChecked(Text("non vérifié\u202f: ne se charge pas", "not checked: it does not load"))
    return subject.loaded


def same(words: str) -> Text:
    """A message that quotes code or data only."""
    return Text.same(words)


@check("loads", "Le point d'entrée donne une Solution", "The entry point gives a Solution")
def _loads(subject: Subject) -> Problems:
    if error := subject.loaded["error"]:
        yield same(f"{subject.target}: {error}")
    elif not subject.loaded["is_solution"]:
        yield Text(
            f"{subject.target}\u202f: ce n'est pas une lab39.core.solution.Solution",
            f"{subject.target}: not a lab39.core.solution.Solution",
        )
    elif (found := subject.loaded["values"]["id"]) != subject.id:
        yield Text(
            f"le point d'entrée s'appelle «\u202f{subject.id}\u202f», la classe dit id = {found!r}",
            f"the entry point is named “{subject.id}”, the class says id = {found!r}",
        )


@check("light-import", "L'importer est léger", "Importing it is light")
def _light(subject: Subject) -> Problems:
    brought = said.foreign(loaded(subject)["brought"], subject.target)
    if sum(brought.values()) > LIGHT:
        names = ", ".join(f"{name} ({n})" for name, n in sorted(brought.items(), key=lambda kv: -kv[1])[:4])
        yield Text(
            f"{sum(brought.values())} modules étrangers à l'importation\u202f: {names}. "
            "Importer ce qui est lourd dans les fonctions qui s'en servent.",
            f"{sum(brought.values())} foreign modules on import: {names}. "
            "Import what is heavy inside the functions that use it.",
        )


@check("names", "Id, titre, but et version sont en ordre", "Id, title, purpose and version are in order")
def _names(subject: Subject) -> Problems:
    values = loaded(subject)["values"]
    if not ID_FORM.fullmatch(str(values["id"])) or values["id"] in RESERVED_IDS:
        yield Text(
            f"id {values['id']!r}\u202f: minuscules ASCII, chiffres et traits d'union, "
            f"hors {', '.join(RESERVED_IDS)}",
            f"id {values['id']!r}: lower-case ASCII, digits and hyphens, none of {', '.join(RESERVED_IDS)}",
        )
    for name in ("title", "purpose"):
        yield from said.bilingual(values[name], name, differ=name == "purpose")
    if not isinstance(values["version"], str) or not values["version"].strip():
        yield Text(
            "version\u202f: une chaîne non vide est attendue", "version: a string that is not empty is expected"
        )
    limit = values["time_limit_seconds"]
    if limit is not None and not (isinstance(limit, int | float) and limit > 0):
        yield Text(
            f"time_limit_seconds = {limit!r}\u202f: None ou > 0", f"time_limit_seconds = {limit!r}: None or > 0"
        )


@check(
    "card",
    "La fiche de preuve dit l'affirmation, l'usage, les limites et la commande",
    "The evidence card states claim, use, limits and command",
)
def _card(subject: Subject) -> Problems:
    found = loaded(subject)
    if found["card_error"]:
        yield same(f"card.toml: {found['card_error']}")
        return
    card = found["card"]
    for name in ("claim", "intended_use"):
        yield from said.bilingual(card[name], f"card.toml: {name}", differ=True)
    for i, limit in enumerate(card["limits"]):
        yield from said.bilingual(limit, f"card.toml: limit[{i}]", differ=True)
    if not card["limits"]:
        yield Text("card.toml: aucune limite", "card.toml: no limit")
    if not card["command"].strip():
        yield Text(
            "card.toml: command\u202f: la commande qui reproduit les chiffres manque",
            "card.toml: command: the command that reproduces the figures is missing",
        )


@check("packs", "Ses packs de données sont déclarés en entier", "Its data packs are declared in full")
def _packs(subject: Subject) -> Problems:
    found = loaded(subject)
    if found["packs_error"]:
        yield same(f"packs.toml: {found['packs_error']}")
        return
    names = [spec["name"] for spec in found["packs"]]
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield Text(f"packs.toml: «\u202f{name}\u202f» deux fois", f"packs.toml: “{name}” twice")
    for spec in found["packs"]:
        if not str(spec["licence"]).strip():
            yield Text(
                f"packs.toml: {spec['name']}\u202f: licence absente", f"packs.toml: {spec['name']}: no licence"
            )
        if spec["origin"].get("kind") not in ("package", "wheel", "url", "file"):
            yield Text(
                f"packs.toml: {spec['name']}\u202f: origin.kind parmi package, wheel, url, file",
                f"packs.toml: {spec['name']}: origin.kind is one of package, wheel, url, file",
            )


@check("commands", "Chaque commande offre --json", "Every command offers --json")
def _commands(subject: Subject) -> Problems:
    if not loaded(subject)["values"]["commands"]:
        return
    found = subject.commands
    if found["error"]:
        yield same(f"{loaded(subject)['values']['commands']}: {found['error']}")
        return
    for name in found["without_json"]:
        shown = f"lab39 {subject.id} {name}".strip()
        yield Text(
            f"{shown}\u202f: pas de --json (lab39.terminal.JsonOption)",
            f"{shown}: no --json (lab39.terminal.JsonOption)",
        )
