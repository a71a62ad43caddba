"""CDS Hooks 2.0.1: the services, their cards, orders, feedback."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable
from typing import Any

import markdown_it
import pytest
from starlette.testclient import TestClient
from tests.cli.solutions_for_tests import SOURCE, Calm, Failing
from tests.web.people import house_of
from tests.web.systems import DAY, JSON, PATIENT, Duplicates, Invalid, bundle, lab, order

from lab39.core.finding import Finding, Input, Reason, Severity
from lab39.core.text import Text
from lab39.fhir import outputs
from lab39.store import audit, cds
from lab39.web.api import models

Open = Callable[..., TestClient]
VIEW, SELECT, SIGN = (f"/cds-services/lab39-{hook}" for hook in ("patient-view", "order-select", "order-sign"))
INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
WHOLE: dict[str, Any] = {
    "patient": PATIENT,
    "conditions": None,
    "medicationrequests": {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": order("m1", "Amoxicilline")}],
    },
    "medicationstatements": None,
    "allergies": None,
    "immunizations": None,
    "observations": None,
    "procedures": None,
}


def call(hook: str, *drafts: Any, selections: list[str] | None = None, **changed: Any) -> dict[str, Any]:
    """A call of a service with a whole record in which one medicine is ordered."""
    context: dict[str, Any] = {"userId": "Practitioner/1", "patientId": "p1"}
    if hook != "patient-view":
        entries = [{"resource": raw} for raw in drafts]
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    if hook == "order-select":
        context["selections"] = selections or []
    body = {"hook": hook, "hookInstance": INSTANCE, "context": context, "prefetch": copy.deepcopy(WHOLE)}
    return body | changed


def cards(answer: Any) -> list[dict[str, Any]]:
    """The cards of an answer that follows the specification."""
    assert answer.status_code == 200, answer.text
    check(answer.json())
    return answer.json()["cards"]


def codes(answer: Any) -> list[str]:
    return [card["source"]["topic"]["code"] for card in cards(answer)]


def check(response: dict[str, Any]) -> None:
    """The rules of the specification's own validation (HL7/cds-hooks, input/fsh/invariants), and of its text."""
    models.CdsResponse.model_validate(response)
    assert "systemActions" not in response
    for card in response["cards"]:
        suggestions = card.get("suggestions", [])
        behaviour = card.get("selectionBehavior")
        # cds-resp-1: only one action can be suggested if selectionBehavior = at-most-one
        assert behaviour != "at-most-one" or sum(bool(s.get("isRecommended")) for s in suggestions) <= 1
        # cds-resp-6: if suggestions are present, selectionBehavior must also be provided
        assert not suggestions or behaviour in ("at-most-one", "any")
        for suggestion in suggestions:
            assert suggestion["label"]
            assert suggestion["uuid"]
            # cds-resp-7: actionSelectionBehavior must be all, any, or at-most-one
            assert suggestion.get("actionSelectionBehavior", "all") in ("all", "any", "at-most-one")
            for action in suggestion.get("actions", []):
                assert action["description"]  # cds-resp-5: all suggestion actions must have a description
                # cds-resp-2: a resourceId, not a resource, must be provided when type = delete
                assert action["type"] != "delete" or ("resourceId" in action and "resource" not in action)
                if action["type"] in ("create", "update"):
                    outputs.validate(action["resource"])
        for link in card.get("links", []):
            # cds-resp-3: appContext only for smart apps
            assert link["type"] == "smart" or "appContext" not in link
            assert link["url"].startswith(("https://", "http://"))
        # cds-resp-4: the CDS service must populate a display value for each reason's Coding
        assert all(reason["display"] for reason in card.get("overrideReasons", []))
        assert len(card["summary"]) < 140
        assert _nothing_empty(card)


def _nothing_empty(value: Any) -> bool:
    """ "JSON elements SHALL NOT be null" nor empty."""
    if isinstance(value, dict):
        return bool(value) and all(map(_nothing_empty, value.values()))
    if isinstance(value, list):
        return bool(value) and all(map(_nothing_empty, value))
    return value not in (None, "")


@pytest.fixture
def client(open_lab: Open) -> TestClient:
    return open_lab(lab=lab(Calm, Duplicates))


