"""A ward under test: colleagues, a record one of them keeps, questions about what was found."""

from __future__ import annotations

import html
import re
from typing import Any

from starlette.testclient import TestClient
from tests.web.desks import bring, bundle, finding_key, last
from tests.web.people import house_of, new_person, signed_in

from lab39.store import access, questions
from lab39.store.access import Basis, Level
from lab39.store.people import Person
from lab39.store.questions import Question

SLOW = {
    "resourceType": "Observation",
    "id": "c1",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "14682-9"}]},
    "subject": {"reference": "Patient/p1"},
    "effectiveDateTime": "2026-11-20",
    "valueQuantity": {"value": 212, "unit": "umol/L", "code": "umol/L", "system": "http://unitsofmeasure.org"},
}


class Ward:
    """Ana keeps a record whose creatinine is high; Ben is a colleague who does not see it yet."""

    def __init__(self, client: TestClient, keeper: str = "professional") -> None:
        self.client = client
        self.ana = new_person(client, keeper, name="Dr Ana Valois", email="ana@example.org")
        self.ben = new_person(client, "professional", name="Ben Roux", email="ben@example.org")
        self.be(self.ana)
        self.record = bring(client, bundle(SLOW))

    def be(self, person: Person) -> None:
        """Go on as somebody else."""
        signed_in(self.client, person=person)

    def page(self, path: str = "") -> str:
        """A page of the record, as text."""
        answer = self.client.get(f"/records/{self.record}{path}")
        assert answer.status_code == 200, answer.status_code
        return said(answer)

    def post(self, path: str, **fields: str) -> Any:
        return self.client.post(f"/records/{self.record}{path}", data=fields)

    def give(self, person: Person, level: Level = Level.READ) -> None:
        """Let somebody see the record."""
        here = house_of(self.client)
        with here.store.writing() as tx:
            access.grant(tx, self.record, person.id, level, by=self.ana.id, at=here.now(), basis=Basis.GIVEN)

    def share(self, person: Person, **changed: str) -> Any:
        """The form of the page, filled in."""
        fields = {"to": person.id, "level": "read", "purpose": "advice", "basis": "given", "until": "2027-01-31"}
        return self.post("/access", **(fields | changed))

    def withdraw(self, person: Person) -> Any:
        return self.post("/access/withdraw", person=person.id)

    def asking(self, **changed: str) -> dict[str, str]:
        """The fields of the form of a card."""
        page = self.client.get(f"/records/{self.record}").text
        place = re.search(r'name="place" value="(f-renal-[0-9a-f]{10})"', page)
        assert place
        fields = {"finding": finding_key(page), "assessment": last(self.client, self.record).id}
        fields |= {"place": place[1], "step": "send"}
        return fields | {"words": "Quelle dose ?", "to": self.ben.id} | changed

    def ask(self, **changed: str) -> Any:
        return self.post("/questions", **self.asking(**changed))

    def asked(self) -> Question:
        """Ben may see the record and was asked, as Ana."""
        self.give(self.ben)
        self.be(self.ana)
        assert self.ask().status_code == 303
        return self.questions()[-1]

    def answer(self, question: str, words: str = "La moitié.") -> Any:
        return self.post(f"/questions/{question}/answer", words=words)

    def questions(self) -> tuple[Question, ...]:
        with house_of(self.client).store.reading() as tx:
            return questions.of(tx, self.record)

    def badge(self) -> int:
        """The count in the navigation."""
        text = self.client.get("/records").text
        found = re.search(r'<span class="badge"><span aria-hidden="true">(\d+)', text)
        return int(found[1]) if found else 0

    def list(self) -> str:
        """My questions."""
        answer = self.client.get("/questions")
        assert answer.status_code == 200
        return said(answer)


def said(answer: Any) -> str:
    """The page as it is read."""
    return html.unescape(answer.text)
