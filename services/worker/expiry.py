"""Deletes expired rows in short batches, with enough of them to catch up after a day's outage."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from services.worker.job import Job
from shared.config.settings import Settings
from shared.oauth.client.metadata.members import LONGEST_LIFETIMES
from shared.server.metric_table import EXPIRED_ROWS, EXPIRY_BEHIND, TABLE_BYTES, TABLE_ROWS
from shared.server.metrics import add_to_counter, set_gauge
from shared.store import Expiring, Expiry, GrantPosition

BATCH = 500  # rows: a few milliseconds
MAX_BATCHES = 40  # of one table in a round, and of grants that are examined
EVERY = timedelta(seconds=10)
PATIENCE = timedelta(minutes=3)
GIVEN_UP_RETENTION = timedelta(days=30)  # of logout notices
TOKEN_LIFETIME = LONGEST_LIFETIMES["access_token_lifetime"]
"""No client's access tokens live longer."""

logger = structlog.get_logger()


def retentions(settings: Settings) -> Mapping[Expiring, timedelta]:
    """How long each table keeps expired rows."""
    retention = dict.fromkeys(Expiring, settings.expired_retention)
    return retention | {Expiring.OUTBOX: GIVEN_UP_RETENTION, Expiring.AUDIT: settings.audit_retention}


@dataclass(slots=True)
class Expirer:
    """Deletes expired rows. Each round also examines some of the long-lived grants."""

    expiry: Expiry
    retentions: Mapping[Expiring, timedelta]
    position: GrantPosition | None = field(default=None, init=False)

    async def work(self) -> None:
        """One round. Raises Unavailable."""
        await self._end_spent_grants()
        await self.expiry.pass_changes()
        for table, retention in self.retentions.items():
            await self._remove(table, retention)

    async def _end_spent_grants(self) -> None:
        for _ in range(MAX_BATCHES):
            self.position = await self.expiry.end_spent_grants(self.position, BATCH, TOKEN_LIFETIME)
            if self.position is None:
                return

    async def _remove(self, table: Expiring, retention: timedelta) -> None:
        removed = 0
        for _ in range(MAX_BATCHES):
            batch = await self.expiry.remove(table, retention, BATCH)
            removed += batch
            if batch < BATCH:
                break
        set_gauge(EXPIRY_BEHIND, removed == MAX_BATCHES * BATCH, table)
        if removed:
            add_to_counter(EXPIRED_ROWS, removed, table)
            logger.info("expired", table=table, rows=removed)


def expiry(expiry: Expiry, settings: Settings) -> Job:
    """The job, which deletes expired rows."""
    return Job(name="expiry", work=Expirer(expiry, retentions(settings)).work, every=EVERY, patience=PATIENCE)


def growth(expiry: Expiry) -> Job:
    """The job, which exports the sizes of the tables as metrics."""

    async def work() -> None:
        for table, size in (await expiry.sizes()).items():
            set_gauge(TABLE_ROWS, size.rows, table)
            set_gauge(TABLE_BYTES, size.size, table)

    return Job(name="growth", work=work, every=timedelta(minutes=1), is_leased=False)
