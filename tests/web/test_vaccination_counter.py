"""The counter through the door of the lab: what it refuses and why, a dose written once, the reminder."""

from __future__ import annotations

import datetime as dt
import json
import re
from html import unescape

import pytest
from starlette.testclient import TestClient
from tests.web.desks import actions, bring, document
from tests.web.people import house_of, signed_in

from lab39.core import terms
from lab39.core.lab import Lab
from lab39.fhir import outputs
from lab39.solutions.vaccination import counter, recording
from lab39.solutions.vaccination.products import find
from lab39.solutions.vaccination.solution import Vaccination
from lab39.store import access, events, outbox

NO = {"q-illness": "no", "q-allergy": "no", "q-live": "no", "q-treatment": "no"}
BOX = {"lot": "AB12", "expires": "2031-06-30", "site": "left-arm"}


@pytest.fixture
def client(open_lab, settings) -> TestClient:
    opened: TestClient = open_lab(lab=Lab([Vaccination()], settings))
    signed_in(opened, "professional")
    return opened


def person(born: str = "1956-03-02", *more: dict, gender: str = "female") -> str:
    patient = {"resourceType": "Patient", "id": "p1", "gender": gender, "birthDate": born}
    rows = [{"resource": each} for each in (patient, *more)]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": rows})


def condition(code: str, text: str, onset: str = "2026-01") -> dict:
    coding = [{"system": "http://snomed.info/sct", "code": code}]
    return {
        "resourceType": "Condition",
        "id": code,
        "code": {"coding": coding, "text": text},
        "onsetDateTime": onset,
    }


def words(text: str) -> str:
    return re.sub(r"[ \n]+", " ", unescape(re.sub(r"<[^>]+>", " ", text)))


def see(client: TestClient, **asked: str):
    return client.get("/vaccination/counter", params=asked)


def verdict(client: TestClient, **asked: str) -> str:
    answer = see(client, **asked)
    found = re.search(r'<section class="card verdict.*?</section>', answer.text, re.DOTALL)
    assert found, words(answer.text)[-600:]
    return words(found[0])


def send(client: TestClient, record: str, **more: str):
    return client.post(
        "/vaccination/counter/record", data={"record": record, **NO, **BOX, "vaccine": "Shingrix"} | more
    )


def scanned(name: str, expiry: str = "310630", lot: str = "AB12") -> str:
    product = find(name).product
    assert product is not None
    return f"010{product.cip13[0]}17{expiry}10{lot}"


# -- the person and what is due ---------------------------------------------------------------------------


def test_a_record_is_found_by_its_title_and_another_word_says_so(client):
    bring(client, person(), title="Dossier rouge")
    assert "Dossier rouge" in see(client, q="rouge").text
    assert "Aucun dossier de ce nom" in see(client, q="bleu").text


def test_what_is_due_stands_with_its_reason(client):
    shown = see(client, record=bring(client, person()))
    assert "à faire maintenant" in words(shown.text).lower()
    assert "/vaccination/why?record=" in shown.text


def test_without_a_birth_date_it_says_what_to_fill_in(client):
    text = words(see(client, record=bring(client)).text)
    assert "Vaccins non évalués" in text
    assert "date de naissance" in text.lower()


def test_the_record_of_another_is_told_as_if_it_did_not_exist(client, open_lab, settings):
    record = bring(client, person())
    signed_in(client, "professional")
    assert "n'existe pas" in words(see(client, record=record).text)
    assert send(client, record).status_code == 404


# -- questions ---------------------------------------------------------------------------------------------


def test_a_live_vaccine_asks_about_immunity_and_pregnancy_and_another_does_not(client):
    record = bring(client, person("1990-05-01"))
    live, other = (
        see(client, record=record, vaccine="M-M-RVaxPro").text,
        see(client, record=record, vaccine="Repevax").text,
    )
    assert "immunité diminuée" in live.lower()
    assert 'value="pregnancy"' in live
    assert "q-live" not in other
    assert live.count('<fieldset class="ask">') == other.count('<fieldset class="ask">') == 3


# -- the doses before those of the record -------------------------------------------------------------------

NEVER, LOST = "lab39|never-vaccinated", "lab39|vaccination-unknown"
OWN = "http://lab39.org/fhir/CodeSystem/vaccination-situation"


def given(name: str, day: str) -> dict:
    product = find(name).product
    assert product is not None
    coding = [{"system": terms.NUVA, "code": product.nuva}]
    return {
        "resourceType": "Immunization",
        "id": f"given-{day}",
        "status": "completed",
        "vaccineCode": {"coding": coding},
        "occurrenceDateTime": day,
    }


