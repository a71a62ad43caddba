"""One solution never stops the others: whatever it does, the report is whole and says who could not run."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import subprocess
import sys
import threading
import time
from decimal import Decimal

import pytest
from tests.core.makers import PATIENT, finding, lab, missing, record, solution

from lab39.core import isolation
from lab39.core.errors import InputError, PackMissingError, UnknownNameError
from lab39.core.lab import GROUP, Lab
from lab39.core.text import Text
from lab39.settings import Settings

ON = dt.date(2026, 11, 24)


def calm(record, on, ctx):
    yield finding("fine")


def codes(report):
    return {f.solution: f.code for f in report.findings}


def raises(error):
    def assess(record, on, ctx):
        raise error

    return assess


def late(record, on, ctx):
    yield finding("first")
    raise ValueError("after the first finding")


def endless(record, on, ctx):
    while True:
        pass


def deaf(record, on, ctx):
    while True:
        try:
            time.sleep(0.001)
        except Exception:
            continue


def recursive(record, on, ctx):
    return recursive(record, on, ctx)


def exits(record, on, ctx):
    sys.exit("enough")


class UnspeakableError(Exception):
    def __str__(self):
        raise RuntimeError


FAILURES = {
    "an exception": (raises(ZeroDivisionError("on purpose")), "ZeroDivisionError: on purpose"),
    "an exception after a first finding": (late, "ValueError: after the first finding"),
    "an exception that cannot be said": (raises(UnspeakableError()), "UnspeakableError: …"),
    "an endless loop": (endless, "time limit: more than 0.2 s"),
    "an endless loop deaf to exceptions": (deaf, "time limit: more than 0.2 s"),
    "recursion": (recursive, "RecursionError"),
    "sys.exit": (exits, "RuntimeError: SystemExit: enough"),
    "KeyboardInterrupt": (raises(KeyboardInterrupt()), "KeyboardInterrupt"),
    "MemoryError": (raises(MemoryError()), "MemoryError"),
    "words instead of findings": (lambda *_: ["all is well"], "TypeError: assess gave a str, not a Finding"),
    "nothing at all": (lambda *_: None, "TypeError"),
    "a finding nobody can write": (lambda *_: [finding(payload={1, 2})], "TypeError"),
    "a number that is none": (lambda *_: [finding(payload=float("nan"))], "ValueError"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_whatever_a_solution_does_the_report_is_whole_and_says_so(name):
    assess, said = FAILURES[name]
    report = lab(solution("bad", assess, 0.2), solution("good", calm)).assess(record(), ON)
    assert codes(report) == {"bad": "could-not-run", "good": "fine"}
    (failed,) = [f for f in report.findings if f.solution == "bad"]
    assert said in failed.detail.en
    assert "Title of bad" in failed.summary.en
    assert failed.severity == "warning"
    json.dumps(report.as_dict(), allow_nan=False)


def test_a_failure_says_the_line_that_raised():
    report = lab(solution("bad", raises(ValueError("x")))).assess(record(), ON)
    assert "test_isolation.py:" in report.findings[0].detail.en


def test_a_very_long_error_is_cut():
    report = lab(solution("bad", raises(ValueError("x" * 10**6)))).assess(record(), ON)
    assert len(report.findings[0].detail.en) < 500


def test_a_solution_without_its_data_says_what_to_type_and_is_not_a_failure():
    error = PackMissingError(Text("taper ceci", "type this"))
    (found,) = lab(solution("bare", raises(error))).assess(record(), ON).findings
    assert (found.code, found.severity, found.not_evaluated) == ("pack-missing", "info", True)
    assert found.detail == Text("taper ceci", "type this")


def test_a_solution_for_the_living_is_not_asked_about_who_has_died_and_the_report_says_so():
    dead = record(patient=PATIENT | {"deceasedDateTime": "2026-11-01"})
    living = solution("advice", calm, for_living=True)
    asked = solution("asked", lambda r, on, ctx: [finding("none" if ctx.ask("advice", r, on) is None else "some")])
    report = lab(living, asked).assess(dead, ON)
    assert codes(report) == {"advice": "deceased", "asked": "none"}
    (told,) = [each for each in report.findings if each.code == "deceased"]
    assert "Titre de advice" in told.summary.fr
    assert told.reasons[0].inputs[0].value.en == "1 Nov 2026"
    assert codes(lab(living, asked).assess(dead, dt.date(2026, 10, 31))) == {"advice": "fine", "asked": "some"}


def busy():
    """Threads of solutions that still work a while later; those that wait for work are not among them."""
    waiting = {worker.thread for worker in isolation._idle}
    found = [t for t in threading.enumerate() if t.name == "lab39-solution" and t not in waiting]
    for thread in found:
        thread.join(5)
    return [t for t in found if t.is_alive()]


def test_a_thread_serves_again_unless_it_had_to_be_stopped():
    used = []

    def assess(record, on, ctx):
        used.append(threading.current_thread())
        while len(used) == 3:
            pass
        return ()

    one = lab(solution("a", assess, 0.1))
    for _ in range(4):
        one.assess(record(), ON)
    assert used[0] is used[1] is used[2]
    assert used[3] is not used[2]


def test_nothing_that_one_sets_for_its_thread_is_seen_by_the_next():
    seen = []

    def careless(record, on, ctx):
        decimal.getcontext().prec = 2
        return ()

    def precise(record, on, ctx):
        seen.append(Decimal(1) / 3)
        return ()

    lab(solution("careless", careless), solution("precise", precise)).assess(record(), ON)
    assert seen == [Decimal("0.3333333333333333333333333333")]


def test_a_loop_ended_by_the_limit_leaves_no_thread_and_the_solution_is_asked_again():
    slow = [True]

    def assess(record, on, ctx):
        while slow[0]:
            pass
        yield finding("fine")

    one = lab(solution("slow", assess, 0.1))
    assert codes(one.assess(record(), ON)) == {"slow": "could-not-run"}
    assert busy() == []
    slow[0] = False
    assert codes(one.assess(record(), ON)) == {"slow": "fine"}


def test_a_thread_that_nothing_can_end_is_not_started_twice(monkeypatch):
    monkeypatch.setattr(isolation, "GRACE_SECONDS", 0.05)
    release, calls = threading.Event(), []

    def stuck(record, on, ctx):
        calls.append(1)
        release.wait(30)  # a call into C: no exception reaches it before it returns
        return ()

    one = lab(solution("stuck", stuck, 0.05))
    try:
        for _ in range(2):
            assert codes(one.assess(record(), ON)) == {"stuck": "could-not-run"}
        assert calls == [1]
    finally:
        release.set()
        for thread in threading.enumerate():
            if thread.name == "lab39-solution":
                thread.join(5)


def test_time_spent_waiting_for_another_is_not_counted():
    def patient(record, on, ctx):
        assert ctx.ask("slow", record, on) is not None
        yield finding("fine")

    def slow(record, on, ctx):
        time.sleep(0.4)
        yield finding("slow")

    report = lab(solution("patient", patient, 0.2), solution("slow", slow, 5)).assess(record(), ON)
    assert codes(report) == {"patient": "fine", "slow": "slow"}


# -- asking one another -------------------------------------------------------------------------------


def asks(*names, said):
    def assess(record, on, ctx):
        for name in names:
            heard = ctx.ask(name, record, on)
            said.append((name, None if heard is None else [f.code for f in heard]))
        yield finding("asked")

    return assess


def test_another_s_findings_are_heard_and_computed_once():
    said, calls = [], []

    def counted(record, on, ctx):
        calls.append(1)
        yield finding("fine")

    lab(solution("a", asks("b", "b", said=said)), solution("b", counted)).assess(record(), ON)
    assert said == [("b", ["fine"]), ("b", ["fine"])]
    assert calls == [1]


@pytest.mark.parametrize("other", [raises(ValueError()), raises(PackMissingError(Text("a", "b")))])
def test_who_failed_lacks_its_data_or_is_absent_cannot_tell(other):
    said = []
    lab(solution("a", asks("b", "nobody", said=said)), solution("b", other)).assess(record(), ON)
    assert said == [("b", None), ("nobody", None)]


def test_nothing_found_is_an_answer_and_not_none():
    said = []
    lab(solution("a", asks("b", said=said)), solution("b", lambda *_: ())).assess(record(), ON)
    assert said == [("b", [])]


@pytest.mark.parametrize("order", [("a", "b", "c"), ("c", "b", "a"), ("b", "a", "c")])
def test_a_cycle_ends_and_everyone_is_heard_whatever_the_order(order):
    said = {name: [] for name in "abc"}
    next_one = {"a": "b", "b": "c", "c": "a"}
    report = lab(*(solution(n, asks(next_one[n], said=said[n])) for n in order)).assess(record(), ON)
    assert codes(report) == dict.fromkeys("abc", "asked")
    for name in "abc":  # asked at the top, each hears the next one
        assert said[name][-1] == (next_one[name], ["asked"])


def test_who_asks_itself_hears_nothing():
    said = []
    report = lab(solution("a", asks("a", said=said))).assess(record(), ON)
    assert said == [("a", None)]
    assert codes(report) == {"a": "asked"}


def test_answers_about_a_changed_record_are_those_of_the_changed_record():
    heard = []

    def many(record, on, ctx):
        for i in range(50):  # each grown record is forgotten at once: its place in memory serves again
            grown = record.with_resource({"resourceType": "Condition", "id": f"c{i}", "code": {"text": str(i)}})
            heard.append(ctx.ask("echo", grown, on)[0].payload)
        return ()

    def echo(record, on, ctx):
        last = record.conditions()[-1].concept.text if record.conditions() else "none"
        yield finding("echo", payload=last)

    lab(solution("many", many), solution("echo", echo)).assess(record(), ON)
    assert heard == [str(i) for i in range(50)]


def test_the_report_is_ordered_by_urgency_whatever_the_solutions():
    def grave(record, on, ctx):
        yield finding("b", "info", reasons=(), missing=(missing(),))
        yield finding("z", "critical")

    report = lab(solution("a", calm), solution("z", grave)).assess(record(), ON)
    assert [f.code for f in report.findings] == ["z", "fine", "b"]


def test_what_a_solution_reads_first_does_not_change_the_issues():
    odd = {"coding": [{"system": "urn:oid:9.9", "code": "x"}]}
    rows = [{"resourceType": kind, "code": odd} for kind in ("Observation", "Condition")]

    def reads(record, on, ctx):
        record.observations()
        return ()

    with_it = lab(solution("a", reads)).assess(record(*rows), ON).issues
    assert with_it == lab().assess(record(*rows), ON).issues
    assert len(with_it) == 1


# -- preparing and loading ----------------------------------------------------------------------------


def test_a_solution_that_cannot_prepare_is_told_in_every_report_and_prepared_once():
    calls = []

    def prepare(self, packs, progress):
        calls.append(1)
        raise OSError("disk full")

    one = lab(solution("bad", calm, prepare=prepare), solution("good", calm))
    assert set(one.prepare()) == {"bad"}
    for _ in range(2):
        assert codes(one.assess(record(), ON)) == {"bad": "could-not-run", "good": "fine"}
    assert calls == [1]


def test_a_solution_whose_packs_cannot_be_read_is_told():
    def packs(self):
        raise ValueError("packs.toml line 3")

    report = lab(solution("bad", calm, packs=packs), solution("good", calm)).assess(record(), ON)
    assert codes(report) == {"bad": "could-not-run", "good": "fine"}
    assert "line 3" in report.findings[0].detail.en


class Point:
    def __init__(self, load, value="tests:x"):
        self.load, self.value = load, value


def nothing():
    raise ModuleNotFoundError("No module named 'nothing'")


def leaves():
    sys.exit(3)


def misnamed():
    return type(solution("other", calm))


def untitled():
    return type(solution("broken", calm, title="only words"))


@pytest.mark.parametrize(
    ("load", "said"),
    [
        (nothing, "No module named"),
        (leaves, "SystemExit"),
        (misnamed, "id 'broken'"),
        (lambda: int, "not a Solution"),
        (lambda: 7, "TypeError"),
        (untitled, "lacks a title"),
    ],
)
def test_an_entry_point_that_does_not_load_is_a_finding_and_hides_no_other(monkeypatch, tmp_path, load, said):
    points = {"broken": Point(load), "good": Point(lambda: type(solution("good", calm)))}
    monkeypatch.setattr("lab39.core.lab.entry_points", lambda: points)
    found = Lab.discover(Settings(home=tmp_path))
    assert said in found.broken["broken"]
    report = found.assess(record(), ON)
    assert codes(report) == {"broken": "could-not-run", "good": "fine"}
    assert codes(found.assess(record(), ON, ["broken"])) == {"broken": "could-not-run"}


def test_a_name_nobody_declares_is_refused_with_those_there_are(monkeypatch, tmp_path):
    monkeypatch.setattr("lab39.core.lab.entry_points", lambda: {"good": Point(nothing)})
    with pytest.raises(UnknownNameError, match=r"nobody.*good"):
        Lab.discover(Settings(home=tmp_path), ["nobody"])
    with pytest.raises(UnknownNameError, match="nobody"):
        lab(solution("good", calm)).assess(record(), ON, ["nobody"])


def test_built_in_solutions_come_through_the_same_door_as_everybody_else_s():
    from importlib.metadata import entry_points

    assert "raredisease" in {point.name for point in entry_points(group=GROUP)}


def test_the_report_names_the_versions_and_no_name_of_a_person():
    who = {"resourceType": "Patient", "id": "p1", "birthDate": "1944-03", "name": [{"text": "Ada Roy"}]}
    said = lab(solution("a", calm)).assess(record(patient=who), ON).as_dict()
    assert said["record"] == {"id": "p1", "source": "", "birth_date": "1944-03", "sex": None}
    assert said["versions"]["solutions"] == {"a": "1"}
    assert said["on"] == "2026-11-24"
    assert "Ada" not in json.dumps(said)


FROZEN = """
import datetime as dt, pathlib, re, sys
from dataclasses import replace
from lab39 import fhir
from lab39.core import isolation
from lab39.core.lab import Lab
from lab39.core.solution import Solution
from lab39.core.text import Text
from lab39.settings import Settings

