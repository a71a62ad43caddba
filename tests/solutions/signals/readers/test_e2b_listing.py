"""The message we write, against the published field listing and the published R3 case report.

The official schemas are not in the registries: what is held here is what the listing calls mandatory, the codes and
identifiers, the order of the elements, and that what is written is read back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab39.solutions.signals.readers import e2b_r3, e2b_write, missing_for_e2b, values
from lab39.solutions.signals.readers.model import Case, Drug, Event, Indication, Report
from lab39.solutions.signals.readers.streams import Item

from .test_e2b import ENVELOPE, V3, full_case, read_back

EVENT = ".//{v}investigationEvent"
REACTION = ".//{v}subjectOf2/{v}observation[@told='29']"
DRUG = ".//{v}organizer[@told='4']/{v}component/{v}substanceAdministration"
CRITERION = REACTION + "//{v}observation[@told='%s']/{v}value"
PLACES: Mapping[str, str] = {
    "N.1.1": "./{v}name[@code='1']",
    "N.1.2": "./{v}id[@extension]",
    "N.1.3": "./{v}sender/{v}device/{v}id[@extension]",
    "N.1.4": "./{v}receiver/{v}device/{v}id[@extension]",
    "N.1.5": "./{v}creationTime[@value]",
    "N.2.r.1": "./{v}PORR_IN049016UV/{v}id[@extension]",
    "N.2.r.2": "./{v}PORR_IN049016UV/{v}sender/{v}device/{v}id[@extension]",
    "N.2.r.3": "./{v}PORR_IN049016UV/{v}receiver/{v}device/{v}id[@extension]",
    "N.2.r.4": "./{v}PORR_IN049016UV/{v}creationTime[@value]",
    "C.1.1": EVENT + "/{v}id[@root='2.16.840.1.113883.3.989.2.1.3.1']",
    "C.1.2": ".//{v}controlActProcess/{v}effectiveTime[@value]",
    "C.1.3": EVENT + "//{v}investigationCharacteristic[@told='1']/{v}value[@code]",
    "C.1.4": EVENT + "/{v}effectiveTime/{v}low[@value]",
    "C.1.5": EVENT + "/{v}availabilityTime[@value]",
    "C.1.6.1": EVENT + "/{v}component/{v}observationEvent[@told='1']/{v}value",
    "C.1.7": EVENT + "/{v}component/{v}observationEvent[@told='23']/{v}value",
    "C.1.8.1": EVENT + "/{v}id[@root='2.16.840.1.113883.3.989.2.1.3.2']",
    "C.1.8.2": EVENT + "//{v}relatedInvestigation[@told='1']//{v}assignedEntity/{v}code[@code]",
    "C.1.9.1": EVENT + "//{v}investigationCharacteristic[@told='2']/{v}value",
    "C.3.1": EVENT + "/{v}subjectOf1//{v}assignedEntity/{v}code[@code]",
    "E.i.2.1a": REACTION + "/{v}value[@codeSystemVersion]",
    "E.i.2.1b": REACTION + "/{v}value[@code]",
    "E.i.3.2a": CRITERION % 34,
    "E.i.3.2b": CRITERION % 21,
    "E.i.3.2c": CRITERION % 33,
    "E.i.3.2d": CRITERION % 35,
    "E.i.3.2e": CRITERION % 12,
    "E.i.3.2f": CRITERION % 26,
    "E.i.7": REACTION + "//{v}observation[@told='27']/{v}value[@code]",
    "G.k.1": ".//{v}causalityAssessment[@told='20']/{v}value[@code]",
    "G.k.2.2": DRUG + "//{v}kindOfProduct/{v}name",
    "H.1": EVENT + "/{v}text",
}
"""Where each mandatory element stands in a message; ``told`` is the code of an element's own ``code`` child."""
REGIONAL = {
    "C.1.7.1", "C.1.12", "C.2.r.2.8", "E.i.3.2g", "E.i.3.3a", "E.i.3.3b",  # asked by VAERS, not by ICH
    "C.3.3.1", "C.3.3.2", "C.3.3.3", "C.3.3.5",  # who sends, by name: of the sender's own system
    "C.3.4.1", "C.3.4.2", "C.3.4.3", "C.3.4.4", "C.3.4.5", "C.3.4.6", "C.3.4.7", "C.3.4.8",
}  # fmt: skip
"""Mandatory in the listing for VAERS alone, or told of the sender once and for all: not written."""


def coded_case() -> Case:
    """A case with nothing missing."""
    case = full_case()
    return replace(case, events=case.events[:1])


def message(case: Case) -> ET.Element:
    return ET.fromstring(e2b_write.write(case, ENVELOPE))


