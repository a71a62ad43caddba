"""The checks of what a solution does with a record: completes :data:`lab39.conformance.checks.CHECKS`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from lab39.conformance import said
from lab39.conformance.checks import NotChecked, Problems, check, loaded, same
from lab39.conformance.subject import BARE, Subject
from lab39.core.errors import LabError
from lab39.core.finding import SUMMARY_MAX
from lab39.core.lab import NO_ANSWER
from lab39.core.text import LANGS, Text
from lab39.fhir import loads

CODE = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")
SENTENCES = re.compile(r"summary|detail|missing\[\d+\]\.consequence")
"""The texts of a finding that are sentences; a name, a label or a source's own words may read the same."""

Row = Mapping[str, Any]


def runs(subject: Subject) -> list[Row]:
    """Every assessment of the first pass.

    Raises:
        NotChecked: nothing could be assessed.
    """
    loaded(subject)
    _ended(subject.here)
    rows: list[Row] = subject.here["runs"]
    if rows and all(row["error"] for row in rows):
        raise NotChecked(
            Text(
                f"non vérifié\u202f: aucun dossier n'a pu être évalué ({rows[0]['error']})",
                f"not checked: no record could be assessed ({rows[0]['error']})",
            )
        )
    return rows


def findings(subject: Subject) -> Iterator[tuple[str, Row]]:
    """Every finding with its place: record, day, code."""
    for row in runs(subject):
        for finding in row["findings"]:
            if "code" in finding:
                yield f"{_where(row)}, {finding['code']}", finding


@check("runs", "Chaque dossier s'évalue sans erreur", "Every record is assessed without an error")
def _runs(subject: Subject) -> Problems:
    loaded(subject)
    _ended(subject.here)
    for row in subject.here["runs"]:
        if row.get("remedy"):
            yield Text(
                f"non vérifié sans ses données\u202f: {row['remedy']['fr']}",
                f"not checked without its data: {row['remedy']['en']}",
            )
            return
        if row["error"] and not row.get("overran"):
            yield same(f"{_where(row)}: {row['error']}")


@check("time", "Chaque dossier s'évalue dans le temps accordé", "Every record is assessed within its time limit")
def _time(subject: Subject) -> Problems:
    loaded(subject)
    _ended(subject.here)
    for row in subject.here["runs"]:
        if row.get("overran"):
            yield Text(
                f"{_where(row)}\u202f: plus de {subject.here['limit']:g} s",
                f"{_where(row)}: more than {subject.here['limit']:g} s",
            )


@check("absent", "Ce qui manque est dit, jamais supposé", "What is absent is said, never assumed")
def _absent(subject: Subject) -> Problems:
    if not loaded(subject)["overrides_assess"]:
        return
    for row in runs(subject):
        name = PurePath(row["record"]).name
        if name not in BARE or row["error"]:
            continue
        if name == BARE[0] and not any(f.get("missing") for f in row["findings"]):
            yield Text(
                f"{_where(row)}\u202f: on ne sait rien de cette personne, et aucun constat n'a de missing. "
                "Dire ce qui n'a pas été évalué, et faute de quoi.",
                f"{_where(row)}: nothing is known of this person, and no finding has missing. "
                "Say what was not evaluated, and for want of what.",
            )
        for finding in row["findings"]:
            reasons = finding.get("reasons") or []
            if reasons and not finding["missing"] and not any(reason["inputs"] for reason in reasons):
                yield Text(
                    f"{_where(row)}, {finding['code']}\u202f: une conclusion tirée de rien (aucun inputs)",
                    f"{_where(row)}, {finding['code']}: a conclusion drawn from nothing (no inputs)",
                )


@check("deterministic", "Mêmes entrées, mêmes constats", "Same inputs, same findings")
def _deterministic(subject: Subject) -> Problems:
    first = {_where(row): row["findings"] for row in runs(subject)}
    yield from _differs(first, subject.here["again"], Text("deux fois de suite", "twice in a row"))
    _ended(subject.elsewhere)
    other = Text(
        "dans un autre processus (graine de hachage, fuseau, langue, ordre des dossiers)",
        "in another process (hash seed, time zone, language, order of the records)",
    )
    yield from _differs(first, subject.elsewhere["runs"], other)


def _differs(first: Mapping[str, Any], rows: list[Row], how: Text) -> Problems:
    for row in rows:
        if _where(row) in first and (found := said.difference(first[_where(row)], row["findings"])):
            yield Text(f"{_where(row)}, {how.fr}\u202f: {found}", f"{_where(row)}, {how.en}: {found}")
            return


@check("clock", "Ne lit pas l'heure\u202f: le jour est donné par on", "Reads no clock: the day is given by on")
def _clock(subject: Subject) -> Problems:
    runs(subject)
    yield from (same(seen) for seen in subject.here["clock"])


@check(
    "network",
    "N'ouvre aucune connexion, ne lance aucun programme",
    "Opens no connection and starts no program",
)
def _network(subject: Subject) -> Problems:
    loaded(subject)
    _ended(subject.here)
    yield from (same(seen) for seen in subject.here["network"])


