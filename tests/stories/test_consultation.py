"""A consultation in a real browser: signs in words, the ranking, a restart in the middle, no script."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from tests.stories.serving import Served

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("consultation") / "home")
    served.start()
    yield served
    served.kill()


def kept(page: Page) -> list[str]:
    return page.locator("#signs-title ~ ul .name .quiet").all_inner_texts()


def test_signs_told_in_words_give_a_ranking_that_survives_a_restart(page: Page, lab: Served):
    page.goto(f"{lab.url}/lang/en?next=/solutions/raredisease")
    page.get_by_role("link", name="Search by signs").click()
    field = page.get_by_label("A sign, in your own words")
    field.press_sequentially("lens dislocat")
    first = page.locator("#found-title ~ ul li").filter(has_text=re.compile("Ectopia lentis|Lens"))
    expect(first.first).to_be_visible()
    expect(field).to_be_focused()  # proposed while one types
    expect(field).to_have_value("lens dislocat")
    first.first.get_by_role("button", name="Present").click()
    expect(page.locator("#said")).to_contain_text("present")
    expect(field).to_have_value("")
    expect(page.locator(".ranked .bars")).to_be_visible()

    field.fill("arachnodactyly")
    page.get_by_role("button", name="Search").click()
    page.locator("#found-title ~ ul li").first.get_by_role("button", name="Present").click()
    expect(page).to_have_url(re.compile("present=HP:.*present=HP:0001166"))
    page.get_by_role("region", name="To look for next").get_by_role("button", name="Absent").first.click()
    expect(page).to_have_url(re.compile("absent=HP:"))
    told, address = kept(page), page.url
    assert len(told) == 3

    lab.kill()
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#said")).to_contain_text("does not answer")
    assert kept(page) == told
    lab.start()
    page.goto(address)
    assert kept(page) == told
    page.locator("#why-1 summary").click()
    expect(page.locator("#why-1 table").first).to_be_visible()

    page.get_by_role("link", name="Français").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Dire les signes, lire le classement")
    assert kept(page) == told


def test_what_is_typed_before_the_page_is_ready_is_looked_for(page: Page, lab: Served):
    held: list[Route] = []
    page.route(re.compile("htmx"), lambda route: held.append(route))
    page.goto(f"{lab.url}/raredisease", wait_until="commit")
    page.get_by_role("searchbox").fill("arachno")
    held[0].continue_()
    expect(page.locator("#consulted")).to_contain_text("Arachnodactyly")


def test_an_answer_that_comes_late_does_not_undo_what_was_told_since(page: Page, lab: Served):
    page.goto(f"{lab.url}/lang/en?next=/raredisease?present=HP:0001083")
    held: list[Route] = []
    page.route(re.compile(r"[?&]q=arachno"), lambda route: route.continue_() if held else held.append(route))
    with page.expect_request(re.compile(r"[?&]q=arachno")):
        page.get_by_label("A sign, in your own words").fill("arachno")
    page.get_by_role("region", name="To look for next").get_by_role("button", name="Absent").first.click()
    held[0].continue_()
    expect(page).to_have_url(re.compile("present=HP:0001083.*absent=HP:"))
    expect(page.locator("[aria-pressed=true]")).to_have_count(2)
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#consulted")).to_contain_text("Arachnodactyly")
    assert len(kept(page)) == 2


def test_going_back_undoes_what_was_told_last(page: Page, lab: Served):
    page.goto(f"{lab.url}/lang/en?next=/raredisease?present=HP:0001166")
    page.get_by_role("button", name="Absent: Arachnodactyly").click()
    expect(page).to_have_url(re.compile("absent=HP:0001166"))
    page.go_back()
    expect(page.locator("[aria-pressed=true]")).to_have_text(re.compile("^Present"))
    expect(page.locator("header.bar")).to_have_count(1)


def test_it_works_without_script(browser: Browser, lab: Served):
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.goto(f"{lab.url}/raredisease")
    page.get_by_label("A sign, in your own words").fill("arachnodactyly")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Present: Arachnodactyly").click()
    expect(page).to_have_url(f"{lab.url}/raredisease?present=HP:0001166")
    expect(page.locator(".ranked .bars")).to_be_visible()
    page.get_by_role("button", name="Remove: Arachnodactyly").click()
    expect(page).to_have_url(re.compile(r"/raredisease\??$"))
    context.close()
