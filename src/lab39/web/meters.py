"""What the lab counts about itself, for Prometheus: no person, no record, no identifier.

Several processes serve one lab: with ``PROMETHEUS_MULTIPROC_DIR`` set before this module is imported, each counts
in a file of its own there and any of them adds them up.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from lab39 import __version__
from lab39.store import StoreUnavailableError, audit, jobs, outbox

if TYPE_CHECKING:
    from lab39.web.house import House

TYPE = "text/plain; version=0.0.4; charset=utf-8"
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2.5, 5, 10, 30)


disable_created_metrics()  # type: ignore[no-untyped-call]


class Meters:
    """The counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "lab39_http_requests",
            "Requests answered, by template of the route.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "lab39_http_request_seconds",
            "Seconds from the first byte read to the last byte written.",
            ["method", "route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "lab39_http_requests_in_flight",
            "Requests that are being answered.",
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self.assessments = Counter(
            "lab39_assessments",
            "Times a solution was asked about a record: findings, nothing, deceased, pack-missing, could-not-run.",
            ["solution", "outcome"],
            registry=self.registry,
        )
        self.assessment_seconds = Histogram(
            "lab39_assessment_seconds",
            "Seconds a solution took on one record.",
            ["solution"],
            buckets=SECONDS,
            registry=self.registry,
        )

    def assessed(self, solution: str, outcome: str, seconds: float, error: Exception | None) -> None:
        """Count one solution asked about one record."""
        self.assessments.labels(solution, outcome).inc()
        self.assessment_seconds.labels(solution).observe(seconds)
        if error is not None and outcome == "could-not-run":
            from lab39.web import logs

            logs.log.error("could not run", solution=solution, **logs.told(error))

    def written(self, here: House) -> bytes:
        """Everything, in the text format of Prometheus."""
        counted = self.registry
        if os.environ.get(FOLDER):
            counted = CollectorRegistry()
            multiprocess.MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
        state = CollectorRegistry()
        state.register(_State(here))
        return generate_latest(counted) + generate_latest(state)


class _State(Collector):
    """What stands in the lab at the moment it is looked at. What cannot be told is absent, never zero."""

    def __init__(self, here: House) -> None:
        self.here = here

    def describe(self) -> Iterator[Metric]:
        """Nothing ahead of time: registering must not read the database."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Read the database and the packs."""
        build = GaugeMetricFamily("lab39_build_info", "Version of the lab.", labels=["version"])
        build.add_metric([__version__], 1)
        yield build
        yield from self._packs()
        up = True
        try:
            yield from self._database()
        except StoreUnavailableError:
            up = False
        yield GaugeMetricFamily("lab39_database_up", "Whether the database answers.", value=int(up))

    def _packs(self) -> Iterator[Metric]:
        installed = GaugeMetricFamily("lab39_pack_installed", "Whether a data pack is here.", labels=["pack"])
        age = GaugeMetricFamily("lab39_pack_age_days", "Days since a pack's edition.", labels=["pack"])
        for name in self.here.lab.packs.specs:
            pack = self.here.lab.pack(name)
            installed.add_metric([name], int(pack is not None))
            if pack is not None and pack.edition is not None:
                age.add_metric([name], (self.here.today() - pack.edition).days)
        yield installed
        yield age

    def _database(self) -> Iterator[Metric]:
        at = self.here.now()
        with self.here.store.reading() as tx:
            queued, waiting = jobs.counts(tx), jobs.oldest_due(tx, at)
            messages, entries = outbox.counts(tx), audit.state(tx).size
        found = GaugeMetricFamily("lab39_jobs", "Jobs by state.", labels=["state"])
        for state, n in queued.items():
            found.add_metric([state.value], n)
        yield found
        longest = (at - waiting if waiting is not None else dt.timedelta(0)).total_seconds()
        yield GaugeMetricFamily("lab39_job_wait_seconds", "How long the longest waiting job is due.", value=longest)
        sent = GaugeMetricFamily("lab39_messages", "Messages to people by state.", labels=["state"])
        for each, n in messages.items():
            sent.add_metric([each.value], n)
        yield sent
        yield GaugeMetricFamily("lab39_audit_entries", "Entries in the audit log.", value=entries)
