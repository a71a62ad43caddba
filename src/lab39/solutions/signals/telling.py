"""The figures of a pair in words, in both languages: what a score says, with its interval, and what it does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab39.core.text import LANGS, NO_TEXT, Lang, Text, number, percent
from lab39.solutions.signals.figures import figure
from lab39.solutions.signals.profile import Named, Period, Profile, Share
from lab39.solutions.signals.runs import Run
from lab39.solutions.signals.strata import age_bounds

SEXES: Mapping[str, Text] = {"F": Text("femmes", "women"), "M": Text("hommes", "men")}
CRITERIA: Mapping[str, Text] = {
    "death": Text("décès", "death"),
    "life_threatening": Text("pronostic vital engagé", "life-threatening"),
    "hospitalisation": Text("hospitalisation", "hospitalisation"),
    "disability": Text("invalidité ou incapacité", "disability"),
    "congenital_anomaly": Text("anomalie congénitale", "congenital anomaly"),
    "intervention": Text("intervention pour éviter une séquelle", "intervention to prevent damage"),
    "other_serious": Text("autre motif médical de gravité", "other medically important condition"),
}
OUTCOMES: Mapping[str | None, Text] = {
    "recovered": Text("guérison", "recovered"),
    "recovering": Text("en cours de guérison", "recovering"),
    "not-recovered": Text("non guéri", "not recovered"),
    "recovered-with-sequelae": Text("guérison avec séquelles", "recovered with sequelae"),
    "fatal": Text("décès", "fatal"),
    "unknown": Text("inconnue d'après le notificateur", "unknown, says the reporter"),
    None: Text("non renseignée", "not told"),
}
ROLES: Mapping[str, Text] = {
    "PS": Text("suspect principal", "primary suspect"),
    "SS": Text("suspect secondaire", "secondary suspect"),
    "S": Text("suspect", "suspect"),
    "I": Text("interaction", "interacting"),
    "C": Text("associé", "concomitant"),
    "N": Text("non administré", "not given"),
}
ONSETS: tuple[tuple[int, int | None, Text], ...] = (
    (0, 0, Text("le jour même", "the same day")),
    (1, 7, Text("1 à 7 jours", "1 to 7 days")),
    (8, 30, Text("8 à 30 jours", "8 to 30 days")),
    (31, 90, Text("31 à 90 jours", "31 to 90 days")),
    (91, 180, Text("91 à 180 jours", "91 to 180 days")),
    (181, 365, Text("181 à 365 jours", "181 to 365 days")),
    (366, None, Text("plus d'un an", "over a year")),
)


_DOSES, _LONGEST_DOSE = 4, 40
"""Doses of a drug told one by one, and letters of each."""
_LEAST_SHARE = 1e-12
"""Below it a false discovery rate is an underflow: an estimate is never exactly 0."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: its name, the value as written, what it says."""

    name: Text
    value: Text
    says: Text


def _num(value: float, digits: int = 1) -> Text:
    fr, en = (figure(value, lang, digits) for lang in LANGS)
    return Text(fr, en)


def _said(make: Callable[[Lang], str]) -> Text:
    return Text(make("fr"), make("en"))


def named_lines(drug: Named) -> Text:
    """The roles of a drug in a case, and its doses where the lines that name it differ by them."""
    roles: dict[str | None, list[str]] = {}
    for role, dose in drug.lines:
        doses = roles.setdefault(role, [])
        if dose and dose not in doses:
            doses.append(dose)
    tell_doses = len(drug.lines) > len(roles)
    said = [(ROLES.get(role or "", NO_TEXT), doses if tell_doses else []) for role, doses in roles.items()]
    words = {lang: [" ".join(filter(None, (role[lang], _doses(doses)))) for role, doses in said] for lang in LANGS}
    return Text("\u202f; ".join(filter(None, words["fr"])), "; ".join(filter(None, words["en"])))


def _doses(doses: Sequence[str]) -> str:
    shown = [each if len(each) <= _LONGEST_DOSE else f"{each[: _LONGEST_DOSE - 1]}…" for each in doses[:_DOSES]]
    return " / ".join([*shown, *(["…"] if len(doses) > _DOSES else [])])


