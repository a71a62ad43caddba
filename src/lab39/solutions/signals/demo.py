"""A small base that is made up, so that the pages can be tried before any base was ingested. Synthetic throughout.

Products are called Ficta… because none exists. Some pairs are planted: the usual reactions of a class, and one that
emerges in the last quarters. :func:`make` makes it the way a real one is (ingested in two times, detected twice);
the result is shipped in ``demo_base``, so that the first page costs nothing. When the form of stores changes::

    python -c "from lab39.solutions.signals import demo; demo.renew()"
"""

from __future__ import annotations

import datetime as dt
import random
import shutil
from dataclasses import replace
from pathlib import Path

from lab39.solutions.signals import runs
from lab39.solutions.signals.readers.model import Case, Drug, Event, Report
from lab39.solutions.signals.runs import Run

FOLDER = Path(__file__).parent / "demo_base"
SOURCE = "synthetic"
LAST = ("2026Q2", "2026Q3")
"""The two runs, the newest last."""
MADE = dt.date(2026, 10, 5)
_QUARTERS = 10
_A_QUARTER = 150
_SEED = 39
_START = dt.date(2024, 4, 1)

_USUAL = {
    "Fictamol": ("Alanine aminotransferase increased", "Nausea"),
    "Fictapril": ("Cough", "Angioedema", "Hyperkalaemia"),
    "Fictastatin": ("Myalgia", "Rhabdomyolysis"),
    "Fictacillin": ("Rash", "Diarrhoea", "Anaphylactic reaction"),
    "Fictaxaban": ("Haemorrhage", "Anaemia"),
    "Fictagliptin": ("Arthralgia", "Pancreatitis"),
    "Fictapine": ("Weight increased", "Somnolence"),
    "Fictadipine": ("Oedema peripheral", "Headache"),
    "Fictasone": ("Hyperglycaemia", "Insomnia"),
    "Fictapram": ("Hyponatraemia", "Nausea"),
    "Fictalol": ("Bradycardia", "Fatigue"),
    "Fictanib": ("Fatigue", "Diarrhoea", "Rash"),
    "Fictatidine": ("Headache", "Diarrhoea"),
    "Fictaprofen": ("Gastrointestinal haemorrhage", "Acute kidney injury"),
}
_COMMON = ("Nausea", "Headache", "Fatigue", "Rash", "Diarrhoea", "Dizziness", "Dyspnoea", "Pruritus")
_ANY = sorted({*_COMMON, *(each for usual in _USUAL.values() for each in usual)})
_SHARES = (0.03, 0.05, 0.08, 0.14, 0.24)
_EMERGING = ("Fictagliptin", "Pemphigoid")
_GRAVE = {
    "Rhabdomyolysis", "Anaphylactic reaction", "Haemorrhage", "Gastrointestinal haemorrhage", "Pancreatitis",
    "Acute kidney injury", "Angioedema", "Pemphigoid",
}  # fmt: skip
_COUNTRIES = ("FR", "FR", "FR", "BE", "DE", "IT", "ES", "CH")
_REPORTERS = ("physician", "pharmacist", "health-professional", "consumer")


def run(name: str = "") -> Run:
    """A run of the demonstration, the newest unless named."""
    return replace(runs.read(FOLDER / "runs" / (name if name in LAST else LAST[-1])), store=FOLDER)


def earlier(found: Run) -> Run | None:
    """The run before, of the demonstration."""
    at = LAST.index(found.name)
    return run(LAST[at - 1]) if at else None


def renew() -> None:
    """Make what is shipped again."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    make(FOLDER)
    shutil.rmtree(FOLDER / "parts")  # the pages read the tables only


def make(folder: Path) -> None:
    """Ingest the made-up reports and detect, once up to the quarter before, once with the last one."""
    from lab39.solutions.signals import detecting, sources
    from lab39.solutions.signals.readers.settle import settle
    from lab39.solutions.signals.readers.store import Store

    told = cases()
    store = Store.create(folder)
    for name in LAST:
        with store.adding(f"{name.lower():0>32}", SOURCE, f"{SOURCE} {name}") as part:
            for each in told:
                if each.report.quarter == name or (name == LAST[0] and (each.report.quarter or "") < name):
                    part.add(each)
        settle(store)
        made = detecting.run(
            sources.Store(folder),
            by=(),
            without=(),
            engine="duckdb",
            memory_gb=0.5,
            least=1,
            likelihood="components",
            known={(drug, event) for drug, events in _USUAL.items() for event in events},
        )
        runs.write(made.detection, folder / "runs", name, MADE, table=made.table, synthetic=True)


def cases() -> list[Case]:
    """The made-up reports, the same each time."""
    draw = random.Random(_SEED)  # noqa: S311 (a simulation)
    return [_case(draw, quarter, number) for quarter in range(_QUARTERS) for number in range(_A_QUARTER)]


def _case(draw: random.Random, quarter: int, number: int) -> Case:
    names = sorted(_USUAL)
    main = names[int(len(names) * draw.random() ** 1.4)]
    others = draw.sample([each for each in names if each != main], draw.choice((0, 0, 1, 1, 2, 3)))
    events = {draw.choice(_COMMON) for _ in range(draw.choice((1, 1, 2)))}
    events |= {each for at, each in enumerate(_USUAL[main]) if draw.random() < _SHARES[(ord(main[5]) + at) % 5]}
    events |= {draw.choice(_ANY) for _ in range(draw.choice((0, 1, 1)))}
    age = min(98, max(1, int(draw.gauss(58, 19))))
    if main == _EMERGING[0] and draw.random() < (0.02, 0.30)[quarter >= _QUARTERS - 3]:
        events.add(_EMERGING[1])
        age = min(96, max(52, int(draw.gauss(77, 8))))
    elif draw.random() < 0.004:
        events.add(_EMERGING[1])
    received = _START + dt.timedelta(days=91 * quarter + draw.randrange(90))
    day = received - dt.timedelta(days=draw.randrange(3, 60))
    since = int(draw.weibullvariate(120, 1.3)) if _EMERGING[1] in events else int(draw.expovariate(1 / 30))
    grave = bool(events & _GRAVE)
    year, which = divmod(_START.year * 4 + 1 + quarter, 4)
    report = Report(
        report_id=f"S{quarter:02}{number:04}",
        case_id=f"S{quarter:02}{number:04}",
        source=SOURCE,
        quarter=f"{year}Q{which + 1}",
        received=received.isoformat(),
        first_received=received.isoformat(),
        event_date=day.isoformat() if draw.random() < 0.8 else day.isoformat()[:7],
        sex=draw.choice("FFFMM") if draw.random() < 0.95 else None,
        age_years=float(age) if draw.random() < 0.85 else None,
        country=draw.choice(_COUNTRIES),
        reporter=draw.choice(_REPORTERS),
        serious=grave or draw.random() < 0.2,
        hospitalisation=True if grave and draw.random() < 0.6 else None,
        death=True if grave and draw.random() < 0.04 else None,
        narrative="Synthetic case." if draw.random() < 0.5 else None,
    )
    drugs = [
        Drug(drug=main, ingredient=main, role="PS", start_date=(day - dt.timedelta(days=since)).isoformat()),
        *(Drug(drug=each, ingredient=each, role="C") for each in others),
    ]
    told = tuple(Event(event=each, outcome=_outcome(draw), onset=day.isoformat()) for each in sorted(events))
    return Case(report, tuple(drugs), told)


def _outcome(draw: random.Random) -> str | None:
    return draw.choice(("recovered", "recovered", "recovering", "not-recovered", "unknown", None))
