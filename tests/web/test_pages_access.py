"""Who may see a record: the page, its forms, what each role sees, and that an access ends at once."""

from __future__ import annotations

import re

import pytest
from tests.web.desks import HTMX, actions
from tests.web.people import house_of, new_person, signed_in
from tests.web.renal import renal_lab
from tests.web.wards import Ward, said

from lab39.store import access, audit, consents, outbox, people, records, sessions, sharing
from lab39.store.access import Basis, Level
from lab39.store.people import Role
from lab39.web.pages.account import purposes
from lab39.web.viewer import SESSION_COOKIE

ROLES = ["patient", "student", "professional", "expert", "moderator", "manager"]


@pytest.fixture
def client(open_lab, settings):
    return open_lab(lab=renal_lab(settings))


@pytest.fixture
def ward(client) -> Ward:
    return Ward(client)


def level(ward: Ward, person) -> Level | None:
    here = house_of(ward.client)
    with here.store.reading() as tx:
        return access.level(tx, ward.record, person.id, at=here.now())


def test_a_record_that_nobody_else_sees_says_so(ward):
    page = ward.page("/access")
    assert "Dr Ana Valois" in page
    assert "Tient ce dossier" in page
    assert "Personne d'autre." in page
    assert "Personne d'autre que vous ne l'a ouvert." in page


def test_a_colleague_is_found_shared_with_and_the_page_says_why_until_when_and_on_whose_word(ward):
    found = said(ward.post("/access/search", who="roux"))
    assert re.search(rf'name="to" value="{ward.ben.id}" required checked', found)
    assert "ben@example.org" not in found
    assert ward.share(ward.ben, words="dose de metformine").headers["location"].endswith("?said=shared")
    page = ward.page("/access?said=shared")
    assert "Accès donné" in page
    for told in ("Ben Roux", "jusqu'au 31/01/2027", "donner un avis\u202f: dose de metformine"):
        assert told in page
    assert "La personne a donné son accord" in page
    assert "Ne l'a pas encore ouvert" in page
    assert level(ward, ward.ben) is Level.READ
    here = house_of(ward.client)
    with here.store.reading() as tx:
        (entry,) = audit.entries(tx, subject=ward.record, action="share")
    assert (entry.actor, entry.about["person"], entry.about["until"]) == (
        ward.ana.id,
        ward.ben.id,
        "2027-01-31T23:00:00+00:00",  # the end of that day in Paris
    )
    assert "metformine" not in str(entry.about)


def test_the_same_form_sent_twice_gives_one_access(ward):
    ward.share(ward.ben)
    assert ward.share(ward.ben).headers["location"].endswith("?said=same")
    assert actions(ward.client, ward.record).count("share") == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"to": ""}, "Choisir avec qui partager"),
        ({"level": "own"}, "Choisir ce que l'accès permet"),
        ({"purpose": ""}, "Dire à quoi sert cet accès"),
        ({"purpose": "other"}, "Dire ce but en quelques mots"),
        ({"purpose": "other", "words": "x" * 501}, "500 caractères au plus"),
        ({"until": "2026-11-23"}, "Cette date est déjà passée"),
        ({"until": "demain"}, "Une date est attendue, ou rien"),
        ({"until": "9999-12-31"}, "Une date est attendue, ou rien"),
        ({"basis": ""}, "Dire ce que la personne concernée a accepté"),
        ({"basis": "own"}, "Dire ce que la personne concernée a accepté"),
    ],
)
def test_what_is_not_right_is_told_at_its_field_and_what_was_chosen_stays(ward, change, told):
    answer = ward.share(ward.ben, who="roux", **change)
    assert answer.status_code == 422
    assert told in said(answer)
    assert 'role="alert"' in answer.text
    assert f'value="{ward.ben.id}" required checked' in answer.text
    assert level(ward, ward.ben) is None


