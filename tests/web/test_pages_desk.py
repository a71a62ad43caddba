"""The desk on a kept record: read, fill in, decide, export; two tabs; what is refused."""

from __future__ import annotations

import json
import re

import pytest
from tests.web.desks import HTMX, actions, bring, bundle, creatinine, document, finding_key, last
from tests.web.people import house_of, new_person, signed_in
from tests.web.renal import renal_lab

from lab39.fhir import outputs
from lab39.store import access, records
from lab39.store.access import Level
from lab39.web.desk import downloads


@pytest.fixture
def client(open_lab, settings):
    """A professional signed in to a lab that asks for the creatinine."""
    opened = open_lab(lab=renal_lab(settings))
    signed_in(opened, "professional")
    return opened


def measured(value: float, day: str = "2026-11-20") -> dict[str, object]:
    return {
        "resourceType": "Observation",
        "id": "c1",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "14682-9"}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": day,
        "valueQuantity": {
            "value": value,
            "unit": "umol/L",
            "code": "umol/L",
            "system": "http://unitsofmeasure.org",
        },
    }


def test_the_desk_says_what_is_missing_and_offers_a_field_with_units_and_a_date(client):
    page = client.get(f"/records/{bring(client)}").text
    assert "Fonction rénale inconnue" in page
    assert 'value="14682-9|umol/L"' in page
    assert 'value="2160-0|mg/L"' in page
    assert re.search(r'type="date" name="day"[^>]+value="2026-11-24" max="2026-11-24"', page)


def test_a_value_filled_in_makes_a_new_version_and_the_report_follows(client):
    record = bring(client)
    answer = client.post(f"/records/{record}/answers", data=creatinine("212,5"))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"/records/{record}?said=answers")
    added = document(client, record)["entry"][-1]["resource"]
    assert added["valueQuantity"] == {
        "value": 212.5,
        "unit": "umol/L",
        "system": "http://unitsofmeasure.org",
        "code": "umol/L",
    }
    assert added["subject"] == {"reference": "Patient/p1"}
    assert added["effectiveDateTime"] == "2026-11-20"
    page = client.get(answer.headers["location"]).text
    assert "réduire la dose de moitié" in page
    assert "version 2" in page
    assert document(client, record, 1) == json.loads(bundle())


def test_a_laboratory_value_in_mg_per_litre_is_kept_as_written_under_the_code_of_a_mass(client):
    record = bring(client)
    client.post(f"/records/{record}/answers", data=creatinine("24", measure="2160-0|mg/L"))
    added = document(client, record)["entry"][-1]["resource"]
    assert added["code"]["coding"][0]["code"] == "2160-0"
    assert added["valueQuantity"]["unit"] == "mg/L"
    assert "212 µmol/L" in client.get(f"/records/{record}").text


def test_with_script_only_the_desk_comes_back_and_the_change_is_told(client):
    record = bring(client)
    part = client.post(f"/records/{record}/answers", data=creatinine("212"), headers=HTMX).text
    assert "<html" not in part
    assert part.lstrip().startswith('<div id="desk"')
    assert 'hx-swap-oob="innerHTML"' in part
    assert "Le rapport est recalculé" in part
    assert "1 constat nouveau, 1 constat disparu" in part


def test_the_drawer_a_value_was_filled_in_from_stays_open(client):
    record = bring(client, bundle(measured(212)))
    page = client.get(f"/records/{record}").text
    place = re.search(r'name="place" value="(f-renal-[0-9a-f]{10})"', page)[1]
    fields = {"kind": "birth-date", "label": "né le", "value": "1944-03-02", "version": "1", "place": place}
    after = client.get(client.post(f"/records/{record}/answers", data=fields).headers["location"]).text
    assert f'id="{place}-why" open' in after


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"value": "beaucoup"}, "Un nombre est attendu"),
        ({"value": ""}, "Un nombre est attendu"),
        ({"value": "1e9"}, "Un nombre est attendu"),
        ({"day": "2026-11-25"}, "dans l&#39;avenir"),
        ({"day": "hier"}, "Une date est attendue"),
        ({"measure": "pas-un-code|umol/L"}, "Ce champ n&#39;existe pas"),
        ({"kind": "poison"}, "Ce champ n&#39;existe pas"),
    ],
)
def test_a_value_that_cannot_be_read_is_told_in_place_and_nothing_is_kept(client, change, said):
    record = bring(client)
    page = client.get(f"/records/{record}").text
    place, key = re.search(
        r'name="place" value="(f-renal-[0-9a-f]{10})".*?name="key" value="([0-9a-f]{10})"', page, re.S
    ).groups()
    answer = client.post(f"/records/{record}/answers", data=creatinine() | {"place": place, "key": key} | change)
    assert answer.status_code == 422
    assert said in answer.text
    if "value" in change:
        assert f'value="{change["value"]}" aria-invalid="true"' in answer.text
    assert last(client, record).version == 1


