"""Pharmacovigilance: weak signals from reports of adverse events."""
