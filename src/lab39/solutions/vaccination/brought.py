"""A file that is brought to the form: what it tells, as if it had been typed, and what the form cannot hold."""

from __future__ import annotations

import datetime as dt

from lab39.core import entries as e
from lab39.core.entries import NOT_GIVEN
from lab39.core.errors import InputError
from lab39.core.record import Record
from lab39.core.text import Text
from lab39.solutions.vaccination import gestation
from lab39.solutions.vaccination.consultation import (
    MAX_DOSES,
    MAX_LENGTH,
    MAX_STATED,
    SHORT,
    Asked,
    Typed,
    is_stated,
)


def of_record(record: Record, on: dt.date | None = None) -> Asked:
    """What a file tells, as if it had been typed: birth date, sex, doses, diseases that have a code.

    What the form cannot hold is named in ``unheld``; a dose said to be subpotent is left out, it would count.

    Args:
        on: the day of which the term of a pregnancy is asked; no term without it.

    Raises:
        InputError: a person who has died, or more doses than an address holds: the form cannot tell either.
    """
    if record.deceased is True:
        raise InputError(
            Text(
                "personne décédée d'après le dossier\u202f: aucun vaccin n'est proposé",
                "the record says that this person has died: no vaccine is proposed",
            ),
            "file",
        )
    period = gestation.last_period(record, on) if on else None
    doses = []
    for each in record.immunizations():
        if each.status in NOT_GIVEN or _subpotent(each):
            continue
        coding = next((c for c in each.concept.codings if c.system in SHORT), None)
        code = f"{SHORT[coding.system]}|{coding.code}" if coding else ""
        words = (each.concept.label or code).replace("~", " ")[:MAX_LENGTH]
        doses.append(Typed(code, words, each.date.written[:10] if each.date else ""))
    if len(doses) > MAX_DOSES:
        raise InputError(
            Text(
                f"plus de {MAX_DOSES} vaccins dans ce dossier\u202f: l'évaluer par lab39 vaccination due",
                f"more than {MAX_DOSES} vaccines in this record: assess it with lab39 vaccination due",
            ),
            "file",
        )
    stated, coded = _conditions(record)
    return Asked(
        kind="typed",
        born=record.birth_date.written[:10] if record.birth_date else "",
        sex=record.sex if record.sex in ("female", "male") else "",
        doses=tuple(doses),
        stated=stated[:MAX_STATED],
        last_period=period.isoformat() if period else "",
        unheld=_unheld(record, diseases=not coded or len(stated) > MAX_STATED),
    )


def _conditions(record: Record) -> tuple[tuple[str, ...], bool]:
    """The present, confirmed diseases as the address writes them, and whether all of them could be written."""
    found, coded = [], True
    for each in record.conditions():
        if each.active is False or each.verification not in (None, "confirmed"):
            continue
        coding = next((c for c in each.concept.codings if c.system in SHORT), None)
        since = f"@{each.onset.written[:10]}" if each.onset else ""
        written = f"{SHORT[coding.system]}|{coding.code}{since}" if coding else ""
        if written and is_stated(written):
            found.append(written)
        else:
            coded = False
    return tuple(dict.fromkeys(found)), coded


def _subpotent(dose: e.Immunization) -> bool:
    """Whether the record says that a dose was not enough; the form cannot say it, and would count it."""
    return dose.raw.get("isSubpotent") is True


def _unheld(record: Record, *, diseases: bool) -> tuple[str, ...]:
    """What a record holds and the form does not, as keys of :data:`UNHELD`; ``diseases``: some are left out."""
    taken = gestation.LAST_PERIOD | gestation.GESTATIONAL_AGE
    results = (each.concept.codings for each in record.observations() if each.value is not None)
    there = {
        "medicines": bool(record.medications()),
        "allergies": bool(record.allergies()),
        "results": any(taken.isdisjoint(coding.code for coding in codings) for codings in results),
        "diseases": diseases,
        "subpotent": any(_subpotent(each) for each in record.immunizations()),
    }
    return tuple(name for name, found in there.items() if found)
