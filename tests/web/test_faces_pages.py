"""A solution's own pages: in the house's layout, behind its guards, and never in its way."""

from __future__ import annotations

import re

import pytest
from starlette.testclient import TestClient
from tests.web.desks import HTMX
from tests.web.paged import Failing, Weighing
from tests.web.people import fields, house_of, signed_in

from lab39.core.lab import Lab
from lab39.core.solution import RESERVED_IDS, Solution
from lab39.core.text import Text
from lab39.store import audit, events, jobs
from lab39.web.faces.loading import first_segments


@pytest.fixture
def client(open_lab, settings) -> TestClient:
    opened: TestClient = open_lab(lab=Lab([Weighing(), Failing()], settings))
    return opened


def words(answer) -> str:
    found = re.search(r'<p id="words">(.*?)</p>', answer.text)
    assert found, answer.text
    return found[1]


# What is shown


def test_a_page_stands_in_the_layout_of_the_house_in_both_languages(client):
    french = client.get("/weighing", headers={"accept-language": "fr"})
    english = client.get("/weighing", headers={"accept-language": "en"})
    assert '<html lang="fr">' in french.text
    assert "<h1>Pesée</h1>" in french.text
    assert "Poids\u202f:" in french.text
    assert "<h1>Weighing</h1>" in english.text
    assert "not a medical device" in english.text
    assert "script-src 'self'" in french.headers["content-security-policy"]


def test_what_is_typed_is_shown_as_text(client):
    answer = client.get("/weighing/word/%3Cscript%3E")
    assert words(answer) == "&lt;script&gt;"


def test_its_style_comes_from_its_package(client):
    page = client.get("/weighing").text
    (address,) = re.findall(r'href="(/static/weighing/[^"]+)"', page)
    style = client.get(address)
    assert style.headers["content-type"].startswith("text/css")
    assert "max-age" in style.headers["cache-control"]
    assert client.get("/static/weighing/../pages.py").status_code == 404
    assert client.get("/static/weighing/%2e%2e/pages.py").status_code == 404


def test_htmx_is_given_the_part_and_the_address_that_shows_it_again(client):
    part = client.get("/weighing?weight=12", headers=HTMX)
    assert "<html" not in part.text
    assert '<p id="shown">' in part.text
    assert "12" in part.text
    assert part.headers["hx-push-url"] == "/weighing?weight=12"
    assert "next=/weighing%3Fweight%3D12" in part.text  # the link to the other language, renewed
    again = client.get("/weighing?weight=12", headers=HTMX | {"hx-history-restore-request": "true"})
    assert "<html" in again.text


def test_a_field_that_is_wrong_says_so_in_place(client):
    answer = client.get("/weighing?weight=lourd", headers={"accept-language": "fr"})
    assert answer.status_code == 422
    assert 'value="lourd" aria-invalid="true" aria-describedby="wrong-weight"' in answer.text
    assert '<p class="wrong" id="wrong-weight">Un nombre est attendu</p>' in answer.text
    assert answer.text.count("Un nombre est attendu") == 1


def test_an_error_that_no_field_of_what_is_shown_tells_is_told_at_the_top(client):
    part = client.get("/weighing?weight=lourd", headers=HTMX | {"accept-language": "en"})
    assert part.status_code == 422
    assert '<div id="said" hx-swap-oob="innerHTML"><p class="wrong">Weight: a number is expected</p>' in re.sub(
        r">\s+<", "><", part.text
    )


def test_a_form_and_its_files_are_read(client):
    sent = form(client, "/weighing/sent", {"words": " deux mots "}, files={"picture": ("a.png", b"12345")})
    assert words(sent) == "deux mots|5|a.png"


def form(client: TestClient, path: str, data: dict[str, str], **more):
    token = fields(client.get("/sign-in").text)["form_token"]
    return client.post(path, data={"form_token": token, **data}, **more)


def test_the_other_language_sends_the_form_again(client):
    sent = form(client, "/weighing/sent", {"words": "peu"})
    assert 'action="/weighing/sent?lang=en"' in sent.text
    carried = fields(sent.text)
    assert carried["words"] == "peu"
    english = client.post("/weighing/sent?lang=en", data=carried)
    assert '<html lang="en">' in english.text
    assert words(english) == "peu|-|"
    assert '<html lang="en">' in client.get("/weighing").text


def test_a_file_is_given_to_keep(client):
    answer = client.get("/weighing/table")
    assert answer.content == b"a;b\n"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''poids%20%C3%A9.csv"


# What is done


def test_what_is_assessed_is_in_the_audit_log(client):
    answer = client.get("/weighing/found")
    assert words(answer) == "[&#39;weighed&#39;, &#39;weighed&#39;] None"
    with house_of(client).store.reading() as tx:
        entries = audit.entries(tx, action="assessment")
    assert [entry.about["door"] for entry in entries] == ["weighing", "weighing"]
    assert entries[0].about["solutions"] == {"weighing": "7", "failing": "7"}


