"""An E2B(R3) message against the XML schemas of ICH, which a user has in a folder of their own.

The schemas come with ICH's implementation guide (``multicacheschemas`` and ``coreschemas``); they hold schemas of
HL7 and are not shipped here. Nothing outside the folder is opened: a schema that asks for another address, for a
file outside, or that declares a document type, is refused before any is used. Needs the extra ``lab39[xsd]``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab39.solutions.signals.readers.errors import refuse
from lab39.solutions.signals.readers.hl7 import HL7

_XS = "{http://www.w3.org/2001/XMLSchema}"
_ASKS = (f"{_XS}include", f"{_XS}import", f"{_XS}redefine")
_BESIDE = ("multicacheschemas", ".")  # where ICH puts the schema of a message, then a folder of schemas alone


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that the schema refuses: the line of the message, and what the validator says (in English)."""

    line: int
    says: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A message that was looked at.

    Attributes:
        schema: the file of its root element.
        files: how many schema files that one asks for, itself included.
        faults: none when the message is valid.
    """

    schema: Path
    files: int
    faults: tuple[Fault, ...]


def check(message: str, folder: Path) -> Checked:
    """Validate a message.

    Args:
        message: the XML.
        folder: of the schemas; that of its root element is looked for in ``multicacheschemas``, in the folder, then
            anywhere below.

    Raises:
        InputError: lxml is not installed; the message is no XML, or declares a document type; no such schema in the
            folder, or several; a schema that is broken, or asks for what is not in the folder.
    """
    etree = _lxml()
    try:
        document = etree.fromstring(message.encode(), _parser(etree))
    except etree.XMLSyntaxError as error:
        raise refuse(
            "XML", f"message mal formé : {error.msg}", f"not well formed: {error.msg}", error.lineno
        ) from error
    if document.getroottree().docinfo.doctype:
        raise refuse(
            "XML",
            "ce message déclare un type de document : il n'est pas suivi, et le message n'est pas vérifié",
            "this message declares a document type: it is not followed, and the message is not checked",
        )
    root = _inside(folder)
    schema = _schema_of(etree.QName(document).localname, root)
    files = _asked_for(etree, schema, root)
    try:
        rules = etree.XMLSchema(etree.parse(schema, _parser(etree)))
    except etree.XMLSchemaParseError as error:
        raise refuse(
            schema,
            f"ce schéma ne se lit pas ({_plain(str(error))}) : reprenez tout le dossier de l'ICH",
            f"this schema cannot be used ({_plain(str(error))}): take ICH's whole folder again",
        ) from error
    rules.validate(document)
    return Checked(schema, files, tuple(Fault(each.line, _plain(each.message)) for each in rules.error_log))


def _lxml() -> Any:
    try:
        from lxml import etree  # type: ignore[import-untyped]
    except ImportError as error:
        raise refuse(
            "--validate-with",
            "lxml n'est pas installé : « pip install lab39[xsd] »",
            'lxml is not installed: "pip install lab39[xsd]"',
        ) from error
    return etree


def _parser(etree: Any) -> Any:
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def _inside(folder: Path) -> Path:
    if not folder.is_dir():
        raise refuse(
            folder,
            "ce n'est pas un dossier : donnez celui des schémas de l'ICH",
            "this is no folder: give that of ICH's schemas",
        )
    return folder.resolve()


def _schema_of(name: str, folder: Path) -> Path:
    wanted = f"{name}.xsd"
    for place in _BESIDE:
        if (found := folder / place / wanted).is_file():
            return found
    below = sorted(found for found in folder.rglob(wanted) if found.is_file())
    if len(below) > 1:
        raise refuse(
            folder,
            f"{len(below)} fichiers {wanted} : donnez le dossier d'une seule édition",
            f"{len(below)} files {wanted}: give the folder of one edition",
        )
    if not below:
        raise refuse(
            folder,
            f"aucun {wanted} ici : donnez le dossier des schémas de l'ICH, qui a multicacheschemas et coreschemas",
            f"no {wanted} here: give the folder of ICH's schemas, which holds multicacheschemas and coreschemas",
        )
    return below[0]


def _asked_for(etree: Any, schema: Path, folder: Path) -> int:
    """Read every schema that this one asks for, and refuse what would lead out of the folder."""
    seen: set[Path] = set()
    waiting = [schema.resolve()]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        try:
            tree = etree.parse(path, _parser(etree))
        except etree.XMLSyntaxError as error:
            raise refuse(
                path, f"XML mal formé ({error.msg})", f"XML is not well formed ({error.msg})", error.lineno
            ) from error
        if tree.docinfo.doctype:
            raise refuse(
                path,
                "ce schéma déclare un type de document : il n'est pas suivi, et le schéma est refusé",
                "this schema declares a document type: it is not followed, and the schema is refused",
            )
        for element in tree.iter(*_ASKS):
            if wanted := element.get("schemaLocation"):
                waiting.append(_next(path, wanted, element.sourceline, folder))
    return len(seen)


def _next(path: Path, wanted: str, line: int, folder: Path) -> Path:
    if "://" in wanted or not (found := (path.parent / wanted).resolve()).is_relative_to(folder):
        raise refuse(
            path,
            f"demande « {wanted} », hors du dossier : rien n'est cherché ailleurs ; mettez-y ce fichier",
            f"asks for “{wanted}”, outside the folder: nothing is fetched elsewhere; put that file in the folder",
            line,
        )
    if not found.is_file():
        raise refuse(
            path,
            f"demande « {wanted} », absent du dossier : reprenez tout le dossier de l'ICH",
            f"asks for “{wanted}”, which the folder has not: take ICH's whole folder again",
            line,
        )
    return found


def _plain(words: str) -> str:
    return words.replace(f"{{{HL7}}}", "")
