"""The words of the field: a query of signs, the evidence for one disease, a ranking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from lab39.core.text import Text

Candidates = Literal["OMIM", "ORPHA", "all"]
Sex = Literal["female", "male"]


@dataclass(frozen=True, slots=True)
class Query:
    """What is known of one person.

    Attributes:
        observed: HPO ids of the signs seen (``HP:0001250``). Order and repeats do not matter.
        excluded: HPO ids of the signs looked for and not found. A sign in neither list is *unknown*.
        sex: kept for the reader and for later re-ranking; the likelihood ratio does not use it.
    """

    observed: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    sex: Sex | None = None


@dataclass(frozen=True, slots=True)
class IgnoredTerm:
    """A term of the query that was not used, and why.

    ``code``: ``malformed``, ``unknown``, ``obsolete``, ``outside-phenotype`` or ``contradiction``.
    """

    term: str
    code: str
    text: Text


@dataclass(frozen=True, slots=True)
class MappedTerm:
    """A term used under its current id. ``code``: ``alternative-id`` or ``replaced``."""

    given: str
    used: str
    label: str
    code: str
    text: Text


@dataclass(frozen=True, slots=True)
class Statement:
    """How the annotations state a frequency; ``statements.say`` puts it in words.

    Attributes:
        term: the sign it is about: the one asked for, or a kind of it.
        affected, patients: m of n patients counted, over all rows of the sign; 0 of 0 when none are.
        frequency_class: an HPO frequency class (``HP:0040281``), when nobody is counted.
        share: a percentage without its patients (0-1), when there is neither.
    """

    term: str
    affected: int = 0
    patients: int = 0
    frequency_class: str = ""
    share: float | None = None


@dataclass(frozen=True, slots=True)
class TermEvidence:
    """What one sign of the query says about one disease.

    Attributes:
        term, label: the sign of the query.
        kind: ``observed`` or ``excluded``.
        matched, matched_label: the term of the disease's profile it was compared with: the sign itself
            (which holds what is annotated below it) or one of its ancestors; ``None`` when nothing matches.
        distance: is-a steps from the sign up to ``matched``.
        frequency: the model's estimate of the share of patients with this disease who have ``matched`` (0-1);
            ``None`` when not annotated. Never shown: ``statement`` is.
        background: mean of that share over the candidate diseases (0-1).
        statement: how the annotations state that frequency; ``None`` when they only say that the sign occurs.
        log_lr: contribution to the score, natural logarithm; above 0 speaks for the disease.
    """

    term: str
    label: str
    kind: Literal["observed", "excluded"]
    matched: str | None
    matched_label: str | None
    distance: int | None
    frequency: float | None
    background: float | None
    statement: Statement | None
    log_lr: float


@dataclass(frozen=True, slots=True)
class RankedDisease:
    """One candidate.

    Attributes:
        rank: 1 is first; ties are broken by id, so a ranking is always the same.
        score: sum of the log likelihood ratios, natural logarithm (excluded signs at their learned weight).
        posterior: probability of this disease under the model (0-1); see ``ranking.posteriors``.
        evidence_for, evidence_against: the signs, strongest first.
        evidence_nil: the signs that say nothing either way (``constants.negligible``). Contributions of all three
            sum to ``score``.
    """

    id: str
    name: str
    rank: int
    score: float
    posterior: float
    evidence_for: tuple[TermEvidence, ...] = ()
    evidence_against: tuple[TermEvidence, ...] = ()
    evidence_nil: tuple[TermEvidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranking:
    """A differential.

    Attributes:
        candidates: best first, as many as were asked for.
        p_background: probability that no disease of the index explains the signs better than chance.
        n_candidates: how many diseases competed.
        observed, excluded: the terms used, as current HPO ids, sorted.
        ignored, mapped: the terms that were not used, or used under another id.
        versions: ``hpo``, ``hpoa``, ``model``, ``index``.
    """

    candidates: tuple[RankedDisease, ...]
    p_background: float
    n_candidates: int
    observed: tuple[str, ...]
    excluded: tuple[str, ...]
    ignored: tuple[IgnoredTerm, ...] = ()
    mapped: tuple[MappedTerm, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def stands_out(self) -> bool:
        """Whether the first disease is more probable than "none of the index"."""
        return bool(self.candidates) and self.candidates[0].posterior > self.p_background

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {**asdict(self), "versions": dict(self.versions), "stands_out": self.stands_out}


@dataclass(frozen=True, slots=True)
class ExpectedSign:
    """A frequent sign of a disease that the query neither states nor excludes: worth asking.

    ``frequency`` is the model's estimate (0-1), ``statement`` what the annotations state; ``background`` the mean
    share over the candidate diseases.
    """

    term: str
    label: str
    frequency: float
    statement: Statement
    background: float


@dataclass(frozen=True, slots=True)
class Question:
    """A sign to ask about next.

    Attributes:
        gain: expected information gain, nats.
        disease, disease_name: the candidate that shows the sign most.
        frequency, statement: as in :class:`TermEvidence`.
        background: mean share over the candidate diseases.
    """

    term: str
    label: str
    gain: float
    disease: str
    disease_name: str
    frequency: float
    statement: Statement | None
    background: float


@dataclass(frozen=True, slots=True)
class SignMatch:
    """A sign found by words. ``matched`` is the label or synonym that fits; ``likeness`` goes from 0 to 1."""

    term: str
    label: Text
    matched: str
    likeness: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """One disease explained for one query.

    Attributes:
        disease: the disease with its evidence, its rank and posterior among the candidates.
        absent_though_frequent: excluded signs present in at least half of the patients.
        expected: frequent signs not stated, the most telling first.
        not_in_disease: observed signs that the annotations say are *absent* in this disease (qualifier NOT).
    """

    disease: RankedDisease
    absent_though_frequent: tuple[TermEvidence, ...]
    expected: tuple[ExpectedSign, ...]
    not_in_disease: tuple[TermEvidence, ...]
    ignored: tuple[IgnoredTerm, ...]
    mapped: tuple[MappedTerm, ...]
    versions: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {**asdict(self), "versions": dict(self.versions)}
