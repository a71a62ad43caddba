"""Which vaccine a record names, by whatever code, and how exactly that is known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.solutions.vaccination import nuva_tables

from lab39.core import terms
from lab39.core.errors import InputError
from lab39.core.terms import Coding, Concept
from lab39.solutions.vaccination.codes import Exactness, Maps, code_of, read_maps
from lab39.solutions.vaccination.model import Association, Schedule


@pytest.fixture
def maps(tmp_path: Path) -> Maps:
    return read_maps(nuva_tables.write(tmp_path / "nuva"), "1")


@pytest.fixture
def french(tiny: Schedule) -> Schedule:
    """A schedule whose vaccines are NUVA codes."""
    return replace(tiny, system=terms.NUVA, vaccines={"VAC0001": tiny.vaccines["901"], "VAC0009": ()})


def said(*pairs: tuple[str, str]) -> Concept:
    return Concept(tuple(Coding(system, code) for system, code in pairs))


def test_the_schedule_s_own_code_is_exact_without_any_map(tiny: Schedule) -> None:
    found = code_of(said((terms.CVX, "901")), tiny)
    assert (found.code, found.exactness) == ("901", Exactness.EXACT)


def test_a_cvx_code_is_read_with_or_without_its_zero(tiny: Schedule) -> None:
    old = replace(tiny, vaccines={"03": ()})
    assert code_of(said((terms.CVX, "3")), old).code == "03"


@pytest.mark.parametrize(
    ("system", "code", "exactness"),
    [
        (terms.NUVA, "VAC0009", Exactness.EXACT),
        (terms.NUVA, "VAC0001", Exactness.BROADER),
        (terms.CIP, "3400900000011", Exactness.BROADER),
        (terms.CIP, "34009 000 000 11", Exactness.BROADER),
        (terms.CIS, "60000001", Exactness.BROADER),
        (terms.ATC, "J07XX01", Exactness.BROADER),
    ],
)
def test_other_codes_lead_to_the_schedule_s_own(
    tiny: Schedule, maps: Maps, system: str, code: str, exactness: Exactness
) -> None:
    found = code_of(said((system, code)), tiny, maps)
    assert (found.code, found.exactness) == ("901", exactness)
    assert found.by == Coding(system, code)


def test_a_nuva_schedule_is_reached_from_cvx_and_from_a_box(french: Schedule, maps: Maps) -> None:
    assert code_of(said((terms.CIP, "3400900000011")), french, maps).code == "VAC0001"
    assert code_of(said((terms.CVX, "901")), french, maps).code == "VAC0009"
    assert code_of(said((terms.ATC, "J07XX01")), french, maps).exactness is Exactness.BROADER


def test_a_product_that_a_nuva_schedule_does_not_name_is_read_as_its_type(french: Schedule, maps: Maps) -> None:
    types_only = replace(french, vaccines={"VAC0009": ()})
    found = code_of(said((terms.NUVA, "VAC0001")), types_only, maps)
    assert (found.code, found.exactness) == ("VAC0009", Exactness.BROADER)


def test_a_type_is_read_as_its_products_when_the_schedule_names_those_only_and_treats_them_alike(
    french: Schedule, maps: Maps
) -> None:
    alike = replace(french, vaccines={"VAC0001": (), "VAC0002": ()})
    found = code_of(said((terms.CVX, "901")), alike, maps)
    assert (found.code, found.exactness) == ("VAC0001", Exactness.BROADER)
    apart = replace(french, vaccines={"VAC0001": (), "VAC0002": (Association("B", None, None),)})
    assert code_of(said((terms.CVX, "901")), apart, maps).exactness is Exactness.AMBIGUOUS


def test_without_the_pack_another_system_is_unknown_and_never_guessed(tiny: Schedule, french: Schedule) -> None:
    assert code_of(said((terms.NUVA, "VAC0001")), tiny) == code_of(said((terms.NUVA, "VAC0001")), tiny, Maps())
    assert code_of(said((terms.NUVA, "VAC0001")), tiny).exactness is Exactness.UNKNOWN
    assert code_of(said((terms.CVX, "901")), french).code == ""


def test_several_codes_that_the_schedule_tells_apart_are_not_guessed(tiny: Schedule, maps: Maps) -> None:
    found = code_of(said((terms.NUVA, "VAC0002")), tiny, maps)  # 901 is preferred for a dose, 909 is a mistake
    assert (found.code, found.exactness) == ("", Exactness.AMBIGUOUS)
    assert set(found.candidates) == {"901", "909"}


def test_a_class_never_settles_what_a_precise_code_leaves_open(tiny: Schedule, maps: Maps) -> None:
    assert code_of(said((terms.ATC, "J07XX01")), tiny, maps).code == "901"
    both = code_of(said((terms.ATC, "J07XX01"), (terms.NUVA, "VAC0002")), tiny, maps)
    assert both.exactness is Exactness.AMBIGUOUS


def test_several_codes_that_the_schedule_treats_alike_are_one(tiny: Schedule, maps: Maps) -> None:
    same = replace(tiny, vaccines={"921": (), "922": ()})
    found = code_of(said((terms.NUVA, "VAC0003")), same, maps)
    assert (found.code, found.exactness) == ("921", Exactness.BROADER)


def test_codings_that_name_different_vaccines_are_told(tiny: Schedule, maps: Maps) -> None:
    other = replace(tiny, vaccines=dict(tiny.vaccines) | {"921": (Association("B", None, None),)})
    found = code_of(said((terms.CVX, "921"), (terms.NUVA, "VAC0009")), other, maps)
    assert found.code == "921"
    assert found.conflict == Coding(terms.NUVA, "VAC0009")


def test_names_are_in_french_where_the_publisher_has_them(maps: Maps) -> None:
    assert (maps.names["VAC0009"].fr, maps.names["VAC0009"].en) == (
        "Vaccin A, sans précision, au nom si long qu'il va à la ligne",
        "A vaccine, unspecified",
    )
    assert maps.names["VAC0001"].fr == "ALPHAVAX"


def test_a_line_cut_short_is_refused_with_its_place(tmp_path: Path) -> None:
    files = nuva_tables.write(tmp_path)
    files["cip"].write_text("CIP,NUVA,Label\nCIP-3400900000011\n", "utf-8")
    with pytest.raises(InputError, match=r"CIP2nuva\.csv:2"):
        read_maps(files)


def test_the_published_tables_reach_cdsi_for_common_products(shared: Path, cdsi: Schedule) -> None:
    from lab39.solutions.vaccination.codes import role_of

    folder = shared / "vaccination" / "nuva"
    if not folder.is_dir():
        pytest.skip("no NUVA tables among the shared data")
    maps = read_maps({role: path for path in folder.iterdir() if (role := role_of(path))})
    for nuva, code in (("VAC0510", "146"), ("VAC0780", "215"), ("VAC0053", "03"), ("VAC0541", "115")):
        assert code_of(said((terms.NUVA, nuva)), cdsi, maps).code == code
    from lab39.solutions.vaccination.france import open_france

    for code, name in (("146", "Hexavalent"), ("03", "ROR"), ("165", "Gardasil 9"), ("216", "20-valent")):
        french = open_france()
        found = code_of(said((terms.CVX, code)), french, maps)
        assert name in french.vaccine_names[found.code]
    assert code_of(said((terms.NUVA, "VAC0030")), cdsi, maps).exactness is Exactness.UNKNOWN  # Revaxis: no CVX code
    assert code_of(said((terms.NUVA, "VAC0035")), cdsi, maps).exactness is Exactness.AMBIGUOUS  # Stamaril: three
