"""What changed between two editions of a schedule, or between two schedules, in plain lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from typing import Any

from lab39.core.text import NO_TEXT, Text, date
from lab39.solutions.vaccination import words
from lab39.solutions.vaccination.differing import (
    AGES,
    Said,
    ages_of,
    at_least,
    codes_of,
    fields_of,
    instead,
    joined,
    keyed,
    value_of,
)
from lab39.solutions.vaccination.model import AgeRule, Antigen, Interval, Schedule, Series, SeriesDose, Vaccine


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that changed.

    Attributes:
        group: the vaccine group it is of; empty for what concerns the whole schedule.
        series: its name in the schedule; ``title`` is what readers are told, the name when it has no other.
        kind: ``antigen``, ``series``, ``dose``, ``age``, ``interval``, ``vaccine``, ``skip``, ``contraindication``,
            ``immunity``, ``indication``, ``observation``, ``conflict``, ``group`` or ``rule``.
    """

    group: str
    antigen: str
    series: str
    kind: str
    text: Text
    title: Text = NO_TEXT

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "group": self.group,
            "antigen": self.antigen,
            "series": self.series,
            "title": self.title.as_dict(),
            "kind": self.kind,
            "says": self.text.as_dict(),
        }


def compare(old: Schedule, new: Schedule) -> tuple[Change, ...]:
    """Everything that differs, by vaccine group; what concerns the whole schedule last."""
    found = [*_antigens(old, new)]
    found += [Change("", "", "", kind, text) for kind, text in _whole(old, new)]
    return tuple(sorted(found, key=lambda each: (not each.group, each.group, each.antigen, each.series)))


# -- antigens and series -------------------------------------------------------------------------------------


def _antigens(old: Schedule, new: Schedule) -> Iterator[Change]:
    for name in sorted({*old.antigens, *new.antigens}):
        before, after = old.antigens.get(name), new.antigens.get(name)
        group = _group_of(after or before)
        if before is None or after is None:
            said = Text("entre dans le calendrier", "comes into the schedule")
            if after is None:
                said = Text("sort du calendrier", "leaves the schedule")
            title = words.group(name)
            yield Change(group, name, "", "antigen", Text(f"{title.fr} {said.fr}", f"{title.en} {said.en}"))
            continue
        for kind, text in _antigen(before, after, old, new):
            yield Change(group, name, "", kind, text)
        had, has = ({each.name: each for each in a.series} for a in (before, after))
        for series in dict.fromkeys((*had, *has)):
            one, two = had.get(series), has.get(series)
            for kind, text in _series_or_none(one, two, old, new):
                title = _title(two or one or before.series[0], new if two else old)
                yield Change((two or one or before.series[0]).vaccine_group, name, series, kind, text, title)


def _title(series: Series, schedule: Schedule) -> Text:
    """The rule it was compiled from in words, with the antigen when the rule is about several."""
    rule = schedule.rules.get(series.rule)
    if rule is None:
        return Text.same(series.name)
    if series.name == series.rule:
        return rule.title
    antigen = words.group(series.antigen)
    return Text(f"{rule.title.fr} ({antigen.fr})", f"{rule.title.en} ({antigen.en})")


def _group_of(antigen: Antigen | None) -> str:
    return antigen.series[0].vaccine_group if antigen and antigen.series else ""


def _series_or_none(one: Series | None, two: Series | None, old: Schedule, new: Schedule) -> Iterator[Said]:
    if one is None or two is None:
        doses = len((one or two).doses)  # type: ignore[union-attr]
        said = Text("nouvelle série", "new series") if one is None else Text("série supprimée", "series removed")
        counted = f"{doses} dose{'s' if doses > 1 else ''}"
        yield "series", Text(f"{said.fr} ({counted})", f"{said.en} ({counted})")
        return
    if one != two:
        yield from at_least(_series(one, two, old, new))


