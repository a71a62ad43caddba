"""Two colleagues in real browsers: asked, restarted, answered, seen; shared, seen, withdrawn."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from tests.stories.colleagues import Team
from tests.stories.serving import Served

from lab39.store import audit, outbox, questions

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("colleagues") / "home")
    served.start()
    yield served
    served.kill()


@pytest.fixture
def team(lab: Served, browser: Browser, page: Page) -> Iterator[Team]:
    made = Team(lab, browser, page)
    yield made
    made.close()


def restart(lab: Served) -> None:
    lab.kill()
    lab.start()


def kept(team: Team) -> tuple[questions.Question, ...]:
    """What the database holds."""
    with team.lab.store() as store, store.reading() as tx:
        return questions.of(tx, team.record.rpartition("/")[2])


def badge(page: Page) -> str:
    """The count in the navigation; empty when nothing waits."""
    found = page.locator("#nav-questions .badge [aria-hidden]")
    return found.inner_text() if found.count() else ""


def test_asked_restarted_answered_and_seen_by_the_one_who_asked(team: Team):
    ana, luc, lab = team.ana, team.luc, team.lab
    team.write_question("La dose convient-elle ?")
    lab.kill()
    card = ana.locator("section.card.critical")
    card.get_by_role("button", name="Partager et envoyer").click()
    expect(ana.locator("#said")).to_contain_text("ne répond pas")
    expect(card.get_by_label("Votre question")).to_have_value("La dose convient-elle ?")
    lab.start()
    card.get_by_role("button", name="Partager et envoyer").click()
    expect(ana.locator("#said")).to_contain_text(f"Dossier partagé avec {team.colleague}, question envoyée")
    expect(card.locator(".talk")).to_contain_text("Sans réponse pour l'instant")
    restart(lab)

    team.go(luc, "/questions")
    assert badge(luc) == "1"
    expect(luc.locator("#to-me")).to_have_text("Questions pour moi (1)")
    luc.get_by_role("link", name="Lire et répondre").click()
    field = luc.get_by_label("Votre réponse")
    expect(field).to_be_in_viewport()
    field.fill("Non, la moitié.\nRevoir dans 8 jours.")
    lab.kill()
    luc.get_by_role("button", name="Répondre").click()
    expect(luc.locator("#said")).to_contain_text("ne répond pas")
    expect(field).to_have_value("Non, la moitié.\nRevoir dans 8 jours.")
    lab.start()
    luc.get_by_role("button", name="Répondre").click()
    expect(luc.locator("#said")).to_contain_text("Réponse envoyée à Dr Anne Valois")
    expect(luc.locator(".reply")).to_contain_text("Revoir dans 8 jours.")
    assert badge(luc) == "", "the count follows without loading the page again"
    restart(lab)

    team.go(ana, "/questions")
    expect(ana.locator("#answered")).to_have_text("Nouvelles réponses (1)")
    expect(ana.locator(".talked")).to_contain_text("Non, la moitié.")
    ana.get_by_role("link", name="Ouvrir le constat").click()
    expect(ana.locator("section.card.critical .reply")).to_contain_text(f"{team.colleague} répond")
    assert badge(ana) == ""
    team.go(ana, f"{team.record}/history")
    expect(ana.locator("main")).to_contain_text("La dose convient-elle ?")
    expect(ana.locator("main")).to_contain_text("Non, la moitié.")

    (only,) = kept(team)
    assert only.answer == "Non, la moitié.\nRevoir dans 8 jours."
    with lab.store() as store, store.reading() as tx:
        record = team.record.rpartition("/")[2]
        assert [e.action for e in audit.entries(tx, subject=record)].count("question") == 2
        told = [m for m in outbox.find(tx, limit=500) if m.person_id in (only.asked_by, only.asked_of)]
        assert sorted(m.key for m in told) == [f"question-answered:{only.id}", f"question-asked:{only.id}"]


def test_two_tabs_answer_once_and_the_second_keeps_what_it_wrote_on_the_screen(team: Team):
    team.write_question("Arrêter ?")
    team.ana.get_by_role("button", name="Partager et envoyer").click()
    expect(team.ana.locator(".talk")).to_be_visible()
    first, second = team.luc, team.tab()
    for tab in (first, second):
        team.go(tab, team.record)
    first.get_by_label("Votre réponse").fill("Oui.")
    second.get_by_label("Votre réponse").fill("Non.")
    for tab in (first, second):
        tab.get_by_role("button", name="Répondre").click()
    expect(first.locator(".reply")).to_contain_text("Oui.")
    expect(second.locator("#conflict")).to_contain_text("Vous avez déjà répondu")
    expect(second.locator("#conflict")).to_contain_text("Non.")
    expect(second.locator(".reply")).to_contain_text("Oui.")
    assert [each.answer for each in kept(team)] == ["Oui."]


def test_a_double_click_asks_once(team: Team):
    team.write_question("Arrêter ?")
    team.ana.get_by_role("button", name="Partager et envoyer").dblclick()
    expect(team.ana.locator(".talk")).to_have_count(1)
    assert len(kept(team)) == 1


def test_shared_seen_and_withdrawn_in_the_open_tab_too(team: Team):
    ana, luc = team.ana, team.luc
    team.share()
    team.go(luc, "/records")
    shared = luc.locator(f"a[href='{team.record}']")
    expect(shared).to_contain_text("partagé avec vous")
    shared.click()
    expect(luc.get_by_role("heading", level=1)).to_contain_text("Aimé FICTIF-Somme")
    expect(luc.get_by_text("Vous pouvez lire ce dossier")).to_be_visible()
    other = team.tab()
    team.go(other, f"{team.record}/history")

    ana.reload()
    holder = ana.locator(".holders li", has_text=team.colleague)
    expect(holder).to_contain_text("A ouvert ce dossier 2 fois")  # its page, its history
    expect(holder).to_contain_text("pour\u202f: donner un avis")
    expect(ana.locator("table.ledger")).to_contain_text(team.colleague)
    holder.get_by_role("button", name="Retirer").click()
    expect(ana.locator("#said")).to_contain_text("Accès retiré")
    expect(ana.locator(".holders li")).to_have_count(1)
    ana.get_by_text("Accès terminés").click()
    expect(ana.locator("#ended")).to_contain_text("par Dr Anne Valois")

    for tab in (luc, other):  # looked at again: the tab asks, and is left
        tab.evaluate("window.dispatchEvent(new Event('focus'))")
        expect(tab).to_have_url(re.compile(r"/records\?said=out-of-reach$"))
        expect(tab.locator("#said")).to_contain_text("ne vous est plus accessible")
        expect(tab.locator("body")).not_to_contain_text("FICTIF-Somme")
    team.go(luc, team.record)
    expect(luc.locator("h1")).to_contain_text("n'existe pas, ou ne vous est pas ouvert")


def test_a_tab_that_nobody_touches_is_left_by_itself(team: Team):
    team.share()
    team.go(team.luc, team.record)
    expect(team.luc.get_by_role("heading", level=1)).to_contain_text("Aimé FICTIF-Somme")
    team.ana.locator(".holders li", has_text=team.colleague).get_by_role("button", name="Retirer").click()
    expect(team.luc).to_have_url(re.compile("out-of-reach"), timeout=25_000)


def test_a_shared_page_that_asks_by_itself_is_left_all_the_same_when_nobody_uses_it(team: Team):
    team.share()
    luc = team.tab()
    luc.clock.install()
    team.go(luc, team.record)
    expect(luc.get_by_role("heading", level=1)).to_contain_text("Aimé FICTIF-Somme")
    with luc.expect_response("**/watch"):
        luc.clock.fast_forward("20:00")
    luc.context.clear_cookies()  # meanwhile the session has ended
    luc.clock.fast_forward("12:00")
    expect(luc.locator("[name=password]")).to_be_visible()
    expect(luc.locator("body")).not_to_contain_text("FICTIF-Somme")


def test_without_script_one_asks_shares_answers_and_withdraws(team: Team, browser: Browser):
    context = browser.new_context(java_script_enabled=False, viewport=team.size)
    context.add_cookies(team.ana.context.cookies())  # type: ignore[arg-type]
    page = context.new_page()
    team.ana = page
    team.go(page, team.record)
    team.write_question("Sans script ?")
    page.get_by_role("button", name="Partager et envoyer").click()
    expect(page.locator("#said")).to_contain_text("Question envoyée")
    plain = team.tab(java_script_enabled=False)
    team.go(plain, "/questions")
    plain.get_by_role("link", name="Lire et répondre").click()
    plain.get_by_label("Votre réponse").fill("Oui.")
    plain.get_by_role("button", name="Répondre").click()
    expect(plain.locator(".reply")).to_contain_text("Oui.")
    team.go(page, f"{team.record}/access")
    page.get_by_role("button", name="Retirer").click()
    expect(page.locator("#said")).to_contain_text("Accès retiré")
    assert [each.answer for each in kept(team)] == ["Oui."]


def looks_right(page: Page, what: str) -> None:
    """axe finds nothing, nothing sticks out, and what one touches is large enough."""
    for summary in page.locator("main details > summary").all():
        summary.evaluate("e => { e.parentElement.open = true }")
    found = Axe().run(page)
    assert found.violations_count == 0, f"{what}\n{found.generate_report()}"
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), what
    touched = ", ".join(f"main {each}:visible" for each in ("button", "summary", "input", "select", "label.tick"))
    for target in page.locator(touched).all():
        if target.get_attribute("type") in ("checkbox", "radio"):  # its label is the target
            continue
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 44, (what, target.evaluate("e => e.outerHTML"))


@pytest.mark.parametrize(("lang", "scheme"), [("fr", "light"), ("en", "dark")])
def test_axe_finds_nothing_on_any_page_of_sharing_and_questions(team: Team, lang: str, scheme: str):
    ana, luc = team.ana, team.luc
    for page in (ana, luc):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    team.write_question("La dose convient-elle ?")
    looks_right(ana, "a question being written")
    ana.get_by_role("button", name="Partager et envoyer").click()
    expect(ana.locator(".talk")).to_be_visible()
    looks_right(ana, "asked")
    for page, path in (
        (luc, "/questions"),
        (luc, team.record),
        (luc, f"{team.record}/access"),
        (ana, "/questions"),
    ):
        page.goto(f"{team.lab.url}/lang/{lang}?next={path}")
        looks_right(page, path)
    team.go(luc, team.record)
    luc.locator(".answer textarea").fill("Oui.")
    luc.locator(".answer button").click()
    expect(luc.locator(".reply")).to_be_visible()
    looks_right(luc, "answered")
    team.go(ana, "/questions")
    looks_right(ana, "a new answer")
    team.go(ana, f"{team.record}/access")
    ana.locator("#who").fill("zzz")
    ana.locator("#share ~ form button").click()
    expect(ana.locator("#who-wrong")).to_be_visible()
    looks_right(ana, "nobody found")
    team.lab.signed_in(f"Jean {team.name}")
    ana.locator("#who").fill(team.name)
    ana.locator("#share ~ form button").click()
    expect(ana.locator("#terms")).to_be_visible()
    looks_right(ana, "somebody found")
    ana.locator(".holders button").click()
    expect(ana.locator("#ended")).to_be_attached()
    looks_right(ana, "an access that ended")
    team.go(ana, f"{team.record}/history")
    looks_right(ana, "history")
