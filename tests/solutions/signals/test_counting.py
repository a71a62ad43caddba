"""Counting distinct reports, on each engine that is at hand."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.solutions.signals.bases import BY_HAND, brute_force, generated, write_store
from tests.solutions.signals.conftest import Engine

from lab39.core.errors import InputError, UnknownNameError
from lab39.solutions.signals.counting import count
from lab39.solutions.signals.counts import Counts
from lab39.solutions.signals.detection import fit_prior
from lab39.solutions.signals.engines import opened
from lab39.solutions.signals.gpsfit import fit
from lab39.solutions.signals.sources import CountTable, Pairs, Source, Store
from lab39.solutions.signals.squash import auto_squash, points
from lab39.solutions.signals.timecourse import time_course

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # sockets that PySpark leaves to the collector
    pytest.mark.xdist_group("spark"),
]

Write = Callable[[str, str], Path]


DUCKDB = Engine("duckdb", {})


def counted(source: Source, engine: Engine = DUCKDB, **options: Any) -> Counts:
    with opened(engine.name, **engine.options) as running:
        return count(source, running, **options)


def as_dict(counts: Counts, values: Any = None) -> dict[tuple[str, str], Any]:
    drugs, events = counts.drugs.to_pylist(), counts.events.to_pylist()
    values = counts.n if values is None else values
    return {(drugs[d], events[e]): v.item() for d, e, v in zip(counts.drug, counts.event, values, strict=True)}


def test_reports_are_counted_once_whatever_their_rows_say_twice(tmp_path: Path, engine: Engine) -> None:
    found = counted(Store(write_store(tmp_path, BY_HAND)), engine)
    assert found.n_total == 6  # the report without a drug and the one without an event are reports too
    assert dict(zip(found.drugs.to_pylist(), found.n_drug.tolist(), strict=True)) == {"A": 2, "B": 2, "C": 2}
    assert dict(zip(found.events.to_pylist(), found.n_event.tolist(), strict=True)) == {"itch": 3, "rash": 3}
    assert as_dict(found) == {
        ("A", "itch"): 1,
        ("A", "rash"): 2,
        ("B", "itch"): 2,
        ("B", "rash"): 1,
        ("C", "rash"): 1,
    }
    assert as_dict(found, found.expected)["A", "rash"] == 2 * 3 / 6


def test_each_ingredient_of_a_product_is_counted_and_names_as_reported_are_not_cut(
    tmp_path: Path, engine: Engine
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = write_store(tmp_path, [(f"{n}", None, None, None, [], ["rash"]) for n in range(4)])
    rows = [("0", "S", "levodopa + carbidopa"), ("1", "L", "levodopa"), ("2", "A + B", "a+b"), ("2", "N", None)]
    report, drug, ingredient = map(list, zip(*rows, strict=True))
    roles = ["PS"] * len(rows)
    table = pa.table({"report_id": report, "drug": drug, "ingredient": ingredient, "role": roles})
    pq.write_table(table, folder / "drugs.parquet")
    found = counted(Store(folder, drug="ingredient", roles=("PS",)), engine)
    assert found.n_total == 4
    assert as_dict(found) == {("a+b", "rash"): 1, ("carbidopa", "rash"): 1, ("levodopa", "rash"): 2}
    assert ("A + B", "rash") in as_dict(counted(Store(folder), engine))


def band(age: float | None) -> int | None:
    return None if age is None else sum(age >= bound for bound in (0.0767, 2, 12, 18, 45, 65, 75))


def test_strata_are_those_of_a_brute_force_count(tmp_path: Path, engine: Engine) -> None:
    reports = generated(1500, 13)
    store = Store(write_store(tmp_path, reports))
    found = counted(store, engine, by=("sex", "age", "year"))
    stratum = lambda r: (r[1], band(r[2]), r[3] and r[3][:4])  # noqa: E731
    pairs, expected, n_drug, _ = brute_force(reports, stratum)
    assert as_dict(found) == dict(pairs)
    assert dict(zip(found.drugs.to_pylist(), found.n_drug.tolist(), strict=True)) == dict(n_drug)
    ours = as_dict(found, found.expected)
    assert max(abs(ours[pair] - e) for pair, e in expected.items()) < 1e-9
    assert found.n_strata == len({stratum(r) for r in reports})


def test_pairs_that_nobody_reported_are_expected_over_the_strata_like_the_others(tmp_path: Path) -> None:
    reports = generated(150, 21)
    only = [("f", "F", 30.0, "2020Q1", ["of women"], ["E0"]), ("m", "M", 30.0, "2020Q1", ["D0"], ["of men"])]
    reports += only
    found = counted(Store(write_store(tmp_path, reports)), by=("sex",))
    stratum = lambda r: r[1]  # noqa: E731
    pairs, _, n_drug, n_event = brute_force(reports, stratum)
    absent = [
        sum(
            sum(d in r[4] for r in of) * sum(e in r[5] for r in of) / len(of)
            for sex in ("F", "M", None)
            if (of := [r for r in reports if r[1] == sex])
        )
        for d in n_drug
        for e in n_event
        if (d, e) not in pairs
    ]
    assert ("of women", "of men") not in pairs
    assert min(absent) == 0.0  # no stratum holds both: it cannot be reported, and says nothing
    assert found.margins is not None
    points = found.margins.unreported(found.drug, found.event)
    assert points.weight.sum() == sum(e > 0 for e in absent)
    assert (points.e * points.weight).sum() == pytest.approx(sum(absent), abs=1e-9)
    fine = found.margins.unreported(found.drug, found.event, step=1e-4)
    assert np.repeat(fine.e, fine.weight.astype(int)) == pytest.approx(sorted(e for e in absent if e), rel=1e-4)
    sampled = found.margins.unreported(found.drug, found.event, most_cells=len(n_drug) * len(n_event) // 2)
    assert sampled.weight.sum() == pytest.approx(points.weight.sum(), rel=0.1)


def test_a_stratified_fit_sees_stratified_zeros(tmp_path: Path) -> None:
    found = counted(Store(write_store(tmp_path, generated(4000, 17))), by=("sex", "age"))
    assert found.margins is not None
    data = auto_squash(points(found.n, found.expected)).joined(found.margins.unreported(found.drug, found.event))
    assert fit_prior(found).prior == fit(data, least=0).prior


def test_a_stratified_fit_is_as_good_as_one_by_hand_on_the_dense_table(tmp_path: Path) -> None:
    """Every pair listed, expectations summed by hand, the likelihood written out once more."""
    from scipy.optimize import minimize
    from scipy.special import expit
    from scipy.stats import nbinom

    reports = generated(300, 5)
    found = counted(Store(write_store(tmp_path, reports)), by=("sex",))
    drugs, events = (sorted({name for r in reports for name in r[at]}) for at in (4, 5))
    strata = [[r for r in reports if r[1] == sex] for sex in ("F", "M", None)]
    of_drug, of_event = (
        [{name: sum(name in r[at] for r in of) for name in names} for of in strata]
        for at, names in ((4, drugs), (5, events))
    )
    pairs = [(d, v) for d in drugs for v in events]
    e = np.array([sum(of_drug[s][d] * of_event[s][v] / len(of) for s, of in enumerate(strata)) for d, v in pairs])
    n = np.array([sum(d in r[4] and v in r[5] for r in reports) for d, v in pairs])[e > 0]
    (n, e), many = np.unique(np.stack((n, e[e > 0])), axis=1, return_counts=True)

    def objective(x: Any) -> float:
        a1, b1, a2, b2 = np.exp(x[:4])
        p = expit(x[4])
        seen = p * nbinom.pmf(n, a1, b1 / (b1 + e)) + (1 - p) * nbinom.pmf(n, a2, b2 / (b2 + e))
        return (
            -float((many * np.log(np.maximum(seen, 1e-300))).sum()) + float(np.square(x).sum()) / 200
        )  # the weak prior: SD 10

    fitted = fit_prior(found).prior
    ours = np.log([fitted.alpha1, fitted.beta1, fitted.alpha2, fitted.beta2, fitted.p / (1 - fitted.p)])
    few = {"maxiter": 60}
    starts = (ours, np.array([0.7, 0.0, 0.7, 0.7, 0.0]))
    best = min(minimize(objective, x, method="L-BFGS-B", bounds=[(-9, 9)] * 5, options=few).fun for x in starts)
    assert objective(ours) <= best + 0.02  # bins of log E are all that lies between


@pytest.mark.parametrize("age", ["nan", "-3", "", "old"])
def test_what_is_no_age_is_a_stratum_of_its_own(write: Write, age: str, engine: Engine) -> None:
    path = write("rows.csv", f"report_id,drug,event,age\n1,A,x,80\n2,A,x,{age}\n3,B,y,81\n")
    found = counted(Pairs(path), engine, by=("age",))
    assert found.n_strata == 2
    assert as_dict(found, found.expected)["A", "x"] == pytest.approx(1 * 1 / 2 + 1 * 1 / 1)


def test_leaving_a_masker_out_counts_the_other_reports(tmp_path: Path, engine: Engine) -> None:
    reports = generated(600, 14)
    found = counted(Store(write_store(tmp_path, reports)), engine, without=("D0",))
    kept = [report for report in reports if "D0" not in report[4]]
    pairs, *_ = brute_force(kept)
    assert found.n_total == len(kept)
    assert as_dict(found) == dict(pairs)


def test_roles_choose_the_drugs_that_count(tmp_path: Path, engine: Engine) -> None:
    found = counted(Store(write_store(tmp_path, BY_HAND), roles=("PS",)), engine)
    assert found.drugs.to_pylist() == ["A", "B"]
    assert found.n_total == 6


def test_rows_of_report_drug_event_keep_their_couples(write: Write, engine: Engine) -> None:
    path = write("rows.csv", "CASEID;Drug;PT\n1;A;x\n1;B;y\n1;A;x\n2;A;y\n3; ;x\n")
    found = counted(Pairs(path), engine)
    assert as_dict(found) == {("A", "x"): 1, ("A", "y"): 1, ("B", "y"): 1}  # not A with y of report 1
    assert found.n_total == 3


def test_rows_that_lack_a_name_are_left_out_and_counted(write: Write, engine: Engine) -> None:
    path = write("rows.csv", "CASEID;Drug;PT\n1;A;x\n;A;x\n \t;B;y\n3; ;x\n4;A;\n1;A;x\n")
    found = counted(Pairs(path), engine)
    assert as_dict(found) == {("A", "x"): 1}
    assert (found.n_total, found.unnamed) == (3, 4)
    assert counted(Pairs(write("b.csv", "CASEID;Drug;PT\n1;A;x\n2;B;x\n3;;x\n")), without=("B",)).unnamed == 1
    table = write("counts.csv", "drug,event,n\nA,x,3\n ,x,2\nB,,5\nB,x,1\n")
    told = counted(CountTable(table), engine)
    assert (told.drugs.to_pylist(), told.events.to_pylist()) == (["A", "B"], ["x"])
    assert (told.n_total, told.unnamed) == (4, 2)
    with pytest.raises(InputError, match="no row names a drug and an event"):
        counted(CountTable(write("none.csv", "drug,event,n\n,x,3\n")), engine)


def test_strata_of_rows_come_from_their_own_columns(write: Write, engine: Engine) -> None:
    path = write("rows.csv", "id,var1,var2,strat1\n1,A,x,F\n2,A,x,M\n2,B,y,M\n3,B,x,M\n")
    found = counted(Pairs(path), engine, by=("strat1",))
    assert as_dict(found, found.expected)["A", "x"] == pytest.approx(1 * 1 / 1 + 1 * 2 / 2)
    two = write("two.csv", "id,var1,var2,strat1\n1,A,x,F\n1,A,y,M\n")
    with pytest.raises(InputError, match="several values of strat1"):
        counted(Pairs(two), engine, by=("strat1",))


def test_a_table_of_counts_with_and_without_margins(write: Write, engine: Engine) -> None:
    bare = counted(CountTable(write("bare.csv", "drug,event,n\nA,x,3\nA,y,1\nB,x,2\nB,y,0\n")), engine)
    assert (bare.n_total, bare.basis) == (6, "mentions")
    assert as_dict(bare) == {("A", "x"): 3, ("A", "y"): 1, ("B", "x"): 2}
    text = "drug,event,obs,nd,ne,nt\nA,x,3,10,20,100\nB,x,2,5,20,100\n"
    full = counted(CountTable(write("full.csv", text)), engine)
    assert (full.n_total, full.basis) == (100, "reports")
    assert as_dict(full, full.expected) == {("A", "x"): 2.0, ("B", "x"): 1.0}


def test_a_pair_along_time(tmp_path: Path, engine: Engine) -> None:
    reports = generated(800, 15)
    with opened(engine.name, **engine.options) as running:
        found = time_course(Store(write_store(tmp_path, reports)), running, "D0", "E0")
    assert found.periods == ("2020Q1", "2020Q2", "2021Q4")
    for at, quarter in enumerate(found.periods):
        mine = [r for r in reports if r[3] == quarter]
        assert found.n_total[at] == len(mine)
        assert found.observed[at] == sum("D0" in r[4] and "E0" in r[5] for r in mine)
        assert found.n_drug[at] == sum("D0" in r[4] for r in mine)
    assert found.undated == sum(r[3] is None for r in reports)
    with opened(engine.name, **engine.options) as running, pytest.raises(UnknownNameError):
        time_course(Store(tmp_path), running, "nothing", "E0")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no header"),
        ("report_id\n1\n", "no header or unknown delimiter"),
        ("report_id,drug,event\n", "nothing to count"),
        ("report_id,drug,what\n1,A,x\n", 'no column for "event"'),
    ],
)
def test_a_bad_file_of_rows_is_refused_with_what_to_do(write: Write, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as told:
        counted(Pairs(write("bad.csv", text)))
    assert "bad.csv" in told.value.place


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("drug,event,n\nA,x,three\n", "not whole numbers"),
        ("drug,event,n\nA,x,1.5\n", "not whole numbers"),
        ("drug,event,n\nA,x,-1\n", "not whole numbers"),
        ("drug,event,n\nA,x,1\nA,x,2\n", "there twice"),
        ("drug,event,n\nA,x,0\n", "every count is 0"),
        ("drug,event,n,n_drug\nA,x,1,2\n", "incomplete margins"),
        ("drug,event,n,n_drug,n_event,n_total\nA,x,1,2,2,9\nA,y,1,3,2,9\n", "n_drug differs"),
    ],
)
def test_a_bad_table_of_counts_is_refused_with_what_to_do(write: Write, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        counted(CountTable(write("bad.csv", text)))


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        counted(Pairs(tmp_path / "none.csv"))
    with pytest.raises(InputError, match=r"reports\.parquet is expected"):
        counted(Store(tmp_path))
    store = Store(write_store(tmp_path, BY_HAND))
    with pytest.raises(InputError, match='the stratum "country"'):
        counted(store, by=("country",))
    with pytest.raises(InputError, match="no report of Z"):
        counted(store, without=("Z",))
    with pytest.raises(InputError, match="no report of Z"):  # one misspelt name is not passed over for the others
        counted(store, without=(BY_HAND[0][4][0], "Z"))
    with pytest.raises(InputError, match="unknown engine"):
        counted(store, Engine("pandas", {}))


def test_a_report_with_four_thousand_reactions_is_counted(tmp_path: Path) -> None:
    many = [f"E{i}" for i in range(4000)]
    found = counted(Store(write_store(tmp_path, [*BY_HAND, ("7", "F", 1.0, None, ["A", "B"], many)])))
    assert found.n.size == 5 + 8000


def test_a_small_memory_limit_spills_and_gives_the_same_counts(tmp_path: Path) -> None:
    reports = generated(20_000, 16)
    store = Store(write_store(tmp_path / "store", reports))
    (tmp_path / "spill").mkdir()
    with opened("duckdb", memory_gb=0.06, spill=tmp_path / "spill") as running:
        small = count(store, running)
    large = counted(store)
    assert np.array_equal(small.n, large.n)
    assert not list((tmp_path / "spill").iterdir())  # and leaves nothing behind


def test_spark_starts_on_this_machine_and_stops(tmp_path: Path) -> None:
    if find_spec("pyspark") is None or shutil.which("java") is None:
        pytest.skip("Spark or a Java is not installed")
    program = (
        "import sys, pathlib; from lab39.solutions.signals import Store, count, opened\n"
        "with opened('spark') as engine: print(count(Store(pathlib.Path(sys.argv[1])), engine).n_total)"
    )
    store = str(write_store(tmp_path, BY_HAND))
    done = subprocess.run([sys.executable, "-c", program, store], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "6"


def linked(folder: Path, *pairs: tuple[str, str, float]) -> Path:
    """Links between reports of a store, with their probability."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    first, second, probability = ([pair[at] for pair in pairs] for at in range(3))
    pq.write_table(
        pa.table({"first": first, "second": second, "probability": probability}), folder / "links.parquet"
    )
    return folder


