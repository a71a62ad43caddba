"""The lab of ``lab39 serve`` is cut off in the middle of somebody's work, and comes back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from lab39.store import people, sessions
from lab39.store.people import Role
from served import Lab

EXAMPLE = Path(__file__).parents[2] / "examples" / "child-undiagnosed.phenopacket.json"
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("served")]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path / "home")
    yield made
    made.kill()


def test_the_first_manager_comes_in_with_the_code_of_the_console(browser: Browser, lab: Lab):
    lab.start("--workers", "1", "--no-jobs")
    page = browser.new_page(locale="fr-FR")
    page.goto(f"{lab.url}/sign-in")
    page.locator("[name=code]").fill(lab.first_code)
    page.locator("[name=name]").fill("Claire Morin")
    page.locator("[name=email]").fill("claire@example.org")
    page.locator("[name=password]").fill("quatre mots sans aucun rapport")
    page.locator("main form button").last.click()
    expect(page).to_have_url(re.compile("/people"))
    expect(page.get_by_text("Claire Morin").first).to_be_visible()
    page.close()


def test_a_lab_cut_off_in_the_middle_of_the_work_comes_back_with_everything(browser: Browser, lab: Lab):
    lab.start("--workers", "2")
    store = lab.store()
    with store.writing() as tx:
        ana = people.add(tx, name="Dr Anne Valois", at=store.clock(), given=[Role.PROFESSIONAL])
        token = sessions.start(tx, ana.id, at=store.clock())
    store.close()
    context = browser.new_context(locale="fr-FR")
    context.add_cookies([{"name": "lab39_session", "value": token, "url": lab.url}])
    page = context.new_page()

    page.goto(f"{lab.url}/records")
    page.locator("input[type=file]").first.set_input_files(EXAMPLE)
    page.locator("form:has(input[type=file]) button").first.click()
    expect(page).to_have_url(re.compile(r"/records/[0-9a-f]{32}"))
    address = page.url.partition("?")[0]
    first = page.locator("main h2, main h3").all_inner_texts()

    lab.kill()
    with pytest.raises(Exception, match="ERR_CONNECTION"):
        page.goto(address)
    lab.start("--workers", "2")

    page.goto(address)
    assert page.locator("main h2, main h3").all_inner_texts() == first
    expect(page.get_by_text("Dr Anne Valois").first).to_be_visible()
    page.goto(f"{address}/history")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    context.close()
    assert lab.stop() == 0