def awaited(expected: float) -> Text:
    """An expected count: a tenth is enough, unless little is left of it; what is above 0 is never written 0."""
    if expected >= 0.1 or expected == 0:
        return _num(expected)
    return _num(expected, 2) if expected >= 0.01 else Text("< 0,01", "< 0.01")


def between(row: Mapping[str, Any], value: str, low: str, high: str, level: int, digits: int = 2) -> Text:
    """A value with its interval: ``4,12 [3,04 à 5,49 ; 90 %]``."""
    v, a, b = (_num(row[name], digits) for name in (value, low, high))
    return Text(
        f"{v.fr} (intervalle à {level}\u202f%\u202f: {a.fr} à {b.fr})",
        f"{v.en} ({level}% interval: {a.en} to {b.en})",
    )


def standing(row: Mapping[str, Any]) -> str:
    """``more``, ``less`` or ``alike``: where the interval of the IC stands against 0."""
    return "more" if row["ic025"] > 0 else "less" if row["ic975"] < 0 else "alike"


def sentence(row: Mapping[str, Any]) -> Text:
    """What the pair is, in one sentence."""
    n, e = int(row["n"]), awaited(row["expected"])
    plural, several = "s" if n > 1 else "", "s" if row["expected"] >= 2 else ""
    counted = Text(
        f"{number(n, 'fr')} cas notifié{plural} pour {e.fr} attendu{several}",
        f"{number(n, 'en')} case{'s' if n != 1 else ''} reported for {e.en} expected",
    )
    how = {
        "more": Text(
            "le couple est notifié plus souvent que si le médicament et l'événement étaient sans lien",
            "the pair is reported more often than if the drug and the event were unrelated",
        ),
        "less": Text(
            "le couple est notifié moins souvent que si le médicament et l'événement étaient sans lien",
            "the pair is reported less often than if the drug and the event were unrelated",
        ),
        "alike": Text(
            "les chiffres ne distinguent pas ce couple de l'absence de lien",
            "the figures do not tell this pair from no relation",
        ),
    }[standing(row)]
    return Text(f"{counted.fr}\u202f: {how.fr}.", f"{counted.en}: {how.en}.")


def figures(row: Mapping[str, Any], run: Run) -> tuple[Figure, ...]:
    """The scores in words."""
    made = []
    if row.get("ebgm") is not None:
        made.append(
            Figure(
                Text("EBGM (rapport lissé)", "EBGM (shrunk ratio)"),
                between(row, "ebgm", "eb05", "eb95", 90),
                Text(
                    "Observés sur attendus, rapproché de l'ensemble des couples quand les cas sont peu nombreux. "
                    "EB05 est la borne basse.",
                    "Observed over expected, drawn towards all pairs when cases are few. EB05 is the lower bound.",
                ),
            )
        )
    made += [
        Figure(
            Text("IC (bits)", "IC (bits)"),
            between(row, "ic", "ic025", "ic975", 95),
            Text(
                "Logarithme en base 2 d'observés sur attendus\u202f: 0 comme attendu, 1 deux fois plus. "
                "IC025 est la borne basse.",
                "Base 2 logarithm of observed over expected: 0 as expected, 1 twice as much. "
                "IC025 is the lower bound.",
            ),
        ),
        Figure(
            Text("PRR (rapport)", "PRR (ratio)"),
            between(row, "prr", "prr025", "prr975", 95),
            Text(
                "Part de l'événement parmi les notifications du médicament, rapportée à sa part parmi les autres.",
                "Share of the event among the reports of the drug, over its share among the others.",
            ),
        ),
        Figure(
            Text("ROR (rapport de cotes)", "ROR (odds ratio)"),
            between(row, "ror", "ror025", "ror975", 95),
            Text("Le même en cotes.", "The same as odds."),
        ),
    ]
    unit = Text("Notifications", "Reports") if run.basis == "reports" else Text("Mentions", "Mentions")
    made.append(
        Figure(
            Text("Marges (n)", "Margins (n)"),
            _said(lambda lang: f"{number(row['n_drug'], lang)} / {number(row['n_event'], lang)}"),
            Text(
                f"{unit.fr} du médicament, de l'événement\u202f; {number(run.n_reports, 'fr')} en tout.",
                f"{unit.en} of the drug, of the event; {number(run.n_reports, 'en')} in all.",
            ),
        )
    )
    if row.get("fdr") is not None:
        made.append(
            Figure(
                Text("Fausses découvertes", "False discoveries"),
                _said(lambda lang: percent(max(row["fdr"], _LEAST_SHARE), lang)),
                Text(
                    "Part attendue de couples sans excès parmi ceux classés aussi haut que lui.",
                    "Expected share of pairs without an excess among those ranked as high as this one.",
                ),
            )
        )
    return tuple(made)


