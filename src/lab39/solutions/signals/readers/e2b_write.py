"""A case as an E2B(R3) message (ICH, root ``MCCI_IN200100UV01``). Numbers such as C.1.1 are ICH's.

Identifiers and times are given, never made from a clock or at random: the same case gives the same message.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from lab39.fhir.outputs import NAMESPACE
from lab39.solutions.signals.readers import values
from lab39.solutions.signals.readers.hl7 import (
    HL7,
    XSI,
    add,
    boolean,
    code_of,
    compact,
    device,
    identifier,
    interval,
    observation,
    oid,
    shown,
)
from lab39.solutions.signals.readers.model import CRITERIA, Case, Drug, Event

_WRITTEN = tuple(name for name in CRITERIA if name != "intervention")


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Who sends the message to whom, and when.

    Attributes:
        created: when it is made, ``CCYYMMDDhhmmss`` with an optional zone (N.1.5, N.2.r.4, C.1.2).
        sender: identifier agreed with the receiver (N.1.3); ``receiver`` its own (N.1.4).
        batch: number of the batch (N.1.2).
        sender_type: ICH code of C.3.1; 3 is a health professional.
        organization: of the sender (C.3.2).
        meddra_version: of the codes of the case (E.i.2.1a).
        language: of the reporter's words, three letters of ISO 639-2 (E.i.1.1b): ``fra``.
        expedited: C.1.7; the reporter of a form does not decide it.
    """

    created: str
    sender: str
    receiver: str
    batch: str
    sender_type: str = "3"
    organization: str = ""
    meddra_version: str = ""
    language: str = ""
    expedited: bool | None = None


def write(case: Case, envelope: Envelope) -> str:
    """The message, UTF-8 text with its XML declaration. What is absent is left out, or said to be unknown.

    What it lacks to be accepted is told by :func:`~lab39.solutions.signals.readers.e2b_missing.missing_for_e2b`.
    """
    ET.register_namespace("", HL7)
    ET.register_namespace("xsi", XSI)
    root = ET.Element(f"{{{HL7}}}MCCI_IN200100UV01", {"ITSVersion": "XML_1.0"})
    identifier(root, envelope.batch, "batch")
    add(root, "creationTime", value=envelope.created)
    add(root, "responseModeCode", code="D")
    identifier(root, "MCCI_IN200100UV01", "interaction", "interactionId")
    add(root, "name", code="1", codeSystem=oid("message_type"), displayName="ichicsr")
    _message(add(root, "PORR_IN049016UV"), case, envelope)
    device(root, "receiver", "RCV", envelope.receiver, "batch_receiver")
    device(root, "sender", "SND", envelope.sender, "batch_sender")
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _message(message: ET.Element, case: Case, envelope: Envelope) -> None:
    report = case.report
    identifier(message, report.report_id, "report")
    add(message, "creationTime", value=envelope.created)
    identifier(message, "PORR_IN049016UV", "interaction", "interactionId")
    add(message, "processingCode", code="P")
    add(message, "processingModeCode", code="T")
    add(message, "acceptAckCode", code="AL")
    device(message, "receiver", "RCV", envelope.receiver, "message_receiver")
    device(message, "sender", "SND", envelope.sender, "message_sender")
    process = add(message, "controlActProcess", classCode="CACT", moodCode="EVN")
    add(process, "code", code="PORR_TE049016UV", codeSystem=oid("trigger"))
    add(process, "effectiveTime", value=envelope.created)
    inside = add(add(process, "subject", typeCode="SUBJ"), "investigationEvent", classCode="INVSTG", moodCode="EVN")
    identifier(inside, report.report_id, "report")
    identifier(inside, report.case_id or report.report_id, "worldwide")
    add(inside, "code", code="PAT_ADV_EVNT", codeSystem=oid("act"))
    if report.narrative:
        add(inside, "text", report.narrative)
    add(inside, "statusCode", code="active")
    if first := compact(report.first_received or report.received):
        add(add(inside, "effectiveTime"), "low", value=first)
    if received := compact(report.received or report.first_received):
        add(inside, "availabilityTime", value=received)
    assessment = add(
        add(inside, "component", typeCode="COMP"), "adverseEventAssessment", classCode="INVSTG", moodCode="EVN"
    )
    _person(assessment, case, envelope)
    for seq, drug in enumerate(case.drugs, 1):
        _role(assessment, case, seq, drug)
    for name, said in (("documents", False), ("expedited", envelope.expedited)):
        event = add(add(inside, "component", typeCode="COMP"), "observationEvent", classCode="OBS", moodCode="EVN")
        code_of(event, name)
        add(event, "value", xsi_type="BL", **boolean(said))
    _senders(inside, case, envelope)


