"""What Pro Santé Connect says of a health professional.

Names of claims as in answers of its test environment that integrators publish (SubjectNameID,
SubjectRefPro.exercices, codeProfession, codeCategorieProfessionnelle); its own documentation was not opened for
each of them, so everything is read as optional. A national identifier is ``8`` followed by an RPPS number (FR
Core 2.2, example FRCorePractitionerExample: 810101201234, RPPS 10101201234). Identifiers of another kind
(ADELI, structures, tests) tell no professional here. Categories: C civil and M military practise; any other (E,
students: unverified) gives no professional identity.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

NATIONAL = re.compile(r"8([0-9]{11})")
PROFESSION = re.compile(r"[0-9A-Z]{2,8}")
PRACTISING = ("C", "M")


@dataclass(frozen=True, slots=True)
class ProfessionalClaims:
    """A professional identity.

    Attributes:
        rpps: number in the register of professionals, 11 digits.
        profession: code of TRE_G15 (``10`` physician, ``21`` pharmacist…).
    """

    rpps: str
    profession: str


def read(claims: Mapping[str, Any]) -> ProfessionalClaims | None:
    """The professional identity in the claims; ``None`` unless a number and a practised profession are told."""
    number = _rpps(claims)
    professions = list(_practised(claims))
    return ProfessionalClaims(number, professions[0]) if number and professions else None


def name(claims: Mapping[str, Any]) -> str:
    """Given and family name as told; empty when neither is."""
    parts = (claims.get("given_name"), claims.get("family_name"))
    return " ".join(part.strip() for part in parts if isinstance(part, str) and part.strip())[:200]


def _rpps(claims: Mapping[str, Any]) -> str:
    """From the national identifier; where it is told twice, both must agree."""
    told = {claims[key] for key in ("SubjectNameID", "preferred_username") if isinstance(claims.get(key), str)}
    found = [NATIONAL.fullmatch(value) for value in told]
    return found[0][1] if len(found) == 1 and found[0] else ""


def _practised(claims: Mapping[str, Any]) -> Iterator[str]:
    known = claims.get("SubjectRefPro")
    practices = known.get("exercices") if isinstance(known, Mapping) else None
    for each in practices if isinstance(practices, list) else ():
        if not isinstance(each, Mapping) or each.get("codeCategorieProfessionnelle") not in PRACTISING:
            continue
        code = each.get("codeProfession")
        if isinstance(code, str) and PROFESSION.fullmatch(code):
            yield code
