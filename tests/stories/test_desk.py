"""A professional at their desk, in a real browser: upload, report, why, a value, a decision, print, export; the
server killed in the middle; two tabs; no script."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from tests.stories.serving import Served

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
PATIENT = {"resourceType": "Patient", "id": "p1", "gender": "male", "name": [{"text": "Aimé FICTIF-Somme"}]}
SIGNS = ("HP:0001166", "HP:0001083", "HP:0002616")


def sign(code: str) -> dict[str, object]:
    coding = {"system": "http://human-phenotype-ontology.org", "code": code}
    subject = {"reference": "Patient/p1"}
    return {"resourceType": "Observation", "status": "final", "code": {"coding": [coding]}, "subject": subject}


RECORD = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [{"resource": PATIENT}, *({"resource": sign(code)} for code in SIGNS)],
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("desk") / "home")
    served.start()
    yield served
    served.kill()


@pytest.fixture
def desk(page: Page, lab: Served) -> Page:
    """A browser with somebody signed in."""
    page.context.add_cookies([{"name": "lab39_session", "value": lab.signed_in(), "url": lab.url}])
    page.set_default_timeout(20_000)
    page.goto(f"{lab.url}/lang/fr?next=/records")
    return page


def bring(page: Page, **changed: object) -> None:
    """Upload a record and see its report."""
    text = json.dumps(RECORD | changed, ensure_ascii=False).encode()
    page.set_input_files("#file", {"name": "dossier.json", "mimeType": "application/json", "buffer": text})
    page.get_by_role("button", name="Enregistrer et évaluer").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Aimé FICTIF-Somme")


def fill_creatinine(page: Page, value: str) -> None:
    """In the card that asks for it."""
    card = page.locator("section.card", has_text="Fonction rénale inconnue")
    card.get_by_label("Créatinine").fill(value)
    card.get_by_role("button", name="Ajouter").click()


def answered(page: Page) -> None:
    expect(page.locator("#said")).to_contain_text("recalculé")


def test_from_an_upload_to_a_printed_page_and_an_export(desk: Page, tmp_path: Path):
    bring(desk)
    expect(desk.locator("p.oneline")).to_contain_text("2 non évalués, faute de données")
    fill_creatinine(desk, "212,5")
    answered(desk)
    card = desk.locator("section.card.critical")
    expect(card).to_contain_text("réduire la dose de moitié")
    expect(card.locator(".tag")).to_have_text("nouveau")
    card.locator("details.why summary").click()
    expect(card.locator("p.source").first).to_contain_text("Guide for tests, 2026-01, p. 3")
    expect(card.locator("table.inputs")).to_contain_text("212 µmol/L")
    expect(desk.locator("aside")).to_contain_text("212,5\u202fµmol/L")
    card.get_by_role("button", name="Fait").click()
    expect(desk.locator("section.card.settled")).to_contain_text("Fait")
    desk.reload()
    expect(desk.locator("section.card.settled")).to_contain_text("Dr Anne Valois")

    desk.get_by_text("Exporter", exact=True).click()
    with desk.expect_download() as saved:
        desk.get_by_role("link", name="Constats en FHIR R4").click()
    assert saved.value.suggested_filename.startswith("lab39-")
    exported = json.loads(Path(saved.value.path()).read_text("utf-8"))
    assert exported["resourceType"] == "Bundle"
    assert "réduire la dose de moitié" in json.dumps(exported, ensure_ascii=False)

    desk.emulate_media(media="print")
    for hidden in ("header.bar", ".tools", ".acts", "#said"):
        assert desk.locator(f"{hidden}:visible").count() == 0
    expect(desk.locator(".signature")).to_be_visible()
    expect(desk.locator("p.source").first).to_be_visible()
    assert len(desk.pdf(format="A4")) > 10_000


def test_a_value_filled_in_keeps_the_place_the_drawers_and_the_focus(desk: Page):
    bring(desk)
    rare = desk.locator("section.card", has_text="Maladies rares")
    rare.locator("details.why summary").click()
    ask = rare.locator("form.fill").first
    ask.scroll_into_view_if_needed()
    top = rare.evaluate("e => e.getBoundingClientRect().top")
    ask.get_by_role("button", name="Présent").click()
    answered(desk)
    rare = desk.locator("section.card", has_text="Maladies rares")
    expect(rare.locator("details.why")).to_have_attribute("open", "")
    assert abs(rare.evaluate("e => e.getBoundingClientRect().top") - top) <= 2
    assert rare.evaluate("e => document.activeElement === e")
    assert "/records/" in desk.url


def test_what_was_typed_elsewhere_survives_an_answer(desk: Page):
    bring(desk)
    asked = desk.locator("aside details", has_text="Poids")
    asked.locator("summary").click()
    asked.locator("input[inputmode]").fill("71")
    fill_creatinine(desk, "90")
    answered(desk)
    asked = desk.locator("aside details", has_text="Poids")
    expect(asked).to_have_attribute("open", "")
    expect(asked.locator("input[inputmode]")).to_have_value("71")


def test_a_value_that_cannot_be_read_is_told_at_the_field_which_has_the_focus(desk: Page):
    bring(desk)
    fill_creatinine(desk, "beaucoup")
    field = desk.locator("section.card", has_text="Fonction rénale inconnue").get_by_label("Créatinine")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("beaucoup")
    expect(field).to_be_focused()
    expect(desk.get_by_role("alert")).to_contain_text("Un nombre est attendu")


def test_a_finding_is_dismissed_with_a_reason_by_the_keyboard_alone_and_taken_up_again(desk: Page):
    bring(desk)
    fill_creatinine(desk, "300")
    answered(desk)
    card = desk.locator("section.card.critical")
    card.get_by_text("Écarter…").focus()
    desk.keyboard.press("Enter")
    card.get_by_label("Raison").focus()
    desk.keyboard.type("sur")
    card.get_by_label("Précisions").focus()
    desk.keyboard.type("bilan demain")
    desk.keyboard.press("Enter")
    expect(desk.locator(".card.settled")).to_contain_text("surveillance en place\u202f: bilan demain")
    desk.get_by_role("button", name="Reprendre").click()
    expect(desk.locator("section.card.critical .acts")).to_be_visible()


def test_the_server_is_killed_in_the_middle_and_the_story_goes_on_where_it_was(desk: Page, lab: Served):
    bring(desk)
    fill_creatinine(desk, "212")
    answered(desk)
    where = desk.url
    card = desk.locator("section.card.critical")
    card.get_by_text("Écarter…").click()
    card.get_by_label("Raison").select_option(label="surveillance en place")
    card.get_by_label("Précisions").fill("Dr Roux, dialyse")
    lab.kill()
    card.get_by_role("button", name="Écarter ce constat").click()
    expect(desk.locator("#said")).to_contain_text("ne répond pas")
    expect(card.get_by_label("Précisions")).to_have_value("Dr Roux, dialyse")
    lab.start()
    card.get_by_role("button", name="Écarter ce constat").click()
    expect(desk.locator("#said")).to_contain_text("Constat écarté, avec sa raison")
    desk.goto(where)
    expect(desk.locator("section.card.critical")).to_contain_text("Dr Roux, dialyse")
    desk.get_by_role("link", name="Historique").click()
    expect(desk.get_by_role("heading", level=1)).to_have_text("Historique")
    expect(desk.locator("main")).to_contain_text("+ créatinine 212\u202fµmol/L")


def test_a_second_tab_is_told_and_one_click_adds_its_value_to_the_newer_version(desk: Page, browser: Browser):
    bring(desk)
    second = browser.new_page()
    second.context.add_cookies(desk.context.cookies())  # type: ignore[arg-type]
    second.goto(desk.url)
    fill_creatinine(desk, "90")
    answered(desk)
    fill_creatinine(second, "212")
    expect(second.locator("#conflict")).to_contain_text("212\u202fµmol/L")
    second.get_by_role("button", name="L'ajouter à la version actuelle").click()
    answered(second)
    expect(second.locator("#conflict")).to_have_count(0)
    second.close()


def test_the_language_changes_on_the_same_page(desk: Page):
    bring(desk)
    desk.get_by_role("link", name="English").click()
    expect(desk.locator("html")).to_have_attribute("lang", "en")
    expect(desk.get_by_role("heading", level=1)).to_contain_text("Aimé FICTIF-Somme")
    expect(desk.locator("section.card").first).to_contain_text(re.compile("Renal function|rare disease", re.I))


def test_without_script_every_form_works(browser: Browser, lab: Served):
    context = browser.new_context(java_script_enabled=False, locale="fr-FR")
    context.add_cookies([{"name": "lab39_session", "value": lab.signed_in(), "url": lab.url}])
    page = context.new_page()
    page.goto(f"{lab.url}/records")
    bring(page)
    fill_creatinine(page, "212")
    expect(page.locator("#said")).to_contain_text("Enregistré, le rapport est recalculé")
    card = page.locator("section.card.critical")
    card.get_by_role("button", name="Fait").click()
    expect(page.locator("section.card.settled")).to_contain_text("Fait")
    expect(page.get_by_role("button", name="Imprimer")).to_be_hidden()
    context.close()


@pytest.mark.parametrize(("lang", "scheme"), [("fr", "light"), ("en", "dark")])
def test_axe_finds_nothing_and_nothing_sticks_out_on_any_page_of_a_record(
    desk: Page, lab: Served, lang: str, scheme: str
):
    desk.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    bring(desk)
    fill_creatinine(desk, "212")
    answered(desk)
    record = desk.url.split("?")[0]
    desk.goto(f"{lab.url}/lang/{lang}?next=/records")
    for path in ("/records", record, f"{record}/history", f"{record}/compare"):
        desk.goto(path if path.startswith("http") else lab.url + path)
        for summary in desk.locator("main details > summary").all():
            summary.evaluate("e => { e.parentElement.open = true }")
        found = Axe().run(desk)
        assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
        assert desk.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
        for target in desk.locator(
            "main button:visible, main summary:visible, main input:visible, main select:visible"
        ).all():
            box = target.bounding_box()
            assert box is not None
            if target.get_attribute("type") != "checkbox":  # its label is the target
                assert box["height"] >= 44, target.evaluate("e => e.outerHTML")