def test_an_access_may_have_no_end_and_last_through_its_last_day(ward, clock):
    ward.share(ward.ben, until="")
    assert "sans date de fin" in ward.page("/access")
    ward.share(ward.ben, until="2026-11-24")
    clock.forward(hours=13)  # 23:00 in Paris
    assert level(ward, ward.ben) is Level.READ
    clock.forward(hours=1)
    assert level(ward, ward.ben) is None


def test_nobody_found_says_whom_one_may_look_for_and_looking_in_vain_slows_down(ward):
    hidden = new_person(ward.client, "patient", name="Paul Martin", email="paul@example.org")
    ward.be(ward.ana)
    assert "Personne ne répond à cette recherche" in said(ward.post("/access/search", who="martin"))
    assert "Paul Martin" in said(ward.post("/access/search", who="paul@example.org"))
    codes = [ward.post("/access/search", who=f"guess{n}@example.org").status_code for n in range(32)]
    assert codes[:29] == [200] * 29
    assert codes[-1] == 429
    assert ward.post("/access/search", who="paul@example.org").status_code == 429
    ward.be(hidden)
    assert ward.client.get("/records").status_code == 200, "nobody else waits for it"


def test_who_has_no_role_that_opens_records_is_not_found_and_not_shared_with(ward):
    firm = new_person(ward.client, "start-up", name="Roux et fils", email="fils@example.org")
    ward.be(ward.ana)
    assert "Roux et fils" not in said(ward.post("/access/search", who="fils@example.org"))
    assert "n'ouvre pas les dossiers" in said(ward.share(firm))
    assert level(ward, firm) is None


def test_a_role_that_is_taken_away_leaves_an_access_that_opens_nothing_and_the_page_says_so(ward):
    ward.give(ward.ben)
    with house_of(ward.client).store.writing() as tx:
        people.take_role(tx, ward.ben.id, Role.PROFESSIONAL)
    assert "cet accès n'ouvre rien" in ward.page("/access")


def test_a_withdrawn_access_ends_at_once_everywhere(ward):
    ward.give(ward.ben, Level.WRITE)
    ward.be(ward.ben)
    opened = ward.page()
    assert f'hx-get="/records/{ward.record}/watch"' in opened
    assert ward.client.get(f"/records/{ward.record}/watch").status_code == 200
    assessment = re.search(r'name="assessment" value="([0-9a-f]{32})"', opened)[1]
    ward.be(ward.ana)
    assert ward.withdraw(ward.ben).headers["location"].endswith("?said=withdrawn")
    assert ward.withdraw(ward.ben).headers["location"].endswith("?said=ended")
    ward.be(ward.ben)
    for path in ("", "/history", "/compare", "/access", "/watch", "/export/record", f"/assessments/{assessment}"):
        assert ward.client.get(f"/records/{ward.record}{path}").status_code == 404
    assert ward.record not in ward.client.get("/records").text
    assert ward.client.get(f"/api/v1/records/{ward.record}/document").status_code == 404


def test_an_open_tab_leaves_the_record_at_its_next_request_and_says_why(ward):
    ward.give(ward.ben, Level.WRITE)
    ward.be(ward.ana)
    ward.withdraw(ward.ben)
    ward.be(ward.ben)
    record = f"/records/{ward.record}"
    for answer in (
        ward.client.get(f"{record}/watch", headers=HTMX),
        ward.client.post(f"{record}/decisions", data={"action": "done"}, headers=HTMX),
    ):
        assert answer.status_code == 404
        assert answer.headers["hx-redirect"] == "/records?said=out-of-reach"
    assert "ne vous est plus accessible" in said(ward.client.get("/records?said=out-of-reach"))


def test_an_open_tab_that_asks_by_itself_keeps_no_session_open(ward, clock):
    ward.give(ward.ben)
    ward.be(ward.ben)
    token = ward.client.cookies[SESSION_COOKIE]
    for _ in range(5):
        clock.forward(minutes=5)
        assert ward.client.get(f"/records/{ward.record}/watch").status_code == 200
    clock.forward(minutes=6)
    with house_of(ward.client).store.reading() as tx:
        assert sessions.find(tx, token, at=clock()) is None


