"""What stands on a counter: whom it is for, three answers, one box. All of it is in the address of the page.

So a page that is cut off, or a server that is killed, loses nothing: the address opened again asks the same.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from urllib.parse import urlencode

from lab39.core.errors import InputError
from lab39.core.faces import Fields
from lab39.core.text import Text
from lab39.solutions.vaccination import consultation, gs1, products, questions, rights
from lab39.solutions.vaccination.consultation import Asked
from lab39.solutions.vaccination.products import Product

PROFESSION = "pharmacist"
LOT_MAX = 20
BOX_MAX = 200


@dataclass(frozen=True, slots=True)
class Site:
    """Where a dose is given, in the codes of HL7 v3; ``route`` when the place decides it."""

    id: str
    label: Text
    code: str
    route: str


@dataclass(frozen=True, slots=True)
class Counter:
    """What is on the counter.

    Attributes:
        answers: id of a question to its answer.
        vaccine: as typed, or the NUVA code of the product that was read.
        box: what the scanner read, kept to show its doubts; of no use once another vaccine is named.
        expires: the last day of use.
        ordered: whether there is a prescription; ``None`` when nobody said.
        checked: somebody looked at what is told in warning.
    """

    whom: Asked = field(default_factory=Asked)
    answers: Mapping[str, str] = field(default_factory=dict)
    vaccine: str = ""
    box: str = ""
    lot: str = ""
    expires: dt.date | None = None
    site: str = ""
    profession: str = PROFESSION
    ordered: bool | None = None
    checked: bool = False

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The fields of the box and of the answers, for a form."""
        ordered = {True: "yes", False: "no", None: ""}[self.ordered]
        rows = [(f"q-{name}", said) for name, said in self.answers.items()]
        rows += [("vaccine", self.vaccine), ("box", self.box), ("lot", self.lot)]
        rows += [("expires", self.expires.isoformat() if self.expires else ""), ("site", self.site)]
        rows += [("profession", "" if self.profession == PROFESSION else self.profession), ("ordered", ordered)]
        rows.append(("checked", "yes" if self.checked else ""))
        return tuple((name, value) for name, value in rows if value)

    def address(self, **more: str) -> str:
        """The query that asks the same, for a link."""
        whom = self.whom.address()
        rest = urlencode([*self.pairs, *((name, value) for name, value in more.items() if value)])
        return whom + ("&" if len(whom) > 1 and rest else "") + rest

    def with_product(self, product: Product) -> Counter:
        """The same with the product chosen among several."""
        return replace(self, vaccine=product.nuva or product.name)

    @property
    def product(self) -> Product | None:
        """The product that is named, when it is one."""
        return products.find(self.vaccine).product if self.vaccine else None


def read(sent: Fields) -> Counter:
    """What was sent.

    Raises:
        InputError: what is wrong and what is expected; its place is the field.
    """
    answers = {}
    for question in questions.questions():
        known = ("", questions.NO, questions.UNKNOWN, *(each.id for each in question.situations))
        if said := sent.choice(f"q-{question.id}", known, ""):
            answers[question.id] = said
    whom = consultation.read(Fields([pair for pair in sent.pairs() if pair[0] not in _OWN]))
    ordered = sent.choice("ordered", ("", "yes", "no"), "")
    lot = " ".join(sent.text("lot").split())
    if len(lot) > LOT_MAX:
        raise InputError(
            Text(
                f"un numéro de lot a {LOT_MAX} caractères au plus", f"a lot number has {LOT_MAX} characters at most"
            ),
            "lot",
        )
    return Counter(
        whom=replace(whom, on=None) if whom.kind == "record" else whom,
        answers=answers,
        vaccine=sent.text("vaccine")[: consultation.MAX_LENGTH],
        box=sent.text("box")[:BOX_MAX],
        lot=lot,
        expires=sent.day("expires"),
        site=sent.choice("site", ("", *sites()), ""),
        profession=sent.choice("profession", rights.professions(), PROFESSION),
        ordered={"yes": True, "no": False, "": None}[ordered],
        checked=sent.text("checked") == "yes",
    )


def with_scan(counter: Counter, scanned: str, on: dt.date, pack: Mapping[str, str]) -> Counter:
    """The same with what a box says: its product, lot and expiry. What it does not say is to be typed.

    Raises:
        InputError: nothing that is the code of a box.
    """
    try:
        box = gs1.read_box(scanned[:BOX_MAX], on, pack)
    except InputError as error:
        raise InputError(error.text, "scan") from error
    if box.ask:
        raise InputError(box.ask, "scan")
    return replace(counter, vaccine=box.nuva, box=scanned[:BOX_MAX], lot=box.lot, expires=box.expiry, checked=False)


def doubts(counter: Counter, on: dt.date, pack: Mapping[str, str]) -> tuple[Text, ...]:
    """What should be compared with the box that was scanned."""
    if not counter.box:
        return ()
    try:
        box = gs1.read_box(counter.box, on, pack)
    except InputError:
        return ()
    product = counter.product
    return box.doubts if product is not None and product.nuva == box.nuva else ()


def dose_id(record: str, product: Product, lot: str, on: dt.date) -> str:
    """The same for the same vaccine of the same lot to the same person on the same day: it is written once."""
    written = "|".join((record, product.nuva, lot.casefold(), on.isoformat()))
    return "dose-" + hashlib.sha256(written.encode()).hexdigest()[:24]


@cache
def sites() -> Mapping[str, Site]:
    """Where a dose may be given, by id."""
    return {
        row["id"]: Site(row["id"], Text.of(row["label"]), row.get("code", ""), row.get("route", ""))
        for row in questions.body()["site"]
    }


FIELDS = ("vaccine", "box", "lot", "expires", "site", "profession", "ordered", "scan")
_OWN = {*FIELDS, "checked"}
