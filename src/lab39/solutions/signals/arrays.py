"""What every statistic takes and gives: arrays that broadcast, checked once, and three-column answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lab39.core.errors import InputError
from lab39.core.text import Text

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LN2 = float(np.log(2.0))


class CannotFitError(InputError):
    """The data do not carry what a model needs: the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A statistic with the ends of its interval, arrays of one shape.

    Attributes:
        value: the point estimate.
        low: lower end of the interval.
        high: upper end of the interval.
    """

    value: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Cells:
    """The four cells of each pair's table, as numbers of reports, arrays of one shape.

    Attributes:
        a: reports with the drug and the event.
        b: with the drug, without the event.
        c: with the event, without the drug.
        d: with neither.
    """

    a: Floats
    b: Floats
    c: Floats
    d: Floats


def numbers(name: str, values: ArrayLike, *, above: float = -np.inf, least: float = -np.inf) -> Floats:
    """An array of finite float64.

    Raises:
        InputError: a value is not a number, not above ``above`` or below ``least``; the message has its place.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(Text("ce ne sont pas des nombres", "these are not numbers"), name) from error
    wrong = ~(np.isfinite(array) & (array > above) & (array >= least))
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        bound = f"> {above:g}" if np.isfinite(above) else f"≥ {least:g}"
        what = (
            Text(f"attendu un nombre {bound}", f"a number {bound} is expected")
            if np.isfinite(above) or np.isfinite(least)
            else Text("attendu un nombre", "a number is expected")
        )
        raise InputError(what, f"{name}[{at}]")
    return array


def counts(name: str, values: ArrayLike) -> Floats:
    """Whole numbers of reports, as float64.

    Raises:
        InputError: a value is negative, not whole or not a number.
    """
    array = numbers(name, values, least=0.0)
    wrong = array != np.floor(array)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise InputError(
            Text("attendu un nombre entier de notifications", "a whole number of reports is expected"),
            f"{name}[{at}]",
        )
    return array


def of_arrow(rows: pa.Table, name: str) -> NDArray[Any]:
    """A column of numbers without nulls. By DLPack: Arrow's other ways to an array import pandas."""
    found: NDArray[Any] = np.from_dlpack(rows[name].combine_chunks())
    return found


def to_arrow(values: NDArray[Any], there: Bools | None = None) -> pa.Array:
    """Numbers or truths as Arrow has them, null where they are not there, without importing pandas.

    Args:
        values: int32, int64, float64 or bool [rows].
        there: false for null [rows]; none is null by default.
    """
    import pyarrow as pa

    kinds = {"int32": pa.int32(), "int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_()}
    valid = None if there is None else pa.py_buffer(np.packbits(there, bitorder="little"))
    data = np.packbits(values, bitorder="little") if values.dtype == np.bool_ else np.ascontiguousarray(values)
    return pa.Array.from_buffers(kinds[values.dtype.name], values.size, [valid, pa.py_buffer(data)])


def by_count(n: Floats, *functions: Callable[[Floats], Floats]) -> list[Floats]:
    """Functions of whole counts, worked out once for each count and spread to the shape of ``n``."""
    whole = n.astype(np.int64)
    most = int(whole.max(initial=0))
    if most <= max(4 * n.size, 10_000) and (whole == n).all():
        kinds, which = np.arange(most + 1, dtype=np.float64), whole
    else:
        kinds, which = np.unique(n, return_inverse=True)
        which = which.reshape(n.shape)
    return [np.asarray(function(kinds), dtype=np.float64)[which] for function in functions]


def same_shape(*arrays: Floats) -> tuple[Floats, ...]:
    """The arrays broadcast to one shape.

    Raises:
        InputError: the shapes do not fit together.
    """
    try:
        return tuple(np.broadcast_arrays(*arrays))
    except ValueError as error:
        shapes = ", ".join(str(array.shape) for array in arrays)
        raise InputError(
            Text(f"tableaux de tailles différentes\u202f: {shapes}", f"arrays of different sizes: {shapes}")
        ) from error


def cells(observed: ArrayLike, n_drug: ArrayLike, n_event: ArrayLike, n_total: ArrayLike) -> Cells:
    """The 2 x 2 tables out of the margins.

    Args:
        observed: reports with drug and event, any shape.
        n_drug: reports with the drug, at least 1.
        n_event: reports with the event, at least 1.
        n_total: distinct reports of the base (not the sum of the pairs).

    Raises:
        InputError: a margin is 0 or the counts contradict each other; the message has the place.
    """
    a, drug, event, total = same_shape(
        counts("observed", observed),
        counts("n_drug", n_drug),
        counts("n_event", n_event),
        counts("n_total", n_total),
    )
    for name, margin in (("n_drug", drug), ("n_event", event)):
        if (margin < 1).any():
            raise InputError(
                Text(
                    "aucune notification\u202f: rien à comparer",
                    "no report at all: there is nothing to compare",
                ),
                f"{name}[{int(np.flatnonzero(margin < 1)[0])}]",
            )
    made = Cells(a, drug - a, event - a, total - drug - event + a)
    for cell in (made.b, made.c, made.d):
        if (cell < 0).any():
            raise InputError(
                Text(
                    "un couple dépasse ses marges\u202f: attendu observed ≤ n_drug, observed ≤ n_event et "
                    "n_drug + n_event - observed ≤ n_total",
                    "a pair exceeds its margins: expected observed ≤ n_drug, observed ≤ n_event and "
                    "n_drug + n_event - observed ≤ n_total",
                ),
                f"observed[{int(np.flatnonzero(cell < 0)[0])}]",
            )
    return made
