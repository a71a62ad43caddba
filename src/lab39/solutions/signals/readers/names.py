"""Names of drugs and of countries: as reported, and what they stand for.

A drug's name is looked up in dictionaries (the user's CSV, what packs bring: :mod:`lab39.core.drugnames`), in the
order told; then it is what the source itself says is in it, else the name itself. How it was found is kept, and
what was found nowhere is counted.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from lab39.core.drugnames import Find, Meanings
from lab39.solutions.signals.readers.errors import refuse
from lab39.solutions.signals.readers.streams import Item, text_lines

if TYPE_CHECKING:
    from lab39.core.datapacks import Packs

JOIN = " + "
"""Between the ingredients of a product: each of them is counted."""
AMBIGUOUS = "ambiguous"
RESERVED = (AMBIGUOUS, "source", "name", "none")
"""Ways to find a name that are no dictionary."""
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


def _listed(name: str) -> str:
    """A normal name that lists ingredients in the form of :func:`ingredients`, without what is left of those that
    only said a form or a dose; any other name as it is."""
    parts = {bare for each in name.split(JOIN) if re.search(r"\w", bare := normal(each))}
    return JOIN.join(sorted(parts)) if JOIN in name and parts else name


@dataclass(frozen=True, slots=True)
class Dictionary:
    """One way to look a name up.

    Attributes:
        name: of the file or of the pack.
        version: of the pack; of a file, the beginning of the digest of what it says.
        key: names the content.
        find: from a name as it is written to its meanings, see :mod:`lab39.core.drugnames`.
        own: the user's: asked by the name as reported first, then by what the source says is in the product. A
            pack's is asked by the name alone when the source does not say: brands differ between countries.
    """

    name: str
    version: str
    key: str
    find: Find
    own: bool = False

    @classmethod
    def of(cls, mapping: Mapping[str, tuple[str, ...]], name: str = "dictionary") -> Dictionary:
        """The user's own, from normal names to ingredients."""
        told = json.dumps(sorted(mapping.items()), ensure_ascii=False)
        key = hashlib.sha256(told.encode()).hexdigest()
        known = {name: (tuple(sorted(what)),) for name, what in mapping.items()}
        return cls(name, key[:8], key, lambda name: known.get(normal(name), ()), own=True)

    def meanings(self, drug: str | None, said: str | None) -> Meanings:
        """What a product is; none when it is not known, several when it is ambiguous."""
        wholes = (drug, said) if self.own else (None if said else drug,)
        for name in wholes:
            if name and (found := self.find(name)):
                return found
        for name in (said,) if said else (drug,):
            if found := self._parts([each for each in _SPLIT.split(name or "") if each.strip()]):
                return found
        return ()

    def _parts(self, parts: list[str]) -> Meanings:
        """The ingredients of a list, one by one: those that are not known, or ambiguous, keep their own name."""
        found = [self.find(each) for each in parts]
        if not any(len(each) == 1 for each in found):
            return found[0] if len(found) == 1 else ()
        names = [each[0] if len(each) == 1 else (normal(part),) for part, each in zip(parts, found, strict=True)]
        return (tuple(sorted({name for some in names for name in some})),)


@dataclass(frozen=True, slots=True)
class Names:
    """The dictionaries that names are looked up in, in order: the first that knows a name says what it is."""

    dictionaries: tuple[Dictionary, ...] = ()

    @property
    def identity(self) -> list[dict[str, str]]:
        """Which they are, as plain values: two stores that agree on it read names the same way."""
        return [{"name": each.name, "version": each.version, "key": each.key} for each in self.dictionaries]

    def find(self, drug: str | None, said: str | None) -> tuple[str | None, str]:
        """The ingredient of a drug and how it was found.

        A dictionary that knows several meanings ends the search: the name is left as it is.

        Returns:
            The ingredient, several joined with `` + ``, and a dictionary's name, ``ambiguous``, ``source``,
            ``name`` or ``none``.
        """
        way = ""
        for each in self.dictionaries:
            found = each.meanings(drug, said)
            if len(found) == 1:
                return JOIN.join(sorted(found[0])), each.name
            if found:
                way = AMBIGUOUS
                break
        if said and (made := ingredients(said)):
            return made, way or "source"
        made = _listed(normal(drug)) if drug else ""
        return (made, way or "name") if made else (None, "none")


def open_names(asked: Iterable[str], packs: Callable[[], Packs]) -> Names:
    """Dictionaries as a command line names them, in order.

    Args:
        asked: the name of a pack (``bdpm``, ``bdpm@2026-05-15`` for one of its versions) or the path of a CSV.
        packs: called only when a pack is named.

    Raises:
        UnknownNameError: neither a file nor a pack that has names of drugs.
        PackMissingError: a pack that is not installed.
        InputError: see :func:`read_dictionary`; or one that is named twice.
    """
    from lab39.core import drugnames

    made: list[Dictionary] = []
    for each in asked:
        if Path(each).is_file() or Path(each).suffix:
            one = Dictionary.of(read_dictionary(Path(each)), Path(each).name)
        else:
            name, _, version = each.partition("@")
            found = drugnames.open_pack(packs(), name, version or None)
            one = Dictionary(found.name, found.version, found.key, found.find)
        if one.name in RESERVED or any(one.name == other.name for other in made):
            raise refuse(
                each,
                "ce nom de dictionnaire est déjà pris : renommez le fichier",
                "this name of a dictionary is taken: rename the file",
            )
        made.append(one)
    return Names(tuple(made))


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
