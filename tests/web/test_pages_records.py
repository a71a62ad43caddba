"""What a person brings to the lab: one record, several, some unreadable; the list, the title, the end."""

from __future__ import annotations

import gzip
import io
import json
import zipfile

import pytest
from tests.web.desks import HTMX, actions, bring, bundle
from tests.web.people import house_of, signed_in
from tests.web.renal import renal_lab

from lab39.store import access, records


@pytest.fixture
def client(open_lab, settings):
    """A professional signed in."""
    opened = open_lab(lab=renal_lab(settings))
    signed_in(opened, "professional")
    return opened


def upload(client, name, content, **fields):
    return client.post("/records", files={"file": (name, content)}, data=fields)


def person(number):
    text = bundle().replace('"p1"', f'"p{number}"')
    assert json.loads(text)["entry"][0]["resource"]["id"] == f"p{number}"
    return text


def kept(client):
    here = house_of(client)
    with here.store.reading() as tx:
        owner = tx.exec_driver_sql("SELECT id FROM people").scalar_one()
        return [row.record for row in access.visible_to(tx, owner, at=here.now())]


def test_an_empty_desk_says_what_to_do_first(client):
    page = client.get("/records").text
    assert "Aucun dossier pour l&#39;instant" in page
    assert 'type="file"' in page


def test_a_file_is_kept_to_the_byte_and_its_report_opens(client):
    text = "\ufeff" + bundle().replace("{", "{ \r\n", 1)
    answer = upload(client, "ma fiche.json", text.encode(), title="suivi de mars")
    assert answer.status_code == 303
    (stored,) = kept(client)
    assert answer.headers["location"] == f"/records/{stored.id}?said=added"
    with house_of(client).store.reading() as tx:
        assert records.version(tx, stored.id).document == text
    assert "Dossier enregistré et évalué" in client.get(answer.headers["location"]).text
    listed = client.get("/records").text
    assert "suivi de mars" in listed
    assert stored.pseudonym in listed
    assert "Marqueur" not in listed
    assert actions(client, stored.id)[:2] == ["upload", "assessment"]


def test_a_lab_brings_many_and_those_that_cannot_be_read_are_told_with_their_line(client):
    lines = "\n".join([person(1), "{ broken", person(2), '{"resourceType": "Bundle", "entry": []}'])
    answer = upload(client, "population.ndjson", lines.encode())
    assert answer.status_code == 200
    assert "2 dossiers enregistrés et évalués, 2 refusés" in answer.text
    assert "population.ndjson:2" in answer.text
    assert "population.ndjson:4" in answer.text
    assert len(kept(client)) == 2


def test_archives_are_read_by_the_reader_that_knows_their_traps(client):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.json", person(1))
        archive.writestr("b.json", person(2))
    assert "2 dossiers enregistrés" in upload(client, "deux.zip", packed.getvalue()).text
    assert upload(client, "un.json.gz", gzip.compress(person(3).encode())).status_code == 303
    bomb = gzip.compress(b'{"resourceType": "Bundle", "entry": [' + b" " * 50_000_000 + b"]}")
    answer = upload(client, "bombe.json.gz", bomb)
    assert answer.status_code == 422
    assert "200 fois sa taille" in answer.text
    assert "lab39-" not in answer.text[answer.text.index("bring-wrong") :][:300]
    assert len(kept(client)) == 3


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("vide.json", b"", "fichier est vide"),
        ("blanc.json", b"  \n ", "fichier est vide"),
        ("coupe.json", b'{"resourceType": "Bundle", "entry": [', "tronqué"),
        ("image.png", b"\x89PNG\r\n\x1a\n....", "une image"),
        ("liste.json", b"[1, 2]", "objet JSON est attendu"),
        ("double.json", b'{"a": 1, "a": 2}', "donnée deux fois"),
        ("nan.json", b'{"resourceType": "Bundle", "entry": [], "x": NaN}', "ne sont pas du JSON"),
        ("profond.json", b'{"a":' * 200 + b"1" + b"}" * 200, "niveaux imbriqués"),
    ],
)
def test_what_cannot_be_read_is_told_in_place_and_nothing_is_kept(client, name, content, said):
    answer = upload(client, name, content)
    assert answer.status_code == 422
    assert 'id="bring-wrong" role="alert"' in answer.text
    assert said in answer.text
    assert kept(client) == []


def test_too_much_is_refused_before_it_is_read_whole(open_lab, settings):
    client = open_lab(lab=renal_lab(settings), max_bytes=2_000)
    signed_in(client, "professional")
    for headers in ({}, HTMX):
        answer = client.post("/records", files={"file": ("a.json", b" " * 5_000)}, headers=headers)
        assert answer.status_code == 413
        assert "refusé" in answer.text
    assert answer.headers["hx-retarget"] == "#said"
    assert "<html" not in answer.text
    assert kept(client) == []


