"""Lines out of written names."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.solutions.pharmacy.small import line

from lab39.core.errors import InputError
from lab39.solutions.pharmacy.model import Candidate, Match, Moiety, Posology, Product, Resolution, Route
from lab39.solutions.pharmacy.starter_catalogue import starter_catalogue
from lab39.solutions.pharmacy.treatment import THESAURUS, dosed, line_of, named, understand, without_dose


def test_a_name_of_the_medicine_base_is_that_medicine(small):
    found = understand("Kardégic", starter_catalogue(), small.graph)
    assert found.line is not None
    assert [m.key for m in found.line.moieties] == ["acide acetylsalicylique"]


def test_a_substance_that_only_the_thesaurus_has_is_understood_and_told(small):
    found = understand("Nonoxynol 9", starter_catalogue(), small.graph)
    assert found.line is not None
    assert found.resolution.candidates[0].how == THESAURUS
    assert "thesaurus" in found.resolution.notes[0].en
    assert understand("Nonoxynol 9", starter_catalogue()).line is None


@pytest.mark.parametrize("written", ["", "   ", "😀", "zorglubine", "X de sodium"])
def test_a_name_of_nothing_gives_no_line(small, written):
    found = understand(written, starter_catalogue(), small.graph)
    assert (found.line, found.resolution.match) == (None, Match.UNKNOWN)


def test_a_dose_beside_the_name_is_the_dose_of_the_line(small):
    found = understand("aspirine 75 mg/j", starter_catalogue(), small.graph)
    assert found.line is not None
    assert found.line.posology == Posology(per_day_mg=Decimal(75))


def test_the_market_of_a_substance_tells_no_route_and_a_form_does():
    timolol = (Moiety("timolol", "timolol"),)

    def routed(text, how, routes):
        found = line_of(Resolution(text, Match.FOUND, (Candidate(timolol, 1.0, how, text, routes=routes),)))
        return found.route, found.routes

    assert routed("timolol", "substance", (Route.OCULAR,)) == (None, (Route.OCULAR,))
    for how in ("several", "choice", "rxnorm"):
        assert routed("timolol", how, (Route.OCULAR,)) == (None, (Route.OCULAR,))
    assert routed("timolol collyre", "substance", (Route.OCULAR,)) == (Route.OCULAR, (Route.OCULAR,))
    assert routed("timoptol", "brand", (Route.OCULAR,)) == (Route.OCULAR, (Route.OCULAR,))
    assert routed("timoptol", "brand", (Route.OCULAR, Route.ORAL)) == (None, (Route.OCULAR, Route.ORAL))


def test_a_code_that_has_one_use_says_what_the_line_is_for():
    def used_for(atc):
        only = Candidate((Moiety("x", "x"),), 1.0, "brand", "x", atc=atc)
        return line_of(Resolution("x", Match.FOUND, (only,))).indications

    assert used_for("G03AD01") == {"emergency-contraception"}
    assert used_for("G03AC03") is None


def test_a_product_without_known_substances_gives_no_line():
    remedy = Candidate((), 1.0, "homeopathic", "Arnica", Product("1", "Arnica", "", (), ()))
    assert line_of(Resolution("arnica", Match.FOUND, (remedy,))) is None


def test_a_dose_is_given_to_a_line_or_refused():
    assert dosed(line("methotrexate"), "15 mg/semaine").posology.per_week_mg == 15
    with pytest.raises(InputError):
        dosed(line("methotrexate"), "15")


def test_a_line_is_found_by_what_was_written_or_by_its_substance(small):
    lines = [understand(name, starter_catalogue(), small.graph).line for name in ("Kardégic", "warfarine")]
    catalogue = starter_catalogue()
    assert named(lines, "kardégic", catalogue, small.graph) == [0]
    assert named(lines, "aspirine", catalogue, small.graph) == [0]
    assert named(lines, "paracétamol", catalogue, small.graph) == []


def test_lines_without_a_dose():
    assert without_dose([line("a"), line("b", posology=Posology(per_day_mg=Decimal(1)))]) == [0]
