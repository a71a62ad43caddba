"""Reports, evidence cards and lists on a terminal (Rich)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Rich

from lab39.core.evidence import EvidenceCard, Figure, Measured
from lab39.core.finding import Finding, Report, Severity, When
from lab39.core.text import Lang, Text, date, number, percent
from lab39.render.snapshot import Snapshot
from lab39.render.words import BANDS, COLON, DISCLAIMER, MARKS, SEVERITIES, WORDS

_COLOURS = {Severity.CRITICAL: "red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_BAR = 24


def report(console: Console, seen: Snapshot, found: Report, lang: Lang, *, why: bool = True) -> None:
    """One person's report: what to do, by when, and why."""
    console.print()
    head = Rich.assemble((seen.title, "bold"), f"  {seen.who[lang]}", f"  ({found.record.get('source') or '–'})")
    if seen.fictional:
        head.append(f"  {WORDS['fictional'][lang]}", "italic")
    console.rule(head, align="left", style="dim")
    if not found.findings:
        console.print(Padding(WORDS["nothing"][lang], (0, 0, 0, 2)))
    bands = [(BANDS[when], found.band(when)) for when in When]
    for name, band in [*bands, (WORDS["not_evaluated"], found.not_evaluated)]:
        if band:
            console.print(Rich(f" {name[lang]}", "bold"))
        for finding in band:
            console.print(Padding(Group(*_finding(finding, found.who(finding), lang, why)), (0, 0, 0, 2)))
    if found.issues:
        console.print(Rich(f" {WORDS['issues'][lang]} ({len(found.issues)})", "bold"))
        for issue in found.issues[:5]:
            console.print(Padding(Rich(f"{issue.place}: {issue.text[lang]}", "dim"), (0, 0, 0, 2)))
        if len(found.issues) > 5:
            console.print(Padding(Rich(f"… + {len(found.issues) - 5}  (--json)", "dim"), (0, 0, 0, 2)))


def _finding(finding: Finding, who: Text, lang: Lang, why: bool) -> Iterator[RenderableType]:
    head = Rich(f"{MARKS[finding.severity]} ", _COLOURS[finding.severity])
    head.append(f"{SEVERITIES[finding.severity][lang]}  ", _COLOURS[finding.severity])
    head.append(finding.summary[lang], "bold")
    head.append(f"  [{who[lang]}]", "dim")
    yield head
    if not why:
        return
    if finding.bars:
        yield _bars(finding, lang)
    for line in _why(finding, lang):
        yield Padding(line, (0, 0, 0, 3))


def _why(finding: Finding, lang: Lang) -> Iterator[Rich]:
    if finding.detail:
        yield Rich(finding.detail[lang], "dim")
    for suggestion in finding.suggestions:
        yield Rich(f"→ {suggestion.label[lang]}")
    for reason in finding.reasons:
        doubt = "" if reason.source.verified else f" [{WORDS['unverified'][lang]}]"
        yield Rich(f"{reason.text[lang]} ({reason.source}){doubt}", "dim")
    for missing in finding.missing:
        yield Rich(f"? {missing.name[lang]}{COLON[lang]}{missing.consequence[lang]}", "dim")


def _bars(finding: Finding, lang: Lang) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for bar in finding.bars:
        filled = round(bar.value * _BAR)
        picture = Rich("█" * filled, "cyan").append("·" * (_BAR - filled), "dim")
        table.add_row("  ", Rich(percent(bar.value, lang), justify="right"), picture, bar.label[lang])
    return table


def card(console: Console, title: Text, shown: EvidenceCard, lang: Lang) -> None:
    """One evidence card: claim, figures beside those of peers, limits, the command."""
    console.print()
    console.rule(Rich(title[lang], "bold"), align="left", style="dim")
    console.print(shown.claim[lang])
    console.print(Rich(f"{WORDS['use'][lang]}{COLON[lang]}{shown.intended_use[lang]}", "dim"))
    for synthetic in (False, True):
        rows = [f for f in shown.figures if f.synthetic is synthetic]
        if rows:
            console.print(_figures(rows, lang, synthetic))
    if not shown.figures:
        console.print(Rich(WORDS["no_figures"][lang], "dim"))
    if shown.measured_on:
        console.print(Rich(f"{WORDS['measured'][lang]}{COLON[lang]}{shown.measured_on}", "dim"))
    if shown.published:
        console.print(Rich(WORDS["published"][lang], "bold"))
        for name, text in shown.published:
            console.print(Padding(f"{name}{COLON[lang]}{text[lang]}", (0, 0, 0, 2)))
    console.print(Rich(WORDS["limits"][lang], "bold"))
    for limit in shown.limits:
        console.print(Padding(f"– {limit[lang]}", (0, 0, 0, 2)))
    console.print(Rich(f"{WORDS['command'][lang]}{COLON[lang]}{shown.command}", "dim"))


def _figures(rows: Iterable[Figure], lang: Lang, synthetic: bool) -> Table:
    table = Table(title=WORDS["synthetic"][lang] if synthetic else None, title_justify="left")
    for name in ({"fr": "mesure", "en": "metric"}, {"fr": "données", "en": "data"}):
        table.add_column(name[lang])
    table.add_column("n", justify="right")
    table.add_column("Lab39", justify="right")
    table.add_column({"fr": "pairs", "en": "peers"}[lang])
    for row in rows:
        metric = Rich(row.metric[lang])
        if row.label:
            metric.append(f" [{row.label[lang]}]", "yellow")
        peers = "\n".join(f"{p.name} {value(p, row.unit, lang)}" for p in row.peers)
        table.add_row(metric, row.dataset[lang], number(row.n, lang), value(row.ours, row.unit, lang), peers or "–")
    return table


def value(measured: Measured, unit: str, lang: Lang) -> str:
    """A measured value with its interval, as readers of the language write it."""
    shown = _one(measured.value, unit, lang)
    if measured.low is None or measured.high is None:
        return shown
    return f"{shown} [{_one(measured.low, unit, lang)} – {_one(measured.high, unit, lang)}]"


def _one(figure: float, unit: str, lang: Lang) -> str:
    if unit == "fraction":
        return percent(figure, lang)
    digits = 0 if abs(figure) >= 100 else 1 if abs(figure) >= 10 else 2
    return f"{number(figure, lang, digits=digits)}\u202f{unit}"


def warnings(console: Console, rows: Iterable[Text], lang: Lang) -> None:
    """What the reader must know about the lab itself, once under all reports."""
    for row in rows:
        console.print(Rich(f"\n! {row[lang]}", "yellow"))


def disclaimer(console: Console, lang: Lang) -> None:
    """The sentence under every report."""
    console.print(Rich(f"\n{DISCLAIMER[lang]}", "dim"))


def failures(console: Console, rows: Iterable[str], lang: Lang) -> None:
    """Records that were refused, each with its place and why."""
    console.print(Rich(WORDS["failed"][lang], "bold red"))
    for row in rows:
        console.print(f"  {row}", markup=False, soft_wrap=True)  # a path broken across lines cannot be copied


def day(found: Report, lang: Lang) -> str:
    """The day of a report."""
    return f"{WORDS['report'][lang]} {date(found.on, lang)}"
