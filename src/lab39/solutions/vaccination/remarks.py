"""What is told beside a dose that is due: the rule it rests on, a blood test before or after, what nobody verified.

Facts are those of the authored rules; a schedule that has none says nothing here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

from lab39.core.text import NO_TEXT, Text
from lab39.solutions.vaccination import words
from lab39.solutions.vaccination.authored import Rule
from lab39.solutions.vaccination.beyond import audience_includes, is_outgrown
from lab39.solutions.vaccination.differing import duration
from lab39.solutions.vaccination.model import Schedule
from lab39.solutions.vaccination.organize import organize
from lab39.solutions.vaccination.outcome import GroupForecast, Patient, Result
from lab39.solutions.vaccination.standing import TO_GIVE, Standing, due, kind, standings

_SURE = {
    "O": Text("page officielle lue", "official page read"),
    "S26": Text("texte qui suit le calendrier d'avril 2026", "text that follows the schedule of April 2026"),
    "S": Text("autre texte lu", "another text read"),
    "D": Text("déduit de règles lues", "deduced from rules read"),
    "M": Text("de mémoire", "from memory"),
}
_UNREAD = Text(
    "Règle non vérifiée\u202f: aucun texte qui la donne n'a été lu. À vérifier, ce n'est pas un conseil.",
    "Rule not verified: no text that states it was read. To be checked, it is no advice.",
)


def rules_of(schedule: Schedule, forecasts: Iterable[GroupForecast]) -> tuple[Rule, ...]:
    """The authored rules behind forecasts, each once."""
    ids = dict.fromkeys(each.series.rule for forecast in forecasts for each in forecast.series)
    return tuple(rule for rule in map(schedule.rules.get, ids) if rule is not None)


def together(each: Standing, on: dt.date) -> tuple[GroupForecast, ...]:
    """The forecast of a vaccine group, and the others that ask for a dose now too."""
    return (each.forecast, *(other for other in each.others if kind(other, on) in TO_GIVE))


def with_dose(rules: Iterable[Rule]) -> Text:
    """What is told with a dose that is due: that its rule is deduced, then the blood tests; empty without."""
    rules = tuple(rules)
    titles = [rule.title for rule in rules if rule.confidence == "D"]
    said = [tests(rules)]
    if titles:
        named = words.joined(titles, "\u202f; ").fr, words.joined(titles, "; ").en
        said.insert(0, Text(f"Déduit de règles lues\u202f: {named[0]}.", f"Deduced from rules read: {named[1]}."))
    return words.joined([each for each in said if each.fr], " ")


def tests(rules: Iterable[Rule]) -> Text:
    """What decides the product, blood tests to do before the dose and after it; empty when no rule asks for one."""
    said = list(dict.fromkeys(line for rule in rules for line in _tests(rule)))
    return words.joined(said, " ") if said else NO_TEXT


def _tests(rule: Rule) -> Iterator[Text]:
    if rule.choice is not None:
        yield rule.choice
    if rule.tests:
        named = words.joined([words.named("test", each) for each in rule.tests])
        yield Text(f"Sérologie avant\u202f: {named.fr}.", f"Serology first: {named.en}.")
    if rule.control is not None:
        test, begin, end = rule.control
        name, first, last = words.named("test", test), duration(begin), duration(end)
        yield Text(
            f"Contrôle entre {first.fr} et {last.fr} après la dose\u202f: {name.fr}.",
            f"Control between {first.en} and {last.en} after the dose: {name.en}.",
        )


def unread(schedule: Schedule, patient: Patient, on: dt.date) -> tuple[Rule, ...]:
    """The rules that compute nothing and concern this person, for every antigen they are about."""
    history = organize(schedule, patient, on)
    return tuple(
        each.rule
        for each in schedule.unread
        if (not each.observed or not each.observed.isdisjoint(history.observed))
        and (
            each.audience is None
            or all(
                audience_includes(each.audience, antigen, history, [])
                and not is_outgrown(each.audience, history, [])
                for antigen in each.antigens
            )
        )
    )


def in_words(rule: Rule) -> Text:
    """A rule that computes nothing, as it is told: that nobody verified it, else on whose word."""
    note = f" {rule.note.fr}" if rule.note else "", f" {rule.note.en}" if rule.note else ""
    end = _UNREAD
    if rule.verified:
        titles = [each.source.title for each in rule.cited]
        end = Text("(" + "\u202f; ".join(titles) + ")", "(" + "; ".join(titles) + ")")
    return Text(f"{rule.title.fr}.{note[0]} {end.fr}", f"{rule.title.en}.{note[1]} {end.en}")


def beside(schedule: Schedule, patient: Patient, result: Result) -> tuple[Text, ...]:
    """Under a plan or a list of what is due: what is told with a dose, by vaccine group, then what is only told."""
    found = []
    for each in due(standings(result)):
        said, name = (
            with_dose(rules_of(schedule, together(each, result.on))),
            words.capital(words.group(each.group)),
        )
        if said.fr:
            found.append(Text(f"{name.fr}\u202f: {said.fr}", f"{name.en}: {said.en}"))
    return (*found, *map(in_words, unread(schedule, patient, result.on)))


def told(rule: Rule) -> tuple[Text, ...]:
    """A rule in words: what it says, on whose word and how sure that is, what to know."""
    sure = _SURE[rule.confidence]
    sources = "\u202f; ".join(
        f"{each.source.title} ({each.source.date}), {each.place}".rstrip(", ") for each in rule.cited
    )
    lines = [rule.title, Text(f"{sources} ({sure.fr})", f"{sources} ({sure.en})")]
    if rule.note is not None:
        lines.append(rule.note)
    asked = tests([rule])
    return (*lines, asked) if asked.fr else tuple(lines)
