"""The self-contained page."""

from __future__ import annotations

import datetime as dt

from lab39 import fhir
from lab39.core.errors import InputError
from lab39.core.evidence import Figure, Measured
from lab39.core.finding import Finding, Reason, Report, Severity, Source
from lab39.core.text import Text, percent
from lab39.render.page import page, picture
from lab39.render.snapshot import snapshot

ON = dt.date(2026, 11, 24)


def a_page(name="EXEMPLE", people=1, warnings=(), **kwargs):
    record = fhir.record({"resourceType": "Patient", "id": "p", "name": [{"family": name}]})
    finding = Finding(
        code="c",
        severity=Severity.WARNING,
        summary=Text("À faire", "To do"),
        reasons=(Reason("r", Text("parce que", "because"), Source("<b>source</b>")),),
    )
    report = Report(
        record={"id": "p"}, on=ON, findings=(finding,), warnings=warnings, titles={"": Text("La solution", "It")}
    )
    return page([(snapshot(record, report), report)] * people, [], on=ON, lang="fr", **kwargs)


def test_what_the_record_says_is_escaped():
    shown = a_page("<script>alert(1)</script>")
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "<b>source</b>" not in shown


def test_a_finding_is_signed_with_the_name_people_know():
    assert "La solution" in a_page()


def test_a_warning_about_the_lab_itself_is_said_once_above_everybody():
    shown = a_page(people=3, warnings=(Text("édition ancienne", "old edition"),))
    assert shown.count("édition ancienne") == 1
    assert shown.index("édition ancienne") < shown.index("À faire")


def test_refused_records_head_the_page():
    refused = InputError(Text("tronqué", "truncated"), "x.json")
    shown = a_page(failed=[refused])
    assert shown.index("tronqué") < shown.index("À faire")


def test_severity_is_told_by_a_shape_and_a_word():
    shown = a_page()
    assert "▲" in shown
    assert '<span lang="fr">attention</span>' in shown


def test_shares_stand_on_an_axis_of_100_percent_others_on_the_largest():
    share = Figure(Text("a", "a"), Text("d", "d"), 5, "fraction", Measured("Lab39", 0.5, 0.4, 0.6))
    (row,) = picture(share)
    assert (row.at, row.low, row.high) == (50.0, 40.0, 60.0)
    slow = Figure(Text("a", "a"), Text("d", "d"), 5, "ms", Measured("Lab39", 10), (Measured("peer", 100),))
    ours, peer = picture(slow)
    assert 0 < ours.at < peer.at < 100


def test_small_shares_are_never_rounded_to_nothing():
    assert percent(0.0004, "fr") == "< 0,1\u202f%"
    assert percent(0.0, "fr") == "0,0\u202f%"
    assert percent(0.506, "en") == "50.6%"
    assert percent(0.9996, "fr") == "> 99,9\u202f%"
    assert percent(1.0, "en") == "100.0%"
    assert [percent(x, "fr", digits=0) for x in (0.004, 0.326, 0.996, 1.0)] == [
        "< 1\u202f%",
        "33\u202f%",
        "> 99\u202f%",
        "100\u202f%",
    ]
