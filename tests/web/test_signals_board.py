"""The board through the door of the lab: from a run to a recommendation, two assessors, who may do what."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from html import unescape
from pathlib import Path

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient
from tests.web.people import house_of, signed_in
from tests.web.test_roles import VIEWERS, call, is_refused, may, routes

from lab39.core.lab import Lab
from lab39.fhir import outputs
from lab39.solutions.signals import Pairs, detect, runs
from lab39.solutions.signals.solution import Signals
from lab39.store import audit, events

MADE = dt.date(2026, 11, 27)


@pytest.fixture(scope="module")
def quarters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two runs: 5 cases of allopurinol and DRESS of 400 reports, then 9 of 500."""
    folder, made = tmp_path_factory.mktemp("runs"), {}
    for name, many, cases in (("2017Q1", 400, 5), ("2017Q2", 500, 9)):
        rows = [(n, "ALLOPURINOL", "DRESS" if n < cases else "NAUSEA") for n in range(40)]
        rows += [(n, "PARACETAMOL", "DRESS" if n < 42 else "NAUSEA") for n in range(40, many)]
        path = folder / f"{name}.csv"
        path.write_text("report_id,drug,event\n" + "".join(f"{r},{d},{e}\n" for r, d, e in rows), "utf-8")
        made[name] = runs.write(detect(Pairs(path)), folder / "runs", name, MADE).folder
    return made


@pytest.fixture
def lab(settings) -> Lab:
    return Lab([Signals()], settings)


@pytest.fixture
def client(open_lab, lab) -> TestClient:
    opened: TestClient = open_lab(lab=lab)
    signed_in(opened, "expert")
    return opened


