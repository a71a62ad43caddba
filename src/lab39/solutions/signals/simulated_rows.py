"""The rows of made-up reports: a small world of drugs and events, and the reports drawn from it. Synthetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lab39.solutions.signals.arrays import Bools, Floats, Ints

if TYPE_CHECKING:
    import pyarrow as pa

FIRST_YEAR, QUARTERS = 2018, 16
AREAS, STRATA, KNOWN = 30, 6, 4
_KNOWN_SHARE, _DISEASE_SHARE, _AREA_COMPANION, _DUPLICATES = 0.25, 0.02, 0.4, 0.02
_COUNTRIES = ("US", "FR", "GB", "DE", "JP", "IT", "CA", "ES", "NL", "CH", "SE", "BE", "AU", "BR", "PT", "IN", "KR",
              "CN", "AT", "DK", "NO", "FI", "IE", "PL", "CZ", "GR", "HU", "MX", "AR", "ZA")  # fmt: skip
_REPORTERS = ("physician", "pharmacist", "health-professional", "consumer")
_ABSENT = {  # share of reports, or of their drugs, that do not say it
    "start": 0.5, "onset": 0.35, "indication": 0.45, "outcome": 0.35, "dose": 0.5, "narrative": 0.4, "sex": 0.07,
    "age": 0.25, "country": 0.03, "reporter": 0.1,
}  # fmt: skip


def quarter(at: int) -> str:
    """``2018Q1`` for 0."""
    return f"{FIRST_YEAR + at // 4}Q{at % 4 + 1}"


@dataclass(slots=True)
class World:
    """Drugs and events: how common, whom they prefer, what goes together.

    Attributes:
        drug_in: cumulated frequencies of the drugs in each stratum [strata, drugs]; ``event_in`` likewise.
        event_in: of the events.
        drug_share: share of the reports that have the drug, about [drugs]; ``event_share`` likewise.
        event_share: of the events.
        area: therapeutic area of each drug [drugs].
        members: drugs of each area, commonest first.
        disease: events of the disease itself [areas, 8].
        known: known reactions of each drug, -1 for none [drugs, known + 1].
        cause: drug whose reaction a bystander is seen with, -1 for none [drugs].
    """

    drug_in: Floats
    event_in: Floats
    drug_share: Floats
    event_share: Floats
    area: Ints
    members: list[Ints]
    disease: Ints
    known: Ints
    cause: Ints

    @classmethod
    def drawn(cls, random: np.random.Generator, drugs: int, events: int) -> World:
        """A world of so many drugs and events."""
        shares, cumulated = [], []
        for size, power in ((drugs, 0.95), (events, 0.9)):
            weight = random.permutation((np.arange(size) + 3.0) ** -power)
            by = weight * np.exp(random.normal(0, 0.45, (STRATA, size)))
            by /= by.sum(axis=1, keepdims=True)
            shares.append(by.mean(axis=0))
            cumulated.append(np.cumsum(by, axis=1))
        area = random.integers(0, AREAS, drugs)
        members = [np.flatnonzero(area == a) for a in range(AREAS)]
        members = [each[np.argsort(-shares[0][each])] for each in members]
        soft = shares[1] ** 0.5 / (shares[1] ** 0.5).sum()
        known = np.full((drugs, KNOWN + 1), -1, dtype=np.int64)
        known[:, :KNOWN] = random.choice(events, (drugs, KNOWN), p=soft)
        return cls(
            cumulated[0],
            cumulated[1],
            shares[0] * 1.6,
            shares[1] * 2.2,
            area,
            members,
            random.choice(events, (AREAS, 8), p=soft),
            known,
            np.full(drugs, -1, dtype=np.int64),
        )

    @property
    def n_drugs(self) -> int:
        """How many drugs."""
        return self.area.size

    @property
    def n_events(self) -> int:
        """How many events."""
        return self.event_share.size

    def drug_name(self, code: int) -> str:
        """The name of a drug."""
        return f"Drug {code:05d}"

    def event_name(self, code: int) -> str:
        """The name of an event."""
        return f"Event {code:05d}"

    def known_pairs(self) -> list[tuple[int, int]]:
        """Known reactions, codes, sorted."""
        drug, slot = np.nonzero(self.known >= 0)
        return sorted(set(zip(drug.tolist(), self.known[drug, slot].tolist(), strict=True)))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a batch of reports must have, one value a report.

    Attributes:
        drug: main drug; -1 for one that suits the person.
        event: event that it must have; -1 for none.
        with_drug: drug given with it; -1 for none.
        quarter: from 0.
        absent: how much more often (above 1) or rarely (below 1) a field is absent.
        serious: probability of being serious.
        one_country: all from the same country as the others of its pair.
        times: how often the same report was sent.
    """

    drug: Ints
    event: Ints
    with_drug: Ints
    quarter: Ints
    absent: Floats
    serious: Floats
    one_country: Bools
    times: Ints

    @classmethod
    def of(
        cls, random: np.random.Generator, drug: int, event: int, many: int, since: int, until: int, *,
        with_drug: int = -1, absent: float = 1.0, serious: float = 0.4, one_country: bool = False, times: int = 1,
    ) -> Asked:  # fmt: skip
        """Reports of one pair."""
        return cls(
            np.full(many, drug),
            np.full(many, event),
            np.full(many, with_drug),
            random.integers(since, until, many),
            np.full(many, absent),
            np.full(many, serious),
            np.full(many, one_country),
            np.full(many, times),
        )

    @classmethod
    def base(cls, random: np.random.Generator, many: int) -> Asked:
        """Everyday reports: their number grows by 3 % a quarter, some are sent twice."""
        growth = 1.03 ** np.arange(QUARTERS)
        none = np.full(many, -1)
        return cls(
            none,
            none,
            none,
            random.choice(QUARTERS, many, p=growth / growth.sum()),
            np.ones(many),
            np.full(many, 0.4),
            np.zeros(many, dtype=bool),
            1 + (random.random(many) < _DUPLICATES),
        )

    @classmethod
    def joined(cls, parts: Sequence[Asked]) -> Asked:
        """All of them."""
        return cls(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(cls)))


