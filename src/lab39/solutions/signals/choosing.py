"""Which run a page speaks about: a version of the pack, or the demonstration, which is made up and says so."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from lab39.core.datapacks import Packs
from lab39.core.errors import InputError, UnknownNameError
from lab39.core.text import Text
from lab39.solutions.signals import demo, runs
from lab39.solutions.signals.runs import PACK, Run

DEMO = "demo"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A run and what is around it.

    Attributes:
        run: that is shown.
        before: the run before it, when there is one.
        named: what the address calls it: empty for the newest of the lab.
        demo: it is the demonstration.
        synthetic: its reports are made up: the demonstration, or a simulation of the lab.
        versions: of the pack, the newest first.
        old: a sentence when the run is older than its stated life.
    """

    run: Run
    before: Run | None
    named: str
    demo: bool
    synthetic: bool
    versions: tuple[str, ...]
    old: Text | None = None


def versions(packs: Packs) -> tuple[str, ...]:
    """Versions of the pack, the newest first; none when there is none."""
    return tuple(each.version for each in reversed(packs.installed(PACK)))


def chosen(packs: Packs, named: str, on: dt.date) -> Chosen:
    """The run that an address names: the newest of the lab unless told, the demonstration when there is none.

    Raises:
        UnknownNameError: no such version.
        InputError: one that cannot be read.
    """
    installed = packs.installed(PACK)
    there = tuple(each.version for each in reversed(installed))
    if named == DEMO or (not named and not installed):
        found = demo.run()
        return Chosen(found, demo.earlier(found), DEMO if there else "", True, True, there)
    at = next((i for i, each in enumerate(installed) if each.version == named), None if named else -1)
    if at is None:
        raise UnknownNameError(
            Text(
                f"analyse inconnue. Présentes\u202f: {', '.join(there) or '–'}",
                f"unknown run. At hand: {', '.join(there) or '–'}",
            ),
            "run",
        )
    pack = installed[at]
    found = runs.of_pack(pack)
    before = _before(packs, pack.version)
    return Chosen(found, before, named, False, found.synthetic, there, pack.age_warning(on))


def _before(packs: Packs, version: str) -> Run | None:
    """The run installed before a version; None when it is the first or cannot be read."""
    installed = packs.installed(PACK)
    at = next(i for i, each in enumerate(installed) if each.version == version)
    if not at:
        return None
    try:
        return runs.of_pack(installed[at - 1])
    except InputError:
        return None
