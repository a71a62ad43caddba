"""``/raredisease``: the consultation. What was told stands in the address: it can be kept, sent, gone back to."""

from __future__ import annotations

from lab39.core.errors import InputError
from lab39.core.faces import Call, Page, Redirect, View
from lab39.core.text import NO_TEXT, Text

EXAMPLE = "?present=HP:0001166&present=HP:0001083&present=HP:0002616"
"""Signs to try it with."""
DONE = {
    "add": Text("présent", "present"),
    "deny": Text("absent", "absent"),
    "drop": Text("retiré", "removed"),
}


def consultation(call: Call) -> View | Redirect:
    """Signs found by words and told one by one; the differential, why, and what to look for next."""
    from lab39.solutions.raredisease import consultation as room
    from lab39.solutions.raredisease.knowing import knowing
    from lab39.solutions.raredisease.labels import NO_FRENCH
    from lab39.solutions.raredisease.statements import rests_on, say

    known = knowing(call.ctx.packs)
    told, wrong = room.Signs(), None
    try:
        told = room.Signs.told(call.query.all("present"), call.query.all("absent"))
    except InputError as error:
        wrong = error
    changed, said = False, NO_TEXT
    for name, change in (("add", told.with_present), ("deny", told.with_absent), ("drop", told.without)):
        if term := call.query.text(name):
            told, changed = change(term), True
            name_of, done = known.label(term), DONE[name]
            said = Text(f"{name_of.fr}\u202f: {done.fr}", f"{name_of.en}: {done.en}")
    if changed and not call.part:
        return Redirect(f"/raredisease{told.address}")
    words = "" if changed else call.query.text("q")[:200]
    return View(
        template="consultation.html.jinja",
        part="consulted.html.jinja",
        wrong=wrong,
        said=said,
        push=told.address if changed else "",
        values={
            "signs": told,
            "words": words,
            "changed": changed,
            "found": room.suggestions(known, words, told) if words else (),
            "shown": room.differential(known, told),
            "label": known.label,
            "rests_on": rests_on,
            "weight": room.weight,
            "through": lambda sign: room.through(known, sign),
            "because": room.asked_because,
            "often": lambda expected: say(expected.statement, expected.term),
            "example": EXAMPLE,
            "untranslated": None if known.labels else NO_FRENCH,
            "versions": known.index.versions,
        },
    )


pages = (
    Page(
        path="",
        title=Text("Chercher d'après les signes", "Search by signs"),
        about=Text(
            "Dire les signes avec ses mots, lire le classement des maladies et ce qu'il faut rechercher ensuite",
            "Tell the signs in your own words, read the ranking of diseases and what to look for next",
        ),
        handler=consultation,
        permission="assess.once",
    ),
)
