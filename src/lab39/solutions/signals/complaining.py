"""What a person complains of, read from a record: present, when, and what an entry expressly denies."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lab39.core import terms
from lab39.core.dates import PartialDate
from lab39.core.entries import HYPOTHETICAL, Observation, Value
from lab39.core.record import Record
from lab39.core.signs import ABSENT, PRESENT, UNDONE
from lab39.core.terms import Concept
from lab39.core.text import Text
from lab39.core.units import Quantity, UnitError
from lab39.solutions.signals.knowing import Complaint, Knowledge, Measure, folded

_ICD10 = (terms.ICD10, "http://hl7.org/fhir/sid/icd-10-cm")
_KNOWN = (terms.SNOMED, terms.HPO, *_ICD10)
_DENIED = re.compile(r"\b(?:pas d[e']|sans|aucune?|absence d[e']|ni|no|without|not|denies)\s*(?:\w+\s+){0,2}$")
"""What stands before a word that is denied (« pas de fièvre », « sans éruption »), on folded words."""

_NOT_NOW = re.compile(
    r"\b(?:(?:risques?|prevention|antecedents?(?: \w+){0,2}) d(?:e|u|es|')|(?:risk|history|prevention) of)"
    r"\s*(?:\w+\s+){0,2}$"
)
"""What stands before a word that is feared or past, neither there nor denied (« risque de chute »)."""

OVER_DAYS = 30
"""How long a complaint that is over is still thought of; a choice of Lab39."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A complaint that a record states.

    Attributes:
        says: as people read it (``éruption cutanée``, ``sodium 131 mmol/L``).
        began: when it began, or was seen; ``None`` when nothing says it.
        ref: the entry.
    """

    token: str
    says: Text
    began: PartialDate | None
    ref: str


def past(record: Record, on: dt.date, known: Knowledge) -> tuple[Sign, ...]:
    """The complaints that are over, and were there recently enough on a day; none that is not dated."""
    found = []
    for each in record.conditions():
        if each.verification in (*HYPOTHETICAL, "refuted") or each.active is not False:
            continue
        began = each.onset or each.recorded
        last = each.abatement or began
        if began is None or last is None or began.earliest > on or last.earliest > on:
            continue
        for token, said_not in _tokens(each.concept, known):
            complaint = known.complaints[token]
            if not said_not and (on - last.latest).days <= min(complaint.recent_days, OVER_DAYS):
                found.append(Sign(token, complaint.label, began, each.ref))
    return tuple(sorted(found, key=lambda s: (s.began is None, s.began and s.began.earliest, s.token, s.ref)))


def signs(record: Record, on: dt.date, known: Knowledge) -> tuple[Sign, ...]:
    """The complaints of a person that are recent enough on a day, the oldest first, undated ones last.

    Not used: what is resolved, refuted, only supposed, or denied by an entry that is not older; what began later
    than the day, or longer ago than the complaint is looked at.
    """
    present = [*_conditions(record, known), *_observations(record, known), *_results(record, on, known)]
    absent = [sign for sign, denied in present if denied]
    kept = [
        sign
        for sign, denied in present
        if not denied and _recent(sign, on, known) and not any(_denies(other, sign) for other in absent)
    ]
    unique = {(sign.token, sign.ref): sign for sign in kept}
    return tuple(
        sorted(unique.values(), key=lambda s: (s.began is None, s.began and s.began.earliest, s.token, s.ref))
    )


def _recent(sign: Sign, on: dt.date, known: Knowledge) -> bool:
    if sign.began is None:
        return True
    if sign.began.earliest > on:
        return False
    return (on - sign.began.latest).days <= known.complaints[sign.token].recent_days


def _denies(absent: Sign, present: Sign) -> bool:
    """Whether an entry that denies a complaint is not older than one that states it."""
    if absent.token != present.token:
        return False
    if absent.began is None or present.began is None:
        return False
    return absent.began.earliest >= present.began.latest


def _conditions(record: Record, known: Knowledge) -> Iterator[tuple[Sign, bool]]:
    for each in record.conditions():
        if each.verification in HYPOTHETICAL:
            continue
        denied = each.verification == "refuted"
        if not denied and each.active is False:
            continue
        for token, said_not in _tokens(each.concept, known):
            label = known.complaints[token].label
            yield Sign(token, label, each.onset or each.recorded, each.ref), denied or said_not


def _observations(record: Record, known: Knowledge) -> Iterator[tuple[Sign, bool]]:
    for each in record.observations():
        if each.status in UNDONE or each.raw.get("dataAbsentReason"):
            continue
        if isinstance(each.value, Concept):
            for token, said_not in _tokens(each.value, known):
                yield Sign(token, known.complaints[token].label, each.date, each.ref), said_not
        denied = _denied(each, each.value)
        if denied is not None:
            for token, said_not in _tokens(each.concept, known):
                yield Sign(token, known.complaints[token].label, each.date, each.ref), denied or said_not


def _denied(seen: Observation, value: Value) -> bool | None:
    """Whether an observation of a sign says that it is absent; ``None`` when it says neither."""
    if isinstance(value, Concept):
        if value.has(terms.SNOMED, *ABSENT):
            return True
        return False if value.has(terms.SNOMED, *PRESENT) else None
    if isinstance(value, bool):
        return not value
    return None if value is not None or seen.components else False


def _tokens(concept: Concept, known: Knowledge) -> Iterable[tuple[str, bool]]:
    """The complaints that a concept means, by its codes, else by its words; and whether its words deny them."""
    found: dict[str, bool] = {}
    coded = False
    for coding in concept.codings:
        if coding.system not in _KNOWN:
            continue
        coded = True
        if coding.system in _ICD10:
            tokens = tuple(
                c.token for c in known.complaints.values() if c.icd10 and coding.code.startswith(c.icd10)
            )
        else:
            system = "snomed" if coding.system == terms.SNOMED else "hpo"
            tokens = known.codes.get((system, coding.code), ())
        found |= dict.fromkeys(tokens, False)
    if coded or not concept.label:
        return found.items()
    words = folded(concept.label)
    for complaint in known.complaints.values():
        meant = complaint.unless.sub(" ", words) if complaint.unless else words
        at = complaint.words.search(meant) if complaint.words else None
        if at is not None and not _NOT_NOW.search(meant[: at.start()]):
            found[complaint.token] = bool(_DENIED.search(meant[: at.start()]))
    return found.items()


def _results(record: Record, on: dt.date, known: Knowledge) -> Iterator[tuple[Sign, bool]]:
    """The newest result of each analyte, when it lies outside the bound of a complaint."""
    for complaint in known.complaints.values():
        measure = complaint.measure
        if measure is None:
            continue
        seen = _newest(record, measure, on)
        if seen is None or seen.quantity is None or seen.status in UNDONE:
            continue
        value = in_unit(seen.quantity, measure)
        if value is not None and _outside(value, measure):
            yield _measured(complaint, measure, seen, seen.quantity), False


def _newest(record: Record, measure: Measure, on: dt.date) -> Observation | None:
    """The newest result; of one moment, that of the code named first (a corrected calcium before the total)."""
    newest = record.latest_quantity(*measure.loinc, on=on)
    for code in measure.loinc:
        seen = record.latest_quantity(code, on=on)
        if seen is not None and newest is not None and seen.date == newest.date and seen.status not in UNDONE:
            return seen
    return newest


def in_unit(quantity: Quantity, measure: Measure) -> float | None:
    """A result in the first unit of a measure; ``None`` when it cannot be told."""
    if quantity.comparator and not (quantity.comparator.startswith("<") and measure.below is not None):
        return None
    if quantity.unit in measure.units:
        return float(quantity.value)
    try:
        return float(quantity.to(measure.units[0], analyte=measure.analyte))
    except UnitError:
        return None


def _outside(value: float, measure: Measure) -> bool:
    return (measure.below is not None and value < measure.below) or (
        measure.at_least is not None and value >= measure.at_least
    )


def _measured(complaint: Complaint, measure: Measure, seen: Observation, quantity: Quantity) -> Sign:
    says = Text(f"{measure.name.fr} {quantity.say('fr')}", f"{measure.name.en} {quantity.say('en')}")
    return Sign(complaint.token, says, seen.date, seen.ref)
