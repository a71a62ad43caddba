"""``lab39 assess``: contracts that scripts rely on."""

from __future__ import annotations

import json

import pytest
from tests.cli.solutions_for_tests import Calm, Endless, Failing, Talkative


def test_json_has_one_report_a_record_and_names_its_findings(run, bundle, solutions):
    solutions(calm=Calm)
    ran = run("assess", bundle, "--json", "--on", "2026-11-24")
    assert ran.code == 0
    (report,) = ran.json["reports"]
    assert report["record"]["id"] == "p1"
    assert report["on"] == "2026-11-24"
    (finding,) = report["findings"]
    assert (finding["solution"], finding["code"], finding["severity"]) == ("calm", "age", "info")
    assert finding["summary"] == {"fr": "Né le 1944-03-02", "en": "Born on 1944-03-02"}


def test_a_refused_record_is_named_the_others_are_assessed_and_the_exit_is_2(run, ndjson, solutions):
    solutions(calm=Calm)
    ran = run("assess", ndjson, "--json")
    assert ran.code == 2
    assert [r["record"]["id"] for r in ran.json["reports"]] == ["p1", "p3"]
    (failed,) = ran.json["failed"]
    assert failed["place"].endswith("many.ndjson:2")
    assert "many.ndjson:2" in ran.err


def test_nothing_readable_is_still_a_json_document(run, tmp_path, solutions):
    solutions(calm=Calm)
    ran = run("assess", tmp_path / "absent.json", "--json")
    assert ran.code == 2
    assert ran.json["reports"] == []
    assert "introuvable" in ran.json["failed"][0]["text"]["fr"]


def test_a_failing_and_an_endless_solution_leave_the_report_whole(run, bundle, solutions):
    solutions(calm=Calm, failing=Failing, endless=Endless)
    ran = run("assess", bundle, "--json")
    assert ran.code == 0
    codes = {f["solution"]: f["code"] for f in ran.json["reports"][0]["findings"]}
    assert codes == {"calm": "age", "failing": "could-not-run", "endless": "could-not-run"}


def test_what_a_solution_prints_does_not_spoil_the_json(run, bundle, solutions):
    solutions(calm=Calm, talkative=Talkative)
    ran = run("assess", bundle, "--json")
    assert ran.json["reports"]
    assert "a solution that prints" in ran.err


def test_only_asks_one_solution_and_an_unknown_one_is_exit_2(run, bundle, solutions):
    solutions(calm=Calm, failing=Failing)
    assert len(run("assess", bundle, "--json", "--only", "calm").json["reports"][0]["findings"]) == 1
    ran = run("assess", bundle, "--only", "nobody")
    assert ran.code == 2
    assert "nobody" in ran.err
    assert "calm" in ran.err


@pytest.mark.parametrize("day", ["2026-13-01", "24/11/2026", "demain"])
def test_a_day_that_is_none_is_refused(run, bundle, solutions, day):
    solutions(calm=Calm)
    ran = run("assess", bundle, "--on", day)
    assert ran.code == 2
    assert day in ran.err
    assert "Traceback" not in ran.err


def test_the_screen_says_the_same_sentence_in_the_language_asked_for(run, bundle, solutions):
    solutions(calm=Calm)
    assert "Né le 1944-03-02" in run("assess", bundle).out
    english = run("--lang", "en", "assess", bundle).out
    assert "Born on 1944-03-02" in english
    assert "Né le" not in english


def test_the_page_is_one_file_with_both_languages_and_the_evidence(run, bundle, solutions, tmp_path):
    solutions(calm=Calm)
    out = tmp_path / "deep" / "report.html"
    assert run("assess", bundle, "--html", out).code == 0
    page = out.read_text("utf-8")
    for words in ("Né le 1944-03-02", "Born on 1944-03-02", "Une affirmation", "une limite"):
        assert words in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "<script" not in page


def test_fhir_out_is_a_bundle_with_one_resource_a_finding(run, bundle, solutions, tmp_path):
    solutions(calm=Calm)
    out = tmp_path / "out.json"
    assert run("assess", bundle, "--fhir", out).code == 0
    written = json.loads(out.read_text("utf-8"))
    assert written["resourceType"] == "Bundle"
    assert [e["resource"]["resourceType"] for e in written["entry"]][:2] == ["DetectedIssue", "Provenance"]


def test_fhir_out_of_many_records_is_ndjson_and_a_refusal_is_an_operation_outcome(run, ndjson, solutions, tmp_path):
    solutions(calm=Calm)
    out = tmp_path / "out.ndjson"
    assert run("assess", ndjson, "--fhir", out).code == 2
    kinds = [json.loads(line)["resourceType"] for line in out.read_text("utf-8").splitlines()]
    assert kinds == ["Bundle", "OperationOutcome", "Bundle"]


def test_a_target_that_is_an_input_is_refused_before_anything_is_read(run, bundle, solutions, tmp_path):
    solutions(calm=Calm)
    before = bundle.read_text()
    assert run("assess", bundle, "--html", bundle).code == 2
    assert run("assess", tmp_path, "--html", tmp_path / "in" / "report.html").code == 2
    assert bundle.read_text() == before


def test_one_file_is_not_two_outputs(run, bundle, solutions, tmp_path):
    solutions(calm=Calm)
    out = tmp_path / "out.json"
    assert run("assess", bundle, "--html", out, "--fhir", out).code == 2
    assert not out.exists()


def test_a_link_is_followed_and_a_folder_is_refused_by_its_name(run, bundle, solutions, tmp_path):
    solutions(calm=Calm)
    real, link = tmp_path / "real.html", tmp_path / "link.html"
    link.symlink_to(real)
    assert run("assess", bundle, "--html", link).code == 0
    assert link.is_symlink()
    assert "<html" in real.read_text("utf-8")
    ran = run("assess", bundle, "--html", tmp_path.parent)
    assert ran.code == 2
    assert str(tmp_path.parent) in ran.err


def test_several_records_in_a_json_file_are_refused_and_nothing_is_half_written(run, ndjson, solutions, tmp_path):
    solutions(calm=Calm)
    out = tmp_path / "out.json"
    ran = run("assess", ndjson, "--fhir", out)
    assert ran.code == 2
    assert ".ndjson" in ran.err
    assert list(tmp_path.glob("*out.json*")) == []


def test_a_folder_that_cannot_be_written_to_is_named(run, bundle, solutions, tmp_path):
    solutions(calm=Calm)
    (tmp_path / "file").write_text("")
    ran = run("assess", bundle, "--html", tmp_path / "file" / "report.html")
    assert ran.code == 2
    assert "report.html" in ran.err


def test_what_a_record_says_cannot_steer_the_terminal(run, solutions, tmp_path):
    solutions(calm=Calm)
    path = tmp_path / "evil.json"
    path.write_text(json.dumps({"resourceType": "Patient", "name": [{"text": "A\x1b]0;B\x07\x9b31m"}]}))
    shown = run("assess", path).out
    assert "A\ufffd]0;B" in shown
    assert not {"\x1b", "\x07", "\x9b"} & set(shown)
