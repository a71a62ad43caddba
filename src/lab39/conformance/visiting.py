"""The child side for pages and operations: a lab of one solution is opened, and somebody with every role visits."""

from __future__ import annotations

import asyncio
import importlib
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from lab39.core.lab import GROUP, Lab, entry_points
from lab39.core.solution import Solution
from lab39.core.text import LANGS
from lab39.settings import Settings

MARK = "<i>lab39-typed</i>"
"""Typed into every field; it must come back as text."""
ORIGIN = "http://127.0.0.1"
SOMETHING = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Patient"}}]}
ABSENT = 503
"""What a page says whose data pack is not installed."""


class _Page(HTMLParser):
    """What matters of a page: its language, its words, its fields, what its policy would refuse."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.lang, self.words, self.refused, self.fields, self.links = "", "", [], [], []  # type: ignore[var-annotated]
        self.in_house, self._inside, self._depth = False, "", 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "html":
            self.lang = found.get("lang") or ""
        if tag == "main":
            self._depth, self.in_house = 1, found.get("id") == "main"
        if tag in ("script", "style"):
            self._inside = tag
            if "src" not in found:
                self.refused.append(f"<{tag}>")
        self.refused += [f"{tag} {name}=" for name in found if name == "style" or name.startswith("on")]
        if self._depth and tag in ("input", "textarea", "select") and found.get("name"):
            self.fields.append(str(found["name"]))
        if tag in ("link", "script", "img"):
            self.links += [value for name in ("href", "src") if (value := found.get(name))]

    def handle_endtag(self, tag: str) -> None:
        if tag == "main":
            self._depth = 0
        if tag == self._inside:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._depth and not self._inside:
            self.words += data


def visit(solution: Solution, target: str, settings: Settings, folder: Path) -> Mapping[str, Any]:
    """Every page in both languages, as it is and with something typed into every field; every operation once.

    Args:
        target: ``module:attribute`` of its class.
        folder: for the lab's database and keys; the packs are those of the settings.
    """
    _installed(solution.id, target, folder)
    from lab39.store import Store
    from lab39.store.migrate import migrate
    from lab39.web.app import create_app

    lab = Lab([solution], settings)
    lab.prepare()
    house = replace(settings, home=folder, database="", public_url="", form_rate="10000 per second")
    store = Store.of(house)
    try:
        migrate(store)
        app = create_app(house, lab=lab, store=store)
        faces = app.state.faces[solution.id]
        if faces.broken:
            return {"error": faces.broken}
        return asyncio.run(_walk(app, solution.id, faces, _signed_in(app, store)))
    finally:
        store.close()


def _installed(name: str, target: str, folder: Path) -> None:
    """Let a package that is not installed be found: its tables and its messages are, by its entry point."""
    if name in entry_points():
        return
    declared = folder / "site" / "lab39_under_check-0.dist-info"
    declared.mkdir(parents=True)
    (declared / "METADATA").write_text("Metadata-Version: 2.1\nName: lab39-under-check\nVersion: 0\n", "utf-8")
    (declared / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {target}\n", "utf-8")
    sys.path.append(str(declared.parent))
    importlib.invalidate_caches()


def _signed_in(app: Any, store: Any) -> dict[str, str]:
    """The headers of somebody with every role."""
    from lab39.store import people, sessions
    from lab39.store.people import Role
    from lab39.web.viewer import SESSION_COOKIE, form_token

    roles = [role for role in Role if role is not Role.VISITOR]
    with store.writing() as tx:
        person = people.add(tx, name="Conformité", at=store.clock(), given=roles)
        token = sessions.start(tx, person.id, at=store.clock())
    return {"cookie": f"{SESSION_COOKIE}={token}", "x-form-token": form_token(app.state.house.secret, token)}


async def _walk(app: Any, name: str, faces: Any, headers: Mapping[str, str]) -> Mapping[str, Any]:
    import httpx

    pages: list[dict[str, Any]] = []
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=dict(headers)) as browser:
        fields: set[str] = set()
        for page in faces.pages:
            path = f"/{name}/{page.path}".rstrip("/")
            for method in page.methods:
                for lang in LANGS:
                    row, found = await _look(browser, method, re.sub(r"\{[a-z_]+\}", "1", path), lang, {})
                    pages.append(row)
                    fields |= set(found)
        typed = dict.fromkeys(sorted(fields - {"form_token"}), MARK)
        for page in faces.pages:
            path = re.sub(r"\{[a-z_]+\}", "%3Ci%3Elab39-typed%3C%2Fi%3E", f"/{name}/{page.path}".rstrip("/"))
            for method in page.methods:
                pages.append((await _look(browser, method, path, "en", typed))[0])
        operations = [await _call(browser, name, each) for each in faces.operations]
    return {"error": None, "pages": pages, "operations": operations}


async def _look(
    browser: Any, method: str, path: str, lang: str, typed: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    asked = {"lang": lang} | dict(typed if method == "GET" else {})
    answer = await browser.request(method, path, params=asked, data=dict(typed) if method == "POST" else None)
    row: dict[str, Any] = {
        "page": f"{method} {path}",
        "lang": lang,
        "typed": bool(typed),
        "status": answer.status_code,
    }
    if not answer.headers.get("content-type", "").startswith("text/html"):
        return row, []
    found = _Page(answer.text)
    row |= {
        "said": " ".join(found.words.split()),
        "html_lang": found.lang,
        "in_house": found.in_house,
        "refused": sorted(set(found.refused)),
        "unescaped": MARK in answer.text.lower(),
        "broken_links": [],
    }
    for link in found.links:
        if link.startswith("/static/"):
            served = await browser.get(link)
            if served.status_code != 200:
                row["broken_links"].append(link)
    return row, found.fields


async def _call(browser: Any, name: str, operation: Any) -> dict[str, Any]:
    from lab39.core.finding import jsonable
    from lab39.fhir.jsontext import dumps
    from lab39.web.faces.operations import address

    path = address(name, operation)
    if operation.method == "GET":
        answer = await browser.get(path)
    else:
        body = SOMETHING if operation.example is None else operation.example
        answer = await browser.post(
            path, content=dumps(jsonable(body)), headers={"content-type": "application/json"}
        )
    row = {"operation": f"{operation.method} {path}", "status": answer.status_code, "said": answer.text[:300]}
    row["example"] = operation.example is not None or operation.method == "GET"
    try:
        json.loads(answer.text)
    except ValueError:
        row["said"] = "not JSON"
        row["status"] = 500
    return row


def problems(rows: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """What is wrong with the pages that were visited, in French and in English."""
    for row in rows:
        page, status = row["page"], row["status"]
        if status == ABSENT:
            continue
        if status >= 500:
            yield f"{page}\u202f: {row.get('said', status)}", f"{page}: {row.get('said', status)}"
        elif "said" in row:
            yield from _of_page(page, row)
    shown = {(row["page"], row["lang"]): row["said"] for row in rows if row.get("said") and not row["typed"]}
    for (page, lang), said in shown.items():
        if lang == "fr" and len(said) > 20 and said == shown.get((page, "en")):
            yield f"{page}\u202f: les mêmes mots en anglais", f"{page}: the same words in both languages"


def _of_page(page: str, row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if row["html_lang"] != row["lang"] or not row["in_house"]:
        yield f"{page}\u202f: pas dans layout.html.jinja", f"{page}: not in layout.html.jinja"
    if row["unescaped"]:
        yield f"{page}\u202f: ce qui est saisi est écrit sans échappement", f"{page}: what is typed is not escaped"
    for what in row["refused"]:
        fr, en = "la politique de contenu le refuse", "the content policy refuses it"
        yield f"{page}\u202f: {what}\u202f: {fr}", f"{page}: {what}: {en}"
    for link in row["broken_links"]:
        yield f"{page}\u202f: {link} n'existe pas", f"{page}: {link} does not exist"
