"""A pharmacist at the counter: from the search to the certificate, the server killed once; what is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.stories.serving import Served

from lab39.fhir import examples
from lab39.solutions.vaccination.products import find
from lab39.store import people, records, sessions
from lab39.store.people import Role

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("counter") / "home", "vaccination")
    served.start()
    yield served
    served.kill()


def signed_in(page: Page, lab: Served, document: str, title: str) -> None:
    """A pharmacist with one record of their own."""
    with lab.store() as store, store.writing() as tx:
        pharmacist = people.add(tx, name="Claire Morin", at=store.clock(), given=[Role.PROFESSIONAL])
        records.add(tx, document, owner=pharmacist.id, at=store.clock(), title=title)
        token = sessions.start(tx, pharmacist.id, at=store.clock())
    page.context.add_cookies([{"name": "lab39_session", "value": token, "url": lab.url}])


def scanned(name: str, expiry: str, lot: str) -> str:
    product = find(name).product
    assert product is not None
    return f"010{product.cip13[0]}17{expiry}10{lot}"


def answer_no(page: Page) -> None:
    for question in page.locator("fieldset.ask").all():
        question.locator("[value=no]").check()


def no_violation(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing sticks out"


def test_from_the_search_to_the_certificate_with_the_server_killed_in_between(page: Page, lab: Served):
    signed_in(page, lab, examples.example("insomniac-lorry-driver").document, "Dossier du chauffeur")
    page.goto(f"{lab.url}/lang/fr?next=/solutions/vaccination")
    page.get_by_role("link", name="Vacciner au comptoir").first.click()
    no_violation(page)
    page.get_by_label("Titre ou pseudonyme").fill("chauffeur")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Dossier du chauffeur").click()
    expect(page.locator(".short li")).to_contain_text([re.compile("coqueluche, polio")])
    no_violation(page)

    answer_no(page)
    page.get_by_label("Scanner le DataMatrix").fill(scanned("Repevax", "200131", "OLD1"))
    page.keyboard.press("Enter")
    verdict = page.locator("#verdict")
    expect(verdict).to_contain_text("Boîte périmée depuis le 31/01/2020")
    expect(page.get_by_role("button", name="Enregistrer")).to_have_count(0)
    no_violation(page)

    page.get_by_label("Scanner le DataMatrix").fill(scanned("Repevax", "391231", "NEW1"))
    page.keyboard.press("Enter")
    expect(page.get_by_label("Lot")).to_have_value("NEW1")
    expect(verdict).to_contain_text("Site d'injection à choisir")

    address = page.url
    lab.kill()
    lab.start()
    page.goto(address)
    expect(page.get_by_label("Lot")).to_have_value("NEW1")
    expect(page.locator("fieldset.ask [value=no]:checked")).to_have_count(3)

    page.get_by_label("Site").select_option("left-arm")
    page.get_by_role("button", name="Et si je le fais aujourd'hui").click()
    expect(verdict).to_contain_text("aucune dose connue, carnet perdu ou jamais vacciné, à demander")
    page.get_by_role("radio", name="Statut vaccinal inconnu, aucun document").check()
    page.get_by_role("button", name="Et si je le fais aujourd'hui").click()
    expect(verdict).to_contain_text("la dose peut être faite")
    expect(verdict).to_contain_text("Peut être prescrit et fait par un pharmacien")
    page.get_by_role("button", name="Enregistrer la dose faite").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dose enregistrée")
    expect(page.locator(".card.ok")).to_contain_text("NEW1")
    no_violation(page)
    with page.expect_download() as saved:
        page.get_by_role("link", name="Relevé de vaccination (PDF)").click()
    assert saved.value.suggested_filename == "releve-de-vaccination.pdf"

    page.go_back()
    expect(verdict).to_contain_text("Déjà fait aujourd'hui")
    expect(page.get_by_role("button", name="Enregistrer")).to_have_count(0)


def test_a_boy_of_16_who_was_never_vaccinated_gets_a_second_dose_two_months_later(page: Page, lab: Served):
    boy = {"resourceType": "Patient", "id": "p", "gender": "male", "birthDate": "2010-05-01"}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": boy}]}
    signed_in(page, lab, json.dumps(bundle), "Adolescent sans carnet")
    page.goto(f"{lab.url}/lang/fr?next=/vaccination/counter")
    page.get_by_role("link", name="Adolescent sans carnet").first.click()
    expect(page.get_by_role("radio", name="Pas encore demandé")).to_be_checked()
    answer_no(page)
    page.get_by_role("radio", name="Jamais vacciné contre la diphtérie, le tétanos et la polio").check()
    page.get_by_label("Scanner le DataMatrix").fill(scanned("Repevax", "391231", "NEW1"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio", name="Jamais vacciné")).to_be_checked()
    answer_no(page)  # with this box, no live vaccine is asked about any more
    page.get_by_label("Site").select_option("left-arm")
    page.get_by_role("button", name="Et si je le fais aujourd'hui").click()
    expect(page.locator("#verdict")).to_contain_text("la dose peut être faite")
    no_violation(page)
    page.get_by_role("button", name="Enregistrer la dose faite").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dose enregistrée")
    expect(page.locator(".later")).to_contain_text("coqueluche, polio")
    page.get_by_role("link", name="Faire une autre dose").click()
    expect(page.get_by_role("radio", name="Jamais vacciné")).to_have_count(0)  # the record says it now


def test_a_live_vaccine_is_refused_to_an_immunosuppressed_adult(page: Page, lab: Served):
    page.goto(f"{lab.url}/lang/en?next=/vaccination/counter?example=immunosuppressed-adult")
    page.get_by_label("Vaccine", exact=True).fill("M-M-RVaxPro")
    page.get_by_role("button", name="What if I give it today?").click()
    live = page.locator("fieldset.ask", has_text="Live vaccine. One of these situations?")
    expect(live).to_contain_text("Pregnancy")
    expect(live).not_to_contain_text("Weakened immunity")  # the record says it: it is not asked
    expect(page.locator("#verdict")).to_contain_text("do not give this dose")
    expect(page.locator("#verdict .stop").first).to_contain_text("Immunosuppression: no live vaccine")
    expect(page.locator("#verdict .stop a").first).to_have_attribute("href", re.compile("^https://"))
    no_violation(page)
