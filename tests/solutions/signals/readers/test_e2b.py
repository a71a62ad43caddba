"""E2B(R2) and E2B(R3): what is read, what is written, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from lab39.core.errors import InputError
from lab39.solutions.signals.readers import e2b_r2, e2b_r3, e2b_write
from lab39.solutions.signals.readers.e2b_missing import missing_for_e2b
from lab39.solutions.signals.readers.ingest import ingest
from lab39.solutions.signals.readers.model import CRITERIA, Case, Drug, Event, Indication, Report
from lab39.solutions.signals.readers.streams import Item

from .conftest import Shelf

ENVELOPE = e2b_write.Envelope(
    created="20261127010000",
    sender="LAB39",
    receiver="ANSM",
    batch="B-1",
    organization="CRPV",
    meddra_version="29.0",
)
V3 = "{urn:hl7-org:v3}"


def full_case() -> Case:
    """A case with something in every field that both the message and the model have."""
    return Case(
        Report(
            report_id="FR-LAB39-1",
            case_id="FR-LAB39-1",
            source="e2b",
            quarter="2026Q4",
            received="2026-11-20",
            first_received="2026-11-18",
            event_date="2026-11-02",
            report_type="spontaneous",
            sex="F",
            age_years=61.5,
            age_group="adult",
            weight_kg=58.0,
            country="FR",
            reporter="pharmacist",
            serious=True,
            life_threatening=False,
            hospitalisation=True,
            other_serious=None,
            sender="CRPV",
            sender_case="FR-LAB39-1",
            narrative="Chute, puis hématome < 5 cm & douleur.",
            history="Fibrillation auriculaire",
        ),
        drugs=(
            Drug(
                drug="ELIQUIS 5 mg",
                ingredient="apixaban",
                role="S",
                dose="5 mg matin et soir",
                route="orale",
                form="comprimé",
                start_date="2026-10-01",
                end_date="2026-11",
                indication="Fibrillation auriculaire; AVC",
                action="withdrawn",
                rechallenge="not-done",
                lot="AB12",
                maker="BMS",
            ),
            Drug(drug="IBUPROFENE", role="I"),
            Drug(drug="RAMIPRIL", role="C"),
        ),
        events=(
            Event(
                event="Hématome",
                code="10018852",
                code_system="MedDRA",
                onset="2026-11-02",
                end_date="2026-11-10",
                outcome="recovered",
                criteria="hospitalisation",
            ),
            Event(event="Chute", onset="2026", outcome="unknown"),
        ),
        indications=(
            Indication(indication="Fibrillation auriculaire", drug_seq=1, code="10003658", code_system="MedDRA"),
            Indication(indication="AVC", drug_seq=1),
        ),
    )


def read_back(text: str, folder: Path) -> Case:
    file = folder / "out.xml"
    file.write_text(text, "utf-8")
    [case] = e2b_r3.read(Item(file))
    return case


def test_what_is_written_is_read_back_the_same(tmp_path: Path) -> None:
    case = full_case()
    back = read_back(e2b_write.write(case, ENVELOPE), tmp_path)
    assert back.drugs == case.drugs
    assert back.indications == case.indications
    assert back.events == case.events
    changed = {
        name: getattr(back.report, name)
        for name in Report.__slots__
        if getattr(back.report, name) != getattr(case.report, name)
    }
    # the first onset, here known to the year only; a criterion that is denied, which the message cannot say
    assert set(changed) == {"event_date", "life_threatening", "file", "line"}
    assert changed["event_date"] == "2026"


def test_the_same_case_gives_the_same_message() -> None:
    assert e2b_write.write(full_case(), ENVELOPE) == e2b_write.write(full_case(), ENVELOPE)


def test_a_message_names_each_vocabulary_by_its_identifier() -> None:
    root = ET.fromstring(e2b_write.write(full_case(), ENVELOPE))
    assert root.tag == f"{V3}MCCI_IN200100UV01"
    named = {
        code.get("displayName"): (code.get("code"), code.get("codeSystem"))
        for code in root.iter(f"{V3}code")
        if code.get("displayName")
    }
    observations = "2.16.840.1.113883.3.989.2.1.1.19"
    assert named["reaction"] == ("29", observations)
    assert named["requiresInpatientHospitalization"] == ("33", observations)
    assert named["drugInformation"] == ("4", "2.16.840.1.113883.3.989.2.1.1.20")
    sex = next(root.iter(f"{V3}administrativeGenderCode"))
    assert (sex.get("code"), sex.get("codeSystem")) == ("2", "1.0.5218")
    codes = [
        each.get("code") for each in root.iter(f"{V3}value") if each.get("codeSystem") == "2.16.840.1.113883.6.163"
    ]
    assert codes == ["10018852", "10003658"]


def test_elements_follow_the_order_of_the_schema() -> None:
    root = ET.fromstring(e2b_write.write(full_case(), ENVELOPE))
    told = root.find(f".//{V3}investigationEvent")
    assert told is not None
    names = [each.tag.removeprefix(V3) for each in told]
    order = [
        "id", "code", "text", "statusCode", "effectiveTime", "availabilityTime", "component",
        "outboundRelationship", "subjectOf1", "subjectOf2",
    ]  # fmt: skip
    assert sorted(names, key=order.index) == names
    dosing = root.find(f".//{V3}outboundRelationship2/{V3}substanceAdministration")
    assert dosing is not None
    assert [each.tag.removeprefix(V3) for each in dosing] == ["text", "effectiveTime", "routeCode", "consumable"]


def test_a_criterion_is_told_or_not_told_and_never_denied() -> None:
    """E.i.3.2: the values that ICH allows are true and no information."""
    root = ET.fromstring(e2b_write.write(full_case(), ENVELOPE))
    reaction = next(
        each
        for each in root.iter(f"{V3}observation")
        if each.find(f"{V3}code").get("displayName") == "reaction"  # type: ignore[union-attr]
    )
    flags = {
        each.find(f"{V3}code").get("displayName"): each.find(f"{V3}value").attrib  # type: ignore[union-attr]
        for each in reaction.iter(f"{V3}observation")
    }
    kind = "{http://www.w3.org/2001/XMLSchema-instance}type"
    assert flags["resultsInDeath"] == {kind: "BL", "nullFlavor": "NI"}
    assert full_case().report.life_threatening is False
    assert flags["isLifeThreatening"] == {kind: "BL", "nullFlavor": "NI"}
    assert flags["requiresInpatientHospitalization"] == {kind: "BL", "value": "true"}


def test_what_is_required_and_the_case_has_not_is_named_in_both_languages() -> None:
    bare = Case(Report(report_id="1"), drugs=(Drug(drug="X", role="C"), Drug()))
    missing = missing_for_e2b(bare)
    assert [each.code for each in missing[:4]] == [
        "D",
        "C.2.r.4",
        "G.k.1",
        "E.i",
    ]  # what makes a report valid first
    assert [each.code for each in missing[4:]] == ["G.k.2.2", "G.k.1", "C.1.4", "C.2.r.3", "H.1"]
    assert (missing[3].name.fr, missing[3].name.en) == ("une réaction", "a reaction")
    assert missing[3].consequence.en == "without it this is not a valid report (ICH E2D)"
    assert missing[-1].consequence.fr == "le destinataire refuse un message E2B(R3) sans cet élément"


def test_a_whole_case_lacks_only_the_code_of_the_reaction_told_in_words() -> None:
    assert [each.code for each in missing_for_e2b(full_case(), ENVELOPE)] == ["E.i.2.1b"]
    coded = replace(full_case(), events=full_case().events[:1])
    assert missing_for_e2b(coded, ENVELOPE) == ()
    assert [each.code for each in missing_for_e2b(coded, replace(ENVELOPE, meddra_version="", batch=""))] == [
        "E.i.2.1a",
        "N",
    ]


def test_a_criterion_told_for_the_report_alone_is_written_for_its_reactions(tmp_path: Path) -> None:
    case = Case(Report(report_id="1", death=True, serious=True), events=(Event(event="A"), Event(event="B")))
    back = read_back(e2b_write.write(case, ENVELOPE), tmp_path)
    assert [each.criteria for each in back.events] == ["death", "death"]
    assert back.report.death is True


@pytest.mark.parametrize(
    ("said", "serious"),
    [((False, False), False), ((False, None), None), ((False, True), True), ((None, None), None)],
    ids=["denied", "one not told", "one is", "none told"],
)
def test_a_report_is_not_serious_only_when_a_message_denies_every_criterion(
    said: tuple[bool | None, bool | None], serious: bool | None, tmp_path: Path
) -> None:
    root = ET.fromstring(e2b_write.write(Case(Report(report_id="1"), events=(Event(event="A"),)), ENVELOPE))
    codes = ("34", "21", "33", "35", "12", "26")
    flags = {
        each.find(f"{V3}code").get("code"): each.find(f"{V3}value")  # type: ignore[union-attr]
        for each in root.iter(f"{V3}observation")
    }
    for code, denied in zip(codes, [said[1], *[said[0]] * 5], strict=True):
        value = flags[code]
        if denied is not None and value is not None:
            value.attrib.pop("nullFlavor")
            value.set("value", str(denied).lower())
    assert read_back(ET.tostring(root, encoding="unicode"), tmp_path).report.serious is serious


def test_a_case_that_is_serious_for_no_told_reason_or_taken_back_for_none_says_what_is_missing() -> None:
    coded = replace(full_case(), events=(replace(full_case().events[0], criteria=None),))
    bare = replace(coded.report, serious=True, **dict.fromkeys(CRITERIA, None))  # type: ignore[arg-type]
    [missing] = missing_for_e2b(replace(coded, report=bare), ENVELOPE)
    assert (missing.code, missing.consequence.en) == (
        "E.i.3.2", "without it the message does not say that the case is serious"
    )  # fmt: skip
    [missing] = missing_for_e2b(replace(coded, report=replace(coded.report, nullified=True)), ENVELOPE)
    assert (missing.code, missing.name.en) == ("C.1.11.2", "the reason for the nullification")


def test_the_language_of_the_words_is_written_when_it_is_told() -> None:
    def language(envelope: e2b_write.Envelope) -> set[str | None]:
        root = ET.fromstring(e2b_write.write(full_case(), envelope))
        reactions = [each for each in root.iter(f"{V3}observation") if each.find(f"{V3}id") is not None]
        return {each.get("language") for at in reactions for each in at.iter(f"{V3}originalText")}

    assert language(ENVELOPE) == {None}
    assert language(replace(ENVELOPE, language="fra")) == {"fra"}


def test_the_reporter_is_the_source_marked_as_primary(tmp_path: Path) -> None:
    text = e2b_write.write(full_case(), ENVELOPE)
    start = text.index("<outboundRelationship typeCode", text.index('displayName="initialReport"'))
    end = text.index("</outboundRelationship>", start) + len("</outboundRelationship>")
    other = text[start:end].replace('<priorityNumber value="1" />', "")
    other = other.replace('code="2" codeSystem="2.16.840.1.113883.3.989.2.1.1.6"', 'code="5"')
    assert 'code="5"' in other
    assert "priorityNumber" not in other
    assert read_back(text[:start] + other + text[start:], tmp_path).report.reporter == "pharmacist"


def test_characters_that_xml_forbids_do_not_break_the_message(tmp_path: Path) -> None:
    case = Case(Report(report_id="1", narrative="a\x00b\x0bc"), events=(Event(event="Fever"),))
    assert read_back(e2b_write.write(case, ENVELOPE), tmp_path).report.narrative == "a b c"


R2 = """<?xml version="1.0" encoding="ISO-8859-1"?>
<!DOCTYPE ichicsr SYSTEM "http://example.invalid/icsr.dtd">
<ichicsr lang="fr"><ichicsrmessageheader/>
<safetyreport>
 <safetyreportversion>3</safetyreportversion><safetyreportid>FR-1</safetyreportid>
 <occurcountry>FR</occurcountry><reporttype>2</reporttype>
 <serious>1</serious><seriousnessdeath>2</seriousnessdeath>
 <seriousnesshospitalization>1</seriousnesshospitalization>
 <receivedate>20200102</receivedate><receiptdate>20200304</receiptdate>
 <authoritynumb>FR-AFSSAPS-9</authoritynumb>
 <primarysource><qualification>3</qualification></primarysource>
 <patient><patientonsetage>18</patientonsetage><patientonsetageunit>802</patientonsetageunit>
  <patientweight>11,5</patientweight><patientsex>1</patientsex>
  <reaction><reactionmeddrapt>Fièvre</reactionmeddrapt><reactionstartdate>202001</reactionstartdate>
   <reactionoutcome>6</reactionoutcome></reaction>
  <drug><drugcharacterization>3</drugcharacterization><medicinalproduct>DOLIPRANE</medicinalproduct>
   <drugstructuredosagenumb>500</drugstructuredosagenumb><drugstructuredosageunit>003</drugstructuredosageunit>
   <drugadministrationroute>048</drugadministrationroute>
   <drugindication>Douleur</drugindication><actiondrug>1</actiondrug><drugstartdate>20191231</drugstartdate>
   <activesubstance><activesubstancename>PARACETAMOL</activesubstancename></activesubstance></drug>
 </patient>
