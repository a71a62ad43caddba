"""A printable vaccination record: every dose with its lot, its site and whether it counts, and what comes next.

The page is set by Typst with the fonts it carries, from plain values: no system font, no network, and the same
bytes for the same record on the same day.
"""

from __future__ import annotations

import datetime as dt
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from lab39.core.entries import NOT_GIVEN, Immunization
from lab39.core.record import Record
from lab39.core.text import LANGS, NO_TEXT, Lang, Text, date
from lab39.solutions.vaccination import illness, repeats, words
from lab39.solutions.vaccination.dates import Duration, add
from lab39.solutions.vaccination.given import Uncounted
from lab39.solutions.vaccination.illness import Noted
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import Dose, Patient, Result
from lab39.solutions.vaccination.products import by_nuva
from lab39.solutions.vaccination.standing import Kind, Standing, coming, due, standings
from lab39.solutions.vaccination.stated import is_globulin
from lab39.solutions.vaccination.verdicts import verdict

_AHEAD = Duration(24, 0)
"""How far what comes next is printed; beyond it, only the first date."""
_SCRIPTS = frozenset(
    [
        "LATIN",
        "GREEK",
        "CYRILLIC",
        "ARMENIAN",
        "GEORGIAN",
        "HEBREW",
        "ARABIC",
        "DEVANAGARI",
        "LAO",
        "COMBINING",
        "MODIFIER",
        "FEMININE",
        "MASCULINE",
        "MICRO",
    ]
)
"""How the Unicode names of the letters that the fonts of Typst hold begin."""
_LABELS: Mapping[str, Text] = {
    "title": Text("Relevé de vaccination", "Vaccination record"),
    "person": Text("Personne", "Person"),
    "born": Text("Né(e) le", "Born on"),
    "unknown": Text("non indiqué", "not stated"),
    "given": Text("Doses reçues", "Doses given"),
    "date": Text("Date", "Date"),
    "vaccine": Text("Vaccin", "Vaccine"),
    "lot": Text("Lot", "Lot"),
    "site": Text("Site", "Site"),
    "verdict": Text("Compte", "Counts"),
    "none": Text("Aucune dose dans le dossier.", "No dose in the record."),
    "now": Text("À faire", "To be given"),
    "next": Text("Ensuite", "Next"),
    "nothing": Text("Rien à cette date.", "Nothing on this date."),
    "from": Text("dès le", "from"),
    "made": Text("Établi le", "Made on"),
    "after": Text("d'après", "according to"),
    "unprinted": Text(
        "Certaines lettres de ce relevé ne peuvent pas être imprimées ici\u202f: les écrire à la main.",
        "Some letters of this record cannot be printed here: write them by hand.",
    ),
    "signature": Text("Professionnel, date, signature", "Professional, date, signature"),
    "notice": Text(
        "Relevé du dossier tel qu'il est\u202f: une dose absente d'ici a pu être reçue. "
        "Ce n'est pas un certificat international de vaccination.",
        "The record as it stands: a dose that is absent here may have been given. "
        "Not an international certificate of vaccination.",
    ),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One dose as printed; ``counts`` is its verdict with the reason, when there is one."""

    date: Text
    vaccine: Text
    lot: str
    site: str
    counts: Text


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is printed.

    Attributes:
        until: what the doses of ``now`` wait for; empty when they wait for nothing.
        beside: why they wait, or what is to be asked before.
    """

    name: str
    born: dt.date
    on: dt.date
    schedule: Text
    edition: str
    given: tuple[Line, ...]
    now: tuple[Text, ...]
    next: tuple[Text, ...]
    until: Text = NO_TEXT
    beside: tuple[Text, ...] = ()

    @property
    def unprinted(self) -> bool:
        """Whether something of the record is in letters that no font here holds."""
        written = (each for line in self.given for each in (line.vaccine.fr, line.lot, line.site))
        return not all(map(is_printed, (self.name, *written)))

    def as_dict(self, langs: Sequence[Lang] = LANGS) -> dict[str, Any]:
        """Plain values, each text as the page shows it: in one language, or in both."""

        def said(text: Text) -> str:
            return " / ".join(dict.fromkeys(text[lang] for lang in langs))

        def day(value: dt.date) -> Text:
            return Text(date(value, "fr"), date(value, "en"))

        return {
            "lang": langs[0],
            "labels": {key: said(text) for key, text in _LABELS.items()},
            "name": self.name,
            "born": said(day(self.born)),
            "on": said(day(self.on)),
            "schedule": said(self.schedule),
            "edition": self.edition,
            "given": [
                {
                    "date": said(each.date),
                    "vaccine": said(each.vaccine),
                    "lot": each.lot,
                    "site": each.site,
                    "counts": said(each.counts),
                }
                for each in self.given
            ],
            "to_give": said(self._to_give()),
            "beside": [said(each) for each in self.beside],
            "now": [said(each) for each in self.now],
            "next": [said(each) for each in self.next],
            "unprinted": self.unprinted,
            "year": self.on.year,
            "month": self.on.month,
            "day": self.on.day,
        }

    def _to_give(self) -> Text:
        """Above what is to be given: not now, when it waits."""
        label = _LABELS["now"]
        return Text(f"{label.fr} {self.until.fr}", f"{label.en} {self.until.en}") if self.until.fr else label


def certificate(
    record: Record,
    patient: Patient,
    result: Result,
    schedule: Schedule,
    uncounted: Sequence[Uncounted] = (),
    noted: Sequence[Noted] = (),
) -> Certificate:
    """What to print of a record and of what the engine says of it.

    Args:
        uncounted: doses of the record that could not be counted; they are printed with the reason.
        noted: what the record tells of an acute illness; that the doses wait is printed, the illness is not.
    """
    counted: dict[tuple[str, dt.date], Dose] = {(dose.id, dose.date): dose for dose in patient.doses}
    why = {each.ref: each.said for each in uncounted}
    stand, wait = standings(result), illness.wait(noted)
    to_give = due(stand)
    rows: list[tuple[dt.date, Line]] = []
    for each in record.immunizations():
        if each.status in NOT_GIVEN:
            continue
        day = each.date.exact if each.date else None
        dose = counted.get((each.ref, day)) if day else None
        if dose is not None:
            counts = _counts(schedule, patient, result, stand, dose)
        elif each.ref in why:
            said = why[each.ref]
            counts = Text(f"non comptée ({said.fr})", f"not counted ({said.en})")
        elif is_globulin(each.concept, schedule):
            counts = Text("immunoglobulines, pas un vaccin", "immunoglobulins, not a vaccine")
        else:
            counts = Text("notée deux fois, comptée une fois", "recorded twice, counted once")
        line = _line(each, schedule, dose.code if dose else "", counts)
        rows.append((each.date.earliest if each.date else dt.date.max, line))
    return Certificate(
        name=record.name,
        born=patient.birth_date,
        on=result.on,
        schedule=words.schedule_title(schedule.name),
        edition=schedule.version,
        given=tuple(line for _, line in sorted(rows, key=lambda row: row[0])),
        now=tuple(_due(each) for each in to_give),
        next=tuple(_coming(each) for each in _ahead(coming(stand), result.on)),
        until=wait.until if wait and to_give else NO_TEXT,
        beside=illness.printed(noted) if to_give else (),
    )


def _counts(schedule: Schedule, patient: Patient, result: Result, stand: Sequence[Standing], dose: Dose) -> Text:
    """The verdict of a dose with its reasons; a dose that had its use is not said to be worth nothing."""
    said = verdict(result, dose)
    if said is None:
        return Text("hors du calendrier", "not in the schedule")
    if (use := repeats.had_its_use(schedule, patient, result, stand, dose)) is not None:
        return use
    status = words.status(str(said.status))
    if not said.reasons:
        return status
    reasons = words.joined([words.reason(reason) for reason in said.reasons])
    return Text(f"{status.fr} ({reasons.fr})", f"{status.en} ({reasons.en})")


def is_printed(text: str) -> bool:
    """Whether the fonts that Typst carries hold every letter of a text.

    >>> is_printed("Łucja Nguyễn Оксана محمد"), is_printed("王小明")
    (True, False)
    """
    letters = (each for each in text if unicodedata.category(each)[0] in "LM" or unicodedata.category(each) == "So")
    return all(unicodedata.name(each, "").partition(" ")[0] in _SCRIPTS for each in letters)


def pdf(found: Certificate, langs: Sequence[Lang] = LANGS) -> bytes:
    """The page as PDF, tagged for screen readers."""
    import typst

    template = (resources.files(__package__) / "templates" / "certificate.typ").read_bytes()
    values = json.dumps(found.as_dict(langs), ensure_ascii=False)
    made: bytes = typst.compile(
        template,
        format="pdf",
        sys_inputs={"values": values},
        ignore_system_fonts=True,
        timestamp=int(dt.datetime.combine(found.on, dt.time(), dt.UTC).timestamp()),
    )
    return made


def _line(each: Immunization, schedule: Schedule, code: str, counts: Text) -> Line:
    day = each.date
    shown = Text(day.say("fr"), day.say("en")) if day else _LABELS["unknown"]
    product = by_nuva(code) if code else None
    written = each.concept.label or schedule.vaccine_names.get(code, "")
    label = product.label if product else Text.same(written)
    return Line(shown, label, each.lot or "", _site(each.raw.get("site")), counts)


def _site(site: object) -> str:
    """The site as the record writes it: its text, else the display or the code of its first coding."""
    if not isinstance(site, Mapping):
        return ""
    if isinstance(site.get("text"), str):
        return str(site["text"])
    codings = site.get("coding")
    first = codings[0] if isinstance(codings, list) and codings and isinstance(codings[0], Mapping) else {}
    return str(first.get("display") or first.get("code") or "")


def _ahead(found: Sequence[Standing], on: dt.date) -> Sequence[Standing]:
    near = [each for each in found if each.forecast.recommended and each.forecast.recommended <= add(on, _AHEAD)]
    return near or found[:1]


def _due(each: Standing) -> Text:
    name, number = words.capital(words.group(each.group)), each.forecast.number
    fr, en = (f", dose {number}", f", dose {number}") if number is not None else ("", "")
    late = Text(" (en retard)", " (overdue)") if each.kind is Kind.OVERDUE else Text("", "")
    return Text(f"{name.fr}{fr}{late.fr}", f"{name.en}{en}{late.en}")


def _coming(each: Standing) -> Text:
    said, day = _due(each), each.forecast.recommended
    if day is None:
        return said
    start = _LABELS["from"]
    return Text(f"{said.fr}, {start.fr} {date(day, 'fr')}", f"{said.en}, {start.en} {date(day, 'en')}")
