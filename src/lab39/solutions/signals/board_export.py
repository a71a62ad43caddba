"""One signal out of the lab: a spreadsheet of its history, FHIR, a dated page to print and sign."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from lab39.core.faces import Download
from lab39.core.text import LANGS, Lang, Text, date
from lab39.solutions.signals import board, board_fhir, board_figures, causality, spreadsheet
from lab39.solutions.signals.board_view import Line, Opened, written

_HEADS = Text(
    "n°,quoi,avant,après,qui,quand (UTC),motif,précisions,cas,Naranjo (score),Naranjo (classe),OMS-UMC,analyse,"
    "n,EB05,IC025,SHA-256,signé au journal",
    "no.,what,before,after,who,when (UTC),reason,details,case,Naranjo (score),Naranjo (class),WHO-UMC,run,"
    "n,EB05,IC025,SHA-256,signed in the log",
)


def as_csv(found: Opened, lang: Lang) -> Download:
    """The history, one entry a row; absent stays empty."""
    rows: list[list[Any]] = [
        [Text("médicament", "drug")[lang], found.signal.drug],
        [Text("événement", "event")[lang], found.signal.event],
        [],
        _HEADS[lang].split(","),
        *(_row(found, each, lang) for each in found.lines),
    ]
    return spreadsheet.download(rows, f"signal-{found.signal.id[:8]}.csv")


def as_fhir(found: Opened, lang: Lang) -> Download:
    """The signal as a Bundle, validated before it leaves.

    Raises:
        LabError: what was made is not valid R4; a defect of the lab.
    """
    from lab39.fhir import jsontext, outputs

    made = board_fhir.bundle(found, lang)
    outputs.validate(made)
    return Download(
        content=jsontext.dumps(made, indent=1).encode(),
        name=f"signal-{found.signal.id[:8]}.fhir.json",
        media_type="application/fhir+json",
    )


def as_pdf(found: Opened, on: dt.date) -> Download:
    """The signal on paper, in both languages, dated, with the edition of its runs."""
    import typst

    template = (resources.files(__package__) / "templates" / "board.typ").read_bytes()
    made: bytes = typst.compile(
        template,
        format="pdf",
        sys_inputs={"values": json.dumps(printed(found, on), ensure_ascii=False)},
        ignore_system_fonts=True,
        timestamp=int(dt.datetime.combine(on, dt.time(), dt.UTC).timestamp()),
    )
    return Download(content=made, name=f"signal-{found.signal.id[:8]}.pdf", media_type="application/pdf")


def printed(found: Opened, on: dt.date) -> dict[str, Any]:
    """What the page shows: plain values, each text in both languages."""
    signal, choices = found.signal, board.workflow().choices
    return {
        "labels": {name: _both(text) for name, text in _LABELS.items()},
        "pair": [signal.drug, signal.event],
        "state": _both(found.state.title),
        "priority": _both(choices["priority"][signal.priority]) if signal.priority else "",
        "id": signal.id,
        "on": _day(on),
        "year": on.year,
        "month": on.month,
        "day": on.day,
        "runs": [_both(each.title) for each in (found.at_opening, found.now and found.now.after) if each],
        "figures": [
            [_both(board_figures.NAMES[name][0]), *(_number(name, value) for value in values)]
            for name, values in _figures(found)
        ],
        "cases": [
            {
                "case": each.case,
                "naranjo": _scored(each.form.naranjo) if each.form.naranjo else "",
                "who_umc": _both(each.form.who_umc.title) if each.form.who_umc else "",
                "by": "; ".join(
                    dict.fromkeys(
                        f"{_both(line.who)}, {_moment(line.entry.at)}"
                        for line in (each.naranjo, each.who_umc)
                        if line
                    )
                ),
                "differ": [each.form.differ[lang] for lang in LANGS] if each.form.differ else [],
            }
            for each in found.assessed
        ],
        "history": [
            {
                "what": _capital(_both(each.title)),
                "who": _both(each.who),
                "when": _moment(each.entry.at),
                "said": [_both(one) for one in each.said],
                "reason": each.entry.reason,
                "run": _both(each.figures.title) if each.figures else "",
                "case": each.case.case if each.case else "",
                "sha256": each.entry.digest(signal.id)[:16],
                "signed": each.signed,
            }
            for each in found.lines
        ],
    }


def _figures(found: Opened) -> list[tuple[str, tuple[float | None, ...]]]:
    """Each figure, at opening and in the newest run, as far as there are."""
    if found.now is not None and found.at_opening is not None:
        return [(row.name, (row.before, row.after)) for row in found.now.rows]
    if found.now is not None:
        return [(row.name, (row.after,)) for row in found.now.rows]
    kept = found.at_opening.values if found.at_opening is not None else {}
    return [(name, (kept[name],)) for name in board_figures.NAMES if name in kept]


def _row(found: Opened, line: Line, lang: Lang) -> list[Any]:
    entry, case, figures = line.entry, line.case, line.figures
    states = board.workflow().states
    values = figures.values if figures else {}
    naranjo = case.naranjo if case else None
    return [
        entry.number,
        line.title[lang],
        states[entry.before].title[lang] if entry.before else "",
        states[entry.after].title[lang],
        line.who[lang],
        entry.at,
        entry.reason,
        " | ".join(each[lang] for each in line.said),
        case.case if case else "",
        naranjo.score if naranjo else None,
        naranjo.title[lang] if naranjo else "",
        case.who_umc.title[lang] if case and case.who_umc else "",
        figures.title[lang] if figures else "",
        *(values.get(name) for name in ("n", "eb05", "ic025")),
        entry.digest(found.signal.id),
        line.signed,
    ]


def _scored(form: causality.Naranjo) -> str:
    return f"{form.score}, {_both(form.title)}"


def _capital(said: str) -> str:
    return said[:1].upper() + said[1:]


def _both(text: Text) -> str:
    return " / ".join(dict.fromkeys(text[lang] for lang in LANGS))


def _day(value: dt.date) -> str:
    return _both(Text(date(value, "fr"), date(value, "en")))


def _moment(at: dt.datetime) -> str:
    here = at.astimezone(dt.UTC)
    return f"{date(here, 'fr')} {here:%H:%M} UTC"


def _number(name: str, value: float | None) -> str:
    return "–" if value is None else written(name, value, "fr")


_LABELS: Mapping[str, Text] = {
    "title": Text("Signal de pharmacovigilance", "Pharmacovigilance signal"),
    "state": Text("État", "State"),
    "priority": Text("Priorité", "Priority"),
    "figures": Text("Chiffres", "Figures"),
    "figure": Text("Chiffre (virgule décimale)", "Figure (decimal comma)"),
    "none": Text("Ouvert sans chiffres, aucune analyse depuis.", "Opened without figures, no run since."),
    "cases": Text("Cas évalués", "Cases assessed"),
    "case": Text("Cas", "Case"),
    "no_case": Text("Aucun.", "None."),
    "umc": Text("OMS-UMC", "WHO-UMC"),
    "who": Text("Par", "By"),
    "history": Text("Décisions et commentaires", "Decisions and comments"),
    "run": Text("analyse", "run"),
    "runs": Text("Analyses", "Runs"),
    "signed": Text("empreinte signée au journal d'audit", "digest signed in the audit log"),
    "unsigned": Text("NE CORRESPOND PAS au journal d'audit", "DOES NOT MATCH the audit log"),
    "made": Text("Établi le", "Made on"),
    "signature": Text("Évaluateur, date, signature", "Assessor, date, signature"),
    "notice": Text(
        "Un score dit qu'un couple est notifié plus qu'attendu\u202f; il ne dit pas que le médicament en est "
        "la cause. Aide à la décision pour des utilisateurs formés, pas un dispositif médical.",
        "A score says that a pair is reported more than expected; it does not say that the drug is the cause. "
        "Decision support for trained users, not a medical device.",
    ),
}
