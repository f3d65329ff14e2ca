"""Reads a list that a port gives by pages."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

PAGE = 500
"""Entries."""

T = TypeVar("T")


async def every(
    read: Callable[[str | None, int], Awaitable[Sequence[T]]], key: Callable[[T], str]
) -> AsyncIterator[T]:
    """All entries in order. *read* returns as many as asked that follow one with a *key*; None: the first."""
    after: str | None = None
    while page := await read(after, PAGE):
        for entry in page:
            yield entry
        after = key(page[-1])
