"""Reports as FHIR R4: everything emitted is valid, whatever the finding."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.makers import OPENED, UNOPENED, finding, missing, reason

from lab39 import fhir
from lab39.core.errors import InputError, Issue
from lab39.core.finding import Confidence, Finding, Missing, Reason, Report, Severity, Suggestion
from lab39.core.text import Text
from lab39.fhir import outputs
from lab39.fhir.outputs import DISCLAIMER

CREATED = "2026-11-24T08:00:00+01:00"
ON = dt.date(2026, 11, 24)

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=139).filter(str.strip)
TEXTS = st.builds(Text, WORDS, WORDS)
REASONS = st.builds(Reason, st.from_regex(r"[a-z]{1,8}\.[a-z]{1,8}", fullmatch=True), TEXTS, st.just(OPENED))
ABSENT = st.builds(Missing, WORDS, TEXTS, TEXTS)
FINDINGS = st.builds(
    Finding,
    code=st.from_regex(r"[a-z-]{1,20}", fullmatch=True),
    severity=st.sampled_from(Severity),
    summary=TEXTS,
    detail=TEXTS | st.just(Text("", "")),
    reasons=st.lists(REASONS, min_size=1, max_size=3).map(tuple),
    suggestions=st.lists(st.builds(Suggestion, TEXTS), max_size=2).map(tuple),
    missing=st.lists(ABSENT, max_size=2).map(tuple),
    confidence=st.none() | st.builds(Confidence, st.floats(0, 1), TEXTS),
    focus=st.lists(st.sampled_from(["Condition/c1", "urn:uuid:1", "#3"]), max_size=3).map(tuple),
    solution=st.sampled_from(["one", "two"]),
)
ISSUES = st.builds(
    Issue, st.sampled_from(["value", "structure", "required", "not-found"]), WORDS | st.just(""), TEXTS
)
REPORTS = st.builds(
    Report,
    record=st.fixed_dictionaries({"id": WORDS | st.just("") | st.just("p1")}),
    on=st.dates(),
    findings=st.lists(FINDINGS, max_size=3).map(tuple),
    issues=st.lists(ISSUES, max_size=2).map(tuple),
    versions=st.just({"lab39": "0", "solutions": {"one": "1"}, "packs": {"p": {"version": "1", "key": "k"}}}),
)


def no_native(found, subject, lang):
    return None


def report(*findings, record_id="p1", issues=()):
    return Report(record={"id": record_id}, on=ON, findings=findings, issues=tuple(issues), versions={"lab39": "0"})


def resources(bundle, kind):
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind]


@given(REPORTS, st.sampled_from(["fr", "en"]))
def test_any_report_becomes_valid_r4(found, lang):
    bundle = outputs.bundle(found, no_native, lang, created=CREATED)
    outputs.validate(json.loads(fhir.dumps(bundle)))
    issues = resources(bundle, "DetectedIssue") if "entry" in bundle else []
    assert [i["code"]["text"] for i in issues] == [f.summary[lang] for f in found.findings]
    urls = [e["fullUrl"] for e in bundle.get("entry", ())]
    assert len(urls) == len(set(urls))


def test_the_same_report_gives_the_same_bundle():
    found = report(finding("a"), finding("b"))
    both = [outputs.bundle(found, no_native, "fr", created=CREATED) for _ in range(2)]
    assert both[0] == both[1]


def test_a_finding_carries_its_gravity_its_reasons_with_source_its_advice_and_what_is_missing():
    told = finding(
        "renal-dose",
        Severity.CRITICAL,
        solution="pharmacy",
        reasons=(reason(),),
        detail=Text("le détail", "the detail"),
        missing=(missing(),),
        suggestions=(Suggestion(Text("arrêter", "stop")),),
        focus=("MedicationRequest/m1", "#4"),
    )
    (issue,) = resources(outputs.bundle(report(told), no_native, "fr", created=CREATED), "DetectedIssue")
    assert issue["code"]["coding"] == [{"system": outputs.CODES, "code": "pharmacy.renal-dose"}]
    assert issue["severity"] == "high"
    assert issue["patient"] == {"reference": "Patient/p1"}
    assert issue["detail"].splitlines() == [
        "À faire",
        "le détail",
        "créatinine\u202f: dose inconnue",
        DISCLAIMER.fr,
    ]
    (why,) = issue["evidence"]
    assert why["code"][0]["text"] == f"une règle ({OPENED})"
    assert issue["mitigation"] == [{"action": {"text": "arrêter"}}]
    assert issue["implicated"] == [{"reference": "MedicationRequest/m1"}]


@pytest.mark.parametrize(("severity", "said"), [("critical", "high"), ("warning", "moderate"), ("info", "low")])
def test_the_three_severities_have_their_fhir_names(severity, said):
    assert outputs.detected_issue(finding(severity=severity), "Patient/p", "en")["severity"] == said


def test_a_provenance_names_every_finding_and_the_versions():
    found = report(finding("a"), finding("b"))
    bundle = outputs.bundle(found, no_native, "en", created=CREATED)
    (provenance,) = resources(bundle, "Provenance")
    assert [t["reference"] for t in provenance["target"]] == [e["fullUrl"] for e in bundle["entry"][:2]]
    assert provenance["agent"][0]["who"]["display"] == "lab39 0"


def test_a_record_without_an_id_fhir_allows_still_has_one_subject_of_its_own():
    def subject(name):
        (issue,) = resources(
            outputs.bundle(report(finding(), record_id=name), no_native, "en", created=CREATED), "DetectedIssue"
        )
        return issue["patient"]["reference"]

    assert subject("p1") == "Patient/p1"
    names = ["folder/x.json:3", "folder/x.json:4", ""]
    assert len({subject(n) for n in names}) == 3
    assert all(subject(n).startswith("urn:uuid:") for n in names)


def test_a_solution_may_bring_its_own_resource():
    def native(found, subject, lang):
        return {
            "resourceType": "RiskAssessment",
            "status": "final",
            "language": lang,
            "subject": {"reference": subject},
        }

    bundle = outputs.bundle(report(finding()), native, "en", created=CREATED)
    assert [r["language"] for r in resources(bundle, "RiskAssessment")] == ["en"]
    assert resources(bundle, "DetectedIssue") == []


def test_a_solution_that_fails_to_write_its_resource_is_told_in_the_lab_s_own():
    def native(found, subject, lang):
        raise ZeroDivisionError("on purpose")

    bundle = outputs.bundle(report(finding(solution="odd")), native, "en", created=CREATED)
    assert len(resources(bundle, "DetectedIssue")) == 1
    (outcome,) = resources(bundle, "OperationOutcome")
    assert "ZeroDivisionError: on purpose" in outcome["issue"][0]["details"]["text"]
    assert outcome["issue"][0]["expression"] == ["odd.a-code"]


@pytest.mark.parametrize(
    "wrong", [{"resourceType": "Nope"}, {"resourceType": "RiskAssessment", "status": "final"}], ids=str
)
def test_an_invalid_resource_is_never_emitted_and_its_finding_is_told_in_the_lab_s_own(wrong):
    bundle = outputs.bundle(report(finding()), lambda *_: wrong, "fr", created=CREATED)
    assert len(resources(bundle, "DetectedIssue")) == 1
    (outcome,) = resources(bundle, "OperationOutcome")
    assert outcome["issue"][0]["code"] == "exception"


def test_doubts_are_an_operation_outcome_with_their_places():
    doubt = Issue("value", "Patient.birthDate", Text("pas une date", "not a date"))
    bundle = outputs.bundle(report(issues=[doubt]), no_native, "fr", created=CREATED)
    (outcome,) = resources(bundle, "OperationOutcome")
    assert outcome["issue"] == [
        {
            "severity": "error",
            "code": "value",
            "details": {"text": "pas une date"},
            "diagnostics": "not a date",
            "expression": ["Patient.birthDate"],
        }
    ]


def test_a_refusal_says_its_place_in_both_languages():
    error = InputError(Text("tronqué", "truncated"), "x.json:3")
    outcome = outputs.error_outcome(error, "fr")
    outputs.validate(outcome)
    assert outcome["issue"][0]["details"]["text"] == "x.json:3\u202f: tronqué"
    assert outcome["issue"][0]["diagnostics"] == "x.json:3: truncated"


def test_a_report_that_found_nothing_is_an_empty_bundle():
    assert "entry" not in outputs.bundle(report(), no_native, "fr", created=CREATED)


def test_a_rule_whose_source_nobody_opened_is_told_without_advice():
    told = outputs.detected_issue(finding(reasons=(reason(UNOPENED),)), "Patient/p", "en")
    assert "mitigation" not in told
