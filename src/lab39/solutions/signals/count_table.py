"""Counts out of a table of them: somebody counted already, and gave the margins or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals.arrays import Floats, Ints
from lab39.solutions.signals.counts import Codes, Counts
from lab39.solutions.signals.sources import CountTable, chosen, table, trimmed

if TYPE_CHECKING:
    import pyarrow as pa

    from lab39.solutions.signals.engines import Engine


def counts(source: CountTable, engine: Engine) -> Counts:
    """Counts out of a table of them; margins given, or summed. Rows without a drug or an event are left out, and
    their number is told.

    Raises:
        InputError: a missing file or column, margins told in part, a pair told twice, counts that are not whole
            numbers or all 0.
    """
    import pyarrow.compute as pc

    rows = table(engine, source.path)
    margins = ("n_drug", "n_event", "n_total")
    names = chosen(rows.columns, source.columns, ("drug", "event", "n"), source.path, margins)
    have = [each for each in margins if each in names]
    if have and len(have) < len(margins):
        lacking = ", ".join(each for each in margins if each not in names)
        raise InputError(
            Text(f"marges incomplètes\u202f: il manque {lacking}", f"incomplete margins: {lacking} missing"),
            str(source.path),
        )
    columns = {"drug": trimmed(rows[names["drug"]]), "event": trimmed(rows[names["event"]])}
    for each in ("n", *have):
        columns[each] = rows[names[each]].cast("string").try_cast("float64")
    read = engine.arrow(rows.select(**columns))
    whole = pc.and_(pc.not_equal(read["drug"], ""), pc.not_equal(read["event"], ""))
    read, every = read.filter(whole), read.num_rows
    if not read.num_rows:
        raise InputError(
            Text(
                "aucune ligne ne nomme un médicament et un événement : rien à compter",
                "no row names a drug and an event: there is nothing to count",
            ),
            str(source.path),
        )
    values = {each: read[each].to_numpy(zero_copy_only=False).astype(np.float64) for each in ("n", *have)}
    for each, column in values.items():
        wrong = ~(np.isfinite(column) & (column >= 0) & (column == np.floor(column)))
        if wrong.any():
            raise InputError(
                Text(
                    f"{int(wrong.sum())} valeurs de «\u202f{names[each]}\u202f» ne sont pas des nombres entiers "
                    f"(la première, {_named(read, wrong)})\u202f: écrire 1200, sans signe ni séparateur",
                    f'{int(wrong.sum())} values of "{names[each]}" are not whole numbers (the first one, '
                    f"{_named(read, wrong)}): write 1200, without a sign or a separator",
                ),
                str(source.path),
            )
    drugs, drug = _coded(read["drug"])
    events, event = _coded(read["event"])
    n = values["n"].astype(np.int64)
    key = drug.astype(np.int64) * len(events) + event
    if np.unique(key).size != key.size:
        raise InputError(
            Text("des couples figurent deux fois", "some pairs are there twice"),
            str(source.path),
        )
    if n.sum() == 0:
        raise InputError(Text("tous les effectifs sont nuls", "every count is 0"), str(source.path))
    if have:
        n_drug, n_event = (
            _margin_of(values[m], code, len(names_), m, source)
            for m, code, names_ in (("n_drug", drug, drugs), ("n_event", event, events))
        )
        total = int(values["n_total"].max())
        if (values["n_total"] != total).any():
            raise InputError(
                Text("n_total varie d'une ligne à l'autre", "n_total differs between rows"), str(source.path)
            )
    else:
        n_drug = np.bincount(drug, n, len(drugs)).astype(np.int64)
        n_event = np.bincount(event, n, len(events)).astype(np.int64)
        total = int(n.sum())
    order = np.argsort(key, kind="stable")
    order = order[n[order] > 0]
    drug, event, n = drug[order], event[order], n[order]
    return Counts(
        drugs,
        events,
        n_drug,
        n_event,
        total,
        drug,
        event,
        n,
        n_drug[drug] * n_event[event] / total,
        basis="reports" if have else "mentions",
        unnamed=every - read.num_rows,
    )


def _named(read: pa.Table, wrong: Any) -> str:
    """The couple of the first row that is wrong."""
    row = int(np.argmax(wrong))
    return f"{read['drug'][row]} × {read['event'][row]}"


def _coded(names: Any) -> tuple[pa.Array, Codes]:
    """Sorted distinct names, and the code of each row."""
    import pyarrow as pa

    kinds, codes = np.unique(names.to_numpy(zero_copy_only=False).astype(str), return_inverse=True)
    return pa.array(kinds.tolist(), pa.string()), codes.astype(np.int32)


def _margin_of(values: Floats, code: Codes, size: int, name: str, source: CountTable) -> Ints:
    """A margin told on each row, checked to be one number for each name."""
    made = np.zeros(size)
    made[code] = values
    if (made[code] != values).any():
        raise InputError(
            Text(f"{name} varie pour un même nom", f"{name} differs for one and the same name"), str(source.path)
        )
    return made.astype(np.int64)
