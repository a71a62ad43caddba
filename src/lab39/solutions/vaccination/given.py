"""The doses of a record: which vaccine, when, and everything that keeps one from being counted, by name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from lab39.core import terms
from lab39.core.dates import PartialDate
from lab39.core.entries import NOT_GIVEN, Immunization
from lab39.core.errors import Issue
from lab39.core.record import Record
from lab39.core.text import NO_TEXT, Text, date
from lab39.solutions.vaccination.codes import Coded, Exactness, Maps, code_of
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import Dose
from lab39.solutions.vaccination.stated import is_globulin

DOUBT = Text(
    "Les doses dues de ce vaccin sont peut-être fausses", "What is due of this vaccine may be wrong because of it"
)


class Uncounted(NamedTuple):
    """A dose that is in the record and could not be counted.

    Attributes:
        code: of the vaccine, in the system of the schedule; empty when it is what is not known.
        antigens: what it may hold; empty when that is not known.
        why: a FHIR issue code (``value``, ``incomplete``, ``code-invalid``, ``conflict``); ``said`` is it in words.
        text: the whole sentence.
    """

    ref: str
    vaccine: str
    code: str
    antigens: tuple[str, ...]
    why: str
    text: Text
    said: Text = NO_TEXT


class Given(NamedTuple):
    """The doses to evaluate, and those left aside."""

    doses: tuple[Dose, ...]
    uncounted: tuple[Uncounted, ...]


class _Row(NamedTuple):
    given: Immunization
    coded: Coded
    day: dt.date
    sub_standard: bool


def read_doses(
    record: Record, schedule: Schedule, maps: Maps, born: dt.date, on: dt.date, issues: list[Issue]
) -> Given:
    """Every immunization of a record, as a dose or as one that is not counted, with its reason in ``issues``."""
    reader = _Reader(record, schedule, maps, born, on, issues)
    doses = tuple(reader.doses())
    return Given(doses, tuple(reader.uncounted))


class _Reader:
    def __init__(
        self, record: Record, schedule: Schedule, maps: Maps, born: dt.date, on: dt.date, issues: list[Issue]
    ) -> None:
        self.record, self.schedule, self.maps = record, schedule, maps
        self.born, self.on, self.issues = born, on, issues
        self.uncounted: list[Uncounted] = []

    def doses(self) -> Iterator[Dose]:
        given = self.record.immunizations()
        contradicted = _contradicted(given)
        refused = {(self._code(each).code, _day(each.date)): each for each in given if each.status == "not-done"}
        rows: dict[tuple[dt.date, str], list[_Row]] = {}
        for each in given:
            if each.status in NOT_GIVEN or (not self._code(each).code and is_globulin(each.concept, self.schedule)):
                continue
            row = self._row(each, contradicted)
            if row is not None:
                rows.setdefault((row.day, row.coded.code), []).append(row)
        for (day, code), found in rows.items():
            same = sorted(found, key=lambda row: row.given.ref)
            if len(same) > 1:
                self._repeated(same)
            if (code, day) in refused:
                self._note(
                    "conflict",
                    same[0].given,
                    Text(
                        "notée aussi comme non faite le même jour. Comptée",
                        "also recorded as not given that day. Counted",
                    ),
                )
            yield self._dose(same)

    def _code(self, given: Immunization) -> Coded:
        return code_of(given.concept, self.schedule, self.maps)

    def _row(self, given: Immunization, contradicted: frozenset[str]) -> _Row | None:
        coded = self._code(given)
        wrong = self._wrong(given, coded, contradicted)
        if wrong is not None:
            self._aside(given, coded, *wrong)
            return None
        self._doubts(given, coded)
        assert given.date is not None
        return _Row(given, coded, given.date.earliest, given.raw.get("isSubpotent") is True)

    def _wrong(self, given: Immunization, coded: Coded, contradicted: frozenset[str]) -> tuple[str, Text] | None:
        """Why a dose cannot be counted, ``None`` when it can."""
        when = given.date
        if not coded.code:
            return "code-invalid", self._unknown(given, coded)
        if given.raw.get("id") in contradicted:
            return "conflict", Text(
                "notée faite et non faite sous le même identifiant",
                "recorded as given and as not given, under one id",
            )
        if when is None:
            written = given.raw.get("occurrenceDateTime") or given.raw.get("occurrenceString")
            if written:
                return "value", Text(
                    f"datée «\u202f{written}\u202f», qui n'est pas une date",
                    f"dated “{written}”, which is not a date",
                )
            return "incomplete", Text("sans date", "without a date")
        if when.exact is None:
            lacks = Text("le mois et le jour manquent", "month and day are missing")
            if when.precision == "month":
                lacks = Text("le jour manque", "the day is missing")
            return "incomplete", Text(
                f"datée «\u202f{when.written}\u202f», {lacks.fr}", f"dated “{when.written}”, {lacks.en}"
            )
        if self.born <= when.exact <= self.on:
            return None
        side = Text("avant la naissance", "before birth")
        if when.exact > self.on:
            side = Text("après le jour demandé", "after the day asked")
        return "value", Text(
            f"datée du {date(when.exact, 'fr')}, {side.fr}", f"dated {date(when.exact, 'en')}, {side.en}"
        )

    def _unknown(self, given: Immunization, coded: Coded) -> Text:
        if coded.exactness is Exactness.AMBIGUOUS:
            several = ", ".join(coded.candidates)
            return Text(
                f"plusieurs codes possibles dans le calendrier {self.schedule.name} ({several})",
                f"several codes possible in the schedule {self.schedule.name} ({several})",
            )
        said = ", ".join(f"{_system(c.system)} {c.code}" for c in given.concept.codings)
        if not said:
            return Text("sans code de vaccin", "without a code of a vaccine")
        hint = Text.same("")
        if not self.maps.version and any(c.system != self.schedule.system for c in given.concept.codings):
            hint = Text(
                ". Le pack nuva traduit d'autres codes\u202f: lab39 data import nuva …",
                ". The pack nuva translates other codes: lab39 data import nuva …",
            )
        return Text(
            f"code {said} inconnu du calendrier {self.schedule.name}{hint.fr}",
            f"code {said} unknown to the schedule {self.schedule.name}{hint.en}",
        )

    def _doubts(self, given: Immunization, coded: Coded) -> None:
        if coded.conflict is not None:
            said = f"{_system(coded.conflict.system)} {coded.conflict.code}"
            self._note(
                "conflict", given,
                Text(f"ses codes se contredisent\u202f: lue {coded.code}, {said} vise d'autres maladies",
                     f"its codes contradict each other: read as {coded.code}, {said} is against others"),
            )  # fmt: skip
        if coded.exactness is Exactness.BROADER and coded.by is not None:
            said = f"{_system(coded.by.system)} {coded.by.code}"
            self._note(
                "informational", given,
                Text(f"{said} lu comme {coded.code}, le plus proche", f"{said} read as {coded.code}, the nearest"),
            )  # fmt: skip
        if given.raw.get("reaction"):
            self._note(
                "informational", given,
                Text("réaction notée après cette dose. Une réaction n'est pas à elle seule une contre-indication",
                     "a reaction recorded after this dose. A reaction is no contraindication by itself"),
            )  # fmt: skip

    def _repeated(self, same: Sequence[_Row]) -> None:
        differ = []
        if len({row.given.lot for row in same if row.given.lot}) > 1:
            differ.append(Text("lots différents", "different lots"))
        if len({row.sub_standard for row in same}) > 1:
            differ.append(Text("dite insuffisante une fois sur deux", "said to be subpotent only once"))
        if len({row.given.status for row in same}) > 1:
            differ.append(Text("statuts différents", "different statuses"))
        told = Text(", ".join(d.fr for d in differ), ", ".join(d.en for d in differ))
        self._note(
            "conflict" if differ else "duplicate",
            same[1].given,
            Text(
                "même vaccin, même jour" + (f", {told.fr}" if differ else "") + ". Comptée une seule fois",
                "same vaccine, same day" + (f", {told.en}" if differ else "") + ". Counted once",
            ),
        )

    def _dose(self, same: Sequence[_Row]) -> Dose:
        first = same[0].given
        expires = [row.given.expires.latest for row in same if row.given.expires]
        return Dose(
            same[0].day,
            same[0].coded.code,
            next(filter(None, (manufacturer(self.record, row.given.raw) for row in same)), ""),
            first.ref,
            volume=next(
                (v for row in same if (v := _volume_ml(row.given.raw.get("doseQuantity"))) is not None), None
            ),
            expires=min(expires, default=None),
            sub_standard=any(row.sub_standard for row in same),
            reported=all(row.given.raw.get("primarySource") is False for row in same),
        )

    def _aside(self, given: Immunization, coded: Coded, why: str, said: Text) -> None:
        code = coded.code
        antigens = tuple(a.antigen for a in self.schedule.vaccines.get(code, ()))
        named = self._name(given, code)
        text = Text(
            f"dose de «\u202f{named}\u202f» non comptée\u202f: {said.fr}. {DOUBT.fr}",
            f"dose of “{named}” not counted: {said.en}. {DOUBT.en}",
        )
        self.issues.append(Issue(why, given.ref, text))
        self.uncounted.append(Uncounted(given.ref, named, code, antigens, why, text, said))

    def _note(self, kind: str, given: Immunization, said: Text) -> None:
        named = self._name(given, self._code(given).code)
        text = Text(f"dose de «\u202f{named}\u202f»\u202f: {said.fr}", f"dose of “{named}”: {said.en}")
        self.issues.append(Issue(kind, given.ref, text, "warning"))

    def _name(self, given: Immunization, code: str) -> str:
        return given.concept.label[:60] or self.schedule.vaccine_names.get(code, "") or code or "?"


def manufacturer(record: Record, raw: Mapping[str, Any]) -> str:
    """The MVX code of the maker: of its identifier, of the organization it refers to, or as a code."""
    maker = raw.get("manufacturer")
    if not isinstance(maker, Mapping):
        return ""
    target = maker.get("reference")
    inside = raw.get("contained")
    contained = [c for c in inside if isinstance(c, Mapping)] if isinstance(inside, list) else []
    pointed = next((c for c in contained if f"#{c.get('id')}" == target), None)
    found = pointed or (record.resolve(target) if isinstance(target, str) else None) or {}
    concept = maker.get("concept")  # the form of R5, which some senders already use
    stated = [
        maker.get("identifier"),
        *_list(found.get("identifier")),
        *_codings([concept, *_list(found.get("type"))]),
    ]
    return next((code for each in stated if (code := _mvx(each))), "")


def _mvx(each: object) -> str:
    if not isinstance(each, Mapping) or terms.canonical(str(each.get("system", ""))) != terms.MVX:
        return ""
    value = each.get("value", each.get("code"))
    return value.strip().upper() if isinstance(value, str) else ""


def _codings(concepts: Iterable[object]) -> Iterator[object]:
    for each in concepts:
        if isinstance(each, Mapping):
            yield from _list(each.get("coding"))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _contradicted(given: Iterable[Immunization]) -> frozenset[str]:
    """Ids that say of one dose both that it was given and that it was not."""
    statuses: dict[str, set[bool]] = {}
    for each in given:
        if isinstance(each.raw.get("id"), str):
            statuses.setdefault(each.raw["id"], set()).add(each.status in NOT_GIVEN)
    return frozenset(name for name, both in statuses.items() if len(both) > 1)


def _day(when: PartialDate | None) -> dt.date | None:
    return when.exact if when else None


def _volume_ml(quantity: object) -> float | None:
    if not isinstance(quantity, Mapping) or str(quantity.get("code") or quantity.get("unit")).lower() != "ml":
        return None
    value = quantity.get("value")
    return float(value) if isinstance(value, Decimal | int | float) and not isinstance(value, bool) else None


def _system(uri: str) -> str:
    known = terms.code_systems().get(uri)
    return known.name if known else uri or "?"
