"""``/signals/pair`` for a pair that a run does not list: no case of it, or a name that nobody reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

from lab39.core.faces import View
from lab39.core.text import Text
from lab39.solutions.signals import naming, ranking, telling
from lab39.solutions.signals.choosing import Chosen
from lab39.solutions.signals.figures import figure
from lab39.solutions.signals.ranking import Asked

Role = Literal["drug", "event"]


@dataclass(frozen=True, slots=True)
class Named:
    """A name that was asked for, looked up in a run.

    Attributes:
        asked: as in the address; empty when it says none.
        name: of the run; empty when it has none.
        reports: with it, in the run.
        near: names of the run that look like it, when it has none of this name.
    """

    asked: str
    name: str
    reports: int
    near: tuple[str, ...]


def look(names: Mapping[str, int], asked: str) -> Named:
    """A name of a run, whatever its capitals and blanks; those that look like it otherwise.

    Args:
        names: those of the run, with their reports.
        asked: the name that is looked for.
    """
    wanted = " ".join(asked.split())
    if wanted in names:
        return Named(asked, wanted, names[wanted], ())
    same = [name for name in names if " ".join(name.split()).casefold() == wanted.casefold()]
    if wanted and same:
        return Named(asked, same[0], names[same[0]], ())
    return Named(asked, "", 0, naming.near(list(names), wanted) if wanted else ())


def view(chosen: Chosen, asked: Asked, drug: str, event: str) -> View:
    """No case of the pair when both names are known, which is an answer; else near names."""
    run = chosen.run
    found: dict[Role, Named] = {
        "drug": look(ranking.margins(run, "drug"), drug),
        "event": look(ranking.margins(run, "event"), event),
    }
    known = all(each.name for each in found.values())

    def table(role: Role | None = None, name: str = "") -> str:
        """Where the table is, narrowed to a name."""
        narrowed = {role: name} if role else {}
        return Asked(run=asked.run, drug=narrowed.get("drug", ""), event=narrowed.get("event", "")).address()

    def near_to(role: Role, name: str) -> str:
        """The pair of a near name when the other name is known, else the table narrowed to the near one."""
        other = found["event" if role == "drug" else "drug"].name
        if not other:
            return table(role, name)
        pair = {role: name, "event" if role == "drug" else "drug": other}
        return "/pair?" + urlencode(pair | ({"run": asked.run} if asked.run else {}))

    expected = found["drug"].reports * found["event"].reports / run.n_reports if known and run.n_reports else 0.0
    return View(
        template="pair_absent.html.jinja",
        status=200 if known else 404,
        values={
            "asked": asked,
            "chosen": chosen,
            "run": run,
            "found": found,
            "known": known,
            "table": table,
            "near_to": near_to,
            "awaited": telling.awaited(expected),
            "ic": _ic(expected) if known and run.least == 1 and not run.by else None,
        },
    )


def _ic(expected: float) -> Text | None:
    """The information component of no case, with its interval."""
    from lab39.solutions.signals.disproportionality import ic

    if expected <= 0:
        return None
    made = ic([0], [expected])
    value, low, high = (
        Text(figure(float(each[0]), "fr"), figure(float(each[0]), "en"))
        for each in (made.value, made.low, made.high)
    )
    return Text(
        f"{value.fr} (intervalle à 95\u202f%\u202f: {low.fr} à {high.fr})",
        f"{value.en} (95% interval: {low.en} to {high.en})",
    )