def words(text: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", text)).replace("\u202f", " "))


def printed_text(content: bytes) -> str:
    """The words of a PDF."""
    import pypdfium2

    document = pypdfium2.PdfDocument(content)
    return words(" ".join(page.get_textpage().get_text_range() for page in document))


def field(text: str, form: str, name: str) -> str:
    """The value of a hidden field of a form, by a part of its address."""
    found = re.search(rf'<form[^>]*action="[^"]*{form}".*?</form>', text, re.DOTALL)
    assert found, form
    value = re.search(rf'name="{name}" value="([^"]*)"', found[0])
    assert value, name
    return value[1]


def opened(client: TestClient, drug: str = "allopurinol", event: str = "dress", **more: str) -> str:
    """The address of a signal that is opened by its form."""
    sent = {"drug": drug, "event": event, "reason": "EB05 élevé"} | more
    answer = client.post("/signals/board/open", data=sent)
    assert answer.status_code == 303, words(answer.text)[:500]
    return answer.headers["location"].partition("?")[0]


def decide(client: TestClient, signal: str, move: str, reason: str = "lu et pesé", **more):
    seen = field(client.get(signal).text, "/decide", "seen")
    return client.post(f"{signal}/decide", data={"seen": seen, "move": move, "reason": reason} | more)


def test_a_signal_is_opened_from_a_run_with_its_figures(client, lab, quarters):
    lab.packs.import_files("signals", [quarters["2017Q1"]])
    form = words(client.get("/signals/board/new", params={"drug": "allopurinol", "event": "dress"}).text)
    assert "Ce que dit l'analyse 2017Q1" in form
    signal = opened(client)
    shown = words(client.get(signal).text)
    assert "Cas (n) 5" in shown
    assert "ALLOPURINOL, DRESS" in shown  # as the run writes it
    assert "l'analyse la plus récente est encore 2017Q1" in shown.replace("L'analyse", "l'analyse")
    assert (
        client.post("/signals/board/open", data={"drug": "ALLOPURINOL", "event": "DRESS", "reason": "x"})
        .headers["location"]
        .endswith("?said=there")
    )


def test_the_next_quarter_shows_what_moved(client, lab, quarters):
    lab.packs.import_files("signals", [quarters["2017Q1"]])
    signal = opened(client)
    lab.packs.import_files("signals", [quarters["2017Q2"]])
    shown = words(client.get(signal).text)
    assert "Ce qui a changé de 2017Q1 à 2017Q2" in shown
    assert "Cas (n) 5 9 +4" in shown
    seen = field(client.get(signal).text, "/note", "seen")
    assert client.post(f"{signal}/note", data={"seen": seen}).status_code == 303
    assert "Chiffres notés" in words(client.get(signal).text)


def test_the_page_of_a_pair_leads_there_for_an_assessor_and_for_nobody_else(client, open_lab, lab, quarters):
    lab.packs.import_files("signals", [quarters["2017Q1"]])
    asked = {"drug": "ALLOPURINOL", "event": "DRESS"}
    led = "/signals/board/new?drug=ALLOPURINOL&amp;event=DRESS&amp;run=2017Q1"
    assert led in client.get("/signals/pair", params=asked).text
    other = open_lab(lab=lab)
    signed_in(other, "professional")
    assert led not in other.get("/signals/pair", params=asked).text
    assert led not in client.get("/signals/pair", params=asked | {"run": "demo"}).text


def test_without_a_run_a_signal_is_opened_by_hand_and_says_so(client):
    assert "ouvert sans chiffres" in words(client.get("/signals/board/new").text)
    shown = words(client.get(opened(client)).text)
    assert "Ouvert sans chiffres. Aucune analyse importée ici" in shown


def test_a_pair_that_the_run_does_not_hold_is_told_as_such_never_as_zero(client, lab, quarters):
    lab.packs.import_files("signals", [quarters["2017Q1"]])
    signal = opened(client, "colchicine", "myopathie")
    shown = words(client.get(signal).text)
    assert "n 0" not in shown
    assert "Cas (n)" not in shown


def test_from_detection_to_a_recommendation_that_others_hear(client):
    signal = opened(client)
    for move, more in (
        ("validate", {}),
        ("confirm", {}),
        ("prioritise", {"priority": "urgent"}),
        ("assess", {"conclusion": "new-risk"}),
        ("recommend", {"recommendations": ["product-information", "study"]}),
    ):
        assert decide(client, signal, move, **more).status_code == 303, move
    shown = words(client.get(signal).text)
    assert "Recommandation faite" in shown
    assert "priorité urgente" in shown
    assert "Modifier l'information du produit (RCP, notice), étude après autorisation." in shown
    assert shown.count("signé au journal d'audit") == 6
    with house_of(client).store.reading() as tx:
        (event,) = events.find(tx, topics=["signals.recommended"])
        assert event.payload is not None
        assert event.payload["recommendations"] == ["product-information", "study"]
        assert len(audit.entries(tx, subject=signal.rpartition("/")[2])) == 6


@pytest.mark.parametrize(
    ("move", "more", "place"),
    [
        ("validate", {"reason": " "}, "reason"),
        ("validate", {"reason": "x" * 4001}, "reason"),
        ("recommend", {}, "move"),
        ("unheard-of", {}, "move"),
        ("", {}, "move"),
    ],
)
def test_what_a_decision_lacks_is_told_at_its_place_and_the_words_stay(client, move, more, place):
    signal = opened(client)
    answer = decide(client, signal, move, **{"reason": "mes mots", **more})
    assert answer.status_code == 422
    assert f'id="wrong-{place}"' in answer.text
    assert more.get("reason", "mes mots").strip() in answer.text


@pytest.mark.parametrize(("move", "needs"), [("prioritise", "priority"), ("assess", "conclusion")])
def test_a_move_that_needs_a_choice_asks_for_it(client, move, needs):
    signal = opened(client)
    for each, more in (("validate", {}), ("confirm", {}), ("prioritise", {"priority": "high"})):
        if each == move:
            break
        decide(client, signal, each, **more)
    answer = decide(client, signal, move, reason="mes mots")
    assert answer.status_code == 422
    assert f'id="wrong-{needs}"' in answer.text


def test_the_second_assessor_is_told_and_keeps_their_words(client, open_lab, lab):
    signal = opened(client)
    seen = field(client.get(signal).text, "/decide", "seen")
    assert decide(client, signal, "validate").status_code == 303
    other = open_lab(lab=lab)
    signed_in(other, "expert")
    late = other.post(
        f"{signal}/decide", data={"seen": seen, "move": "refute", "reason": "doublons de la même notification"}
    )
    assert late.status_code == 422
    assert "quelqu'un a décidé entre-temps (« validé »)" in words(late.text).replace("Quelqu'un", "quelqu'un")
    assert "doublons de la même notification</textarea>" in late.text
    assert field(late.text, "/decide", "seen") != seen
    assert decide(other, signal, "refute", "doublons de la même notification").status_code == 303
    assert "Écarté" in words(other.get(signal).text)


def test_a_case_is_scored_then_kept_by_its_number_alone(client):
    signal = opened(client)
    answers = {"case": "FR-PV20170001", "after": "yes", "dechallenge": "yes", "alternative": "no"}
    scored = client.get(f"{signal}/case", params=answers)
    assert "Naranjo 5, probable 7 sans réponse sur 10 +2 L'événement est-il apparu après" in words(scored.text)
    assert "Aucun cas évalué" in words(client.get(signal).text)
    sent = answers | {"seen": "1", "who_umc": "possible"}
    for _ in range(2):
        assert client.post(f"{signal}/case/keep", data=sent).status_code == 303
    shown = words(client.get(signal).text)
    assert "Cas évalués (1)" in shown
    assert "OMS-UMC Possible Délai raisonnable après la prise" in shown
    assert "Les deux méthodes ne s'accordent pas. Naranjo dit « probable », l'OMS-UMC « possible »." in shown


def test_the_two_methods_of_one_case_stand_side_by_side_whoever_filled_them(client, open_lab, lab):
    """Naranjo by one assessor, WHO-UMC by another: one case, both names, a sentence since they differ."""
    signal = opened(client)
    client.post(f"{signal}/case/keep", data={"seen": "1", "case": "PV-7", "after": "yes"})
    other = open_lab(lab=lab)
    second = signed_in(other, "expert")
    other.post(f"{signal}/case/keep", data={"seen": "2", "case": "PV-7", "who_umc": "certain"})
    shown = words(client.get(signal).text)
    assert "Cas évalués (1) PV-7 2 formulaires, le dernier de chaque méthode" in shown
    assert "Naranjo dit « possible », l'OMS-UMC « certaine »." in shown
    assert "ce qui n'est pas su compte 0 (9 sans réponse)" in shown
    assert shown.count(second.display_name) >= 2, "under the method, and in the history"
    printed = printed_text(client.get(f"{signal}/export/pdf").content)
    assert "WHO-UMC “certain”" in " ".join(printed.split())


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        ({"case": "Mme Durand", "after": "yes"}, "case"),
        ({"case": "", "after": "yes"}, "case"),
        ({"case": "1", "after": "maybe"}, "after"),
        ({"case": "1"}, "who_umc"),
        ({"case": "1", "who_umc": "sure"}, "who_umc"),
    ],
)
def test_a_form_of_a_case_that_cannot_be_kept_says_where(client, sent, place):
    answer = client.post(f"{opened(client)}/case/keep", data=sent | {"seen": "1"})
    assert answer.status_code == 422
    assert f'id="wrong-{place}"' in answer.text