# -- discovery -----------------------------------------------------------------------------------------


def test_discovery_names_one_service_a_hook_and_the_data_it_asks_for(client: TestClient):
    answer = client.get("/cds-services").json()
    models.CdsServices.model_validate(answer)
    assert {row["id"]: row["hook"] for row in answer["services"]} == {
        "lab39-patient-view": "patient-view",
        "lab39-order-select": "order-select",
        "lab39-order-sign": "order-sign",
    }
    for row in answer["services"]:
        assert row["prefetch"]["patient"] == "Patient/{{context.patientId}}"
        for query in row["prefetch"].values():
            assert re.fullmatch(r"[A-Za-z]+[?/](patient=)?\{\{context\.patientId\}\}", query)


def test_it_speaks_french_with_its_spaces_and_english(client: TestClient):
    french = client.get("/cds-services").json()["services"][0]["title"]
    english = client.get("/cds-services", headers={"accept-language": "en-GB"}).json()["services"][0]["title"]
    assert french.startswith("Lab39\u202f: ")
    assert english.startswith("Lab39: this record")


# -- cards ---------------------------------------------------------------------------------------------


def test_each_finding_of_the_report_is_a_card_in_the_same_words_and_order(client: TestClient):
    body = call("patient-view")
    body["prefetch"]["medicationrequests"]["entry"].append({"resource": order("m2", "Amoxicilline")})
    document = bundle(order("m1", "Amoxicilline"), order("m2", "Amoxicilline"))
    report = client.post("/api/v1/assess", json=document).json()["reports"][0]
    for lang in ("fr", "en"):
        found = cards(client.post(VIEW, json=body, headers={"accept-language": lang}))
        assert [c["summary"] for c in found] == [f["summary"][lang] for f in report["findings"]]
        assert [c["indicator"] for c in found] == [f["severity"] for f in report["findings"]]


def test_a_card_says_why_with_rule_source_inputs_confidence_and_what_is_missing(client: TestClient):
    body = call("patient-view")
    body["prefetch"]["medicationrequests"]["entry"].append({"resource": order("m2", "Amoxicilline")})
    (card, *_) = cards(client.post(VIEW, json=body, headers={"accept-language": "en"}))
    assert card["source"] == {
        "label": "Lab39 – Duplicates",
        "url": "http://testserver/solutions/duplicates",
        "topic": {
            "system": "http://lab39.org/fhir/CodeSystem/finding",
            "code": "duplicates.twice",
            "display": "Duplicates",
        },
    }
    for words in ("Why?", "same name", "A made-up source for tests, 2026, p. 1", DAY, "90", "weight: dose unknown"):
        assert words in card["detail"]
    assert "Decision support for trained users" in card["detail"]


def test_words_of_a_record_make_no_link_no_emphasis_and_no_html(client: TestClient):
    body = call("patient-view")
    name = "Amoxicilline ![x](https://evil.example) www.evil.example <script>alert(1)</script> `a` **b** a@b.c"
    rows = [order("m1", name), order("m2", name)]
    body["prefetch"]["medicationrequests"]["entry"] = [{"resource": raw} for raw in rows]
    body["prefetch"]["medicationrequests"]["entry"][0]["resource"]["dosageInstruction"] = []
    summary_of = {"medicationCodeableConcept": {"text": "A"}}
    for entry in body["prefetch"]["medicationrequests"]["entry"]:
        entry["resource"] |= summary_of
    (card, *_) = cards(client.post(VIEW, json=body))
    shown = markdown_it.MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(card["detail"])
    assert "<b>" not in shown
    assert "<a " not in shown
    assert "&lt;b&gt;Deux&lt;/b&gt; lignes *identiques*" in shown
    assert "[A](https://evil.example)" in shown


def test_suggestions_say_what_they_do_and_update_what_the_caller_holds(client: TestClient):
    body = call("patient-view")
    body["prefetch"]["medicationrequests"]["entry"].append({"resource": order("m2", "Amoxicilline")})
    (card, *_) = cards(client.post(VIEW, json=body))
    stop, rest, talk = card["suggestions"]
    assert card["selectionBehavior"] == "any"
    assert (stop["actions"][0]["type"], rest["actions"][0]["type"]) == ("update", "create")
    assert stop["actions"][0]["resource"]["status"] == "stopped"
    assert "actions" not in talk
    assert len({s["uuid"] for s in card["suggestions"]} | {card["uuid"]}) == 4


