"""Rank published cases and count how often their disease is found, in three regimes.

- ``as-is``: the annotations as released. **Circular**: many were curated from the very papers of the cases.
- ``own-paper-subtracted``: the case's own paper is taken out of its disease first (:mod:`.subtraction`).
- ``never-cited``: only cases whose paper no sign of their disease rests on.

A case is found when its own disease id is ranked: another entry of the same gene, a broader entry or the same
disease in the other source counts as missed. Ties are broken by id, as in any ranking.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from lab39.core.errors import InputError, UnknownNameError
from lab39.core.text import Text
from lab39.fhir.jsontext import loads
from lab39.solutions.raredisease import likelihood, metrics, ranking
from lab39.solutions.raredisease.constants import Constants, load_constants
from lab39.solutions.raredisease.index import Index
from lab39.solutions.raredisease.likelihood import Field
from lab39.solutions.raredisease.model import Candidates, Query
from lab39.solutions.raredisease.subtraction import Stated, is_cited, profile_without_paper, without_paper
from lab39.solutions.raredisease.terms import Resolved, resolve

Regime = Literal["as-is", "own-paper-subtracted", "never-cited"]
REGIMES: tuple[Regime, ...] = get_args(Regime)
CIRCULAR = Text("circulaire", "circular")
FOUND_WITHIN = 10
_TOLD = 5


@dataclass(frozen=True, slots=True)
class Case:
    """One published case. ``paper`` is ``""`` when the data names none; ``line`` is its place in the file."""

    id: str
    disease: str
    observed: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    paper: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case ranked.

    Attributes:
        rank: of the case's own disease among all candidates; ``None`` when it is not one of them or no sign of
            the case could be used.
        first, posterior: the disease ranked first and its probability; ``None`` and 0 without usable sign.
        p_background: probability of "none of these".
        emptied: no sign of the disease is left without the case's paper.
        milliseconds: from the query to the differential of ten with its evidence.
    """

    case: Case
    in_index: bool
    rank: int | None
    first: str | None
    posterior: float
    p_background: float
    emptied: bool
    milliseconds: float

    @property
    def right(self) -> bool:
        """Whether the disease is ranked first."""
        return self.rank == 1


@dataclass(frozen=True)
class Evaluation:
    """The outcomes of a set of cases in one regime."""

    regime: Regime
    candidates: Candidates
    outcomes: tuple[Outcome, ...]
    versions: Mapping[str, str]

    @property
    def label(self) -> Text | None:
        """The warning that belongs to every figure of this evaluation."""
        return CIRCULAR if self.regime == "as-is" else None

    @cached_property
    def counted(self) -> tuple[Outcome, ...]:
        """The cases whose disease is one of the candidates."""
        return tuple(o for o in self.outcomes if o.in_index)

    def as_dict(self) -> dict[str, Any]:
        """The JSON form.

        ``n`` and every figure are over the cases whose disease is in the index; ``all`` is over all cases, where
        those of other diseases count as missed. ``passed`` is the number found among the first ten; the others
        are in ``failures``. ``emptied`` diseases, of which nothing is left without the case's paper, count as
        missed. ``ece`` is over the probability of the first disease. Without cases a figure is null.
        """
        inside = self.counted
        failures = [_failure(o) for o in inside if not _found(o)]
        times = [o.milliseconds for o in inside]
        return {
            "regime": self.regime,
            "label": self.label.as_dict() if self.label else None,
            "candidates": self.candidates,
            "passed": len(inside) - len(failures),
            **_figures(inside),
            "p50_ms": _percentile(times, 50),
            "p95_ms": _percentile(times, 95),
            "emptied": sum(o.emptied for o in inside),
            "all": _figures(self.outcomes),
            "not_in_index": sorted({o.case.disease for o in self.outcomes if not o.in_index}),
            "failures": failures,
            "versions": dict(self.versions),
        }