@pytest.fixture(scope="module")
def example(shared: Path) -> ET.Element:
    path = shared / "signals" / "icsr" / "VAERS_EXAMPLE.xml"
    if not path.is_file():
        pytest.skip("no E2B(R3) example among the shared data")
    return ET.parse(path).getroot()


@pytest.fixture(scope="module")
def listing(shared: Path) -> list[dict[str, str]]:
    """The R3 half of the field listing."""
    path = shared / "signals" / "icsr" / "ICSR_Field_Listing_and_FHIR_Mapping.xlsx"
    if not path.is_file():
        pytest.skip("no ICSR field listing among the shared data")
    import openpyxl

    book = openpyxl.load_workbook(path, read_only=True)
    rows = [[str(cell or "").strip() for cell in row] for row in book["ICSR FIELDS"].iter_rows(values_only=True)]
    book.close()
    names = ("V3", "CONF", "VALUES")
    at = [len(rows[1]) - 1 - rows[1][::-1].index(name) for name in names]  # the last of each name is R3's
    return [dict(zip(names, (row[place] for place in at), strict=True)) for row in rows[2:]]


def test_golden_every_mandatory_element_of_the_listing_is_written(listing: list[dict[str, str]]) -> None:
    mandatory = {row["V3"] for row in listing if row["CONF"] == "MAND" and row["V3"]}
    assert mandatory - REGIONAL == set(PLACES)
    case = coded_case()
    silent = replace(case, events=(replace(case.events[0], outcome=None),))  # said to be unknown
    for each in (case, silent):
        assert_every_place(message(each))
    assert missing_for_e2b(case, ENVELOPE) == ()


def assert_every_place(root: ET.Element) -> None:
    for each in root.iter():
        if (code := each.find(f"{V3}code")) is not None:
            each.set("told", code.get("code", ""))
    for number, place in PLACES.items():
        found = root.findall(place.format(v=V3))
        assert found, number
        for each in found:
            assert each.attrib or (each.text or "").strip(), number


@pytest.mark.parametrize(
    ("number", "ours"),
    [
        ("C.1.3", "report_type"), ("C.2.r.4", "qualification"), ("D.2.3", "age_group"), ("E.i.7", "outcome_r3"),
        ("G.k.1", "role"), ("G.k.8", "action_r3"), ("G.k.9.i.4", "rechallenge"),
    ],
)  # fmt: skip
def test_golden_codes_are_those_of_the_listing(number: str, ours: str, listing: list[dict[str, str]]) -> None:
    told = next(row["VALUES"] for row in listing if row["V3"] == number and row["VALUES"])
    codes = {line.split("=")[0].strip() for line in told.splitlines() if "=" in line}
    regional = {code for code in codes if code.startswith("C")}  # of the NCI thesaurus, for the FDA alone
    assert codes - regional == set(values.e2b()[ours])


def test_golden_identifiers_and_names_are_those_of_the_published_report(example: ET.Element) -> None:
    """Where both write the same code of an ICH list, both name it alike; every vocabulary of ours is an ICH one."""

    def named(root: ET.Element) -> dict[tuple[str, str], str]:
        return {
            (each.get("code", ""), each.get("codeSystem", "")): each.get("displayName", "").replace(" ", "").lower()
            for each in root.iter()
            if each.get("displayName") and each.get("codeSystem")
        }

    theirs, ours = named(example), named(message(coded_case()))
    both = set(theirs) & set(ours)
    assert len(both) >= 12
    assert {key: ours[key] for key in both} == {key: theirs[key] for key in both}
    systems = {each.get("codeSystem") for each in message(coded_case()).iter() if each.get("codeSystem")}
    known = set(values.e2b()["oid"].values())
    assert systems <= known
    roots = {each.get("root") for each in message(coded_case()).iter(f"{V3}id") if "." in each.get("root", "")}
    assert roots <= {each.get("root") for each in example.iter(f"{V3}id")}


