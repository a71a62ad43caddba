"""The conformance suite: what every solution holds to, built in or foreign.

>>> from lab39 import conformance
>>> [point.id for point in conformance.CHECKS][:4]
['loads', 'light-import', 'names', 'card']

``lab39 check PACKAGE`` prints it; a solution's own tests call :func:`check`. A solution is loaded and asked in
processes of its own: over records made for the purpose (``records/``) and those that are given, twice, then in
another process with another hash seed, time zone and language; connections, programs and writing outside
``LAB39_HOME`` are refused meanwhile, and the clock is watched. This finds mistakes; it is no sandbox.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lab39.conformance import behaviour, shown  # noqa: F401  (complete CHECKS)
from lab39.conformance.checks import CHECKS, Check, NotChecked
from lab39.conformance.subject import Subject, subjects
from lab39.core.errors import UnknownNameError
from lab39.core.text import NO_TEXT, Text
from lab39.settings import Settings

__all__ = ["CHECKS", "Check", "Row", "check"]

SHOWN = 3
"""Problems told for one point; the number of the others is said."""


@dataclass(frozen=True, slots=True)
class Row:
    """The outcome of one point: ``detail`` says what is wrong, where, and what to do."""

    id: str
    title: Text
    passed: bool
    detail: Text = NO_TEXT


def check(
    package: str | Path,
    *,
    settings: Settings | None = None,
    records: Iterable[Path] = (),
    only: Iterable[str] = (),
) -> list[Row]:
    """Check the solutions of a package folder, or the one installed under an id.

    Args:
        package: a folder with a ``pyproject.toml`` (its code need not be installed), or an id.
        records: files and folders of records to assess besides the built-in ones.
        only: ids of :data:`CHECKS`; all when none is given.

    Returns:
        One row a point; when the package declares several solutions, ids read ``solution/point``.

    Raises:
        LabError: there is no such package, solution, record or point.
    """
    wanted = list(only)
    for name in wanted:
        if name not in [point.id for point in CHECKS]:
            raise UnknownNameError(Text(f"pas de point «\u202f{name}\u202f»", f"no point “{name}”"))
    found = subjects(str(package), settings or Settings.from_env(), records)
    rows = []
    for subject in found:
        for point in CHECKS:
            if not wanted or point.id in wanted:
                name = point.id if len(found) == 1 else f"{subject.id}/{point.id}"
                rows.append(_row(name, point, subject))
    return rows


def _row(name: str, point: Check, subject: Subject) -> Row:
    try:
        problems = list(point.find(subject))
    except NotChecked as why:
        problems = [why.text]
    told = list(dict.fromkeys(problems))
    detail = Text("; ".join(t.fr for t in told[:SHOWN]), "; ".join(t.en for t in told[:SHOWN]))
    more = len(told) - SHOWN
    if more > 0:
        detail = Text(f"{detail.fr}\u202f; et {more} de plus", f"{detail.en}; and {more} more")
    return Row(name, point.title, not problems, detail)
