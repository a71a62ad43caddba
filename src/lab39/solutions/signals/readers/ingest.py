"""From files to a store: what each file is, told by its content; what was read already is not read again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from lab39.core.errors import LabError
from lab39.solutions.signals.readers import disk, streams
from lab39.solutions.signals.readers.errors import refuse
from lab39.solutions.signals.readers.names import Names
from lab39.solutions.signals.readers.settle import names_of, settle
from lab39.solutions.signals.readers.sources import Unit, units
from lab39.solutions.signals.readers.store import MEMORY, Part, Store

VERSION = "2"
"""Of the readers: a change here makes a source that is given again be read again, in the place of what it gave."""

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Told:
    """What one source gave."""

    name: str
    kind: str
    counts: Mapping[str, int]
    notes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Summary:
    """What an ingestion did.

    Attributes:
        read: sources read now; ``already``: those that were read before, by name.
        failed: sources that gave nothing, each with its error; the others were kept.
        ignored: files that are no source (documents, statistics).
        counts: of :func:`~lab39.solutions.signals.readers.settle.settle`; empty when nothing was read: no store is
            then left.
    """

    read: tuple[Told, ...] = ()
    already: tuple[str, ...] = ()
    failed: tuple[LabError, ...] = ()
    ignored: tuple[str, ...] = ()
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


def ingest(
    sources: Iterable[Path],
    folder: Path,
    *,
    name: str = "",
    columns: Mapping[str, str] | None = None,
    names: Names | None = None,
    remap: bool = False,
    terms: Mapping[str, str] | None = None,
    strict: bool = False,
    memory: str = MEMORY,
    progress: Progress = lambda _what, _done: None,
) -> Summary:
    """Read sources into the store of a folder, then settle what counts.

    It can be stopped at any moment (Ctrl-C, a power cut) and started again with the same words: whole sources are
    not read again, the one that was cut is. A source that cannot be read keeps the others from nothing.

    Args:
        sources: files, zips or folders.
        name: of the source, for CSV files; reports of one name and number replace those read before.
        columns: of CSV files, when their names are not known: ``{"drug": "var1"}``.
        names: how drugs are looked up, in the whole store.
        remap: look up every name of the store again with these dictionaries, when they are not those of the last
            time.
        terms: preferred terms by MedDRA code, from a licensee's own MedDRA.
        strict: raise at the first broken line.
        progress: called with what is being read and the fraction done.

    Raises:
        InputError: nothing to read at all (no such file, a damaged one, one that no reader knows); a folder that
            holds something else, that another process writes into or that cannot be written; a full disk; a store
            whose names were looked up in other dictionaries, without ``remap``.
    """
    found, ignored, failed = units(list(sources), name, columns)
    new, there = not (folder / "store.json").is_file(), folder.is_dir()
    with disk.told(folder):
        store = Store.create(folder)
        with store.writing() as damaged:
            if not remap:
                _same_names(store, names or Names())
            try:
                return _ingested(store, damaged, found, ignored, failed, names, terms, strict, memory, progress)
            finally:
                if new and not store.parts():
                    store.remove(keep_folder=there)


def _ingested(
    store: Store,
    damaged: list[Part | str],
    found: list[Unit],
    ignored: list[str],
    failed: list[LabError],
    names: Names | None,
    terms: Mapping[str, str] | None,
    strict: bool,
    memory: str,
    progress: Progress,
) -> Summary:
    read: list[Told] = []
    already: list[str] = []
    whole = sum(unit.size for unit in found) or 1
    done = 0
    for unit in found:
        try:
            content = streams.digest(list(unit.items), unit.kind, unit.about)
            key = hashlib.sha256(f"{VERSION} {content}".encode()).hexdigest()[:32]
            if store.has(key):
                already.append(unit.name)
            else:
                _read(store, key, content, unit, strict, partial(_alive, progress, unit, done, whole))
                read.append(_told(store, key))
        except LabError as error:
            failed.append(error)
        done += unit.size
        progress(unit.name, 0.8 * done / whole)
    failed += [_lost(store, each) for each in damaged if not _again(store, each)]
    if not store.parts():
        return Summary((), (), tuple(failed), tuple(ignored))
    counts = settle(
        store, names, terms=terms, memory=memory, progress=lambda what, part: progress(what, 0.8 + 0.2 * part)
    )
    return Summary(tuple(read), tuple(already), tuple(failed), tuple(ignored), counts)


def _same_names(store: Store, names: Names) -> None:
    """Refuse other dictionaries than those of the last time: the names of one store are all read one way."""
    told = names_of(store)
    if told is None or told["dictionaries"] == names.identity:
        return
    then, now = (_called(each) for each in (told["dictionaries"], names.identity))
    raise refuse(
        store.folder,
        f"les noms de médicaments de cette base ont été lus avec {then or 'aucun dictionnaire'}, et cette commande "
        f"donne {now or 'aucun dictionnaire'} : redonnez les mêmes (--names), ou ajoutez --remap pour relire tous "
        "les noms de la base avec ceux-ci",
        f"the names of drugs of this store were read with {then or 'no dictionary'}, and this command gives "
        f"{now or 'no dictionary'}: give the same ones again (--names), or add --remap to read every name of the "
        "store again with these",
    )


def _called(identity: Iterable[Mapping[str, str]]) -> str:
    return ", ".join(f"{each['name']} ({each['version']})" for each in identity)


def _again(store: Store, damaged: Part | str) -> bool:
    """Whether the source of a damaged part was read again."""
    if isinstance(damaged, str):
        return store.has(damaged)
    return bool(damaged.content) and any(part.content == damaged.content for part in store.parts())


def _lost(store: Store, damaged: Part | str) -> LabError:
    name = damaged if isinstance(damaged, str) else damaged.name
    return refuse(
        store.folder,
        f"ce qui avait été lu de « {name} » est abîmé sur le disque et n'est plus compté : redonnez cette source",
        f"what had been read of “{name}” is damaged on the disk and is no longer counted: give this source again",
    )


def _read(store: Store, key: str, content: str, unit: Unit, strict: bool, alive: Callable[[int], None]) -> None:
    with store.adding(key, unit.kind, unit.name, content) as part:
        unit.read(part, strict, alive)


def _alive(progress: Progress, unit: Unit, before: int, whole: int, done: int) -> None:
    progress(unit.name, 0.8 * min(before + min(done, unit.size), whole) / whole)


def _told(store: Store, key: str) -> Told:
    part = store.part(key)
    return Told(part.name, part.kind, part.counts, part.notes)
