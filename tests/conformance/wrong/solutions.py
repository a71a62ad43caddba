"""Solutions made wrong on purpose, one for each thing the suite must see. ``Right`` is what they would be."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import random
import socket
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

from lab39.core.datapacks import PackSpec
from lab39.core.evidence import EvidenceCard
from lab39.core.finding import Finding, Input, Missing, Reason, Severity, Source
from lab39.core.solution import Solution
from lab39.core.text import Text

SOURCE = Source("A made-up source for tests", "2026", "p. 1")
BIRTH = Text("naissance", "birth")
LOADED_ON = time.localtime


def said(code="age", **changed):
    """A finding as it should be, with some members changed."""
    reason = Reason("wrong.age", Text("une règle", "a rule"), SOURCE, (Input(BIRTH, Text.same("2000")),))
    summary = Text("Une phrase", "A sentence")
    return Finding(**{"code": code, "severity": Severity.INFO, "summary": summary, "reasons": (reason,)} | changed)


def missing(consequence):
    return (Missing("birthDate", Text("date de naissance", "birth date"), consequence),)


ASKED = said("no-birth-date", reasons=(), missing=missing(Text("âge inconnu", "age unknown")))


class Right(Solution):
    id = "wrong"
    title = Text.same("Right")
    purpose = Text("Dit une chose", "Says one thing")
    version = "1"
    limit = Text("une limite", "a limit")

    def assess(self, record, on, ctx):
        if record.birth_date is None:
            return [ASKED]
        return list(self.say(record, on))

    def say(self, record, on):
        yield said()

    def evidence(self):
        return EvidenceCard(Text("affirmé", "claimed"), Text("pour voir", "to see"), "true", (), (self.limit,))


class RightWithCommands(Right):
    commands = "wrong.commands:right"


# -- loads, names, card, packs, commands -------------------------------------------------------------


class NotASolution:
    id = "wrong"


class AnotherId(Right):
    id = "another"


class EnglishPurpose(Right):
    purpose = Text.same("Says one thing")


class TitleIsAString(Right):
    title = "Right"


class NoVersion(Right):
    version = ""


class NoTime(Right):
    time_limit_seconds = 0


class NoCard(Right):
    evidence = Solution.evidence


class EmptyLimit(Right):
    limit = Text("", "")


class _Packs(Right):
    licence = "CC0-1.0"
    inspect = "wrong.solutions:said"
    kind = "file"

    def packs(self):
        return (PackSpec("facts", Text("faits", "facts"), self.licence, {"kind": self.kind}, self.inspect),)


class PackWithoutInspector(_Packs):
    inspect = "wrong.solutions:nothing"


class PackWithoutLicence(_Packs):
    licence = " "


class PackFromNowhere(_Packs):
    kind = "post"


class CommandWithoutJson(Right):
    commands = "wrong.commands:without_json"


class CommandsThatDoNotLoad(Right):
    commands = "wrong.commands:nothing_there"


# -- what it does with a record ----------------------------------------------------------------------


class AssumesABirthDate(Right):
    def assess(self, record, on, ctx):
        yield said(payload=record.birth_date.earliest.year)


class EndsItsProcess(Right):
    def say(self, record, on):
        import os

        os._exit(3)


class Endless(Right):
    time_limit_seconds = 0.05

    def say(self, record, on):
        while True:
            pass


class SilentAboutAbsence(Right):
    def assess(self, record, on, ctx):
        return [] if record.birth_date is None else [said()]


class ConcludesFromNothing(Right):
    def assess(self, record, on, ctx):
        yield ASKED
        yield said("no-allergy", reasons=(Reason("wrong.none", Text("aucune", "none"), SOURCE),))


class Random(Right):
    def say(self, record, on):
        yield said(payload=random.random())


class OrderOfASet(Right):
    def say(self, record, on):
        yield said(payload=list({"a", "b", "c", "d", "e", "f", "g", "h"}))


class Remembers(Right):
    seen = itertools.count()

    def say(self, record, on):
        yield said(payload=next(self.seen))


class TodayByName(Right):
    def say(self, record, on):
        yield said(payload=date.today() < on)  # noqa: DTZ011


class NowThroughAModule(Right):
    def say(self, record, on):
        yield said(payload=datetime.datetime.now(datetime.UTC).year > 3000)


class ClockUnderAnotherName(Right):
    def say(self, record, on):
        yield said(payload=LOADED_ON().tm_year > 3000)


class Connects(Right):
    def say(self, record, on):
        with contextlib.suppress(OSError):
            socket.create_connection(("192.0.2.1", 80), timeout=0.01)
        yield said()


class StartsAProgram(Right):
    def say(self, record, on):
        with contextlib.suppress(OSError):
            subprocess.run([sys.executable, "-c", ""], check=False)
        yield said()


class WritesHere(Right):
    def say(self, record, on):
        with contextlib.suppress(OSError):
            Path("notes.txt").write_text("seen")
        yield said()


class MakesAFolder(Right):
    def say(self, record, on):
        with contextlib.suppress(OSError):
            Path("notes").mkdir()
        yield said()


class LeavesAFileOnImport(Right):
    def prepare(self, packs, progress):
        Path("prepared.txt").write_text("seen")


class Prints(Right):
    def say(self, record, on):
        print("thinking aloud")
        yield said()


class ChangesTheRecord(Right):
    def say(self, record, on):
        for patient in record.resources("Patient"):
            patient["seen"] = True
        yield said()


class FocusOnNothing(Right):
    def say(self, record, on):
        yield said(focus=("Condition/none",))


class CodeWithSpaces(Right):
    def say(self, record, on):
        yield said("Old Age")


class CodeOfTheLab(Right):
    def say(self, record, on):
        yield said("could-not-run")


class NotAFinding(Right):
    def say(self, record, on):
        yield {"code": "age"}


class CitesNothing(Right):
    def say(self, record, on):
        yield said(reasons=(Reason("wrong.age", Text("règle", "rule"), Source(" ")),))


class RuleOfAnother(Right):
    def say(self, record, on):
        yield said(reasons=(Reason("age", Text("règle", "rule"), SOURCE),))


class OneRuleTwoSources(Right):
    def say(self, record, on):
        yield said(reasons=(Reason("wrong.age", Text("règle", "rule"), Source(f"Source of {record.sex}")),))


class EnglishSummary(Right):
    def say(self, record, on):
        yield said(summary=Text.same("A sentence"))


class HalfDetail(Right):
    def say(self, record, on):
        yield said(detail=Text("En français seulement", ""))


class EnglishConsequence(Right):
    def say(self, record, on):
        yield said(missing=missing(Text.same("age unknown")))


class SetInPayload(Right):
    def say(self, record, on):
        yield said(payload={1, 2})


class NotANumber(Right):
    def say(self, record, on):
        yield said(payload=float("nan"))


class InvalidResource(Right):
    def to_fhir(self, finding, subject, lang):
        return {"resourceType": "RiskAssessment", "status": "final"}


class UnknownResource(Right):
    def to_fhir(self, finding, subject, lang):
        return {"resourceType": "Opinion"}


class ToFhirThatFails(Right):
    def to_fhir(self, finding, subject, lang):
        raise KeyError("probability")


class FailsOnMine(Right):
    def assess(self, record, on, ctx):
        if record.id == "mine":
            raise ValueError("on purpose")
        return super().assess(record, on, ctx)