def test_the_list_is_filtered_by_state_words_and_person(client, open_lab, lab):
    one, two = opened(client), opened(client, "colchicine", "myopathie")
    decide(client, one, "validate")
    assert one in client.get("/signals/board?state=validated").text
    assert two not in client.get("/signals/board?state=validated").text
    assert two in client.get("/signals/board?q=MYO").text
    assert "Aucun signal ne répond" in words(client.get("/signals/board?q=zzz").text)
    other = open_lab(lab=lab)
    signed_in(other, "expert")
    assert one in other.get("/signals/board").text
    assert one not in other.get("/signals/board?mine=yes").text
    assert other.get("/signals/board?state=nowhere").status_code == 422
    listed = other.get("/signals/board/export").content.decode("utf-8-sig")
    assert "allopurinol,dress,validé" in listed


def test_no_decision_is_chosen_beforehand(client):
    """It is signed and never edited: nobody takes one by pressing Enter."""
    page = client.get(opened(client)).text
    moves = re.findall(r'<input type="radio" name="move"[^>]*>', page)
    assert len(moves) == 3
    assert not [each for each in moves if "checked" in each]
    assert all("required" in each for each in moves)


def test_what_is_typed_is_shown_as_text(client):
    signal = opened(client, "<script>alert(1)</script>", "x & y", reason="<b>gras</b>")
    text = client.get(signal).text
    assert "<script>alert(1)" not in text
    assert "<b>gras" not in text


