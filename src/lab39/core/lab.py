"""The lab: finds the solutions that are installed, runs them in isolation, gathers their findings."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from lab39 import __version__
from lab39.core import isolation
from lab39.core.datapacks import Pack, Packs, PackSpec
from lab39.core.errors import LabError, PackMissingError, UnknownNameError
from lab39.core.finding import Finding, Input, Missing, Reason, Report, Severity, Source
from lab39.core.record import Record
from lab39.core.solution import Progress, Solution
from lab39.core.text import Lang, Text
from lab39.settings import Settings

T = TypeVar("T")
GROUP = "lab39.solutions"
PREPARE_LIMIT_SECONDS = 600.0
LOAD_LIMIT_SECONDS = 30.0
NO_ANSWER = ("could-not-run", "pack-missing", "deceased")
_ITSELF = Source("Lab39, docs/architecture.md", place="Isolation")
Observer = Callable[[str, str, float, Exception | None], None]
"""Told each time a solution was asked about a record: its id, the outcome (``findings``, ``nothing``,
or one of ``NO_ANSWER``), the seconds it took, and why it failed if it did."""


def unobserved(_solution: str, _outcome: str, _seconds: float, _error: Exception | None) -> None:
    """An observer that looks away."""


def quiet(_what: str, _fraction: float) -> None:
    """A progress that nobody watches."""


def entry_points() -> dict[str, importlib.metadata.EntryPoint]:
    """Every declared solution by id, none of them imported."""
    return {point.name: point for point in sorted(importlib.metadata.entry_points(group=GROUP))}


class Lab:
    """A set of solutions over one set of packs.

    Args:
        solutions: those that loaded.
        broken: id of each that did not load, and why; they appear in every report.
        settings: time limits and folders.
    """

    def __init__(
        self, solutions: Iterable[Solution], settings: Settings, broken: dict[str, str] | None = None
    ) -> None:
        self.solutions = {s.id: s for s in solutions}
        self.broken = dict(broken or {})
        self.settings = settings
        self.observe: Observer = unobserved
        specs: list[PackSpec] = []
        self._uses: dict[str, tuple[str, ...]] = {}
        for each in list(self.solutions.values()):
            try:
                own = _limited(each.packs)
                specs += own
                self._uses[each.id] = tuple(spec.name for spec in own)
            except Exception as error:
                self.broken[each.id] = f"packs.toml: {error}"
                del self.solutions[each.id]
        self.packs = Packs(settings.packs, settings.cache, specs)
        self._stuck: set[str] = set()
        self._prepared: dict[str, Exception | None] = {}

    @classmethod
    def discover(cls, settings: Settings, only: Iterable[str] = ()) -> Lab:
        """The lab of everything that declares the entry point group ``lab39.solutions``.

        Raises:
            UnknownNameError: a name in ``only`` that no package declares.
        """
        points = entry_points()
        wanted = list(only) or list(points)
        found, broken = [], {}
        for name in wanted:
            if name not in points:
                raise unknown_solution(name, points)
            try:
                loaded = _limited(partial(_made, points[name]))
                if not isinstance(loaded, Solution) or getattr(loaded, "id", None) != name:
                    raise TypeError(f"{points[name].value} is not a Solution with id {name!r}")
                if not (
                    isinstance(getattr(loaded, "title", None), Text)
                    and isinstance(getattr(loaded, "purpose", None), Text)
                    and isinstance(getattr(loaded, "version", None), str)
                ):
                    raise TypeError(f"{points[name].value} lacks a title, a purpose or a version")
                found.append(loaded)
            except (Exception, SystemExit) as error:
                broken[name] = f"{type(error).__name__}: {error}"
        return cls(found, settings, broken)

    def solution(self, name: str) -> Solution:
        """One solution by id.

        Raises:
            UnknownNameError: listing those there are.
        """
        if name not in self.solutions:
            raise unknown_solution(name, [*self.solutions, *self.broken])
        return self.solutions[name]

    def prepare(self, progress: Progress = quiet) -> dict[str, Exception]:
        """Let each solution compile what it compiles once; the failures by id, told in each report too."""
        for solution in self.solutions.values():
            self._prepare(solution, progress)
        return {name: error for name, error in self._prepared.items() if error is not None}

    def assess(self, record: Record, on: dt.date, only: Iterable[str] = (), about: Iterable[str] = ()) -> Report:
        """Ask every solution (or those named) about a record on a day.

        A solution that fails, overruns or did not load is a visible finding and stops no other.

        Args:
            about: references of the entries in question; a solution that can says only what these change.

        Raises:
            UnknownNameError: a name in ``only`` that is not installed.
        """
        chosen, about = tuple(only), frozenset(about)
        for name in chosen:
            if name not in self.broken:
                self.solution(name)
        issues = record.issues_on(on)  # read before any solution, so that their order depends on nobody
        session = _Assessment(self)
        findings: list[Finding] = []
        for name in [*self.solutions, *self.broken]:
            if not chosen or name in chosen:
                findings += session.ask(name, record, on, about=about)
        named = {pack for name, packs in self._uses.items() if not chosen or name in chosen for pack in packs}
        used = [p for name in self.packs.specs if name in named and (p := self.pack(name)) is not None]
        return Report(
            record={
                "id": record.id,
                "source": record.source,
                "birth_date": record.birth_date.written if record.birth_date else None,
                "sex": record.sex,
            },
            on=on,
            findings=tuple(sorted(findings, key=lambda f: f.order)),
            issues=issues,
            warnings=tuple(w for pack in used if not self.packs.renewed(pack) and (w := pack.age_warning(on))),
            titles={name: s.title for name, s in self.solutions.items()},
            versions=self._versions(used),
        )

    def to_fhir(self, finding: Finding, subject: str, lang: Lang) -> Mapping[str, Any] | None:
        """A solution's own resource for a finding, within its time limit; ``None`` when it has none.

        Raises:
            Exception: what the solution raised, or that it overran.
        """
        solution = self.solutions.get(finding.solution)
        if solution is None:
            return None
        return isolation.run(lambda: solution.to_fhir(finding, subject, lang), self._watch(solution))

    def run(self, name: str, work: Callable[[isolation.Stopwatch], T]) -> T:
        """A solution's own code, within its time limit; ``work`` is given the watch, to pause it while it waits.

        Raises:
            UnknownNameError: no such solution.
            StuckError: it did not end when it was last asked to.
            TimeLimitExceeded: it overran.
            Exception: whatever it raised.
        """
        solution = self.solution(name)
        if name in self._stuck:
            raise StuckError(_STUCK, name)
        watch = self._watch(solution)
        try:
            return isolation.run(lambda: work(watch), watch)
        except isolation.TimeLimitExceeded as error:
            if error.stuck:
                self._stuck.add(name)
            raise

    def _watch(self, solution: Solution) -> isolation.Stopwatch:
        return isolation.Stopwatch(solution.time_limit_seconds or self.settings.time_limit_seconds)

    def versions(self) -> dict[str, Any]:
        """What a report made now would name as its versions; the same ones give the same findings."""
        return self._versions(p for name in self.packs.specs if (p := self.pack(name)) is not None)

    def _versions(self, used: Iterable[Pack]) -> dict[str, Any]:
        return {
            "lab39": __version__,
            "solutions": {name: s.version for name, s in self.solutions.items()},
            "packs": {pack.name: {"version": pack.version, "key": pack.key} for pack in used},
        }

    def pack(self, name: str) -> Pack | None:
        """A pack by name; ``None`` when it is absent or cannot be read."""
        try:
            return self.packs.get(name)
        except Exception:  # an inspector that fails: its solution tells, as a finding
            return None

    def _prepare(self, solution: Solution, progress: Progress = quiet) -> None:
        if solution.id not in self._prepared:
            self._prepared[solution.id] = None
            try:
                watch = isolation.Stopwatch(PREPARE_LIMIT_SECONDS)
                isolation.run(lambda: solution.prepare(self.packs, progress), watch)
            except Exception as error:
                self._prepared[solution.id] = error


class StuckError(LabError):
    """A solution whose code never ended; it is not asked again before the lab is restarted."""


class _Assessment:
    """One record, one day: remembers what was asked, so that each solution runs once, and ends cycles."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._known: dict[tuple[str, Record, dt.date, frozenset[str]], tuple[Finding, ...]] = {}
        self._cut: set[str] = set()
        self._failures: dict[str, Exception] = {}

    def ask(
        self,
        name: str,
        record: Record,
        on: dt.date,
        asking: tuple[str, ...] = (),
        about: frozenset[str] = frozenset(),
    ) -> tuple[Finding, ...]:
        """What a solution finds, asked once for the same record, day and subjects.

        Args:
            asking: the solutions that wait for this answer, the first of all first.
            about: the subjects it is asked about; everything when empty.
        """
        key = (name, record, on, about)
        if key in self._known:
            return self._known[key]
        started = time.perf_counter()
        found = tuple(replace(f, solution=name) for f in self._run(name, record, on, asking, about))
        seconds = time.perf_counter() - started
        self._lab.observe(name, _outcome(found), seconds, self._failures.pop(name, None))
        if not self._cut & set(asking):  # an answer given while a cycle was cut short is not the whole answer
            self._known[key] = found
        if not asking:
            self._cut.clear()
        return found

    def can_answer(self, name: str, asking: tuple[str, ...]) -> bool:
        if name in asking:
            self._cut.add(name)
            return False
        return name in self._lab.solutions

    def _run(
        self, name: str, record: Record, on: dt.date, asking: tuple[str, ...], about: frozenset[str]
    ) -> Iterable[Finding]:
        lab = self._lab
        if name in lab.broken:
            return [could_not_run(Text.same(name), Text.same(lab.broken[name]))]
        solution = lab.solutions[name]
        if name in lab._stuck:
            return [could_not_run(solution.title, _STUCK)]
        if solution.for_living and record.deceased_on(on):
            return [deceased(solution.title, record)]
        lab._prepare(solution)
        watch = lab._watch(solution)
        context = _Context(self, watch, (*asking, name), about)

        def work() -> list[Finding]:
            found = list(solution.assess(record, on, context))
            for finding in found:
                if not isinstance(finding, Finding):
                    raise TypeError(f"assess gave a {type(finding).__name__}, not a Finding")
                json.dumps(finding.as_dict(), allow_nan=False)  # what no face could show is not an answer
            return found

        failed = lab._prepared[name]
        if failed is None:
            try:
                return isolation.run(work, watch)
            except Exception as error:
                failed = error
        self._failures[name] = failed
        if isinstance(failed, PackMissingError):
            return [pack_missing(solution.title, failed)]
        if isinstance(failed, isolation.TimeLimitExceeded):
            if failed.stuck:
                lab._stuck.add(name)
            seconds = f"{failed.seconds:g}\u202fs"
            why = Text(f"temps limite\u202f: plus de {seconds}", f"time limit: more than {failed.seconds:g} s")
            return [could_not_run(solution.title, why)]
        if isinstance(failed, LabError):
            return [could_not_run(solution.title, Text(failed.say("fr"), failed.say("en")))]
        return [could_not_run(solution.title, Text.same(_where(failed)))]


