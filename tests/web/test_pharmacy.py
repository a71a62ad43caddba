"""The pharmacist through the doors of the lab: the page of a treatment, its exports, orders about to be signed."""

from __future__ import annotations

import csv
import io
import json
import re
from html import unescape

import pytest
from starlette.testclient import TestClient
from tests.web.desks import HTMX
from tests.web.people import fields, house_of
from tests.web.systems import JSON, order
from tests.web.test_cds import SELECT, SIGN, WHOLE, call, cards

from lab39.core.lab import Lab
from lab39.fhir import outputs
from lab39.solutions.pharmacy.solution import Pharmacy
from lab39.store import audit, cds


@pytest.fixture
def client(open_lab, settings) -> TestClient:
    opened: TestClient = open_lab(lab=Lab([Pharmacy()], settings))
    opened.headers["x-form-token"] = fields(opened.get("/pharmacy").text)["form_token"]
    return opened


def picture(text: str, kind: str = "DataMatrix") -> bytes:
    """A photograph of a box."""
    import numpy as np
    import zxingcpp
    from PIL import Image

    made = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, kind))
    content = io.BytesIO()
    Image.fromarray(np.array(zxingcpp.write_barcode_to_image(made, scale=6))).save(content, "PNG")
    return content.getvalue()


def send(client: TestClient, lines: str, *, files=None, headers=None, **fields: str):
    return client.post("/pharmacy", data={"lines": lines, **fields}, files=files, headers=headers or {})


def words(text: str) -> str:
    return re.sub(r"[ \n]+", " ", unescape(re.sub(r"<[^>]+>", " ", text)))


# -- the page -------------------------------------------------------------------------------------------


def test_a_treatment_is_shown_as_names_a_matrix_and_cards(client):
    answer = send(client, "apixaban 5 mg 2 fois par jour\nibuprofène 400 mg\nparacétamol")
    assert answer.status_code == 200
    text = words(answer.text)
    assert "1 paire en interaction parmi 3 médicaments" in text
    assert "Apixaban avec ibuprofène\u202f: association déconseillée (saignement)" in text
    assert re.search(r'class="level ad".*?▲.*?AD', answer.text, re.DOTALL)
    assert "10\u202fmg par jour" in text, "the dose is shown as it was understood"


def test_nothing_typed_is_an_invitation_and_no_error(client):
    assert "Essayer avec un traitement fictif" in client.get("/pharmacy").text
    assert "Try a fictional treatment" in client.get("/pharmacy", headers={"accept-language": "en"}).text


def test_the_example_fills_the_form(client):
    answer = send(client, "", act="example", headers=HTMX)
    assert "hx-swap-oob" in answer.text
    assert re.search(r'<textarea id="lines"[^>]*>apixaban', answer.text)


def test_a_name_of_several_meanings_is_asked_and_the_choice_is_kept(client):
    asked = send(client, "losartan hydrochlorothiazide lisinopril\nibuprofène")
    assert 'type="radio" name="pick-0"' in asked.text
    chosen = send(client, "losartan hydrochlorothiazide lisinopril\nibuprofène", **{"pick-0": "losartan"})
    assert 'type="radio" name="pick-0"' not in chosen.text
    assert "Ibuprofène avec losartan" in words(chosen.text)


def test_what_would_settle_a_level_is_asked_in_place_and_the_answer_counts(client):
    asked = send(client, "apixaban\naspirine")
    assert "contre-indication à confirmer" in words(asked.text)
    assert 'name="dose-1"' in asked.text or "Ce qui trancherait" not in asked.text


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"weight": "beaucoup"}, "un nombre entre 0,4 et 400 est attendu"),
        ({"born": "2999-01-01"}, "la date de naissance est dans l'avenir"),
        ({"creatinine": "0"}, "un nombre entre 1 et 5000 est attendu"),
        ({"sex": "maybe"}, "Connus"),
    ],
)
def test_what_cannot_be_read_is_told_at_its_field(client, sent, said):
    answer = send(client, "apixaban", **sent)
    assert answer.status_code == 422
    assert said.lower() in words(answer.text).lower()
    assert "apixaban" in answer.text, "what was typed stays"


def test_sixty_lines_are_read_and_one_more_is_refused(client):
    assert send(client, "\n".join(["apixaban"] * 60)).status_code == 200
    refused = send(client, "\n".join(["apixaban"] * 61))
    assert refused.status_code == 422
    assert "60 au plus" in refused.text


def test_markup_and_formulas_in_a_name_stay_text(client):
    name = '=HYPERLINK("x")<script>alert(1)</script>'
    assert "<script>alert" not in send(client, f"{name}\napixaban").text
    assert "&lt;script&gt;alert" in send(client, f"{name}\napixaban").text


