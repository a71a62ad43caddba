"""``lab39 jobs``: see the queue, cancel, retry, and work."""

from __future__ import annotations

import datetime as dt
import signal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lab39 import terminal
from lab39.core.errors import InputError
from lab39.core.text import Lang, Text, number
from lab39.terminal import JsonOption

if TYPE_CHECKING:
    from lab39.store.jobs import Job

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Les tâches de fond\u202f: voir, relancer. / Background jobs."
)

STATES = {
    "queued": Text("en attente", "queued"),
    "running": Text("en cours", "running"),
    "done": Text("faite", "done"),
    "dead": Text("abandonnée", "dead"),
    "cancelled": Text("annulée", "cancelled"),
}


@app.command("list")
def show(
    state: Annotated[
        list[str] | None,
        typer.Option("--state", help="queued, running, done, dead, cancelled.", show_default=False),
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help="Seulement ce genre / only this kind.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    json: JsonOption = False,
) -> None:
    """Liste les tâches, la dernière ajoutée d'abord. / List jobs, the last added first."""
    from lab39.store import jobs

    unknown = [each for each in state or () if each not in STATES]
    if unknown:
        known = ", ".join(STATES)
        raise InputError(
            Text(f"état inconnu. Il y a\u202f: {known}", f"no such state. There are: {known}"), unknown[0]
        )
    with terminal.store() as store, store.reading() as tx:
        states = [jobs.State(each) for each in state or ()]
        found = jobs.find(tx, states=states, kind=kind, limit=limit)
        counts = jobs.counts(tx)
        now = store.clock()
    if json:
        terminal.emit({"counts": {k.value: v for k, v in counts.items()}, "jobs": [_fields(j, now) for j in found]})
        return
    lang = terminal.session().lang
    if found:
        from rich.table import Table

        heads = {
            "fr": ("tâche", "genre", "état", "âge", "essais", "avancement"),
            "en": ("job", "kind", "state", "age", "attempts", "progress"),
        }
        table = Table(*heads[lang])
        for job in found:
            row = (job.id, job.kind, _state(job, lang), age(now - job.added_at, lang))
            table.add_row(*row, f"{job.attempts}/{job.max_attempts}", _progress(job, lang))
        terminal.out().print(table)
    total = ", ".join(f"{STATES[k.value][lang]} {number(v, lang)}" for k, v in counts.items())
    terminal.say(Text.same(total))


@app.command()
def retry(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]…", show_default=False)] = None,
    all_dead: Annotated[
        bool, typer.Option("--all-dead", help="Toutes celles qui sont abandonnées / every dead one.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Remet en attente des tâches abandonnées ou annulées. / Queue dead or cancelled jobs again."""
    from lab39.store import jobs

    if bool(ids) == all_dead:
        raise InputError(
            Text("donner des identifiants, ou --all-dead", "give identifiers, or --all-dead"), "jobs retry"
        )
    with terminal.store() as store, store.writing() as tx:
        chosen = ids or [
            job.id for job in jobs.find(tx, states=[jobs.State.DEAD], limit=10_000) if job.payload is not None
        ]
        done = [jobs.retry(tx, each, at=store.clock()) for each in chosen]
    _tell(done, json, Text("remise(s) en attente", "queued again"))


@app.command()
def cancel(
    ids: Annotated[list[str], typer.Argument(metavar="ID…", show_default=False)], json: JsonOption = False
) -> None:
    """Annule des tâches\u202f; celles qui tournent s'arrêtent à leur prochaine étape. / Cancel jobs."""
    from lab39.store import jobs

    with terminal.store() as store, store.writing() as tx:
        done = [jobs.cancel(tx, each, at=store.clock()) for each in ids]
    _tell(done, json, Text("annulée(s), ou priée(s) de s'arrêter", "cancelled, or asked to stop"))


@app.command()
def run(
    once: Annotated[
        bool, typer.Option("--once", help="Jusqu'à ce qu'il n'y ait plus rien à faire / until nothing is due.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Travaille ici jusqu'à Ctrl-C\u202f; ce qui est en cours est fini ou rendu. / Work here until Ctrl-C."""
    import logging

    from lab39.store.worker import Worker

    if not logging.getLogger().handlers:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    with terminal.store() as store:
        worker = Worker(store, terminal.session().settings)
        before = {each: signal.signal(each, lambda *_: worker.stop()) for each in (signal.SIGTERM, signal.SIGINT)}
        try:
            terminal.say(Text("au travail", "at work"))
            if once:
                count = worker.run_until_idle()
                if json:
                    terminal.emit({"done": count, "broken": worker.registry.broken})
            else:
                worker.run()
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)
    for name, why in worker.registry.broken.items():
        terminal.say(
            Text(
                f"{name}\u202f: ne se charge pas ({why})\u202f; ses tâches attendent",
                f"{name}: does not load ({why}); its jobs wait",
            )
        )
    if worker.registry.broken:
        raise typer.Exit(1)


def age(passed: dt.timedelta, lang: Lang) -> str:
    """How long ago, in its largest unit: ``3 min``, ``2 j``."""
    seconds = max(int(passed.total_seconds()), 0)
    for size, unit in (
        (86_400, Text("j", "d")),
        (3600, Text.same("h")),
        (60, Text.same("min")),
        (1, Text.same("s")),
    ):
        if seconds >= size:
            return f"{seconds // size}\u00a0{unit[lang]}"
    return f"0\u00a0{Text.same('s')[lang]}"


def _state(job: Job, lang: Lang) -> str:
    asked = {"fr": " (arrêt demandé)", "en": " (asked to stop)"}[lang]
    return STATES[job.state][lang] + (asked if job.cancel_asked and job.state == "running" else "")


def _progress(job: Job, lang: Lang) -> str:
    if job.error and job.state != "running":
        return job.error
    share = ""
    if job.progress_fraction is not None:
        space = "\u202f" if lang == "fr" else ""
        share = f"{int(job.progress_fraction * 100)}{space}%"
    return " ".join(filter(None, (share, job.progress_what)))


def _fields(job: Job, now: dt.datetime) -> dict[str, Any]:
    """What may be shown of a job: not what it works with or found, which is its owner's."""
    shown = {name: getattr(job, name) for name in job.__dataclass_fields__ if name not in ("payload", "result")}
    return shown | {"age_seconds": int((now - job.added_at).total_seconds())}


def _tell(done: list[Job], json: bool, what: Text) -> None:
    if json:
        terminal.emit({"jobs": [{"id": job.id, "state": job.state} for job in done]})
    count = len(done)
    terminal.say(Text(f"{count} {what.fr}", f"{count} {what.en}"))
