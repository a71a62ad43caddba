"""A question from the card of a finding to a colleague and back: two tabs, sent twice, what changed meanwhile."""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import replace

import pytest
from tests.web.desks import HTMX, actions, bring, bundle, creatinine
from tests.web.people import house_of, new_person
from tests.web.renal import renal_lab
from tests.web.wards import SLOW, Ward, said

from lab39.store import access, audit, consents, outbox
from lab39.store.access import Basis, Level
from lab39.store.notify import Outgoing
from lab39.store.privacy import erase_person
from lab39.store.registry import Registry
from lab39.store.worker import Worker


@pytest.fixture
def client(open_lab, settings):
    return open_lab(lab=renal_lab(settings), public_url="http://testserver")


@pytest.fixture
def ward(client) -> Ward:
    return Ward(client)


# Asking


def test_a_question_reaches_the_colleague_who_answers_on_the_card_and_the_asker_sees_it(ward):
    ward.give(ward.ben)
    sent = ward.ask(words="Quelle dose ?\nEt jusqu'à quand ?")
    (asked,) = ward.questions()
    assert sent.headers["location"] == f"/records/{ward.record}?said=asked&at=q-{asked.id}#q-{asked.id}"
    card = ward.page("?said=asked")
    assert "Question envoyée" in card
    assert "Vous demandez à Ben Roux · 24/11/2026 à 10:00" in card
    assert "Sans réponse pour l'instant." in card
    assert ward.badge() == 0

    ward.be(ward.ben)
    assert ward.badge() == 1
    listed = ward.list()
    assert "Questions pour moi (1)" in listed
    assert "Créatinine 212 µmol/L\u202f: réduire la dose de moitié" in listed
    assert "Quelle dose ?\nEt jusqu'à quand ?" in listed
    assert f'href="/records/{ward.record}#q-{asked.id}"' in listed
    card = ward.page()
    assert "Dr Ana Valois vous demande" in card
    assert f'id="q-{asked.id}"' in card
    assert ward.answer(asked.id, "La moitié.\nTrois mois.").status_code == 303
    assert "Vous répondez" in ward.page()
    assert ward.badge() == 0
    assert "Questions closes" in ward.list()

    ward.be(ward.ana)
    assert ward.badge() == 1
    listed = ward.list()
    assert "Nouvelles réponses (1)" in listed
    assert "La moitié.\nTrois mois." in listed
    assert ward.badge() == 0, "it was read"
    assert "Questions closes" in ward.list()
    card = ward.page()
    assert "Ben Roux répond" in card
    assert "Demander…" in card, "one may decide, or ask again"
    history = ward.page("/history")
    for words in ("Quelle dose ?\nEt jusqu'à quand ?", "La moitié.\nTrois mois."):
        assert words in history
    assert actions(ward.client, ward.record).count("question") == 2


def test_an_answer_read_on_the_card_is_read(ward):
    asked = ward.asked()
    ward.be(ward.ben)
    ward.answer(asked.id)
    ward.be(ward.ana)
    assert "nouvelle réponse" in ward.page()
    assert ward.badge() == 0
    assert "nouvelle réponse" not in ward.page()


def test_somebody_else_is_found_and_shown_the_record_in_the_same_step(ward):
    looked = said(ward.post("/questions", **ward.asking(to="", who="roux", step="look")))
    assert "Ben Roux" in looked
    assert "ne voit pas encore ce dossier" in looked
    assert ">Quelle dose ?</textarea>" in looked, "what was written stays"
    assert re.search(rf'name="to" value="{ward.ben.id}" required checked', looked), "the only one is chosen"
    refused = ward.ask(who="roux", until="2026-12-31")
    assert refused.status_code == 422
    assert "Dire ce que la personne concernée a accepté" in said(refused)
    assert ward.questions() == ()
    done = ward.post("/questions", **ward.asking(who="roux", until="2026-12-31", basis="team"))
    assert done.status_code == 303
    here = house_of(ward.client)
    with here.store.reading() as tx:
        (given,) = access.of(tx, ward.record)
    assert (given.level, given.purpose, given.basis) == (Level.READ, "answer", Basis.TEAM)
    page = ward.page("/access")
    assert "répondre à une question" in page
    assert "une question l'attend" in page
    ward.be(ward.ben)
    assert ward.badge() == 1


def test_with_script_who_was_shown_the_record_is_told(ward):
    fields = ward.asking(who="roux", until="", basis="given")
    part = ward.client.post(f"/records/{ward.record}/questions", data=fields, headers=HTMX)
    assert part.status_code == 200
    assert "Dossier partagé avec Ben Roux, question envoyée" in said(part)
    assert 'id="nav-questions"' in part.text
    assert 'hx-swap-oob="true"' in part.text


