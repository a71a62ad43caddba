"""From the rows of the annotations to how often a disease shows a sign."""

from __future__ import annotations

import numpy as np
import pytest
from tests.solutions.raredisease.tiny import (
    ALPHA,
    BETA,
    CONSTANTS,
    EYE,
    GAMMA,
    LENS,
    LIMB,
    LONG,
    OLD_LONG,
    OLD_SEIZURE,
    SEIZURE,
    VERY_LONG,
    annotations,
    row,
    write,
)

from lab39.core.errors import InputError
from lab39.solutions import raredisease as rd
from lab39.solutions.raredisease import hpoa, obo


def frequency(index: rd.Index, term: str, disease: str) -> float:
    at = index.term_at(term)
    assert at is not None
    return index.frequency(at, index.disease_at[disease])


def test_golden_counts_of_several_papers_are_pooled(small):
    assert frequency(small, LONG, ALPHA) == pytest.approx((3 + 5 + 0.5) / (4 + 6 + 1))


def test_golden_a_frequency_class_is_worth_ten_patients(small):
    assert frequency(small, VERY_LONG, BETA) == pytest.approx((0.9 * 10 + 0.5) / (10 + 1))


def test_golden_a_percentage_is_worth_ten_patients(small):
    assert frequency(small, EYE, GAMMA) == pytest.approx((0.25 * 10 + 0.5) / (10 + 1))


def test_golden_a_sign_without_frequency_has_the_prior_one(small):
    assert frequency(small, SEIZURE, BETA) == pytest.approx(0.5)


def test_a_sign_seen_in_nobody_is_not_a_sign_of_the_disease(small):
    assert frequency(small, SEIZURE, GAMMA) == 0.0


def test_a_sign_annotated_as_absent_is_not_a_sign_of_the_disease(small):
    assert frequency(small, SEIZURE, ALPHA) == 0.0


def test_an_ancestor_is_at_least_as_frequent_as_the_most_frequent_sign_below_it(small):
    assert frequency(small, LIMB, BETA) == frequency(small, LONG, BETA) == frequency(small, VERY_LONG, BETA)
    assert frequency(small, "HP:0000118", ALPHA) == frequency(small, LONG, ALPHA) > frequency(small, LENS, ALPHA)


def test_a_sign_below_the_annotated_one_is_not_claimed(small):
    assert frequency(small, VERY_LONG, ALPHA) == 0.0


def test_the_background_is_the_mean_over_the_candidates(small):
    at = small.term_at(LONG)
    assert small.background("OMIM")[at] == pytest.approx((8.5 / 11 + 9.5 / 11 + 0) / 3)
    assert small.background("ORPHA")[at] == pytest.approx((5.45 + 0.5) / 11)
    assert small.background("all")[at] == pytest.approx((8.5 / 11 + 9.5 / 11 + 0 + 5.95 / 11) / 4)


def test_rows_under_an_old_id_count_for_the_current_term(compiled):
    index = compiled(
        row(ALPHA, "A", "", OLD_LONG, "PMID:1", "1/2"), row(BETA, "B", "", OLD_SEIZURE, "PMID:2", "1/2")
    )
    assert frequency(index, LONG, ALPHA) == pytest.approx(0.5)
    assert frequency(index, SEIZURE, BETA) == pytest.approx(0.5)


def test_a_row_given_twice_counts_once(compiled):
    once = compiled(row(ALPHA, "A", "", LONG, "PMID:1", "3/4"))
    twice = compiled(*[row(ALPHA, "A", "", LONG, "PMID:1", "3/4")] * 2)
    assert frequency(twice, LONG, ALPHA) == frequency(once, LONG, ALPHA)


def test_golden_marfan_arachnodactyly_is_124_of_197(real):
    # phenotype.hpoa 2025-01-16: OMIM:154700, HP:0001166, PMID:28050285;PMID:33436942, 124/197, its only row.
    assert frequency(real, "HP:0001166", "OMIM:154700") == pytest.approx(124.5 / 198)


def test_golden_marfan_dural_ectasia_is_112_of_140(real):
    # phenotype.hpoa 2025-01-16: OMIM:154700, HP:0100775, PMID:10489951;PMID:3189335, 112/140, its only row.
    assert frequency(real, "HP:0100775", "OMIM:154700") == pytest.approx(112.5 / 141)


def test_golden_noonan_4_cryptorchidism_pools_three_papers(real):
    # phenotype.hpoa 2025-01-16: OMIM:610733, HP:0000028, PMID:17143282 6/9, PMID:17586837 5/11, PMID:17143285 5/9.
    assert frequency(real, "HP:0000028", "OMIM:610733") == pytest.approx((6 + 5 + 5 + 0.5) / (9 + 11 + 9 + 1))


def test_golden_marfan_of_orphanet_is_very_frequently_tall(real):
    # phenotype.hpoa 2025-01-16: ORPHA:558, HP:0001519, HP:0040281 (80-99 %), its only row.
    constants = rd.load_constants()
    very = constants.class_frequency["HP:0040281"]
    weight, alpha, p0 = constants.class_weight, constants.pseudo_count, constants.prior_frequency
    expected = (very * weight + alpha * p0) / (weight + alpha)
    assert frequency(real, "HP:0001519", "ORPHA:558") == pytest.approx(expected)


