"""The checks of what a solution shows and answers by itself: its pages and its operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab39.conformance.checks import NotChecked, Problems, check, loaded, same
from lab39.conformance.subject import Subject
from lab39.conformance.visiting import ABSENT, problems
from lab39.core.text import Text


def _visited(subject: Subject, kind: str) -> list[Mapping[str, Any]]:
    """What was seen of its pages or operations; nothing when it has none.

    Raises:
        NotChecked: the lab could not be opened.
    """
    if not loaded(subject)["values"][kind]:
        return []
    found = subject.faces
    if found["error"]:
        raise NotChecked(same(f"{loaded(subject)['values'][kind]}: {found['error']}"))
    rows: list[Mapping[str, Any]] = found[kind]
    return rows


@check(
    "pages",
    "Ses pages sont entières dans les deux langues et montrent comme du texte ce qui est saisi",
    "Its pages are whole in both languages and show what is typed as text",
)
def _pages(subject: Subject) -> Problems:
    for fr, en in problems(_visited(subject, "pages")):
        yield Text(fr, en)


@check("operations", "Chaque opération répond à son propre exemple", "Every operation answers its own example")
def _operations(subject: Subject) -> Problems:
    for row in _visited(subject, "operations"):
        name, status = row["operation"], row["status"]
        if not row["example"] and status in (400, 422):  # it may need more than an empty record
            yield Text(f"{name}\u202f: donner un exemple (Operation.example)", f"{name}: give an Operation.example")
        elif status != ABSENT and status != 200:
            yield same(f"{name}: {status} {row['said']}")