def test_a_share_that_cannot_be_is_no_question_either(ward, monkeypatch):
    from lab39.store import questions

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("disk")

    monkeypatch.setattr(questions, "ask", fail)
    assert ward.ask(basis="team").status_code == 500
    monkeypatch.undo()
    with house_of(ward.client).store.reading() as tx:
        assert access.of(tx, ward.record) == ()
    assert "share" not in actions(ward.client, ward.record)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"words": " "}, "Écrire la question"),
        ({"words": "x" * 1001}, "1000 caractères au plus"),
        ({"to": ""}, "Choisir à qui poser la question"),
        ({"until": "hier", "to": "new"}, "Une date est attendue, ou rien"),
        ({"step": "look", "who": "zzz"}, "Personne ne répond à cette recherche"),
        ({"step": "look", "who": ""}, "Personne ne répond à cette recherche"),
    ],
)
def test_what_is_not_right_is_told_on_the_card_and_what_was_written_stays(ward, change, told):
    ward.give(ward.ben)
    if change.get("to") == "new":
        change = change | {"to": new_person(ward.client, "expert", name="Cléo Petit").id, "who": "petit"}
        ward.be(ward.ana)
    fields = ward.asking(**change)
    answer = ward.post("/questions", **fields)
    assert answer.status_code in (200, 422)
    assert told in said(answer)
    assert re.search(rf'id="{fields["place"]}-ask"[^>]* open', answer.text)
    assert f">{fields['words']}</textarea>" in answer.text
    assert ward.questions() == ()


def test_a_question_about_a_finding_that_is_not_in_the_assessment_is_refused(ward):
    ward.give(ward.ben)
    fields = ward.asking()
    for wrong in ({"finding": fields["finding"] + "x"}, {"assessment": "0" * 32}, {"to": "0" * 32}):
        assert ward.post("/questions", **(fields | wrong)).status_code == 404
    other = bring(ward.client, bundle(SLOW, {"resourceType": "Basic"}))
    assert ward.client.post(f"/records/{other}/questions", data=fields).status_code == 404
    assert ward.questions() == ()


def test_whom_one_may_ask_are_those_who_can_open_the_record(ward):
    ward.give(ward.ben)
    firm = new_person(ward.client, "start-up", name="Roux et fils")
    ward.give(firm)
    ward.be(ward.ana)
    card = ward.page()
    assert "<strong>Ben Roux</strong>" in card
    assert "Roux et fils" not in card
    assert "n'ouvre pas les dossiers" in said(ward.ask(to=firm.id))


def test_a_question_whose_card_is_gone_from_the_page_comes_back_with_what_was_written(ward):
    ward.give(ward.ben)
    fields = ward.asking(words="Quelle dose, alors ?", to="")
    ward.post("/answers", **creatinine("90", day="2026-11-23"))
    answer = ward.post("/questions", **(fields | {"place": "f-renal-0123456789"}))
    assert answer.status_code == 422
    assert "Votre question n'est pas envoyée" in said(answer)
    assert '<p class="words">Quelle dose, alors ?</p>' in said(answer)


def test_who_may_only_read_asks_nothing_and_who_may_write_asks_those_who_see_it(ward):
    cleo = new_person(ward.client, "professional", name="Cléo Petit")
    ward.give(ward.ben)
    ward.give(cleo, Level.WRITE)
    fields = ward.asking()
    ward.be(ward.ben)
    assert ward.post("/questions", **(fields | {"to": ward.ana.id})).status_code == 403
    ward.be(cleo)
    assert ward.post("/questions", **(fields | {"to": ward.ana.id})).status_code == 303
    dan = new_person(ward.client, "expert", name="Dan Morel")
    ward.be(cleo)
    assert ward.post("/questions", **(fields | {"to": dan.id, "basis": "team"})).status_code == 403
    assert ward.post("/questions", **(fields | {"who": "morel", "step": "look"})).status_code == 403


# Sent twice, in two tabs


def test_the_same_form_sent_twice_is_one_question_one_message_one_line_of_the_log(ward):
    ward.give(ward.ben)
    fields = ward.asking()
    for _ in range(3):
        assert ward.post("/questions", **fields).status_code == 303
    assert len(ward.questions()) == 1
    with house_of(ward.client).store.reading() as tx:
        assert len(outbox.find(tx, person=ward.ben.id)) == 1
    assert actions(ward.client, ward.record).count("question") == 1
    again = ward.client.post(f"/records/{ward.record}/questions", data=fields, headers=HTMX)
    assert "Cette question à Ben Roux était déjà là" in said(again)


