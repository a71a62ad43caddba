"""From a FHIR document to its resources, each with its place; a part of a record is not read as the whole."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from lab39.core.errors import InputError, Issue
from lab39.core.text import Text

Resource = Mapping[str, Any]
Row = tuple[Resource, str, str]
"""A resource, its place in the document, and its ``fullUrl`` (or ``""``)."""

PAGED = ("searchset", "history")
"""Bundle.type values that a server may cut into pages (R4 http.html, "Paging")."""


@cache
def resource_types() -> frozenset[str]:
    """The resource types of FHIR R4."""
    text = files("lab39.core").joinpath("knowledge/resource_types.toml").read_text("utf-8")
    return frozenset(tomllib.loads(text)["types"])


def rows_of(document: Resource, source: str = "") -> tuple[list[Row], list[Issue]]:
    """The resources of a Bundle, or the one resource that the document is, and what was not read of it.

    Raises:
        InputError: not a FHIR resource, of a type R4 does not have, or one page of several.
    """
    kind = document.get("resourceType")
    if not isinstance(kind, str):
        raise InputError(
            Text(
                "«\u202fresourceType\u202f» absent\u202f: ce n'est pas du FHIR",
                "no “resourceType”: this is not FHIR",
            ),
            source,
        )
    if kind != "Bundle":
        if kind not in resource_types():
            raise InputError(_no_type(kind), source)
        rows: list[Row] = [(document, kind, "")]
        return rows, list(_subsetted(rows))
    entries = document.get("entry", [])
    if not isinstance(entries, list):
        raise InputError(
            Text("une liste est attendue", "a list is expected"), f"{source} › Bundle.entry".lstrip(" ›")
        )
    _refuse_one_page(document, entries, source)
    rows = []
    issues: list[Issue] = []
    for i, entry in enumerate(entries):
        place = f"Bundle.entry[{i}]"
        resource = entry.get("resource") if isinstance(entry, Mapping) else None
        if isinstance(resource, Mapping) and isinstance(resource.get("resourceType"), str):
            url = entry.get("fullUrl")
            rows.append((resource, f"{place}.resource", url if isinstance(url, str) else ""))
            issues += _not_read(resource["resourceType"], f"{place}.resource")
        else:
            said = Text("entrée sans ressource FHIR\u202f: non lue", "an entry without a FHIR resource: not read")
            issues.append(Issue("structure", place, said))
    issues += _subsetted([(document, "Bundle", ""), *rows])
    return rows, issues


def tags(resource: Resource, *kinds: str) -> Iterator[str]:
    """The codes of a resource's ``meta.tag`` (or of these members of ``meta``)."""
    meta = resource.get("meta")
    for kind in kinds or ("tag",):
        found = meta.get(kind) if isinstance(meta, Mapping) else None
        for tag in found if isinstance(found, list) else ():
            if isinstance(tag, Mapping) and isinstance(tag.get("code"), str):
                yield tag["code"]


def _refuse_one_page(bundle: Resource, entries: list[Any], source: str) -> None:
    links = bundle.get("link")
    for i, link in enumerate(links if isinstance(links, list) else ()):
        if isinstance(link, Mapping) and link.get("relation") == "next":
            raise InputError(
                Text(
                    "une page parmi plusieurs\u202f: réunir toutes les pages en un seul Bundle",
                    "one page of several: gather all the pages in one Bundle",
                ),
                f"{source} › Bundle.link[{i}]".lstrip(" ›"),
            )
    total = bundle.get("total")
    if bundle.get("type") not in PAGED or not isinstance(total, int) or isinstance(total, bool):
        return
    here = sum(1 for entry in entries if _search_mode(entry) not in ("include", "outcome"))
    if total > here:
        raise InputError(
            Text(
                f"{total} résultats annoncés, {here} présents\u202f: réunir toutes les pages en un seul Bundle",
                f"{total} results announced, {here} present: gather all the pages in one Bundle",
            ),
            f"{source} › Bundle.total".lstrip(" ›"),
        )


def _search_mode(entry: Any) -> Any:
    search = entry.get("search") if isinstance(entry, Mapping) else None
    return search.get("mode") if isinstance(search, Mapping) else None


def _not_read(kind: str, place: str) -> Iterator[Issue]:
    if kind == "Bundle":
        said = Text(
            "Bundle dans un Bundle\u202f: son contenu n'est pas lu. Donner ses entrées dans le premier.",
            "a Bundle inside a Bundle: its content is not read. Give its entries in the outer one.",
        )
        yield Issue("not-supported", place, said)
    elif kind not in resource_types():
        yield Issue("structure", f"{place}.resourceType", _no_type(kind))


def _no_type(kind: str) -> Text:
    shown = kind[:60]
    return Text(
        f"«\u202f{shown}\u202f» n'est pas un type de ressource FHIR R4\u202f: non lu",
        f"“{shown}” is no FHIR R4 resource type: not read",
    )


def _subsetted(rows: list[Row]) -> Iterator[Issue]:
    """One issue for all resources that a server says it gave in part (R4 resource.html, "SUBSETTED")."""
    cut = [place for raw, place, _ in rows if "SUBSETTED" in tags(raw)]
    if cut:
        said = Text(
            f"{len(cut)} ressource(s) abrégée(s) par le serveur (SUBSETTED)\u202f: ce qui manque est inconnu",
            f"{len(cut)} resource(s) cut short by the server (SUBSETTED): what is left out is unknown",
        )
        yield Issue("incomplete", f"{cut[0]}.meta.tag", said, "warning")
