"""A pharmacist at the counter: a treatment typed and scanned, the server cut off, resumed, finished, exported."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.stories.serving import Served
from tests.web.test_pharmacy import picture

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
TREATMENT = "apixaban 5 mg 2 fois par jour\nibuprofène 400 mg 3 fois par jour\naspirine\nX de sodium"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("pharmacy") / "home")
    served.start()
    yield served
    served.kill()


def test_from_the_counter_to_the_export_with_the_server_cut_off_in_between(page: Page, lab: Served, tmp_path: Path):
    page.goto(f"{lab.url}/lang/fr?next=/solutions/pharmacy")
    page.get_by_role("link", name="Vérifier un traitement").first.click()
    page.get_by_label("Médicaments, un par ligne").fill(TREATMENT)
    page.get_by_role("button", name="Vérifier", exact=True).click()
    unknown = page.locator(".understood .unknown")
    expect(unknown).to_contain_text("X de sodium")
    expect(unknown).to_contain_text("n'est pas reconnu")
    card = page.locator("section.card.warning", has_text="Apixaban avec ibuprofène").first
    expect(card).to_contain_text("association déconseillée")
    card.get_by_text("Pourquoi").click()
    expect(card).to_contain_text("Thésaurus des interactions médicamenteuses, 2023-09, p. 21")

    lab.kill()
    lab.start()

    page.get_by_label("Médicaments, un par ligne").fill(TREATMENT.replace("X de sodium", "sertraline"))
    page.get_by_text("La personne", exact=False).first.click()
    page.get_by_label("Date de naissance").fill("1944-03-02")
    page.get_by_role("button", name="Vérifier", exact=True).click()
    expect(page.locator(".understood li")).to_have_count(4)
    expect(page.locator(".understood .unknown")).to_have_count(0)
    expect(page.get_by_label("Date de naissance")).to_have_value("1944-03-02")

    box = tmp_path / "box.png"
    box.write_bytes(picture("01034009494972941726113010ABC123"))
    page.locator("#scan").set_input_files(box)
    expect(page.get_by_label("Médicaments, un par ligne")).to_have_value(
        TREATMENT.replace("X de sodium", "sertraline") + "\n3400949497294"
    )

    with page.expect_download() as saved:
        page.get_by_role("button", name="Tableur").click()
    rows = list(csv.reader(io.StringIO(Path(saved.value.path()).read_text("utf-8-sig")), delimiter=";"))
    assert ["apixaban", "ibuprofène"] in [sorted(row[:2]) for row in rows]
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Interactions of a treatment")
    expect(page.locator("section.card", has_text="advised against").first).to_be_visible()


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_page_has_no_violation_empty_and_filled(page: Page, lab: Served, lang: str):
    page.goto(f"{lab.url}/lang/{lang}?next=/pharmacy")
    assert Axe().run(page).violations_count == 0
    page.get_by_role("button", name={"fr": "fictif", "en": "fictional"}[lang]).click()
    expect(page.locator(".understood li")).to_have_count(8)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing sticks out"


def test_without_a_script_the_form_is_sent_all_the_same(browser, lab: Served):
    context = browser.new_context(java_script_enabled=False, locale="fr-FR")
    page = context.new_page()
    page.goto(f"{lab.url}/pharmacy")
    page.locator("#lines").fill("warfarine\nmiconazole")
    page.locator("#check").click()
    expect(page.locator("section.card.critical")).to_contain_text("contre-indiqué")
    context.close()
