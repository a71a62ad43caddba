"""Reports as FHIR R4: findings as DetectedIssue or a solution's native resource, doubts as OperationOutcome.

Everything emitted is validated against the R4B models before it leaves (strict write)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lab39.core.errors import Issue, LabError
from lab39.core.finding import Finding, Report, Severity
from lab39.core.text import Lang, Text

NAMESPACE = uuid.UUID("9a1e4a0e-39b1-5c39-8b39-39c0de1ab390")
CODES = "http://lab39.org/fhir/CodeSystem/finding"
DISCLAIMER = Text(
    "Aide à la décision pour des utilisateurs formés\u202f; n'est pas un dispositif médical.",
    "Decision support for trained users; not a medical device.",
)
_SEVERITY = {Severity.CRITICAL: "high", Severity.WARNING: "moderate", Severity.INFO: "low"}
COLON = Text("\u202f: ", ": ")
ToFhir = Callable[[Finding, str, Lang], Mapping[str, Any] | None]


def bundle(report: Report, native: ToFhir, lang: Lang = "fr", *, created: str) -> Mapping[str, Any]:
    """A collection Bundle: one resource a finding, one Provenance, an OperationOutcome for the doubts.

    Args:
        native: a solution's own resource for a finding, or ``None``.
        created: instant for the Provenance (the caller's clock).

    Raises:
        LabError: a resource is not valid R4; nothing is emitted.
    """
    subject = _subject(report)
    entries: list[dict[str, Any]] = []
    issues = list(report.issues)
    for i, finding in enumerate(report.findings):
        try:
            resource = dict(native(finding, subject, lang) or detected_issue(finding, subject, lang))
            validate(resource)
        except Exception as error:  # somebody's code: its finding is still told, in the lab's own form
            issues.append(_no_native(finding, error))
            resource = dict(detected_issue(finding, subject, lang))
        name = f"{report.record.get('id')}|{report.on}|{i}|{finding.solution}|{finding.code}"
        url = f"urn:uuid:{uuid.uuid5(NAMESPACE, name)}"
        entries.append({"fullUrl": url, "resource": resource})
    if entries:
        provenance = _provenance(report, [e["fullUrl"] for e in entries], created)
        entries.append({"fullUrl": f"urn:uuid:{uuid.uuid5(NAMESPACE, created + subject)}", "resource": provenance})
    if issues:
        url = f"urn:uuid:{uuid.uuid5(NAMESPACE, 'outcome' + subject + str(report.on))}"
        entries.append({"fullUrl": url, "resource": operation_outcome(issues, lang)})
    whole = {"resourceType": "Bundle", "type": "collection", "timestamp": created, "entry": entries}
    if not entries:
        del whole["entry"]
    validate(whole)
    return whole


def detected_issue(finding: Finding, subject: str, lang: Lang) -> Mapping[str, Any]:
    """The lab's own rendering of a finding."""
    lines = [finding.summary[lang], finding.detail[lang]]
    lines += [f"{m.name[lang]}{COLON[lang]}{m.consequence[lang]}" for m in finding.missing]
    issue: dict[str, Any] = {
        "resourceType": "DetectedIssue",
        "status": "preliminary",
        "language": lang,
        "code": {
            "coding": [{"system": CODES, "code": f"{finding.solution}.{finding.code}"}],
            "text": finding.summary[lang],
        },
        "severity": _SEVERITY[finding.severity],
        "patient": {"reference": subject},
        "detail": "\n".join([*(line for line in lines if line), DISCLAIMER[lang]]),
    }
    evidence = [
        {"code": [{"coding": [{"system": CODES, "code": r.rule}], "text": f"{r.text[lang]} ({r.source})"}]}
        for r in finding.reasons
    ]
    if evidence:
        issue["evidence"] = evidence
    if finding.suggestions:
        issue["mitigation"] = [{"action": {"text": s.label[lang]}} for s in finding.suggestions]
    if finding.focus:
        issue["implicated"] = [{"reference": ref} for ref in finding.focus if not ref.startswith("#")]
        if not issue["implicated"]:
            del issue["implicated"]
    return issue


def operation_outcome(issues: Iterable[Issue], lang: Lang = "fr") -> Mapping[str, Any]:
    """What could not be understood, as FHIR says it."""
    rows = [
        {
            "severity": issue.severity,
            "code": issue.code,
            "details": {"text": issue.text[lang]},
            "diagnostics": issue.text["en"],
        }
        | ({"expression": [issue.place]} if issue.place else {})
        for issue in issues
    ]
    return {"resourceType": "OperationOutcome", "issue": rows}


def error_outcome(error: LabError, lang: Lang = "fr", code: str = "invalid") -> Mapping[str, Any]:
    """A refusal as an OperationOutcome (``code`` is an R4 issue type); its place is said in the text."""
    row = {
        "severity": "error",
        "code": code,
        "details": {"text": error.say(lang)},
        "diagnostics": error.say("en"),
    }
    return {"resourceType": "OperationOutcome", "issue": [row]}


def validate(resource: Mapping[str, Any]) -> None:
    """Check a resource against the published R4B model.

    Raises:
        LabError: naming what is not valid. This is a defect of the writer, never of the user's input.
    """
    from fhir.resources.R4B import get_fhir_model_class
    from pydantic import ValidationError

    from lab39.fhir.jsontext import dumps

    kind = str(resource.get("resourceType"))
    try:
        model = get_fhir_model_class(kind)
    except (KeyError, ValueError) as error:
        why = Text(f"«\u202f{kind}\u202f» n'est pas un type de ressource R4", f"“{kind}” is no R4 resource type")
        raise LabError(why, "resourceType") from error
    try:
        model.model_validate_json(dumps(resource))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise LabError(
            Text(f"FHIR invalide à l'écriture\u202f: {first['msg']}", f"invalid FHIR written: {first['msg']}"),
            f"{resource['resourceType']}.{where}",
        ) from error


_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


def _subject(report: Report) -> str:
    """A reference to the patient; one whose id FHIR does not allow (a file name) gets a name-based one."""
    name = str(report.record.get("id") or "")
    return f"Patient/{name}" if _ID.fullmatch(name) else f"urn:uuid:{uuid.uuid5(NAMESPACE, 'Patient' + name)}"


def _no_native(finding: Finding, error: Exception) -> Issue:
    what = f"{type(error).__name__}: {str(error)[:200]}"
    return Issue(
        "exception",
        f"{finding.solution}.{finding.code}",
        Text(
            f"sa propre ressource FHIR n'a pas pu être écrite ({what})",
            f"its own FHIR resource could not be written ({what})",
        ),
        "warning",
    )


def _provenance(report: Report, targets: list[str], created: str) -> Mapping[str, Any]:
    versions = report.versions
    packs = versions.get("packs", {})
    said = [f"lab39 {versions.get('lab39')}"]
    said += [f"{name} {version}" for name, version in sorted(versions.get("solutions", {}).items())]
    said += [f"{name} {pack['version']} ({pack['key']})" for name, pack in sorted(packs.items())]
    return {
        "resourceType": "Provenance",
        "target": [{"reference": url} for url in targets],
        "recorded": created,
        "agent": [{"who": {"display": "; ".join(said)}}],
        "entity": [{"role": "source", "what": {"display": str(report.record.get("id") or "record")}}],
    }
