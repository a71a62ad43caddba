"""What the page of a desk shows: the findings with what was decided about each, what is asked, what changed."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lab39.core.finding import Finding, Missing, Report, When
from lab39.core.lab import NO_ANSWER
from lab39.core.record import Record
from lab39.core.text import NO_TEXT, Text
from lab39.render.snapshot import Snapshot, snapshot
from lab39.render.words import BANDS, WORDS
from lab39.store.directory import Entry
from lab39.web.desk import asked, changes, fields, reasons
from lab39.web.desk.answers import Answer
from lab39.web.desk.asked import Asked, Placed
from lab39.web.desk.fields import Field

REOPENED = "reopened"
_DIGEST = re.compile(r"-[0-9a-f]{10}(-\d+)?$")
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
        questions: what colleagues were asked about it, in order.
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
    questions: tuple[Asked, ...] = ()

    @property
    def pressing(self) -> tuple[Asked, ...]:
        """The questions to show at once: those that wait, new answers, and the last of the others."""
        over = [each for each in self.questions if not each.pressing]
        return tuple(each for each in self.questions if each.pressing or each is over[-1])

    @property
    def folded(self) -> tuple[Asked, ...]:
        """The other questions."""
        return tuple(each for each in self.questions if each not in self.pressing)

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
        name: of the person.
        base: where its forms go, ``/records/<id>`` or ``/demo/<example>``.
        version: of the record; what an answer starts from.
        token: the assessment that decisions are about, or the signed state of a demonstration.
        can_write: the person may fill in, decide and ask; ``can_share``, let others see the record; ``owner``, they
            keep it.
        circle: whom they may ask without sharing.
        asked: the questions about the record.
        said: told once, at the top of the page and to a screen reader.
        since: what changed since the previous assessment.
        place: the anchor of the form that was sent, and ``landed``, the card that stands for it now: the same, or
            one of the same solution when what it says has another name.
    """

    base: str
    demo: bool
    name: Text
    seen: Snapshot
    found: Report
    bands: tuple[Band, ...]
    asks: tuple[Field, ...]
    tells: tuple[Text, ...]
    answers: tuple[Answer, ...] = ()
    version: int = 1
    token: str = ""
    can_write: bool = True
    can_share: bool = False
    owner: bool = True
    circle: tuple[Entry, ...] = ()
    asked: Placed = asked.NONE
    said: Text = NO_TEXT
    since: changes.Changes | None = None
    place: str = ""

    @property
    def landed(self) -> str:
        """See :attr:`place`."""
        if not self.place.startswith("f-") or self.place in self.anchors:
            return self.place
        solution = _DIGEST.sub("-", self.place)
        return next((a for a in self.anchors if _DIGEST.sub("-", a) == solution), self.place)

    @property
    def anchors(self) -> tuple[str, ...]:
        """The place of each card."""
        return tuple(row.dom for band in self.bands for row in band.rows)

    @property
    def oneline(self) -> Text:
        """What there is to do, in one line. What could not be evaluated is told with it: nothing reassures that
        rests on absent data."""
        waiting = self.counts
        n = len(self.found.not_evaluated)
        fr = ", ".join(f"{number} {title.fr[:1].lower()}{title.fr[1:]}" for title, number in waiting.items())
        en = ", ".join(f"{number} {title.en[:1].lower()}{title.en[1:]}" for title, number in waiting.items())
        if waiting:
            said = Text(f"À voir\u202f: {fr}", f"To look at: {en}")
        elif any(row.actions for band in self.bands for row in band.rows):
            said = Text("Tout est traité", "All is dealt with")
        elif n:
            said = Text("Rien à faire dans ce qui a pu être évalué", "Nothing to do in what could be evaluated")
        else:
            said = Text(
                "Rien à signaler par les solutions installées", "Nothing to report by the installed solutions"
            )
        if not n:
            return Text(f"{said.fr}.", f"{said.en}.")
        return Text(
            f"{said.fr}\u202f; {n} non évalué{'s' * (n > 1)}, faute de données.",
            f"{said.en}; {n} not evaluated, data absent.",
        )

    @property
    def counts(self) -> Mapping[Text, int]:
        """How many findings wait in each band."""
        return {b.title: n for b in self.bands if (n := sum(not row.settled and row.actions for row in b.rows))}


def bands(
    found: Report,
    decisions: Iterable[Decided],
    since: changes.Changes | None,
    questions: Mapping[str, tuple[Asked, ...]] | None = None,
) -> tuple[Band, ...]:
    """The bands that hold something, what could not be told last.

    Args:
        decisions: in order; the last one about a finding counts.
        questions: by the key of the finding they stand with.
    """
    waiting = dict(questions or {})
    by_key: dict[str, Decided] = {}
    by_name: dict[str, Decided] = {}
    by_kind: dict[str, Decided] = {}
    for each in decisions:
        name = each.finding.partition("#")[0]
        by_key[each.finding] = by_name[name] = by_kind[name.rpartition("/")[0]] = each
    new = {changes.key(f) for f in since.added} if since else set()
    other = {changes.key(f) for _, f in since.changed} if since else set()
    kinds = Counter(changes.name(f).rpartition("/")[0] for f in found.findings)
    seen: Counter[str] = Counter()

    def shown(finding: Finding) -> Shown:
        key, name = changes.key(finding), changes.name(finding)
        kind = name.rpartition("/")[0]
        alone = kinds[kind] == 1  # then it is the same finding whatever entries it is about
        asks, tells = fields.fields(finding.missing)
        decided = by_key.get(key)
        last = by_name.get(name) or (by_kind.get(kind) if alone else None)
        digest = hashlib.sha256((kind if alone else name).encode()).hexdigest()[:10]
        place = f"f-{finding.solution[:60]}-{digest}"
        seen[place] += 1
        return Shown(
            finding=finding,
            key=key,
            dom=place + (f"-{seen[place]}" if seen[place] > 1 else ""),
            asks=asks,
            tells=tells,
            decided=decided if decided is not None and decided.action != REOPENED else None,
            before=last if decided is None and last is not None and last.action != REOPENED else None,
            mark="new" if key in new else "changed" if key in other else "",
            actions=not finding.not_evaluated and finding.code not in NO_ANSWER,
            questions=waiting.pop(key, ()),
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
    can_share: bool = False,
    owner: bool = True,
    circle: tuple[Entry, ...] = (),
    asked: Placed = asked.NONE,
    said: Text = NO_TEXT,
    place: str = "",
    usual: bool = True,
    name: Text = NO_TEXT,
) -> Desk:
    """The desk of a record and its report.

    Args:
        place: the anchor of the form that was sent; its drawer is open.
        usual: also ask beside the record for what most decisions need, whatever these findings say.
        name: how the person is called when the record has no name.
    """
    return Desk(
        base=base,
        demo=demo,
        seen=snapshot(record, found),
        found=found,
        bands=bands(found, decisions, since, asked.by_key),
        name=Text.same(record.name) if record.name else name or Text.same(record.id or "–"),
        asks=fields.beside(record, found, usual=usual),
        tells=fields.told(record, found),
        answers=answers,
        version=version,
        token=token,
        can_write=can_write,
        can_share=can_share,
        owner=owner,
        circle=circle,
        asked=asked,
        said=said,
        since=since,
        place=place,
    )
