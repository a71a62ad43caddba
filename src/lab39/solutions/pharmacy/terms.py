"""Code systems of the pharmacist: those of the French medicine base, and the lab's own where none is public."""

from __future__ import annotations

CIS = "http://base-donnees-publique.medicaments.gouv.fr/cis"
CIP13 = "http://base-donnees-publique.medicaments.gouv.fr/cip13"
CHOICE = "http://lab39.org/fhir/CodeSystem/medicine-chosen"
"""A meaning chosen among several that a name may have: a CIS code, or the key of a moiety."""
FACT = "http://lab39.org/fhir/CodeSystem/pharmacy-fact"
"""Tokens of ``knowledge/facts.toml``: what somebody answered about a person."""
LEVEL = "http://lab39.org/fhir/CodeSystem/ansm-level"
"""CI, AD, PE, APEC."""
