"""The French schedule: its authored files compiled to the :class:`~lab39.solutions.vaccination.model.Schedule` that
the engine runs, and the rules with their sources.

The files are in ``knowledge/france``; ``README.md`` beside them documents the format. Ages and intervals are those
of :mod:`~lab39.solutions.vaccination.dates`, vaccines are NUVA codes, antigens are what the valences protect from.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

from lab39.core import terms
from lab39.core.errors import InputError, UnknownNameError
from lab39.core.text import Text
from lab39.solutions.vaccination import model as m
from lab39.solutions.vaccination.authored import Cited, Rule, Season, Source, Unread
from lab39.solutions.vaccination.authoring import Products, Writer, duration, selected
from lab39.solutions.vaccination.dates import Duration

Row = Mapping[str, Any]
_BASE = ("sources.toml", "antigens.toml", "products.toml", "observations.toml", "campaigns.toml")
_CITED = "id title cite confidence verified editions note "
_KEYS: Mapping[str, frozenset[str]] = {
    kind: frozenset((_CITED + words).split())
    for kind, words in {
        "rule": "group antigens vaccines accepts stage status for who sex dose default product preference tests "
        "control guidance choice",
        "contraindication": "antigens observations age_from age_before vaccines",
        "immunity": "antigens observations born_before unless",
        "conflict": "vaccines previous begin end",
        "precaution": "antigens observations vaccines",
        "told": "group antigens for who",
    }.items()
}


class Authored(NamedTuple):
    """Everything the files hold, as read."""

    base: Mapping[str, Row]
    files: Mapping[str, Row]


@lru_cache(maxsize=1)
def read() -> Authored:
    """Every file of ``knowledge/france``, once in a process."""
    folder = resources.files(__package__) / "knowledge" / "france"
    found = {
        each.name: tomllib.loads(each.read_text("utf-8"))
        for each in sorted(folder.iterdir(), key=lambda one: one.name)
        if each.name.endswith(".toml")
    }
    return Authored(
        {name: found[name] for name in _BASE}, {name: row for name, row in found.items() if name not in _BASE}
    )


def editions() -> tuple[str, ...]:
    """Names of the editions at hand, oldest first."""
    return tuple(str(row["name"]) for row in read().base["sources.toml"]["edition"])


@lru_cache(maxsize=4)
def open_france(edition: str = "2026") -> m.Schedule:
    """The schedule of one edition of the calendar, compiled once in a process.

    Raises:
        UnknownNameError: no such edition.
        InputError: a file that does not follow the format, with the rule.
    """
    if edition not in editions():
        known = ", ".join(editions())
        raise UnknownNameError(
            Text(
                f"édition «\u202f{edition[:40]}\u202f» inconnue. Connues\u202f: {known}",
                f"unknown edition “{edition[:40]}”. Known: {known}",
            ),
            "--edition",
        )
    return compile_france(read(), edition)


def compile_france(authored: Authored, edition: str) -> m.Schedule:
    """Make the immutable schedule of one edition from authored files.

    Raises:
        InputError: a file that does not follow the format, with the rule.
    """
    base = authored.base
    sources = {row["key"]: read_source(row) for row in base["sources.toml"]["source"]}
    products = Products.of(base["products.toml"]["product"], base["antigens.toml"]["antigen"])
    observations = _observations(base["observations.toml"]["observation"])
    writer = Writer(
        products,
        frozenset(observations),
        {row["name"]: tuple(row["observations"]) for row in base["observations.toml"].get("set", ())},
        _campaigns(base["campaigns.toml"]["campaign"], edition),
        frozenset(code for code, each in observations.items() if each.asks),
    )
    made = _Made({}, {}, {}, {}, {}, {}, [])
    for name, kind, row in _rows(authored, edition):
        if row.get("id") in made.rules:
            raise _wrong(f"id déjà pris\u202f: {row['id']}", f"id taken already: {row['id']}", name)
        try:
            _only(kind, row)
            rule = read_rule({"group": "", **row}, sources, kind)
            made.rules[rule.id] = rule
            if kind == "told" or (kind == "rule" and not rule.verified and ("for" in row or "who" in row)):
                made.unread.append(writer.unread(row, rule))
            elif rule.verified:
                made.add(kind, row, writer)
        except (KeyError, ValueError, TypeError) as error:
            label = row.get("id", "?")
            raise _wrong(f"règle «\u202f{label}\u202f»\u202f: {error}", f"rule “{label}”: {error}", name) from error
    return m.Schedule(
        name="france",
        version=edition,
        system=base["sources.toml"]["system"],
        antigens={
            name: m.Antigen(
                name,
                frozenset(made.immune.get(name, ())),
                tuple(made.births.get(name, ())),
                tuple(made.forbidden.get(name, ())),
                tuple(found),
            )
            for name, found in made.series.items()
        },
        groups=_groups([row for body in authored.files.values() for row in body.get("group", ())], made.series),
        vaccines=products.associations(),
        vaccine_names=products.names,
        conflicts=made.conflicts,
        observations=observations,
        rules=made.rules,
        unread=tuple(made.unread),
    )


class _Made(NamedTuple):
    """What is compiled so far, by antigen, conflicts by vaccine, rules by id."""

    rules: dict[str, Rule]
    series: dict[str, list[m.Series]]
    forbidden: dict[str, list[m.Contraindication]]
    immune: dict[str, set[str]]
    births: dict[str, list[m.BirthImmunity]]
    conflicts: dict[str, dict[str, m.Conflict]]
    unread: list[Unread]

    def add(self, kind: str, row: Row, writer: Writer) -> None:
        if kind == "precaution":  # told, never computed
            return
        if kind == "rule":
            for each in writer.series(row):
                self.series.setdefault(each.antigen, []).append(each)
        elif kind == "conflict":
            found = m.Conflict(_length(row["begin"]), _length(row["end"]), _length(row["end"]))
            for code in selected(writer.products, row["vaccines"]):
                for previous in selected(writer.products, row["previous"]):
                    self.conflicts.setdefault(code, {})[previous] = found
        else:
            for antigen in row["antigens"]:
                writer.products.known(antigen)
                if kind == "contraindication":
                    self.forbidden.setdefault(antigen, []).extend(writer.contraindications(row, antigen))
                    continue
                self.immune.setdefault(antigen, set()).update(writer.observed(row.get("observations", ())))
                if "born_before" in row:
                    born = m.BirthImmunity(row["born_before"], "", writer.observed(row.get("unless", ())))
                    self.births.setdefault(antigen, []).append(born)


def _rows(authored: Authored, edition: str) -> Iterator[tuple[str, str, Row]]:
    """Every row of an edition that has an id, with its file and its kind."""
    for name, body in authored.files.items():
        for kind in _KEYS:
            for row in body.get(kind, ()):
                if edition in row.get("editions", (edition,)):
                    yield name, kind, row


def _only(kind: str, row: Row) -> None:
    if unknown := set(row) - _KEYS[kind]:
        raise ValueError(f"unknown keys {sorted(unknown)}")


def unverified(schedule: m.Schedule) -> tuple[Rule, ...]:
    """Rules that are shown and give no advice, because no source that states them was opened."""
    return tuple(rule for rule in schedule.rules.values() if not rule.verified)


def _groups(rows: list[Row], series: Mapping[str, list[m.Series]]) -> dict[str, m.VaccineGroup]:
    found = {}
    for row in rows:
        held = tuple(
            dict.fromkeys(
                each.antigen for group in series.values() for each in group if each.vaccine_group == row["name"]
            )
        )
        if held:
            full = bool(row.get("full", False))
            found[row["name"]] = m.VaccineGroup(row["name"], held, full, split=not full)
    lost = {each.vaccine_group for group in series.values() for each in group} - {row["name"] for row in rows}
    if lost:
        raise _wrong(f"groupes sans nom\u202f: {sorted(lost)}", f"groups without a name: {sorted(lost)}", "group")
    return found


def group_titles() -> Mapping[str, Text]:
    """What people call each vaccine group, by its name."""
    return {row["name"]: Text.of(row["title"]) for body in read().files.values() for row in body.get("group", ())}


def read_rule(row: Row, sources: Mapping[str, Source], kind: str) -> Rule:
    """A rule as its file writes it, with the sources that it cites by their keys."""
    confidence = row["confidence"]
    if confidence not in ("O", "S26", "S", "M", "D"):
        raise ValueError(f"confidence {confidence!r}")
    control = row.get("control")
    return Rule(
        id=row["id"],
        title=Text.of(row["title"]),
        group=row["group"],
        confidence=confidence,
        verified=row.get("verified", confidence != "M"),
        cited=tuple(Cited(sources[each["source"]], each.get("place", "")) for each in row["cite"]),
        note=Text.of(row["note"]) if "note" in row else None,
        editions=tuple(row.get("editions", ())),
        tests=tuple(row.get("tests", ())),
        control=(control["test"], _length(control["from"]), _length(control["to"])) if control else None,
        kind=kind,
        choice=Text.of(row["choice"]) if "choice" in row else None,
    )


def _length(words: str) -> Duration:
    found = duration(words)
    if found is None:
        raise ValueError("no duration")
    return found


def read_source(row: Row) -> Source:
    """A source as its file writes it."""
    return Source(row["key"], row["title"], row.get("url", ""), str(row["date"]))


def _campaigns(rows: list[Row], edition: str) -> dict[str, tuple[Season, ...]]:
    found: dict[str, list[Season]] = {}
    for row in rows:
        if edition in row.get("editions", (edition,)):
            season = Season(
                row["name"], row["start"], row["end"], row.get("assumed", False), row.get("counts_from")
            )
            for key in (row["key"], f"{row['key']} {row['name']}"):
                found.setdefault(key, []).append(season)
    return {key: tuple(sorted(seasons, key=lambda each: each.start)) for key, seasons in found.items()}


def _observations(rows: list[Row]) -> dict[str, m.ObservationTerm]:
    systems = {"snomed": "SNOMED", "icd10": "ICD10CM", "loinc": "LOINC"}
    return {
        row["code"]: m.ObservationTerm(
            row["code"],
            row["title"]["fr"],
            tuple(
                (name, each) for key, name in systems.items() for code in row.get(key, ()) for each in _codes(code)
            ),
            tuple(
                m.Treatment(each["atc"], duration(each.get("after")), each.get("dose_decides", False))
                for each in row.get("medicines", ())
            ),
            tuple(map(_answering, row.get("asks", ()))),
            frozenset(row.get("opens", ())),
            Text.of(row["title"]),
        )
        for row in rows
    }


def _answering(row: Row) -> m.Answering:
    system, key = (terms.LOINC, "loinc") if "loinc" in row else (terms.SNOMED, "snomed")
    ages = duration(row.get("age_from")), duration(row.get("age_before"))
    return m.Answering(system, row[key], row.get("unit", ""), Text.of(row["title"]), *ages)


def _codes(code: str) -> tuple[str, ...]:
    """A code, or a category of ICD-10 with its ten subcategories when it is written ``E11.*``."""
    if not code.endswith(".*"):
        return (code,)
    return (code[:-2], *(f"{code[:-1]}{digit}" for digit in range(10)))


def _wrong(fr: str, en: str, place: str) -> InputError:
    return InputError(Text(fr, en), f"knowledge/france/{place}")