</safetyreport></ichicsr>"""


def test_r2_is_read_in_its_encoding_and_the_dtd_it_names_is_not_followed(tmp_path: Path) -> None:
    file = tmp_path / "r2.xml"
    file.write_bytes(R2.encode("latin-1"))
    [case] = e2b_r2.read(Item(file))
    report = case.report
    assert (report.report_id, report.case_id, report.version) == ("FR-1", "FR-AFSSAPS-9", 3)
    assert (report.received, report.first_received, report.country) == ("2020-03-04", "2020-01-02", "FR")
    assert (report.age_years, report.weight_kg, report.sex, report.reporter) == (
        1.5,
        11.5,
        "M",
        "health-professional",
    )
    assert (report.serious, report.death, report.hospitalisation, report.disability) == (True, False, True, None)
    assert report.line == 4
    assert case.events == (Event(event="Fièvre", onset="2020-01", outcome="unknown"),)
    [drug] = case.drugs
    assert (drug.drug, drug.ingredient, drug.role, drug.action) == ("DOLIPRANE", "PARACETAMOL", "I", "withdrawn")
    assert (drug.dose, drug.route) == ("500 (ICH unit 003)", "ICH route 048")
    assert case.indications == (Indication(indication="Douleur", drug_seq=1),)


def test_a_date_that_is_none_is_left_blank_and_kept_with_its_reason(tmp_path: Path, shelf: Shelf) -> None:
    file = tmp_path / "r2.xml"
    file.write_text(R2.replace("20200304", "20201304").replace("ISO-8859-1", "UTF-8"), "utf-8")
    shelf.add(file)
    assert shelf.ask("SELECT received FROM reports") == [(None,)]
    assert shelf.ask("SELECT file, line, scope, reason, raw FROM rejected") == [
        ("r2.xml", 4, "value", "not a date, receiptdate", "20201304")
    ]


def test_versions_of_a_case_in_two_files_count_once(tmp_path: Path, shelf: Shelf) -> None:
    for version, sex in (("2", "2"), ("3", "1")):
        told = R2.replace("<safetyreportversion>3", f"<safetyreportversion>{version}").replace(
            "<safetyreportid>FR-1", f"<safetyreportid>FR-{version}"
        )
        file = tmp_path / f"v{version}.xml"
        file.write_bytes(told.replace("<patientsex>1", f"<patientsex>{sex}").encode("latin-1"))
        shelf.add(file)
    assert shelf.ask("SELECT report_id, sex FROM reports") == [("FR-3", "M")]
    assert shelf.ask("SELECT report_id, reason, counts_instead FROM set_aside") == [("FR-2", "superseded", "FR-3")]


def test_a_case_that_its_sender_takes_back_does_not_count(tmp_path: Path, shelf: Shelf) -> None:
    file = tmp_path / "r2.xml"
    file.write_bytes(
        R2.replace("<receivedate>", "<casenullification>1</casenullification><receivedate>").encode("latin-1")
    )
    shelf.add(file)
    assert shelf.one("SELECT count(*) FROM reports") == 0
    assert shelf.ask("SELECT reason FROM set_aside") == [("nullified",)]


BOMB = """<?xml version="1.0"?>
<!DOCTYPE ichicsr [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>
<ichicsr><safetyreport><safetyreportid>&c;</safetyreportid></safetyreport></ichicsr>"""
FILE = BOMB.replace('"aaaaaaaaaa"', 'SYSTEM "file:///etc/passwd"')
ELSEWHERE = R2.replace("Douleur", "Migr&eacute;ne")


@pytest.mark.parametrize(
    ("text", "line"),
    [(BOMB, 2), (FILE, 2), (ELSEWHERE, 19)],
    ids=["bomb", "file of the machine", "entity of a DTD"],
)
def test_an_xml_entity_is_refused_with_its_line(text: str, line: int, tmp_path: Path, shelf: Shelf) -> None:
    file = tmp_path / "bad.xml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match="uses an XML entity") as refused:
        list(e2b_r2.read(Item(file)))
    assert refused.value.place == f"bad.xml:{line}"


def test_a_bomb_is_refused_when_it_is_ingested_and_nothing_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "bad.xml"
    file.write_text(BOMB)
    with pytest.raises(InputError, match="uses an XML entity"):
        ingest([file], tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_elements_nested_beyond_reason_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "deep.xml"
    file.write_text("<ichicsr>" + "<safetyreport>" * 200)
    with pytest.raises(InputError, match="more than 100 nested elements"):
        list(e2b_r2.read(Item(file)))


def test_a_file_that_is_cut_is_an_error_with_its_line_and_keeps_nothing(tmp_path: Path, shelf: Shelf) -> None:
    file = tmp_path / "cut.xml"
    file.write_bytes(R2.replace("</safetyreport></ichicsr>", "</safetyreport><safetyreport>").encode("latin-1"))
    told = shelf.add(file, failing=True)
    assert "XML is not well formed" in str(told.failed[0])
    assert told.failed[0].place == "cut.xml:22"
    assert not shelf.folder.exists()


def test_r2_and_r3_are_told_apart_by_their_root(tmp_path: Path) -> None:
    file = tmp_path / "r2.xml"
    file.write_bytes(R2.encode("latin-1"))
    with pytest.raises(InputError, match="the root element is “ichicsr”"):
        list(e2b_r3.read(Item(file)))


def test_a_case_with_four_thousand_reactions_is_read_whole(tmp_path: Path, shelf: Shelf) -> None:
    case = Case(Report(report_id="1"), events=tuple(Event(event=f"Term {i}") for i in range(4000)))
    file = tmp_path / "big.xml"
    file.write_text(e2b_write.write(case, ENVELOPE), "utf-8")
    shelf.add(file)
    assert shelf.ask("SELECT count(*), count(DISTINCT event) FROM events") == [(4000, 4000)]


def test_golden_r3_example_is_read_whole(shared: Path) -> None:
    [case] = e2b_r3.read(Item(shared / "signals" / "icsr" / "VAERS_EXAMPLE.xml"))
    report = case.report
    number = "US-IBM-e380bc14-2a03-7b64-c3f5-22daea2aa495"
    assert (report.report_id, report.case_id) == (number, number)
    assert (report.received, report.first_received, report.event_date) == ("2021-01-05", "2021-01-05", "2017-04-23")
    assert (report.report_type, report.sex, report.country, report.reporter) == (
        "spontaneous",
        "M",
        "US",
        "physician",
    )
    assert report.age_years == pytest.approx(61.75, abs=0.01)  # born 1955-07-22, reaction 2017-04-23
    assert (report.serious, report.other_serious, report.death) == (True, True, None)
    assert report.sender == "sender organisation"
    assert report.history == "Long term (current) use of anticoagulants"
    assert report.narrative is not None
    assert report.narrative.startswith("Header: FDA CBER BEST")
    assert report.narrative.endswith("Date 20170423;")
    assert [(each.drug, each.role, each.code, each.code_system) for each in case.drugs] == [
        ("hydrocortisone", "C", "197782", "2.16.840.1.113883.6.88"),
        ("influenza virus vaccine, inactivated", "S", "70461-019-03", "2.16.840.1.113883.6.69"),
    ]
    assert case.events == (
        Event(
            event="MedDRA 10004223",
            code="10004223",
            code_system="MedDRA",
            onset="2017-04-23",
            outcome="recovering",
            criteria="other_serious",
        ),
    )
    assert (case.indications, case.notes) == ((), ())


def test_golden_r2_example_is_read_whole(shared: Path) -> None:
    [case] = e2b_r2.read(Item(shared / "signals" / "icsr" / "FAERS_EXAMPLE.xml"))
    report = case.report
    number = "BEST_fb169864-e6cf-2d87-1971-389a4bcfc054"
    assert (report.report_id, report.case_id, report.version) == (number, number, 1)
    assert (report.received, report.first_received, report.event_date) == ("2021-01-07", "2021-01-07", "2000-01-01")
    assert (report.report_type, report.sex, report.reporter, report.country) == (
        "spontaneous",
        "F",
        "physician",
        None,
    )
    assert (report.age_years, report.age_group) == (1.0, "adult")  # as the example has it
    assert (report.serious, report.death, report.other_serious) == (True, False, False)
    assert (report.sender, report.history) == ("BEST-Prototype", "NI")
    assert report.narrative is not None
    assert report.narrative.startswith("Header: FDA CBER BEST")
    assert report.narrative.endswith("1. illness, Problem, Anemia, Date 20020109;")
    assert [(each.drug, each.role, each.end_date) for each in case.drugs] == [
        ("E7003-ISBT (Apheresis PLATELETS|ACD-A>PAS-C/XX/20-24C|ResLeu:<5E6|2nd container)", "S", "2002-01-09"),
        ("3992-MULTUM (Epinephrine)", "C", "2002-01-09"),
        ("3498-MULTUM (Diphenhydramine)", "C", "2002-01-09"),
    ]
    assert case.events == (
        Event(
            event="Allergic transfusion reaction",
            code="10066173",
            code_system="MedDRA",
            onset="2000-01-01",
            end_date="2019-01-20",
        ),
    )


@pytest.mark.parametrize("name", ["VAERS_EXAMPLE.xml", "FAERS_EXAMPLE.xml"])
def test_golden_examples_keep_their_drugs_and_reactions_through_our_r3(
    name: str, shared: Path, tmp_path: Path
) -> None:
    reader = e2b_r3 if name.startswith("VAERS") else e2b_r2
    [case] = reader.read(Item(shared / "signals" / "icsr" / name))
    back = read_back(e2b_write.write(case, ENVELOPE), tmp_path)
    said = tuple(replace(each, outcome=each.outcome or "unknown") for each in case.events)  # E.i.7 has no silence
    assert (back.drugs, back.events, back.indications) == (case.drugs, said, case.indications)
    assert (back.report.narrative, back.report.sex) == (case.report.narrative, case.report.sex)