def test_more_records_than_one_upload_takes_keeps_none(client, monkeypatch):
    monkeypatch.setattr("lab39.web.desk.uploads.MOST", 3)
    answer = upload(client, "x.ndjson", "\n".join(map(person, range(4))).encode())
    assert answer.status_code == 413
    assert "Rien n&#39;a été enregistré" in answer.text
    assert kept(client) == []


def test_what_was_pasted_comes_back_when_it_cannot_be_read(client):
    answer = client.post("/records", data={"text": '{"resourceType": ', "title": "essai"})
    assert answer.status_code == 422
    assert "{&#34;resourceType&#34;: </textarea>" in answer.text
    assert 'value="essai"' in answer.text


def test_a_pasted_record_may_be_larger_than_a_field_usually_is(client):
    assert bring(client, bundle() + " " * 2_000_000)


def test_a_fictional_record_is_one_click(client):
    answer = client.post("/records", data={"example": "running-story"})
    assert answer.status_code == 303
    assert "Madeleine FICTIF-Ardenne" in client.get(answer.headers["location"]).text
    assert client.post("/records", data={"example": "nobody"}).status_code == 404


def test_the_same_upload_sent_again_opens_the_record_that_is_there(client):
    first = upload(client, "a.json", person(1).encode())
    again = upload(client, "a.json", person(1).encode())
    assert again.headers["location"] == first.headers["location"].replace("added", "known")
    assert len(kept(client)) == 1


def test_with_script_an_upload_leads_to_its_record(client):
    answer = client.post("/records", data={"example": "running-story"}, headers=HTMX)
    assert answer.status_code == 204
    assert answer.headers["hx-redirect"].startswith("/records/")


def test_records_are_found_by_title_or_pseudonym(client):
    record = bring(client, person(1), title="cent vingt")
    bring(client, person(2), title="autre")
    found = client.get("/records", params={"q": "VINGT"}).text
    assert f"/records/{record}" in found
    assert found.count('<li><a href="/records/') == 1
    assert "Aucun dossier ne porte ces mots" in client.get("/records", params={"q": "zzz"}).text


def test_a_long_list_has_pages(client, monkeypatch):
    monkeypatch.setattr("lab39.web.pages.records.PAGE", 2)
    for number in range(3):
        bring(client, person(number))
    assert "Plus anciens" in client.get("/records").text
    second = client.get("/records", params={"page": 2}).text
    assert second.count('<li><a href="/records/') == 1
    assert "Plus récents" in second


def test_a_record_is_renamed(client):
    record = bring(client)
    client.post(f"/records/{record}/title", data={"title": " à revoir "})
    assert "à revoir" in client.get("/records").text


def test_a_record_is_deleted_by_its_owner_who_means_it_and_the_log_keeps_that_it_was(client):
    record = bring(client)
    assert client.post(f"/records/{record}/delete").status_code == 422
    assert len(kept(client)) == 1
    gone = client.post(f"/records/{record}/delete", data={"sure": "yes"})
    assert "Dossier supprimé" in client.get(gone.headers["location"]).text
    assert kept(client) == []
    assert actions(client, record)[-1] == "delete"


def test_a_record_that_must_be_kept_is_not_deleted(client):
    record = bring(client)
    here = house_of(client)
    with here.store.writing() as tx:
        records.retain(tx, record, here.now().replace(year=2030))
    assert client.post(f"/records/{record}/delete", data={"sure": "yes"}).status_code == 422
    assert len(kept(client)) == 1


def test_a_database_that_fails_while_keeping_keeps_nothing(client, monkeypatch):
    from lab39.web.desk import keeping

    def full(*_, **__):
        raise RuntimeError("disk")

    monkeypatch.setattr(keeping.audit, "append", full)
    assert upload(client, "a.json", person(1).encode()).status_code == 500
    assert kept(client) == []


def test_a_visitor_is_asked_to_sign_in_and_comes_back(open_lab):
    answer = open_lab().get("/records?q=a")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/records%3Fq%3Da"


def test_a_refused_file_keeps_its_name_as_it_is_written_and_a_field_is_not_named_by_its_code(client):
    refused = upload(client, "dossier-bis.json", "[1]").text
    assert "dossier-bis.json\u202f: un objet JSON est attendu" in refused
    too_long = client.post("/records", data={"text": bundle(), "title": "x" * 201}).text
    assert "Un titre a au plus 200 caractères" in too_long
    assert "itle\u202f:" not in too_long


def test_a_record_that_is_not_there_is_told_in_words_without_its_identifier(client):
    lost = client.get("/records/" + "0" * 32)
    assert lost.status_code == 404
    main = lost.text[lost.text.index("<main") :]
    assert "Ce dossier n&#39;existe pas, ou ne vous est pas ouvert" in main
    assert "0" * 32 not in main
    assert 'href="/records"' in main
