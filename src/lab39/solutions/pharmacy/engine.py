"""The engine of one edition, opened from its packs: who interacts, and how badly."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from lab39.core.datapacks import Pack, Packs
from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.pharmacy import graph as graphs
from lab39.solutions.pharmacy import readings, sources
from lab39.solutions.pharmacy.graph import Graph
from lab39.solutions.pharmacy.levels import Levels, bind
from lab39.solutions.pharmacy.model import Level, Rule, Thesaurus
from lab39.solutions.pharmacy.readings import Readings

PARTIAL = Text(
    "Thésaurus absent\u202f: petite table, incomplète. Taper\u202f: lab39 data install ansm",
    "No thesaurus: a small, partial table. Type: lab39 data install ansm",
)
Plain = tuple[Level, tuple[Level, ...], str]
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Engine:
    """One edition, compiled.

    Attributes:
        plain: for each rule of the graph, what holds when its level needs no data: the level, alone and as what is
            possible, and the conduct; ``None`` for a rule whose level depends on more than the pair.
        pack: where the edition comes from; ``None`` for the small table of a lab without a thesaurus.
    """

    graph: Graph
    levels: Levels
    plain: tuple[Plain | None, ...]
    pack: Pack | None = None

    @property
    def edition(self) -> str:
        """As ``YYYY-MM``."""
        return self.graph.month

    @property
    def partial(self) -> bool:
        """Whether it is only the small table, in which most interactions are absent."""
        return self.pack is None

    def age_warning(self, on: dt.date) -> Text | None:
        """A sentence when the edition is older than its stated life on that day, or is no edition at all."""
        if self.pack is None:
            return PARTIAL
        return dataclasses.replace(self.pack, edition=self.graph.edition).age_warning(on)


def of(
    thesaurus: Thesaurus, graph: Graph | None = None, pack: Pack | None = None, levels: Levels | None = None
) -> Engine:
    """The engine of an edition at hand; what is not given is made."""
    graph = graph or graphs.build(thesaurus)
    levels = levels or bind(thesaurus)
    return Engine(graph, levels, tuple(_plain(levels, rule) for rule in graph.rules), pack)


def _plain(levels: Levels, rule: Rule) -> Plain | None:
    told = levels.plain(rule)
    if told is None or told.level is None:
        return None
    return told.level, told.possible, rule.levels[0].conduct


def open_engine(packs: Packs, edition: str | None = None, progress: Progress = lambda _fraction: None) -> Engine:
    """An edition, the newest unless one is named; compiled at its first use. Without any edition, the small table.

    Args:
        edition: ``YYYY-MM``.

    Raises:
        UnknownNameError: no such edition, with those at hand.
        PackMissingError: an edition is named and none is installed.
    """
    if edition is None and not sources.editions(packs):
        from lab39.solutions.pharmacy import starter

        return of(starter.thesaurus())
    thesaurus = sources.thesaurus(packs, edition, progress)
    month = f"{thesaurus.edition:%Y-%m}"
    pack = next(each.pack for each in sources.editions(packs) if each.month == month)
    name = f"graph-{month}-v{graphs.FORMAT}-{graphs.digest()}.json"

    def compiled() -> Graph:
        return graphs.load(thesaurus, packs.compiled(pack, name, lambda target: graphs.write(thesaurus, target)))

    try:
        graph = compiled()
    except InputError:
        (packs.cache / pack.name / pack.key / name).unlink(missing_ok=True)
        graph = compiled()
    return of(thesaurus, graph, pack, bind(thesaurus, _readings(packs, pack)))


def _readings(packs: Packs, pack: Pack) -> Readings:
    """The readings of levels, kept beside the compiled edition in a form that is read faster."""
    name = f"readings-{readings.digest()}.json"
    try:
        return readings.load(packs.compiled(pack, name, readings.write))
    except ValueError:
        (packs.cache / pack.name / pack.key / name).unlink(missing_ok=True)
        return readings.load(packs.compiled(pack, name, readings.write))
