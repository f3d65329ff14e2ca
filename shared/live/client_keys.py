"""Public keys of clients, from their record or their `jwks_uri`, cached and fetched sparingly.

Concurrent callers share one fetch. A fetched set stays in use while its host is down. An unknown key causes
at most one fetch per COOL_DOWN, however many callers ask.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from shared.fetch import FetchFailed
from shared.model import Json
from shared.oauth.client.jwks import BadKey, readable, verify_with
from shared.oauth.client.record import Client
from shared.oauth.tokens.jwe import Recipient, recipient
from shared.oauth.tokens.jwt import BadJwt, SignedClaims

FRESH_FOR = 600.0  # seconds, after which it is fetched again
STALE_FOR = 86_400.0  # seconds, after which it is no longer used even if its host is down
COOL_DOWN = 30.0  # seconds between fetches for an unknown key, and between attempts while a host is down
MAX_SETS = 1000

Result = TypeVar("Result")
Fetch = Callable[[str], Awaitable[Any]]

logger = structlog.get_logger()


class NoKeys(Exception):
    """The client's keys are unavailable. The reason is for the log."""


@dataclass(slots=True)
class _Kept:
    jwks: Json
    fetched_at: float
    next_try: float  # when to fetch again, unless a key is missing
    next_look: float = float("-inf")  # when to fetch again for a missing key


class ClientKeys:
    """JWK Sets by their URI. *fetch* raises FetchFailed."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._fetching: dict[str, asyncio.Task[bool]] = {}

    async def verified(self, token: str, client: Client) -> SignedClaims:
        """The claims of a JWT signed by the client, with any algorithm. Raises BadJwt, NoKeys."""
        return await self._tried(client, lambda jwks: verify_with(token, jwks))

    async def recipient(self, client: Client, alg: str, enc: str) -> Recipient:
        """The client as a recipient of encryption. Raises BadKey: it has no suitable key. Raises NoKeys."""
        return await self._tried(client, lambda jwks: recipient(jwks, alg, enc))

    async def _tried(self, client: Client, attempt: Callable[[Json], Result]) -> Result:
        """*attempt* with the client's keys, repeated once with newer ones if a key is missing."""
        jwks = await self._jwks(client)
        try:
            return attempt(jwks)
        except (BadJwt, BadKey):
            newer = await self._newer(client.jwks_uri, jwks) if client.jwks_uri else None
            if newer is None:
                raise
        return attempt(newer)

    async def _jwks(self, client: Client) -> Json:
        if client.jwks_uri is None:
            return client.jwks or {}
        return (await self._current(client.jwks_uri)).jwks

    async def _current(self, uri: str) -> _Kept:
        cached = self._kept.get(uri)
        if cached is None or self._clock() >= cached.next_try:
            await self._refresh(uri)
            cached = self._kept.get(uri)
        if cached is None or self._clock() >= cached.fetched_at + STALE_FOR:
            raise NoKeys("jwks_uri does not answer")
        self._kept.move_to_end(uri)
        return cached

    async def _newer(self, uri: str, jwks: Json) -> Json | None:
        """The current set, after a key was missing in *jwks*. None: it is too early to fetch again."""
        cached = self._kept.get(uri)
        if cached is None:
            return None
        if cached.jwks is not jwks:  # another caller has fetched in the meantime
            return cached.jwks
        if self._clock() < cached.next_look:
            return None
        cached.next_look = self._clock() + COOL_DOWN
        has_news = await self._refresh(uri)
        return self._kept[uri].jwks if has_news and uri in self._kept else None

    async def _refresh(self, uri: str) -> bool:
        if (task := self._fetching.get(uri)) is None:
            task = self._fetching[uri] = asyncio.create_task(self._load(uri))
        return await asyncio.shield(task)

    async def _load(self, uri: str) -> bool:
        cached = self._kept.get(uri)
        try:
            jwks = readable(await self._fetch(uri))
        except (FetchFailed, BadKey) as fault:
            logger.info("jwks_uri_failed", uri=uri, cause=str(fault))
            if cached:
                cached.next_try = self._clock() + COOL_DOWN
            return False
        finally:
            del self._fetching[uri]
        now = self._clock()
        next_look = cached.next_look if cached else float("-inf")
        self._kept[uri] = _Kept(jwks, now, now + FRESH_FOR, next_look)
        if len(self._kept) > MAX_SETS:
            self._kept.popitem(last=False)
        return True

    async def close(self) -> None:
        """Cancel running fetches."""
        for task in list(self._fetching.values()):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