def read_cases(path: Path) -> list[Case]:
    """Read published cases, one JSON object a line.

    ``id``, ``disease`` (``OMIM:154700``) and ``obs`` (HPO ids) are needed; ``exc`` and ``pmid`` are used when
    present; other members are left alone. Empty lines are allowed.

    Raises:
        InputError: naming every bad line by number: nothing is evaluated on part of a file.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(
            Text(f"lecture impossible\u202f: {reason}", f"cannot be read: {reason}"), str(path)
        ) from error
    cases: list[Case] = []
    first_at: dict[str, int] = {}
    wrong: list[InputError] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            case = _case(loads(line, place), number, place)
            if (before := first_at.setdefault(case.id, number)) != number:
                raise InputError(
                    Text(
                        f"le cas «\u202f{case.id}\u202f» est déjà à la ligne {before}",
                        f"case “{case.id}” is already on line {before}",
                    ),
                    place,
                )
            cases.append(case)
        except InputError as error:
            wrong.append(error)
    if wrong:
        raise _all_of(wrong)
    if not cases:
        raise InputError(Text("aucun cas", "no case"), str(path))
    return cases


def evaluate(
    index: Index,
    cases: Sequence[Case],
    *,
    regime: Regime = "as-is",
    candidates: Candidates = "OMIM",
    constants: Constants | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Evaluation:
    """Rank every case of a regime.

    Raises:
        UnknownNameError: no such regime.
    """
    if regime not in REGIMES:
        names = ", ".join(REGIMES)
        raise UnknownNameError(
            Text(
                f"régime inconnu\u202f: {regime}. Connus\u202f: {names}",
                f"unknown regime: {regime}. Known: {names}",
            )
        )
    constants = constants or load_constants()
    taken = [case for case in cases if in_regime(index, case, regime, candidates)]
    queries = [resolve(index, Query(case.observed, case.excluded)) for case in taken]
    fields = Fields(index, candidates, regime, taken, queries, constants)
    outcomes = []
    for done, (case, query) in enumerate(zip(taken, queries, strict=True), 1):
        outcomes.append(_outcome(fields.of(case), case, query, constants))
        if progress:
            progress(f"{done} / {len(taken)}", done / len(taken))
    return Evaluation(regime, candidates, tuple(outcomes), {**index.versions, "model": constants.version})


def in_index(index: Index, case: Case, candidates: Candidates = "OMIM") -> bool:
    """Whether the case's own disease competes."""
    at = index.disease_at.get(case.disease)
    return at is not None and bool(np.isin(at, index.members(candidates)))


def in_regime(index: Index, case: Case, regime: Regime, candidates: Candidates = "OMIM") -> bool:
    """Whether a case belongs to a regime; a case without paper cannot show that it was never cited."""
    if regime == "as-is":
        return True
    if regime == "own-paper-subtracted":
        return bool(case.paper)
    if not case.paper:
        return False
    at = index.disease_at.get(case.disease)
    return at is None or not in_index(index, case, candidates) or not is_cited(index, at, case.paper)


class Fields:
    """The diseases that compete for each case: one changed profile for each disease and paper, made once."""

    def __init__(
        self,
        index: Index,
        candidates: Candidates,
        regime: Regime,
        cases: Sequence[Case],
        queries: Sequence[Resolved],
        constants: Constants,
    ) -> None:
        self._index, self._candidates, self._constants = index, candidates, constants
        self._released = likelihood.field_of(index, candidates)
        self._made: dict[tuple[int, str], Field] = {}
        self._patients: dict[tuple[int, str], list[Resolved]] = defaultdict(list)
        if regime == "own-paper-subtracted":
            for case, query in zip(cases, queries, strict=True):
                if in_index(index, case, candidates):
                    self._patients[index.disease_at[case.disease], case.paper].append(query)

    def of(self, case: Case) -> Field:
        """The field of a case."""
        key = (self._index.disease_at.get(case.disease, -1), case.paper)
        if key not in self._patients or not is_cited(self._index, *key):
            return self._released
        if key not in self._made:
            left = without_paper(self._index, *key, Stated.by(self._patients[key]))
            profile = profile_without_paper(self._index, left, self._constants)
            self._made[key] = likelihood.field_of(self._index, self._candidates, key[0], profile)
        return self._made[key]