def children(element: ET.Element, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Each element by its path, with the names of its children in order."""
    path = f"{path}/{element.tag.removeprefix(V3)}"
    yield path, [each.tag.removeprefix(V3) for each in element]
    for each in element:
        yield from children(each, path)


def test_golden_elements_are_in_the_order_of_the_published_report(example: ET.Element) -> None:
    before: dict[str, set[tuple[str, str]]] = {}
    for path, names in children(example):
        pairs = {(one, other) for at, one in enumerate(names) for other in names[at + 1 :] if one != other}
        before.setdefault(path, set()).update(pairs)
    compared = 0
    for path, names in children(message(coded_case())):
        for at, one in enumerate(names):
            for other in names[at + 1 :]:
                theirs = before.get(path, set())
                if one == other or {(one, other), (other, one)}.isdisjoint(theirs):
                    continue
                compared += 1
                assert (one, other) in theirs, f"{path}: {one} comes before {other}"
    assert compared > 60


def test_golden_the_frame_of_the_message_is_whole(example: ET.Element) -> None:
    """From the batch down to the report, what the published report has in its frame, ours has.

    Its message bears the interaction of the batch, a slip of the prototype: ours bears its own.
    """
    root = message(coded_case())
    for place in (".", ".//{v}PORR_IN049016UV", ".//{v}controlActProcess", ".//{v}investigationEvent"):
        theirs, ours = (next(iter(each.findall(place.format(v=V3)))) for each in (example, root))
        assert {each.tag for each in theirs} - {each.tag for each in ours} == set(), place
        fixed = ("statusCode", "responseModeCode", "processingCode", "acceptAckCode")
        for name in fixed:
            one, other = theirs.find(V3 + name), ours.find(V3 + name)
            assert (one is None) == (other is None), name
            assert one is None or other is None or one.attrib == other.attrib


names_ = st.text("abcdefghijklmnopqrstuvwxyzéÉ &<>'\"", min_size=1, max_size=12).map(str.strip).filter(bool)
days = st.dates(dt.date(1950, 1, 1), dt.date(2025, 12, 31)).map(str)
kinds = st.sampled_from


def told(ours: str) -> st.SearchStrategy[str]:
    return kinds(sorted(set(values.e2b()[ours].values())))


drugs = st.builds(
    Drug,
    drug=names_,
    ingredient=st.none() | names_.map(str.lower),
    role=told("role"),
    dose=st.none() | names_,
    route=st.none() | names_,
    form=st.none() | names_,
    start_date=st.none() | days,
    end_date=st.none() | days,
    action=st.none() | told("action_r3"),
    rechallenge=st.none() | told("rechallenge"),
    lot=st.none() | names_,
    maker=st.none() | names_,
)
events = st.builds(
    Event,
    event=names_,
    code=st.integers(10_000_000, 10_099_999).map(str),
    code_system=st.just("MedDRA"),
    onset=st.none() | days,
    outcome=told("outcome_r3"),
)


@given(
    st.lists(drugs, min_size=1, max_size=3).map(tuple),
    st.lists(events, min_size=1, max_size=3).map(tuple),
    st.builds(
        dict,
        sex=kinds(["F", "M", None]),
        age_years=st.none() | st.integers(1, 110).map(float),
        age_group=st.none() | told("age_group"),
        weight_kg=st.none() | st.integers(1, 300).map(float),
        country=kinds(["FR", "US", "DE"]),
        reporter=told("qualification"),
        report_type=told("report_type"),
        narrative=names_,
        history=st.none() | names_,
        received=days,
        first_received=days,
        hospitalisation=kinds([True, None]),
    ),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_is_what_is_read_whatever_the_case(
    tmp_path: Path, drugs: tuple[Drug, ...], events: tuple[Event, ...], about: dict[str, Any]
) -> None:
    criteria = "hospitalisation" if about["hospitalisation"] else None
    case = Case(
        Report(
            report_id="FR-LAB39-7", case_id="FR-LAB39-7", source="e2b", sender="CRPV", sender_case="FR-LAB39-7",
            quarter=values.quarter_of(about["received"]), serious=True if criteria else None, **about,
        ),
        drugs,
        tuple(replace(each, criteria=criteria) for each in events),
        (Indication(indication="Douleur", drug_seq=1, code="10033371", code_system="MedDRA"),),
    )  # fmt: skip
    case = replace(case, drugs=(replace(drugs[0], indication="Douleur"), *drugs[1:]))
    back = read_back(e2b_write.write(case, ENVELOPE), tmp_path)
    place = {name: getattr(back.report, name) for name in ("file", "line", "event_date")}  # not of the message
    assert back == replace(case, report=replace(case.report, **place))
    assert place["event_date"] == min((each.onset for each in events if each.onset), default=None)


def test_golden_the_published_report_written_again_is_read_the_same(shared: Path, tmp_path: Path) -> None:
    path = shared / "signals" / "icsr" / "VAERS_EXAMPLE.xml"
    if not path.is_file():
        pytest.skip("no E2B(R3) example among the shared data")
    [case] = e2b_r3.read(Item(path))
    once = read_back(e2b_write.write(case, ENVELOPE), tmp_path)
    twice = read_back(e2b_write.write(once, ENVELOPE), tmp_path)
    assert twice == once
