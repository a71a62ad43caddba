"""A run: what one detection found on one base, kept in a folder, and the data pack that the lab reads it from.

::

    DIR/runs/2017Q2/scores.parquet    one row a pair, best first: drug, event, the columns of detection and triage
    DIR/runs/2017Q2/run.json          what was counted, how, when, with what prior

``lab39 data import signals DIR/runs/2017Q2`` gives a run to the lab: a version of the pack ``signals`` is a run, so
that the one of next quarter can be compared with it. Importing this module costs neither numpy nor an engine.
"""

from __future__ import annotations

import calendar
import datetime as dt
import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab39.core.datapacks import Contents, Pack
from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals.sources import INGREDIENT

if TYPE_CHECKING:
    import pyarrow as pa

    from lab39.solutions.signals.detection import Detection

PACK = "signals"
FORM = 1
SCORES, ABOUT = "scores.parquet", "run.json"
NAME = re.compile(r"\w[\w.+-]{0,63}")
_QUARTER = re.compile(r"(\d{4})Q([1-4])")


@dataclass(frozen=True, slots=True)
class Run:
    """A run that was kept.

    Attributes:
        name: of the run: its last quarter (``2017Q2``), or a name that was given.
        made: day it was made.
        store: folder of the reports that were counted, as it was then; None for pairs or counts of a file.
        until: last day of the last quarter counted, when it is known.
        by: strata of the expectations.
        roles: roles of the drugs counted; all when empty.
        likelihood: of the fit of GPS.
        prior: θ of GPS (alpha1, beta1, alpha2, beta2, p); None when it could not be fitted.
        why_no_gps: what GPS said then.
        n_reports: distinct reports counted.
        n_drugs: names of drugs; ``n_events``, ``n_pairs`` likewise.
        n_events: terms of events.
        n_pairs: pairs reported at least once.
        basis: ``reports``, or ``mentions`` when the margins had to be summed out of counts.
        versions: of what made it.
        folder: where it is.
        drug_column: column of the store that names the drug.
        without: drugs whose reports were left out.
        synthetic: the reports are made up.
        merged: reports that count under the number of another one, as duplicates.
        duplicates: ``merge`` when reports that are linked were counted once, else ``keep``.
        before: only reports of quarters before this one were counted; all when empty.
        least: pairs of fewer reports were counted and fitted, but are not in the table.
        zeros: the fit also saw the pairs that nobody reported.
        each_ingredient: a product of several ingredients was counted under each of them; runs that were made before
            that was done counted it under their names together.
    """

    name: str
    made: dt.date
    store: Path | None
    until: dt.date | None
    by: tuple[str, ...]
    roles: tuple[str, ...]
    likelihood: str
    prior: tuple[float, float, float, float, float] | None
    why_no_gps: Text | None
    n_reports: int
    n_drugs: int
    n_events: int
    n_pairs: int
    basis: str
    versions: Mapping[str, str]
    folder: Path = field(compare=False)
    drug_column: str = "drug"
    without: tuple[str, ...] = ()
    synthetic: bool = False
    merged: int = 0
    duplicates: str = "keep"
    before: str = ""
    least: int = 1
    zeros: bool = True
    each_ingredient: bool = False

    @property
    def scores(self) -> Path:
        """The table of pairs."""
        return self.folder / SCORES

    @property
    def leading(self) -> str:
        """The column that pairs are sorted by: EB05, or IC025 when GPS could not be fitted."""
        return "ic025" if self.prior is None else "eb05"


def last_day(name: str) -> dt.date | None:
    """The last day of the quarter that a name is, if it is one."""
    if not (found := _QUARTER.fullmatch(name)):
        return None
    year, month = int(found[1]), 3 * int(found[2])
    return dt.date(year, month, calendar.monthrange(year, month)[1])


def write(
    found: Detection,
    folder: Path,
    name: str,
    made: dt.date,
    *,
    table: pa.Table | None = None,
    store: Path | None = None,
    roles: tuple[str, ...] = (),
    likelihood: str = "components",
    drug_column: str = "drug",
    without: tuple[str, ...] = (),
    synthetic: bool = False,
    duplicates: str = "keep",
    before: str = "",
    least: int = 1,
    zeros: bool = True,
    each_ingredient: bool = True,
) -> Run:
    """Keep a detection as the run ``folder/name``; it appears when it is whole, in the place of one of that name.

    Args:
        found: what was detected.
        folder: of the runs.
        name: of the run.
        made: today.
        table: the table with columns of triage; that of the detection when absent.
        store: folder of the reports.
        roles: of the drugs that were counted.
        likelihood: that GPS was fitted with.
        drug_column: column of the store that names the drug.
        without: drugs whose reports were left out.
        synthetic: the reports are made up.
        duplicates: whether linked reports were counted once (``merge``).
        before: only reports of quarters before this one were counted.
        least: reports of a pair from which it is in the table.
        zeros: the fit also saw the pairs that nobody reported.
        each_ingredient: when ingredients were counted, each of a product's.

    Raises:
        InputError: a name that cannot be the name of a folder.
    """
    import pyarrow.parquet as pq

    if not NAME.fullmatch(name):
        raise InputError(
            Text(
                "nom d'analyse illisible\u202f: lettres, chiffres, point, tiret (2017Q2)",
                "unreadable name of a run: letters, digits, dot, dash (2017Q2)",
            ),
            name[:64],
        )
    counts, prior = found.counts, found.fit.prior if found.fit else None
    about = {
        "form": FORM,
        "name": name,
        "made": made.isoformat(),
        "store": None if store is None else str(store.resolve()),
        "until": day.isoformat() if (day := last_day(name)) else None,
        "by": list(counts.by),
        "roles": list(roles),
        "drug_column": drug_column,
        "each_ingredient": each_ingredient and drug_column == INGREDIENT,
        "without": list(without),
        "synthetic": synthetic,
        "duplicates": duplicates,
        "before": before,
        "least": least,
        "likelihood": likelihood,
        "zeros": zeros,
        "prior": [prior.alpha1, prior.beta1, prior.alpha2, prior.beta2, prior.p] if prior else None,
        "why_no_gps": found.why_no_gps.text.as_dict() if found.why_no_gps else None,
        "n_reports": counts.n_total,
        "merged": counts.merged,
        "n_drugs": len(counts.drugs),
        "n_events": len(counts.events),
        "n_pairs": found.table.num_rows,
        "basis": counts.basis,
        "versions": _versions(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=".run-", dir=folder))
    try:
        pq.write_table(found.table if table is None else table, beside / SCORES, compression="zstd")
        (beside / ABOUT).write_text(json.dumps(about, ensure_ascii=False, indent=1), "utf-8")
        beside.chmod(0o755)
        shutil.rmtree(folder / name, ignore_errors=True)
        beside.rename(folder / name)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return read(folder / name)


