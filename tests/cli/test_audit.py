"""``lab39 audit`` as scripts use it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lab39.settings import Settings
from lab39.store import Store, audit
from lab39.store.migrate import migrate

AT = dt.datetime(2026, 11, 24, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """A lab of which ten things were written."""
    settings = Settings(home=tmp_path / "home")
    store = Store.of(settings)
    migrate(store)
    more(settings, 10)
    store.close()
    return settings


def more(settings: Settings, count: int) -> None:
    store = Store.of(settings)
    with store.writing() as tx:
        for i in range(count):
            audit.append(tx, at=AT, actor="anne", action="access", subject=f"r{i % 2}")
    store.close()


def spoil(settings: Settings, statement: str) -> None:
    store = Store.of(settings)
    with store.writing() as tx:
        for name in tx.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).all():
            tx.execute(sa.text(f"DROP TRIGGER {name}"))
        tx.execute(sa.text(statement))
    store.close()


def test_sign_then_verify(run: Callable[..., Any], home: Settings):
    signed = run("audit", "head", "--json")
    assert signed.code == 0
    assert signed.json["head"]["size"] == 10
    assert signed.json["new"] is True
    done = run("audit", "verify", "--json")
    assert done.code == 0
    assert (done.json["ok"], done.json["size"], done.json["covered"]) == (True, 10, 10)
    assert "intact" in done.err


def test_a_changed_log_exits_with_1_and_names_the_entry_in_both_languages(run: Callable[..., Any], home: Settings):
    run("audit", "head")
    spoil(home, "UPDATE audit_entries SET actor = 'paul' WHERE number = 4")
    done = run("audit", "verify", "--json")
    assert done.code == 1
    assert done.json["ok"] is False
    assert done.json["failures"][0]["entry"] == 4
    assert "première entrée en cause\u202f: 4" in done.err
    assert "first entry concerned: 4" in run("--lang", "en", "audit", "verify").err


def test_a_proof_is_checked_without_the_database(run: Callable[..., Any], home: Settings, tmp_path: Path):
    head = run("audit", "head", "--json").json["head"]
    proof, key = tmp_path / "proof.json", home.heads / f"key-{head['key']}.pub.pem"
    assert run("audit", "prove", "3", "--out", proof).code == 0
    assert json.loads(proof.read_text()) == run("audit", "prove", "3", "--json").json
    elsewhere = ("--home", tmp_path / "elsewhere")
    done = run(*elsewhere, "audit", "verify-proof", proof, "--key", key, "--json")
    assert done.code == 0
    assert done.json["valid"] is True
    assert done.json["entry"]["actor"] == "anne"
    assert not (tmp_path / "elsewhere").exists()
    proof.write_text(proof.read_text().replace("anne", "paul"))
    assert run(*elsewhere, "audit", "verify-proof", proof, "--key", key).code == 1
    proof.write_text("{}")
    assert run(*elsewhere, "audit", "verify-proof", proof, "--key", key).code == 2


def test_a_head_kept_elsewhere_is_proved_to_stand(run: Callable[..., Any], home: Settings, tmp_path: Path):
    first = run("audit", "head", "--json").json
    more(home, 5)
    run("audit", "head")
    done = run("audit", "prove-continues", first["path"], "--out", tmp_path / "p.json")
    assert done.code == 0
    key = home.heads / f"key-{first['head']['key']}.pub.pem"
    shown = run("audit", "verify-proof", tmp_path / "p.json", "--key", key)
    assert shown.code == 0
    assert "10 premières entrées n'ont pas changé" in shown.err


def test_entries_are_exported_as_fhir(run: Callable[..., Any], home: Settings, tmp_path: Path):
    lines = [json.loads(line) for line in run("audit", "export", "--subject", "r1").out.splitlines()]
    assert [line["resourceType"] for line in lines] == ["AuditEvent"] * 5
    assert run("audit", "export", "--after", "8", "--out", tmp_path / "all.ndjson").code == 0
    assert len((tmp_path / "all.ndjson").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("audit", "prove", "99"), "aucune entrée de ce numéro"),
        (("audit", "prove", "1"), "lab39 audit head"),
        (("audit", "prove-continues", "absent.json"), "aucune tête exportée"),
        (("audit", "verify", "--heads", "absent"), "dossier absent"),
        (("audit", "verify", "--key", "absent.pem"), "clé Ed25519"),
        (("audit", "verify-proof", "absent.json", "--key", "absent.pem"), "lecture impossible"),
    ],
)
def test_bad_input_exits_with_2_and_says_what_to_do(
    command: tuple[str, ...], words: str, run: Callable[..., Any], home: Settings
):
    done = run(*command)
    assert done.code == 2
    assert words in done.err


def test_an_authority_that_does_not_answer_leaves_the_head_signed(
    run: Callable[..., Any], home: Settings, monkeypatch: pytest.MonkeyPatch
):
    from lab39.store.audit import stamps

    def refuse(url: str, content: bytes) -> bytes:
        raise stamps.StampError(stamps.Text("pas de réponse", "no answer"), "LAB39_TSA_URL")

    monkeypatch.setenv("LAB39_TSA_URL", "https://tsa.test")
    monkeypatch.setattr(stamps, "_post", refuse)
    done = run("audit", "head")
    assert done.code == 2
    assert "pas de réponse" in done.err
    monkeypatch.delenv("LAB39_TSA_URL")
    assert run("audit", "verify", "--json").json["covered"] == 10