def test_a_second_tab_is_told_of_the_newer_version_and_its_value_is_not_lost(client):
    record = bring(client)
    client.post(f"/records/{record}/answers", data=creatinine("90"))
    late = client.post(f"/records/{record}/answers", data=creatinine("212"), headers=HTMX)
    assert late.status_code == 409
    assert "Ce dossier a changé entre-temps" in late.text
    assert last(client, record).version == 2
    form = late.text[late.text.index('id="conflict"') :]
    again = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[: form.index("</form>")]))
    assert again["version"] == "2"
    assert client.post(f"/records/{record}/answers", data=again).status_code == 303
    assert "212 µmol/L" in client.get(f"/records/{record}").text


def test_the_same_form_sent_twice_is_one_version_and_no_conflict(client):
    record = bring(client)
    for _ in range(2):
        assert client.post(f"/records/{record}/answers", data=creatinine("212")).status_code == 303
    assert last(client, record).version == 2


SIGN = {"kind": "sign", "code": "HP:0100518", "label": "dysurie", "value": "absent", "day": "2026-11-20"}


@pytest.mark.parametrize("second", [SIGN, creatinine("212"), {"kind": "birth-date", "value": "1990-01-01"}])
def test_in_a_phenopacket_too_a_second_tab_s_value_is_never_taken_for_the_first_tab_s(client, second):
    """A phenopacket holds signs before measurements: what was added is not what comes last in its R4 view."""
    packet = {
        "id": "k",
        "subject": {"id": "p1", "sex": "FEMALE"},
        "phenotypicFeatures": [{"type": {"id": "HP:0001166", "label": "Arachnodactyly"}}],
        "metaData": {"created": "2026-01-01T00:00:00Z", "createdBy": "t", "resources": []},
    }
    record = bring(client, json.dumps(packet))
    client.post(f"/records/{record}/answers", data=creatinine("90"))
    late = client.post(f"/records/{record}/answers", data=second | {"version": "1"}, headers=HTMX)
    assert late.status_code == 409
    assert client.post(f"/records/{record}/answers", data=second | {"version": "2"}).status_code == 303
    assert last(client, record).version == 3
    assert client.post(f"/records/{record}/answers", data=second | {"version": "2"}).status_code == 303
    assert last(client, record).version == 3


def test_birth_date_and_sex_are_filled_into_the_patient_and_nothing_else_changes(client):
    record = bring(client, bundle(measured(212.50)))
    client.post(f"/records/{record}/answers", data={"kind": "birth-date", "value": "1944-03-02", "version": "1"})
    client.post(f"/records/{record}/answers", data={"kind": "sex", "value": "male", "version": "2"})
    kept = document(client, record)
    assert kept["entry"][0]["resource"] == {
        "resourceType": "Patient",
        "id": "p1",
        "gender": "male",
        "name": [{"text": "Zélie Marqueur"}],
        "birthDate": "1944-03-02",
    }
    assert kept["entry"][1:] == json.loads(bundle(measured(212.5)))["entry"][1:]


def test_a_finding_is_done_then_taken_up_again(client):
    record = bring(client, bundle(measured(212)))
    page = client.get(f"/records/{record}").text
    fields = {"finding": finding_key(page), "assessment": last(client, record).id}
    done = client.post(f"/records/{record}/decisions", data=fields | {"action": "done"})
    assert done.status_code == 303
    page = client.get(done.headers["location"]).text
    assert "Tout est traité." in page
    assert re.search(r"<strong>Fait</strong> 24/11/2026, Personne \d+", page)
    client.post(f"/records/{record}/decisions", data=fields | {"action": "reopened"})
    assert "À voir" in client.get(f"/records/{record}").text