def read(folder: Path) -> Run:
    """A run of a folder.

    Raises:
        InputError: there is none, or it is of another form.
    """
    about = folder / ABOUT
    try:
        row = json.loads(about.read_text("utf-8"))
        if row["form"] != FORM:
            raise ValueError(f"form {row['form']}, not {FORM}")
        if not (folder / SCORES).is_file():
            raise ValueError(f"no {SCORES}")
        return _of(row, folder)
    except FileNotFoundError as error:
        raise InputError(
            Text(
                "pas d'analyse ici\u202f: en faire une avec «\u202flab39 signals detect\u202f»",
                "no run here: make one with “lab39 signals detect”",
            ),
            str(folder),
        ) from error
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise InputError(
            Text(f"analyse illisible ({error})\u202f: la refaire", f"unreadable run ({error}): make it again"),
            str(about),
        ) from error


def runs(folder: Path) -> list[Run]:
    """The runs kept beside a store, the oldest first (by their last quarter, else by the day they were made)."""
    found = [read(each.parent) for each in folder.glob(f"[!.]*/{ABOUT}")]
    return sorted(found, key=lambda run: (run.until or run.made, run.made, run.name))


def of_pack(pack: Pack) -> Run:
    """The run that a version of the pack is."""
    return read(pack.files["run"].parent)


def inspect(files: list[Path]) -> Contents:
    """Recognise a run among files.

    Raises:
        InputError: not one run.
    """
    about = [path for path in files if path.name == ABOUT]
    scores = [path for path in files if path.name == SCORES]
    if len(about) != 1 or len(scores) != 1:
        raise InputError(
            Text(
                f"donner le dossier d'une analyse ({SCORES}, {ABOUT}), que fait «\u202flab39 signals detect\u202f»",
                f"give the folder of a run ({SCORES}, {ABOUT}), which “lab39 signals detect” makes",
            ),
            PACK,
        )
    found = read(about[0].parent)

    def check(_done: Any) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            rows = pq.read_table(scores[0], columns=["drug", "event", "n"]).num_rows
        except (pa.ArrowException, OSError) as error:
            raise InputError(Text(f"illisible\u202f: {error}", f"unreadable: {error}"), str(scores[0])) from error
        if rows > found.n_pairs:
            raise InputError(
                Text(
                    f"{rows} couples, l'analyse en annonce {found.n_pairs}",
                    f"{rows} pairs, the run says {found.n_pairs}",
                ),
                str(scores[0]),
            )

    return Contents(found.name, found.until or found.made, {"run": about[0], "scores": scores[0]}, check=check)


def _of(row: Mapping[str, Any], folder: Path) -> Run:
    return Run(
        name=row["name"],
        made=dt.date.fromisoformat(row["made"]),
        store=Path(row["store"]) if row["store"] else None,
        until=dt.date.fromisoformat(row["until"]) if row["until"] else None,
        by=tuple(row["by"]),
        roles=tuple(row["roles"]),
        likelihood=row["likelihood"],
        prior=tuple(row["prior"]) if row["prior"] else None,
        why_no_gps=Text.of(row["why_no_gps"]) if row["why_no_gps"] else None,
        n_reports=row["n_reports"],
        n_drugs=row["n_drugs"],
        n_events=row["n_events"],
        n_pairs=row["n_pairs"],
        basis=row["basis"],
        versions=row["versions"],
        folder=folder,
        drug_column=row.get("drug_column", "drug"),
        without=tuple(row.get("without", ())),
        synthetic=bool(row.get("synthetic", False)),
        merged=row.get("merged", 0),
        duplicates=row.get("duplicates", "keep"),
        before=row.get("before", ""),
        least=row.get("least", 1),
        zeros=row.get("zeros", True),
        each_ingredient=bool(row.get("each_ingredient", False)),
    )


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("lab39", "duckdb", "ibis-framework", "numpy", "scipy", "pyarrow")}
