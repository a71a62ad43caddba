"""A dose given on its own (« 75 mg/j »): read as the dose of a line, or refused with what is wrong."""

from __future__ import annotations

import re
from decimal import Decimal

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.pharmacy.model import Posology, Product
from lab39.solutions.pharmacy.posology import read_posology

EXAMPLES = "75 mg/j, 1 g x 3/j, 500 mg par prise, 15 mg/semaine"
_INTAKE = re.compile(r"\s*(?:(?:par|per|/|a|an)\s*(?:prise|intake|dose))?\s*", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


def read_dose(text: str, product: Product | None = None) -> Posology:
    """What a dose says; what it does not say stays unknown. A mass alone is what is taken at once.

    >>> read_dose("1 g x 3/j").per_day_mg, read_dose("500 mg").per_intake_mg, read_dose("15 mg/semaine").per_week_mg
    (Decimal('3000'), Decimal('500'), Decimal('15'))

    Args:
        product: when it is known, its units count (« 2 comprimés par jour »).

    Raises:
        InputError: no number, no unit, or a rhythm that is not understood; its place is the dose.
    """
    found = read_posology(text, product)
    said = found.posology
    if said == Posology() and not found.notes:
        said = _at_once(text)
    if Decimal(0) in (said.per_intake_mg, said.per_day_mg, said.per_week_mg):
        said = Posology()
    if said != Posology() and not found.notes:
        return said
    place = text.strip()[:60] or "–"
    if found.notes:
        fr = "\u202f; ".join(note.fr for note in found.notes)
        en = "; ".join(note.en for note in found.notes)
    else:
        fr, en = "dose non comprise", "a dose not understood"
    raise InputError(
        Text(f"{fr}. L'écrire en g, mg ou µg\u202f: {EXAMPLES}", f"{en}. Write it in g, mg or µg: {EXAMPLES}"),
        place,
    )


def _at_once(text: str) -> Posology:
    """A mass with nothing after it but « par prise », read through what a rhythm of once a day makes of it."""
    number = _NUMBER.match(text.strip())
    if number is None:
        return Posology()
    unit = re.match(r"\s*[^\W\d]+", text.strip()[number.end() :])
    if unit is None or not _INTAKE.fullmatch(text.strip()[number.end() + unit.end() :]):
        return Posology()
    once = read_posology(f"{number[0]} {unit[0].strip()} une fois par jour").posology
    return Posology(per_intake_mg=once.per_intake_mg)
