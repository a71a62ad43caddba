"""One way to refuse: a page for people, an OperationOutcome for FHIR, a problem document for the rest."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from lab39.core.errors import InputError, LabError, PackMissingError, UnknownNameError
from lab39.core.text import Text
from lab39.fhir import outputs
from lab39.store import DiskFullError, StoreUnavailableError
from lab39.store.access import AccessError
from lab39.store.records import DamagedError, StaleVersionError, UnknownRecordError
from lab39.web import security
from lab39.web.api.refusals import RefusedError
from lab39.web.roles import NotAllowedError, SignInNeededError, every_route
from lab39.web.viewer import language

_STATUS: tuple[tuple[type[LabError], int], ...] = (
    (security.TooManyError, 429),
    (security.TooLargeError, 413),
    (security.ForgedError, 403),
    (SignInNeededError, 401),
    (NotAllowedError, 403),
    (UnknownNameError, 404),
    (PackMissingError, 503),
    (DiskFullError, 507),
    (StoreUnavailableError, 503),
    (StaleVersionError, 409),
    (AccessError, 403),
    (DamagedError, 500),
    (InputError, 422),
    (LabError, 422),
)
API = ("/api/",)
FHIR = ("/fhir", "/cds-services")
"""Doors that tell errors as OperationOutcome (CDS Hooks 3.0, "Returning OperationOutcome", recommends it)."""
RECORDS = "/records/"
"""Pages of a record. One that was in reach a moment ago, and is not any more, is left at the next request."""
PROBLEM = "application/problem+json"


ISSUES = {
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    412: "incomplete",
    413: "too-long",
    415: "not-supported",
    429: "throttled",
    500: "exception",
    503: "transient",
    507: "no-store",
}
"""FHIR issue types (R4 value set issue-type) for statuses of HTTP."""


def status_of(error: LabError) -> int:
    """The HTTP status of an error made on purpose."""
    if isinstance(error, RefusedError):
        return error.status
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def install(app: FastAPI) -> None:
    """Handlers for everything that can go wrong; a traceback never leaves the server."""
    app.add_exception_handler(LabError, _lab_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def answer(request: Request, error: LabError, status: int) -> Response:
    """An error in the form the caller reads."""
    request.scope.setdefault("state", {})["error"] = error  # its kind goes to the logs
    path, lang = request.url.path, language(request)
    headers = {"Retry-After": str(getattr(error, "seconds", 1))} if status in (429, 503) else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if path.startswith(FHIR):
        body: Any = outputs.error_outcome(error, lang, ISSUES.get(status, "invalid"))
        return JSONResponse(body, status, headers, media_type="application/fhir+json")
    if path.startswith(API):
        body = {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": error.say(lang),
            "place": error.place,
        }
        return JSONResponse(body, status, headers, media_type=PROBLEM)
    if status == 401 and request.method == "GET":
        target = quote(path + (f"?{request.url.query}" if request.url.query else ""))
        return RedirectResponse(f"/sign-in?next={target}", 303)
    from lab39.web.templating import render

    page = render(request, "error.html.jinja", {"status": status, "error": error}, status=status)
    page.headers.update(headers)
    out_of_reach = path.startswith(RECORDS) and isinstance(error, UnknownRecordError)
    if out_of_reach:  # an open page leaves what it may not show
        page.headers["HX-Redirect"] = "/records?said=out-of-reach"
    elif request.headers.get("hx-request") == "true":  # told at the top; what is on the page stays
        page.headers.update({"HX-Retarget": "#said", "HX-Reswap": "innerHTML"})
    return page


def _lab_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, LabError)
    return answer(request, error, status_of(error))


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(str(p) for p in first["loc"] if "[" not in str(p))  # not the name of a function of ours
    said = first["msg"].removeprefix("Value error, ")
    why = InputError(Text(f"requête invalide\u202f: {said}", f"invalid request: {said}"), place)
    return answer(request, why, 422)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = {
        404: Text("cette page n'existe pas", "there is no such page"),
        405: Text("méthode non acceptée ici", "method not allowed here"),
    }.get(error.status_code, Text.same(str(error.detail)))
    response = answer(request, LabError(said), error.status_code)
    response.headers.update(error.headers or {})
    if error.status_code == 405:
        response.headers["Allow"] = ", ".join(sorted(_methods(request)))
    return response


def _methods(request: Request) -> set[str]:
    """Every method of the path: a router names only those of the first route it meets."""
    path = request.url.path
    here = [route for route in every_route(request.app.routes) if route.path_regex.match(path)]
    return {method for route in here for method in route.methods or ()}


def _unexpected(request: Request, error: Exception) -> Response:
    del error  # logged with its place; its text may hold health data
    return answer(request, unexpected(request), 500)


def unexpected(request: Request) -> LabError:
    """What is told of an error that nobody expected: where to look for it."""
    number = getattr(request.state, "id", "–")
    return LabError(
        Text(
            f"erreur du laboratoire\u202f: elle est notée dans ses journaux sous le numéro {number}",
            f"an error of the lab: it is in its logs under the number {number}",
        )
    )
