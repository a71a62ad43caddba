"""E2B(R2): case reports in the older ICH message ``ichicsr``. Numbers such as A.1.0.1 are ICH's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from xml.etree.ElementTree import Element

from lab39.solutions.signals.readers import values
from lab39.solutions.signals.readers.e2b_r3 import SOURCE
from lab39.solutions.signals.readers.model import Case, Drug, Event, Indication, Report
from lab39.solutions.signals.readers.streams import Item
from lab39.solutions.signals.readers.xmlsafe import Tree, subtrees

ROOT = "ichicsr"
_CRITERIA = {
    "death": "seriousnessdeath",
    "life_threatening": "seriousnesslifethreatening",
    "hospitalisation": "seriousnesshospitalization",
    "disability": "seriousnessdisabling",
    "congenital_anomaly": "seriousnesscongenitalanomali",
    "other_serious": "seriousnessother",
}
_YES_NO = {"1": True, "2": False}


def read(item: Item) -> Iterator[Case]:
    """The reports of a message, one at a time.

    Raises:
        InputError: see :func:`~lab39.solutions.signals.readers.xmlsafe.subtrees`.
    """
    for tree in subtrees(item, ROOT, frozenset({"safetyreport"})):
        yield _case(item, tree)


def _case(item: Item, tree: Tree) -> Case:
    notes: list[str] = []
    told = tree.element
    number = _text(told, "safetyreportid") or f"{item.name}:{tree.line}"
    version = _text(told, "safetyreportversion")
    found = told.find("patient")
    patient = found if found is not None else Element("patient")
    drugs: list[Drug] = []
    indications: list[Indication] = []
    for each in patient.findall("drug"):
        drugs.append(_drug(each, notes))
        if why := _text(each, "drugindication"):
            indications.append(Indication(indication=why, drug_seq=len(drugs)))
    events = tuple(_event(each, notes) for each in patient.findall("reaction"))
    received = _date(told, "receiptdate", notes)
    onset = min((each.onset for each in events if each.onset), default=None)
    criteria = {name: _YES_NO.get(_text(told, tag) or "") for name, tag in _CRITERIA.items()}
    worldwide = _text(told, "authoritynumb") or _text(told, "companynumb")
    source = told.find("primarysource")
    reporter = source if source is not None else Element("none")
    report = Report(
        report_id=number,
        case_id=worldwide or number,
        version=int(version) if version and version.isdigit() else None,
        source=SOURCE,
        quarter=values.quarter_of(received),
        received=received,
        first_received=_date(told, "receivedate", notes),
        event_date=onset,
        report_type=values.e2b()["report_type"].get(_text(told, "reporttype")),
        sex=values.e2b()["sex"].get(_text(patient, "patientsex")),
        age_years=_age(patient, notes),
        age_group=values.e2b()["age_group"].get(_text(patient, "patientagegroup")),
        weight_kg=values.weight(values.number(_text(patient, "patientweight"))),
        country=_text(told, "occurcountry")
        or _text(told, "primarysourcecountry")
        or _text(reporter, "reportercountry"),
        reporter=values.e2b()["qualification"].get(_text(reporter, "qualification")),
        serious=_YES_NO.get(_text(told, "serious") or "", True if any(criteria.values()) else None),
        sender=_text(told, "sender/senderorganization"),
        sender_case=worldwide,
        narrative=_text(patient, "summary/narrativeincludeclinical"),
        history=_text(patient, "patientmedicalhistorytext"),
        nullified=True if _text(told, "casenullification") == "1" else None,
        file=item.name,
        line=tree.line,
    )
    report = replace(report, **criteria)  # type: ignore[arg-type]  # names of Report
    return Case(report, tuple(drugs), events, tuple(indications), tuple(notes))


def _text(parent: Element, path: str) -> str | None:
    return (parent.findtext(path) or "").strip() or None


def _date(parent: Element, tag: str, notes: list[str]) -> str | None:
    raw = _text(parent, tag)
    date = values.compact_date(raw)
    if raw and not date:
        notes.append(f"not a date, {tag}: {raw}")
    return date


def _age(patient: Element, notes: list[str]) -> float | None:
    raw, unit = _text(patient, "patientonsetage"), _text(patient, "patientonsetageunit")
    years = values.age_in_years(values.number(raw), values.e2b()["years_for_age"].get(unit))
    if raw and years is None:
        notes.append(f"not an age, or in no known unit: {raw} {unit or ''}")
    return years


def _event(told: Element, notes: list[str]) -> Event:
    """B.2.i: the preferred term when it is a word, else the low-level term, else what the reporter wrote."""
    preferred, lowest = _text(told, "reactionmeddrapt"), _text(told, "reactionmeddrallt")
    words = [each for each in (preferred, lowest) if each and not each.isdigit()]
    code = next((each for each in (preferred, lowest) if each and each.isdigit()), None)
    term = (words + [each for each in [_text(told, "primarysourcereaction")] if each])[:1]
    return Event(
        event=term[0] if term else (f"MedDRA {code}" if code else None),
        code=code,
        code_system="MedDRA" if code else None,
        onset=_date(told, "reactionstartdate", notes),
        end_date=_date(told, "reactionenddate", notes),
        outcome=values.e2b()["outcome_r2"].get(_text(told, "reactionoutcome")),
    )


def _drug(told: Element, notes: list[str]) -> Drug:
    substances = [_text(each, ".") for each in told.findall("activesubstance/activesubstancename")]
    number, unit = _text(told, "drugstructuredosagenumb"), _text(told, "drugstructuredosageunit")
    amount = f"{number} (ICH unit {unit})" if number and unit else number  # ICH's list of units is not shipped
    route = _text(told, "drugadministrationroute")
    again = _text(told, "drugrecurreadministration")
    return Drug(
        drug=_text(told, "medicinalproduct"),
        ingredient="; ".join(filter(None, substances)) or None,
        role=values.e2b()["role"].get(_text(told, "drugcharacterization")),
        dose=_text(told, "drugdosagetext") or amount,
        route=f"ICH route {route}" if route and route.isdigit() else route,
        form=_text(told, "drugdosageform"),
        start_date=_date(told, "drugstartdate", notes),
        end_date=_date(told, "drugenddate", notes),
        indication=_text(told, "drugindication"),
        action=values.e2b()["action_r2"].get(_text(told, "actiondrug")),
        rechallenge={"1": "recurred", "2": "did-not-recur", "3": "outcome-unknown"}.get(again or ""),
        lot=_text(told, "drugbatchnumb"),
        maker=_text(told, "drugauthorizationholder"),
    )
