"""What a solution shows and answers by itself: pages for people, operations for systems. Knows no web.

A solution names them in ``Solution.pages`` and ``Solution.operations`` (``module:attribute``, imported when the web
starts). The web mounts a page under ``/<id>/<path>`` inside the house's layout, an operation under
``/api/<id>/<path>``, and one whose path begins with ``$`` under ``/fhir/<path>``. A handler is a function of a
:class:`Call`; it runs within the solution's time limit, and one that raises is told on its page and stops nothing.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal

from lab39.core.context import WorkContext
from lab39.core.errors import InputError, LabError
from lab39.core.text import NO_TEXT, Lang, Text

Method = Literal["GET", "POST"]
SEGMENT = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*|\{[a-z_]+\}")
OPERATION = re.compile(r"\$[a-z][a-z0-9-]*")


class Fields(Mapping[str, str]):
    """Fields of a query or of a form, each a text; one that is given twice reads as its first value.

    >>> sent = Fields([("sign", "HP:0001166"), ("sign", "HP:0001083"), ("age", " 12 ")])
    >>> sent.text("age"), sent.text("sex"), sent.all("sign")
    ('12', '', ('HP:0001166', 'HP:0001083'))
    """

    __slots__ = ("_values",)

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, tuple[str, ...]] = {}
        for name, value in pairs:
            self._values[name] = (*self._values.get(name, ()), value)

    def __getitem__(self, name: str) -> str:
        return self._values[name][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a name, in the order they came."""
        return self._values.get(name, ())

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every name with its value, repeats included."""
        return tuple((name, value) for name, values in self._values.items() for value in values)

    def text(self, name: str) -> str:
        """A value without the spaces around it; empty when the field is absent."""
        return self.get(name, "").replace("\0", " ").strip()

    def choice(self, name: str, known: Iterable[str], default: str) -> str:
        """A value among those that are known, the default when the field is absent.

        Raises:
            InputError: another value.
        """
        value, names = self.text(name) or default, tuple(known)
        if value not in names:
            given, listed = value[:40], ", ".join(names)
            raise InputError(
                Text(
                    f"«\u202f{given}\u202f» inconnu. Connus\u202f: {listed}", f"“{given}” unknown. Known: {listed}"
                ),
                name,
            )
        return value

    def day(self, name: str) -> dt.date | None:
        """A date as ``2026-11-24``; ``None`` when the field is absent or empty.

        Raises:
            InputError: something else.
        """
        value = self.text(name)
        if not value:
            return None
        try:
            if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
                return dt.date.fromisoformat(value)
        except ValueError:
            pass  # a day that no calendar has (30 February): refused below, like any other writing
        raise InputError(Text("une date est attendue (AAAA-MM-JJ)", "a date is expected (YYYY-MM-DD)"), name)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent.

    Attributes:
        place: name of the form's field.
        name: as the sender calls it; for showing only, it is no path.
        media_type: as the sender says; look at the content before believing it.
    """

    place: str
    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Who:
    """Who calls.

    Attributes:
        person: id of somebody signed in; ``None`` for a visitor.
        roles: always holds ``visitor``.
    """

    person: str | None = None
    roles: frozenset[str] = frozenset({"visitor"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a handler is given.

    Attributes:
        ctx: the lab: other solutions, packs, and its memory for those who write.
        on: today, where the lab is; handlers read no clock.
        lang: language of the answer.
        path: values of the places in the path (``{case}``).
        body: of an operation: what was sent, read as ``Operation.body`` says.
        part: only a part of the page is asked for (htmx); a :class:`View` sees to it.
    """

    ctx: WorkContext
    on: dt.date
    lang: Lang = "fr"
    who: Who = Who()
    path: Mapping[str, str] = field(default_factory=dict)
    query: Fields = field(default_factory=Fields)
    form: Fields = field(default_factory=Fields)
    files: tuple[Upload, ...] = ()
    body: Any = None
    part: bool = False

    def file(self, name: str) -> Upload | None:
        """The file of a field; ``None`` when none was chosen."""
        return next((each for each in self.files if each.place == name and (each.name or each.content)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A page to show.

    Attributes:
        template: in the ``templates`` folder beside the pages' module; it extends ``layout.html.jinja``.
        values: for the template, beside those of the house (``lang``, ``t``, ``viewer``, ``base``, ``static``…).
        part: template of the part that htmx renews, included by the other; empty, the whole page is renewed.
        wrong: what could not be read, shown where ``wrong_at(place)`` stands and told at the top otherwise; the
            answer then has the status 422.
        said: told once, at the top.
        push: address for the browser's bar when a part is renewed (``?sign=…``), so that it can be loaded again.
        status: of the answer, instead of 200 (404: what the address names is not there, and the page says what is).
    """

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    part: str = ""
    wrong: LabError | None = None
    said: Text = NO_TEXT
    push: str = ""
    status: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file to keep.

    Attributes:
        name: of the file.
        media_type: of the content (``text/csv; charset=utf-8``).
    """

    content: bytes
    name: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Redirect:
    """Another page of the lab. The answer to a form that wrote something: loaded again, it writes nothing twice.

    Attributes:
        to: a path of the lab with its query (``/skin/cases/7``).
    """

    to: str


PageHandler = Callable[[Call], View | Download | Redirect]
OperationHandler = Callable[[Call], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a solution.

    Attributes:
        path: under ``/<id>/``; empty for the first page. Lower-case words and places (``cases/{case}``).
        title: of the link to it.
        handler: gives what to show.
        permission: one of the house (``web/knowledge/permissions.toml``): ``showroom.see`` for what reads no
            record, ``assess.once`` for what assesses one, ``records.own`` for somebody signed in…
        methods: ``GET`` to look; ``POST`` to send a form, its token checked. A form that writes something answers
            with a :class:`Redirect`.
        about: what it is for, in one line beside the link.
        listed: the front page and the solution's page of the showroom link to it.
    """

    path: str
    title: Text
    handler: PageHandler
    permission: str
    methods: tuple[Method, ...] = ("GET",)
    about: Text = NO_TEXT
    listed: bool = True

    @property
    def linked(self) -> bool:
        """Whether a link can lead to it."""
        return self.listed and "GET" in self.methods and "{" not in self.path


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation for systems: JSON in, JSON out.

    Attributes:
        path: under ``/api/<id>/``; or ``$name``, a FHIR operation under ``/fhir/``, in FHIR's words.
        summary: for the documentation, one line of English.
        handler: gives what to answer: JSON values and dataclasses, or the FHIR resource of a FHIR operation. What a
            ``POST`` was sent is in the audit log by its size and digest, without the handler's doing.
        permission: as of a page.
        method: ``POST`` with a body, ``GET`` without.
        body: what is read from the body: a type of Python with annotations (a dataclass, a ``TypedDict``, a
            pydantic model), or :class:`~lab39.core.record.Record`; ``None`` gives the JSON object as it came.
        answer: type of the answer, for the documentation.
        example: of the body, for the documentation; valid.
        query: names of the parameters of the address, each with what it means.
        definition: of a FHIR operation, the canonical address of its OperationDefinition.
    """

    path: str
    summary: str
    handler: OperationHandler
    permission: str
    method: Method = "POST"
    body: Any = None
    answer: Any = None
    example: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    definition: str = ""

    @property
    def fhir(self) -> bool:
        """Whether it is an operation of FHIR."""
        return self.path.startswith("$")


def package_of(named: str) -> str:
    """The package that holds the templates and static files of ``module:attribute``."""
    module = named.partition(":")[0]
    return module if hasattr(import_module(module), "__path__") else module.rpartition(".")[0]


def load_pages(named: str) -> tuple[Page, ...]:
    """The pages that ``module:attribute`` names; none when it is empty.

    Raises:
        Exception: it does not import.
        TypeError, ValueError: it holds something else, or a path that cannot be one.
    """
    found: tuple[Page, ...] = _load(named, Page)
    for page in found:
        if page.path and not all(SEGMENT.fullmatch(each) for each in page.path.split("/")):
            raise ValueError(f"page {page.path!r}: lower-case words and {{places}} between slashes are expected")
    return _each_once(found, lambda page: [(method, page.path) for method in page.methods])


def load_operations(named: str) -> tuple[Operation, ...]:
    """The operations that ``module:attribute`` names; none when it is empty.

    Raises:
        Exception: it does not import.
        TypeError, ValueError: it holds something else, or a path that cannot be one.
    """
    found: tuple[Operation, ...] = _load(named, Operation)
    for each in found:
        parts = each.path.split("/")
        if not (OPERATION.fullmatch(each.path) or all(SEGMENT.fullmatch(part) for part in parts)):
            raise ValueError(f"operation {each.path!r}: words between slashes, or $name, are expected")
        if each.fhir and not each.definition:
            raise ValueError(f"operation {each.path!r}: the address of its OperationDefinition is missing")
    return _each_once(found, lambda each: [(each.method, each.path)])


def _load(named: str, kind: type[Any]) -> tuple[Any, ...]:
    if not named:
        return ()
    module, _, attribute = named.partition(":")
    found = tuple(getattr(import_module(module), attribute))
    for each in found:
        if not isinstance(each, kind):
            raise TypeError(f"{named} holds a {type(each).__name__}, not a {kind.__name__}")
    return found


def _each_once(found: tuple[Any, ...], names: Callable[[Any], list[tuple[str, str]]]) -> tuple[Any, ...]:
    seen: set[tuple[str, str]] = set()
    for each in found:
        for name in names(each):
            if name in seen:
                raise ValueError(f"{' '.join(name)}: declared twice")
            seen.add(name)
    return found
