"""``lab39 people``: the accounts of the lab, from its own console."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from lab39 import terminal
from lab39.core.errors import InputError
from lab39.core.text import Text, date
from lab39.terminal import JsonOption

if TYPE_CHECKING:
    from lab39.store import Store
    from lab39.store.people import Person, Role

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Les comptes\u202f: ajouter, inviter, rôles. / The accounts of the lab.",
)
Who = Annotated[str, typer.Argument(metavar="ID|EMAIL", show_default=False)]
Roles = Annotated[
    list[str] | None, typer.Option("--role", metavar="ROLE", help="Rôle, autant qu'il en faut / role, repeatable.")
]


@app.command()
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)],
    email: Annotated[str, typer.Option("--email", help="Adresse de courriel / mail address.", show_default=False)],
    role: Roles = None,
    json: JsonOption = False,
) -> None:
    """Ajoute quelqu'un et donne son lien d'invitation. / Add somebody; gives their link of invitation."""
    from lab39.store import audit, people

    roles = [_role(each) for each in role or ()]
    with terminal.store() as store:
        with store.writing() as tx:
            at = store.clock()
            lang = terminal.session().lang
            made = people.add(tx, name=name, email=email, lang=lang, at=at, given=roles)
            about = {"roles": sorted(made.roles), "console": True}
            audit.append(tx, at=at, actor="", action="account", subject=made.id, about=about)
        link = _link(store, made)
    if json:
        terminal.emit(_row(made) | {"invitation": link})
    else:
        terminal.out().print(link, markup=False, highlight=False, soft_wrap=True)
    _say_once(made)


@app.command("list")
def everyone(
    words: Annotated[str, typer.Argument(metavar="[WORDS]", show_default=False)] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="Combien au plus / at most.")] = 100,
    json: JsonOption = False,
) -> None:
    """Qui est là, le plus récent d'abord. / Who is here, newest first."""
    from lab39.store import people

    with terminal.store() as store, store.reading() as tx:
        found = people.everyone(tx, words=words, limit=limit)
    if json:
        terminal.emit({"people": [_row(each) for each in found]})
        return
    from rich.table import Table

    lang = terminal.session().lang
    heads = {"fr": ("nom", "adresse", "rôles", "depuis"), "en": ("name", "address", "roles", "since")}[lang]
    table = Table("id", *heads)
    for each in found:
        listed = ", ".join(sorted(each.roles)) or "–"
        table.add_row(each.id, each.display_name, each.email or "–", listed, date(each.created_at.date(), lang))
    terminal.out().print(table)


@app.command()
def roles(
    who: Who,
    give: Annotated[list[str] | None, typer.Option("--give", metavar="ROLE", help="Donner / give.")] = None,
    take: Annotated[list[str] | None, typer.Option("--take", metavar="ROLE", help="Retirer / take back.")] = None,
    json: JsonOption = False,
) -> None:
    """Donne ou retire des rôles\u202f; ses sessions se ferment. / Give or take back roles; their sessions end."""
    from lab39.store import audit, people, sessions

    changes = [(_role(each), True) for each in give or ()] + [(_role(each), False) for each in take or ()]
    with terminal.store() as store, store.writing() as tx:
        person, at = people.find(tx, who), store.clock()
        for each, given in changes:
            if given is (each in person.roles):
                continue
            if given:
                people.give_role(tx, person.id, each, at=at)
            else:
                people.take_role(tx, person.id, each)
            about = {"role": each.value, "given": given, "console": True}
            audit.append(tx, at=at, actor="", action="role", subject=person.id, about=about)
        changed = people.get(tx, person.id)
        if changed.roles != person.roles:
            sessions.revoke_all(tx, person.id)
    if json:
        terminal.emit(_row(changed))
    else:
        terminal.out().print(", ".join(sorted(changed.roles)) or "–", markup=False)


@app.command()
def invite(
    who: Annotated[str, typer.Argument(metavar="[ID|EMAIL]", show_default=False)] = "",
    json: JsonOption = False,
) -> None:
    """Un lien pour entrer ou changer de mot de passe\u202f; sans nom, le code du premier gestionnaire. / A link to
    come in or to choose another password; without a name, the code of the first manager."""
    from lab39.store import audit, people
    from lab39.web import security
    from lab39.web.signin import codes

    settings = terminal.session().settings
    with terminal.store() as store:
        if not who:
            with store.reading() as tx:
                if not codes.nobody_yet(tx):
                    raise InputError(
                        Text(
                            "quelqu'un est déjà là\u202f: donner son adresse (lab39 people list)",
                            "somebody is here already: give their address (lab39 people list)",
                        ),
                        "lab39 people invite",
                    )
            code = codes.first_code(security.lab_secret(settings.keys), store.clock())
            if json:
                terminal.emit({"code": code})
            else:
                terminal.out().print(code, markup=False, highlight=False)
            terminal.say(
                Text(
                    "à taper sur la page «\u202fSe connecter\u202f»\u202f; il change chaque jour et ne sert qu'au "
                    "premier compte",
                    "to be typed on the page “Sign in”; it changes every day and is for the first account only",
                )
            )
            return
        with store.writing() as tx:
            person = people.find(tx, who)
            if person.erased_at is not None:
                raise InputError(Text("cette personne a été effacée", "this person was erased"), who)
            about = {"invited": True, "console": True}
            audit.append(tx, at=store.clock(), actor="", action="account", subject=person.id, about=about)
        link = _link(store, person)
    if json:
        terminal.emit(_row(person) | {"invitation": link})
    else:
        terminal.out().print(link, markup=False, highlight=False, soft_wrap=True)
    _say_once(person)


def _link(store: Store, person: Person) -> str:
    """The code stands after the #: browsers send that part to no server."""
    from lab39.web import security
    from lab39.web.signin import codes

    settings = terminal.session().settings
    with store.reading() as tx:
        code = codes.invitation(tx, security.lab_secret(settings.keys), person.id, at=store.clock())
    return f"{settings.public_url or 'http://127.0.0.1:8039'}/invitation#{code}"


def _say_once(person: Person) -> None:
    terminal.say(
        Text(
            f"pour {person.display_name}\u202f: sert une fois, pendant trois jours\u202f; à remettre sûrement",
            f"for {person.display_name}: used once, within three days; hand it over by safe means",
        )
    )


def _role(name: str) -> Role:
    from lab39.store.people import Role

    known = [each for each in Role if each is not Role.VISITOR]
    found = next((each for each in known if each.value == name), None)
    if found is None:
        names = ", ".join(known)
        raise InputError(Text(f"rôle inconnu. Connus\u202f: {names}", f"no such role. Known: {names}"), name)
    return found


def _row(person: Person) -> dict[str, object]:
    return {
        "id": person.id,
        "name": person.display_name,
        "email": person.email,
        "lang": person.lang,
        "roles": sorted(person.roles),
        "created_at": person.created_at.isoformat(),
    }
