"""Stores that are down, for an authorization service in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

from shared.server.resources import WATCH
from shared.store import Unavailable
from shared.store.postgres.transport.pool import Pool
from shared.store.redis.transport.client import RedisClient
from tests.authorization import AuthorizationService, Page

REDIS = (RedisClient, ("execute", "batch", "run"))
POSTGRESQL = (Pool, ("take",))  # a connection


async def _away(*_: Any, **__: Any) -> Any:
    raise Unavailable("it is away")


@asynccontextmanager
async def away(op: AuthorizationService, *stores: tuple[type, tuple[str, ...]]) -> AsyncIterator[None]:
    """Make every call of these stores fail, and expire every cache."""
    patches: list[Any] = [patch.object(store, name, _away) for store, names in stores for name in names]
    if POSTGRESQL in stores:
        patches.append(patch.object(Pool, "take_idle", return_value=None))
    for one in patches:
        one.start()
    if POSTGRESQL in stores:
        op.app[WATCH]._confirmed_at = float("-inf")
    try:
        yield
    finally:
        for one in patches:
            one.stop()


def is_away(page: Page) -> bool:
    return page.status == 503 and "Retry-After" in page.headers and page.cookies == () and not page.location
