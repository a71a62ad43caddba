"""From what the benchmark measured to the evidence card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from card import CARD, METRICS, REGIMES, write_card
from lab39.core.evidence import EvidenceCard
from lab39.solutions.raredisease.evaluate import Case
from raredisease import Shared, regimes, table

CASES = [Case("a", "OMIM:1", (), paper="PMID:1"), Case("b", "OMIM:1", (), paper="PMID:1"), Case("c", "OMIM:2", ())]


def rows(*ranks: int | None) -> list[dict[str, Any]]:
    return [
        {"id": c.id, "in_index": True, "rank": r, "posterior": 0.5, "stands_out": r == 1, "ms": 1.0}
        for c, r in zip(CASES, ranks, strict=True)
    ]


def measured() -> dict[str, Any]:
    everyone = {"n": 3, "top1": 1 / 3, "top3": 2 / 3, "top10": 2 / 3}
    brief = {"p50_ms": 1.0, "p95_ms": 2.0, "emptied": 0, "stands_out": 0.5, "all": everyone}
    ours = {"regimes": {name: rows(1, 2, None) for name in REGIMES}, "summary": dict.fromkeys(REGIMES, brief)}
    ranks = {"BMA": [2, 2, 1], "funSimAvg": [1, None, None]}
    peers = {"ranks": {"as-is": ranks, "subtracted": ranks}}
    return {
        "cases": 3,
        "regimes": regimes(CASES, ours, peers),
        "leaks": {
            "pairs": 1,
            "rows_dropped": 2,
            "rows_reduced": 3,
            "counts_of_one_paper": 4,
            "counts_equal_to_the_data": 3,
            "shuffled_top1": 0.0,
            "shuffled_n": 3,
        },
        "random": {"n": 500, "stands_out": 5},
        "process_start_s": 0.5,
        "process_peak_mb": 70.0,
        "evaluation_peak_mb": 150.0,
        "peers_peak_mb": 400.0,
        "peers_load_s": 20.0,
        "peers_p95_ms": 4.0,
        "pyhpo_seconds_a_case": 10.0,
        "versions": {"lab39": "0", "model": "1", "hpoa": "H", "hpo": "O", "pyhpo": "4"},
    }


def test_ours_the_peer_and_the_difference_are_of_the_same_cases() -> None:
    figure = measured()["regimes"]["never-cited"]["figures"]
    assert figure["top1"]["ours"]["value"] == pytest.approx(1 / 3)
    assert figure["top1"]["peers"]["Resnik-BMA (pyhpo)"]["value"] == pytest.approx(1 / 3)
    assert figure["top3"]["difference"]["Resnik-BMA (pyhpo)"]["value"] == pytest.approx(-1 / 3)
    assert figure["macro_top1"]["ours"]["value"] == pytest.approx((1 / 2 + 0) / 2)
    low, high = figure["top1"]["ours"]["interval"]
    assert (low, high) == (0.0, 0.5)  # two components: (1 of 2) and (0 of 1)


def test_the_calibration_error_has_an_interval_around_it() -> None:
    shared = Shared(["A", "B", "C", "D"], [0, 1, 2, 3])
    found = shared.calibration([0.5, 0.5, 0.9, 0.9], [True, False, True, True])
    assert found["value"] == pytest.approx(0.05)
    assert found["interval"][0] <= 0.05 <= found["interval"][1]


def test_the_printed_table_names_the_circular_regime_and_both_sets_of_cases() -> None:
    said = table(measured())
    assert "as-is  ** circular" in said
    assert said.count("cases whose disease is in the annotations") == 3
    assert said.count("all 3 cases") == 9
    assert "ours minus theirs" in said


def test_figures_are_put_on_the_card_and_its_words_stay(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text(CARD.read_text("utf-8"), "utf-8")
    before = EvidenceCard.from_toml(path.read_text("utf-8"))
    write_card(measured(), "2026-11-24", path)
    write_card(measured(), "2026-11-24", path)
    card = EvidenceCard.from_toml(path.read_text("utf-8"))
    assert (card.claim, card.limits, card.published) == (before.claim, before.limits, before.published)
    assert len(card.figures) == len(REGIMES) * (len(METRICS) + 2) + 4
    assert card.measured_on.startswith("2026-11-24")
    first = card.figures[0]
    assert first.ours.value == pytest.approx(0.3333)
    assert [peer.name for peer in first.peers] == ["Resnik-BMA (pyhpo)", "Resnik funSimAvg (pyhpo)"]


def test_on_the_shipped_card_every_figure_with_the_papers_is_called_circular() -> None:
    card = EvidenceCard.from_toml(CARD.read_text("utf-8"))
    accuracy = [f for f in card.figures if f.unit == "fraction" and not f.synthetic]
    assert len(accuracy) == len(REGIMES) * (len(METRICS) + 2)
    for figure in accuracy:
        as_is = "as they are" in figure.dataset.en
        assert (figure.label is not None) == as_is
        assert not as_is or (figure.label.en, figure.label.fr) == ("circular", "circulaire")  # type: ignore[union-attr]


def test_on_the_shipped_card_a_figure_on_generated_data_is_called_synthetic() -> None:
    card = EvidenceCard.from_toml(CARD.read_text("utf-8"))
    assert [f.dataset.en for f in card.figures if f.synthetic] == ["signs drawn at random"]


def test_the_shipped_card_reaches_the_bars_of_this_step() -> None:
    card = EvidenceCard.from_toml(CARD.read_text("utf-8"))
    named = {(f.metric.en, f.dataset.en): f for f in card.figures}
    as_is = named["disease ranked first", "published GA4GH cases, disease annotated, annotations as they are"]
    assert as_is.ours.value >= 0.45
    assert as_is.n == 3964
    units = {f.unit: f.ours.value for f in card.figures if f.unit != "fraction"}
    assert units["ms"] <= 50
    assert units["s"] < 2
    assert units["MB"] < 600


def test_the_card_quotes_no_figure_of_a_peer_without_its_caveat() -> None:
    card = tomlkit.parse(CARD.read_text("utf-8")).unwrap()
    for row in card["published"]:
        assert "Not measured here" in row["text"]["en"], json.dumps(row)
        assert "Non mesuré ici" in row["text"]["fr"], json.dumps(row)
