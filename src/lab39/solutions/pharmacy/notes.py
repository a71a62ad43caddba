"""What is said about a name that was read: short sentences in both languages."""

from __future__ import annotations

from collections.abc import Sequence

from lab39.core.text import Text

PARTIAL = Text(
    "Base des médicaments absente\u202f: petite table, incomplète. Taper\u202f: lab39 data install bdpm",
    "No medicine database: a small, partial table. Type: lab39 data install bdpm",
)
NO_NAME = Text("Aucun nom de médicament dans ce texte", "No name of a medicine in this text")
SEVERAL = Text(
    "Plusieurs médicaments portent ce nom\u202f: préciser", "Several medicines bear this name: choose one"
)
SEVERAL_OF_CODE = Text(
    "Plusieurs compositions ont ce code\u202f: préciser", "Several compositions have this code: choose one"
)
TWO_NAMES = Text(
    "Deux noms sur une ligne, et aucun médicament qui les réunit\u202f: préciser",
    "Two names on one line, and no medicine with both: choose one",
)
HOMEOPATHIC = Text(
    "Médicament homéopathique\u202f: pas d'interaction recherchée",
    "Homeopathic medicine: no interaction looked for",
)
NO_COMPOSITION = Text(
    "Composition absente de la base\u202f: interactions non recherchées",
    "Composition absent from the database: interactions not looked for",
)
BAD_DIGIT = Text(
    "Clé du code fausse\u202f: un chiffre a été mal recopié", "Wrong check digit: a figure was miscopied"
)
OTHER_GTIN = Text(
    "Code d'un produit qui n'est pas un médicament français", "Code of a product that is no French medicine"
)
BAD_BOX = Text(
    "DataMatrix illisible\u202f: le relire, ou taper le nom",
    "Unreadable DataMatrix: scan it again, or type the name",
)
TOO_LONG = Text(
    "Texte trop long pour un nom\u202f: un médicament par ligne", "Too long for a name: one medicine a line"
)
NOT_TOGETHER = Text(
    "Plusieurs médicaments sur une ligne\u202f: en écrire un par ligne",
    "Several medicines on one line: write one a line",
)
_CODES = {"cis": "CIS", "cip13": "CIP13", "cip7": "CIP7", "atc": "ATC"}


def once(notes: Sequence[Text]) -> tuple[Text, ...]:
    """The notes without the one that holds for the whole answer, and is told once there."""
    return tuple(note for note in notes if note != PARTIAL)


def unknown(name: str) -> Text:
    """No medicine of this name."""
    short = name if len(name) <= 60 else name[:59] + "…"
    return Text(
        f"Médicament inconnu\u202f: «\u202f{short}\u202f». Vérifier l'orthographe, ou donner la substance",
        f"Unknown medicine: “{short}”. Check the spelling, or give the substance",
    )


def unknown_code(kind: str, code: str) -> Text:
    """A well-formed code that the catalogue does not hold."""
    name = _CODES.get(kind, kind)
    return Text(f"Code {name} {code} absent de la base", f"{name} code {code} is not in the database")


def near(written: str) -> Text:
    """Names that resemble what was written."""
    return Text(
        f"«\u202f{written}\u202f» n'est pas un nom connu\u202f: choisir parmi les noms proches",
        f"“{written}” is no known name: choose among the names like it",
    )


def not_explained(written: str) -> Text:
    """Words that may change the medicine."""
    return Text(
        f"«\u202f{written}\u202f» n'est pas compris et peut désigner un autre médicament\u202f: confirmer",
        f"“{written}” is not understood and may mean another medicine: confirm",
    )


def same_as(line: int) -> Text:
    """A line that repeats another."""
    return Text(f"Même texte que la ligne {line}", f"Same text as line {line}")


def brand_gone(name: str) -> Text:
    """A brand that has left the database, remembered by its generic group."""
    return Text(
        f"{name}\u202f: n'est plus dans la base des médicaments\u202f; connu par son groupe générique",
        f"{name}: no longer in the medicine database; known through its generic group",
    )


def no_product(name: str) -> Text:
    """A substance that no product of the database holds."""
    return Text(
        f"{name}\u202f: aucun médicament de la base n'en contient (retiré, ou jamais vendu en France)",
        f"{name}: no medicine of the database holds it (withdrawn, or never sold in France)",
    )


def read_as(written: str, name: str) -> Text:
    """A misspelt name, read."""
    return Text(f"«\u202f{written}\u202f» lu «\u202f{name}\u202f»", f"“{written}” read as “{name}”")


def set_aside(written: Sequence[str]) -> Text:
    """Words that were not used."""
    listed = ", ".join(written)
    return Text(f"Mots laissés de côté\u202f: {listed}", f"Words set aside: {listed}")


def not_marketed(label: str) -> Text:
    """A product that is not sold any more."""
    return Text(f"{label}\u202f: n'est plus commercialisé", f"{label}: not marketed any more")


def code_disagrees(code: str) -> Text:
    """The words and the code of a record name different medicines."""
    return Text(
        f"Le texte et le code ATC {code} désignent des médicaments différents\u202f: choisir",
        f"The text and the ATC code {code} name different medicines: choose",
    )


def general(name: str) -> Text:
    """A name that several substances begin with."""
    return Text(
        f"{name}\u202f: plusieurs substances commencent par ce nom\u202f; préciser si possible",
        f"{name}: several substances begin with this name; say which if possible",
    )
