"""A person out of what is typed: age, weight, sex, creatinine, and what they have or had."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from lab39.core.errors import InputError, UnknownNameError
from lab39.core.text import Text
from lab39.solutions.pharmacy.facts import facts as known_facts
from lab39.solutions.pharmacy.model import Person
from lab39.solutions.pharmacy.renal import ckd_epi_2021_ml_min_173, cockcroft_gault_ml_min

_SEXES = {"female": "female", "f": "female", "femme": "female", "male": "male", "m": "male", "homme": "male"}
_NO = ("no", "non", "absent", "false")
_YES = ("", "yes", "oui", "present", "true")


def person(
    *,
    age: int | None = None,
    weight_kg: float | None = None,
    sex: str | None = None,
    creatinine_umol_l: float | None = None,
    facts: Iterable[str] = (),
) -> Person:
    """The person; kidney function only when all it takes is known.

    Args:
        facts: tokens, present as they stand, absent with ``=no``.

    Raises:
        InputError: a sex or a fact that is not understood.
        UnknownNameError: a fact that no level depends on, with those there are.
    """
    known = _sex(sex)
    clearance = rate = None
    if age is not None and known and creatinine_umol_l:
        rate = ckd_epi_2021_ml_min_173(age_years=age, creatinine_umol_l=creatinine_umol_l, sex=known)
        if weight_kg:
            clearance = cockcroft_gault_ml_min(
                age_years=age, weight_kg=weight_kg, creatinine_umol_l=creatinine_umol_l, sex=known
            )
    return Person(
        age_years=age,
        sex=known,
        weight_kg=Decimal(str(weight_kg)) if weight_kg else None,
        creatinine_clearance_ml_min=clearance,
        egfr_ml_min_173=rate,
        facts=dict(map(_fact, facts)),
    )


def _sex(written: str | None) -> str | None:
    if written is None:
        return None
    if written.casefold() not in _SEXES:
        raise InputError(Text("female ou male est attendu", "female or male is expected"), f"--sex {written}")
    return _SEXES[written.casefold()]


def _fact(written: str) -> tuple[str, bool]:
    token, _, said = written.partition("=")
    if said.casefold() not in (*_NO, *_YES) or not token.strip():
        raise InputError(
            Text("écrire FAIT, ou FAIT=no s'il est absent", "write FACT, or FACT=no when it is absent"),
            f"--fact {written}",
        )
    name = token.strip().casefold()
    if name not in known_facts().facts:
        known = ", ".join(known_facts().facts)
        raise UnknownNameError(
            Text(f"fait inconnu. Connus\u202f: {known}", f"unknown fact. Known: {known}"), f"--fact {name[:60]}"
        )
    return name, said.casefold() not in _NO
