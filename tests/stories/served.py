"""The lab that stories are told about: rare diseases, the pharmacist, and a solution that needs the creatinine."""

from __future__ import annotations

from fastapi import FastAPI
from tests.web.renal import Renal

from lab39.core.lab import Lab
from lab39.settings import Settings
from lab39.solutions.pharmacy.solution import Pharmacy
from lab39.solutions.raredisease.solution import RareDisease
from lab39.solutions.signals.solution import Signals
from lab39.solutions.vaccination.solution import Vaccination
from lab39.web.app import create_app


def app() -> FastAPI:
    """The application."""
    settings = Settings.from_env()
    return create_app(settings, lab=Lab([Renal(), RareDisease(), Pharmacy()], settings))


def vaccination() -> FastAPI:
    """The same with vaccines, by the schedules that were brought to its home."""
    settings = Settings.from_env()
    return create_app(settings, lab=Lab([Renal(), RareDisease(), Pharmacy(), Vaccination()], settings))


def signals() -> FastAPI:
    """Pharmacovigilance alone: the demonstration, the form, the runs that were imported into its home."""
    settings = Settings.from_env()
    return create_app(settings, lab=Lab([Signals()], settings))


def story() -> FastAPI:
    """The solutions that answer one another in the running story."""
    settings = Settings.from_env()
    return create_app(settings, lab=Lab([Pharmacy(), Signals(), Vaccination()], settings))
