"""``/signals/pair``: one signal. Figures come from the run; what the cases say, from its store if it is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lab39.core.errors import LabError
from lab39.core.faces import Call, Page, View
from lab39.core.text import Text, date, number, percent
from lab39.solutions.signals import choosing, counted, pair_absent, plots, profile, ranking, telling, triage_words
from lab39.solutions.signals.choosing import Chosen
from lab39.solutions.signals.profile import Profile, Share

READERS = frozenset({"student", "professional", "expert", "moderator", "manager"})
"""Roles that may see the reports of a base, counted finely or one by one; the demonstration is for everybody."""


def pair(call: Call) -> View:
    """A signal's page; when the run has no such pair, what it has of the two names."""
    asked = ranking.read(call.query)
    chosen = choosing.chosen(call.ctx.packs, asked.run, call.on)
    drug, event = (call.query.get(name, "").strip() for name in ("drug", "event"))
    row = ranking.pair(chosen.run, drug, event) if drug and event else None
    if row is None:
        return pair_absent.view(chosen, asked, drug[:200], event[:200])
    drug, event = row["drug"], row["event"]
    old = ranking.pair(chosen.before, drug, event) if chosen.before else None
    values: dict[str, Any] = {
        "asked": asked,
        "chosen": chosen,
        "run": chosen.run,
        "drug": drug,
        "event": event,
        "row": row,
        "sentence": telling.sentence(row),
        "standing": telling.standing(row),
        "figures": telling.figures(row, chosen.run),
        "ranked": triage_words.sentences(row) if row.get("triage_rank") is not None else (),
        "moved": telling.moved(row, old, chosen.run, chosen.before, alone=len(chosen.versions) < 2),
        "seen": None,
        "why_not": None,
        "closed": False,
        "known": False,
        "page": asked.page,
    }
    return View(template="pair.html.jinja", values=values | _of_store(call, chosen, row, asked.page))


def _of_store(call: Call, chosen: Chosen, row: Any, page: int) -> dict[str, Any]:
    """What the reports say, or why they cannot be asked."""
    run = chosen.run
    if not chosen.synthetic and not (call.who.roles & READERS):
        return {"closed": True, "known": call.who.person is not None}
    if run.store is None:
        return {
            "why_not": Text(
                "L'analyse a été faite sur des comptes, sans notifications\u202f: il n'y a pas de cas à montrer.",
                "The run was made from counts, without reports: there are no cases to show.",
            )
        }
    if not counted.there(run):
        return {
            "why_not": Text(
                f"La base de cette analyse n'est plus là ({run.store})\u202f: la remettre à sa place, ou la "
                "refaire avec «\u202flab39 signals ingest\u202f», pour revoir les cas, l'évolution et les délais.",
                f"The store of this run is gone ({run.store}): put it back, or make it again with "
                "“lab39 signals ingest”, to see the cases, the time course and the delays again.",
            )
        }
    try:
        with counted.opened(run, row["drug"], row["event"]) as con:
            found = profile.profile(con, row["drug"])
            pages = max(1, -(-found.n // profile.CASES))
            page = min(page, pages)
            listed = profile.cases(con, page)
    except LabError as error:
        return {"why_not": error.text}
    return {"seen": _seen(call, found), "found": found, "cases": listed, "pages": pages, "page": page}


def _seen(call: Call, found: Profile) -> dict[str, Any]:
    """The plots and tables, in the language of the reader."""
    made: dict[str, Any] = {"whom": telling.whom(found), "course": None, "onset": None}
    if found.periods and found.n:
        made |= _course(call, found)
    made["ages"] = _compared([(telling.band(each.name or "0"), each) for each in found.ages], call)
    made["sexes"] = _compared([(telling.SEXES[each.name or ""], each) for each in found.sexes], call)
    made["with_others"] = _compared([(Text.same(each.name or ""), each) for each in found.with_others], call)
    made["countries"] = _compared([(Text.same(each.name or ""), each) for each in found.countries], call)
    made["criteria"] = [
        (telling.CRITERIA[name], many, percent(many / found.n, call.lang, digits=0))
        for name, many in found.criteria
    ]
    made["outcomes"] = [
        (telling.OUTCOMES.get(name, Text.same(name or "")), many, percent(many / found.n, call.lang, digits=0))
        for name, many in found.outcomes
    ]
    if found.onset_days:
        says, rows = telling.onset(found.onset_days)
        most = max(many for _, many in rows)
        made["onset"] = {"says": says, "rows": [(words, many, plots.bar(many / most)) for words, many in rows]}
    made["lines"] = telling.named_lines
    made["awaited"] = telling.awaited
    made["day"] = lambda written: _day(written, call)
    made["number"] = lambda value: number(value, call.lang)
    return made


def _course(call: Call, found: Profile) -> dict[str, Any]:
    from lab39.solutions.signals.disproportionality import ic

    names = [each.name for each in found.periods]
    usable = [each for each in found.periods if each.expected > 0]
    by_name: dict[str, plots.Interval] = {}
    if usable:
        scored = ic([each.n for each in usable], [each.expected for each in usable])
        by_name = {
            each.name: plots.Interval(float(v), float(low), float(high))
            for each, v, low, high in zip(usable, scored.value, scored.low, scored.high, strict=True)
        }
    above = [name for name, each in by_name.items() if each.low > 0]
    words = {
        "fr": ("observés\u202f:", "attendus"),
        "en": ("observed:", "expected"),
    }[call.lang]
    return {
        "course": telling.course(found),
        "bars": plots.observed_expected(
            names,
            [each.n for each in found.periods],
            [each.expected for each in found.periods],
            labelled_by="course-says",
            words=words,
            lang=call.lang,
        ),
        "ics": plots.intervals(
            names,
            [by_name.get(name) for name in names],
            labelled_by="ic-says",
            lang=call.lang,
        ),
        "ic_says": Text(
            f"L'intervalle est au-dessus de 0 pendant {len(above)} trimestre{'s' if len(above) > 1 else ''} "
            f"sur {len(names)}" + (f"\u202f: {', '.join(above[-6:])}." if above else "."),
            f"The interval is above 0 in {len(above)} of {len(names)} quarters"
            + (f": {', '.join(above[-6:])}." if above else "."),
        ),
        "periods": [(each, by_name.get(each.name)) for each in found.periods],
    }


def _compared(rows: Sequence[tuple[Text, Share]], call: Call) -> list[dict[str, Any]]:
    """Rows of a comparison: words, cases, both shares as written, and the plot of the row."""
    most = max([each.share for _, each in rows] + [each.base_share for _, each in rows], default=0.0)
    return [
        {
            "words": words,
            "n": each.n,
            "share": percent(each.share, call.lang, digits=0),
            "base": percent(each.base_share, call.lang, digits=0),
            "plot": plots.against(each.share, each.base_share, most),
        }
        for words, each in rows
        if each.n or each.base
    ]


def _day(written: str | None, call: Call) -> str:
    """A date of a report as the reader writes it, with the precision it came with."""
    import datetime as dt

    if not written:
        return "–"
    if len(written) == 10:
        return date(dt.date.fromisoformat(written), call.lang)
    if len(written) == 7 and call.lang == "fr":
        return f"{written[5:]}/{written[:4]}"
    return written


pages = (
    Page(path="pair", title=Text("Un signal", "One signal"), handler=pair, permission="showroom.see", listed=False),
)
