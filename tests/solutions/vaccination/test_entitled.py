"""One line of rights a vaccine that is due: who prescribes, who gives, what is reimbursed, with the texts."""

from __future__ import annotations

import datetime as dt

import pytest

from lab39.solutions.vaccination import Observed, Patient, run
from lab39.solutions.vaccination.entitled import Rights, line
from lab39.solutions.vaccination.france import open_france
from lab39.solutions.vaccination.standing import standings

ON = dt.date(2026, 11, 26)


def said(group: str, born: str, *observed: str) -> Rights:
    person = Patient(dt.date.fromisoformat(born), "Female", observations=tuple(map(Observed, observed)))
    result = run(open_france(), person, ON)
    each = next(one for one in standings(result) if one.group == group)
    found = line(open_france(), person, result, each)
    assert found is not None
    return found


def test_golden_an_adult_s_booster_is_for_the_four_professions_and_reimbursed():
    found = said("dTcaPolio", "1981-01-01")
    four = "prescrit et fait par\u202f: médecin, sage-femme, infirmier, pharmacien"
    assert found.says.fr == f"{four}\u202f; remboursé à 65\u202f%."
    assert found.says.en == "prescribed and given by: doctor, midwife, nurse, pharmacist; reimbursed at 65%."
    assert any("8 août 2023" in source.title for source in found.sources)


def test_before_11_years_a_pharmacist_does_not_and_a_nurse_needs_an_order():
    found = said("DTCaPolio", "2020-01-01")
    assert "pharmacien" not in found.says.fr
    assert found.says.fr.startswith("prescrit et fait par\u202f: médecin, sage-femme\u202f; ")
    assert "à vérifier pour\u202f: infirmier (s'il y a une ordonnance)" in found.says.fr


def test_a_live_vaccine_waits_to_know_the_immunity_and_says_for_whom():
    found = said("MMR", "1990-01-01")
    assert (
        "à vérifier pour\u202f: sage-femme, infirmier, pharmacien (immunodépression\u202f: oui ou non"
        in found.says.fr
    )


@pytest.mark.parametrize(
    ("group", "born", "observed", "paid"),
    [
        ("TYPHOID", "1990-01-01", ("travel-typhoid",), "non remboursé"),
        ("RSV", "1945-01-01", (), "remboursement à vérifier"),
        ("INFLUENZA", "1945-01-01", (), "remboursé à 100\u202f%"),
        ("ZOSTER", "1950-01-01", (), "remboursé à 65\u202f%"),
    ],
)
def test_golden_reimbursement_has_three_values(group: str, born: str, observed: tuple[str, ...], paid: str):
    assert said(group, born, *observed).says.fr.endswith(f"\u202f; {paid}.")