def stating(code: str) -> dict:
    return {"resourceType": "Condition", "id": code, "code": {"coding": [{"system": OWN, "code": code}]}}


def test_never_vaccinated_is_asked_in_the_words_of_the_form(client):
    form = client.get("/vaccination", params={"born": "1990-01-01", "sex": "female"}).text
    shown = see(client, record=bring(client, person("1990-05-01"))).text
    for value, said in re.findall(r'<option value="(lab39[^"]+)"[^>]*>([^<]+)<', form):
        found = re.search(rf'name="has" value="{re.escape(value)}"[^>]*> ([^<]+)<', shown)
        assert found, value
        assert unescape(found[1]).lower() == unescape(said).lower()


@pytest.mark.parametrize(
    ("born", "rows"),
    [
        ("1990-05-01", [given("Repevax", "2016-05-02")]),
        ("1990-05-01", [stating("never-vaccinated")]),
        ("1990-05-01", [stating("vaccination-unknown")]),
        ("2016-05-01", []),
    ],
)
def test_it_is_not_asked_when_a_dose_is_known_the_record_says_it_or_no_rule_rests_on_it(client, born, rows):
    assert 'name="has"' not in see(client, record=bring(client, person(born, *rows))).text


@pytest.mark.parametrize("born", ["1990-05-01", "2010-05-01"])
def test_left_open_it_is_told_with_the_vaccine_it_is_about_and_refuses_nothing(client, born):
    asked = NO | BOX | {"record": bring(client, person(born)), "ordered": "yes"}
    said = verdict(client, **asked, vaccine="Repevax")
    assert "aucune dose connue, carnet perdu ou jamais vacciné, à demander" in said
    assert "Enregistrer la dose faite" in said
    assert "carnet perdu" not in verdict(client, **asked, vaccine="Gardasil 9")
    assert "carnet perdu ou jamais" not in verdict(client, **asked, vaccine="Repevax", has=NEVER)


@pytest.mark.parametrize("born", ["1990-05-01", "2010-05-01"])
def test_never_vaccinated_brings_the_whole_series_and_is_kept_with_the_dose(client, born):
    record = bring(client, person(born))
    asked = NO | BOX | {"record": record, "vaccine": "Repevax", "ordered": "yes", "has": NEVER}
    shown = see(client, **asked).text
    assert re.search(rf'name="has" value="{re.escape(NEVER)}" checked', shown)
    assert 'type="hidden" name="has"' not in shown.partition("<form")[2].partition("</form>")[0]
    assert "Si la dose est faite aujourd'hui, ensuite" in verdict(client, **asked)
    assert len(document(client, record)["entry"]) == 1, "looking writes nothing"

    answer = send(client, record, vaccine="Repevax", ordered="yes", has=NEVER, checked="yes")
    assert answer.headers["location"].startswith("/vaccination/counter/done"), answer.headers["location"]
    rows = [row["resource"] for row in document(client, record)["entry"]]
    (kept,) = [row for row in rows if row["resourceType"] == "Condition"]
    assert kept["code"]["coding"] == [{"system": OWN, "code": "never-vaccinated"}]
    assert kept["subject"] == {"reference": "Patient/p1"}
    (dose,) = [row for row in rows if row["resourceType"] == "Immunization"]
    assert kept["recordedDate"] == dose["occurrenceDateTime"]
    done = words(client.get(answer.headers["location"]).text)
    later = months_after(dose["occurrenceDateTime"], 2)
    assert later in done, "the second dose, two months later"
    assert 'name="has"' not in see(client, record=record).text


def test_who_answers_twice_or_goes_back_leaves_one_answer(client):
    record = bring(client, person("1990-05-01"))
    send(client, record, vaccine="Repevax", ordered="yes", has=NEVER, checked="yes")
    send(client, record, vaccine="Priorix", ordered="yes", has=LOST, checked="yes")
    rows = [row["resource"] for row in document(client, record)["entry"]]
    kept = [row["code"]["coding"][0]["code"] for row in rows if row["resourceType"] == "Condition"]
    assert kept == ["never-vaccinated"]
    assert len([row for row in rows if row["resourceType"] == "Immunization"]) == 2


def test_two_answers_at_once_are_none(client):
    record = bring(client, person("1990-05-01"))
    send(client, record, vaccine="Repevax", ordered="yes", has=[NEVER, LOST], checked="yes")
    rows = [row["resource"] for row in document(client, record)["entry"]]
    assert [row for row in rows if row["resourceType"] == "Condition"] == []
    assert [row for row in rows if row["resourceType"] == "Immunization"] != []


