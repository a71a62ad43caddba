"""Who may prescribe and give a dose at the counter, and who pays, as checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lab39.core.text import Text
from lab39.solutions.vaccination import rights, words
from lab39.solutions.vaccination.check import Check, Level
from lab39.solutions.vaccination.counter import Counter
from lab39.solutions.vaccination.entitled import IMMUNOSUPPRESSED
from lab39.solutions.vaccination.findings import Assessed
from lab39.solutions.vaccination.outcome import Patient
from lab39.solutions.vaccination.products import Product
from lab39.solutions.vaccination.questions import NO, Question
from lab39.solutions.vaccination.standing import TO_GIVE, Kind, concerned


def situation(
    counter: Counter, found: Assessed, patient: Patient, product: Product, asked: Sequence[Question]
) -> rights.Situation:
    """What is known for the rules on rights; what nobody said stays unknown."""
    codes = {each.code for each in patient.observations}
    offered = {(q.id, s.id) for q in asked for s in q.situations}
    none_of_live = counter.answers.get("live") == NO

    def stated(name: str, holds: bool) -> bool | None:
        if holds:
            return True
        return False if none_of_live and ("live", name) in offered else None

    here = False if counter.profession == "pharmacist" else None
    pregnant = stated("pregnancy", "pregnancy" in codes)
    indicated = any(
        each.kind in (*TO_GIVE, Kind.POSSIBLE) for each in concerned(found.result, found.schedule, product.nuva)
    )
    return rights.Situation(
        on=found.result.on,
        birth=patient.birth_date,
        immunosuppressed=stated("immunosuppression", not codes.isdisjoint(IMMUNOSUPPRESSED)),
        pregnant=False if patient.sex == "Male" else pregnant,
        indicated=indicated,
        targeted=True if indicated else None,
        ordered=counter.ordered,
        approved_centre=here,
        school=here,
        maternity=here,
    )


def right_to_give(
    counter: Counter, found: Assessed, patient: Patient, product: Product, asked: Sequence[Question]
) -> Iterator[Check]:
    """Whether who stands at the counter may give it, and what is paid; what nobody said is to be checked."""
    known = situation(counter, found, patient, product, asked)
    who = rights.professions()[counter.profession][0]
    gives = rights.may(counter.profession, "administer", product, known)
    writes = rights.may(counter.profession, "prescribe", product, known)
    if gives.verdict == "no":
        yield _right("stop", Text(f"Le {who.fr} ne peut pas le faire", f"A {who.en} may not give it"), gives)
    elif gives.verdict == "unknown":
        yield _right(
            "warn", Text(f"Fait par un {who.fr}\u202f: à vérifier", f"Given by a {who.en}: to be checked"), gives
        )
    elif counter.ordered is True:
        yield _right(
            "ok",
            Text(f"Peut être fait par un {who.fr}, sur ordonnance", f"May be given by a {who.en}, on prescription"),
            gives,
        )
    elif writes.verdict == "yes":
        yield _right(
            "ok",
            Text(f"Peut être prescrit et fait par un {who.fr}", f"May be prescribed and given by a {who.en}"),
            writes,
        )
    elif writes.verdict == "no":
        level: Level = "stop" if counter.ordered is False else "ask"
        yield _right(
            level,
            Text(
                f"Ordonnance nécessaire\u202f: un {who.fr} ne le prescrit pas",
                f"Prescription needed: a {who.en} does not prescribe it",
            ),
            writes,
        )
    else:
        yield _right(
            "warn",
            Text(f"Prescrit par un {who.fr}\u202f: à vérifier", f"Prescribed by a {who.en}: to be checked"),
            writes,
        )
    paid = rights.reimbursed(product, known)
    said = {
        "yes": Text("Remboursé", "Reimbursed")
        if paid.rate is None
        else Text(f"Remboursé à {paid.rate}\u202f%", f"Reimbursed at {paid.rate}%"),
        "no": Text("Non remboursé", "Not reimbursed"),
        "unknown": Text("Remboursement à vérifier", "Reimbursement to be checked"),
    }[paid.verdict]
    yield _right("ok", said, paid)


def _right(level: Level, says: Text, answer: rights.Answer) -> Check:
    row = answer.rows[0]
    why = words.capital(answer.says)
    note = Text(f"{why.fr}.", f"{why.en}.")
    if answer.condition and level == "ok":
        condition = words.capital(answer.condition)
        note = Text(f"{note.fr} {condition.fr}.", f"{note.en} {condition.en}.")
    return Check(
        level,
        says,
        note,
        row.source.title if row.source else "",
        row.source.url if row.source else "",
        not answer.disputed,
    )
