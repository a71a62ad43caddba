"""Expected counts adjusted for the other drugs of a report, age, sex and year: regression-adjusted GPS.

One penalised (ridge) logistic regression for each event: the probability that a report has it, given the report's
drugs that go with the event, and strata. A drug's expectation is the sum, over its reports, of that probability
with the drug's own effect taken out. It replaces n_drug · n_event / N before GPS shrinks the ratio, which takes out
what a co-reported drug explains (the "innocent bystander") and what another drug's reports mask.

Source: DuMouchel and Harpaz, *Regression-Adjusted GPS Algorithm (RGPS)*, Oracle White Paper, November 2012 (its
overview and summary, and Oracle's description of the computation). The details of its extended logistic regression
were not opened: how predictors are chosen, and the strength of the penalty, are choices made here, stated below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from lab39.core.errors import InputError, UnknownNameError
from lab39.core.text import Text
from lab39.solutions.signals import gps, lrt
from lab39.solutions.signals.arrays import CannotFitError, Floats, Ints, counts, of_arrow, to_arrow
from lab39.solutions.signals.counting import by_code, distinct_rows, margin
from lab39.solutions.signals.sources import Pairs, Store

if TYPE_CHECKING:
    import pyarrow as pa

    from lab39.solutions.signals.engines import Engine

BY = ("sex", "age", "year")
PREDICTORS = 60
"""At most so many drugs in the regression of an event: those that go with it most, by likelihood ratio."""
LEAST_REPORTS = 3
"""A predictor has at least so many reports with the event."""
PENALTY = 1.0
"""Of the sum of squared coefficients, over 2: a normal prior of standard deviation 1 on each log odds ratio."""
STEPS, TOLERANCE = 60, 1e-8


@dataclass(frozen=True, slots=True)
class Regression:
    """A fitted regression.

    Attributes:
        intercept: log odds of a report with no column set; not penalised.
        coefficients: log odds ratio of each column [columns].
        steps: Newton steps taken.
    """

    intercept: float
    coefficients: Floats
    steps: int


def ridge_logistic(
    x: Any, yes: ArrayLike, many: ArrayLike | None = None, *, penalty: float = PENALTY
) -> Regression:
    """Logistic regression with a ridge penalty, by Newton's method with halved steps.

    Maximises Σ yes·log p + (many - yes)·log(1 - p) - penalty/2 · Σ coefficient².

    Args:
        x: scipy sparse matrix or array [rows, columns].
        yes: successes of each row [rows].
        many: trials of each row [rows]; 1 by default.
        penalty: above 0.

    Raises:
        InputError: shapes that differ, or more successes than trials.
        CannotFitError: no success or no failure at all, or no convergence.
    """
    from scipy.sparse import csr_array, hstack

    columns = csr_array(x)
    y = counts("yes", yes)
    n = np.ones(y.shape) if many is None else counts("many", many)
    if y.ndim != 1 or y.shape != n.shape or columns.shape[0] != y.size or (y > n).any() or penalty <= 0:
        raise InputError(
            Text(
                "attendu une ligne par valeur, yes ≤ many et penalty > 0",
                "one row a value, yes ≤ many and penalty > 0 are expected",
            ),
            "yes",
        )
    if y.sum() == 0 or y.sum() == n.sum():
        raise CannotFitError(Text("toutes les lignes ont la même réponse", "every row has the same answer"), "yes")
    design = csr_array(hstack([csr_array(np.ones((y.size, 1))), columns]))
    weight = np.full(design.shape[1], penalty)
    weight[0] = 0.0
    rate = y.sum() / n.sum()
    at = np.zeros(design.shape[1])
    at[0] = np.log(rate / (1 - rate))
    value = _objective(design @ at, y, n, at, weight)
    for step in range(1, STEPS + 1):
        p = _probability(design @ at)
        slope = design.T @ (y - n * p) - weight * at
        curved = design.multiply((n * p * (1 - p))[:, None])
        hessian = np.asarray((design.T @ curved).todense()) + np.diag(weight)
        move = np.linalg.solve(hessian, slope)
        size = 1.0
        while (new := _objective(design @ (at + size * move), y, n, at + size * move, weight)) < value - 1e-12:
            size /= 2
            if size < 1e-6:
                break
        at = at + size * move
        gained, value = new - value, new
        if np.abs(size * move).max() < TOLERANCE or abs(gained) < TOLERANCE * 1e-3:
            return Regression(float(at[0]), at[1:], step)
    raise CannotFitError(
        Text("la régression ne converge pas\u202f: augmentez penalty", "no convergence: raise penalty"), "penalty"
    )


def _probability(eta: Floats) -> Floats:
    from scipy.special import expit

    return np.asarray(expit(eta), dtype=np.float64)


def _objective(eta: Floats, y: Floats, n: Floats, at: Floats, weight: Floats) -> float:
    return float((y * eta - n * np.logaddexp(0.0, eta)).sum() - 0.5 * (weight * at * at).sum())


@dataclass(frozen=True, slots=True)
class Design:
    """The reports as matrices.

    Attributes:
        drugs: names by code; ``events`` likewise.
        events: names of the events.
        has_drug: 1 where the report has the drug [reports, drugs], scipy CSC.
        has_event: likewise [reports, events].
        stratum: number of the stratum of each report [reports].
        of_stratum: 1 for each value of each variable that the stratum is made of [strata, values].
    """

    drugs: tuple[str, ...]
    events: tuple[str, ...]
    has_drug: Any
    has_event: Any
    stratum: Ints
    of_stratum: Floats


@dataclass(frozen=True, slots=True)
class Expected:
    """One event's expectations, for each drug that was reported with it.

    Attributes:
        drug: codes of the drugs [pairs].
        observed: reports with drug and event [pairs].
        plain: n_drug · n_event / N [pairs].
        adjusted: expectation given co-drugs and strata [pairs].
        predictors: codes of the drugs in the regression.
        coefficients: their log odds ratios.
    """

    drug: Ints
    observed: Floats
    plain: Floats
    adjusted: Floats
    predictors: Ints
    coefficients: Floats


def design(source: Store | Pairs, engine: Engine, *, by: Sequence[str] = BY) -> Design:
    """Read the reports of a base as matrices.

    Args:
        source: reports.
        engine: see :mod:`lab39.solutions.signals.engines`.
        by: columns of the reports that are adjusted for, as for strata; may be empty.

    Raises:
        InputError: a missing table or column.
    """
    import ibis
    from scipy.sparse import csc_array

    tables = distinct_rows(source, engine, by)
    names = [f"by_{at}" for at in range(len(by))]
    numbered = engine.keep(
        tables.reports.mutate(
            number=ibis.row_number().over(ibis.window(order_by=tables.reports["report_id"])).cast("int64")
        )
    )
    reports = engine.arrow(numbered.select("number", *names).order_by("number"))
    size = reports.num_rows
    made = []
    for rows, role in ((tables.drugs, "drug"), (tables.events, "event")):
        kinds = engine.keep(margin(rows, role))
        found = engine.arrow(
            rows.join(kinds.select(role, "code"), role)
            .join(numbered.select("report_id", "number"), "report_id")
            .select("number", "code")
        )
        listed, _ = by_code(engine.arrow(kinds), role)
        ones = np.ones(found.num_rows)
        shape = (size, len(listed))
        matrix = csc_array((ones, (of_arrow(found, "number"), of_arrow(found, "code"))), shape=shape)
        made.append((tuple(listed.to_pylist()), matrix))
    stratum, of_stratum = _strata([reports[name].to_pylist() for name in names], size)
    return Design(made[0][0], made[1][0], made[0][1], made[1][1], stratum, of_stratum)


def _strata(columns: list[list[str]], size: int) -> tuple[Ints, Floats]:
    """The number of each report's stratum, and the values that each stratum has."""
    if not columns:
        return np.zeros(size, dtype=np.int64), np.zeros((1, 0))
    codes, widths = [], []
    for column in columns:
        kinds = {value: at for at, value in enumerate(sorted(set(column)))}
        codes.append(np.array([kinds[value] for value in column], dtype=np.int64))
        widths.append(len(kinds))
    strata, found = np.unique(np.stack(codes, axis=1), axis=0, return_inverse=True)
    number: Ints = np.asarray(found, dtype=np.int64).ravel()
    values = np.zeros((len(strata), sum(widths)))
    for at, begin in enumerate(np.cumsum([0, *widths[:-1]])):
        values[np.arange(len(strata)), begin + strata[:, at]] = 1.0
    return number, values


