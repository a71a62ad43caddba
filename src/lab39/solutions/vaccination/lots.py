"""``/vaccination/lots``: who received a lot, among the records of the lab that the person asking may see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lab39 import fhir
from lab39.core.errors import InputError, LabError
from lab39.core.faces import Call, Page, View
from lab39.core.text import Text
from lab39.solutions.vaccination import recalls
from lab39.solutions.vaccination.recalls import Receipt

AT_ONCE = 50
MOST = 2000
"""Records looked through for one lot; beyond, the page says so."""
SHOWN = 200


@dataclass(frozen=True, slots=True)
class Received:
    """One dose, and the record of the lab that it stands in."""

    record: str
    title: str
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Lots:
    """What was found.

    Attributes:
        records, doses: how many were looked at; ``unread``: records that could not be read.
        no_lot: doses without a lot on record: nothing rules them out.
        whole: every record was looked at.
    """

    lot: str
    found: tuple[Received, ...]
    near: tuple[Received, ...]
    records: int
    doses: int
    no_lot: int
    unread: int
    whole: bool


def lots(call: Call) -> View:
    """A lot number, and the doses of it; that it was asked, and each record shown, is in the audit log."""
    wrong: LabError | None = None
    found: Lots | None = None
    asked = call.query.text("lot")[:40]
    if "lot" in dict(call.query.items()) and not asked:
        wrong = InputError(Text("saisir un numéro de lot", "type a lot number"), "lot")
    elif asked:
        try:
            found = look(call, asked)
        except InputError as error:
            wrong = InputError(error.text, "lot")
    return View(
        template="lots.html.jinja", wrong=wrong, values={"lot": asked, "found": found, "shown": SHOWN, "most": MOST}
    )


def look(call: Call, lot: str) -> Lots:
    """Look through the records that this person may see.

    Raises:
        InputError: a lot without letters or figures; nobody is signed in.
    """
    from lab39.store import access, records

    person = call.who.person
    if person is None:
        raise InputError(Text("se connecter pour chercher un lot", "sign in to look for a lot"), "lot")
    found: list[Received] = []
    seen = doses = no_lot = unread = 0
    whole = True
    with call.ctx.writing() as tx:

        def visible() -> Iterator[access.Visible]:
            for offset in range(0, MOST, AT_ONCE):
                rows = access.visible_to(tx.connection, person, at=tx.at, limit=AT_ONCE, offset=offset)
                yield from rows
                if len(rows) < AT_ONCE:
                    return

        for each in visible():
            seen += 1
            try:
                read = fhir.record(records.version(tx.connection, each.record.id).document)
            except LabError:
                unread += 1
                continue
            here = recalls.recall([read], lot)
            doses, no_lot = doses + here.doses, no_lot + here.no_lot
            title = each.record.title or each.record.pseudonym
            found += [Received(each.record.id, title, receipt) for receipt in (*here.found, *here.near)]
        if seen == 0:
            recalls.recall([], lot)
        whole = seen < MOST
        same = tuple(each for each in found if each.receipt.near == "same")
        near = tuple(each for each in found if each.receipt.near != "same")
        tx.audit("vaccination.lot-looked-up", {"lot": lot, "records": seen, "found": len(same), "near": len(near)})
        for record in dict.fromkeys(each.record for each in found):
            tx.audit("access", {"vaccination": True, "lot": lot}, subject=record)
    return Lots(lot, _by_date(same), _by_date(near), seen, doses, no_lot, unread, whole)


def _by_date(rows: tuple[Received, ...]) -> tuple[Received, ...]:
    return tuple(sorted(rows, key=lambda each: (each.receipt.date, each.title)))


pages = (
    Page(
        path="lots",
        title=Text("Chercher un lot", "Look for a lot"),
        about=Text(
            "Qui a reçu un lot, parmi les dossiers que vous pouvez voir",
            "Who received a lot, among the records that you may see",
        ),
        handler=lots,
        permission="records.own",
    ),
)
