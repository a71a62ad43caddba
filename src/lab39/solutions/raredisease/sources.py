"""Recognise the files of the packs ``hpo`` and ``hpo-fr`` by content, and open what they hold."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lab39.core.datapacks import Contents, Pack, Packs, sha256
from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.raredisease import hpoa, labels, obo
from lab39.solutions.raredisease.constants import load_constants

if TYPE_CHECKING:
    from lab39.solutions.raredisease.index import Index

HPO, FRENCH = "hpo", "hpo-fr"


def inspect_hpo(files: list[Path]) -> Contents:
    """``hp.obo`` and ``phenotype.hpoa``; other files of a folder are left where they are.

    Raises:
        InputError: one of the two is absent or given twice, or states no release.
    """
    found = _by_role(files, {"obo": _is_obo, "hpoa": _is_hpoa}, ("obo", "hpoa"))
    signs, diseases = obo.release(found["obo"]), hpoa.release(found["hpoa"])
    edition = _date(diseases)
    if not signs or edition is None:
        raise InputError(
            Text(
                "édition non indiquée dans l'en-tête (data-version, #version)",
                "no release in the header (data-version, #version)",
            ),
            str(found["hpoa" if signs else "obo"]),
        )
    version = diseases if signs == diseases else f"{diseases}+hp-{signs}"
    return Contents(re.sub(r"[^\w.+-]", "_", version), edition, found, partial(check_hpo, found))


def check_hpo(files: Mapping[str, Path], _done: Callable[[float], None] = lambda _fraction: None) -> None:
    """Read both files to their end and make of them what an index is made of.

    Raises:
        InputError: a file that ends too early, a line that does not follow its format.
    """
    from lab39.solutions.raredisease.compile import build

    for path in files.values():
        _ends_whole(path)
    build(obo.read_ontology(files["obo"]), hpoa.read_annotations(files["hpoa"]), load_constants())


def check_french(files: Mapping[str, Path], _done: Callable[[float], None] = lambda _fraction: None) -> None:
    """Read the tables to their end.

    Raises:
        InputError: a table that ends too early or cannot be read.
    """
    for path in files.values():
        _ends_whole(path)
    labels.load_labels(files["labels"], files.get("synonyms"), "")


def _ends_whole(path: Path) -> None:
    with path.open("rb") as stream:
        stream.seek(0, os.SEEK_END)
        stream.seek(max(0, stream.tell() - 1))
        if stream.read(1) != b"\n":
            raise InputError(
                Text(
                    "fichier tronqué (la dernière ligne n'est pas finie)\u202f: le télécharger de nouveau",
                    "truncated file (the last line does not end): download it again",
                ),
                str(path),
            )


def inspect_french(files: list[Path]) -> Contents:
    """``hp-fr.babelon.tsv``, and ``hp-fr.synonyms.tsv`` if it is there. They state no edition: the content names
    the version.

    Raises:
        InputError: no Babelon table.
    """
    kinds: dict[str, Callable[[Path], bool]] = {
        "labels": lambda path: labels.has_columns(path, labels.BABELON),
        "synonyms": lambda path: labels.has_columns(path, labels.SYNONYMS),
    }
    found = _by_role(files, kinds, ("labels",))
    return Contents(f"content-{sha256(found['labels'])[:8]}", None, found, partial(check_french, found))


def index_path(packs: Packs, progress: Callable[[float], None] = lambda _fraction: None) -> Path:
    """The compiled index of the newest ``hpo`` pack, built now if it is not there yet (some seconds).

    Raises:
        PackMissingError: with the command that brings the pack.
    """
    pack = packs.get(HPO)

    def build(target: Path) -> None:
        from lab39.solutions.raredisease.compile import compile_index

        compile_index(pack.files["obo"], pack.files["hpoa"], target, progress=progress)

    return packs.compiled(pack, load_constants().index_name, build)


def open_index(packs: Packs, progress: Callable[[float], None] = lambda _fraction: None) -> Index:
    """The index of the newest ``hpo`` pack; see :func:`index_path`. A damaged one is built again, once."""
    from lab39.solutions.raredisease.index import load_index

    path = index_path(packs, progress)
    try:
        return load_index(path)
    except InputError:
        path.unlink(missing_ok=True)
        return load_index(index_path(packs, progress))


def open_labels(packs: Packs) -> labels.Labels:
    """The French labels, or none when their pack is not installed."""
    if not packs.has(FRENCH):
        return labels.ENGLISH_ONLY
    pack: Pack = packs.get(FRENCH)
    return labels.load_labels(pack.files["labels"], pack.files.get("synonyms"), pack.version)


def _by_role(
    files: list[Path], kinds: Mapping[str, Callable[[Path], bool]], needed: tuple[str, ...]
) -> dict[str, Path]:
    found: dict[str, Path] = {}
    others: list[str] = []
    for path in files:
        role = next((role for role, recognises in kinds.items() if recognises(path)), None)
        if role is None:
            others.append(path.name)
        elif role in found:
            raise InputError(
                Text(f"deux fichiers du même contenu attendu ({role})", f"two files of one kind ({role})"),
                str(path),
            )
        else:
            found[role] = path
    absent = [role for role in needed if role not in found]
    if absent:
        names = ", ".join(_NAMES[role] for role in absent)
        given = ", ".join(others) or "–"
        raise InputError(
            Text(
                f"il manque {names}. Fichiers non reconnus par leur contenu\u202f: {given}",
                f"{names} missing. Files not recognised by their content: {given}",
            ),
            str(files[0].parent) if files else "",
        )
    return found


_NAMES = {"obo": "hp.obo", "hpoa": "phenotype.hpoa", "labels": "hp-fr.babelon.tsv"}


def _is_obo(path: Path) -> bool:
    head = _head(path)
    return head.startswith("format-version:") and "\nontology: hp" in head


def _is_hpoa(path: Path) -> bool:
    return "\t".join(hpoa.COLUMNS) in _head(path)


def _head(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as stream:
        return stream.read(64 * 1024)


def _date(written: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(written)
    except ValueError:
        return None