def write(folder: Path, random: np.random.Generator, world: World, batches: Sequence[Asked]) -> None:
    """Draw the reports and write the tables of a part of a store."""
    import pyarrow.parquet as pq

    from lab39.solutions.signals.readers.part_writer import arrow_schema

    writers: dict[str, pq.ParquetWriter] = {}
    first = 0
    try:
        for asked in batches:
            for name, columns in _batch(random, world, asked, first).items():
                schema = arrow_schema(name)
                if name not in writers:
                    writers[name] = pq.ParquetWriter(folder / f"{name}.rows.parquet", schema, compression="zstd")
                writers[name].write_table(_table(columns, schema))
            first += int(asked.times.sum())
    finally:
        for writer in writers.values():
            writer.close()


def _table(columns: dict[str, Any], schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    size = len(next(iter(columns.values())))
    return pa.table(
        {
            field.name: pa.array(columns[field.name], field.type)
            if field.name in columns and not isinstance(columns[field.name], pa.Array)
            else columns.get(field.name, pa.nulls(size, field.type))
            for field in schema
        },
        schema=schema,
    )


def _batch(random: np.random.Generator, world: World, asked: Asked, first: int) -> dict[str, dict[str, Any]]:
    """The columns of reports, drugs and events of a batch."""
    many = asked.drug.size
    sex, band = (random.random(many) < 0.42).astype(int), random.choice(3, many, p=[0.12, 0.5, 0.38])
    stratum = sex * 3 + band
    main = np.where(asked.drug >= 0, asked.drug, _drawn(random, world.drug_in, stratum))
    drug_report, drug = _drugs(random, world, asked, stratum, main)
    event_report, event = _events(random, world, asked, stratum, main)
    there = {name: random.random(many) >= np.minimum(share * asked.absent, 0.98) for name, share in _ABSENT.items()}
    day = (np.datetime64(f"{FIRST_YEAR}-01") + 3 * asked.quarter).astype("datetime64[D]") + random.integers(
        0, 90, many
    ).astype("timedelta64[D]")
    begun = day - random.integers(1, 90, many).astype("timedelta64[D]")
    age = np.array([9.0, 42.0, 74.0])[band] + np.round(random.normal(0, 1, many) * np.array([4, 12, 7])[band])
    weight = 1 / (np.arange(len(_COUNTRIES)) + 1.5)
    country = random.choice(len(_COUNTRIES), many, p=weight / weight.sum())
    country = np.where(asked.one_country, (main * 7 + asked.event) % len(_COUNTRIES), country)
    # the same report sent several times: other numbers, the rest alike
    copies = np.repeat(np.arange(many), asked.times)
    number = np.char.add("S", np.char.zfill((first + np.arange(copies.size)).astype(str), 9))
    begin = np.cumsum(asked.times) - asked.times
    report = {
        "report_id": number,
        "case_id": number,
        "source": np.full(copies.size, "synthetic"),
        "quarter": np.array([quarter(at) for at in range(QUARTERS)])[asked.quarter[copies]],
        "received": day[copies].astype(str),
        "event_date": _masked(day[copies].astype(str), there["onset"][copies]),
        "report_type": np.full(copies.size, "spontaneous"),
        "sex": _masked(np.array(["F", "M"])[sex[copies]], there["sex"][copies]),
        "age_years": _masked(np.clip(age, 0, 100)[copies], there["age"][copies]),
        "country": _masked(np.array(_COUNTRIES)[country[copies]], there["country"][copies]),
        "reporter": _masked(np.array(_REPORTERS)[random.integers(0, 4, many)[copies]], there["reporter"][copies]),
        "serious": (random.random(many) < asked.serious)[copies],
        "narrative": _masked(np.full(copies.size, "Made-up report."), there["narrative"][copies]),
    }

    def sent(of: Ints) -> tuple[Ints, Ints]:
        """Rows of each copy: which row, and which report."""
        row = np.repeat(np.arange(of.size), asked.times[of])
        step = np.arange(row.size) - np.repeat(np.cumsum(asked.times[of]) - asked.times[of], asked.times[of])
        return row, begin[of[row]] + step

    row, to = sent(drug_report)
    whose, code = drug_report[row], drug[row]
    drug_names = np.array([world.drug_name(each) for each in range(world.n_drugs)])
    drugs = {
        "report_id": number[to],
        "seq": _seq(to),
        "drug": drug_names[code],
        "role": np.where(code == main[whose], "PS", "C"),
        "start_date": _masked(begun[whose].astype(str), there["start"][whose]),
        "indication": _masked(
            np.array([f"Disease {a}" for a in range(AREAS)])[world.area[code]], there["indication"][whose]
        ),
        "dose": _masked(np.full(code.size, "1 per day"), there["dose"][whose]),
    }
    row, to = sent(event_report)
    whose = event_report[row]
    event_names = np.array([world.event_name(each) for each in range(world.n_events)])
    events = {
        "report_id": number[to],
        "seq": _seq(to),
        "event": event_names[event[row]],
        "outcome": _masked(np.full(row.size, "recovered"), there["outcome"][whose]),
    }
    return {"reports": report, "drugs": drugs, "events": events}


def _drawn(random: np.random.Generator, cumulated: Floats, stratum: Ints) -> Ints:
    """A name for each person, by the frequencies of their stratum."""
    made = np.empty(stratum.size, dtype=np.int64)
    chance = random.random(stratum.size)
    for s in range(STRATA):
        mine = stratum == s
        made[mine] = np.minimum(np.searchsorted(cumulated[s], chance[mine]), cumulated.shape[1] - 1)
    return made


def _drugs(random: np.random.Generator, world: World, asked: Asked, stratum: Ints, main: Ints) -> tuple[Ints, Ints]:
    """Report and code of each drug: the main one, what is given with it, companions; each once a report."""
    many = main.size
    report, code = [np.arange(many)], [main]
    given = asked.with_drug >= 0
    report.append(np.flatnonzero(given))
    code.append(asked.with_drug[given])
    companions = np.repeat(np.arange(many), random.poisson(0.65, many))
    drawn = _drawn(random, world.drug_in, stratum[companions])
    same = random.random(companions.size) < _AREA_COMPANION
    for a, members in enumerate(world.members):
        mine = same & (world.area[main[companions]] == a)
        if members.size:
            drawn[mine] = members[(members.size * random.random(int(mine.sum())) ** 1.7).astype(int)]
    report.append(companions)
    code.append(drawn)
    return _once(np.concatenate(report), np.concatenate(code), world.n_drugs)


def _events(
    random: np.random.Generator, world: World, asked: Asked, stratum: Ints, main: Ints
) -> tuple[Ints, Ints]:
    """Report and code of each event: the one asked for, known reactions, those of the disease, any; each once."""
    many = main.size
    report, code = [np.flatnonzero(asked.event >= 0)], [asked.event[asked.event >= 0]]
    whose = np.repeat(np.arange(many), 1 + random.poisson(1.2, many))
    drawn = _drawn(random, world.event_in, stratum[whose])
    how = random.random(whose.size)
    reaction = world.known[main[whose], random.integers(0, KNOWN, whose.size)]
    drawn = np.where((how < _KNOWN_SHARE) & (reaction >= 0), reaction, drawn)
    disease = world.disease[world.area[main[whose]], random.integers(0, world.disease.shape[1], whose.size)]
    drawn = np.where(how > 1 - _DISEASE_SHARE, disease, drawn)
    report.append(whose)
    code.append(drawn)
    return _once(np.concatenate(report), np.concatenate(code), world.n_events)


def _once(report: Ints, code: Ints, size: int) -> tuple[Ints, Ints]:
    key = np.unique(report * size + code)
    return key // size, key % size


def _seq(report: Ints) -> Ints:
    """1, 2, 3… within each report, whatever the order of the rows."""
    order = np.argsort(report, kind="stable")
    sorted_report = report[order]
    begin = np.append(0, np.flatnonzero(np.diff(sorted_report)) + 1)
    rank = np.arange(report.size) - np.repeat(begin, np.diff(np.append(begin, report.size)))
    made = np.empty(report.size, dtype=np.int64)
    made[order] = rank + 1
    return made


def _masked(values: Any, there: Bools) -> pa.Array:
    """The values, null where they are not told."""
    import pyarrow as pa

    return pa.array(values, mask=~there)
