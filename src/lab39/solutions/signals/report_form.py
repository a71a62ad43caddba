"""The form that reports an adverse event: what was typed, what is missing; :mod:`report_case` has what it makes.

Everything stands in the form itself and is sent again at each step: nothing is kept by the lab, nothing identifying
is asked (no name, no date of birth), nothing is in an address.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

from lab39.core.faces import Fields
from lab39.core.text import Text
from lab39.solutions.signals.readers.e2b_write import Envelope
from lab39.solutions.signals.readers.model import CRITERIA, SUSPECT_ROLES

SINGLE = (
    "number", "age", "sex", "weight", "country", "history", "serious", "reporter", "organization", "narrative",
)  # fmt: skip
OF_DRUG = ("drug", "role", "dose", "route", "start", "stop", "indication", "action", "lot")
OF_REACTION = ("reaction", "code", "onset", "ended", "outcome")
TICKED = tuple(name for name in CRITERIA if name != "intervention")
"""Criteria of seriousness of ICH; ``intervention`` is of FAERS only."""
SEXES = ("F", "M")
ROLES = ("S", "I", "C")
REPORTERS = ("physician", "pharmacist", "health-professional", "consumer")
OUTCOMES = ("recovered", "recovering", "not-recovered", "recovered-with-sequelae", "fatal", "unknown")
ACTIONS = ("withdrawn", "dose-reduced", "dose-increased", "not-changed", "unknown", "not-applicable")
_LONG: Mapping[str, int] = {"narrative": 20_000, "history": 5_000}
_MOST = {"drugs": 40, "reactions": 30}
_NUMBER = re.compile(r"FR-LAB39-[0-9a-f]{16}")

LABELS: Mapping[str, Text] = {
    "age": Text("âge", "age"),
    "weight": Text("poids", "weight"),
    "country": Text("pays", "country"),
    "serious": Text("gravité", "seriousness"),
    "criteria": Text("critères de gravité", "criteria of seriousness"),
    "reporter": Text("vous êtes", "you are"),
    "narrative": Text("ce qui s'est passé", "what happened"),
    "reaction": Text("effet", "reaction"),
    "onset": Text("début", "began"),
    "ended": Text("fin", "ended"),
    "code": Text("code MedDRA", "MedDRA code"),
    "outcome": Text("évolution", "outcome"),
    "drug": Text("médicament", "drug"),
    "role": Text("rôle", "role"),
    "start": Text("début", "started"),
    "stop": Text("arrêt", "stopped"),
    "dose": Text("dose", "dose"),
    "action": Text("conduite", "action taken"),
}
"""What a field is called in a list of fields, by the beginning of its place."""

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is in the form, as typed.

    Attributes:
        single: fields that stand once.
        criteria: that are ticked.
        drugs: one row a drug, at least one; ``reactions`` likewise.
    """

    single: Row
    criteria: tuple[str, ...] = ()
    drugs: tuple[Row, ...] = field(default_factory=lambda: (dict.fromkeys(OF_DRUG, ""),))
    reactions: tuple[Row, ...] = field(default_factory=lambda: (dict.fromkeys(OF_REACTION, ""),))

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every field with its value, as the form sends them."""
        rows = [(name, row[name]) for row in self.drugs for name in OF_DRUG]
        rows += [(name, row[name]) for row in self.reactions for name in OF_REACTION]
        return (*self.single.items(), *(("criterion", each) for each in self.criteria), *rows)


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that is missing.

    Attributes:
        place: of the field.
        needed: without it the report is not admissible; the others make it useful.
    """

    place: str
    asks: Text
    needed: bool


@cache
def knowledge() -> Mapping[str, Any]:
    """Where to send a report, and who may, with sources."""
    place = files("lab39.solutions.signals") / "knowledge" / "reporting.toml"
    return tomllib.loads(place.read_text("utf-8"))


def empty(drug: str = "", reaction: str = "") -> Sheet:
    """A new form, with what a link gives."""
    single = dict.fromkeys(SINGLE, "") | {"number": _number(""), "country": "FR"}
    drugs = (dict.fromkeys(OF_DRUG, "") | {"drug": drug[:200], "role": "S"},)
    return Sheet(single, (), drugs, (dict.fromkeys(OF_REACTION, "") | {"reaction": reaction[:200]},))


def read(form: Fields) -> Sheet:
    """The form as it was sent; what is too long is cut, what is no choice is empty."""
    single = {name: form.text(name)[: _LONG.get(name, 200)] for name in SINGLE}
    single |= {
        "number": _number(single["number"]),
        "sex": _choice(single["sex"], SEXES),
        "serious": _choice(single["serious"], ("yes", "no")),
        "reporter": _choice(single["reporter"], REPORTERS),
    }
    ticked = tuple(name for name in TICKED if name in form.all("criterion"))
    drugs = tuple(
        row | {"role": _choice(row["role"], ROLES), "action": _choice(row["action"], ACTIONS)}
        for row in _rows(form, OF_DRUG, _MOST["drugs"])
    )
    reactions = tuple(
        row | {"outcome": _choice(row["outcome"], OUTCOMES)} for row in _rows(form, OF_REACTION, _MOST["reactions"])
    )
    return Sheet(single, ticked, drugs, reactions)


def _choice(value: str, known: Iterable[str]) -> str:
    return value if value in known else ""


def _number(written: str) -> str:
    """The number of the report: the same from the first page to the file that is sent."""
    return written if _NUMBER.fullmatch(written) else f"FR-LAB39-{secrets.token_hex(8)}"


