"""``/vaccination/lots``: who received a lot, among the records of the lab that the person asking may see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from lab39 import fhir
from lab39.core.context import WorkContext
from lab39.core.errors import InputError, LabError
from lab39.core.faces import Call, Page, View
from lab39.core.text import Text
from lab39.solutions.vaccination import recalls
from lab39.solutions.vaccination.recalls import Recall, Receipt

if TYPE_CHECKING:
    from lab39.store import access

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

    def as_recall(self) -> Recall:
        """The same as of a file: each dose under the record's id and title in the lab."""
        rows = [
            tuple(replace(each.receipt, record=each.record, name=each.title) for each in part)
            for part in (self.found, self.near)
        ]
        return Recall(self.lot, rows[0], rows[1], self.records, self.doses, self.no_lot)


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
    """Look through the records that who asks may see.

    Raises:
        InputError: a lot without letters or figures; nobody is signed in.
    """
    if call.who.person is None:
        raise InputError(Text("se connecter pour chercher un lot", "sign in to look for a lot"), "lot")
    return search(call.ctx, lot, call.who.person)


def search(
    ctx: WorkContext,
    lot: str,
    person: str,
    *,
    most: int | None = MOST,
    since: dt.date | None = None,
    until: dt.date | None = None,
) -> Lots:
    """Look through the records that a person may see, those changed last first; what is shown is in the audit log.

    Args:
        most: records looked through; ``None`` for every one of them.
        since, until: days of administration looked at.

    Raises:
        InputError: a lot without letters or figures.
    """
    from lab39.store import records

    recalls.recall([], lot)  # a lot that is none is refused before anything is opened
    found: list[Received] = []
    seen = doses = no_lot = unread = 0
    whole = True
    with ctx.writing() as tx:  # the lab's clock; records are read outside it, so that nobody waits
        at = tx.at
    with ctx.reading() as connection:
        for each in _visible(connection, person, at):
            if seen == most:
                whole = False
                break
            seen += 1
            try:
                read = fhir.record(records.version(connection, each.record.id).document)
            except LabError:
                unread += 1
                continue
            here = recalls.recall([read], lot, since=since, until=until)
            doses, no_lot = doses + here.doses, no_lot + here.no_lot
            title = each.record.title or each.record.pseudonym
            found += [Received(each.record.id, title, receipt) for receipt in (*here.found, *here.near)]
    same = tuple(each for each in found if each.receipt.near == "same")
    near = tuple(each for each in found if each.receipt.near != "same")
    with ctx.writing() as tx:
        tx.audit("vaccination.lot-looked-up", {"lot": lot, "records": seen, "found": len(same), "near": len(near)})
        for record in dict.fromkeys(each.record for each in found):
            tx.audit("access", {"vaccination": True, "lot": lot}, subject=record)
    return Lots(lot.strip(), _by_date(same), _by_date(near), seen, doses, no_lot, unread, whole)


def _visible(connection: Any, person: str, at: dt.datetime) -> Iterator[access.Visible]:
    from lab39.store import access

    for offset in count(0, AT_ONCE):
        rows = access.visible_to(connection, person, at=at, limit=AT_ONCE, offset=offset)
        yield from rows
        if len(rows) < AT_ONCE:
            return


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
