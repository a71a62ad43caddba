"""What would settle a level, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lab39.core.text import Text
from lab39.solutions.pharmacy import facts
from lab39.solutions.pharmacy.model import Line, Need

_WORDS: Mapping[str, Text] = {
    "dose-per-intake": Text("la dose par prise de {of}", "the dose per intake of {of}"),
    "dose-per-day": Text("la dose par jour de {of}", "the dose per day of {of}"),
    "dose-per-week": Text("la dose par semaine de {of}", "the dose per week of {of}"),
    "route": Text("la voie de {of}", "the route of {of}"),
    "indication": Text("l'indication de {of}", "what {of} is for"),
    "with": Text("la prise de {of}", "whether {of} is taken"),
    "taken": Text("la prise de {of}", "whether {of} is taken"),
    "product": Text("la spécialité de {of}", "the product of {of}"),
    "age": Text("l'âge", "the age"),
    "clearance": Text("la clairance de la créatinine", "the creatinine clearance"),
    "egfr": Text("le débit de filtration", "the filtration rate"),
    "reading": Text("le texte de cette édition", "the text of this edition"),
    "uncovered": Text("un cas que le texte ne prévoit pas", "a case that the text does not cover"),
}


def word(need: Need, lines: Sequence[Line] = ()) -> Text:
    """A need as it is asked for; its token when it has no words."""
    kind, _, of = need.token.partition(":")
    if kind == "fact":
        return facts.label(of)
    if kind not in _WORDS:
        return Text.same(need.token)
    if kind == "indication" and of in facts.tokens():
        name = facts.label(of)
        return Text(f"l'indication\u202f: {name.fr}", f"the indication: {name.en}")
    shown = _name(of, need, lines)
    said = _WORDS[kind]
    return Text(_elided(said.fr.format(of=shown)), said.en.format(of=shown))


def _name(of: str, need: Need, lines: Sequence[Line]) -> str:
    """The substance as its line writes it, with its accents."""
    if need.line is not None and need.line < len(lines):
        named = [m.label for m in lines[need.line].moieties if m.key == of]
        if named:
            return named[0]
    return of.replace("|", ", ").lower()


def _elided(french: str) -> str:
    for vowel in "aeiouyhâéèêîô":
        french = french.replace(f" de {vowel}", f" d'{vowel}")
    return french