def test_a_professional_reads_and_comments_and_does_not_decide(client, open_lab, lab):
    signal = opened(client)
    other = open_lab(lab=lab)
    signed_in(other, "professional")
    shown = other.get(signal)
    assert "/decide" not in shown.text
    assert other.post(f"{signal}/decide", data={"seen": "1", "move": "validate", "reason": "x"}).status_code == 403
    assert other.post(f"{signal}/comment", data={"seen": "1", "comment": "vu en consultation"}).status_code == 303
    assert "vu en consultation" in client.get(signal).text


@pytest.mark.parametrize("viewer", VIEWERS)
def test_each_route_of_the_board_opens_to_whom_the_table_names(open_lab, lab, viewer):
    client = open_lab(lab=lab)
    if viewer != "nobody":
        signed_in(client, *({viewer} - {"no role"}))
    board = [row for row in routes(client) if row[1].startswith("/signals/board")]
    assert len(board) == 11
    for method, path, permission in board:
        if viewer == "nobody" and method == "POST":
            continue
        answer = call(client, method, path)
        assert is_refused(answer) is not may(viewer, permission), (method, path, answer.status_code)
        assert answer.status_code < 500


@pytest.fixture
def assessed(client, lab, quarters) -> str:
    """The address of a signal opened from a run, prioritised, with one case and a comment, a quarter later."""
    lab.packs.import_files("signals", [quarters["2017Q1"]])
    signal = opened(client)
    client.post(f"{signal}/comment", data={"seen": "1", "comment": "=1+1"})
    client.post(
        f"{signal}/case/keep",
        data={"seen": "2", "case": "PV-1", "after": "yes", "alternative": "no", "who_umc": "probable"},
    )
    for move, more in (("validate", {}), ("confirm", {}), ("prioritise", {"priority": "high"})):
        decide(client, signal, move, **more)
    lab.packs.import_files("signals", [quarters["2017Q2"]])
    return signal


