"""A visitor in a real browser: the front page, a solution tried live, a fictional record filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.stories.serving import Served

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
CONSULTATION = "/raredisease?present=HP:0001166&present=HP:0001083&absent=HP:0001250"
PAGES = (
    "/",
    "/solutions",
    "/solutions/raredisease",
    "/solutions/raredisease/documentation",
    "/demo/running-story",
    "/raredisease",
    CONSULTATION,
    f"{CONSULTATION}&q=lens",
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("showroom") / "home")
    served.start()
    yield served
    served.kill()


def test_a_visitor_tries_a_solution_and_answers_its_question(page: Page, lab: Served):
    page.goto(f"{lab.url}/lang/fr?next=/")
    page.get_by_role("link", name=re.compile("^Maladies rares")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Maladies rares")
    card = page.locator("#desk section.card").first
    first = card.locator(".bars .num").first.inner_text()
    card.locator("details.why summary").click()
    card.get_by_role("button", name="Présent").first.click()
    expect(page.locator("#said")).to_contain_text("recalculé")
    expect(page.locator("#desk section.card .bars .num").first).not_to_have_text(first)
    page.locator(".given").get_by_role("button").first.click()
    expect(page.locator("#desk section.card .bars .num").first).to_have_text(first)


def test_the_language_changes_and_what_was_filled_in_stays(page: Page, lab: Served):
    page.goto(f"{lab.url}/lang/fr?next=/demo/diabetes-2-little-known")
    asks = page.locator("section.card", has_text="Fonction rénale inconnue")
    asks.get_by_label("Créatinine").fill("212")
    asks.get_by_role("button", name="Ajouter").click()
    expect(page.locator("#said")).to_contain_text("recalculé")
    page.get_by_role("button", name="English").click()
    expect(page.locator("section.card.critical")).to_contain_text("halve the dose")
    page.get_by_text("Export", exact=True).click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Findings as JSON").click()
    assert saved.value.suggested_filename == "lab39-diabetes-2-little-known.json"


def test_the_keyboard_reaches_the_content_first(page: Page, lab: Served):
    page.goto(f"{lab.url}/solutions")
    page.keyboard.press("Tab")
    expect(page.locator("a.skip")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("main ul.rows a").first).to_be_focused()


@pytest.mark.parametrize(("lang", "scheme"), [("fr", "light"), ("en", "dark")])
def test_axe_finds_nothing_and_nothing_sticks_out(page: Page, lab: Served, lang: str, scheme: str):
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{lab.url}/lang/{lang}?next=/")
    for path in (*PAGES, "/nowhere"):
        page.goto(lab.url + path)
        expect(page.locator("html")).to_have_attribute("lang", lang)
        for summary in page.locator("main details > summary").all():
            summary.evaluate("e => { e.parentElement.open = true }")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}\n{found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
