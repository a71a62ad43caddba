"""One line of rights for a vaccine that is due: who may prescribe it, who may give it, whether it is reimbursed.

Three values each: yes, no, or to be checked. No product is chosen yet: what is said holds for every one proposed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lab39.core.text import Text
from lab39.solutions.vaccination import products, rights, words
from lab39.solutions.vaccination.dates import Duration, add
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.outcome import Patient, Result
from lab39.solutions.vaccination.products import Product, Source
from lab39.solutions.vaccination.rights import Answer, Verdict
from lab39.solutions.vaccination.standing import Standing

PROFESSIONS = ("doctor", "midwife", "nurse", "pharmacist")
IMMUNOSUPPRESSED = ("immunosuppression", "immune-deficiency", "hiv", "chemotherapy", "transplant", "hsct")

_CHILDBEARING = Duration(120, 0), Duration(720, 0)
"""As wide as the question of the counter about pregnancy: 10 to 60 years."""


@dataclass(frozen=True, slots=True)
class Rights:
    """The line, and the texts it rests on."""

    says: Text
    sources: tuple[Source, ...]


def line(schedule: Schedule, patient: Patient, result: Result, each: Standing) -> Rights | None:
    """What holds for every product that is proposed; ``None`` for a schedule whose products are not known here."""
    if schedule.name != words.OWN:
        return None
    offered = [found for one in each.forecast.vaccines if (found := products.by_nuva(one.code)) is not None]
    if not offered:
        return None
    known = situation(patient, result)
    writes = {who: [rights.may(who, "prescribe", one, known) for one in offered] for who in PROFESSIONS}
    gives = {who: [rights.may(who, "administer", one, known) for one in offered] for who in PROFESSIONS}
    paid = [rights.reimbursed(one, known) for one in offered]
    said = [*_who(writes, gives), _payment(paid, offered)]
    answers = [answer for rows in (*writes.values(), *gives.values(), paid) for answer in rows]
    sources = dict.fromkeys(row.source for answer in answers for row in answer.rows[:1] if row.source)
    return Rights(
        Text("\u202f; ".join(one.fr for one in said) + ".", "; ".join(one.en for one in said) + "."), tuple(sources)
    )


def situation(patient: Patient, result: Result) -> rights.Situation:
    """What is known before anybody is asked: the rest stays open."""
    codes = {each.code for each in patient.observations}
    grown = add(patient.birth_date, _CHILDBEARING[0]) <= result.on < add(patient.birth_date, _CHILDBEARING[1])
    pregnant = True if "pregnancy" in codes else False if patient.sex == "Male" or not grown else None
    lowered = True if not codes.isdisjoint(IMMUNOSUPPRESSED) else None
    return rights.Situation(result.on, patient.birth_date, lowered, pregnant, indicated=True, targeted=True)


def _who(writes: dict[str, list[Answer]], gives: dict[str, list[Answer]]) -> Iterable[Text]:
    may_write, may_give = _named(writes, "yes"), _named(gives, "yes")
    if may_write == may_give and may_give:
        yield Text(f"prescrit et fait par\u202f: {may_give.fr}", f"prescribed and given by: {may_give.en}")
    else:
        if may_write:
            yield Text(f"prescrit par\u202f: {may_write.fr}", f"prescribed by: {may_write.en}")
        if may_give:
            yield Text(f"fait par\u202f: {may_give.fr}", f"given by: {may_give.en}")
    waiting: dict[Text, list[Text]] = {}
    for who in PROFESSIONS:
        if "unknown" in (_verdict(writes[who]), _verdict(gives[who])):
            missing = dict.fromkeys(one for each in (*writes[who], *gives[who]) for one in each.missing)
            waiting.setdefault(words.joined(list(missing)), []).append(rights.professions()[who][0])
    for missing_facts, names in waiting.items():
        who_else = words.joined(names)
        fr, en = (f" ({each})" if each else "" for each in (missing_facts.fr, missing_facts.en))
        yield Text(f"à vérifier pour\u202f: {who_else.fr}{fr}", f"to be checked for: {who_else.en}{en}")


def _named(answers: dict[str, list[Answer]], wanted: Verdict) -> Text | None:
    found = [rights.professions()[who][0] for who in PROFESSIONS if _verdict(answers[who]) == wanted]
    return words.joined(found) if found else None


def _verdict(answers: Sequence[Answer]) -> Verdict:
    found = {each.verdict for each in answers}
    return next(iter(found)) if len(found) == 1 else "unknown"


def _payment(paid: Sequence[Answer], offered: Sequence[Product]) -> Text:
    verdict, rates = _verdict(paid), {each.rate for each in paid}
    if verdict == "yes":
        rate = next(iter(rates)) if len(rates) == 1 else None
        return (
            Text("remboursé", "reimbursed")
            if rate is None
            else Text(f"remboursé à {rate}\u202f%", f"reimbursed at {rate}%")
        )
    if verdict == "no":
        return Text("non remboursé", "not reimbursed")
    if len(offered) > 1 and {each.verdict for each in paid} == {"yes", "no"}:
        return Text("remboursé ou non selon le produit", "reimbursed or not by product")
    return Text("remboursement à vérifier", "reimbursement to be checked")