def test_an_answer_sent_twice_is_one_and_a_second_tab_is_told_with_what_it_had_written(ward):
    asked = ward.asked()
    ward.be(ward.ben)
    for _ in range(2):
        assert ward.answer(asked.id, "La moitié.").status_code == 303
    late = ward.answer(asked.id, "Le quart.")
    assert late.status_code == 409
    told = said(late)
    assert "Vous avez déjà répondu à cette question" in told
    assert "Le quart." in told
    assert ward.questions()[0].answer == "La moitié."
    assert actions(ward.client, ward.record).count("question") == 2


def test_an_answer_to_a_question_withdrawn_in_another_tab_is_told_and_not_lost(ward):
    asked = ward.asked()
    assert ward.post(f"/questions/{asked.id}/withdraw").status_code == 303
    ward.be(ward.ben)
    assert ward.badge() == 0
    late = ward.answer(asked.id, "La moitié.")
    assert late.status_code == 409
    assert "a été retirée entre-temps" in said(late)
    assert "La moitié." in said(late)
    assert ward.questions()[0].answer is None
    assert "retirée" in ward.list(), "it stays readable"


def test_a_question_answered_in_the_meantime_is_not_withdrawn(ward):
    asked = ward.asked()
    ward.be(ward.ben)
    ward.answer(asked.id)
    ward.be(ward.ana)
    late = ward.post(f"/questions/{asked.id}/withdraw")
    assert late.status_code == 409
    assert "Cette question a déjà sa réponse" in said(late)
    assert "La moitié." in said(late)


def test_an_empty_answer_is_told_at_its_field(ward):
    asked = ward.asked()
    ward.be(ward.ben)
    for words, told in ((" ", "Écrire la réponse"), ("x" * 1001, "1000 caractères au plus")):
        answer = ward.answer(asked.id, words)
        assert answer.status_code == 422
        assert told in said(answer)
        assert f'aria-describedby="a-{asked.id}-wrong"' in answer.text


def test_only_the_one_who_is_asked_is_offered_to_answer_and_can(ward):
    cleo = new_person(ward.client, "professional", name="Cléo Petit")
    ward.give(cleo, Level.SHARE)
    asked = ward.asked()
    for other in (ward.ana, cleo):
        ward.be(other)
        assert "Votre réponse" not in ward.page()
        assert ward.answer(asked.id).status_code == 404
    ward.be(cleo)
    assert "Dr Ana Valois demande à Ben Roux" in ward.page(), "whoever sees the record may read it"
    assert "Retirer la question" not in ward.page()
    assert ward.post(f"/questions/{asked.id}/withdraw").status_code == 404
    assert "Quelle dose" not in ward.list(), "it is neither to them nor theirs"


def test_a_question_of_another_record_is_not_one_of_this(ward):
    asked = ward.asked()
    ward.be(ward.ben)
    other = bring(ward.client, bundle())
    for path in ("answer", "withdraw"):
        sent = ward.client.post(f"/records/{other}/questions/{asked.id}/{path}", data={"words": "x"})
        assert sent.status_code == 404
    assert ward.questions() == (replace(asked, seen_at=None),)


# What happens to it meanwhile


def test_a_finding_that_says_something_else_is_told_on_the_card_and_in_the_list(ward):
    ward.asked()
    ward.post("/answers", **creatinine("400", day="2026-11-23"))
    assert "Ce constat a changé depuis la question." in ward.page()
    ward.be(ward.ben)
    assert "ce constat a changé depuis" in ward.list()


def test_a_question_about_a_finding_that_no_longer_appears_says_so_and_can_still_be_answered(ward):
    asked = ward.asked()
    ward.post("/answers", **creatinine("90", day="2026-11-23"))
    ward.be(ward.ben)
    assert "ce constat n'apparaît plus" in ward.list()
    page = ward.page()
    lost = page[page.index("Questions sur des constats qui n'apparaissent plus") :]
    assert "n'apparaît plus dans la version 2" in lost
    assert "Créatinine 212 µmol/L\u202f: réduire la dose de moitié" in lost, "as it was when it was asked"
    assert f"/records/{ward.record}/assessments/{asked.assessment_id}" in lost
    assert "Votre réponse" in lost
    assert ward.answer(asked.id).status_code == 303
    ward.be(ward.ana)
    page = ward.page()
    assert "ce constat n'apparaît plus" in ward.list()
    assert "La moitié." in page[page.index("Questions sur des constats qui n'apparaissent plus") :], "a new answer"
    assert "Questions closes sur des constats qui n'apparaissent plus (1)" in ward.page(), "once it was read"


def test_questions_about_one_finding_that_is_gone_stand_together(ward):
    ward.asked()
    ward.ask(words="Et quand ?")
    ward.post("/answers", **creatinine("90", day="2026-11-23"))
    page = ward.page()
    assert page.count('class="card gone"') == 1
    assert page.count('class="talk"') == 2


