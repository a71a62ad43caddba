"""The case that a form makes, and everything in the form that cannot be read, each thing at its field."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from lab39.core.dates import PartialDate
from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals.readers import values
from lab39.solutions.signals.readers.model import Case, Drug, Event, Report
from lab39.solutions.signals.report_form import TICKED, Row, Sheet, told

_FRENCH = re.compile(r"(?:(?:(\d{1,2})[/.])?(\d{1,2})[/.])?(\d{4})", re.ASCII)


def case(sheet: Sheet, on: dt.date) -> Case:
    """The case that the form makes.

    Args:
        on: today: the day the report is received; nothing may be later.

    Raises:
        InputError: a value that cannot be read, the first of :func:`faults`.
    """
    reading = _Reading(on)
    made = reading.case(sheet)
    if reading.faults:
        raise reading.faults[0]
    return made


def faults(sheet: Sheet, on: dt.date) -> tuple[InputError, ...]:
    """Everything that cannot be read, each at its field (``age``, ``start-0``), in the order of the form."""
    reading = _Reading(on)
    reading.case(sheet)
    return tuple(reading.faults)


class _Reading:
    """Reads a form on a day; what cannot be read is absent, and kept as a fault."""

    def __init__(self, on: dt.date) -> None:
        self.on = on
        self.faults: list[InputError] = []

    def case(self, sheet: Sheet) -> Case:
        """The case, without what is faulty."""
        single, on = sheet.single, self.on.isoformat()
        age = self._quantity(single["age"], "age", 0, values.MAX_AGE_YEARS)
        weight = self._quantity(single["weight"], "weight", 0.2, values.MAX_WEIGHT_KG)
        country = self._country(single["country"])
        events = tuple(
            self._event(row, at, sheet.criteria) for at, row in enumerate(sheet.reactions) if any(row.values())
        )
        serious = {"yes": True, "no": False}.get(single["serious"])
        if sheet.criteria and serious is False:
            self._fault(
                "serious",
                "«\u202fnon grave\u202f» est choisi mais un critère de gravité est coché",
                "“not serious” is chosen but a criterion of seriousness is ticked",
            )
        drugs = tuple(self._drug(row, at) for at, row in enumerate(sheet.drugs) if told(row))
        said: dict[str, Any] = dict.fromkeys(TICKED, False) if serious is False else {}
        said |= dict.fromkeys(sheet.criteria, True)
        report = Report(
            report_id=single["number"],
            case_id=single["number"],
            received=on,
            first_received=on,
            quarter=values.quarter_of(on),
            report_type="spontaneous",
            sex=single["sex"] or None,
            age_years=age,
            weight_kg=weight,
            country=country,
            reporter=single["reporter"] or None,
            serious=True if sheet.criteria else serious,
            sender=single["organization"] or None,
            narrative=single["narrative"] or None,
            history=single["history"] or None,
            **said,
        )
        return Case(report, drugs, events)

    def _fault(self, place: str, fr: str, en: str) -> None:
        self.faults.append(InputError(Text(fr, en), place))

    def _drug(self, row: Row, at: int) -> Drug:
        start, stop = self._date(row["start"], f"start-{at}"), self._date(row["stop"], f"stop-{at}")
        self._in_order(start, stop, f"stop-{at}")
        return Drug(
            drug=row["drug"] or None,
            role=row["role"] or None,
            dose=row["dose"] or None,
            route=row["route"] or None,
            start_date=start,
            end_date=stop,
            indication=row["indication"] or None,
            action=row["action"] or None,
            lot=row["lot"] or None,
        )

    def _event(self, row: Row, at: int, criteria: tuple[str, ...]) -> Event:
        onset, ended = self._date(row["onset"], f"onset-{at}"), self._date(row["ended"], f"ended-{at}")
        self._in_order(onset, ended, f"ended-{at}")
        code = row["code"]
        if code and not re.fullmatch(r"\d{8}", code, re.ASCII):
            self._fault(f"code-{at}", "un code MedDRA a huit chiffres", "a MedDRA code has eight digits")
        return Event(
            event=row["reaction"] or (f"MedDRA {code}" if code else None),
            code=code or None,
            code_system="MedDRA" if code else None,
            onset=onset,
            end_date=ended,
            outcome=row["outcome"] or None,
            criteria=";".join(criteria) or None,
        )

    def _quantity(self, written: str, place: str, least: float, most: float) -> float | None:
        if not written:
            return None
        found = values.number(written)
        if found is not None and least <= found <= most:
            return found
        self._fault(
            place,
            f"un nombre de {least:g} à {most:g} est attendu".replace(".", ","),
            f"a number from {least:g} to {most:g} is expected",
        )
        return None

    def _country(self, written: str) -> str | None:
        if not written:
            return None
        if re.fullmatch(r"[A-Za-z]{2}", written, re.ASCII):
            return written.upper()
        self._fault(
            "country", "code de pays à deux lettres attendu (FR)", "a two-letter country code is expected (FR)"
        )
        return None

    def _date(self, written: str, place: str) -> str | None:
        """A date with the precision it was typed with: ``12/03/2026``, ``03/2026``, ``2026`` or the ISO forms."""
        if not written:
            return None
        said = written
        if found := _FRENCH.fullmatch(written):
            day, month, year = found[1], found[2], found[3]
            said = "-".join(each.zfill(2) for each in (year, month, day) if each)
        try:
            read = PartialDate.parse(said)
        except ValueError:
            read = None
        if read is None or read.precision == "time":
            self._fault(
                place,
                "date illisible. Écrire jj/mm/aaaa, mm/aaaa ou aaaa",
                "unreadable date. Write yyyy-mm-dd, yyyy-mm or yyyy",
            )
            return None
        if read.earliest > self.on:
            self._fault(place, "cette date est dans le futur", "this date is in the future")
            return None
        return said

    def _in_order(self, first: str | None, last: str | None, place: str) -> None:
        if first and last and last < first[: len(last)]:
            self._fault(place, "la fin est avant le début", "the end is before the start")
