"""The report page of the examples, as a person meets it: read, switch language, open a why, print."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("report") / "report.html"
    command = [str(Path(sys.executable).parent / "lab39"), "--lang", "fr", "assess", "examples"]
    subprocess.run([*command, "--on", "2026-11-24", "--html", str(out)], cwd=ROOT, check=True, capture_output=True)
    return out.as_uri()


def test_it_opens_in_french_and_one_click_shows_english_and_only_english(page: Page, report: str):
    page.goto(report)
    expect(page.get_by_role("heading", level=1)).to_have_text("Rapport du 24/11/2026", use_inner_text=True)
    assert page.locator('span[lang="en"]:visible').count() == 0
    page.get_by_text("English", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Report of 24 Nov 2026", use_inner_text=True)
    assert page.locator('span[lang="fr"]:visible').count() == 0


def test_every_example_is_one_click_away_and_marked_fictional(page: Page, report: str):
    page.goto(report)
    people = page.locator("article.person")
    assert people.count() >= 12
    assert people.count() == page.locator("nav#people li").count()
    for tag in people.locator("h2").all():
        assert "fictif" in tag.inner_text()
    page.locator("nav#people a").last.click()
    expect(people.last).to_be_in_viewport()


def test_a_why_opens_in_place_with_rule_and_source(page: Page, report: str):
    page.goto(report)
    card = page.locator("section.card:has(p.source)").first
    expect(card.locator("p.source").first).to_be_hidden()
    card.locator("summary").click()
    expect(card.locator("p.source").first).to_be_visible()


def test_the_keyboard_alone_switches_language_and_opens_a_why(page: Page, report: str):
    page.goto(report)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", level=1)).to_have_text("Report of 24 Nov 2026", use_inner_text=True)
    summary = page.locator("section.card summary").first
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("section.card details").first).to_have_attribute("open", "")


def test_nothing_sticks_out_of_the_screen(page: Page, report: str):
    page.goto(report)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_what_is_clicked_is_large_enough_for_a_thumb(page: Page, report: str):
    page.goto(report)
    for target in page.locator("summary, nav#people a, .switch label").all():
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 44


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_axe_finds_no_violation(page: Page, report: str, lang: str, scheme: str):
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(report)
    page.locator(f"#lang-{lang}").check(force=True)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_it_prints_with_the_whys_open_and_no_controls(page: Page, report: str, tmp_path: Path):
    page.goto(report)
    page.emulate_media(media="print")
    expect(page.locator(".switch")).to_be_hidden()
    expect(page.locator("nav#people")).to_be_hidden()
    assert len(page.pdf(format="A4")) > 10_000
