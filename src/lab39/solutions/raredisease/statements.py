"""How the annotations themselves state the frequency of a sign: patients counted, a class, a percentage.

The model estimates a frequency for its arithmetic (one patient of one enters the score as 75 %). A reader is shown
what the source states instead.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

import numpy as np

from lab39.core.text import Text, number, percent
from lab39.solutions.raredisease.index import PREFIX, Index
from lab39.solutions.raredisease.model import Statement, TermEvidence
from lab39.solutions.raredisease.obo import PHENOTYPE
from lab39.solutions.raredisease.profiles import spans

UNSTATED = Text("fréquence non précisée", "frequency not stated")
PERCENT_FROM = 5
"""Patients from which a percentage is shown beside their number."""


class Statements:
    """What the annotations of one disease (position) state."""

    def __init__(self, index: Index, disease: int) -> None:
        self._index, self._disease = index, disease
        rows, _ = index.rows_of(disease)
        self._rows, self._class = rows, index.classes_of(disease)
        signs = np.array(sorted(set(rows.term[~rows.negated].tolist())), dtype=np.int64)
        first, n_above = index.up.start[signs], index.up.start[signs + 1] - index.up.start[signs]
        self._n_above = dict(zip(signs.tolist(), n_above.tolist(), strict=True))
        self._kind, self._above = np.repeat(signs, n_above), index.up.term[spans(first, n_above)]  # side by side

    def of(self, term: int) -> Statement | None:
        """The statement behind ``index.frequency(term, disease)``; ``None`` when the source states no frequency.

        A disease shows a sign at least as often as any kind of it: the statement may be about a kind.
        """
        kinds = self._kind[self._above == term].tolist()
        if not kinds:
            return None
        return self._stated(max(kinds, key=lambda t: (self._index.frequency(t, self._disease), self._n_above[t])))

    def _stated(self, term: int) -> Statement | None:
        rows = self._rows
        here = (rows.term == term) & ~rows.negated & (rows.patients > 0)
        counts = here & rows.counted
        about = self._index.term_ids[term]
        if counts.any():
            affected, patients = (round(float(column[counts].sum())) for column in (rows.affected, rows.patients))
            return Statement(about, affected=affected, patients=patients)
        if not here.any():
            return None
        first = int(here.argmax())
        if self._class[first]:
            return Statement(about, frequency_class=f"{PREFIX}{int(self._class[first]):07d}")
        return Statement(about, share=float(rows.affected[first] / rows.patients[first]))


def say(statement: Statement, term: str) -> Text:
    """What is stated of ``term`` in words: "3 malades sur 4", "8 malades sur 10 (80 %)", "fréquent (30-79 %)"."""
    if statement.patients:
        found = _counted(statement.affected, statement.patients)
    elif statement.frequency_class:
        found = class_words(statement.frequency_class)
    else:
        fr, en = (percent(statement.share or 0.0, lang, digits=0) for lang in ("fr", "en"))
        found = Text(f"{fr} des malades (effectif non précisé)", f"{en} of patients (number not stated)")
    if statement.term == term:
        return found
    return Text(f"au moins {found.fr}", f"at least {found.en}")


def rests_on(sign: TermEvidence) -> Text:
    """What the annotations of a disease say of a sign of the query, in words."""
    if sign.matched is None or sign.matched == PHENOTYPE:  # sharing only the root is sharing nothing
        return Text("non annoté", "not annotated")
    return say(sign.statement, sign.matched) if sign.statement else UNSTATED


@cache
def class_words(term: str) -> Text:
    """An HPO frequency class by its name and bounds, ``knowledge/frequencies.toml``."""
    path = files("lab39.solutions.raredisease") / "knowledge" / "frequencies.toml"
    return Text.of(tomllib.loads(path.read_text("utf-8"))["class"][term])


def _counted(affected: int, patients: int) -> Text:
    m_fr, n_fr = (number(x, "fr") for x in (affected, patients))
    m_en, n_en = (number(x, "en") for x in (affected, patients))
    fr = f"{m_fr} malade{'s' if affected > 1 else ''} sur {n_fr}"
    en = f"{m_en} of {n_en} patient{'s' if patients > 1 else ''}"
    if patients >= PERCENT_FROM:
        share = affected / patients
        fr, en = f"{fr} ({percent(share, 'fr', digits=0)})", f"{en} ({percent(share, 'en', digits=0)})"
    return Text(fr, en)
