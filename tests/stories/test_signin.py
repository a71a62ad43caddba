"""People at the door, in a real browser: the first manager, an invitation, a wrong password, an account elsewhere,
the language, the keyboard, sign out."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from tests.web.issuer import CLIENT, SECRET, Issuer

from lab39.core.lab import Lab
from lab39.settings import Settings
from lab39.store import Store, audit, jobs, people, sessions
from lab39.store.credentials import hash_password, set_password
from lab39.store.migrate import migrate
from lab39.store.people import Role
from lab39.web.app import create_app
from lab39.web.house import House
from lab39.web.signin import codes

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
GOOD = "correct cheval agrafe"


class Door:
    """A lab on a port of this machine, with an issuer beside it."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.issuer = Issuer(int(time.time()))
        (folder / "secret").write_text(SECRET)
        (folder / "oidc.toml").write_text(
            f'[provider.psc]\ntitle = "Pro Santé Connect"\nissuer = "{self.issuer.url}"\nclient_id = "{CLIENT}"\n'
            f'client_secret_file = "{folder / "secret"}"\nclaims = "pro-sante-connect"\nadmits = "professionals"\n'
        )
        settings = Settings(home=folder, public_url=self.url, oidc_file=folder / "oidc.toml")
        store = Store.of(settings)
        migrate(store)
        app = create_app(settings, lab=Lab([], settings), store=store)
        self.here: House = app.state.house
        self.server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None))
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        while not self.server.started:
            assert self.thread.is_alive(), "the lab did not start"
            time.sleep(0.05)

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join()
        self.issuer.close()

    def add(self, name: str, email: str, *roles: Role) -> str:
        with self.here.store.writing() as tx:
            made = people.add(tx, name=name, email=email, at=self.here.now(), given=roles)
            set_password(tx, made.id, hash_password(GOOD), at=self.here.now())
            return made.id

    def session(self, person: str) -> dict[str, str]:
        with self.here.store.writing() as tx:
            token = sessions.start(tx, person, at=self.here.now())
        return {"name": "lab39_session", "value": token, "url": self.url}


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    opened = Door(tmp_path)
    yield opened
    opened.close()


def enter(page: Page, password: str = GOOD, email: str = "ana@example.org") -> None:
    page.get_by_label("Adresse de courriel").fill(email)
    page.get_by_label("Mot de passe").fill(password)
    page.get_by_role("main").get_by_role("button", name="Se connecter").click()


def test_from_an_empty_lab_to_an_invited_colleague(page: Page, door: Door):
    page.goto(f"{door.url}/lang/fr?next=/people")
    page.get_by_label("Code de démarrage").fill(codes.first_code(door.here.secret, door.here.now()))
    page.get_by_label("Nom affiché").fill("Hélène Marchand")
    page.get_by_label("Adresse de courriel").fill("helene@example.org")
    page.get_by_label("Mot de passe").fill(GOOD)
    page.get_by_role("button", name="Créer le compte").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Personnes")
    page.get_by_text("Inviter quelqu'un").click()
    page.get_by_label("Nom affiché").fill("Benoît Roy")
    page.get_by_label("Adresse de courriel").fill("benoit@example.org")
    page.get_by_label("professionnel", exact=True).check()
    page.get_by_role("button", name="Créer l'invitation").click()
    link = page.get_by_label("Lien d'invitation").input_value()

    other = page.context.browser.new_context(locale="fr-FR").new_page()
    asked: list[str] = []
    other.on("request", lambda request: asked.append(request.url))
    other.goto(link)
    code = link.partition("#")[2]
    expect(other.get_by_label("Code d'invitation")).to_have_value(code)
    assert code not in other.url, "it is gone from the address"
    other.get_by_label("Nouveau mot de passe").fill("une autre longue phrase")
    other.get_by_role("button", name="Choisir ce mot de passe").click()
    expect(other.get_by_role("banner").get_by_text("Benoît Roy")).to_be_visible()
    assert not any(code in url for url in asked), "and was sent in no address"
    other.context.close()


def test_a_wrong_password_keeps_the_address_and_says_what_is_wrong(page: Page, door: Door):
    door.add("Ana Roux", "ana@example.org", Role.PATIENT)
    page.goto(f"{door.url}/lang/fr?next=/account")
    enter(page, "not the password")
    expect(page.get_by_role("alert")).to_contain_text("Adresse ou mot de passe incorrect")
    expect(page.get_by_label("Adresse de courriel")).to_have_value("ana@example.org")
    page.get_by_label("Mot de passe").fill(GOOD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mon compte")


def test_signing_out_closes_the_pages_that_were_open(page: Page, door: Door):
    door.add("Ana Roux", "ana@example.org", Role.PATIENT)
    page.goto(f"{door.url}/lang/fr?next=/account")
    enter(page)
    page.get_by_role("banner").get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_role("status").first).to_be_attached()
    expect(page.get_by_text("Vous êtes déconnecté.")).to_be_visible()
    page.go_back()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Se connecter")


def test_a_professional_comes_in_with_pro_sante_connect(page: Page, door: Door):
    door.add("Une gestionnaire", "g@example.org", Role.MANAGER)
    page.goto(f"{door.url}/lang/fr?next=/sign-in")
    page.get_by_role("link", name="Continuer avec Pro Santé Connect").click()
    expect(page.get_by_role("banner").get_by_text("Sophie Leclerc")).to_be_visible()
    page.goto(f"{door.url}/account")
    expect(page.get_by_text("médecin, d'après Pro Santé Connect")).to_be_visible()


