"""The form that reports an adverse event, begun from a record: age, sex, diseases, medicines; never a name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab39.core import terms
from lab39.core.dates import PartialDate
from lab39.core.entries import Dosage, Medication
from lab39.core.finding import Severity
from lab39.core.record import Record
from lab39.core.text import Lang
from lab39.core.units import UnitError
from lab39.solutions.signals.report_form import OF_DRUG, OF_REACTION, Sheet, empty, knowledge

if TYPE_CHECKING:
    from lab39.solutions.signals.matching import Suspicion
    from lab39.solutions.signals.taking import Taken

WEIGHT = ("29463-7", "3141-9")
"""LOINC: body weight, body weight measured."""
_SEX = {"female": "F", "male": "M"}


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a record makes one fear: to be confirmed.

    Attributes:
        drug: the most suspected medicine.
        roles: by entry of the record, the role of each medicine that the finding names: suspect (``S``), or
            interacting (``I``) where the source says that they do it together.
        seen: what was observed and when it began, never the diagnosis that is feared: nobody made it yet.
        refs: entries of the record that say so.
    """

    drug: str
    roles: Mapping[str, str]
    seen: tuple[tuple[str, PartialDate | None], ...]
    refs: frozenset[str]


def of_record(
    record: Record, on: dt.date, lang: Lang, drug: str = "", reaction: str = "", proposal: Proposal | None = None
) -> Sheet:
    """A form with what a record knows on a day.

    Args:
        drug: the suspect; the medicine of the record that bears this name, even stopped, else a row of its own.
        reaction: the reaction; that of a link.
        proposal: the suspect and what was seen, instead of those of a link.
    """
    if proposal is not None:
        drug = proposal.drug
    begun = empty(drug, reaction)
    age = record.age(on)
    single = dict(begun.single) | {
        "age": str(age.years) if age and age.years is not None else "",
        "sex": _SEX.get(record.sex or "", ""),
        "weight": _weight(record, on, lang),
        "history": _history(record, proposal.refs if proposal else frozenset()),
    }
    roles = proposal.roles if proposal else {}
    taken = [
        (each, _row(each, roles.get(each.ref) or ("C" if roles else _role(each, drug)), lang))
        for each in record.medications()
        if each.concept.label
    ]
    first = list(roles)
    taken.sort(key=lambda one: first.index(one[0].ref) if one[0].ref in roles else len(first))
    rows = [row for each, row in taken if each.current is not False or row["role"] != "C"]
    rows = list({row["drug"].casefold(): row for row in reversed(rows)}.values())[::-1]
    if drug and not any(row["role"] != "C" for row in rows):
        rows = [dict(begun.drugs[0]), *rows]
    rows.sort(key=lambda row: row["role"] == "C")
    seen = proposal.seen if proposal else ((reaction, None),)
    reactions = tuple(
        dict.fromkeys(OF_REACTION, "") | {"reaction": words[:200], "onset": _written(began, lang)}
        for words, began in seen
    )
    return Sheet(single, (), tuple(rows) or begun.drugs, reactions)


def suspected(record: Record, on: dt.date, lang: Lang) -> Proposal | None:
    """The medicines that the record makes one suspect on a day, and of what; ``None`` when it makes fear nothing.

    Only what its findings call an alarm, an emergency or critical, with a source that was opened: a proposal to be
    confirmed.
    """
    from lab39.solutions.signals import complaining, knowing, matching, taking

    known = knowing.knowledge()
    signs, medicines = complaining.signs(record, on, known), taking.taken(record, on, known)
    found = matching.suspicions(known, signs, medicines, on)
    grave = [each for each in found if _gravity(each) is not None and each.first.verified]
    if not grave:
        return None
    worst = min(grave, key=lambda each: _gravity(each) or 0)
    return Proposal(
        worst.first.medicine.name[lang],
        _roles(worst, medicines),
        tuple((sign.says[lang], sign.began) for sign in worst.signs),
        frozenset(sign.ref for sign in worst.signs),
    )


def _gravity(suspicion: Suspicion) -> int | None:
    """Which is reported first: an emergency, an alarm, another critical finding; ``None`` for the rest."""
    if suspicion.level in ("emergency", "alarm"):
        return ("emergency", "alarm").index(suspicion.level)
    return 2 if suspicion.reaction.levels[suspicion.level].severity is Severity.CRITICAL else None


def _roles(suspicion: Suspicion, medicines: Iterable[Taken]) -> Mapping[str, str]:
    """Every medicine that the finding holds suspect, the most suspected first, out of sources that were opened."""
    from lab39.solutions.signals import matching

    together = matching.interacting(suspicion, medicines)
    named = [each.medicine for each in suspicion.suspects if each.verified]
    found = {ref: "I" if medicine in together else "S" for medicine in named for ref in medicine.refs}
    return found | {ref: "I" for medicine in together for ref in medicine.refs}


def _role(each: Medication, drug: str) -> str:
    """Suspect when the medicine bears the name of a link."""
    name, told = each.concept.label.casefold(), drug.casefold()
    return "S" if told and (told in name or name in told) else "C"


def _row(each: Medication, role: str, lang: Lang) -> dict[str, str]:
    return dict.fromkeys(OF_DRUG, "") | {
        "drug": each.concept.label[:200],
        "role": role,
        "dose": _dose(each.dosages),
        "route": next(filter(None, (_route(d, lang) for d in each.dosages)), "")[:200],
        "start": _written(each.start, lang),
        "stop": _written(each.end, lang),
    }


def _route(dosage: Dosage, lang: Lang) -> str:
    """A route in the words of the reader when its code is a common one, else in those of the record."""
    if dosage.route is None:
        return ""
    known = knowledge()["route"]
    names = (known[c.code][lang] for c in dosage.route.codings if c.system == terms.SNOMED and c.code in known)
    return next(names, "") or dosage.route.label or ""


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


def _history(record: Record, reacting: frozenset[str]) -> str:
    """The diseases of a record, without those that are ruled out and without what is reported as the reaction."""
    ruled_out = ("refuted", "entered-in-error")
    names = [
        each.concept.label
        for each in record.conditions()
        if each.verification not in ruled_out and each.ref not in reacting
    ]
    return ", ".join(dict.fromkeys(filter(None, names)))[:5_000]