@check("files", "N'écrit que sous LAB39_HOME", "Writes under LAB39_HOME only")
def _files(subject: Subject) -> Problems:
    loaded(subject)
    _ended(subject.here)
    yield from (same(seen) for seen in subject.here["files"])
    for name in subject.here["left"]:
        yield Text(f"laissé dans le dossier courant\u202f: {name}", f"left in the current folder: {name}")


@check("silent", "N'écrit rien sur la sortie standard", "Prints nothing on standard output")
def _silent(subject: Subject) -> Problems:
    loaded(subject)
    printed = (subject.loaded["printed"] + subject.here["printed"]).strip()
    if printed:
        first = printed.splitlines()[0][:80]
        yield Text(f"a écrit «\u202f{first}\u202f»", f"printed “{first}”")


@check("record-kept", "Laisse le dossier tel qu'il est", "Leaves the record as it is")
def _record_kept(subject: Subject) -> Problems:
    for row in runs(subject):
        if row.get("changed"):
            yield Text(
                f"{_where(row)}\u202f: le document a changé. entry.raw se lit, et se copie avant d'être modifié.",
                f"{_where(row)}: the document changed. entry.raw is for reading; copy it before you change it.",
            )
            return


@check("findings", "Codes et renvois au dossier sont en ordre", "Codes and references to the record are in order")
def _findings(subject: Subject) -> Problems:
    for row in runs(subject):
        for finding in row["findings"]:
            place = f"{_where(row)}, {finding.get('code', '?')}"
            yield from (same(f"{place}: {wrong}") for wrong in finding["wrong"])
            code = finding.get("code", "x")
            if not isinstance(code, str) or not CODE.fullmatch(code) or code in NO_ANSWER:
                yield Text(
                    f"{place}\u202f: code en minuscules ASCII, chiffres, points et traits d'union, "
                    f"hors {', '.join(NO_ANSWER)}",
                    f"{place}: a code is lower-case ASCII, digits, dots and hyphens, "
                    f"none of {', '.join(NO_ANSWER)}",
                )


@check("sources", "Chaque raison cite sa source", "Every reason cites its source")
def _sources(subject: Subject) -> Problems:
    cited: dict[str, tuple[str, str]] = {}
    for place, finding in findings(subject):
        for reason in finding.get("reasons") or []:
            rule, source = reason["rule"], reason["source"] or {}
            if not str(source.get("document", "")).strip():
                yield Text(
                    f"{place}, {rule}\u202f: source sans document", f"{place}, {rule}: a source without document"
                )
            if not CODE.fullmatch(rule) or not rule.startswith(f"{subject.id}."):
                yield Text(
                    f"{place}\u202f: la règle {rule!r} doit s'appeler «\u202f{subject.id}.…\u202f» "
                    "(les règles de toutes les solutions partagent un système de codes)",
                    f"{place}: the rule {rule!r} must be named “{subject.id}.…” "
                    "(the rules of all solutions share one code system)",
                )
            known, seen_at = cited.setdefault(rule, (str(source.get("text")), place))
            if known != source.get("text"):
                yield Text(
                    f"{rule}\u202f: deux sources ({seen_at}\u202f: {known}\u202f; "
                    f"{place}\u202f: {source.get('text')}). "
                    "Un identifiant par règle.",
                    f"{rule}: two sources ({seen_at}: {known}; {place}: {source.get('text')}). One id a rule.",
                )


@check("languages", "Tout se lit en français et en anglais", "Everything reads in French and in English")
def _languages(subject: Subject) -> Problems:
    for place, finding in findings(subject):
        told = {name: finding.get(name) for name in finding if name not in ("payload", "wrong", "fhir")}
        for name, text in said.texts(told):
            if any(text[lang] for lang in LANGS):
                yield from said.bilingual(text, f"{place}: {name}", differ=bool(SENTENCES.fullmatch(name)))
        for lang in LANGS:
            length = len(((finding.get("summary") or {}).get(lang)) or "")
            if length >= SUMMARY_MAX:
                yield Text(
                    f"{place}\u202f: résumé de {length} caractères en {lang} (moins de {SUMMARY_MAX})",
                    f"{place}: a summary of {length} characters in “{lang}” (under {SUMMARY_MAX})",
                )


@check("json", "Les constats s'écrivent en JSON", "Findings can be written as JSON")
def _json(subject: Subject) -> Problems:
    for place, finding in findings(subject):
        yield from (same(f"{place}: {wrong}") for wrong in finding["not_json"])


@check("fhir", "Ce qui s'écrit en FHIR R4 est valide", "What is written as FHIR R4 is valid")
def _fhir(subject: Subject) -> Problems:
    from lab39.fhir.outputs import validate

    for place, finding in findings(subject):
        if finding["fhir_error"]:
            yield same(f"{place}: to_fhir: {finding['fhir_error']}")
        for resource in finding["fhir"] or ():
            try:
                validate(loads(resource))
            except (LabError, LookupError, ValueError, TypeError) as error:
                yield same(f"{place}: {error}")


def _where(row: Row) -> str:
    return f"{PurePath(row['record']).name} ({row['on']})"


def _ended(answer: Row) -> None:
    """Raises NotChecked with what stopped a probe."""
    if not answer["error"]:
        return
    remedy = answer.get("remedy") or {"fr": answer["error"], "en": answer["error"]}
    raise NotChecked(Text(f"non vérifié\u202f: {remedy['fr']}", f"not checked: {remedy['en']}"))