def _outcome(field: Field, case: Case, query: Resolved, constants: Constants) -> Outcome:
    at = field.index.disease_at.get(case.disease)
    place = None if at is None else int(np.searchsorted(field.members, at))
    if place is None or place >= len(field.members) or field.members[place] != at:
        place = None
    emptied = place is not None and field.replaced == at and not field.profile
    if not query.observed:
        return Outcome(case, place is not None, None, None, 0.0, 1.0, emptied, 0.0)
    started = time.perf_counter()
    resolve(field.index, Query(case.observed, case.excluded))
    score = likelihood.scores(field, query, constants)
    posterior, p_background = ranking.posteriors(score, len(query.observed), constants)
    found = [
        ranking.ranked(field, query, int(i), n, float(score[i]), float(posterior[i]), constants)
        for n, i in enumerate(ranking.best(score, FOUND_WITHIN), 1)
    ]
    milliseconds = 1000 * (time.perf_counter() - started)
    rank = None if place is None else rank_of(score, place)
    return Outcome(
        case, place is not None, rank, found[0].id, found[0].posterior, p_background, emptied, milliseconds
    )


def rank_of(score: Any, place: int) -> int:
    """Rank of one candidate, 1 is first; candidates are sorted by id and ties are broken by it."""
    return 1 + int((score > score[place]).sum()) + int((score[:place] == score[place]).sum())


def _figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    found = metrics.scores([o.rank for o in outcomes], [o.case.disease for o in outcomes])
    ranked = [o for o in outcomes if o.first is not None]
    ece = metrics.calibration_error([o.posterior for o in ranked], [o.right for o in ranked])
    return {**asdict(found), "ece": ece, "stands_out": _share([o.posterior > o.p_background for o in outcomes])}


def _found(outcome: Outcome) -> bool:
    return outcome.rank is not None and outcome.rank <= FOUND_WITHIN


def _failure(outcome: Outcome) -> dict[str, Any]:
    case = outcome.case
    reason = "no-usable-sign" if outcome.first is None else "not-in-first-ten"
    return {"id": case.id, "line": case.line, "disease": case.disease, "rank": outcome.rank, "reason": reason}


def _share(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None


def _percentile(values: Sequence[float], percent: float) -> float | None:
    return float(np.percentile(values, percent)) if values else None


def _case(row: object, line: int, place: str) -> Case:
    if not isinstance(row, dict):
        raise InputError(Text("un objet JSON est attendu", "a JSON object is expected"), place)
    return Case(
        id=_word(row, "id", place),
        disease=_word(row, "disease", place),
        observed=_words(row, "obs", place, needed=True),
        excluded=_words(row, "exc", place, needed=False),
        paper=_word(row, "pmid", place, needed=False),
        line=line,
    )


def _word(row: Mapping[str, object], name: str, place: str, *, needed: bool = True) -> str:
    value = row.get(name)
    if value is None and not needed:
        return ""
    if not isinstance(value, str) or (needed and not value.strip()):
        raise InputError(
            Text(f"«\u202f{name}\u202f» doit être un texte non vide", f"“{name}” must be a text, not empty"), place
        )
    return value.strip()


def _words(row: Mapping[str, object], name: str, place: str, *, needed: bool) -> tuple[str, ...]:
    value = row.get(name)
    if value is None and not needed:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InputError(
            Text(
                f"«\u202f{name}\u202f» doit être une liste d'identifiants HPO (HP:0001250)",
                f"“{name}” must be a list of HPO ids (HP:0001250)",
            ),
            place,
        )
    return tuple(value)


def _all_of(wrong: Sequence[InputError]) -> InputError:
    if len(wrong) == 1:
        return wrong[0]
    told, more = wrong[:_TOLD], len(wrong) - _TOLD
    return InputError(
        Text(
            "\n".join([f"{len(wrong)} lignes illisibles", *(e.say("fr") for e in told)])
            + (f"\n… et {more} autres" if more > 0 else ""),
            "\n".join([f"{len(wrong)} lines cannot be read", *(e.say("en") for e in told)])
            + (f"\n… and {more} more" if more > 0 else ""),
        )
    )
