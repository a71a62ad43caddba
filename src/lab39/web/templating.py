"""Pages from templates: one environment, shared with the report, in the viewer's language."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from lab39 import __version__
from lab39.core.errors import LabError
from lab39.core.text import Lang, Text, date, number
from lab39.render import page as report_page
from lab39.render.words import COLON, DISCLAIMER, WORDS
from lab39.store import StoreUnavailableError, questions, sessions
from lab39.web.desk.reasons import reasons
from lab39.web.house import House, house
from lab39.web.roles import allowed
from lab39.web.viewer import Viewer, give_visitor, viewer
from lab39.web.words import choose

if TYPE_CHECKING:
    from jinja2 import Environment


def part_asked(request: Request) -> bool:
    """Whether htmx asks for a part of a page; when it goes back in the browser's history it asks for all of it."""
    headers = request.headers
    return headers.get("hx-request") == "true" and headers.get("hx-history-restore-request") != "true"


def render(
    request: Request,
    name: str,
    context: Mapping[str, Any] | None = None,
    *,
    status: int = 200,
    env: Environment | None = None,
) -> HTMLResponse:
    """A page, or a part of one for htmx, in the viewer's language.

    Args:
        env: the templates; those of the house unless told.
    """
    here = house(request)
    who: Viewer = viewer(request, here)
    values: dict[str, Any] = {
        "request": request,
        "viewer": who,
        "lang": who.lang,
        "other_lang": "en" if who.lang == "fr" else "fr",
        "t": lambda fr, en: choose(who.lang, fr, en),
        "may": lambda permission: allowed(permission, who),
        "whole": not part_asked(request),
        "self_path": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        "questions_waiting": lambda: _waiting(here, who),
        "current": lambda path: _current(request, path),
        "zone": here.settings.timezone,
        "idle": int(sessions.IDLE.total_seconds()) + 60,
        "version": __version__,
        **(context or {}),
    }
    page = HTMLResponse((env or environment()).get_template(name).render(values), status_code=status)
    give_visitor(request, page, here)
    return page


def _waiting(here: House, who: Viewer) -> int:
    """How many questions wait for the viewer; told as none when the database is busy, so that the page is shown."""
    if who.person is None:
        return 0
    with suppress(StoreUnavailableError), here.store.reading() as tx:
        return questions.count(tx, who.person, at=here.now())
    return 0


def _current(request: Request, path: str) -> Markup:
    here = request.url.path == path or request.url.path.startswith(f"{path}/")
    return Markup(' aria-current="page"') if here else Markup("")


def _sentence(words: str) -> str:
    """With a capital; the rest as written (``capitalize`` would lower names and codes)."""
    return words[:1].upper() + words[1:]


_NO_PLACE = re.compile(r"[a-z_]*|[0-9a-f]{32}\b.*|LAB39_\w+|environment")
"""Places that say nothing to a reader: the name of a field, an identifier, a setting."""


def _told(error: LabError, lang: Lang) -> str:
    """What is wrong, for a reader: with its place when that is one of their file, written as they write it."""
    return _sentence(error.text[lang]) if _NO_PLACE.fullmatch(error.place) else error.say(lang)


_LONG_HEX = re.compile(r"\b[0-9a-f]{12}(?:[0-9a-f]{20}|[0-9a-f]{52})\b")


def _brief(value: object) -> str:
    """A value of the audit log, for reading: identifiers and digests by their beginning, as they are searched."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {each}" for name, each in value.items()) or "–"
    if isinstance(value, list):
        return ", ".join(_brief(each) for each in value) or "–"
    return _LONG_HEX.sub(lambda m: m[0][:12] + "…", str(value))


def _in_language(path: str, lang: Lang) -> str:
    """The same page in a language, for a form that is sent again."""
    start, _, query = path.partition("?")
    kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if name != "lang"]
    return f"{start}?{urlencode([*kept, ('lang', lang)])}"


def moment(at: dt.datetime, lang: Lang, zone: str) -> str:
    """A moment where the lab is, to the minute (``24/11/2026 à 10:05``)."""
    from zoneinfo import ZoneInfo

    here = at.astimezone(ZoneInfo(zone))
    return f"{date(here, lang)}{' à ' if lang == 'fr' else ', '}{here:%H:%M}"


@cache
def environment() -> Environment:
    """Templates of the web and the parts the report is made of; ``x|both`` gives the viewer's language."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, pass_context
    from jinja2.runtime import Context

    @pass_context
    def both(context: Context, text: Text) -> str:
        return text["en" if context.get("lang") == "en" else "fr"]

    env = Environment(
        loader=ChoiceLoader([PackageLoader("lab39.web"), PackageLoader("lab39.render")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    @pass_context
    def onday(context: Context, day: dt.date) -> str:
        return date(day, "en" if context.get("lang") == "en" else "fr")

    @pass_context
    def written(context: Context, value: Decimal | float, digits: int | None = None) -> str:
        return number(value, "en" if context.get("lang") == "en" else "fr", digits=digits)

    @pass_context
    def wrong_at(context: Context, place: str) -> Markup:
        """What is wrong with a field, under it; nothing when it is right."""
        wrong = context.get("wrong")
        if wrong is None or wrong.place != place:
            return Markup("")
        context["placed"].add(place)
        said = _sentence(wrong.text["en" if context.get("lang") == "en" else "fr"])
        return Markup('<p class="wrong" id="wrong-{}">{}</p>').format(place, said)

    @pass_context
    def invalid(context: Context, place: str) -> Markup:
        """The attributes of a field that is wrong."""
        wrong = context.get("wrong")
        if wrong is None or wrong.place != place:
            return Markup("")
        return Markup(' aria-invalid="true" aria-describedby="wrong-{}"').format(place)

    report_page.equip(env)
    env.filters.update(
        both=both,
        onday=onday,
        sentence=_sentence,
        moment=moment,
        in_language=_in_language,
        told=_told,
        brief=_brief,
    )
    env.filters.update(number=written, address=lambda page, solution: f"/{solution}/{page.path}".rstrip("/"))
    env.globals.update(
        w=WORDS, disclaimer=DISCLAIMER, colon=COLON, reasons=reasons(), wrong_at=wrong_at, invalid=invalid
    )
    return env
