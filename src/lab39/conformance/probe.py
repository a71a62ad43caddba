"""The child side: loads one solution in a process of its own, lets it assess records, and writes what it saw.

``python -m lab39.conformance.probe OUT`` reads a job (JSON) on standard input and writes its answer to the file
OUT, so that whatever the solution prints stands alone on standard output.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from dataclasses import fields, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from lab39.core.solution import Solution

SUBJECT = "Patient/checked"


def main() -> None:
    """Answer one job; a job says ``what`` to do, and the ``target`` (``module:attribute``)."""
    job = json.loads(sys.stdin.read())
    answer = {"load": load, "commands": commands, "assess": assess, "faces": faces}[job["what"]](job)
    text = json.dumps(answer, ensure_ascii=False, default=str)
    Path(sys.argv[1]).write_text(text, "utf-8")
    sys.stdout.flush()
    os._exit(0)  # a solution that cannot be stopped keeps its thread; it must not keep the process


def load(job: Mapping[str, Any]) -> Mapping[str, Any]:
    """Import the solution and tell its names, its evidence card, its packs, and what the import brought."""
    before = set(sys.modules)
    try:
        solution = _solution(job["target"])
    except BaseException as error:
        return {"error": _where(error)}
    brought = sorted(set(sys.modules) - before)
    answer: dict[str, Any] = {
        "error": None,
        "brought": brought,
        "is_solution": isinstance(solution, Solution),
        "overrides_assess": isinstance(solution, Solution) and type(solution).assess is not Solution.assess,
        "values": {name: _value(getattr(solution, name, None)) for name in _DECLARED},
        "card": None,
        "packs": None,
    }
    if isinstance(solution, Solution):
        answer["card"], answer["card_error"] = _attempt(lambda: _card(solution))
        answer["packs"], answer["packs_error"] = _attempt(lambda: _packs(solution))
    return answer


def commands(job: Mapping[str, Any]) -> Mapping[str, Any]:
    """Load the solution's commands and list those that do not offer ``--json``."""
    import typer

    try:
        module, _, attribute = _solution(job["target"]).commands.partition(":")
        root = typer.main.get_command(getattr(import_module(module), attribute))
    except BaseException as error:
        return {"error": _where(error)}
    leaves: list[tuple[str, Any]] = []

    def walk(name: str, command: Any) -> None:
        children = getattr(command, "commands", None)
        if children is None:
            leaves.append((name, command))
            return
        for child, sub in children.items():
            walk(f"{name} {child}".strip(), sub)

    walk("", root)
    without = [name for name, command in leaves if not any("--json" in p.opts for p in command.params)]
    return {"error": None, "commands": [name for name, _ in leaves], "without_json": without}


def faces(job: Mapping[str, Any]) -> Mapping[str, Any]:
    """Open a lab of this solution alone and visit its pages and operations."""
    from lab39.conformance.visiting import visit
    from lab39.settings import Settings

    try:
        with tempfile.TemporaryDirectory() as folder:
            return visit(_solution(job["target"]), job["target"], Settings.from_env(), Path(folder))
    except BaseException as error:
        return {"error": _where(error)}


def assess(job: Mapping[str, Any]) -> Mapping[str, Any]:
    """Assess every record on every day, guarded; once, and with ``again`` a second time under a watched clock."""
    from lab39 import fhir
    from lab39.conformance.guards import Guards
    from lab39.core.datapacks import Packs
    from lab39.core.lab import quiet
    from lab39.settings import Settings

    settings = Settings.from_env()
    guards = Guards(_folder(job["target"]), settings.home.absolute())
    guards.install()
    try:
        with guards.clock_watched():
            solution = _solution(job["target"])
        packs = Packs(settings.packs, settings.cache, solution.packs())
        solution.prepare(packs, quiet)
    except BaseException as error:
        return {"error": _where(error), "remedy": _remedy(error)}
    records = list(fhir.iter_records([Path(p) for p in job["records"]], settings))
    if job["backwards"]:
        records.reverse()
    limit = solution.time_limit_seconds or settings.time_limit_seconds
    answer: dict[str, Any] = {"error": None, "limit": limit}
    with guards.closed():
        answer["runs"] = _runs(solution, records, job["days"], packs, limit)
        if job["again"]:
            with guards.clock_watched():
                answer["again"] = _runs(solution, records, job["days"], packs, limit * 20)
    left = sorted(p.name for p in Path.cwd().iterdir())
    return answer | {"network": guards.network, "files": guards.files, "clock": guards.clock, "left": left}


class _Alone:
    """The context of a solution that is alone in its lab: no other can tell anything."""

    def __init__(self, packs: Any) -> None:
        self.packs = packs
        self.about: frozenset[str] = frozenset()

    def ask(self, _solution: str, _record: Any, _on: dt.date) -> None:
        return None


