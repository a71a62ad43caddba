"""The work on a signal: its states, the moves between them, and what is kept of each; pure functions.

::

    from lab39.solutions.signals import board

    [move.id for move in board.moves_from("detected")]                 # validate, refute, close
    board.decide("detected", "validate", reason="three cases…").after  # validated

States and moves are data (``knowledge/workflow.toml``), with their source: GVP module IX.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any

from lab39.core.errors import InputError, LabError, UnknownNameError
from lab39.core.finding import Source
from lab39.core.text import NO_TEXT, Text

OPENED, COMMENT, CASE, FIGURES = "open", "comment", "case", "figures"
"""Kinds of entries that are no move of the workflow."""
REASON_MAX = 4000
NAME_MAX = 200
CASE_ID = re.compile(r"[\w.:/+-]{1,64}")
"""An identifier of a case: no space, so that no name of a person is one."""


class ForbiddenMoveError(LabError):
    """A move that cannot be made from the state a signal is in."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a signal stands. ``follows`` says what to do next; ``ended``: nothing, until it is reopened."""

    id: str
    title: Text
    follows: Text
    ended: bool


@dataclass(frozen=True, slots=True)
class Move:
    """A decision that may be taken.

    Attributes:
        sources: states it may start from.
        to: state it leads to; ``same`` and ``back`` are settled by :func:`target`.
        needs: what it asks for besides a reason: ``priority``, ``conclusion``, ``recommendations``, or nothing.
        asks: what the reason should say.
        done: the past participle, for a history.
    """

    id: str
    title: Text
    done: Text
    sources: tuple[str, ...]
    to: str
    needs: str
    asks: Text
    source: Source


