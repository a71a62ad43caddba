"""What the page of a desk shows: the findings with what was decided about each, what is asked, what changed."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lab39.core.finding import Finding, Missing, Report, When
from lab39.core.lab import NO_ANSWER
from lab39.core.record import Record
from lab39.core.text import NO_TEXT, Text
from lab39.render.snapshot import Snapshot, snapshot
from lab39.render.words import BANDS, WORDS
from lab39.web.desk import changes, fields, reasons
from lab39.web.desk.answers import Answer
from lab39.web.desk.fields import Field

REOPENED = "reopened"
ACTIONS = {
    "done": Text("Fait", "Done"),
    "dismissed": Text("Écarté", "Dismissed"),
    "asked": Text("Question posée", "Asked"),
    REOPENED: Text("Repris", "Reopened"),
}


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided about a finding, for showing.

    Attributes:
        finding: key of the finding (:func:`lab39.web.desk.changes.key`).
        action: ``done``, ``dismissed``, ``asked`` or ``reopened``.
        by: name of who decided; empty when nobody is signed in.
    """

    finding: str
    action: str
    reason: str
    by: str
    at: dt.date

    @property
    def words(self) -> Text:
        """The action as it is called."""
        return ACTIONS[self.action]

    @property
    def why(self) -> Text:
        """The reason in words."""
        return reasons.said(self.reason) if self.action == "dismissed" else Text.same(self.reason)


@dataclass(frozen=True, slots=True)
class Shown:
    """One finding on the page.

    Attributes:
        dom: its anchor.
        asks: what can be filled in; ``tells``: what is missing and cannot be.
        decided: what was decided about it as it stands.
        before: what was decided about it when it said something else.
        mark: ``new`` or ``changed`` since the previous assessment, else empty.
        actions: False for what the lab says of itself, and for what could not be evaluated.
    """

    finding: Finding
    key: str
    dom: str
    asks: tuple[Field, ...]
    tells: tuple[Missing, ...]
    decided: Decided | None
    before: Decided | None
    mark: str
    actions: bool

    @property
    def settled(self) -> bool:
        """Nothing more to do about it."""
        return self.decided is not None and self.decided.action in ("done", "dismissed")


@dataclass(frozen=True, slots=True)
class Band:
    """Findings to act on by the same moment."""

    title: Text
    rows: tuple[Shown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything the page shows.

    Attributes:
        base: where its forms go, ``/records/<id>`` or ``/demo/<example>``.
        version: of the record; what an answer starts from.
        token: the assessment that decisions are about, or the signed state of a demonstration.
        can_write: the person may fill in and decide.
        said: told once, at the top of the page and to a screen reader.
        since: what changed since the previous assessment.
        open: anchors of the drawers that are open.
    """

    base: str
    demo: bool
    seen: Snapshot
    found: Report
    bands: tuple[Band, ...]
    asks: tuple[Field, ...]
    tells: tuple[Text, ...]
    answers: tuple[Answer, ...] = ()
    version: int = 1
    token: str = ""
    can_write: bool = True
    said: Text = NO_TEXT
    since: changes.Changes | None = None
    open: frozenset[str] = frozenset()

    @property
    def counts(self) -> Mapping[Text, int]:
        """How many findings wait in each band."""
        return {b.title: n for b in self.bands if (n := sum(not row.settled and row.actions for row in b.rows))}


def anchor(key: str) -> str:
    """Where a finding stands on the page; the same when it says something else."""
    return "f-" + hashlib.sha256(key.partition("#")[0].encode()).hexdigest()[:10]


def bands(found: Report, decisions: Iterable[Decided], since: changes.Changes | None) -> tuple[Band, ...]:
    """The bands that hold something, what could not be told last.

    Args:
        decisions: in order; the last one about a finding counts.
    """
    by_key: dict[str, Decided] = {}
    by_name: dict[str, Decided] = {}
    for each in decisions:
        by_key[each.finding] = each
        by_name[each.finding.partition("#")[0]] = each
    new = {changes.key(f) for f in since.added} if since else set()
    other = {changes.key(f) for _, f in since.changed} if since else set()
    seen: dict[str, int] = {}

    def shown(finding: Finding) -> Shown:
        key = changes.key(finding)
        seen[key] = seen.get(key, 0) + 1
        asks, tells = fields.fields(finding.missing)
        decided = by_key.get(key)
        last = by_name.get(key.partition("#")[0])
        return Shown(
            finding=finding,
            key=key,
            dom=anchor(key) + (f"-{seen[key]}" if seen[key] > 1 else ""),
            asks=asks,
            tells=tells,
            decided=decided if decided is not None and decided.action != REOPENED else None,
            before=last if decided is None and last is not None and last.action != REOPENED else None,
            mark="new" if key in new else "changed" if key in other else "",
            actions=not finding.not_evaluated and finding.code not in NO_ANSWER,
        )

    rows = [Band(BANDS[when], tuple(shown(f) for f in found.band(when))) for when in When]
    rows.append(Band(WORDS["not_evaluated"], tuple(shown(f) for f in found.not_evaluated)))
    return tuple(band for band in rows if band.rows)


def desk(
    record: Record,
    found: Report,
    *,
    base: str,
    demo: bool = False,
    decisions: Iterable[Decided] = (),
    since: changes.Changes | None = None,
    answers: tuple[Answer, ...] = (),
    version: int = 1,
    token: str = "",
    can_write: bool = True,
    said: Text = NO_TEXT,
    open: frozenset[str] = frozenset(),
) -> Desk:
    """The desk of a record and its report."""
    return Desk(
        base=base,
        demo=demo,
        seen=snapshot(record, found),
        found=found,
        bands=bands(found, decisions, since),
        asks=fields.beside(record, found),
        tells=fields.told(record, found),
        answers=answers,
        version=version,
        token=token,
        can_write=can_write,
        said=said,
        since=since,
        open=open,
    )
