"""XML, one report at a time, from anybody: no entity is expanded, nothing outside the file is opened.

Real E2B(R2) files name the DTD of an authority on their first lines: the name alone is allowed and never followed.
A file whose document type declares anything itself (entities, elements, attributes) is refused, and so is one
that uses an entity declared elsewhere, since its text would be lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from xml.etree import ElementTree as ET
from xml.parsers import expat

from lab39.core.errors import InputError
from lab39.solutions.signals.readers.errors import refuse
from lab39.solutions.signals.readers.streams import Item

MAX_DEPTH = 100
_CHUNK = 256 * 1024


class Tree(NamedTuple):
    """One element with all that is in it; names are without their namespace."""

    element: ET.Element
    line: int


def root_name(item: Item) -> str:
    """The name of the outermost element, empty when the file is no XML."""
    try:
        return next(_Reader(item, frozenset()).run(), Tree(ET.Element(""), 0)).element.tag
    except InputError as error:
        if error.__cause__ is None:  # refused on purpose
            raise
        return ""


def subtrees(item: Item, root: str, tags: frozenset[str]) -> Iterator[Tree]:
    """The elements of these names, as they are read; memory holds one at a time.

    Raises:
        InputError: not well formed, cut short, another root element, an entity, elements nested beyond reason.
    """
    reader = _Reader(item, tags)
    first = True
    for tree in reader.run():
        if first:
            first = False
            if tree.element.tag != root:
                raise refuse(
                    item.name,
                    f"l'élément racine est « {tree.element.tag} » et non « {root} »",
                    f"the root element is “{tree.element.tag}”, not “{root}”",
                    tree.line,
                )
            continue
        yield tree


class _Reader:
    def __init__(self, item: Item, tags: frozenset[str]) -> None:
        self.item, self.tags = item, tags
        self.done: list[Tree] = []
        self.builder: ET.TreeBuilder | None = None
        self.depth = 0
        self.began = (0, 0)
        self.parser = parser = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.text
        parser.EntityDeclHandler = self.entity
        parser.SkippedEntityHandler = self.entity
        parser.ExternalEntityRefHandler = self.entity
        parser.ElementDeclHandler = self.declaration
        parser.AttlistDeclHandler = self.declaration
        parser.NotationDeclHandler = self.declaration

    def run(self) -> Iterator[Tree]:
        """The root element, bare, then the elements that are asked for."""
        with self.item.open() as stream:
            while True:
                chunk = stream.read(_CHUNK)
                try:
                    self.parser.Parse(chunk, not chunk)
                except expat.ExpatError as error:
                    raise self.broken(error) from error
                ready, self.done = self.done, []
                yield from ready
                if not chunk:
                    return

    def broken(self, error: expat.ExpatError) -> InputError:
        why = expat.ErrorString(error.code)
        return refuse(
            self.item.name,
            f"XML mal formé, colonne {error.offset + 1} ({why}) : le fichier est coupé ou abîmé, redemandez-le",
            f"XML is not well formed, column {error.offset + 1} ({why}): the file is cut or damaged, "
            "ask for it again",
            error.lineno,
        )

    def entity(self, name: object, *_: object) -> int:
        raise refuse(
            self.item.name,
            f"ce fichier emploie une entité XML (« {name} ») : elle n'est pas suivie, et le fichier est refusé ; "
            "demandez-en un sans entité",
            f"this file uses an XML entity (“{name}”): it is not followed and the file is refused; "
            "ask for one without",
            self.parser.CurrentLineNumber,
        )

    def declaration(self, name: object, *_: object) -> None:
        raise refuse(
            self.item.name,
            f"ce fichier redéfinit sa propre grammaire (« {name} » dans DOCTYPE) : il est refusé ; demandez-en un "
            "qui ne fait que nommer sa DTD",
            f"this file declares its own grammar (“{name}” in DOCTYPE): it is refused; ask for one that only names "
            "its DTD",
            self.parser.CurrentLineNumber,
        )

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        name = tag.rpartition("}")[2]
        bare = {key.rpartition("}")[2]: value for key, value in attributes.items()}
        if self.depth == 1:
            self.done.append(Tree(ET.Element(name, bare), self.parser.CurrentLineNumber))
        if self.depth > MAX_DEPTH:
            raise refuse(
                self.item.name,
                f"plus de {MAX_DEPTH} éléments emboîtés : ce n'est pas un rapport de cas",
                f"more than {MAX_DEPTH} nested elements: this is no case report",
                self.parser.CurrentLineNumber,
            )
        if self.builder is None and name in self.tags:
            self.builder = ET.TreeBuilder()
            self.began = (self.depth, self.parser.CurrentLineNumber)
        if self.builder is not None:
            self.builder.start(name, bare)

    def text(self, data: str) -> None:
        if self.builder is not None:
            self.builder.data(data)

    def end(self, tag: str) -> None:
        if self.builder is not None:
            self.builder.end(tag.rpartition("}")[2])
            if self.depth == self.began[0]:
                self.done.append(Tree(self.builder.close(), self.began[1]))
                self.builder = None
        self.depth -= 1
