"""Triage: vigiGrade completeness, components of pairs on both engines, criteria, ranks and their words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from tests.solutions.signals import bases, told

from lab39.core.errors import InputError
from lab39.solutions.signals import Pairs, Store, detect, opened
from lab39.solutions.signals.completeness import completeness, onset_penalty
from lab39.solutions.signals.components import quarter_name
from lab39.solutions.signals.triage import CRITERIA, criteria, explain, triaged

pytestmark = [
    pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning"),  # Ibis 12 with DuckDB 2
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # sockets that PySpark leaves to the collector
    pytest.mark.xdist_group("spark"),
]

DIMENSIONS = (
    "onset", "indication", "outcome", "sex", "age", "dose", "country", "reporter", "type", "comments",
)  # fmt: skip


def test_golden_completeness_is_the_product_of_the_published_penalties() -> None:
    everything = dict.fromkeys(DIMENSIONS, 1)
    assert completeness(everything) == 1
    assert completeness(everything | {"onset": 0}) == pytest.approx(0.5)
    for name in ("indication", "outcome", "sex", "age"):
        assert completeness(everything | {name: 0}) == pytest.approx(0.7)
    for name in ("dose", "country", "reporter", "type", "comments"):
        assert completeness(everything | {name: 0}) == pytest.approx(0.9)
    assert completeness({}) == pytest.approx(0.5 * 0.7**4 * 0.9**5)
    assert completeness({}, not_carried=("onset",)) == pytest.approx(0.7**4 * 0.9**5)


def test_completeness_refuses_what_it_does_not_know() -> None:
    with pytest.raises(InputError, match="dimension"):
        completeness({"weight": 1})
    with pytest.raises(InputError, match="0 or 1"):
        completeness({"sex": [0.5]})


@pytest.mark.parametrize(
    ("start", "onset", "penalty"),
    [
        ("2020-01-05", "2020-01-07", 0.0),
        ("2020-01-07", "2020-01-05", 0.0),  # told, whatever it tells
        ("2019-12", "2020-01-05", 0.0),  # the order is certain
        ("2020-01", "2020-01-05", 0.1),
        ("2020", "2020-01-05", 0.3),
        ("2020", "2020", 0.3),
        (None, "2020-01-05", 0.5),
        ("2020-01-05", None, 0.5),
    ],
)
def test_golden_dates_that_leave_the_order_open_cost_what_their_doubt_is_worth(
    start: str | None, onset: str | None, penalty: float
) -> None:
    assert onset_penalty(start, onset) == penalty


@pytest.fixture
def rich(tmp_path: Path) -> tuple[Store, Any]:
    reports, drugs, events = told.drawn(250, 5)
    hand = told.by_hand(reports, drugs, events, latest=2021 * 4 + 1, quarters=4)
    return Store(told.write(tmp_path / "store", reports, drugs, events)), hand


def test_components_are_those_worked_out_by_hand_on_each_engine(rich: tuple[Store, Any], engine: Any) -> None:
    store, hand = rich
    found = detect(store, engine=engine.name, **engine.options)
    with opened(engine.name, **engine.options) as chosen:
        table = triaged(found, store, chosen, known=[("a", " Rash ")])
    rows = {(row["drug"], row["event"]): row for row in table.to_pylist()}
    assert rows.keys() == hand.keys()
    for pair, expected in hand.items():
        for name, value in expected.items():
            assert rows[pair][name] == (None if value is None else pytest.approx(value, abs=1e-9)), (pair, name)
    assert [pair for pair, row in rows.items() if row["known"]] == [("A", "rash")]
    assert sorted(row["triage_rank"] for row in rows.values()) == list(range(1, len(rows) + 1))


def test_components_follow_roles_and_reports_left_out(rich: tuple[Store, Any]) -> None:
    store, _ = rich
    suspects = Store(store.folder, roles=("PS",))
    found = detect(suspects, without=("B",))
    with opened() as engine:
        table = triaged(found, suspects, engine, without=("B",))
        assert "B" not in table["drug"].to_pylist()
        with pytest.raises(InputError, match="not the one that was counted"):
            triaged(found, store, engine)


def test_a_store_as_it_stood_before_a_quarter(rich: tuple[Store, Any]) -> None:
    store, _ = rich
    earlier = Store(store.folder, before="2020Q2")
    found = detect(earlier)
    with opened() as engine:
        rows = triaged(found, earlier, engine).to_pylist()
    quarters = pq.read_table(store.path("reports"))["quarter"].to_pylist()
    assert found.counts.n_total == sum(each is not None and each < "2020Q2" for each in quarters)
    assert {row["first_quarter"] for row in rows} <= {"2019Q1", "2019Q4", "2020Q1"}
    assert all(row["recent"] + row["previous"] == row["n"] for row in rows)  # of 2019Q1 to 2020Q1


def test_what_nothing_tells_is_null_and_neither_met_nor_failed(tmp_path: Path) -> None:
    store = Store(bases.write_store(tmp_path, bases.generated(300, 1)))
    found = detect(store)
    with opened() as engine:
        row = triaged(found, store, engine).slice(0, 1).to_pylist()[0]
    assert row["countries"] is None
    assert row["narratives"] is None
    assert row["serious"] is None
    assert row["known"] is None
    assert row["criteria_told"] == 4  # disproportionate, few, informative, recent
    words = " ".join(sentence.en for sentence in explain(row))
    assert "do not say their country (not told)" in words
    assert "No list of known reactions was given (not told)" in words


def test_rows_of_pairs_are_ranked_by_what_they_tell(tmp_path: Path) -> None:
    lines = ["report,drug,event", *(f"{i},A,rash" for i in range(5)), *(f"{i},B,itch" for i in range(5, 30))]
    path = tmp_path / "pairs.csv"
    path.write_text("\n".join(lines), "utf-8")
    with opened() as engine:
        rows = triaged(detect(Pairs(path)), Pairs(path), engine, known=[]).to_pylist()
    assert {row["criteria_told"] for row in rows} == {3}
    assert all(row["completeness"] is None for row in rows)


def values(**told: float) -> dict[str, np.ndarray]:
    base = {"countries": 2.0, "informative": 1.0, "narratives": 1.0, "recent": 1.0} | told
    return {name: np.array([value]) for name, value in base.items()}


@pytest.mark.parametrize(
    ("ic025", "n", "components", "known", "missed"),
    [
        (0.1, 3, {}, False, set()),
        (0.0, 3, {}, False, {"disproportionate"}),
        (0.1, 2, {}, False, {"few"}),
        (0.1, 30, {}, False, set()),
        (0.1, 31, {}, False, {"few"}),
        (0.1, 3, {"countries": 1}, False, {"countries"}),
        (0.1, 3, {"informative": 0}, False, {"informative"}),
        (0.1, 3, {"narratives": 0}, False, {"narrative"}),
        (0.1, 3, {"recent": 0}, False, {"recent"}),
        (0.1, 3, {}, True, {"novel"}),
        (0.1, 3, {"recent": np.nan}, None, {"recent", "novel"}),
    ],
)
def test_each_criterion_at_its_published_bound(
    ic025: float, n: int, components: dict[str, float], known: bool | None, missed: set[str]
) -> None:
    listed = None if known is None else np.array([known])
    met, can_tell = criteria(np.array([ic025]), np.array([float(n)]), values(**components), listed)
    assert {name for name in CRITERIA if not met[name][0]} == missed
    silent = {name for name in CRITERIA if not can_tell[name][0]}
    assert silent == ({"recent", "novel"} if known is None else set())


def test_a_rank_is_explained_in_words_in_both_languages(rich: tuple[Store, Any]) -> None:
    store, _ = rich
    with opened() as engine:
        table = triaged(detect(store), store, engine, known=[("A", "rash")])
    for row in table.to_pylist():
        sentences = explain(row)
        assert len(sentences) >= 1 + len(CRITERIA)
        met = sum("(met)." in each.en for each in sentences)
        assert met == sum("(rempli)." in each.fr for each in sentences) == row["criteria_met"]
        assert sum("(not told)." in each.en for each in sentences) == len(CRITERIA) - row["criteria_told"]
        assert not any(mark in each.fr for each in sentences for mark in ("!", " :", " ;", "nan", "None"))


def without_quarters(store: Store, folder: Path, *gone: str) -> Store:
    """The store without the reports of some quarters."""
    rows = {name: pq.read_table(store.path(name)).to_pylist() for name in ("reports", "drugs", "events")}
    kept = [row for row in rows["reports"] if row["quarter"] not in gone]
    numbers = {row["report_id"] for row in kept}
    children = ([row for row in rows[name] if row["report_id"] in numbers] for name in ("drugs", "events"))
    return Store(told.write(folder, kept, *children))


def test_a_window_that_the_store_does_not_hold_is_not_a_window_without_reports(
    rich: tuple[Store, Any], tmp_path: Path, engine: Any
) -> None:
    store, _ = rich
    held = sorted({q for q in pq.read_table(store.path("reports"))["quarter"].to_pylist() if q})
    assert held[-1] == "2021Q2"
    before = [quarter for quarter in held if "2019Q3" <= quarter <= "2020Q2"]
    assert len(before) > 1
    alone = without_quarters(store, tmp_path / "alone", *before)
    one = without_quarters(store, tmp_path / "one", *before[1:])
    with opened(engine.name, **engine.options) as chosen:
        nothing, some = (
            triaged(detect(each, engine=engine.name, **engine.options), each, chosen).to_pylist()
            for each in (alone, one)
        )
    assert {(row["previous"], row["previous_quarters"]) for row in nothing} == {(None, 0)}
    assert {row["previous_quarters"] for row in some} == {1}
    assert any(row["previous"] for row in some)
    dated = next(row for row in nothing if row["recent"] is not None)
    words = explain(dated)
    assert any("nothing to compare with, the store has none of the 4 quarters before" in each.en for each in words)
    assert any("rien à quoi comparer, la base n'a aucun des 4 trimestres d'avant" in each.fr for each in words)
    dated = next(row for row in some if row["recent"] is not None)
    assert any("in the 4 before (it has 1 of them)" in each.en for each in explain(dated))


def test_more_criteria_met_come_first_then_the_information_component(rich: tuple[Store, Any]) -> None:
    store, _ = rich
    with opened() as engine:
        rows = triaged(detect(store), store, engine, known=[("A", "rash")]).to_pylist()
    ranked = sorted(rows, key=lambda row: row["triage_rank"])
    keys = [(-row["criteria_met"], -row["ic025"]) for row in ranked]
    assert keys == sorted(keys)


def test_quarters_are_numbered_in_order() -> None:
    assert quarter_name(2017 * 4 + 1) == "2017Q2"
    assert quarter_name(2018 * 4) == "2018Q1"
