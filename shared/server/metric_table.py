"""Every metric of a process, once: what it is called, what it counts, and what its labels may be. *Pure.*

Dashboards, alerts and their tests come from this table (`deploy/observability`). No label names a user or a
client: the number of time series has a bound that is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily


@dataclass(frozen=True, slots=True)
class MetricDescription:
    """One metric.

    `name`: as it is scraped, a counter's with `_total`, in base units. `labels`: for each, the most values
    that it takes.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    meaning: str
    labels: Mapping[str, int] = field(default_factory=dict)

    def counter(self) -> CounterMetricFamily:
        """The samples of a counter, to be filled."""
        return CounterMetricFamily(self.name.removesuffix("_total"), self.meaning, labels=tuple(self.labels))

    def gauge(self) -> GaugeMetricFamily:
        """The samples of a gauge, to be filled."""
        return GaugeMetricFamily(self.name, self.meaning, labels=tuple(self.labels))

    def histogram(self) -> HistogramMetricFamily:
        """The samples of a histogram, to be filled."""
        return HistogramMetricFamily(self.name, self.meaning, labels=tuple(self.labels))


REQUEST_SECONDS = MetricDescription(
    "ostiary_request_seconds",
    "histogram",
    "Time to answer, by route and status class.",
    {"route": 60, "status": 5},
)
LOOP_LAG_SECONDS = MetricDescription(
    "ostiary_event_loop_lag_seconds",
    "histogram",
    "How late the event loop was, four times a second.",
)
EVENTS = MetricDescription(
    "ostiary_events_total", "counter", "What happened, by event and outcome.", {"event": 30, "outcome": 20}
)
READY = MetricDescription(
    "ostiary_ready", "gauge", "Whether each check of /readyz passes: 1 or 0.", {"check": 20}
)
BACKGROUND_ROUNDS = MetricDescription(
    "ostiary_background_rounds_total",
    "counter",
    "Rounds of background work, by work and outcome (ok, unavailable, failed).",
    {"work": 24, "outcome": 3},
)
CLOCK_SKEW_SECONDS = MetricDescription(
    "ostiary_clock_skew_seconds", "gauge", "How far this process's clock is ahead of PostgreSQL's."
)
CACHE_LOOKUPS = MetricDescription(
    "ostiary_cache_lookups_total", "counter", "Clients looked up, by outcome (hit, miss).", {"outcome": 2}
)
DATABASE_CONNECTIONS = MetricDescription(
    "ostiary_database_connections", "gauge", "Places of the pool, by their use.", {"use": 3}
)
DATABASE_POOL_SIZE = MetricDescription(
    "ostiary_database_pool_size", "gauge", "The most connections there may be."
)
DATABASE_WAITING = MetricDescription(
    "ostiary_database_waiting", "gauge", "Requests that wait for a connection."
)
DATABASE_POOL_EVENTS = MetricDescription(
    "ostiary_database_pool_events_total",
    "counter",
    "Connections opened, statements given up before their end, waits that timed out.",
    {"event": 3},
)
OUTBOX_NOTICES = MetricDescription(
    "ostiary_outbox_notices", "gauge", "Logout notices, by state (waiting, given_up).", {"state": 2}
)
OUTBOX_AGE_SECONDS = MetricDescription(
    "ostiary_outbox_age_seconds", "gauge", "Age of the oldest logout notice that waits; 0 when none does."
)
MAILS_WAITING = MetricDescription("ostiary_mails_waiting", "gauge", "Mails that wait to be sent.")
MAILS_AGE_SECONDS = MetricDescription(
    "ostiary_mails_age_seconds", "gauge", "Age of the oldest mail that waits; 0 when none does."
)
SIGN_OUTS_WAITING = MetricDescription(
    "ostiary_sign_outs_waiting",
    "gauge",
    "Users to be signed out: they lost a group or a role with many others.",
)
KEY_AGE_SECONDS = MetricDescription(
    "ostiary_key_age_seconds", "gauge", "Time since the newest signing key became active.", {"alg": 10}
)
KEY_ROTATION_SECONDS = MetricDescription(
    "ostiary_key_rotation_seconds",
    "gauge",
    "OSTIARY_KEY_ROTATION: when a signing key is replaced.",
)
EXPIRED_ROWS = MetricDescription(
    "ostiary_expired_rows_total", "counter", "Expired rows deleted from the database.", {"table": 20}
)
EXPIRY_BEHIND = MetricDescription(
    "ostiary_expiry_behind",
    "gauge",
    "Whether the last round left expired rows in the table, because there were too many: 1 or 0.",
    {"table": 20},
)
TABLE_ROWS = MetricDescription(
    "ostiary_table_rows", "gauge", "Live rows, as PostgreSQL estimates them.", {"table": 40}
)
TABLE_BYTES = MetricDescription(
    "ostiary_table_bytes", "gauge", "Bytes of a table and its indexes.", {"table": 40}
)

METRICS = (
    REQUEST_SECONDS,
    LOOP_LAG_SECONDS,
    EVENTS,
    READY,
    BACKGROUND_ROUNDS,
    CLOCK_SKEW_SECONDS,
    CACHE_LOOKUPS,
    DATABASE_CONNECTIONS,
    DATABASE_POOL_SIZE,
    DATABASE_WAITING,
    DATABASE_POOL_EVENTS,
    OUTBOX_NOTICES,
    OUTBOX_AGE_SECONDS,
    MAILS_WAITING,
    MAILS_AGE_SECONDS,
    SIGN_OUTS_WAITING,
    KEY_AGE_SECONDS,
    KEY_ROTATION_SECONDS,
    EXPIRED_ROWS,
    EXPIRY_BEHIND,
    TABLE_ROWS,
    TABLE_BYTES,
)
