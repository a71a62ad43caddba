"""A public medicine database in small: invented codes, labels as real ones are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from lab39.core.gs1 import check_digit
from lab39.solutions.pharmacy import bdpm, catalogue_build
from lab39.solutions.pharmacy.catalogue import Catalogue

DATE = "04/05/2026"
ACTIVE, SOLD, UNSOLD = "Autorisation active", "Commercialisée", "Non commercialisée"

# cis, label, form, routes, sold, atc, holder, [(substance, dose, per, fraction, dose of the fraction)]
PRODUCTS = (
    ("60000001", "DOLIPRANE 1000 mg, comprimé", "comprimé", "orale", SOLD, "N02BE01", "OPELLA",
     [("PARACÉTAMOL", "1000 mg", "un comprimé", "", "")]),
    ("60000002", "DOLIPRANE 500 mg, comprimé", "comprimé", "orale", SOLD, "N02BE01", "OPELLA",
     [("PARACÉTAMOL", "500 mg", "un comprimé", "", "")]),
    ("60000003", "CODOLIPRANE 400 mg/20 mg, comprimé", "comprimé", "orale", SOLD, "N02AJ06", "OPELLA",
     [("PARACÉTAMOL", "400 mg", "un comprimé", "", ""),
      ("PHOSPHATE DE CODÉINE HÉMIHYDRATÉ", "20 mg", "un comprimé", "CODÉINE", "15 mg")]),
    ("60000004", "KARDEGIC 75 mg, poudre pour solution buvable en sachet-dose", "poudre", "orale", SOLD, "B01AC06",
     "SANOFI", [("DL-LYSINE (ACÉTYLSALICYLATE DE)", "135 mg", "un sachet", "ACIDE ACÉTYLSALICYLIQUE", "75 mg")]),
    ("60000005", "METFORMINE BIOGARAN 1000 mg, comprimé pelliculé", "comprimé", "orale", SOLD, "A10BA02",
     "BIOGARAN", [("CHLORHYDRATE DE METFORMINE", "1000 mg", "un comprimé", "METFORMINE BASE", "780 mg")]),
    ("60000006", "AMOXICILLINE/ACIDE CLAVULANIQUE SANDOZ 1 g/125 mg ADULTES, poudre pour suspension buvable",
     "poudre", "orale", SOLD, "J01CR02", "SANDOZ",
     [("AMOXICILLINE TRIHYDRATÉE", "", "", "AMOXICILLINE", "1 g"),
      ("CLAVULANATE DE POTASSIUM", "", "", "ACIDE CLAVULANIQUE", "125 mg")]),
    ("60000007", "AUGMENTIN 1 g/125 mg, poudre pour suspension buvable", "poudre", "orale", SOLD, "J01CR02", "GSK",
     [("AMOXICILLINE TRIHYDRATÉE", "", "", "AMOXICILLINE", "1 g"),
      ("CLAVULANATE DE POTASSIUM", "", "", "ACIDE CLAVULANIQUE", "125 mg")]),
    ("60000008", "CLAMOXYL 1 g, poudre pour solution injectable", "poudre", "intramusculaire;intraveineuse", UNSOLD,
     "J01CA04", "GSK", [("AMOXICILLINE SODIQUE", "", "", "AMOXICILLINE", "1 g")]),
    ("60000009", "DEPAKINE 500 mg, comprimé gastro-résistant", "comprimé", "orale", SOLD, "N03AG01", "SANOFI",
     [("SODIUM (VALPROATE DE)", "500 mg", "un comprimé", "", "")]),
    ("60000010", "CITRATE DE SODIUM AGUETTANT 4 %, solution", "solution", "voie extracorporelle autre", SOLD, "",
     "AGUETTANT", [("CITRATE DE SODIUM", "4 g", "100 ml", "", "")]),
    ("60000011", "DIFFU-K 600 mg, gélule", "gélule", "orale", SOLD, "A12BA01", "UCB",
     [("CHLORURE DE POTASSIUM", "600 mg", "une gélule", "", "")]),
    ("60000012", "ATACAND 8 mg, comprimé sécable", "comprimé", "orale", SOLD, "C09CA06", "CHEPLAPHARM",
     [("CANDÉSARTAN CILEXÉTIL", "8 mg", "un comprimé", "", "")]),
    ("60000013", "COVERSYL 5 mg, comprimé pelliculé", "comprimé", "orale", SOLD, "C09AA04", "SERVIER",
     [("PÉRINDOPRIL ARGININE", "5 mg", "un comprimé", "PÉRINDOPRIL", "3,395 mg")]),
    ("60000014", "LANTUS 100 Unités/ml, solution injectable en stylo prérempli", "solution", "sous-cutanée", SOLD,
     "A10AE04", "SANOFI", [("INSULINE GLARGINE", "100 U", "1 ml de solution", "", "")]),
    ("60000015", "ARNICA MONTANA BOIRON, degré de dilution compris entre 4CH et 30CH", "granules", "orale", SOLD,
     "", "BOIRON", [("ARNICA MONTANA POUR PRÉPARATIONS HOMÉOPATHIQUES", "4CH à 30CH", "un tube", "", "")]),
    ("60000016", "CORTANCYL 20 mg, comprimé sécable", "comprimé sécable", "orale", SOLD, "H02AB07", "SANOFI",
     [("PREDNISONE", "20 mg", "un comprimé", "", "")]),
    ("60000017", "SOLUPRED 20 mg, comprimé orodispersible", "comprimé orodispersible", "orale", SOLD, "H02AB06",
     "SANOFI", [("MÉTASULFOBENZOATE SODIQUE DE PREDNISOLONE", "31,44 mg", "un comprimé", "PREDNISOLONE", "20 mg")]),
    ("60000018", "ADVIL 400 mg, comprimé enrobé", "comprimé enrobé", "orale", SOLD, "M01AE01", "HALEON",
     [("IBUPROFÈNE", "400 mg", "un comprimé", "", "")]),
    ("60000019", "RHINADVIL RHUME, comprimé enrobé", "comprimé enrobé", "orale", SOLD, "", "HALEON",
     [("IBUPROFÈNE", "200 mg", "un comprimé", "", ""),
      ("CHLORHYDRATE DE PSEUDOÉPHÉDRINE", "30 mg", "un comprimé", "", "")]),
    ("60000020", "ADVIL RHUMECAPS, capsule molle", "capsule molle", "orale", UNSOLD, "", "HALEON",
     [("IBUPROFÈNE", "200 mg", "une capsule", "", ""),
      ("CHLORHYDRATE DE PSEUDOÉPHÉDRINE", "30 mg", "une capsule", "", "")]),
    ("60000021", "ENTRESTO 49 mg/51 mg, comprimé pelliculé", "comprimé", "orale", SOLD, "C09DX04", "NOVARTIS",
     [("COMPLEXE SODIQUE SACUBITRIL VALSARTAN HÉMIPENTAHYDRATÉ", "113 mg", "un comprimé", "VALSARTAN", "51 mg"),
      ("COMPLEXE SODIQUE SACUBITRIL VALSARTAN HÉMIPENTAHYDRATÉ", "", "", "SACUBITRIL", "49 mg")]),
    ("60000022", "SIMVASTATINE EG 20 mg, comprimé pelliculé", "comprimé", "orale", SOLD, "C10AA01", "EG LABO",
     [("SIMVASTATINE", "20 mg", "un comprimé", "", "")]),
    ("60000023", "VENTOLINE 100 microgrammes/dose, suspension pour inhalation", "suspension", "inhalée", SOLD,
     "R03AC02", "GSK",
     [("SULFATE DE SALBUTAMOL", "120 microgrammes", "une dose", "SALBUTAMOL", "100 microgrammes")]),
    ("60000024", "VENTOLINE 0,5 mg/1 ml, solution injectable", "solution", "sous-cutanée", SOLD, "R03CC02", "GSK",
     [("SULFATE DE SALBUTAMOL", "", "", "SALBUTAMOL", "0,5 mg")]),
    ("60000025", "SALBUMOL 2 mg, comprimé", "comprimé", "orale", SOLD, "R03CC02", "VIATRIS",
     [("SULFATE DE SALBUTAMOL", "", "", "SALBUTAMOL", "2 mg")]),
)  # fmt: skip
GROUPS = (("7", "AMOXICILLINE 1 g - BRISTAMOX 1 g, poudre pour solution injectable", "60000008", "1", "2"),)


def cip13(cis: str) -> str:
    """An invented CIP13 with the right check digit."""
    start = "34009" + cis[-7:]
    return f"{start}{check_digit(start)}"


def rows() -> dict[str, list[list[str]]]:
    """The cells of each file, by role."""
    found: dict[str, list[list[str]]] = {role: [] for role in bdpm.NAMES}
    for cis, label, form, routes, sold, atc, holder, parts in PRODUCTS:
        procedure = "Enreg homéo (Proc. Nat.)" if holder == "BOIRON" else "Procédure nationale"
        found["cis"].append([cis, label, form, routes, ACTIVE, procedure, sold, DATE, "", "", f" {holder}", "Non"])
        declared = (
            "Déclaration de commercialisation" if sold == SOLD else "Déclaration d'arrêt de commercialisation"
        )
        found["cip"].append(
            [
                cis,
                cis[-7:],
                "boîte de 30",
                "Présentation active",
                declared,
                DATE,
                cip13(cis),
                "oui",
                "65%",
                "",
                "",
                "",
                "",
            ]
        )
        links: dict[str, str] = {}
        for substance, dose, per, fraction, of_fraction in parts:
            link = links.setdefault(substance, str(len(links) + 1))
            if dose or not any(r[3] == substance and r[0] == cis for r in found["compo"]):
                found["compo"].append([cis, form, "00001", substance, dose, per, "SA", link])
            if fraction:
                found["compo"].append([cis, form, "00002", fraction, of_fraction, per, "FT", link])
        if atc:
            found["mitm"].append([cis, atc, label, "https://example.org"])
        found["cpd"].append([cis, "liste I"])
    found["gener"] = [list(row) for row in GROUPS]
    return found


def write(folder: Path, cells: Mapping[str, Iterable[Iterable[str]]] | None = None) -> list[Path]:
    """The six files, the presentations in UTF-8 and the others in Windows-1252, as the site gives them."""
    paths = []
    for role, lines in (cells or rows()).items():
        path = folder / bdpm.NAMES[role]
        ends = "\n" if role == "cip" else "\r\n"
        text = "".join("\t".join(line) + ends for line in lines)
        path.write_bytes(text.encode("utf-8" if role == "cip" else "cp1252"))
        paths.append(path)
    return paths


@cache
def catalogue() -> Catalogue:
    """The catalogue of these products, and of two names that only a thesaurus has."""
    folder = Path(mkdtemp(prefix="tiny-bdpm-"))
    contents = bdpm.inspect(write(folder))
    catalogue_build.build(contents.files, folder / "catalogue.sqlite", contents.version)
    return Catalogue.open(folder / "catalogue.sqlite", ["ranitidine", "SODIUM (NITROPRUSSIATE DE)"])
