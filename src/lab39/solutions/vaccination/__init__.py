"""Vaccination: which doses count, what is due, what comes next, and the rule behind each of these.

Usable without the rest of the lab::

    from lab39.solutions.vaccination import Dose, Patient, run, supporting, compile_schedule

    schedule = compile_schedule("cdsi", supporting.read(Path("cdsi-4.64")))
    result = run(schedule, Patient(birth_date, "Female", (Dose(day, "03"),)), on)

The method is the CDSi Logic Specification 4.6 (CDC, December 2024), one module a chapter: :mod:`organize` (4.2),
:mod:`relevant` (5), :mod:`walk` (4.4), :mod:`evaluate` and :mod:`skip` (6), :mod:`forecast` (7), :mod:`best` (8),
:mod:`groups` (9).
"""

from lab39.solutions.vaccination import supporting
from lab39.solutions.vaccination.compile import compile_schedule
from lab39.solutions.vaccination.engine import run
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import Dose, Observed, Patient, Result

__all__ = ["Dose", "Observed", "Patient", "Result", "Schedule", "compile_schedule", "run", "supporting"]
