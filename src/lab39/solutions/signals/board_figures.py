"""What a run says of a pair, as a signal keeps it; and what has moved since, in the run of another quarter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab39.core.datapacks import Packs
from lab39.core.errors import InputError, LabError
from lab39.core.text import NO_TEXT, Text
from lab39.solutions.signals import counted, runs
from lab39.solutions.signals.runs import Run

NAMES: Mapping[str, tuple[Text, int]] = {
    "n": (Text("Cas (n)", "Cases (n)"), 0),
    "expected": (Text("Attendus (n)", "Expected (n)"), 1),
    "eb05": (Text("EB05 (rapport)", "EB05 (ratio)"), 2),
    "ebgm": (Text("EBGM (rapport)", "EBGM (ratio)"), 2),
    "ic025": (Text("IC025 (bits)", "IC025 (bits)"), 2),
    "ic": (Text("IC (bits)", "IC (bits)"), 2),
    "prr": (Text("PRR (rapport)", "PRR (ratio)"), 2),
    "ror025": (Text("ROR, borne basse (rapport)", "ROR, lower bound (ratio)"), 2),
    "serious": (Text("Graves (n)", "Serious (n)"), 0),
    "countries": (Text("Pays (n)", "Countries (n)"), 0),
}
"""The figures a signal keeps: a title with its unit, decimals shown. The last two come with triage only."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one pair in one run.

    Attributes:
        run: name of the run; ``made``, the day it was made (ISO).
        found: the run has this pair; otherwise it was not reported, or under another name.
        values: by name (:data:`NAMES`); ``None`` when the run does not tell.
        countries: that reported it, sorted; ``None`` when the store is not at hand.
        drug: as the run writes it, ``event`` likewise; empty when it has no such pair.
        synthetic: the reports of the run are made up.
    """

    run: str
    made: str
    found: bool
    values: Mapping[str, float | None]
    countries: tuple[str, ...] | None
    drug: str = ""
    event: str = ""
    synthetic: bool = False

    @property
    def title(self) -> Text:
        """The run, said to be synthetic when it is; empty without a run."""
        made_up = Text(" (synthétique)", " (synthetic)") if self.synthetic else NO_TEXT
        return Text(self.run + made_up.fr, self.run + made_up.en)

    def as_details(self) -> dict[str, Any]:
        """As an entry keeps them."""
        kept = {"run": self.run, "made": self.made, "found": self.found, "figures": dict(self.values)}
        kept |= {"synthetic": True} if self.synthetic else {}
        return kept | ({} if self.countries is None else {"countries": list(self.countries)})

    @classmethod
    def of(cls, details: Mapping[str, Any]) -> Figures | None:
        """Back from an entry; ``None`` when it keeps none."""
        if not details.get("run"):
            return None
        countries = details.get("countries")
        return cls(
            run=details["run"],
            made=details.get("made", ""),
            found=details.get("found", False),
            values=details.get("figures", {}),
            countries=None if countries is None else tuple(countries),
            synthetic=bool(details.get("synthetic", False)),
        )


@dataclass(frozen=True, slots=True)
class Moved:
    """One figure then and now; ``None`` is not told, never zero."""

    name: str
    before: float | None
    after: float | None

    @property
    def change(self) -> float | None:
        """After less before, when both are told."""
        return None if self.before is None or self.after is None else self.after - self.before


@dataclass(frozen=True, slots=True)
class Comparison:
    """What moved between two runs.

    Attributes:
        rows: each figure that either run tells.
        new_countries: that the earlier run did not have; ``None`` when a store was not at hand.
    """

    before: Figures
    after: Figures
    rows: tuple[Moved, ...]
    new_countries: tuple[str, ...] | None


def compare(before: Figures, after: Figures) -> Comparison:
    """What moved for one pair between two runs."""
    rows = tuple(
        Moved(name, before.values.get(name), after.values.get(name))
        for name in NAMES
        if before.values.get(name) is not None or after.values.get(name) is not None
    )
    new = None
    if before.countries is not None and after.countries is not None:
        new = tuple(sorted(set(after.countries) - set(before.countries)))
    return Comparison(before, after, rows, new)


def newest(packs: Packs) -> Run | None:
    """The newest run that was imported; ``None`` when there is none."""
    return runs.of_pack(packs.get(runs.PACK)) if packs.has(runs.PACK) else None


def named(packs: Packs, name: str) -> Run | None:
    """The run of a name, or the newest without one; ``None`` when none was imported.

    Raises:
        InputError: no run of this name.
    """
    if not name:
        return newest(packs)
    for pack in packs.installed(runs.PACK):
        if pack.version == name:
            return runs.of_pack(pack)
    raise InputError(
        Text("pas d'analyse de ce nom ici\u202f: l'importer", "no run of this name here: import it"), "run"
    )


def figures(run: Run, drug: str, event: str) -> Figures:
    """What a run says of a pair, whatever the case of the letters."""
    import duckdb

    con = duckdb.connect(config={"memory_limit": "512MB", "threads": 2})
    try:
        found = _row(con, run, _AS_WRITTEN, drug, event)
        if not found:
            found = _row(con, run, _ANY_CASE, drug.lower(), event.lower())
        countries = _countries(run, found["drug"], found["event"]) if found else None
    finally:
        con.close()
    values = {name: _number(found[name]) for name in NAMES if name in found}
    names = (str(found["drug"]), str(found["event"])) if found else ("", "")
    return Figures(run.name, run.made.isoformat(), bool(found), values, countries, *names, run.synthetic)


_AS_WRITTEN = "SELECT * FROM read_parquet(?) WHERE drug = ? AND event = ? LIMIT 1"
_ANY_CASE = "SELECT * FROM read_parquet(?) WHERE lower(drug) = ? AND lower(event) = ? ORDER BY n DESC LIMIT 1"
"""On 2.26 million pairs 0.10 and 0.21 s of processor: a name is first looked for as it is written."""


def _row(con: Any, run: Run, query: str, drug: str, event: str) -> dict[str, Any]:
    """The row of a pair by column; empty when there is none."""
    done = con.execute(query, [str(run.scores), drug, event])
    columns = [each[0] for each in done.description or ()]
    row = done.fetchone()
    return {} if row is None else dict(zip(columns, row, strict=True))


def _number(value: Any) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return int(value) if float(value).is_integer() else float(f"{value:.6g}")


def _countries(run: Run, drug: str, event: str) -> tuple[str, ...] | None:
    """The countries of the reports of a pair that the run counted; ``None`` when the store is gone."""
    if not counted.there(run):
        return None
    try:
        with counted.opened(run, drug, event) as con:
            rows = con.execute("SELECT DISTINCT country FROM cases WHERE country IS NOT NULL ORDER BY 1").fetchall()
    except LabError:
        return None
    return tuple(each[0] for each in rows)