def _antigen(one: Antigen, two: Antigen, old: Schedule, new: Schedule) -> Iterator[Said]:
    kinds = (
        ("contraindication", Text("contre-indication", "contraindication")),
        ("immunity", Text("preuve d'immunité", "evidence of immunity")),
    )
    had = {(c.code, frozenset(c.vaccines)): c for c in one.contraindications}
    has = {(c.code, frozenset(c.vaccines)): c for c in two.contraindications}
    yield from keyed(had, has, *kinds[0], lambda key: _observation(key[0], old, new), lambda a, b: ages_of(a, b))
    codes = dict.fromkeys(one.immune_codes), dict.fromkeys(two.immune_codes)
    yield from keyed(*codes, *kinds[1], lambda code: _observation(code, old, new), lambda _a, _b: ())
    if one.immune_births != two.immune_births:
        yield "immunity", instead(
            Text("immunité par la date de naissance", "immunity by date of birth"),
            _births(one), _births(two),
        )  # fmt: skip


def _births(antigen: Antigen) -> Text | None:
    rows = [
        Text(f"avant le {date(each.before, 'fr')} {each.country}".strip(),
             f"before {date(each.before, 'en')} {each.country}".strip())
        for each in antigen.immune_births
    ]  # fmt: skip
    return joined(rows)


_SERIES: Mapping[str, Text] = {
    "type": Text("type de la série", "type of the series"),
    "sexes": Text("sexe", "sex"),
    "default": Text("série par défaut", "default series"),
    "product": Text("série d'un produit", "series of one product"),
    "priority": Text("priorité", "priority"),
    "preference": Text("ordre de préférence", "order of preference"),
    "min_start": Text("âge minimal au début", "minimum age to start"),
    "max_start": Text("âge maximal au début", "maximum age to start"),
}
_AUTHORED: Mapping[str, Text] = {
    "audience": Text(
        "personnes concernées modifiées (âge, naissance, antécédents ou situation)",
        "people concerned changed (age, birth, history or situation)",
    ),
    "duties": Text("caractère obligatoire ou recommandé modifié", "obligatory or recommended changed"),
}
"""What only an authored schedule states of a series."""


def _series(one: Series, two: Series, old: Schedule, new: Schedule) -> Iterator[Said]:
    yield from (("series", text) for text in fields_of(one, two, _SERIES))
    yield from keyed(
        {each.code: each for each in one.indications},
        {each.code: each for each in two.indications},
        "indication",
        Text("indication", "indication"),
        lambda code: _observation(code, old, new),
        lambda a, b: ages_of(a, b),
    )
    if len(one.doses) != len(two.doses):
        yield (
            "dose",
            instead(
                Text("nombre de doses", "number of doses"),
                Text.same(str(len(one.doses))),
                Text.same(str(len(two.doses))),
            ),
        )
    for number, (a, b) in enumerate(zip_longest(one.doses, two.doses), 1):
        if a is None or b is None or a == b:
            continue
        for kind, text in at_least(_dose(a, b)):
            yield kind, Text(f"dose {number}, {text.fr}", f"dose {number}, {text.en}")
    for name, text in _AUTHORED.items():
        if getattr(one, name) != getattr(two, name):
            yield "rule", text
    rest = ("group", "group_name", "equivalent", "vaccine_group", "guidance", "after_others")
    if any(getattr(one, name) != getattr(two, name) for name in rest):
        yield "rule", Text("groupe de séries ou conseil modifié", "series group or guidance changed")


# -- a dose --------------------------------------------------------------------------------------------------

