"""Signed heads: what the tree was at a moment, in files that live outside the database.

Each head names the one before it. Whoever holds a copy of a head can tell whether the log is still the one it was:
copy them where the lab's administrators cannot write.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.settings import Settings
from lab39.store import atomic
from lab39.store.audit import keys as keyring
from lab39.store.audit import merkle
from lab39.store.audit.commitments import CanonicalError, canonical
from lab39.store.audit.log import AuditError, Tree, moment, range_root, state
from lab39.store.engine import Store

if TYPE_CHECKING:
    from lab39.store.audit.keys import Keys

TYPE = "lab39-audit-head-v1"
LATEST = "latest.json"
FIELDS = {"log": str, "size": int, "root": str, "at": str, "key": str, "previous": str}


@dataclass(frozen=True, slots=True)
class Head:
    """The tree at a moment, signed.

    Attributes:
        log: identifier of the log.
        size: number of entries.
        root: of the tree, in hexadecimal.
        at: when it was signed (UTC).
        key: name of the key that signed.
        previous: digest of the head before; empty for the first.
        signature: Ed25519, of the canonical JSON of all the above and the type, in hexadecimal.
    """

    log: str
    size: int
    root: str
    at: str
    key: str
    previous: str
    signature: str

    @property
    def statement(self) -> bytes:
        """What is signed."""
        return _statement({name: getattr(self, name) for name in FIELDS})

    @property
    def text(self) -> bytes:
        """What the file holds."""
        return canonical(self.as_dict())

    @property
    def digest(self) -> str:
        """SHA-256 of the file's content; the next head names it."""
        return hashlib.sha256(self.text).hexdigest()

    @property
    def file(self) -> str:
        """Name of the file."""
        return f"{self.size:012d}-{self.root[:12]}.head.json"

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"head": json.loads(self.statement), "signature": self.signature}

    def signed_by(self, keys: Keys) -> bool:
        """Whether one of these keys signed it."""
        from cryptography.exceptions import InvalidSignature

        key = keys.get(self.key)
        if key is None:
            return False
        try:
            key.verify(bytes.fromhex(self.signature), self.statement)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong.

    Attributes:
        kind: ``alter``, ``delete``, ``reorder``, ``truncate``, ``fork``, ``key``, ``head`` or ``stamp``.
        number: the first entry it concerns; ``None`` when it is about a file.
    """

    kind: str
    number: int | None
    text: Text


def parse(text: bytes, place: str) -> Head:
    """A head from the content of its file.

    Raises:
        InputError: it is not one.
    """
    try:
        return of(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise InputError(Text("ce n'est pas une tête d'audit", "this is not an audit head"), place) from error


def of(value: Any) -> Head:
    """A head from its JSON form.

    Raises:
        ValueError: it is not one.
    """
    whole = isinstance(value, dict) and set(value) == {"head", "signature"} and isinstance(value["head"], dict)
    if not whole or not isinstance(value["signature"], str) or value["head"].get("type") != TYPE:
        raise ValueError("not a head")
    said = {name: kept for name, kept in value["head"].items() if name != "type"}
    if set(said) != set(FIELDS) or any(type(said[name]) is not kind for name, kind in FIELDS.items()):
        raise ValueError("not a head")
    if said["size"] < 0 or len(bytes.fromhex(said["root"])) != merkle.HASH_BYTES:
        raise ValueError("not a head")
    head = Head(**said, signature=value["signature"])
    try:
        canonical(head.as_dict())
    except CanonicalError as error:
        raise ValueError("not a head") from error
    return head


def read(folder: Path) -> tuple[tuple[Head, ...], tuple[Problem, ...]]:
    """Every head of a folder, the smallest first, and what cannot be read there."""
    found: dict[str, Head] = {}
    problems = []
    for path in sorted(folder.glob("*.head.json")):
        try:
            head = parse(path.read_bytes(), path.name)
        except (InputError, OSError):
            problems.append(_head_problem(path.name, "illisible ou altérée", "cannot be read, or was altered"))
            continue
        found[head.digest] = head
    latest = folder / LATEST
    if latest.exists():
        try:
            head = parse(latest.read_bytes(), LATEST)
            if head.digest not in found:
                problems.append(_head_problem(head.file, "absente, alors que latest.json la nomme", "absent"))
                found[head.digest] = head
        except (InputError, OSError):
            problems.append(_head_problem(LATEST, "illisible ou altérée", "cannot be read, or was altered"))
    ordered = tuple(sorted(found.values(), key=lambda head: (head.size, head.at, head.root)))
    if latest.exists() and ordered and not problems and latest.read_bytes() != ordered[-1].text:
        problems.append(_head_problem(LATEST, "ce n'est pas la dernière tête", "it is not the last head"))
    return ordered, tuple(problems)


def check_chain(heads: Sequence[Head], keys: Keys, log: str | None) -> Iterator[Problem]:
    """What is wrong with heads among themselves: signatures, forks, absences.

    Args:
        log: identifier of the log they must be about; ``None`` when the database cannot tell.
    """
    before: Head | None = None
    digests = {head.digest for head in heads}
    for head in heads:
        if not head.signed_by(keys):
            yield Problem(
                "key",
                head.size or None,
                Text(
                    f"tête {head.file}\u202f: la signature n'est pas celle d'une clé de ce laboratoire",
                    f"head {head.file}: the signature is not that of a key of this lab",
                ),
            )
        if log is not None and head.log != log:
            yield Problem(
                "fork",
                None,
                Text(
                    f"tête {head.file}\u202f: elle vient d'un autre journal que cette base",
                    f"head {head.file}: it is that of another log than this database's",
                ),
            )
        if before is not None and head.previous != before.digest:
            yield _unchained(before, head, digests)
        before = head


def _unchained(before: Head, head: Head, digests: set[str]) -> Problem:
    if head.size == before.size and head.root != before.root:
        text = Text(
            f"deux têtes de {head.size} entrées ont des racines différentes\u202f: le journal a bifurqué",
            f"two heads of {head.size} entries have different roots: the log was forked",
        )
        return Problem("fork", head.size or None, text)
    if head.previous in digests or not head.previous:
        text = Text(
            f"tête {head.file}\u202f: elle ne suit pas {before.file}\u202f; le journal a bifurqué",
            f"head {head.file}: it does not follow {before.file}; the log was forked",
        )
        return Problem("fork", head.size or None, text)
    return _head_problem(head.file, "il manque une tête avant celle-ci", "a head before this one is absent")


@dataclass(frozen=True, slots=True)
class Signed:
    """What signing gave.

    Attributes:
        new: ``False`` when the log had not grown since the last head.
    """

    head: Head
    path: Path
    new: bool


def sign(store: Store, settings: Settings) -> Signed:
    """Sign the tree as it is and export the head; the last one again when nothing was added since.

    Refuses to sign what does not continue the last exported head: that would cover what happened.

    Raises:
        AuditError: the database is not the one the last head speaks of, or its key is absent.
        StoreUnavailableError
    """
    folder = settings.heads
    with _locked(folder):
        heads, problems = read(folder)
        if problems:
            raise AuditError(problems[0].text, str(folder))
        last = heads[-1] if heads else None
        if last is not None and not last.signed_by(keyring.trusted(settings.keys)):
            raise AuditError(
                Text(
                    f"la clé qui a signé {last.file} est absente de {settings.keys}\u202f: la remettre "
                    "(sauvegarde avec --with-keys)",
                    f"the key that signed {last.file} is absent from {settings.keys}: put it back "
                    "(a backup with --with-keys)",
                ),
                str(folder),
            )
        with store.reading() as tx:
            tree = state(tx)
            if last is not None:
                _continues(tx, tree, last, folder)
        if last is not None and last.size == tree.size:
            return Signed(last, folder / last.file, new=False)
        key = keyring.signing_key(settings.keys)
        said = {
            "log": tree.log,
            "size": tree.size,
            "root": tree.root.hex(),
            "at": moment(store.clock()),
            "key": keyring.key_id(key.public_key()),
            "previous": last.digest if last is not None else "",
        }
        head = of({"head": {"type": TYPE, **said}, "signature": key.sign(_statement(said)).hex()})
        keyring.publish(key.public_key(), folder)
        for name in (head.file, LATEST):
            with atomic.writing(folder / name) as stream:
                stream.write(head.text)
            (folder / name).chmod(0o644)
        return Signed(head, folder / head.file, new=True)


def continues(tx: sa.Connection, tree: Tree, head: Head) -> bool:
    """Whether the database holds what a head was signed on, as far as the kept subtrees tell."""
    if tree.log != head.log or tree.size < head.size:
        return False
    found = range_root(tx, 0, head.size) if head.size else merkle.EMPTY
    return found.hex() == head.root and (tree.size > head.size or tree.root == found)


def _continues(tx: sa.Connection, tree: Tree, last: Head, folder: Path) -> None:
    if not continues(tx, tree, last):
        raise AuditError(
            Text(
                f"la base ne contient pas ce que la tête {last.file} a signé (base restaurée, ou journal "
                "réécrit)\u202f: lancer «\u202flab39 audit verify\u202f»",
                f"the database does not hold what the head {last.file} was signed on (a restored database, or a "
                "log written anew): run “lab39 audit verify”",
            ),
            str(folder),
        )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process signs at a time."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("wb")
    except OSError as error:
        raise atomic.unwritable(error, folder / ".lock") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _statement(said: dict[str, Any]) -> bytes:
    return canonical({"type": TYPE, **said})


def _head_problem(file: str, fr: str, en: str) -> Problem:
    return Problem("head", None, Text(f"tête {file}\u202f: {fr}", f"head {file}: {en}"))
