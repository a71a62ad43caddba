"""The page for programs, as whoever connects one meets it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.stories.serving import Served

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("programs") / "home")
    served.start()
    yield served
    served.kill()


def test_an_operation_opens_with_its_example_by_keyboard_and_without_script(page: Page, lab: Served):
    page.route("**/*.js", lambda route: route.abort())
    page.goto(f"{lab.url}/lang/fr?next=/api/docs")
    expect(page.get_by_role("heading", level=1)).to_have_text("Pour les logiciels")
    first = page.locator("section.api details").first
    first.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(first.locator("pre")).to_contain_text("FICTIF")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_axe_finds_no_violation(page: Page, lab: Served, lang: str, scheme: str):
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(f"{lab.url}/lang/{lang}?next=/api/docs")
    for summary in page.locator("section.api summary").all():
        summary.click()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
