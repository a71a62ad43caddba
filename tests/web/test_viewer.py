"""Who is looking."""

from __future__ import annotations

from tests.web.people import DOMAIN, signed_in


def test_a_signed_in_person_is_named_on_the_page(client):
    ana = signed_in(client, "professional")
    assert ana.display_name in client.get("/").text


def test_a_visitor_is_given_a_cookie_for_their_forms_and_keeps_it(client):
    first = client.get("/")
    assert "lab39_visitor" in first.cookies
    assert "lab39_visitor" not in client.get("/").cookies


def test_over_https_no_neighbour_sets_the_language_either(open_lab):
    client = open_lab(base_url="https://testserver")
    given = client.get("/lang/en").headers["set-cookie"]
    assert given.startswith("__Host-lab39_lang=en;")
    assert 'lang="en"' in client.get("/").text
    client.cookies.clear()
    client.cookies.set("lab39_lang", "en", domain=DOMAIN)
    assert '<html lang="fr">' in client.get("/").text
