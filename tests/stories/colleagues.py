"""Colleagues of one lab, each in a browser of their own."""

from __future__ import annotations

import itertools
import json
from typing import Any

from playwright.sync_api import Browser, Page, expect
from tests.stories.serving import Served

_numbers = itertools.count(1)
PATIENT = {"resourceType": "Patient", "id": "p1", "gender": "male", "name": [{"text": "Aimé FICTIF-Somme"}]}
SLOW = {
    "resourceType": "Observation",
    "id": "c1",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "14682-9"}]},
    "subject": {"reference": "Patient/p1"},
    "effectiveDateTime": "2026-11-20",
    "valueQuantity": {"value": 212, "unit": "umol/L", "code": "umol/L", "system": "http://unitsofmeasure.org"},
}
RECORD = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}, {"resource": SLOW}]}


class Team:
    """Dr Anne Valois, who keeps a record, and a colleague whom nobody else of the lab is called like."""

    def __init__(self, lab: Served, browser: Browser, page: Page) -> None:
        self.lab, self.browser = lab, browser
        self.colleague = f"Luc Roux{next(_numbers)}"
        self.name = self.colleague.removeprefix("Luc ")
        self.token = lab.signed_in(self.colleague)
        self.size = page.viewport_size
        self.ana = self._enter(page, lab.signed_in())
        self.luc = self._enter(self._new(), self.token)
        self.record = self.bring()

    def _new(self, **more: Any) -> Page:
        return self.browser.new_context(viewport=self.size, **more).new_page()

    def _enter(self, page: Page, token: str) -> Page:
        page.context.add_cookies([{"name": "lab39_session", "value": token, "url": self.lab.url}])
        page.set_default_timeout(20_000)
        page.goto(f"{self.lab.url}/lang/fr?next=/records")
        return page

    def tab(self, **more: Any) -> Page:
        """Another tab of the colleague."""
        return self._enter(self._new(**more), self.token)

    def bring(self) -> str:
        """Bring the record, by its owner; its path."""
        text = json.dumps(RECORD, ensure_ascii=False).encode()
        self.ana.set_input_files("#file", {"name": "dossier.json", "mimeType": "application/json", "buffer": text})
        self.ana.get_by_role("button", name="Enregistrer et évaluer").click()
        expect(self.ana.get_by_role("heading", level=1)).to_contain_text("Aimé FICTIF-Somme")
        return self.ana.url.partition("?")[0].removeprefix(self.lab.url)

    def go(self, page: Page, path: str) -> None:
        page.goto(self.lab.url + path)

    def write_question(self, words: str) -> None:
        """On the card, up to the button that sends: the colleague is found, and will be shown the record."""
        card = self.ana.locator("section.card.critical")
        card.get_by_text("Demander…").click()
        card.get_by_label("Votre question").fill(words)
        card.get_by_label("Quelqu'un du laboratoire").fill(self.name)
        card.get_by_role("button", name="Chercher").click()
        expect(card.get_by_label("Votre question")).to_have_value(words)
        card.get_by_label("Même équipe de soins").check()

    def share(self) -> None:
        """On the page of who may see the record."""
        self.go(self.ana, f"{self.record}/access")
        self.ana.get_by_label("Avec qui").fill(self.name)
        self.ana.get_by_role("button", name="Chercher").click()
        expect(self.ana.get_by_role("radio", name=self.colleague)).to_be_checked()
        self.ana.get_by_label("Pour quoi faire").select_option(label="donner un avis")
        self.ana.get_by_label("La personne a donné son accord").check()
        self.ana.get_by_role("button", name="Donner l'accès").click()
        expect(self.ana.locator("#said")).to_contain_text("Accès donné")

    def close(self) -> None:
        for context in self.browser.contexts:
            if context is not self.ana.context:
                context.close()