def test_what_is_not_valid_fhir_is_never_handed_over(open_lab: Open):
    (card,) = cards(open_lab(lab=lab(Invalid)).post(VIEW, json=call("patient-view")))
    assert card["suggestions"][0]["label"] == "Faire"
    assert "actions" not in card["suggestions"][0]


def test_reasons_to_set_a_card_aside_come_with_it_in_the_language_of_the_caller(client: TestClient):
    (card,) = cards(client.post(VIEW, json=call("patient-view"), headers={"accept-language": "en"}))
    assert {"Already done or already planned", "The patient declines"} <= {
        reason["display"] for reason in card["overrideReasons"]
    }


def test_nothing_to_say_is_an_empty_list(open_lab: Open):
    assert open_lab(lab=lab(Duplicates)).post(VIEW, json=call("patient-view")).json() == {"cards": []}


def test_a_solution_that_fails_is_a_card(open_lab: Open):
    client = open_lab(lab=lab(Failing))
    assert codes(client.post(VIEW, json=call("patient-view"))) == ["failing.could-not-run"]
    signed = client.post(SIGN, json=call("order-sign", order("d1", "Zinc", "draft")))
    assert codes(signed) == ["failing.could-not-run"]


def test_the_same_call_gives_the_same_identifiers_another_call_others(client: TestClient):
    first = cards(client.post(VIEW, json=call("patient-view")))
    again = cards(client.post(VIEW, json=call("patient-view")))
    other = cards(client.post(VIEW, json=call("patient-view", hookInstance=INSTANCE.replace("d", "e"))))
    assert [c["uuid"] for c in first] == [c["uuid"] for c in again]
    assert {c["uuid"] for c in first}.isdisjoint(c["uuid"] for c in other)


def test_fields_of_later_versions_and_extensions_are_accepted(client: TestClient):
    body = call("patient-view", extension={"com.example.timestamp": 1}, fhirVersion="4.0.1", version="3.0")
    body["context"] |= {"encounterId": "e1", "extension": {"x": [1]}, "appointments": {"resourceType": "Bundle"}}
    assert codes(client.post(VIEW, json=body)) == ["calm.age"]


# -- what is absent ------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefetch", [None, {}, {"patient": None}, {"conditions": None}])
def test_without_the_patient_nothing_is_said(client: TestClient, prefetch: Any):
    body = call("patient-view")
    del body["prefetch"]
    if prefetch is not None:
        body["prefetch"] = prefetch
    answer = client.post(VIEW, json=body)
    assert answer.status_code == 412
    issue = answer.json()["issue"][0]
    assert issue["code"] == "incomplete"
    assert "prefetch.patient" in issue["diagnostics"]


def test_what_was_not_sent_is_told_what_is_empty_is_not(client: TestClient):
    body = call("patient-view")
    for key in ("allergies", "procedures"):
        del body["prefetch"][key]
    found = cards(client.post(VIEW, json=body, headers={"accept-language": "en"}))
    assert [c["source"]["topic"]["code"] for c in found] == ["calm.age", "lab39.partial-record"]
    assert "allergies: nothing is concluded" in found[1]["detail"]
    assert "conditions" not in found[1]["detail"]


def test_what_failed_on_the_callers_side_is_told(client: TestClient):
    body = call("patient-view")
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
    body["prefetch"]["conditions"] = outcome
    body["prefetch"]["allergies"] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": outcome}],
    }
    found = cards(client.post(VIEW, json=body, headers={"accept-language": "en"}))
    assert "conditions: nothing" in found[1]["detail"]
    assert "allergies: nothing" in found[1]["detail"]


def test_data_sent_under_names_of_the_callers_own_counts(client: TestClient):
    body = call("patient-view")
    body["prefetch"] = {"everything": bundle(order("m1", "Zinc"), order("m2", "Zinc"))}
    assert codes(client.post(VIEW, json=body)) == ["duplicates.twice", "calm.age", "lab39.partial-record"]