def expectations(base: Design, event: int, *, predictors: int = PREDICTORS, penalty: float = PENALTY) -> Expected:
    """The adjusted expectations of one event.

    Args:
        base: the reports.
        event: code of the event.
        predictors: at most so many drugs in the regression.
        penalty: of the ridge.

    Raises:
        CannotFitError: every report has the event, or no convergence.
    """
    y = np.asarray(base.has_event[:, [event]].todense()).ravel()
    n_drug = np.asarray(base.has_drug.sum(axis=0)).ravel()
    n_event, total = float(y.sum()), y.size
    observed = np.asarray(base.has_drug.T @ y).ravel()
    listed = np.flatnonzero(observed)
    n, plain = observed[listed], n_drug[listed] * n_event / total
    ratio = lrt.log_likelihood_ratio(n, n_drug[listed], np.full(n.size, n_event), float(total))
    wanted = (n >= LEAST_REPORTS) & (n > plain)
    order = np.argsort(-np.where(wanted, ratio, -np.inf), kind="stable")[: min(predictors, int(wanted.sum()))]
    chosen = listed[order]
    x = base.has_drug[:, chosen].tocsr()
    fitted = _collapsed(base, x, y, penalty)
    eta = fitted.intercept + (base.of_stratum @ fitted.coefficients[chosen.size :])[base.stratum]
    eta = eta + x @ fitted.coefficients[: chosen.size]
    adjusted = np.asarray(base.has_drug.T @ _probability(eta)).ravel()[listed]
    place = {code: at for at, code in enumerate(listed.tolist())}
    for at, code in enumerate(chosen.tolist()):
        mine = base.has_drug[:, [code]].indices
        adjusted[place[code]] = _probability(eta[mine] - fitted.coefficients[at]).sum()
    return Expected(listed, n, plain, adjusted, chosen, fitted.coefficients[: chosen.size])


