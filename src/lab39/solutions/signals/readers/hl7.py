"""Elements of an HL7 version 3 message as ICH uses them, with their identifiers and code lists."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from lab39.solutions.signals.readers import values

HL7 = "urn:hl7-org:v3"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def oid(name: str) -> str:
    """An identifier of ICH by our name for it."""
    found: str = values.e2b()["oid"][name]
    return found


def add(parent: ET.Element, tag: str, text: str | None = None, /, **attributes: str | None) -> ET.Element:
    """A child element; attributes that are ``None`` are left out, characters that XML forbids are blanks."""
    given = {
        (f"{{{XSI}}}type" if name == "xsi_type" else name): _ILLEGAL.sub(" ", value)
        for name, value in attributes.items()
        if value is not None
    }
    child = ET.SubElement(parent, f"{{{HL7}}}{tag}", given)
    child.text = _ILLEGAL.sub(" ", text) if text else None
    return child


def identifier(parent: ET.Element, extension: str, root: str, tag: str = "id") -> None:
    """An identifier in one of ICH's namespaces."""
    add(parent, tag, extension=extension, root=oid(root))


def device(parent: ET.Element, tag: str, kind: str, name: str, root: str) -> None:
    """The sender or the receiver."""
    holder = add(add(parent, tag, typeCode=kind), "device", classCode="DEV", determinerCode="INSTANCE")
    identifier(holder, name, root)


def code_of(parent: ET.Element, name: str) -> ET.Element:
    """The code of an observation of ICH's list."""
    known = values.e2b()
    return add(
        parent,
        "code",
        code=known["observation"][name],
        codeSystem=oid("observation"),
        displayName=known["names"].get(name),
    )


def observation(parent: ET.Element, name: str, **value: str | None) -> ET.Element:
    """An observation with its code and, when it is given, its value."""
    found = add(parent, "observation", classCode="OBS", moodCode="EVN")
    code_of(found, name)
    if value:
        add(found, "value", **value)
    return found


def compact(date: str | None) -> str | None:
    """An ISO date without its hyphens."""
    return date.replace("-", "") if date else None


def boolean(said: bool | None) -> Mapping[str, str]:
    """The attributes of a yes, a no or no information."""
    return {"nullFlavor": "NI"} if said is None else {"value": str(said).lower()}


def shown(number: float) -> str:
    """A number without the zeros at its end."""
    return f"{number:.4f}".rstrip("0").rstrip(".")


def interval(parent: ET.Element, start: str | None, end: str | None) -> None:
    """A start and an end, those that are known."""
    if start or end:
        when = add(parent, "effectiveTime", xsi_type="IVL_TS")
        for tag, date in (("low", start), ("high", end)):
            if date:
                add(when, tag, value=compact(date))
