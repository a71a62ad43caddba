"""Records of the lab on the pages of solutions: those that a person may see, and one of them, opened."""

from __future__ import annotations

from dataclasses import dataclass

from lab39.core.context import WorkContext
from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.store import access, records
from lab39.store.records import StoredRecord


@dataclass(frozen=True, slots=True)
class Opened:
    """One record; ``document`` is its latest version, as it was received."""

    stored: StoredRecord
    document: str

    @property
    def name(self) -> str:
        """As lists show it."""
        return self.stored.title or self.stored.pseudonym


def opened(ctx: WorkContext, person: str | None, record: str, purpose: str) -> Opened:
    """A record that this person may see; that it was looked at, and for what, is in the audit log.

    Args:
        purpose: the page (``vaccination``, ``report``).

    Raises:
        InputError: not signed in.
        UnknownRecordError, AccessError: no such record, or not theirs to see.
    """
    if person is None:
        raise InputError(
            Text("se connecter pour ouvrir un dossier du laboratoire", "sign in to open a record of the lab"),
            "record",
        )
    with ctx.writing() as tx:
        stored = access.require(tx.connection, record, person, access.Level.READ, at=tx.at)
        version = records.version(tx.connection, record)
        tx.audit("access", {"version": version.number, purpose: True}, subject=stored.id)
    return Opened(stored, version.document)


def listed(ctx: WorkContext, person: str | None, limit: int, words: str = "") -> tuple[tuple[str, str], ...]:
    """The records that this person may see, latest first, as id and name; ``words`` narrows them."""
    if person is None:
        return ()
    with ctx.writing() as tx:
        found = access.visible_to(tx.connection, person, at=tx.at, words=words, limit=limit)
    return tuple((each.record.id, each.record.title or each.record.pseudonym) for each in found)
