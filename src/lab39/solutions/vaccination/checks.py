"""Everything looked at before one dose: the box, its date, the person, the three answers, the schedule, the rights.

Each check says what it found, why, and its source. One that stops keeps the dose from being recorded; so does one
that waits for an answer. A warning lets it be recorded once somebody says they looked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lab39.core.text import NO_TEXT, Text, date
from lab39.solutions.vaccination import before, illness, products, questions, remarks, words
from lab39.solutions.vaccination.check import LEVELS, Check, Level
from lab39.solutions.vaccination.counter import Counter
from lab39.solutions.vaccination.dates import add
from lab39.solutions.vaccination.findings import Assessed
from lab39.solutions.vaccination.forbidden import forbidden
from lab39.solutions.vaccination.licence import unnamed
from lab39.solutions.vaccination.outcome import Dose, DoseStatus, Patient
from lab39.solutions.vaccination.products import Product
from lab39.solutions.vaccination.questions import Question, Told
from lab39.solutions.vaccination.rights_checks import right_to_give
from lab39.solutions.vaccination.standing import TO_GIVE, Kind, concerned
from lab39.solutions.vaccination.whatif import WhatIf, what_if


@dataclass(frozen=True, slots=True)
class Judged:
    """What is said of one box for one person.

    Attributes:
        product: ``None`` when the name does not say which.
        candidates: what the name may mean.
        after: in thought, what the dose would do; ``None`` without a product.
    """

    product: Product | None
    candidates: tuple[Product, ...]
    checks: tuple[Check, ...]
    after: WhatIf | None

    @property
    def level(self) -> Level:
        """The gravest."""
        return min((each.level for each in self.checks), key=LEVELS.index, default="ok")

    def ready(self, *, checked: bool) -> bool:
        """Whether the dose may be recorded."""
        return self.product is not None and (self.level == "ok" or (self.level == "warn" and checked))


def judge(counter: Counter, found: Assessed, asked: Sequence[Question]) -> Judged:
    """Look at everything; the gravest first."""
    named = products.find(counter.vaccine)
    product = named.product
    if product is None:
        return Judged(None, named.candidates, (_which(counter, named),), None)
    on = found.result.on
    patient = replace(
        found.patient,
        observations=questions.answered(found.patient.observations, asked, counter.answers),
    )
    after = what_if(found.schedule, patient, Dose(on, product.nuva))
    checks = [
        *_box(counter, product, on),
        *_person(counter, found, patient, product, asked),
        *_schedule(found, product, after),
        *right_to_give(counter, found, patient, product, asked),
    ]
    ranked = sorted(dict.fromkeys(checks), key=lambda each: LEVELS.index(each.level))
    return Judged(product, (product,), tuple(ranked), after)


def _which(counter: Counter, named: products.Found) -> Check:
    if named.candidates:
        return Check(
            "ask", Text("Plusieurs vaccins ont ce nom\u202f: choisir", "Several vaccines have this name: choose")
        )
    said = counter.vaccine[:60]
    return Check(
        "ask",
        Text(f"«\u202f{said}\u202f» n'est pas reconnu", f"“{said}” is not recognised"),
        Text("Scanner la boîte, ou écrire le nom qu'elle porte.", "Scan the box, or write the name on it."),
    )


# -- the box ---------------------------------------------------------------------------------------------


def _box(counter: Counter, product: Product, on: dt.date) -> Iterator[Check]:
    if product.kind == "unspecified":
        yield Check(
            "stop",
            Text(
                "Préciser le produit\u202f: lire le nom sur la boîte", "State the product: read the name on the box"
            ),
        )
    elif not product.marketed:
        end = product.stopped
        yield Check(
            "stop",
            Text(
                f"{product.name} n'est plus commercialisé" + (f" depuis le {date(end, 'fr')}" if end else ""),
                f"{product.name} is no longer marketed" + (f" since {date(end, 'en')}" if end else ""),
            ),
            Text("Ne pas utiliser la boîte\u202f: la rendre.", "Do not use the box: return it."),
            product.source.title,
            product.source.url,
        )
    if counter.expires is None:
        yield Check("ask", Text("Péremption à lire sur la boîte", "Expiry date to be read on the box"))
    elif counter.expires < on:
        yield Check(
            "stop",
            Text(
                f"Boîte périmée depuis le {date(counter.expires, 'fr')}",
                f"Box expired on {date(counter.expires, 'en')}",
            ),
            Text("La mettre de côté et en prendre une autre.", "Put it aside and take another one."),
        )
    if not counter.lot:
        yield Check("ask", Text("Numéro de lot à lire sur la boîte", "Lot number to be read on the box"))
    if not counter.site:
        yield Check("ask", Text("Site d'injection à choisir", "Injection site to be chosen"))


# -- the person ------------------------------------------------------------------------------------------


def _person(
    counter: Counter, found: Assessed, patient: Patient, product: Product, asked: Sequence[Question]
) -> Iterator[Check]:
    schedule, on = found.schedule, found.result.on
    antigens = {each.antigen for each in schedule.vaccines.get(product.nuva, ())}
    for name, rule in forbidden(schedule, patient, on):
        if name in antigens and (not rule.vaccines or product.nuva in rule.vaccines):
            known = questions.titled(schedule, rule.text)
            if known and rule.asks:
                yield replace(_told(questions.of_rule(schedule.rules[known], "stop")), level="ask")
            elif known:
                yield _told(questions.of_rule(schedule.rules[known], "stop"))
            else:
                yield Check("stop", words.capital(Text.same(rule.text)))
    for question in asked:
        answer = counter.answers.get(question.id, "")
        if not answer:
            yield Check("ask", Text(f"À répondre\u202f: {question.asks.fr}", f"To be answered: {question.asks.en}"))
        for each in questions.told(schedule, question, answer, antigens, product):
            yield _told(each)
    if counter.answers.get(questions.body()["noted"]["question"]) != "yes":
        yield from map(_told, illness.told(found.noted))
    yield from (_told(questions.of_rule(rule, "warn")) for rule in before.concerns(found, antigens))
    today = [each for each in found.patient.doses if each.date == on and _held(found, each) & antigens]
    if today:
        yield Check(
            "stop",
            Text("Déjà fait aujourd'hui, d'après le dossier", "Given today already, by the record"),
        )
    if product.ages == "M" and unnamed(schedule, product.nuva, patient.birth_date, on):
        document, url = words.document(schedule)
        yield Check("stop", words.capital(words.UNNAMED), NO_TEXT, f"{document}, {schedule.version}", url)
    elif _outside(product, patient, on):
        known_ages = product.ages != "M"
        yield Check(
            "stop" if known_ages else "warn",
            Text("Âge hors de l'autorisation de ce vaccin", "Age outside the licence of this vaccine"),
            NO_TEXT
            if known_ages
            else Text(
                "Limite non vérifiée ici\u202f: lire la notice.", "Limit not verified here: read the leaflet."
            ),
            product.source.title,
            product.source.url,
            known_ages,
        )


def _told(each: Told) -> Check:
    return Check(each.effect, words.capital(each.says), each.note, each.source, each.url, each.verified)


def _held(found: Assessed, dose: Dose) -> set[str]:
    return {each.antigen for each in found.schedule.vaccines.get(dose.code, ())}


def _outside(product: Product, patient: Patient, on: dt.date) -> bool:
    young = product.age_from is not None and on < add(patient.birth_date, product.age_from)
    return young or (product.age_to is not None and on >= add(patient.birth_date, product.age_to))


# -- the schedule ----------------------------------------------------------------------------------------


def _schedule(found: Assessed, product: Product, after: WhatIf) -> Iterator[Check]:
    document, url = words.document(found.schedule)
    source = f"{document}, {found.schedule.version}"
    if after.counts is None:
        says = Text("Le calendrier ne connaît pas ce vaccin", "The schedule does not know this vaccine")
        if product.nuva in found.schedule.vaccines:
            says = Text(
                "Le calendrier ne recommande pas ce vaccin à cette personne",
                "The schedule does not recommend this vaccine to this person",
            )
        yield Check("stop", says, NO_TEXT, source, url)
        return
    valid = [each for each in after.verdicts if each.status is DoseStatus.VALID]
    for each in after.verdicts:
        if each.status is DoseStatus.VALID:
            continue
        name = words.capital(words.group(each.group))
        why = words.joined([words.reason(r) for r in each.reasons]) if each.reasons else words.status(each.status)
        says = Text(
            f"{name.fr}\u202f: la dose ne compterait pas, {why.fr}",
            f"{name.en}: the dose would not count, {why.en}",
        )
        yield Check("warn" if valid else "stop", says, NO_TEXT, source, url)
    due = [each for each in concerned(found.result, found.schedule, product.nuva) if each.kind in TO_GIVE]
    early = [each for each in concerned(found.result, found.schedule, product.nuva) if each.kind is Kind.POSSIBLE]
    for standing in due:
        rules = remarks.rules_of(found.schedule, remarks.together(standing, found.result.on))
        if (tests := remarks.tests(rules)).fr:
            yield Check("warn" if any(rule.tests for rule in rules) else "ok", tests, NO_TEXT, source, url)
    cited = {vaccine.code: vaccine for each in (*due, *early) for vaccine in each.forecast.vaccines}
    if cited and product.nuva not in cited:
        names = words.joined([words.vaccine(found.schedule, code) for code in cited])
        yield Check(
            "stop",
            Text(
                "Le calendrier cite d'autres produits pour cette personne", "The schedule cites other products here"
            ),
            Text(f"Prendre l'un de ceux-ci\u202f: {names.fr}.", f"Take one of these: {names.en}."),
            source,
            url,
        )
    elif due:
        names = words.joined([words.group(each.group) for each in due])
        yield Check(
            "ok",
            _due(found, names),
            NO_TEXT,
            source,
            url,
        )
    elif early:
        day = early[0].forecast.recommended
        assert day is not None
        yield Check(
            "warn",
            Text(
                f"Possible aujourd'hui, recommandé à partir du {date(day, 'fr')}",
                f"Possible today, recommended from {date(day, 'en')}",
            ),
            NO_TEXT,
            source,
            url,
        )
    else:
        yield Check(
            "warn",
            Text(
                "Ce vaccin n'est pas à faire aujourd'hui d'après le calendrier",
                "This vaccine is not due today by the schedule",
            ),
            NO_TEXT,
            source,
            url,
        )
    if after.harmed:
        yield Check(
            "warn",
            Text(
                "Une dose déjà faite compterait moins après celle-ci",
                "A dose given before would count less after this one",
            ),
        )


def _due(found: Assessed, names: Text) -> Text:
    """That the vaccine is due; not today for somebody whose doses wait."""
    if found.wait is not None:
        until = found.wait.until
        return Text(
            f"Ce vaccin est dû, à faire {until.fr}\u202f: {names.fr}",
            f"This vaccine is due, to give {until.en}: {names.en}",
        )
    return Text(f"Ce vaccin est à faire aujourd'hui\u202f: {names.fr}", f"This vaccine is due today: {names.en}")


def follows(after: WhatIf) -> Text:
    """What comes next of the groups that the dose serves, in one sentence."""
    served = {each.group for each in after.verdicts if each.status is DoseStatus.VALID}
    said = []
    for change in after.changes:
        if change.group not in served or change.after is None:
            continue
        name, day = words.group(change.group), change.after.recommended
        if day is None:
            said.append(Text(f"{name.fr}, rien d'autre à prévoir", f"{name.en}, nothing more to plan"))
        else:
            said.append(Text(f"{name.fr}, à partir du {date(day, 'fr')}", f"{name.en}, from {date(day, 'en')}"))
    return words.joined(said, "\u202f; ") if said else NO_TEXT
