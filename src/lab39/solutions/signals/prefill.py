"""The form that reports an adverse event, begun from a record: age, sex, diseases, medicines; never a name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from lab39.core.dates import PartialDate
from lab39.core.entries import Dosage, Medication
from lab39.core.record import Record
from lab39.core.text import Lang
from lab39.core.units import UnitError
from lab39.solutions.signals.report_form import OF_DRUG, OF_REACTION, Sheet, empty

WEIGHT = ("29463-7", "3141-9")
"""LOINC: body weight, body weight measured."""
_SEX = {"female": "F", "male": "M"}


def of_record(record: Record, on: dt.date, lang: Lang, drug: str = "", reaction: str = "") -> Sheet:
    """A form with what a record knows on a day.

    Args:
        drug: the suspect; the medicine of the record that bears this name, even stopped, else a row of its own.
        reaction: the reaction; that of a link.
    """
    begun = empty(drug, reaction)
    age = record.age(on)
    single = dict(begun.single) | {
        "age": str(age.years) if age and age.years is not None else "",
        "sex": _SEX.get(record.sex or "", ""),
        "weight": _weight(record, on, lang),
        "history": _history(record),
    }
    taken = [(each, _row(each, drug, lang)) for each in record.medications() if each.concept.label]
    rows = [row for each, row in taken if each.current is not False or row["role"] == "S"]
    rows = list({row["drug"].casefold(): row for row in reversed(rows)}.values())[::-1]
    if drug and not any(row["role"] == "S" for row in rows):
        rows = [dict(begun.drugs[0]), *rows]
    rows.sort(key=lambda row: row["role"] != "S")
    reactions = (dict.fromkeys(OF_REACTION, "") | {"reaction": reaction[:200]},)
    return Sheet(single, (), tuple(rows) or begun.drugs, reactions)


def suspected(record: Record, on: dt.date, lang: Lang) -> tuple[str, str]:
    """The medicine and the reaction that the record makes one fear on a day: names; empty when it makes fear none.

    Only what its findings call an alarm or an emergency, with a source that was opened: a proposal to be confirmed.
    """
    from lab39.solutions.signals import complaining, knowing, matching, taking

    known = knowing.knowledge()
    signs, medicines = complaining.signs(record, on, known), taking.taken(record, on, known)
    for level in ("emergency", "alarm"):
        for each in matching.suspicions(known, signs, medicines, on):
            if each.level == level and each.first.verified:
                return each.first.medicine.name[lang], each.reaction.name[lang]
    return "", ""


def _row(each: Medication, drug: str, lang: Lang) -> dict[str, str]:
    name = each.concept.label
    suspect = bool(drug) and (drug.casefold() in name.casefold() or name.casefold() in drug.casefold())
    return dict.fromkeys(OF_DRUG, "") | {
        "drug": name[:200],
        "role": "S" if suspect else "C",
        "dose": _dose(each.dosages),
        "route": next((d.route.label for d in each.dosages if d.route is not None and d.route.label), "")[:200],
        "start": _written(each.start, lang),
        "stop": _written(each.end, lang),
    }


def _dose(dosages: Iterable[Dosage]) -> str:
    return "\u202f; ".join(each.text for each in dosages if each.text)[:200]


def _written(day: PartialDate | None, lang: Lang) -> str:
    """A date as the reader types it, with its precision, without a time."""
    if day is None:
        return ""
    iso = day.written[:10]
    return "/".join(reversed(iso.split("-"))) if lang == "fr" else iso


def _weight(record: Record, on: dt.date, lang: Lang) -> str:
    seen = record.latest_quantity(*WEIGHT, on=on)
    if seen is None or seen.quantity is None or seen.quantity.comparator:
        return ""
    try:
        written = f"{seen.quantity.to('kg').normalize():f}"
    except UnitError:
        return ""
    return written.replace(".", ",") if lang == "fr" else written


def _history(record: Record) -> str:
    ruled_out = ("refuted", "entered-in-error")
    names = [each.concept.label for each in record.conditions() if each.verification not in ruled_out]
    return ", ".join(dict.fromkeys(filter(None, names)))[:5_000]
