"""What an assessment needs, opened once: the engine of the newest thesaurus, the names of medicines."""

from __future__ import annotations

from dataclasses import dataclass

from lab39.core.datapacks import Packs
from lab39.solutions.pharmacy import bdpm, catalogue, engine, sources
from lab39.solutions.pharmacy.engine import Engine
from lab39.solutions.pharmacy.medicines import Names


@dataclass(frozen=True, slots=True)
class Opened:
    """The engine and the names, and the packs they come from.

    Attributes:
        key: of the packs; another key means that something newer is installed.
    """

    key: tuple[str, ...]
    engine: Engine
    names: Names


def key(packs: Packs) -> tuple[str, ...]:
    """Names the newest pack of each kind; one that is absent has an empty place."""
    kinds = (sources.ANSM, sources.ANSM_PDF, bdpm.PACK)
    return tuple(packs.get(kind).key if kind in packs.specs and packs.has(kind) else "" for kind in kinds)


def open_all(packs: Packs, edition: str | None = None) -> Opened:
    """Everything from the packs at hand; without them the small tables of the lab.

    Args:
        edition: of the thesaurus, ``YYYY-MM``; the newest when none is named.

    Raises:
        UnknownNameError, PackMissingError: an edition that is not at hand.
    """
    found = engine.open_engine(packs, edition)
    names = Names(catalogue.open_catalogue(packs, found.graph.members), found.graph, sources.rxnorm(packs))
    return Opened(key(packs), found, names)
