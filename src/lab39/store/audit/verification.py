"""The whole check: the tree is computed again from the entries and compared with everything that was said of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from lab39.core.text import Text
from lab39.store.audit import merkle, stamps
from lab39.store.audit.commitments import SALT_BYTES, commit
from lab39.store.audit.erasure import ERASE
from lab39.store.audit.heads import Head, Problem, check_chain, read
from lab39.store.audit.log import TILE_LEVELS, AuditError, Row, Tree, moment, rows, state, subtrees
from lab39.store.engine import Store

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from lab39.store.audit.keys import Keys

COPIES = ("actor", "action", "subject")


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found.

    Attributes:
        size: number of entries read, erased ones included.
        root: of the tree computed from them, in hexadecimal; ``None`` when entries are absent.
        erased: entries whose content was erased, and an entry says so.
        heads: exported heads that were compared.
        covered: entries up to this number stand as they were when the last good head was signed.
        problems: everything that is wrong, the smallest entry first; empty when all is well.
        notes: what the reader should know besides.
    """

    log: str | None
    size: int
    root: str | None
    erased: int
    heads: int
    covered: int
    problems: tuple[Problem, ...]
    notes: tuple[Text, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def verify(store: Store, folder: Path, keys: Keys, roots: Sequence[Certificate] = ()) -> Verification:
    """Check the log against itself and against the heads exported to a folder.

    Args:
        folder: the lab's own, or a copy kept elsewhere: the latter also shows that the former was replaced.
        keys: public keys trusted to sign; see :func:`lab39.store.audit.keys.trusted`.
        roots: certificates that the stamps of the folder are verified with.

    Raises:
        StoreUnavailableError
    """
    heads, problems = read(folder)  # before the database: it can only have grown since
    with store.reading() as tx:
        return check(tx, heads, keys, (*problems, *stamps.check(heads, folder, roots)))


def check(tx: sa.Connection, heads: Sequence[Head], keys: Keys, problems: Sequence[Problem] = ()) -> Verification:
    """The same in an open transaction, against heads already read."""
    found, tree = list(problems), None
    try:
        tree = state(tx)
    except AuditError as error:
        found.append(Problem("alter", None, error.text))
    found += check_chain(heads, keys, tree.log if tree else None)
    if keys and not heads:
        found.append(
            Problem(
                "head",
                None,
                Text(
                    "aucune tête exportée, alors que le laboratoire a une clé qui en signe\u202f: disparues",
                    "no exported head, although the lab has a key to sign them: they are gone",
                ),
            )
        )
    scan = _Scan(heads)
    if scan.read(tx):
        scan.finish(tree)
    found += scan.problems
    found.sort(key=lambda each: (each.number is None, each.number or 0))
    first = min((each.number for each in found if each.number is not None), default=scan.seen + 1)
    covered = max((head.size for head in scan.good if head.signed_by(keys) and head.size < first), default=0)
    return Verification(
        log=tree.log if tree else None,
        size=scan.seen,
        root=scan.frontier.root().hex() if scan.whole else None,
        erased=len(scan.erased),
        heads=len(heads),
        covered=covered,
        problems=tuple(found),
        notes=tuple(_notes(heads, scan.seen, covered)),
    )


@dataclass
class _Scan:
    """One pass over the entries."""

    heads: Sequence[Head]
    problems: list[Problem] = field(default_factory=list)
    frontier: merkle.Frontier = field(default_factory=merkle.Frontier)
    whole: bool = True
    seen: int = 0
    last: int = 0
    good: list[Head] = field(default_factory=list)
    erased: list[int] = field(default_factory=list)
    named: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.kept: dict[tuple[int, int], bytes] = {}
        self.waiting: dict[int, list[Head]] = {}
        for head in self.heads:
            self.waiting.setdefault(head.size, []).append(head)

    def read(self, tx: sa.Connection) -> bool:
        """Read everything; ``False`` when it stopped at something that is not even of the right type."""
        self._compare_heads()
        try:
            chosen = sa.select(subtrees.c.level, subtrees.c.position, subtrees.c.hash)
            self.kept = {(level, position): kept for level, position, kept in tx.execute(chosen)}
            for row in rows(tx):
                self.row(row)
        except (ValueError, TypeError, sa.exc.OperationalError) as error:
            if isinstance(error, sa.exc.OperationalError) and "decode" not in str(error.orig):
                raise  # the database is gone: that is not an alteration
            self.whole = False
            self._problem(
                "alter",
                self.last + 1,
                f"illisible à partir de l'entrée {self.last + 1}\u202f; la suite n'a pas été vérifiée",
                f"cannot be read from entry {self.last + 1} on; the rest was not verified",
            )
            return False
        return True

    def row(self, row: Row) -> None:
        """The next entry."""
        if row.number != self.last + 1:
            self._gap(row.number)
        self.last, self.seen = row.number, self.seen + 1
        self._content(row)
        if self.whole:
            self.frontier, made = self.frontier.append(merkle.leaf_hash(row.commitment))
            for node in made:
                if node.level % TILE_LEVELS == 0 and self.kept.pop((node.level, node.position), None) != node.hash:
                    first, end = (node.position << node.level) + 1, (node.position + 1) << node.level
                    self._problem(
                        "alter",
                        first,
                        f"les entrées {first}–{end} ne donnent pas le sous-arbre conservé",
                        f"entries {first}–{end} do not give the subtree that was kept",
                    )
            self._compare_heads()

    def finish(self, tree: Tree | None) -> None:
        """After the last entry."""
        if tree is not None and tree.size > self.last:
            self._problem(
                "truncate",
                self.last + 1,
                f"le journal comptait {tree.size} entrées, la suite manque à partir de {self.last + 1}",
                f"the log had {tree.size} entries, the end is absent from {self.last + 1} on",
            )
        elif tree is not None and tree.size < self.last:
            self._problem(
                "alter",
                tree.size + 1,
                f"le journal compte {tree.size} entrées, d'autres ont été ajoutées sans lui",
                f"the log counts {tree.size} entries, others were added without it",
            )
        elif tree is not None and self.whole and tree.frontier != self.frontier:
            self._problem(
                "alter",
                None,
                "l'arbre tenu à jour n'est pas celui des entrées",
                "the tree kept is not the entries'",
            )
        if self.whole and self.kept:
            level, position = min(self.kept)
            self._problem(
                "truncate",
                (position << level) + 1,
                "un sous-arbre conservé couvre des entrées qui n'existent pas",
                "a subtree was kept of entries that do not exist",
            )
        for size, heads in sorted(self.waiting.items()):
            if size > self.last:
                for head in heads:
                    self._problem(
                        "truncate",
                        self.last + 1,
                        f"la tête {head.file}, signée le {head.at}, couvre {size} entrées\u202f; la base en a "
                        f"{self.last}\u202f: journal tronqué, ou base restaurée d'une copie plus ancienne",
                        f"the head {head.file}, signed on {head.at}, covers {size} entries; the database has "
                        f"{self.last}: the log was truncated, or the database restored from an older copy",
                    )
        for number in self.erased:
            if number not in self.named:
                self._problem(
                    "alter",
                    number,
                    f"entrée {number}\u202f: vidée sans qu'une entrée d'effacement le dise",
                    f"entry {number}: emptied, and no entry of an erasure says so",
                )

    def _gap(self, number: int) -> None:
        expected = self.last + 1
        if number < expected:
            self._problem(
                "alter", number, f"entrée {number}\u202f: numéro impossible", f"entry {number}: impossible"
            )
        else:
            missing = f"{expected}" if number == expected + 1 else f"{expected}–{number - 1}"
            self._problem("delete", expected, f"entrée {missing}\u202f: absente", f"entry {missing}: absent")
        self.whole = False

    def _content(self, row: Row) -> None:
        stored = (row.salt, row.entry, row.at, row.actor, row.action, row.subject)
        if all(value is None for value in stored):
            self.erased.append(row.number)
            return
        fr, en = f"entrée {row.number}\u202f: ", f"entry {row.number}: "
        if row.salt is None or row.entry is None or len(row.salt) != SALT_BYTES:
            self._problem("alter", row.number, fr + "incomplète", en + "incomplete")
            return
        if commit(row.salt, row.entry.encode()) != row.commitment:
            self._problem(
                "alter",
                row.number,
                fr + "son contenu n'est pas celui qui fut inscrit",
                en + "its content is not the one that was written",
            )
            return
        said = _said(row.entry)
        if said is None:
            self._problem("alter", row.number, fr + "ce n'est pas une entrée", en + "it is not an entry")
        elif said["number"] != row.number:
            self._problem(
                "reorder",
                row.number,
                fr + f"elle fut inscrite sous le numéro {said['number']}",
                en + f"it was written under number {said['number']}",
            )
        elif row.at is None or said["at"] != moment(row.at) or any(said[c] != getattr(row, c) for c in COPIES):
            self._problem(
                "alter",
                row.number,
                fr + "les colonnes de recherche ne disent pas ce que dit l'entrée",
                en + "the columns for searching do not say what the entry says",
            )
        elif said["action"] == ERASE:
            for first, last in _spans(said["about"]):
                self.named.update(range(max(first, 1), min(last, row.number - 1) + 1))

    def _compare_heads(self) -> None:
        for head in self.waiting.pop(self.frontier.size, ()):
            if head.root == self.frontier.root().hex():
                self.good.append(head)
                continue
            since = max((good.size for good in self.good), default=0)
            self._problem(
                "fork",
                since + 1,
                f"les entrées {since + 1}–{head.size} ne sont pas celles que la tête {head.file} a signées le "
                f"{head.at}\u202f: journal réécrit ou bifurqué",
                f"entries {since + 1}–{head.size} are not those that the head {head.file} was signed on, on "
                f"{head.at}: the log was written anew or forked",
            )

    def _problem(self, kind: str, number: int | None, fr: str, en: str) -> None:
        self.problems.append(Problem(kind, number, Text(fr, en)))


def _said(text: str) -> dict[str, Any] | None:
    """What an entry's text says; ``None`` when it is not that of an entry."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    whole = isinstance(said, dict) and set(said) == {"number", "at", "about", *COPIES}
    return said if whole and isinstance(said["about"], dict) else None


def _spans(about: dict[str, Any]) -> Iterator[tuple[int, int]]:
    """The numbers that an erasure names."""
    spans = about.get("entries")
    for span in spans if isinstance(spans, list) else ():
        match span:
            case [int(first), int(last)]:
                yield first, last


def _notes(heads: Sequence[Head], size: int, covered: int) -> Iterator[Text]:
    if size and not heads:
        yield Text(
            "aucune tête exportée\u202f: le journal n'est comparé qu'à lui-même (lab39 audit head)",
            "no exported head: the log is compared with itself only (lab39 audit head)",
        )
    elif size > covered:
        yield Text(
            f"{size - covered} entrée(s) depuis la dernière tête\u202f: lab39 audit head les couvre",
            f"{size - covered} entries since the last head: lab39 audit head covers them",
        )
    if heads and heads[0].previous:
        yield Text(
            f"des têtes plus anciennes que {heads[0].file} ne sont pas dans ce dossier",
            f"heads older than {heads[0].file} are not in this folder",
        )
