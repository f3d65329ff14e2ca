"""Requests posted to endpoints that need the browser's cookies.

OpenID Connect Core 1.0 §3.1.2.1, RP-Initiated Logout 1.0 §2. A form of another site sends no `SameSite=Lax`
cookies, so the response redirects to the same endpoint by GET, with the request in the URI. A request that is
too long for a URI is stored for as long as a redirect takes. An address that sends many of them is throttled.
"""

from collections.abc import Set
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from shared.browser.errors import AddressThrottled, Expired
from shared.live.address_block import address_block
from shared.live.randomness import new_handle
from shared.oauth.parameters import Parameters
from shared.oauth.tokens.handle import Kind, digest, is_handle
from shared.paths import Path
from shared.store import Counters, Interactions, Pace

POSTED = "posted"
MAX_QUERY = 6 * 1024
"""The length of a query that every proxy forwards: proxies accept a request line of 8 KiB."""

LIFETIME = timedelta(minutes=1)
PACE = Pace(
    free=20,
    first_wait=timedelta(seconds=1),
    longest_wait=timedelta(minutes=1),
    forgotten_after=timedelta(minutes=5),
)
"""Stored requests of one address: at most about 30 at a time, of 64 KiB each."""


@dataclass(frozen=True, slots=True)
class PostedRequests:
    """Turns posted requests into GET requests."""

    interactions: Interactions
    counters: Counters
    is_limited: bool

    async def keep(self, path: Path, parameters: Parameters, known: Set[str], address: str) -> str:
        """The URI at *path* that repeats those of *parameters* that are *known* there.

        Raises AddressThrottled if *address* must wait. Raises Unavailable.
        """
        pairs = _pairs(parameters, known)
        query = urlencode(pairs)
        if len(query) <= MAX_QUERY:
            return f"{path}?{query}" if query else path.path
        if self.is_limited and await self.counters.attempt("posted", address_block(address), PACE):
            raise AddressThrottled("too many long requests from this address")
        handle = new_handle(Kind.POSTED_REQUEST)
        await self.interactions.add(digest(handle), {"pairs": pairs}, LIFETIME)
        return f"{path}?{urlencode({POSTED: handle})}"

    async def find(self, handle: str | None, *, again: str | None = None) -> Parameters:
        """The parameters stored under *handle*. Raises Unavailable, and Expired with *again*."""
        interaction = None
        if handle and is_handle(Kind.POSTED_REQUEST, handle):
            interaction = await self.interactions.find(digest(handle))
        if interaction is None:
            raise Expired("the request does not exist any more", again=again)
        values: dict[str, tuple[str, ...]] = {}
        for name, value in interaction["pairs"]:
            values[name] = (*values.get(name, ()), value)
        return Parameters(values)


def _pairs(parameters: Parameters, known: Set[str]) -> list[tuple[str, str]]:
    """The known parameters with every value: the GET must reject a repeated parameter as the POST would."""
    return [
        (name, value) for name in sorted(known) if name in parameters for value in parameters.values[name]
    ]
