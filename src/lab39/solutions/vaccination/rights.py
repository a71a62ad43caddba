"""May this professional prescribe or give this vaccine to this person, and is it reimbursed: yes, no, cannot tell.

Rows of ``knowledge/france/rights.toml`` are read in order. A fact that nobody stated is not taken for false: the
answer stays open, and says which facts would settle it, unless every row that could apply answers the same.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from typing import Any, Literal

from lab39.core.errors import UnknownNameError
from lab39.core.text import NO_TEXT, Text
from lab39.solutions.vaccination.dates import Duration, add, parse
from lab39.solutions.vaccination.products import Confidence, Product, Source

Verdict = Literal["yes", "no", "unknown"]
Act = Literal["prescribe", "administer"]
ACTS: tuple[Act, ...] = ("prescribe", "administer")

MISSING: Mapping[str, Text] = {
    "birth": Text("la date de naissance", "the birth date"),
    "immunosuppressed": Text("immunodépression\u202f: oui ou non", "immunosuppression: yes or no"),
    "pregnant": Text("grossesse\u202f: oui ou non", "pregnancy: yes or no"),
    "indicated": Text("si le calendrier le recommande à cette personne", "whether the schedule recommends it here"),
    "targeted": Text("si la personne est ciblée par la campagne", "whether the campaign targets this person"),
    "ordered": Text("s'il y a une ordonnance", "whether there is a prescription"),
    "travel": Text("si c'est pour un voyage", "whether it is for a journey"),
    "approved_centre": Text("si le lieu est un centre agréé", "whether the place is an approved centre"),
    "school": Text("si c'est la campagne au collège", "whether it is the campaign at school"),
    "maternity": Text("si c'est en maternité", "whether it is in a maternity ward"),
}


@dataclass(frozen=True, slots=True)
class Situation:
    """The person and the circumstances; ``None`` is not known, and is never taken for "no".

    Attributes:
        indicated: the schedule recommends this vaccine to this person on this day.
        targeted: the person belongs to the public of the influenza campaign.
        ordered: there is a prescription of a doctor (or, for a pharmacist, of a midwife or a nurse).
    """

    on: dt.date
    birth: dt.date | None = None
    immunosuppressed: bool | None = None
    pregnant: bool | None = None
    indicated: bool | None = None
    targeted: bool | None = None
    ordered: bool | None = None
    travel: bool | None = None
    approved_centre: bool | None = None
    school: bool | None = None
    maternity: bool | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the conditions that must all be met, and its answer. ``ask`` is an answer that needs a person.

    Attributes:
        source: ``None`` for the answer when no rule that was read holds.
    """

    id: str
    professions: tuple[str, ...]
    acts: tuple[Act, ...]
    when: Mapping[str, Any]
    answer: Literal["yes", "no", "ask"]
    rate: int | None
    says: Text
    source: Source | None
    confidence: Confidence
    disputed: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What the rows say.

    Attributes:
        rows: those it rests on; when the answer is open, those between which the missing facts choose.
        missing: what would settle an open answer; empty when only a source could.
        rate: per cent reimbursed, of a payment.
        condition: what the professional must have done, whatever the vaccine.
    """

    verdict: Verdict
    rows: tuple[Row, ...]
    missing: tuple[Text, ...] = ()
    rate: int | None = None
    condition: Text = NO_TEXT

    @property
    def says(self) -> Text:
        """The reason in one sentence."""
        if self.missing:
            return Text(
                "à préciser\u202f: " + "\u202f; ".join(each.fr for each in self.missing),
                "to be stated: " + "; ".join(each.en for each in self.missing),
            )
        return self.rows[0].says

    @property
    def disputed(self) -> bool:
        """Whether it rests on sources that disagree or were not opened."""
        return any(row.disputed for row in self.rows)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "answer": self.verdict,
            "says": self.says.as_dict(),
            "missing": [each.as_dict() for each in self.missing],
            "rate": self.rate,
            "disputed": self.disputed,
            "condition": self.condition.as_dict() if self.condition else None,
            "rows": [
                {
                    "id": row.id,
                    "says": row.says.as_dict(),
                    "source": row.source.title if row.source else None,
                    "url": row.source.url if row.source else None,
                    "date": row.source.date if row.source else None,
                    "confidence": row.confidence,
                    "disputed": row.disputed,
                }
                for row in self.rows
            ],
        }


def may(profession: str, act: Act, product: Product, situation: Situation) -> Answer:
    """Whether a professional may prescribe or give a product.

    Raises:
        UnknownNameError: no such profession.
    """
    known = professions()
    if profession not in known:
        names = ", ".join(known)
        raise UnknownNameError(
            Text(
                f"profession «\u202f{profession[:40]}\u202f» inconnue. Connues\u202f: {names}",
                f"unknown profession “{profession[:40]}”. Known: {names}",
            ),
            "profession",
        )
    rows = (row for row in acts() if profession in row.professions and act in row.acts)
    found = _decide(rows, product, situation)
    return Answer(found.verdict, found.rows, found.missing, None, known[profession][1])


def reimbursed(product: Product, situation: Situation) -> Answer:
    """Whether a product is reimbursed in town, at which rate."""
    found = _decide(payments(), product, situation)
    rate = None
    if found.verdict == "yes":
        stated = {product.rate if row.rate is None else row.rate for row in found.rows}
        rate = next(iter(stated)) if len(stated) == 1 else None
    return Answer(found.verdict, found.rows, found.missing, rate)


def _decide(rows: Iterable[Row], product: Product, situation: Situation) -> Answer:
    possible: list[tuple[Row, tuple[str, ...]]] = []
    for row in rows:
        unknown = _unknown(row.when, product, situation)
        if unknown is None:
            continue
        possible.append((row, unknown))
        if not unknown:
            break
    else:
        possible.append((_NONE, ()))
    said = tuple(row for row, _ in possible)
    if len({(row.answer, row.rate) for row in said}) == 1:
        answer = said[-1].answer
        return Answer("unknown" if answer == "ask" else answer, (said[-1],))
    wanted = dict.fromkeys(name for _, unknown in possible for name in unknown)
    return Answer("unknown", said, tuple(MISSING[name] for name in wanted))


def _unknown(when: Mapping[str, Any], product: Product, situation: Situation) -> tuple[str, ...] | None:
    """The facts that a row still waits for; ``None`` when it does not apply."""
    waits: list[str] = []
    for met, name in _conditions(when, product, situation):
        if met is False:
            return None
        if met is None:
            waits.append(name)
    return tuple(waits)


def _conditions(
    when: Mapping[str, Any], product: Product, situation: Situation
) -> Iterator[tuple[bool | None, str]]:
    for name, wanted in when.items():
        if name == "valences":
            yield not set(wanted).isdisjoint(product.valences), name
        elif name == "products":
            yield product.name in wanted, name
        elif name in ("live", "marketed", "kind"):
            yield getattr(product, name) == wanted, name
        elif name == "has_rate":
            yield (product.rate is not None) is wanted, name
        elif name == "licence_known":
            yield (product.ages != "M") is wanted, name
        elif name == "licence":
            yield _outside(product, situation), "birth"
        elif name == "age_from":
            yield _reached(situation, parse(wanted)), "birth"
        elif name == "age_to":
            reached = _reached(situation, parse(wanted))
            yield None if reached is None else not reached, "birth"
        else:
            stated: bool | None = getattr(situation, name)
            yield None if stated is None else stated is wanted, name


def _reached(situation: Situation, age: Duration) -> bool | None:
    return None if situation.birth is None else add(situation.birth, age) <= situation.on


def _outside(product: Product, situation: Situation) -> bool | None:
    if product.age_from is None and product.age_to is None:
        return False
    if situation.birth is None:
        return None
    young = product.age_from is not None and not _reached(situation, product.age_from)
    old = product.age_to is not None and bool(_reached(situation, product.age_to))
    return young or old


@cache
def professions() -> Mapping[str, tuple[Text, Text]]:
    """Each profession by id: its name, and what it must have done whatever the vaccine."""
    return {key: (Text.of(row["name"]), Text.of(row["condition"])) for key, row in _body()["profession"].items()}


@cache
def acts() -> tuple[Row, ...]:
    """Rows on who may prescribe and give."""
    return tuple(map(_row, _body()["act"]))


@cache
def payments() -> tuple[Row, ...]:
    """Rows on reimbursement."""
    return tuple(map(_row, _body()["payment"]))


@cache
def _body() -> Mapping[str, Any]:
    file = resources.files(__package__) / "knowledge" / "france" / "rights.toml"
    return tomllib.loads(file.read_text("utf-8"))


@cache
def _sources() -> Mapping[str, Source]:
    return {row["key"]: Source(row["key"], row["title"], row["date"], row["url"]) for row in _body()["source"]}


def _row(row: Mapping[str, Any]) -> Row:
    stated = {each.name for each in fields(Situation)} | {
        *("valences", "products", "live", "marketed", "kind", "has_rate", "licence_known", "licence"),
        *("age_from", "age_to"),
    }
    if strange := row["when"].keys() - stated:
        raise ValueError(f"{row['id']}: unknown condition {sorted(strange)}")
    return Row(
        id=row["id"],
        professions=tuple(row.get("professions", ())),
        acts=tuple(row.get("acts", ())),
        when=row["when"],
        answer=row["answer"],
        rate=row.get("rate"),
        says=Text.of(row["says"]),
        source=_sources()[row["source"]],
        confidence=row["confidence"],
        disputed=row.get("disputed", False),
    )


_NONE = Row(
    "none",
    (),
    (),
    {},
    "ask",
    None,
    Text("aucune règle lue ne répond", "no rule that was read answers"),
    None,
    "M",
    True,
)
