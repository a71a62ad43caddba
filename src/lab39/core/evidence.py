"""The evidence card: what a solution reaches, beside its peers, with its limits."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab39.core.text import Text


@dataclass(frozen=True, slots=True)
class Measured:
    """One measured value with its interval. ``source`` says who measured it and where."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the card.

    Attributes:
        metric: what is measured, higher is better unless ``lower_is_better``.
        dataset: on what, with ``n`` cases.
        label: a warning that belongs to the figure (``circular``), empty when there is none.
        synthetic: measured on data we generated; such rows stand apart.
        unit: ``fraction`` (shown as a percentage), ``ms``, ``s``, ``MB``…
    """

    metric: Text
    dataset: Text
    n: int
    unit: str
    ours: Measured
    peers: tuple[Measured, ...] = ()
    label: Text | None = None
    synthetic: bool = False
    lower_is_better: bool = False


@dataclass(frozen=True, slots=True)
class EvidenceCard:
    """What a solution claims and what shows it.

    Attributes:
        published: figures of others that were not measured in the same run, each with its source and caveat.
        command: reproduces every figure.
        measured_on: when and with which versions the figures were printed.
    """

    claim: Text
    intended_use: Text
    command: str
    figures: tuple[Figure, ...]
    limits: tuple[Text, ...]
    published: tuple[tuple[str, Text], ...] = ()
    measured_on: str = ""

    @classmethod
    def from_toml(cls, text: str) -> EvidenceCard:
        """Read a ``card.toml``.

        Raises:
            KeyError, ValueError: a card without claim, intended use, command or limits is not a card.
        """
        card = tomllib.loads(text)
        limits = tuple(Text.of(limit) for limit in card["limit"])
        if not limits:
            raise ValueError("a card states its limits")
        return cls(
            claim=Text.of(card["claim"]),
            intended_use=Text.of(card["intended_use"]),
            command=str(card["command"]),
            figures=tuple(_figure(row) for row in card.get("figure", ())),
            limits=limits,
            published=tuple((str(p["name"]), Text.of(p["text"])) for p in card.get("published", ())),
            measured_on=str(card.get("measured_on", "")),
        )


def _figure(row: Mapping[str, Any]) -> Figure:
    if int(row["n"]) < 1:
        raise ValueError("a figure says on how many cases it was measured")
    return Figure(
        metric=Text.of(row["metric"]),
        dataset=Text.of(row["dataset"]),
        n=int(row["n"]),
        unit=str(row["unit"]),
        ours=_measured("Lab39", row["ours"]),
        peers=tuple(_measured(str(peer["name"]), peer) for peer in row.get("peer", ())),
        label=Text.of(row["label"]) if "label" in row else None,
        synthetic=bool(row.get("synthetic", False)),
        lower_is_better=bool(row.get("lower_is_better", False)),
    )


def _measured(name: str, row: Mapping[str, Any]) -> Measured:
    value = float(row["value"])
    low, high = map(float, row["interval"]) if "interval" in row else (None, None)
    if not math.isfinite(value) or (low is not None and high is not None and not low <= value <= high):
        raise ValueError(f"{name}: {value} is not a number inside its interval {low} to {high}")
    return Measured(name, value, low, high, str(row.get("source", "")))