class _Context:
    def __init__(
        self,
        session: _Assessment,
        watch: isolation.Stopwatch,
        asking: tuple[str, ...],
        about: frozenset[str],
    ) -> None:
        self.packs = session._lab.packs
        self.about = about
        self._session = session
        self._watch = watch
        self._asking = asking

    def ask(self, solution: str, record: Record, on: dt.date) -> tuple[Finding, ...] | None:
        if not self._session.can_answer(solution, self._asking):
            return None
        with self._watch.paused():
            found = self._session.ask(solution, record, on, self._asking)
        return None if any(f.code in NO_ANSWER for f in found) else found


_STUCK = Text(
    "elle ne s'est pas arrêtée quand on le lui a demandé\u202f; redémarrer le laboratoire",
    "it did not stop when asked to; restart the lab",
)


def could_not_run(title: Text, what: Text) -> Finding:
    """The visible trace of a solution that failed."""
    return Finding(
        code="could-not-run",
        severity=Severity.WARNING,
        summary=Text(
            f"{title.fr[:60]}\u202f: exécution impossible, rien n'a été évalué de ce côté",
            f"{title.en[:60]}: could not run, nothing was evaluated there",
        ),
        detail=what,
        reasons=(
            Reason(
                "lab39.isolation",
                Text(
                    "Une solution en échec ou trop lente est signalée et n'arrête pas les autres.",
                    "A solution that fails or overruns is reported and does not stop the others.",
                ),
                _ITSELF,
                (Input(Text("erreur", "error"), what),),
            ),
        ),
    )


