"""Names of drugs and of countries: as reported, and what they stand for.

A drug's name is looked up in the user's dictionary, then in what packs bring (a hook: any function from a normal
name to ingredients), then what the source itself says is in it, then the name itself. How it was found is kept,
and what was found nowhere is counted.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from lab39.solutions.signals.readers.errors import refuse
from lab39.solutions.signals.readers.streams import Item, text_lines

Lookup = Callable[[str], tuple[str, ...]]
"""From a normal name to its ingredients; empty when it is not known."""

JOIN = " + "
_SPLIT = re.compile(r"\s*(?:\\|;|\||\s\+\s)\s*")
_DOSE = re.compile(
    r"\b\d+(?:[.,]\d+)?\s*(?:mg|µg|mcg|ug|g|ml|iu|ui|u|%|meq|mmol)(?:\s*/\s*\d*(?:[.,]\d+)?\s*(?:ml|mg|g|h|hr|dose))?(?![a-z])"
)
_FORMS = re.compile(
    r"\b(?:tablets?|tabs?|capsules?|caps?|injection|inj|solution|suspension|cream|ointment|film[- ]coated|"
    r"unknown|nos|comprime?s?|gelules?|sirop|solution injectable)\b"
)


def normal(name: str) -> str:
    """A name without case, accents, strength, form or what stands in brackets: ``RISPERDAL.`` is ``risperdal``.

    A name that is nothing else stays whole.
    """
    folded = unicodedata.normalize("NFKD", name.casefold())
    folded = "".join(letter for letter in folded if not unicodedata.combining(letter))
    bare = re.sub(r"\([^)]*\)|\[[^\]]*\]", " ", folded)
    bare = _FORMS.sub(" ", _DOSE.sub(" ", bare))
    bare = " ".join(re.sub(r"[^\w+/&' -]", " ", bare).split()).strip(" -/+&'")
    return bare or " ".join(folded.split()).strip(" .,;")


def ingredients(told: str) -> str:
    """What a source says is in a product, in one form: lower case, sorted, joined with `` + ``."""
    return JOIN.join(sorted({normal(each) for each in _SPLIT.split(told) if each.strip()}))


@dataclass(frozen=True, slots=True)
class Names:
    """The ways to look a name up, in order."""

    dictionary: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    packs: tuple[tuple[str, Lookup], ...] = ()

    def find(self, drug: str | None, said: str | None) -> tuple[str | None, str]:
        """The ingredient of a drug and how it was found.

        Returns:
            The ingredient, and ``dictionary``, a pack's name, ``source``, ``name`` or ``none``.
        """
        for name in (drug, said):
            if not name:
                continue
            key = normal(name)
            if key in self.dictionary:
                return JOIN.join(sorted(self.dictionary[key])), "dictionary"
            for pack, lookup in self.packs:
                if found := lookup(key):
                    return JOIN.join(sorted(found)), pack
        if said and (made := ingredients(said)):
            return made, "source"
        return (normal(drug), "name") if drug and normal(drug) else (None, "none")


def read_dictionary(path: Path) -> dict[str, tuple[str, ...]]:
    """A user's CSV with a header: a column ``name`` (or ``drug``, ``nom``), one ``ingredient`` (or ``substance``).

    Several ingredients are written with ``;``, ``|`` or `` + `` between them.

    Raises:
        InputError: no such columns, or one name with two meanings; the place is given.
    """
    lines = text_lines(Item(path))
    first = next(lines, "")
    mark = max(";\t,|", key=first.count)
    head = [each.strip().strip('"').casefold() for each in first.split(mark)]
    at_name = next(
        (i for i, each in enumerate(head) if each in ("name", "drug", "drugname", "nom", "medicament")), None
    )
    at_what = next(
        (i for i, each in enumerate(head) if each in ("ingredient", "substance", "substances", "ingrédient")), None
    )
    if at_name is None or at_what is None:
        raise refuse(
            path,
            "la première ligne doit nommer deux colonnes : name (ou nom) et ingredient (ou substance)",
            "the first line must name two columns: name (or nom) and ingredient (or substance)",
            1,
        )
    found: dict[str, tuple[str, ...]] = {}
    for number, row in enumerate(csv.reader(lines, delimiter=mark), 2):
        if len(row) <= max(at_name, at_what) or not row[at_name].strip() or not row[at_what].strip():
            continue
        key = normal(row[at_name])
        what = tuple(sorted({normal(each) for each in _SPLIT.split(row[at_what]) if each.strip()}))
        if found.setdefault(key, what) != what:
            told = " / ".join(JOIN.join(each) for each in (found[key], what))
            raise refuse(
                path,
                f"« {row[at_name]} » a deux sens ({told}) : gardez-en un",
                f"“{row[at_name]}” has two meanings ({told}): keep one",
                number,
            )
    return found


def count_ways(found: Iterable[tuple[str | None, str]]) -> dict[str, int]:
    """How many names were found in each way."""
    ways: dict[str, int] = {}
    for _, way in found:
        ways[way] = ways.get(way, 0) + 1
    return ways


_OTHER_NAMES = {
    "UNITED STATES": "US",
    "GREAT BRITAIN": "GB",
    "KOREA, REPUBLIC OF": "KR",
    "RUSSIAN FEDERATION": "RU",
}


@cache
def country_codes() -> Mapping[str, str]:
    """From an English name or a code in capitals to its ISO 3166-1 code (names of the Unicode CLDR)."""
    from babel import Locale

    names = {
        str(name).upper(): code
        for code, name in Locale("en").territories.items()
        if len(code) == 2 and code not in ("EU", "EZ", "UN", "XA", "XB", "ZZ")
    }
    return {**{code: code for code in names.values()}, **names, **_OTHER_NAMES}
