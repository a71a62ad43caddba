"""Rows of one source into the Parquet files of its part of the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from lab39.solutions.signals.readers import model

RAW = 300
"""Characters kept of a row that was not used."""
_BATCH = 50_000


class PartWriter:
    """Rows of one source, written in batches so that memory stays bounded."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self.notes: dict[str, int] = {}
        self._rows: dict[str, dict[str, list[Any]]] = {}
        self._files: dict[str, Any] = {}
        self._written: dict[str, int] = {}
        self._given: dict[str, int] = {}

    def note(self, what: str, count: int = 1) -> None:
        """Count something that is told at the end (``lines repaired``)."""
        if count:
            self.notes[what] = self.notes.get(what, 0) + count

    def add(self, case: model.Case) -> None:
        """Write one case."""
        report = _flat(case.report)
        key = case.report.report_id
        given = self._given[key] = self._given.get(key, 0) + 1
        if given > 1:  # another version of the report: which one counts is settled by its case
            self.note("report numbers given again")
            key = report["report_id"] = f"{key}#{given}"
        self._put("reports", report)
        for seq, drug in enumerate(case.drugs, 1):
            self._put("drugs", {"report_id": key, "seq": seq, **_flat(drug)})
        for seq, event in enumerate(case.events, 1):
            self._put("events", {"report_id": key, "seq": seq, **_flat(event)})
        for each in case.indications:
            self._put("indications", {"report_id": key, **_flat(each)})
        for told in case.notes:
            reason, _, raw = told.partition(": ")
            self.reject(
                case.report.source, case.report.file or self.name, case.report.line, reason, raw, scope="value"
            )

    def reject(
        self, source: str, file: str, line: int | None, reason: str, raw: str, *, scope: str = "row"
    ) -> None:
        """Keep a row that is not used, with the reason."""
        self._put(
            "rejected",
            {"source": source, "file": file, "line": line, "scope": scope, "reason": reason, "raw": raw[:RAW]},
        )

    def withdraw(self, source: str, case_id: str, file: str, line: int | None) -> None:
        """Note a case that is withdrawn by the owner of the database."""
        self._put("withdrawn", {"source": source, "case_id": case_id, "file": file, "line": line})

    def count(self, table: str) -> int:
        """Rows given so far."""
        waiting = next(iter(self._rows.get(table, {"": []}).values()))
        return self._written.get(table, 0) + len(waiting)

    def _put(self, table: str, row: Mapping[str, Any]) -> None:
        if table not in self._rows:
            self._rows[table] = {name: [] for name in model.columns(table)}
        waiting = self._rows[table]
        for name, values in waiting.items():
            values.append(row.get(name))
        if len(values) >= _BATCH:
            self._flush(table)

    def _flush(self, table: str) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = arrow_schema(table)
        batch = pa.table({name: self._rows[table][name] for name in schema.names}, schema=schema)
        if table not in self._files:
            self._files[table] = pq.ParquetWriter(self.folder / f"{table}.rows.parquet", schema, compression="zstd")
        self._files[table].write_table(batch)
        self._written[table] = self._written.get(table, 0) + batch.num_rows
        del self._rows[table]

    def close(self) -> dict[str, int]:
        """Write what waits; the number of rows of each table, those written by SQL included."""
        import pyarrow.parquet as pq

        for table in list(self._rows):
            self._flush(table)
        self.abandon()
        return {
            table: sum(pq.ParquetFile(file).metadata.num_rows for file in self.folder.glob(f"{table}.*parquet"))
            for table in model.TABLES
        }

    def abandon(self) -> None:
        """Let go of the files."""
        for file in self._files.values():
            file.close()
        self._files.clear()


def _flat(row: Any) -> dict[str, Any]:
    """The fields of a dataclass that holds none; ``asdict`` copies each value and takes three times as long."""
    return {each.name: getattr(row, each.name) for each in fields(row)}


def arrow_schema(table: str) -> Any:
    """The Arrow schema of a table of the store."""
    import pyarrow as pa

    kinds = {"VARCHAR": pa.string(), "BIGINT": pa.int64(), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_()}
    return pa.schema([(name, kinds[kind]) for name, kind in model.columns(table).items()])