def test_a_resource_sent_twice_counts_once(client: TestClient):
    body = call("patient-view")
    body["prefetch"]["mine"] = order("m1", "Amoxicilline")
    assert "duplicates.twice" not in codes(client.post(VIEW, json=body))


def test_what_cannot_be_read_is_told_on_a_card(client: TestClient):
    body = call("patient-view")
    body["prefetch"]["patient"] = {**PATIENT, "gender": "F"}
    assert codes(client.post(VIEW, json=body)) == ["calm.age", "lab39.unread-data"]


def test_another_patient_is_refused(client: TestClient):
    wrong = call("patient-view")
    wrong["prefetch"] = {"patient": {**PATIENT, "id": "p2"}}
    assert client.post(VIEW, json=wrong).status_code == 422
    stranger = call("patient-view")
    raw = order("m9", "Zinc") | {"subject": {"reference": "Patient/p2"}}
    stranger["prefetch"]["medicationrequests"] = raw
    assert client.post(VIEW, json=stranger).status_code == 422


# -- orders --------------------------------------------------------------------------------------------


def test_signing_shows_only_what_the_drafts_change(client: TestClient):
    assert codes(client.post(SIGN, json=call("order-sign", order("d1", "Zinc", "draft")))) == []
    assert codes(client.post(SIGN, json=call("order-sign", order("d1", "Amoxicilline", "draft")))) == [
        "duplicates.twice"
    ]


def test_what_was_wrong_before_the_draft_is_not_repeated(client: TestClient):
    body = call("order-sign", order("d1", "Zinc", "draft"))
    body["prefetch"]["medicationrequests"]["entry"].append({"resource": order("m2", "Amoxicilline")})
    assert codes(client.post(SIGN, json=body)) == []


class Listing(Calm):
    """Says what is taken, in an order that changes with the number of orders; says of each that it is known."""

    id = "listing"

    def assess(self, record, on, ctx):
        names = [each.concept.text for each in record.medications() if each.current]
        names = names[::-1] if len(names) % 2 else names
        known = [name for name in names if name in ("Amoxicilline", "Fer")]
        for code, told in (("all", names), ("known", known)):
            used = tuple(Input(Text("ligne", "line"), Text.same(name)) for name in told)
            rule = Reason(f"listing.{code}", Text("liste", "list"), SOURCE, used)
            yield Finding(code=code, severity=Severity.INFO, summary=Text(code, code), reasons=(rule,))
        for _ in names:
            rule = Reason("listing.one", Text("connu", "known"), SOURCE)
            yield Finding(code="one", severity=Severity.INFO, summary=Text("connu", "known"), reasons=(rule,))


def test_only_what_new_orders_change_is_shown_whatever_the_order_of_findings_and_of_their_inputs(open_lab):
    client = open_lab(lab=lab(Listing))
    body = call("order-sign", order("d1", "Zinc", "draft"))
    body["prefetch"]["medicationrequests"]["entry"].append({"resource": order("m2", "Fer")})
    found = codes(client.post(SIGN, json=body))
    # "known" names the same two the other way round. "all" names Zinc too. Of the three "one", one is new.
    assert found == ["listing.all", "listing.one"]


def test_who_finds_nothing_with_the_draft_is_not_asked_about_the_record_without_it(open_lab: Open):
    heard: list[tuple[str, int]] = []

    class Silent(Calm):
        id = "silent"

        def assess(self, record, on, ctx):
            heard.append((self.id, len(record.medications())))
            return ()

    class Speaking(Duplicates):
        id = "speaking"

        def assess(self, record, on, ctx):
            heard.append((self.id, len(record.medications())))
            return super().assess(record, on, ctx)

    client = open_lab(lab=lab(Silent, Speaking))
    assert codes(client.post(SIGN, json=call("order-sign", order("d1", "Amoxicilline", "draft")))) == [
        "speaking.twice"
    ]
    assert heard == [("silent", 2), ("speaking", 2), ("speaking", 1)]


