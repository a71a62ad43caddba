"""A pharmacist and a child's booklet: doses typed one by one, the server cut off, resumed, explained, exported."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.solutions.vaccination.houses import bring
from tests.stories.serving import Served

from lab39.core.lab import Lab
from lab39.settings import Settings
from lab39.solutions.vaccination.solution import Vaccination

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def lab(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folders = sorted((shared / "vaccination").glob("cdsi-[0-9]*"))
    if not folders:
        pytest.skip("no CDSi supporting data among the shared data")
    served = Served(tmp_path_factory.mktemp("vaccination") / "home", "vaccination")
    bring(Lab([Vaccination()], Settings(home=served.home)), folders[-1])
    served.start()
    yield served
    served.kill()


def add(page: Page, vaccine: str, given: str) -> None:
    page.get_by_label("Vaccin", exact=True).fill(vaccine)
    page.get_by_label("Fait le").fill(given)
    page.get_by_role("button", name="Ajouter et voir").click()


def test_from_an_empty_page_to_the_export_with_the_server_cut_off_in_between(page: Page, lab: Served):
    page.goto(f"{lab.url}/lang/fr?next=/solutions/vaccination")
    page.get_by_role("link", name="Voir les vaccins d'une personne").first.click()
    page.get_by_label("Calendrier").select_option("cdsi")
    page.get_by_role("button", name="Changer").click()
    page.get_by_label("Date de naissance").fill("01/06/2025")
    page.get_by_label("Sexe").select_option("male")
    add(page, "146", "03/08/2025")
    kept = page.locator(".kept li")
    expect(kept).to_have_count(1)
    add(page, "146", "10/08/2025")
    expect(kept).to_have_count(2)
    expect(page.locator(".due li", has_text="Diphtérie, tétanos, coqueluche")).to_contain_text("à faire maintenant")
    second = page.locator(".ledger tbody tr", has_text="10/08/2025")
    expect(second).to_contain_text("ne compte pas")
    expect(second).to_contain_text("Trop tôt après la dose précédente")

    address = page.url
    lab.kill()
    lab.start()
    page.goto(address)

    expect(kept).to_have_count(2)
    add(page, "147 bis", "2025")
    expect(page.locator("#unused ~ .rows")).to_contain_text("147 bis, 2025")
    page.get_by_role("button", name="Retirer : 147 bis").click()
    expect(kept).to_have_count(2)
    expect(page.get_by_label("Date de naissance")).to_have_value("2025-06-01")

    page.get_by_role("link", name="Pourquoi : Diphtérie, tétanos, coqueluche").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Diphtérie, tétanos, coqueluche")
    dose = page.locator("details", has_text="10/08/2025").first
    dose.locator("summary").click()
    expect(dose).to_contain_text("TABLE 6-18")
    expect(dose).to_contain_text("non, trop tôt après la dose précédente")
    why = page.url
    lab.kill()
    lab.start()
    page.goto(why)
    expect(page.get_by_role("heading", level=1)).to_have_text("Diphtérie, tétanos, coqueluche")
    page.get_by_role("link", name="Retour aux vaccins").click()

    with page.expect_download() as saved:
        page.get_by_role("link", name="Tableur (CSV)").click()
    rows = list(csv.reader(io.StringIO(Path(saved.value.path()).read_text("utf-8-sig")), delimiter=";"))
    assert sorted(row[2:4] for row in rows if row[0] == "dose") == [
        ["2025-08-03", "compte"],
        ["2025-08-10", "ne compte pas"],
    ]
    with page.expect_download() as saved:
        page.get_by_role("link", name="JSON").click()
    assert "DTaP/Tdap/Td" in json.loads(Path(saved.value.path()).read_text("utf-8"))["due"]
    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", name="To give now")).to_be_visible()
    expect(second.first).to_have_count(0)
    expect(page.locator(".ledger tbody tr", has_text="10 Aug 2025")).to_contain_text("does not count")


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize(
    "path",
    [
        "/vaccination",
        "/vaccination?example=running-story",
        "/vaccination?example=teenager-skin",
        "/vaccination?example=diabetes-2-little-known",
        "/vaccination/why?example=teenager-skin%26group=Meningococcal",
    ],
)
def test_no_page_has_a_violation_and_nothing_sticks_out(page: Page, lab: Served, lang: str, path: str):
    page.goto(f"{lab.url}/lang/{lang}?next={path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_running_story_is_told_at_the_desk_and_on_her_page(page: Page, lab: Served):
    """The woman of 82: what is due at her age, what of her vaccines is known too little, by which schedule."""
    page.goto(f"{lab.url}/lang/fr?next=/demo/running-story")
    card = page.locator("section.card", has_text="Dus, à faire une fois la fièvre passée")
    expect(card).to_have_count(1)
    expect(page.locator("section.card", has_text="du dossier à préciser")).to_contain_text("Prevenar 13")
    expect(page.locator(".findings section.card").first).not_to_contain_text("une fois la fièvre passée")

    page.goto(f"{lab.url}/vaccination?example=running-story&schedule=cdsi")
    expect(page.locator(".due li")).not_to_have_count(0)
    expect(page.locator(".due li", has_text="Pneumocoque")).to_contain_text("À vérifier")
    expect(page.locator(".frieze tbody tr", has_text="Grippe").locator("circle.valid")).to_have_count(1)


def test_without_a_script_a_dose_is_added_all_the_same(browser, lab: Served):
    context = browser.new_context(java_script_enabled=False, locale="fr-FR")
    page = context.new_page()
    page.goto(f"{lab.url}/vaccination?schedule=cdsi&born=2025-06-01&sex=male")
    add(page, "146", "03/08/2025")
    expect(page.locator(".ledger tbody tr")).to_have_count(1)
    context.close()