def months_after(day: str, months: int) -> str:
    from lab39.core.text import date
    from lab39.solutions.vaccination.dates import Duration, add

    return date(add(dt.date.fromisoformat(day), Duration(months, 0)), "fr")


def test_a_lost_record_brings_one_dose_and_its_antibodies_for_an_adult(client):
    asked = NO | BOX | {"record": bring(client, person("1990-05-01")), "ordered": "yes"}
    assert "Contrôle entre" in verdict(client, **asked, vaccine="Repevax", has=LOST)
    assert "Contrôle entre" not in verdict(client, **asked, vaccine="Repevax")


def test_an_address_adds_nothing_else_to_a_record(client):
    record = bring(client, person("1990-05-01"))
    plain, crafted = (see(client, record=record, **more).text for more in ({}, {"has": "sct|86406008"}))
    due = [re.findall(r"<li[^>]*><div>.*?<strong>([^<]+)", text, re.DOTALL) for text in (plain, crafted)]
    assert due[0] == due[1]
    send(client, record, vaccine="Repevax", ordered="yes", has="sct|86406008", checked="yes")
    kinds = [row["resource"]["resourceType"] for row in document(client, record)["entry"]]
    assert "Condition" not in kinds
    assert "Immunization" in kinds


def test_pregnancy_is_not_asked_of_a_man_nor_when_the_record_says_it(client):
    man = see(client, record=bring(client, person("1990-05-01", gender="male")), vaccine="M-M-RVaxPro").text
    assert 'value="pregnancy"' not in man
    record = bring(client, person("1990-05-01", condition("77386006", "Grossesse")))
    assert 'value="pregnancy"' not in see(client, record=record, vaccine="M-M-RVaxPro").text
    assert "Grossesse\u202f: pas de vaccin vivant" in verdict(client, record=record, vaccine="M-M-RVaxPro", **BOX)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"q-live": "immunosuppression"}, "Immunodépression\u202f: pas de vaccin vivant"),
        ({"q-live": "pregnancy"}, "Grossesse\u202f: pas de vaccin vivant"),
        ({"q-live": "immunoglobulins"}, "attendre de 3 à 11 mois"),
        ({"q-live": "unknown"}, "Un vaccin vivant ne se donne pas sans savoir"),
        ({"q-illness": "yes"}, "attendre quelques jours"),
        ({"q-illness": "unknown"}, "Prendre la température"),
        ({"q-allergy": "yes"}, "ne pas donner ce vaccin"),
    ],
)
def test_an_answer_that_forbids_says_why_and_nothing_is_written(client, answers, said):
    record = bring(client, person("1990-05-01"))
    asked = NO | BOX | {"record": record, "vaccine": "M-M-RVaxPro", "ordered": "yes"}
    assert "ne pas faire cette dose" not in verdict(client, **asked)
    refused = verdict(client, **asked | answers)
    assert "ne pas faire cette dose" in refused
    assert said in refused
    assert "Enregistrer" not in refused
    again = send(client, record, vaccine="M-M-RVaxPro", checked="yes", ordered="yes", **answers)
    assert again.headers["location"].startswith("/vaccination/counter?")
    assert len(document(client, record)["entry"]) == 1


def test_a_question_left_open_is_never_no(client):
    record = bring(client, person())
    open_ = {key: value for key, value in NO.items() if key != "q-illness"}
    assert "Il manque une réponse" in verdict(client, record=record, vaccine="Shingrix", **open_, **BOX).replace(
        "il manque", "Il manque"
    )
    client.post("/vaccination/counter/record", data={"record": record, "vaccine": "Shingrix", **open_, **BOX})
    assert len(document(client, record)["entry"]) == 1


def test_a_fever_in_the_record_is_told_though_the_answer_is_no(client):
    today = house_of(client).today().isoformat()
    record = bring(client, person("1956-03-02", condition("386661006", "Fièvre", today)))
    asked = NO | BOX | {"record": record, "vaccine": "Shingrix"}
    assert "Le dossier note\u202f: Fièvre" in verdict(client, **asked)
    send(client, record)
    assert len(document(client, record)["entry"]) == 2, "not without somebody who says they looked"
    assert "done" in send(client, record, checked="yes").headers["location"]


# -- the box -----------------------------------------------------------------------------------------------


