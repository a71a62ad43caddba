"""The front page, the showroom, and the desk anybody may try."""

from __future__ import annotations

import datetime as dt
import html
import re

import pytest
from tests.web.desks import HTMX, finding_key
from tests.web.renal import Renal, renal_lab

from lab39.core.lab import Lab
from lab39.fhir import examples, outputs
from lab39.web.desk.answers import Answer
from lab39.web.desk.trial import Trial
from lab39.web.security import ForgedError, TooLargeError

PAUL = "/demo/diabetes-2-little-known"


@pytest.fixture
def client(open_lab, settings):
    """A visitor."""
    opened = open_lab(lab=renal_lab(settings))
    page = opened.get("/").text
    opened.headers["x-form-token"] = re.search(r'"x-form-token": "([0-9a-f]+)"', page)[1]
    return opened


def state(page: str) -> str:
    return re.findall(r'name="state" value="([^"]*)"', page)[-1]


def creatinine(value="212", **more):
    fields = {"kind": "measure", "measure": "14682-9|umol/L", "label": "créatinine", "value": value}
    return fields | {"day": "2026-11-20"} | more


def stored(client):
    tables = ("records", "record_versions", "assessments", "decisions", "audit_log")
    with client.app.state.house.store.reading() as tx:
        names = {row[0] for row in tx.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return {t: tx.exec_driver_sql(f"SELECT count(*) FROM {t}").scalar() for t in tables if t in names}


def test_the_front_page_has_a_door_for_each_and_every_fictional_record(client):
    page = client.get("/").text
    assert "Par où entrer" in page
    assert all(f'href="/demo/{name}"' in page for name in examples.all_examples())


def test_every_fictional_record_opens_on_the_day_of_its_story(client):
    for name in examples.all_examples():
        page = client.get(f"/demo/{name}")
        assert page.status_code == 200
        assert "24/11/2026" in page.text


def test_every_example_of_the_folder_is_in_the_list_and_the_other_way_round():
    folder = examples._folder()
    assert {e.file for e in examples.all_examples().values()} == {p.name for p in folder.glob("*.json")}
    assert all(e.day == dt.date(2026, 11, 24) for e in examples.all_examples().values())


def test_a_visitor_fills_in_decides_and_exports_and_nothing_is_kept(client):
    before = stored(client)
    page = client.get(PAUL).text
    page = client.post(f"{PAUL}/answers", data=creatinine(state=state(page))).text
    assert "réduire la dose de moitié" in page
    key = html.unescape(finding_key(page))
    page = client.post(f"{PAUL}/decisions", data={"finding": key, "action": "done", "state": state(page)}).text
    assert "Tout est traité." in page
    for form in ("fhir", "json", "record"):
        answer = client.post(f"{PAUL}/export", data={"state": state(page), "form": form})
        assert answer.headers["content-disposition"].startswith("attachment")
        assert "212" in answer.text
    outputs.validate(client.post(f"{PAUL}/export", data={"state": state(page), "form": "fhir"}).json())
    page = client.post(f"{PAUL}/undo", data={"state": state(page), "index": "0"}).text
    assert "Fonction rénale inconnue" in page
    assert stored(client) == before


def test_with_script_only_the_desk_comes_back(client):
    part = client.post(f"{PAUL}/answers", data=creatinine(), headers=HTMX).text
    assert part.lstrip().startswith('<div id="desk"')
    assert "Créatinine 212\u202fµmol/L. Le rapport est recalculé." in part or "créatinine 212" in part.lower()


def test_the_language_changes_without_losing_what_was_filled_in(client):
    page = client.post(f"{PAUL}/answers", data=creatinine()).text
    answer = client.post(f"{PAUL}?lang=en", data={"state": state(page)})
    assert "halve the dose" in answer.text
    assert answer.cookies["lab39_lang"] == "en"


def test_a_state_that_was_changed_or_belongs_to_another_record_is_refused(client):
    sealed = state(client.post(f"{PAUL}/answers", data=creatinine()).text)
    for wrong in (sealed[:-1] + ("0" if sealed[-1] != "0" else "1"), "x" + sealed, "é.é", "."):
        assert client.post(f"{PAUL}/answers", data=creatinine(state=wrong)).status_code == 403
    assert client.post("/demo/running-story/answers", data=creatinine(state=sealed)).status_code == 403


def test_a_demonstration_does_not_grow_without_end(client):
    answer = Answer("sex", "", "sexe", "female", "", "")
    trial = Trial("running-story", (answer,) * 60)
    with pytest.raises(TooLargeError):
        trial.answered(answer)
    with pytest.raises(ForgedError):
        Trial.opened(trial.sealed(b"a"), "running-story", b"b")
    assert Trial.opened(trial.sealed(b"a"), "running-story", b"a") == trial


def test_a_value_that_cannot_be_read_is_told_at_its_field(client):
    page = client.get(PAUL).text
    place, key = re.search(
        r'name="place" value="(f-renal-[0-9a-f]{10})".*?name="key" value="([0-9a-f]{10})"', page, re.S
    ).groups()
    answer = client.post(f"{PAUL}/answers", data=creatinine("beaucoup", place=place, key=key))
    assert answer.status_code == 422
    assert 'value="beaucoup" aria-invalid="true"' in answer.text


def test_a_solution_shows_itself_live_with_its_evidence_and_its_data(client):
    page = client.get("/solutions/renal").text
    assert "Adapter les doses au rein" in page
    assert "Dit que le rein est lent." in page
    assert "N&#39;existe que pour les essais." in page
    assert 'action="/solutions/renal/answers"' in page or 'action="/solutions/renal/decisions"' in page
    after = client.post("/solutions/renal/answers", data=creatinine("300", day="2026-11-24")).text
    assert "300 µmol/L" in after
    assert client.get("/solutions/nobody").status_code == 404
    assert client.get("/solutions/renal/documentation").status_code == 404


def test_a_card_that_cannot_be_read_hides_neither_the_solution_nor_the_others(open_lab, settings):
    class Broken(Renal):
        def evidence(self):
            raise ValueError("a figure says on how many cases it was measured")

    page = open_lab(lab=Lab([Broken()], settings)).get("/solutions/renal")
    assert page.status_code == 200
    assert "Fiche de preuves illisible" in page.text


def test_a_solution_that_does_not_load_is_named(open_lab, settings):
    client = open_lab(lab=Lab([], settings, {"absent": "ModuleNotFoundError: no"}))
    assert "absent" in client.get("/solutions").text
    assert "absent" in client.get("/").text


def test_the_documentation_of_a_solution_is_a_page_without_inline_style(open_lab, settings):
    client = open_lab(lab=Lab.discover(settings, ["raredisease"]))
    page = client.get("/solutions/raredisease/documentation").text
    guide = page[page.index("<article") :]
    assert "Rare diseases" in guide
    assert "style=" not in guide
    assert re.findall(r'<a href="(?!https://)', guide[: guide.index("</article>")]) == []


@pytest.mark.parametrize(
    ("target", "landed"),
    [
        ("/solutions", "/solutions"),
        ("/records?q=a", "/records?q=a"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
    ],
)
def test_another_language_keeps_the_page_and_leads_nowhere_else(client, target, landed):
    answer = client.get("/lang/en", params={"next": target})
    assert answer.headers["location"] == landed
    assert "Solutions" in client.get("/solutions").text
    assert "Each can be tried at once" in client.get("/solutions").text


def test_a_language_that_is_not_spoken_changes_nothing(client):
    assert "lab39_lang" not in client.get("/lang/de").cookies
