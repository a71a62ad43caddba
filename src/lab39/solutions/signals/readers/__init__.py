"""Case reports from any source into one working form, and from there to a message.

>>> from lab39.solutions.signals.readers import Store, ingest
>>> summary = ingest([Path("faers_ascii_2017q2.zip")], Path("base"))   # doctest: +SKIP
>>> con = Store.open(Path("base")).connect()                           # doctest: +SKIP

``ingest`` reads FAERS and AERS quarters (zip or folder), lists of deleted cases, VAERS, E2B(R3), E2B(R2), FHIR
AdverseEvent and CSV of cases. ``connect`` gives a DuckDB connection with the tables of what counts, one report a
case:

``reports``
    ``report_key`` (1…n), ``report_id`` (its number, unique here), then the fields of
    :class:`~lab39.solutions.signals.readers.model.Report`.
``drugs``
    ``report_key``, ``report_id``, ``drug`` as reported, ``ingredient`` and how it was found
    (``ingredient_by``), ``role``…
``events``
    ``report_key``, ``report_id``, ``event`` in one spelling, ``event_given``, ``onset``, ``outcome``…
``indications``
    ``report_key``, ``report_id``, ``drug_seq``, ``indication``: never counted as reactions.
``rejected``
    rows and values that were not used, with file, line, reason and how they began.
``set_aside``
    reports that do not count (an older version, a deleted case), with the reason and the one that does.
``links``
    likely duplicates, when :func:`lab39.solutions.signals.readers.duplicates.find` looked for them.

The same tables are the Parquet files of ``Store.path(table)``, for any other engine.
"""

from lab39.solutions.signals.readers.e2b_missing import missing_for_e2b
from lab39.solutions.signals.readers.ingest import Summary, ingest
from lab39.solutions.signals.readers.model import SUSPECT_ROLES, Case, Drug, Event, Indication, Report
from lab39.solutions.signals.readers.names import Dictionary, Names, open_names, read_dictionary
from lab39.solutions.signals.readers.store import Store

__all__ = [
    "SUSPECT_ROLES",
    "Case",
    "Dictionary",
    "Drug",
    "Event",
    "Indication",
    "Names",
    "Report",
    "Store",
    "Summary",
    "ingest",
    "missing_for_e2b",
    "open_names",
    "read_dictionary",
]
