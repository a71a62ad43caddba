"""Compile ``hp.obo`` and ``phenotype.hpoa`` into the index (T terms, D diseases, R rows).

Arrays of the file:

- ``term_number`` int32 [T]; ``term_label``, ``term_synonym`` UTF-8 lines; ``other_terms`` JSON
- ``up_start`` int32 [T+1], ``up_term`` uint16, ``up_steps`` uint8: ancestors, nearest first
- ``disease_id``, ``disease_name`` UTF-8 lines [D], ``disease_group`` uint8 [D] (position in ``index.GROUPS``)
- ``has_start`` int32 [T+1], ``has_disease`` uint16, ``has_frequency`` float32: profiles by term, propagated
- ``background`` float64 [3, T]: mean frequency over each group
- ``row_start`` int32 [D+1], ``row_term``, ``row_affected``, ``row_patients``, ``row_counted``, ``row_negated`` [R]
- ``row_class`` int32 [R]: number of the frequency class that the row states, 0 for none
- ``row_reference_start`` [R+1], ``row_reference``; ``reference`` UTF-8 lines
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lab39.core.datapacks import sha256
from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.raredisease import hpoa, obo, profiles
from lab39.solutions.raredisease.constants import FORMAT, Constants, load_constants
from lab39.solutions.raredisease.index import GROUPS, PREFIX
from lab39.solutions.raredisease.profiles import Ints, Rows, Sparse, Up

EXCLUDED_CLASS = "HP:0040285"
_MAX_POSITIONS = 2**16


def source_key(obo_path: Path, hpoa_path: Path, constants: Constants | None = None) -> str:
    """Names what an index is made of: both files' content, the constants, the format."""
    parts = (sha256(obo_path), sha256(hpoa_path), (constants or load_constants()).key)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def compile_index(
    obo_path: Path,
    hpoa_path: Path,
    target: Path,
    constants: Constants | None = None,
    progress: Callable[[float], None] = lambda _fraction: None,
) -> None:
    """Build the index; ``target`` appears only when it is whole. ``progress`` is given the fraction done (0-1).

    Raises:
        InputError: a source that is not what it should be, with the line.
    """
    constants = constants or load_constants()
    progress(0.0)
    ontology = obo.read_ontology(obo_path)
    progress(0.25)
    annotations = hpoa.read_annotations(hpoa_path)
    progress(0.6)
    arrays = build(ontology, annotations, constants)
    progress(0.95)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, suffix=".npz")
    os.close(handle)
    try:
        np.savez(name, **arrays)
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)


def build(ontology: obo.Ontology, annotations: hpoa.Annotations, constants: Constants) -> dict[str, Any]:
    """The arrays of the index."""
    terms = ontology.phenotypes()
    at = {term: i for i, term in enumerate(terms)}
    alternative = {
        alt: t.id for t in ontology.terms.values() if t.id in at for alt in t.alt_ids if alt not in at
    }  # fmt: skip
    up = _ancestors(ontology, terms, at)
    diseases = sorted({row.disease for row in annotations.rows})
    disease_at = {disease: i for i, disease in enumerate(diseases)}
    if len(terms) >= _MAX_POSITIONS or len(diseases) >= _MAX_POSITIONS:
        raise InputError(
            Text("plus de 65 535 termes ou maladies", "more than 65,535 terms or diseases"), annotations.version
        )
    usable = [
        (row, t) for row in annotations.rows if (t := _current(row.term, at, alternative, ontology)) is not None
    ]
    usable.sort(key=lambda pair: (disease_at[pair[0].disease], pair[1], pair[0].references))
    rows = _rows([r for r, _ in usable], [t for _, t in usable], disease_at, constants)
    signs = profiles.pooled(rows, constants.pseudo_count, constants.prior_frequency)
    full = profiles.propagated(signs, up)
    group = np.array([_group(d) for d in diseases], dtype=np.uint8)
    cited = sorted({r for row, _ in usable for r in row.references})
    reference_at = {reference: i for i, reference in enumerate(cited)}
    names = {row.disease: row.name for row in annotations.rows}
    of_rows = [[reference_at[r] for r in row.references] for row, _ in usable]
    meta = {
        "format": FORMAT,
        "hpo": ontology.version,
        "hpoa": annotations.version,
        "constants": constants.compiled(),
        "rows": len(usable),
        "repeated": annotations.repeated,
        "unusable": len(annotations.rows) - len(usable),
        "other_aspects": annotations.other_aspects,
    }
    return {
        "meta": _json(meta),
        "term_number": np.array([int(t.removeprefix(PREFIX)) for t in terms], dtype=np.int32),
        "term_label": _lines(ontology.terms[t].name for t in terms),
        "term_synonym": _lines("\t".join(ontology.terms[t].synonyms) for t in terms),
        "other_terms": _json(_others(ontology, at, alternative)),
        "up_start": up.start,
        "up_term": up.term,
        "up_steps": up.steps,
        "disease_id": _lines(diseases),
        "disease_name": _lines(names[d] for d in diseases),
        "disease_group": group,
        "has_start": _starts(full.term, len(terms)),
        "has_disease": full.disease.astype(np.uint16),
        "has_frequency": full.frequency.astype(np.float32),
        "background": np.stack([_mean(full, group, g, len(terms)) for g in range(len(GROUPS))]),
        "row_start": _starts(rows.disease, len(diseases)),
        "row_term": rows.term.astype(np.uint16),
        "row_affected": rows.affected,
        "row_patients": rows.patients,
        "row_counted": rows.counted,
        "row_negated": rows.negated,
        "row_class": np.array([int(r.frequency.term.removeprefix(PREFIX) or 0) for r, _ in usable], dtype=np.int32),
        "reference": _lines(cited),
        **_lists("row_reference", of_rows),
    }


