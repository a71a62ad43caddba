"""An ontology of ten terms and annotations of four diseases, small enough to compute by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lab39.solutions import raredisease as rd
from lab39.solutions.raredisease import hpoa

EYE, LENS = "HP:0000010", "HP:0000011"
LIMB, LONG, VERY_LONG = "HP:0000020", "HP:0000021", "HP:0000022"
SEIZURE, FEVER = "HP:0000030", "HP:0000040"
INHERITANCE, OLD_LONG, OLD_SEIZURE, GONE = "HP:0000005", "HP:0000091", "HP:0000090", "HP:0000092"
SIGNS = (EYE, LENS, LIMB, LONG, VERY_LONG, SEIZURE, FEVER)
ALPHA, BETA, GAMMA, ALPHA_ORPHA = "OMIM:100001", "OMIM:100002", "OMIM:100003", "ORPHA:7"

OBO = """format-version: 1.2
data-version: hp/releases/{release}
ontology: hp.obo

[Term]
id: HP:0000001
name: All

[Term]
id: HP:0000118
name: Phenotypic abnormality
is_a: HP:0000001 ! All

[Term]
id: HP:0000005
name: Mode of inheritance
is_a: HP:0000001 ! All

[Term]
id: HP:0000010
name: Abnormality of the eye
is_a: HP:0000118 ! Phenotypic abnormality

[Term]
id: HP:0000011
name: Ectopia lentis
synonym: "Dislocated lens" EXACT layperson []
is_a: HP:0000010 ! Abnormality of the eye

[Term]
id: HP:0000020
name: Abnormality of limbs
is_a: HP:0000118 ! Phenotypic abnormality

[Term]
id: HP:0000021
name: Long fingers
alt_id: HP:0000091
is_a: HP:0000020 ! Abnormality of limbs

[Term]
id: HP:0000022
name: Very long fingers
is_a: HP:0000021 ! Long fingers

[Term]
id: HP:0000030
name: Seizure
synonym: "Epileptic fit" EXACT []
is_a: HP:0000118 ! Phenotypic abnormality

[Term]
id: HP:0000040
name: Fever
is_a: HP:0000118 ! Phenotypic abnormality

[Term]
id: HP:0000090
name: obsolete Convulsion
is_obsolete: true
replaced_by: HP:0000030

[Term]
id: HP:0000092
name: obsolete Vague
is_obsolete: true
consider: HP:0000030
consider: HP:0000040

[Typedef]
id: part_of
name: part of
"""

# disease, name, qualifier, term, reference, frequency
ROWS = (
    (ALPHA, "Alpha syndrome", "", LONG, "PMID:1", "3/4"),
    (ALPHA, "Alpha syndrome", "", LONG, "PMID:2", "5/6"),
    (ALPHA, "Alpha syndrome", "", LENS, "PMID:1", "1/2"),
    (ALPHA, "Alpha syndrome", "NOT", SEIZURE, "PMID:2", ""),
    (BETA, "Beta syndrome", "", VERY_LONG, "PMID:3", "HP:0040281"),
    (BETA, "Beta syndrome", "", SEIZURE, "OMIM:100002", ""),
    (GAMMA, "Gamma syndrome", "", SEIZURE, "PMID:4", "0/5"),
    (GAMMA, "Gamma syndrome", "", EYE, "PMID:4", "25%"),
    (ALPHA_ORPHA, "Alpha", "", LONG, "ORPHA:7", "HP:0040282"),
)

CONSTANTS = replace(
    rd.load_constants(),
    pseudo_count=1.0,
    prior_frequency=0.5,
    class_weight=10.0,
    distance_decay=0.8,
    noise=0.1,
    excluded_weight=0.25,
    inverse_temperature=1.0,
    sign_dependence=0.0,
    background_log_odds=0.0,
    frequent=0.5,
)
"""Fixed here, so that what is computed by hand below does not move when the shipped constants are fitted again."""


def row(
    disease: str, name: str, qualifier: str, term: str, reference: str, frequency: str, aspect: str = "P"
) -> str:
    """One line of phenotype.hpoa."""
    return "\t".join([disease, name, qualifier, term, reference, "PCS", "", frequency, "", "", aspect, "HPO:x"])


def annotations(*rows: str, release: str = "2025-01-16") -> str:
    """A phenotype.hpoa of these lines."""
    head = ['#description: "tiny"', f"#version: {release}", "\t".join(hpoa.COLUMNS)]
    return "\n".join([*head, *rows]) + "\n"


def write(folder: Path, release: str = "2025-01-16", name: str = "") -> tuple[Path, Path]:
    """``hp.obo`` and ``phenotype.hpoa`` in a folder. ``name`` replaces that of the Alpha syndrome."""
    folder.mkdir(parents=True, exist_ok=True)
    obo_path, hpoa_path = folder / "hp.obo", folder / "phenotype.hpoa"
    obo_path.write_text(OBO.format(release=release), "utf-8")
    lines = [row(*each).replace("Alpha syndrome", name or "Alpha syndrome") for each in ROWS]
    inherited = row(ALPHA, name or "Alpha syndrome", "", INHERITANCE, "PMID:9", "", aspect="I")
    hpoa_path.write_text(annotations(*lines, inherited, release=release), "utf-8")
    return obo_path, hpoa_path


BABELON = "\n".join(
    "\t".join(each)
    for each in (
        (
            "subject_id",
            "source_language",
            "translation_language",
            "predicate_id",
            "source_value",
            "translation_status",
            "translation_value",
        ),
        (LENS, "en", "fr", "rdfs:label", "Ectopia lentis", "OFFICIAL", "Ectopie du cristallin"),
        (LENS, "en", "fr", "IAO:0000115", "A definition", "OFFICIAL", "Une définition"),
        (LONG, "en", "fr", "rdfs:label", "Long fingers", "OFFICIAL", "Doigts longs"),
        (FEVER, "en", "fr", "rdfs:label", "Fever", "NOT_TRANSLATED", "Fever"),
        (),
    )
)
SYNONYMS = "\n".join(
    "\t".join(each)
    for each in (
        ("subject_id", "translation_value", "comment", "Status", "Line number"),
        ("ID", "AL oboInOwl:hasExactSynonym@fr", "", "", ""),
        (SEIZURE, "Crise d'épilepsie", "synonyms of", "CANDIDATE", "1"),
        (FEVER, "", "synonyms of", "NOT_TRANSLATED", "2"),
        (),
    )
)
