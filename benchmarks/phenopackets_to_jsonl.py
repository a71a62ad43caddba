"""A release of the GA4GH phenopacket store to the lines that the benchmarks read, one case a line.

    .venv/bin/python benchmarks/phenopackets_to_jsonl.py all_phenopackets.zip cases.jsonl

Takes the ``all_phenopackets.zip`` of a release, or a folder of phenopackets (v2, JSON). What is taken where:

- ``id``: ``id``; ``cohort``: the folder the packet lies in; ``created``: year and month of ``metaData.created``
- ``pmid``: the only ``PMID:`` of ``metaData.externalReferences``
- ``disease``, ``label``: the only disease of ``diseases`` that is not excluded
- ``genes``: symbols of ``interpretations[].diagnosis.genomicInterpretations[].variantInterpretation``
- ``sex``: ``subject.sex``; ``age``: ``subject.timeAtLastEncounter``; ``onset``: that of the disease. An age is an
  ISO 8601 duration, an HPO term, or ``prenatal`` for a gestational age
- ``obs``, ``exc``: ``phenotypicFeatures`` present and excluded, each id once, sorted; ``feat_onset``: their onset

The benchmarks read ``id``, ``disease``, ``pmid``, ``obs`` and ``exc``; the rest is for people. A packet with no
disease or several, no paper or several, no sign present, or an ``id`` met before is left out and counted, on
standard error.
"""

from __future__ import annotations

import argparse
import json
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

PRENATAL = "prenatal"


class NoCaseError(ValueError):
    """A packet that is no case; says why."""


def case(packet: Mapping[str, Any], cohort: str) -> dict[str, Any]:
    """One line of the cases.

    Raises:
        NoCaseError: the packet does not state one disease, one paper and a sign.
    """
    diseases = {
        d["term"]["id"]: d
        for d in packet.get("diseases", ())
        if not d.get("excluded") and d.get("term", {}).get("id")
    }
    meta = packet.get("metaData", {})
    papers = {r["id"] for r in meta.get("externalReferences", ()) if str(r.get("id", "")).startswith("PMID:")}
    signs = [f for f in packet.get("phenotypicFeatures", ()) if f.get("type", {}).get("id")]
    present = {f["type"]["id"] for f in signs if not f.get("excluded")}
    for what, held in (("disease", diseases), ("paper", papers)):
        if len(held) != 1:
            raise NoCaseError(f"{'no' if not held else 'several'} {what}")
    if not present:
        raise NoCaseError("no sign present")
    (disease,), (paper,) = diseases.values(), papers
    return {
        "id": packet["id"],
        "cohort": cohort,
        "pmid": paper,
        "disease": disease["term"]["id"],
        "label": disease["term"].get("label"),
        "sex": packet.get("subject", {}).get("sex"),
        "age": when(packet.get("subject", {}).get("timeAtLastEncounter")),
        "onset": when(disease.get("onset")),
        "obs": sorted(present),
        "exc": sorted({f["type"]["id"] for f in signs if f.get("excluded")}),
        "feat_onset": {f["type"]["id"]: age for f in signs if (age := when(f.get("onset"))) is not None},
        "genes": sorted(set(_genes(packet))),
        "created": str(meta.get("created", ""))[:7],
    }


def when(time: Mapping[str, Any] | None) -> str | None:
    """A ``TimeElement`` as one word; ``None`` when there is none or it is of another kind (a date, a range)."""
    if not time:
        return None
    if "gestationalAge" in time:
        return PRENATAL
    found: str | None = time.get("age", {}).get("iso8601duration") or time.get("ontologyClass", {}).get("id")
    return found


def cases(packets: Iterator[tuple[str, bytes]]) -> Iterator[dict[str, Any] | NoCaseError]:
    """Each packet as a case, or why it is none."""
    met: set[str] = set()
    for path, text in packets:
        try:
            found = case(json.loads(text), PurePosixPath(path).parent.name)
            if found["id"] in met:
                raise NoCaseError("an id met before")
            met.add(found["id"])
            yield found
        except NoCaseError as why:
            yield why


def packets(source: Path) -> Iterator[tuple[str, bytes]]:
    """Path and text of each packet of a zip or a folder, sorted by path."""
    if source.is_dir():
        for path in sorted(source.rglob("*.json")):
            yield path.relative_to(source.parent).as_posix(), path.read_bytes()
        return
    with zipfile.ZipFile(source) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".json"):
                yield name, archive.read(name)


def _genes(packet: Mapping[str, Any]) -> Iterator[str]:
    for interpretation in packet.get("interpretations", ()):
        for genomic in interpretation.get("diagnosis", {}).get("genomicInterpretations", ()):
            variant = genomic.get("variantInterpretation", {}).get("variationDescriptor", {})
            gene = variant.get("geneContext") or genomic.get("gene") or {}
            if symbol := gene.get("symbol"):
                yield symbol


def main() -> None:
    """Convert; the count of cases and of what was left out goes to standard error."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("source", type=Path, help="all_phenopackets.zip, or a folder of phenopackets")
    parser.add_argument("target", type=Path, help="cases.jsonl")
    asked = parser.parse_args()
    left, written = Counter[str](), 0
    with asked.target.open("w", encoding="utf-8") as stream:
        for found in cases(packets(asked.source)):
            if isinstance(found, NoCaseError):
                left[str(found)] += 1
            else:
                stream.write(json.dumps(found, ensure_ascii=False) + "\n")
                written += 1
    told = "".join(f"; left out, {why}: {n}" for why, n in sorted(left.items()))
    print(f"{written} cases{told}", file=sys.stderr)


if __name__ == "__main__":
    main()
