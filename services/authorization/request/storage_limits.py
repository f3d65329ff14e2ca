"""How much strangers may have stored in Redis: requests that wait for a person, and pushed requests.

Sizes count, not requests: a long request costs what many short ones do. Limits are counted in the process and
shared a moment later, so they cost a request no round trip.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from shared.live.address_block import address_block
from shared.live.rate_limiter import Rate, RateLimiter
from shared.oauth.client.record import Client
from shared.oauth.parameters import Parameters
from shared.server.app import BACKGROUND, SETTINGS
from shared.server.resources import STORES

BY_ADDRESS = Rate(most=1000, period=timedelta(minutes=1))
"""KiB of one address: a request has about one, so that is as many sign-ins that begin."""
BY_CLIENT = Rate(most=6000, period=timedelta(minutes=1))
"""KiB of one client that an operator registered, and that authenticates."""


@dataclass(frozen=True, slots=True)
class StorageLimits:
    """Both limiters count KiB."""

    by_address: RateLimiter
    by_client: RateLimiter

    def interaction(self, parameters: Parameters, address: str, now: datetime) -> timedelta | None:
        """The time to wait before *address* may have an interaction of these parameters stored.

        None: it may now, and they are counted.
        """
        return self.by_address.take(address_block(address), now, _kibibytes(parameters))

    def pushed_request(
        self, client: Client, parameters: Parameters, address: Callable[[], str], now: datetime
    ) -> timedelta | None:
        """Likewise for a pushed request of *client*.

        A public client is whoever names it, and a client that registered itself is one of as many as somebody
        likes: both count for the address.
        """
        if client.is_public or client.is_dynamically_registered:
            return self.interaction(parameters, address(), now)
        return self.by_client.take(client.client_id, now, _kibibytes(parameters))


def _kibibytes(parameters: Parameters) -> int:
    return 1 + sum(len(name) + sum(map(len, values)) for name, values in parameters.values.items()) // 1024


STORAGE_LIMITS = web.AppKey("STORAGE_LIMITS", StorageLimits)


async def storage_limits(app: web.Application) -> AsyncIterator[None]:
    """STORAGE_LIMITS. Needs `stores`."""
    shared_counts, is_on = app[STORES].shared_counts, app[SETTINGS].rate_limits
    by_address = RateLimiter(shared_counts, "stored_by_address", BY_ADDRESS, is_on=is_on)
    by_client = RateLimiter(shared_counts, "stored_by_client", BY_CLIENT, is_on=is_on)
    app[STORAGE_LIMITS] = StorageLimits(by_address, by_client)
    async with by_address.sharing(app[BACKGROUND]), by_client.sharing(app[BACKGROUND]):
        yield
