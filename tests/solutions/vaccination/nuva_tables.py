"""Tables in the form of NUVA, made up."""

from __future__ import annotations

from pathlib import Path

CORE = """NUVA,label,comment,abstract
VAC0001,ALPHAVAX,,False
VAC0002,BETAVAX,,False
VAC0003,GAMMAVAX,,False
VAC0009,"A vaccine, unspecified",,True
"""
TO_CVX = """NUVA,NUVA label,IsAbstract,CVX,CVX label,Best,Blur,Equiv
VAC0001,ALPHAVAX,False,CVX-901,A,True,2,0
VAC0001,ALPHAVAX,False,CVX-909,B,False,,
VAC0002,BETAVAX,False,CVX-901,A,True,2,0
VAC0002,BETAVAX,False,CVX-909,A,True,2,0
VAC0003,GAMMAVAX,False,CVX-921,A,True,2,0
VAC0003,GAMMAVAX,False,CVX-922,A,True,2,0
VAC0009,A,True,CVX-901,A,True,2,0
"""
TABLES = {
    "core": ("nuva_core.csv", CORE),
    "to-cvx": ("nuva2CVX.csv", TO_CVX),
    "from-cvx": ("CVX2nuva.csv", "CVX,NUVA,Label\nCVX-901,VAC0009,A\n"),
    "cip": ("CIP2nuva.csv", "CIP,NUVA,Label\nCIP-3400900000011,VAC0001,ALPHAVAX\n"),
    "cis": ("CIS2nuva.csv", "CIS,NUVA,Label\nCIS-60000001,VAC0001,ALPHAVAX\n"),
    "atc": ("ATC2nuva.csv", "ATC,NUVA,Label\nATC-J07XX01,VAC0009,A\n"),
    "names": (
        "nuva_fr.yml",
        "fr:\n  vaccine:\n    VAC0009C: un commentaire\n"
        "    VAC0009L: Vaccin A, sans précision, au nom si long\n      qu'il va à la ligne\n",
    ),
    "licence": ("LICENSE.md", "# Creative Commons Attribution 4.0 International Public License\n"),
}


def write(folder: Path) -> dict[str, Path]:
    """The files, by role."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for role, (name, text) in TABLES.items():
        found[role] = folder / name
        mark = "\ufeff" if name.endswith(".csv") else ""
        found[role].write_text(mark + text, "utf-8")
    return found