def _ancestors(ontology: obo.Ontology, terms: Sequence[str], at: dict[str, int]) -> Up:
    start, term, steps = [0], [], []
    for each in terms:
        found = sorted((s, at[a]) for a, s in ontology.ancestors(each).items() if a in at)
        term += [a for _, a in found]
        steps += [s for s, _ in found]
        start.append(len(term))
    return Up(np.array(start, dtype=np.int32), np.array(term, dtype=np.uint16), np.array(steps, dtype=np.uint8))


def _current(term: str, at: dict[str, int], alternative: dict[str, str], ontology: obo.Ontology) -> int | None:
    """Position of a row's sign under its current id; ``None`` for one that no longer is a sign."""
    found = at.get(term, at.get(alternative.get(term, "")))
    if found is None and term in ontology.terms and len(ontology.terms[term].replaced_by) == 1:
        found = at.get(ontology.terms[term].replaced_by[0])
    return found


def _rows(rows: list[hpoa.Annotation], terms: list[int], disease_at: dict[str, int], constants: Constants) -> Rows:
    affected, patients, counted = [], [], []
    for row in rows:
        f = row.frequency
        if f.kind == "class" and f.term not in constants.class_frequency:
            raise InputError(
                Text(f"classe de fréquence inconnue\u202f: {f.term}", f"unknown frequency class: {f.term}"),
                row.disease,
            )
        share = constants.class_frequency[f.term] if f.kind == "class" else f.affected
        worth = constants.class_weight if f.kind in ("class", "share") else f.patients
        affected.append(f.affected if f.kind == "count" else share * worth)
        patients.append(worth)
        counted.append(f.kind == "count")
    return Rows(
        disease=np.array([disease_at[r.disease] for r in rows], dtype=np.int64),
        term=np.array(terms, dtype=np.int64),
        affected=np.array(affected, dtype=np.float32),
        patients=np.array(patients, dtype=np.float32),
        counted=np.array(counted, dtype=np.bool_),
        negated=np.array([r.negated or r.frequency.term == EXCLUDED_CLASS for r in rows], dtype=np.bool_),
    )


def _group(disease: str) -> int:
    prefix = disease.partition(":")[0]
    return GROUPS.index(prefix) if prefix in GROUPS else GROUPS.index("all")


def _mean(full: Sparse, group: Ints, wanted: int, n_terms: int) -> Any:
    inside = np.ones(len(group), dtype=np.bool_) if GROUPS[wanted] == "all" else group == wanted
    taken = inside[full.disease]
    sums = np.bincount(full.term[taken], full.frequency[taken].astype(np.float32), n_terms)
    return sums / max(1, int(inside.sum()))


def _others(ontology: obo.Ontology, at: dict[str, int], alternative: dict[str, str]) -> dict[str, Any]:
    obsolete = {
        t.id: {"name": t.name, "replaced_by": list(t.replaced_by), "consider": list(t.consider)}
        for t in ontology.terms.values()
        if t.obsolete
    }
    outside = {t.id: t.name for t in ontology.terms.values() if not t.obsolete and t.id not in at}
    return {"alternative": alternative, "obsolete": obsolete, "outside": outside}


def _starts(sorted_positions: Ints, n: int) -> Ints:
    return np.searchsorted(sorted_positions, np.arange(n + 1)).astype(np.int32)


def _lists(name: str, lists: Sequence[Sequence[int]]) -> dict[str, Ints]:
    lengths = np.array([0, *(len(each) for each in lists)], dtype=np.int32)
    flat = np.array([i for each in lists for i in each], dtype=np.int32)
    return {f"{name}_start": np.cumsum(lengths, dtype=np.int32), name: flat}


def _lines(lines: Iterable[str]) -> Any:
    return np.frombuffer("\n".join(lines).encode(), dtype=np.uint8)


def _json(value: Any) -> Any:
    return np.frombuffer(json.dumps(value, ensure_ascii=False, sort_keys=True).encode(), dtype=np.uint8)
