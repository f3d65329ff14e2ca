"""Stores that are down, for an authorization service in this process."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from unittest.mock import patch

from shared.server.resources import WATCH
from shared.store import Unavailable
from shared.store.postgres.transport.database import Database
from shared.store.postgres.transport.pool import Pool
from shared.store.redis.transport.client import RedisClient
from tests.authorization import AuthorizationService, Page

REDIS = (RedisClient, ("execute", "batch", "run"))
MOST = 40  # statements of a request, and of those that its answer leads to
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


async def patiently(ask: Callable[[], Awaitable[Page]]) -> Page:
    """Ask again, each time with one statement more that does not fail: 503 until none fails."""
    for number in itertools.count(1):
        with failing_from(number) as failed:
            page = await ask()
        if not failed:
            return page
        assert is_away(page), (number, page.status, page.location, failed)
        assert number < MOST
    raise AssertionError


def is_away(page: Page) -> bool:
    return page.status == 503 and "Retry-After" in page.headers and page.cookies == () and not page.location


@contextmanager
def failing_from(number: int) -> Iterator[list[str]]:
    """Let statements of requests fail from this one on, counted from 1. Yields those that have failed."""
    failed: list[str] = []
    seen = 0

    def count(sql: str) -> None:
        nonlocal seen
        task = asyncio.current_task()
        is_of_a_request = task is not None and task.get_name().startswith("Task-")
        is_the_poll = "change_counter" in sql and "UPDATE" not in sql
        if not is_of_a_request or is_the_poll:
            return
        seen += 1
        if seen >= number:
            failed.append(sql)
            raise Unavailable("it is away")

    row, rows, transaction = Database.row, Database.rows, Database.transaction

    async def counted_row(self: Database, sql: str, *arguments: Any) -> Any:
        count(sql)
        return await row(self, sql, *arguments)

    async def counted_rows(self: Database, sql: str, *arguments: Any) -> Any:
        count(sql)
        return await rows(self, sql, *arguments)

    def counted_transaction(self: Database) -> Any:
        count("BEGIN")
        return transaction(self)

    with (
        patch.object(Database, "row", counted_row),
        patch.object(Database, "rows", counted_rows),
        patch.object(Database, "transaction", counted_transaction),
    ):
        yield failed