def _key(case: Case, name: str) -> str:
    return str(uuid.uuid5(NAMESPACE, f"e2b {case.report.report_id} {name}"))


def _person(assessment: ET.Element, case: Case, envelope: Envelope) -> None:
    report = case.report
    subject = add(assessment, "subject1", typeCode="SBJ")
    role = add(subject, "primaryRole", classCode="INVSBJ")
    player = add(role, "player1", classCode="PSN", determinerCode="INSTANCE")
    add(player, "name", nullFlavor="MSK")
    if sex := values.back("sex", report.sex):
        add(player, "administrativeGenderCode", code=sex, codeSystem=oid("sex"))
    else:
        add(player, "administrativeGenderCode", nullFlavor="UNK")
    about: list[tuple[str, dict[str, str | None]]] = []
    if report.age_years is not None:
        about.append(("age", {"xsi_type": "PQ", "value": shown(report.age_years), "unit": "a"}))
    if group := values.back("age_group", report.age_group):
        about.append(("age_group", {"xsi_type": "CE", "code": group, "codeSystem": oid("age_group")}))
    if report.weight_kg is not None:
        about.append(("weight", {"xsi_type": "PQ", "value": shown(report.weight_kg), "unit": "kg"}))
    for name, value in about:
        observation(add(role, "subjectOf2", typeCode="SBJ"), name, **value)
    if report.history:
        part = _organizer(role, "1", "relevantMedicalHistoryAndConcurrentConditions")
        text = add(observation(add(part, "component", typeCode="COMP"), "history"), "value", report.history)
        text.set(f"{{{XSI}}}type", "ED")
    own = any(each.criteria for each in case.events)
    for seq, event in enumerate(case.events, 1):
        _reaction(add(role, "subjectOf2", typeCode="SBJ"), case, seq, event, envelope, own)
    if case.drugs:
        part = _organizer(role, "4", "drugInformation")
        for seq, drug in enumerate(case.drugs, 1):
            _drug(add(part, "component", typeCode="COMP"), case, seq, drug, envelope)


def _organizer(role: ET.Element, code: str, name: str) -> ET.Element:
    holder = add(role, "subjectOf2", typeCode="SBJ")
    part = add(holder, "organizer", classCode="CATEGORY", moodCode="EVN")
    add(part, "code", code=code, codeSystem=oid("organizer"), displayName=name)
    return part


def _reaction(holder: ET.Element, case: Case, seq: int, event: Event, envelope: Envelope, own: bool) -> None:
    told = add(holder, "observation", classCode="OBS", moodCode="EVN")
    add(told, "id", root=_key(case, f"reaction {seq}"))
    code_of(told, "reaction")
    interval(told, event.onset, event.end_date)
    if event.code and event.code_system == "MedDRA":
        value = add(
            told,
            "value",
            xsi_type="CE",
            code=event.code,
            codeSystem=oid("meddra"),
            codeSystemVersion=envelope.meddra_version or None,
        )
    else:
        value = add(told, "value", xsi_type="CE", nullFlavor="UNK")
    if event.event and event.event != f"MedDRA {event.code}":
        add(value, "originalText", event.event, language=envelope.language or None)
    said = _said(case, event, own)
    for name in _WRITTEN:  # ICH allows yes and no information, never no
        flag: dict[str, Any] = {"xsi_type": "BL", **boolean(True if name in said else None)}
        observation(add(told, "outboundRelationship2", typeCode="PERT"), name, **flag)
    outcome = values.back("outcome_r3", event.outcome or "unknown")  # E.i.7 cannot be left out
    if outcome is not None:
        coded = {"xsi_type": "CE", "code": outcome, "codeSystem": oid("outcome")}
        observation(add(told, "outboundRelationship2", typeCode="PERT"), "outcome", **coded)


