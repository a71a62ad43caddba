"""An assessor reads the table and a signal; a physician reports a reaction, the server killed in between."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.stories.serving import Served

from lab39.solutions.signals.readers import e2b_r3, fhir_event
from lab39.solutions.signals.readers.model import Case
from lab39.solutions.signals.readers.sources import Item

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("signals") / "home", "signals")
    served.start()
    yield served
    served.kill()


def no_violation(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing sticks out"


def heads_stay_in_their_columns(page: Page) -> None:
    """Each head of the table can be clicked: none runs over its neighbour."""
    for link in page.locator(".ranked thead th a").all():
        link.click(trial=True, timeout=5000)
        reach = link.evaluate(
            """a => { const words = document.createRange(); words.selectNodeContents(a);
            return words.getBoundingClientRect().left - a.closest('th').getBoundingClientRect().left }"""
        )
        assert reach >= 0, link.inner_text()


def fits_on_paper(page: Page) -> None:
    """Every column of the cases is on the A4 sheet."""
    size = page.viewport_size
    assert size is not None
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 690, "height": 980})  # A4 within its margins
    last = page.locator(".cases td").last.bounding_box()
    assert last is not None
    assert last["x"] + last["width"] <= 690
    page.emulate_media(media="screen")
    page.set_viewport_size(size)


def saved(page: Page, name: str, folder: Path) -> Path:
    """The file that a button or a link gives."""
    with page.expect_download() as download:
        page.locator("a, button").filter(has_text=re.compile(f"^{re.escape(name)}$")).first.click()
    place = folder / download.value.suggested_filename
    download.value.save_as(place)
    return place


def test_from_the_table_to_a_signal_and_its_cases(page: Page, lab: Served, tmp_path: Path):
    page.goto(f"{lab.url}/lang/fr?next=/solutions/signals")
    page.get_by_role("link", name="Voir les signaux").first.click()
    expect(page.locator("#get-one")).to_contain_text("Aucune base n'a encore été analysée")
    expect(page.locator(".commands")).to_contain_text("lab39 data import signals base/runs/2026Q3")
    expect(page.locator(".which")).to_contain_text("synthétique")
    no_violation(page)
    if page.evaluate("innerWidth") > 640:  # on a phone rows are cards, without heads
        heads_stay_in_their_columns(page)
        for way in ("descending", "ascending"):
            page.locator(".ranked thead a", has_text="Cas (n)").click()
            expect(page.locator(f".ranked thead th[aria-sort={way}]")).to_contain_text("Cas (n)")
    else:
        page.get_by_label("Trier par").select_option("n")
        page.get_by_label("Ordre").select_option("reversed")
    expect(page.locator("#order-said")).to_have_text("Triés par cas (n), du plus petit au plus grand")
    page.goto(f"{lab.url}/signals")

    page.get_by_label("Médicament").fill("gliptin")
    page.get_by_label("Cas, au moins").fill("5")
    page.get_by_label("IC025 > 0").check()
    page.get_by_role("button", name="Filtrer").click()
    expect(page).to_have_url(re.compile("drug=gliptin.*least=5.*ic=yes"))
    expect(page.locator(".ranked tbody th").first).to_contain_text("Fictagliptin")
    page.reload()
    expect(page.get_by_label("Médicament")).to_have_value("gliptin")
    expect(page.get_by_label("IC025 > 0")).to_be_checked()
    no_violation(page)
    file = saved(page, "Tableur (CSV)", tmp_path)
    rows = list(csv.DictReader(file.read_text("utf-8-sig").splitlines()))
    assert {row["drug"] for row in rows} == {"Fictagliptin"}
    assert len(rows) == page.locator(".ranked tbody tr").count()
    assert "synthetique" in file.name

    page.get_by_role("link", name="Pemphigoid").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Fictagliptin")
    expect(page.locator(".says")).to_contain_text(
        "plus souvent que si le médicament et l'événement étaient sans lien"
    )
    expect(page.locator(".moved")).to_contain_text("Depuis 2026Q2")
    for plot in page.locator("svg[role=img]").all():
        said = page.locator(f"#{plot.get_attribute('aria-labelledby')}")
        expect(said).to_have_text(re.compile(r".{20,}"))
    no_violation(page)
    fits_on_paper(page)
    first = page.locator(".cases tbody th").first.inner_text()
    page.get_by_role("link", name="Cas suivants").click()
    expect(page.locator(".cases tbody th").first).not_to_have_text(first)

    page.get_by_role("link", name="English").click()
    expect(page.get_by_role("heading", name="Time course by quarter")).to_be_visible()
    no_violation(page)


def test_a_pair_that_is_not_there_leads_to_what_is(page: Page, lab: Served):
    answer = page.goto(f"{lab.url}/signals/pair?drug=Fictagliptine&event=Pemphigoid")
    assert answer is not None
    assert answer.status == 404
    no_violation(page)
    page.locator("#unknown").get_by_role("link", name="Fictagliptin").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Fictagliptin")
    expect(page.locator("#figures")).to_be_visible()
    answer = page.goto(f"{lab.url}/signals/pair?drug=Fictamol&event=Pemphigoid")
    assert answer is not None
    assert answer.status == 200
    expect(page.locator("#none")).to_contain_text("0 c")
    no_violation(page)
    page.locator(".go a").first.click()
    expect(page.locator("#drug")).to_have_value("Fictamol")


def test_a_report_survives_the_server_and_its_files_say_what_was_typed(page: Page, lab: Served, tmp_path: Path):
    page.goto(f"{lab.url}/lang/fr?next=/signals/report%3Fdrug=Allopurinol%26reaction=Fi%C3%A8vre")
    expect(page.locator("main [name=drug]")).to_have_value("Allopurinol")
    no_violation(page)
    page.locator("main [name=age]").fill("82")
    page.get_by_label("Sexe").select_option("F")
    page.locator("main [name=start]").fill("03/11/2020")
    page.locator("main [name=dose]").fill("200 mg par jour")
    page.get_by_role("button", name="Ajouter un effet").click()
    expect(page.locator("main [name=reaction]")).to_have_count(2)
    expect(page.locator("main [name=dose]")).to_have_value("200 mg par jour")
    page.locator("main [name=reaction]").nth(1).fill("Éruption")
    page.locator("main [name=onset]").nth(1).fill("22/13/2020")
    page.locator("main [name=country]").fill("France")
    page.get_by_label("Hospitalisation").check()

    lab.kill()
    page.get_by_role("button", name="Vérifier la feuille").click()
    expect(page.locator("#said")).to_contain_text("Le laboratoire ne répond pas")
    expect(page.locator("main [name=reaction]").nth(1)).to_have_value("Éruption")
    lab.start()
    page.get_by_role("button", name="Vérifier la feuille").click()
    expect(page.locator("#wrong-onset-1")).to_contain_text("Date illisible")
    expect(page.locator("#wrong-country")).to_contain_text("Code de pays à deux lettres")
    expect(page.locator("#faults-say")).to_have_text(re.compile("2 champs à corriger"))
    expect(page.locator("#faults")).to_be_focused()
    page.locator("#faults a", has_text="Début (Éruption)").click()
    expect(page.locator("main [name=onset]").nth(1)).to_be_focused()
    expect(page.locator("main [name=country]")).to_have_value("France")
    expect(page.locator("#state")).to_contain_text("Qui notifie")
    expect(page.get_by_label("Hospitalisation")).to_be_checked()
    no_violation(page)
    assert "Allopurinol" not in page.url.partition("report")[2].partition("?")[0]

    page.locator("main [name=onset]").nth(1).fill("22/11/2020")
    page.locator("main [name=country]").fill("FR")
    page.get_by_label("Vous êtes").select_option("physician")
    page.get_by_role("button", name="Vérifier la feuille").click()
    expect(page.locator("#state-says")).to_contain_text("La notification est recevable")
    page.get_by_role("button", name="English").click()
    expect(page.locator("#state-says")).to_contain_text("The report is admissible")
    expect(page.locator("main [name=reaction]").nth(1)).to_have_value("Éruption")
    no_violation(page)

    for name, reader in (("E2B(R3) message", e2b_r3), ("FHIR resource", fhir_event)):
        [case] = reader.read(Item(saved(page, name, tmp_path)))
        same(case)
    assert saved(page, "Sheet to sign (PDF)", tmp_path).read_bytes()[:5] == b"%PDF-"


def same(case: Case) -> None:
    """What was typed, read back out of a file."""
    assert (case.report.age_years, case.report.sex, case.report.country) == (82.0, "F", "FR")
    assert case.report.hospitalisation is True
    assert [(each.drug, each.start_date) for each in case.drugs] == [("Allopurinol", "2020-11-03")]
    assert [(each.event, each.onset) for each in case.events] == [("Fièvre", None), ("Éruption", "2020-11-22")]
