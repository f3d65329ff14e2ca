"""Limits on what strangers may store in Redis: requests that wait for a user, and pushed requests.

The limits count kibibytes, not requests: a long request costs as much as many short ones. They are counted in
the process and shared a moment later, so a request needs no extra round trip.
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
"""KiB of one address. A request has about one, so this is also the number of sign-ins."""
BY_CLIENT = Rate(most=6000, period=timedelta(minutes=1))
"""KiB of one client that an operator registered and that authenticates."""


@dataclass(frozen=True, slots=True)
class StorageLimits:
    """Both limiters count KiB."""

    by_address: RateLimiter
    by_client: RateLimiter

    def interaction(self, parameters: Parameters, address: str, now: datetime) -> timedelta | None:
        """The time for which *address* must wait before an interaction with these parameters may be stored.

        None: it may be stored now, and is counted.
        """
        return self.by_address.take(address_block(address), now, _kibibytes(parameters))

    def pushed_request(
        self, client: Client, parameters: Parameters, address: Callable[[], str], now: datetime
    ) -> timedelta | None:
        """As `interaction`, for a pushed request of *client*.

        Anyone can name a public client, and anyone can register many clients: both count for the address.
        """
        if client.is_public or client.is_self_described:
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
