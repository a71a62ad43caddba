"""From the terms given to the terms used: current ids, and by name what is left out and why."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lab39.core.text import Text
from lab39.solutions.raredisease.index import Index
from lab39.solutions.raredisease.model import IgnoredTerm, MappedTerm, Query

_FORM = re.compile(r"HP:[0-9]{7}")


@dataclass(frozen=True, slots=True)
class Resolved:
    """A query in positions of the index, sorted, each once."""

    observed: tuple[int, ...]
    excluded: tuple[int, ...]
    ignored: tuple[IgnoredTerm, ...]
    mapped: tuple[MappedTerm, ...]


def resolve(index: Index, query: Query) -> Resolved:
    """Check and bring up to date the terms of a query.

    A sign stated both present and excluded says nothing: both are left out, as ``contradiction``. So is an
    excluded sign of which a kind was seen (to see a kind of it is to see it).
    """
    ignored: dict[str, IgnoredTerm] = {}
    mapped: dict[str, MappedTerm] = {}
    found: dict[bool, set[int]] = {False: set(), True: set()}
    for excluded, terms in ((False, query.observed), (True, query.excluded)):
        for term in terms:
            used = _one(index, term.strip())
            if isinstance(used, IgnoredTerm):
                ignored[used.term] = used
            elif isinstance(used, MappedTerm):
                mapped[used.given] = used
                found[excluded].add(_at(index, used.used))
            else:
                found[excluded].add(used)
    seen, absent = found[False], found[True]
    both = seen & absent
    held = {a for t in seen for a, _ in index.ancestors(t)}
    for at in both | (absent & held):
        term = index.term_ids[at]
        ignored[term] = _contradiction(term, index.labels[at], both=at in both)
    return Resolved(
        observed=tuple(sorted(seen - both)),
        excluded=tuple(sorted(absent - held)),
        ignored=tuple(ignored[t] for t in sorted(ignored)),
        mapped=tuple(mapped[t] for t in sorted(mapped)),
    )


def _one(index: Index, term: str) -> int | MappedTerm | IgnoredTerm:
    at = index.term_at(term)
    if at is not None:
        return at
    if not _FORM.fullmatch(term):
        return IgnoredTerm(
            term[:40],
            "malformed",
            Text(
                f"«\u202f{term[:40]}\u202f» n'est pas un identifiant HPO (HP:0001250)",
                f"“{term[:40]}” is not an HPO id (HP:0001250)",
            ),
        )
    others = index.other_terms
    if term in others["alternative"]:
        used = others["alternative"][term]
        label = index.labels[_at(index, used)]
        why = Text(
            f"{term} est un ancien identifiant de {used} ({label})", f"{term} is an older id of {used} ({label})"
        )
        return MappedTerm(term, used, label, "alternative-id", why)
    if term in others["obsolete"]:
        return _obsolete(index, term)
    if term in others["outside"]:
        name = others["outside"][term]
        return IgnoredTerm(
            term,
            "outside-phenotype",
            Text(
                f"{term} ({name}) ne décrit pas un signe (début, transmission, gravité…)\u202f: non utilisé",
                f"{term} ({name}) does not describe a sign (onset, inheritance, severity…): not used",
            ),
        )
    version = index.meta["hpo"]
    return IgnoredTerm(
        term,
        "unknown",
        Text(
            f"{term} n'existe pas dans HPO {version}\u202f: non utilisé",
            f"{term} does not exist in HPO {version}: not used",
        ),
    )


def _obsolete(index: Index, term: str) -> MappedTerm | IgnoredTerm:
    row = index.other_terms["obsolete"][term]
    heirs = [t for t in row["replaced_by"] if index.term_at(t) is not None]
    if len(heirs) == 1:
        label = index.labels[_at(index, heirs[0])]
        why = Text(
            f"{term} est obsolète, remplacé par {heirs[0]} ({label})",
            f"{term} is obsolete, replaced by {heirs[0]} ({label})",
        )
        return MappedTerm(term, heirs[0], label, "replaced", why)
    options = ", ".join([*heirs, *row["consider"]])
    hint_fr, hint_en = (f"\u202f; voir {options}", f"; see {options}") if options else ("", "")
    return IgnoredTerm(
        term,
        "obsolete",
        Text(
            f"{term} ({row['name']}) est obsolète sans remplaçant unique\u202f: non utilisé{hint_fr}",
            f"{term} ({row['name']}) is obsolete without a single replacement: not used{hint_en}",
        ),
    )


def _at(index: Index, term: str) -> int:
    at = index.term_at(term)
    assert at is not None
    return at


def _contradiction(term: str, label: str, *, both: bool) -> IgnoredTerm:
    if both:
        why = Text(
            f"{term} ({label}) est dit présent et absent\u202f: non utilisé, à vérifier",
            f"{term} ({label}) is stated present and absent: not used, check it",
        )
    else:
        why = Text(
            f"{term} ({label}) est dit absent alors qu'une forme en est présente\u202f: absence non utilisée",
            f"{term} ({label}) is stated absent while a kind of it is present: the absence is not used",
        )
    return IgnoredTerm(term, "contradiction", why)
