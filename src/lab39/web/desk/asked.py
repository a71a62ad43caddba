"""Questions to colleagues, for showing: each with the finding of today it stands with."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from lab39.core.finding import Report
from lab39.core.text import Text
from lab39.web.desk import changes


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, for showing to one person.

    Attributes:
        by, of: who asked, and whom, by name.
        mine: the viewer asked; ``to_me``: the viewer is asked.
        fresh: its answer was not seen yet by the viewer, who asked.
        reaches: the one who is asked can still open the record.
        changed: the finding says something else since.
    """

    id: str
    assessment: str
    finding: str
    words: str
    by: Text
    of: Text
    at: dt.datetime
    answer: str
    answered_at: dt.datetime | None
    withdrawn_at: dt.datetime | None
    mine: bool
    to_me: bool
    fresh: bool
    reaches: bool
    changed: bool = False

    @property
    def open(self) -> bool:
        """Whether it waits for an answer."""
        return self.answered_at is None and self.withdrawn_at is None

    @property
    def pressing(self) -> bool:
        """Shown at once; what is over is folded away when there is more of it."""
        return self.open or self.fresh


@dataclass(frozen=True, slots=True)
class About:
    """What a question was about, as it was said when it was asked; both empty when it cannot be told any more."""

    summary: Text
    solution: Text


@dataclass(frozen=True, slots=True)
class Lost:
    """A finding that no longer appears, as it was when somebody was asked about it, and the questions.

    Attributes:
        assessment: where it was read last.
    """

    about: About
    assessment: str
    questions: tuple[Asked, ...]

    @property
    def pressing(self) -> bool:
        """Whether a question waits, or a new answer."""
        return any(each.pressing for each in self.questions)

    @property
    def dom(self) -> str:
        """Its anchor."""
        return f"f-gone-{self.questions[0].id[:10]}"


@dataclass(frozen=True, slots=True)
class Placed:
    """The questions about a record, by the key of the finding of today that each stands with.

    Attributes:
        lost: those whose finding no longer appears.
    """

    by_key: Mapping[str, tuple[Asked, ...]]
    lost: tuple[Lost, ...] = ()


NONE = Placed({})


def match(found: Report, asked: Iterable[Asked]) -> tuple[dict[str, tuple[Asked, ...]], tuple[Asked, ...]]:
    """Questions by the key of their finding in a report, and those that have none there.

    A finding that says something else is the same one, and so is the only one of its kind in the report.
    """
    kinds = Counter(_kind(changes.name(f)) for f in found.findings)
    keys: dict[str, str] = {}
    for finding in found.findings:
        key, name = changes.key(finding), changes.name(finding)
        keys[key] = key
        keys.setdefault(name, key)
        if kinds[_kind(name)] == 1:
            keys[_kind(name)] = key
    placed: dict[str, list[Asked]] = {}
    lost = []
    for each in asked:
        name = each.finding.partition("#")[0]
        key_now = keys.get(each.finding) or keys.get(name) or keys.get(_kind(name))
        if key_now is None:
            lost.append(each)
        else:
            placed.setdefault(key_now, []).append(replace(each, changed=key_now != each.finding))
    return {key: tuple(rows) for key, rows in placed.items()}, tuple(lost)


def _kind(name: str) -> str:
    return name.rpartition("/")[0]