def _rows(form: Fields, names: tuple[str, ...], most: int) -> list[dict[str, str]]:
    columns = {name: [each.replace("\0", " ").strip()[:200] for each in form.all(name)] for name in names}
    many = min(max([len(each) for each in columns.values()], default=0), most)
    rows = [
        {name: values[at] if at < len(values) else "" for name, values in columns.items()} for at in range(many)
    ]
    return rows or [dict.fromkeys(names, "")]


def changed(sheet: Sheet, do: str) -> Sheet:
    """The form with a row more or a row less, as its buttons say (``add-drug``, ``drop-reaction-1``)."""
    return replace(
        sheet,
        drugs=_changed(sheet.drugs, "drug", OF_DRUG, _MOST["drugs"], do),
        reactions=_changed(sheet.reactions, "reaction", OF_REACTION, _MOST["reactions"], do),
    )


def _changed(rows: tuple[Row, ...], kind: str, names: tuple[str, ...], most: int, do: str) -> tuple[Row, ...]:
    blank = dict.fromkeys(names, "")
    if do == f"add-{kind}" and len(rows) < most:
        return (*rows, blank)
    found = re.fullmatch(rf"drop-{kind}-(\d{{1,2}})", do, re.ASCII)
    if found is None:
        return rows
    return tuple(row for at, row in enumerate(rows) if at != int(found[1])) or (blank,)


def told(row: Row) -> bool:
    """Whether a row of drug says something besides a role chosen beforehand."""
    return any(value for name, value in row.items() if name != "role")


def missing(sheet: Sheet) -> tuple[Lack, ...]:
    """What an admissible report needs and has not, then what would make it useful, each at its field.

    An admissible report has an identifiable person, a reporter, a suspect drug and a reaction (ICH E2D, section 4).
    """
    single = sheet.single
    named = [row for row in sheet.drugs if row["drug"]]
    suspect = [at for at, row in enumerate(sheet.drugs) if row["drug"] and row["role"] in SUSPECT_ROLES]
    reacted = [at for at, row in enumerate(sheet.reactions) if row["reaction"] or row["code"]]
    lacks: list[Lack] = []

    def need(there: object, place: str, fr: str, en: str, *, needed: bool = True) -> None:
        if not there and all(each.place != place for each in lacks):
            lacks.append(Lack(place, Text(fr, en), needed))

    need(single["age"] or single["sex"], "age", "l'âge ou le sexe de la personne", "the age or sex of the person")
    need(named, "drug-0", "le nom d'un médicament", "the name of a drug")
    if named:
        at = next(at for at, row in enumerate(sheet.drugs) if row["drug"])
        need(suspect, f"role-{at}", "quel médicament est suspect", "which drug is suspect")
    for at, row in enumerate(sheet.drugs):
        need(row["drug"] or not told(row), f"drug-{at}", "le nom de ce médicament", "the name of this drug")
    need(reacted, "reaction-0", "l'effet observé", "the reaction that was seen")
    need(single["reporter"], "reporter", "qui notifie", "who reports")
    need(single["country"], "country", "le pays", "the country")
    need(
        single["serious"] or sheet.criteria,
        "serious",
        "si l'effet est grave",
        "whether it is serious",
        needed=False,
    )
    if single["serious"] == "yes":
        need(sheet.criteria, "criteria", "pourquoi il est grave", "why it is serious", needed=False)
    for at in suspect:
        row = sheet.drugs[at]
        of, name = "\u202f: ", row["drug"]
        need(row["start"], f"start-{at}", f"date de début{of}{name}", f"start date: {name}", needed=False)
        need(row["dose"], f"dose-{at}", f"dose{of}{name}", f"dose: {name}", needed=False)
        need(row["action"], f"action-{at}", f"conduite tenue{of}{name}", f"action taken: {name}", needed=False)
    for at in reacted:
        row = sheet.reactions[at]
        name = row["reaction"] or row["code"]
        need(row["onset"], f"onset-{at}", f"date de survenue\u202f: {name}", f"date of onset: {name}", needed=False)
        need(row["outcome"], f"outcome-{at}", f"évolution\u202f: {name}", f"outcome: {name}", needed=False)
    need(
        single["narrative"],
        "narrative",
        "le récit de ce qui s'est passé",
        "an account of what happened",
        needed=False,
    )
    return tuple(lacks)


def label(place: str, sheet: Sheet) -> Text:
    """What a field is called away from its place: ``Début (Allopurinol)`` for ``start-0``."""
    name, _, at = place.partition("-")
    said = LABELS[name]
    if not at:
        return said
    row, rows = int(at), sheet.drugs if name in OF_DRUG else sheet.reactions
    of = rows[row]["drug" if name in OF_DRUG else "reaction"]
    if name in ("drug", "reaction"):
        return Text(f"{said.fr} {row + 1}", f"{said.en} {row + 1}")
    whose = of or str(row + 1)
    return Text(f"{said.fr} ({whose})", f"{said.en} ({whose})")


def envelope(sheet: Sheet, on: dt.date) -> Envelope:
    """Who sends the message and when, for E2B(R3): to the day, since handlers read no clock."""
    kinds = knowledge()["sender_type"]
    organization = sheet.single["organization"]
    return Envelope(
        created=f"{on:%Y%m%d}000000",
        sender=organization or "LAB39",
        receiver="CRPV",
        batch=sheet.single["number"],
        sender_type=kinds.get(sheet.single["reporter"], kinds["other"]),
        organization=organization,
    )
