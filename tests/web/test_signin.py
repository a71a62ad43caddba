"""The door of the lab: passwords, the first manager, invitations, sessions."""

from __future__ import annotations

import re

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient
from tests.store.conftest import MovableClock
from tests.web.people import DOMAIN, fields, form, house_of, new_person, signed_in

from lab39.store import audit, credentials, people, sessions
from lab39.store.credentials import hash_password, set_password
from lab39.store.people import Role
from lab39.web.signin import codes

GOOD = "correct cheval agrafe"


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashing that costs nothing; its strength is tested with the store."""
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(credentials, "_hasher", lambda: hasher)


def with_password(client: TestClient, email: str = "ana@example.org", *roles: str, password: str = GOOD):
    """Somebody who signs in with a password."""
    person = new_person(client, *roles, name="Ana Roux", email=email)
    here = house_of(client)
    with here.store.writing() as tx:
        set_password(tx, person.id, hash_password(password), at=here.now())
    return person


def enter(client: TestClient, email: str = "ana@example.org", password: str = GOOD, **more: str):
    """Fill in the form of the door, as a browser does."""
    page = client.get("/sign-in")
    return client.post("/sign-in", data=fields(page.text) | {"email": email, "password": password} | more)


def told(client: TestClient, action: str) -> list[audit.Entry]:
    """What the audit log tells, latest first."""
    with house_of(client).store.reading() as tx:
        return list(audit.entries(tx, action=action))


def test_the_right_password_opens_a_session_and_the_log_tells(client):
    ana = with_password(client)
    response = enter(client)
    assert response.status_code == 303
    assert response.headers["location"] == "/records"
    assert "Ana Roux" in client.get("/account").text
    (entry,) = told(client, "sign-in")
    assert (entry.actor, entry.about) == (ana.id, {"with": "password"})


def test_the_cookie_of_a_session_is_out_of_reach_of_scripts_and_of_other_sites(client):
    with_password(client)
    cookie = next(c for c in enter(client).headers.get_list("set-cookie") if c.startswith("lab39_session="))
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_over_https_it_is_only_sent_over_https_and_no_neighbour_can_set_it(open_lab):
    client = open_lab(base_url="https://testserver")
    with_password(client)
    cookie = next(c for c in enter(client).headers.get_list("set-cookie") if "session" in c)
    assert cookie.startswith("__Host-lab39_session=")
    assert "Secure" in cookie
    tossed = client.cookies.get("__Host-lab39_session")
    client.cookies.clear()
    client.cookies.set("lab39_session", tossed, domain=DOMAIN)
    assert client.get("/account").status_code == 303, "a cookie without the prefix opens nothing over https"


def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client):
    with_password(client)
    wrong = enter(client, password="not the password")
    unknown = enter(client, email="ben@example.org")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace("ana@", "ben@") == unknown.text
    assert [e.about["why"] for e in told(client, "sign-in-refused")] == ["password", "password"]


def test_they_also_cost_the_same_work(client, monkeypatch):
    with_password(client)
    verified: list[str] = []
    real = credentials._hasher()

    class Counting:
        def verify(self, known: str, given: str) -> bool:
            verified.append(given)
            return bool(real.verify(known, given))

        def __getattr__(self, name: str):
            return getattr(real, name)

    credentials._nobody()
    monkeypatch.setattr(credentials, "_hasher", Counting)
    enter(client, password="not the password")
    enter(client, email="ben@example.org", password="not the password")
    assert len(verified) == 2


def test_the_token_changes_at_sign_in_and_the_one_before_is_worth_nothing(client):
    ana = with_password(client)
    signed_in(client, person=ana)
    before = client.cookies["lab39_session"]
    here = house_of(client)
    page = client.get("/account")
    client.post("/sign-in", data=fields(page.text) | {"email": "ana@example.org", "password": GOOD})
    assert client.cookies["lab39_session"] != before
    with here.store.reading() as tx:
        assert sessions.find(tx, before, at=here.now()) is None


def test_a_session_planted_in_the_browser_before_is_not_taken_over(client):
    with_password(client)
    client.cookies.set("lab39_session", "planted", domain=DOMAIN)
    enter(client)
    assert client.cookies["lab39_session"] != "planted"


def test_signing_out_ends_the_session_here_and_nowhere_else(open_lab):
    one, two = open_lab(), open_lab()
    ana = signed_in(one, "patient")
    signed_in(two, person=ana)
    token = one.cookies["lab39_session"]
    response = one.post("/sign-out")
    assert response.headers["location"] == "/sign-in?done=signed-out"
    assert "clear-site-data" in response.headers
    one.cookies.set("lab39_session", token, domain=DOMAIN)
    assert one.get("/account").status_code == 303
    assert two.get("/account").status_code == 200
    assert told(one, "sign-out")[0].subject == ana.id


def test_signing_out_everywhere_ends_every_session(open_lab):
    one, two = open_lab(), open_lab()
    signed_in(two, person=signed_in(one, "patient"))
    one.post("/account/sign-out-everywhere")
    assert two.get("/account").status_code == 303


def test_one_session_of_the_list_can_be_ended_and_nobody_elses(open_lab):
    one, two, other = open_lab(), open_lab(), open_lab()
    ana = signed_in(one, "patient")
    signed_in(two, person=ana)
    ben = signed_in(other, "patient")
    here = house_of(one)
    with here.store.reading() as tx:
        (theirs,) = sessions.of(tx, ben.id, at=here.now())
    one.post("/account/sessions/end", data={"session": theirs.token_sha256})
    assert other.get("/account").status_code == 200
    listed = fields(one.get("/account").text)["session"]
    one.post("/account/sessions/end", data={"session": listed})
    assert two.get("/account").status_code == 303
    assert one.get("/account").status_code == 200


def test_a_session_ends_after_half_an_hour_without_a_page(client, clock: MovableClock):
    signed_in(client, "patient")
    clock.forward(minutes=29)
    assert client.get("/account").status_code == 200
    clock.forward(minutes=29)
    assert client.get("/account").status_code == 200, "seen meanwhile"
    clock.forward(minutes=31)
    response = client.get("/account")
    assert response.headers["location"] == "/sign-in?next=/account"


def test_a_session_ends_after_twelve_hours_whatever_happens(client, clock: MovableClock):
    signed_in(client, "patient")
    for _ in range(35):
        clock.forward(minutes=20)
        client.get("/account")
    assert client.get("/account").status_code == 200
    clock.forward(minutes=21)
    assert client.get("/account").status_code == 303


def test_after_signing_in_one_is_where_one_wanted_to_go(client):
    with_password(client)
    link = client.get("/account").headers["location"]
    assert fields(client.get(link).text)["next"] == "/account"
    assert enter(client, next="/account").headers["location"] == "/account"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "evil",
    ],
)
def test_but_never_on_another_site(client, elsewhere: str):
    with_password(client)
    assert fields(client.get("/sign-in", params={"next": elsewhere}).text)["next"] == ""
    assert enter(client, next=elsewhere).headers["location"] == "/records"
    assert client.get("/sign-in", params={"next": elsewhere}).headers["location"] == "/records"


def test_a_line_break_in_what_is_asked_for_makes_no_header(client):
    with_password(client)
    response = enter(client, next="/records\r\nset-cookie: lab39_session=planted")
    assert response.headers["location"] == "/records"
    assert not any("planted" in value for value in response.headers.values())


def test_no_secret_stands_in_an_address_or_in_what_follows_it(client):
    with_password(client)
    response = enter(client)
    token = client.cookies["lab39_session"]
    assert token not in str(response.url) + response.headers["location"]
    assert GOOD not in client.get("/account").text


# The first manager


def start(client: TestClient, code: str, **more: str):
    """Fill in the form of the first account."""
    page = client.get("/sign-in")
    given = {"code": code, "name": "Gaël Petit", "email": "gael@example.org", "password": GOOD}
    return client.post("/sign-in/first", data=fields(page.text) | given | more)


def code_of(client: TestClient) -> str:
    here = house_of(client)
    return codes.first_code(here.secret, here.now())


def test_an_empty_lab_is_opened_by_the_code_of_its_console_and_only_once(open_lab):
    client, second = open_lab(), open_lab()
    assert "/sign-in/first" in client.get("/sign-in").text
    code = code_of(client)
    assert start(client, code).headers["location"] == "/people"
    assert client.get("/people").status_code == 200
    assert "/sign-in/first" not in second.get("/sign-in").text
    assert start(second, code, email="eve@example.org").status_code == 401
    with house_of(client).store.reading() as tx:
        (only,) = people.everyone(tx)
    assert only.roles == {Role.MANAGER}


def test_nobody_registers_without_the_code(client):
    for wrong in ("", "AAAAA-AAAAA-AAAAA-AAAAA", code_of(client)[:-1]):
        assert start(client, wrong).status_code == 401
    with house_of(client).store.reading() as tx:
        assert people.everyone(tx) == ()


def test_the_code_is_typed_as_one_likes_and_lasts_until_the_next_day(client, clock: MovableClock):
    code = code_of(client)
    clock.forward(days=1)
    assert start(client, code.lower().replace("-", " ")).status_code == 303


def test_but_not_the_day_after(client, clock: MovableClock):
    code = code_of(client)
    clock.forward(days=2)
    assert start(client, code).status_code == 401


def test_a_weak_password_is_told_in_place_and_nothing_is_made(client):
    page = start(client, code_of(client), password="short")
    assert page.status_code == 422
    assert "12" in page.text
    assert "gael@example.org" in page.text, "what was typed stays"
    with house_of(client).store.reading() as tx:
        assert people.everyone(tx) == ()


@pytest.mark.parametrize(
    "easy",
    [
        "gael petit 2026",
        "Gaël-Petit-123456",
        "azertyuiop123456",
        "motdepasse lab39",
        "password1234567",
        "GAEL@example.org",
        "liverpool2024",
        "chocolate123!",
        "qwertyuiop789",
        "1qaz2wsx3edc4rfv",
    ],
)
def test_a_long_password_that_is_easy_to_guess_is_refused(client, easy: str):
    page = start(client, code_of(client), password=easy)
    assert page.status_code == 422
    assert "deviner" in page.text


def test_such_words_may_stand_beside_others(client):
    long = "le soleil de Gaël mange 39 prunes, " * 5
    assert start(client, code_of(client), password=long).status_code == 303


def test_browsers_are_told_to_keep_to_https_once_they_came_by_it(open_lab, client):
    assert "strict-transport-security" not in client.get("/").headers
    said = open_lab(base_url="https://testserver").get("/").headers["strict-transport-security"]
    assert said == "max-age=31536000; includeSubDomains"


# Invitations


@pytest.fixture
def manager(client: TestClient) -> TestClient:
    signed_in(client, "manager")
    return client


def invite(manager: TestClient, email: str = "ben@example.org", *roles: str) -> str:
    """Invite somebody through the page; the code of the link."""
    data = {"name": "Ben Roy", "email": email, "role": list(roles or ("professional",))}
    page = manager.post("/people", data=data)
    found = re.search(r"/invitation#([\w-]+)", page.text)
    assert found, page.text
    return found[1]


def accept(browser: TestClient, code: str, password: str = GOOD):
    page = browser.get("/invitation")
    return browser.post("/invitation", data=fields(page.text) | {"code": code, "password": password})


def test_an_invitation_opens_an_account_once(manager, open_lab):
    code = invite(manager)
    ben = open_lab()
    assert accept(ben, code).status_code == 303
    assert "Ben Roy" in ben.get("/account").text
    assert accept(open_lab(), code, "another long password").status_code == 422
    ben.post("/sign-out", data=fields(ben.get("/account").text))
    assert enter(ben, "ben@example.org").status_code == 303


def test_it_expires(manager, open_lab, clock: MovableClock):
    code = invite(manager)
    clock.forward(hours=72)
    assert accept(open_lab(), code).status_code == 422


def test_a_changed_invitation_is_worth_nothing(manager, open_lab):
    code = invite(manager)
    for wrong in ("", "x", code[:-1], code[:-2] + ("AA" if code[-2:] != "AA" else "BB"), "A" * len(code), "é"):
        assert accept(open_lab(), wrong).status_code == 422


def test_it_dies_with_the_person(manager, open_lab):
    from lab39.store import privacy

    code = invite(manager)
    here = house_of(manager)
    with here.store.reading() as tx:
        ben = people.by_email(tx, "ben@example.org")
    privacy.erase_person(here.store, ben.id)
    assert accept(open_lab(), code).status_code == 422


def test_an_invitation_of_somebody_who_is_here_replaces_a_forgotten_password(manager, open_lab):
    ben = with_password(manager, "ben@example.org")
    elsewhere = open_lab()
    signed_in(elsewhere, person=ben)
    page = manager.post(f"/people/{ben.id}/invitation")
    code = re.search(r"/invitation#([\w-]+)", page.text)[1]
    browser = open_lab()
    assert accept(browser, code, "a new long password").status_code == 303
    assert elsewhere.get("/account").status_code == 303, "sessions of before are over"
    assert enter(open_lab(), "ben@example.org", GOOD).status_code == 401
    assert enter(open_lab(), "ben@example.org", "a new long password").status_code == 303


def test_the_code_goes_to_no_server_and_to_no_log(manager, open_lab):
    code = invite(manager)
    accept(open_lab(), code)
    with house_of(manager).store.reading() as tx:
        assert code not in str(audit.entries(tx))
    assert f"#{code}" in manager.post("/people", data={"name": "Z", "email": "z@example.org"}).text or code


# One's own account


def test_changing_the_password_needs_the_old_one_and_ends_the_other_sessions(client, open_lab):
    ana = with_password(client)
    signed_in(client, person=ana)
    other = open_lab()
    signed_in(other, person=ana)
    assert form(client, "/account/password", old="wrong password!", new="a new long password").status_code == 401
    before = client.cookies["lab39_session"]
    assert form(client, "/account/password", old=GOOD, new="a new long password").status_code == 303
    assert client.cookies["lab39_session"] != before
    assert client.get("/account").status_code == 200
    assert other.get("/account").status_code == 303


def test_changing_the_address_needs_the_password(client):
    ana = with_password(client)
    signed_in(client, person=ana)
    assert form(client, "/account/email", email="new@example.org", password="wrong").status_code == 401
    assert form(client, "/account/email", email="new@example.org", password=GOOD).status_code == 303
    with house_of(client).store.reading() as tx:
        assert people.get(tx, ana.id).email == "new@example.org"


def test_my_data_come_in_one_file_and_the_log_tells(client):
    import io
    import zipfile

    ana = signed_in(client, "patient")
    response = client.post("/account/export")
    assert response.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert ana.id in archive.read("data/person.ndjson").decode()
    assert [entry.subject for entry in told(client, "export")] == [ana.id]


def test_erasing_myself_needs_the_password_and_a_tick_and_is_final(client):
    ana = with_password(client)
    signed_in(client, person=ana)
    assert form(client, "/account/erase", password=GOOD).status_code == 422
    assert form(client, "/account/erase", password="wrong", sure="yes").status_code == 401
    response = form(client, "/account/erase", password=GOOD, sure="yes")
    assert response.headers["location"] == "/sign-in?done=erased"
    with house_of(client).store.reading() as tx:
        assert people.get(tx, ana.id).erased_at is not None
    client.headers.pop("x-form-token")
    assert enter(client).status_code == 401


def test_the_last_manager_cannot_leave_the_others_alone(client):
    ana = with_password(client, "ana@example.org", "manager")
    new_person(client, "patient")
    signed_in(client, person=ana)
    assert form(client, "/account/erase", password=GOOD, sure="yes").status_code == 422


def test_without_a_password_here_something_grave_needs_a_recent_sign_in(client, clock: MovableClock):
    signed_in(client, "patient")
    clock.forward(minutes=6)
    assert form(client, "/account/erase", sure="yes").status_code == 401
    signed_in(client, "patient")
    assert form(client, "/account/erase", sure="yes").status_code == 303


def test_consent_is_kept_with_its_wording_and_can_be_taken_back(client):
    from lab39.store import consents

    ana = signed_in(client, "patient")
    here = house_of(client)
    for given in ("yes", "no"):
        client.post("/account/consents", data={"purpose": "mail", "given": given})
        with here.store.reading() as tx:
            assert consents.has_consent(tx, ana.id, "mail", here.now()) is (given == "yes")
    with here.store.reading() as tx:
        assert [each.wording for each in consents.history(tx, ana.id)] == ["mail-2026-11", "mail-2026-11"]
    assert client.post("/account/consents", data={"purpose": "everything", "given": "yes"}).status_code == 404


def test_a_token_of_a_program_is_listed_and_revoked_by_its_owner_only(client, open_lab):
    import datetime as dt

    from lab39.store import tokens

    ana = signed_in(client, "professional")
    here = house_of(client)
    with here.store.writing() as tx:
        token, secret = tokens.add(tx, ana.id, name="Logiciel", lasts=dt.timedelta(days=1), at=here.now())
    page = client.get("/account").text
    assert "Logiciel" in page
    assert secret not in page
    eve = open_lab()
    signed_in(eve, "professional")
    assert eve.post("/account/tokens/revoke", data={"token": token.id}).status_code == 404
    assert client.post("/account/tokens/revoke", data={"token": token.id}).status_code == 303
    with here.store.reading() as tx:
        assert tokens.find(tx, secret, at=here.now()) is None


def test_a_token_of_a_program_opens_no_page(client):
    import datetime as dt

    from lab39.store import tokens

    ana = new_person(client, "manager")
    here = house_of(client)
    with here.store.writing() as tx:
        _, secret = tokens.add(tx, ana.id, name="Logiciel", lasts=dt.timedelta(days=1), at=here.now())
    bearer = {"authorization": f"Bearer {secret}"}
    assert client.get("/api/v1/records", headers=bearer).status_code == 200
    for path in ("/account", "/people", "/audit", "/records"):
        assert client.get(path, headers=bearer).status_code == 303


def test_the_language_of_a_person_follows_them(client):
    ana = signed_in(client, "patient")
    client.post("/account/profile", data={"name": ana.display_name, "lang": "en"})
    assert "My account" in client.get("/account").text


# Managers


def test_a_change_of_roles_ends_the_sessions_of_the_person_and_rotates_ones_own(manager, open_lab):
    browser = open_lab()
    ben = signed_in(browser, "patient")
    manager.post(f"/people/{ben.id}/roles", data={"role": ["professional"]})
    assert browser.get("/account").status_code == 303
    entries = told(manager, "role")
    assert {(e.subject, e.about["role"], e.about["given"]) for e in entries} == {
        (ben.id, "professional", True),
        (ben.id, "patient", False),
    }
    with house_of(manager).store.reading() as tx:
        me = sessions.find(tx, manager.cookies["lab39_session"], at=house_of(manager).now()).person_id
    before = manager.cookies["lab39_session"]
    manager.post(f"/people/{me}/roles", data={"role": ["manager", "expert"]})
    assert manager.cookies["lab39_session"] != before
    assert manager.get("/people").status_code == 200


def test_the_last_manager_keeps_the_role(manager):
    here = house_of(manager)
    with here.store.reading() as tx:
        me = sessions.find(tx, manager.cookies["lab39_session"], at=here.now()).person_id
    assert manager.post(f"/people/{me}/roles", data={"role": ["patient"]}).status_code == 422
    assert manager.get("/people").status_code == 200


def test_an_unknown_role_is_refused(manager):
    ben = new_person(manager, "patient")
    assert manager.post(f"/people/{ben.id}/roles", data={"role": ["root"]}).status_code == 422


def test_an_address_that_is_taken_is_told_in_place(manager):
    new_person(manager, email="ben@example.org")
    page = manager.post("/people", data={"name": "Ben", "email": "ben@example.org"})
    assert page.status_code == 422
    assert "utilisé par un autre compte" in page.text


def test_somebody_who_was_erased_is_nobodys_to_manage(manager):
    from lab39.store import privacy

    ben = new_person(manager)
    privacy.erase_person(house_of(manager).store, ben.id)
    for path in ("", "/roles", "/invitation", "/sign-out", "/erase"):
        call = manager.get if not path else manager.post
        assert call(f"/people/{ben.id}{path}").status_code == 404


def test_the_log_is_verified_and_its_head_given(manager):
    new_person(manager)
    manager.post("/people", data={"name": "Ben", "email": "ben@example.org"})
    head = manager.post("/audit/head")
    assert head.json()["head"]["size"] == 1
    assert "attachment" in head.headers["content-disposition"]
    assert "intact" in manager.post("/audit/verification").text
    page = manager.get("/audit", params={"who": "ben@example.org"})
    assert page.status_code == 200
    assert "Ben" in page.text


def test_the_log_shows_what_it_holds_in_short(manager):
    here, record = house_of(manager), "0123456789abcdef" * 2
    about = {
        "sha256": record * 2,
        "solutions": {"renal": "1", "skin": "2"},
        "compared": [record, "x"],
        "entries": 3,
    }
    with here.store.writing() as tx:
        audit.append(tx, at=here.now(), actor="", action="assessment", subject=record, about=about)
    page = manager.get("/audit").text
    assert "sha256\u202f: 0123456789ab…" in page
    assert "solutions\u202f: renal 1, skin 2" in page
    assert "compared\u202f: 0123456789ab…, x" in page
    assert "entries\u202f: 3" in page
    assert f'href="/audit?who={record}"' in page


def test_a_job_that_was_given_up_is_tried_again(manager):
    from lab39.store import jobs

    here = house_of(manager)
    with here.store.writing() as tx:
        job = jobs.add(tx, "test.kind", {}, at=here.now())
    assert "test.kind" in manager.get("/jobs").text
    assert manager.post(f"/jobs/{job.id}/cancel").status_code == 303
    assert manager.post(f"/jobs/{job.id}/cancel").status_code == 422
    assert manager.post(f"/jobs/{job.id}/retry").status_code == 303
    assert manager.post("/jobs/none/retry").status_code == 404
