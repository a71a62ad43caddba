"""What would settle a level, in words: the tokens of :class:`~lab39.solutions.pharmacy.model.Need`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lab39.core.text import Text
from lab39.solutions.pharmacy.facts import facts
from lab39.solutions.pharmacy.model import Line, Need

_ALONE = {
    "age": Text("âge", "age"),
    "clearance": Text(
        "clairance de la créatinine (créatinine, poids, âge, sexe)",
        "creatinine clearance (creatinine, weight, age, sex)",
    ),
    "sex": Text("sexe", "sex"),
    "egfr": Text("débit de filtration glomérulaire", "glomerular filtration rate"),
    "reading": Text(
        "texte de cette édition du thésaurus, que ce laboratoire n'a pas lu",
        "text of this edition of the thesaurus, which this lab has not read",
    ),
    "uncovered": Text("cas que le texte du thésaurus ne prévoit pas", "a case that the thesaurus does not foresee"),
}
_OF = {
    "dose-per-intake": Text("dose par prise {of}", "dose per intake of {of}"),
    "dose-per-day": Text("dose quotidienne {of}", "daily dose of {of}"),
    "dose-per-week": Text("dose hebdomadaire {of}", "weekly dose of {of}"),
    "route": Text("voie d'administration {of}", "route of {of}"),
    "form": Text("forme pharmaceutique {of}", "pharmaceutical form of {of}"),
    "product": Text("spécialité {of}", "product of {of}"),
    "product-information": Text("résumé des caractéristiques du produit {of}", "product information of {of}"),
}


def in_words(need: Need, labels: Mapping[str, str] | None = None) -> Text:
    """A need as a noun phrase, without capital or stop.

    Args:
        labels: key of each moiety of the treatment -> as people read it; without one the key is shown.
    """
    what, _, of = need.token.partition(":")
    if what in _ALONE:
        return _ALONE[what]
    table = facts()
    if what == "fact":
        return table.facts[of].label if of in table.facts else Text.same(of)
    if what == "indication" and of in table.indications:
        label = table.indications[of].label
        return Text(f"usage\u202f: {label.fr}", f"use: {label.en}")
    names = [_substance(key, labels or {}) for key in of.split("|")]
    if what in ("taken", "with"):
        return Text(
            "prise " + " ou ".join(_de(name.fr) for name in names),
            "whether " + " or ".join(name.en for name in names) + " is taken",
        )
    if what == "indication":
        return Text(f"indication {_de(names[0].fr)}", f"what {names[0].en} is for")
    if what in _OF:
        return Text(_OF[what].fr.format(of=_de(names[0].fr)), _OF[what].en.format(of=names[0].en))
    return Text.same(need.token)


def word(need: Need, lines: Sequence[Line] = ()) -> Text:
    """The same, with the substances as the lines of the treatment name them."""
    return in_words(need, {m.key: m.label for line in lines for m in line.moieties})


def _substance(key: str, labels: Mapping[str, str]) -> Text:
    said = facts().substances.get(key.lower())
    if said:
        return said
    return Text.same(labels.get(key, key.lower()))


def _de(name: str) -> str:
    """*de* before a name, elided before a vowel or a mute h."""
    return f"d'{name}" if name[:1].lower() in "aeiouyhàâéèêëîïôöùûœ" else f"de {name}"