def test_a_signal_leaves_as_a_spreadsheet_with_who_when_and_digest(client, assessed):
    answer = client.get(f"{assessed}/export/csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0] == ["médicament", "ALLOPURINOL"]
    table = [dict(zip(rows[3], row, strict=True)) for row in rows[4:]]
    assert [row["quoi"] for row in table] == [
        "ouvert",
        "commentaire",
        "imputabilité d'un cas",
        "validé",
        "confirmé",
        "priorisé",
    ]
    assert table[1]["motif"] == "'=1+1"
    assert (table[2]["cas"], table[2]["Naranjo (score)"], table[2]["OMS-UMC"]) == ("PV-1", "4", "probable")
    assert (table[0]["analyse"], table[0]["n"]) == ("2017Q1", "5")
    assert {row["signé au journal"] for row in table} == {"true"}
    assert table[1]["analyse"] == table[1]["n"] == ""


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_a_signal_leaves_as_a_valid_bundle(client, assessed, lang):
    client.get(f"/lang/{lang}")
    answer = client.get(f"{assessed}/export/fhir")
    assert answer.headers["content-type"] == "application/fhir+json"
    made = answer.json()
    outputs.validate(made)
    task, *others = [row["resource"] for row in made["entry"]]
    assert (task["resourceType"], task["status"], task["priority"]) == ("Task", "in-progress", "urgent")
    told = {row["type"]["text"]: row for row in task["input"]}
    assert told["Cas (n), 2017Q1" if lang == "fr" else "Cases (n), 2017Q1"]["valueDecimal"] == 5
    assert told["Cas (n), 2017Q2" if lang == "fr" else "Cases (n), 2017Q2"]["valueDecimal"] == 9
    assert [row["resourceType"] for row in others] == ["Provenance"] * 6 + ["AdverseEvent"]
    (suspect,) = others[-1]["suspectEntity"]
    assert suspect["causality"][0]["productRelatedness"] == "Naranjo 4"
    assert suspect["causality"][1]["assessment"]["coding"][0]["code"] == "Probably-Likely"
    assert others[0]["entity"][0]["what"]["identifier"]["value"].startswith("ni:///sha-256;")


def test_a_signal_leaves_on_paper_the_same_bytes_the_same_day(client, assessed):
    first, again = (client.get(f"{assessed}/export/pdf") for _ in range(2))
    assert first.content.startswith(b"%PDF-")
    assert first.content == again.content
    assert client.get(f"{assessed}/export/docx").status_code == 404


def test_an_entry_that_is_not_what_was_signed_is_told(client, assessed, settings):
    identifier = assessed.rpartition("/")[2]
    with house_of(client).store.writing() as tx:  # somebody with the database in their hands
        tx.exec_driver_sql("DROP TRIGGER signals_entries_keeps_rows_update")
        tx.execute(
            sa.text("UPDATE signals_entries SET reason = 'autre' WHERE signal_id = :id AND number = 4"),
            {"id": identifier},
        )
    shown = words(client.get(assessed).text)
    assert shown.count("ne correspond pas au journal d'audit") == 1
    assert shown.count("signé au journal d'audit") == 5


@pytest.fixture
def made_up(tmp_path: Path) -> Path:
    """A run over simulated reports, with a pair reported 1 200 times."""
    rows = [(n, "drug 00001", "Event 00001" if n < 1200 else "nausea") for n in range(1300)]
    rows += [(n, "drug 00002", "Event 00001" if n < 1302 else "nausea") for n in range(1300, 4000)]
    path = tmp_path / "pairs.csv"
    path.write_text("report_id,drug,event\n" + "".join(f"{r},{d},{e}\n" for r, d, e in rows), "utf-8")
    return runs.write(detect(Pairs(path)), tmp_path / "runs", "2021Q4", MADE, synthetic=True).folder


def test_a_signal_of_made_up_reports_is_said_to_be_synthetic_wherever_it_is_shown(client, lab, made_up):
    """On the form, in the list, on its page, in its history, and in what leaves the lab."""
    lab.packs.import_files("signals", [made_up])
    pair = {"drug": "drug 00001", "event": "Event 00001"}
    said = "2021Q4 (synthétique)"
    assert said in words(client.get("/signals/board/new").text)
    assert f"Ce que dit l'analyse {said}" in words(client.get("/signals/board/new", params=pair).text)
    signal = opened(client, **pair)
    assert said in words(client.get("/signals/board").text)
    shown = words(client.get(signal).text)
    assert f"Analyse {said} : n 1 200" in shown
    assert f"Chiffre {said}" in shown
    assert said in client.get("/signals/board/export").text
    rows = list(csv.DictReader(io.StringIO(client.get(f"{signal}/export/csv").text.split("\n", 3)[3])))
    assert rows[0]["analyse"] == said
    assert rows[0]["n"] == "1200", "a figure that a spreadsheet counts with"
    task = client.get(f"{signal}/export/fhir").json()["entry"][0]["resource"]
    assert [tag["code"] for tag in task["meta"]["tag"]] == ["HTEST"]
    assert f"Cas (n), {said}" in {row["type"]["text"] for row in task["input"]}
    assert "2021Q4 (synthétique) / 2021Q4 (synthetic)" in printed_text(client.get(f"{signal}/export/pdf").content)


def test_a_signal_of_real_reports_bears_no_such_tag(client, assessed):
    assert "synthétique" not in words(client.get(assessed).text)
    assert "meta" not in client.get(f"{assessed}/export/fhir").json()["entry"][0]["resource"]
