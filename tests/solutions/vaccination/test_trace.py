"""Every decision is recorded with the rule it applied; no rule is kept that no decision applies."""

from __future__ import annotations

import ast
import datetime as dt
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from functools import wraps
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from benchmarks.vaccination_histories import Drawer

from lab39.solutions.vaccination import Patient, Result, Schedule, run, told
from lab39.solutions.vaccination.cases import Case, read_cases
from lab39.solutions.vaccination.france import open_france
from lab39.solutions.vaccination.outcome import Step

ON = dt.date(2026, 6, 1)
PACKAGE = Path(str(resources.files("lab39.solutions.vaccination")))
CHAPTERS = ("organize", "relevant", "walk", "evaluate", "skip", "forecast", "beyond", "best", "groups")

# Functions that answer a question of a rule whose step carries the answer: they emit nothing themselves.
ANSWERS = {
    "organize.as_of",
    "evaluate.in_force", "evaluate.age_rule", "evaluate.reference_date",
    "skip.dose_in_window", "beyond.interval_end", "beyond.last_day",
    "beyond.out_of_season", "beyond.season_of", "beyond.campaign_of", "beyond.campaign_done", "beyond.apart",
    "forecast.intervals_in_force", "forecast.conflict_end", "forecast.vaccine_contraindicated",
    "best.is_complete", "best.is_default", "best.is_in_process", "best.all_valid", "best.is_completable",
    "best.not_satisfied",
    "groups.urgency",
}  # fmt: skip
# Decision functions that may be silent, only when there is nothing to decide.
NOTHING: dict[str, Callable[[dict[str, Any]], bool]] = {
    "organize.organize": lambda given: not any(each.date <= given["on"] for each in given["patient"].doses),
    "relevant.relevant_series": lambda given: not given["series"],
    "walk.evaluate_series": lambda given: not given["history"].by_antigen.get(given["series"].series.antigen),
    "skip.can_skip": lambda given: (
        not any(
            each.evaluation if given["context"] == "evaluation" else each.forecast for each in given["target"].skips
        )
    ),
    "best.best_series": lambda given: not given["series"],
    "groups.group_forecasts": lambda given: (
        not any(
            each.series.vaccine_group == given["group"].name or not given["group"].split
            for name in given["group"].antigens
            for each in given["best"].get(name, ())
        )
    ),
}


@pytest.fixture(scope="module")
def cases(shared: Path) -> list[Case]:
    files = sorted((shared / "vaccination" / "cdsi-cases").glob("*.jsonl"))
    if not files:
        pytest.skip("no published cases among the shared data")
    return [case for path in files for case in read_cases(path)]


@pytest.fixture(scope="module")
def french() -> tuple[Schedule, list[Patient]]:
    """The schedule authored here uses what is beyond the CDSi schema; its patients are drawn."""
    schedule = open_france()
    drawer = Drawer(schedule, seed=3)
    return schedule, [drawer.patient(ON) for _ in range(60)]


def steps(result: Result) -> Iterator[Step]:
    yield from result.steps
    for found in result.series.values():
        for series in found:
            yield from series.steps
            for done in series.evaluations:
                yield from done.steps
    for group in result.groups:
        yield from group.steps


def test_every_rule_is_applied_by_a_decision_and_every_decision_applies_a_rule(
    cdsi: Schedule, cases: list[Case], french: tuple[Schedule, list[Patient]]
) -> None:
    kept = [case for n, case in enumerate(cases) if case.patient.observations or n % 6 == 0]
    applied = {step.rule for case in kept for step in steps(run(cdsi, case.patient, case.on))}
    schedule, people = french
    applied |= {step.rule for each in people for step in steps(run(schedule, each, ON))}
    assert applied == set(told.rules())