def _collapsed(base: Design, x: Any, y: Floats, penalty: float) -> Regression:
    """The regression on distinct rows: reports of one stratum with the same predictors are one row."""
    from scipy.sparse import csr_array, hstack

    random = np.random.default_rng(39)
    mark: Ints = random.integers(1, 2**62, x.shape[1], dtype=np.int64)
    of_stratum: Ints = random.integers(1, 2**62, len(base.of_stratum), dtype=np.int64)
    key = of_stratum[base.stratum]
    np.add.at(key, np.repeat(np.arange(x.shape[0]), np.diff(x.indptr)), mark[x.indices])
    _, first, which = np.unique(key, return_index=True, return_inverse=True)
    many = np.bincount(which).astype(np.float64)
    yes = np.bincount(which, y)
    rows = hstack([x[first], csr_array(base.of_stratum[base.stratum[first]])])
    return ridge_logistic(rows, yes, many, penalty=penalty)


def rgps(
    base: Design,
    prior: gps.Prior,
    events: Iterable[str] | None = None,
    *,
    predictors: int = PREDICTORS,
    penalty: float = PENALTY,
) -> pa.Table:
    """Regression-adjusted scores of every drug reported with some events.

    Args:
        base: the reports.
        prior: of GPS, as the detection fitted it.
        events: names; all of the base when None (a regression each).
        predictors: at most so many drugs in each regression.
        penalty: of the ridge.

    Returns:
        Arrow table with ``drug``, ``event``, ``n``, ``expected`` (of the margins), ``expected_adjusted``, ``er``,
        ``er05``, ``er95`` (EBGM and its interval on the adjusted expectation).

    Raises:
        UnknownNameError: an event that the base does not have.
        CannotFitError: see :func:`expectations`.
    """
    import pyarrow as pa

    code = {name: at for at, name in enumerate(base.events)}
    wanted = base.events if events is None else tuple(events)
    for name in wanted:
        if name not in code:
            raise UnknownNameError(Text("aucune notification de cet événement", "no report of this event"), name)
    found = [expectations(base, code[name], predictors=predictors, penalty=penalty) for name in wanted]
    n, plain, adjusted = (
        np.concatenate([getattr(each, name) for each in found] or [np.empty(0)])
        for name in ("observed", "plain", "adjusted")
    )
    shrunk = gps.scores(prior, n, adjusted).ebgm
    drug = [base.drugs[int(at)] for each in found for at in each.drug]
    event = [name for name, each in zip(wanted, found, strict=True) for _ in each.drug]
    columns = {"expected": plain, "expected_adjusted": adjusted, "er": shrunk.value, "er05": shrunk.low,
               "er95": shrunk.high}  # fmt: skip
    return pa.table(
        {
            "drug": pa.array(drug, pa.string()),
            "event": pa.array(event, pa.string()),
            "n": to_arrow(n.astype(np.int64)),
        }
        | {name: to_arrow(values) for name, values in columns.items()}
    )


def rgps_of_all(
    base: Design, prior: gps.Prior, progress: Callable[[float], None] = lambda _done: None
) -> tuple[pa.Table, tuple[str, ...]]:
    """:func:`rgps` of every event of a base, and the events whose regression has no answer, by name.

    Args:
        base: the reports.
        prior: of GPS, as the detection fitted it.
        progress: called with the fraction of the events that is done.
    """
    import pyarrow as pa

    found, left_out = [rgps(base, prior, ())], []
    for at, name in enumerate(base.events, 1):
        try:
            found.append(rgps(base, prior, (name,)))
        except CannotFitError:
            left_out.append(name)
        progress(at / len(base.events))
    return pa.concat_tables(found), tuple(left_out)
