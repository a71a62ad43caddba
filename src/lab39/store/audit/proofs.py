"""Proofs for somebody without the database: an entry was in the log that a head signs, a head continues another.

A proof is one JSON document; checking it needs the public key of the lab and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from lab39.core.errors import InputError, LabError
from lab39.core.text import Text
from lab39.store.audit import merkle
from lab39.store.audit.commitments import commit
from lab39.store.audit.heads import Head, continues, of
from lab39.store.audit.log import AuditError, range_root, row, state

if TYPE_CHECKING:
    from lab39.store.audit.keys import Keys

INCLUSION = "lab39-audit-inclusion-v1"
CONSISTENCY = "lab39-audit-consistency-v1"


class ProofError(LabError):
    """A proof proves nothing; the text says which step fails."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Proved:
    """What a proof shows.

    Attributes:
        head: the signed head it leads to.
        entry: what the entry says; ``None`` when it was erased, or when the proof is about two heads.
        number: of the entry.
        old: the earlier head that ``head`` continues.
    """

    head: Head
    entry: Mapping[str, Any] | None = None
    number: int | None = None
    old: Head | None = None


def inclusion(tx: sa.Connection, number: int, heads: Sequence[Head]) -> Mapping[str, Any]:
    """Proof that an entry is in the log, against the first head that covers it. Erased: of its commitment only.

    Args:
        heads: exported ones, in order.

    Raises:
        UnknownEntryError: no entry has this number.
        AuditError: no head covers it yet, or the database is not the one it was signed on.
    """
    found = row(tx, number)
    head = next((each for each in heads if each.size >= number), None)
    if head is None:
        raise AuditError(
            Text(
                "aucune tête exportée ne couvre encore cette entrée\u202f: lancer «\u202flab39 audit head\u202f»",
                "no exported head covers this entry yet: run “lab39 audit head”",
            ),
            str(number),
        )
    _same(tx, head)
    path = merkle.inclusion_path(number - 1, head.size, lambda start, end: range_root(tx, start, end))
    return {
        "type": INCLUSION,
        "number": number,
        "commitment": found.commitment.hex(),
        "salt": found.salt.hex() if found.salt is not None else None,
        "entry": found.entry,
        "path": [each.hex() for each in path],
        "head": head.as_dict(),
    }


def consistency(tx: sa.Connection, old: Head, new: Head) -> Mapping[str, Any]:
    """Proof that a head continues an older one: nothing that the older one covers was changed.

    Raises:
        AuditError: the database is not the one the heads were signed on.
        InputError: the older one is empty, or not older.
    """
    if not 0 < old.size <= new.size or old.log != new.log:
        raise InputError(
            Text(
                "une tête plus ancienne et non vide du même journal est attendue",
                "an older head of the same log, not empty, is expected",
            ),
            old.file,
        )
    _same(tx, old)
    _same(tx, new)
    path = merkle.consistency_path(old.size, new.size, lambda start, end: range_root(tx, start, end))
    return {
        "type": CONSISTENCY,
        "old": old.as_dict(),
        "path": [each.hex() for each in path],
        "head": new.as_dict(),
    }


def verify(proof: Any, keys: Keys, place: str = "") -> Proved:
    """Check a proof with the lab's public key, without any database.

    Raises:
        ProofError: it proves nothing.
        InputError: it is not a proof.
    """
    match proof:
        case {"type": "lab39-audit-inclusion-v1", "number": int(number), "commitment": str(), "path": [*_]}:
            return _verify_inclusion(proof, number, keys, place)
        case {"type": "lab39-audit-consistency-v1", "path": [*_]}:
            head, old = _head(proof, "head", keys, place), _head(proof, "old", keys, place)
            roots = bytes.fromhex(old.root), bytes.fromhex(head.root)
            if old.log != head.log or not merkle.verify_consistency(
                old.size, head.size, *roots, _path(proof, place)
            ):
                raise ProofError(
                    Text(
                        "la seconde tête ne continue pas la première\u202f: journal réécrit entre les deux",
                        "the second head does not continue the first: the log was written anew between them",
                    ),
                    place,
                )
            return Proved(head, old=old)
    raise _unreadable(place)


def _verify_inclusion(proof: Mapping[str, Any], number: int, keys: Keys, place: str) -> Proved:
    head = _head(proof, "head", keys, place)
    commitment, entry = _bytes(proof["commitment"], place), None
    if proof.get("entry") is not None:
        text, salt = proof["entry"], _bytes(proof.get("salt"), place)
        if not isinstance(text, str) or len(salt) != merkle.HASH_BYTES:
            raise _unreadable(place)
        if commit(salt, text.encode("utf-8", "replace")) != commitment:
            raise ProofError(
                Text("l'entrée n'est pas celle qui fut inscrite", "the entry is not the one that was written"),
                place,
            )
        try:
            entry = json.loads(text)
        except ValueError as error:
            raise _unreadable(place) from error
        if not isinstance(entry, dict) or entry.get("number") != number:
            raise ProofError(Text("l'entrée porte un autre numéro", "the entry bears another number"), place)
    leaf, root = merkle.leaf_hash(commitment), bytes.fromhex(head.root)
    if not merkle.verify_inclusion(leaf, number - 1, head.size, _path(proof, place), root):
        raise ProofError(
            Text(
                "le chemin ne mène pas à la racine signée\u202f: l'entrée n'est pas dans ce journal à ce numéro",
                "the path does not lead to the signed root: the entry is not in this log at this number",
            ),
            place,
        )
    return Proved(head, entry=entry, number=number)


def _head(proof: Mapping[str, Any], name: str, keys: Keys, place: str) -> Head:
    try:
        head = of(proof.get(name))
    except ValueError as error:
        raise _unreadable(place) from error
    if not head.signed_by(keys):
        raise ProofError(
            Text("la tête n'est pas signée par la clé donnée", "the head is not signed by the key that was given"),
            place,
        )
    return head


def _same(tx: sa.Connection, head: Head) -> None:
    if not continues(tx, state(tx), head):
        raise AuditError(
            Text(
                "la base n'est pas celle que cette tête a signée\u202f: lancer «\u202flab39 audit verify\u202f»",
                "the database is not the one this head was signed on: run “lab39 audit verify”",
            ),
            head.file,
        )


def _path(proof: Mapping[str, Any], place: str) -> list[bytes]:
    return [_bytes(each, place) for each in proof["path"]]


def _bytes(value: Any, place: str) -> bytes:
    try:
        return bytes.fromhex(value)
    except (ValueError, TypeError) as error:
        raise _unreadable(place) from error


def _unreadable(place: str) -> InputError:
    return InputError(Text("ce n'est pas une preuve d'audit", "this is not an audit proof"), place)
