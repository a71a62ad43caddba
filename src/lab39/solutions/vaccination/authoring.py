"""From one authored rule to the series that the engine runs: selectors of vaccines, audiences, doses.

Every function raises ``KeyError``, ``ValueError`` or ``TypeError`` on what the format does not allow; the reader of
the files (:mod:`~lab39.solutions.vaccination.france`) says in which rule.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from lab39.solutions.vaccination import model as m
from lab39.solutions.vaccination.authored import Audience, Duty, Rule, Season, Unread
from lab39.solutions.vaccination.dates import Duration, parse

Row = Mapping[str, Any]
_DOSE_KEYS = frozenset(
    [
        "min",
        "floor",
        "at",
        "late",
        "max",
        "gap",
        "gap_floor",
        "gap_best",
        "gap_late",
        "since",
        "skip",
        "skip_from",
        "skip_due",
        "repeat",
        "season",
        "vaccines",
        "accepts",
    ]
)
_SINCE_KEYS = frozenset(["observation", "dose", "vaccines", "gap", "floor", "best", "late", "max", "earlier_count"])
_WHO_KEYS = frozenset(
    [
        "born_from",
        "born_before",
        "age_from",
        "age_before",
        "started_from",
        "started_before",
        "history",
        "every",
        "some",
        "without",
        "dated",
    ]
)
_STATUS_KEYS = frozenset(["level", "born_from", "born_before", "age_before", "antigens", "for", "source"])
_LOGIC: Mapping[str, str] = {"at_least": "greater than", "at_most": "less than", "exactly": "equal to"}


class Product(NamedTuple):
    """A vaccine of the table of products, as far as the rules look at it.

    Attributes:
        age_from, age_to: licence ages known from a source; ``remembered``, those that are not.
    """

    code: str
    name: str
    valences: frozenset[str]
    antigens: frozenset[str]
    marketed: bool
    age_from: Duration | None
    age_to: Duration | None
    remembered: tuple[Duration | None, Duration | None]


class Products(NamedTuple):
    """The vaccines, and the antigen of each valence."""

    rows: tuple[Product, ...]
    antigens: frozenset[str]
    valences: frozenset[str]

    @classmethod
    def of(cls, products: Iterable[Row], antigens: Iterable[Row]) -> Products:
        """From the rows of ``products.toml`` and ``antigens.toml``."""
        held = {valence: row["name"] for row in antigens for valence in row["valences"]}
        rows = []
        for row in products:
            ages = duration(row.get("age_from")), duration(row.get("age_to"))
            known, remembered = (ages, (None, None)) if row.get("ages", "M") != "M" else ((None, None), ages)
            rows.append(
                Product(
                    row["nuva"],
                    row["name"],
                    frozenset(row["valences"]),
                    frozenset(held[each] for each in row["valences"] if each in held),
                    row.get("marketed", False),
                    *known,
                    remembered,
                )
            )
        return cls(tuple(rows), frozenset(held.values()), frozenset(held))

    @property
    def names(self) -> Mapping[str, str]:
        """Vaccine code to the name of the product."""
        return {each.code: each.name for each in self.rows}

    def known(self, antigen: str) -> str:
        """The antigen itself, or ``ValueError``."""
        if antigen not in self.antigens:
            raise ValueError(f"unknown antigen {antigen!r}")
        return antigen

    def associations(self) -> dict[str, tuple[m.Association, ...]]:
        """Vaccine code to the antigens it holds, at any age."""
        return {
            each.code: tuple(m.Association(name, None, None) for name in sorted(each.antigens))
            for each in self.rows
        }


def duration(words: str | None) -> Duration | None:
    """A duration in words, ``None`` when none is stated."""
    return None if words is None else parse(words)


def selected(products: Products, selectors: Iterable[str], antigen: str | None = None) -> tuple[str, ...]:
    """Vaccine codes that one of the selectors names, in the order of the selectors; only those of ``antigen``.

    A selector is a product's name, or valences joined by ``+`` that must all be held; ``-`` before one excludes it;
    ``*`` is every product of the antigen.
    """
    found: dict[str, None] = {}
    for selector in selectors:
        named = [each for each in products.rows if each.name.casefold() == selector.casefold()]
        if not named and selector != "*":
            words = selector.replace(" -", "+!").split("+")
            wanted = {word.strip() for word in words if not word.startswith("!")}
            barred = {word[1:].strip() for word in words if word.startswith("!")}
            unknown = (wanted | barred) - products.valences
            if unknown:
                raise ValueError(f"neither a product nor valences: {selector!r}")
            named = [each for each in products.rows if wanted <= each.valences and not barred & each.valences]
        elif selector == "*":
            named = list(products.rows)
        found.update((each.code, None) for each in named if antigen is None or antigen in each.antigens)
    return tuple(found)


class Writer(NamedTuple):
    """Writes the series of a rule; knows the vaccines, the observations and the campaigns."""

    products: Products
    observations: frozenset[str]
    sets: Mapping[str, tuple[str, ...]]
    campaigns: Mapping[str, tuple[Season, ...]]
    questions: frozenset[str] = frozenset()
    """Observations that are questions."""

    def observed(self, codes: Iterable[str]) -> frozenset[str]:
        """Observation codes, each of them known; ``@name`` is a set of them."""
        found = frozenset(
            each for code in codes for each in (self.sets[code[1:]] if code.startswith("@") else (code,))
        )
        if unknown := found - self.observations:
            raise ValueError(f"unknown observations {sorted(unknown)}")
        return found

    def series(self, row: Row) -> Iterator[m.Series]:
        """One series for each antigen of the rule."""
        many = len(row["antigens"]) > 1
        for antigen in row["antigens"]:
            self.products.known(antigen)
            yield m.Series(
                name=f"{row['id']} ({antigen})" if many else row["id"],
                antigen=antigen,
                vaccine_group=row["group"],
                type="Risk" if row.get("for") else "Standard",
                sexes=frozenset([row["sex"]] if row.get("sex") else ()),
                group=row.get("stage", row["id"]),
                group_name=row.get("stage", row["id"]),
                equivalent=frozenset(),
                default=row.get("default", False),
                product=row.get("product", False),
                priority="A",
                preference=row.get("preference", 1),
                min_start=None,
                max_start=None,
                indications=tuple(self._indications(row.get("for", ()))),
                guidance=tuple(row.get("guidance", ())),
                doses=tuple(self._dose(n, each, row, antigen) for n, each in enumerate(row["dose"], 1)),
                after_others=False,
                audience=self._audience(row.get("who", {})),
                duties=tuple(self._duties(row["status"], antigen)),
                rule=row["id"],
            )  # fmt: skip

    def unread(self, row: Row, rule: Rule) -> Unread:
        """A rule that is told and compiled into no series, with those it is told to."""
        return Unread(
            rule,
            tuple(self.products.known(each) for each in row.get("antigens", ())),
            self.observed(row.get("for", ())),
            self._audience(row.get("who", {})),
        )

    def _indications(self, codes: Iterable[str]) -> Iterator[m.Indication]:
        for code in sorted(self.observed(codes)):
            yield m.Indication(code, "", None, None)

    def contraindications(self, row: Row, antigen: str) -> Iterator[m.Contraindication]:
        """One for each observation: of the antigen, or of the vaccines that are named."""
        begin, end = duration(row.get("age_from")), duration(row.get("age_before"))
        codes = selected(self.products, row["vaccines"], antigen) if "vaccines" in row else ()
        for code in sorted(self.observed(row["observations"])):
            vaccines = dict.fromkeys(codes, ((None, None),))
            asks = code in self.questions
            yield m.Contraindication(code, row["title"]["fr"], begin, end, vaccines, asks)

    def _audience(self, row: Row) -> Audience | None:
        if not row:
            return None
        _only(row, _WHO_KEYS)
        return Audience(
            born_from=row.get("born_from"),
            born_before=row.get("born_before"),
            aged_from=duration(row.get("age_from")),
            aged_before=duration(row.get("age_before")),
            started_from=duration(row.get("started_from")),
            started_before=duration(row.get("started_before")),
            history=tuple(self._condition(each) for each in row.get("history", ())),
            every=self.observed(row.get("every", ())),
            some=self.observed(row.get("some", ())),
            without=self.observed(row.get("without", ())),
            dated=self.observed(row.get("dated", ())),
        )

    def _duties(self, stated: str | list[Row], antigen: str) -> Iterator[Duty]:
        for row in [{"level": stated}] if isinstance(stated, str) else stated:
            _only(row, _STATUS_KEYS)
            level: Any = row["level"]
            if level not in ("obligatory", "recommended", "optional"):
                raise ValueError(f"status {level!r}")
            if antigen in row.get("antigens", (antigen,)):
                yield Duty(
                    level,
                    _day(row.get("born_from")),
                    _day(row.get("born_before")),
                    duration(row.get("age_before")),
                    self.observed(row.get("for", ())),
                    row.get("source", ""),
                )

    def _condition(self, row: Row) -> m.Condition:
        """``{vaccines, from_age, before_age, from, before, at_least|at_most|exactly, valid}``."""
        key = next(each for each in _LOGIC if each in row)
        shift = {"at_least": -1, "at_most": 1, "exactly": 0}[key]
        return m.Condition(
            kind="count",
            start=row.get("from"),
            end=row.get("before"),
            begin_age=duration(row.get("from_age")),
            end_age=duration(row.get("before_age")),
            interval=None,
            count=row[key] + shift,
            valid_only=row.get("valid", False),
            logic=_LOGIC[key],  # type: ignore[arg-type]
            vaccines=frozenset(selected(self.products, row["vaccines"])) if "vaccines" in row else frozenset(),
            groups=frozenset(),
        )

    def _dose(self, number: int, row: Row, rule: Row, antigen: str) -> m.SeriesDose:
        _only(row, _DOSE_KEYS)
        best = row.get("vaccines", rule.get("vaccines"))
        also = row.get("accepts", rule.get("accepts", ["*"] if best is None else []))
        minimum = duration(row.get("min"))
        ages = m.AgeRule(
            abs_min=duration(row.get("floor")) or minimum,
            minimum=minimum,
            earliest=duration(row.get("at")),
            latest=duration(row.get("late")),
            maximum=duration(row.get("max")),
            effective=None,
            cessation=None,
        )
        return m.SeriesDose(
            number=number,
            ages=(ages,),
            intervals=tuple(self._intervals(number, row)),
            allowable_intervals=(),
            preferable={
                code: (self._vaccine(code),) for code in selected(self.products, best or ["*"], antigen)
            },
            allowable={
                code: (m.Vaccine(code, "", None, None, "", None, False),)
                for code in selected(self.products, [*(best or []), *also], antigen)
            },
            inadvertent=frozenset(),
            skips=tuple(self._skips(row)),
            recurring=row.get("repeat", False),
            season_start=None,
            season_end=None,
            seasons=self.campaigns[row["season"]] if "season" in row else (),
        )  # fmt: skip

    def _vaccine(self, code: str) -> m.Vaccine:
        product = next(each for each in self.products.rows if each.code == code)
        ages = product.age_from, product.age_to
        return m.Vaccine(code, product.name, *ages, "", None, product.marketed, product.remembered)

    def _intervals(self, number: int, row: Row) -> Iterator[m.Interval]:
        if {"gap", "gap_best", "gap_late", "gap_floor"} & row.keys():
            yield _interval(row, "gap", "gap_floor", "gap_best", "gap_late", previous=True)
        for each in row.get("since", ()):
            _only(each, _SINCE_KEYS)
            if "dose" in each and each["dose"] >= number:
                raise ValueError("an interval is counted from an earlier dose")
            yield _interval(
                each, "gap", "floor", "best", "late",
                target=each.get("dose"),
                recent=frozenset(selected(self.products, each.get("vaccines", ()))),
                observation=next(iter(self.observed([each["observation"]] if "observation" in each else [])), None),
            )  # fmt: skip

    def _skips(self, row: Row) -> Iterator[m.Skip]:
        sets = []
        if "skip_from" in row:
            age = m.Condition(
                "age",
                None,
                None,
                duration(row["skip_from"]),
                None,
                None,
                0,
                False,
                "equal to",
                frozenset(),
                frozenset(),
            )
            sets.append(m.SkipSet("age", "", True, (age,), None, None))
        if "skip" in row:
            sets.append(
                m.SkipSet("history", "", True, tuple(self._condition(each) for each in row["skip"]), None, None)
            )
        if sets:
            yield m.Skip(evaluation=True, forecast=True, every=False, sets=tuple(sets))
        if "skip_due" in row:
            conditions = tuple(self._condition(each) for each in row["skip_due"])
            told = m.SkipSet("history", "", True, conditions, None, None)
            yield m.Skip(evaluation=False, forecast=True, every=False, sets=(told,))


def _interval(
    row: Row,
    gap: str,
    floor: str,
    best: str,
    late: str,
    *,
    previous: bool = False,
    target: int | None = None,
    recent: frozenset[str] = frozenset(),
    observation: str | None = None,
) -> m.Interval:
    minimum = duration(row.get(gap))
    return m.Interval(
        from_previous=previous,
        from_target=target,
        from_recent=recent,
        from_observation=observation,
        abs_min=duration(row.get(floor)) or minimum,
        minimum=minimum,
        earliest=duration(row.get(best)),
        latest=duration(row.get(late)),
        priority=False,
        effective=None,
        cessation=None,
        maximum=None if previous else duration(row.get("max")),
        earlier_count=not previous and row.get("earlier_count", False),
    )


def _day(value: object) -> dt.date | None:
    if value is not None and not isinstance(value, dt.date):
        raise TypeError(f"not a date: {value!r}")
    return value


def _only(row: Row, allowed: frozenset[str]) -> None:
    if unknown := set(row) - allowed:
        raise ValueError(f"unknown keys {sorted(unknown)}")
