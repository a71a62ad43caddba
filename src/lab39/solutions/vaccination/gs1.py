"""From the DataMatrix of a box of vaccine to the product, the lot and the last day of use.

French medicines carry a GTIN-14 that is ``0`` and the CIP13. A code that no table knows is never turned into a
product: the reading says what is known and what to ask.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from lab39.core import gs1
from lab39.core.errors import InputError
from lab39.core.text import NO_TEXT, Text
from lab39.solutions.vaccination.products import Product, by_cip13, by_nuva

NO_CODES: Mapping[str, str] = MappingProxyType({})
_FRENCH = "34009"


@dataclass(frozen=True, slots=True)
class Box:
    """What a box says.

    Attributes:
        gtin: 14 figures.
        cip13: 13 figures; empty when the code is not of the French range.
        product: ``None`` when unknown to the table of products.
        nuva: the vaccine's code, from the table or else from the pack; empty when neither knows it.
        by: which of the two named it.
        expiry: last day of use; ``None`` when the code does not state it.
        ask: what a person has to answer before the dose can be recorded; empty when nothing.
        doubts: what should be compared with the box.
    """

    gtin: str
    cip13: str
    product: Product | None
    nuva: str
    by: Literal["table", "pack", ""]
    lot: str
    serial: str
    expiry: dt.date | None
    ask: Text
    doubts: tuple[Text, ...]

    def expired(self, on: dt.date) -> bool | None:
        """Whether the last day of use is over; ``None`` when it is not stated."""
        return None if self.expiry is None else self.expiry < on


def read_box(text: str, on: dt.date, pack: Mapping[str, str] = NO_CODES) -> Box:
    """Read the content of a DataMatrix, or a CIP13 typed by hand (then without lot and expiry).

    Args:
        on: the day of reading, which tells the century of the expiry.
        pack: CIP13 to NUVA code, from the ``nuva`` pack, for products that the table does not hold.

    Raises:
        InputError: with the place where the code stops making sense; no GTIN.
    """
    compact = re.sub(r"[\s.\u00a0\u202f-]", "", text)
    if re.fullmatch(r"[0-9]{13}", compact):
        compact = f"{gs1.GTIN}0{compact}"
        elements = gs1.read(compact)
    else:
        elements = gs1.read(text)
    gtin = elements.get(gs1.GTIN)
    if not gtin:
        raise InputError(Text("pas de code produit (01) dans ce code", "no product code (01) in this code"), "(01)")
    written = elements.get(gs1.EXPIRY)
    try:
        expiry = gs1.day(written, on) if written else None
    except InputError as error:
        raise InputError(error.text, "(17)") from error
    cip13 = gtin[1:] if gtin.startswith("0" + _FRENCH) else ""
    product = by_cip13(cip13) if cip13 else None
    nuva = product.nuva if product else pack.get(cip13, "") if cip13 else ""
    if product is None and nuva:
        product = by_nuva(nuva)
    return Box(
        gtin=gtin,
        cip13=cip13,
        product=product,
        nuva=nuva,
        by="" if not nuva else "pack" if not by_cip13(cip13) else "table",
        lot=elements.get(gs1.LOT),
        serial=elements.get(gs1.SERIAL),
        expiry=expiry,
        ask=_ask(gtin, cip13, nuva),
        doubts=(*elements.doubts, *_absent(elements)),
    )


def read_picture(content: bytes, on: dt.date, pack: Mapping[str, str] = NO_CODES) -> tuple[Box, ...]:
    """Every box on a picture; codes on it that are not GS1 (a QR code of a leaflet) are left aside.

    Raises:
        InputError: no picture, no code, or none that names a box.
    """
    from lab39.core import barcodes

    found: list[Box] = []
    refused: InputError | None = None
    for text in barcodes.read(content):
        try:
            found.append(read_box(text, on, pack))
        except InputError as error:
            refused = error
    if not found and refused is not None:
        raise refused
    return tuple(found)


def _ask(gtin: str, cip13: str, nuva: str) -> Text:
    if nuva:
        return NO_TEXT
    if not cip13:
        return Text(
            f"GTIN {gtin} hors de la gamme française (34009…)\u202f: choisir le vaccin par son nom",
            f"GTIN {gtin} is not of the French range (34009…): choose the vaccine by its name",
        )
    return Text(
        f"CIP {cip13} inconnu de la table et du paquet NUVA\u202f: choisir le vaccin par son nom",
        f"CIP {cip13} unknown to the table and to the NUVA pack: choose the vaccine by its name",
    )


def _absent(elements: gs1.ElementString) -> tuple[Text, ...]:
    said = []
    if not elements.get(gs1.LOT):
        said.append(
            Text(
                "le code ne donne pas le lot\u202f: le lire sur la boîte", "no lot in the code: read it on the box"
            )
        )
    if not elements.get(gs1.EXPIRY):
        said.append(
            Text(
                "le code ne donne pas la péremption\u202f: la lire sur la boîte",
                "no expiry in the code: read it on the box",
            )
        )
    return tuple(said)
