"""Names of drugs: what is told, and what it stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab39.core.drugnames import Meanings
from lab39.core.errors import InputError, LabError
from lab39.solutions.signals.readers.names import (
    Dictionary,
    Names,
    count_ways,
    ingredients,
    normal,
    open_names,
    read_dictionary,
)

BRANDS = {
    "gaviscon": (("alginate",),),
    "levodopa": (("levodopa",),),
    "carbidopa": (("carbidopa",),),
    "acetaminophen": (("paracetamol",),),
    "vitamin d": (("cholecalciferol",), ("ergocalciferol",)),
    "doliprane": (("paracetamol",),),
}


def pack(name: str = "brands", known: dict[str, Meanings] = BRANDS, version: str = "1") -> Dictionary:
    """What a data pack brings."""
    return Dictionary(name, version, f"key of {name} {version}", lambda asked: known.get(asked.lower(), ()))


@pytest.mark.parametrize(
    ("told", "is_"),
    [
        ("RISPERDAL.", "risperdal"),
        ("Tylenol (Acetaminophen) 500 mg tablets", "tylenol"),
        ("ÉCONAZOLE", "econazole"),
        ("Humira 40 mg/0.8 mL", "humira"),
        ("TYLENOL W/ CODEINE NO. 3", "tylenol w/ codeine no 3"),
        ("INTERFERON BETA-1A", "interferon beta-1a"),
        ("500 MG", "500 mg"),
        ("  ", ""),
    ],
)
def test_a_name_without_its_strength_form_and_brackets(told: str, is_: str) -> None:
    assert normal(told) == is_


def test_ingredients_of_a_source_are_in_one_form() -> None:
    assert ingredients("LEVODOPA\\CARBIDOPA") == ingredients("carbidopa; levodopa") == "carbidopa + levodopa"


@pytest.mark.parametrize(
    ("told", "is_"),
    [
        ("paracetamol 500 mg + codeine 30 mg", "codeine + paracetamol"),  # as a source that lists them has it
        ("vitamin B1 + unknown + B6", "b6 + vitamin b1"),
        ("(A + B)", "a + b"),
        ("Calcium + + vitamin D", "calcium + vitamin d"),
        ("a+b", "a+b"),
    ],
)
def test_a_name_that_lists_ingredients_leaves_no_crumb_to_be_counted(told: str, is_: str) -> None:
    assert Names().find(told, None) == (is_, "name")


def test_dictionaries_are_asked_in_their_order_then_the_source_then_the_name() -> None:
    mine = Dictionary.of({"mybrand": ("a", "b"), "doliprane": ("mine",)}, "mine.csv")
    names = Names((mine, pack()))
    found = [
        names.find("MYBRAND 10 mg", "Z"),
        names.find("DOLIPRANE", None),
        names.find("Third", "Z"),
        names.find("Third", None),
        names.find(None, None),
    ]
    assert found == [
        ("a + b", "mine.csv"),
        ("mine", "mine.csv"),
        ("z", "source"),
        ("third", "name"),
        (None, "none"),
    ]
    assert count_ways(found) == {"mine.csv": 2, "source": 1, "name": 1, "none": 1}
    assert Names((pack(), mine)).find("DOLIPRANE", None) == ("paracetamol", "brands")


def test_a_brand_means_what_the_source_says_is_in_it_and_not_what_it_is_in_another_country() -> None:
    names = Names((pack(),))
    assert names.find("GAVISCON", "ALUMINUM HYDROXIDE") == ("aluminum hydroxide", "source")
    assert names.find("GAVISCON", None) == ("alginate", "brands")
    assert names.find("TYLENOL", "ACETAMINOPHEN") == ("paracetamol", "brands")


def test_each_ingredient_that_a_source_lists_is_looked_up_and_one_that_is_not_known_keeps_its_name() -> None:
    names = Names((pack(),))
    assert names.find("STALEVO", "LEVODOPA\\CARBIDOPA") == ("carbidopa + levodopa", "brands")
    assert names.find("NORCO", "ACETAMINOPHEN\\Hydrocodone") == ("hydrocodone + paracetamol", "brands")
    assert names.find("D3", "LEVODOPA\\VITAMIN D") == ("levodopa + vitamin d", "brands")
    assert names.find("LEVODOPA + CARBIDOPA", None) == ("carbidopa + levodopa", "brands")


def test_an_ambiguous_name_is_left_as_it_is_and_no_later_dictionary_decides() -> None:
    later = pack("later", {"vitamin d": (("cholecalciferol",),)})
    assert Names((pack(), later)).find("VITAMIN D", None) == ("vitamin d", "ambiguous")
    assert Names((pack(), later)).find("D-CURE", "VITAMIN D") == ("vitamin d", "ambiguous")
    assert Names((later, pack())).find("VITAMIN D", None) == ("cholecalciferol", "later")


def test_files_and_packs_are_named_in_one_list(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text("name,ingredient\nX,a\n", "utf-8")
    assert open_names([], packs=lambda: pytest.fail("no pack is named")) == Names()
    [one] = open_names([str(file)], packs=lambda: pytest.fail("no pack is named")).dictionaries
    assert (one.name, one.find("x 5 mg")) == ("mine.csv", (("a",),))
    with pytest.raises(LabError, match="this name of a dictionary is taken"):
        open_names([str(file), str(file)], packs=lambda: pytest.fail("no pack is named"))


def test_what_a_file_says_names_its_version() -> None:
    one, same, other = (Dictionary.of({"x": (what,)}) for what in ("a", "a", "b"))
    assert (one.version, one.key) == (same.version, same.key)
    assert one.key != other.key


def test_a_dictionary_is_a_csv_with_two_named_columns(tmp_path: Path) -> None:
    file = tmp_path / "noms.csv"
    file.write_bytes(
        "nom;substance\nEFFERALGAN CODÉINÉ;paracétamol | codéine\nDOLIPRANE;paracétamol\n".encode("cp1252")
    )
    assert read_dictionary(file) == {
        "efferalgan codeine": ("codeine", "paracetamol"),
        "doliprane": ("paracetamol",),
    }


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", r"noms\.csv:1: the first line must name two columns"),
        ("name,ingredient\nX,a\nx 5 mg,b\n", r"noms\.csv:3: “x 5 mg” has two meanings \(a / b\): keep one"),
    ],
)
def test_a_dictionary_that_cannot_be_used_says_where(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "noms.csv"
    file.write_text(text)
    with pytest.raises(InputError, match=says):
        read_dictionary(file)
