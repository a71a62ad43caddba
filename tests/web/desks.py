"""Records on a desk under test."""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.testclient import TestClient
from tests.web.people import house_of

from lab39.store import assessments, audit, records
from lab39.store.assessments import Assessment

PATIENT = {"resourceType": "Patient", "id": "p1", "gender": "female", "name": [{"text": "Zélie Marqueur"}]}
HTMX = {"hx-request": "true"}


def bundle(*resources: dict[str, Any]) -> str:
    """The text of a record."""
    rows = [{"resource": each} for each in (PATIENT, *resources)]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": rows}, ensure_ascii=False)


def bring(client: TestClient, text: str = "", **fields: str) -> str:
    """Bring a record by pasting it, or as the fields say; its id."""
    answer = client.post("/records", data={"text": text or ("" if fields else bundle()), **fields})
    assert answer.status_code == 303, answer.text
    found = re.search(r"/records/([0-9a-f]{32})", answer.headers["location"])
    assert found
    return found[1]


def creatinine(value: str = "95", *, version: int = 1, **more: str) -> dict[str, str]:
    """The fields of the small form."""
    base = {
        "kind": "measure",
        "measure": "14682-9|umol/L",
        "label": "créatinine",
        "value": value,
        "day": "2026-11-20",
    }
    return base | {"version": str(version)} | more


def document(client: TestClient, record: str, number: int | None = None) -> dict[str, Any]:
    """A version of a record as it is kept."""
    with house_of(client).store.reading() as tx:
        found: dict[str, Any] = json.loads(records.version(tx, record, number).document)
        return found


def last(client: TestClient, record: str) -> Assessment:
    """The latest assessment."""
    with house_of(client).store.reading() as tx:
        return assessments.get(tx, assessments.of(tx, record, limit=1)[0].id)


def actions(client: TestClient, record: str) -> list[str]:
    """What the audit log tells of a record, in order."""
    with house_of(client).store.reading() as tx:
        return [entry.action for entry in reversed(audit.entries(tx, subject=record))]


def finding_key(html: str) -> str:
    """The key of the first finding that can be decided about."""
    found = re.search(r'name="finding" value="([^"]+)"', html)
    assert found
    return found[1]
