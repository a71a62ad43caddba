"""Cases ranked in three regimes, with what was there before the case's own paper computed by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.solutions.raredisease import tiny
from tests.solutions.raredisease.tiny import ALPHA, BETA, EYE, FEVER, GAMMA, LENS, LIMB, LONG, SEIZURE

from lab39.core.errors import InputError, UnknownNameError
from lab39.solutions import raredisease as rd
from lab39.solutions.raredisease import metrics
from lab39.solutions.raredisease.evaluate import REGIMES, Fields, rank_of
from lab39.solutions.raredisease.subtraction import Stated, is_cited, profile_without_paper, without_paper
from lab39.solutions.raredisease.terms import resolve

OWN = "PMID:7"
OTHER = (BETA, "Beta syndrome", "", SEIZURE, "PMID:3", "2/2")
Compiled = Callable[..., rd.Index]
Row = tuple[str, str, str, str, str, str]


def index_of(compiled: Compiled, *rows: Row) -> rd.Index:
    return compiled(*(tiny.row(*each) for each in rows))


def case(name: str = "a", disease: str = ALPHA, observed: tuple[str, ...] = (LONG,), **others: object) -> rd.Case:
    return replace(rd.Case(name, disease, observed, paper=OWN), **others)  # type: ignore[arg-type]


def run(index: rd.Index, *cases: rd.Case, regime: str = "as-is") -> dict[str, object]:
    return rd.evaluate(index, cases, regime=regime, constants=tiny.CONSTANTS).as_dict()  # type: ignore[arg-type]


def profile_without_own(index: rd.Index, *cases: rd.Case) -> Mapping[int, float]:
    queries = [resolve(index, rd.Query(c.observed, c.excluded)) for c in cases]
    fields = Fields(index, "OMIM", "own-paper-subtracted", cases, queries, tiny.CONSTANTS)
    profile = fields.of(cases[0]).profile
    assert profile is not None
    return profile


def frequency(index: rd.Index, term: str, profile: Mapping[int, float]) -> float:
    at = index.term_at(term)
    assert at is not None
    return profile.get(at, 0.0)


# -- figures -----------------------------------------------------------------------------------------


def test_figures_of_four_cases_computed_by_hand() -> None:
    found = metrics.scores([1, 2, None, 11], ["A", "A", "A", "B"])
    assert (found.n, found.diseases) == (4, 2)
    assert (found.top1, found.top3, found.top10) == (0.25, 0.5, 0.5)
    assert found.macro_top1 == pytest.approx((1 / 3 + 0) / 2)
    assert found.mrr == pytest.approx((1 + 1 / 2 + 0 + 1 / 11) / 4)


def test_without_cases_a_figure_is_absent_not_zero() -> None:
    found = metrics.scores([], [])
    assert found.n == 0
    assert found.top1 is None
    assert metrics.calibration_error([], []) is None


def test_calibration_error_computed_by_hand() -> None:
    # 15 bins: 0.90 and 0.92 share the bin (13/15, 14/15], 0.10 lies in (1/15, 2/15].
    # bin of 0.9: stated 1.82, right 1 -> 0.82; bin of 0.1: stated 0.1, right 0 -> 0.1; over 3 cases.
    assert metrics.calibration_error([0.90, 0.92, 0.10], [True, False, False]) == pytest.approx(0.92 / 3)
    assert metrics.calibration_error([1.0, 0.0], [True, False]) == 0


def test_a_bin_is_closed_on_the_right() -> None:
    assert metrics.bin_of([0.0, 0.2, 0.21, 1.0], 5).tolist() == [0, 0, 1, 4]


def test_ties_are_ranked_by_id() -> None:
    score = np.array([2.0, 5.0, 2.0, 2.0])
    assert [rank_of(score, place) for place in range(4)] == [2, 1, 3, 4]


# -- evaluation --------------------------------------------------------------------------------------


def test_the_rank_of_a_case_is_that_of_the_ranking(small: rd.Index) -> None:
    query = rd.Query((LONG, SEIZURE), (LENS,))
    ranking = rd.rank(small, query, top=3, constants=tiny.CONSTANTS)
    for disease in ranking.candidates:
        [outcome] = rd.evaluate(
            small, [case(disease=disease.id, observed=query.observed, excluded=query.excluded)],
            constants=tiny.CONSTANTS,
        ).outcomes  # fmt: skip
        assert outcome.rank == disease.rank
        assert outcome.first == ranking.candidates[0].id
        assert outcome.posterior == pytest.approx(ranking.candidates[0].posterior)
        assert outcome.p_background == pytest.approx(ranking.p_background)


def test_a_case_of_an_unknown_disease_counts_in_all_only(small: rd.Index) -> None:
    found = run(small, case("a", observed=(LENS,)), case("b", disease="OMIM:999999"))
    assert (found["n"], found["passed"], found["top1"]) == (1, 1, 1.0)
    everyone = found["all"]
    assert isinstance(everyone, dict)
    assert (everyone["n"], everyone["top1"]) == (2, 0.5)
    assert found["not_in_index"] == ["OMIM:999999"]


def test_a_disease_of_the_other_source_is_another_disease(small: rd.Index) -> None:
    found = run(small, case(disease=tiny.ALPHA_ORPHA))
    assert found["n"] == 0
    assert found["not_in_index"] == [tiny.ALPHA_ORPHA]


def test_a_case_without_usable_sign_is_a_failure_with_its_reason(small: rd.Index) -> None:
    found = run(small, case("a"), case("b", observed=("HP:9999999",), line=2))
    assert (found["n"], found["passed"]) == (2, 1)
    assert found["failures"] == [{"id": "b", "line": 2, "disease": ALPHA, "rank": None, "reason": "no-usable-sign"}]


def test_a_case_beyond_the_first_ten_is_a_failure(compiled: Compiled) -> None:
    rivals = [(f"OMIM:20000{i}", f"Rival {i}", "", LONG, "PMID:5", "9/9") for i in range(10)]
    index = index_of(compiled, *rivals, (ALPHA, "Alpha syndrome", "", FEVER, "PMID:1", "1/1"))
    found = run(index, case("a"))
    assert (found["n"], found["passed"], found["top10"]) == (1, 0, 0.0)
    assert found["failures"] == [{"id": "a", "line": 0, "disease": ALPHA, "rank": 11, "reason": "not-in-first-ten"}]


def test_only_the_annotations_as_released_are_called_circular(small: rd.Index) -> None:
    labels = {regime: run(small, case(), regime=regime)["label"] for regime in REGIMES}
    assert labels == {
        "as-is": {"fr": "circulaire", "en": "circular"},
        "own-paper-subtracted": None,
        "never-cited": None,
    }


def test_an_unknown_regime_is_refused(small: rd.Index) -> None:
    with pytest.raises(UnknownNameError, match="own-paper-subtracted"):
        run(small, case(), regime="fair")


def test_progress_ends_at_one(small: rd.Index) -> None:
    told: list[float] = []
    rd.evaluate(small, [case("a"), case("b")], progress=lambda _what, fraction: told.append(fraction))
    assert told == [0.5, 1.0]


# -- never cited -------------------------------------------------------------------------------------


def test_never_cited_keeps_the_cases_whose_paper_no_sign_of_their_disease_rests_on(small: rd.Index) -> None:
    cited, alone = case("cited", paper="PMID:2"), case("alone", paper="PMID:77")
    elsewhere = case("elsewhere", paper="PMID:3")  # cited, but for another disease
    onset_only = case("onset-only", paper="PMID:9")  # cited by an inheritance row, which holds no sign
    nameless = case("nameless", paper="")  # nothing shows that it was not cited
    found = rd.evaluate(small, [cited, alone, elsewhere, onset_only, nameless], regime="never-cited")
    assert [o.case.id for o in found.outcomes] == ["alone", "elsewhere", "onset-only"]


# -- own paper subtracted ----------------------------------------------------------------------------


def test_a_row_that_rests_on_the_paper_alone_goes(compiled: Compiled) -> None:
    index = index_of(
        compiled,
        (ALPHA, "Alpha syndrome", "", LONG, OWN, "4/4"),
        (ALPHA, "Alpha syndrome", "", LENS, "PMID:1", "1/2"),
        OTHER,
    )
    profile = profile_without_own(index, case())
    assert frequency(index, LONG, profile) == 0
    assert frequency(index, LIMB, profile) == 0
    assert frequency(index, LENS, profile) == pytest.approx(1.5 / 3)


def test_patients_stated_in_the_data_leave_a_shared_count(compiled: Compiled) -> None:
    index = index_of(compiled, (ALPHA, "Alpha syndrome", "", LONG, f"PMID:1;{OWN}", "5/9"), OTHER)
    cases = (case("a"), case("b"), case("c", observed=(LENS,), excluded=(LONG,)))
    profile = profile_without_own(index, *cases)
    # 5 of 9 less two who show it and one who does not: 3 of 6, with one pseudo-patient at a half.
    assert frequency(index, LONG, profile) == pytest.approx(3.5 / 7)


def test_a_shared_count_of_which_the_data_say_nothing_is_shared_evenly(compiled: Compiled) -> None:
    index = index_of(compiled, (ALPHA, "Alpha syndrome", "", LONG, f"PMID:1;PMID:2;{OWN}", "6/9"), OTHER)
    profile = profile_without_own(index, case(observed=(LENS,)))
    assert frequency(index, LONG, profile) == pytest.approx(4.5 / 7)


def test_a_shared_count_never_falls_below_nobody(compiled: Compiled) -> None:
    index = index_of(compiled, (ALPHA, "Alpha syndrome", "", LONG, f"PMID:1;{OWN}", "1/2"), OTHER)
    profile = profile_without_own(index, case("a"), case("b"), case("c"))
    assert frequency(index, LONG, profile) == 0


@pytest.mark.parametrize(
    ("written", "present", "excluded", "left"),
    [
        ("5/9", 2, 1, (3, 6)),
        ("0/5", 2, 0, (0, 3)),
        ("2/2", 0, 1, (1, 1)),
        ("3/6", 0, 1, (3, 5)),
        ("3/4", 0, 0, (1.5, 2)),
    ],
)
def test_the_patients_of_the_paper_always_leave_the_count(
    compiled: Compiled, written: str, present: int, excluded: int, left: tuple[float, float]
) -> None:
    index = index_of(compiled, (ALPHA, "Alpha syndrome", "", LONG, f"PMID:1;{OWN}", written), OTHER)
    at, disease = index.term_at(LONG), index.disease_at[ALPHA]
    assert at is not None
    found = without_paper(index, disease, OWN, Stated({at: present}, {at: excluded})).rows
    assert (found.affected.tolist(), found.patients.tolist()) == ([left[0]], [left[1]])


def test_a_row_without_count_that_another_paper_also_supports_stays(compiled: Compiled) -> None:
    index = index_of(compiled, (ALPHA, "Alpha syndrome", "", LONG, f"PMID:1;{OWN}", "HP:0040281"), OTHER)
    found = without_paper(index, index.disease_at[ALPHA], OWN, Stated({}, {}))
    assert (found.dropped, found.reduced, len(found.kept)) == (0, 0, 1)


def test_a_disease_known_from_the_paper_alone_is_missed_and_counted_as_emptied(compiled: Compiled) -> None:
    index = index_of(compiled, (ALPHA, "Alpha syndrome", "", LONG, OWN, "4/4"), OTHER)
    assert run(index, case())["top1"] == 1.0
    without = run(index, case(), regime="own-paper-subtracted")
    assert (without["n"], without["top1"], without["emptied"]) == (1, 0.0, 1)


def test_other_diseases_keep_what_the_paper_says_of_them(compiled: Compiled) -> None:
    index = index_of(
        compiled,
        (ALPHA, "Alpha syndrome", "", LONG, OWN, "1/1"),
        (ALPHA, "Alpha syndrome", "", LENS, "PMID:1", "1/1"),
        (BETA, "Beta syndrome", "", LONG, OWN, "1/1"),
    )
    [outcome] = rd.evaluate(index, [case()], regime="own-paper-subtracted", constants=tiny.CONSTANTS).outcomes
    assert (outcome.rank, outcome.first) == (2, BETA)


def test_subtracting_equals_compiling_a_file_that_never_had_the_paper(compiled: Compiled) -> None:
    """Profile, background and scores are those of annotations from which the paper was taken out by hand."""
    stays = (
        (ALPHA, "Alpha syndrome", "", EYE, "PMID:2", "HP:0040282"),
        (GAMMA, "Gamma syndrome", "", LONG, "PMID:4", "1/3"),
        OTHER,
    )
    index = index_of(
        compiled,
        (ALPHA, "Alpha syndrome", "", LONG, f"PMID:1;{OWN}", "5/9"),
        (ALPHA, "Alpha syndrome", "", LENS, OWN, "2/2"),
        (ALPHA, "Alpha syndrome", "NOT", SEIZURE, OWN, ""),
        *stays,
    )
    edited = index_of(compiled, (ALPHA, "Alpha syndrome", "", LONG, "PMID:1", "4/7"), *stays)
    cases = [case("a", observed=(LONG, EYE), excluded=(FEVER,)), case("b", observed=(LENS,), excluded=(LONG,))]
    queries = [resolve(index, rd.Query(c.observed, c.excluded)) for c in cases]
    field = Fields(index, "OMIM", "own-paper-subtracted", cases, queries, tiny.CONSTANTS).of(cases[0])
    at = edited.disease_at[ALPHA]
    for term in range(len(edited.term_ids)):
        assert field.frequency(term, index.disease_at[ALPHA]) == pytest.approx(edited.frequency(term, at))
    assert field.background == pytest.approx(edited.background("OMIM"), abs=1e-7)
    before = rd.evaluate(index, cases, regime="own-paper-subtracted", constants=tiny.CONSTANTS)
    after = rd.evaluate(edited, cases, constants=tiny.CONSTANTS)
    for one, other in zip(before.outcomes, after.outcomes, strict=True):
        assert (one.rank, one.first) == (other.rank, other.first)
        assert one.posterior == pytest.approx(other.posterior, abs=1e-6)


def test_without_a_cited_paper_the_subtraction_changes_nothing(small: rd.Index) -> None:
    cases = [case("a", paper="PMID:77"), case("b", disease=BETA, observed=(SEIZURE,), paper="PMID:77")]
    as_is, subtracted = (
        rd.evaluate(small, cases, regime=regime, constants=tiny.CONSTANTS)
        for regime in ("as-is", "own-paper-subtracted")
    )
    assert [(o.rank, o.posterior) for o in as_is.outcomes] == [(o.rank, o.posterior) for o in subtracted.outcomes]


# -- reading cases -----------------------------------------------------------------------------------


def written(folder: Path, *lines: object) -> Path:
    path = folder / "cases.jsonl"
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines) + "\n", "utf-8")
    return path


def test_a_case_is_read_with_its_line(tmp_path: Path) -> None:
    whole = {"id": "a", "disease": ALPHA, "obs": [LONG], "exc": [LENS], "pmid": OWN, "sex": "MALE", "age": None}
    path = written(tmp_path, whole, "", {"id": "b", "disease": BETA, "obs": []})
    assert rd.read_cases(path) == [
        rd.Case("a", ALPHA, (LONG,), (LENS,), OWN, 1),
        rd.Case("b", BETA, (), (), "", 3),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"id": "b"', "truncated"),
        ("[]", "a JSON object is expected"),
        ({"id": "b", "obs": []}, "“disease”"),
        ({"id": "", "disease": ALPHA, "obs": []}, "“id”"),
        ({"id": "b", "disease": ALPHA}, "“obs”"),
        ({"id": "b", "disease": ALPHA, "obs": "HP:0000021"}, "“obs”"),
        ({"id": "b", "disease": ALPHA, "obs": [], "exc": [1]}, "“exc”"),
        ({"id": "b", "disease": ALPHA, "obs": [], "pmid": 7}, "“pmid”"),
        ({"id": "a", "disease": ALPHA, "obs": []}, "already on line 1"),
    ],
)
def test_a_bad_line_is_named_by_number(tmp_path: Path, line: object, said: str) -> None:
    path = written(tmp_path, {"id": "a", "disease": ALPHA, "obs": [LONG]}, line)
    with pytest.raises(InputError) as caught:
        rd.read_cases(path)
    assert f"{path}:2" in str(caught.value)
    assert said in str(caught.value)
    assert caught.value.exit_code == 2


def test_every_bad_line_is_named_up_to_five_and_the_others_counted(tmp_path: Path) -> None:
    path = written(tmp_path, *["{"] * 7)
    with pytest.raises(InputError) as caught:
        rd.read_cases(path)
    said = str(caught.value)
    assert all(f"{path}:{number}" in said for number in range(1, 6))
    assert "7 lines cannot be read" in said
    assert "and 2 more" in said


def test_a_file_that_is_absent_or_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        rd.read_cases(tmp_path / "none.jsonl")
    with pytest.raises(InputError, match="no case"):
        rd.read_cases(written(tmp_path, "", ""))


# -- real cases --------------------------------------------------------------------------------------


@pytest.mark.shared
def test_the_flags_of_the_data_are_found_again_in_the_index(real: rd.Index, shared: Path) -> None:
    path = shared / "raredisease/phenopackets-dev.jsonl"
    flags = {row["id"]: row for row in map(json.loads, path.read_text("utf-8").splitlines())}
    assert real.meta["hpoa"] == "2025-01-16", "the flags of the data are those of this release"
    for each in rd.read_cases(path):
        at = real.disease_at.get(each.disease)
        assert (at is not None) == flags[each.id]["in_hpoa"]
        if at is not None:
            assert is_cited(real, at, each.paper) == flags[each.id]["pmid_cited"]


@pytest.mark.shared
def test_on_a_sample_of_published_cases_the_regimes_reach_their_level(real: rd.Index, shared: Path) -> None:
    cases = rd.read_cases(shared / "raredisease/phenopackets-dev.jsonl")[::17]
    as_is, subtracted, never = (rd.evaluate(real, cases, regime=regime).as_dict() for regime in REGIMES)
    assert as_is["n"] == subtracted["n"] > 200 > never["n"]
    assert as_is["top1"] >= 0.45
    assert as_is["top1"] > subtracted["top1"] > 0.1


@pytest.mark.shared
def test_nothing_of_a_real_paper_is_left_in_a_row_of_its_own(real: rd.Index, shared: Path) -> None:
    for each in rd.read_cases(shared / "raredisease/phenopackets-dev.jsonl")[::50]:
        disease = real.disease_at.get(each.disease)
        if disease is None or not is_cited(real, disease, each.paper):
            continue
        left = without_paper(real, disease, each.paper, Stated({}, {}))
        assert left.dropped or left.reduced
        assert all(real.references_of_row(row) != (each.paper,) for row in left.kept.tolist())
        held = profile_without_paper(real, left, rd.load_constants())
        assert set(held.term.tolist()) <= {a for t in left.rows.term.tolist() for a, _ in real.ancestors(t)}