class Frozen(Solution):
    id, title, purpose, version = "frozen", Text("a", "b"), Text("a", "b"), "1"
    time_limit_seconds = 0.1

    def assess(self, record, on, ctx):
        re.match("(a+)+$", "a" * 60 + "b")  # keeps Python's lock for centuries
        return ()

isolation.FROZEN_SECONDS = 0.1
settings = replace(Settings(), home=pathlib.Path(sys.argv[1]))
Lab([Frozen()], settings).assess(fhir.record({"resourceType": "Patient"}), dt.date(2026, 11, 24))
"""


def test_a_freeze_of_the_whole_process_ends_it_and_names_the_line(tmp_path):
    ran = subprocess.run([sys.executable, "-c", FROZEN, str(tmp_path)], capture_output=True, text=True, timeout=60)
    assert ran.returncode != 0
    assert "in assess" in ran.stderr


LATER = """
import ctypes, threading
from lab39.core import isolation

isolation.BEAT_SECONDS = isolation.FROZEN_SECONDS = 0.05
isolation.run(int, isolation.Stopwatch(0.1))
for thread in threading.enumerate():
    if thread.name == "lab39-watchdog":
        thread.join()
ctypes.PyDLL(None).usleep(400_000)  # keeps Python's lock, when no solution is at work
print("alive")
"""


def test_the_process_is_watched_only_as_long_as_there_is_work():
    ran = subprocess.run([sys.executable, "-c", LATER], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "alive\n", "")


def test_the_reason_of_a_refusal_is_told_in_both_languages():
    refuses = raises(InputError(Text("poids illisible", "weight unreadable"), "Patient"))
    (told,) = lab(solution("s", refuses)).assess(record(), ON).findings
    assert told.detail.fr == "Patient\u202f: poids illisible"
    assert told.detail.en == "Patient: weight unreadable"


def test_a_solution_that_never_ends_writing_its_resource_is_stopped():
    def to_fhir(self, found, subject, lang):
        while True:
            pass

    one = lab(solution("slow", calm, 0.1, to_fhir=to_fhir))
    (found,) = one.assess(record(), ON).findings
    with pytest.raises(isolation.TimeLimitExceeded):
        one.to_fhir(found, "Patient/p", "fr")


def test_a_thread_that_serves_again_is_watched_like_a_new_one():
    seen: list[str] = []
    isolation.run(lambda: None, isolation.Stopwatch(5))
    threading.setprofile(lambda frame, event, called: seen.append(getattr(called, "__name__", "")))
    try:
        isolation.run(lambda: time.monotonic(), isolation.Stopwatch(5))
    finally:
        threading.setprofile(None)
    before = len(seen)
    isolation.run(lambda: time.monotonic(), isolation.Stopwatch(5))
    assert "monotonic" in seen
    assert len(seen) == before, "and no longer once nobody watches"
