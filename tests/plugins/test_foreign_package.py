"""A package of somebody else, installed by pip, is met in every face; a broken one stops nobody."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.xdist_group("plugins")
ON = ("--on", "2026-11-24")


@pytest.fixture(scope="module", autouse=True)
def installed(site, generate):
    """One that works, one that does not import, one without its evidence card."""
    site.install(generate("body-mass"))
    site.install(generate("broken-import", "solution.py", 'raise ImportError("on purpose")\n'))
    site.install(generate("broken-card", "card.toml", "claim = 1\n"))


def findings(site, record):
    ran = site.lab39("assess", record, "--json", *ON)
    assert ran.code == 0, ran.err
    (report,) = ran.json["reports"]
    return report, {(f["solution"], f["code"]) for f in report["findings"]}


def test_it_is_listed_with_what_it_is_for(site):
    rows = {row["id"]: row for row in site.lab39("solutions", "--json").json["solutions"]}
    assert rows["body-mass"]["error"] is None
    assert "body mass index" in rows["body-mass"]["purpose"]["en"]
    assert rows["raredisease"]["error"] is None


def test_it_speaks_in_every_report_beside_the_built_in_ones(site, record):
    report, said = findings(site, record)
    assert ("body-mass", "bmi-pre-obese") in said
    assert any(solution == "raredisease" for solution, _ in said)
    assert report["versions"]["solutions"]["body-mass"] == "0.1.0"
    (finding,) = [f for f in report["findings"] if f["solution"] == "body-mass"]
    assert "WHO" in finding["reasons"][0]["source"]["text"]


def test_it_stands_on_the_page_with_its_evidence_card(site, record, tmp_path):
    out = tmp_path / "report.html"
    assert site.lab39("assess", record, "--html", out, *ON).code == 0
    page = out.read_text("utf-8")
    assert "29.8" in page
    assert "29,8" in page
    assert "Applies neither to children nor during pregnancy" in page


def test_it_is_written_as_fhir(site, record, tmp_path):
    out = tmp_path / "findings.json"
    assert site.lab39("assess", record, "--fhir", out, *ON).code == 0
    assert "body-mass.bmi-pre-obese" in out.read_text("utf-8")


def test_its_evidence_card_is_shown(site):
    shown = site.lab39("evidence", "body-mass")
    assert shown.code == 0
    assert "Applies neither to children" in shown.out
    (row,) = site.lab39("evidence", "body-mass", "--json").json["evidence"]
    assert row["card"]["claim"]["fr"]


def test_its_own_commands_are_mounted(site):
    assert "body-mass" in site.lab39("--help").out
    assert site.lab39("body-mass", "bmi", "92.4", "176", "--json").json["category"]["code"] == "pre-obese"
    assert "29.8" in site.lab39("body-mass", "bmi", "92,4", "176").out
    refused = site.lab39("body-mass", "bmi", "heavy", "176")
    assert refused.code == 2
    assert "“heavy”" in refused.err
    assert "Traceback" not in refused.err


def test_it_is_checked_by_its_id(site):
    ran = site.lab39("check", "body-mass", "--json")
    assert ran.code == 0, ran.out
    assert ran.json["failures"] == []


def test_its_page_and_its_operation_are_served_by_the_lab(site, tmp_path):
    """With their templates and styles, out of the wheel."""
    code = (
        "import asyncio, httpx, pathlib, sys; from lab39.settings import Settings;"
        "from lab39.web.app import create_app;"
        "transport = httpx.ASGITransport(app=create_app(Settings(home=pathlib.Path(sys.argv[1]))));"
        "get = lambda path: httpx.AsyncClient(transport=transport, base_url='http://lab').get(path);"
        "[print(asyncio.run(get(path)).text) for path in sys.argv[2:]]"
    )
    paths = "/body-mass?weight=92,4&height=176&lang=fr", "/static/body-mass/index.css", "/broken-import"
    env = os.environ | {"PYTHONPATH": str(site.folder)}
    command = [sys.executable, "-c", code, str(tmp_path), *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd=site.cwd)
    assert done.returncode == 0, done.stderr
    assert "29,8 kg/m²" in done.stdout
    assert "/static/body-mass/index.css" in done.stdout
    assert ".measures {" in done.stdout
    assert "on purpose" in done.stdout


def test_one_that_does_not_import_is_visible_and_stops_nobody(site, record):
    rows = {row["id"]: row for row in site.lab39("solutions", "--json").json["solutions"]}
    assert "on purpose" in rows["broken-import"]["error"]
    report, said = findings(site, record)
    assert {("broken-import", "could-not-run"), ("body-mass", "bmi-pre-obese")} <= said
    assert "on purpose" in json.dumps(report)


def test_one_that_does_not_import_answers_to_its_name_with_why(site):
    ran = site.lab39("broken-import")
    assert ran.code == 2
    assert "on purpose" in ran.err
    assert "Traceback" not in ran.err
    assert "body-mass" in site.lab39("--help").out


def test_one_that_does_not_import_fails_its_check(site):
    ran = site.lab39("check", "broken-import", "--json")
    assert ran.code == 1
    assert "loads" in ran.json["failures"]


def test_one_without_a_readable_card_still_assesses_and_its_check_says_so(site, record):
    _, said = findings(site, record)
    assert ("broken-card", "bmi-pre-obese") in said
    ran = site.lab39("check", "broken-card", "--json")
    assert ran.json["failures"] == ["card"]


def test_a_card_that_cannot_be_read_is_named_and_hides_no_other(site):
    for args in (("evidence",), ("evidence", "--json")):
        ran = site.lab39(*args)
        assert "Traceback" not in ran.err
        assert "Applies neither to children" in ran.out
        assert "broken-card" in ran.out + ran.err