def test_reports_linked_as_duplicates_count_once_with_all_they_say(tmp_path: Path, engine: Engine) -> None:
    """1 and 2 are one case, of drugs A and B, events rash and itch; 3 is left out of it below the threshold."""
    folder = linked(write_store(tmp_path, BY_HAND), ("1", "2", 0.99), ("1", "3", 0.95), ("5", "gone", 0.99))
    found = counted(Store(folder, duplicates="merge", threshold=0.97), engine)
    assert (found.merged, found.n_total) == (1, 5)
    assert as_dict(found) == {
        ("A", "rash"): 1,
        ("A", "itch"): 1,
        ("B", "rash"): 1,
        ("B", "itch"): 2,
        ("C", "rash"): 1,
    }
    whole = counted(Store(folder, duplicates="merge"), engine)
    assert (whole.merged, whole.n_total) == (2, 4)
    assert as_dict(whole)[("B", "itch")] == 1  # 1, 2 and 3, linked end to end
    kept = counted(Store(folder), engine)
    assert (kept.merged, kept.n_total) == (0, 6)
    assert as_dict(kept)[("A", "rash")] == 2  # nothing was changed in the store


def test_a_merged_report_is_in_the_stratum_of_the_one_that_counts(tmp_path: Path, engine: Engine) -> None:
    folder = linked(write_store(tmp_path, BY_HAND), ("1", "2", 0.99))
    found = counted(Store(folder, duplicates="merge"), engine, by=("sex",))
    one = [("1", *BY_HAND[0][1:4], ["A", "B"], ["rash", "itch"]), *BY_HAND[2:]]
    _, expected, _, _ = brute_force(one, lambda report: report[1])
    assert as_dict(found, found.expected) == pytest.approx(expected)


def test_merging_without_having_looked_for_duplicates_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="look for them first") as told:
        counted(Store(write_store(tmp_path, BY_HAND), duplicates="merge"))
    assert "cherchez-les d'abord" in told.value.text.fr


@pytest.mark.parametrize(
    "header",
    [
        "Cas;Médicament;Effet indésirable",
        "primaryid$prod_ai$pt",
        "ISR|drug_name|PT",
        "Safety Report ID\tProduct\tReaction",
    ],
)
def test_rows_to_count_have_the_columns_that_ingestion_knows(write: Write, header: str) -> None:
    mark = next(each for each in ";$|\t" if each in header)
    rows = "\n".join(mark.join(row) for row in (("1", "A", "x"), ("2", "A", "x"), ("2", "B", "y")))
    found = counted(Pairs(write("rows.csv", f"{header}\n{rows}\n")))
    assert as_dict(found) == {("A", "x"): 2, ("B", "y"): 1}