def moved(
    row: Mapping[str, Any], old: Mapping[str, Any] | None, run: Run, before: Run | None, *, alone: bool = True
) -> Text:
    """What changed since the run before.

    Args:
        alone: no other run is installed; otherwise one without a run before it is the oldest.
    """
    if before is None and not alone:
        return Text(
            f"{run.name} est la plus ancienne analyse lisible ici\u202f: rien d'antérieur à comparer.",
            f"{run.name} is the oldest run that can be read here: nothing earlier to compare.",
        )
    if before is None:
        return Text(
            "Une seule analyse est installée\u202f: rien à comparer encore.",
            "A single run is installed: nothing to compare yet.",
        )
    if old is None:
        return Text(
            f"Nouveau\u202f: aucun cas dans l'analyse {before.name}.", f"New: no case in the run {before.name}."
        )
    added = int(row["n"]) - int(old["n"])
    lead = run.leading if row.get(run.leading) is not None and old.get(run.leading) is not None else "ic025"
    was, now = _num(old[lead], 2), _num(row[lead], 2)
    name = lead.upper()
    more = Text(
        f"{added} cas de plus" if added > 0 else "aucun cas de plus" if added == 0 else f"{-added} cas de moins",
        f"{added} more cases"
        if added > 1
        else "one more case"
        if added == 1
        else "no more cases"
        if added == 0
        else f"{-added} fewer cases",
    )
    told = Text(
        f"Depuis {before.name}\u202f: {more.fr} ({old['n']} → {row['n']}), {name} de {was.fr} à {now.fr}.",
        f"Since {before.name}: {more.en} ({old['n']} → {row['n']}), {name} from {was.en} to {now.en}.",
    )
    change = _change(row, old)
    return Text(f"{told.fr} {change.fr}".strip(), f"{told.en} {change.en}".strip())


def _change(row: Mapping[str, Any], old: Mapping[str, Any]) -> Text:
    """Whether the cases that were added differ from those before, when the two runs count one base that grew."""
    from lab39.solutions.signals.change import ic_change

    n, e = row["n"] - old["n"], row["expected"] - old["expected"]
    if n < 0 or e <= 0 or old["expected"] <= 0:
        return NO_TEXT
    found = ic_change(old["n"], old["expected"], n, e)
    low, high = float(found.low), float(found.high)
    if low > 0:
        return Text(
            "Le rythme a augmenté\u202f: l'intervalle du changement exclut 0.",
            "The pace has risen: the interval of the change excludes 0.",
        )
    if high < 0:
        return Text(
            "Le rythme a baissé\u202f: l'intervalle du changement exclut 0.",
            "The pace has fallen: the interval of the change excludes 0.",
        )
    return Text(
        "Le rythme ne diffère pas nettement de celui d'avant.", "The pace is not clearly different from before."
    )


def course(found: Profile) -> Text:
    """The message of the time course."""
    periods = found.periods
    seen, total = sum(each.n for each in periods), sum(each.expected for each in periods)
    expected, span = awaited(total), (periods[0].name, periods[-1].name)
    told = Text(
        f"{number(seen, 'fr')} cas observé{'s' if seen > 1 else ''} pour {expected.fr} "
        f"attendu{'s' if total >= 2 else ''} trimestre par trimestre, de {span[0]} à {span[1]}.",
        f"{number(seen, 'en')} case{'s' if seen != 1 else ''} observed for {expected.en} expected "
        f"quarter by quarter, from {span[0]} to {span[1]}.",
    )
    at = turning(periods)
    if at is None:
        return told
    return Text(
        f"{told.fr} Le rapport change surtout à partir de {at}.", f"{told.en} The ratio changes most from {at} on."
    )