_AGES: Mapping[str, Text] = {
    "abs_min": Text("âge minimal absolu", "absolute minimum age"),
    "minimum": Text("âge minimal", "minimum age"),
    "earliest": Text("âge recommandé", "recommended age"),
    "latest": Text("âge recommandé au plus tard", "latest recommended age"),
    "maximum": Text("âge maximal", "maximum age"),
    "effective": Text("âges en vigueur à partir du", "ages in force from"),
    "cessation": Text("âges en vigueur jusqu'au", "ages in force until"),
}
_INTERVALS: Mapping[str, Text] = {
    "abs_min": Text("intervalle minimal absolu", "absolute minimum interval"),
    "minimum": Text("intervalle minimal", "minimum interval"),
    "earliest": Text("intervalle recommandé", "recommended interval"),
    "latest": Text("intervalle recommandé au plus tard", "latest recommended interval"),
    "priority": Text("priorité de l'intervalle", "priority of the interval"),
    "effective": Text("intervalle en vigueur à partir du", "interval in force from"),
    "cessation": Text("intervalle en vigueur jusqu'au", "interval in force until"),
    "maximum": Text("intervalle maximal", "maximum interval"),
    "earlier_count": Text("doses d'avant comptées", "earlier doses counted"),
}
_VACCINES: Mapping[str, Text] = {
    **AGES,
    "mvx": Text("fabricant", "maker"),
    "volume": Text("volume (mL)", "volume (mL)"),
    "recommended": Text("proposé", "proposed"),
}
_DOSE: Mapping[str, Text] = {
    "recurring": Text("dose répétée", "recurring dose"),
    "season_start": Text("début de la saison", "start of the season"),
    "season_end": Text("fin de la saison", "end of the season"),
}
_PLACES: Mapping[str, Text] = {
    "preferable": Text("vaccin préférable", "preferable vaccine"),
    "allowable": Text("vaccin accepté", "allowable vaccine"),
}


def _dose(one: SeriesDose, two: SeriesDose) -> Iterator[Said]:
    none = AgeRule(None, None, None, None, None, None, None)
    for age_a, age_b in zip_longest(one.ages, two.ages, fillvalue=none):
        yield from (("age", text) for text in fields_of(age_a, age_b, _AGES))
    kinds = (("intervals", Text.same("")), ("allowable_intervals", Text(" accepté", " (allowable)")))
    for name, mark in kinds:
        had, has = (_by_start(getattr(dose, name)) for dose in (one, two))
        for key in dict.fromkeys((*had, *has)):
            start = _from(had.get(key) or has[key])
            for text in _interval(had.get(key), has.get(key)):
                yield "interval", Text(f"{text.fr}{mark.fr} ({start.fr})", f"{text.en}{mark.en} ({start.en})")
    for name, label in _PLACES.items():
        had_v, has_v = (_flat(getattr(dose, name)) for dose in (one, two))
        names = {key: vaccine for part in (had_v, has_v) for key, vaccine in part.items()}
        yield from keyed(
            had_v, has_v, "vaccine", label, partial(_name_of, names),
            lambda a, b: fields_of(a, b, _VACCINES),
        )  # fmt: skip
    if one.inadvertent != two.inadvertent:
        yield (
            "vaccine",
            instead(
                Text("vaccins à ne pas donner", "vaccines not to give"),
                codes_of(one.inadvertent),
                codes_of(two.inadvertent),
            ),
        )
    if one.skips != two.skips:
        yield "skip", Text("conditions pour passer cette dose modifiées", "conditions to skip this dose changed")
    if one.seasons != two.seasons:
        yield "dose", instead(Text("campagnes", "campaigns"), _campaigns(one), _campaigns(two))
    yield from (("dose", text) for text in fields_of(one, two, _DOSE))


def _campaigns(target: SeriesDose) -> Text | None:
    return joined(
        [
            Text(
                f"{each.name}, du {date(each.start, 'fr')} au {date(each.end, 'fr')}",
                f"{each.name}, {date(each.start, 'en')} to {date(each.end, 'en')}",
            )
            for each in target.seasons
        ]
    )


def _interval(one: Interval | None, two: Interval | None) -> Iterator[Text]:
    if one is not None and two is not None:
        yield from fields_of(one, two, _INTERVALS)
        return
    found = one or two
    assert found is not None
    size = value_of(found.minimum or found.abs_min or found.earliest)
    said = (
        Text("intervalle ajouté", "interval added")
        if one is None
        else Text("intervalle supprimé", "interval removed")
    )
    yield Text(f"{said.fr}\u202f: {size.fr}", f"{said.en}: {size.en}")


def _by_start(intervals: Iterable[Interval]) -> dict[tuple[str, int], Interval]:
    found: dict[tuple[str, int], Interval] = {}
    for each in intervals:
        start = _from(each).en
        found[start, sum(key[0] == start for key in found)] = each
    return found


