"""Pages of solutions: ``/<id>/<path>``, in the house's layout, with its language, roles and protections."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData
from starlette.staticfiles import StaticFiles

from lab39.core.errors import LabError, PackMissingError
from lab39.core.faces import Call, Download, Page, Redirect, View
from lab39.core.isolation import TimeLimitExceeded
from lab39.core.lab import StuckError
from lab39.core.text import Text
from lab39.store.worker import describe
from lab39.web import logs, paths, security
from lab39.web.desk import trying
from lab39.web.faces import calls
from lab39.web.faces.loading import Faces
from lab39.web.house import Here, House
from lab39.web.roles import Needs
from lab39.web.security import Posted
from lab39.web.templating import environment, part_asked, render
from lab39.web.viewer import See, Viewer

if TYPE_CHECKING:
    from jinja2 import Environment

STATIC = "/static/{name}"


def mount(app: FastAPI, name: str, faces: Faces) -> None:
    """Add the pages of one solution, and its static files."""
    if faces.broken:
        mount_broken(app, name)
        return
    for page in faces.pages:
        for method in page.methods:
            _route(app, f"/{name}/{page.path}".rstrip("/"), method, page.permission, _endpoint(name, page, method))
    if faces.static is not None:
        files_of = StaticFiles(directory=str(faces.static))
        app.mount(STATIC.format(name=name), files_of, name=f"static-{name}")


def mount_broken(app: FastAPI, name: str) -> None:
    """Let the addresses of a solution that does not load say so."""

    def broken(request: Request, here: Here) -> Response:
        why = here.lab.broken.get(name) or request.app.state.faces[name].broken
        return _failed(request, here, name, Text.same(why), 500)

    for path in (f"/{name}", f"/{name}/{{rest:path}}"):
        _route(app, path, "GET", "showroom.see", broken)


def _route(app: FastAPI, path: str, method: str, permission: str, endpoint: Callable[..., Response]) -> None:
    app.add_api_route(
        path,
        endpoint,
        methods=[method],
        include_in_schema=False,
        response_model=None,
        dependencies=[Depends(Needs(permission)), Depends(security.form_is_ours)],
    )


def _endpoint(name: str, page: Page, method: str) -> Callable[..., Response]:
    def get(request: Request, here: Here, who: See) -> Response:
        return _answer(request, here, who, name, page, None)

    def post(request: Request, here: Here, who: See, form: Posted) -> Response:
        return trying.with_language(request, here, _answer(request, here, who, name, page, form))

    return get if method == "GET" else post


def _answer(request: Request, here: House, who: Viewer, name: str, page: Page, form: FormData | None) -> Response:
    part = part_asked(request)

    def work(call: Call) -> Response:
        found = page.handler(call)
        if isinstance(found, View):
            return _shown(request, here, name, call, found)
        if isinstance(found, Download):
            return _file(found)
        if isinstance(found, Redirect):
            return _elsewhere(found, part=part)
        raise TypeError(f"a page gives a View, a Download or a Redirect, not a {type(found).__name__}")

    try:
        return calls.run(here, request, who, name, work, form=form, part=part)
    except PackMissingError as error:
        return _failed(request, here, name, error.text, 503, absent=True)
    except StuckError as error:
        return _failed(request, here, name, error.text, 503)
    except LabError:
        raise
    except TimeLimitExceeded as error:
        logs.log.error("could not run", solution=name, **logs.told(error))
        seconds = f"{error.seconds:g}\u202f s".replace("\u202f ", "\u202f")
        late = Text(f"temps limite\u202f: plus de {seconds}", f"time limit: more than {error.seconds:g} s")
        return _failed(request, here, name, late, 500)
    except Exception as error:
        logs.log.error("could not run", solution=name, **logs.told(error))
        return _failed(request, here, name, Text.same(describe(error)), 500)


def _shown(request: Request, here: House, name: str, call: Call, view: View) -> Response:
    """The page, or the part of it that is renewed."""
    env = _environment(request.app.state.faces[name].package)
    values: dict[str, Any] = {
        "solution": here.lab.solution(name),
        "base": f"/{name}",
        "static": STATIC.format(name=name),
        "wrong": view.wrong,
        "told": view.said,
        "placed": set(),
        "at_top": False,
        "again": call.form.pairs() if request.method == "POST" else None,
        **view.values,
    }
    if view.push:
        values["self_path"] = request.url.path + view.push
    status = 422 if view.wrong else view.status
    template = "renewed.html.jinja" if call.part and view.part else view.template
    values["renewed"] = view.part
    page = render(request, template, values, status=status, env=env)
    if view.wrong and view.wrong.place not in values["placed"]:  # no field of the template shows it
        page = render(request, template, values | {"at_top": True}, status=status, env=env)
    if view.push and call.part:
        page.headers["HX-Push-Url"] = request.url.path + view.push
    return page


def _file(found: Download) -> Response:
    name = quote(Path(found.name).name)
    disposition = f"attachment; filename*=UTF-8''{name}"
    return Response(found.content, media_type=found.media_type, headers={"Content-Disposition": disposition})


def _elsewhere(found: Redirect, *, part: bool) -> Response:
    to = paths.local(found.to, "")
    if not to:
        raise ValueError("a page leads to pages of the lab only")
    return Response(headers={"HX-Redirect": to}) if part else RedirectResponse(to, 303)


def _failed(
    request: Request, here: House, name: str, what: Text, status: int, *, absent: bool = False
) -> HTMLResponse:
    """The visible trace of a page that could not be made; the rest of the lab works."""
    solution = here.lab.solutions.get(name)
    values = {
        "solution": name,
        "title": solution.title if solution else Text.same(name),
        "what": what,
        "absent": absent,
        "sent": request.method not in security.SAFE,
        "whole": not part_asked(request),
    }
    page = render(request, "could_not_run.html.jinja", values, status=status)
    if part_asked(request):
        page.headers.update({"HX-Retarget": "#said", "HX-Reswap": "innerHTML"})
    return page


@lru_cache(maxsize=64)
def _environment(package: str) -> Environment:
    """The house's templates, and those of a package in front of them."""
    from jinja2 import ChoiceLoader, PackageLoader

    env = environment()
    assert env.loader is not None
    if not (files(package) / "templates").is_dir():
        return env
    return env.overlay(loader=ChoiceLoader([PackageLoader(package), env.loader]))
