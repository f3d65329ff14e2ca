"""Name resolution: all addresses of a name are checked, and connections go only to checked addresses."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

from aiohttp.abc import AbstractResolver, ResolveResult

from shared.oauth.fetch_target import is_public

Lookup = Callable[[str, int], Awaitable[list[str]]]
"""Resolves a host name and a port to addresses, as text. Raises OSError."""

MAX_ADDRESSES = 16


class NotPublic(OSError):
    """A public name resolves to a private address."""


class SystemLookup:
    """The system's resolver in its own threads, so that a slow name server does not delay the stores'."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="lookup")

    async def __call__(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        addresses = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return [str(sockaddr[0]) for *_, sockaddr in addresses]

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class GuardedResolver(AbstractResolver):
    """The resolver of a connector. It is called once for each connection, which uses only its addresses."""

    def __init__(self, lookup: Lookup, allow: tuple[str, ...]) -> None:
        self._lookup = lookup
        self._allow = allow

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises OSError, or NotPublic if one of several addresses is not public."""
        addresses = (await self._lookup(host, port))[:MAX_ADDRESSES]
        if not addresses:
            raise OSError("the name has no address")
        if f"{host}:{port}" not in self._allow and not all(map(_is_public, addresses)):
            raise NotPublic("the name has an address that is not public")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _is_public(address: str) -> bool:
    try:
        return is_public(ip_address(address))
    except ValueError:
        return False