def test_a_draft_that_changes_an_order_takes_its_place(client: TestClient):
    body = call("order-sign", order("m1", "Amoxicilline", "draft"))
    assert codes(client.post(SIGN, json=body)) == []


def test_choosing_shows_only_what_the_chosen_lines_change(client: TestClient):
    drafts = (order("d1", "Zinc", "draft"), order("d2", "Zinc", "draft"), order("d3", "Fer", "draft"))
    chosen = call("order-select", *drafts, selections=["MedicationRequest/d2"])
    assert codes(client.post(SELECT, json=chosen)) == ["duplicates.twice"]
    other = call("order-select", *drafts, selections=["MedicationRequest/d3"])
    assert codes(client.post(SELECT, json=other)) == []
    none = call("order-select", *drafts, selections=[])
    assert codes(client.post(SELECT, json=none)) == []


def test_a_draft_for_another_patient_is_refused(client: TestClient):
    draft = order("d1", "Zinc", "draft") | {"subject": {"reference": "Patient/p2"}}
    assert client.post(SIGN, json=call("order-sign", draft)).status_code == 422


# -- requests that are refused -------------------------------------------------------------------------


def _without(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda body: body.pop(name) and None


def _set(where: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        *path, last = where.split(".")
        for part in path:
            body = body[part]
        body[last] = value

    return change


WRONG: Iterable[tuple[str, Callable[[dict[str, Any]], None], str]] = [
    ("no hook", _without("hook"), "hook"),
    ("another hook", _set("hook", "order-sign"), "hook"),
    ("no instance", _without("hookInstance"), "hookInstance"),
    ("an instance that is no UUID", _set("hookInstance", "1"), "hookInstance"),
    ("no context", _without("context"), "context"),
    ("a context that is text", _set("context", "p1"), "context"),
    ("no patient in the context", _set("context", {"userId": "Practitioner/1"}), "context.patientId"),
    ("a patient that is a path", _set("context.patientId", "../x"), "context.patientId"),
    ("a number for the patient", _set("context.patientId", 1), "context.patientId"),
    ("prefetch that is a list", _set("prefetch", []), "prefetch"),
    ("prefetch of text", _set("prefetch.patient", "Patient/1"), "prefetch"),
    ("a token without a server", _set("fhirAuthorization", {"access_token": "x"}), "fhirAuthorization"),
]


@pytest.mark.parametrize(("change", "place"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_call_that_is_not_one_is_refused_and_says_where(client: TestClient, change: Any, place: str):
    body = call("patient-view")
    change(body)
    answer = client.post(VIEW, json=body)
    assert answer.status_code == 422
    assert place in answer.json()["issue"][0]["diagnostics"]


def test_orders_need_drafts_and_choosing_needs_a_choice(client: TestClient):
    for hook, path, missing in (("order-sign", SIGN, "draftOrders"), ("order-select", SELECT, "selections")):
        body = call(hook)
        del body["context"][missing]
        answer = client.post(path, json=body)
        assert answer.status_code == 422
        assert missing in answer.json()["issue"][0]["diagnostics"]


def test_a_refusal_never_repeats_a_value(client: TestClient):
    body = call("patient-view", hookInstance="marked health data")
    assert "marked" not in client.post(VIEW, json=body).text


def test_an_unknown_service_is_told(client: TestClient):
    for path in ("/cds-services/nobody", "/cds-services/nobody/feedback"):
        assert client.post(path, json={}).status_code == 404


# -- feedback ------------------------------------------------------------------------------------------


def overridden(card: str, at: str = "2026-11-24T09:05:31Z", **more: Any) -> dict[str, Any]:
    return {"feedback": [{"card": card, "outcome": "overridden", "outcomeTimestamp": at, **more}]}


def counts(client: TestClient) -> dict[str, cds.Count]:
    with house_of(client).store.reading() as tx:
        return {f"{row.solution}.{row.code}": row for row in cds.counts(tx)}


def test_feedback_is_counted_by_kind_of_finding_with_its_reasons(client: TestClient):
    (card,) = cards(client.post(VIEW, json=call("patient-view")))
    reason = {"reason": {"code": "already-done", "system": "urn:x"}, "userComment": "Fait hier"}
    accepted = {
        "card": card["uuid"].upper(),
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": "e56e1945-20b3-4393-8503-a1a20fd73152"}],
        "outcomeTimestamp": "2026-11-24T10:05:31.25+01:00",
    }
    assert client.post(f"{VIEW}/feedback", json=overridden(card["uuid"], overrideReason=reason)).json() == {}
    assert client.post(f"{VIEW}/feedback", json={"feedback": [accepted]}).status_code == 200
    count = counts(client)["calm.age"]
    assert (count.given, count.accepted, count.overridden) == (1, 1, 1)
    assert count.reasons == {"urn:x|already-done": 1}
    with house_of(client).store.reading() as tx:
        assert [row[3] for row in cds.comments(tx)] == ["Fait hier"]
        assert [e.action for e in audit.entries(tx)].count("feedback") == 2


def test_feedback_sent_again_counts_once_a_second_outcome_twice(client: TestClient):
    (card,) = cards(client.post(VIEW, json=call("patient-view")))
    for at in ("2026-11-24T09:05:31Z", "2026-11-24T09:05:31Z", "2026-11-24T10:05:31+01:00", "2026-11-24T09:06:00Z"):
        assert client.post(f"{VIEW}/feedback", json=overridden(card["uuid"], at)).status_code == 200
    assert counts(client)["calm.age"].overridden == 2


def test_feedback_about_a_forgotten_card_is_kept(client: TestClient):
    client.post(f"{VIEW}/feedback", json=overridden(INSTANCE))
    assert counts(client)["."].overridden == 1


@pytest.mark.parametrize(
    "feedback",
    [
        {},
        {"feedback": {}},
        {"feedback": [{}]},
        overridden("not-a-uuid"),
        overridden(INSTANCE, "yesterday"),
        overridden(INSTANCE, "2026-11-24T25:05:31Z"),
        overridden(INSTANCE, "2026-11-24T09:05:31"),
        overridden(INSTANCE, outcome="ignored"),  # cds-fb-1
        overridden(INSTANCE, outcome="accepted"),  # cds-fb-2
        overridden(INSTANCE, overrideReason={}),  # cds-fb-3
        {"feedback": [overridden(INSTANCE)["feedback"][0]] * 101},
    ],
)
def test_feedback_that_is_not_one_is_refused_whole(client: TestClient, feedback: Any):
    assert client.post(f"{VIEW}/feedback", json=feedback).status_code == 422
    assert counts(client) == {}


def test_cards_are_forgotten_after_six_months_feedback_is_not(client: TestClient):
    (card,) = cards(client.post(VIEW, json=call("patient-view")))
    client.post(f"{VIEW}/feedback", json=overridden(card["uuid"]))
    here = house_of(client)
    with here.store.writing() as tx:
        assert cds.sweep(tx, at=here.now() + cds.KEPT) == 1
    assert (counts(client)["calm.age"].given, counts(client)["calm.age"].overridden) == (0, 1)


# -- pages of elsewhere --------------------------------------------------------------------------------

SANDBOX = "https://sandbox.cds-hooks.org"


def test_only_the_pages_that_were_named_may_call_from_a_browser_and_only_the_services(open_lab: Open):
    client = open_lab(lab=lab(Calm), cds_origins=(SANDBOX,))
    asked = {
        "origin": SANDBOX,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    assert client.options(VIEW, headers=asked).headers["access-control-allow-origin"] == SANDBOX
    assert client.options(VIEW, headers=asked | {"origin": "https://evil.example"}).status_code == 400
    answer = client.post(VIEW, json=call("patient-view"), headers={"origin": SANDBOX})
    assert answer.headers["access-control-allow-origin"] == SANDBOX
    assert "access-control-allow-credentials" not in answer.headers
    refused = client.post(VIEW, content=b"x", headers=JSON | {"origin": SANDBOX})
    assert refused.headers["access-control-allow-origin"] == SANDBOX
    assert "access-control-allow-origin" not in client.get("/api/v1/solutions", headers={"origin": SANDBOX}).headers


def test_no_page_may_when_none_was_named(client: TestClient):
    answer = client.get("/cds-services", headers={"origin": SANDBOX})
    assert "access-control-allow-origin" not in answer.headers
