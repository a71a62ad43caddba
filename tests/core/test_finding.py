"""What a finding must carry, and the order of a report."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.core.makers import OPENED, UNOPENED, finding, missing, reason

from lab39.core.dates import PartialDate
from lab39.core.finding import Bar, Confidence, Finding, Report, Severity, Source, Suggestion, When, jsonable
from lab39.core.text import Text

ADVICE = (Suggestion(Text("arrêter", "stop")),)


@given(st.text(max_size=200), st.text(max_size=200))
def test_a_summary_has_1_to_139_characters_in_both_languages_or_is_refused(fr, en):
    allowed = 1 <= len(fr) <= 139 and 1 <= len(en) <= 139
    if allowed:
        assert finding(summary=Text(fr, en)).summary == Text(fr, en)
    else:
        with pytest.raises(ValueError, match="summary must have 1 to 139"):
            finding(summary=Text(fr, en))


@given(st.booleans(), st.booleans())
def test_a_finding_gives_its_reasons_or_says_what_is_missing(reasons, lacks):
    parts = {"reasons": (reason(),) if reasons else (), "missing": (missing(),) if lacks else ()}
    if not (reasons or lacks):
        with pytest.raises(ValueError, match="gives its reasons"):
            finding(**parts)
    else:
        assert finding(**parts).not_evaluated == (lacks and not reasons)


@given(st.lists(st.sampled_from([OPENED, UNOPENED]), max_size=3))
def test_advice_needs_a_source_that_somebody_opened(sources):
    parts = {"reasons": tuple(map(reason, sources)), "missing": (missing(),), "suggestions": ADVICE}
    if OPENED in sources:
        assert finding(**parts).suggestions == ADVICE
    else:
        with pytest.raises(ValueError, match="gives no advice"):
            finding(**parts)


@pytest.mark.parametrize("value", [-0.001, 1.001, float("nan"), float("inf")])
def test_a_probability_lies_between_0_and_1(value):
    with pytest.raises(ValueError, match="between 0 and 1"):
        Confidence(value, Text("a", "b"))
    with pytest.raises(ValueError, match="between 0 and 1"):
        Bar(Text("a", "b"), value)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"code": ""}, ValueError),
        ({"code": None}, ValueError),
        ({"severity": "grave"}, ValueError),
        ({"summary": "words"}, TypeError),
        ({"when": "tomorrow"}, ValueError),
    ],
)
def test_a_finding_of_the_wrong_shape_is_refused_where_it_is_made(wrong, error):
    with pytest.raises(error):
        finding(**wrong)


def test_a_severity_written_as_a_word_is_that_severity():
    assert finding(severity="critical").severity is Severity.CRITICAL
    assert finding(when="today").when is When.TODAY


def test_the_band_follows_from_the_severity_unless_the_solution_knows_better():
    bands = {s: finding(severity=s).when for s in Severity}
    assert bands == {
        Severity.CRITICAL: When.TODAY,
        Severity.WARNING: When.THIS_WEEK,
        Severity.INFO: When.NEXT_VISIT,
    }
    assert finding(severity=Severity.INFO, when=When.TODAY).when is When.TODAY


FINDINGS = st.builds(
    lambda code, severity, when, told, name: finding(
        code, severity, when=when, solution=name, **({} if told else {"reasons": (), "missing": (missing(),)})
    ),
    st.sampled_from("abc"),
    st.sampled_from(Severity),
    st.none() | st.sampled_from(When),
    st.booleans(),
    st.sampled_from(["one", "two"]),
)


@given(st.lists(FINDINGS, max_size=12))
def test_the_soonest_then_the_gravest_come_first_and_what_could_not_be_told_last(found):
    ordered = sorted(found, key=lambda f: f.order)
    keys = [(f.not_evaluated, f.when.rank, f.severity.rank) for f in ordered]
    assert keys == sorted(keys)
    report = Report(record={}, on=dt.date(2026, 1, 1), findings=tuple(ordered))
    shown = [f for when in When for f in report.band(when)] + list(report.not_evaluated)
    assert shown == ordered


def test_the_name_of_a_solution_decides_nothing_before_the_code():
    first, second = finding("a", solution="z"), finding("b", solution="a")
    assert sorted([second, first], key=lambda f: f.order) == [first, second]


@dataclass(frozen=True)
class Forecast:
    due: dt.date
    since: PartialDate
    dose: Decimal
    why: Text
    band: When
    also: tuple[int, ...]


def test_a_typed_payload_becomes_plain_json():
    payload = Forecast(
        dt.date(2026, 1, 2), PartialDate.parse("2020-02"), Decimal("7.5"), Text("oui", "yes"), When.TODAY, (1, 2)
    )
    said = json.loads(json.dumps(finding(payload=payload).as_dict()))["payload"]
    assert said == {
        "due": "2026-01-02",
        "since": "2020-02",
        "dose": 7.5,
        "why": {"fr": "oui", "en": "yes"},
        "band": "today",
        "also": [1, 2],
    }


def test_a_source_reads_as_a_citation_and_leaves_out_what_it_lacks():
    assert str(Source("Doc", "2024-12", "p. 7")) == "Doc, 2024-12, p. 7"
    assert str(Source("Doc", place="p. 7")) == "Doc, p. 7"
    assert jsonable(Source("Doc"))["text"] == "Doc"


def test_the_json_of_a_finding_starts_with_whose_it_is_and_holds_every_part():
    said = finding(solution="tests", suggestions=ADVICE).as_dict()
    assert list(said)[:2] == ["solution", "code"]
    assert set(said) == set(Finding.__dataclass_fields__)
    assert said["suggestions"] == [{"label": {"fr": "arrêter", "en": "stop"}, "resource": None, "page": ""}]


# -- a finding that carries another's ------------------------------------------------------------------


def carried() -> Report:
    mine = finding(code="reaction", solution="pharmacy", carries=("signals/reaction",))
    findings = (mine, finding(code="reaction", solution="signals"), finding(code="other", solution="signals"))
    titles = {"pharmacy": Text("Pharmacie", "Pharmacy"), "signals": Text("Pharmacovigilance", "Pharmacovigilance")}
    return Report(record={}, on=dt.date(2026, 1, 1), findings=findings, titles=titles)


def test_what_a_finding_carries_is_shown_once_under_both_names():
    report = carried()
    shown = [(f.solution, f.code) for when in When for f in report.band(when)]
    assert sorted(shown) == [("pharmacy", "reaction"), ("signals", "other")]
    assert report.who(report.findings[0]).fr == "Pharmacie · Pharmacovigilance"
    assert report.who(report.findings[2]).en == "Pharmacovigilance"


def test_the_json_form_keeps_both():
    rows = carried().as_dict()["findings"]
    assert [row["solution"] for row in rows] == ["pharmacy", "signals", "signals"]
    assert rows[0]["carries"] == ["signals/reaction"]


def test_what_is_carried_is_told_when_the_one_that_carries_it_is_not_there():
    report = carried()
    alone = Report(record={}, on=report.on, findings=report.findings[1:], titles=report.titles)
    assert [f.code for f in alone.told] == ["reaction", "other"]