def test_every_rule_written_in_the_code_is_known() -> None:
    known = set(told.rules())
    for name in (*CHAPTERS, "engine"):
        for node in ast.walk(ast.parse((PACKAGE / f"{name}.py").read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Step":
                assert node.args, f"{name}: a step without its rule"
                rule = node.args[0]
                assert not isinstance(rule, ast.Constant) or rule.value in known, (name, ast.unparse(rule))


def test_every_rule_of_the_specification_is_printed_in_it(shared: Path) -> None:
    text = " ".join(page.read_text("utf-8").upper() for page in (shared / "vaccination" / "spec").glob("*.txt"))
    own = ("SECTION ", "LAB39-")
    assert [rule for rule in told.rules() if not rule.startswith(own) and rule not in text] == []
    assert [rule for rule in told.rules() if rule.startswith("SECTION ")] == ["SECTION 4.2", "SECTION 4.4"]


class Recorder:
    """Stands around every public function of the chapters and notes the calls that emitted no step."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.emitted = 0
        self.called: set[str] = set()
        self.silent: dict[str, list[dict[str, Any]]] = {}
        modules = [importlib.import_module(f"lab39.solutions.vaccination.{name}") for name in (*CHAPTERS, "engine")]
        wrapped = {}
        for module in modules[:-1]:
            for name, function in vars(module).items():
                if (
                    inspect.isfunction(function)
                    and function.__module__ == module.__name__
                    and not name.startswith("_")
                ):
                    wrapped[function] = self._around(f"{module.__name__.rpartition('.')[2]}.{name}", function)
        for module in modules:
            for name, value in list(vars(module).items()):
                if inspect.isfunction(value) and value in wrapped:
                    patch.setattr(module, name, wrapped[value])
            if "Step" in vars(module):
                patch.setattr(module, "Step", self._step)

    def _step(self, *given: Any) -> Step:
        self.emitted += 1
        return Step(*given)

    def _around(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(function)

        @wraps(function)
        def watched(*given: Any, **named: Any) -> Any:
            self.called.add(name)
            before = self.emitted
            try:
                return function(*given, **named)
            finally:
                if self.emitted == before:
                    self.silent.setdefault(name, []).append(signature.bind(*given, **named).arguments)

        return watched


def test_a_decision_function_that_emits_no_step_fails(
    cdsi: Schedule, cases: list[Case], french: tuple[Schedule, list[Patient]], monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(monkeypatch)
    from lab39.solutions.vaccination import engine

    for case in cases[::10]:
        engine.run(cdsi, case.patient, case.on)
    for each in french[1]:
        engine.run(french[0], each, ON)
    public = {
        f"{chapter}.{node.name}"
        for chapter in CHAPTERS
        for node in ast.parse((PACKAGE / f"{chapter}.py").read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }
    seasons = any(dose.seasons for each in french[0].antigens.values() for one in each.series for dose in one.doses)
    unreached = set() if seasons else {"beyond.season_of"}  # waits for an authored rule that names a campaign
    assert public - recorder.called == unreached, "public functions that no case reaches"
    unexplained = {
        name
        for name, calls in recorder.silent.items()
        if name not in ANSWERS and not (name in NOTHING and all(NOTHING[name](given) for given in calls))
    }
    assert unexplained == set()
    assert set(recorder.silent) >= ANSWERS - unreached, "listed as silent, yet they emit"


def test_every_condition_of_a_skip_and_every_set_has_its_step(cdsi: Schedule, cases: list[Case]) -> None:
    kinds = {"TABLE 6-6": 0, "TABLE 6-7": 0, "TABLE 6-8": 0, "TABLE 6-9": 0}
    for case in cases[::15]:
        found = list(steps(run(cdsi, case.patient, case.on)))
        for step in found:
            if step.rule in kinds:
                kinds[step.rule] += 1
                assert step.inputs, step
        sets = [step for step in found if step.rule == "TABLE 6-10"]
        assert sum(len(step.inputs["conditions"]) for step in sets) == sum(  # type: ignore[arg-type]
            step.rule in kinds for step in found
        )
    assert all(kinds[rule] for rule in ("TABLE 6-6", "TABLE 6-7", "TABLE 6-9")), kinds


def test_the_docstring_of_a_decision_cites_what_it_applies() -> None:
    cited = re.compile(r"TABLE \d+-\d+|SECTION \d\.\d|RELEVANT-\d|LAB39-\d|[A-Z]{5,}-\d+")
    for chapter in CHAPTERS:
        for node in ast.parse((PACKAGE / f"{chapter}.py").read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                assert cited.search(ast.get_docstring(node) or ""), f"{chapter}.{node.name}"
