"""The limit on introspection of unknown tokens, against clients that guess tokens.

Valid tokens are not limited. An expired access token, or another client's, does not count as a guess.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

from aiohttp import web

from shared.live.rate_limiter import Rate, RateLimiter
from shared.server.app import BACKGROUND, SETTINGS
from shared.server.resources import STORES

RATE = Rate(most=300, period=timedelta(minutes=1))
"""The limit for one client."""

UNKNOWN_TOKENS = web.AppKey("UNKNOWN_TOKENS", RateLimiter)


async def unknown_tokens(app: web.Application) -> AsyncIterator[None]:
    """UNKNOWN_TOKENS. Needs `stores`."""
    limiter = RateLimiter(app[STORES].shared_counts, "unknown_tokens", RATE, is_on=app[SETTINGS].rate_limits)
    app[UNKNOWN_TOKENS] = limiter
    async with limiter.sharing(app[BACKGROUND]):
        yield
