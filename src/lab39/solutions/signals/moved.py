"""What moved from one run to the next: pairs that rise above the threshold, that fall below it, by size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals.runs import Run
from lab39.solutions.signals.sources import INGREDIENT

if TYPE_CHECKING:
    from pathlib import Path

What = Literal["new", "risen", "fallen"]
THRESHOLDS: Mapping[str, float] = {"eb05": 2.0, "ic025": 0.0}
"""Above which a pair is listed: EB05 of 2 (Szarfman, Machado, O'Neill, Drug Saf 2002;25:381), IC025 of 0 (Norén,
Hopstadius, Bate, Stat Methods Med Res 2013;22:57)."""


@dataclass(frozen=True, slots=True)
class Move:
    """A pair that crossed the threshold.

    Attributes:
        what: ``new`` (no report before, or a pair that was not listed), ``risen``, ``fallen``.
        drug: name; ``event`` likewise.
        event: term.
        n_before: reports then, 0 when the pair was not there; ``n_after`` now.
        n_after: reports now.
        before: score then, None when the pair was not there; ``after`` now.
        after: score now.
        size: how far it moved, on the scale of log2 (from the threshold when the pair was not there).
    """

    what: What
    drug: str
    event: str
    n_before: int
    n_after: int
    before: float | None
    after: float | None
    size: float


@dataclass(frozen=True, slots=True)
class Moved:
    """What moved.

    Attributes:
        score: compared: ``eb05``, or ``ic025`` when either run has no fit of GPS.
        threshold: of the score.
        moves: the largest first.
        stayed_above: pairs above in both runs.
        differs: how the two runs were not counted alike; empty when they were.
    """

    score: str
    threshold: float
    moves: tuple[Move, ...]
    stayed_above: int
    differs: tuple[Text, ...]


def moved(before: Run, after: Run, *, threshold: float | None = None) -> Moved:
    """Compare two runs pair by pair.

    Args:
        before: the earlier run.
        after: the later one.
        threshold: of the score; that of :data:`THRESHOLDS` when None.

    Raises:
        InputError: a table that cannot be read, an EB05 threshold that is not above 0.
    """
    score = "eb05" if before.prior and after.prior else "ic025"
    limit = THRESHOLDS[score] if threshold is None else threshold
    if score == "eb05" and limit <= 0:
        raise InputError(Text("attendu un seuil au-dessus de 0", "a threshold above 0 is expected"), "threshold")
    size = "log2(greatest({0}, 1e-12))" if score == "eb05" else "{0}"
    never = "'-inf'::DOUBLE"
    above = f"coalesce(b.{score}, {never}) >= $limit AS was, coalesce(a.{score}, {never}) >= $limit AS is_now"
    rows = _rows(
        before.scores,
        after.scores,
        f"""
        WITH joined AS (
            SELECT coalesce(a.drug, b.drug)::VARCHAR AS drug, coalesce(a.event, b.event)::VARCHAR AS event,
                coalesce(b.n, 0) AS n_before, coalesce(a.n, 0) AS n_after, b.{score} AS before, a.{score} AS after,
                {above}, b.n IS NULL AS was_absent
            FROM read_parquet($before) b
                FULL JOIN read_parquet($after) a ON a.drug = b.drug AND a.event = b.event
        )
        SELECT *, CASE WHEN was THEN 'fallen' WHEN was_absent THEN 'new' ELSE 'risen' END AS what,
            {size.format("coalesce(after, $limit)")} - {size.format("coalesce(before, $limit)")} AS size
        FROM joined WHERE was OR is_now
        """,  # noqa: S608 - the score is one of two names of ours
        limit,
    )
    moves = [
        Move(r["what"], r["drug"], r["event"], r["n_before"], r["n_after"], r["before"], r["after"], r["size"])
        for r in rows
        if r["was"] != r["is_now"]
    ]
    moves.sort(key=lambda each: (-abs(each.size), each.drug, each.event))
    return Moved(
        score,
        limit,
        tuple(moves),
        sum(r["was"] and r["is_now"] for r in rows),
        _differs(before, after),
    )


def _rows(before: Path, after: Path, query: str, limit: float) -> list[dict[str, Any]]:
    import duckdb

    with duckdb.connect() as con:
        try:
            found = con.execute(query, {"before": str(before), "after": str(after), "limit": float(limit)})
        except duckdb.Error as error:
            said = str(error).splitlines()[0]
            raise InputError(
                Text(f"illisible\u202f: {said}", f"unreadable: {said}"), f"{before}, {after}"
            ) from error
        names = [each[0] for each in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _differs(before: Run, after: Run) -> tuple[Text, ...]:
    """Options that make scores of two runs not quite comparable."""
    said = []
    for what, one, other in (
        (Text("strates", "strata"), before.by, after.by),
        (Text("rôles", "roles"), before.roles, after.roles),
        (Text("noms des médicaments", "names of drugs"), before.drug_column, after.drug_column),
        (
            Text("produits de plusieurs substances", "products of several ingredients"),
            _products(before),
            _products(after),
        ),
        (Text("notifications laissées de côté", "reports left out"), before.without, after.without),
        (Text("doublons", "duplicates"), before.duplicates, after.duplicates),
        (Text("ajustement", "fit"), _fit(before), _fit(after)),
    ):
        if one != other:
            a, b = (_shown(each) for each in (one, other))
            said.append(Text(f"{what.fr}\u202f: {a.fr}, puis {b.fr}", f"{what.en}: {a.en}, then {b.en}"))
    return tuple(said)


def _fit(run: Run) -> str:
    """How the prior of GPS was fitted; with unreported pairs both likelihoods are one."""
    return "zeros" if run.zeros else run.likelihood


def _products(run: Run) -> Text:
    if run.drug_column == INGREDIENT and run.each_ingredient:
        return Text("chaque substance", "each ingredient")
    return Text("d'un seul nom", "under one name")


def _shown(value: str | tuple[str, ...] | Text) -> Text:
    if isinstance(value, Text):
        return value
    told = value if isinstance(value, str) else ", ".join(each for each in value if each) or "–"
    return Text(told, told)
