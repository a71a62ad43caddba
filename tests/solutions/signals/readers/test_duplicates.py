"""Duplicates: found without labels, explained, undone; on reports made up for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab39.core.errors import InputError
from lab39.solutions.signals.readers import duplicates
from lab39.solutions.signals.readers.duplicates import Link
from lab39.solutions.signals.readers.ingest import ingest
from lab39.solutions.signals.readers.planted import Planted, plant
from lab39.solutions.signals.readers.store import Store

from .conftest import Shelf


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    return plant(tmp_path_factory.mktemp("planted") / "store", reports=2000, share=0.03, seed=7)


@pytest.fixture(scope="module")
def links(made: Planted) -> tuple[Link, ...]:
    return duplicates.find(made.store, max_pairs=3e5)


def test_planted_duplicates_are_found_and_strangers_that_resemble_them_mostly_are_not(
    made: Planted, links: tuple[Link, ...]
) -> None:
    found = {(each.first, each.second) for each in links}
    assert len(made.pairs) > 40
    assert len(found & made.pairs) / len(made.pairs) > 0.7
    assert len(found & made.pairs) / len(found) > 0.7


def test_no_report_is_changed_or_removed(made: Planted, links: tuple[Link, ...]) -> None:
    shelf = Shelf(made.store.folder)
    assert shelf.one("SELECT count(*) FROM reports") == made.reports
    assert shelf.one("SELECT count(*) FROM links") == len(links)
    assert shelf.one("SELECT count(*) FROM links WHERE probability < 0.9") == 0


def test_each_link_says_why(links: tuple[Link, ...]) -> None:
    best = max(links, key=lambda each: each.bits)
    assert {name.en for name, _, _ in best.why} == {
        "drugs", "reactions", "date", "age", "sex", "country", "sender's number",
    }  # fmt: skip
    said = duplicates.explained(best)
    assert said.en.startswith("drugs ")
    assert "bits)" in said.en
    assert "\u202f; réactions " in said.fr
    for link in links:
        dates = next(words.en for name, words, _ in link.why if name.en == "date")
        assert dates in ("same day", "same month", "different", "not told")


def test_what_is_not_told_weighs_nothing(links: tuple[Link, ...]) -> None:
    absent = [bits for link in links for _, words, bits in link.why if words.en == "not told"]
    assert absent
    assert set(absent) == {0.0}


def test_the_links_can_be_undone_and_are_the_same_when_they_are_looked_for_again(
    made: Planted, links: tuple[Link, ...]
) -> None:
    assert duplicates.groups(made.store)
    duplicates.forget(made.store)
    assert duplicates.groups(made.store) == {}
    assert duplicates.find(made.store, max_pairs=3e5) == links


def test_links_followed_end_to_end_make_one_group(made: Planted, links: tuple[Link, ...]) -> None:
    leaders = duplicates.groups(made.store)
    for link in links:
        assert leaders[link.first] == leaders[link.second]


def test_reports_that_are_all_unlike_are_said_to_teach_nothing(tmp_path: Path) -> None:
    rows = "".join(f"{n},drug {n},event {n}\n" for n in range(250))
    (tmp_path / "cases.csv").write_text(f"case,drug,event\n{rows}", "utf-8")
    ingest([tmp_path / "cases.csv"], tmp_path / "store")
    with pytest.raises(InputError, match="no pair of these 250 cases is alike enough"):
        duplicates.find(Store.open(tmp_path / "store"))


def test_too_few_reports_to_learn_from_is_said(tmp_path: Path) -> None:
    made = plant(tmp_path / "store", reports=20)
    with pytest.raises(InputError, match="too few to learn"):
        duplicates.find(made.store)
    assert not (Store.open(made.store.folder).folder / "links.parquet").exists()