def test_a_scan_fills_in_the_box(client):
    record = bring(client, person())
    answer = see(client, record=record, scan=scanned("Shingrix"), **{"q-illness": "no"})
    assert answer.status_code == 303
    shown = client.get(answer.headers["location"]).text
    assert re.search(r'id="vaccine"[^>]*value="Shingrix"', shown)
    assert re.search(r'id="lot"[^>]*value="AB12"', shown)
    assert re.search(r'id="expires"[^>]*value="2031-06-30"', shown)
    assert re.search(r'name="q-illness" value="no" checked', shown), "what was answered stays"


@pytest.mark.parametrize("scan", ["rubbish", "0103400900000000", "(17)270101", "\x1d"])
def test_what_is_no_box_is_told_at_its_field(client, scan):
    answer = see(client, record=bring(client, person()), scan=scan)
    if scan.strip("\x1d"):
        assert answer.status_code == 422
        assert 'id="wrong-scan"' in answer.text


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"expires": "2020-01-31"}, "Boîte périmée depuis le 31/01/2020"),
        ({"vaccine": "Revaxis"}, "n'est plus commercialisé"),
        ({"vaccine": "Infanrix Hexa"}, "Prendre l'un de ceux-ci\u202f: Boostrixtetra, Repevax"),
    ],
)
def test_a_box_that_must_not_be_used_is_refused_with_the_reason(client, changed, said):
    record = bring(client, person())
    refused = verdict(client, **NO | BOX | {"record": record, "vaccine": "Shingrix"} | changed)
    assert "ne pas faire cette dose" in refused
    assert said in refused
    send(client, record, checked="yes", **changed)
    assert len(document(client, record)["entry"]) == 1


def test_a_box_that_is_not_due_is_refused_to_a_pharmacist(client):
    said = verdict(client, **NO | BOX | {"record": bring(client, person("1990-05-01")), "vaccine": "Shingrix"})
    assert "Le calendrier ne recommande pas ce vaccin à cette personne" in said


def test_who_may_not_give_it_is_told_by_the_rule(client):
    child = bring(client, person("2019-05-01"))
    asked = NO | BOX | {"record": child, "vaccine": "Tetravac-acellulaire"}
    assert "Le pharmacien ne peut pas le faire" in verdict(client, **asked)
    assert "Avant 11 ans" in verdict(client, **asked)
    assert "ne peut pas le faire" not in verdict(client, **asked, profession="doctor")


def test_a_name_of_several_vaccines_is_asked(client):
    said = see(client, record=bring(client, person()), vaccine="Gardasil").text
    assert "Plusieurs vaccins ont ce nom" in said
    assert "Gardasil 9" in said
    assert "n'est pas reconnu" in verdict(client, record=bring(client, person("1957-01-01")), vaccine="Xyzzy")


@pytest.mark.parametrize(("field", "value"), [("expires", "demain"), ("site", "nose-ring"), ("lot", "X" * 30)])
def test_what_cannot_be_read_keeps_the_person_and_what_was_typed(client, field, value):
    answer = see(client, record=bring(client, person()), vaccine="Shingrix", **{field: value})
    assert answer.status_code == 422
    assert f'id="wrong-{field}"' in answer.text
    assert re.search(r'id="vaccine"[^>]*value="Shingrix"', answer.text)


# -- recording ---------------------------------------------------------------------------------------------


def test_a_dose_is_written_whole_once_with_an_event_and_an_audit_entry(client):
    record = bring(client, person())
    first, second = send(client, record), send(client, record)
    assert first.status_code == second.status_code == 303
    assert first.headers["location"] == second.headers["location"]
    whole = document(client, record)
    outputs.validate(whole)
    (dose,) = [e["resource"] for e in whole["entry"] if e["resource"]["resourceType"] == "Immunization"]
    assert dose["vaccineCode"]["text"] == "Shingrix"
    assert (dose["lotNumber"], dose["expirationDate"]) == ("AB12", "2031-06-30")
    assert dose["site"]["coding"][0]["code"] == "LA"
    assert dose["primarySource"] is True
    assert dose["occurrenceDateTime"] == house_of(client).today().isoformat()
    assert len(dose["note"]) == 3
    assert actions(client, record).count(recording.RECORDED) == 1
    with house_of(client).store.reading() as tx:
        told = [each for each in events.find(tx) if each.topic == recording.RECORDED]
    assert [each.subject for each in told] == [record]
    assert "Shingrix" not in str(told[0].payload), "no clinical content in an event"


def test_the_same_vaccine_of_another_lot_on_the_same_day_is_refused(client):
    record = bring(client, person())
    send(client, record)
    assert "Déjà fait aujourd'hui" in verdict(
        client, **NO | BOX | {"record": record, "vaccine": "Shingrix", "lot": "B"}
    )
    send(client, record, lot="B", checked="yes")
    assert len(document(client, record)["entry"]) == 2