def test_a_photograph_of_a_box_adds_its_code_and_another_picture_says_what_to_do(client):
    code = picture("01034009494972941726113010ABC123")
    added = send(client, "apixaban", files={"scan": ("box.png", code, "image/png")}, headers=HTMX)
    assert re.search(r"<textarea[^>]*>apixaban\s+3400949497294", added.text)
    nothing = send(client, "apixaban", files={"scan": ("x.png", b"not a picture", "image/png")})
    assert nothing.status_code == 422
    assert "pas une photo" in nothing.text


# -- exports --------------------------------------------------------------------------------------------


def test_the_spreadsheet_has_one_row_an_interaction_and_runs_nothing(client):
    answer = client.post("/pharmacy/export/csv", data={"lines": "apixaban\nibuprofène\nsertraline"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert rows[0][:3] == ["a", "b", "niveau"]
    assert {tuple(sorted(row[:2])) for row in rows[1:]} >= {("apixaban", "ibuprofène"), ("apixaban", "sertraline")}
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)


def test_the_fhir_export_is_valid_and_has_the_level(client):
    answer = client.post("/pharmacy/export/fhir", data={"lines": "warfarine\nmiconazole"})
    whole = json.loads(answer.content)
    outputs.validate(whole)
    issues = [e["resource"] for e in whole["entry"] if e["resource"]["resourceType"] == "DetectedIssue"]
    assert any(c["code"] == "CI" for issue in issues for c in issue["code"]["coding"])


def test_an_export_of_nothing_or_in_an_unknown_form_says_what_to_do(client):
    assert client.post("/pharmacy/export/csv", data={"lines": " "}).status_code == 422
    assert client.post("/pharmacy/export/exe", data={"lines": "apixaban"}).status_code == 422


def test_that_a_treatment_was_checked_is_in_the_audit_log_and_the_treatment_is_not(client):
    send(client, "apixaban\nibuprofène")
    with house_of(client).store.reading() as tx:
        entries = list(audit.entries(tx))
    assert [e.action for e in entries] == ["assessment"]
    assert "apixaban" not in str(entries[0].about)


# -- orders ---------------------------------------------------------------------------------------------


def taking(*names: str) -> dict:
    rows = [{"resource": order(f"m{i}", name)} for i, name in enumerate(names)]
    return WHOLE | {"medicationrequests": {"resourceType": "Bundle", "type": "searchset", "entry": rows}}


def test_only_what_the_new_order_changes_is_shown(client):
    body = call(
        "order-sign", order("new", "ibuprofène", "draft"), prefetch=taking("apixaban", "tramadol", "zolpidem")
    )
    shown = cards(client.post(SIGN, json=body, headers=JSON))
    topics = [card["source"]["topic"]["code"] for card in shown]
    assert "pharmacy.interaction.bleeding" in topics
    assert "pharmacy.interaction.breathing" not in topics, "tramadol with zolpidem was there before"
    bleeding = next(c for c in shown if c["source"]["topic"]["code"] == "pharmacy.interaction.bleeding")
    assert "Apixaban avec ibuprofène" in bleeding["summary"]
    assert "tramadol" not in bleeding["summary"]


def test_of_several_drafts_only_the_selected_one_is_looked_at(client):
    drafts = [order("a", "ibuprofène", "draft"), order("b", "paracétamol", "draft")]
    body = call("order-select", *drafts, selections=["MedicationRequest/b"], prefetch=taking("apixaban"))
    topics = [c["source"]["topic"]["code"] for c in cards(client.post(SELECT, json=body, headers=JSON))]
    assert not [t for t in topics if t.startswith("pharmacy.interaction")]


def test_an_order_that_changes_nothing_gives_no_interaction(client):
    body = call("order-sign", order("new", "paracétamol", "draft"), prefetch=taking("apixaban", "ibuprofène"))
    topics = [c["source"]["topic"]["code"] for c in cards(client.post(SIGN, json=body, headers=JSON))]
    assert not [t for t in topics if t.startswith("pharmacy.interaction")]


def test_why_a_card_was_overridden_is_kept_and_counted(client):
    body = call("order-sign", order("new", "ibuprofène", "draft"), prefetch=taking("apixaban"))
    shown = cards(client.post(SIGN, json=body, headers=JSON))
    card = next(c for c in shown if c["source"]["topic"]["code"] == "pharmacy.interaction.bleeding")
    reason = card["overrideReasons"][0]
    said = {
        "feedback": [
            {
                "card": card["uuid"],
                "outcome": "overridden",
                "outcomeTimestamp": "2026-11-24T10:00:00Z",
                "overrideReason": {"reason": {"code": reason["code"], "system": reason["system"]}},
            }
        ]
    }
    assert client.post(f"{SIGN}/feedback", json=said, headers=JSON).status_code == 200
    with house_of(client).store.reading() as tx:
        counted = [row for row in cds.counts(tx) if row.code == "interaction.bleeding"]
    assert counted
