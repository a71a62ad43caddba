"""``lab39 audit``: verify the audit log, sign its head, prove an entry, check a proof, export it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lab39 import terminal
from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.terminal import JsonOption

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from lab39.store.audit.keys import Keys

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Le journal d'audit\u202f: vérifier, signer, prouver. / The audit log: verify, sign, prove.",
)
HeadsOption = Annotated[
    Path | None,
    typer.Option("--heads", metavar="FOLDER", help="Têtes exportées / exported heads (LAB39_HEADS)."),
]
KeyOption = Annotated[
    list[Path] | None,
    typer.Option("--key", metavar="PEM", help="Clé publique de confiance / trusted public key."),
]
OutOption = Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Fichier à écrire / to write.")]


@app.command()
def verify(heads: HeadsOption = None, key: KeyOption = None, json: JsonOption = False) -> None:
    """Recalcule l'arbre, le compare aux têtes\u202f; sortie 1 si quelque chose a changé. / Verify it all."""
    from lab39.store.audit import stamps, verification

    settings = terminal.session().settings
    folder = heads or settings.heads
    if heads is not None and not heads.is_dir():
        raise InputError(Text("dossier absent", "no such folder"), str(heads))
    keys, roots = _keys(key), stamps.read_roots(settings.tsa_roots)
    with terminal.store() as store:
        found = verification.verify(store, folder, keys, roots)
    if json:
        terminal.emit(
            {
                "ok": found.ok,
                "log": found.log,
                "size": found.size,
                "root": found.root,
                "erased": found.erased,
                "heads": found.heads,
                "covered": found.covered,
                "failures": [{"kind": p.kind, "entry": p.number, "text": p.text} for p in found.problems],
                "notes": list(found.notes),
            }
        )
    for problem in found.problems:
        terminal.say(problem.text)
    for note in found.notes:
        terminal.say(note)
    if not found.ok:
        first = next((p.number for p in found.problems if p.number is not None), None)
        if first is not None:
            terminal.say(Text(f"première entrée en cause\u202f: {first}", f"first entry concerned: {first}"))
        raise typer.Exit(1)
    terminal.say(
        Text(
            f"intact\u202f: {found.size} entrées dont {found.erased} effacées, {found.heads} têtes",
            f"intact: {found.size} entries, {found.erased} of them erased, {found.heads} heads",
        )
    )


@app.command()
def head(json: JsonOption = False) -> None:
    """Signe l'état du journal et l'exporte hors de la base. / Sign the log as it is; export the head."""
    from lab39.store.audit import heads, stamps

    settings = terminal.session().settings
    with terminal.store() as store:
        done = heads.sign(store, settings)
    at = None
    if settings.tsa_url and not stamps.path_of(done.head, settings.heads).exists():
        roots = stamps.read_roots(settings.tsa_roots)
        at = stamps.stamp(done.head, settings.heads, settings.tsa_url, roots)
    if json:
        terminal.emit({**done.head.as_dict(), "path": str(done.path), "new": done.new, "stamped_at": at})
    if done.new:
        terminal.say(
            Text(
                f"signé\u202f: {done.head.size} entrées, {done.path}",
                f"signed: {done.head.size} entries, {done.path}",
            )
        )
    else:
        terminal.say(Text(f"rien de nouveau depuis {done.path}", f"nothing new since {done.path}"))


@app.command()
def prove(
    entry: Annotated[int, typer.Argument(metavar="ENTRY", help="Numéro / number.", min=1, show_default=False)],
    heads: HeadsOption = None,
    out: OutOption = None,
    json: JsonOption = False,
) -> None:
    """Preuve qu'une entrée est dans le journal, vérifiable sans la base. / Proof that an entry is in the log."""
    from lab39.store.audit import proofs

    with terminal.store() as store, store.reading() as tx:
        proof = proofs.inclusion(tx, entry, _heads(heads))
    _write(proof, out, json)


@app.command("prove-continues")
def prove_continues(
    old: Annotated[Path, typer.Argument(metavar="HEAD", help="Une tête plus ancienne / an older head.")],
    heads: HeadsOption = None,
    out: OutOption = None,
    json: JsonOption = False,
) -> None:
    """Preuve que rien n'a changé de ce qu'une tête gardée ailleurs couvre. / Proof that a head still stands."""
    from lab39.store.audit import proofs
    from lab39.store.audit.heads import parse

    known = _heads(heads)
    if not known:
        raise InputError(Text("aucune tête exportée\u202f: lab39 audit head", "no exported head: lab39 audit head"))
    kept = parse(_read(old), str(old))
    with terminal.store() as store, store.reading() as tx:
        proof = proofs.consistency(tx, kept, known[-1])
    _write(proof, out, json)


