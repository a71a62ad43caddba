"""Who may prescribe and give, and what is reimbursed: one case a row, and what stays open when a fact is absent."""

from __future__ import annotations

import datetime as dt

import pytest

from lab39.core.errors import UnknownNameError
from lab39.solutions.vaccination import rights
from lab39.solutions.vaccination.products import Product, find

ON = dt.date(2026, 11, 26)


def product(name: str) -> Product:
    found = find(name).product
    assert found is not None, name
    return found


def at(years: int, **stated: bool) -> rights.Situation:
    return rights.Situation(ON, dt.date(ON.year - years, 1, 1), **stated)


ACTS = [
    ("A0", "doctor", "prescribe", "DTP", at(30), "unknown"),
    ("A1", "doctor", "prescribe", "Revaxis", at(45), "no"),
    ("A2", "pharmacist", "prescribe", "Trumenba", at(9, indicated=True), "no"),
    ("A3", "midwife", "administer", "Pneumovax", at(1, indicated=True), "unknown"),
    ("A4", "doctor", "administer", "Stamaril", at(30, approved_centre=False), "no"),
    ("D1", "doctor", "administer", "Stamaril", at(30, approved_centre=True), "yes"),
    ("D1", "doctor", "prescribe", "Priorix", at(30, immunosuppressed=True), "yes"),
    ("S1", "medical-student", "prescribe", "Repevax", at(30), "no"),
    ("S2", "medical-student", "administer", "Hexyon", at(1), "yes"),
    ("S6", "pharmacy-student", "administer", "Priorix", at(30, immunosuppressed=True), "unknown"),
    ("S6", "medical-student", "administer", "Priorix", at(30, immunosuppressed=True), "unknown"),
    ("S2", "medical-student", "administer", "Priorix", at(30, immunosuppressed=False), "yes"),
    ("S3", "pharmacy-student", "administer", "Comirnaty LP.8.1 10 µg", at(8), "unknown"),
    ("S4", "pharmacy-student", "administer", "Repevax", at(10), "no"),
    ("S5", "pharmacy-student", "administer", "Repevax", at(11), "yes"),
    ("M1", "midwife", "administer", "Beyfortus 50 mg", at(0), "unknown"),
    ("M2", "midwife", "prescribe", "Priorix", at(30, immunosuppressed=True), "no"),
    ("M3", "midwife", "administer", "Priorix", at(30, immunosuppressed=True, ordered=False), "no"),
    ("M4", "midwife", "prescribe", "Typhim Vi", at(30), "no"),
    ("M5", "midwife", "prescribe", "Shingrix", at(40, indicated=False), "no"),
    ("M6", "midwife", "prescribe", "Hexyon", at(1, indicated=True), "yes"),
    ("P1", "pharmacist", "administer", "Beyfortus 100 mg", at(0), "no"),
    ("N1", "nurse", "prescribe", "Beyfortus 100 mg", at(0), "no"),
    ("N2", "nurse", "administer", "Hexyon", at(1, ordered=True), "yes"),
    ("N3", "nurse", "administer", "Beyfortus 100 mg", at(0, ordered=False), "no"),
    ("P2", "pharmacist", "prescribe", "Priorix", at(30, immunosuppressed=True, indicated=True), "no"),
    ("P2", "nurse", "prescribe", "Varivax", at(30, immunosuppressed=True, indicated=True), "no"),
    ("P3", "pharmacist", "administer", "Priorix", at(30, immunosuppressed=True, ordered=False), "no"),
    ("P4", "pharmacist", "prescribe", "Comirnaty LP.8.1 10 µg", at(5), "yes"),
    ("P5", "pharmacist", "prescribe", "Vaxigrip", at(11, indicated=False), "yes"),
    ("P6", "pharmacist", "prescribe", "Vaxigrip", at(10, indicated=True), "no"),
    ("P6", "pharmacist", "administer", "Hexyon", at(1, ordered=True), "no"),
    ("P7", "pharmacist", "administer", "Priorix", at(30, immunosuppressed=True, ordered=True), "yes"),
    ("P8", "pharmacist", "prescribe", "Ixiaro", at(30), "no"),
    ("P9", "pharmacist", "prescribe", "Avaxim 160", at(30, travel=True, indicated=True), "unknown"),
    ("P10", "pharmacist", "prescribe", "Qdenga", at(30, immunosuppressed=False, indicated=True), "unknown"),
    ("P11", "pharmacist", "prescribe", "Repevax", at(25, indicated=True), "yes"),
    ("P11", "nurse", "prescribe", "Gardasil 9", at(11, indicated=True), "yes"),
    ("P12", "pharmacist", "prescribe", "Engerix B 20", at(30, travel=True, indicated=False), "no"),
    ("P13", "pharmacist", "prescribe", "Shingrix", at(40, travel=False, indicated=False), "no"),
]