def _runs(solution: Solution, records: list[Any], days: list[str], packs: Any, limit: float) -> list[Any]:
    from lab39.core import isolation
    from lab39.core.errors import LabError
    from lab39.fhir import Failed

    rows: list[dict[str, Any]] = []
    for record in records:
        if isinstance(record, Failed):
            continue
        before = _document(record)
        for day in days:
            on = dt.date.fromisoformat(day)
            row: dict[str, Any] = {"record": record.source, "on": day, "error": None, "findings": []}
            rows.append(row)
            started = time.perf_counter()
            found: list[Any] = []
            try:
                watch = isolation.Stopwatch(limit)
                work = lambda: found.extend(solution.assess(record, on, _Alone(packs)))  # noqa: B023, E731
                isolation.run(work, watch)
            except isolation.TimeLimitExceeded as error:
                row["error"], row["overran"] = str(error), True
                return rows
            except LabError as error:
                row["error"], row["remedy"] = _where(error), _remedy(error)
            except Exception as error:
                row["error"] = _where(error)
            row["seconds"] = time.perf_counter() - started
            row["findings"] = [_finding(solution, f, record) for f in found]
        for row in rows[-len(days) :]:
            row["changed"] = _document(record) != before
    return rows


def _finding(solution: Solution, finding: Any, record: Any) -> Mapping[str, Any]:
    """One finding as plain values, with what is wrong in its making."""
    from lab39.core.finding import Finding
    from lab39.fhir.jsontext import dumps, loads

    if not isinstance(finding, Finding):
        return {"wrong": [f"{type(finding).__name__}, not a Finding"]}
    wrong = [f"focus {ref!r}: no such entry in the record" for ref in finding.focus if not _held(record, ref)]
    finding = replace(finding, solution=solution.id)
    row: dict[str, Any] = {"wrong": wrong, "not_json": [], "fhir": [], "fhir_error": None}
    for name, value in _members(finding).items():
        try:
            row[name] = loads(dumps(value))
        except Exception as error:
            row["not_json"].append(f"{name}: {error}")
            row[name] = None
    row["fhir"], row["fhir_error"] = _attempt(lambda: _resources(solution, finding))
    return row


def _members(finding: Any) -> Mapping[str, Any]:
    from lab39.core.finding import jsonable

    return {f.name: jsonable(getattr(finding, f.name)) for f in fields(finding)}


def _resources(solution: Solution, finding: Any) -> list[Any]:
    """What would be emitted for a finding: the solution's own resource if it brings one, and the lab's in full."""
    from lab39.core.text import LANGS
    from lab39.fhir.jsontext import dumps
    from lab39.fhir.outputs import detected_issue

    natives = (solution.to_fhir(finding, SUBJECT, lang) for lang in LANGS)
    found = [native for native in natives if native is not None]
    found += [detected_issue(finding, SUBJECT, lang) for lang in LANGS]
    return [dumps(resource) for resource in found]


def _held(record: Any, ref: str) -> bool:
    if ref.startswith("#"):
        return ref[1:].isdigit() and int(ref[1:]) < len(record.resources())
    return record.resolve(ref) is not None


def _document(record: Any) -> str:
    from lab39.fhir.jsontext import dumps

    return dumps([record.origin, list(record.resources())])


def _solution(target: str) -> Solution:
    module, _, attribute = target.partition(":")
    found: Any = import_module(module)
    for name in attribute.split("."):
        found = getattr(found, name)
    made: Solution = found()
    return made


def _folder(target: str) -> Path:
    """Of the solution's own modules, found without importing it."""
    from importlib.util import find_spec

    module = target.partition(":")[0]
    package = module.rpartition(".")[0] or module
    spec = find_spec(package)
    if spec and spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).absolute()
    return Path(spec.origin if spec and spec.origin else package).absolute()


def _card(solution: Solution) -> Any:
    from lab39.core.finding import jsonable

    return jsonable(solution.evidence())


def _packs(solution: Solution) -> list[Mapping[str, Any]]:
    from lab39.core.datapacks import inspector
    from lab39.core.finding import jsonable

    found = solution.packs()
    for spec in found:
        inspector(spec)
    return [jsonable(spec) for spec in found]


_DECLARED = ("id", "title", "purpose", "version", "commands", "pages", "operations", "time_limit_seconds")


def _value(value: Any) -> Any:
    """An attribute as declared: a text as its two languages, else the value itself."""
    from lab39.core.text import Text

    return value.as_dict() if isinstance(value, Text) else value


def _attempt(work: Any) -> tuple[Any, str | None]:
    try:
        return work(), None
    except Exception as error:
        return None, _where(error)


def _remedy(error: BaseException) -> Mapping[Any, str] | None:
    from lab39.core.errors import PackMissingError

    return error.text.as_dict() if isinstance(error, PackMissingError) else None


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    spot = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{spot}"


if __name__ == "__main__":
    main()
