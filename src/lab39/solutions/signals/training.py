"""Weights of the triage learned from dated references, when the user trains them; none are shipped.

As vigiRank was made: a logistic regression with shrinkage on the aspects of each pair's reports. Each reference
pair is seen as the base stood before the quarter of its date, so that nothing reported after a signal was known
(more reports, better told) teaches what an early signal looks like.
Source of the method: Caster, Juhlin, Watson, Norén. Drug Saf 2014, doi:10.1007/s40264-014-0204-5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lab39.core.errors import InputError
from lab39.core.text import Lang, Text, number
from lab39.solutions.signals.adjusted import ridge_logistic
from lab39.solutions.signals.arrays import CannotFitError, Floats, to_arrow
from lab39.solutions.signals.components import Components, components
from lab39.solutions.signals.counting import count, store_tables
from lab39.solutions.signals.counts import Counts
from lab39.solutions.signals.disproportionality import ic
from lab39.solutions.signals.evaluation import Reference
from lab39.solutions.signals.sources import Store

if TYPE_CHECKING:
    import pyarrow as pa

    from lab39.solutions.signals.engines import Engine

FEATURES = ("ic025", "informative", "recent", "countries", "narratives")
"""What is weighed: IC025 as it is, and log2(1 + number) of the others."""
LEAST = 10
"""Pairs of each kind that training needs."""
PENALTY = 1.0

_NAMES = {
    "ic025": Text("Disproportion (IC025)", "Disproportion (IC025)"),
    "informative": Text("Notifications bien documentées", "Well documented reports"),
    "recent": Text("Notifications récentes", "Recent reports"),
    "countries": Text("Pays", "Countries"),
    "narratives": Text("Notifications avec un récit", "Reports with a narrative"),
}


@dataclass(frozen=True, slots=True)
class Trained:
    """Learned weights.

    Attributes:
        features: those that the base tells, out of :data:`FEATURES`.
        mean: of each feature among the references; ``spread`` is its standard deviation.
        spread: a feature is centred and divided by it.
        weights: log odds ratio of one spread.
        intercept: log odds of a pair with average features.
        positives: references that were known reactions.
        negatives: references that were none.
        left_out: references whose drug or event no report had before their date.
        dates: first and last date of the references.
    """

    features: tuple[str, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    positives: int
    negatives: int
    left_out: int
    dates: tuple[str, str]

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Trained:
        """Weights out of their JSON form.

        Raises:
            InputError: a part is missing.
        """
        try:
            parts: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in told.items()}
            return cls(**parts)
        except TypeError as error:
            raise InputError(Text("poids incomplets", "incomplete weights"), "weights") from error


def quarter_of(date: str) -> str:
    """``2015Q3`` for ``2015-07-21`` or ``2015-07``; the first quarter for a year alone, so that nothing is late.

    Raises:
        InputError: not a date.
    """
    year, _, rest = date.partition("-")
    month = rest[:2] or "01"
    if not (year.isdigit() and len(year) == 4 and month.isdigit() and 1 <= int(month) <= 12):
        raise InputError(
            Text("attendu une date comme 2015-07-21", "a date like 2015-07-21 is expected"), f"date {date}"
        )
    return f"{year}Q{(int(month) + 2) // 3}"


def train(
    store: Store,
    reference: Sequence[Reference],
    engine: Engine,
    *,
    penalty: float = PENALTY,
) -> Trained:
    """Learn weights on dated references; the base is counted once for each quarter among the dates.

    Args:
        store: reports with their ``quarter``.
        reference: pairs with the date at which the truth became known.
        engine: see :mod:`lab39.solutions.signals.engines`.
        penalty: of the ridge, on standardised features.

    Raises:
        InputError: a pair has no date, or the store has no quarters.
        CannotFitError: fewer than 10 usable pairs of a kind.
    """
    undated = [pair for pair in reference if not pair.date]
    if undated:
        raise InputError(
            Text(
                f"{len(undated)} couples de la référence n'ont pas de date\u202f: sans elle, des notifications "
                f"postérieures au signal seraient apprises",
                f"{len(undated)} pairs of the reference have no date: without it, reports later than the signal "
                f"would be learned from",
            ),
            "date",
        )
    by_quarter: dict[str, list[Reference]] = {}
    for pair in reference:
        by_quarter.setdefault(quarter_of(pair.date or ""), []).append(pair)
    rows, truth, left_out = [], [], 0
    for quarter, pairs in sorted(by_quarter.items()):
        found = _as_of(store, quarter, pairs, engine)
        left_out += sum(each is None for each in found)
        for pair, each in zip(pairs, found, strict=True):
            if each is not None:
                rows.append(each)
                truth.append(pair.truth)
    positives, negatives = sum(truth), len(truth) - sum(truth)
    if min(positives, negatives) < LEAST:
        raise CannotFitError(
            Text(
                f"attendu au moins {LEAST} couples vrais et {LEAST} faux notifiés avant leur date\u202f; "
                f"trouvé {positives} et {negatives}",
                f"at least {LEAST} true and {LEAST} false pairs reported before their date are needed; found "
                f"{positives} and {negatives}",
            ),
            "reference",
        )
    return _fitted(np.array(rows), np.array(truth), penalty, left_out, [str(pair.date) for pair in reference])


def _fitted(x: Floats, truth: Any, penalty: float, left_out: int, dates: Sequence[str]) -> Trained:
    told = [bool(each) for each in np.atleast_1d(~np.isnan(x).all(axis=0))]
    x = x[:, np.array(told)]
    mean = np.nanmean(x, axis=0)
    spread = np.nanstd(x, axis=0)
    spread[spread == 0] = 1.0
    z = np.nan_to_num((x - mean) / spread)  # what one pair does not tell is taken as average
    fitted = ridge_logistic(z, truth.astype(float), penalty=penalty)
    return Trained(
        tuple(name for name, there in zip(FEATURES, told, strict=True) if there),
        tuple(mean.tolist()),
        tuple(spread.tolist()),
        tuple(fitted.coefficients.tolist()),
        fitted.intercept,
        int(truth.sum()),
        int((~truth).sum()),
        left_out,
        (min(dates), max(dates)),
    )


def _as_of(store: Store, quarter: str, pairs: Sequence[Reference], engine: Engine) -> list[list[float] | None]:
    """The features of pairs as the base stood before a quarter; None where the drug or the event was not there."""
    earlier = replace(store, before=min(quarter, store.before) if store.before else quarter)
    rows = store_tables(earlier, engine)
    if not engine.arrow(rows.drugs.join(rows.events, "report_id").select("report_id").limit(1)).num_rows:
        return [None] * len(pairs)
    counts, found = count(earlier, engine), components(earlier, engine)
    codes = (_codes(counts.drugs), _codes(counts.events))
    return [_features(pair, counts, found, codes) for pair in pairs]


def _codes(names: Any) -> dict[str, int]:
    return {" ".join(name.split()).casefold(): at for at, name in enumerate(names.to_pylist())}


def _features(
    pair: Reference, counts: Counts, found: Components, codes: tuple[dict[str, int], dict[str, int]]
) -> list[float] | None:
    drug, event = (
        code.get(" ".join(name.split()).casefold())
        for code, name in zip(codes, (pair.drug, pair.event), strict=True)
    )
    if drug is None or event is None:
        return None
    size = len(counts.events)
    keys = counts.drug.astype(np.int64) * size + counts.event
    at = int(np.searchsorted(keys, drug * size + event))
    there = at < keys.size and keys[at] == drug * size + event
    n = float(counts.n[at]) if there else 0.0
    e = counts.n_drug[drug] * counts.n_event[event] / counts.n_total
    told = {name: ~np.isnan(found.values[name]).all() for name in FEATURES[1:]}
    values = [float(ic([n], [e]).low[0])]
    for name in FEATURES[1:]:
        value = float(found.values[name][at]) if there else 0.0 if told[name] else np.nan
        values.append(float(np.log2(1 + value)))
    return values


def features(table: pa.Table) -> Floats:
    """The features of each row of a table of triage [rows, features], NaN where nothing tells."""
    import pyarrow.compute as pc

    columns = []
    for name in FEATURES:
        filled = pc.fill_null(pc.cast(table[name].combine_chunks(), "float64"), float("nan"))
        value = np.array(np.from_dlpack(filled), dtype=np.float64)
        columns.append(value if name == "ic025" else np.log2(1 + value))
    return np.stack(columns, axis=1)


def weighed(table: pa.Table, trained: Trained) -> pa.Table:
    """A table of triage with ``trained_score`` (log odds) and ``trained_rank`` (1 is the pair to open first).

    The score orders pairs; it is not a probability that the drug causes the event: the references have their own
    share of known reactions.
    """
    score = trained.intercept + _contributions(features(table), trained).sum(axis=1)
    rank = np.empty(score.size, dtype=np.int64)
    rank[np.argsort(-score, kind="stable")] = np.arange(1, score.size + 1)
    return table.append_column("trained_score", to_arrow(score)).append_column("trained_rank", to_arrow(rank))


def _contributions(x: Floats, trained: Trained) -> Floats:
    mine = [FEATURES.index(name) for name in trained.features]
    z = (x[:, mine] - np.array(trained.mean)) / np.array(trained.spread)
    return np.asarray(np.nan_to_num(z) * np.array(trained.weights), dtype=np.float64)


def explain(row: Mapping[str, Any], trained: Trained) -> tuple[Text, ...]:
    """What each feature brings to a pair's learned rank, largest first.

    Args:
        row: a row of :func:`weighed`.
        trained: the weights.
    """
    told = [row[name] for name in FEATURES]
    x = np.array(
        [
            np.nan if value is None else float(value) if name == "ic025" else np.log2(1 + float(value))
            for name, value in zip(FEATURES, told, strict=True)
        ]
    )
    brought = _contributions(x[None, :], trained)[0]
    made = [
        Text(
            f"Rang {number(row['trained_rank'], 'fr')} selon des poids appris sur {trained.positives} réactions "
            f"connues et {trained.negatives} couples sans lien, vus avant leur date.",
            f"Rank {number(row['trained_rank'], 'en')} by weights learned on {trained.positives} known reactions "
            f"and {trained.negatives} unrelated pairs, seen before their date.",
        )
    ]
    for at in np.argsort(-np.abs(brought), kind="stable"):
        name = trained.features[int(at)]
        if row[name] is None:
            made.append(
                Text(
                    f"{_NAMES[name].fr}\u202f: inconnu, pris comme la moyenne.",
                    f"{_NAMES[name].en}: unknown, taken as average.",
                )
            )
            continue
        shown = {lang: _shown(name, row[name], lang) for lang in ("fr", "en")}
        gain = {lang: _signed(float(brought[at]), lang) for lang in ("fr", "en")}
        made.append(
            Text(
                f"{_NAMES[name].fr}\u202f: {shown['fr']} (apport {gain['fr']}).",
                f"{_NAMES[name].en}: {shown['en']} (brings {gain['en']}).",
            )
        )
    return tuple(made)


def _shown(name: str, value: float, lang: Lang) -> str:
    return number(float(value), lang, digits=2) if name == "ic025" else number(int(value), lang)


def _signed(value: float, lang: Lang) -> str:
    return ("+" if value >= 0 else "") + number(value, lang, digits=2)
