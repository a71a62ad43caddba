"""An assessor takes a pair from a run to a recommendation; the server is killed once, a colleague is quicker."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from tests.stories.serving import Served

from lab39.core.datapacks import Packs
from lab39.settings import Settings
from lab39.solutions.signals import Pairs, detect, runs
from lab39.solutions.signals.solution import Signals
from lab39.store import people, sessions
from lab39.store.people import Role

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
EVENTS = {"desk": "DRESS", "phone": "TOXIC EPIDERMAL NECROLYSIS", "late": "AGRANULOCYTOSIS"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("board")
    served = Served(folder / "home", "signals")
    bring_run(served, folder, "2017Q1", 400, 5)
    served.start()
    yield served
    served.kill()


def bring_run(lab: Served, folder: Path, name: str, many: int, cases: int) -> None:
    """A run over made-up reports, imported as the manager of a lab does."""
    rows = [(n, "ALLOPURINOL", event) for n in range(cases) for event in EVENTS.values()]
    rows += [(n, "ALLOPURINOL", "NAUSEA") for n in range(cases, 40)]
    rows += [(n, "PARACETAMOL", event) for n in range(40, 43) for event in EVENTS.values()]
    rows += [(n, "PARACETAMOL", "NAUSEA") for n in range(43, many)]
    path = folder / f"{name}.csv"
    path.write_text("report_id,drug,event\n" + "".join(f"{r},{d},{e}\n" for r, d, e in rows), "utf-8")
    run = runs.write(detect(Pairs(path)), folder / "runs", name, dt.date(2026, 11, 27))
    settings = Settings(home=lab.home)
    Packs(settings.packs, settings.cache, Signals().packs()).import_files("signals", [run.folder])


def signed_in(page: Page, lab: Served, name: str, role: Role = Role.EXPERT) -> None:
    with lab.store() as store, store.writing() as tx:
        person = people.add(tx, name=name, at=store.clock(), given=[role])
        token = sessions.start(tx, person.id, at=store.clock())
    page.context.add_cookies([{"name": "lab39_session", "value": token, "url": lab.url}])


def no_violation(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing sticks out"


def decide(page: Page, move: str, reason: str) -> None:
    page.get_by_role("radio", name=re.compile(f"^{move}")).check()
    page.get_by_role("textbox", name="Motif").fill(reason)
    page.get_by_role("button", name="Enregistrer la décision").click()


def standing(page: Page, words: str) -> None:
    expect(page.locator("#stands")).to_contain_text(words)


def test_from_a_run_to_a_recommendation_with_the_server_killed_in_between(
    page: Page, lab: Served, request: pytest.FixtureRequest
):
    event = EVENTS[(request.node.callspec.params["page"][0] > 800 and "desk") or "phone"]
    signed_in(page, lab, "Ana Roux")
    page.goto(f"{lab.url}/lang/fr?next=/solutions/signals")
    page.get_by_role("link", name="Suivre les signaux").first.click()
    no_violation(page)
    page.get_by_role("link", name="Ouvrir un signal").click()
    page.get_by_label("Médicament").fill("allopurinol")
    page.get_by_label("Événement").fill(event.lower())
    page.get_by_role("button", name="Voir les chiffres d'abord").click()
    expect(page.get_by_role("heading", name="Ce que dit l'analyse 2017Q1")).to_be_visible()
    no_violation(page)
    page.get_by_label("Pourquoi l'ouvrir").fill("Cinq cas, tous rapportés par des médecins")
    page.get_by_role("button", name="Ouvrir le signal").click()
    standing(page, "Détecté")
    expect(page.locator("#said")).to_contain_text("Signal ouvert")
    no_violation(page)

    decide(page, "Valider", "Délai compatible dans quatre cas sur cinq")
    standing(page, "Validé")
    page.get_by_label("Commentaire").fill("Voir aussi le fébuxostat")
    page.get_by_role("button", name="Commenter").click()
    expect(page.locator("#history + ol, section:has(#history) ol")).to_contain_text("Voir aussi le fébuxostat")

    address = page.url
    lab.kill()
    lab.start()
    page.goto(address)
    standing(page, "Validé")
    decide(page, "Confirmer", "Réaction grave, non décrite à cette fréquence")
    standing(page, "Confirmé")
    expect(page.get_by_label("Priorité")).to_be_hidden()  # nothing is chosen beforehand
    page.get_by_role("radio", name=re.compile("^Prioriser")).check()
    expect(page.get_by_label("Priorité")).to_be_visible()
    decide(page, "Prioriser", "Grave, évitable")
    expect(page.locator("#wrong-priority")).to_be_visible()
    page.get_by_label("Priorité").select_option("high")
    page.get_by_role("button", name="Enregistrer la décision").click()
    standing(page, "Priorisé, priorité haute")

    page.get_by_role("link", name="Évaluer un cas").click()
    page.get_by_label("Numéro du cas").fill("PV-2017-0042")
    for question, answer in (("after", "yes"), ("dechallenge", "yes"), ("alternative", "no"), ("objective", "yes")):
        page.locator(f"[name={question}][value={answer}]").check()
    page.get_by_role("button", name="Calculer sans enregistrer").click()
    expect(page.locator("#score")).to_contain_text("6, probable")
    no_violation(page)
    page.locator("[name=who_umc][value=probable]").check()
    page.get_by_role("button", name="Enregistrer avec le signal").click()
    expect(page.locator("section:has(#cases)")).to_contain_text("PV-2017-0042")

    page.get_by_role("radio", name=re.compile("^Conclure")).check()
    page.get_by_label("Conclusion").select_option("new-risk")
    decide(page, "Conclure l'évaluation", "Six points à Naranjo, mécanisme connu")
    standing(page, "Évalué")
    page.get_by_role("radio", name=re.compile("^Recommander")).check()
    page.get_by_label("Modifier l'information du produit").check()
    decide(page, "Recommander", "Ajouter à la rubrique 4.8 du RCP")
    standing(page, "Recommandation faite")
    no_violation(page)

    for form, name in (("PDF", ".pdf"), ("CSV", ".csv"), ("FHIR", ".fhir.json")):
        with page.expect_download() as saved:
            page.get_by_role("link", name=form, exact=True).click()
        assert saved.value.suggested_filename.endswith(name)
        content = saved.value.path().read_bytes()
        assert b"PV-2017-0042" in content or form == "PDF"
        assert form != "FHIR" or json.loads(content)["entry"][0]["resource"]["resourceType"] == "Task"
    page.goto(f"{lab.url}/lang/en?next={address.removeprefix(lab.url).partition('?')[0]}")
    standing(page, "Recommendation made")
    no_violation(page)


def test_a_colleague_was_quicker_and_what_was_typed_is_still_there(browser: Browser, page: Page, lab: Served):
    signed_in(page, lab, "Ana Roux")
    page.goto(f"{lab.url}/lang/fr?next=/signals/board/new?drug=ALLOPURINOL")
    page.get_by_label("Événement").fill(f"{EVENTS['late']} {page.viewport_size['width']}")
    page.get_by_label("Pourquoi l'ouvrir").fill("à voir")
    page.get_by_role("button", name="Ouvrir le signal").click()
    standing(page, "Détecté")
    other = browser.new_context().new_page()
    signed_in(other, lab, "Ben Petit")
    other.goto(f"{lab.url}/lang/fr?next={page.url.removeprefix(lab.url).partition('?')[0]}")
    decide(other, "Valider", "vu")
    standing(other, "Validé")
    other.context.close()
    decide(page, "Écarter", "Trois notifications du même cas")
    expect(page.locator("#wrong-reason")).to_contain_text("quelqu'un a décidé entre-temps", ignore_case=True)
    expect(page.get_by_role("textbox", name="Motif")).to_have_value("Trois notifications du même cas")
    standing(page, "Validé")
    no_violation(page)
    decide(page, "Écarter", "Trois notifications du même cas")
    standing(page, "Écarté")


def test_the_next_quarter_shows_what_moved(page: Page, lab: Served, tmp_path: Path):
    signed_in(page, lab, "Ana Roux")
    event = EVENTS["desk"]
    page.goto(f"{lab.url}/lang/fr?next=/signals/board")
    page.goto(f"{lab.url}/signals/board/new?drug=ALLOPURINOL&event={event}")
    page.get_by_label("Pourquoi l'ouvrir").fill("à voir")
    page.get_by_role("button", name="Ouvrir le signal").click()
    bring_run(lab, tmp_path, "2017Q2", 500, 9)
    page.reload()
    figures = page.locator("section:has(#moved)")
    expect(figures).to_contain_text("Ce qui a changé de 2017Q1 à 2017Q2")
    expect(figures.locator("tbody tr").first).to_contain_text("+4")
    no_violation(page)
    page.get_by_role("button", name="Noter ces chiffres").click()
    expect(page.locator("section:has(#history)")).to_contain_text("Chiffres notés")