def test_an_account_elsewhere_is_linked_through_a_form_under_the_strict_policy(page: Page, door: Door):
    page.context.add_cookies([door.session(door.add("Ana Roux", "ana@example.org", Role.PATIENT))])  # type: ignore[list-item]
    page.goto(f"{door.url}/lang/fr?next=/account")
    page.get_by_text("Lier Pro Santé Connect").click()
    page.locator("form[action='/account/link']").get_by_label("Mot de passe actuel").fill(GOOD)
    page.get_by_role("button", name="Continuer avec Pro Santé Connect").click()
    expect(page.get_by_text("Ce compte ouvre maintenant le vôtre.")).to_be_visible()


def test_my_data_are_downloaded_and_my_consent_is_a_click(page: Page, door: Door):
    page.context.add_cookies([door.session(door.add("Ana Roux", "ana@example.org", Role.PATIENT))])  # type: ignore[list-item]
    page.goto(f"{door.url}/lang/fr?next=/account")
    page.get_by_role("button", name="Accepter").click()
    expect(page.get_by_role("button", name="Retirer")).to_be_visible()
    with page.expect_download() as started:
        page.get_by_role("button", name="Télécharger mes données").click()
    assert started.value.suggested_filename.endswith(".zip")


def test_the_manager_sees_the_log_and_verifies_it(page: Page, door: Door):
    page.context.add_cookies([door.session(door.add("Gaëlle", "g@example.org", Role.MANAGER))])  # type: ignore[list-item]
    page.goto(f"{door.url}/lang/fr?next=/account")
    page.get_by_role("button", name="Accepter").click()
    page.goto(f"{door.url}/audit")
    expect(page.get_by_text("consentement donné ou retiré").last).to_be_visible()
    with page.expect_download() as started:
        page.get_by_role("button", name="Signer et télécharger la tête").click()
    assert started.value.suggested_filename.endswith(".head.json")
    page.get_by_role("button", name="Vérifier maintenant").click()
    expect(page.get_by_role("heading", name="Le journal est intact")).to_be_visible()


def test_everything_works_without_script(door: Door, browser):
    door.add("Ana Roux", "ana@example.org", Role.PATIENT)
    context = browser.new_context(java_script_enabled=False, locale="fr-FR")
    page = context.new_page()
    page.goto(f"{door.url}/account")
    enter(page)
    page.get_by_role("button", name="Accepter").click()
    expect(page.get_by_role("button", name="Retirer")).to_be_visible()
    page.get_by_role("banner").get_by_role("button", name="Se déconnecter").click()
    expect(page.get_by_text("Vous êtes déconnecté.")).to_be_visible()
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_and_nothing_sticks_out_on_any_page(page: Page, door: Door, scheme: str):
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    wrong = []

    def look(path: str, *, unfold: bool = False) -> None:
        for lang in ("fr", "en"):
            page.goto(f"{door.url}{path}?lang={lang}")
            if unfold:
                page.evaluate("document.querySelectorAll('main details').forEach(each => each.open = true)")
            found = Axe().run(page)
            if found.violations_count:
                wrong.append((path, lang, found.generate_report()))
            if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                wrong.append((path, lang, "it is wider than the screen"))
            if page.evaluate("[...document.querySelectorAll('.scroll')].some(e => e.scrollWidth > e.clientWidth)"):
                wrong.append((path, lang, "columns of a table are out of sight"))

    look("/sign-in")
    gaelle = door.add("Gaëlle", "g@example.org", Role.MANAGER)
    with door.here.store.writing() as tx:
        jobs.add(tx, "lab39.example", {}, at=door.here.now())
        about = {"assessment": gaelle, "sha256": "0123456789abcdef" * 4, "solutions": {"raredisease": "1.0"}}
        audit.append(tx, at=door.here.now(), actor=gaelle, action="assessment", subject=gaelle, about=about)
    door.session(gaelle)  # another browser, which may be closed from here
    look("/sign-in")
    look("/invitation")
    page.context.add_cookies([door.session(gaelle)])  # type: ignore[list-item]
    for path in ("/account", "/people", f"/people/{gaelle}"):
        look(path, unfold=True)
    for path in ("/audit", "/jobs"):
        look(path)
    assert wrong == []


def test_a_page_that_nobody_uses_for_as_long_as_a_session_lives_is_left(page: Page, door: Door):
    page.context.add_cookies([door.session(door.add("Ana Roux", "ana@example.org", Role.PATIENT))])  # type: ignore[list-item]
    page.clock.install()
    page.goto(f"{door.url}/records?lang=fr")
    page.get_by_label("Titre").fill("t")
    page.clock.fast_forward("20:00")
    page.get_by_label("Titre").fill("ti")  # somebody is there
    page.clock.fast_forward("20:00")
    expect(page.get_by_role("heading", name="Dossiers", exact=True)).to_be_visible()
    page.context.clear_cookies()  # meanwhile the session has ended
    page.clock.fast_forward("12:00")
    expect(page.locator("[name=password]")).to_be_visible()
    expect(page).to_have_url(f"{door.url}/sign-in?next=%2Frecords")


def test_a_page_beside_one_that_is_used_comes_back_as_it_was(page: Page, door: Door):
    page.context.add_cookies([door.session(door.add("Ana Roux", "ana@example.org", Role.PATIENT))])  # type: ignore[list-item]
    page.clock.install()
    page.goto(f"{door.url}/account?lang=fr")
    with page.expect_navigation(url="**/account"):
        page.clock.fast_forward("32:00")
    expect(page.get_by_role("heading", name="Mon compte")).to_be_visible()