def test_a_decision_is_dated_by_the_day_where_the_lab_is(client, clock):
    clock.forward(hours=14, minutes=30)  # 23:30 in London, half past midnight in Paris
    owner = signed_in(client, "professional")
    record = bring(client, bundle(measured(212)))
    fields = {"finding": finding_key(client.get(f"/records/{record}").text), "assessment": last(client, record).id}
    client.post(f"/records/{record}/decisions", data=fields | {"action": "done"})
    said = f"<strong>Fait</strong> 25/11/2026, {owner.display_name}"
    assert said in client.get(f"/records/{record}").text
    assert "25/11/2026, " + owner.display_name in client.get(f"/records/{record}/history").text
    assert said in client.get(f"/records/{record}/assessments/{last(client, record).id}").text


def test_a_finding_is_dismissed_with_a_reason_and_never_without(client):
    record = bring(client, bundle(measured(212)))
    fields = {"finding": finding_key(client.get(f"/records/{record}").text), "assessment": last(client, record).id}
    fields["action"] = "dismissed"
    for lacking in ({}, {"reason": "nonsense"}, {"reason": "other"}):
        assert client.post(f"/records/{record}/decisions", data=fields | lacking).status_code == 422
    assert "À voir" in client.get(f"/records/{record}").text
    client.post(f"/records/{record}/decisions", data=fields | {"reason": "known", "words": "vu par le néphrologue"})
    assert "déjà connu et pris en compte\u202f: vu par le néphrologue" in client.get(f"/records/{record}").text


def test_a_dismissed_finding_that_says_something_else_is_open_again_and_tells_of_the_decision(client):
    record = bring(client, bundle(measured(212)))
    fields = {"finding": finding_key(client.get(f"/records/{record}").text), "assessment": last(client, record).id}
    client.post(f"/records/{record}/decisions", data=fields | {"action": "dismissed", "reason": "known"})
    client.post(f"/records/{record}/answers", data=creatinine("400", day="2026-11-23"))
    page = client.get(f"/records/{record}").text
    assert "400 µmol/L" in page
    assert "Ce constat a changé depuis." in page
    assert "À voir" in page


def test_a_decision_about_a_finding_that_is_not_in_the_assessment_is_refused(client):
    record, other = bring(client, bundle(measured(212))), bring(client, bundle(measured(300)))
    key = finding_key(client.get(f"/records/{record}").text)
    mine, theirs = last(client, record).id, last(client, other).id
    for finding, assessment in ((f"{key}x", mine), (key, theirs), (key, "0" * 32)):
        fields = {"finding": finding, "assessment": assessment, "action": "done"}
        assert client.post(f"/records/{record}/decisions", data=fields).status_code == 404


def test_the_next_day_the_record_is_assessed_again_and_the_first_report_stays(client, clock):
    record = bring(client, bundle(measured(212)))
    first = last(client, record)
    clock.forward(days=1)
    signed_in(client, "professional", person=_owner(client, record))
    client.get(f"/records/{record}")
    assert last(client, record).on.isoformat() == "2026-11-25"
    shown = client.get(f"/records/{record}/assessments/{first.id}").text
    assert "Rapport du 24/11/2026" in shown
    assert "Revenir à aujourd&#39;hui" in shown
    assert "<form" not in shown[shown.index('<div id="desk"') : shown.index("</aside>")]


def test_looking_twice_the_same_day_assesses_once_and_is_in_the_audit_log(client):
    record = bring(client)
    client.get(f"/records/{record}")
    client.get(f"/records/{record}")
    assert actions(client, record) == ["upload", "assessment", "access", "access"]


def test_exports_give_fhir_json_and_the_record_to_the_byte_without_a_name_in_theirs(client):
    text = bundle(measured(7.10)).replace("7.1", "7.10")
    record = bring(client, text)
    fhir = client.get(f"/records/{record}/export/fhir")
    assert fhir.headers["content-type"].startswith("application/fhir+json")
    outputs.validate(fhir.json())
    report = client.get(f"/records/{record}/export/json").json()
    assert report["reports"][0]["findings"][0]["solution"] == "renal"
    kept = client.get(f"/records/{record}/export/record")
    assert kept.text == text
    for answer in (fhir, kept):
        assert "Marqueur" not in answer.headers["content-disposition"]
        assert answer.headers["content-disposition"].startswith("attachment")
    assert actions(client, record)[-3:] == ["export"] * 3
    assert client.get(f"/records/{record}/export/pdf").status_code == 404