def test_golden_the_release_holds_the_diseases_its_header_counts(real):
    # header of phenotype.hpoa 2025-01-16: [8359: OMIM; 47: DECIPHER; 4283 ORPHANET]; seven OMIM and two ORPHA
    # entries have no row about a sign that is present or absent (aspect P).
    count = {group: len(real.members(group)) for group in ("OMIM", "ORPHA", "all")}
    assert count == {"OMIM": 8352, "ORPHA": 4281, "all": 8352 + 4281 + 47}


def test_frequencies_are_shares_and_no_ancestor_is_rarer(real):
    assert real.arrays["has_frequency"].min() > 0
    assert real.arrays["has_frequency"].max() <= 1
    marfan = real.disease_at["OMIM:154700"]
    for term in ("HP:0001166", "HP:0001083", "HP:0002616"):
        at = real.term_at(term)
        chain = [real.frequency(a, marfan) for a, _ in real.ancestors(at)]
        assert min(chain) == chain[0]


def test_the_same_sources_make_the_same_index(tmp_path):
    sources = write(tmp_path)
    for name in ("one.npz", "two.npz"):
        rd.compile_index(*sources, tmp_path / name, CONSTANTS)
    one, two = (rd.load_index(tmp_path / name) for name in ("one.npz", "two.npz"))
    assert one.meta == two.meta
    assert all(np.array_equal(one.arrays[k], two.arrays[k]) for k in one.arrays)


def test_the_key_changes_with_a_source_and_with_a_constant(tmp_path):
    obo_path, hpoa_path = write(tmp_path)
    key = rd.source_key(obo_path, hpoa_path, CONSTANTS)
    assert rd.source_key(obo_path, hpoa_path, rd.load_constants()) == rd.source_key(obo_path, hpoa_path)
    hpoa_path.write_text(hpoa_path.read_text("utf-8").replace("3/4", "2/4"), "utf-8")
    assert rd.source_key(obo_path, hpoa_path, CONSTANTS) != key


@pytest.mark.parametrize(
    ("text", "kind", "affected", "patients"),
    [("", "none", 0, 0), ("3/4", "count", 3, 4), ("12.5%", "share", 0.125, 0), ("HP:0040283", "class", 0, 0)],
)
def test_a_frequency_is_a_count_a_percentage_a_class_or_nothing(text, kind, affected, patients):
    found = hpoa.parse_frequency(text)
    assert (found.kind, found.affected, found.patients) == (kind, affected, patients)


@pytest.mark.parametrize("text", ["5/4", "a/b", "120%", "often", "HP:1", "-1/2"])
def test_a_frequency_that_makes_no_sense_is_refused_with_its_line(tmp_path, text):
    path = tmp_path / "phenotype.hpoa"
    path.write_text(annotations(row(ALPHA, "A", "", LONG, "PMID:1", text)), "utf-8")
    with pytest.raises(InputError, match=r"phenotype\.hpoa:4"):
        hpoa.read_annotations(path)


def test_a_truncated_line_is_refused_with_its_number(tmp_path):
    path = tmp_path / "phenotype.hpoa"
    path.write_text(annotations(row(ALPHA, "A", "", LONG, "PMID:1", "1/2")) + "OMIM:1\tcut", "utf-8")
    with pytest.raises(InputError, match=r"phenotype\.hpoa:5: 2 columns, not 12"):
        hpoa.read_annotations(path)


def test_another_table_is_not_taken_for_annotations(tmp_path):
    path = tmp_path / "genes.txt"
    path.write_text("gene\tterm\n1\t2\n", "utf-8")
    with pytest.raises(InputError, match=r"not phenotype\.hpoa"):
        hpoa.read_annotations(path)


def test_an_ontology_that_turns_in_a_circle_is_refused(tmp_path):
    obo_path, _ = write(tmp_path)
    circle = obo_path.read_text("utf-8").replace(
        "is_a: HP:0000020 ! Abnormality of limbs\n\n[Term]\nid: HP:0000022",
        "is_a: HP:0000022\n\n[Term]\nid: HP:0000022",
    )
    obo_path.write_text(circle, "utf-8")
    with pytest.raises(InputError, match="in a circle"):
        obo.read_ontology(obo_path)


def test_a_parent_that_does_not_exist_is_refused(tmp_path):
    obo_path, _ = write(tmp_path)
    obo_path.write_text(obo_path.read_text("utf-8").replace("is_a: HP:0000020", "is_a: HP:7777777"), "utf-8")
    with pytest.raises(InputError, match="no such term"):
        obo.read_ontology(obo_path)


def test_a_damaged_index_says_to_delete_it(tmp_path):
    (tmp_path / "index.npz").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(InputError, match="delete it"):
        rd.load_index(tmp_path / "index.npz")


def test_a_build_that_fails_leaves_no_index(tmp_path):
    obo_path, hpoa_path = write(tmp_path)
    hpoa_path.write_text(annotations(row(ALPHA, "A", "", LONG, "PMID:1", "HP:0000118")), "utf-8")
    with pytest.raises(InputError, match="unknown frequency class"):
        rd.compile_index(obo_path, hpoa_path, tmp_path / "out" / "index.npz")
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []
