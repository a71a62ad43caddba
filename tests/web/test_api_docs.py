"""The ``curl`` samples of the pages about REST, FHIR and CDS Hooks do what they say."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.cli.solutions_for_tests import Calm
from tests.web.systems import lab, with_token

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs/how-to" / name for name in ("api.md", "cds-hooks.md")]
LAB = "https://lab.example.org"


class RareDisease(Calm):
    """Stands for the real one, whose data take time."""

    id = "raredisease"


def samples(page: Path) -> list[list[str]]:
    """The words of each command."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    text = "".join(blocks).replace("\\\n", " ")
    return [shlex.split(part) for part in re.split(r"^(?=curl )", text, flags=re.MULTILINE) if part.strip()]


def send(client: TestClient, words: list[str], known: dict[str, str]) -> Any:
    """What ``curl`` would send."""
    assert words[0] == "curl"
    filled = [re.sub(r"\$(TOKEN|RECORD)", lambda m: known[m[1]], word) for word in words[1:]]
    method, headers, body, url = "", {}, None, ""
    rest = iter(filled)
    for word in rest:
        if word == "-X":
            method = next(rest)
        elif word == "-H":
            name, _, value = next(rest).partition(": ")
            headers[name] = value
        elif word in ("-d", "--data-binary"):
            given = next(rest)
            body = (ROOT / given[1:]).read_bytes() if given.startswith("@") else given.encode()
        else:
            assert word.startswith(LAB), word
            url = word.removeprefix(LAB)
    return client.request(method or ("POST" if body else "GET"), url, headers=headers, content=body)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_sample_is_answered(open_lab: Callable[..., TestClient], page: Path):
    client = open_lab(lab=lab(RareDisease), base_url=LAB, public_url=LAB)
    known = {"TOKEN": with_token(client, "professional")["authorization"].split()[1], "RECORD": ""}
    found = samples(page)
    assert len(found) >= 3
    for words in found:
        answer = send(client, words, known)
        assert answer.status_code < 300, (words, answer.text)
        if answer.headers.get("location", "").startswith("/api/v1/records/"):
            known["RECORD"] = answer.headers["location"].rpartition("/")[2]