def _from(interval: Interval) -> Text:
    if interval.from_previous:
        return Text("depuis la dose précédente", "from the previous dose")
    if interval.from_target is not None:
        return Text(f"depuis la dose {interval.from_target}", f"from dose {interval.from_target}")
    if interval.from_recent:
        listed = ", ".join(sorted(interval.from_recent))
        return Text(f"depuis le dernier vaccin parmi {listed}", f"from the last vaccine among {listed}")
    code = interval.from_observation
    return Text(f"depuis l'observation {code}", f"from observation {code}")


def _flat(vaccines: Mapping[str, Sequence[Vaccine]]) -> dict[tuple[str, str, int], Vaccine]:
    found: dict[tuple[str, str, int], Vaccine] = {}
    for code, rows in vaccines.items():
        for row in rows:
            number = sum(key[:2] == (code, row.mvx) for key in found)
            found[code, row.mvx, number] = row
    return found


def _name_of(vaccines: Mapping[Any, Vaccine], key: Any) -> Text:
    vaccine = vaccines[key]
    return Text.same(f"{vaccine.name or vaccine.code} ({vaccine.code})")


# -- the whole schedule --------------------------------------------------------------------------------------


def _whole(old: Schedule, new: Schedule) -> Iterator[Said]:
    if old.system != new.system:
        yield (
            "rule",
            instead(Text("codes des vaccins", "codes of vaccines"), Text.same(old.system), Text.same(new.system)),
        )
    else:
        yield from _vaccines(old, new)
    yield from keyed(
        old.groups, new.groups, "group", Text("groupe de vaccins", "vaccine group"), words.group,
        lambda a, b: () if a == b else (Text("composition modifiée", "composition changed"),),
    )  # fmt: skip
    yield from keyed(
        old.observations, new.observations, "observation", Text("observation", "observation"),
        lambda code: _observation(code, old, new),
        lambda a, b: _observation_changes(a.title, b.title, a.coded, b.coded),
    )  # fmt: skip
    unread = [{each.rule.id: each.rule for each in part.unread} for part in (old, new)]
    titles = {key: rule.title for part in unread for key, rule in part.items()}
    yield from keyed(
        unread[0], unread[1], "rule", Text("règle non vérifiée", "rule not verified"), titles.__getitem__,
        lambda _a, _b: (),
    )  # fmt: skip


def _vaccines(old: Schedule, new: Schedule) -> Iterator[Said]:
    names = {**old.vaccine_names, **new.vaccine_names}
    yield from keyed(
        old.vaccines, new.vaccines, "vaccine", Text("vaccin", "vaccine"),
        lambda code: Text.same(f"{names.get(code, '')} ({code})".strip()),
        lambda a, b: () if a == b else (Text("antigènes ou âges modifiés", "antigens or ages changed"),),
    )  # fmt: skip
    pairs = [{(now, before): rule for now, rows in each.conflicts.items() for before, rule in rows.items()}
             for each in (old, new)]  # fmt: skip
    yield from keyed(
        pairs[0], pairs[1], "conflict", Text("conflit entre vaccins", "conflict between vaccines"),
        lambda key: Text(f"{key[0]} après {key[1]}", f"{key[0]} after {key[1]}"),
        lambda a, b: () if a == b else (instead(Text("fin", "end"), value_of(a.end), value_of(b.end)),),
    )  # fmt: skip


def _observation_changes(
    title: str, other: str, one: Iterable[tuple[str, str]], two: Iterable[tuple[str, str]]
) -> Iterator[Text]:
    if title != other:
        yield instead(Text("titre", "title"), Text.same(title), Text.same(other))
    lost, found = {*one} - {*two}, {*two} - {*one}
    for codes, said in (
        (found, Text("codes ajoutés", "codes added")),
        (lost, Text("codes retirés", "codes removed")),
    ):
        if codes:
            listed = ", ".join(f"{system} {code}" for system, code in sorted(codes))
            yield Text(f"{said.fr}\u202f: {listed}", f"{said.en}: {listed}")


def _observation(code: str, old: Schedule, new: Schedule) -> Text:
    said = words.situation(new if code in new.observations else old, code)
    return said if said == Text.same(code) else Text(f"{said.fr} ({code})", f"{said.en} ({code})")