def test_the_owner_s_page_asks_nothing_by_itself(ward):
    for path in ("", "/history", "/compare", "/access"):
        assert "data-watch" not in ward.page(path)
    ward.give(ward.ben)
    ward.be(ward.ben)
    for path in ("", "/history", "/compare", "/access"):
        assert "data-watch" in ward.page(path)


def test_who_opened_it_how_often_and_when_is_shown_and_one_s_own_on_demand(ward, clock):
    ward.give(ward.ben)
    ward.be(ward.ben)
    for _ in range(3):
        clock.forward(minutes=1)
        ward.page()
    ward.client.get(f"/records/{ward.record}/export/record")
    ward.be(ward.ana)
    page = ward.page("/access")
    assert "A ouvert ce dossier 4 fois, la dernière le 24/11/2026 à 10:03" in page
    rows = re.findall(r"<tr><td class=\"when\">(.*?)</td><td>(.*?)</td><td>(.*?)</td></tr>", page)
    assert rows == [
        ("24/11/2026 à 10:03", "Ben Roux", "exporté"),
        ("24/11/2026 à 10:03", "Ben Roux", "ouvert, 3 fois ce jour"),
    ]
    assert ward.page("/access?own=true").count("<tr><td") == 3


def test_a_long_log_has_pages(ward, monkeypatch):
    monkeypatch.setattr("lab39.web.pages.access.PAGE", 2)
    ward.give(ward.ben)
    ward.be(ward.ben)
    for _ in range(3):
        ward.page()
    ward.be(ward.ana)
    more = re.search(r"access\?before=(\d+)", ward.page("/access"))
    assert more
    older = ward.page(f"/access?before={more[1]}")
    assert older.count("<tr><td") == 1
    assert "before=" not in older


def test_ended_accesses_stay_listed_with_who_ended_them(ward, clock):
    ward.share(ward.ben, until="2026-11-30")
    cleo, dan = (new_person(ward.client, "expert", name=name) for name in ("Cléo Petit", "Dan Morel"))
    ward.be(ward.ana)
    ward.share(cleo)
    ward.share(dan)
    ward.withdraw(cleo)
    clock.forward(minutes=1)
    ward.be(dan)
    assert ward.withdraw(dan).headers["location"] == "/records?said=given-up"
    clock.forward(days=7)
    ward.be(ward.ana)
    page = ward.page("/access")
    ended = page[page.index('id="ended"') :]
    assert "Accès terminés (3)" in ended
    assert re.findall(r"<strong>(.*?)</strong>", ended) == ["Ben Roux", "Dan Morel", "Cléo Petit"], "latest first"
    for how in ("à sa date", "par Dr Ana Valois", "rendu par cette personne"):
        assert how in ended


# What each role sees


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("given", list(Level))
def test_what_somebody_of_each_role_sees_of_a_record_that_is_shared_with_them(ward, role, given):
    other = new_person(ward.client, role, name="Cléo Petit")
    ward.give(ward.ben)
    ward.give(other, given)
    ward.be(other)
    desk, page = ward.page(), ward.page("/access")
    full, writes = given is Level.SHARE, given is not Level.READ
    assert ("Ben Roux" in page) is full, "the list is for those who may share"
    assert ("Partager" in page) is full
    assert ("Qui l'a ouvert" in page) is full
    assert "Rendre cet accès" in page
    assert "Dr Ana Valois" in page, "who keeps it is told to all"
    assert ("Demander…" in desk) is writes
    assert ("Quelqu'un d'autre du laboratoire" in desk) is full
    assert (">Partager</a>" in desk) is full
    assert ("Renommer" in ward.page("/history")) is writes
    assert "Supprimer ce dossier" not in ward.page("/history")
    assert "partagé avec vous" in said(ward.client.get("/records"))
    searched = ward.post("/access/search", who="roux").status_code
    assert searched == (200 if full else 403)
    assert ward.share(new_person(ward.client, "expert")).status_code == (303 if full else 403)
    assert ward.withdraw(ward.ben).status_code == (303 if full else 403)


