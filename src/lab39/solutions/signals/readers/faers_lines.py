"""Lines of a FAERS file into a staged Parquet table: every field as text, with its line number.

Blocks of well-formed lines go through Arrow as they are; a block with anything odd is looked at line by line. A
line that does not have the fields of the header is repaired when it is in the table of repairs, and else kept
apart: nothing is guessed. A file where more than one line in a hundred is so is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lab39.solutions.signals.readers import faers_files
from lab39.solutions.signals.readers.errors import refuse
from lab39.solutions.signals.readers.part_writer import PartWriter
from lab39.solutions.signals.readers.streams import BLOCK, NO_LETTER, Item, decoded

_MANY = 0.01
_FEW = 10


def stage(
    quarter: str,
    table: str,
    item: Item,
    into: Path,
    part: PartWriter,
    *,
    strict: bool = False,
    alive: Callable[[int], None] = lambda _bytes: None,
) -> int:
    """Write ``into`` (Parquet): the columns of the header under our names, ``line``. Returns the number of records.

    Args:
        strict: raise at the first line that does not fit instead of keeping it apart.
        alive: called with the bytes read of each block.

    Raises:
        InputError: see :func:`faers_files.header`; too many lines that do not fit; a file that ends inside a line.
    """
    import pyarrow.parquet as pq

    lines = _Lines(quarter, table, item, part, strict)
    writer: Any = None
    records = 0
    try:
        with item.open() as stream:
            for block, first_line in _blocks(stream, lines):
                alive(len(block))
                if (made := lines.table(block, first_line)) is None:
                    continue
                writer = writer or pq.ParquetWriter(into, made.schema, compression="zstd")
                writer.write_table(made)
                records += made.num_rows
        if not lines.names:
            raise refuse(item.name, "fichier vide", "the file is empty")
        if writer is None:
            writer = pq.ParquetWriter(into, lines.schema())
    finally:
        if writer is not None:
            writer.close()
    if lines.bad > _FEW and lines.bad > _MANY * (records + lines.bad):
        raise refuse(
            item.name,
            f"{lines.bad} lignes sur {records + lines.bad} n'ont pas le nombre de champs de l'en-tête, la première "
            f"ligne {lines.first_bad} : ce fichier a été modifié ou est abîmé, téléchargez-le de nouveau",
            f"{lines.bad} lines of {records + lines.bad} do not have the fields of the header, the first one line "
            f"{lines.first_bad}: this file was changed or is damaged, download it again",
        )
    return records


def _blocks(stream: Any, lines: _Lines) -> Iterator[tuple[bytes, int]]:
    """Blocks of whole lines with the number of their first line; the header sets the file's own line ending."""
    raw = stream.read(BLOCK)
    if not raw.strip():
        return
    end = raw.find(b"\n")
    first = raw if end < 0 else raw[: end + 1]
    if first[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise refuse(
            lines.item.name,
            "fichier en UTF-16 : FAERS est publié en UTF-8 ou en Windows-1252, réenregistrez-le ainsi",
            "this file is UTF-16: FAERS is published in UTF-8 or Windows-1252, save it so",
            1,
        )
    lines.begin(first)
    number, left = 2, raw[len(first) :]
    while True:
        cut = left.rfind(lines.ending)
        if cut >= 0:
            block, left = left[: cut + len(lines.ending)], left[cut + len(lines.ending) :]
            yield block, number
            number += block.count(b"\n")
        more = stream.read(BLOCK)
        if not more:
            break
        left += more
    if left.strip(b"\r\n\x1a "):
        lines.unended = True
        yield left + lines.ending, number


class _Lines:
    """How the lines of one file become records."""

    def __init__(self, quarter: str, table: str, item: Item, part: PartWriter, strict: bool) -> None:
        self.quarter, self.name, self.item, self.part, self.strict = quarter, table, item, part, strict
        self.names: list[str] = []
        self.ending = b"\r\n"
        self.unended = False
        self.bad = 0
        self.first_bad = 0

    def begin(self, first: bytes) -> None:
        self.ending = b"\r\n" if first.endswith(b"\r\n") else b"\n"
        self.names = faers_files.header(self.item, self.name, decoded(first))

    def schema(self) -> Any:
        import pyarrow as pa

        return pa.schema([*((name, pa.string()) for name in self.names), ("line", pa.int64())])

    def table(self, block: bytes, first_line: int) -> Any:
        """The records of a block as an Arrow table, ``None`` when there is none."""
        rows = block.split(self.ending)
        rows.pop()
        separators = {row.count(b"$") for row in rows}
        plain = b"\n".join(rows)
        tidy = b"\r" not in plain and plain.count(b"\n") == len(rows) - 1
        if tidy and len(separators) == 1:
            width = separators.pop() + 1
            trailing = width == len(self.names) + 1 and all(row.endswith(b"$") for row in rows)
            if width == len(self.names) or trailing:
                return self._arrow(plain, range(first_line, first_line + len(rows)), trailing)
        return self._one_by_one(rows, first_line)

    def _arrow(self, plain: bytes, numbers: Any, trailing: bool) -> Any:
        import pyarrow as pa
        from pyarrow import csv

        try:
            plain.decode("utf-8")
        except UnicodeDecodeError:
            plain = b"\n".join(self._text(row).encode() for row in plain.split(b"\n"))
        names = [*self.names, "\0"] if trailing else self.names
        table = csv.read_csv(
            pa.BufferReader(plain),
            csv.ReadOptions(column_names=names, block_size=len(plain) + 1, use_threads=False),
            csv.ParseOptions(delimiter="$", quote_char=False, ignore_empty_lines=False),
            csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), null_values=[""], strings_can_be_null=True
            ),
        ).select(self.names)
        return table.append_column("line", pa.array(numbers, pa.int64()))

    def _text(self, row: bytes) -> str:
        text = decoded(row, self.part.note)
        if not text.isascii() and NO_LETTER.search(text):
            self.part.note("lines with letters in no known encoding")
        return text

    def _one_by_one(self, rows: list[bytes], first_line: int) -> Any:
        width = len(self.names)
        kept: list[list[str]] = []
        numbers: list[int] = []
        number = first_line
        for row in rows:
            text = self._text(row)
            for record in self._records(text, number, width):
                kept.append(record)
                numbers.append(number)
            number += 1 + row.count(b"\n")
        if not kept:
            return None
        plain = "\n".join("$".join(field.replace("$", "\0") for field in record) for record in kept)
        table = self._arrow(plain.encode(), numbers, trailing=False)
        if "\0" in plain:
            table = _with_dollars(table)
        return table

    def _records(self, text: str, number: int, width: int) -> Iterator[list[str]]:
        if not text.strip("\r\n\x1a "):
            return
        fields = faers_files.fit(text.split("$"), width)
        if fields is not None:
            if "\n" in text or "\r" in text.rstrip("\r"):
                self.part.note("line breaks inside a field")
            yield [" ".join(each.split()) if "\n" in each or "\r" in each else each for each in fields]
            return
        pieces = text.split("\n")
        split = [faers_files.fit(piece.rstrip("\r").split("$"), width) for piece in pieces]
        if len(pieces) > 1 and all(piece is not None for piece in split):  # bare \n between whole records
            self.part.note("lines ended otherwise than the header", len(pieces) - 1)
            yield from (piece for piece in split if piece is not None)
            return
        known = faers_files.repaired(self.quarter, self.name, self.names, text.split("$"))
        if known is not None:
            self.part.note("lines repaired")
            yield from known
            return
        if self.unended:
            raise refuse(
                self.item.name,
                "le fichier s'arrête au milieu d'une ligne : il est coupé, téléchargez-le de nouveau",
                "the file ends in the middle of a line: it is cut, download it again",
                number,
            )
        found = text.count("$") + 1
        self.bad += 1
        self.first_bad = self.first_bad or number
        if self.strict:
            raise refuse(
                self.item.name,
                f"{found} champs au lieu de {width}, et la ligne n'est pas dans la table des réparations connues",
                f"{found} fields instead of {width}, and this line is not in the table of known repairs",
                number,
            )
        self.part.reject(faers_files.SOURCE, self.item.name, number, f"{found} fields instead of {width}", text)


def _with_dollars(table: Any) -> Any:
    import pyarrow.compute as pc

    for at, name in enumerate(table.column_names):
        if name != "line":
            table = table.set_column(at, name, pc.replace_substring(table[name], "\0", "$"))
    return table