@dataclass(frozen=True, slots=True)
class Workflow:
    """States in order, moves, and the codes that some moves need."""

    states: Mapping[str, State]
    moves: Mapping[str, Move]
    choices: Mapping[str, Mapping[str, Text]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a signal's history: written once, never changed.

    Attributes:
        number: 1, 2, 3… in the signal.
        kind: a move, or ``open``, ``comment``, ``case``, ``figures``.
        before: state before; empty for the first.
        after: state after.
        details: codes and figures: ``priority``, ``conclusion``, ``recommendations``, ``run``, a case's form.
    """

    number: int
    kind: str
    at: dt.datetime
    by: str
    reason: str
    before: str
    after: str
    details: Mapping[str, Any] = field(default_factory=dict)

    def digest(self, signal: str) -> str:
        """SHA-256 of everything it says, which the signed audit log holds."""
        said = {
            "signal": signal,
            "number": self.number,
            "kind": self.kind,
            "at": self.at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
            "by": self.by,
            "reason": self.reason,
            "before": self.before,
            "after": self.after,
            "details": self.details,
        }
        written = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(written.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Decided:
    """What a move does to a signal."""

    move: Move
    before: str
    after: str
    reason: str
    details: Mapping[str, Any]


@cache
def workflow() -> Workflow:
    """The workflow of the lab."""
    read = tomllib.loads(files(__package__).joinpath("knowledge/workflow.toml").read_text("utf-8"))
    sources = {
        name: Source(row["document"], date=row["date"], url=row.get("url", ""), verified=row["verified"])
        for name, row in read["source"].items()
    }
    states = {
        name: State(name, Text.of(row), Text(row["next_fr"], row["next_en"]), row.get("ended", False))
        for name, row in read["state"].items()
    }
    moves = {name: _move(name, row, sources[row["source"]]) for name, row in read["move"].items()}
    choices = {kind: {code: Text.of(row) for code, row in rows.items()} for kind, rows in read["choice"].items()}
    return Workflow(states, moves, choices)


def _move(name: str, row: Mapping[str, Any], source: Source) -> Move:
    return Move(
        id=name,
        title=Text.of(row),
        done=Text(row["done_fr"], row["done_en"]),
        sources=tuple(row["from"]),
        to=row["to"],
        needs=row.get("needs", ""),
        asks=Text(row["ask_fr"], row["ask_en"]),
        source=replace(source, place=row["place"]),
    )


def state(name: str) -> State:
    """A state by name.

    Raises:
        UnknownNameError: naming those that exist.
    """
    found: State = _known(workflow().states, name, Text("état inconnu", "unknown state"), "state")
    return found


def move(name: str) -> Move:
    """A move by name.

    Raises:
        UnknownNameError: naming those that exist.
    """
    found: Move = _known(workflow().moves, name, Text("décision inconnue", "unknown decision"), "move")
    return found


def moves_from(name: str) -> tuple[Move, ...]:
    """The moves that may be made from a state, the usual one first.

    Raises:
        UnknownNameError
    """
    state(name)
    return tuple(each for each in workflow().moves.values() if name in each.sources)


def target(chosen: Move, before: str, history: Sequence[Entry] = ()) -> str:
    """The state a move leads to.

    Args:
        before: the state it starts from.
        history: entries of the signal; ``back`` leads to the state it was in before it ended.
    """
    if chosen.to == "same":
        return before
    if chosen.to == "back":
        ended = [each for each in history if each.after == before and each.before != before]
        return ended[-1].before if ended and ended[-1].before else next(iter(workflow().states))
    return chosen.to


def decide(
    before: str, name: str, *, reason: str, given: Mapping[str, Any] | None = None, history: Sequence[Entry] = ()
) -> Decided:
    """What a decision does, once everything it needs is there.

    Args:
        before: the state of the signal.
        name: of the move.
        reason: why; never empty.
        given: ``priority``, ``conclusion`` (a code) or ``recommendations`` (codes), when the move needs one.
        history: entries of the signal so far.

    Raises:
        UnknownNameError: no such move.
        ForbiddenMoveError: not from this state.
        InputError: no reason, or what it needs is absent or unknown; the place is the name of the field.
    """
    chosen = move(name)
    if before not in chosen.sources:
        here, usual = state(before), ", ".join(each.title.fr.lower() for each in moves_from(before))
        usual_en = ", ".join(each.title.en.lower() for each in moves_from(before))
        raise ForbiddenMoveError(
            Text(
                f"le signal est «\u202f{here.title.fr}\u202f»\u202f; d'ici\u202f: {usual}",
                f"the signal is “{here.title.en}”; from here: {usual_en}",
            ),
            "move",
        )
    details = _needed(chosen.needs, given or {})
    return Decided(chosen, before, target(chosen, before, history), words(reason), details)


def _needed(needs: str, given: Mapping[str, Any]) -> dict[str, Any]:
    if not needs:
        return {}
    known, value = workflow().choices[needs], given.get(needs)
    several = needs == "recommendations"
    codes = list(dict.fromkeys(value or ())) if several else [value] if value else []
    if not codes:
        raise InputError(
            Text("choisir dans la liste", "choose from the list")
            if not several
            else Text("cocher au moins une action", "tick one action at least"),
            needs,
        )
    for code in codes:
        _known(known, str(code), Text("choix inconnu", "unknown choice"), needs)
    if several and "none" in codes and len(codes) > 1:
        raise InputError(
            Text("«\u202faucune action\u202f» ne va pas avec une autre", "“no action” goes with no other"), needs
        )
    return {needs: codes if several else codes[0]}


def words(said: str, *, place: str = "reason", absent: Text = NO_TEXT) -> str:
    """A reason or a comment: its lines trimmed, never empty.

    Raises:
        InputError: nothing, or too long.
    """
    lines = [" ".join(line.split()) for line in said.replace("\0", " ").strip().splitlines()]
    kept = "\n".join(line for i, line in enumerate(lines) if line or lines[i - 1])
    if not kept:
        raise InputError(absent or Text("écrire le motif", "write the reason"), place)
    if len(kept) > REASON_MAX:
        raise InputError(Text(f"{REASON_MAX} caractères au plus", f"at most {REASON_MAX} characters"), place)
    return kept


def name_of(said: str, place: str, absent: Text) -> str:
    """The name of a drug or of an event, its blanks trimmed.

    Raises:
        InputError: nothing, or too long.
    """
    kept = " ".join(said.replace("\0", " ").split())
    if not kept:
        raise InputError(absent, place)
    if len(kept) > NAME_MAX:
        raise InputError(Text(f"{NAME_MAX} caractères au plus", f"at most {NAME_MAX} characters"), place)
    return kept


def case_id(said: str) -> str:
    """The identifier of a case.

    Raises:
        InputError: nothing, or something that is no identifier.
    """
    kept = said.strip()
    if not CASE_ID.fullmatch(kept):
        raise InputError(
            Text(
                "un numéro de cas est attendu, sans espace ni nom de personne",
                "a case number is expected, without a space or a person's name",
            ),
            "case",
        )
    return kept


def key(drug: str, event: str) -> str:
    """One signal for one pair: the same whatever the case of the letters."""
    pair = f"{' '.join(drug.split()).casefold()}\0{' '.join(event.split()).casefold()}"
    return hashlib.sha256(pair.encode()).hexdigest()


def _known(rows: Mapping[str, Any], name: str, what: Text, place: str) -> Any:
    if name not in rows:
        listed = ", ".join(rows)
        raise UnknownNameError(
            Text(
                f"{what.fr}\u202f: {name[:40]}. Connus\u202f: {listed}", f"{what.en}: {name[:40]}. Known: {listed}"
            ),
            place,
        )
    return rows[name]