PAYMENTS = [
    ("R0", "ROR", at(1), "unknown", None),
    ("R1", "NeisVac", at(1), "no", None),
    ("R2", "Gardasil 9", at(12, school=True), "yes", 100),
    ("R2", "MenQuadfi", at(12, school=True), "yes", 100),
    ("R3", "Menveo", at(12, school=False), "unknown", None),
    ("R4", "Priorix", at(17), "yes", 100),
    ("R5", "Priorix", at(18), "yes", 65),
    ("R6", "Efluelda", at(64), "no", None),
    ("R7", "Fluad", at(65), "yes", 100),
    ("R8", "Vaxigrip", at(30, targeted=True), "yes", 100),
    ("R9", "Vaxigrip", at(17, targeted=False), "yes", 65),
    ("R10", "Vaxigrip", at(18, targeted=False), "unknown", None),
    ("R11", "Comirnaty LP.8.1 30 µg", at(30), "yes", 100),
    ("R12", "Comirnaty LP.8.1 3 µg", at(3), "unknown", None),
    ("R13", "Abrysvo", at(30, pregnant=True), "yes", 100),
    ("R14", "Abrysvo", at(75, pregnant=False), "unknown", None),
    ("R15", "Arexvy", at(75), "no", None),
    ("R16", "Beyfortus 50 mg", at(0, maternity=True), "yes", 100),
    ("R17", "Beyfortus 50 mg", at(0, maternity=False), "yes", 30),
    ("R18", "Shingrix", at(65), "yes", 65),
    ("R19", "Shingrix", at(18, immunosuppressed=True), "yes", 65),
    ("R20", "Shingrix", at(50, immunosuppressed=False), "no", None),
    ("R21", "Gardasil 9", at(20, school=False), "yes", 65),
    ("R21", "Gardasil 9", at(26, school=False), "yes", 65),
    ("R22", "Ixiaro", at(30), "no", None),
    ("R23", "Engerix B 20", at(30, indicated=False), "no", None),
    ("R24", "Repevax", at(45, indicated=True), "yes", 65),
]


@pytest.mark.parametrize(("row", "profession", "act", "name", "situation", "verdict"), ACTS)
def test_a_row_answers_for_a_profession_and_an_act(row, profession, act, name, situation, verdict):
    answer = rights.may(profession, act, product(name), situation)
    assert [each.id for each in answer.rows] == [row]
    assert answer.verdict == verdict
    assert answer.condition
    assert answer.says.fr


@pytest.mark.parametrize(("row", "name", "situation", "verdict", "rate"), PAYMENTS)
def test_a_row_answers_for_reimbursement(row, name, situation, verdict, rate):
    answer = rights.reimbursed(product(name), situation)
    assert [each.id for each in answer.rows] == [row]
    assert (answer.verdict, answer.rate) == (verdict, rate)


def test_every_row_is_reached_by_a_case():
    assert {case[0] for case in ACTS} == {row.id for row in rights.acts()}
    assert {case[0] for case in PAYMENTS} == {row.id for row in rights.payments()}


def test_a_disputed_row_never_answers_by_itself_and_every_row_has_a_source():
    for row in (*rights.acts(), *rights.payments()):
        assert not row.disputed or row.answer == "ask", row.id
        assert row.source.title, row.id
        assert row.source.url.startswith("https://"), row.id
        assert row.confidence != "M" or row.disputed, row.id


@pytest.mark.parametrize(
    ("act", "name", "situation", "missing"),
    [
        ("prescribe", "Priorix", at(30, indicated=True), ["immunosuppressed"]),
        ("prescribe", "Repevax", rights.Situation(ON, None, indicated=True), ["birth"]),
        ("prescribe", "Avaxim 160", at(30, indicated=True), ["travel"]),
        ("administer", "Stamaril", at(30, immunosuppressed=False, ordered=True), ["approved_centre"]),
    ],
)
def test_a_fact_that_nobody_stated_leaves_the_answer_open_and_is_named(act, name, situation, missing):
    answer = rights.may("pharmacist", act, product(name), situation)
    assert answer.verdict == "unknown"
    assert answer.missing == tuple(rights.MISSING[each] for each in missing)
    assert answer.says.fr.startswith("à préciser")


def test_a_missing_fact_that_changes_nothing_is_not_asked():
    assert rights.may("pharmacist", "prescribe", product("Hexyon"), at(1)).verdict == "no"
    assert rights.may("pharmacist", "prescribe", product("Ixiaro"), at(30)).verdict == "no"
    assert rights.may("doctor", "prescribe", product("Priorix"), rights.Situation(ON)).verdict == "yes"


def test_the_eleventh_birthday_is_the_first_day():
    born = dt.date(2015, 11, 27)
    young = rights.Situation(ON, born, indicated=True)
    old = rights.Situation(ON + dt.timedelta(days=1), born, indicated=True)
    assert rights.may("pharmacist", "prescribe", product("Repevax"), young).verdict == "no"
    assert rights.may("pharmacist", "prescribe", product("Repevax"), old).verdict == "yes"


def test_when_no_row_answers_it_says_so():
    answer = rights.reimbursed(product("Repevax"), at(45))
    assert answer.verdict == "unknown"
    assert answer.missing == (rights.MISSING["indicated"],)


def test_an_unknown_profession_is_named_with_those_that_are_known():
    with pytest.raises(UnknownNameError, match="sorcier"):
        rights.may("sorcier", "prescribe", product("Repevax"), at(30))


def test_the_json_form_holds_the_source_and_its_date():
    told = rights.may("pharmacist", "prescribe", product("Repevax"), at(25, indicated=True)).as_dict()
    assert told["answer"] == "yes"
    assert told["rows"][0]["date"] == dt.date(2023, 8, 9)


@pytest.mark.parametrize(("name", "years"), [("Gardasil 9", 22), ("Nimenrix", 18)])
def test_nobody_grown_up_is_asked_about_the_campaign_at_school(name: str, years: int):
    assert "collège" not in rights.reimbursed(product(name), at(years, indicated=True)).says.fr
    assert "collège" in rights.reimbursed(product(name), at(12, indicated=True)).says.fr
