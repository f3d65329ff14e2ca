"""Limits of waiting for Redis: time, requests and bytes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from shared.store import Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`silence`: seconds after which a server that says nothing has lost its connection. `deadline`: seconds
    in which a request is answered or fails, whatever it waits for. `commands`: those that wait for an answer
    on one connection. `unsent`: bytes that the server has not taken yet."""

    silence: float = 0.5
    deadline: float = 1.0
    commands: int = 10_000
    unsent: int = 8 * 1024 * 1024


LIMITS = Limits()


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """A deadline for a block. Raises Unavailable when it has passed."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Unavailable("Redis: no answer in time") from None
