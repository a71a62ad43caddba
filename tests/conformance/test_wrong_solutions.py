"""Each point of the suite sees the solution that is wrong in that way, and says where."""

from __future__ import annotations

import pytest

from lab39 import conformance
from lab39.conformance.visiting import problems

WRONG = [
    ("loads", "NotASolution", "not a lab39.core.solution.Solution"),
    ("loads", "Nowhere", "AttributeError"),
    ("loads", "AnotherId", "'another'"),
    ("light-import", "wrong.heavy:Heavy", "numpy"),
    ("names", "EnglishPurpose", "purpose: the same sentence"),
    ("names", "TitleIsAString", "title: a Text"),
    ("names", "NoVersion", "version"),
    ("names", "NoTime", "time_limit_seconds = 0"),
    ("card", "NoCard", "card.toml"),
    ("card", "EmptyLimit", "limit[0]: empty"),
    ("packs", "PackWithoutInspector", "'nothing'"),
    ("packs", "PackWithoutLicence", "facts: no licence"),
    ("packs", "PackFromNowhere", "origin.kind"),
    ("commands", "CommandWithoutJson", "lab39 wrong second: no --json"),
    ("commands", "CommandsThatDoNotLoad", "nothing_there"),
    ("runs", "AssumesABirthDate", "no-birth-date.json (2026-11-24): AttributeError"),
    ("runs", "EndsItsProcess", "the process ended with 3"),
    ("time", "Endless", "more than 0.05 s"),
    ("absent", "SilentAboutAbsence", "no finding has missing"),
    ("absent", "ConcludesFromNothing", "only-a-patient.json (2026-11-24), no-allergy"),
    ("deterministic", "Random", "twice in a row: [0].payload"),
    ("deterministic", "OrderOfASet", "in another process"),
    ("deterministic", "Remembers", "payload"),
    ("clock", "TodayByName", "date.today (wrong/solutions.py:"),
    ("clock", "NowThroughAModule", "datetime.now (wrong/solutions.py:"),
    ("clock", "ClockUnderAnotherName", "time.localtime (wrong/solutions.py:"),
    ("clock", "wrong.talkative:Talkative", "date.today (wrong/talkative.py:"),
    ("network", "Connects", "192.0.2.1 (wrong/solutions.py:"),
    ("network", "StartsAProgram", "subprocess.Popen"),
    ("files", "WritesHere", "notes.txt (wrong/solutions.py:"),
    ("files", "MakesAFolder", "os.mkdir"),
    ("files", "LeavesAFileOnImport", "left in the current folder: prepared.txt"),
    ("silent", "Prints", "thinking aloud"),
    ("silent", "wrong.talkative:Talkative", "hello"),
    ("record-kept", "ChangesTheRecord", "the document changed"),
    ("findings", "FocusOnNothing", "Condition/none"),
    ("findings", "CodeWithSpaces", "Old Age"),
    ("findings", "CodeOfTheLab", "could-not-run"),
    ("findings", "NotAFinding", "dict, not a Finding"),
    ("sources", "CitesNothing", "a source without document"),
    ("sources", "RuleOfAnother", "“wrong.…”"),
    ("sources", "OneRuleTwoSources", "two sources"),
    ("languages", "EnglishSummary", "age: summary: the same sentence"),
    ("languages", "HalfDetail", "detail: empty in “en”"),
    ("languages", "EnglishConsequence", "missing[0].consequence"),
    ("json", "SetInPayload", "payload"),
    ("json", "NotANumber", "payload"),
    ("fhir", "InvalidResource", "RiskAssessment"),
    ("fhir", "UnknownResource", "Opinion"),
    ("fhir", "ToFhirThatFails", "to_fhir: KeyError"),
    ("pages", "wrong.faces:PagesThatDoNotLoad", "nowhere:pages: ModuleNotFoundError"),
    ("pages", "wrong.faces:UnknownPermission", "no 'everything'"),
    ("pages", "wrong.faces:PageThatRaises", "GET /wrong: Right: this page could not be made KeyError at"),
    ("operations", "wrong.faces:OperationThatRaises", "POST /api/wrong/sum: 500"),
]


@pytest.mark.parametrize(("point", "wrong", "told"), WRONG, ids=[f"{point}: {wrong}" for point, wrong, _ in WRONG])
def test_a_wrong_solution_fails_the_point_it_is_wrong_in(checked, point, wrong, told):
    target = wrong if ":" in wrong else f"wrong.solutions:{wrong}"
    (row,) = checked(target, point)
    assert not row.passed
    assert told in row.detail.en
    assert row.detail.fr


@pytest.mark.parametrize("right", ["Right", "RightWithCommands", "wrong.faces:RightWithFaces"])
def test_a_right_solution_passes_every_point(checked, right):
    rows = checked(right if ":" in right else f"wrong.solutions:{right}")
    assert [f"{row.id}: {row.detail.en}" for row in rows if not row.passed] == []
    assert [row.id for row in rows] == [point.id for point in conformance.CHECKS]


def test_everything_that_is_wrong_with_pages_and_operations_is_seen(visited):
    seen = visited("wrong.faces:Everything")
    pages = {en for _, en in problems(seen["pages"])}
    assert pages >= {
        "GET /wrong/unescaped: what is typed is not escaped",
        "GET /wrong/one-language: the same words in both languages",
        "GET /wrong/out: not in layout.html.jinja",
        "GET /wrong/inline: <script>: the content policy refuses it",
        "GET /wrong/inline: button onclick=: the content policy refuses it",
        "GET /wrong/unstyled: /static/wrong/not-there.css does not exist",
    }
    assert any(
        each.startswith("GET /wrong/careless: Right: this page could not be made ValueError") for each in pages
    )
    assert not any("/wrong/right" in each for each in pages)
    told = [(row["operation"], row["status"], row["example"]) for row in seen["operations"]]
    assert told == [("POST /api/wrong/negative", 422, True), ("POST /api/wrong/bare", 422, False),
                    ("POST /fhir/$sum", 500, False)]  # fmt: skip


def test_every_point_has_a_solution_that_fails_it():
    assert {point for point, _, _ in WRONG} == {point.id for point in conformance.CHECKS}


def test_being_wrong_in_one_way_spoils_no_other_point(checked):
    assert [row.id for row in checked("wrong.solutions:TodayByName") if not row.passed] == ["clock"]