def pack_missing(title: Text, error: PackMissingError) -> Finding:
    """What a solution says without the data it needs."""
    return Finding(
        code="pack-missing",
        severity=Severity.INFO,
        summary=Text(
            f"{title.fr[:80]}\u202f: non évalué, données absentes",
            f"{title.en[:80]}: not evaluated, data absent",
        ),
        detail=error.text,
        missing=(Missing("data-pack", Text("pack de données", "data pack"), error.text),),
    )


def deceased(title: Text, record: Record) -> Finding:
    """Why a solution that advises the living was not asked."""
    died = record.death_date
    when = Text(died.say("fr"), died.say("en")) if died else Text("sans date", "without a date")
    return Finding(
        code="deceased",
        severity=Severity.INFO,
        summary=Text(
            f"{title.fr[:60]}\u202f: personne décédée d'après le dossier, rien n'est proposé",
            f"{title.en[:60]}: the record says that this person has died, nothing is proposed",
        ),
        reasons=(
            Reason(
                "lab39.deceased",
                Text(
                    "À une personne décédée, aucun acte n'est conseillé. Si c'est une erreur, corriger le dossier.",
                    "Nothing is advised for a person who has died. If it is a mistake, correct the record.",
                ),
                replace(_ITSELF, place="Deceased persons"),
                (Input(Text("décès", "death"), when, died.written if died else ""),),
            ),
        ),
    )


def unknown_solution(name: str, known: Iterable[str]) -> UnknownNameError:
    """The error for a solution that is not installed."""
    names = ", ".join(sorted(known)) or "–"
    return UnknownNameError(
        Text(
            f"pas de solution «\u202f{name}\u202f». Installées\u202f: {names}",
            f"no solution “{name}”. Installed: {names}",
        )
    )


def _outcome(found: tuple[Finding, ...]) -> str:
    told = next((f.code for f in found if f.code in NO_ANSWER), None)
    return told or ("findings" if found else "nothing")


def _made(point: importlib.metadata.EntryPoint) -> object:
    return point.load()()


def _limited(work: Callable[[], T]) -> T:
    """Somebody's code, before any assessment."""
    return isolation.run(work, isolation.Stopwatch(LOAD_LIMIT_SECONDS))


def _where(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    spot = f" ({frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno})" if frames else ""
    try:
        said = str(error)
    except Exception:
        said = "…"
    return f"{type(error).__name__}: {said[:300]}{spot}"
