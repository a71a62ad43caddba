"""Every operation of the OpenAPI document against what a fuzzer thinks of; longer with LAB39_FUZZ_EXAMPLES."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from starlette.testclient import TestClient
from tests.web.paged import Weighing
from tests.web.systems import Duplicates, lab, with_token

EXAMPLES = int(os.environ.get("LAB39_FUZZ_EXAMPLES", "10"))
CONFIG = """
continue-on-failure = true
headers = {{ Authorization = "{authorization}" }}

[generation]
max-examples = {examples}
deterministic = true
database = "none"

[checks]
# A document may have the right shape and be about two people, or of another release of FHIR: that is told by 422.
positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "412", "422", "428"]
"""


def run(client: TestClient, headers: dict[str, str]) -> tuple[Counter[str], list[str]]:
    """How many requests each operation got, and what was answered otherwise than documented."""
    config = SchemathesisConfig.from_str(CONFIG.format(examples=EXAMPLES, **headers))
    schema = schemathesis.openapi.from_asgi("/api/openapi.json", client.app, config=config)
    asked: Counter[str] = Counter()
    failures: dict[str, None] = {}
    for event in from_schema(schema).execute():
        if isinstance(event, events.NonFatalError):
            failures[f"{event.label}: {event.value!r}"] = None
        if isinstance(event, events.FatalError):
            raise event.exception
        if not isinstance(event, events.ScenarioFinished):
            continue
        for case in event.recorder.cases.values():
            asked[case.value.operation.label] += 1
        for name, checks in event.recorder.checks.items():
            label = event.recorder.cases[name].value.operation.label
            for found in (check.failure_info for check in checks if check.failure_info is not None):
                failures[f"{label}: {_short(found.failure)}\n{found.code_sample}"] = None
    return asked, list(failures)


def _short(failure: Exception) -> str:
    return " / ".join(str(failure).splitlines()[:8])[:500]


def test_no_request_is_answered_otherwise_than_documented(open_lab: Callable[..., TestClient]):
    client = open_lab(lab=lab(Duplicates, Weighing))
    asked, failures = run(client, with_token(client, "manager", "professional"))
    assert not failures, "\n\n".join(failures[:20])
    document: dict[str, Any] = client.get("/api/openapi.json").json()
    operations = {f"{method.upper()} {path}" for path, row in document["paths"].items() for method in row}
    assert set(asked) >= operations