def test_nothing_of_the_record_is_in_the_audit_log(client):
    record = bring(client, bundle(measured(212.75)))
    fields = {"finding": finding_key(client.get(f"/records/{record}").text), "assessment": last(client, record).id}
    client.post(f"/records/{record}/decisions", data=fields | {"action": "asked", "words": "Marqueur secret"})
    client.post(f"/records/{record}/answers", data=creatinine("313.25"))
    from lab39.store import audit

    with house_of(client).store.reading() as tx:
        written = "".join(str(entry.about) for entry in audit.entries(tx))
    for marked in ("Marqueur", "secret", "212", "313.25", "Zélie", fields["finding"]):
        assert marked not in written


def test_somebody_else_s_record_does_not_exist(client):
    record = bring(client)
    signed_in(client, "professional")
    for path in ("", "/history", "/compare", "/export/fhir"):
        assert client.get(f"/records/{record}{path}").status_code == 404
    for path, fields in (
        ("answers", creatinine()),
        ("decisions", {"action": "done"}),
        ("title", {}),
        ("delete", {"sure": "yes"}),
    ):
        assert client.post(f"/records/{record}/{path}", data=fields).status_code == 404


def test_who_may_read_sees_no_field_and_cannot_fill_in(client):
    record = bring(client)
    owner, reader = _owner(client, record), new_person(client, "professional")
    here = house_of(client)
    with here.store.writing() as tx:
        access.grant(tx, record, reader.id, Level.READ, by=owner.id, at=here.now())
    signed_in(client, person=reader)
    page = client.get(f"/records/{record}").text
    assert "Vous pouvez lire ce dossier" in page
    assert 'name="value"' not in page
    assert client.post(f"/records/{record}/answers", data=creatinine()).status_code == 403


def test_a_phenopacket_stays_a_phenopacket_when_something_is_filled_in(client):
    record = bring(client, example="adult-attacks")
    for fields in (
        creatinine("95"),
        {
            "kind": "sign",
            "code": "HP:0100518",
            "label": "Dysuria",
            "value": "absent",
            "day": "2026-11-20",
            "version": "2",
        },
        {"kind": "birth-date", "value": "1995-01-31", "version": "3"},
    ):
        assert client.post(f"/records/{record}/answers", data=fields).status_code == 303
    packet = document(client, record)
    assert "resourceType" not in packet
    assert packet["measurements"][-1]["value"]["quantity"] == {
        "unit": {"id": "UCUM:umol/L", "label": "umol/L"},
        "value": 95,
    }
    assert packet["phenotypicFeatures"][-1] == {"type": {"id": "HP:0100518", "label": "Dysuria"}, "excluded": True}
    assert packet["subject"]["dateOfBirth"] == "1995-01-31T00:00:00Z"
    bound = client.post(f"/records/{record}/answers", data=creatinine("<5", version=4))
    assert bound.status_code == 422


def test_a_bound_is_kept_as_a_bound(client):
    record = bring(client)
    client.post(f"/records/{record}/answers", data=creatinine("<27"))
    assert document(client, record)["entry"][-1]["resource"]["valueQuantity"]["comparator"] == "<"


def test_two_assessments_are_compared_and_the_history_says_what_came_in(client):
    record = bring(client)
    client.post(f"/records/{record}/answers", data=creatinine("212"))
    compared = client.get(f"/records/{record}/compare").text
    assert "réduire la dose de moitié" in compared
    assert "+ créatinine 212\u202fµmol/L (20/11/2026)" in compared
    history = client.get(f"/records/{record}/history").text
    assert "+ créatinine 212\u202fµmol/L (20/11/2026)" in history
    assert "le document tel qu&#39;il est venu" in history
    assert actions(client, record)[-2:] == ["access", "access"], "who looked at what a record held is known"


def _owner(client, record):
    from lab39.store import people

    with house_of(client).store.reading() as tx:
        return people.get(tx, records.get(tx, record).owner_id)


def test_a_file_s_name_is_in_letters_that_every_system_takes():
    assert downloads.stem("Mésange 0042") == "lab39-mesange-0042"


def test_what_came_into_a_record_is_told_in_the_reader_s_language(client):
    record = bring(client)
    client.post(f"/records/{record}/answers", data=SIGN | {"version": "1"})
    client.post(f"/records/{record}/answers", data={"kind": "sex", "value": "male", "version": "2"})
    french = client.get(f"/records/{record}/history").text
    assert "+ dysurie absent (20/11/2026)" in french
    assert "+ sexe\u202f: homme" in french
    english = client.get(f"/records/{record}/history?lang=en").text
    assert "+ dysurie absent (20 Nov 2026)" in english
    assert "+ sex: male" in english
