"""What was read, linked, detected, on a terminal (Rich)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from lab39.core.text import Lang, Text, number, percent
from lab39.solutions.signals import figures
from lab39.solutions.signals.figures import counted, figure
from lab39.solutions.signals.reader_words import SCOPES, reason, word
from lab39.solutions.signals.told import SYNTHETIC

if TYPE_CHECKING:
    from lab39.solutions.signals.readers.duplicates import Link

REASONS = 12
"""Reasons told one by one."""
_STRATA = {"sex": Text("sexe", "sex"), "age": Text("âge", "age"), "year": Text("année", "year")}
_COUNTED = {
    "reports": figures.CASES,
    "drugs": figures.DRUGS,
    "events": figures.EVENTS,
    "indications": figures.INDICATIONS,
}
_READ = {**_COUNTED, "withdrawn": (Text("cas supprimé", "deleted case"), Text("cas supprimés", "deleted cases"))}
_STRATUM = (Text("strate", "stratum"), Text("strates", "strata"))
_REJECTED = (Text("rejeté", "rejected"), Text("rejetés", "rejected"))
_UNUSED = (
    Text("ligne ou valeur, gardée avec sa raison", "row or value, kept with its reason"),
    Text("lignes ou valeurs, gardées avec leur raison", "rows or values, kept with their reason"),
)
_MORE = (Text("autre raison", "more reason"), Text("autres raisons", "more reasons"))
_LINKS = (Text("lien", "link"), Text("liens", "links"))
_GROUPS = (Text("groupe", "group"), Text("groupes", "groups"))
_MERGED = (
    Text("doublon lié compté avec un autre cas", "linked duplicate counted with another case"),
    Text("doublons liés comptés avec un autre cas", "linked duplicates counted with another case"),
)
_UNNAMED = (
    Text(
        "ligne sans numéro de cas, médicament ou événement, laissée de côté",
        "row without a case number, a drug or an event, left out",
    ),
    Text(
        "lignes sans numéro de cas, médicament ou événement, laissées de côté",
        "rows without a case number, a drug or an event, left out",
    ),
)


def ingested(console: Console, told: Mapping[str, Any], lang: Lang) -> None:
    """One line a source, what counts now, what does not and why."""
    for each in told["read"]:
        counts = ", ".join(
            counted(each["counts"][name], noun)[lang] for name, noun in _READ.items() if each["counts"].get(name)
        )
        left = each["counts"].get("rejected", 0)
        aside = f", {counted(left, _REJECTED)[lang]}" if left else ""
        _say(console, Text("lu", "read"), f"{each['name']}  ({counts or '0'}{aside})", lang)
        for what, n in each["notes"].items():
            line(console, f"    {word(what)[lang]}{_colon(lang)} {number(n, lang)}")
    for name in told["already"]:
        _say(console, Text("déjà lu", "already read"), name, lang)
    for name in told["ignored"]:
        _say(console, Text("laissé de côté, pas une source", "left alone, no source"), name, lang)
    rows = told["rows"]
    line(console, "")
    _say(
        console,
        Text("La base compte", "The store counts"),
        ", ".join(counted(rows[name], noun)[lang] for name, noun in _COUNTED.items()),
        lang,
    )
    for what, n in told["set_aside"].items():
        _say(console, Text("mis de côté", "set aside"), f"{number(n, lang)}, {word(what)[lang]}", lang)
    ways = {name: n for name, n in told["ways"].items() if n}
    if ways:
        found = ", ".join(f"{number(n, lang)} {word(f'by {name}')[lang]}" for name, n in ways.items())
        _say(console, Text("noms de médicaments", "names of drugs"), found, lang)
    for text in names_words(told["names"], lang):
        line(console, text)
    left = told["rejected"]
    if left["n"]:
        unused = counted(left["n"], _UNUSED)
        _say(
            console,
            Text("non utilisé", "not used"),
            Text(
                f"{unused.fr} dans {left['file']}",
                f"{unused.en} in {left['file']}",
            )[lang],
            lang,
        )
        for row in left["reasons"][:REASONS]:
            line(
                console,
                f"    {number(row['n'], lang)}  {SCOPES[row['scope']][lang]}  {reason(row['reason'])[lang]}",
            )
        if len(left["reasons"]) > REASONS:
            more = counted(len(left["reasons"]) - REASONS, _MORE)
            line(console, Text(f"    et {more.fr}", f"    and {more.en}")[lang])


def names_words(told: Mapping[str, Any], lang: Lang) -> list[str]:
    """How far the dictionaries of drug names went; nothing when none was given."""
    if not told["dictionaries"]:
        return []
    by = ", ".join(f"{each['name']} {each['version']}" for each in told["dictionaries"])
    mapped, distinct, left = (number(told[name], lang) for name in ("mapped", "distinct", "ambiguous"))
    said = [
        Text(
            f"    {mapped} noms distincts sur {distinct} ramenés à des substances par {by}\u202f; "
            f"ambigus, laissés tels quels\u202f: {left}",
            f"    {mapped} of {distinct} distinct names mapped to substances by {by}; "
            f"ambiguous, left as they are: {left}",
        )[lang]
    ]
    if told["unmapped"]:
        common = ", ".join(f"{each['name']} ({number(each['mentions'], lang)})" for each in told["unmapped"])
        said.append(
            Text(
                f"    les plus fréquents qui restent des noms\u202f: {common}",
                f"    the commonest that stay names: {common}",
            )[lang]
        )
    return said


def linked(
    console: Console, links: Sequence[Link], told: Mapping[str, Any], lang: Lang, *, explain: bool = False
) -> None:
    """The likeliest links, and what to do with them."""
    from lab39.solutions.signals.readers.duplicates import explained

    table = heads((Text("Cas", "Report"), Text("Cas", "Report")), lang)
    table.add_column(Text("Probabilité", "Probability")[lang], justify="right")
    for each in links:
        table.add_row(each.first, each.second, percent(each.probability, lang))
    if links and not explain:
        console.print(table)
    for each in links if explain else ():
        line(console, f"{each.first} = {each.second}  {percent(each.probability, lang)}", style="bold")
        line(console, f"    {explained(each)[lang]}")
    n, groups = (counted(told[name], noun)[lang] for name, noun in (("n", _LINKS), ("groups", _GROUPS)))
    line(
        console,
        Text(
            f"{n}, {groups}\u202f; aucune notification n'est retirée. "
            "Relire les notifications liées avant d'en écarter\u202f; --forget oublie les liens",
            f"{n}, {groups}; no report is removed. Read the linked reports before you leave one out; "
            "--forget forgets the links",
        )[lang],
    )


def detected(console: Console, told: Mapping[str, Any], lang: Lang) -> None:
    """The first pairs, with what their scores say and do not say."""
    table = heads((Text("Médicament", "Drug"), Text("Événement", "Event")), lang)
    counted = (Text("Cas", "Reports"), Text("Attendu", "Expected"), Text("PRR", "PRR"), Text("IC025", "IC025"))
    for head in (*counted, Text("EB05", "EB05")):
        table.add_column(head[lang], justify="right", no_wrap=True)
    table.add_column(Text("En mots", "In words")[lang])
    for row in told["pairs"]:
        table.add_row(
            row["drug"],
            row["event"],
            number(row["n"], lang),
            figure(row["expected"], lang),
            figure(row["prr"], lang),
            figure(row["ic025"], lang),
            figure(row["eb05"], lang),
            row["says"][lang],
        )
    console.print(table)
    for text in detected_words(told):
        line(console, text[lang])


def detected_words(told: Mapping[str, Any]) -> list[Text]:
    """What was counted and how, what could not be done, and what a score is not."""
    said = []
    pairs, reports = counted(told["n_pairs"], figures.PAIRS), counted(told["n_reports"], figures.REPORTS)
    drugs, events = counted(told["n_drugs"], figures.DRUGS), counted(told["n_events"], figures.EVENTS)
    once = "comptée" if told["n_reports"] < 2 else "comptées"
    said.append(
        Text(
            f"{pairs.fr} de {drugs.fr} et {events.fr}, {reports.fr} {once} une fois",
            f"{pairs.en} of {drugs.en} and {events.en}, {reports.en} counted once",
        )
        if told["basis"] == "reports"
        else Text(
            f"{pairs.fr} de {drugs.fr} et {events.fr}. Sans marges, ce sont des mentions qui "
            "sont comptées, non des notifications\u202f: donner n_drug, n_event et n_total",
            f"{pairs.en} of {drugs.en} and {events.en}. Without margins mentions are counted, not "
            "reports: give n_drug, n_event and n_total",
        )
    )
    if told["merged"]:
        said.append(counted(told["merged"], _MERGED))
    if told["unnamed"]:
        said.append(counted(told["unnamed"], _UNNAMED))
    if told["by"]:
        by, strata = strata_words(told["by"]), counted(told["n_strata"], _STRATUM)
        said.append(
            Text(
                f"attendus sommés sur {strata.fr} ({by.fr})",
                f"expected counts summed over {strata.en} ({by.en})",
            )
        )
    if why := told["why_no_gps"]:
        said.append(
            Text(
                f"Pas d'EB05\u202f: {why.fr}. Les couples sont classés par l'IC025",
                f"No EB05: {why.en}. Pairs are sorted by IC025",
            )
        )
    if told["synthetic"]:
        said.append(SYNTHETIC)
    said.append(told["note"])
    return said


def strata_words(by: Sequence[str]) -> Text:
    """What strata are made of."""
    words = [_STRATA.get(each, Text.same(each)) for each in by]
    return Text(", ".join(each.fr for each in words), ", ".join(each.en for each in words))


def line(console: Console, text: str, style: str = "") -> None:
    """Plain text on a line of its own."""
    console.print(text, markup=False, highlight=False, soft_wrap=True, style=style)


def _colon(lang: Lang) -> str:
    return "\u202f:" if lang == "fr" else ":"


def _say(console: Console, what: Text, text: str, lang: Lang) -> None:
    line(console, f"{what[lang]}{_colon(lang)} {text}")


def heads(titles: Sequence[Text], lang: Lang) -> Table:
    """A table with these columns."""
    table = Table(box=None, pad_edge=False)
    for head in titles:
        table.add_column(head[lang])
    return table
