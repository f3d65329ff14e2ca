"""How commands get to a server that can answer them: what stands behind a `Link`."""

from collections.abc import Awaitable, Sequence
from typing import Any, Protocol

Argument = bytes | str | int | float
Command = Sequence[Argument]


class Way(Protocol):
    """To one server, to the primary of several, or to the nodes of a cluster."""

    def send(self, commands: Sequence[Command]) -> Awaitable[list[Any]]:
        """The answers in the order of the commands; an error of Redis is one of them.

        Raises RedisError or OSError when an answer does not come: what became of the commands is unknown.
        Nothing is sent twice, unless the server said that it had not done it.
        """

    def find_anew(self) -> None:
        """Whoever was found does not take commands any more."""

    async def close(self) -> None:
        """Gives up what is under way."""
