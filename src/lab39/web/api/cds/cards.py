"""Cards: the lab's findings in the same words, in the form that CDS Hooks gives them."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lab39.core.errors import Issue, LabError
from lab39.core.finding import Finding, Missing, Report, Severity
from lab39.core.text import NO_TEXT, Lang, Text, percent
from lab39.fhir import outputs
from lab39.fhir.outputs import CODES, NAMESPACE
from lab39.render.words import COLON, DISCLAIMER, WORDS
from lab39.web.api.cds.catalogue import Prefetch, Service, override_reasons
from lab39.web.words import typeset

ITSELF = "lab39"
"""The "solution" of what the door itself has to say."""
UNREAD_MAX = 20


@dataclass(frozen=True, slots=True)
class Deck:
    """Where cards are given: one answer of one service.

    Attributes:
        instance: the call's ``hookInstance``; the same call gives the same identifiers again.
        base: address of this lab as browsers reach it.
        known: references of what the caller already holds, which a suggestion updates instead of creating.
    """

    service: Service
    instance: str
    base: str
    lang: Lang
    known: frozenset[str] = frozenset()

    def cards(self, report: Report, findings: Iterable[Finding]) -> list[dict[str, Any]]:
        """A card for each finding, in the report's order."""
        return [self.card(report, finding, i) for i, finding in enumerate(findings)]

    def card(self, report: Report, finding: Finding, number: int) -> dict[str, Any]:
        """One finding as a card; what is empty is left out."""
        lang = self.lang
        name = "|".join([self.instance, self.service.id, str(number), finding.solution, finding.code])
        identifier = str(uuid.uuid5(NAMESPACE, name))
        title = "" if finding.solution == ITSELF else report.who(finding)[lang]
        source: dict[str, Any] = {"label": f"Lab39 – {title}" if title else "Lab39", "url": self.base}
        if finding.solution in report.titles:
            source["url"] = f"{self.base}/solutions/{finding.solution}"
        source["topic"] = {
            "system": CODES,
            "code": f"{finding.solution}.{finding.code}",
            "display": title or "Lab39",
        }
        card: dict[str, Any] = {
            "uuid": identifier,
            "summary": finding.summary[lang],
            "detail": detail(finding, lang, report.warnings if title else ()),
            "indicator": finding.severity.value,
            "source": source,
        }
        suggestions = [
            self._suggestion(identifier, i, s.label, s.resource) for i, s in enumerate(finding.suggestions)
        ]
        if suggestions:
            card["suggestions"] = suggestions
            card["selectionBehavior"] = "any"
        if not finding.not_evaluated:
            card["overrideReasons"] = list(override_reasons(lang))
        links = _links(finding)
        if links:
            card["links"] = links
        return card

    def _suggestion(
        self, card: str, number: int, label: Text, resource: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        said: dict[str, Any] = {
            "label": label[self.lang],
            "uuid": str(uuid.uuid5(NAMESPACE, f"{card}|{number}")),
        }
        if resource is not None:
            try:
                outputs.validate(resource)
            except LabError:  # what is not valid R4 is never handed to somebody's software: the words remain
                return said
            reference = f"{resource.get('resourceType')}/{resource.get('id')}"
            kind = "update" if reference in self.known else "create"
            said["actions"] = [{"type": kind, "description": label[self.lang], "resource": resource}]
        return said


def partial(absent: Iterable[Prefetch]) -> Finding:
    """What the door says when the record is not whole, so that silence about it is not taken for "nothing"."""
    names = tuple(absent)
    cannot = Text("rien n'en est conclu", "nothing is concluded from it")
    if len(names) == 1:
        what = Text("un type de données manque", "one kind of data is missing")
    else:
        what = Text(f"{len(names)} types de données manquent", f"{len(names)} kinds of data are missing")
    return Finding(
        code="partial-record",
        solution=ITSELF,
        severity=Severity.INFO,
        summary=Text(
            f"Dossier reçu en partie\u202f: {what.fr}, rien n'en est conclu",
            f"Record received in part: {what.en}, nothing is concluded from this",
        ),
        missing=tuple(Missing(f"prefetch-{p.key}", p.name, cannot) for p in names),
    )


def unread(issues: Iterable[Issue]) -> Finding | None:
    """What was sent and could not be understood; ``None`` when everything was."""
    rows = [issue for issue in issues if issue.severity == "error"]
    if not rows:
        return None
    n = len(rows)
    many = Text(f"{n} éléments envoyés n'ont pas pu être lus", f"{n} things sent could not be read")
    what = Text("Un élément envoyé n'a pas pu être lu", "One thing sent could not be read") if n == 1 else many
    return Finding(
        code="unread-data",
        solution=ITSELF,
        severity=Severity.INFO,
        summary=Text(f"{what.fr}, rien n'en est conclu", f"{what.en}, nothing is concluded from this"),
        missing=tuple(Missing(issue.code, Text.same(issue.place), issue.text) for issue in rows[:UNREAD_MAX]),
    )


def detail(finding: Finding, lang: Lang, warnings: Iterable[Text] = ()) -> str:
    """Why, in Markdown: what was found, the rules with their sources and inputs, what is missing.

    Args:
        warnings: about the lab itself (a pack that is too old).
    """
    blocks = [escape(finding.detail[lang])] if finding.detail[lang] else []
    if finding.bars:
        blocks.append(
            _list(
                f"{escape(b.label[lang])}{COLON[lang]}{_percent(b.value, lang)}{_note(b.note, lang)}"
                for b in finding.bars
            )
        )
    if finding.reasons:
        blocks.append(f"**{_word('why', lang)}**")
        blocks.append(_list(_reason(reason, lang) for reason in finding.reasons))
    if finding.confidence is not None:
        share = _percent(finding.confidence.value, lang)
        words = escape(finding.confidence.meaning[lang])
        blocks.append(f"**{_word('confidence', lang)}**{COLON[lang]}{share}, {words}")
    if finding.missing:
        blocks.append(f"**{_word('missing' if finding.reasons else 'absent', lang)}**")
        blocks.append(
            _list(f"{escape(m.name[lang])}{COLON[lang]}{escape(m.consequence[lang])}" for m in finding.missing)
        )
    blocks += [f"**!** {escape(warning[lang])}" for warning in warnings]
    blocks.append(f"*{escape(DISCLAIMER[lang])}*")
    return "\n\n".join(blocks)


def _reason(reason: Any, lang: Lang) -> str:
    source = escape(str(reason.source))
    if not reason.source.verified:
        source += f"{COLON[lang]}{_word('unverified', lang)}"
    said = f"{escape(reason.text[lang])} ({source})"
    facts = [
        f"{escape(i.name[lang])}{COLON[lang]}{escape(i.value[lang])}" + (f" ({escape(i.date)})" if i.date else "")
        for i in reason.inputs
    ]
    return said + "".join(f"\n  - {fact}" for fact in facts)


def _links(finding: Finding) -> list[dict[str, str]]:
    """The documents the rules come from, each once."""
    found: dict[str, str] = {}
    for reason in finding.reasons:
        if reason.source.url.startswith(("https://", "http://")):
            found.setdefault(reason.source.url, str(reason.source))
    return [{"label": label, "url": url, "type": "absolute"} for url, label in found.items()]


@lru_cache(maxsize=4096)
def _percent(share: float, lang: Lang) -> str:
    """Kept: formatting a number by the rules of a language costs as much as the rest of a line."""
    return escape(percent(share, lang))


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _note(note: Text, lang: Lang) -> str:
    return f" ({escape(note[lang])})" if note != NO_TEXT else ""


def _word(name: str, lang: Lang) -> str:
    return typeset(WORDS[name].fr) if lang == "fr" else WORDS[name].en


_SPECIAL = re.compile(r"([\\`*_\[\]~|])")
_START = re.compile(r"^([0-9]*)([#+.)-])(?=\s)")
_BARE_LINK = re.compile(r"(?i)(://|\bwww(?=\.)|(?<=\S)@(?=\S))")


def escape(text: str) -> str:
    """Text that Markdown shows as it is: words of a record make no link, no emphasis and no HTML."""
    found = html.escape(" ".join(text.split()), quote=False)
    found = _SPECIAL.sub(r"\\\1", found)
    found = _BARE_LINK.sub(lambda m: {"://": ":\\/\\/", "@": "\\@"}.get(m[1], m[1] + "\\"), found)
    return _START.sub(r"\1\\\2", found)
