"""Work that some process of many does from time to time, under a lease."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import structlog

from shared.store import Leases, Unavailable

logger = structlog.get_logger()


async def keep_doing(
    name: str, work: Callable[[], Awaitable[object]], leases: Leases, holder: UUID, every: timedelta
) -> None:
    """Do *work* for ever: at once, then about *every* so often, in one process at a time.

    The lease lasts two periods, so that its holder's death delays the work by at most as much. Work must be
    idempotent: a process that was halted may wake up beside the next holder.
    """
    while True:
        try:
            if await leases.take(name, holder, 2 * every):
                await work()
        except Unavailable as fault:
            logger.warning("background_work_delayed", work=name, cause=str(fault))
        except Exception:
            logger.exception("background_work_failed", work=name)
        await asyncio.sleep(every.total_seconds())
