"""Work that goes on beside the requests: in every process, or under a lease in one of many."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import structlog

from shared.store import Leases, Unavailable

logger = structlog.get_logger()


async def keep_repeating(name: str, work: Callable[[], Awaitable[object]], every: timedelta) -> None:
    """Do *work* for ever: at once, then about *every* so often. No fault of it ends it."""
    while True:
        try:
            await work()
        except Unavailable as fault:
            logger.warning("background_work_delayed", work=name, cause=str(fault))
        except Exception:
            logger.exception("background_work_failed", work=name)
        await asyncio.sleep(every.total_seconds())


async def keep_doing(
    name: str, work: Callable[[], Awaitable[object]], leases: Leases, holder: UUID, every: timedelta
) -> None:
    """As `keep_repeating`, in one process at a time.

    The lease lasts two periods, so that its holder's death delays the work by at most as much. Work must be
    idempotent: a process that was halted may wake up beside the next holder.
    """

    async def under_lease() -> None:
        if await leases.take(name, holder, 2 * every):
            await work()

    await keep_repeating(name, under_lease, every)
