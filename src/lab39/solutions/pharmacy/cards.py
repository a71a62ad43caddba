"""From interactions to cards: one a problem, the gravest first, what is only to be known in one passive card."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from lab39.solutions.pharmacy.model import Interaction, Level, Person
from lab39.solutions.pharmacy.problems import ALONE, Problem, folded, problem_of

OLD_YEARS = 75
"""From this age on, a rule that warns for old people is told apart (HAS: "personne âgée" from 75 years)."""
LOW_CLEARANCE_ML_MIN = 60.0
"""Below this clearance, a rule that warns for renal impairment is told apart (KDIGO 2024, stage G3a and below)."""

_OLD = re.compile(r"\b(?:sujet|patient|personne|malade)s? agee?s?\b|\(agee?s?\b")
_KIDNEY = re.compile(
    r"\binsuffisance renale\b(?! (?:aigue|fonctionnelle))|\binsuffisante?s? renale?s?\b|\binsuffisants renaux\b"
    r"|\bfonction renale alteree\b|\balteration de la fonction renale\b"
)
"""Kidneys that filter badly beforehand; « insuffisance rénale aiguë » is what happens, no warning for them."""


class Tier(IntEnum):
    """How loudly an interaction is told."""

    ACT = 0
    """Contraindicated or advised against, or possibly so."""
    WATCH = 1
    """A precaution, or what concerns this person in particular."""
    PASSIVE = 2
    """To be known, and nothing more."""


@dataclass(frozen=True, slots=True)
class Card:
    """Interactions that make one problem.

    Attributes:
        problems: the kinds of harm, one unless the same medicines make several.
        interactions: the gravest first.
    """

    problems: tuple[Problem, ...]
    tier: Tier
    interactions: tuple[Interaction, ...]

    @property
    def problem(self) -> Problem:
        """The first of its kinds of harm."""
        return self.problems[0]

    @property
    def gravest(self) -> Interaction:
        """The first of them."""
        return self.interactions[0]

    @property
    def headline(self) -> tuple[Interaction, ...]:
        """Those as grave, and as settled, as the gravest."""
        first = self.gravest
        return tuple(i for i in self.interactions if (i.level, i.resolved) == (first.level, first.resolved))


def cards(interactions: Iterable[Interaction], person: Person) -> tuple[Card, ...]:
    """Cards in the order to read them.

    Interactions of one problem share a card when one of them is more than passive, but a grave level that is not
    settled stands apart: a question hides no answer. What no problem names has a card for each rule; what
    is passive everywhere stands in one last card, unless something graver is already settled for the same pair.
    """
    groups: dict[tuple[str, str, bool], list[Interaction]] = defaultdict(list)
    problems: dict[tuple[str, str, bool], Problem] = {}
    for each in _once(interactions):
        problem = problem_of(each.rule.mechanism)
        asked = not each.resolved and each.level in (Level.CI, Level.AD)
        key = (problem.id, f"{each.rule.a}|{each.rule.b}" if problem is ALONE else "", asked)
        groups[key].append(each)
        problems[key] = problem
    found: list[Card] = []
    passive: list[Interaction] = []
    for key, members in groups.items():
        tier = min(tier_of(each, person, problems[key]) for each in members)
        ordered = tuple(sorted(members, key=_order))
        if tier is Tier.PASSIVE:
            passive += ordered
        else:
            found.append(Card((problems[key],), tier, ordered))
    found, passive = _with_graver(_merged(found), passive)
    found.sort(key=lambda card: (card.tier, -priority(card, person), _order(card.gravest)))
    if passive:
        found.append(Card((ALONE,), Tier.PASSIVE, tuple(sorted(passive, key=_order))))
    return tuple(found)


def priority(card: Card, person: Person) -> int:
    """Among cards of one urgency: the graver level, then what is settled, then what concerns this person."""
    first = card.gravest
    mine = any(concerns(each, person) for each in card.headline)
    return (
        100 * (len(Level) - first.level.rank)
        + 20 * first.resolved
        + 10 * mine
        + any(p.serious for p in card.problems)
    )


def _once(interactions: Iterable[Interaction]) -> Iterable[Interaction]:
    """Without the rules that say of a pair, word for word, what another rule says."""
    found = {
        (frozenset((i.a.name, i.b.name)), i.level, i.resolved, i.rule.mechanism, i.conduct): i
        for i in reversed(list(interactions))
    }
    return reversed(list(found.values()))


def _merged(found: Iterable[Card]) -> list[Card]:
    """Cards that are about the very same medicines, at one level, as one."""
    groups: dict[object, list[Card]] = defaultdict(list)
    for card in found:
        pairs = frozenset(frozenset((i.a.name, i.b.name)) for i in card.interactions)
        named = card.problem is not ALONE
        groups[(pairs, card.tier, card.gravest.level, card.gravest.resolved) if named else id(card)].append(card)
    return [
        Card(
            tuple(dict.fromkeys(p for card in cards for p in card.problems)),
            cards[0].tier,
            tuple(sorted((i for card in cards for i in card.interactions), key=_order)),
        )
        for cards in groups.values()
    ]


def _with_graver(found: Sequence[Card], passive: Iterable[Interaction]) -> tuple[list[Card], list[Interaction]]:
    """What is only to be known of a pair that must not be taken together stands with what says so."""
    cards, rest = list(found), []
    for each in passive:
        pair = frozenset((each.a.name, each.b.name))
        at = next((i for i, card in enumerate(cards) if pair in _never_together(card)), None)
        if at is None:
            rest.append(each)
        else:
            cards[at] = replace(cards[at], interactions=(*cards[at].interactions, each))
    return cards, rest


def _never_together(card: Card) -> set[frozenset[str]]:
    return {
        frozenset((i.a.name, i.b.name))
        for i in card.interactions
        if i.resolved and not i.conditional and i.level in (Level.CI, Level.AD)
    }


def tier_of(interaction: Interaction, person: Person, problem: Problem) -> Tier:
    """How loudly one interaction is told to this person."""
    if interaction.level in (Level.CI, Level.AD):
        return Tier.ACT
    if interaction.level is Level.PE or problem.serious or concerns(interaction, person):
        return Tier.WATCH
    return Tier.PASSIVE


def concerns(interaction: Interaction, person: Person) -> tuple[str, ...]:
    """What the rule says of people like this one: ``age``, ``kidney``; empty when nothing, or not known."""
    text = folded(f"{interaction.rule.mechanism} {interaction.conduct}")
    found = []
    if person.age_years is not None and person.age_years >= OLD_YEARS and _OLD.search(text):
        found.append("age")
    clearance = person.creatinine_clearance_ml_min
    if clearance is not None and clearance < LOW_CLEARANCE_ML_MIN and _KIDNEY.search(text):
        found.append("kidney")
    return tuple(found)


def names(interactions: Sequence[Interaction]) -> tuple[str, ...]:
    """Who is involved, the one that comes most often first."""
    count: dict[str, int] = defaultdict(int)
    for each in interactions:
        count[each.a.name] += 1
        count[each.b.name] += 1
    return tuple(sorted(count, key=lambda name: (-count[name], name)))


def _order(interaction: Interaction) -> tuple[int, bool, str, str]:
    return (interaction.level.rank, not interaction.resolved, interaction.a.name, interaction.b.name)
