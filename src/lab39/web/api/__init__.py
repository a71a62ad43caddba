"""Doors for systems: REST, FHIR, CDS Hooks."""
