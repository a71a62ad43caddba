"""Names of drugs: what is told, and what it stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab39.core.errors import InputError
from lab39.solutions.signals.readers.names import Names, count_ways, ingredients, normal, read_dictionary


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


def test_the_dictionary_is_asked_first_then_packs_then_the_source_then_the_name() -> None:
    names = Names({"mybrand": ("a", "b")}, (("rxnorm", lambda name: ("c",) if name == "other" else ()),))
    found = [
        names.find("MYBRAND 10 mg", "Z"),
        names.find("OTHER", "Z"),
        names.find("Third", "Z"),
        names.find("Third", None),
        names.find(None, None),
    ]
    assert found == [("a + b", "dictionary"), ("c", "rxnorm"), ("z", "source"), ("third", "name"), (None, "none")]
    assert count_ways(found) == {"dictionary": 1, "rxnorm": 1, "source": 1, "name": 1, "none": 1}


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
