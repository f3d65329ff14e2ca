"""The sign-ins that fail in the whole deployment: counted in the process, and shared a moment later."""

from collections.abc import AsyncIterator

from aiohttp import web

from services.authorization.authentication.throttling import FAILED_SIGN_INS
from shared.live.rate_limiter import RateLimiter
from shared.server.app import BACKGROUND, SETTINGS
from shared.server.resources import STORES

FAILURES = web.AppKey("FAILURES", RateLimiter)


async def failures(app: web.Application) -> AsyncIterator[None]:
    """FAILURES. Needs `stores`."""
    app[FAILURES] = limiter = RateLimiter(
        app[STORES].shared_counts, "failed_sign_ins", FAILED_SIGN_INS, is_on=app[SETTINGS].rate_limits
    )
    async with limiter.sharing(app[BACKGROUND]):
        yield
