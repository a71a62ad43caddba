"""Codes and the systems they belong to."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

HPO = "http://human-phenotype-ontology.org"
OMIM = "https://www.omim.org"
ORPHA = "http://www.orpha.net"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ATC = "http://www.whocc.no/atc"
CVX = "http://hl7.org/fhir/sid/cvx"
MVX = "http://hl7.org/fhir/sid/mvx"
NUVA = "http://smt.esante.gouv.fr/terminologie-nuva"
CIS = "urn:oid:1.2.250.1.213.2.3.1"
CIP = "urn:oid:1.2.250.1.213.2.3.2"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"


@dataclass(frozen=True, slots=True)
class Coding:
    """One code of one system; ``system`` is the canonical URI where it is known, else as received."""

    system: str
    code: str
    display: str = ""


@dataclass(frozen=True, slots=True)
class Concept:
    """A FHIR CodeableConcept: the same thing said by several systems, and in words."""

    codings: tuple[Coding, ...] = ()
    text: str = ""

    def code(self, system: str) -> str | None:
        """The code in one system, if it is given."""
        return next((c.code for c in self.codings if c.system == system), None)

    def has(self, system: str, *codes: str) -> bool:
        """Whether any of these codes of a system is among the codings."""
        return any(c.system == system and c.code in codes for c in self.codings)

    @property
    def label(self) -> str:
        """The words a person would read: the text, else the first display, else the first code."""
        shown = next((c.display for c in self.codings if c.display), "")
        return self.text or shown or (self.codings[0].code if self.codings else "")


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """A code system the lab knows by name."""

    uri: str
    name: str
    aliases: tuple[str, ...] = ()


@cache
def code_systems() -> dict[str, CodeSystem]:
    """Known systems by URI and by every alias (OID, older or shorter URI)."""
    table = tomllib.loads(files("lab39.core").joinpath("knowledge/code_systems.toml").read_text("utf-8"))
    known: dict[str, CodeSystem] = {}
    for row in table["system"]:
        system = CodeSystem(row["uri"], row["name"], tuple(row.get("aliases", ())))
        for uri in (system.uri, *system.aliases):
            known[uri] = system
    return known


def canonical(system: str) -> str:
    """The canonical URI of a system written in any known way; unknown systems are returned as they are."""
    known = code_systems().get(system) or code_systems().get(system.rstrip("/"))
    return known.uri if known else system


def is_known(system: str) -> bool:
    """Whether the lab knows this system, HL7's own terminology included."""
    return canonical(system) in code_systems() or system.startswith(
        ("http://terminology.hl7.org/", "http://hl7.org/fhir/")
    )