def test_what_is_written_is_kept_together_in_the_name_of_who_did_it(client):
    ana = signed_in(client, "professional")
    answer = client.post("/weighing/kept", data={})
    assert (answer.status_code, answer.headers["location"]) == (303, "/weighing/word/kept")
    here = house_of(client)
    with here.store.reading() as tx:
        (event,) = events.find(tx, topics=("weighing.*",))
        (job,) = jobs.find(tx)
        (entry,) = audit.entries(tx, action="weighing.kept")
    assert (event.topic, event.actor, event.at) == ("weighing.kept", ana.id, here.now())
    assert (job.kind, entry.actor) == ("weighing.later", ana.id)
    assert client.post("/weighing/kept", data={}, headers=HTMX).headers["hx-redirect"] == "/weighing/word/kept"


def test_of_a_form_that_is_refused_nothing_is_kept(client):
    signed_in(client, "professional")
    answer = client.post("/weighing/kept", data={"fail": "yes"})
    assert answer.status_code == 422
    with house_of(client).store.reading() as tx:
        assert events.find(tx) == ()
        assert jobs.find(tx) == ()
        assert audit.entries(tx, action="weighing.kept") == ()


# Who may


def test_a_page_opens_to_whom_its_permission_names(client):
    client.get("/sign-in")
    assert client.get("/weighing/kept").status_code == 405
    assert form(client, "/weighing/kept", {}).status_code == 401
    signed_in(client)
    assert client.post("/weighing/kept", data={}).status_code == 403


def test_a_form_without_its_token_is_refused(client):
    assert client.post("/weighing/sent", data={"words": "x"}).status_code == 403


# What fails


@pytest.mark.parametrize("path", ["raises", "overruns", "mistaken", "nothing"])
def test_a_page_that_fails_says_so_and_the_lab_goes_on(client, monkeypatch, path: str):
    if path == "overruns":
        monkeypatch.setattr(Failing, "time_limit_seconds", 0.3)
    answer = client.get(f"/failing/{path}", headers={"accept-language": "en"})
    assert answer.status_code == 500
    assert "Failing: this page could not be made" in answer.text
    assert "The rest of the lab works." in answer.text
    assert "Marqueur" not in answer.text
    assert client.get("/weighing").status_code == 200


def test_a_form_that_fails_says_to_look_before_it_is_sent_again(client):
    answer = form(client, "/failing/raises", {})
    assert "vérifier si ce qui a été envoyé est enregistré" in answer.text
    part = client.get("/failing/raises", headers=HTMX)
    assert part.headers["hx-retarget"] == "#said"


class Broken(Solution):
    id = "broken"
    title = Text("Cassée", "Broken")
    purpose = Text("Ne s'importe pas", "Does not import")
    version = "1"
    pages = "tests.web.not_there:pages"


def test_pages_that_do_not_load_are_told_on_their_address_and_beside_the_solution(open_lab, settings):
    opened = open_lab(lab=Lab([Broken(), Weighing()], settings))
    for path in ("/broken", "/broken/any/thing"):
        answer = opened.get(path, headers={"accept-language": "en"})
        assert answer.status_code == 500
        assert "Broken: this page could not be made" in answer.text
        assert "ModuleNotFoundError" in answer.text
    assert opened.get("/weighing").status_code == 200
    assert opened.get("/").status_code == 200


def test_a_solution_that_does_not_load_at_all_has_a_page_that_says_why(open_lab, settings):
    opened = open_lab(lab=Lab([], settings, {"gone": "ImportError: no such thing"}))
    answer = opened.get("/gone")
    assert answer.status_code == 500
    assert "ImportError: no such thing" in answer.text


# Where they are found


def test_the_front_page_and_the_showroom_lead_to_the_pages(client):
    home = client.get("/").text
    (tool,) = re.findall(r'<a href="/weighing">(.*?)</a>', home)
    assert re.findall(r">([^<]+)<", tool) == ["Balance", " ", "Peser quelque chose", " ", "Pesée"]
    room = client.get("/solutions/weighing").text
    assert '<a class="button" href="/weighing">Balance</a>' in room
    assert 'href="/weighing/found"' in room
    assert 'href="/weighing/table"' not in room
    assert 'href="/weighing/word' not in room


def test_every_address_of_the_lab_is_reserved(client):
    app = client.app
    own = {each for each in first_segments(app.routes) if re.fullmatch(r"[a-z0-9-]+", each)} - {
        "weighing",
        "failing",
    }
    assert own <= set(RESERVED_IDS)
