"""``lab39 token`` and ``lab39 cds``: programs that act for a person, and clinicians' answers to cards."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

import typer

from lab39 import terminal
from lab39.core.text import Text
from lab39.terminal import JsonOption

token = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Jetons d'accès des programmes. / Access tokens of programs.",
)
cds = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="CDS Hooks\u202f: ce que les cliniciens ont fait des cartes. / What clinicians did with cards.",
)
Who = Annotated[str, typer.Argument(metavar="ID|EMAIL", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(token, name="token")
    app.add_typer(cds, name="cds")


@token.command()
def add(
    who: Who,
    name: Annotated[str, typer.Option("--name", help="À quoi il sert / what it is for.")],
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="Durée / how long it lasts.")] = 90,
    json: JsonOption = False,
) -> None:
    """Donne à un programme un jeton qui agit pour quelqu'un. / A token that acts for somebody."""
    from lab39.store import audit, people, tokens

    with terminal.store() as store, store.writing() as tx:
        person, at = people.find(tx, who), store.clock()
        made, secret = tokens.add(tx, person.id, name=name, lasts=dt.timedelta(days=days), at=at)
        audit.append(
            tx, at=at, actor="", action="account", subject=person.id, about={"token": made.id, "days": days}
        )
    if json:
        terminal.emit({"id": made.id, "token": secret, "expires_at": made.expires_at.isoformat()})
    else:
        terminal.out().print(secret, markup=False, highlight=False, soft_wrap=True)
    terminal.say(
        Text(
            f"jeton {made.id}, jusqu'au {made.expires_at:%d/%m/%Y}\u202f: il n'est montré qu'une fois",
            f"token {made.id}, until {made.expires_at:%Y-%m-%d}: it is shown only once",
        )
    )


@token.command("list")
def list_tokens(who: Who, json: JsonOption = False) -> None:
    """Les jetons de quelqu'un, sans leur secret. / Somebody's tokens, without their secret."""
    from lab39.store import people, tokens

    with terminal.store() as store, store.reading() as tx:
        rows, at = tokens.of(tx, people.find(tx, who).id), store.clock()
    if json:
        fields = ("created_at", "expires_at", "used_at", "revoked_at")
        shown = [
            {"id": row.id, "name": row.name, "holds": row.holds(at)}
            | {name: moment.isoformat() if (moment := getattr(row, name)) else None for name in fields}
            for row in rows
        ]
        terminal.emit({"tokens": shown})
        return
    from rich.table import Table

    lang = terminal.session().lang
    heads = {
        "fr": ("id", "à quoi il sert", "jusqu'au", "dernier usage", "ouvre"),
        "en": ("id", "what for", "until", "last used", "opens"),
    }
    table = Table(*heads[lang])
    for row in rows:
        used = row.used_at.date().isoformat() if row.used_at else "–"
        table.add_row(row.id, row.name, row.expires_at.date().isoformat(), used, "✓" if row.holds(at) else "–")
    terminal.out().print(table)


@token.command()
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", show_default=False)], json: JsonOption = False
) -> None:
    """Met fin à un jeton. / End a token."""
    from lab39.store import audit, tokens

    with terminal.store() as store, store.writing() as tx:
        at = store.clock()
        found = tokens.revoke(tx, token_id, at=at)
        about = {"token": found.id, "revoked": True}
        audit.append(tx, at=at, actor="", action="account", subject=found.person_id, about=about)
    if json:
        terminal.emit({"id": found.id, "revoked_at": found.revoked_at.isoformat() if found.revoked_at else None})
    terminal.say(Text(f"le jeton {found.id} n'ouvre plus rien", f"the token {found.id} opens nothing any more"))


@cds.command()
def feedback(
    comments: Annotated[
        bool, typer.Option("--comments", help="Avec les commentaires / with what clinicians wrote.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Cartes données, suivies, écartées, et pourquoi. / Cards given, followed, set aside, and why."""
    from lab39.store import cds as kept

    with terminal.store() as store, store.reading() as tx:
        rows = kept.counts(tx)
        words = kept.comments(tx) if comments else ()
    if json:
        said = [{"solution": s, "code": c, "at": at.isoformat(), "comment": text} for s, c, at, text in words]
        terminal.emit({"feedback": rows} | ({"comments": said} if comments else {}))
        return
    from rich.table import Table

    lang = terminal.session().lang
    heads = {
        "fr": ("constat", "données", "suivies", "écartées", "raisons"),
        "en": ("finding", "given", "followed", "set aside", "reasons"),
    }
    table = Table(*heads[lang])
    for row in rows:
        kind = (
            f"{row.solution}.{row.code}" if row.solution else {"fr": "carte oubliée", "en": "forgotten card"}[lang]
        )
        reasons = ", ".join(f"{name.rpartition('|')[2]} {n}" for name, n in sorted(row.reasons.items()))
        table.add_row(kind, str(row.given), str(row.accepted), str(row.overridden), reasons or "–")
    terminal.out().print(table)
    for solution, code, at, text in words:
        terminal.out().print(f"{at:%Y-%m-%d} {solution}.{code}: {text}", markup=False)
