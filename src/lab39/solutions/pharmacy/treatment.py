"""Lines of a treatment out of what is written: names understood through the medicine base and the thesaurus."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab39.core.text import Text
from lab39.solutions.pharmacy.doses import read_dose
from lab39.solutions.pharmacy.facts import indications_of
from lab39.solutions.pharmacy.model import Candidate, Line, Match, Moiety, Posology, Resolution
from lab39.solutions.pharmacy.normal import moiety_key, words
from lab39.solutions.pharmacy.posology import read_posology
from lab39.solutions.pharmacy.vocabulary import vocabulary

if TYPE_CHECKING:
    from lab39.solutions.pharmacy.catalogue import Catalogue
    from lab39.solutions.pharmacy.graph import Graph

THESAURUS = "thesaurus"
"""How a name was found that only the thesaurus knows."""
NOT_IN_BASE = Text(
    "Substance du thésaurus, absente de la base des médicaments",
    "A substance of the thesaurus that the medicine database does not have",
)


@dataclass(frozen=True, slots=True)
class Understood:
    """A name and what became of it.

    Attributes:
        line: ``None`` unless the name has one meaning, with substances.
    """

    resolution: Resolution
    line: Line | None = None


def understand(text: str, catalogue: Catalogue, graph: Graph | None = None, ref: str = "") -> Understood:
    """What a written medicine is.

    A name that the medicine base does not know for certain and that is a substance of the thesaurus is that one:
    the thesaurus also lists medicines that are not sold, or not any more.
    """
    from lab39.solutions.pharmacy.names import resolve

    resolution = resolve(text, catalogue)
    found = resolution.found
    if graph is not None and (found is None or found.how in _UNCERTAIN):
        key = moiety_key(text)
        known_so = found is not None and key in {m.key for m in found.moieties}
        if key and not known_so and graph.listed(Moiety(key, key)):
            label = " ".join(text.split()).lower()
            known = Candidate((Moiety(key, label),), 1.0, THESAURUS, label)
            resolution = dataclasses.replace(
                resolution, match=Match.FOUND, candidates=(known,), notes=(NOT_IN_BASE,)
            )
    line = line_of(resolution, ref)
    if line is not None:
        line = dataclasses.replace(line, posology=read_posology(text, line.product).posology)
    return Understood(resolution, line)


def line_of(resolution: Resolution, ref: str = "") -> Line | None:
    """The line of a name that has one meaning; ``None`` for another, and for a product without known substances."""
    found = resolution.found
    if found is None or not found.moieties:
        return None
    route = found.routes[0] if len(found.routes) == 1 and _tells_a_form(resolution.text, found) else None
    return Line(
        text=resolution.text,
        moieties=found.moieties,
        ref=ref,
        route=route,
        product=found.product,
        routes=found.routes,
        atc=found.atc,
        indications=indications_of((), found.atc),
    )


def _tells_a_form(text: str, found: Candidate) -> bool:
    """Whether the products that fit are those meant (a brand, a code, a form), not the market of a substance."""
    return found.how not in _ANY_FORM or any(word in vocabulary().forms for word in words(text))


_UNCERTAIN = ("fuzzy", "beginning", "spelling", "substance")
"""How a name was found that a substance of the thesaurus written just so comes before."""
_ANY_FORM = frozenset({"substance", "spelling", "fuzzy", "several", "atc", "rxnorm", "choice", THESAURUS})


def dosed(line: Line, dose: str) -> Line:
    """The line taken at a dose.

    Raises:
        InputError: a dose that cannot be read.
    """
    return dataclasses.replace(line, posology=read_dose(dose, line.product))


def named(lines: Sequence[Line], name: str, catalogue: Catalogue, graph: Graph | None = None) -> list[int]:
    """The numbers of the lines that a name means: as it was written, or one of their substances."""
    key = moiety_key(name)
    exact = [i for i, line in enumerate(lines) if line.text.casefold() == name.strip().casefold()]
    if exact:
        return exact
    line = understand(name, catalogue, graph).line
    wanted = {m.key for m in line.moieties} if line else {key}
    return [i for i, each in enumerate(lines) if wanted & {m.key for m in each.moieties}]


def without_dose(lines: Iterable[Line]) -> list[int]:
    """The numbers of the lines that tell no dose."""
    return [i for i, line in enumerate(lines) if line.posology == Posology()]
