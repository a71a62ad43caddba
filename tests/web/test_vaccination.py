"""Vaccines through the doors of the lab: the page, why, the exports, a file, a record, CDS Hooks."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from html import unescape
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.solutions.vaccination import releases
from tests.solutions.vaccination.houses import lab_with
from tests.web.desks import bring
from tests.web.people import fields, house_of, signed_in
from tests.web.systems import JSON
from tests.web.test_cds import call, cards

from lab39.core.errors import InputError
from lab39.core.record import Record
from lab39.solutions.vaccination import brought, consultation
from lab39.solutions.vaccination.products import find
from lab39.store import audit

PATIENT_VIEW = "/cds-services/lab39-patient-view"
BORN = {"born": "31/01/2025", "sex": "female", "schedule": "cdsi"}


@pytest.fixture
def client(open_lab, settings, tmp_path: Path) -> TestClient:
    folder = releases.write(tmp_path / "release-1.0")
    opened: TestClient = open_lab(lab=lab_with(settings, folder))
    opened.headers["x-form-token"] = fields(opened.get("/vaccination").text)["form_token"]
    return opened


@pytest.fixture
def bare(open_lab, settings) -> TestClient:
    """The same without any pack."""
    opened: TestClient = open_lab(lab=lab_with(settings, None))
    return opened


def words(text: str) -> str:
    return re.sub(r"[ \n]+", " ", unescape(re.sub(r"<[^>]+>", " ", text)))


def typed(*doses: str, **more: str) -> dict[str, object]:
    return {
        "born": "2025-01-31",
        "sex": "female",
        "on": "2025-06-15",
        "schedule": "cdsi",
        "dose": list(doses),
        **more,
    }


# -- the page -------------------------------------------------------------------------------------------


def test_nobody_chosen_is_an_invitation(client):
    shown = words(client.get("/vaccination").text)
    assert "Qui\u202f?" in shown
    assert "Madeleine, 82 ans" in shown
    assert "Saisir les vaccins" in shown


def test_what_is_due_stands_first_with_its_doses_timeline_and_reasons(client):
    answer = client.get("/vaccination", params=typed("cvx|901~2025-02-10~A", "cvx|901~2025-04-01~A"))
    assert answer.status_code == 200
    shown = words(answer.text)
    assert shown.index("À faire maintenant") < shown.index("Frise") < shown.index("Doses faites")
    assert "Dose 2, à faire maintenant, recommandé depuis le 31/05/2025" in shown
    assert "10/02/2025 ne compte pas" in shown, "the drawing has words for who cannot see it"
    assert "Faite trop tôt pour l'âge" in shown
    assert 'class="invalid"' in answer.text, "a cross, whatever the colour"
    assert '<circle class="valid"' in answer.text


def test_nothing_due_says_so_and_what_comes_next(client):
    shown = words(client.get("/vaccination", params=typed("cvx|901~2025-04-01~A", on="2025-04-02")).text)
    assert "Rien à faire aujourd'hui d'après ce qui est connu" in shown
    assert "Dose 2, à partir du 31/05/2025" in shown


def test_a_dose_is_added_and_the_address_keeps_it(client):
    added = client.get("/vaccination", params=BORN | {"vaccine": "901", "given": "01/04/2025"})
    assert added.status_code == 303
    assert "dose=cvx%7C901~2025-04-01~901" in added.headers["location"]
    shown = client.get(added.headers["location"])
    assert "01/04/2025" in words(shown.text)


def test_a_dose_is_taken_away(client):
    kept = client.get("/vaccination", params=typed("cvx|901~2025-02-10~A", "cvx|901~2025-04-01~A", drop="0"))
    assert kept.status_code == 303
    assert "2025-02-10" not in kept.headers["location"]
    assert "2025-04-01" in kept.headers["location"]


def test_a_french_brand_is_understood_and_a_name_of_several_is_kept_and_named(client):
    sent = {"vaccine": "Priorix", "given": "2026"}
    assert "dose=nuva%7C" in client.get("/vaccination", params=BORN | sent).headers["location"]
    several = client.get("/vaccination", params=BORN | {"vaccine": "n'existe pas", "given": "03/2026"})
    assert "dose=~2026-03~n%27existe+pas" in several.headers["location"]
    shown = words(client.get(several.headers["location"] + "&on=2026-06-01").text)
    assert "À préciser" in shown
    assert "n'existe pas, 2026-03" in shown


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"born": "hier"}, "date « hier » illisible"),
        ({"sex": "maybe"}, "Connus"),
        (BORN | {"vaccine": "901", "given": "le printemps"}, "date « le printemps » illisible"),
        (BORN | {"vaccine": "901"}, "saisir la date"),
        (BORN | {"given": "2025"}, "saisir le vaccin"),
        ({"example": "nobody"}, "pas de dossier fictif de ce nom"),
        (BORN | {"schedule": "mars"}, "calendrier inconnu ou absent"),
        (BORN | {"dose": "~~"}, "un vaccin de l'adresse est illisible"),
        (BORN | {"on": "2025-13-01"}, "une date est attendue"),
        ({"record": "1"}, "se connecter"),
    ],
)
def test_what_cannot_be_read_is_told(client, sent, said):
    answer = client.get("/vaccination", params=sent)
    assert answer.status_code == 422
    assert said.lower() in words(answer.text).replace("\u202f", " ").replace("« ", "« ").lower()


def test_a_birth_date_known_to_the_year_is_asked_for(client):
    shown = words(client.get("/vaccination", params={"born": "2025", "on": "2025-06-15"}).text)
    assert "Vaccins non évalués" in shown
    assert "jour, mois, année" in shown


def test_markup_and_formulas_stay_text(client):
    name = "=HYPERLINK(1)<script>alert(1)</script>"
    location = client.get("/vaccination", params=BORN | {"vaccine": name, "given": "2025"}).headers["location"]
    assert "<script>alert" not in client.get(location).text
    rows = client.get(location.partition("#")[0].replace("/vaccination", "/vaccination/export/csv")).text
    assert "\n=HYPERLINK" not in rows
    assert ";=HYPERLINK" not in rows


def test_a_schedule_that_is_not_at_hand_is_told(bare):
    answer = bare.get("/vaccination", params=typed())
    assert answer.status_code == 422
    assert "calendrier inconnu ou absent" in words(answer.text).lower()


def test_without_any_pack_the_french_schedule_answers(bare):
    answer = bare.get("/vaccination", params=typed(schedule=""))
    assert answer.status_code == 200
    assert "calendrier français" in words(answer.text)
    assert "À faire maintenant" in words(answer.text)


def test_both_languages(client):
    shown = words(client.get("/vaccination", params=typed(), headers={"accept-language": "en"}).text)
    assert "To give now" in shown
    assert "overdue since 30 Apr 2025" in shown


# -- why ------------------------------------------------------------------------------------------------


def test_why_has_an_address_of_its_own_with_rules_in_words(client):
    answer = client.get("/vaccination/why", params=typed("cvx|901~2025-02-10~A", group="A"))
    assert answer.status_code == 200
    shown = words(answer.text)
    assert "TABLE 6-15" in shown
    assert "non, faite trop tôt pour l'âge" in shown
    assert "au plus tôt, tolérance comprise\u202f: 10/03/2025" in shown
    assert len(re.findall(r'id="([^"]+)"', answer.text)) == len(set(re.findall(r'id="([^"]+)"', answer.text)))


def test_why_of_an_unknown_group_is_told(client):
    assert client.get("/vaccination/why", params=typed(group="Z")).status_code in (404, 422)
    assert client.get("/vaccination/why").status_code in (404, 422)


# -- what leaves ----------------------------------------------------------------------------------------


def test_the_spreadsheet_holds_doses_groups_and_what_was_not_counted(client):
    asked = typed("cvx|901~2025-02-10~A", "~2025~Autre")
    answer = client.get("/vaccination/export/csv", params=asked)
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert rows[0][:4] == ["sorte", "nom", "date", "verdict"]
    assert {row[0] for row in rows[1:]} == {"dose", "groupe de vaccins", "non compté"}
    assert len({len(row) for row in rows}) == 1


def test_the_json_is_that_of_the_command(client):
    answer = client.get("/vaccination/export/json", params=typed("cvx|901~2025-04-01~A")).json()
    assert answer["due"] == ["A"]
    assert answer["groups"][0]["recommended"] == "2025-05-31"
    assert answer["doses"][0]["status"] == "Valid"


def test_another_form_is_refused(client):
    assert client.get("/vaccination/export/pdf", params=typed()).status_code in (404, 422)


# -- a file, a record -----------------------------------------------------------------------------------


def a_file(*rows: dict[str, object]) -> bytes:
    person = {"resourceType": "Patient", "id": "p", "birthDate": "2025-01-31", "gender": "female"}
    return json.dumps(
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": each} for each in (person, *rows)]}
    ).encode()


DOSE = {
    "resourceType": "Immunization",
    "status": "completed",
    "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "901"}], "text": "Vaccin A"},
    "patient": {"reference": "Patient/p"},
    "occurrenceDateTime": "2025-04",
}


def test_a_file_fills_the_form_with_what_it_says_and_no_more(client):
    answer = client.post("/vaccination/file", files={"file": ("r.json", a_file(DOSE), "application/json")})
    assert answer.status_code == 303
    assert "born=2025-01-31" in answer.headers["location"]
    assert "dose=cvx%7C901~2025-04~Vaccin+A" in answer.headers["location"], "known to the month, kept so"


@pytest.mark.parametrize("content", [b"", b"not json", b"\xff\xfe\x00", b"[]", b'{"resourceType": "Bundle"}'])
def test_a_file_that_is_no_record_is_told_at_its_field(client, content: bytes):
    answer = client.post("/vaccination/file", files={"file": ("r.json", content, "application/json")})
    assert answer.status_code in (303, 422)
    if answer.status_code == 422:
        assert 'id="wrong-file"' in answer.text


def test_a_record_of_the_lab_is_opened_by_who_may_see_it_and_that_is_in_the_audit_log(client):
    signed_in(client, "professional")
    client.headers["x-form-token"] = fields(client.get("/vaccination").text)["form_token"]
    record = bring(client, a_file(DOSE).decode())
    shown = client.get("/vaccination", params={"record": record})
    assert shown.status_code == 200
    assert "À faire maintenant" in words(shown.text)
    with house_of(client).store.reading() as tx:
        assert "access" in [entry.action for entry in audit.entries(tx) if entry.subject == record]


def test_a_record_of_somebody_else_is_as_if_it_did_not_exist(client, open_lab):
    signed_in(client, "professional")
    client.headers["x-form-token"] = fields(client.get("/vaccination").text)["form_token"]
    record = bring(client, a_file(DOSE).decode())
    signed_in(client, "professional")
    answer = client.get("/vaccination", params={"record": record})
    assert answer.status_code in (404, 422)
    assert "À faire maintenant" not in answer.text


def with_lot(lot: str) -> str:
    held = json.loads(a_file(DOSE))
    for entry in held["entry"]:
        if entry["resource"]["resourceType"] == "Immunization":
            entry["resource"]["lotNumber"] = lot
    return json.dumps(held)


def test_a_lot_is_looked_for_in_the_records_one_may_see_and_the_audit_log_says_so(client):
    signed_in(client, "professional")
    client.headers["x-form-token"] = fields(client.get("/vaccination").text)["form_token"]
    theirs = bring(client, with_lot("AB120"))
    signed_in(client, "professional")
    client.headers["x-form-token"] = fields(client.get("/vaccination").text)["form_token"]
    mine, near = bring(client, with_lot("ab-120")), bring(client, with_lot("AB12O"))
    shown = client.get("/vaccination/lots", params={"lot": "AB120"})
    assert shown.status_code == 200
    received, _, to_check = shown.text.partition('id="near"')
    assert mine in received
    assert near in to_check
    assert theirs not in shown.text
    with house_of(client).store.reading() as tx:
        entries = list(audit.entries(tx))
    (asked,) = [each for each in entries if each.action == "vaccination.lot-looked-up"]
    assert asked.actor
    opened = [each.subject for each in entries if each.action == "access"]
    assert {mine, near} <= set(opened)
    assert theirs not in opened


def test_a_lot_is_not_looked_for_by_nobody_nor_without_a_number(client):
    assert client.get("/vaccination/lots", params={"lot": "AB120"}).status_code in (303, 401, 403)
    signed_in(client, "professional")
    assert "Aucune dose de ce lot" in client.get("/vaccination/lots", params={"lot": "AB120"}).text
    assert client.get("/vaccination/lots", params={"lot": "--"}).status_code == 422
    assert "numéro de lot" in words(client.get("/vaccination/lots", params={"lot": ""}).text)


def test_the_conditions_of_a_file_are_carried_and_nothing_refuted():
    from tests.solutions.vaccination.records import SNOMED, condition, record

    refuted = {"verificationStatus": {"coding": [{"code": "refuted"}]}}
    known = record(condition(SNOMED, "77386006", onsetDateTime="2025-05-01"), condition(SNOMED, "1", **refuted))
    assert brought.of_record(known).stated == ("sct|77386006@2025-05-01",)


# -- CDS Hooks ------------------------------------------------------------------------------------------


PREGNANT = {"born": "1995-02-03", "sex": "female", "on": "2026-11-26"}


@pytest.mark.parametrize("told", [{"lmp": "14/05/2026"}, {"weeks": "28"}, {"weeks": "28 SA"}, {"weeks": "28+0"}])
def test_a_typed_person_states_the_term_of_a_pregnancy(bare, told):
    page = bare.get("/vaccination", params=PREGNANT | told, follow_redirects=True)
    assert page.status_code == 200
    assert "coqueluche" in words(page.text)
    assert 'name="lmp"' in page.text
    dues = bare.get("/vaccination/export/json", params=PREGNANT | {"lmp": "2026-05-14"}).json()
    assert {"dTcaPolio", "INFLUENZA"} <= set(dues["due"])
    assert not [each for each in dues["issues"] if "grossesse" in each["text"]["fr"]]
    assert "lmp=2026-05-14" in str(page.url) or "lmp" in told


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"weeks": "60"}, "de 1 à 44"),
        ({"weeks": "soon"}, "de 1 à 44"),
        ({"lmp": "05/2026"}, "mois et année sont nécessaires"),
    ],
)
def test_a_term_that_cannot_be_is_told_at_its_field(bare, told, said):
    assert said in words(bare.get("/vaccination", params=PREGNANT | told).text)


def test_the_term_of_a_file_is_carried():
    from lab39 import fhir

    asked = consultation.Asked(kind="typed", born="1995-02-03", last_period="2026-05-14")
    known = fhir.record(dict(consultation.bundle(asked)))
    assert brought.of_record(known, dt.date(2026, 11, 26)).last_period == "2026-05-14"
    assert brought.of_record(known, dt.date(2027, 11, 26)).last_period == ""


def test_a_patient_view_is_answered_with_what_is_due(client):
    patient = {"resourceType": "Patient", "id": "p1", "birthDate": "2025-01-31", "gender": "female"}
    body = call("patient-view")
    body["prefetch"]["patient"] = patient
    shown = [
        card
        for card in cards(client.post(PATIENT_VIEW, json=body, headers=JSON))
        if card["source"]["topic"]["code"].startswith("vaccination.")
    ]
    assert [card["source"]["topic"]["code"] for card in shown] == ["vaccination.due"]
    assert shown[0]["indicator"] == "info"
    assert shown[0]["summary"].startswith("À faire maintenant")
    assert "hexavalent" in shown[0]["summary"]


def file_of(*resources: dict[str, object], **patient: object) -> Record:
    person = {"resourceType": "Patient", "id": "p", "birthDate": "1950-01-31", **patient}
    entries = [{"resource": each} for each in (person, *resources)]
    return Record.from_fhir({"resourceType": "Bundle", "type": "collection", "entry": entries})


def test_the_file_of_someone_who_has_died_does_not_become_a_living_person():
    with pytest.raises(InputError) as told:
        brought.of_record(file_of(deceasedDateTime="2026-01-01"))
    assert "décédée" in told.value.text.fr


def test_a_file_with_more_doses_than_an_address_holds_is_refused_and_none_is_dropped():
    dose = {"resourceType": "Immunization", "status": "completed", "vaccineCode": {"text": "?"}}
    assert len(brought.of_record(file_of(*[dose] * consultation.MAX_DOSES)).doses) == consultation.MAX_DOSES
    with pytest.raises(InputError):
        brought.of_record(file_of(*[dose] * (consultation.MAX_DOSES + 1)))


def a_dose(**more: object) -> dict[str, object]:
    coded = {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "133"}]}
    return {"resourceType": "Immunization", "status": "completed", "vaccineCode": coded, **more}


def test_what_the_form_does_not_take_over_from_a_file_is_told_as_long_as_it_is_open(bare):
    taken = {"resourceType": "MedicationStatement", "status": "active", "medicationCodeableConcept": {"text": "x"}}
    allergy = {"resourceType": "AllergyIntolerance", "code": {"text": "egg"}, "patient": {"reference": "Patient/p"}}
    disease = {"resourceType": "Condition", "code": {"text": "?"}, "subject": {"reference": "Patient/p"}}
    dose = a_dose(occurrenceDateTime="2020-01-01", isSubpotent=True)
    asked = brought.of_record(file_of(taken, allergy, disease, dose, a_dose(occurrenceDateTime="2021-01-01")))
    assert asked.unheld == ("medicines", "allergies", "diseases", "subpotent")
    assert [each.date for each in asked.doses] == ["2021-01-01"]
    shown = words(bare.get("/vaccination" + asked.address()).text)
    for told in ("les médicaments", "les allergies", "maladies sans code", "dites insuffisantes"):
        assert told in shown
    assert "résultats de laboratoire" not in shown
    assert brought.of_record(file_of(a_dose())).unheld == ()


def test_a_disease_of_the_address_that_cannot_be_read_is_never_dropped(bare):
    page = bare.get("/vaccination", params={"born": "1950-01-31", "has": "nothing"})
    assert page.status_code == 422
    assert "apporter à nouveau" in words(page.text)


def test_the_json_of_the_page_names_the_doses_that_were_not_counted(client):
    found = client.get("/vaccination/export/json", params=typed("cvx|901~2025~A")).json()
    assert [each["vaccine"] for each in found["not_counted"]] == ["A"]
    assert found["doubtful"]


def test_a_dose_that_had_its_use_is_not_crossed_out_on_the_page(bare):
    zostavax = find("Zostavax").product
    assert zostavax is not None
    asked = {"born": "1945-01-01", "dose": f"nuva|{zostavax.nuva}~2016-05-01~Zostavax", "on": "2026-11-24"}
    shown = words(bare.get("/vaccination", params=asked).text)
    assert "espace la dose suivante" in shown or "comptait le jour" in shown
    assert "✕" not in shown


def test_never_vaccinated_is_said_in_the_form_and_stands_in_the_address(client):
    shown = client.get("/vaccination", params={"born": "1990-01-01", "sex": "female", "on": "2026-11-24"})
    assert "carnet perdu ou jamais vacciné, à demander" in words(shown.text)
    assert '<option value="lab39|never-vaccinated">' in shown.text
    asked = {"born": "1990-01-01", "sex": "female", "on": "2026-11-24", "has": "lab39|never-vaccinated"}
    said = client.get("/vaccination", params=asked)
    assert "à demander" not in words(said.text)
    assert '<option value="lab39|never-vaccinated" selected>' in said.text
    assert 'type="hidden" name="has" value="lab39' not in said.text.partition('id="typed"')[2]
    later = client.get(
        "/vaccination", params=asked | {"vaccine": "Repevax", "given": "2026-10-01"}, follow_redirects=True
    )
    assert "01/12/2026" in words(later.text), "the second dose, two months later"