@pytest.mark.parametrize("role", ROLES)
def test_what_the_owner_of_each_role_is_asked_before_they_share(client, role):
    ward = Ward(client, keeper=role)
    page = said(ward.post("/access/search", who="roux"))
    keeps_for_others = role in ("professional", "expert")
    assert ("Accord de la personne concernée" in page) is keeps_for_others
    assert ("C'est votre dossier" in page) is not keeps_for_others
    assert ward.share(ward.ben, basis="").status_code == (422 if keeps_for_others else 303)
    assert ward.share(ward.ben, basis="team").status_code == 303
    with house_of(client).store.reading() as tx:
        (given,) = access.of(tx, ward.record)
    assert given.basis is (Basis.TEAM if keeps_for_others else Basis.OWN)


@pytest.mark.parametrize("role", ["start-up"])
def test_a_role_that_opens_no_record_opens_none_that_is_shared_either(ward, role):
    other = new_person(ward.client, role)
    ward.give(other)
    ward.be(other)
    for path in ("", "/access", "/watch"):
        assert ward.client.get(f"/records/{ward.record}{path}").status_code == 403
    assert ward.client.get("/questions").status_code == 403


def test_a_manager_sees_nothing_of_it(ward):
    signed_in(ward.client, "manager")
    for path in ("", "/access", "/watch", "/history"):
        assert ward.client.get(f"/records/{ward.record}{path}").status_code == 404


# The person it is about


def test_a_patient_takes_their_consent_back_on_their_own_page_and_the_access_ends(ward):
    patient = new_person(ward.client, "patient", name="Zélie Marqueur")
    with house_of(ward.client).store.writing() as tx:
        tx.execute(records.records.update().values(subject_id=patient.id))
    ward.be(patient)
    assert "Partage d'un dossier" not in said(ward.client.get("/account"))
    ward.be(ward.ana)
    ward.share(ward.ben)
    ward.be(patient)
    assert "Partage d'un dossier qui me concerne" in said(ward.client.get("/account"))
    assert ward.client.post("/account/consents", data={"purpose": "share", "given": "no"}).status_code == 303
    assert level(ward, ward.ben) is None
    assert "Partage d'un dossier qui me concerne" in said(ward.client.get("/account")), "in the history"
    refused = ward.client.post("/account/consents", data={"purpose": "share", "given": "yes"})
    assert refused.status_code == 404, "it is given to whoever shares, not here"
    with house_of(ward.client).store.reading() as tx:
        assert [c.given for c in consents.history(tx, patient.id, "share")] == [True, False]


def test_the_words_of_the_consent_have_the_version_that_is_kept():
    (share,) = [each for each in purposes() if each.name == sharing.CONSENT]
    assert share.wording == sharing.WORDING


def test_an_erased_colleague_has_no_access_and_no_name(ward):
    from lab39.store.privacy import erase_person

    ward.give(ward.ben)
    erase_person(house_of(ward.client).store, ward.ben.id)
    page = ward.page("/access")
    assert "Ben Roux" not in page
    assert "Compte effacé" in page


def test_in_english(ward):
    ward.share(ward.ben, until="")
    page = ward.page("/access?lang=en")
    for told in (
        "Who may see this record",
        "May <strong>read</strong>, with no end; to: give advice",
        "The person agreed",
    ):
        assert told in page


def test_sharing_alone_writes_to_nobody(ward):
    ward.share(ward.ben)
    with house_of(ward.client).store.reading() as tx:
        assert outbox.find(tx) == ()
