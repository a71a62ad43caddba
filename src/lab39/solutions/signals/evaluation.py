"""How well scores tell known reactions from pairs known to be none: AUC with its interval, the raw count beside.

A pair of the reference that nobody reported is scored like the others, from the margins of its drug and its event;
a pair whose drug or event the base does not have at all cannot be scored, and is counted apart. Intervals:
percentile bootstrap, pairs drawn within the positives and within the negatives.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals import disproportionality as dp
from lab39.solutions.signals import gps
from lab39.solutions.signals.arrays import Bools, Floats, numbers

if TYPE_CHECKING:
    import pyarrow as pa

RAW_COUNT = "raw count"
SCORES = (RAW_COUNT, "prr", "prr025", "ror025", "ic", "ic025", "ebgm", "eb05", "triage")
"""What is measured, in order: columns of a run, the count first; ``triage`` is the rank, best first."""
DRAWS, SEED, LEAST = 2000, 39, 3
"""Draws of the bootstrap, its seed, and how many pairs of each kind a group needs."""

_TRUE = ("1", "true", "yes", "y", "positive", "oui", "vrai", "o")
_FALSE = ("0", "false", "no", "n", "negative", "non", "faux")


@dataclass(frozen=True, slots=True)
class Reference:
    """A pair of which it is known whether the drug causes the event.

    Attributes:
        drug: name, as counted; capitals and blanks do not matter.
        event: name, as counted.
        truth: whether it is a known reaction.
        outcome: what the pair is grouped under, beside all pairs together.
        date: when it became known (``2015``, ``2015-07``, ``2015-07-21``), or None.
    """

    drug: str
    event: str
    truth: bool
    outcome: str = ""
    date: str | None = None


@dataclass(frozen=True, slots=True)
class Auc:
    """Area under the ROC curve, with a 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Group:
    """Pairs of one outcome, or all of them.

    Attributes:
        name: ``all``, or the outcome.
        positives: pairs that are known reactions.
        negatives: pairs that are none.
        auc: by score, the raw count first.
    """

    name: str
    positives: int
    negatives: int
    auc: Mapping[str, Auc]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came out.

    Attributes:
        pairs: pairs of the reference.
        scored: pairs that could be scored.
        without_report: of these, pairs that nobody reported.
        left_out: pairs whose drug or event is not in the base.
        groups: all pairs, then each outcome with enough pairs of both kinds.
    """

    pairs: int
    scored: int
    without_report: int
    left_out: tuple[Reference, ...]
    groups: tuple[Group, ...]

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "n": self.pairs,
            "scored": self.scored,
            "without_report": self.without_report,
            "left_out": len(self.left_out),
            "auc": {
                group.name: {
                    "positives": group.positives,
                    "negatives": group.negatives,
                    **{name: [round(x, 4) for x in (a.value, a.low, a.high)] for name, a in group.auc.items()},
                }
                for group in self.groups
            },
        }


def evaluate(
    table: pa.Table,
    reference: Sequence[Reference],
    *,
    n_total: int,
    prior: gps.Prior | None = None,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Evaluation:
    """Measure a run on a reference set.

    Args:
        table: of a detection or a run: ``drug``, ``event`` and its scores, ``triage_rank`` when it has one.
        reference: pairs of which the truth is known.
        n_total: distinct reports of the base.
        prior: of GPS; without it EBGM and EB05 are not measured.
        draws: of the bootstrap.
        seed: the same seed gives the same intervals.

    Raises:
        InputError: no pair can be scored, or fewer than three of a kind in all.
    """
    drugs, events = _margins(table, "drug"), _margins(table, "event")
    there: list[Reference] = []
    left_out: list[Reference] = []
    for pair in reference:
        (there if _folded(pair.drug) in drugs and _folded(pair.event) in events else left_out).append(pair)
    if not there:
        raise InputError(
            Text(
                "aucun couple de la référence n'a son médicament et son événement dans la base\u202f: vérifiez les "
                "noms",
                "no pair of the reference has its drug and its event in the base: check the names",
            ),
            "reference",
        )
    scores = _scores(table, there, drugs, events, n_total, prior)
    truth = np.array([pair.truth for pair in there])
    names = dict.fromkeys(pair.outcome for pair in there if pair.outcome)
    groups = []
    for name in ("all", *names):
        mine = np.array([name in ("all", pair.outcome) for pair in there])
        if found := group_auc(name, truth[mine], {s: x[mine] for s, x in scores.items()}, draws=draws, seed=seed):
            groups.append(found)
    if not groups:
        raise InputError(
            Text(
                f"attendu au moins {LEAST} couples vrais et {LEAST} faux dont la base a le médicament et "
                f"l'événement\u202f; trouvé {int(truth.sum())} et {int((~truth).sum())}",
                f"at least {LEAST} true and {LEAST} false pairs whose drug and event are in the base are needed; "
                f"found {int(truth.sum())} and {int((~truth).sum())}",
            ),
            "reference",
        )
    return Evaluation(
        len(reference), len(there), int((scores[RAW_COUNT] == 0).sum()), tuple(left_out), tuple(groups)
    )


def group_auc(
    name: str, truth: Bools, scores: Mapping[str, Floats], *, draws: int = DRAWS, seed: int = SEED
) -> Group | None:
    """AUC of each score on the same pairs, the same draws for all; None with too few pairs of a kind."""
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if min(positives, negatives) < LEAST:
        return None
    made = {each: auc(values[truth], values[~truth], draws=draws, seed=seed) for each, values in scores.items()}
    return Group(name, positives, negatives, made)


def auc(positives: ArrayLike, negatives: ArrayLike, *, draws: int = DRAWS, seed: int = SEED) -> Auc:
    """Probability that a positive scores above a negative, ties for one half, with its bootstrap interval.

    Args:
        positives: scores [positives]; higher means suspected more.
        negatives: scores [negatives].
        draws: of the bootstrap.
        seed: the same seed gives the same interval.

    Raises:
        InputError: no score of a kind, or one that is not a number.
    """
    p, n = numbers("positives", positives).ravel(), numbers("negatives", negatives).ravel()
    if not (p.size and n.size):
        raise InputError(Text("attendu au moins un couple de chaque sorte", "a pair of each kind is needed"))
    wins = (p[:, None] > n[None, :]) + 0.5 * (p[:, None] == n[None, :])
    random = np.random.default_rng(seed)
    drawn_p = random.multinomial(p.size, np.full(p.size, 1 / p.size), draws).astype(np.float64)
    drawn_n = random.multinomial(n.size, np.full(n.size, 1 / n.size), draws).astype(np.float64)
    resampled = ((drawn_p @ wins) * drawn_n).sum(axis=1) / (p.size * n.size)
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Auc(float(wins.mean()), float(low), float(high))


def read_reference(path: Path) -> list[Reference]:
    """A reference set from a CSV with ``drug``, ``event``, ``truth`` and, when known, ``outcome`` and ``date``.

    Raises:
        InputError: a column is missing, or a line has no name or a truth that is neither 1 nor 0.
    """
    made = []
    for line, row in _rows(path, ("drug", "event", "truth")):
        truth = row["truth"].casefold()
        if truth not in (*_TRUE, *_FALSE):
            raise InputError(
                Text(f"truth vaut «\u202f{truth}\u202f», attendu 1 ou 0", f'truth is "{truth}", expected 1 or 0'),
                f"{path}:{line}",
            )
        made.append(
            Reference(row["drug"], row["event"], truth in _TRUE, row.get("outcome", ""), row.get("date") or None)
        )
    if not made:
        raise InputError(Text("aucune ligne sous l'en-tête", "no line under the header"), str(path))
    return made


def read_known(path: Path) -> list[tuple[str, str]]:
    """Known reactions from a CSV with ``drug`` and ``event``.

    Raises:
        InputError: a column is missing, or a line lacks a name.
    """
    return [(row["drug"], row["event"]) for _, row in _rows(path, ("drug", "event"))]


def _rows(path: Path, needed: Sequence[str]) -> Iterable[tuple[int, dict[str, str]]]:
    """The lines of a CSV, names of columns in small letters, values trimmed."""
    from lab39.solutions.signals.sources import delimiter, lines

    reader = csv.DictReader(lines(path), delimiter=delimiter(path))
    names = [(name or "").strip().casefold() for name in reader.fieldnames or ()]
    for name in needed:
        if name not in names:
            listed = ", ".join(names)
            raise InputError(
                Text(
                    f"colonne «\u202f{name}\u202f» absente\u202f; le fichier a {listed}",
                    f'no column "{name}"; the file has {listed}',
                ),
                f"{path}:1",
            )
    reader.fieldnames = names
    for row in reader:
        told = {name: (value or "").strip() for name, value in row.items() if isinstance(name, str)}
        for name in needed:
            if not told[name]:
                raise InputError(
                    Text(f"valeur absente\u202f: {name}", f"missing value: {name}"), f"{path}:{reader.line_num}"
                )
        yield reader.line_num, told


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def _margins(table: pa.Table, role: str) -> dict[str, tuple[str, float]]:
    """Reports of each name of the table, by the name without capitals; the commonest spelling counts."""
    import pyarrow.compute as pc

    column = table[role].combine_chunks()
    if hasattr(column, "dictionary"):
        codes, names = np.from_dlpack(column.indices), column.dictionary.to_pylist()
    else:
        kinds = pc.unique(column)
        codes, names = np.from_dlpack(pc.index_in(column, kinds)), kinds.to_pylist()
    margin = np.zeros(len(names))
    margin[codes] = np.from_dlpack(table[f"n_{role}"].combine_chunks())
    made: dict[str, tuple[str, float]] = {}
    for name, n in zip(names, margin.tolist(), strict=True):
        if n and n > made.get(_folded(name), ("", 0.0))[1]:
            made[_folded(name)] = (name, n)
    return made


def _scores(
    table: pa.Table,
    pairs: Sequence[Reference],
    drugs: Mapping[str, tuple[str, float]],
    events: Mapping[str, tuple[str, float]],
    n_total: int,
    prior: gps.Prior | None,
) -> dict[str, Floats]:
    """Every score of each pair [pairs]; what nobody reported is scored from the margins."""
    spelt = [(drugs[_folded(pair.drug)][0], events[_folded(pair.event)][0]) for pair in pairs]
    wanted = set(spelt)
    rows = _found(table, wanted)
    n_drug = np.array([drugs[_folded(pair.drug)][1] for pair in pairs])
    n_event = np.array([events[_folded(pair.event)][1] for pair in pairs])
    n = np.array([float(rows[pair]["n"]) if pair in rows else 0.0 for pair in spelt])
    of_margins = dp.expected(n_drug, n_event, n_total)
    e = np.array([rows[p]["expected"] if p in rows else x for p, x in zip(spelt, of_margins.tolist(), strict=True)])
    total = dp.table_total(n, n_drug, n_event, n_total)  # a run may be of pairs that rows couple
    prr, ror, ic = dp.prr(n, n_drug, n_event, total), dp.ror(n, n_drug, n_event, total), dp.ic(n, e)
    made = {
        RAW_COUNT: n, "prr": prr.value, "prr025": prr.low, "ror025": ror.low, "ic": ic.value, "ic025": ic.low,
    }  # fmt: skip
    if prior is not None:
        shrunk = gps.scores(prior, n, e)
        made |= {"ebgm": shrunk.ebgm.value, "eb05": shrunk.ebgm.low}
    if "triage_rank" in table.column_names:
        last = table.num_rows + 1
        made["triage"] = np.array([-float(rows[p]["triage_rank"]) if p in rows else -float(last) for p in spelt])
    return made


def _found(table: pa.Table, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows of the wanted pairs."""
    import pyarrow as pa
    import pyarrow.compute as pc

    some = pa.array(sorted({drug for drug, _ in wanted}), pa.string())
    columns = ["drug", "event", "n", "expected"]
    columns += [name for name in ("triage_rank",) if name in table.column_names]
    of_drugs = table.select(columns).filter(pc.is_in(pc.cast(table["drug"], pa.string()), some))
    return {
        (row["drug"], row["event"]): row for row in of_drugs.to_pylist() if (row["drug"], row["event"]) in wanted
    }
