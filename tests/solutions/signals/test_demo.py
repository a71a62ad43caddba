"""The demonstration that is shipped is what its generator makes, and says that it is made up."""

from __future__ import annotations

from collections import Counter

import duckdb

from lab39.solutions.signals import counted, demo, profile
from lab39.solutions.signals.readers.store import Store


def test_it_says_that_it_is_made_up_and_no_product_exists():
    run = demo.run()
    assert run.synthetic
    assert demo.earlier(run) == demo.run(demo.LAST[0])
    assert demo.earlier(demo.run(demo.LAST[0])) is None
    assert all((each.drug or "").startswith("Ficta") for case in demo.cases() for each in case.drugs)


def test_its_store_holds_the_reports_of_the_generator():
    cases = demo.cases()
    con = Store.open(demo.FOLDER).connect()
    kept = con.sql("SELECT report_id, quarter, age_years, sex FROM reports ORDER BY report_id").fetchall()
    con.close()
    told = [(r.report_id, r.quarter, r.age_years, r.sex) for r in (case.report for case in cases)]
    assert kept == sorted(told)


def test_its_scores_count_the_reports_of_the_generator():
    for name in demo.LAST:
        counted = Counter(
            (drug.drug, event.event)
            for case in demo.cases()
            if (case.report.quarter or "") <= name
            for drug in case.drugs
            for event in case.events
        )
        rows = duckdb.sql(f"SELECT drug, event, n FROM read_parquet('{demo.run(name).scores}')").fetchall()
        assert {(drug, event): n for drug, event, n in rows} == dict(counted)


def test_its_pages_have_everything_to_show():
    run = demo.run()
    assert counted.there(run)
    with counted.opened(run, "Fictagliptin", "Pemphigoid") as con:
        seen = profile.profile(con, "Fictagliptin")
    assert seen.n > 10
    assert all(
        (seen.periods, seen.ages, seen.sexes, seen.with_others, seen.countries, seen.criteria, seen.onset_days)
    )