def test_two_who_record_the_same_vaccine_at_one_moment_do_not_both_write_it(client, monkeypatch):
    record = bring(client, person())
    write, other = recording.write, []

    def meanwhile(*given, **more):
        if not other:
            other.append("B")
            send(client, record, lot="B")
        return write(*given, **more)

    monkeypatch.setattr(recording, "write", meanwhile)
    answer = send(client, record)
    assert "/done" not in answer.headers["location"]
    (dose,) = [
        entry["resource"]
        for entry in document(client, record)["entry"]
        if entry["resource"]["resourceType"] == "Immunization"
    ]
    assert dose["lotNumber"] == "B"
    assert "Déjà fait aujourd'hui" in words(client.get(answer.headers["location"]).text)


def test_who_may_only_read_writes_nothing(client):
    record, here = bring(client, person()), house_of(client)
    with here.store.reading() as tx:
        owner = access.viewers(tx, record, at=here.now())[0]
    reader = signed_in(client, "professional")
    with here.store.writing() as tx:
        access.grant(tx, record, reader.id, access.Level.READ, by=owner, at=here.now())
    assert "ne permet pas d'y écrire" in verdict(client, **NO | BOX | {"record": record, "vaccine": "Shingrix"})
    assert send(client, record).status_code == 403
    assert len(document(client, record)["entry"]) == 1


def test_a_fictional_person_is_looked_at_by_anybody_and_nothing_is_kept(open_lab, settings):
    visitor = open_lab(lab=Lab([Vaccination()], settings))
    shown = visitor.get(
        "/vaccination/counter", params={"example": "running-story", "vaccine": "Shingrix", **NO, **BOX}
    )
    assert "Rien n'est enregistré ici" in words(shown.text)
    assert "/counter/record" not in shown.text


# -- afterwards --------------------------------------------------------------------------------------------


def test_after_the_dose_the_certificate_the_calendar_and_one_reminder(client):
    record = bring(client, person())
    done = send(client, record).headers["location"]
    shown = client.get(done)
    assert "Shingrix\u202f: compte" in words(shown.text)
    assert "dose 2" in shown.text
    pdf = client.get("/vaccination/counter/certificate", params={"record": record})
    assert pdf.content.startswith(b"%PDF")
    ics = client.get("/vaccination/counter/calendar", params={"record": record})
    assert ics.content.startswith(b"BEGIN:VCALENDAR")
    assert b"VEVENT" in ics.content
    dose = done.rpartition("=")[2]
    for _ in range(2):
        planned = client.post("/vaccination/counter/remind", data={"record": record, "recorded": dose})
        assert "said=reminded" in planned.headers["location"]
    with house_of(client).store.reading() as tx:
        (message,) = outbox.find(tx)
    assert message.template == "vaccination.visit"
    assert message.parameters == {"link": f"/records/{record}"}, "no health data leaves the lab"
    assert "Rappel prévu" in client.get(planned.headers["location"]).text


def test_a_dose_that_stands_twice_in_the_record_has_its_verdict_under_either_entry(client):
    product = find("Shingrix").product
    assert product is not None
    once = {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": {"coding": [{"system": terms.NUVA, "code": product.nuva}], "text": "Shingrix"},
        "patient": {"reference": "Patient/p1"},
        "occurrenceDateTime": "2026-03-01",
    }
    record = bring(client, person("1950-01-01", once | {"id": "a"}, once | {"id": "b"}))
    for entry in ("a", "b"):
        shown = client.get("/vaccination/counter/done", params={"record": record, "recorded": entry})
        assert "Shingrix\u202f: compte" in words(shown.text)


def test_a_dose_that_is_not_in_the_record_has_no_page(client):
    answer = client.get(
        "/vaccination/counter/done", params={"record": bring(client, person()), "recorded": "dose-x"}
    )
    assert answer.status_code == 404


def test_the_address_says_the_same_again():
    from lab39.core.faces import Fields

    sent = Fields(
        [("example", "running-story"), ("vaccine", "Shingrix"), ("ordered", "no"), *NO.items(), *BOX.items()]
    )
    state = counter.read(sent)
    from urllib.parse import parse_qsl

    assert counter.read(Fields(parse_qsl(state.address()[1:]))) == state


def test_links_of_the_page_after_a_dose_lead_somewhere(client):
    shown = client.get(send(client, bring(client, person())).headers["location"])
    links = [unescape(each) for each in re.findall(r'href="(/vaccination/counter/[^"]+)"', shown.text)]
    assert len(links) == 2
    assert [client.get(each).status_code for each in links] == [200, 200]
