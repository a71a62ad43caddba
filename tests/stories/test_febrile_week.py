"""The week of the febrile rash: the physician first, and no vaccine until the fever is over, on every page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.stories.serving import Served

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

NO = "q-illness=no&q-allergy=no"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("febrile") / "home", "story")
    served.start()
    yield served
    served.kill()


def open_page(page: Page, lab: Served, lang: str, path: str) -> None:
    page.goto(f"{lab.url}/lang/{lang}?next=/")
    page.goto(f"{lab.url}{path}")


def no_violation(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing sticks out"


@pytest.mark.parametrize(
    ("lang", "critical", "step", "waits"),
    [
        ("fr", "Arrêter l'allopurinol", "Médecin aujourd'hui", "Dus, à faire une fois la fièvre passée"),
        ("en", "Stop allopurinol", "A physician today", "Due, to give once the fever is over"),
    ],
)
def test_at_the_desk_the_physician_comes_first_and_the_vaccines_wait(
    page: Page, lab: Served, lang: str, critical: str, step: str, waits: str
):
    open_page(page, lab, lang, "/demo/running-story")
    first = page.locator(".findings section.card").first
    expect(first).to_contain_text(critical)
    expect(first.locator("li", has_text=step).first).to_contain_text("112")
    vaccines = page.locator("section.card", has_text=waits)
    expect(vaccines).to_have_count(1)
    expect(vaccines).not_to_contain_text("à faire maintenant")
    expect(vaccines).not_to_contain_text("give now")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(
    ("lang", "head", "because", "row"),
    [
        ("fr", "À faire une fois la fièvre passée", "Le dossier note", "à faire une fois la fièvre passée"),
        ("en", "To give once the fever is over", "The record notes", "give once the fever is over"),
    ],
)
def test_her_page_says_why_her_vaccines_wait(
    page: Page, lab: Served, lang: str, head: str, because: str, row: str, width: int
):
    page.set_viewport_size({"width": width, "height": 900})
    open_page(page, lab, lang, "/vaccination?example=running-story")
    expect(page.get_by_role("heading", name=head)).to_be_visible()
    why = page.locator("p.wait")
    expect(why).to_contain_text(because)
    expect(why.get_by_role("link")).to_contain_text("administration des vaccins")
    rows = page.locator(".due li")
    expect(rows).to_have_count(6)
    for each in rows.all():
        expect(each).to_contain_text(row, ignore_case=True)
    no_violation(page)


def test_at_the_counter_her_fever_is_told_though_the_answer_is_no(page: Page, lab: Served):
    open_page(page, lab, "fr", f"/vaccination/counter?example=running-story&{NO}&vaccine=Shingrix")
    expect(page.locator("p.wait")).to_contain_text("Le dossier note")
    verdict = page.locator("section.verdict")
    expect(verdict).to_contain_text("Le dossier note\u202f: Fièvre, 22/11/2026")
    expect(verdict).to_contain_text("Ce vaccin est dû, à faire une fois la fièvre passée")
    no_violation(page)
