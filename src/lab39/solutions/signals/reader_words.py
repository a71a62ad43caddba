"""The readers' own words (kept in English in the store) as a person reads them."""

from __future__ import annotations

import re

from lab39.core.text import Text

SCOPES = {"row": Text("ligne", "row"), "value": Text("valeur", "value")}

_WORDS = {
    "withdrawn": Text("retirés par le propriétaire de la base", "withdrawn by the owner of the database"),
    "superseded": Text("remplacés par une version plus récente", "replaced by a later version"),
    "repeated": Text("repris dans un extrait plus récent", "given again in a later extract"),
    "nullified": Text("annulés par l'expéditeur", "taken back by the sender"),
    "by dictionary": Text("par le dictionnaire", "by the dictionary"),
    "by ambiguous": Text("ambigus, laissés tels quels", "ambiguous, left as they are"),
    "by source": Text("par la source", "by the source"),
    "by name": Text("par leur seul nom", "by their name alone"),
    "by none": Text("sans nom lisible", "with no readable name"),
    "lines not in UTF-8": Text("lignes hors UTF-8", "lines not in UTF-8"),
    "lines in two encodings": Text(
        "lignes en deux encodages à la fois, à relire", "lines in two encodings at once, to be checked"
    ),
    "lines with letters in no known encoding": Text(
        "lignes avec des lettres d'aucun encodage connu, à relire",
        "lines with letters in no known encoding, to be checked",
    ),
    "reports without a drug": Text("notifications sans médicament", "reports without a drug"),
    "reports without a reaction": Text("notifications sans réaction", "reports without a reaction"),
    "line breaks inside a field": Text("retours à la ligne dans un champ", "line breaks inside a field"),
    "lines ended otherwise than the header": Text(
        "fins de ligne autres que celle de l'en-tête", "lines ended otherwise than the header"
    ),
    "lines repaired": Text("lignes réparées", "lines repaired"),
    "report numbers given again": Text("numéros de notification donnés deux fois", "report numbers given again"),
    "DEMO rows of a primaryid already told": Text(
        "lignes DEMO d'un primaryid déjà dit", "DEMO rows of a primaryid already told"
    ),
    "header of a list of deleted cases": Text(
        "en-tête d'une liste de cas supprimés", "header of a list of deleted cases"
    ),
    "deleted case listed twice": Text("cas supprimé cité deux fois", "deleted case listed twice"),
}

_REASONS = (
    (r"(\d+) fields instead of (\d+)", r"\1 champs au lieu de \2"),
    (r"no case number", "pas de numéro de cas"),
    (r"no primaryid", "pas de primaryid"),
    (r"letters in no known encoding", "lettres d'aucun encodage connu"),
    (r"a quotation mark that is not closed", "un guillemet qui n'est pas refermé"),
    (r"not an age, or in no known unit", "pas un âge, ou dans une unité inconnue"),
    (r"not a weight, or in no known unit", "pas un poids, ou dans une unité inconnue"),
    (r"not a version", "pas un numéro de version"),
    (r"unknown role", "rôle inconnu"),
    (r"not a date, or one that can be read two ways: (\w+)", "pas une date, ou lisible de deux façons\u202f: \\1"),
    (r"not a date, (.+)", "pas une date, \\1"),
    (
        r"rows of one case disagree on (.+): left blank",
        "les lignes d'un cas se contredisent sur \\1\u202f: laissé vide",
    ),
    (r"the report is given again further down", "la notification est redonnée plus bas"),
    (r"no VAERS_ID", "pas de VAERS_ID"),
    (r"no drug or no event", "pas de médicament ou pas d'événement"),
    (r"no reaction term", "pas de terme de réaction"),
    (r"no (\w+)", r"colonne vide (\1)"),
    (r"not understood: (.+)", "non compris\u202f: \\1"),
    (r"not a date: (.+)", "pas une date\u202f: \\1"),
    (r"not a case number", "pas un numéro de cas"),
    (r"unknown outcome code", "code d'issue inconnu"),
    (r"its report is in no (\w+) row", r"sa notification n'est dans aucune ligne \1"),
    (
        r"rows of one primaryid disagree on (.+): left blank",
        "les lignes d'un primaryid se contredisent sur \\1\u202f: laissé vide",
    ),
)


def word(what: str) -> Text:
    """A note, a reason to be set aside, a way to find a name; what is not known here is said as it is."""
    return _WORDS.get(what) or (Text(f"par {what[3:]}", what) if what.startswith("by ") else Text.same(what))


def reason(why: str) -> Text:
    """Why a row or a value was not used."""
    for pattern, french in _REASONS:
        if found := re.fullmatch(pattern, why):
            return Text(found.expand(french), why)
    return Text.same(why)
