"""E2B(R3): case reports in the ICH message ``MCCI_IN200100UV01`` (HL7 v3). Numbers such as C.1.1 are ICH's."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from lab39.solutions.signals.readers import values
from lab39.solutions.signals.readers.model import CRITERIA, Case, Drug, Event, Indication, Report
from lab39.solutions.signals.readers.streams import Item
from lab39.solutions.signals.readers.xmlsafe import Tree, subtrees

ROOT = "MCCI_IN200100UV01"
SOURCE = "e2b"


def read(item: Item) -> Iterator[Case]:
    """The reports of a batch, one at a time.

    Raises:
        InputError: see :func:`~lab39.solutions.signals.readers.xmlsafe.subtrees`.
    """
    for tree in subtrees(item, ROOT, frozenset({"PORR_IN049016UV"})):
        yield _case(item, tree)


def _case(item: Item, tree: Tree) -> Case:
    notes: list[str] = []
    told = tree.element.find(".//investigationEvent")
    inside = told if told is not None else tree.element
    ids = {each.get("root"): each.get("extension") for each in inside.findall("id")}
    report_id = ids.get(_oid("report")) or ids.get(_oid("worldwide")) or f"{item.name}:{tree.line}"
    person = inside.find("component/adverseEventAssessment/subject1/primaryRole")
    patient = person if person is not None else Element("primaryRole")
    events = tuple(_event(each, notes) for each in _observations(patient, "reaction"))
    drugs, indications = _drugs(patient, inside, notes)
    source = _primary_source(inside)
    received = _time(inside.find("availabilityTime"), "C.1.5", notes)
    criteria = _criteria(patient)
    player = patient.find("player1")
    born = _time(player.find("birthTime"), "D.2.1", notes) if player is not None else None
    onset = min((each.onset for each in events if each.onset), default=None)
    report = Report(
        report_id=report_id,
        case_id=ids.get(_oid("worldwide")) or report_id,
        source=SOURCE,
        quarter=values.quarter_of(received),
        received=received,
        first_received=_time(inside.find("effectiveTime/low"), "C.1.4", notes),
        event_date=onset,
        report_type=_coded("report_type", _characteristic(inside, "1")),
        sex=_coded("sex", player.find("administrativeGenderCode") if player is not None else None),
        age_years=_age(patient, notes) or values.age_at(born, onset),
        age_group=_coded("age_group", _value(patient, "age_group")),
        weight_kg=values.weight(values.number(_attribute(_value(patient, "weight"), "value"))),
        country=_attribute(source.find(".//asLocatedEntity/location/code"), "code"),
        reporter=_coded("qualification", source.find(".//asQualifiedEntity/code")),
        serious=_serious(criteria),
        death=criteria["death"],
        life_threatening=criteria["life_threatening"],
        hospitalisation=criteria["hospitalisation"],
        disability=criteria["disability"],
        congenital_anomaly=criteria["congenital_anomaly"],
        other_serious=criteria["other_serious"],
        sender=_sender(inside),
        sender_case=ids.get(_oid("worldwide")),
        narrative=_text(inside.find("text")),
        history=_text(_value(patient, "history", ".//observation")),
        nullified=True if _attribute(_characteristic(inside, "3"), "code") == "1" else None,
        file=item.name,
        line=tree.line,
    )
    return Case(report, drugs, events, indications, tuple(notes))


def _oid(name: str) -> str:
    found: str = values.e2b()["oid"][name]
    return found


def _attribute(element: Element | None, name: str) -> str | None:
    return (element.get(name) or "").strip() or None if element is not None else None


def _text(element: Element | None) -> str | None:
    return "".join(element.itertext()).strip() or None if element is not None else None


def _coded(code_list: str, element: Element | None) -> str | None:
    code = _attribute(element, "code")
    found: str | None = values.e2b()[code_list].get(code) if code else None
    return found


def _time(element: Element | None, place: str, notes: list[str]) -> str | None:
    raw = _attribute(element, "value")
    date = values.compact_date(raw)
    if raw and not date:
        notes.append(f"not a date, {place}: {raw}")
    return date


def _is(observation: Element, name: str) -> bool:
    code = observation.find("code")
    return (
        code is not None
        and code.get("code") == values.e2b()["observation"][name]
        and code.get("codeSystem") == _oid("observation")
    )


def _observations(parent: Element, name: str, path: str = "subjectOf2/observation") -> Iterator[Element]:
    return (each for each in parent.findall(path) if _is(each, name))


def _value(parent: Element, name: str, path: str = "subjectOf2/observation") -> Element | None:
    found = next(_observations(parent, name, path), None)
    return found.find("value") if found is not None else None


def _characteristic(inside: Element, code: str) -> Element | None:
    for each in inside.findall("subjectOf2/investigationCharacteristic"):
        told = each.find("code")
        if told is not None and told.get("code") == code and told.get("codeSystem") == _oid("characteristic"):
            return each.find("value")
    return None


def _primary_source(inside: Element) -> Element:
    """C.2.r: the source marked as primary, else the first."""
    found: list[tuple[bool, int, Element]] = []
    for each in inside.findall("outboundRelationship"):
        if _attribute(each.find("relatedInvestigation/code"), "code") == "2":
            first = _attribute(each.find("priorityNumber"), "value") == "1"
            found.append((not first, len(found), each))
    return min(found)[2] if found else Element("none")


def _sender(inside: Element) -> str | None:
    base = inside.find("subjectOf1/controlActEvent/author/assignedEntity/representedOrganization")
    if base is None:
        return None
    return _text(base.find("assignedEntity/representedOrganization/name")) or _text(base.find("name"))


def _age(patient: Element, notes: list[str]) -> float | None:
    told = _value(patient, "age")
    raw, unit = _attribute(told, "value"), _attribute(told, "unit")
    years = values.age_in_years(values.number(raw), values.e2b()["years_for_age"].get(unit))
    if raw and years is None:
        notes.append(f"not an age, or in no known unit: {raw} {unit or ''}")
    return years


def _criteria(patient: Element) -> dict[str, bool | None]:
    """True when said of one reaction, false when said not to be of every one, else not known."""
    found: dict[str, bool | None] = {}
    reactions = list(_observations(patient, "reaction"))
    for name in CRITERIA:
        if name == "intervention":
            continue
        said = [_attribute(_value(each, name, "outboundRelationship2/observation"), "value") for each in reactions]
        found[name] = True if "true" in said else (False if said and set(said) == {"false"} else None)
    return found


def _serious(criteria: dict[str, bool | None]) -> bool | None:
    if any(criteria.values()):
        return True
    return False if all(each is False for each in criteria.values()) else None


def _event(observation: Element, notes: list[str]) -> Event:
    value = observation.find("value")
    code = _attribute(value, "code")
    translated = _text(_value(observation, "translation", "outboundRelationship2/observation"))
    original = _text(value.find("originalText")) if value is not None else None
    start, end = _interval(observation, "E.i.4-5", notes)
    said = [
        name
        for name in CRITERIA
        if name != "intervention"
        and _attribute(_value(observation, name, "outboundRelationship2/observation"), "value") == "true"
    ]
    return Event(
        event=_attribute(value, "displayName") or translated or original or (f"MedDRA {code}" if code else None),
        code=code,
        code_system="MedDRA" if code and _attribute(value, "codeSystem") == _oid("meddra") else None,
        onset=start,
        end_date=end,
        outcome=_coded("outcome_r3", _value(observation, "outcome", "outboundRelationship2/observation")),
        criteria=";".join(said) or None,
    )


def _interval(parent: Element, place: str, notes: list[str]) -> tuple[str | None, str | None]:
    """The first and last day of an ``effectiveTime``, whichever of its forms is used."""
    lows = [_time(each, place, notes) for each in parent.findall("effectiveTime//low")]
    highs = [_time(each, place, notes) for each in parent.findall("effectiveTime//high")]
    return min(filter(None, lows), default=None), max(filter(None, highs), default=None)


def _drugs(patient: Element, inside: Element, notes: list[str]) -> tuple[tuple[Drug, ...], tuple[Indication, ...]]:
    roles = {}
    for each in inside.findall("component/adverseEventAssessment/component/causalityAssessment"):
        if _is(each, "role"):
            about = _attribute(each.find("subject2/productUseReference/id"), "root")
            roles[about] = _coded("role", each.find("value"))
    drugs: list[Drug] = []
    indications: list[Indication] = []
    for organizer in patient.findall("subjectOf2/organizer"):
        if _attribute(organizer.find("code"), "code") != "4":
            continue
        for given in organizer.findall("component/substanceAdministration"):
            why = list(_indications(given, len(drugs) + 1))
            drugs.append(_drug(given, roles, why, notes))
            indications += why
    return tuple(drugs), tuple(indications)


def _indications(given: Element, seq: int) -> Iterator[Indication]:
    for each in _observations(given, "indication", "inboundRelationship/observation"):
        value = each.find("value")
        code = _attribute(value, "code")
        term = _attribute(value, "displayName") or (
            _text(value.find("originalText")) if value is not None else None
        )
        if term or code:
            yield Indication(
                indication=term or f"MedDRA {code}",
                drug_seq=seq,
                code=code,
                code_system="MedDRA" if code and _attribute(value, "codeSystem") == _oid("meddra") else None,
            )


def _drug(given: Element, roles: dict[str | None, str | None], why: list[Indication], notes: list[str]) -> Drug:
    kind = given.find("consumable/instanceOfKind/kindOfProduct")
    product = kind if kind is not None else Element("none")
    doses = given.findall("outboundRelationship2/substanceAdministration")
    spans = [_interval(each, "G.k.4.r.4-5", notes) for each in [given, *doses]]
    substances = [_text(each) for each in product.findall("ingredient/ingredientSubstance/name")]
    route = next((each for dose in doses for each in dose.findall("routeCode")), None)
    form = next((each for dose in doses for each in dose.iter("formCode")), None)
    again = _value(given, "rechallenge", "outboundRelationship2/observation")
    return Drug(
        drug=_text(product.find("name")),
        ingredient="; ".join(filter(None, substances)) or None,
        code=_attribute(product.find("code"), "code"),
        code_system=_attribute(product.find("code"), "codeSystem"),
        role=roles.get(_attribute(given.find("id"), "root")),
        dose="; ".join(filter(None, map(_dose, doses))) or None,
        route=_text(route) or _attribute(route, "displayName") or _attribute(route, "code"),
        form=_text(form) or _attribute(form, "displayName") or _attribute(form, "code"),
        start_date=min((start for start, _ in spans if start), default=None),
        end_date=max((end for _, end in spans if end), default=None),
        indication="; ".join(each.indication or "" for each in why) or None,
        action=_coded("action_r3", given.find("inboundRelationship/act/code")),
        rechallenge=_coded("rechallenge", again),
        lot=next((_text(each) for dose in doses for each in dose.iter("lotNumberText")), None),
        maker=_text(product.find("asManufacturedProduct/subjectOf/approval/holder/role/playingOrganization/name")),
    )


def _dose(given: Element) -> str | None:
    """The dosage as text; else the dose and its interval (``20 mg / 1 d``)."""
    if told := _text(given.find("text")):
        return told
    dose, period = given.find("doseQuantity"), given.find("effectiveTime//period")
    parts = [
        " ".join(filter(None, [_attribute(each, "value"), _attribute(each, "unit")])) for each in (dose, period)
    ]
    return " / ".join(filter(None, parts)) or None