def test_a_question_whose_addressee_lost_their_access_is_out_of_their_reach_and_the_asker_is_told(ward):
    asked = ward.asked()
    ward.withdraw(ward.ben)
    assert "Ben Roux ne peut plus ouvrir ce dossier" in ward.page()
    assert "Ben Roux ne peut plus ouvrir ce dossier" in ward.list()
    ward.be(ward.ben)
    assert ward.badge() == 0
    assert "Quelle dose" not in ward.list()
    assert ward.answer(asked.id).status_code == 404
    ward.be(ward.ana)
    ward.share(ward.ben)
    ward.be(ward.ben)
    assert ward.badge() == 1
    assert ward.answer(asked.id).status_code == 303


def test_the_open_list_is_loaded_again_when_something_in_it_may_no_longer_be_seen(ward):
    ward.asked()
    ward.be(ward.ben)
    watched = re.search(r'hx-get="(/questions/watch\?record=[0-9a-f]{32})"', ward.list())
    assert watched
    assert "hx-refresh" not in ward.client.get(watched[1]).headers
    ward.be(ward.ana)
    assert "/questions/watch" not in ward.list(), "their own record"
    ward.withdraw(ward.ben)
    ward.be(ward.ben)
    assert ward.client.get(watched[1]).headers["hx-refresh"] == "true"


def test_an_erased_colleague_leaves_their_answer_without_a_name(ward):
    asked = ward.asked()
    ward.be(ward.ben)
    ward.answer(asked.id)
    erase_person(house_of(ward.client).store, ward.ben.id)
    ward.be(ward.ana)
    for page in (ward.page(), ward.list(), ward.page("/history")):
        assert "La moitié." in page
        assert "compte effacé répond" in page
        assert "Ben Roux" not in page


def test_what_is_over_has_pages_and_the_card_folds_all_but_the_last(ward, clock, monkeypatch):
    monkeypatch.setattr("lab39.web.pages.questions.PAGE", 2)
    ward.give(ward.ben)
    fields = ward.asking()
    for n in range(3):
        clock.forward(seconds=1)
        ward.post("/questions", **(fields | {"words": f"Question {n} ?"}))
    ward.be(ward.ben)
    for each in ward.questions():
        ward.answer(each.id)
    assert ward.list().count('class="talked"') == 2
    assert said(ward.client.get("/questions?page=2")).count('class="talked"') == 1
    page = ward.page()
    assert "Questions précédentes (2)" in page
    assert page.index("Question 2 ?") < page.index("Questions précédentes") < page.index("Question 1 ?")


def test_looking_at_the_list_is_in_the_audit_log_of_each_record_shown(ward):
    ward.asked()
    ward.be(ward.ben)
    ward.list()
    with house_of(ward.client).store.reading() as tx:
        (entry,) = [e for e in audit.entries(tx, subject=ward.record, action="access") if e.actor == ward.ben.id]
    assert entry.about == {"questions": 1}


def test_in_english(ward):
    asked = ward.asked()
    ward.be(ward.ben)
    assert "Dr Ana Valois asks you · 24 Nov 2026, 10:00" in ward.page("?lang=en")
    ward.answer(asked.id, "Half.")
    ward.be(ward.ana)
    page = said(ward.client.get("/questions?lang=en"))
    assert "New answers (1)" in page
    assert "Ben Roux answers" in page


# Messages


def sent(ward: Ward) -> list[Outgoing]:
    """What leaves the lab when its jobs are done."""
    out: list[Outgoing] = []

    class Post:
        def send(self, outgoing: Outgoing) -> None:
            out.append(outgoing)

    here = house_of(ward.client)
    Worker(here.store, here.settings, Registry.of([outbox.kind(Post())]), wait=lambda _: None).run_until_idle()
    return out


def agree(ward: Ward, *people: object) -> None:
    here = house_of(ward.client)
    with here.store.writing() as tx:
        for each in people:
            consents.give(tx, each.id, "mail", wording="mail-2026-11", channel="web", at=here.now())  # type: ignore[attr-defined]


def test_who_agreed_to_messages_is_told_that_there_is_something_to_read_and_never_what(ward):
    agree(ward, ward.ben, ward.ana)
    asked = ward.asked()
    ward.be(ward.ben)
    ward.answer(asked.id)
    messages = sent(ward)
    assert sorted(each.to for each in messages) == ["ana@example.org", "ben@example.org"]
    for each in messages:
        assert "http://testserver/questions" in each.body
        text = urllib.parse.unquote(f"{each.subject} {each.body}")
        for secret in ("dose", "moitié", "Créatinine", "Marqueur", "question posée", ward.record):
            assert secret not in text


def test_who_did_not_agree_is_not_written_to(ward):
    agree(ward, ward.ana)
    asked = ward.asked()
    assert sent(ward) == []
    ward.be(ward.ben)
    ward.answer(asked.id)
    assert [each.to for each in sent(ward)] == ["ana@example.org"]