@app.command("verify-proof")
def verify_proof(
    file: Annotated[Path, typer.Argument(metavar="FILE", show_default=False)],
    key: Annotated[
        Path, typer.Option("--key", metavar="PEM", help="Clé publique du laboratoire / its public key.")
    ],
    json: JsonOption = False,
) -> None:
    """Vérifie une preuve, sans base\u202f; sortie 1 si elle ne prouve rien. / Check a proof, without a database."""
    from lab39.fhir.jsontext import loads
    from lab39.store.audit import proofs

    proved = proofs.verify(loads(_read(file), str(file)), _keys([key]), str(file))
    if json:
        head = proved.head
        terminal.emit(
            {
                "valid": True,
                "number": proved.number,
                "entry": proved.entry,
                "erased": proved.number is not None and proved.entry is None,
                "old": proved.old.as_dict()["head"] if proved.old else None,
                "head": head.as_dict()["head"],
            }
        )
    at, size = proved.head.at, proved.head.size
    if proved.old is not None:
        text = Text(
            f"la tête du {at} continue celle du {proved.old.at}\u202f: les {proved.old.size} premières entrées "
            "n'ont pas changé",
            f"the head of {at} continues that of {proved.old.at}: the first {proved.old.size} entries stand",
        )
    else:
        text = Text(
            f"l'entrée {proved.number} est dans le journal de {size} entrées signé le {at}",
            f"entry {proved.number} is in the log of {size} entries signed on {at}",
        )
    terminal.say(text)


@app.command()
def export(
    subject: Annotated[str | None, typer.Option(help="Personne ou dossier / person or record.")] = None,
    after: Annotated[int, typer.Option(help="Après ce numéro / after this number.", min=0)] = 0,
    out: OutOption = None,
) -> None:
    """Les entrées en FHIR R4 AuditEvent, une par ligne (NDJSON). / Entries as FHIR AuditEvent, NDJSON."""
    if out is None:
        for line in _events(subject, after):
            sys.stdout.write(line)
        return
    count = 0
    with terminal.writing(out) as path, path.open("w", encoding="utf-8") as stream:
        for line in _events(subject, after):
            stream.write(line)
            count += 1
    terminal.say(Text(f"écrit\u202f: {out} ({count} entrées)", f"written: {out} ({count} entries)"))


def _events(subject: str | None, after: int) -> Iterator[str]:
    from lab39.fhir.jsontext import dumps
    from lab39.fhir.outputs import validate
    from lab39.store.audit import audit_event, log

    where: list[ColumnElement[bool]] = [log.log.c.salt.is_not(None)]
    if subject is not None:
        where.append(log.log.c.subject == subject)
    with terminal.store() as store, store.reading() as tx:
        name = log.state(tx).log
        for row in log.rows(tx, after=after, where=where):
            event = audit_event(log.entry_of(row), lang=terminal.session().lang, log=name)
            validate(event)
            yield dumps(event) + "\n"


def _heads(folder: Path | None) -> tuple[Any, ...]:
    from lab39.store.audit.heads import read

    where = folder or terminal.session().settings.heads
    found, problems = read(where)
    if problems:
        raise InputError(problems[0].text, str(where))
    return found


def _keys(paths: list[Path] | None) -> Keys:
    from lab39.store.audit import keys

    if not paths:
        return keys.trusted(terminal.session().settings.keys)
    found = [keys.read_public(path) for path in paths]
    return {keys.key_id(key): key for key in found}


def _write(proof: Mapping[str, Any], out: Path | None, json: bool) -> None:
    """A proof is a document: on standard output, or in a file."""
    from lab39.fhir.jsontext import dumps

    if out is not None:
        with terminal.writing(out) as path:
            path.write_text(dumps(proof, indent=1) + "\n", "utf-8")
        terminal.say(Text(f"écrit\u202f: {out}", f"written: {out}"))
    if json or out is None:
        terminal.emit(proof)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise InputError(Text(f"lecture impossible\u202f: {why}", f"cannot be read: {why}"), str(path)) from error
