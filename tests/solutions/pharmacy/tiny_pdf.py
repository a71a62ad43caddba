"""Write a PDF laid out as the thesaurus is: letters at places, in Helvetica; the entries are made up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

HEADING, ENTRY, UNDER, MECHANISM, LEVELS = 29.4, 32.3, 37.0, 97.7, 317.4
Put = tuple[float, float, float, str]
"""x, y, size, words."""


class Sheet:
    """One page, filled from its top."""

    def __init__(self, number: int, shift: float = 0.0) -> None:
        self.put: list[Put] = [(283.0, 802.4, 8.0, str(number))]
        self.y, self.shift = 786.0, shift

    def heading(self, *lines: str) -> Sheet:
        for line in lines:
            self.put.append((HEADING + self.shift, self.y, 10.0, line))
            self.y -= 12
        return self

    def under(self, *lines: str) -> Sheet:
        """An empty line is a blank one."""
        self.y = self._column(UNDER, lines)
        self.y -= 6
        return self

    def entry(self, other: Sequence[str] | str, mechanism: Iterable[str], levels: Iterable[str]) -> Sheet:
        names = [other] if isinstance(other, str) else list(other)
        self.put.append((ENTRY + self.shift, self.y, 8.0, "+"))
        for name in names:
            self.put.append((40.0 + self.shift, self.y, 8.0, name))
            self.y -= 12
        top = self.y
        self.y = min(self._column(MECHANISM, mechanism), self._column(LEVELS, levels, top), top - 30)
        self.y -= 8
        return self

    def _column(self, x: float, lines: Iterable[str], y: float | None = None) -> float:
        y = self.y if y is None else y
        for line in lines:
            if line:
                self.put.append((x + self.shift, y, 7.0, line))
            y -= 8.2
        return y


def cover(*lines: str) -> list[Put]:
    """The first page of a document."""
    return [(130.0, 700.0 - 40 * i, 30.0, line) for i, line in enumerate(lines)]


def write(path: Path, pages: Sequence[Sequence[Put]], *, encrypted: bool = False) -> Path:
    """Write the file; an encrypted one opens with no password that anybody has."""
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        font,
    ]
    for i, page in enumerate(pages):
        body = b"BT\n" + b"".join(_shown(*put) for put in page) + b"ET\n"
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F 3 0 R >> >> "
            + f"/Contents {5 + 2 * i} 0 R >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n" % len(body) + body + b"endstream")
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    lock = b""
    if encrypted:
        secret = b"<" + b"5a" * 32 + b">"
        lock = b"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O " + secret + b" /U " + secret + b" >> "
        lock += b"/ID [<00><00>] "
    out += b"trailer\n<< /Size %d /Root 1 0 R %s>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, lock, start)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(out)
    return path


def _shown(x: float, y: float, size: float, words: str) -> bytes:
    text = words.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
    return b"/F %.1f Tf 1 0 0 1 %.1f %.1f Tm (" % (size, x, y) + text + b") Tj\n"


def thesaurus(path: Path, *, month: str = "Octobre 2020", shift: float = 0.0, encrypted: bool = False) -> Path:
    """An edition of two pages after its cover: see the tests for what it says."""
    first = Sheet(2, shift)
    first.heading("ALPHAMINE").under("Voir aussi : gammadols - médicaments, a-risque -", "b-risque")
    first.entry("BÊTATIQUES", ["Risque accru."], ["Association DECONSEILLEE"])
    first.entry(
        "GAMMADOL",
        ["Majoration de l’effet, notamment à doses élevées et chez le", "sujet âgé."],
        [
            "CI - PE",
            "Contre-indication :",
            "- à doses > 20 mg",
            "",
            "Précaution d'emploi :",
            "- aux autres doses, avec une surveillance clinique étroite et le contrôle",
            "de la fonction rénale.",
            "Adapter la dose.",
        ],
    )
    first.heading("BÊTATIQUES").under(
        "Les bêtatiques ont un risque :", "- connu,", "- prévisible.", "", "(betamol, betanol", "(racemique))"
    )
    first.entry("ALPHAMINE", ["Risque accru."], ["Association DECONSEILLEE"])
    first.entry("AUTRES BÊTATIQUES", ["Addition."], ["A prendre en compte"])
    second = Sheet(3, shift)
    second.heading("GAMMADOL").under(
        "+ DELTAMINE",
        "Il convient de prendre en compte le risque de chute",
        "chez le sujet âgé.",
        "",
        '(voir aussi "bêtatiques")',
    )
    second.entry(
        "ALPHAMINE",
        ["Majoration de l’effet, notamment à doses élevées et chez le", "sujet âgé."],
        ["Association DECONSEILLEE", "Toujours."],
    )
    second.heading("SUBSTANCES À ABSORPTION RÉDUITE PAR LES TOPIQUES ET", "ADSORBANTS")
    second.entry(
        ["UN NOM SI LONG QU'IL TIENT SUR DEUX", "LIGNES"], ["Effet."], ["Précaution d'emploi", "Attendre."]
    )
    second.heading("UN NOM SI LONG QU'IL TIENT SUR DEUX LIGNES")
    second.entry(
        ["SUBSTANCES À ABSORPTION RÉDUITE PAR LES TOPIQUES ET", "ADSORBANTS"],
        ["Effet."],
        ["Précaution d'emploi", "Attendre."],
    )
    pages = [cover("THESAURUS", "DES INTERACTIONS MEDICAMENTEUSES", month), first.put, second.put]
    return write(path, pages, encrypted=encrypted)
