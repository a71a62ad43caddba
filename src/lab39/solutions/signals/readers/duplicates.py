"""Reports that probably tell the same case twice: Fellegi and Sunter's model, fitted by splink on the store itself.

I. P. Fellegi, A. B. Sunter, A theory for record linkage, J. Am. Stat. Assoc. 1969; 64: 1183-1210. Each comparison
(drugs, reactions, date, age, sex, country, the sender's own number) adds to or takes from the evidence, in
bits. Sets of drugs and of reactions are compared by the information they share: a term found in one report of a
thousand weighs ten bits, one found everywhere next to nothing (as in the hit-miss model of G. N. Norén et al.,
2007).

The result is a table of links; no report is changed or removed, and deleting ``links.parquet`` undoes it.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab39.core.errors import InputError
from lab39.core.text import Text
from lab39.solutions.signals.merging import grouped
from lab39.solutions.signals.readers import disk
from lab39.solutions.signals.readers.errors import refuse
from lab39.solutions.signals.readers.store import Store

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

THRESHOLD = 0.9
SEED = 39
_FEW = 200
_COMPARED = ("drugs", "events", "event_date", "age", "sex", "country", "sender_case")
_NAMES: Mapping[str, Text] = {
    "drugs": Text("médicaments", "drugs"),
    "events": Text("réactions", "reactions"),
    "event_date": Text("date", "date"),
    "age": Text("âge", "age"),
    "sex": Text("sexe", "sex"),
    "country": Text("pays", "country"),
    "sender_case": Text("numéro de l'expéditeur", "sender's number"),
}
_LEVELS: Mapping[str, tuple[tuple[str, str, Text], ...]] = {
    "drugs": (),
    "events": (),
    "event_date": (
        ("event_date_l = event_date_r AND length(event_date_l) = 10", "same day", Text("même jour", "same day")),
        ("event_date_l[1:7] = event_date_r[1:7]", "same month", Text("même mois", "same month")),
    ),
    "age": (
        ("abs(age_l - age_r) < 0.1", "same", Text("le même", "the same")),
        ("abs(age_l - age_r) <= 1.1", "within a year", Text("à un an près", "within a year")),
    ),
    "sex": (("sex_l = sex_r", "same", Text("le même", "the same")),),
    "country": (("country_l = country_r", "same", Text("le même", "the same")),),
    "sender_case": (("sender_case_l = sender_case_r", "same", Text("le même", "the same")),),
}
_SETS = (
    (
        "alike({0}_l, {0}_r) > 0.999 AND shared_bits({0}_l, {0}_r) >= 12",
        Text("les mêmes, et rares", "the same, and rare"),
    ),
    (
        "alike({0}_l, {0}_r) >= 0.5 AND shared_bits({0}_l, {0}_r) >= 12",
        Text("en grande partie, rares", "mostly, and rare"),
    ),
    ("alike({0}_l, {0}_r) >= 0.5", Text("en grande partie", "mostly")),
    ("shared_bits({0}_l, {0}_r) > 0", Text("quelques-uns", "some")),
)
_START: Mapping[str, tuple[float, ...]] = {
    "drugs": (0.5, 0.2, 0.1, 0.15, 0.05),
    "events": (0.4, 0.25, 0.1, 0.2, 0.05),
    "event_date": (0.75, 0.15, 0.1),
    "age": (0.85, 0.08, 0.07),
    "sex": (0.97, 0.03),
    "country": (0.95, 0.05),
    "sender_case": (0.3, 0.7),
}
"""How often duplicates agree, level by level: where the fit starts, and all there is for a level it cannot see."""
_OTHERWISE = Text("différents", "different")
_ABSENT = Text("non renseigné", "not told")
_UNTRAINED = Text("non comparé, faute d'exemples", "not compared, for want of examples")


@dataclass(frozen=True, slots=True)
class Link:
    """Two reports that are probably one.

    Attributes:
        first, second: report numbers, in order.
        probability: that they are the same case, given the model.
        bits: the evidence, prior included.
        why: each comparison in words with the bits it adds (or takes).
    """

    first: str
    second: str
    probability: float
    bits: float
    why: tuple[tuple[Text, Text, float], ...]


def find(store: Store, *, threshold: float = THRESHOLD, max_pairs: float = 2e6) -> tuple[Link, ...]:
    """Look for duplicates among the reports that count, and write ``links.parquet`` beside them.

    The model is fitted without labels (expectation-maximisation) and is the same at each run.

    Args:
        threshold: probability above which a pair is a link.
        max_pairs: random pairs that tell how often strangers agree.

    Raises:
        InputError: too few reports to fit a model; a store that cannot be written.
    """
    with disk.told(store.folder):
        return _found(store, threshold, max_pairs)


def _found(store: Store, threshold: float, max_pairs: float) -> tuple[Link, ...]:
    con = store.connect()
    spill = tempfile.TemporaryDirectory(dir=store.folder)
    try:
        _records(con)
        (size,) = con.sql("SELECT count(*) FROM records").fetchall()[0]
        if size < _FEW:
            raise _too_few(store, size)
        scored = _scored(con, store, size, threshold, max_pairs)
        links = tuple(_link(row) for row in scored)
    finally:
        con.close()
        spill.cleanup()
    _write(links, store.folder / "links.parquet")
    return links


def _too_few(store: Store, size: int) -> InputError:
    return refuse(
        store.folder,
        f"{size} cas seulement : c'est trop peu pour apprendre à reconnaître les doublons "
        f"(il en faut {_FEW} au moins, plutôt quelques milliers)",
        f"only {size} cases: too few to learn what duplicates look like (at least {_FEW}, rather a few thousand)",
    )


def _too_unlike(store: Store, size: int) -> InputError:
    return refuse(
        store.folder,
        f"parmi ces {size} cas, aucun ne ressemble assez à un autre pour apprendre à reconnaître les doublons : "
        "relancez quand la base en aura quelques milliers",
        f"no pair of these {size} cases is alike enough to learn what duplicates look like: run this again when "
        "the store has a few thousand",
    )


def _records(con: DuckDBPyConnection) -> None:
    """``records``: a report a row, its drugs and reactions as maps from the term to its bits."""
    con.sql(
        """
        CREATE MACRO shared_bits(a, b) AS coalesce(list_sum(
            list_transform(list_intersect(map_keys(a), map_keys(b)), lambda k: a[k])), 0);
        CREATE MACRO all_bits(a) AS coalesce(list_sum(map_values(a)), 0);
        CREATE MACRO alike(a, b) AS shared_bits(a, b) / greatest(all_bits(a) + all_bits(b) - shared_bits(a, b),
        1e-9);
        """
    )
    for table, term in (("drugs", "ingredient"), ("events", "event")):
        con.sql(
            f"""
            CREATE TABLE said_{table} AS SELECT DISTINCT report_key, {term} AS term FROM {table}
                WHERE {term} IS NOT NULL;
            CREATE TABLE bits_{table} AS SELECT term,
                -log2(count(*) / (SELECT count(*) + 1 FROM reports)) AS bits FROM said_{table} GROUP BY term;
            CREATE TABLE map_{table} AS SELECT report_key,
                map_from_entries(list((term, bits) ORDER BY bits DESC, term)) AS bits,
                arg_max(term, {{'bits': bits, 'term': term}}) AS rarest
            FROM said_{table} JOIN bits_{table} USING (term) GROUP BY report_key;
            """
        )
    con.sql(
        """
        CREATE TABLE records AS SELECT r.report_key AS unique_id, r.report_id, d.bits AS drugs,
            e.bits AS events, d.rarest AS rare_drug, e.rarest AS rare_event, event_date,
            event_date[1:7] AS month, age_years AS age, floor(age_years)::BIGINT AS years, sex, country, sender_case
        FROM reports r LEFT JOIN map_drugs d USING (report_key) LEFT JOIN map_events e USING (report_key)
        ORDER BY report_key
        """
    )


def _levels(name: str) -> tuple[tuple[str, Text], ...]:
    if name in ("drugs", "events"):
        return tuple((condition.format(name), words) for condition, words in _SETS)
    return tuple((condition, words) for condition, _, words in _LEVELS[name])


def _comparison(name: str) -> dict[str, Any]:
    levels: list[dict[str, Any]] = [
        {
            "sql_condition": f"{name}_l IS NULL OR {name}_r IS NULL",
            "label_for_charts": "null",
            "is_null_level": True,
        }
    ]
    levels += [{"sql_condition": sql, "label_for_charts": words.en} for sql, words in _levels(name)]
    levels.append({"sql_condition": "ELSE", "label_for_charts": "else"})
    for level, start in zip(levels[1:], _START[name], strict=True):
        level["m_probability"] = start
    return {"output_column_name": name, "comparison_levels": levels}


def _scored(
    con: DuckDBPyConnection, store: Store, size: int, threshold: float, max_pairs: float
) -> list[dict[str, Any]]:
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on
    from splink.internals.exceptions import EMTrainingException

    logging.getLogger("splink").setLevel(logging.ERROR)
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[_comparison(name) for name in _COMPARED],
        blocking_rules_to_generate_predictions=[
            block_on("sender_case"),
            block_on("event_date", "rare_event"),
            block_on("event_date", "rare_drug"),
            block_on("rare_drug", "rare_event"),
            block_on("rare_drug", "years", "sex"),
            block_on("rare_event", "years", "sex", "month"),
        ],
        additional_columns_to_retain=["report_id"],
        retain_matching_columns=True,
        retain_intermediate_calculation_columns=True,
    )
    api = DuckDBAPI(connection=con)
    linker = Linker(api.register("records"), settings, log_level=logging.ERROR)
    linker.training.estimate_probability_two_random_records_match(
        [
            block_on("sender_case"),
            "l.event_date = r.event_date AND l.sex = r.sex AND l.years = r.years AND l.rare_drug = r.rare_drug",
        ],
        recall=0.7,
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=max_pairs, seed=SEED)
    fitted = False
    for rule in (block_on("event_date", "rare_drug"), block_on("rare_drug", "rare_event", "sex", "years")):
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(rule)
            fitted = True
        except (ValueError, EMTrainingException):  # no likely pair, or none that shows a level: the other rule may
            continue
    if not fitted:
        raise _too_unlike(store, size)
    found = linker.inference.predict(threshold_match_probability=threshold)
    rows: list[dict[str, Any]] = found.as_record_list()
    return sorted(rows, key=lambda row: (-row["match_probability"], row["report_id_l"], row["report_id_r"]))


def _link(row: Mapping[str, Any]) -> Link:
    why = []
    for name in _COMPARED:
        levels = _levels(name)
        if f"gamma_{name}" not in row:  # no likely pair taught it: splink leaves the comparison out
            why.append((_NAMES[name], _UNTRAINED, 0.0))
            continue
        gamma = int(row[f"gamma_{name}"])
        words = _ABSENT if gamma < 0 else (_OTHERWISE if gamma == 0 else levels[len(levels) - gamma][1])
        why.append((_NAMES[name], words, round(float(row[f"mw_{name}"]), 2)))
    pair = sorted((str(row["report_id_l"]), str(row["report_id_r"])))
    return Link(
        pair[0],
        pair[1],
        float(row["match_probability"]),
        float(row["match_weight"]),
        tuple(why),
    )


def _write(links: Iterable[Link], file: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = list(links)
    table = pa.table(
        {
            "first": pa.array([each.first for each in rows], pa.string()),
            "second": pa.array([each.second for each in rows], pa.string()),
            "probability": pa.array([each.probability for each in rows], pa.float64()),
            "bits": pa.array([each.bits for each in rows], pa.float64()),
            "why": pa.array([explained(each).en for each in rows], pa.string()),
            "why_fr": pa.array([explained(each).fr for each in rows], pa.string()),
        }
    )
    beside = file.with_suffix(".new")
    pq.write_table(table, beside)
    beside.rename(file)


def explained(link: Link) -> Text:
    """A link in one sentence: what agrees, what does not, and how much each weighs."""
    fr = [f"{name.fr} {words.fr} ({_signed(bits)} bits)".replace(".", ",") for name, words, bits in link.why]
    en = [f"{name.en} {words.en} ({_signed(bits)} bits)" for name, words, bits in link.why]
    return Text("\u202f; ".join(fr), "; ".join(en))


def _signed(bits: float) -> str:
    return f"{bits:+.1f}"


def forget(store: Store) -> None:
    """Undo: the links are deleted, the reports are as they were."""
    (store.folder / "links.parquet").unlink(missing_ok=True)


def groups(store: Store) -> dict[str, str]:
    """From each linked report to the first number of its group; links are followed end to end."""
    import pyarrow.parquet as pq

    file = store.folder / "links.parquet"
    if not file.is_file():
        return {}
    links = pq.read_table(file, columns=["first", "second"])
    return grouped(zip(links["first"].to_pylist(), links["second"].to_pylist(), strict=True))


def measure(
    folder: Path, *, reports: int = 20_000, seed: int = 1, threshold: float = THRESHOLD
) -> dict[str, float]:
    """Pair precision and recall on made-up reports with planted duplicates. Synthetic.

    Returns:
        ``reports``, ``planted`` and ``found`` pairs, ``precision``, ``recall``, ``seconds`` of processor time.
    """
    import time

    from lab39.solutions.signals.readers.planted import plant

    made = plant(folder, reports=reports, seed=seed)
    began = time.process_time()
    found = {(each.first, each.second) for each in find(made.store, threshold=threshold)}
    right = len(found & made.pairs)
    return {
        "reports": made.reports,
        "planted": len(made.pairs),
        "found": len(found),
        "precision": right / len(found) if found else 0.0,
        "recall": right / len(made.pairs) if made.pairs else 0.0,
        "seconds": time.process_time() - began,
    }
