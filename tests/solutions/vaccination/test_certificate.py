"""The printed record: every dose with lot, site and verdict, in accents, in one or both languages."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.solutions.vaccination.small import dose, schedule

from lab39 import fhir
from lab39.core import terms
from lab39.solutions.vaccination import run
from lab39.solutions.vaccination.certificate import certificate, pdf
from lab39.solutions.vaccination.france import open_france
from lab39.solutions.vaccination.products import find
from lab39.solutions.vaccination.reading import read_patient

ON = dt.date(2026, 11, 26)
CVX = "http://hl7.org/fhir/sid/cvx"


@pytest.fixture
def used():
    return schedule(
        {
            "MMR": [dose(1, "12 months", ["901"]), dose(2, "16 months", ["901"], interval="4 weeks")],
            "Varicella": [dose(1, "7 years", ["902"])],
            "Zoster": [dose(1, "60 years", ["903"])],
        },
        {"901": ["MMR"], "902": ["Varicella"], "903": ["Zoster"]},
    )


def immunization(number: int, day: str, code: str, **more):
    return {
        "resourceType": "Immunization", "id": f"i{number}", "status": "completed", "occurrenceDateTime": day,
        "vaccineCode": {"coding": [{"system": CVX, "code": code}], "text": "Vaccin d'Œdipe"}, **more,
    }  # fmt: skip


@pytest.fixture
def record():
    resources = [
        {
            "resourceType": "Patient", "id": "p", "birthDate": "2020-01-15", "gender": "female",
            "name": [{"family": "Noël-Œuvrard", "given": ["Maëlys"]}],
        },
        immunization(2, "2021-01-25", "901", lotNumber="ÉX-12"),
        immunization(1, "2021-01-20", "901", lotNumber="AB-1", site={"coding": [{"display": "bras g."}]}),
        immunization(3, "2021", "901"),
        immunization(4, "2022-02-02", "901", status="not-done"),
    ]  # fmt: skip
    entries = [{"resource": each} for each in resources]
    return fhir.record({"resourceType": "Bundle", "type": "collection", "entry": entries}, "p")


@pytest.fixture
def made(record, used):
    known = read_patient(record, used, ON)
    assert known.patient is not None
    return certificate(record, known.patient, run(used, known.patient, ON), used, known.uncounted)


def text_of(content: bytes) -> str:
    import pypdfium2

    document = pypdfium2.PdfDocument(content)
    try:
        return " ".join(page.get_textpage().get_text_range() for page in document).replace("\r\n", " ")
    finally:
        document.close()


def test_every_dose_of_the_record_is_a_line_with_its_verdict(made):
    lines = [(each.date.fr, each.lot, each.site, each.counts.en) for each in made.given]
    assert [line[:3] for line in lines] == [
        ("2021", "", ""),
        ("20/01/2021", "AB-1", "bras g."),
        ("25/01/2021", "ÉX-12", ""),
    ]
    assert lines[0][3] == "not counted (dated “2021”, month and day are missing)"
    assert lines[1][3] == "counts"
    assert "too" in lines[2][3]


def test_what_is_due_now_and_within_two_years_is_told(made):
    assert [each.en for each in made.now] == ["Measles, mumps, rubella (MMR), dose 2"]
    assert [each.en for each in made.next] == ["Varicella, dose 1, from 15 Jan 2027"]


def test_the_page_holds_accents_ligatures_and_both_languages(made):
    said = text_of(pdf(made))
    for word in ("Maëlys Noël-Œuvrard", "Vaccin d'Œdipe", "ÉX-12", "AB-1", "bras g.", "Relevé de vaccination",
                 "Vaccination record", "À faire", "To be given", "15/01/2020"):  # fmt: skip
        assert word.replace("'", "’") in said.replace("'", "’"), word


@pytest.mark.parametrize(
    ("lang", "there", "absent"), [("fr", "Doses reçues", "given"), ("en", "Doses given", "reçues")]
)
def test_one_language_alone(made, lang, there, absent):
    said = text_of(pdf(made, (lang,)))
    assert there in said
    assert absent not in said.replace("Vaccin d’Œdipe", "")


def test_the_same_record_on_the_same_day_is_the_same_file(made):
    assert pdf(made) == pdf(made)


def test_a_record_without_doses_prints(used):
    record = fhir.record({"resourceType": "Patient", "id": "p", "birthDate": "2026-01-01"}, "p")
    known = read_patient(record, used, ON)
    assert known.patient is not None
    found = certificate(record, known.patient, run(used, known.patient, ON), used)
    assert "Aucune dose" in text_of(pdf(found, ("fr",)))


def test_many_doses_run_over_several_pages(used):
    import pypdfium2

    many = [immunization(n, f"2021-{n % 12 + 1:02d}-{n % 28 + 1:02d}", "901") for n in range(80)]
    entries = [{"resource": {"resourceType": "Patient", "id": "p", "birthDate": "2020-01-15"}}]
    entries += [{"resource": each} for each in many]
    record = fhir.record({"resourceType": "Bundle", "type": "collection", "entry": entries}, "p")
    known = read_patient(record, used, ON)
    assert known.patient is not None
    found = certificate(record, known.patient, run(used, known.patient, ON), used, known.uncounted)
    document = pypdfium2.PdfDocument(pdf(found))
    pages = len(document)
    document.close()
    assert pages >= 2


def printed(used, birth: str, *resources):
    entries = [{"resource": {"resourceType": "Patient", "id": "p", "birthDate": birth}}]
    entries += [{"resource": each} for each in resources]
    record = fhir.record({"resourceType": "Bundle", "type": "collection", "entry": entries}, "p")
    known = read_patient(record, used, ON)
    assert known.patient is not None
    found = certificate(record, known.patient, run(used, known.patient, ON), used, known.uncounted)
    return [(each.date.fr, each.counts.en) for each in found.given]


def test_two_doses_under_one_id_each_have_their_own_verdict(used):
    early, good = immunization(1, "2020-03-01", "901"), immunization(1, "2021-03-01", "901")
    said = dict(printed(used, "2020-01-15", early, good))
    assert "too young" in said["01/03/2020"]
    assert said["01/03/2021"] == "counts"


def test_a_dose_recorded_twice_is_printed_twice_and_said_to_count_once(used):
    said = printed(used, "2020-01-15", immunization(1, "2021-03-01", "901"), immunization(2, "2021-03-01", "901"))
    assert sorted(counts for _, counts in said) == ["counts", "recorded twice, counted once"]


def nuva(day: str, name: str):
    product = find(name).product
    assert product is not None
    made = immunization(1, day, product.nuva)
    made["vaccineCode"]["coding"][0]["system"] = terms.NUVA
    return made


def test_a_dose_that_had_its_use_is_not_said_to_be_worth_nothing():
    france = open_france()
    assert printed(france, "2014-05-01", nuva("2015-06-01", "Nimenrix")) == [
        ("01/06/2015", "counted on the day it was given")
    ]
    assert printed(france, "1960-01-01", nuva("2016-04-01", "Zostavax")) == [
        ("01/04/2016", "counted on the day it was given")
    ]
    assert printed(france, "1954-02-02", nuva("2019-05-15", "Pneumovax")) == [
        ("15/05/2019", "spaces the next dose: pneumococcal")
    ]


def made_of(used, name: str, lot: str):
    dose = immunization(1, "2021-03-01", "901") | {"lotNumber": lot}
    patient = {"resourceType": "Patient", "id": "p", "birthDate": "2020-01-15", "name": [{"text": name}]}
    entries = [{"resource": patient}, {"resource": dose}]
    record = fhir.record({"resourceType": "Bundle", "type": "collection", "entry": entries}, "p")
    known = read_patient(record, used, ON)
    assert known.patient is not None
    return certificate(record, known.patient, run(used, known.patient, ON), used, known.uncounted)


def right_edges(found) -> list[float]:
    """How far to the right each letter of the first page goes, in points; A4 is 595 wide, its margin 45."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf(found))
    page = document[0].get_textpage()
    edges = [page.get_charbox(each)[2] for each in range(page.count_chars())]
    document.close()
    return edges


def column(found, head: str) -> float:
    """Where a column begins, by its head."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf(found, ("en",)))
    page = document[0].get_textpage()
    place = page.search(head).get_next()
    left = page.get_charbox(place[0])[0]
    document.close()
    return left


def test_a_long_lot_and_a_long_name_stay_in_their_place(used):
    short, long = made_of(used, "Ana", "AB12"), made_of(used, "A" * 300, "X1234567890" * 6)
    assert column(long, "Counts") == column(short, "Counts")
    assert max(right_edges(long)) <= 595 - 45 + 1


def test_letters_that_cannot_be_printed_are_said_to_be_written_by_hand(used):
    assert "write them by hand" in text_of(pdf(made_of(used, "王小明", "AB12"), ("en",)))
    for name in ("Łucja Nguyễn Thị Hằng", "Оксана Шевченко", "محمد الأمين", "Ελένη", "D'Œdipe-Ñandú"):
        assert "by hand" not in text_of(pdf(made_of(used, name, "AB12"), ("en",))), name
