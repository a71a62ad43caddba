"""From a request to the call that a handler is given, and the handler within its time limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from lab39.core.faces import Call, Fields, Upload, Who
from lab39.core.isolation import Stopwatch
from lab39.store.context import LabContext
from lab39.web.api.ledger import ledger
from lab39.web.house import House
from lab39.web.viewer import Viewer

T = TypeVar("T")
OWN = ("form_token",)
"""Fields of a form that are the house's."""


def run(
    here: House,
    request: Request,
    who: Viewer,
    solution: str,
    work: Callable[[Call], T],
    *,
    form: FormData | None = None,
    body: Any = None,
    part: bool = False,
    audited: bool = True,
) -> T:
    """Let a solution's code work on a call.

    Args:
        audited: each record it has assessed is told in the audit log; otherwise the caller sees to it.

    Raises:
        StuckError, TimeLimitExceeded
        Exception: whatever it raised.
    """
    fields, files = _read(form)

    def call(watch: Stopwatch) -> T:
        ctx = LabContext(
            lambda: here.lab,
            here.store,
            solution,
            actor=who.person or "",
            write=ledger(here.store).write if audited else _nowhere,
            waiting=watch.paused,
        )
        given = Call(
            ctx=ctx,
            on=here.today(),
            lang=who.lang,
            who=Who(who.person, who.roles),
            path=dict(request.path_params),
            query=Fields(request.query_params.multi_items()),
            form=fields,
            files=files,
            body=body,
            part=part,
        )
        return work(given)

    return here.lab.run(solution, call)


def _nowhere(_work: object) -> None:
    """Nothing is written: the door writes one entry for the whole call."""


def _read(form: FormData | None) -> tuple[Fields, tuple[Upload, ...]]:
    if form is None:
        return Fields(), ()
    rows = form.multi_items()
    fields = Fields((name, value) for name, value in rows if isinstance(value, str) and name not in OWN)
    files = tuple(_upload(name, value) for name, value in rows if isinstance(value, UploadFile))
    return fields, files


def _upload(name: str, file: UploadFile) -> Upload:
    file.file.seek(0)
    return Upload(name, file.filename or "", file.content_type or "", file.file.read())
