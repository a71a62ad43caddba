"""What the logs hold: enough to find an error, and nothing about anybody."""

from __future__ import annotations

import errno
import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.core import makers
from tests.web.people import house_of, new_person, signed_in
from tests.web.systems import JSON, bundle

from lab39.core.lab import Lab
from lab39.store import records
from lab39.web import logs, roles

MARK = "Zibeline"
"""Stands for health data; written in every case, with and without accents around it, it would be found."""
RECORD = bundle(
    {"resourceType": "Condition", "id": MARK, "code": {"text": f"Maladie de {MARK}"}, "subject": {"display": MARK}}
) | {"identifier": {"value": f"2 44 03 {MARK}"}}


class Written:
    """The lines written so far."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def of(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == event]


@pytest.fixture
def written() -> Iterator[Written]:
    """The logs of a process, and everything as it was again."""
    root, found = logging.getLogger(), Written()
    loggers = [root, *(logging.getLogger(name) for name in logs.OWN)]
    handlers, levels = list(root.handlers), [each.level for each in loggers]
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook, logging.raiseExceptions
    logs.configure(found.stream)
    yield found
    root.handlers[:] = handlers
    for each, level in zip(loggers, levels, strict=True):
        each.setLevel(level)
    sys.excepthook, sys.unraisablehook, threading.excepthook, logging.raiseExceptions = hooks
    logging.captureWarnings(False)


def raising(error: Exception) -> Any:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


@pytest.fixture
def lab() -> Lab:
    """One solution that finds something, one that fails with a text that quotes the record."""
    return makers.lab(
        makers.solution("finds", lambda *_: [makers.finding()]),
        makers.solution("fails", raising(ValueError(f"cannot read {MARK}"))),
    )


def everything(client: TestClient, *paths: dict[str, str]) -> int:
    """Marked data through every route, in every part of a request, well formed and not; how many requests.

    Args:
        paths: what stands in the addresses, by name; the mark where a name is absent.
    """
    n = 0
    headers = {
        "user-agent": MARK,
        "referer": f"http://testserver/records/{MARK}",
        "accept-language": MARK,
        "authorization": f"Bearer {MARK}",
        "x-request-id": MARK,
        "cookie": f"lab39_lang={MARK}",
    }
    form = {"form_token": client.headers.get("x-form-token", ""), "title": MARK, "email": f"{MARK}@example.org"}
    form |= {"name": MARK, "password": f"{MARK} {MARK}", "code": MARK, "text": json.dumps(RECORD), "q": MARK}
    bodies: list[dict[str, Any]] = [
        {"json": RECORD},
        {"json": RECORD, "headers": {"content-type": "application/fhir+json"}},
        {"content": f'{{"{MARK}": '.encode(), "headers": JSON},
        {"content": MARK.encode(), "headers": {"content-type": MARK}},
        {"data": form},
        {"data": form, "files": {"file": (f"{MARK}.json", json.dumps(RECORD).encode(), "application/json")}},
    ]
    for route in roles.every_route(client.app.routes):  # type: ignore[attr-defined]
        for values in paths:
            path = route.path_format
            for name in route.param_convertors:
                path = path.replace(f"{{{name}}}", values.get(name, MARK))
            for method in sorted(route.methods):
                for body in bodies if method in ("POST", "PUT") else [{}]:
                    sent = dict(body)
                    extra = {**sent.pop("headers", {}), **({} if n % 2 else headers)}
                    client.request(method, path, params={"q": MARK, "on": MARK}, headers=extra, **sent)
                    n += 1
    client.request(MARK.upper(), f"/{MARK}?{MARK}={MARK}")
    return n + 1


def test_marked_data_sent_through_every_route_is_nowhere_in_the_logs(open_lab, lab, written):
    client = open_lab(lab=lab)
    n, secret = 0, {MARK.lower()}
    for role in ("", "professional", "manager"):
        client.headers.pop("x-form-token", None)
        client.cookies.clear()
        known = {}
        if role:
            person = signed_in(client, role, person=new_person(client, role, name=f"Ana {MARK}"))
            made = client.post("/api/v1/records", json=RECORD | {"id": role}, headers=JSON)
            found = client.post(f"/api/v1/records/{made.json()['id']}/assessments", params={"on": "2026-11-24"})
            known = {"record": made.json()["id"], "person": person.id, "assessment": found.json()["id"]}
            secret |= {*known.values(), client.headers["x-form-token"], *client.cookies.values()}
            n += 2
        known |= {"name": "finds", "solution": "finds"}
        n += everything(client, *{"": [{}], "professional": [known, {}], "manager": [known]}[role])
    text = written.text.lower()
    assert {word for word in secret if word in text} == set()
    assert len(written.of("request")) == n
    templates = {route.path for route in roles.every_route(client.app.routes)} | {"-"}
    assert {line["route"] for line in written.of("request")} <= templates
    assert {line["method"] for line in written.of("request")} <= {*logs.METHODS, "OTHER"}
    unexpected = written.of("unexpected")
    assert unexpected == [], "a request that nobody expected is an error of the lab"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError(f"{MARK} is not a number"), 500),
        (KeyError(MARK), 500),
        (RuntimeError(MARK), 500),
        (OSError(errno.ENOSPC, "No space left on device", f"/tmp/{MARK}"), 507),
        (OSError(errno.EIO, MARK), 500),
    ],
)
@pytest.mark.parametrize("path", ["/records", "/api/v1/records", "/fhir/$assess"])
def test_an_error_is_logged_with_its_place_and_without_its_text(client, written, monkeypatch, path, error, status):
    signed_in(client, "professional")
    monkeypatch.setattr(Lab, "assess", raising(error))
    monkeypatch.setattr(records, "add", raising(error))
    send = {"data": {"text": json.dumps(RECORD)}} if path == "/records" else {"json": RECORD, "headers": JSON}
    answer = client.post(path, **send)
    assert answer.status_code == status
    assert MARK not in written.text
    assert MARK not in answer.text
    assert "Traceback" not in written.text
    (request,) = written.of("request")
    assert request["request"] == answer.headers["x-request-id"]
    assert answer.headers["content-security-policy"]
    if status == 500:
        (told,) = written.of("unexpected")
        assert told["error"].startswith(type(error).__name__)
        assert any(place.startswith("lab39/web/") for place in told["trace"])
        assert told["request"] == request["request"]
        assert request["request"] in answer.text  # what the person reads out to whoever looks at the logs


def test_an_error_after_half_an_answer_closes_the_connection_and_is_logged(client, written):
    from starlette.responses import StreamingResponse

    async def halves():
        yield b"one"
        raise ValueError(MARK)

    client.app.router.add_route("/halves", lambda _: StreamingResponse(halves()))
    with pytest.raises(logs._CutShortError) as cut, TestClient(client.app) as other:
        other.get("/halves")
    assert MARK not in str(cut.value)
    (told,) = written.of("cut short")
    assert told["error"].startswith("ValueError")
    assert MARK not in written.text


def test_a_solution_that_fails_is_logged_with_its_place(open_lab, lab, written):
    open_lab(lab=lab).post("/api/v1/assess", json=RECORD, headers=JSON)
    (told,) = written.of("could not run")
    assert (told["solution"], told["error"]) == ("fails", "ValueError")
    assert told["trace"][-1].startswith("web/test_logs.py:")
    assert told["request"] == written.of("request")[0]["request"]
    assert MARK not in written.text


def test_a_database_that_cannot_be_used_is_logged_with_why(client, written):
    signed_in(client, "professional")
    for path in house_of(client).settings.home.glob("lab39.db*"):
        path.unlink()
    client.get("/records")
    (request,) = written.of("request")
    assert (request["status"], request["level"], request["refused"]) == (503, "error", "StoreUnavailableError")
    assert "gone" in request["why"]


def test_messages_of_other_libraries_are_left_out_and_their_place_kept(written):
    for name in ("fhir.resources", "sqlalchemy.engine", "apprise", "somebody.elses.solution", "py.warnings"):
        logging.getLogger(name).error("patient %s", MARK)
    logging.getLogger("asyncio").error(MARK, exc_info=ValueError(MARK))
    assert MARK not in written.text
    assert {line["event"] for line in written.lines} == {logs.LEFT_OUT}
    assert all(line["place"].startswith("web/test_logs.py:") for line in written.lines)
    assert written.lines[-1]["error"] == "ValueError"


def test_messages_of_the_lab_itself_are_kept(written):
    logging.getLogger("lab39.worker").warning("job %s (%s): attempt %s failed: %s", "a", "b", 1, "c")
    logging.getLogger("uvicorn.error").info("Application startup complete.")
    assert [line["event"] for line in written.lines] == [
        "job a (b): attempt 1 failed: c",
        "Application startup complete.",
    ]


def test_errors_that_nobody_caught_are_told_without_their_text(written, capsys):
    def fails() -> None:
        raise ValueError(MARK)

    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()
    try:
        fails()
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    logging.getLogger("lab39.x").warning("%d", MARK)  # a message that does not fit its arguments
    assert [line["event"] for line in written.lines] == ["uncaught", "stopped"]
    assert MARK not in written.text + capsys.readouterr().err


def test_what_an_error_came_from_is_told(written):
    try:
        try:
            raise KeyError(MARK)
        except KeyError as first:
            raise ValueError(MARK) from first
    except ValueError as error:
        found = logs.told(error)
    assert found["error"] == "ValueError < KeyError"


def test_each_request_has_an_id_of_its_own_and_gives_it_back(client):
    first, second = (client.get("/").headers["x-request-id"] for _ in range(2))
    assert first != second
    assert len(first) == 32


@pytest.mark.parametrize(
    ("proxies", "given", "kept"),
    [
        (("127.0.0.1",), "0123456789abcdef0123456789abcdef", True),
        (("127.0.0.1",), "b1946ac9-2492-4d23-8f1c-9a0b1c2d3e4f", True),
        ((), "0123456789abcdef0123456789abcdef", False),
        (("127.0.0.1",), "244039912345678", False),  # could be somebody's number
        (("127.0.0.1",), "Elise-Durand", False),
        (("127.0.0.1",), "a" * 65, False),
    ],
)
def test_the_id_a_proxy_gave_is_kept_when_it_is_believed_and_looks_like_one(open_lab, proxies, given, kept):
    answer = open_lab(proxies=proxies).get("/", headers={"x-request-id": given})
    assert (answer.headers["x-request-id"] == given) is kept


def test_healthy_answers_about_health_are_not_logged(client, written):
    client.get("/healthz")
    assert written.text == ""


def test_a_terminal_reads_text(capsys):
    stream = io.StringIO()
    root = logging.getLogger()
    before = list(root.handlers)
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook, logging.raiseExceptions
    logs.configure(stream, as_json=False)
    logs.log.warning("not ready", checks=["database"])
    root.handlers[:] = before
    sys.excepthook, sys.unraisablehook, threading.excepthook, logging.raiseExceptions = hooks
    logging.captureWarnings(False)
    assert "not ready" in stream.getvalue()
    assert "database" in stream.getvalue()