def turning(periods: Sequence[Period]) -> str | None:
    """The quarter from which the ratio changes, when the change is told apart from chance (p < 0.05)."""
    from lab39.solutions.signals.change import change_point

    usable = [each for each in periods if each.expected > 0]
    if len(usable) < 4:
        return None
    found = change_point([each.n for each in usable], [each.expected for each in usable])
    return usable[found.at].name if found is not None and found.p_value < 0.05 else None


def onset(days: Sequence[int]) -> tuple[Text, tuple[tuple[Text, int], ...]]:
    """The message of the time to onset, and the cases of each span."""
    from lab39.solutions.signals.arrays import CannotFitError
    from lab39.solutions.signals.onset import weibull

    rows = tuple(
        (words, sum(1 for day in days if day >= low and (high is None or day <= high)))
        for low, high, words in ONSETS
    )
    ordered = sorted(days)
    half = ordered[len(ordered) // 2] if len(ordered) % 2 else sum(ordered[len(ordered) // 2 - 1 :][:2]) / 2
    told = _said(
        lambda lang: {
            "fr": f"Délai médian de {number(half, lang)} jours, connu pour {len(days)} cas.",
            "en": f"Median time of {number(half, lang)} days, known for {len(days)} cases.",
        }[lang]
    )
    try:
        fitted = weibull(list(days))
    except CannotFitError:
        return told, rows
    how = {
        "early": Text("Le risque baisse avec le temps (précoce)", "The hazard falls with time (early)"),
        "late": Text("Le risque augmente avec le temps (tardif)", "The hazard rises with time (late)"),
        "any-time": Text("Le risque ne change pas nettement avec le temps", "The hazard does not clearly change"),
    }[fitted.hazard]
    shape, low, high = _num(fitted.shape, 2), _num(fitted.shape_low, 2), _num(fitted.shape_high, 2)
    return (
        Text(
            f"{told.fr} {how.fr}\u202f: forme de Weibull {shape.fr} "
            f"(intervalle à 95\u202f%\u202f: {low.fr} à {high.fr}).",
            f"{told.en} {how.en}: Weibull shape {shape.en} (95% interval: {low.en} to {high.en}).",
        ),
        rows,
    )


def band(name: str) -> Text:
    """A band of age, by its number."""
    bounds, at = age_bounds(), int(name)
    if at == 0:
        return Text("moins de 28 jours", "under 28 days")
    if at == 1:
        return Text("28 jours à 23 mois", "28 days to 23 months")
    if at == len(bounds) - 1:
        return Text(f"{bounds[at]:g} ans et plus", f"{bounds[at]:g} and over")
    return Text(f"{bounds[at]:g} à {bounds[at + 1] - 1:g} ans", f"{bounds[at]:g} to {bounds[at + 1] - 1:g}")


def whom(found: Profile) -> Text:
    """The message of age and sex: the band and the sex that stand out most, when there is something to compare."""
    ages = [(each, band(each.name or "0")) for each in found.ages]
    sexes = [(each, SEXES[each.name or ""]) for each in found.sexes]
    told = [_most(rows) for rows in (ages, sexes) if any(each.n for each, _ in rows)]
    if not told:
        return Text("Ni l'âge ni le sexe ne sont connus.", "Neither age nor sex is known.")
    fr, en = "\u202f; ".join(each.fr for each in told), "; ".join(each.en for each in told)
    if found.age_unknown or found.sex_unknown:
        fr, en = f"{fr}, parmi ceux qui les disent", f"{en}, among those that tell them"
    return Text(f"{fr[:1].upper()}{fr[1:]}.", f"{en[:1].upper()}{en[1:]}.")


def _most(rows: Sequence[tuple[Share, Text]]) -> Text:
    each, words = max(rows, key=lambda row: row[0].share - row[0].base_share)
    base = Text(percent(each.base_share, "fr", digits=0), percent(each.base_share, "en", digits=0))
    return Text(
        f"{words.fr}\u202f: {number(each.n, 'fr')} cas sur {number(each.of, 'fr')}, {base.fr} de la base",
        f"{words.en}: {number(each.n, 'en')} of {number(each.of, 'en')} cases, {base.en} of the base",
    )