def _said(case: Case, event: Event, own: bool) -> list[str]:
    """E.i.3.2: the criteria of the reaction; those of the report when no reaction has its own."""
    return (event.criteria or "").split(";") if own else [name for name in _WRITTEN if getattr(case.report, name)]


def _drug(holder: ET.Element, case: Case, seq: int, drug: Drug, envelope: Envelope) -> None:
    given = add(holder, "substanceAdministration", classCode="SBADM", moodCode="EVN")
    add(given, "id", root=_key(case, f"drug {seq}"))
    kind = _kind(given)
    if drug.code and drug.code_system and drug.code_system.replace(".", "").isdigit():
        add(kind, "code", code=drug.code, codeSystem=drug.code_system)
    add(kind, "name", drug.drug or drug.ingredient or "")
    if drug.maker:
        _holder(kind, drug.maker)
    for name in filter(None, (each.strip() for each in (drug.ingredient or "").split(";"))):
        substance = add(
            add(kind, "ingredient", classCode="ACTI"),
            "ingredientSubstance",
            classCode="MMAT",
            determinerCode="KIND",
        )
        add(substance, "name", name)
    _dosage(given, drug)
    if again := values.back("rechallenge", drug.rechallenge):
        coded = {"xsi_type": "CE", "code": again, "codeSystem": oid("rechallenge")}
        observation(add(given, "outboundRelationship2", typeCode="PERT"), "rechallenge", **coded)
    for term, code in _reasons(case, seq, drug):
        told = observation(add(given, "inboundRelationship", typeCode="RSON"), "indication")
        value = add(
            told,
            "value",
            xsi_type="CE",
            **(
                {"code": code, "codeSystem": oid("meddra"), "codeSystemVersion": envelope.meddra_version or None}
                if code
                else {"nullFlavor": "UNK"}
            ),
        )
        if term and term != f"MedDRA {code}":
            add(value, "originalText", term)
    if action := values.back("action_r3", drug.action):
        act = add(add(given, "inboundRelationship", typeCode="CAUS"), "act", classCode="ACT", moodCode="EVN")
        add(act, "code", code=action, codeSystem=oid("action"))


def _kind(given: ET.Element) -> ET.Element:
    product = add(add(given, "consumable", typeCode="CSM"), "instanceOfKind", classCode="INST")
    return add(product, "kindOfProduct", classCode="MMAT", determinerCode="KIND")


def _holder(kind: ET.Element, maker: str) -> None:
    approval = add(
        add(add(kind, "asManufacturedProduct", classCode="MANU"), "subjectOf", typeCode="SBJ"),
        "approval",
        classCode="CNTRCT",
        moodCode="EVN",
    )
    role = add(add(approval, "holder", typeCode="HLD"), "role", classCode="HLD")
    add(add(role, "playingOrganization", classCode="ORG", determinerCode="INSTANCE"), "name", maker)


def _dosage(given: ET.Element, drug: Drug) -> None:
    """G.k.4.r, in the order of the schema: text, time, route, then what was used."""
    if not (drug.dose or drug.start_date or drug.end_date or drug.route or drug.form or drug.lot):
        return
    dosing = add(
        add(given, "outboundRelationship2", typeCode="COMP"),
        "substanceAdministration",
        classCode="SBADM",
        moodCode="EVN",
    )
    if drug.dose:
        add(dosing, "text", drug.dose)
    interval(dosing, drug.start_date, drug.end_date)
    if drug.route:
        add(add(dosing, "routeCode", nullFlavor="UNK"), "originalText", drug.route)
    if drug.lot or drug.form:
        product = add(add(dosing, "consumable", typeCode="CSM"), "instanceOfKind", classCode="INST")
        if drug.lot:
            used = add(product, "productInstanceInstance", classCode="MMAT", determinerCode="INSTANCE")
            add(used, "id", nullFlavor="NI")
            add(used, "lotNumberText", drug.lot)
        if drug.form:
            kind = add(product, "kindOfProduct", classCode="MMAT", determinerCode="KIND")
            add(add(kind, "formCode", nullFlavor="UNK"), "originalText", drug.form)


