"""Understand a medicine of a FHIR record: its codes and its text, which must agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lab39.solutions.pharmacy import notes as say
from lab39.solutions.pharmacy.catalogue import Catalogue
from lab39.solutions.pharmacy.model import Candidate, Match, Moiety, Resolution
from lab39.solutions.pharmacy.names import of_atc, resolve
from lab39.solutions.pharmacy.normal import moiety_key
from lab39.solutions.pharmacy.terms import CHOICE, CIP13, CIS

ATC = "http://www.whocc.no/atc"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
EXACT = (CHOICE, CIS, CIP13)


@dataclass(frozen=True, slots=True)
class Coded:
    """One coding of a medication."""

    system: str
    code: str
    display: str = ""


def resolve_coded(
    codings: Sequence[Coded], text: str, catalogue: Catalogue, rxnorm: Mapping[str, Sequence[str]] | None = None
) -> Resolution:
    """What a coded medication is: a product code first, then the words, then ATC and RxNorm.

    Args:
        rxnorm: RxNorm concept of an ingredient -> names of substances.

    Returns:
        ``AMBIGUOUS`` when the words and the ATC code name different medicines.
    """
    for system in EXACT:
        for each in codings:
            if each.system == system and (known := _exact(each, catalogue)):
                return replace(known, text=text or each.display or each.code)
    written = list(dict.fromkeys(w for w in (text, *(c.display for c in codings)) if w.strip()))
    by_atc = [a for c in codings if c.system == ATC and (a := of_atc(c.code, c.code, catalogue)).candidates]
    by_words = [resolve(words, catalogue) for words in written]
    found = next((r for r in by_words if r.found), None)
    if found and found.found:
        return _agreed(found, by_atc[0] if by_atc else None, codings)
    asked = next((r for r in by_words if r.match is Match.AMBIGUOUS), None)
    for answer in by_atc:
        same = [c for c in answer.candidates if asked and _keys(c) in {_keys(each) for each in asked.candidates}]
        kept = same or (list(answer.candidates) if asked is None else [])
        if len(kept) == 1:
            return Resolution(written[0] if written else answer.text, Match.FOUND, (kept[0],), answer.notes)
    for each in codings:
        names = (rxnorm or {}).get(each.code, ()) if each.system == RXNORM else ()
        keys = {moiety_key(name) for name in names}
        if len(keys) == 1 and asked is None:
            key = keys.pop()
            moiety = catalogue.moiety(key) or Moiety(key, names[0].lower())
            return Resolution(text or each.code, Match.FOUND, (Candidate((moiety,), 1.0, "rxnorm", moiety.label),))
    unknown = by_words[0] if by_words else resolve(codings[0].code if codings else text, catalogue)
    return asked or (replace(by_atc[0], text=text or by_atc[0].text) if by_atc else unknown)


def _exact(coding: Coded, catalogue: Catalogue) -> Resolution | None:
    if coding.system == CHOICE and not coding.code.isdigit():
        keys = coding.code.split("+")
        moieties = tuple(m for key in keys if (m := catalogue.moiety(key.strip())))
        if len(moieties) != len(keys):
            return None
        label = " + ".join(m.label for m in moieties)
        return Resolution(coding.code, Match.FOUND, (Candidate(moieties, 1.0, "choice", label),))
    answer = resolve(coding.code, catalogue)
    return answer if answer.found else None


def _agreed(found: Resolution, by_atc: Resolution | None, codings: Sequence[Coded]) -> Resolution:
    """The words, unless the ATC code names other medicines."""
    only = found.candidates[0]
    code = next((c.code for c in codings if c.system == ATC), "")
    if by_atc is None:
        return replace(found, candidates=(replace(only, atc=only.atc or code),)) if code else found
    shared = [c for c in by_atc.candidates if set(_keys(c)) & set(_keys(only))]
    if not shared:
        return replace(
            found,
            match=Match.AMBIGUOUS,
            candidates=(only, *by_atc.candidates),
            notes=(*found.notes, say.code_disagrees(code)),
        )
    return replace(found, candidates=(replace(only, atc=only.atc or code),))


def _keys(candidate: Candidate) -> tuple[str, ...]:
    return tuple(sorted(m.key for m in candidate.moieties))
