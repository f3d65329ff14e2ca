"""The servers behind a `RedisClient`, and how commands reach the one that can answer them."""

from collections.abc import Awaitable, Sequence
from typing import Any, Protocol

Argument = bytes | str | int | float
Command = Sequence[Argument]


class Topology(Protocol):
    """One server, the primary among several, or the nodes of a cluster."""

    def send(self, commands: Sequence[Command]) -> Awaitable[list[Any]]:
        """The answers in the order of the commands. An error of Redis is one of them.

        Raises Unavailable if an answer is late: whether the commands ran is unknown. Nothing is sent twice,
        unless the server said that it had not run it.
        """

    def rediscover(self) -> None:
        """Send no more commands to the server that was found last."""

    async def close(self) -> None:
        """Close every connection. Commands without an answer fail."""