def _reasons(case: Case, seq: int, drug: Drug) -> Iterator[tuple[str | None, str | None]]:
    told = [each for each in case.indications if each.drug_seq == seq]
    for each in told:
        yield each.indication, each.code if each.code_system == "MedDRA" else None
    if not told and drug.indication:
        yield drug.indication, None


def _role(assessment: ET.Element, case: Case, seq: int, drug: Drug) -> None:
    role = "S" if drug.role in ("PS", "SS") else drug.role
    if (code := values.back("role", role)) is None:
        return
    told = add(
        add(assessment, "component", typeCode="COMP"), "causalityAssessment", classCode="OBS", moodCode="EVN"
    )
    code_of(told, "role")
    add(told, "value", xsi_type="CE", code=code, codeSystem=oid("role"))
    product = add(add(told, "subject2", typeCode="SUBJ"), "productUseReference", classCode="SBADM", moodCode="EVN")
    add(product, "id", root=_key(case, f"drug {seq}"))


def _senders(inside: ET.Element, case: Case, envelope: Envelope) -> None:
    report = case.report
    first = _investigation(add(inside, "outboundRelationship", typeCode="SPRT"), "1", "initialReport")
    regulator = "1" if envelope.sender_type == "2" else "2"
    add(first, "code", code=regulator, codeSystem=oid("first_sender"))
    relation = add(inside, "outboundRelationship", typeCode="SPRT")
    add(relation, "priorityNumber", value="1")
    source = _investigation(relation, "2", "sourceReport")
    person = add(source, "assignedPerson", classCode="PSN", determinerCode="INSTANCE")
    add(person, "name", nullFlavor="MSK")
    qualified = add(person, "asQualifiedEntity", classCode="QUAL")
    if code := values.back("qualification", report.reporter):
        add(qualified, "code", code=code, codeSystem=oid("qualification"))
    else:
        add(qualified, "code", nullFlavor="UNK")
    if report.country:
        place = add(
            add(person, "asLocatedEntity", classCode="LOCE"),
            "location",
            classCode="COUNTRY",
            determinerCode="INSTANCE",
        )
        add(place, "code", code=report.country, codeSystem=oid("country"))
    sender = _assigned(add(inside, "subjectOf1", typeCode="SUBJ"))
    add(sender, "code", code=envelope.sender_type, codeSystem=oid("sender_type"))
    if name := envelope.organization or report.sender:
        outer = add(sender, "representedOrganization", classCode="ORG", determinerCode="INSTANCE")
        inner = add(outer, "assignedEntity", classCode="ASSIGNED")
        add(add(inner, "representedOrganization", classCode="ORG", determinerCode="INSTANCE"), "name", name)
    kind = values.back("report_type", report.report_type) or "4"
    _characteristic(
        inside, "1", "ichReportType", {"xsi_type": "CE", "code": kind, "codeSystem": oid("report_type")}
    )
    _characteristic(inside, "2", "otherCaseIds", {"xsi_type": "BL", "nullFlavor": "NI"})
    if report.nullified:
        value = {"xsi_type": "CE", "code": "1", "codeSystem": oid("nullification")}
        _characteristic(inside, "3", "nullificationAmendmentCode", value)


def _investigation(relation: ET.Element, code: str, name: str) -> ET.Element:
    told = add(relation, "relatedInvestigation", classCode="INVSTG", moodCode="EVN")
    add(told, "code", code=code, codeSystem=oid("relation"), displayName=name)
    return _assigned(add(told, "subjectOf2", typeCode="SUBJ"))


def _assigned(holder: ET.Element) -> ET.Element:
    event = add(holder, "controlActEvent", classCode="CACT", moodCode="EVN")
    return add(add(event, "author", typeCode="AUT"), "assignedEntity", classCode="ASSIGNED")


def _characteristic(inside: ET.Element, code: str, name: str, value: Mapping[str, str]) -> None:
    told = add(
        add(inside, "subjectOf2", typeCode="SUBJ"),
        "investigationCharacteristic",
        classCode="OBS",
        moodCode="EVN",
    )
    add(told, "code", code=code, codeSystem=oid("characteristic"), displayName=name)
    add(told, "value", **value)
