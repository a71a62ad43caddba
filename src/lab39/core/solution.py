"""What a solution is: the contract that built-in and foreign solutions share."""

from __future__ import annotations

import datetime as dt
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from typing import Any, ClassVar

from lab39.core.background import JobKind, Subscription
from lab39.core.context import Context as Context
from lab39.core.datapacks import Packs, PackSpec
from lab39.core.evidence import EvidenceCard
from lab39.core.finding import Finding
from lab39.core.messages import Template
from lab39.core.record import Record
from lab39.core.text import Lang, Text

Progress = Callable[[str, float], None]
"""Called with what is being done and the fraction done, for work over a second."""

ID_FORM = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
"""What the id of a solution looks like: ``frailty``, ``travel-vaccines``."""

COMMANDS = (
    "assess",
    "audit",
    "backup",
    "cds",
    "check",
    "data",
    "db",
    "erase-person",
    "evidence",
    "export-person",
    "jobs",
    "lab39",
    "new",
    "people",
    "restore",
    "serve",
    "solutions",
    "token",
)
"""Names that the ``lab39`` command keeps for itself."""

ADDRESSES = (
    "account",
    "agora",
    "api",
    "appraisal",
    "casebook",
    "cds-services",
    "demo",
    "docs",
    "fhir",
    "healthz",
    "ideas",
    "invitation",
    "lang",
    "metrics",
    "outreach",
    "pilots",
    "questions",
    "readyz",
    "records",
    "sign-in",
    "sign-out",
    "static",
    "unsubscribe",
    "v1",
    "vendor",
    "workshop",
)
"""First words of addresses that the web keeps for itself: ``/records``, ``/api/v1``, ``/static/vendor``."""

RESERVED_IDS = (*COMMANDS, *ADDRESSES)
"""What no solution may be called."""


class Solution:
    """One solution. Subclass it, set the class attributes, and declare the entry point ``lab39.solutions``.

    Importing the module of a solution must stay light (no numpy, no web): heavy imports go into functions.

    Attributes:
        id: short, lower case, stable; the name of its folder and of its command.
        title: as shown to users.
        purpose: one sentence: what it does, for whom.
        version: of the solution (its code and rules).
        commands: ``module:attribute`` of a Typer application, mounted as ``lab39 <id>``; empty for none.
        pages: ``module:attribute`` of its own pages, each a :class:`~lab39.core.faces.Page`, under ``/<id>``.
        operations: ``module:attribute`` of what it answers to systems, each a
            :class:`~lab39.core.faces.Operation`, under ``/api/<id>`` and ``/fhir``.
        tables: module that declares its tables and registers what it keeps about a person; empty for none.
        migrations: package that holds a ``versions`` folder, a migration branch labelled with its id.
        for_living: it says what to do for the person: the lab does not ask it about who has died, and says so.
        time_limit_seconds: what one record may take; ``None`` takes the lab's own limit.
    """

    id: ClassVar[str]
    title: ClassVar[Text]
    purpose: ClassVar[Text]
    version: ClassVar[str]
    commands: ClassVar[str] = ""
    pages: ClassVar[str] = ""
    operations: ClassVar[str] = ""
    tables: ClassVar[str] = ""
    migrations: ClassVar[str] = ""
    for_living: ClassVar[bool] = False
    time_limit_seconds: ClassVar[float | None] = None

    def assess(self, record: Record, on: dt.date, ctx: Context) -> Iterable[Finding]:
        """What can be said from the record alone on a day. Pure: same inputs, same findings."""
        del record, on, ctx
        return ()

    def prepare(self, packs: Packs, progress: Progress) -> None:
        """Compile what must be compiled once; quick when it is done already."""
        del packs, progress

    def jobs(self) -> Iterable[JobKind]:
        """The kinds of jobs it adds, each named ``<id>.<what>``."""
        return ()

    def subscriptions(self) -> Iterable[Subscription]:
        """The events it wants to hear of, each subscription named ``<id>.<what>``."""
        return ()

    def messages(self) -> tuple[Template, ...]:
        """The messages it sends to people, ``messages.toml`` beside the solution's module; none when absent."""
        try:
            return Template.read_all(self._beside("messages.toml"), self.id)
        except FileNotFoundError:
            return ()

    def to_fhir(self, finding: Finding, subject: str, lang: Lang) -> Mapping[str, Any] | None:
        """The native R4 resource for a finding (RiskAssessment…); ``None`` for the lab's own rendering.

        Args:
            subject: reference of the person, for ``subject`` or ``patient``.
            lang: of every text in it, and its ``language``.
        """
        del finding, subject, lang
        return None

    def evidence(self) -> EvidenceCard:
        """The evidence card, ``card.toml`` beside the solution's module."""
        return EvidenceCard.from_toml(self._beside("card.toml"))

    def packs(self) -> tuple[PackSpec, ...]:
        """The data packs it can use, ``packs.toml`` beside the solution's module; none when absent."""
        try:
            return PackSpec.read_all(self._beside("packs.toml"))
        except FileNotFoundError:
            return ()

    def _beside(self, name: str) -> str:
        module = type(self).__module__
        package = module if hasattr(sys.modules[module], "__path__") else module.rpartition(".")[0]
        if not package:
            raise FileNotFoundError(f"{name}: {module} is not in a package, nothing stands beside it")
        return files(package).joinpath(name).read_text("utf-8")
